//! `exec`: runs a program without proving it.

use std::time::Instant;

use serde_json::json;
use trilemma_frontends::riscv::exec::{Silent, execute};
use trilemma_reports::format;

use super::{Reply, readable, table};
use crate::cli::Exec;
use crate::fault::Fault;
use crate::files;

pub(super) fn run(args: &Exec) -> Result<Reply, Fault> {
    let program = files::program(&args.elf)?;
    let input = args.input.input().bytes()?;
    let start = Instant::now();
    let outcome = execute(&program, &input, args.max_cycles, &mut Silent)
        .map_err(|error| Fault::from(error).about(args.elf.display()))?;
    let seconds = start.elapsed().as_secs_f64();
    let rate = outcome.cycles as f64 / seconds.max(1e-9);
    if !outcome.debug.is_empty() {
        eprint!("{}", String::from_utf8_lossy(&outcome.debug));
    }
    let text = table(&[
        ("exit code", outcome.exit_code.to_string()),
        ("output", readable(&outcome.output)),
        ("cycles", format::grouped(outcome.cycles)),
        ("misaligned", format::grouped(outcome.misaligned)),
        ("time", format!("{} ({})", format::time(seconds * 1e9), format::rate(rate))),
    ]);
    let json = json!({
        "exit_code": outcome.exit_code,
        "output": hex::encode(&outcome.output),
        "debug": String::from_utf8_lossy(&outcome.debug),
        "cycles": outcome.cycles,
        "misaligned": outcome.misaligned,
        "wall_ns": (seconds * 1e9) as u64,
        "program": hex::encode(program.digest),
    });
    Ok(Reply { text, json })
}
