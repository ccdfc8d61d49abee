//! `run`: runs an experiment and writes its report.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use trilemma_reports::Run as Rows;
use trilemma_reports::format;
use trilemma_reports::schema::Sample;

use super::report::{self, Written};
use super::{Reply, resolve, smallest};
use crate::campaign::{self, Campaign, Tally};
use crate::cli::Run;
use crate::config::Config;
use crate::environment;
use crate::fault::Fault;
use crate::plan::{Build, Plan};
use crate::progress::duration;
use crate::supervisor::Worker;

/// Where runs go by default.
const RUNS: &str = "runs";

pub(super) fn run(args: &Run) -> Result<Reply, Fault> {
    let (config, text) = Config::read(&args.config)?;
    let base = args.config.parent().unwrap_or(Path::new(""));
    let named = |fault: Fault| fault.about(args.config.display());
    check_pipelines(&config, base).map_err(named)?;
    let plan = Plan::new(&config, base, &Build::current()?).map_err(named)?;
    let dir = directory(args, &config.name)?;
    if args.plan {
        return Ok(describe(&plan, dir.as_deref()));
    }
    let environment = environment::describe();
    let (dir, mut campaign) = match dir {
        Some(dir) if args.resume => (dir.clone(), Campaign::resume(&plan, &environment, &dir)?),
        dir => {
            let dir = dir.unwrap_or_else(|| new_directory(&config.name));
            (dir.clone(), Campaign::create(&plan, &text, &environment, &dir)?)
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
        .map_err(|error| Fault::Failed(format!("no handler for interrupts: {error}")))?;
    let tally = campaign.measure(&worker(&plan)?, &stop)?;
    if tally.interrupted {
        let resume = format!("trilemma run {} --out {} --resume", args.config.display(), dir.display());
        let text =
            format!("interrupted after {} of {} rows; go on with: {resume}", tally.rows, tally.rows + tally.missing);
        return Err(Fault::Failed(text));
    }
    conclude(&dir, tally, report::write(&dir, None)?)
}

/// The end of a complete run. A report that contradicts itself is a failure, and so is one without a
/// measurement.
fn conclude(dir: &Path, tally: Tally, written: Written) -> Result<Reply, Fault> {
    let page = written.page.display();
    if let Some(error) = written.errors.first() {
        let more = written.errors.len() - 1;
        return Err(Fault::Failed(format!("the rows contradict each other: {error} ({more} more in {page})")));
    }
    if tally.failed > 0 && tally.failed == tally.rows {
        return Err(Fault::Failed(format!("every measurement failed; {page} says how")));
    }
    let failed = if tally.failed == 0 { String::new() } else { format!(", {} of them failures", tally.failed) };
    let text = format!("{} rows{failed}\nmedians: {}\nreport: {page}", tally.rows, written.csv.display());
    let json = json!({ "run": dir, "report": written.page, "medians": written.csv, "tally": tally });
    Ok(Reply { text, json })
}

/// Finds what no machine could run before anything is measured.
fn check_pipelines(config: &Config, base: &Path) -> Result<(), Fault> {
    for (i, entry) in config.pipelines.iter().enumerate() {
        let options = smallest(&entry.options(base, config.security));
        resolve(&trilemma_backends::Pipeline(entry.pipeline.clone()), &options)
            .map_err(|fault| fault.about(format!("pipelines[{i}]")))?;
    }
    Ok(())
}

fn worker(plan: &Plan) -> Result<Worker, Fault> {
    let program =
        env::current_exe().map_err(|error| Fault::Failed(format!("the running binary is not known: {error}")))?;
    Ok(Worker {
        program,
        args: vec!["worker".into()],
        threads: plan.threads,
        memory_bytes: plan.limits.memory_gib.map(|gib| (gib * f64::from(1 << 30)) as u64),
        wall: Duration::from_secs_f64(plan.limits.wall_s),
    })
}

/// The directory that the arguments name: --out, or the latest one with --resume.
fn directory(args: &Run, name: &str) -> Result<Option<PathBuf>, Fault> {
    if args.out.is_some() || !args.resume {
        return Ok(args.out.clone());
    }
    let prefix = format!("{name}-");
    let entries =
        fs::read_dir(RUNS).map(|entries| entries.flatten().map(|e| e.path()).collect::<Vec<_>>()).unwrap_or_default();
    let of_this = |path: &PathBuf| {
        let stamp = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_prefix(&prefix));
        stamp.is_some_and(|s| s.starts_with(|c: char| c.is_ascii_digit()))
    };
    let latest = entries.into_iter().filter(of_this).max();
    latest.map(Some).ok_or_else(|| Fault::Usage(format!("--resume: there is no run of `{name}` under {RUNS}/")))
}

fn new_directory(name: &str) -> PathBuf {
    let stamp = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    Path::new(RUNS).join(format!("{name}-{stamp}"))
}

fn describe(plan: &Plan, dir: Option<&Path>) -> Reply {
    let samples: Vec<Sample> = dir.and_then(|dir| Rows::read(dir).ok()).map(|run| run.samples).unwrap_or_default();
    let mut text = String::new();
    let mut cells: Vec<Value> = Vec::new();
    for planned in &plan.cells {
        let cell = &planned.cell;
        let done = samples.iter().filter(|s| s.cell.cell == cell.cell).count();
        let cycles = format::grouped(cell.planned_cycles);
        text.push_str(&format!(
            "{}  {done}/{}  {cycles:>12}  {}\n",
            &cell.cell[..12],
            cell.repetitions,
            campaign::name(cell)
        ));
        cells.push(json!({ "cell": cell, "done": done }));
    }
    let left = campaign::missing(plan, &samples);
    let time = campaign::estimate(&samples, &left);
    text.push_str(&format!(
        "{} cells, {} of {} invocations left, about {}\n",
        plan.cells.len(),
        left.len(),
        plan.invocations().count(),
        duration(time)
    ));
    Reply { text, json: json!({ "cells": cells, "left": left.len(), "estimate_s": time.as_secs_f64() }) }
}
