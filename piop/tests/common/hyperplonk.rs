//! Circuits under `hyperplonk` and a scheme.

use trilemma_arith::plonkish::{Assignment, Circuit};
use trilemma_arith::r1cs::ByColumn;
use trilemma_core::channel::{OracleProver, OracleVerifier};
use trilemma_core::runner::{Binding, IndexCommitment, Proven, ProverIndex, Runner};
use trilemma_core::{MlEval, Options, Piop, ProveError, Reject, Security, Setting};
use trilemma_pcs::Available;
use trilemma_piop::hyperplonk::HyperPlonk;

pub type Query<S> = MlEval<<S as Setting>::Ext>;
pub type Channel<'a, S> = dyn OracleProver<S, Query<S>> + 'a;
pub type Prove<'a, S> = dyn FnMut(&mut Channel<'_, S>) -> Result<(), ProveError> + 'a;

const BINDING: Binding<'static> = Binding { protocol: b"circuit", statement: b"" };

/// A circuit with keys of a scheme.
pub struct Keyed<S: Available> {
    pub circuit: Circuit<S>,
    pub form: Circuit<S>,
    runner: Box<dyn Runner<S, Query<S>>>,
    index: IndexCommitment,
    prover_index: ProverIndex,
}

impl<S: Available> Keyed<S> {
    pub fn new(circuit: Circuit<S>, form: Circuit<S>, scheme: &str) -> Self {
        let security = Security { bits: 60, ..Security::default() };
        let options = Options { security, hash: "blake3".into(), ..Options::default() };
        let entry = S::multilinear().into_iter().find(|entry| entry.name == scheme).unwrap();
        let runner = (entry.setup)(&options, circuit.log_rows).unwrap();
        let (index, prover_index) = runner.index(BINDING.protocol, HyperPlonk.index(&circuit)).unwrap();
        assert_eq!(index.shapes, HyperPlonk.index_shapes(&form));
        Self { circuit, form, runner, index, prover_index }
    }

    /// Proves an assignment, good or bad, as the honest prover does behind a channel of `wrap`'s.
    pub fn prove_with(
        &self,
        instance: &[S::Base],
        assignment: Assignment<S>,
        wrap: impl Fn(&mut Channel<'_, S>, &mut Prove<'_, S>) -> Result<(), ProveError>,
    ) -> Proven {
        let (instance, mut assignment) = (instance.to_vec(), Some(assignment));
        let mut prove = |ch: &mut Channel<'_, S>| {
            HyperPlonk.prove(&self.circuit, &instance, assignment.take().expect("proven once"), ch)
        };
        let mut run = |ch: &mut Channel<'_, S>| wrap(ch, &mut prove);
        self.runner.prove(BINDING, (&self.index, &self.prover_index), &mut run).unwrap()
    }

    /// Proves an assignment, good or bad.
    pub fn prove(&self, instance: &[S::Base], assignment: Assignment<S>) -> Proven {
        self.prove_with(instance, assignment, |ch, prove| prove(ch))
    }

    pub fn verify(&self, instance: &[S::Base], proof: &[u8]) -> Result<(), Reject> {
        let instance = instance.to_vec();
        let mut run = |ch: &mut dyn OracleVerifier<S, Query<S>>| HyperPlonk.verify(&self.form, &instance, ch);
        self.runner.verify(BINDING, &self.index, proof, &mut run).map(|_| ())
    }

    /// Whether an assignment's proof is accepted.
    pub fn verdict(&self, instance: &[S::Base], assignment: Assignment<S>) -> Result<(), Reject> {
        self.verify(instance, &self.prove(instance, assignment).proof)
    }
}

/// What a verifier knows of a circuit.
pub fn form<S: Setting>(circuit: &Circuit<S>) -> Circuit<S> {
    Circuit {
        name: circuit.name,
        log_rows: circuit.log_rows,
        fixed_names: circuit.fixed_names.clone(),
        early: circuit.early.clone(),
        late: circuit.late.clone(),
        instance: circuit.instance,
        graph: circuit.graph.clone(),
        gates: circuit.gates.clone(),
        lookups: circuit.lookups.clone(),
        permuted: circuit.permuted.clone(),
        arity: circuit.arity,
        fractions: circuit.fractions,
        fixed: ByColumn { values: Vec::new(), height: circuit.rows() },
        copies: Vec::new(),
    }
}
