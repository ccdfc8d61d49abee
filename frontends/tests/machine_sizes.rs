//! Tables of every awkward size: empty, one row, one short of a power of two, exactly one; and
//! executions so long that places lie untouched for more than `2^16` ticks.

mod common;

use common::Run;
use common::grid::{Asm, DATA};
use trilemma_core::setting::KoalaBear4;
use trilemma_frontends::riscv::isa::Op;

/// Rows of a table in use, and with padding.
fn rows(run: &Run, name: &str) -> (usize, usize) {
    let air = run.machine.air::<KoalaBear4>();
    let t = air.tables.iter().position(|t| t.shape().name == name).unwrap();
    let width = air.tables[t].shape().columns.len();
    let instances = run.trace.instances.iter().filter(|i| i.table == t);
    instances.fold((0, 0), |(rows, padded), i| (rows + i.cells.len() / width, padded + (1 << i.log_height)))
}

/// A program with `n` additions, multiplications, words loaded and bytes printed.
fn sized(n: usize) -> Run {
    let mut a = Asm::default();
    a.set(5, DATA);
    for i in 0..n {
        a.op(Op::Add, 6, 6, 5, 0);
        a.op(Op::Mul, 7, 6, 5, 0);
        a.op(Op::Lw, 8, 5, 0, 4 * i as i32);
    }
    a.call(64, [3, DATA, n as u32]);
    Run::new(&a.exit(0), &[])
}

/// Teaches: a table may be empty, and padding may be none (OpenVM, Miden, Jolt, Airbender).
#[test]
fn tables_of_awkward_sizes() {
    for n in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65] {
        let run = sized(n);
        run.assert_sound::<KoalaBear4>(&format!("{n} rows"));
        let padded = if n == 0 { 0 } else { n.next_power_of_two().max(4) };
        for table in ["add", "mul", "load word", "bytewise"] {
            assert_eq!(rows(&run, table), (n, padded), "{table}");
        }
        assert_eq!(rows(&run, "div"), (0, 0));
        assert_eq!(run.outcome.output, vec![0; n]);
    }
}

/// Teaches: the shortest program, whose image and program tables are mostly padding.
#[test]
fn programs_of_awkward_sizes() {
    for n in 0..6 {
        let mut a = Asm::default();
        (0..n).for_each(|_| a.op(Op::Fence, 0, 0, 0, 0));
        a.op(Op::Addi, 17, 0, 0, 93);
        a.op(Op::Ecall, 0, 0, 0, 0);
        Run::new(&a.code, &[]).assert_sound::<KoalaBear4>(&format!("{} instructions", n + 2));
    }
}

/// Counts down from `n`, between one use of a register and of a word and the next.
fn pause(n: u32) -> Run {
    let mut a = Asm::default();
    a.set(5, DATA);
    a.set(6, 0xabcd_ef01);
    a.op(Op::Sw, 0, 5, 6, 0);
    a.set(9, n);
    a.op(Op::Addi, 9, 9, 0, -1);
    a.op(Op::Bne, 0, 9, 0, -4);
    a.op(Op::Lw, 7, 5, 0, 0);
    a.op(Op::Sb, 0, 5, 6, 3);
    a.op(Op::Sub, 10, 7, 6, 0);
    a.op(Op::Addi, 17, 0, 0, 93);
    a.op(Op::Ecall, 0, 0, 0, 0);
    Run::new(&a.code, &[])
}

/// Teaches: the gap between two accesses is bridged exactly when a range check cannot hold it.
#[test]
fn places_left_alone_for_long() {
    // A round is 8 ticks. Registers that only the exit uses are 55 ticks of other instructions from the
    // start of time, the two uses of the word 10.
    for n in [8180, 8184, 8185, 8186, 8189, 8190, 8191, 8192, 20_000, 100_000] {
        let run = pause(n);
        run.assert_sound::<KoalaBear4>(&format!("{n} rounds"));
        assert_eq!(run.outcome.exit_code, 0);
        let (registers, words) = (rows(&run, "touch register").0, rows(&run, "touch memory").0);
        assert_eq!(
            (registers > 0, words > 0),
            (55 + 8 * n >= 1 << 16, 10 + 8 * n >= 1 << 16),
            "{n}: {registers}, {words}"
        );
    }
}

/// Teaches: many instances of one table, cut where padding would be large.
#[test]
fn tables_cut_into_instances() {
    let run = pause(70_000);
    let air = run.machine.air::<KoalaBear4>();
    let addi = air.tables.iter().position(|t| t.shape().name == "addi").unwrap();
    let heights: Vec<usize> = run.trace.instances.iter().filter(|i| i.table == addi).map(|i| i.log_height).collect();
    assert!(heights.len() > 1 && heights.is_sorted_by(|a, b| a >= b), "{heights:?}");
    run.assert_sound::<KoalaBear4>("instances");
}
