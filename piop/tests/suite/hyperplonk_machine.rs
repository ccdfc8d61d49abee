//! `hyperplonk` proves the circuits of relations and of the RISC-V machine, over the ideal scheme.

use crate::{common, small};
use std::time::Instant;

use common::Keyed;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use small::Small;
use trilemma_arith::Air;
use trilemma_arith::air::{PublicTerm, Trace};
use trilemma_arith::plonkish::{Custom, Extent, Lowering, Params, instance};
use trilemma_core::Setting;
use trilemma_core::setting::{Bn254, KoalaBear4};
use trilemma_frontends::riscv::elf::Program;
use trilemma_frontends::riscv::exec::execute;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_pcs::Available;

/// Lookup tables in parts, so that small executions have small circuits.
const SPLIT: Params = Params { width: None, degree: 5, split: true };

fn keyed<S: Available>(air: &Air<S>, extent: &Extent, params: Params, scheme: &str) -> (Keyed<S>, Custom<S>) {
    let (circuit, custom) = Custom::lower_with(air, extent, params).unwrap();
    let form = Custom::form_with(air, extent, params).unwrap();
    (Keyed::new(circuit, form, scheme), custom)
}

/// Assignments of small relations, honest and with a cell changed.
#[test]
fn small_relations() {
    fn run<S: Available>(changes: usize) {
        let mut rng = SmallRng::seed_from_u64(17);
        for Small { name, air, terms, trace, .. } in Small::<S>::all() {
            let (keyed, custom) = keyed(&air, &Extent::of(&air, &trace, &terms), Params::default(), "ideal");
            let instance = instance::<S>(&terms);
            assert_eq!(keyed.verdict(&instance, custom.assign(&air, &trace, &terms)), Ok(()), "{name}");
            let mut refused = 0;
            for _ in 0..changes {
                let mut assignment = custom.assign(&air, &trace, &terms);
                let cell = rng.random_range(0..assignment.early.values.len());
                use p3_field::PrimeCharacteristicRing;
                assignment.early.values[cell] += S::Base::ONE;
                let values = trilemma_piop::check_plonkish::Values::new(
                    &keyed.circuit,
                    assignment,
                    instance.clone(),
                    challenges::<S>(&air),
                );
                let holds = values.violations(1).is_empty();
                let mut assignment = custom.assign(&air, &trace, &terms);
                assignment.early.values[cell] += S::Base::ONE;
                let verdict = keyed.verdict(&instance, assignment);
                assert_eq!(verdict.is_ok(), holds, "{name}, cell {cell}: {verdict:?}");
                refused += usize::from(!holds);
            }
            println!("{name} {}: {refused} of {changes} refused", S::NAME);
        }
    }
    run::<KoalaBear4>(60);
    run::<Bn254>(20);
}

fn challenges<S: Setting>(air: &Air<S>) -> trilemma_arith::kernel::Challenges<S::Ext> {
    use p3_field::PrimeCharacteristicRing;
    let seed = |x: u64| S::Ext::from_u64(x).exp_u64(1 << 20) + S::Ext::from_u64(x);
    trilemma_arith::kernel::Challenges::new(seed(12_345), seed(54_321), air.max_arity())
}

/// An execution over a setting.
struct Run<S: Setting> {
    air: Air<S>,
    terms: Vec<PublicTerm>,
    trace: Trace,
    cycles: u64,
}

impl<S: Setting> Run<S> {
    fn new(name: &str, input: &[u8]) -> Self {
        let path = format!("{}/../frontends/guests/elf/{name}.elf", env!("CARGO_MANIFEST_DIR"));
        let program = Program::from_elf(&std::fs::read(path).unwrap()).unwrap();
        let machine = Machine::new(&program);
        let mut recorder = machine.recorder(&program);
        let outcome = execute(&program, input, 1 << 24, &mut recorder).unwrap();
        let terms = machine.statement(outcome.exit_code, &outcome.output);
        Self { air: machine.air(), terms, trace: machine.trace(recorder).unwrap(), cycles: outcome.cycles }
    }
}

fn guest<S: Available>(name: &str, input: &[u8], params: Params, scheme: &str) {
    let run = Run::<S>::new(name, input);
    let (keyed, custom) = keyed(&run.air, &Extent::of(&run.air, &run.trace, &run.terms), params, scheme);
    let instance = instance::<S>(&run.terms);
    let assignment = custom.assign(&run.air, &run.trace, &run.terms);
    let start = Instant::now();
    let proven = keyed.prove(&instance, assignment);
    let (proving, start) = (start.elapsed(), Instant::now());
    assert_eq!(keyed.verify(&instance, &proven.proof), Ok(()));
    println!(
        "{name} {} {scheme}: {} cycles, 2^{} rows, {proving:?} to prove ({:?} to commit, {:?} to open), {:?} to verify, {:?}",
        S::NAME,
        run.cycles,
        keyed.circuit.log_rows,
        proven.cost.commit,
        proven.cost.open,
        start.elapsed(),
        proven.bytes,
    );
    let bad = [&instance[1..], &instance[..1]].concat();
    assert!(keyed.verify(&bad, &proven.proof).is_err());
}

/// A whole execution of the machine.
#[test]
fn executions() {
    guest::<KoalaBear4>("exit7", &[], SPLIT, "ideal");
}

/// Figures: `cargo test --release -p trilemma-piop --test suite hyperplonk_machine -- --ignored --nocapture`.
#[test]
#[ignore = "prints figures"]
fn figures() {
    guest::<KoalaBear4>("fibonacci", &5400u32.to_le_bytes(), SPLIT, "ideal");
    guest::<KoalaBear4>("fibonacci", &5400u32.to_le_bytes(), SPLIT, "whir");
    guest::<Bn254>("exit7", &[], SPLIT, "hyrax");
}
