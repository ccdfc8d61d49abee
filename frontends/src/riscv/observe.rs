//! What an execution reports.

use super::isa::Inst;

/// A retired instruction, as seen by an observer. Registers an instruction does not have read as x0, that is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The instruction's address.
    pub pc: u32,
    /// The instruction.
    pub inst: Inst,
    /// The value of register `inst.rs1` before the instruction.
    pub rs1: u32,
    /// The value of register `inst.rs2` before the instruction.
    pub rs2: u32,
    /// The value of register `inst.rd` before the instruction.
    pub rd_before: u32,
    /// The value computed for register `inst.rd`, also where that is x0, which keeps 0. Branches, stores and FENCE
    /// compute 0.
    pub rd: u32,
    /// The next instruction's address.
    pub next_pc: u32,
    /// The effective address of a load or store, else 0.
    pub addr: u32,
    /// The aligned words a load or store touches, before and after: the one at `addr & !3` and, if the access crosses
    /// into it, the next. Otherwise zeros.
    pub words: [(u32, u32); 2],
}

/// A system call with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Ends the execution.
    Exit {
        /// The exit code.
        code: u32,
    },
    /// Appends bytes of memory to the public output (fd 3) or to the debug text (fd 1 and 2).
    Write {
        /// The file descriptor.
        fd: u32,
        /// The address of the first byte.
        ptr: u32,
        /// The number of bytes.
        len: u32,
    },
    /// Moves bytes of the private input to memory.
    Read {
        /// The file descriptor, 0.
        fd: u32,
        /// The address of the first byte.
        ptr: u32,
        /// The size of the buffer.
        len: u32,
    },
}

/// The call that moves a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    /// From the private input to memory.
    Read,
    /// From memory to the public output.
    Write,
}

/// Watches an execution.
pub trait Observer {
    /// Whether anything is reported. An execution with `ON = false` spends no time on reporting.
    const ON: bool;

    /// Called after every retired instruction except ECALL.
    fn retire(&mut self, step: &Step);

    /// Called at an ECALL, before its bytes. `result` is the new value of a0, `None` for exit.
    fn ecall(&mut self, pc: u32, call: Call, result: Option<u32>);

    /// Called for each byte that the current read or write to fd 3 moves, in order. The words are the aligned word at
    /// `addr & !3` before and after.
    fn byte(&mut self, dir: Dir, addr: u32, byte: u8, word_before: u32, word_after: u32);
}

/// The observer that is told nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    const ON: bool = false;

    fn retire(&mut self, _: &Step) {}

    fn ecall(&mut self, _: u32, _: Call, _: Option<u32>) {}

    fn byte(&mut self, _: Dir, _: u32, _: u8, _: u32, _: u32) {}
}
