//! Execution: runs a program on an input, reporting every retired instruction to an [`Observer`].
//!
//! A cycle is one retired instruction. RAM is [`RAM_START`](super::memory::RAM_START)..[`RAM_END`](super::memory::RAM_END);
//! an access with any byte outside it traps, and so does an address whose sum `rs1 + imm` leaves 0..2^32. Misaligned
//! accesses work. All registers start at zero.

use thiserror::Error;

use super::elf::{Code, Program};
use super::isa::{Inst, Op, alu, decode, extend};
use super::memory::{Memory, in_ram, shift, with_byte};
pub use super::observe::{Call, Dir, Observer, Silent, Step};

/// What an execution that exits leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The argument of exit.
    pub exit_code: u32,
    /// The public output: the bytes written to fd 3.
    pub output: Vec<u8>,
    /// The bytes written to fd 1 and 2.
    pub debug: Vec<u8>,
    /// The instructions retired, the exit included.
    pub cycles: u64,
    /// The loads and stores at an address that is no multiple of their width.
    pub misaligned: u64,
}

/// Why an execution has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExecError {
    /// An instruction could not be retired.
    #[error("trap at pc {pc:#010x} after {cycle} cycles: {reason}")]
    Trap {
        /// The address of that instruction.
        pc: u32,
        /// The number of instructions retired before it.
        cycle: u64,
        /// What was wrong.
        reason: TrapReason,
    },
    /// The program did not exit in time.
    #[error("the program did not exit within {max} cycles")]
    CycleLimit {
        /// The limit.
        max: u64,
    },
}

/// Why an instruction could not be retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TrapReason {
    /// The word is not an RV32IM instruction.
    #[error("illegal instruction {word:#010x}")]
    IllegalInstruction {
        /// The word.
        word: u32,
    },
    /// The pc is not in the program's code.
    #[error("no code at this address")]
    FetchOutsideCode,
    /// A jump or taken branch to an address that is not a multiple of 4.
    #[error("jump to the misaligned address {target:#010x}")]
    MisalignedJump {
        /// The address.
        target: u32,
    },
    /// A load, or the buffer of a write call, outside RAM.
    #[error("load of {len} bytes at {addr:#x}, outside RAM")]
    LoadOutsideRam {
        /// The address, not reduced modulo 2^32.
        addr: i64,
        /// The number of bytes.
        len: u32,
    },
    /// A store, or the buffer of a read call, outside RAM.
    #[error("store of {len} bytes at {addr:#x}, outside RAM")]
    StoreOutsideRam {
        /// The address, not reduced modulo 2^32.
        addr: i64,
        /// The number of bytes.
        len: u32,
    },
    /// A store, or the buffer of a read call, that touches a word of code.
    #[error("store of {len} bytes at {addr:#010x}, which is code")]
    StoreToCode {
        /// The address.
        addr: u32,
        /// The number of bytes.
        len: u32,
    },
    /// A system call that does not exist.
    #[error("unknown system call {a7}")]
    UnknownEcall {
        /// The call's number.
        a7: u32,
    },
    /// A read from a file descriptor other than 0, or a write to one other than 1, 2 and 3.
    #[error("system call {a7} on file descriptor {fd}")]
    BadFd {
        /// The call's number.
        a7: u32,
        /// The file descriptor.
        fd: u32,
    },
}

/// Runs `program` on `input` until it exits, for at most `max_cycles` instructions.
pub fn execute<O: Observer>(
    program: &Program,
    input: &[u8],
    max_cycles: u64,
    obs: &mut O,
) -> Result<Outcome, ExecError> {
    let code = Decoded::of(program);
    let mut cpu = Cpu {
        regs: [0; 32],
        memory: Memory::of(program),
        code: &code,
        input,
        output: Vec::new(),
        debug: Vec::new(),
        misaligned: 0,
    };
    let (exit_code, cycles) = cpu.run(program.entry, max_cycles, obs)?;
    Ok(Outcome { exit_code, output: cpu.output, debug: cpu.debug, cycles, misaligned: cpu.misaligned })
}

/// A range of code, decoded.
struct DecodedRange {
    base: u32,
    end: u32,
    slots: Vec<Option<Inst>>,
}

/// A program's code, decoded, with the bounds of all of it.
struct Decoded {
    ranges: Vec<DecodedRange>,
    start: u32,
    end: u32,
}

impl Decoded {
    fn of(program: &Program) -> Decoded {
        let decoded = |code: &Code| DecodedRange {
            base: code.base,
            end: code.end(),
            slots: code.words.iter().map(|&word| decode(word)).collect(),
        };
        let ranges: Vec<DecodedRange> = program.code.iter().map(decoded).collect();
        let start = ranges.iter().map(|range| range.base).min().unwrap_or(0);
        let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
        Decoded { ranges, start, end }
    }

    #[cold]
    fn range_at(&self, pc: u32) -> Option<&DecodedRange> {
        self.ranges.iter().find(|range| (range.base..range.end).contains(&pc))
    }

    /// Whether any of `len` bytes at `addr` is code; the bytes are inside RAM.
    #[inline(always)]
    fn overlaps(&self, addr: u32, len: u32) -> bool {
        addr < self.end && addr + len > self.start && self.any_range_overlaps(addr, len)
    }

    #[cold]
    fn any_range_overlaps(&self, addr: u32, len: u32) -> bool {
        self.ranges.iter().any(|range| addr < range.end && addr + len > range.base)
    }
}

/// What follows a retired instruction.
enum Flow {
    Next(u32),
    Exit(u32),
}

/// The machine.
struct Cpu<'e> {
    regs: [u32; 32],
    memory: Memory,
    code: &'e Decoded,
    input: &'e [u8],
    output: Vec<u8>,
    debug: Vec<u8>,
    misaligned: u64,
}

/// The words a load or store touches, before and after.
type Words = [(u32, u32); 2];

impl Cpu<'_> {
    /// Runs from `pc`; gives the exit code and the number of cycles.
    fn run<O: Observer>(&mut self, mut pc: u32, max: u64, obs: &mut O) -> Result<(u32, u64), ExecError> {
        let mut slots: &[Option<Inst>] = &[];
        let mut base = 0;
        let mut cycle = 0;
        loop {
            if cycle == max {
                return Err(ExecError::CycleLimit { max });
            }
            let trap = |reason| ExecError::Trap { pc, cycle, reason };
            let inst = match slots.get((pc.wrapping_sub(base) / 4) as usize) {
                Some(Some(inst)) => *inst,
                Some(None) => {
                    return Err(trap(TrapReason::IllegalInstruction { word: self.memory.word(pc) }));
                }
                None => {
                    let range = self.code.range_at(pc).ok_or_else(|| trap(TrapReason::FetchOutsideCode))?;
                    (base, slots) = (range.base, &range.slots);
                    continue;
                }
            };
            match self.step(pc, inst, obs).map_err(trap)? {
                Flow::Next(next) => pc = next,
                Flow::Exit(code) => return Ok((code, cycle + 1)),
            }
            cycle += 1;
        }
    }

    /// Executes one instruction.
    #[inline(always)]
    fn step<O: Observer>(&mut self, pc: u32, inst: Inst, obs: &mut O) -> Result<Flow, TrapReason> {
        use Op::*;
        let Inst { op, rd: dest, rs1, rs2, imm } = inst;
        let (a, b) = (self.reg(rs1), self.reg(rs2));
        let mut rd = 0;
        let mut next_pc = pc.wrapping_add(4);
        let mut addr = 0;
        let mut words = [(0, 0); 2];
        match op {
            Add | Sub | Sll | Slt | Sltu | Xor | Srl | Sra | Or | And | Mul | Mulh | Mulhsu | Mulhu | Div | Divu
            | Rem | Remu => rd = alu(op, a, b),
            Addi | Slti | Sltiu | Xori | Ori | Andi | Slli | Srli | Srai | Lui => rd = alu(op, a, imm as u32),
            Auipc => rd = alu(op, pc, imm as u32),
            Beq | Bne | Blt | Bge | Bltu | Bgeu => {
                if alu(op, a, b) != 0 {
                    next_pc = jump(alu(Jal, pc, imm as u32))?;
                }
            }
            Jal => {
                rd = next_pc;
                next_pc = jump(alu(op, pc, imm as u32))?;
            }
            Jalr => {
                rd = next_pc;
                next_pc = jump(alu(op, a, imm as u32) & !1)?;
            }
            Lb | Lh | Lw | Lbu | Lhu => {
                addr = load_address(a, imm, op.width())?;
                let raw;
                (raw, words) = self.load(addr, op.width());
                rd = extend(op, raw);
            }
            Sb | Sh | Sw => {
                addr = self.store_address(a, imm, op.width())?;
                words = self.store(addr, op.width(), b);
            }
            Fence => {}
            Ecall => return self.ecall(pc, obs),
        }
        if O::ON {
            let rd_before = self.reg(dest);
            obs.retire(&Step { pc, inst, rs1: a, rs2: b, rd_before, rd, next_pc, addr, words });
        }
        self.regs[usize::from(dest & 31)] = rd;
        self.regs[0] = 0;
        Ok(Flow::Next(next_pc))
    }

    #[inline(always)]
    fn reg(&self, index: u8) -> u32 {
        self.regs[usize::from(index & 31)]
    }

    /// The `width` bytes at `addr` in the low end of a word whose other bytes are unspecified, and the words read.
    #[inline(always)]
    fn load(&mut self, addr: u32, width: u32) -> (u32, Words) {
        if addr & (width - 1) != 0 {
            return self.load_misaligned(addr, width);
        }
        let word = self.memory.word(addr);
        (word >> shift(addr), [(word, word), (0, 0)])
    }

    #[cold]
    fn load_misaligned(&mut self, addr: u32, width: u32) -> (u32, Words) {
        self.misaligned += 1;
        let low = self.memory.word(addr);
        let high = if (addr & 3) + width > 4 { self.memory.word(addr + 4) } else { 0 };
        let pair = u64::from(high) << 32 | u64::from(low);
        ((pair >> shift(addr)) as u32, [(low, low), (high, high)])
    }

    /// Replaces the `width` bytes at `addr`, which are not code, with the low end of `value`.
    #[inline(always)]
    fn store(&mut self, addr: u32, width: u32, value: u32) -> Words {
        if addr & (width - 1) != 0 {
            return self.store_misaligned(addr, width, value);
        }
        let before = self.memory.word(addr);
        let mask = u32::MAX >> (32 - 8 * width) << shift(addr);
        let after = before & !mask | value << shift(addr) & mask;
        self.memory.set_word(addr, after);
        [(before, after), (0, 0)]
    }

    #[cold]
    fn store_misaligned(&mut self, addr: u32, width: u32, value: u32) -> Words {
        self.misaligned += 1;
        let crosses = (addr & 3) + width > 4;
        let low = self.memory.word(addr);
        let high = if crosses { self.memory.word(addr + 4) } else { 0 };
        let mask = u64::from(u32::MAX >> (32 - 8 * width)) << shift(addr);
        let before = u64::from(high) << 32 | u64::from(low);
        let after = before & !mask | u64::from(value) << shift(addr) & mask;
        let (new_low, new_high) = (after as u32, (after >> 32) as u32);
        self.memory.set_word(addr, new_low);
        if crosses {
            self.memory.set_word(addr + 4, new_high);
        }
        [(low, new_low), (high, new_high)]
    }

    /// The address of a store of `len` bytes, if it may happen.
    #[inline(always)]
    fn store_address(&self, base: u32, imm: i32, len: u32) -> Result<u32, TrapReason> {
        let addr = i64::from(base) + i64::from(imm);
        if !in_ram(addr, len) {
            return Err(TrapReason::StoreOutsideRam { addr, len });
        }
        let addr = addr as u32;
        if self.code.overlaps(addr, len) {
            return Err(TrapReason::StoreToCode { addr, len });
        }
        Ok(addr)
    }

    /// Executes an ECALL at `pc`.
    #[cold]
    #[inline(never)]
    fn ecall<O: Observer>(&mut self, pc: u32, obs: &mut O) -> Result<Flow, TrapReason> {
        const A0: usize = 10;
        let [a0, a1, a2, a7] = [A0, 11, 12, 17].map(|index| self.regs[index]);
        let done = match a7 {
            93 => {
                if O::ON {
                    obs.ecall(pc, Call::Exit { code: a0 }, None);
                }
                return Ok(Flow::Exit(a0));
            }
            64 => self.write(pc, (a0, a1, a2), obs)?,
            63 => self.read(pc, (a0, a1, a2), obs)?,
            _ => return Err(TrapReason::UnknownEcall { a7 }),
        };
        self.regs[A0] = done;
        Ok(Flow::Next(pc.wrapping_add(4)))
    }

    /// Appends the `len` bytes at `ptr` to what `fd` names; gives their number.
    fn write<O: Observer>(&mut self, pc: u32, args: (u32, u32, u32), obs: &mut O) -> Result<u32, TrapReason> {
        let (fd, ptr, len) = args;
        let sink = match fd {
            3 => &mut self.output,
            1 | 2 => &mut self.debug,
            _ => return Err(TrapReason::BadFd { a7: 64, fd }),
        };
        if len > 0 {
            load_address(ptr, 0, len)?;
        }
        if O::ON {
            obs.ecall(pc, Call::Write { fd, ptr, len }, Some(len));
        }
        for addr in (0..len).map(|offset| ptr + offset) {
            let byte = self.memory.byte(addr);
            if O::ON && fd == 3 {
                let word = self.memory.word(addr);
                obs.byte(Dir::Write, addr, byte, word, word);
            }
            sink.push(byte);
        }
        Ok(len)
    }

    /// Moves input to the buffer of `len` bytes at `ptr`; gives the number of bytes moved.
    fn read<O: Observer>(&mut self, pc: u32, args: (u32, u32, u32), obs: &mut O) -> Result<u32, TrapReason> {
        let (fd, ptr, len) = args;
        if fd != 0 {
            return Err(TrapReason::BadFd { a7: 63, fd });
        }
        if len > 0 {
            self.store_address(ptr, 0, len)?;
        }
        let (moved, rest) = self.input.split_at(self.input.len().min(len as usize));
        self.input = rest;
        let count = moved.len() as u32;
        if O::ON {
            obs.ecall(pc, Call::Read { fd, ptr, len }, Some(count));
        }
        for (&byte, addr) in moved.iter().zip(ptr..) {
            let before = self.memory.word(addr);
            let after = with_byte(before, addr, byte);
            self.memory.set_word(addr, after);
            if O::ON {
                obs.byte(Dir::Read, addr, byte, before, after);
            }
        }
        Ok(count)
    }
}

/// The target of a jump, if instructions can be there.
#[inline(always)]
fn jump(target: u32) -> Result<u32, TrapReason> {
    if target.is_multiple_of(4) { Ok(target) } else { Err(TrapReason::MisalignedJump { target }) }
}

/// The address of a load of `len` bytes, if it may happen.
#[inline(always)]
fn load_address(base: u32, imm: i32, len: u32) -> Result<u32, TrapReason> {
    let addr = i64::from(base) + i64::from(imm);
    if in_ram(addr, len) { Ok(addr as u32) } else { Err(TrapReason::LoadOutsideRam { addr, len }) }
}
