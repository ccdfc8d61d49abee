//! Where `ml_stark` spends its time, over the ideal scheme: `ml_stark ELF N`.

use std::time::Instant;

use trilemma_core::runner::{Binding, Keyed, Runner};
use trilemma_core::setting::KoalaBear4;
use trilemma_core::{MlEval, Options, Piop, Setting};
use trilemma_frontends::riscv::machine::Machine;
use trilemma_frontends::riscv::{Program, execute};
use trilemma_pcs::ideal::Ideal;
use trilemma_piop::ml_stark::MlStark;

fn main() {
    let mut args = std::env::args().skip(1);
    let (elf, n) = (args.next().expect("ELF"), args.next().and_then(|n| n.parse::<u32>().ok()).expect("N"));
    let program = Program::from_elf(&std::fs::read(elf).expect("readable")).expect("an ELF");
    let machine = Machine::new(&program);
    let mut recorder = machine.recorder(&program);
    let outcome = execute(&program, &n.to_le_bytes(), 1 << 24, &mut recorder).expect("runs");
    let statement = machine.statement(outcome.exit_code, &outcome.output);
    let mut trace = Some(machine.trace(recorder).expect("fits"));
    let air = machine.air::<KoalaBear4>();
    let runner =
        Keyed::<KoalaBear4, MlEval<<KoalaBear4 as Setting>::Ext>, Ideal>::new(&Options::default(), 30).expect("keys");
    let index = runner.index(b"", MlStark.index(&air)).expect("an index");
    let start = Instant::now();
    let binding = Binding { protocol: b"", statement: b"" };
    let proven = runner
        .prove(binding, (&index.0, &index.1), &mut |ch| {
            MlStark.prove(&air, &statement, trace.take().unwrap_or_default(), ch)
        })
        .expect("a proof");
    let total = start.elapsed();
    let piop = total - proven.cost.commit - proven.cost.open;
    println!("{} cycles, {} cells", outcome.cycles, proven.cost.cells);
    println!("total {total:.2?}, commit {:.2?}, open {:.2?}, piop {piop:.2?}", proven.cost.commit, proven.cost.open);
    let besides: usize = proven.bytes.iter().filter(|(label, _)| **label != "main").map(|(_, n)| n).sum();
    println!("{besides} bytes besides the columns: {:?}", proven.bytes);
    let start = Instant::now();
    let verdict = runner.verify(binding, &index.0, &proven.proof, &mut |ch| MlStark.verify(&air, &statement, ch));
    println!("verified in {:.2?}: {:?}", start.elapsed(), verdict.map(|(ledger, _)| ledger.bits()));
}
