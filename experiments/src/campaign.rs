//! A run on disk: `experiment.toml`, `plan.jsonl`, `env.json`, `samples.jsonl`, `logs/`, `MANIFEST`. Rows are
//! appended one by one and synced; what is there is never measured again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use trilemma_reports::format;
use trilemma_reports::run::{ENVIRONMENT, EXPERIMENT, PLAN, Run, SAMPLES};
use trilemma_reports::schema::{Cell, Environment, SCHEMA, Sample, Status};

use crate::fault::Fault;
use crate::files;
use crate::plan::{Plan, Planned};
use crate::progress::Progress;
use crate::supervisor::{Ended, Worker};

const LOGS: &str = "logs";
const MANIFEST: &str = "MANIFEST";

/// How a campaign ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Rows of this run, earlier ones included.
    pub rows: usize,
    /// Rows measured now.
    pub measured: usize,
    /// Rows that failed, earlier ones included.
    pub failed: usize,
    /// Rows that are missing.
    pub missing: usize,
    /// Whether it was stopped.
    pub interrupted: bool,
}

/// A run that is being measured.
pub struct Campaign<'a> {
    plan: &'a Plan,
    dir: PathBuf,
    machine: String,
    samples: Vec<Sample>,
}

impl<'a> Campaign<'a> {
    /// Starts a run in a directory that is empty or not there.
    pub fn create(plan: &'a Plan, config: &str, environment: &Environment, dir: &Path) -> Result<Self, Fault> {
        if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
            let text = format!("{}: is not empty; add --resume to go on, or choose another --out", dir.display());
            return Err(Fault::Usage(text));
        }
        let logs = dir.join(LOGS);
        fs::create_dir_all(&logs).map_err(|error| Fault::file(&logs, &error))?;
        files::write(&dir.join(EXPERIMENT), config.as_bytes())?;
        files::write(&dir.join(PLAN), &json_lines(plan.cells.iter().map(|p| &p.cell)))?;
        files::write(&dir.join(SAMPLES), b"")?;
        // The last file: a directory without it is no run yet.
        let text = serde_json::to_string_pretty(environment).expect("an environment has string keys only");
        files::write(&dir.join(ENVIRONMENT), format!("{text}\n").as_bytes())?;
        Ok(Self { plan, dir: dir.to_owned(), machine: environment.machine.clone(), samples: Vec::new() })
    }

    /// Goes on with a run, if it is of this plan and machine.
    pub fn resume(plan: &'a Plan, environment: &Environment, dir: &Path) -> Result<Self, Fault> {
        let run = Run::read(dir)?;
        let refuse =
            |what: &str| Err(Fault::Usage(format!("{}: cannot be resumed: {what}; start a new run", dir.display())));
        if run.environment.machine != environment.machine {
            return refuse("it was measured on another machine");
        }
        if run.environment.binary != environment.binary {
            return refuse("it was measured with another build of trilemma");
        }
        let keys = |cells: &mut dyn Iterator<Item = &Cell>| {
            cells.map(|c| (c.cell.clone(), c.repetitions)).collect::<BTreeSet<_>>()
        };
        if keys(&mut run.plan.iter()) != keys(&mut plan.cells.iter().map(|p| &p.cell)) {
            return refuse("the configuration or a file that it names has changed");
        }
        if run.torn {
            drop_torn_line(&dir.join(SAMPLES))?;
        }
        Ok(Self { plan, dir: dir.to_owned(), machine: run.environment.machine, samples: run.samples })
    }

    /// Measures what is missing.
    pub fn measure(&mut self, worker: &Worker, stop: &AtomicBool) -> Result<Tally, Fault> {
        let path = self.dir.join(SAMPLES);
        let mut file = OpenOptions::new().append(true).open(&path).map_err(|error| Fault::file(&path, &error))?;
        let mut left = missing(self.plan, &self.samples);
        left.reverse();
        let before = self.samples.len();
        let progress = Progress::new(before + left.len(), before);
        while let Some(&(block, planned)) = left.last().filter(|_| !stop.load(Ordering::Relaxed)) {
            let name = name(&planned.cell);
            progress.starts(&name, self.estimate(&left));
            let Some(sample) = self.invoke(worker, block, planned, stop)? else {
                break;
            };
            append(&mut file, &sample).map_err(|error| Fault::file(&path, &error))?;
            let line = format!("{name}: {}", outcome(&sample));
            self.samples.push(sample);
            left.pop();
            progress.ended(self.samples.len(), &line, self.estimate(&left));
        }
        progress.finish();
        let tally = Tally {
            rows: self.samples.len(),
            measured: self.samples.len() - before,
            failed: self.samples.iter().filter(|s| s.measurement.status != Status::Ok).count(),
            missing: left.len(),
            interrupted: stop.load(Ordering::Relaxed),
        };
        if tally.missing == 0 {
            self.write_manifest()?;
        }
        Ok(tally)
    }

    /// One row, or none if the worker was stopped.
    fn invoke(
        &self,
        worker: &Worker,
        block: u32,
        planned: &Planned,
        stop: &AtomicBool,
    ) -> Result<Option<Sample>, Fault> {
        let log = self.dir.join(LOGS).join(format!("{block}-{}.log", &planned.cell.cell[..16]));
        let mut job = planned.job.clone();
        let seed = blake3::hash(format!("{}/{block}", planned.cell.cell).as_bytes());
        // Below 2^53, so that any JSON reader keeps it.
        job.tamper_seed = u64::from_le_bytes(*seed.as_bytes().first_chunk().expect("32 bytes")) >> 11;
        let job = serde_json::to_string(&job)
            .map_err(|error| Fault::Failed(format!("the job cannot be written: {error}")))?;
        let started = jiff::Timestamp::now();
        let clock = Instant::now();
        let ended =
            worker.run(&job, &log, stop).map_err(|error| Fault::file(&worker.program, &error).about("worker"))?;
        let Ended::Row(measurement) = ended else {
            return Ok(None);
        };
        Ok(Some(Sample {
            schema: SCHEMA,
            machine: self.machine.clone(),
            block,
            started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            worker_wall_ns: u64::try_from(clock.elapsed().as_nanos()).unwrap_or(u64::MAX),
            cell: planned.cell.clone(),
            measurement: *measurement,
        }))
    }

    fn estimate(&self, left: &[(u32, &Planned)]) -> Duration {
        estimate(&self.samples, left)
    }

    /// BLAKE3 of every file that cannot change any more.
    fn write_manifest(&self) -> Result<(), Fault> {
        let mut text = String::new();
        for name in [EXPERIMENT, PLAN, ENVIRONMENT, SAMPLES] {
            let digest = blake3::hash(&files::read(&self.dir.join(name))?);
            text.push_str(&format!("{}  {name}\n", digest.to_hex()));
        }
        files::write(&self.dir.join(MANIFEST), text.as_bytes())
    }
}

/// The invocations that have no row yet, in order.
pub fn missing<'p>(plan: &'p Plan, samples: &[Sample]) -> Vec<(u32, &'p Planned)> {
    let done: BTreeSet<(u32, &str)> = samples.iter().map(|s| (s.block, s.cell.cell.as_str())).collect();
    plan.invocations().filter(|(block, p)| !done.contains(&(*block, p.cell.cell.as_str()))).collect()
}

/// How long the invocations should take: as the same cell did, else on a line in the cycles through what its pipeline
/// took for the fewest and the most, else a guess.
pub fn estimate(samples: &[Sample], left: &[(u32, &Planned)]) -> Duration {
    let mut cells: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let mut pipelines: BTreeMap<&str, BTreeMap<u64, f64>> = BTreeMap::new();
    for Sample { cell, worker_wall_ns, .. } in samples {
        let ns = *worker_wall_ns as f64;
        let (sum, n) = cells.entry(&cell.cell).or_default();
        (*sum, *n) = (*sum + ns, *n + 1.0);
        pipelines.entry(&cell.pipeline).or_default().insert(cell.planned_cycles, ns);
    }
    let guess = |cell: &Cell| {
        if let Some((sum, n)) = cells.get(cell.cell.as_str()) {
            return sum / n;
        }
        let prior = if cell.pipeline.contains("/kzg/") { (2e10, 1e6) } else { (1e9, 5e3) };
        on_line(pipelines.get(cell.pipeline.as_str()).unwrap_or(&BTreeMap::new()), prior, cell.planned_cycles)
    };
    Duration::from_nanos(left.iter().map(|(_, p)| guess(&p.cell)).sum::<f64>() as u64)
}

/// Nanoseconds for so many cycles, on the line through those known for the fewest and for the most. `(fixed, each)` is the
/// line of what is not known at all; a cycle costs no more than `each` where one point is known.
fn on_line(known: &BTreeMap<u64, f64>, (fixed, each): (f64, f64), cycles: u64) -> f64 {
    let cycles = cycles as f64;
    let (Some((&few, &least)), Some((&many, &most))) = (known.first_key_value(), known.last_key_value()) else {
        return fixed + cycles * each;
    };
    let (few, many) = (few as f64, many as f64);
    let slope = if many > few { ((most - least) / (many - few)).max(0.0) } else { each.min(most / many.max(1.0)) };
    (most + slope * (cycles - many)).max(0.0)
}

/// A cell in words.
pub fn name(cell: &Cell) -> String {
    let pipeline = cell.label.clone().unwrap_or_else(|| format!("{} {}", cell.pipeline, cell.hash));
    format!("{} {} {pipeline}", cell.program, cell.size)
}

fn outcome(sample: &Sample) -> String {
    let row = &sample.measurement;
    match (row.status, row.phases.prove_total_ns) {
        (Status::Ok, Some(ns)) => {
            let rate = sample.cell.planned_cycles as f64 * 1e9 / ns.max(1) as f64;
            format!("{}, {}", format::time(ns as f64), format::rate(rate))
        }
        _ => format!("{}: {}", row.status.name(), row.reason.as_deref().unwrap_or("")),
    }
}

fn json_lines<'c>(cells: impl Iterator<Item = &'c Cell>) -> Vec<u8> {
    let lines = cells.map(|c| serde_json::to_string(c).expect("a cell has string keys only") + "\n");
    lines.collect::<String>().into_bytes()
}

fn append(file: &mut File, sample: &Sample) -> std::io::Result<()> {
    let line = serde_json::to_string(sample)? + "\n";
    file.write_all(line.as_bytes())?;
    file.sync_data()
}

fn drop_torn_line(path: &Path) -> Result<(), Fault> {
    let text = files::read(path)?;
    let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
    let cut = || OpenOptions::new().write(true).open(path)?.set_len(whole as u64);
    cut().map_err(|error| Fault::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_lie_on_a_line() {
        let at = |known: &[(u64, f64)], cycles| on_line(&known.iter().copied().collect(), (100.0, 2.0), cycles);
        assert_eq!(at(&[], 10), 120.0);
        // Of one point, what the cycles cannot have cost is fixed.
        assert_eq!([at(&[(10, 50.0)], 10), at(&[(10, 50.0)], 20), at(&[(10, 5.0)], 20)], [50.0, 70.0, 10.0]);
        assert_eq!(at(&[(10, 50.0), (15, 7.0), (20, 60.0)], 40), 80.0);
        assert_eq!([at(&[(10, 50.0), (20, 40.0)], 40), at(&[(10, 0.0), (20, 60.0)], 5)], [40.0, 0.0]);
    }
}
