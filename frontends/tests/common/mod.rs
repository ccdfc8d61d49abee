//! What the soundness tests of the machine share.
//!
//! [`grid`] writes programs that visit every instruction at the edges of its operands, [`model`]
//! evaluates one row of a table over any field, [`spec`] says from the ISA alone whether what a row
//! posts on the buses is allowed, and [`search`] looks for rows that the tables accept and the
//! specification does not, starting from [`seeds`] and [`cheats`]. A [`lab`] holds all of it.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod cheats;
pub mod golden;
pub mod grid;
pub mod lab;
pub mod model;
pub mod redundant;
pub mod search;
pub mod seeds;
pub mod spec;

use trilemma_arith::air::Trace;
use trilemma_core::Setting;
use trilemma_frontends::riscv::exec::{Outcome, execute};
use trilemma_frontends::riscv::isa::{Inst, encode};
use trilemma_frontends::riscv::machine::Machine;
use trilemma_frontends::riscv::{Program, memory};
use trilemma_piop::check::{Violation, check};

/// Where the programs of these tests lie.
pub const BASE: u32 = 0x1_0000;

/// A program with the trace of its execution.
pub struct Run {
    pub program: Program,
    pub machine: Machine,
    pub outcome: Outcome,
    pub trace: Trace,
}

impl Run {
    /// Executes instructions at [`BASE`].
    pub fn new(code: &[Inst], input: &[u8]) -> Self {
        let words: Vec<u32> = code.iter().map(|&inst| encode(inst)).collect();
        let program = Program::from_words(BASE, &words).unwrap();
        Self::of(program, input)
    }

    /// Executes a program.
    pub fn of(program: Program, input: &[u8]) -> Self {
        let machine = Machine::new(&program);
        let mut recorder = machine.recorder(&program);
        let outcome = execute(&program, input, 1 << 22, &mut recorder).unwrap();
        let trace = machine.trace(recorder).unwrap();
        Self { program, machine, outcome, trace }
    }

    /// Everything wrong with `trace` as a trace of this run's statement.
    pub fn violations<S: Setting>(&self, trace: &Trace) -> Vec<Violation> {
        let statement = self.machine.statement(self.outcome.exit_code, &self.outcome.output);
        check(&self.machine.air::<S>(), &statement, trace, 20)
    }

    /// Asserts that the honest trace passes.
    pub fn assert_sound<S: Setting>(&self, what: &str) {
        let violations = self.violations::<S>(&self.trace);
        let shown: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(violations.is_empty(), "{what}: {}", shown.join("\n"));
    }
}

/// Whether a word index lies in RAM.
pub fn word_in_ram(index: u64) -> bool {
    (u64::from(memory::RAM_START >> 2)..u64::from(memory::RAM_END >> 2)).contains(&index)
}
