//! Every instruction against rrs-lib, an independent RV32IM interpreter that runs in lockstep behind an observer:
//! registers, pc, addresses and memory words, on the grid of edge operands, on random programs and on the guests.

use std::collections::HashMap;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rrs_lib::instruction_executor::{InstructionException, InstructionExecutor};
use rrs_lib::{HartState, MemAccessSize, Memory};
use trilemma_frontends::riscv::elf::Program;
use trilemma_frontends::riscv::exec::{Call, Dir, Observer, Outcome, Silent, Step, execute};
use trilemma_frontends::riscv::isa::{Format, Inst, Op, encode};

const SEED: u64 = 0x10c5;
const BASE: u32 = 0x1_0000;
const DATA: u32 = 0x20_0000;

/// The reference's memory, byte by byte.
#[derive(Default)]
struct Bytes(HashMap<u32, u8>);

impl Bytes {
    fn get(&self, addr: u32, len: u32) -> u32 {
        (0..len).rev().fold(0, |word, i| word << 8 | u32::from(*self.0.get(&(addr + i)).unwrap_or(&0)))
    }

    fn set(&mut self, addr: u32, len: u32, value: u32) {
        let bytes = value.to_le_bytes();
        self.0.extend((addr..).zip(bytes).take(len as usize));
    }
}

fn bytes_of(size: MemAccessSize) -> u32 {
    match size {
        MemAccessSize::Byte => 1,
        MemAccessSize::HalfWord => 2,
        MemAccessSize::Word => 4,
    }
}

impl Memory for Bytes {
    fn read_mem(&mut self, addr: u32, size: MemAccessSize) -> Option<u32> {
        Some(self.get(addr, bytes_of(size)))
    }

    fn write_mem(&mut self, addr: u32, size: MemAccessSize, value: u32) -> bool {
        self.set(addr, bytes_of(size), value);
        true
    }
}

/// The reference machine, stepped by what the executor reports.
struct Lockstep {
    hart: HartState,
    memory: Bytes,
    steps: u64,
    misaligned: u64,
    seen: [u64; 64],
    call: Option<Call>,
    moved: u32,
}

impl Lockstep {
    fn new(program: &Program) -> Lockstep {
        let mut memory = Bytes::default();
        for &(addr, word) in &program.image {
            memory.set(addr, 4, word);
        }
        let mut hart = HartState::new();
        hart.pc = program.entry;
        Lockstep { hart, memory, steps: 0, misaligned: 0, seen: [0; 64], call: None, moved: 0 }
    }

    fn reg(&self, index: u8) -> u32 {
        if index == 0 { 0 } else { self.hart.registers[usize::from(index)] }
    }

    fn words(&self, step: &Step) -> [u32; 2] {
        let width = step.inst.op.width();
        let at = step.addr & !3;
        let second = if step.addr % 4 + width > 4 { self.memory.get(at + 4, 4) } else { 0 };
        [if width > 0 { self.memory.get(at, 4) } else { 0 }, second]
    }

    /// Executes one instruction of the reference, which leaves misaligned accesses to its environment.
    fn advance(&mut self, step: &Step) {
        let mut executor = InstructionExecutor { hart_state: &mut self.hart, mem: &mut self.memory };
        match executor.step() {
            Ok(()) => {}
            Err(InstructionException::AlignmentFault(addr)) => {
                assert_eq!(addr, step.addr, "{}", step.inst);
                self.misaligned += 1;
                let width = step.inst.op.width();
                if step.inst.op.is_store() {
                    let value = self.reg(step.inst.rs2);
                    self.memory.set(addr, width, value);
                } else {
                    let raw = self.memory.get(addr, width);
                    let value = if step.inst.op == Op::Lh { raw as i16 as u32 } else { raw };
                    self.hart.registers[usize::from(step.inst.rd)] = value;
                }
                self.hart.pc += 4;
            }
            Err(fault) => panic!("{step:x?}: the reference says {fault:x?}"),
        }
    }

    /// Checks that the previous call moved the bytes it reported.
    fn settle(&mut self) {
        let expected = match self.call.take() {
            Some(Call::Write { fd: 3, len, .. }) => len,
            Some(Call::Read { .. }) => self.reg(10),
            _ => 0,
        };
        assert_eq!(self.moved, expected, "bytes reported for a call");
        self.moved = 0;
    }
}

impl Observer for Lockstep {
    const ON: bool = true;

    fn retire(&mut self, step: &Step) {
        self.settle();
        let Inst { op, rd, rs1, rs2, .. } = step.inst;
        assert_eq!(step.pc, self.hart.pc, "{step:x?}");
        assert_eq!(step.inst, trilemma_frontends::riscv::isa::decode(self.memory.get(step.pc, 4)).unwrap());
        assert_eq!(step.rs1, self.reg(rs1), "{step:x?}");
        assert_eq!(step.rs2, self.reg(rs2), "{step:x?}");
        assert_eq!(step.rd_before, self.reg(rd), "{step:x?}");
        assert_eq!(step.words.map(|(before, _)| before), self.words(step), "{step:x?}");
        if op.width() > 0 {
            assert_eq!(step.addr, self.reg(rs1).wrapping_add(step.inst.imm as u32), "{step:x?}");
        }
        self.advance(step);
        if rd != 0 {
            assert_eq!(step.rd, self.reg(rd), "{step:x?}");
        }
        assert_eq!(step.next_pc, self.hart.pc, "{step:x?}");
        assert_eq!(step.words.map(|(_, after)| after), self.words(step), "{step:x?}");
        self.steps += 1;
        self.seen[op as usize] += 1;
    }

    fn ecall(&mut self, pc: u32, call: Call, result: Option<u32>) {
        self.settle();
        assert_eq!(pc, self.hart.pc);
        if let Some(result) = result {
            self.hart.registers[10] = result;
        }
        self.hart.pc += 4;
        self.steps += 1;
        self.call = Some(call);
    }

    fn byte(&mut self, dir: Dir, addr: u32, byte: u8, word_before: u32, word_after: u32) {
        assert_eq!(word_before, self.memory.get(addr & !3, 4));
        let buffer = match (dir, self.call) {
            (Dir::Read, Some(Call::Read { fd: 0, ptr, .. })) => ptr,
            (Dir::Write, Some(Call::Write { fd: 3, ptr, .. })) => ptr,
            (dir, call) => panic!("{dir:?} during {call:x?}"),
        };
        assert_eq!(addr, buffer + self.moved);
        self.moved += 1;
        if dir == Dir::Read {
            self.memory.set(addr, 1, byte.into());
        }
        assert_eq!(word_after, self.memory.get(addr & !3, 4));
        assert_eq!(u32::from(byte), self.memory.get(addr, 1));
    }
}

/// Runs a program in lockstep and checks that reporting changes nothing; gives how often each instruction ran too.
fn lockstep(program: &Program, input: &[u8]) -> (Outcome, [u64; 64]) {
    let mut reference = Lockstep::new(program);
    let outcome = execute(program, input, 10_000_000, &mut reference).unwrap();
    reference.settle();
    assert_eq!(reference.steps, outcome.cycles);
    assert_eq!(reference.misaligned, outcome.misaligned);
    assert_eq!(execute(program, input, 10_000_000, &mut Silent).unwrap(), outcome);
    (outcome, reference.seen)
}

/// Instructions that set a register to a value.
fn set(register: u8, value: u32) -> [Inst; 2] {
    let low = (value as i32) << 20 >> 20;
    let high = value.wrapping_sub(low as u32) as i32;
    [Inst::new(Op::Lui, register, 0, 0, high), Inst::new(Op::Addi, register, register, 0, low)]
}

fn assemble(code: &[Inst]) -> Program {
    let exit = [set(17, 93)[1], Inst::new(Op::Addi, 17, 0, 0, 93), Inst::new(Op::Ecall, 0, 0, 0, 0)];
    let words: Vec<u32> = code.iter().chain(&exit).map(|&inst| encode(inst)).collect();
    Program::from_words(BASE, &words).unwrap()
}

#[test]
fn edge_operands_and_coinciding_registers() {
    const EDGES: [u32; 8] = [0, 1, u32::MAX, 0x8000_0000, 0x7fff_ffff, 31, 32, 0xffff_8000];
    const REGISTERS: [(u8, u8, u8); 6] = [(5, 6, 7), (0, 6, 7), (6, 6, 7), (7, 6, 7), (5, 6, 6), (6, 6, 6)];
    let mut code = Vec::new();
    for a in EDGES {
        for b in EDGES {
            for (rd, rs1, rs2) in REGISTERS {
                for &op in Op::ALL {
                    let imm = (b as i32).clamp(-2048, 2047);
                    let inst = match op.format() {
                        Format::R => Inst::new(op, rd, rs1, rs2, 0),
                        Format::Shift => Inst::new(op, rd, rs1, 0, imm & 31),
                        Format::I if op == Op::Jalr || op.is_load() => continue,
                        Format::I => Inst::new(op, rd, rs1, 0, imm),
                        Format::B => Inst::new(op, 0, rs1, rs2, 8),
                        Format::U => Inst::new(op, rd, 0, 0, b as i32 & !0xfff),
                        _ => continue,
                    };
                    code.extend(set(7, b));
                    code.extend(set(6, a));
                    code.push(inst);
                    // Skipped by a taken branch.
                    code.push(Inst::new(Op::Addi, 8, 8, 0, 1));
                }
            }
        }
    }
    lockstep(&assemble(&code), &[]);
}

/// A random value that is often at an edge.
fn value(rng: &mut StdRng) -> u32 {
    match rng.random_range(0..4) {
        0 => rng.random_range(0..4_u32).wrapping_sub(2),
        1 => 0x8000_0000_u32.wrapping_add(rng.random_range(0..4_u32)).wrapping_sub(2),
        2 => 1 << rng.random_range(0..32),
        _ => rng.random(),
    }
}

/// A random straight or forward-jumping program. Register 31 points at data, 30 holds jump targets.
fn random_program(rng: &mut StdRng) -> Program {
    const LEN: usize = 400;
    let mut code: Vec<Inst> = (1..30).flat_map(|register| set(register, value(rng))).collect();
    code.extend(set(31, DATA));
    for _ in 0..LEN {
        let op = Op::ALL[rng.random_range(0..Op::ALL.len())];
        let (rd, rs1, rs2) = (rng.random_range(0..31), rng.random_range(0..32), rng.random_range(0..32));
        let imm = rng.random_range(-2048..2048);
        let ahead = 4 * rng.random_range(1..4);
        if op == Op::Jalr {
            // No jump reaches past the padding, so the target register is always set.
            code.extend([Inst::new(Op::Addi, 0, 0, 0, 0); 2]);
            code.push(Inst::new(Op::Auipc, 30, 0, 0, 0));
        }
        code.push(match op.format() {
            Format::R => Inst::new(op, rd, rs1, rs2, 0),
            Format::Shift => Inst::new(op, rd, rs1, 0, imm & 31),
            Format::I if op == Op::Jalr => {
                // The low bit of the target is dropped.
                Inst::new(op, rd, 30, 0, ahead + 4 + rng.random_range(0..2))
            }
            Format::I if op.is_load() => Inst::new(op, rd, 31, 0, imm),
            Format::I => Inst::new(op, rd, rs1, 0, imm),
            Format::S => Inst::new(op, 0, 31, rs2, imm),
            Format::B => Inst::new(op, 0, rs1, rs2, ahead),
            Format::U => Inst::new(op, rd, 0, 0, imm << 20 | 0x5000),
            Format::J => Inst::new(op, rd, 0, 0, ahead),
            Format::Fence => Inst::new(op, 0, 0, 0, 0xff),
            Format::Ecall => continue,
        });
    }
    code.extend([Inst::new(Op::Addi, 0, 0, 0, 0); 4]);
    assemble(&code)
}

#[test]
fn random_programs() {
    println!("seed {SEED:#x}");
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut seen = [0; 64];
    let mut misaligned = 0;
    for _ in 0..400 {
        let (outcome, counts) = lockstep(&random_program(&mut rng), &[]);
        misaligned += outcome.misaligned;
        seen.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
    }
    for &op in Op::ALL {
        assert!(op == Op::Ecall || seen[op as usize] > 100, "{op} ran {} times", seen[op as usize]);
    }
    assert!(misaligned > 100);
}

#[test]
fn guests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/elf");
    for (name, n) in [
        ("fibonacci", 1000_u32),
        ("sha256", 200),
        ("sha256_rust", 200),
        ("keccak256", 200),
        ("sort", 60),
        ("matmul", 9),
        ("memory", 500),
        ("isa_edge", 0),
    ] {
        let Ok(elf) = std::fs::read(folder.join(name).with_extension("elf")) else {
            println!("skipped {name}: there is no such guest");
            continue;
        };
        let program = Program::from_elf(&elf).unwrap();
        let (outcome, _) = lockstep(&program, &n.to_le_bytes());
        assert_eq!(outcome.exit_code, 0, "{name}: {}", String::from_utf8_lossy(&outcome.debug));
        println!("{name}, n = {n}: {} instructions", outcome.cycles);
    }
}
