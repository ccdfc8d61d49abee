//! The RV32IM machine as tables and buses.
//!
//! There is no table of all instructions: each class of instructions has one whose rows are executed
//! instructions, joined by the buses of [`bus`]. One token of control, `(pc, clock)`, passes from row
//! to row; registers and memory are checked offline by clocks; the program is a fixed table in the
//! verifying key, as is the initial image of memory; lookups do ranges and bytes.
//!
//! A proof says: the program, started at its entry with this image, zeros elsewhere and *some* input,
//! reaches `exit` with this code after writing this output. Two liberties against the executor, which
//! traps: a store into code is visible to loads, not to fetches (as RISC-V allows without FENCE.I),
//! and the part of a buffer that a system call does not move may lie outside RAM.
//!
//! **No wrap.** Clocks advance by at most 8 a row and tables have at most `2^26` rows together, so
//! clocks stay below `2^29`; an access is at most `2^16` ticks after the one before, so it is later
//! as an integer.

pub mod access;
pub mod alu;
pub mod bus;
pub mod call;
pub mod control;
pub mod cpu;
pub mod lookup;
pub mod memory;
pub mod mul;
pub mod record;
pub mod rom;
pub mod shift;
mod trace;

use trilemma_arith::kernel::Compiled;
use trilemma_arith::{Air, PublicTerm, Table, Trace};
use trilemma_core::Setting;

use super::elf::Program;
use super::memory::{RAM_END, RAM_START};
use lookup::Counts;
use record::Recorder;

/// The most rows of all tables together.
pub const MAX_ROWS: usize = 1 << 26;

/// A program as a machine: what the verifying key is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Word index of the first instruction.
    entry: u32,
    rom: Vec<[u32; rom::FIELDS]>,
    image: Vec<[u32; 4]>,
}

/// Sizes that a verifier needs in place of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Word index of the first instruction.
    pub entry: u32,
    /// log2 of the rows of the program table.
    pub log_program: u32,
    /// log2 of the rows of the image table.
    pub log_image: u32,
}

/// Visits every table of the machine, in the order of the relation.
trait Visitor {
    /// A table and, once the tables before it are filled, its rows.
    fn table<T: Table>(&mut self, table: T, rows: impl FnOnce(&mut Recorder, &mut Counts) -> Vec<T::Row>);
}

impl Machine {
    /// The machine of a program.
    pub fn new(program: &Program) -> Self {
        let words = program.image.iter().map(|&(addr, w)| [1, addr >> 2, w & 0xffff, w >> 16]);
        let mut image: Vec<_> = words.collect();
        image.resize(image.len().next_power_of_two().max(4), [0; 4]);
        Self { entry: program.entry >> 2, rom: rom::rows(program), image }
    }

    /// A machine of these sizes for verifying: its fixed columns are not those of a program.
    pub fn of_sizes(sizes: Sizes) -> Self {
        Self {
            entry: sizes.entry,
            rom: vec![[0; rom::FIELDS]; 1 << sizes.log_program],
            image: vec![[0; 4]; 1 << sizes.log_image],
        }
    }

    /// The entry and the fixed columns, the program's and the image's, for a key without a commitment
    /// to them.
    pub fn contents(&self) -> (u32, &[[u32; rom::FIELDS]], &[[u32; 4]]) {
        (self.entry, &self.rom, &self.image)
    }

    /// The machine of some contents; `None` if no program has such.
    pub fn of_contents(entry: u32, rom: Vec<[u32; rom::FIELDS]>, image: Vec<[u32; 4]>) -> Option<Self> {
        let fits = |rows: usize| rows.is_power_of_two() && (4..=MAX_ROWS).contains(&rows);
        (fits(rom.len()) && fits(image.len())).then_some(Self { entry, rom, image })
    }

    /// The machine's sizes.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            entry: self.entry,
            log_program: self.rom.len().trailing_zeros(),
            log_image: self.image.len().trailing_zeros(),
        }
    }

    fn visit(&self, v: &mut impl Visitor) {
        use std::mem::take;
        v.table(alu::Add { sub: false }, |x, _| take(&mut x.rows.add));
        v.table(alu::Add { sub: true }, |x, _| take(&mut x.rows.sub));
        v.table(alu::AddImmediate, |x, _| take(&mut x.rows.addi));
        v.table(alu::Bits { immediate: false }, |x, _| take(&mut x.rows.bits));
        v.table(alu::Bits { immediate: true }, |x, _| take(&mut x.rows.bitsi));
        v.table(shift::Shift { immediate: false }, |x, _| take(&mut x.rows.shift));
        v.table(shift::Shift { immediate: true }, |x, _| take(&mut x.rows.shifti));
        v.table(alu::Less { immediate: false }, |x, _| take(&mut x.rows.less));
        v.table(alu::Less { immediate: true }, |x, _| take(&mut x.rows.lessi));
        v.table(control::Branch, |x, _| take(&mut x.rows.branch));
        v.table(control::Jump, |x, _| take(&mut x.rows.jump));
        v.table(access::LoadWord, |x, _| take(&mut x.rows.load_word));
        v.table(access::StoreWord, |x, _| take(&mut x.rows.store_word));
        v.table(access::Load, |x, _| take(&mut x.rows.load));
        v.table(access::Store, |x, _| take(&mut x.rows.store));
        v.table(mul::Mul, |x, _| take(&mut x.rows.mul));
        v.table(mul::Div, |x, _| take(&mut x.rows.div));
        v.table(call::Ecall, |x, _| take(&mut x.calls));
        v.table(call::Bytewise, |x, _| take(&mut x.bytes));
        v.table(memory::Touch { bus: bus::REGS }, |x, _| take(&mut x.touched_registers));
        v.table(memory::Touch { bus: bus::MEM }, |x, _| take(&mut x.touched_words));
        v.table(memory::Zeroed, |x, _| take(&mut x.zeroed));
        v.table(memory::Image { words: self.image.clone() }, |x, _| take(&mut x.image));
        v.table(memory::Registers, |x, _| take(&mut x.registers));
        v.table(lookup::Bytes, |_, n| take(&mut n.bytes));
        v.table(lookup::ShiftAmounts, |_, n| take(&mut n.shift));
        v.table(lookup::ProgramTable { rows: self.rom.clone() }, |_, n| take(&mut n.program));
        v.table(lookup::Range, |_, n| take(&mut n.range));
    }

    /// The relation over a setting.
    pub fn air<S: Setting>(&self) -> Air<S> {
        struct Compile<S: Setting>(Air<S>);
        impl<S: Setting> Visitor for Compile<S> {
            fn table<T: Table>(&mut self, table: T, _: impl FnOnce(&mut Recorder, &mut Counts) -> Vec<T::Row>) {
                self.0.tables.push(Box::new(Compiled::new(table)));
            }
        }
        let air = Air { tables: Vec::new(), max_instances: trace::MAX_INSTANCES, max_rows: MAX_ROWS };
        let mut compile = Compile(air);
        self.visit(&mut compile);
        compile.0
    }

    /// What the statement itself puts on the buses: the first token of control, the ends of the
    /// chain of memory, the output and the exit.
    pub fn statement(&self, exit_code: u32, output: &[u8]) -> Vec<PublicTerm> {
        let term = |bus, multiplicity, tuple| PublicTerm { bus, multiplicity, tuple };
        let mut terms = vec![
            term(bus::EXEC, 1, vec![self.entry, bus::FIRST_CLOCK]),
            term(bus::ORDER, 1, vec![RAM_START >> 2]),
            term(bus::ORDER, -1, vec![RAM_END >> 2]),
            term(bus::EXIT, -1, vec![exit_code & 0xffff, exit_code >> 16, output.len() as u32]),
        ];
        let bytes = output.iter().enumerate();
        terms.extend(bytes.map(|(i, &byte)| term(bus::OUTPUT, -1, vec![i as u32, u32::from(byte)])));
        terms
    }

    /// A recorder for an execution of this machine's program.
    pub fn recorder(&self, program: &Program) -> Recorder {
        Recorder::new(program)
    }

    /// Fills the tables from an execution.
    ///
    /// # Errors
    /// The execution does not fit the tables.
    pub fn trace(&self, mut execution: Recorder) -> Result<Trace, String> {
        execution.finish(&self.image);
        trace::fill_all(self, execution)
    }
}
