//! Proves one guest through one pipeline and prints where the time went:
//! `cargo run --release -p trilemma-backends --example prove -- GUEST N PIPELINE [HASH]`.

use std::time::Instant;

use trilemma_backends::{Pipeline, system};
use trilemma_core::Options;
use trilemma_frontends::riscv::Program;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let n: u32 = args[1].parse().expect("N");
    let mut options = Options::default();
    if let Some(hash) = args.get(3) {
        options.hash.clone_from(hash);
    }
    let elf = std::fs::read(&args[0]).expect("ELF");
    let program = Program::from_elf(&elf).expect("program");
    let system = system(&Pipeline(args[2].clone()), &options).expect("pipeline");
    let start = Instant::now();
    let keys = system.keys(&program).expect("keys");
    println!("keys {:?}", start.elapsed());
    let start = Instant::now();
    keys.prepare(&n.to_le_bytes(), 1 << 26).expect("keys");
    println!("prepared {:?}", start.elapsed());
    for _ in 0..2 {
        let start = Instant::now();
        let proved = keys.prove(&n.to_le_bytes(), 1 << 26).expect("proof");
        let total = start.elapsed();
        for (phase, time) in &proved.phases {
            println!("  {phase} {time:?}");
        }
        let start = Instant::now();
        let ledger = keys.verify(&proved.public, &proved.proof).expect("verifies");
        let verify = start.elapsed();
        let c = &proved.cost;
        println!(
            "{} cycles in {total:?}: {:.0} Hz; proof {} bytes; verify {verify:?}; cells/cycle {:.1} interactions/cycle {:.1}; bits {:.1}",
            c.cycles,
            c.cycles as f64 / total.as_secs_f64(),
            proved.proof.len(),
            c.committed_cells as f64 / c.cycles as f64,
            c.interactions as f64 / c.cycles as f64,
            ledger.bits()
        );
        for t in &c.tables {
            println!(
                "    {:16} rows {:8} padded {:8} width {:3}+{:3} interactions {}",
                t.name, t.rows, t.padded_rows, t.width, t.helper_width, t.interactions
            );
        }
        for t in &ledger.terms {
            println!("    {:24} {:7.1} + {:2} {:?} {}", t.name, t.bits, t.grinding, t.standing, t.reference);
        }
    }
}
