//! Honest executions satisfy the relation.

mod common;

use trilemma_core::setting::KoalaBear4;
use trilemma_frontends::riscv::exec::execute;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_piop::check::check;

fn run(name: &str, input: &[u8]) {
    let program = common::guest(name);
    let machine = Machine::new(&program);
    let mut recorder = machine.recorder(&program);
    let outcome = execute(&program, input, 1 << 22, &mut recorder).unwrap();
    let trace = machine.trace(recorder).unwrap();
    let statement = machine.statement(outcome.exit_code, &outcome.output);
    let violations = check(&machine.air::<KoalaBear4>(), &statement, &trace, 5);
    for v in &violations {
        println!("{name}: {v}");
    }
    assert!(violations.is_empty(), "{name}");
}

#[test]
fn honest_executions_pass() {
    run("fibonacci", &100u32.to_le_bytes());
    run("sha256", &200u32.to_le_bytes());
    run("isa_edge", &[]);
    run("exit7", &[]);
    run("sort", &50u32.to_le_bytes());
}
