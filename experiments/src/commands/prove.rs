//! `prove`: runs a program and proves the run.

use std::process;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trilemma_backends::Proved;
use trilemma_core::security::Standing;
use trilemma_reports::format;

use super::{Reply, readable, resolve, table};
use crate::cli::Prove;
use crate::container::{self, About, ProofHeader};
use crate::fault::Fault;
use crate::files;
use crate::sensors;
use crate::worker::traits;

pub(super) fn run(args: &Prove) -> Result<Reply, Fault> {
    if let Some(gib) = args.memory_gib {
        guard_memory(gib)?;
    }
    let program = files::program(&args.elf)?;
    let input = args.input.input().bytes()?;
    let (pipeline, options) = (args.pipeline.pipeline(), args.pipeline.options());
    let about = About::new(&pipeline, &options, &program)?;
    files::check_directory(&args.output)?;
    let start = Instant::now();
    let system = resolve(&pipeline, &options)?;
    let setup = start.elapsed();
    let start = Instant::now();
    let keys = system.keys(&program)?;
    let about_guest = |failure| Fault::from(failure).about(args.elf.display());
    keys.prepare(&input, args.max_cycles).map_err(about_guest)?;
    let keygen = start.elapsed();
    let start = Instant::now();
    let proved = keys.prove(&input, args.max_cycles).map_err(about_guest)?;
    let total = start.elapsed();
    let header = ProofHeader::new(about, &proved.public);
    files::write(&args.output, &container::encode(&header, &proved.proof))?;
    let peak = sensors::peak_bytes("self").ok();
    let before = [("setup", setup), ("keygen", keygen)];
    let json = json!({
        "file": args.output,
        "about": header.about,
        "properties": traits(&system.properties()),
        "exit_code": header.exit_code,
        "output": header.output,
        "proof_bytes": proved.proof.len(),
        "cost": proved.cost,
        "bits": proved.ledger.bits(),
        "ledger": proved.ledger,
        "phases": phases(&proved, &before, total),
        "peak_bytes": peak,
    });
    Ok(Reply { text: describe(args, &proved, &before, total, peak), json })
}

/// A phase's name and wall time.
type Phase = (&'static str, Duration);

fn phases(proved: &Proved, before: &[Phase], total: Duration) -> Value {
    let total = [("prove_total", total)];
    let all = before.iter().chain(&total).chain(&proved.phases);
    let all = all.map(|(name, d)| (format!("{name}_ns"), json!(d.as_nanos() as u64)));
    Value::Object(all.collect())
}

fn describe(args: &Prove, proved: &Proved, before: &[Phase], total: Duration, peak: Option<u64>) -> String {
    let time = |d: Duration| format::time(d.as_nanos() as f64);
    let cost = &proved.cost;
    let per_cycle = |n: u64| format!("{} ({:.1} per cycle)", format::grouped(n), n as f64 / cost.cycles.max(1) as f64);
    let mut rows = vec![
        ("proof", format!("{}, {}", args.output.display(), format::bytes(proved.proof.len() as f64))),
        ("exit code", proved.public.exit_code.to_string()),
        ("output", readable(&proved.public.output)),
        ("cycles", format::grouped(cost.cycles)),
        ("prover time", format!("{} ({})", time(total), format::rate(cost.cycles as f64 / total.as_secs_f64()))),
    ];
    let parts: Vec<String> = proved.phases.iter().map(|(name, d)| format!("{name} {}", time(*d))).collect();
    rows.push(("phases", parts.join(", ")));
    rows.extend(before.iter().map(|(name, d)| (*name, time(*d))));
    if let Some(peak) = peak {
        rows.push(("peak memory", format::bytes(peak as f64)));
    }
    rows.push(("rows", format!("{} ({} padded)", format::grouped(cost.rows), format::grouped(cost.padded_rows))));
    rows.push(("committed cells", per_cycle(cost.committed_cells)));
    rows.push(("interactions", per_cycle(cost.interactions)));
    rows.push(("security", format!("{:.1} bits", proved.ledger.bits())));
    let mut text = table(&rows);
    text.push_str("\nerror terms (bits + grinding)\n");
    let weakest = [Standing::Proven, Standing::Assumed].map(|standing| proved.ledger.weakest(standing));
    for term in &proved.ledger.terms {
        let mark = if weakest.contains(&Some(term)) { " <- weakest" } else { "" };
        let standing = if term.standing == Standing::Proven { "proven" } else { "assumed" };
        text.push_str(&format!(
            "{:8.1} + {:2}  {standing:7}  {}  {}{mark}\n",
            term.bits, term.grinding, term.name, term.reference
        ));
    }
    text
}

/// Ends this process with a sentence when it grows above a limit.
fn guard_memory(gib: f64) -> Result<(), Fault> {
    if !(gib > 0.0 && gib.is_finite()) {
        return Err(Fault::Usage("--memory-gib: must be a positive number".into()));
    }
    sensors::resident_bytes()
        .map_err(|reason| Fault::Usage(format!("--memory-gib: cannot be watched here: {reason}")))?;
    let limit = (gib * f64::from(1 << 30)) as u64;
    thread::spawn(move || {
        loop {
            if sensors::resident_bytes().is_ok_and(|bytes| bytes > limit) {
                eprintln!("error: the memory limit of {gib} GiB is reached");
                process::exit(1);
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
    Ok(())
}
