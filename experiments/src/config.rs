//! The configuration of an experiment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use trilemma_core::setting::KoalaBear4;
use trilemma_core::{ConfigError, Options, Regime, Security};
use trilemma_pcs::fri::tree::{AnyTree, Merkle};
use trilemma_reports::run::Comparison;

use crate::fault::Fault;
use crate::files::{self, Input};
use crate::suggest;

/// Hashes of Merkle trees: those of a setting that has them all.
pub fn hashes() -> Vec<&'static str> {
    <AnyTree as Merkle<KoalaBear4>>::hashes()
}

/// Refuses a hash that no setting has, with the legal choices and the closest one.
pub fn check_hash(hash: &str) -> Result<(), String> {
    let hashes = hashes();
    if hashes.contains(&hash) {
        return Ok(());
    }
    let hint = suggest::hint(hash, hashes.iter().copied());
    Err(format!("{}{hint}", ConfigError::choice("hash", hash, hashes)))
}

/// An experiment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name; runs are stored under it.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Seed of the order within blocks.
    #[serde(default)]
    pub seed: u64,
    /// Blocks: passes over all cells.
    pub repetitions: u32,
    /// Target, unless a pipeline has its own.
    #[serde(default)]
    pub security: Target,
    /// Limits of each worker.
    #[serde(default)]
    pub limits: Limits,
    /// What is proved.
    pub programs: Vec<ProgramEntry>,
    /// How.
    pub pipelines: Vec<PipelineEntry>,
    /// Pairs of pipelines that the report sets against each other.
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
}

/// A security target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// Bits.
    pub bits: u32,
    /// Regime of code-based terms.
    pub regime: Regime,
}

impl Default for Target {
    fn default() -> Self {
        let Security { bits, regime } = Security::default();
        Self { bits, regime }
    }
}

/// Limits of a worker.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Resident memory.
    pub memory_gib: Option<f64>,
    /// Wall time.
    pub wall_s: f64,
    /// Threads; all by default.
    pub threads: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_gib: None, wall_s: 600.0, threads: None }
    }
}

/// A program with its inputs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramEntry {
    /// Name.
    pub name: String,
    /// Executable, relative to the configuration.
    pub elf: PathBuf,
    /// Inputs.
    pub sizes: Vec<SizeEntry>,
    /// Cycles at which it is given up.
    #[serde(default = "default_max_cycles")]
    pub max_cycles: u64,
}

const fn default_max_cycles() -> u64 {
    1 << 24
}

/// An input; at most one of the kinds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeEntry {
    /// What charts call it.
    pub label: String,
    /// Four bytes, little-endian.
    pub input_u32: Option<u32>,
    /// Hexadecimal digits.
    pub input_hex: Option<String>,
    /// File, relative to the configuration.
    pub input_file: Option<PathBuf>,
}

impl SizeEntry {
    /// The input, with files found from `base`.
    pub fn input(&self, base: &Path) -> Input {
        let file = self.input_file.as_ref().map(|path| Input::File(base.join(path)));
        let hex = self.input_hex.clone().map(Input::Hex);
        file.or(hex).or(self.input_u32.map(Input::U32)).unwrap_or_default()
    }

    fn kinds(&self) -> usize {
        [self.input_u32.is_some(), self.input_hex.is_some(), self.input_file.is_some()]
            .into_iter()
            .filter(|k| *k)
            .count()
    }
}

/// A pipeline with its options and what it is measured on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineEntry {
    /// Pipeline.
    pub pipeline: String,
    /// Hash of Merkle trees.
    #[serde(default = "default_hash")]
    pub hash: String,
    /// log2 of the inverse rate of codes.
    #[serde(default = "default_log_blowup")]
    pub log_blowup: usize,
    /// log2 of the tallest table; the scheme's default without it.
    pub max_log_height: Option<usize>,
    /// File of a structured reference string, relative to the configuration.
    pub srs: Option<PathBuf>,
    /// Target, if it is not the experiment's.
    pub security: Option<Target>,
    /// What charts call it.
    pub label: Option<String>,
    /// Programs that it is measured on; all by default.
    pub programs: Option<Vec<String>>,
    /// Executions of more cycles are left out.
    pub max_cycles: Option<u64>,
    /// Blocks, if fewer than the experiment's.
    pub repetitions: Option<u32>,
}

fn default_hash() -> String {
    Options::default().hash
}

fn default_log_blowup() -> usize {
    Options::default().log_blowup
}

impl PipelineEntry {
    /// The options, with files found from `base`.
    pub fn options(&self, base: &Path, target: Target) -> Options {
        let Target { bits, regime } = self.security.unwrap_or(target);
        Options {
            security: Security { bits, regime },
            hash: self.hash.clone(),
            log_blowup: self.log_blowup,
            max_log_height: self.max_log_height,
            srs: self.srs.as_ref().map(|path| base.join(path)),
        }
    }
}

impl Config {
    /// Reads and checks a configuration; the text is returned for the run's copy.
    pub fn read(path: &Path) -> Result<(Self, String), Fault> {
        let text = files::read_text(path)?;
        let config = Self::parse(&text).map_err(|what| Fault::Usage(format!("{}: {what}", path.display())))?;
        Ok((config, text))
    }

    /// Parses and checks a configuration.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let words = suggest::quoted(error.message());
            let hint = match words.split_first() {
                Some((word, rest)) if error.message().starts_with("unknown") => {
                    suggest::hint(word, rest.iter().copied())
                }
                _ => String::new(),
            };
            format!("{}{hint}", error.to_string().trim_end())
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(legal) {
            return Err(format!("name: `{}` must be letters, digits, `-`, `_` and `.`", self.name));
        }
        at_least_one("repetitions", self.repetitions as usize)?;
        at_least_one("programs", self.programs.len())?;
        at_least_one("pipelines", self.pipelines.len())?;
        if !(self.limits.wall_s > 0.0 && self.limits.wall_s.is_finite()) {
            return Err("limits.wall_s: must be a positive number of seconds".into());
        }
        if self.limits.memory_gib.is_some_and(|gib| !(gib > 0.0 && gib.is_finite())) {
            return Err("limits.memory_gib: must be a positive number".into());
        }
        if self.limits.threads == Some(0) {
            return Err("limits.threads: must be at least 1".into());
        }
        unique("programs.name", self.programs.iter().map(|p| p.name.as_str()))?;
        for (i, program) in self.programs.iter().enumerate() {
            at_least_one(&format!("programs[{i}].sizes"), program.sizes.len())?;
            unique(&format!("programs[{i}].sizes.label"), program.sizes.iter().map(|s| s.label.as_str()))?;
            if let Some(j) = program.sizes.iter().position(|s| s.kinds() > 1) {
                return Err(format!("programs[{i}].sizes[{j}]: give one of input_u32, input_hex and input_file"));
            }
        }
        for (i, comparison) in self.comparisons.iter().enumerate() {
            let known = || self.pipelines.iter().map(|p| p.label.as_deref().unwrap_or(&p.pipeline));
            for (key, name) in [("first", &comparison.first), ("second", &comparison.second)] {
                // Options that tell entries of one pipeline apart are part of a name that the plan makes.
                if !known().any(|k| name.starts_with(k)) {
                    let hint = suggest::hint(name, known());
                    return Err(format!("comparisons[{i}].{}{hint}", ConfigError::choice(key, name, known())));
                }
            }
        }
        unique("pipelines.label", self.pipelines.iter().filter_map(|p| p.label.as_deref()))?;
        for (i, pipeline) in self.pipelines.iter().enumerate() {
            self.check_pipeline(pipeline).map_err(|what| format!("pipelines[{i}].{what}"))?;
        }
        Ok(())
    }

    fn check_pipeline(&self, entry: &PipelineEntry) -> Result<(), String> {
        check_hash(&entry.hash)?;
        if entry.repetitions == Some(0) {
            return Err("repetitions: must be at least 1".into());
        }
        let names = || self.programs.iter().map(|p| p.name.as_str());
        match entry.programs.iter().flatten().find(|name| !names().any(|n| n == name.as_str())) {
            Some(name) => {
                let hint = suggest::hint(name, names());
                Err(format!("{}{hint}", ConfigError::choice("programs", name, names())))
            }
            None => Ok(()),
        }
    }
}

fn at_least_one(key: &str, n: usize) -> Result<(), String> {
    if n == 0 { Err(format!("{key}: must be at least 1")) } else { Ok(()) }
}

fn unique<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{key}: `{name}` occurs twice"));
        }
    }
    Ok(())
}
