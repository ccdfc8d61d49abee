//! The vanilla blocks of the machine's tables as text, committed.
//!
//! `UPDATE_SHAPES=1 cargo test -p trilemma-frontends --test machine_vanilla` writes them anew.

mod common;

use std::fmt::Write;

use common::Run;
use common::golden::assert_committed;
use p3_field::PrimeCharacteristicRing;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Extent, Lowering, Vanilla, instance};
use trilemma_core::Setting;
use trilemma_core::setting::{Bn254, KoalaBear4};
use trilemma_frontends::riscv::Program;
use trilemma_piop::check_plonkish::check_plonkish;

fn guest(name: &str, input: &[u8]) -> Run {
    let path = format!("{}/guests/elf/{name}.elf", env!("CARGO_MANIFEST_DIR"));
    Run::of(Program::from_elf(&std::fs::read(path).unwrap()).unwrap(), input)
}

/// Teaches: what the lowering makes of a table is reviewed as text, not only as code.
#[test]
fn blocks_are_as_committed() {
    let run = guest("exit7", &[]);
    let air = run.machine.air::<KoalaBear4>();
    let terms = run.machine.statement(run.outcome.exit_code, &run.outcome.output);
    let (_, vanilla) = Vanilla::lower(&air, &Extent::of(&air, &run.trace, &terms)).unwrap();
    let texts: Vec<(&str, String)> =
        (0..air.tables.len()).map(|t| (air.tables[t].shape().name, vanilla.describe(&air, t))).collect();
    let mut all = String::new();
    for (_, text) in &texts {
        let _ = writeln!(all, "{}", text.lines().next().unwrap_or_default());
    }
    println!("{all}");
    assert_committed("vanilla", texts.into_iter().chain([("all", all)]));
}

fn checked<S: Setting>(name: &str, input: &[u8]) {
    let run = guest(name, input);
    let air = run.machine.air::<S>();
    let terms = run.machine.statement(run.outcome.exit_code, &run.outcome.output);
    let (circuit, vanilla) = Vanilla::lower(&air, &Extent::of(&air, &run.trace, &terms)).unwrap();
    let assignment = vanilla.assign(&air, &run.trace, &terms);
    let challenges = Challenges::new(S::Ext::from_u64(1 << 40), S::Ext::from_u64(987_654_321), circuit.arity);
    let violations = check_plonkish(&circuit, instance::<S>(&terms), assignment, &challenges, 3);
    assert!(violations.is_empty(), "{}", violations[0]);
}

/// Teaches: executions satisfy the circuit, over small and large fields.
#[test]
fn executions_satisfy_the_circuit() {
    checked::<KoalaBear4>("isa_edge", &[]);
    checked::<Bn254>("exit7", &[]);
}
