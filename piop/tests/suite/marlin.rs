//! Marlin proves exactly the systems that hold, in both stages, over the ideal scheme; and small ones over
//! real schemes.

use crate::{small, tiny};
use std::sync::{Arc, Mutex};

use p3_field::PrimeCharacteristicRing;
use small::Small;
use tiny::options;
use trilemma_arith::air::{PublicTerm, Trace};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Extent, instance};
use trilemma_arith::r1cs::staged::{Flattening, Staged, Witness};
use trilemma_core::runner::{Binding, IndexCommitment, ProverIndex, Runner};
use trilemma_core::setting::{Bls12, Goldilocks2, KoalaBear4, KoalaBear5, Pallas};
use trilemma_core::{Piop, Reject, UniEval};
use trilemma_pcs::{Available, Served};
use trilemma_piop::marlin::{Layout, Marlin};

const PROTOCOL: &[u8] = b"marlin of small relations";
const BINDING: Binding<'static> = Binding { protocol: PROTOCOL, statement: b"entries" };

/// A small relation at the extent of its trace, with keys of a scheme.
struct Keyed<S: Available> {
    small: Small<S>,
    extent: Extent,
    system: Staged<S>,
    form: Staged<S>,
    runner: Box<dyn Runner<S, UniEval<S::Ext>>>,
    index: IndexCommitment,
    prover_index: ProverIndex,
}

impl<S: Available> Keyed<S> {
    fn new(small: Small<S>, scheme: &str) -> Self {
        let mut options = options("blake3");
        options.max_log_height = Some(12);
        let entry = UniEval::<S::Ext>::schemes().into_iter().find(|e| e.name == scheme).unwrap();
        let runner = (entry.setup)(&options, 12).unwrap();
        let extent = Extent::of(&small.air, &small.trace, &small.terms);
        let flattening = Flattening::new(&small.air, &extent).unwrap();
        let (system, form) = (flattening.system(&small.air), flattening.form::<S>());
        let (index, prover_index) = runner.index(PROTOCOL, Marlin.index(&system)).unwrap();
        assert_eq!(index.shapes, Marlin.index_shapes(&form));
        Self { small, extent, system, form, runner, index, prover_index }
    }

    fn witness(&self, trace: &Trace) -> Witness<S> {
        let flattening = Flattening::new(&self.small.air, &self.extent).unwrap();
        flattening.assign(&self.small.air, trace, &self.small.terms).unwrap()
    }

    fn entries(&self, terms: &[PublicTerm]) -> Vec<S::Base> {
        instance::<S>(terms)
    }

    /// Proves with these wires, good or bad, and verifies from the form; tells also whether the wires satisfy
    /// the system.
    fn run(&self, terms: &[PublicTerm], witness: Witness<S>) -> (Result<(), Reject>, bool) {
        let entries = self.entries(terms);
        let drawn = Arc::new(Mutex::new(None));
        let (keep, late) = (drawn.clone(), witness.late);
        let keeping = move |challenges: &Challenges<S::Ext>| {
            let values = late(challenges);
            *keep.lock().unwrap() = Some(([challenges.gamma, challenges.beta[0]], values.clone()));
            values
        };
        let early = witness.early.clone();
        let mut witness = Some(Witness { early: witness.early, late: Box::new(keeping) });
        let indexed = (&self.index, &self.prover_index);
        let proven = self
            .runner
            .prove(BINDING, indexed, &mut |ch| Marlin.prove(&self.system, &entries, witness.take().unwrap(), ch));
        let verified = self.verify(&entries, &proven.unwrap().proof);
        let (challenges, late) = drawn.lock().unwrap().take().unwrap();
        let mut values = self.system.public_values(&entries, challenges);
        values.extend(early.into_iter().map(S::Ext::from));
        values.extend(late);
        (verified, self.system.broken(&values).is_empty())
    }

    fn verify(&self, entries: &Vec<S::Base>, proof: &[u8]) -> Result<(), Reject> {
        let mut run =
            |ch: &mut dyn trilemma_core::OracleVerifier<S, UniEval<S::Ext>>| Marlin.verify(&self.form, entries, ch);
        self.runner.verify(BINDING, &self.index, proof, &mut run).map(|_| ())
    }

    /// Every cell of the trace changed.
    fn traces(&self) -> Vec<Trace> {
        let honest = &self.small.trace;
        let mut traces = vec![honest.clone()];
        for (i, instance) in honest.instances.iter().enumerate() {
            for cell in 0..instance.cells.len() {
                for change in [|x: u32| x + 1, |x: u32| x ^ 2] {
                    let mut trace = honest.clone();
                    trace.instances[i].cells[cell] = change(instance.cells[cell]);
                    traces.push(trace);
                }
            }
        }
        traces
    }
}

/// Traces, then single wires of either stage.
fn exactly_what_holds<S: Available>(stride: usize) {
    for small in Small::<S>::all() {
        let name = small.name;
        let keyed = Keyed::new(small, "ideal");
        let (mut accepted, mut refused) = (0, 0);
        for trace in keyed.traces().into_iter().step_by(stride) {
            let (verified, holds) = keyed.run(&keyed.small.terms, keyed.witness(&trace));
            assert_eq!(verified.is_ok(), holds, "{name}: {verified:?} for {trace:?}");
            assert_eq!(holds, keyed.small.agreed(&trace), "{name}: {trace:?}");
            *(if holds { &mut accepted } else { &mut refused }) += 1;
        }
        let honest = || keyed.witness(&keyed.small.trace);
        for wire in (0..keyed.system.early).step_by(stride) {
            let mut witness = honest();
            witness.early[wire] += S::Base::ONE;
            let (verified, holds) = keyed.run(&keyed.small.terms, witness);
            assert_eq!(verified.is_ok(), holds, "{name}: early wire {wire}");
        }
        for wire in (0..keyed.system.late).step_by(5 * stride) {
            let Witness { early, late } = honest();
            let late = move |challenges: &Challenges<S::Ext>| {
                let mut values = late(challenges);
                values[wire] += S::Ext::ONE;
                values
            };
            let (verified, holds) = keyed.run(&keyed.small.terms, Witness { early, late: Box::new(late) });
            assert!(verified.is_err() && !holds, "{name}: late wire {wire}");
        }
        println!("{name} {}: {accepted} accepted, {refused} refused", S::NAME);
        assert!(accepted > 0 && refused > 5);
    }
}

#[test]
fn proves_what_holds() {
    exactly_what_holds::<KoalaBear4>(1);
    exactly_what_holds::<Bls12>(7);
}

#[test]
fn other_statements_are_refused() {
    for small in Small::<KoalaBear4>::all() {
        let keyed = Keyed::new(small, "ideal");
        let mut terms = keyed.small.terms.clone();
        terms[0].tuple[0] += 1;
        let (verified, holds) = keyed.run(&terms, keyed.witness(&keyed.small.trace));
        assert!(verified.is_err() && !holds);
        let entries = keyed.entries(&keyed.small.terms);
        let (indexed, mut witness) = ((&keyed.index, &keyed.prover_index), Some(keyed.witness(&keyed.small.trace)));
        let proven = keyed
            .runner
            .prove(BINDING, indexed, &mut |ch| Marlin.prove(&keyed.system, &entries, witness.take().unwrap(), ch));
        let proof = proven.unwrap().proof;
        assert_eq!(keyed.verify(&entries, &proof), Ok(()));
        for i in 0..entries.len() {
            let mut other = entries.clone();
            other[i] += KoalaBear4Base::ONE;
            assert_eq!(keyed.verify(&other, &proof).unwrap_err().what, "the rows hold at alpha");
        }
        assert!(keyed.verify(&entries[1..].to_vec(), &proof).is_err());
    }
}

type KoalaBear4Base = <KoalaBear4 as trilemma_core::Setting>::Base;

/// Every scheme of a setting, honest and with one wire changed.
fn over<S: Available>(scheme: &str) {
    for small in Small::<S>::all() {
        let keyed = Keyed::new(small, scheme);
        let (verified, _) = keyed.run(&keyed.small.terms, keyed.witness(&keyed.small.trace));
        assert_eq!(verified, Ok(()), "{scheme}");
        let mut witness = keyed.witness(&keyed.small.trace);
        witness.early[0] += S::Base::ONE;
        assert!(keyed.run(&keyed.small.terms, witness).0.is_err(), "{scheme}");
    }
}

#[test]
fn over_real_schemes() {
    over::<KoalaBear4>("fri");
    over::<KoalaBear5>("fri");
    over::<Goldilocks2>("fri");
    over::<Bls12>("kzg");
    over::<Pallas>("ipa");
}

/// Teaches: what a verifier derives from the form is what the system has, and no segment has wires of two stages.
#[test]
fn extents_that_the_relation_refuses() {
    let [small, _] = Small::<KoalaBear4>::all();
    let extent = Extent::of(&small.air, &small.trace, &small.terms);
    let flattening = Flattening::new(&small.air, &extent).unwrap();
    let (system, form) = (flattening.system(&small.air), flattening.form::<KoalaBear4>());
    assert_eq!((system.matrices.rows(), system.matrices.nonzeros()), (form.constraints, form.nonzeros));
    assert_eq!(Layout::new(&system), Layout::new(&form));
    println!("{:?}", Layout::new(&form));
    let refused = |change: &dyn Fn(&mut Extent)| {
        let mut other = extent.clone();
        change(&mut other);
        Flattening::new(&small.air, &other).is_err()
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|e| e.instances.reverse()), "out of order");
    assert!(refused(&|e| e.instances[0].0 = 9), "no table");
    assert!(refused(&|e| e.instances[0].1 = 3), "cyclic, but no power of two");
    assert!(refused(&|e| e.instances[1].1 = 1 << 20), "too many rows");
    assert!(refused(&|e| e.instances[1].1 = usize::MAX), "too many rows to count");
    assert!(refused(&|e| e.instances.truncate(2)), "without a fixed table");
    assert!(refused(&|e| e.instances.push(*e.instances.last().unwrap())), "a fixed table twice");
    assert!(refused(&|e| (0..2).for_each(|_| e.instances.insert(0, e.instances[0]))), "too many instances");
    let mut trace = small.trace.clone();
    trace.instances[0].log_height = 3;
    assert!(flattening.assign(&small.air, &trace, &small.terms).is_err());
}
