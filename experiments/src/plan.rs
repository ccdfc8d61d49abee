//! From a configuration to cells with keys, and the order in which they are measured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trilemma_backends::{Pipeline, Public};
use trilemma_core::Options;
use trilemma_frontends::riscv::exec::{Silent, execute};
use trilemma_reports::schema::{Cell, SCHEMA};

use crate::config::{Config, Limits};
use crate::environment;
use crate::fault::Fault;
use crate::files::{self, Input};

/// What a worker is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Executable.
    pub elf: PathBuf,
    /// Private input.
    pub input: Input,
    /// Pipeline.
    pub pipeline: Pipeline,
    /// Its options.
    pub options: Options,
    /// Cycles at which the program is given up.
    pub max_cycles: u64,
    /// What a plain execution made public.
    pub expected: Public,
    /// Chooses the bit that is flipped in a forgery.
    pub tamper_seed: u64,
}

/// A cell with what its worker is told.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The cell.
    pub cell: Cell,
    /// The job.
    pub job: Job,
}

/// What there is to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Name of the experiment.
    pub name: String,
    /// Seed of the order.
    pub seed: u64,
    /// Blocks.
    pub blocks: u32,
    /// Limits of each worker.
    pub limits: Limits,
    /// Threads of each worker.
    pub threads: usize,
    /// Cells, in the order of the configuration.
    pub cells: Vec<Planned>,
}

/// What of the binary can change a measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// BLAKE3 of the worker's binary.
    pub binary: String,
    /// Compiler.
    pub rustc: String,
    /// Its flags.
    pub flags: String,
}

impl Build {
    /// That of the running binary.
    pub fn current() -> Result<Self, Fault> {
        let binary = environment::binary_digest()
            .map_err(|error| Fault::Failed(format!("the running binary cannot be read: {error}")))?;
        Ok(Self { binary, rustc: environment::RUSTC.into(), flags: environment::RUST_FLAGS.into() })
    }
}

/// A program run on one input.
struct Task {
    program: String,
    size: String,
    elf: PathBuf,
    elf_digest: String,
    input: Input,
    input_digest: String,
    max_cycles: u64,
    cycles: u64,
    expected: Public,
}

impl Plan {
    /// Plans an experiment whose files are found from `base`. Every program is executed once, so that filters on cycles
    /// hold and a program that cannot run is found before anything is measured.
    pub fn new(config: &Config, base: &Path, build: &Build) -> Result<Self, Fault> {
        let tasks = tasks(config, base)?;
        let threads = config.limits.threads.unwrap_or_else(environment::cores);
        let mut plan = Self {
            name: config.name.clone(),
            seed: config.seed,
            blocks: config.repetitions,
            limits: config.limits.clone(),
            threads,
            cells: Vec::new(),
        };
        for entry in &config.pipelines {
            let options = entry.options(base, config.security);
            let srs_digest = options.srs.as_deref().map(files::digest).transpose()?;
            let wanted = |task: &&Task| {
                entry.programs.as_ref().is_none_or(|names| names.contains(&task.program))
                    && entry.max_cycles.is_none_or(|max| task.cycles <= max)
            };
            for task in tasks.iter().filter(wanted) {
                let description = json!({
                    "schema": SCHEMA,
                    "pipeline": entry.pipeline,
                    "security": options.security,
                    "hash": options.hash,
                    "log_blowup": options.log_blowup,
                    "max_log_height": options.max_log_height,
                    "srs": srs_digest,
                    "elf": task.elf_digest,
                    "input": task.input_digest,
                    "max_cycles": task.max_cycles,
                    "threads": threads,
                    "memory_gib": config.limits.memory_gib,
                    "wall_s": config.limits.wall_s,
                    "rustc": build.rustc,
                    "rust_flags": build.flags,
                    "binary": build.binary,
                });
                let cell = Cell {
                    cell: key(&description),
                    program: task.program.clone(),
                    size: task.size.clone(),
                    planned_cycles: task.cycles,
                    pipeline: entry.pipeline.clone(),
                    label: entry.label.clone(),
                    hash: options.hash.clone(),
                    log_blowup: options.log_blowup,
                    target_bits: options.security.bits,
                    regime: options.security.regime,
                    threads,
                    repetitions: entry.repetitions.unwrap_or(config.repetitions).min(config.repetitions),
                };
                if let Some(twin) = plan.cells.iter().find(|p| p.cell.cell == cell.cell) {
                    return Err(Fault::Usage(format!(
                        "pipelines: `{}` with `{}` is measured twice on {}, {} and {}",
                        cell.pipeline, cell.hash, cell.program, cell.size, twin.cell.size
                    )));
                }
                plan.cells.push(Planned { cell, job: task.job(&entry.pipeline, options.clone()) });
            }
        }
        if plan.cells.is_empty() {
            return Err(Fault::Usage("the filters `programs` and `max_cycles` leave no cell".into()));
        }
        Ok(plan)
    }

    /// The cells of a block, in an order drawn from the seed.
    pub fn block(&self, block: u32) -> Vec<&Planned> {
        let mut cells: Vec<&Planned> = self.cells.iter().filter(|p| block < p.cell.repetitions).collect();
        cells.sort_by_cached_key(|p| {
            let mut hasher = blake3::Hasher::new_derive_key("trilemma block order v1");
            hasher.update(&self.seed.to_le_bytes()).update(&block.to_le_bytes()).update(p.cell.cell.as_bytes());
            *hasher.finalize().as_bytes()
        });
        cells
    }

    /// Every invocation in order, as block and cell.
    pub fn invocations(&self) -> impl Iterator<Item = (u32, &Planned)> {
        (0..self.blocks).flat_map(|block| self.block(block).into_iter().map(move |cell| (block, cell)))
    }
}

impl Task {
    fn job(&self, pipeline: &str, options: Options) -> Job {
        Job {
            elf: self.elf.clone(),
            input: self.input.clone(),
            pipeline: Pipeline(pipeline.into()),
            options,
            max_cycles: self.max_cycles,
            expected: self.expected.clone(),
            tamper_seed: 0,
        }
    }
}

fn tasks(config: &Config, base: &Path) -> Result<Vec<Task>, Fault> {
    let mut tasks = Vec::new();
    for (i, entry) in config.programs.iter().enumerate() {
        let elf = base.join(&entry.elf);
        let program = files::program(&elf).map_err(|fault| fault.about(format!("programs[{i}].elf")))?;
        for (j, size) in entry.sizes.iter().enumerate() {
            let about =
                |fault: Fault| fault.about(format!("programs[{i}].sizes[{j}] (`{}`, `{}`)", entry.name, size.label));
            let input = size.input(base);
            let bytes = input.bytes().map_err(about)?;
            let outcome = execute(&program, &bytes, entry.max_cycles, &mut Silent).map_err(|e| about(e.into()))?;
            tasks.push(Task {
                program: entry.name.clone(),
                size: size.label.clone(),
                elf: elf.clone(),
                elf_digest: hex::encode(program.digest),
                input,
                input_digest: blake3::hash(&bytes).to_hex().to_string(),
                max_cycles: entry.max_cycles,
                cycles: outcome.cycles,
                expected: Public { exit_code: outcome.exit_code, output: outcome.output },
            });
        }
    }
    Ok(tasks)
}

/// BLAKE3 of a value's canonical JSON.
fn key(description: &Value) -> String {
    blake3::hash(canonical(description).to_string().as_bytes()).to_hex().to_string()
}

/// The same value with the keys of every object in order, whatever order the JSON library keeps.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, Value> = map.iter().map(|(k, v)| (k, canonical(v))).collect();
            Value::Object(sorted.into_iter().map(|(k, v)| (k.clone(), v)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}
