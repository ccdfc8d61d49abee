//! Traces that a dishonest prover might try, each an attack on one argument of the machine; all are
//! reported by `check`.

mod common;

use std::collections::BTreeSet;

use common::Run;
use common::grid::{Asm, DATA};
use trilemma_arith::air::Instance;
use trilemma_core::setting::KoalaBear4;
use trilemma_frontends::riscv::isa::Op;
use trilemma_frontends::riscv::memory::{RAM_END, RAM_START};
use trilemma_piop::check::Violation;

/// A trace being forged.
struct Forgery {
    run: Run,
    trace: trilemma_arith::Trace,
}

impl Forgery {
    fn new(run: Run) -> Self {
        run.assert_sound::<KoalaBear4>("before it is forged");
        Self { trace: run.trace.clone(), run }
    }

    /// The number of a table and of its columns.
    fn table(&self, name: &str) -> (usize, Vec<&'static str>) {
        let air = self.run.machine.air::<KoalaBear4>();
        let t = air.tables.iter().position(|t| t.shape().name == name).unwrap();
        (t, air.tables[t].shape().columns.iter().map(|c| c.name).collect())
    }

    /// The first instance of a table.
    fn instance(&mut self, table: usize) -> &mut Instance {
        self.trace.instances.iter_mut().find(|i| i.table == table).unwrap()
    }

    fn rows(&self, name: &str) -> usize {
        let (table, columns) = self.table(name);
        let instances = self.trace.instances.iter().filter(|i| i.table == table);
        instances.map(|i| i.cells.len() / columns.len()).sum()
    }

    fn get(&mut self, name: &str, row: usize, column: &str) -> u32 {
        let (table, columns) = self.table(name);
        let at = row * columns.len() + columns.iter().position(|c| *c == column).unwrap();
        self.instance(table).cells[at]
    }

    fn set(&mut self, name: &str, row: usize, cells: &[(&str, u32)]) {
        let (table, columns) = self.table(name);
        let width = columns.len();
        let instance = self.instance(table);
        instance.cells.resize(instance.cells.len().max((row + 1) * width), 0);
        for (column, value) in cells {
            instance.cells[row * width + columns.iter().position(|c| c == column).unwrap()] = *value;
        }
        while instance.cells.len() > width << instance.log_height {
            instance.log_height += 1;
        }
    }

    /// Appends a row like another one, cells changed.
    fn append_like(&mut self, name: &str, row: usize, cells: &[(&str, u32)]) {
        let (_, columns) = self.table(name);
        let like: Vec<(&str, u32)> = columns.iter().map(|&c| (c, self.get(name, row, c))).collect();
        let last = self.rows(name);
        self.set(name, last, &like);
        self.set(name, last, cells);
    }

    /// Violations, ranges looked up by the prover's own count left aside: it would adapt it.
    fn violations(&self) -> Vec<Violation> {
        let mut violations = self.run.violations::<KoalaBear4>(&self.trace);
        violations.retain(|v| !matches!(v, Violation::Bus { bus, tuple, .. } if *bus == "range" && in_range(tuple)));
        violations
    }

    /// The buses and tables that refuse the trace, with the violations as text.
    fn refusals(&self) -> (BTreeSet<&'static str>, Vec<String>) {
        let violations = self.violations();
        let names = violations.iter().map(|v| match v {
            Violation::Bus { bus, .. } => *bus,
            Violation::Constraint { table, .. } => *table,
        });
        (names.collect(), violations.iter().map(ToString::to_string).collect())
    }

    /// Asserts that these buses and tables refuse the trace, and no other.
    #[track_caller]
    fn refused_by(&self, on: &[&'static str]) {
        let (names, shown) = self.refusals();
        assert_eq!(names, on.iter().copied().collect(), "{shown:?}");
    }
}

fn in_range(tuple: &[String]) -> bool {
    let [x, bits] = [&tuple[0], &tuple[1]].map(|x| x.parse::<u64>().unwrap());
    bits <= 16 && x < 1 << bits
}

/// Writes a word, reads input over it, prints some, and exits.
fn small() -> Run {
    let mut a = Asm::default();
    a.set(5, DATA);
    a.set(6, 0x1234_5678);
    a.op(Op::Sw, 0, 5, 6, 0);
    a.op(Op::Lw, 7, 5, 0, 0);
    a.op(Op::Add, 7, 7, 6, 0);
    a.op(Op::Jal, 0, 0, 0, 8);
    a.op(Op::Addi, 7, 0, 0, 0);
    a.call(63, [0, DATA + 2, 5]);
    a.call(64, [3, DATA, 6]);
    Run::new(&a.exit(3), b"abc")
}

/// Runs long enough for a register to need a touch.
fn long() -> Run {
    let mut a = Asm::default();
    a.set(9, 77);
    a.set(5, 9000);
    a.op(Op::Addi, 5, 5, 0, -1);
    a.op(Op::Bne, 0, 5, 0, -4);
    a.op(Op::Add, 6, 9, 9, 0);
    Run::new(&a.exit(0), &[])
}

/// Row of `zeroed memory` of a word.
fn zeroed_row(f: &mut Forgery, word: u32) -> usize {
    let rows = f.rows("zeroed memory");
    let index =
        |f: &mut Forgery, r| f.get("zeroed memory", r, "index lo") | f.get("zeroed memory", r, "index hi") << 16;
    (0..rows).find(|&r| index(f, r) == word).unwrap()
}

/// Teaches: a word of memory has one history (Jolt, Airbender: two initial values).
#[test]
fn a_word_twice_in_zeroed_memory() {
    let mut f = Forgery::new(small());
    let row = zeroed_row(&mut f, DATA >> 2);
    f.append_like("zeroed memory", row, &[("last lo", 0), ("last hi", 0), ("last clock", 0)]);
    f.refused_by(&["order"]);
    // With its own token of the chain: the link before now leads to it and it to itself.
    f.append_like("zeroed memory", row, &[("skip lo", 0), ("skip hi", 0)]);
    f.refused_by(&["memory", "order"]);
}

/// Teaches: memory that the program's image initialises does not start as zero.
#[test]
fn a_word_in_the_image_and_in_zeroed_memory() {
    let mut f = Forgery::new(small());
    let code = common::BASE >> 2;
    f.append_like(
        "zeroed memory",
        0,
        &[("index lo", code & 0xffff), ("index hi", code >> 16), ("last lo", 0), ("last hi", 0), ("last clock", 0)],
    );
    f.refused_by(&["order"]);
}

/// Teaches: the chain of memory ends where RAM does, and begins there.
#[test]
fn words_outside_ram() {
    for word in [(RAM_START >> 2) - 1, 0, RAM_END >> 2, (1 << 30) - 1] {
        let mut f = Forgery::new(small());
        let cells =
            [("index lo", word & 0xffff), ("index hi", word >> 16), ("last lo", 0), ("last hi", 0), ("last clock", 0)];
        f.append_like("zeroed memory", 0, &cells);
        f.refused_by(&["order"]);
        // One that would join the chain behind its end needs an index or a skip out of range.
        if word >= RAM_END >> 2 {
            let mut f = Forgery::new(small());
            let last = f.rows("zeroed memory") - 1;
            let p = 2_130_706_433u64;
            let back = (p + u64::from(RAM_START >> 2) - u64::from(word) - 1) as u32;
            f.append_like("zeroed memory", last, &cells);
            let row = f.rows("zeroed memory") - 1;
            f.set("zeroed memory", row, &[("skip lo", back & 0xffff), ("skip hi", back >> 16)]);
            f.refused_by(&["order", "range"]);
        }
    }
}

/// Teaches: an access comes after the one before it, also when the clock wraps (Ceno, OpenVM).
#[test]
fn touches_that_go_back_in_time() {
    let mut f = Forgery::new(long());
    assert!(f.rows("touch register") > 0);
    let now = f.get("touch register", 0, "now lo") | f.get("touch register", 0, "now hi") << 16;
    // The access before it at the same time: the gap is p - 1.
    f.set("touch register", 0, &[("last", now), ("gap lo", 0), ("gap hi", 0x7f00)]);
    f.refused_by(&["range", "registers"]);
    f.set("touch register", 0, &[("last", now), ("gap lo", 0), ("gap hi", 0)]);
    f.refused_by(&["registers", "touch register"]);
    // Or after it, by a gap of p - 2.
    f.set("touch register", 0, &[("last", now + 1), ("gap lo", 0xffff), ("gap hi", 0x7eff)]);
    f.refused_by(&["range", "registers"]);
    // A touch that nothing precedes.
    let mut f = Forgery::new(long());
    f.append_like("touch register", 0, &[("lo", 1)]);
    f.refused_by(&["registers"]);
}

/// Teaches: padding sends no token of control (OpenVM, Miden).
#[test]
fn control_forged_by_padding() {
    let mut f = Forgery::new(small());
    // Skip the addition: the load hands control to what follows, the addition becomes padding.
    f.set("add", 0, &[("real", 0)]);
    f.refused_by(&["exec", "program", "registers"]);
    // A row that is only half there.
    let mut f = Forgery::new(small());
    f.set("add", 1, &[("pc", (common::BASE >> 2) + 5), ("clock", 28), ("real", 2)]);
    f.refused_by(&["add", "exec", "program", "registers"]);
    let mut f = Forgery::new(small());
    let done = f.rows("bytewise");
    f.set("bytewise", done, &[("done", 1), ("pc", common::BASE >> 2), ("clock", 1000)]);
    f.refused_by(&["bytewise", "exec"]);
    let mut f = Forgery::new(small());
    let calls = f.rows("ecall");
    f.set("ecall", calls, &[("direct", 1), ("pc", common::BASE >> 2), ("clock", 1000)]);
    f.refused_by(&["bytewise", "ecall", "exec"]);
}

/// Teaches: one token of control: an instruction is not executed twice, nor left out.
#[test]
fn instructions_twice_or_not_at_all() {
    let mut f = Forgery::new(small());
    f.append_like("add", 0, &[]);
    f.refused_by(&["exec", "program", "registers"]);
    let mut f = Forgery::new(small());
    let (table, columns) = f.table("load word");
    let width = columns.len();
    let rows = f.rows("load word");
    f.instance(table).cells.truncate(width * (rows - 1));
    f.refused_by(&["exec", "memory", "program", "registers"]);
}

/// Teaches: a read moves no more than was asked for, and a write exactly that.
#[test]
fn reads_longer_than_asked() {
    let mut f = Forgery::new(small());
    let reads = (0..f.rows("ecall")).find(|&r| f.get("ecall", r, "input") == 1).unwrap();
    assert_eq!(f.get("ecall", reads, "a2 lo"), 5);
    f.set("ecall", reads, &[("n lo", 6), ("rest lo", 0xffff), ("rest hi", 0xffff)]);
    f.refused_by(&["bytewise", "ecall", "registers"]);
    f.set("ecall", reads, &[("n lo", 6), ("rest lo", 0), ("rest hi", 0)]);
    f.refused_by(&["bytewise", "ecall", "registers"]);
    let mut f = Forgery::new(small());
    let writes = (0..f.rows("ecall")).find(|&r| f.get("ecall", r, "output") == 1).unwrap();
    f.set("ecall", writes, &[("n lo", 4), ("rest lo", 2)]);
    f.refused_by(&["bytewise", "ecall", "registers"]);
}

/// Teaches: a token with no byte left is a dead end, not a way round the bytes.
#[test]
fn bytes_that_never_end() {
    let mut f = Forgery::new(small());
    let last = (0..f.rows("bytewise")).find(|&r| f.get("bytewise", r, "done") == 1).unwrap();
    f.set("bytewise", last, &[("done", 0)]);
    f.refused_by(&["bytewise", "exec"]);
    f.refused_by(&["bytewise", "exec"]);
}

/// Teaches: the output is what was written, every byte once and in order.
#[test]
fn output_that_skips() {
    let mut f = Forgery::new(small());
    let first = (0..f.rows("bytewise")).find(|&r| f.get("bytewise", r, "write") == 1).unwrap();
    f.set("bytewise", first, &[("written", 1)]);
    f.refused_by(&["output", "registers"]);
    f.refused_by(&["output", "registers"]);
    // Two bytes that change places.
    let mut f = Forgery::new(small());
    f.set("bytewise", first, &[("written", 1)]);
    f.set("bytewise", first + 1, &[("written", 0)]);
    f.refused_by(&["output", "registers"]);
    // Another byte than memory holds.
    let mut f = Forgery::new(small());
    let byte = f.get("bytewise", first, "byte");
    f.set("bytewise", first, &[("byte", byte ^ 1)]);
    f.refused_by(&["bytewise", "output"]);
    // An exit that claims fewer bytes.
    let mut f = Forgery::new(small());
    let exit = (0..f.rows("ecall")).find(|&r| f.get("ecall", r, "exit") == 1).unwrap();
    f.set("ecall", exit, &[("written", 5)]);
    f.refused_by(&["exit", "registers"]);
}

/// Teaches: the statement is part of what is proven: exit code, output, its length.
#[test]
fn another_statement() {
    let run = small();
    let air = run.machine.air::<KoalaBear4>();
    let (code, output) = (run.outcome.exit_code, run.outcome.output.clone());
    let refused = |code: u32, output: &[u8]| {
        let statement = run.machine.statement(code, output);
        !trilemma_piop::check::check(&air, &statement, &run.trace, 5).is_empty()
    };
    assert!(!refused(code, &output));
    assert!(refused(code + 1, &output) && refused(code | 1 << 16, &output));
    assert!(refused(code, &output[1..]) && refused(code, &output[..5]) && refused(code, &[]));
    let mut other = output.clone();
    other.push(0);
    assert!(refused(code, &other));
    other.pop();
    other.swap(0, 5);
    assert!(refused(code, &other));
}

/// Teaches: only what the verifying key holds is executed (Airbender, SP1: program not bound).
#[test]
fn instructions_that_are_not_in_the_program() {
    let mut f = Forgery::new(small());
    f.set("addi", 0, &[("imm lo", 1)]);
    f.refused_by(&["addi", "program"]);
    let mut f = Forgery::new(small());
    let pc = f.get("add", 0, "pc");
    f.set("add", 0, &[("rs2", 0)]);
    f.refused_by(&["program", "registers"]);
    // A jump out of the program, to a row that is not there.
    let mut f = Forgery::new(small());
    f.append_like("add", 0, &[("pc", pc + 1000)]);
    f.refused_by(&["exec", "program", "registers"]);
    // The instruction of the class next to it.
    let mut f = Forgery::new(small());
    let (add, columns) = f.table("add");
    let (sub, _) = f.table("sub");
    let mut cells = f.instance(add).cells.clone();
    cells.truncate(columns.len());
    f.instance(add).cells.clear();
    let at = f.trace.instances.iter().position(|i| i.table > add).unwrap();
    f.trace.instances.insert(at, Instance { table: sub, log_height: 2, cells });
    f.refused_by(&["program", "sub"]);
}

/// Teaches: what is written to x0 is gone.
#[test]
fn x0_with_a_value() {
    let mut f = Forgery::new(small());
    let (_, columns) = f.table("jump");
    assert!(columns.contains(&"a lo"));
    f.set("jump", 0, &[("a lo", 4)]);
    f.refused_by(&["jump", "registers"]);
}
