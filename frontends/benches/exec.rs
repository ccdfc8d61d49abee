//! Instructions per second of the executor: `cargo bench -p trilemma-frontends`.

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use trilemma_frontends::riscv::elf::Program;
use trilemma_frontends::riscv::exec::{Call, Dir, Observer, Silent, Step, execute};

/// Guests and the `n` each is run with, large enough that set-up does not count.
const RUNS: &[(&str, u32)] = &[("fibonacci", 2_000_000), ("sha256", 200_000), ("sort", 50_000), ("matmul", 96)];

/// An observer that keeps something of every step, so that reporting cannot be optimised away.
struct Fold(u64);

impl Observer for Fold {
    const ON: bool = true;

    fn retire(&mut self, step: &Step) {
        self.0 = self.0.wrapping_add(u64::from(step.rd ^ step.addr ^ step.words[0].1 ^ step.rd_before));
    }

    fn ecall(&mut self, pc: u32, _: Call, _: Option<u32>) {
        self.0 += u64::from(pc);
    }

    fn byte(&mut self, _: Dir, _: u32, byte: u8, _: u32, _: u32) {
        self.0 += u64::from(byte);
    }
}

fn instructions_per_second(c: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/elf");
    let mut group = c.benchmark_group("execute");
    group.sample_size(10);
    for &(name, n) in RUNS {
        let Ok(elf) = std::fs::read(folder.join(name).with_extension("elf")) else {
            println!("skipped {name}: there is no such guest");
            continue;
        };
        let program = Program::from_elf(&elf).expect("a guest is a program");
        let input = n.to_le_bytes();
        let cycles = execute(&program, &input, u64::MAX, &mut Silent).expect("a guest exits").cycles;
        println!("{name}, n = {n}: {cycles} instructions");
        group.throughput(Throughput::Elements(cycles));
        group.bench_function(BenchmarkId::new("silent", name), |b| {
            b.iter(|| execute(&program, black_box(&input), u64::MAX, &mut Silent));
        });
        group.bench_function(BenchmarkId::new("observed", name), |b| {
            b.iter(|| {
                let mut fold = Fold(0);
                let outcome = execute(&program, black_box(&input), u64::MAX, &mut fold);
                (outcome, fold.0)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, instructions_per_second);
criterion_main!(benches);
