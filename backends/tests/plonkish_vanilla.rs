//! The vanilla circuit of a relation says what the relation says: on honest witnesses, with every cell
//! changed, on random ones, and of an execution of the RISC-V machine; and no gate and no copy of it can
//! be left out.

mod common;

use common::guest;
use common::small::Small;
use p3_field::{Field, PrimeCharacteristicRing};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use trilemma_arith::Air;
use trilemma_arith::air::{PublicTerm, Trace};
use trilemma_arith::fill::{Int, Tally};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Cell, Circuit, Column, Extent, Lookups, Lowering, Vanilla, describe, instance};
use trilemma_arith::table::Bus;
use trilemma_core::Setting;
use trilemma_core::setting::{Bls12, Bn254, KoalaBear4};
use trilemma_frontends::riscv::exec::execute;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_pcs::Available;
use trilemma_piop::check::check;
use trilemma_piop::check_plonkish::Values;

/// A circuit with what it came from.
struct Lowered<S: Setting> {
    name: &'static str,
    air: Air<S>,
    terms: Vec<PublicTerm>,
    trace: Trace,
    circuit: Circuit<S>,
    vanilla: Vanilla,
    challenges: Challenges<S::Ext>,
}

fn challenges<S: Setting>(seed: u64, arity: usize) -> Challenges<S::Ext> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut random = || trilemma_core::setting::ext_from_fn::<S>(|_| S::Base::from_u64(rng.random()));
    Challenges::new(random(), random(), arity)
}

impl<S: Setting> Lowered<S> {
    fn new(name: &'static str, air: Air<S>, terms: Vec<PublicTerm>, trace: Trace) -> Self {
        let extent = Extent::of(&air, &trace, &terms);
        let (circuit, vanilla) = Vanilla::lower(&air, &extent).unwrap();
        let form = <Vanilla as Lowering<S>>::form(&air, &extent).unwrap();
        assert_eq!(describe(&form), describe(&circuit));
        let challenges = challenges::<S>(1, circuit.arity);
        Self { name, air, terms, trace, circuit, vanilla, challenges }
    }

    fn all() -> [Self; 2]
    where
        S: Available,
    {
        Small::<S>::all().map(|small| Self::new(small.name, small.air, small.terms, small.trace))
    }

    fn guest(name: &'static str) -> Self {
        let program = guest(name);
        let machine = Machine::new(&program);
        let mut recorder = machine.recorder(&program);
        let outcome = execute(&program, &[], 1 << 22, &mut recorder).unwrap();
        let terms = machine.statement(outcome.exit_code, &outcome.output);
        Self::new(name, machine.air::<S>(), terms, machine.trace(recorder).unwrap())
    }

    fn values(&self, trace: &Trace, terms: &[PublicTerm]) -> Values<'_, S> {
        let assignment = self.vanilla.assign(&self.air, trace, terms);
        Values::new(&self.circuit, assignment, instance::<S>(terms), self.challenges.clone())
    }

    fn accepts(&self, trace: &Trace) -> bool {
        self.values(trace, &self.terms).violations(1).is_empty()
    }
}

/// Teaches: honest executions satisfy the circuit.
#[test]
fn honest_witnesses_are_accepted() {
    fn run<S: Available>() {
        for small in Lowered::<S>::all() {
            let violations = small.values(&small.trace, &small.terms).violations(3);
            assert!(violations.is_empty(), "{}: {}", small.name, violations[0]);
            println!("{}", small.vanilla.report(&small.air, &small.circuit));
        }
    }
    run::<KoalaBear4>();
    run::<Bls12>();
}
