//! From an execution to a proof, in phases.

use std::sync::Arc;
use std::time::Instant;

use trilemma_arith::Trace;
use trilemma_core::transcript::ByteCount;
use trilemma_core::{ConfigError, Ledger, ProveError};
use trilemma_frontends::riscv::machine::Machine;
use trilemma_frontends::riscv::{Program, execute};

use super::air::TableAir;
use super::clock::Clock;
use crate::saved::phases;
use crate::{Cost, Failure, Proved, Public, TableCost};

/// A proof with its ledger and the bytes under each label.
pub type Proof = (Vec<u8>, Ledger, ByteCount);

/// Executes a program, fills its machine's tables and proves them with `prove`, which also tells
/// costs.
pub fn run(
    machine: &Machine,
    program: &Program,
    (input, max_cycles): (&[u8], u64),
    prove: impl FnOnce(Trace, &Public, &Arc<Clock>) -> Result<(Proof, Cost), ConfigError>,
) -> Result<Proved, Failure> {
    let start = Instant::now();
    let mut recorder = machine.recorder(program);
    let outcome = execute(program, input, max_cycles, &mut recorder)?;
    let executed = start.elapsed();
    let trace = machine.trace(recorder).map_err(ProveError::Unsatisfied)?;
    let filled = start.elapsed();

    let public = Public { exit_code: outcome.exit_code, output: outcome.output };
    let clock = Arc::<Clock>::default();
    let ((proof, ledger, bytes), mut cost) = prove(trace, &public, &clock)?;
    let proving = start.elapsed() - filled;
    cost.cycles = outcome.cycles;
    cost.proof_bytes_by_label = bytes.iter().map(|(l, n)| ((*l).to_string(), *n as u64)).collect();
    let phases = phases([executed, filled], proving, [clock.commit.total(), clock.open.total()]);
    Ok(Proved { public, proof, ledger, phases, cost })
}

/// Adds the statement's table to a cost.
pub fn add_statement(cost: &mut Cost, statement: &TableAir, helper_width: usize) {
    let rows = statement.periodic_height() as u64;
    let table = TableCost {
        name: "statement".into(),
        rows,
        padded_rows: rows,
        width: p3_air::BaseAir::width(statement) as u64,
        helper_width: helper_width as u64,
        interactions: statement.interactions() as u64,
    };
    cost.rows += rows;
    cost.padded_rows += rows;
    cost.committed_cells += rows * (table.width + table.helper_width);
    cost.interactions += rows * table.interactions;
    cost.tables.push(table);
}

#[cfg(test)]
pub mod tests {
    use trilemma_arith::Air;
    use trilemma_piop::check::check;

    use super::super::S;
    use super::*;

    /// The guest that these tests prove.
    pub fn guest() -> Program {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../frontends/guests/elf/fibonacci.elf");
        Program::from_elf(&std::fs::read(path).unwrap()).unwrap()
    }

    /// Asserts that a cheating prover who runs the honest one on a false trace or statement gets no
    /// proof: `proves` tells whether one came out and verified.
    pub fn nothing_false_is_proved(machine: &Machine, air: &Air<S>, proves: impl Fn(&Trace, &Public) -> bool) {
        let program = guest();
        let mut recorder = machine.recorder(&program);
        let outcome = execute(&program, &5u32.to_le_bytes(), 1 << 16, &mut recorder).unwrap();
        let trace = machine.trace(recorder).unwrap();
        let truth = Public { exit_code: outcome.exit_code, output: outcome.output };
        assert!(proves(&trace, &truth));
        let lie = Public { exit_code: truth.exit_code ^ 1, ..truth.clone() };
        assert!(!proves(&trace, &lie), "exit code");
        let lie = Public { output: [truth.output.as_slice(), &[0]].concat(), ..truth.clone() };
        assert!(!proves(&trace, &lie), "output");
        let terms = machine.statement(truth.exit_code, &truth.output);
        for k in (0..trace.instances.len()).step_by(4) {
            let mut forged = trace.clone();
            let instance = &mut forged.instances[k];
            let shape = air.tables[instance.table].shape();
            // The last column of a row in use; in a lookup table, a count.
            if let Some(cell) = instance.cells.get_mut(shape.columns.len() - 1) {
                *cell += 1;
            }
            // Some rows do not use some columns.
            let holds = check(air, &terms, &forged, 1).is_empty();
            assert_eq!(proves(&forged, &truth), holds, "{}", shape.name);
        }
    }
}
