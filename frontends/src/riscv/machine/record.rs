//! Records an execution as rows of the tables, with the clock of every access.

use super::super::elf::Program;
use super::super::isa::Op;
use super::super::memory::{RAM_END, RAM_START};
use super::super::observe::{Call, Dir, Observer, Step};
use super::bus::{CALL_TICKS, FIRST_CLOCK, GAP_BITS, OUTPUT_LENGTH, REGISTERS, SINK, TICKS};
use super::call::{ByteRow, CallRow};
use super::cpu::{Row, slot};
use super::memory::{Last, SKIP_BITS, TouchRow};

const PAGE_WORDS: usize = 1 << 14;

/// Clocks and values of a stretch of memory.
struct Page {
    clock: Vec<u32>,
    value: Vec<u32>,
}

/// Rows of the instruction tables.
#[derive(Default)]
#[expect(missing_docs, reason = "one list for each table")]
pub struct Rows {
    pub add: Vec<Row>,
    pub sub: Vec<Row>,
    pub addi: Vec<Row>,
    pub bits: Vec<Row>,
    pub bitsi: Vec<Row>,
    pub shift: Vec<Row>,
    pub shifti: Vec<Row>,
    pub less: Vec<Row>,
    pub lessi: Vec<Row>,
    pub branch: Vec<Row>,
    pub jump: Vec<Row>,
    pub load_word: Vec<Row>,
    pub store_word: Vec<Row>,
    pub load: Vec<Row>,
    pub store: Vec<Row>,
    pub mul: Vec<Row>,
    pub div: Vec<Row>,
}

/// An observer that keeps what the tables need.
pub struct Recorder {
    clock: u32,
    values: [u32; REGISTERS],
    clocks: [u32; REGISTERS],
    pages: Vec<Option<Box<Page>>>,
    /// Rows of instructions.
    pub rows: Rows,
    /// Rows of `ecall`.
    pub calls: Vec<CallRow>,
    /// Rows of `bytewise`.
    pub bytes: Vec<ByteRow>,
    /// Rows of `touch register`.
    pub touched_registers: Vec<TouchRow>,
    /// Rows of `touch memory`.
    pub touched_words: Vec<TouchRow>,
    /// Rows of `zeroed memory`, once finished.
    pub zeroed: Vec<Last>,
    /// Rows of `image`, once finished.
    pub image: Vec<Last>,
    /// Rows of `register file`, once finished.
    pub registers: Vec<Last>,
}

/// The clock of the access before, after bridging a gap too wide for one range check.
fn bridge(touched: &mut Vec<TouchRow>, index: u32, value: u32, last: u32, now: u32) -> u32 {
    if now - last - 1 < 1 << GAP_BITS {
        return last;
    }
    touched.push(TouchRow { index, value, last, now: now - 1 });
    now - 1
}

impl Recorder {
    /// Before the first instruction of a program.
    pub fn new(program: &Program) -> Self {
        let mut recorder = Self {
            clock: FIRST_CLOCK,
            values: [0; REGISTERS],
            clocks: [0; REGISTERS],
            pages: (0..(1usize << 30) / PAGE_WORDS).map(|_| None).collect(),
            rows: Rows::default(),
            calls: Vec::new(),
            bytes: Vec::new(),
            touched_registers: Vec::new(),
            touched_words: Vec::new(),
            zeroed: Vec::new(),
            image: Vec::new(),
            registers: Vec::new(),
        };
        for &(addr, word) in &program.image {
            let (page, at) = recorder.page(addr >> 2);
            page.value[at] = word;
        }
        recorder
    }

    fn page(&mut self, index: u32) -> (&mut Page, usize) {
        let page = self.pages[index as usize / PAGE_WORDS]
            .get_or_insert_with(|| Box::new(Page { clock: vec![0; PAGE_WORDS], value: vec![0; PAGE_WORDS] }));
        (page, index as usize % PAGE_WORDS)
    }

    fn register(&mut self, index: u32, now: u32, after: u32) -> u32 {
        let i = index as usize;
        let before = bridge(&mut self.touched_registers, index, self.values[i], self.clocks[i], now);
        self.clocks[i] = now;
        self.values[i] = after;
        before
    }

    fn read(&mut self, index: u32, now: u32) -> u32 {
        self.register(index, now, self.values[index as usize])
    }

    fn word(&mut self, index: u32, now: u32, (before, after): (u32, u32)) -> u32 {
        let (page, at) = self.page(index);
        let last = std::mem::replace(&mut page.clock[at], now);
        page.value[at] = after;
        bridge(&mut self.touched_words, index, before, last, now)
    }

    /// The rows of a class, and the ticks of its accesses to rs2, memory, the second word.
    fn table(&mut self, step: &Step) -> &mut Vec<Row> {
        let rows = &mut self.rows;
        let aligned = step.addr.is_multiple_of(4);
        match step.inst.op {
            Op::Add => &mut rows.add,
            Op::Sub => &mut rows.sub,
            Op::Addi | Op::Lui | Op::Auipc | Op::Fence => &mut rows.addi,
            Op::And | Op::Or | Op::Xor => &mut rows.bits,
            Op::Andi | Op::Ori | Op::Xori => &mut rows.bitsi,
            Op::Sll | Op::Srl | Op::Sra => &mut rows.shift,
            Op::Slli | Op::Srli | Op::Srai => &mut rows.shifti,
            Op::Slt | Op::Sltu => &mut rows.less,
            Op::Slti | Op::Sltiu => &mut rows.lessi,
            Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => &mut rows.branch,
            Op::Jal | Op::Jalr => &mut rows.jump,
            Op::Lw if aligned => &mut rows.load_word,
            Op::Sw if aligned => &mut rows.store_word,
            Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu => &mut rows.load,
            Op::Sb | Op::Sh | Op::Sw => &mut rows.store,
            Op::Mul | Op::Mulh | Op::Mulhsu | Op::Mulhu => &mut rows.mul,
            Op::Div | Op::Divu | Op::Rem | Op::Remu | Op::Ecall => &mut rows.div,
        }
    }

    /// Lists what memory and registers hold at the end, in the order of the chain.
    pub fn finish(&mut self, image: &[[u32; 4]]) {
        self.registers = (0..REGISTERS)
            .map(|i| Last { index: i as u32, value: self.values[i], clock: self.clocks[i], skip: 0 })
            .collect();
        let mut chain: Vec<(Last, bool)> = Vec::new();
        for &[used, index, ..] in image {
            if used == 1 {
                let (page, at) = self.page(index);
                let last = Last { index, value: page.value[at], clock: page.clock[at], skip: 0 };
                page.clock[at] = 0;
                chain.push((last, true));
            }
        }
        for (i, page) in self.pages.iter().enumerate() {
            let Some(page) = page else { continue };
            for (at, &clock) in page.clock.iter().enumerate().filter(|(_, c)| **c != 0) {
                let index = (i * PAGE_WORDS + at) as u32;
                chain.push((Last { index, value: page.value[at], clock, skip: 0 }, false));
            }
        }
        chain.sort_unstable_by_key(|(last, _)| last.index);
        let untouched = |index| (Last { index, ..Last::default() }, false);
        if chain.first().is_none_or(|(first, _)| first.index != RAM_START >> 2) {
            chain.insert(0, untouched(RAM_START >> 2));
        }
        let mut i = 0;
        while i < chain.len() {
            let index = chain[i].0.index;
            let next = chain.get(i + 1).map_or(RAM_END >> 2, |(last, _)| last.index);
            if next - index > 1 << SKIP_BITS {
                chain.insert(i + 1, untouched(index + (1 << SKIP_BITS)));
                continue;
            }
            chain[i].0.skip = next - index - 1;
            i += 1;
        }
        self.image = chain.iter().filter(|(_, imaged)| *imaged).map(|(last, _)| *last).collect();
        self.zeroed = chain.into_iter().filter(|(_, imaged)| !imaged).map(|(last, _)| last).collect();
        self.pages = Vec::new();
    }
}

impl Observer for Recorder {
    const ON: bool = true;

    #[inline]
    fn retire(&mut self, step: &Step) {
        let clock = self.clock;
        self.clock += TICKS;
        let op = step.inst.op;
        let mut before = [0; 5];
        before[slot::RS1] = self.read(u32::from(step.inst.rs1), clock);
        let has_rs2 = matches!(
            op,
            Op::Add | Op::Sub | Op::And | Op::Or | Op::Xor | Op::Sll | Op::Srl | Op::Sra | Op::Slt | Op::Sltu
        ) || op.is_branch()
            || op.is_store()
            || matches!(op, Op::Mul | Op::Mulh | Op::Mulhsu | Op::Mulhu | Op::Div | Op::Divu | Op::Rem | Op::Remu);
        if has_rs2 {
            before[slot::RS2] = self.read(u32::from(step.inst.rs2), clock + 1);
        }
        let mut step = *step;
        if op.is_load() || op.is_store() {
            let tick = clock + if op.is_load() { 1 } else { 2 };
            let index = step.addr >> 2;
            before[slot::MEM] = self.word(index, tick, step.words[0]);
            if step.addr % 4 + op.width() > 4 {
                before[slot::MEM2] = self.word(index + 1, tick + 1, step.words[1]);
            }
        }
        if !(op.is_branch() || op.is_store()) {
            let rd = if step.inst.rd == 0 { SINK } else { u32::from(step.inst.rd) };
            step.rd_before = self.values[rd as usize];
            before[slot::RD] = self.register(rd, clock + 3, step.rd);
        }
        self.table(&step).push(Row { step, clock, before });
    }

    fn ecall(&mut self, pc: u32, call: Call, result: Option<u32>) {
        let clock = self.clock;
        self.clock += CALL_TICKS;
        let args = [self.values[10], self.values[11], self.values[12]];
        let mut before = [0; 5];
        for (i, register) in [17, 10, 11, 12].into_iter().enumerate() {
            before[i] = self.read(register, clock + i as u32);
        }
        match result {
            Some(result) => {
                self.register(10, clock + 4, result);
            }
            None => before[4] = self.read(OUTPUT_LENGTH, clock + 4),
        }
        let written = self.values[OUTPUT_LENGTH as usize];
        let result = result.unwrap_or(0);
        self.calls.push(CallRow { pc: pc >> 2, clock, call, result, args, written, before });
    }

    fn byte(&mut self, dir: Dir, addr: u32, byte: u8, word_before: u32, word_after: u32) {
        let clock = self.clock;
        self.clock += TICKS;
        let Some(call) = self.calls.last() else { return };
        let (pc, ptr, moved) = (call.pc, call.args[1], call.result);
        let written = self.values[OUTPUT_LENGTH as usize];
        let word = self.word(addr >> 2, clock, (word_before, word_after));
        let counter = match dir {
            Dir::Write => self.register(OUTPUT_LENGTH, clock + 1, written + 1),
            Dir::Read => 0,
        };
        self.bytes.push(ByteRow {
            dir,
            pc,
            clock,
            addr,
            remaining: moved - addr.wrapping_sub(ptr),
            byte,
            words: [word_before, word_after],
            written,
            before: [word, counter],
        });
    }
}
