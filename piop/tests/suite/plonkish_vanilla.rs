//! The vanilla circuit of a relation says what the relation says: on honest witnesses, with every cell
//! changed, on random ones, and on an execution of the RISC-V machine; and no gate, lookup or copy can
//! be left out of it.

use crate::relations::Relation;
use crate::{forge_vanilla, plonkish};
use forge_vanilla::Forger;
use p3_field::PrimeCharacteristicRing;
use plonkish::normal;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_arith::air::Trace;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Circuit, Extent, Lowering, Vanilla, describe, instance};
use trilemma_core::Setting;
use trilemma_core::setting::{Bls12, KoalaBear4};
use trilemma_pcs::Available;
use trilemma_piop::check::check;
use trilemma_piop::check_plonkish::{Values, Violation};

impl<S: Setting> Relation<S> {
    fn lowered(&self, trace: &Trace) -> (Circuit<S>, Vanilla) {
        Vanilla::lower(&self.air, &Extent::of(&self.air, trace, &self.terms)).unwrap()
    }

    fn values<'a>(&self, trace: &Trace, (circuit, vanilla): &'a (Circuit<S>, Vanilla)) -> Values<'a, S> {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut random = || trilemma_core::setting::ext_from_fn::<S>(|_| S::Base::from_u64(rng.random()));
        let challenges = Challenges::new(random(), random(), circuit.arity);
        let assignment = vanilla.assign(&self.air, trace, &self.terms);
        Values::new(circuit, assignment, instance::<S>(&self.terms), challenges)
    }

    /// Whether a trace satisfies the relation, on which the circuit has to agree.
    fn agreed(&self, trace: &Trace) -> bool {
        let trace = normal(&self.air, trace);
        let violations = check(&self.air, &self.terms, &trace, 1);
        let lowered = self.lowered(&trace);
        let circuit = self.values(&trace, &lowered).violations(1);
        assert_eq!(violations.is_empty(), circuit.is_empty(), "{}: {violations:?}, {circuit:?}", self.name);
        circuit.is_empty()
    }
}

fn agree<S: Available>(random: usize) {
    for relation in Relation::<S>::small() {
        assert!(relation.agreed(&relation.trace), "{}", relation.name);
        let mut accepted = 0;
        let tried = relation.mutants(random, |trace| accepted += usize::from(relation.agreed(trace)));
        println!("{} {}: {accepted} of {tried} accepted", S::NAME, relation.name);
        assert!(accepted < tried / 2, "{}: {accepted} of {tried} accepted", relation.name);
    }
}

/// Teaches: lowering neither drops nor adds a constraint.
#[test]
fn relations_and_their_circuits_agree() {
    agree::<KoalaBear4>(90);
    agree::<Bls12>(30);
}

/// Teaches: the verifier's form is the prover's circuit.
#[test]
fn forms_are_circuits() {
    for relation in Relation::<KoalaBear4>::small() {
        let extent = Extent::of(&relation.air, &relation.trace, &relation.terms);
        let form: Circuit<KoalaBear4> = Vanilla::form(&relation.air, &extent).unwrap();
        let (circuit, vanilla) = relation.lowered(&relation.trace);
        assert_eq!(describe(&form), describe(&circuit));
        assert!(form.copies.is_empty() && form.fixed.values.is_empty());
        assert_eq!((circuit.gate_degree(), circuit.gates.len()), (3, 3));
        println!("{}", vanilla.report(&relation.air, &circuit));
    }
}

/// Teaches: no change of an execution passes one of the two only.
#[test]
fn changed_executions() {
    let run = Relation::<KoalaBear4>::execution("exit7", &[]);
    let lowered = run.lowered(&run.trace);
    assert!(run.values(&run.trace, &lowered).violations(1).is_empty());
    let mut rng = SmallRng::seed_from_u64(11);
    let (mut changes, mut rejected) = (0, 0);
    for i in 0..run.trace.instances.len() {
        let shape = run.air.tables[run.trace.instances[i].table].shape();
        if !["addi", "jump", "ecall", "image", "program"].contains(&shape.name) {
            continue;
        }
        let mut trace = run.trace.clone();
        let cells = &mut trace.instances[i].cells;
        let cell = rng.random_range(0..cells.len());
        cells[cell] ^= 1 << rng.random_range(0..3);
        let trace = normal(&run.air, &trace);
        let violations = check(&run.air, &run.terms, &trace, 1);
        let circuit = if Extent::of(&run.air, &trace, &run.terms) == Extent::of(&run.air, &run.trace, &run.terms) {
            run.values(&trace, &lowered).violations(1)
        } else {
            let lowered = run.lowered(&trace);
            run.values(&trace, &lowered).violations(1)
        };
        assert_eq!(violations.is_empty(), circuit.is_empty(), "{}: {violations:?}, {circuit:?}", shape.name);
        changes += 1;
        rejected += usize::from(!circuit.is_empty());
    }
    println!("{rejected} of {changes} rejected");
    assert!(changes >= 5 && rejected > 0);
}

/// Teaches: a report says which row failed, and with what.
#[test]
fn violations_name_what_failed() {
    let relations = Relation::<KoalaBear4>::small();
    let mut trace = relations[0].trace.clone();
    trace.instances[1].cells[2] += 1;
    let lowered = relations[0].lowered(&trace);
    let violations = relations[0].values(&trace, &lowered).violations(5);
    let gates = violations.iter().filter(|v| matches!(v, Violation::Gate { what, .. } if what == "arithmetic"));
    assert_eq!(gates.count(), 1, "{violations:?}");
    assert!(violations.iter().any(|v| matches!(v, Violation::Copy { .. })), "the sum is not zero: {violations:?}");
}

/// Teaches: a lowering that loses a gate, a lookup or a copy is noticed: each has cells that only it
/// refuses, the balance of buses apart.
#[test]
fn everything_is_needed() {
    // The search does not find cells for every part of the larger relations.
    for relation in Relation::<Bls12>::small().into_iter().take(1) {
        let lowered = relation.lowered(&relation.trace);
        let values = relation.values(&relation.trace, &lowered);
        let forger = Forger::new(&values, &lowered.1.blocks(&relation.air));
        let mut rng = SmallRng::seed_from_u64(9);
        let targets = [forger.targets(), forger.copies()].concat();
        let missed: Vec<String> = targets
            .iter()
            .filter(|target| !forger.forge(**target, 300, &mut rng))
            .map(|target| forger.describe(*target))
            .collect();
        println!("{}: {} parts, {} missed", relation.name, targets.len(), missed.len());
        assert!(missed.is_empty(), "{}: nothing notices the loss of\n{}", relation.name, missed.join("\n"));
    }
}
