//! What a row may do, from the ISA and the ABI alone.
//!
//! Given what a row receives on the buses, [`Spec::judge`] computes what it has to send; the tables'
//! constraints play no part. A row may also receive what nobody sends, such as a limb of `2^16`: then
//! the bus rejects it whatever it sends, as long as every other row only sends what is legal, which is
//! the induction that these tests close.

use std::collections::HashMap;

use p3_field::PrimeField64;
use trilemma_arith::Bus;
use trilemma_frontends::riscv::Program;
use trilemma_frontends::riscv::isa::{Format, Inst, Op, alu, decode, extend};
use trilemma_frontends::riscv::machine::bus::{BYTEWISE, EXEC, EXIT, MEM, ORDER, OUTPUT, OUTPUT_LENGTH, REGS, SINK};
use trilemma_frontends::riscv::memory::in_ram;

use super::model::{Model, Posted};
use super::word_in_ram;

/// What a row that a table accepts is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does what it should.
    Legal,
    /// It does what it must not.
    Forged(String),
    /// It receives what no row that is legal sends.
    Nobody(&'static str),
}

/// Stops at the first verdict that is not legal.
type Judged<T = ()> = Result<T, Verdict>;

fn forged<T>(what: impl Into<String>) -> Judged<T> {
    Err(Verdict::Forged(what.into()))
}

fn require(holds: bool, what: impl Into<String>) -> Judged {
    if holds { Ok(()) } else { forged(what) }
}

fn possible(holds: bool, what: &'static str) -> Judged {
    if holds { Ok(()) } else { Err(Verdict::Nobody(what)) }
}

/// Every clock that is sent lies below.
const CLOCKS: u64 = 1 << 29;

/// A register or word of memory received and sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Access {
    bus: Bus,
    at: u64,
    before: [u64; 2],
    last: u64,
    after: [u64; 2],
    now: u64,
}

/// What a row posts, by kind.
#[derive(Default)]
struct Io {
    accesses: Vec<Access>,
    received: Vec<(Bus, Vec<u64>)>,
    sent: Vec<(Bus, Vec<u64>)>,
}

impl Io {
    fn one(list: &[(Bus, Vec<u64>)], bus: Bus) -> Judged<&[u64]> {
        let mut of_bus = list.iter().filter(|(b, _)| *b == bus);
        match (of_bus.next(), of_bus.next()) {
            (Some((_, tuple)), None) => Ok(tuple),
            _ => forged(format!("not one tuple on {}", bus.name)),
        }
    }

    /// That exactly these tuples are sent, accesses aside.
    fn sends(&self, expected: &[(Bus, Vec<u64>)]) -> Judged {
        let (mut sent, mut expected) = (self.sent.clone(), expected.to_vec());
        sent.sort();
        expected.sort();
        let show = |list: &[(Bus, Vec<u64>)]| {
            list.iter().map(|(b, t)| format!("{}{t:?}", b.name)).collect::<Vec<_>>().join(" ")
        };
        require(sent == expected, format!("sends {} in place of {}", show(&sent), show(&expected)))
    }
}

fn word(limbs: [u64; 2]) -> u32 {
    (limbs[0] | limbs[1] << 16) as u32
}

fn limbs(word: u32) -> [u64; 2] {
    [u64::from(word & 0xffff), u64::from(word >> 16)]
}

/// The accesses of a row, one after another.
struct Accesses<'a> {
    list: std::slice::Iter<'a, Access>,
    clock: u64,
}

impl Accesses<'_> {
    /// The next access, which has to be this one, given the tick.
    fn next(&mut self, bus: Bus, at: u64, tick: u64) -> Judged<&Access> {
        match self.list.next() {
            Some(a) if (a.bus, a.at, a.now) == (bus, at, self.clock + tick) => Ok(a),
            other => forged(format!("{other:?} in place of {} {at} at tick {tick}", bus.name)),
        }
    }

    fn read(&mut self, bus: Bus, at: u64, tick: u64) -> Judged<u32> {
        let a = self.next(bus, at, tick)?;
        require(a.after == a.before, "a read that writes")?;
        Ok(word(a.before))
    }

    fn write(&mut self, bus: Bus, at: u64, tick: u64, value: u32) -> Judged {
        let a = self.next(bus, at, tick)?;
        let (got, wanted) = (a.after, limbs(value));
        require(got == wanted, format!("{} {at} becomes {got:?}, not {wanted:?}", a.bus.name))
    }

    fn end(&mut self) -> Judged {
        require(self.list.next().is_none(), "an access too many")
    }
}

/// The specification of a program's rows.
pub struct Spec {
    code: HashMap<u64, Inst>,
}

impl Spec {
    pub fn new(program: &Program) -> Self {
        let mut code = HashMap::new();
        for range in &program.code {
            for (i, &word) in range.words.iter().enumerate() {
                code.extend(decode(word).map(|inst| (u64::from(range.base / 4) + i as u64, inst)));
            }
        }
        Self { code }
    }

    /// Judges a row by what it posts; `values` are those of the model's nodes.
    pub fn judge<F: PrimeField64>(&self, model: &Model<F>, row: &[F], values: &[F]) -> Verdict {
        let posted = match model.posted(values) {
            Ok(posted) => posted,
            Err(i) => return Verdict::Forged(format!("the multiplicity of interaction {i}")),
        };
        if posted.iter().all(Option::is_none) || model.signs.contains(&0) {
            return Verdict::Legal;
        }
        let real = model.shape.columns.first().filter(|c| c.name == "real");
        if real.is_some() && row[0].is_zero() {
            return Verdict::Forged("a padding row on a bus".into());
        }
        let posted: Vec<Posted> = posted.into_iter().flatten().filter(|p| !p.bus.lookup).collect();
        match self.table(model.shape.name, &posted) {
            Ok(()) => Verdict::Legal,
            Err(verdict) => verdict,
        }
    }

    fn table(&self, name: &str, posted: &[Posted]) -> Judged {
        match name {
            "zeroed memory" => ends(posted, MEM, Some([0, 0])),
            "image" => ends(posted, MEM, None),
            "register file" => ends(posted, REGS, Some([0, 0])),
            _ => {
                let io = accesses(posted)?;
                match name {
                    "touch register" | "touch memory" => touch(&io),
                    "bytewise" => bytewise(&io),
                    _ => self.instruction(&io),
                }
            }
        }
    }

    fn instruction(&self, io: &Io) -> Judged {
        let token = Io::one(&io.received, EXEC)?;
        let (pc, clock) = (token[0], token[1]);
        possible(pc < 1 << 30 && (8..CLOCKS - 16).contains(&clock), "a token of control")?;
        in_time(io)?;
        require(io.received.len() == 1, "more than control is received")?;
        let Some(&inst) = self.code.get(&pc) else { return forged("executes what is not code") };
        let mut a = Accesses { list: io.accesses.iter(), clock };
        if inst.op == Op::Ecall {
            return ecall(io, &mut a, pc);
        }
        let next = execute(inst, pc as u32 * 4, &mut a)?;
        a.end()?;
        io.sends(&[(EXEC, vec![next, clock + 4])])
    }
}

/// Executes anything but ECALL; gives the next pc as a word index.
fn execute(inst: Inst, pc: u32, a: &mut Accesses<'_>) -> Judged<u64> {
    let Inst { op, rd, rs1, rs2, imm } = inst;
    let mut next = pc.wrapping_add(4);
    let x = a.read(REGS, u64::from(rs1), 0)?;
    let two = op.is_branch() || op.is_store() || op.format() == Format::R;
    let y = if two { a.read(REGS, u64::from(rs2), 1)? } else { imm as u32 };
    let mut result = match op {
        Op::Auipc => alu(op, pc, imm as u32),
        _ => alu(op, x, y),
    };
    if op.is_branch() {
        if result != 0 {
            next = pc.wrapping_add(imm as u32);
        }
        // Nobody executes a misaligned target; the tables send it where no code is.
        return Ok(if next.is_multiple_of(4) { u64::from(next / 4) } else { 1 << 30 });
    }
    if op.is_load() || op.is_store() {
        let address = i64::from(x) + i64::from(imm);
        require(in_ram(address, op.width()), "an address outside RAM")?;
        result = access(op, address as u32, y, a)?;
    }
    if matches!(op, Op::Jal | Op::Jalr) {
        let target = if op == Op::Jal { pc.wrapping_add(imm as u32) } else { result & !1 };
        require(target.is_multiple_of(4), "a misaligned jump")?;
        (result, next) = (next, target);
    }
    if !op.is_store() {
        let rd = if rd == 0 { SINK } else { u32::from(rd) };
        a.write(REGS, u64::from(rd), 3, result)?;
    }
    Ok(u64::from(next / 4))
}

/// The memory half of a load or store; gives what a load puts in rd.
fn access(op: Op, address: u32, value: u32, a: &mut Accesses<'_>) -> Judged<u32> {
    let (index, offset) = (u64::from(address / 4), address % 4);
    let tick = if op.is_load() { 1 } else { 2 };
    let crosses = offset + op.width() > 4;
    let mask = u64::from(u32::MAX >> (32 - 8 * op.width())) << (8 * offset);
    let put = |old: u32, half: u32| {
        let (mask, value) = (mask >> (32 * half), u64::from(value) << (8 * offset) >> (32 * half));
        (u64::from(old) & !mask | value & mask) as u32
    };
    let mut pair = 0;
    for half in 0..if crosses { 2 } else { 1u32 } {
        let (at, tick) = (index + u64::from(half), tick + u64::from(half));
        let access = a.next(MEM, at, tick)?;
        let (before, after) = (word(access.before), access.after);
        let wanted = if op.is_load() { access.before } else { limbs(put(before, half)) };
        require(after == wanted, format!("memory {at} becomes {after:?}, not {wanted:?}"))?;
        pair |= u64::from(before) << (32 * half);
    }
    Ok(extend(op, (pair >> (8 * offset)) as u32))
}

/// A system call, at word index `pc`.
fn ecall(io: &Io, a: &mut Accesses<'_>, pc: u64) -> Judged {
    let number = a.read(REGS, 17, 0)?;
    let [a0, a1, a2] = [a.read(REGS, 10, 1)?, a.read(REGS, 11, 2)?, a.read(REGS, 12, 3)?];
    let after = a.clock + 8;
    if number == 93 {
        let written = a.next(REGS, u64::from(OUTPUT_LENGTH), 4)?;
        require(written.after == written.before, "exit writes output")?;
        let written = written.before[0];
        a.end()?;
        let [low, high] = limbs(a0);
        return io.sends(&[(EXIT, vec![low, high, written])]);
    }
    let known = number == 64 && (1..=3).contains(&a0) || number == 63 && a0 == 0;
    require(known, format!("call {number} on descriptor {a0}"))?;
    let [low, high] = a.next(REGS, 10, 4)?.after;
    a.end()?;
    require(low < 1 << 16 && high < 1 << 16, "a result that is no word")?;
    let moved = word([low, high]);
    require(if number == 64 { moved == a2 } else { moved <= a2 }, "moves more or less than asked")?;
    let debug = number == 64 && a0 != 3;
    let (index, offset, output) = (u64::from(a1 / 4), u64::from(a1 % 4), u64::from(number == 64));
    let bytes = (BYTEWISE, vec![output, pc, after, index, offset, u64::from(moved)]);
    // A token with nothing to move is received by nobody, see `bytewise`.
    if debug || moved == 0 && io.sent.iter().all(|sent| *sent != bytes) {
        return io.sends(&[(EXEC, vec![pc + 1, after])]);
    }
    io.sends(&[bytes])
}

/// One byte of a system call. Nothing remaining is a dead end: the count falls by one a row and must
/// come to 1, so more rows than the field has elements would follow.
fn bytewise(io: &Io) -> Judged {
    let token = Io::one(&io.received, BYTEWISE)?;
    let [write, pc, clock, index, offset, remaining] = token.try_into().expect("arity");
    require(io.received.len() == 1, "more than a token is received")?;
    let room = (8..CLOCKS - 16).contains(&clock) && pc < 1 << 30 && (1..1 << 29).contains(&remaining);
    possible(write < 2 && offset < 4 && room, "a token of bytes")?;
    in_time(io)?;
    let mut a = Accesses { list: io.accesses.iter(), clock };
    let memory = a.next(MEM, index, 0)?;
    let (before, after) = (word(memory.before).to_le_bytes(), memory.after);
    require(after.iter().all(|&l| l < 1 << 16), "a word with wide limbs")?;
    let mut expected = Vec::new();
    if write == 1 {
        require(after == memory.before, "output changes memory")?;
        let counter = a.next(REGS, u64::from(OUTPUT_LENGTH), 1)?;
        let written = counter.before[0];
        require(counter.after == [written + 1, 0], "the counter does not count")?;
        expected.push((OUTPUT, vec![written, u64::from(before[offset as usize])]));
    } else {
        let mut wanted = word(after).to_le_bytes();
        wanted[offset as usize] = before[offset as usize];
        require(wanted == before, "input changes another byte")?;
    }
    a.end()?;
    let (index, offset) = if offset == 3 { (index + 1, 0) } else { (index, offset + 1) };
    let more = (BYTEWISE, vec![write, pc, clock + 4, index, offset, remaining - 1]);
    if remaining == 1 && !io.sent.contains(&more) {
        expected.push((EXEC, vec![pc + 1, clock + 4]));
    } else {
        expected.push(more);
    }
    io.sends(&expected)
}

fn touch(io: &Io) -> Judged {
    require(io.received.is_empty() && io.sent.is_empty(), "more than an access")?;
    let [a] = io.accesses.as_slice() else { return forged("not one access") };
    in_time(io)?;
    require(a.after == a.before, "a touch writes")?;
    require(a.now < CLOCKS, "a clock that is too large")
}

/// First and last message of a place, with a link of the chain for memory.
fn ends(posted: &[Posted], bus: Bus, initial: Option<[u64; 2]>) -> Judged {
    let list = |sign| posted.iter().filter(|p| p.sign == sign).map(|p| (p.bus, p.tuple.clone())).collect::<Vec<_>>();
    let (received, sent) = (list(-1), list(1));
    let (first, last) = (Io::one(&sent, bus)?, Io::one(&received, bus)?);
    require(first[3] == 0 && first[0] == last[0], "ends of different places")?;
    require(initial.is_none_or(|i| first[1..3] == i), "memory that does not start as zero")?;
    if bus == REGS {
        return require(posted.len() == 2, "more than two ends");
    }
    let (here, next) = (Io::one(&received, ORDER)?[0], Io::one(&sent, ORDER)?[0]);
    require(posted.len() == 4 && here == first[0] && here < 1 << 30, "a link from elsewhere")?;
    require(here < next && next <= here + (1 << 29), "a link backwards or too far")
}

/// Pairs what is received from and sent to registers and memory, in the order of time.
fn accesses(posted: &[Posted]) -> Judged<Io> {
    let mut io = Io::default();
    let mut half: Option<&Posted> = None;
    for p in posted {
        match (p.bus == REGS || p.bus == MEM, p.sign) {
            (false, -1) => io.received.push((p.bus, p.tuple.clone())),
            (false, _) => io.sent.push((p.bus, p.tuple.clone())),
            (true, -1) => {
                require(half.is_none(), "half an access")?;
                half = Some(p);
            }
            (true, _) => {
                let Some(r) = half.take() else { return forged("half an access") };
                require(r.bus == p.bus && r.tuple[0] == p.tuple[0], "an access that moves")?;
                io.accesses.push(Access {
                    bus: p.bus,
                    at: p.tuple[0],
                    before: [r.tuple[1], r.tuple[2]],
                    last: r.tuple[3],
                    after: [p.tuple[1], p.tuple[2]],
                    now: p.tuple[3],
                });
            }
        }
    }
    require(half.is_none(), "half an access")?;
    io.accesses.sort_by_key(|a| a.now);
    for (i, a) in io.accesses.iter().enumerate() {
        let [low, high] = a.before;
        let counter = a.bus == REGS && a.at == u64::from(OUTPUT_LENGTH);
        let fits = if counter { low < CLOCKS && high == 0 } else { low < 1 << 16 && high < 1 << 16 };
        possible(fits, "a value that is no word")?;
        possible(a.last < CLOCKS, "a clock that is too large")?;
        possible(if a.bus == MEM { word_in_ram(a.at) } else { a.at < 64 }, "a place that does not exist")?;
        possible(a.bus == MEM || a.at > 0 || a.before == [0, 0], "x0 with a value")?;
        // Accesses of one place form a chain in time, so none skips another of the same row.
        let before = io.accesses[..i].iter().rev().find(|b| (b.bus, b.at) == (a.bus, a.at));
        possible(before.is_none_or(|b| b.after == a.before && b.now <= a.last), "a value that was replaced")?;
    }
    Ok(io)
}

/// That every access comes after the one whose value it sees.
fn in_time(io: &Io) -> Judged {
    require(io.accesses.iter().all(|a| a.last < a.now), "an access before the one before it")
}
