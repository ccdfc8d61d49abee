//! One measurement in one process: a job on standard input, a row on standard output.

use std::any::Any;
use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use trilemma_backends::{Failure, Pipeline, Proved, Public, System, Verifier};
use trilemma_core::{Options, Properties, ProveError, Reject, Setup};
use trilemma_reports::schema::{Counts, Measurement, Resources, Status, TableSize, Traits};

use crate::commands::resolve;
use crate::container::{self, About, ProofHeader};
use crate::fault::Fault;
use crate::files;
use crate::plan::Job;
use crate::sensors;

/// Tells a worker how many threads to use.
pub const THREADS: &str = "RAYON_NUM_THREADS";

/// Verifications whose median is the verifier's time, if they are fast enough.
const VERIFY_ITERATIONS: u32 = 9;
/// Time after which no further verification starts.
const VERIFY_BUDGET: Duration = Duration::from_millis(1500);

/// Reads a job and writes its row.
pub fn main() -> ExitCode {
    // A supervisor that is killed takes its worker along.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    pin();
    let mut text = String::new();
    if let Err(error) = io::stdin().read_to_string(&mut text) {
        eprintln!("error: standard input: {error}");
        return ExitCode::from(2);
    }
    let job: Job = match serde_json::from_str(&text) {
        Ok(job) => job,
        Err(error) => {
            eprintln!("error: standard input is no job: {error}");
            return ExitCode::from(2);
        }
    };
    let row = measure(&job, &resolve);
    println!("{}", serde_json::to_string(&row).expect("rows have string keys only"));
    ExitCode::SUCCESS
}

/// Keeps a worker of fewer threads than cores on as many cores, before any thread pool starts.
fn pin() {
    let threads = std::env::var(THREADS).ok().and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
    let Ok(allowed) = sched_getaffinity(None) else {
        return;
    };
    if threads >= allowed.count() as usize {
        return;
    }
    let mut chosen = CpuSet::new();
    (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).take(threads).for_each(|cpu| chosen.set(cpu));
    let _ = sched_setaffinity(None, &chosen);
}

/// Finds the proof system of a pipeline.
pub type Resolve = dyn Fn(&Pipeline, &Options) -> Result<Box<dyn System>, Fault>;

/// Measures a job. Whatever goes wrong is a status of the row.
pub fn measure(job: &Job, resolve: &Resolve) -> Measurement {
    let mut row = Measurement::failed(Status::Infra, "");
    let ended = catch_unwind(AssertUnwindSafe(|| fill(job, resolve, &mut row)));
    let (status, reason) = match ended {
        Ok(Ok(())) => (Status::Ok, None),
        Ok(Err((status, reason))) => (status, Some(reason)),
        Err(panic) => (Status::Crash, Some(format!("panic: {}", panic_text(&*panic)))),
    };
    row.status = status;
    row.reason = reason;
    row
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

type Ended = Result<(), (Status, String)>;

fn failure(failure: &Failure) -> (Status, String) {
    let status = match failure {
        Failure::Config(_) | Failure::Prove(ProveError::Config(_)) => Status::Unsupported,
        Failure::Exec(_) => Status::Exit,
        Failure::Prove(ProveError::Unsatisfied(_)) => Status::Crash,
    };
    (status, failure.to_string())
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Calls `f` and tells how long it took.
fn timed<T>(f: impl FnOnce() -> T) -> (T, u64) {
    let start = Instant::now();
    let value = f();
    (value, ns(start.elapsed()))
}

fn fill(job: &Job, resolve: &Resolve, row: &mut Measurement) -> Ended {
    let infra = |fault: Fault| (Status::Infra, fault.to_string());
    let program = files::program(&job.elf).map_err(infra)?;
    let input = job.input.bytes().map_err(infra)?;

    let (system, setup) = timed(|| resolve(&job.pipeline, &job.options));
    let system = system.map_err(|fault| (Status::Unsupported, fault.to_string()))?;
    row.phases.setup_ns = Some(setup);
    row.traits = Some(traits(&system.properties()));
    let (keys, keygen) = timed(|| {
        let keys = system.keys(&program)?;
        keys.prepare(&input, job.max_cycles)?;
        Ok(keys)
    });
    let keys = keys.map_err(|e| failure(&e))?;
    row.phases.keygen_ns = Some(keygen);

    let usage = Usage::start();
    let (proved, total) = timed(|| keys.prove(&input, job.max_cycles));
    row.resources = usage.end();
    let proved = proved.map_err(|e| failure(&e))?;
    row.phases.prove_total_ns = Some(total);
    for (name, duration) in &proved.phases {
        let part = row.phases.part(name).ok_or_else(|| (Status::Infra, format!("`{name}` is no phase")))?;
        *part = Some(ns(*duration));
    }

    let verifying_key = keys.verifying_key();
    row.bits = Some(proved.ledger.bits());
    row.ledger = proved.ledger.clone();
    row.counts = Some(counts(&proved, verifying_key.len()));
    let about = About::new(&job.pipeline, &job.options, &program).map_err(infra)?;
    let header = ProofHeader::new(about, &proved.public);
    row.phases.serialize_ns = Some(timed(|| container::encode(&header, &proved.proof)).1);
    if proved.public != job.expected {
        let text = format!("proven: {:?}; executed: {:?}", proved.public, job.expected);
        return Err((Status::OutputMismatch, text));
    }
    drop(keys);
    check(&*system, &verifying_key, &proved, job.tamper_seed, row)
}

/// Verifies with nothing but the key's bytes, in a loop, and then tries two forgeries.
fn check(system: &dyn System, verifying_key: &[u8], proved: &Proved, seed: u64, row: &mut Measurement) -> Ended {
    let refused = |reject: Reject| (Status::VerifyFailed, reject.to_string());
    let verifier = system.verifier(verifying_key).map_err(refused)?;
    let start = Instant::now();
    let mut times = Vec::new();
    while times.is_empty() || (times.len() < VERIFY_ITERATIONS as usize && start.elapsed() < VERIFY_BUDGET) {
        let (verified, time) = timed(|| verifier.verify(&proved.public, &proved.proof));
        verified.map_err(refused)?;
        times.push(time);
    }
    times.sort_unstable();
    row.phases.verify_ns = Some(times[times.len() / 2]);
    row.verify_iterations = times.len() as u32;
    tamper(&*verifier, proved, seed)
}

/// Offers a proof with one bit flipped, and the proof with a wrong public value.
fn tamper(verifier: &dyn Verifier, proved: &Proved, seed: u64) -> Ended {
    let mut proof = proved.proof.clone();
    if let Some(bit) = seed.checked_rem(8 * proof.len() as u64) {
        proof[(bit / 8) as usize] ^= 1 << (bit % 8);
        if verifier.verify(&proved.public, &proof).is_ok() {
            return Err((Status::TamperAccepted, format!("the proof was accepted with bit {bit} flipped")));
        }
    }
    let mut public: Public = proved.public.clone();
    match public.output.first_mut() {
        Some(byte) => *byte ^= 1,
        None => public.exit_code ^= 1,
    }
    match verifier.verify(&public, &proved.proof) {
        Ok(_) => Err((Status::TamperAccepted, "the proof was accepted with a wrong public value".into())),
        Err(_) => Ok(()),
    }
}

/// What a report says of a pipeline.
pub fn traits(properties: &Properties) -> Traits {
    let (setup, detail) = match &properties.setup {
        Setup::Transparent => ("transparent", None),
        Setup::Trusted(text) => ("trusted", Some(text.clone())),
        Setup::Insecure(text) => ("insecure", Some(text.clone())),
    };
    Traits {
        setup: setup.into(),
        setup_detail: detail,
        post_quantum: properties.post_quantum,
        hiding: properties.hiding,
        verifier: properties.verifier.into(),
    }
}

fn counts(proved: &Proved, verifying_key_bytes: usize) -> Counts {
    let cost = &proved.cost;
    let table = |t: &trilemma_backends::TableCost| TableSize {
        name: t.name.clone(),
        rows: t.rows,
        padded_rows: t.padded_rows,
        width: t.width,
        helper_width: t.helper_width,
        interactions: t.interactions,
    };
    Counts {
        cycles: cost.cycles,
        rows: cost.rows,
        padded_rows: cost.padded_rows,
        committed_cells: cost.committed_cells,
        interactions: cost.interactions,
        proof_bytes: proved.proof.len() as u64,
        verifying_key_bytes: verifying_key_bytes as u64,
        proof_bytes_by_label: cost.proof_bytes_by_label.clone(),
        tables: cost.tables.iter().map(table).collect(),
    }
}

/// Sensors read before and after.
struct Usage {
    core_ns: u64,
    system_ns: Result<u64, String>,
    energy_uj: Result<Vec<u64>, String>,
}

impl Usage {
    fn start() -> Self {
        Self { core_ns: sensors::core_ns(), system_ns: sensors::system_ns(), energy_uj: sensors::energy_uj() }
    }

    fn end(self) -> Resources {
        let mut resources = Resources { core_ns: Some(sensors::core_ns() - self.core_ns), ..Resources::default() };
        let mut note = |name: &str, source: String| resources.sources.insert(name.into(), source);
        note("core", sensors::CORE_SOURCE.into());
        let system = self.system_ns.and_then(|before| Ok(sensors::system_ns()?.saturating_sub(before)));
        let peak = sensors::peak_bytes("self");
        let energy = self.energy_uj.and_then(|before| sensors::energy_between(&before, &sensors::energy_uj()?));
        let mut reading = |name: &str, reading: Result<u64, String>, source: &str| {
            let (value, text) = reading.map_or_else(|reason| (None, reason), |v| (Some(v), source.to_owned()));
            note(name, text);
            value
        };
        let system_ns = reading("system", system, "/proc/self/stat");
        let peak_bytes = reading("peak", peak, sensors::PEAK_SOURCE);
        let energy_uj = reading("energy", energy, "RAPL, whole machine");
        Resources { system_ns, peak_bytes, energy_uj, ..resources }
    }
}
