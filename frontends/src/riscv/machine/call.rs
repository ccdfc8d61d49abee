//! System calls. `ecall` decodes the call and moves no bytes; `bytewise` moves one byte a row,
//! passing a token from byte to byte and control back at the end.

use trilemma_arith::{Builder, Gadgets, Table};

use super::super::observe::{Call, Dir};
use super::bus::{BYTEWISE, CALL_TICKS, EXEC, EXIT, MEM, OUTPUT, OUTPUT_LENGTH, PROGRAM, REGS, SINK, TICKS};
use super::cpu::{access_if, transfer};
use super::rom::class;

/// A system call.
#[derive(Debug, Clone, Copy)]
pub struct CallRow {
    /// Word index of the ECALL.
    pub pc: u32,
    /// Clock at its start.
    pub clock: u32,
    /// The call.
    pub call: Call,
    /// New value of a0; bytes moved.
    pub result: u32,
    /// Values of a0, a1, a2 before it.
    pub args: [u32; 3],
    /// Bytes of output before it.
    pub written: u32,
    /// Clocks of the accesses before those of a7, a0, a1, a2, and of the output counter.
    pub before: [u32; 5],
}

impl CallRow {
    fn kind(&self) -> [bool; 4] {
        match self.call {
            Call::Exit { .. } => [true, false, false, false],
            Call::Write { fd: 3, .. } => [false, true, false, false],
            Call::Write { .. } => [false, false, true, false],
            Call::Read { .. } => [false, false, false, true],
        }
    }

    /// Bytes that this call moves; exit counts as if it moved all.
    fn moved(&self) -> u32 {
        if matches!(self.call, Call::Exit { .. }) { self.args[2] & 0x1fff_ffff } else { self.result }
    }

    fn direct(&self) -> bool {
        match self.call {
            Call::Exit { .. } => false,
            Call::Write { fd: 3, .. } | Call::Read { .. } => self.result == 0,
            Call::Write { .. } => true,
        }
    }
}

/// Decodes system calls.
pub struct Ecall;

impl Table for Ecall {
    type Row = CallRow;

    fn name(&self) -> &'static str {
        "ecall"
    }

    fn eval<B: Builder<CallRow>>(&self, b: &mut B) {
        let real = b.rows();
        let pc = b.free("pc", "matched on exec", |r| r.pc);
        let clock = b.free("clock", "matched on exec", |r| r.clock);
        b.recv(EXEC, &[pc, clock]);
        let mut tuple = vec![pc, b.int(i64::from(class::ECALL)), b.int(i64::from(SINK))];
        tuple.resize(PROGRAM.arity, b.int(0));
        b.send(PROGRAM, &tuple);

        let names = ["exit", "output", "debug", "input"];
        let [exit, output, debug, input] = std::array::from_fn(|i| b.bit(names[i], move |r: &CallRow| r.kind()[i]));
        b.zero("one call", exit + output + debug + input - real);
        let number = exit * b.int(93) + (output + debug) * b.int(64) + input * b.int(63);
        let a0 = b.free_word(["a0 lo", "a0 hi"], "matched on registers", |r| r.args[0]);
        let a1_rest = b.ranged("a1 rest", 14, |r| (r.args[1] & 0xffff) >> 2);
        let a1_offset = b.ranged("a1 offset", 2, |r| r.args[1] & 3);
        let a1_high = b.free("a1 hi", "matched on registers", |r| r.args[1] >> 16);
        let a2 = b.free_word(["a2 lo", "a2 hi"], "matched on registers", |r| r.args[2]);
        let (one, two, three) = (b.int(1), b.int(2), b.int(3));
        b.zero("fd of output", output * (a0[0] - three));
        b.zero("fd of debug", debug * (a0[0] - one) * (a0[0] - two));
        b.zero("fd of input", input * a0[0]);
        b.zero("fd high", (real - exit) * a0[1]);

        let zero = b.int(0);
        let a1 = [a1_rest * b.int(4) + a1_offset, a1_high];
        let at = |b: &B, k: i64| clock + b.int(k);
        let last = ["a7 before", "a0 before", "a1 before", "a2 before"];
        let values = [(17, [number, zero]), (10, a0), (11, a1), (12, a2)];
        for (i, (register, value)) in values.into_iter().enumerate() {
            let last = b.free(last[i], "below the clock", move |r| r.before[i]);
            let (register, now) = (b.int(register), at(b, i as i64));
            transfer(b, REGS, register, (value, value), (last, now));
        }

        // n + rest = a2, where n is what moves: all of it unless this is input.
        let n_low = b.ranged("n lo", 16, |r| r.moved() & 0xffff);
        let n_high = b.ranged("n hi", 13, |r| r.moved() >> 16);
        let rest = b.word(["rest lo", "rest hi"], |r| r.args[2].wrapping_sub(r.moved()));
        let limb = b.int(1 << 16);
        let carry = n_low + rest[0] - a2[0];
        b.zero("n carry", carry * (carry - limb));
        b.zero("n high", (n_high + rest[1] - a2[1]) * limb + carry);
        b.zero("writes move all lo", (output + debug) * rest[0]);
        b.zero("writes move all hi", (output + debug) * rest[1]);
        let returns = real - exit;
        let (register, now, last) = (b.int(10), at(b, 4), at(b, 1));
        access_if(b, returns, REGS, register, (a0, [n_low, n_high]), last, now);

        // Where control goes: nowhere, on, or to the bytes.
        let direct = b.bit("direct", CallRow::direct);
        b.only_real("direct", direct);
        b.zero("exit does not go on", exit * direct);
        b.zero("debug goes on", debug * (one - direct));
        b.zero("nothing moves lo", direct * (real - debug) * n_low);
        b.zero("nothing moves hi", direct * (real - debug) * n_high);
        let after = at(b, i64::from(CALL_TICKS));
        b.interact(EXEC, direct, &[pc + one, after]);
        let index = a1_rest + a1_high * b.int(1 << 14);
        let n = n_low + n_high * limb;
        b.interact(BYTEWISE, returns - direct, &[output, pc, after, index, a1_offset, n]);

        // At the end the output counter is read and handed to the statement with the exit code.
        let written = b.free("written", "matched on registers", |r| r.written);
        let last = b.free("written before", "below the clock", |r| r.before[4]);
        let (register, now) = (b.int(i64::from(OUTPUT_LENGTH)), at(b, 4));
        let value = [written, zero];
        access_if(b, exit, REGS, register, (value, value), last, now);
        b.interact(EXIT, exit, &[a0[0], a0[1], written]);
    }
}

/// One byte of a system call.
#[derive(Debug, Clone, Copy)]
pub struct ByteRow {
    /// Whether it is input or output.
    pub dir: Dir,
    /// Word index of the ECALL.
    pub pc: u32,
    /// Clock of its access.
    pub clock: u32,
    /// Its address.
    pub addr: u32,
    /// Bytes left, this one included.
    pub remaining: u32,
    /// The byte.
    pub byte: u8,
    /// The word before and after.
    pub words: [u32; 2],
    /// Bytes of output before it.
    pub written: u32,
    /// Clocks of the accesses before those of the word and of the output counter.
    pub before: [u32; 2],
}

/// Moves bytes between memory and the outside.
pub struct Bytewise;

impl Table for Bytewise {
    type Row = ByteRow;

    fn name(&self) -> &'static str {
        "bytewise"
    }

    fn eval<B: Builder<ByteRow>>(&self, b: &mut B) {
        let real = b.rows();
        let write = b.bit("write", |r| r.dir == Dir::Write);
        b.only_real("write", write);
        let pc = b.free("pc", "matched on bytewise", |r| r.pc);
        let clock = b.free("clock", "matched on bytewise", |r| r.clock);
        let index = b.free("index", "matched on bytewise", |r| r.addr >> 2);
        let names = ["offset 1", "offset 2", "offset 3"];
        let [o1, o2, o3] = std::array::from_fn(|i| b.bit(names[i], move |r| r.addr as usize % 4 == i + 1));
        let o = [real - o1 - o2 - o3, o1, o2, o3];
        b.boolean("one offset", o[0]);
        let offset = o1 + o2 * b.int(2) + o3 * b.int(3);
        let remaining = b.free("remaining", "matched on bytewise", |r| r.remaining);
        b.recv(BYTEWISE, &[write, pc, clock, index, offset, remaining]);

        let names = ["m0", "m1", "m2", "m3"];
        let m: [B::V; 4] = std::array::from_fn(|i| b.ranged(names[i], 8, move |r| r.words[0] >> (8 * i) & 0xff));
        let byte = b.ranged("byte", 8, |r| u32::from(r.byte));
        let held = (0..4).fold(b.int(0), |sum, k| sum + o[k] * m[k]);
        b.zero("output is what is held", write * (byte - held));
        let shift = b.int(256);
        let after = b.free_word(["new lo", "new hi"], "determined by bytes", |r| r.words[1]);
        let n: [B::V; 4] = std::array::from_fn(|k| m[k] + o[k] * (byte - m[k]));
        b.zero("new lo", after[0] - n[0] - n[1] * shift);
        b.zero("new hi", after[1] - n[2] - n[3] * shift);
        let before = super::alu::join(b, m);
        let last = b.free("word before", "below the clock", |r| r.before[0]);
        transfer(b, MEM, index, (before, after), (last, clock));

        let (one, zero) = (b.int(1), b.int(0));
        let written = b.free("written", "matched on registers", |r| r.written);
        let last = b.free("written before", "below the clock", |r| r.before[1]);
        let counter = b.int(i64::from(OUTPUT_LENGTH));
        access_if(b, write, REGS, counter, ([written, zero], [written + one, zero]), last, clock + one);
        b.interact(OUTPUT, write, &[written, byte]);

        // The next byte, or control back. A token with nothing remaining is received by no one.
        let done = b.bit("done", |r| r.remaining == 1);
        b.only_real("done", done);
        b.zero("done", done * (remaining - one));
        let next = clock + b.int(i64::from(TICKS));
        b.interact(EXEC, done, &[pc + one, next]);
        let wrap = o3 * b.int(4);
        b.interact(BYTEWISE, real - done, &[write, pc, next, index + o3, offset + real - wrap, remaining - one]);
    }
}
