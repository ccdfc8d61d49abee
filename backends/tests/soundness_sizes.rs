//! Executions whose tables have awkward sizes prove and verify, not only satisfy `check`.

use trilemma_backends::{Pipeline, system};
use trilemma_core::{Options, Security};
use trilemma_frontends::riscv::Program;
use trilemma_frontends::riscv::isa::{Inst, Op, encode};

/// Data, far from code.
const DATA: i32 = 0x20_0000;

/// `n` additions and words loaded, then as many bytes printed; `rounds` of a loop before the end, long
/// enough to leave registers alone for more than `2^16` ticks.
fn program(n: usize, rounds: i32) -> Program {
    let mut code = vec![Inst::new(Op::Lui, 5, 0, 0, DATA)];
    for i in 0..n {
        code.push(Inst::new(Op::Add, 6, 6, 5, 0));
        code.push(Inst::new(Op::Lw, 7, 5, 0, 4 * i as i32));
    }
    if n > 0 {
        for (register, value) in [(17, 64), (10, 3), (12, n as i32)] {
            code.push(Inst::new(Op::Addi, register, 0, 0, value));
        }
        code.push(Inst::new(Op::Add, 11, 5, 0, 0));
        code.push(Inst::new(Op::Ecall, 0, 0, 0, 0));
    }
    if rounds > 0 {
        code.push(Inst::new(Op::Lui, 9, 0, 0, rounds << 12));
        code.push(Inst::new(Op::Addi, 9, 9, 0, -1));
        code.push(Inst::new(Op::Bne, 0, 9, 0, -4));
        code.push(Inst::new(Op::Lw, 7, 5, 0, 0));
    }
    code.push(Inst::new(Op::Addi, 10, 0, 0, 0));
    code.push(Inst::new(Op::Addi, 17, 0, 0, 93));
    code.push(Inst::new(Op::Ecall, 0, 0, 0, 0));
    let words: Vec<u32> = code.into_iter().map(encode).collect();
    Program::from_words(0x1_0000, &words).unwrap()
}

/// Teaches: empty tables, tables of one row, full tables and tables with one row of padding; and
/// accesses that a `touch` bridges.
#[test]
fn awkward_sizes_prove() {
    let security = Security { bits: 80, ..Security::default() };
    let options = Options { security, ..Options::default() };
    let system = system(&Pipeline("air/uni-stark/fri/koalabear4".into()), &options).unwrap();
    for (n, rounds) in [(0, 0), (1, 0), (3, 0), (4, 0), (5, 0), (8, 5)] {
        let keys = system.keys(&program(n, rounds)).unwrap();
        let proved = keys.prove(&[], 1 << 20).unwrap();
        assert_eq!((proved.public.exit_code, proved.public.output.len()), (0, n));
        let tables = |name: &str| proved.cost.tables.iter().find(|t| t.name == name).map_or(0, |t| t.rows);
        let adds = if n == 0 { 0 } else { n as u64 + 1 };
        assert_eq!((tables("add"), tables("bytewise")), (adds, n as u64));
        assert_eq!(tables("touch register") > 0, rounds > 2, "{:?}", proved.cost.tables);
        assert!(keys.verify(&proved.public, &proved.proof).is_ok(), "{n} rows, {rounds} rounds");
    }
}
