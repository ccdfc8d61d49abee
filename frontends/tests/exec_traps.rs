//! System calls, the borders of RAM and of code, and everything that traps.

use trilemma_frontends::riscv::elf::Program;
use trilemma_frontends::riscv::exec::{Call, Dir, ExecError, Observer, Outcome, Silent, Step, TrapReason, execute};
use trilemma_frontends::riscv::isa::{Inst, Op, encode};
use trilemma_frontends::riscv::memory::{RAM_END, RAM_START};

const BASE: u32 = 0x1_0000;
const DATA: u32 = 0x20_0000;
const A0: u8 = 10;
const A1: u8 = 11;
const A2: u8 = 12;
const A7: u8 = 17;
const T0: u8 = 5;
const ECALL: Inst = Inst::new(Op::Ecall, 0, 0, 0, 0);

fn set(register: u8, value: u32) -> Vec<Inst> {
    let low = (value as i32) << 20 >> 20;
    let high = value.wrapping_sub(low as u32) as i32;
    vec![Inst::new(Op::Lui, register, 0, 0, high), Inst::new(Op::Addi, register, register, 0, low)]
}

fn call(number: u32, arguments: [u32; 3]) -> Vec<Inst> {
    let [a0, a1, a2] = arguments;
    [set(A7, number), set(A0, a0), set(A1, a1), set(A2, a2), vec![ECALL]].concat()
}

fn words(code: &[Inst]) -> Vec<u32> {
    code.iter().map(|&inst| encode(inst)).collect()
}

/// Runs code, followed by an exit with the value of a0.
fn run(code: &[Inst], input: &[u8]) -> Result<Outcome, ExecError> {
    let code = [code, &set(A7, 93), &[ECALL]].concat();
    execute(&Program::from_words(BASE, &words(&code)).unwrap(), input, 1000, &mut Silent)
}

/// The trap that code ends in: the index of the instruction, and the reason.
fn trap(code: &[Inst]) -> (u32, TrapReason) {
    match run(code, b"input") {
        Err(ExecError::Trap { pc, cycle, reason }) => {
            assert_eq!(u64::from((pc - BASE) / 4), cycle, "straight code");
            (pc, reason)
        }
        other => panic!("{other:?}"),
    }
}

/// The trap of an instruction on an address in t0.
fn access(op: Op, base: u32, imm: i32) -> Result<Outcome, ExecError> {
    let inst = if op.is_store() { Inst::new(op, 0, T0, A1, imm) } else { Inst::new(op, A1, T0, 0, imm) };
    run(&[set(T0, base), vec![inst]].concat(), &[])
}

fn reason(result: Result<Outcome, ExecError>) -> Option<TrapReason> {
    match result {
        Ok(_) => None,
        Err(ExecError::Trap { reason, .. }) => Some(reason),
        Err(limit) => panic!("{limit}"),
    }
}

#[test]
fn exit_output_and_debug() {
    let store = |addr, value| [set(T0, addr), set(A0, value), vec![Inst::new(Op::Sw, 0, T0, A0, 0)]].concat();
    let code = [
        store(DATA, u32::from_le_bytes(*b"abcd")),
        call(64, [3, DATA + 1, 2]),
        call(64, [1, DATA, 1]),
        call(64, [2, DATA + 3, 2]),
        call(64, [3, DATA, 3]),
    ]
    .concat();
    let outcome = run(&code, &[]).unwrap();
    assert_eq!(outcome.output, b"bcabc");
    assert_eq!(outcome.debug, b"ad\0");
    assert_eq!(outcome.exit_code, 3, "write returns its length");
    assert_eq!(outcome.cycles, code.len() as u64 + 3);
    assert_eq!(outcome.misaligned, 0, "calls are not counted");
}

#[test]
fn reads_are_cut_at_the_end_of_the_input() {
    let code = [call(63, [0, DATA + 3, 4]), call(64, [3, DATA, 8]), call(63, [0, DATA, 9])].concat();
    let outcome = run(&code, b"123456").unwrap();
    assert_eq!(outcome.output, b"\0\0\x001234\0");
    assert_eq!(outcome.exit_code, 2);
    assert_eq!(run(&[call(63, [0, DATA, 9]), call(63, [0, DATA, 9])].concat(), b"1").unwrap().exit_code, 0);
}

#[test]
fn calls_that_trap() {
    let outside = RAM_END - 4;
    let len = 8;
    for (number, arguments, expected) in [
        (0, [0; 3], TrapReason::UnknownEcall { a7: 0 }),
        (94, [0; 3], TrapReason::UnknownEcall { a7: 94 }),
        (64, [0, DATA, 1], TrapReason::BadFd { a7: 64, fd: 0 }),
        (64, [4, DATA, 0], TrapReason::BadFd { a7: 64, fd: 4 }),
        (63, [3, DATA, 1], TrapReason::BadFd { a7: 63, fd: 3 }),
        (64, [3, outside, len], TrapReason::LoadOutsideRam { addr: outside.into(), len }),
        (64, [1, 0, 1], TrapReason::LoadOutsideRam { addr: 0, len: 1 }),
        (64, [3, DATA, u32::MAX], TrapReason::LoadOutsideRam { addr: DATA.into(), len: u32::MAX }),
        (63, [0, outside, len], TrapReason::StoreOutsideRam { addr: outside.into(), len }),
        (63, [0, u32::MAX, len], TrapReason::StoreOutsideRam { addr: u32::MAX.into(), len }),
        (63, [0, BASE - 7, len], TrapReason::StoreToCode { addr: BASE - 7, len }),
    ] {
        let code = call(number, arguments);
        assert_eq!(trap(&code), (BASE + 4 * (code.len() as u32 - 1), expected));
    }
    assert!(run(&call(63, [0, BASE - 8, len]), b"12345678").is_ok());
    assert!(run(&call(64, [3, BASE, len]), &[]).is_ok(), "code can be read");
    assert!(run(&call(63, [0, 0, 0]), b"1").is_ok(), "an empty buffer is nowhere");
}

#[test]
fn the_borders_of_ram() {
    let load = |addr: i64, len| Some(TrapReason::LoadOutsideRam { addr, len });
    let store = |addr: i64, len| Some(TrapReason::StoreOutsideRam { addr, len });
    let (start, end) = (i64::from(RAM_START), i64::from(RAM_END));
    for (op, len) in [(Op::Lb, 1), (Op::Lhu, 2), (Op::Lw, 4)] {
        assert_eq!(reason(access(op, RAM_START, 0)), None);
        assert_eq!(reason(access(op, RAM_START, -1)), load(start - 1, len));
        assert_eq!(reason(access(op, RAM_END - len, 0)), None);
        assert_eq!(reason(access(op, RAM_END - len, 1)), load(end + 1 - i64::from(len), len));
    }
    for (op, len) in [(Op::Sb, 1), (Op::Sh, 2), (Op::Sw, 4)] {
        assert_eq!(reason(access(op, RAM_START, 0)), None);
        assert_eq!(reason(access(op, RAM_START, -1)), store(start - 1, len));
        assert_eq!(reason(access(op, RAM_END - len, 0)), None);
        assert_eq!(reason(access(op, RAM_END - len, 1)), store(end + 1 - i64::from(len), len));
    }
    // Sums that wrap to legal addresses modulo 2^32, or leave it below.
    assert_eq!(reason(access(Op::Lw, u32::MAX, 2047)), load(i64::from(u32::MAX) + 2047, 4));
    assert_eq!(reason(access(Op::Sw, 0, -2048)), store(-2048, 4));
    assert_eq!(reason(access(Op::Lw, 0, 0)), load(0, 4));
}

#[test]
fn stores_to_code() {
    // The access and the exit that follows it.
    let size = 4 * 6;
    let to_code = |addr, len| Some(TrapReason::StoreToCode { addr, len });
    assert_eq!(reason(access(Op::Sb, BASE, 0)), to_code(BASE, 1));
    assert_eq!(reason(access(Op::Sw, BASE - 3, 0)), to_code(BASE - 3, 4));
    assert_eq!(reason(access(Op::Sb, BASE - 1, 0)), None);
    assert_eq!(reason(access(Op::Sw, BASE + size, -1)), to_code(BASE + size - 1, 4));
    assert_eq!(reason(access(Op::Sw, BASE + size, 0)), None);
    assert_eq!(reason(access(Op::Lw, BASE, 2)), None, "code can be loaded");
}

#[test]
fn illegal_instructions_and_fetches() {
    let unimp = 0xc000_1073;
    let program = Program::from_words(BASE, &[encode(Inst::new(Op::Fence, 0, 0, 0, 0)), unimp]).unwrap();
    let error = execute(&program, &[], 9, &mut Silent).unwrap_err();
    let reason = TrapReason::IllegalInstruction { word: unimp };
    assert_eq!(error, ExecError::Trap { pc: BASE + 4, cycle: 1, reason });
    assert_eq!(error.to_string(), "trap at pc 0x00010004 after 1 cycles: illegal instruction 0xc0001073");

    let program = Program::from_words(BASE, &[encode(Inst::new(Op::Fence, 0, 0, 0, 0))]).unwrap();
    let error = execute(&program, &[], 9, &mut Silent).unwrap_err();
    assert_eq!(error, ExecError::Trap { pc: BASE + 4, cycle: 1, reason: TrapReason::FetchOutsideCode });
    assert_eq!(error.to_string(), "trap at pc 0x00010004 after 1 cycles: no code at this address");
}

#[test]
fn jumps() {
    let to = |target| [set(T0, target), vec![Inst::new(Op::Jalr, 1, T0, 0, 0)]].concat();
    let pc = BASE + 8;
    assert_eq!(trap(&to(BASE + 2)), (pc, TrapReason::MisalignedJump { target: BASE + 2 }));
    assert_eq!(trap(&to(BASE + 3)), (pc, TrapReason::MisalignedJump { target: BASE + 2 }));
    assert_eq!(trap(&[Inst::new(Op::Jal, 0, 0, 0, 6)]), (BASE, TrapReason::MisalignedJump { target: BASE + 6 }));
    let branch = Inst::new(Op::Beq, 0, 0, 0, 2);
    assert_eq!(trap(&[branch]), (BASE, TrapReason::MisalignedJump { target: BASE + 2 }));
    assert!(run(&[Inst::new(Op::Bne, 0, 0, 0, 2)], &[]).is_ok(), "only a taken branch jumps");
    // The low bit is cleared; the target is read before the link is written, here to the same register.
    let odd = [set(T0, BASE + 13), vec![Inst::new(Op::Jalr, T0, T0, 0, 0), Inst::new(Op::Add, A0, T0, 0, 0)]].concat();
    assert_eq!(run(&odd, &[]).unwrap().exit_code, BASE + 12);
    match run(&to(DATA), &[]) {
        Err(ExecError::Trap { pc: DATA, cycle: 3, reason: TrapReason::FetchOutsideCode }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_cycle_limit() {
    let spin = Program::from_words(BASE, &words(&[Inst::new(Op::Jal, 0, 0, 0, 0)])).unwrap();
    let error = execute(&spin, &[], 1000, &mut Silent).unwrap_err();
    assert_eq!(error, ExecError::CycleLimit { max: 1000 });
    assert_eq!(error.to_string(), "the program did not exit within 1000 cycles");
    let exit = Program::from_words(BASE, &words(&call(93, [7, 0, 0]))).unwrap();
    assert_eq!(execute(&exit, &[], 9, &mut Silent).unwrap().exit_code, 7);
    assert_eq!(execute(&exit, &[], 8, &mut Silent), Err(ExecError::CycleLimit { max: 8 }));
}

/// Keeps everything that is reported.
#[derive(Default)]
struct Record {
    steps: Vec<Step>,
    calls: Vec<(u32, Call, Option<u32>)>,
    bytes: Vec<(Dir, u32, u8, u32, u32)>,
}

impl Observer for Record {
    const ON: bool = true;

    fn retire(&mut self, step: &Step) {
        self.steps.push(*step);
    }

    fn ecall(&mut self, pc: u32, call: Call, result: Option<u32>) {
        self.calls.push((pc, call, result));
    }

    fn byte(&mut self, dir: Dir, addr: u32, byte: u8, word_before: u32, word_after: u32) {
        self.bytes.push((dir, addr, byte, word_before, word_after));
    }
}

#[test]
fn what_an_observer_sees() {
    let start = [set(T0, DATA), set(A1, 0x4433_2211)].concat();
    let work = [Inst::new(Op::Sw, 0, T0, A1, 3), Inst::new(Op::Lhu, 0, T0, 0, 5), Inst::new(Op::Beq, 0, 0, 0, 4)];
    let io = [call(63, [0, DATA + 3, 5]), call(64, [3, DATA + 4, 1]), call(64, [1, DATA, 9]), call(93, [5, 0, 0])];
    let code = [start.clone(), work.to_vec(), io.concat()].concat();
    let mut record = Record::default();
    execute(&Program::from_words(BASE, &words(&code)).unwrap(), b"xy", 1000, &mut record).unwrap();

    let pc = BASE + 16;
    let plain = Step {
        pc,
        inst: work[0],
        rs1: DATA,
        rs2: 0x4433_2211,
        rd_before: 0,
        rd: 0,
        next_pc: pc + 4,
        addr: DATA + 3,
        words: [(0, 0x1100_0000), (0, 0x0044_3322)],
    };
    assert_eq!(record.steps[4], plain);
    let load = Step {
        pc: pc + 4,
        inst: work[1],
        rs2: 0,
        rd: 0x4433,
        next_pc: pc + 8,
        addr: DATA + 5,
        words: [(0x0044_3322, 0x0044_3322), (0, 0)],
        ..plain
    };
    assert_eq!(record.steps[5], load, "a value computed for x0 is reported");
    let branch =
        Step { pc: pc + 8, inst: work[2], rs1: 0, rd: 0, next_pc: pc + 12, addr: 0, words: [(0, 0); 2], ..load };
    assert_eq!(record.steps[6], branch);

    let calls: Vec<_> = record.calls.iter().map(|&(_, call, result)| (call, result)).collect();
    assert_eq!(
        calls,
        [
            (Call::Read { fd: 0, ptr: DATA + 3, len: 5 }, Some(2)),
            (Call::Write { fd: 3, ptr: DATA + 4, len: 1 }, Some(1)),
            (Call::Write { fd: 1, ptr: DATA, len: 9 }, Some(9)),
            (Call::Exit { code: 5 }, None),
        ]
    );
    assert_eq!(record.calls[0].0, BASE + 4 * 15);
    assert_eq!(
        record.bytes,
        [
            (Dir::Read, DATA + 3, b'x', 0x1100_0000, 0x7800_0000),
            (Dir::Read, DATA + 4, b'y', 0x0044_3322, 0x0044_3379),
            (Dir::Write, DATA + 4, b'y', 0x0044_3379, 0x0044_3379),
        ]
    );
}
