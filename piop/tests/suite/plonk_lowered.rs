//! `plonk` over circuits lowered from tables: small relations with every cell changed, and executions of
//! the machine.

use crate::relations::Relation;
use crate::{plonkish, small};

use plonkish::{normal, violations_of};
use small::Small;
use trilemma_arith::Air;
use trilemma_arith::air::{PublicTerm, Trace};
use trilemma_arith::plonkish::{Circuit, Custom, Extent, Lowering, Params, instance};
use trilemma_core::runner::{Binding, IndexCommitment, Proven, ProverIndex, Runner};
use trilemma_core::setting::{Bn254, Goldilocks2, KoalaBear4};
use trilemma_core::{Options, OracleProver, OracleVerifier, Piop, Reject, Security, Setting, UniEval};
use trilemma_pcs::{Available, Served};
use trilemma_piop::plonk::Plonk;

type Query<S> = UniEval<<S as Setting>::Ext>;

const BINDING: Binding<'static> = Binding { protocol: b"lowered", statement: b"terms" };

/// Lookup tables in parts, so that small executions have small circuits.
const SPLIT: Params = Params { width: None, degree: 5, split: true };

/// A circuit of a relation with keys of a scheme.
struct Lowered<S: Available, const LOGUP: bool> {
    circuit: Circuit<S>,
    form: Circuit<S>,
    custom: Custom<S>,
    runner: Box<dyn Runner<S, Query<S>>>,
    index: IndexCommitment,
    prover_index: ProverIndex,
}

impl<S: Available, const LOGUP: bool> Lowered<S, LOGUP> {
    fn new(scheme: &str, bits: u32, air: &Air<S>, extent: &Extent, params: Params) -> Self {
        let (circuit, custom) = Custom::lower_with(air, extent, params).unwrap();
        let form = Custom::form_with(air, extent, params).unwrap();
        let options = Options { security: Security { bits, ..Security::default() }, ..Options::default() };
        let entry = Query::<S>::schemes().into_iter().find(|e| e.name == scheme).unwrap();
        let runner = (entry.setup)(&options, circuit.log_rows).unwrap();
        let (index, prover_index) = runner.index(BINDING.protocol, Plonk::<LOGUP>.index(&circuit)).unwrap();
        assert_eq!(index.shapes, Plonk::<LOGUP>.index_shapes(&form));
        Self { circuit, form, custom, runner, index, prover_index }
    }

    fn prove(&self, air: &Air<S>, trace: &Trace, terms: &[PublicTerm]) -> Proven {
        let mut prover = |ch: &mut dyn OracleProver<S, Query<S>>| {
            let assignment = self.custom.assign(air, trace, terms);
            Plonk::<LOGUP>.prove(&self.circuit, &instance::<S>(terms), assignment, ch)
        };
        self.runner.prove(BINDING, (&self.index, &self.prover_index), &mut prover).unwrap()
    }

    fn verify(&self, proof: &[u8], terms: &[PublicTerm]) -> Result<(), Reject> {
        let instance = instance::<S>(terms);
        let mut run = |ch: &mut dyn OracleVerifier<S, Query<S>>| Plonk::<LOGUP>.verify(&self.form, &instance, ch);
        self.runner.verify(BINDING, &self.index, proof, &mut run).map(|_| ())
    }
}

fn proves_what_the_circuit_accepts<S: Available, const LOGUP: bool>() {
    for relation in Small::<S>::all() {
        let (air, terms, honest) = (&relation.air, &relation.terms, normal(&relation.air, &relation.trace));
        let mut traces = vec![honest.clone()];
        for (i, cell) in
            (0..honest.instances.len()).flat_map(|i| (0..honest.instances[i].cells.len()).map(move |c| (i, c)))
        {
            let mut trace = honest.clone();
            trace.instances[i].cells[cell] += 1;
            traces.push(normal(air, &trace));
        }
        let (mut accepted, mut refused) = (0, 0);
        for trace in traces {
            let extent = Extent::of(air, &trace, terms);
            let lowered = Lowered::<S, LOGUP>::new("ideal", 24, air, &extent, Params::default());
            let verdict = lowered.verify(&lowered.prove(air, &trace, terms).proof, terms);
            let violations = violations_of(air, terms, &trace, Params::default());
            assert_eq!(verdict.is_ok(), violations.is_empty(), "{}: {verdict:?}, {violations:?}", relation.name);
            *(if verdict.is_ok() { &mut accepted } else { &mut refused }) += 1;
        }
        println!("{} {} logup={LOGUP}: {accepted} accepted, {refused} refused", S::NAME, relation.name);
        assert!(accepted > 0 && refused > 8);
    }
}

#[test]
fn small_relations() {
    proves_what_the_circuit_accepts::<KoalaBear4, false>();
    proves_what_the_circuit_accepts::<Bn254, true>();
    proves_what_the_circuit_accepts::<Goldilocks2, true>();
}

fn execution<S: Available, const LOGUP: bool>(scheme: &str, bits: u32) {
    let Relation { air, mut terms, trace, .. } = Relation::<S>::execution("exit7", &[]);
    let lowered = Lowered::<S, LOGUP>::new(scheme, bits, &air, &Extent::of(&air, &trace, &terms), SPLIT);
    let proven = lowered.prove(&air, &trace, &terms);
    assert_eq!(lowered.verify(&proven.proof, &terms), Ok(()));
    terms[0].tuple[0] += 1;
    assert!(lowered.verify(&proven.proof, &terms).is_err());
}

/// Teaches: a whole execution of the machine is proven, and verified from the form.
#[test]
fn executions() {
    execution::<KoalaBear4, false>("fri", 24);
    execution::<KoalaBear4, true>("fri", 24);
}
