//! Reads the files of a run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::schema::{Cell, Environment, SCHEMA, Sample};

/// Name of the copy of the experiment's configuration.
pub const EXPERIMENT: &str = "experiment.toml";
/// Name of the list of cells.
pub const PLAN: &str = "plan.jsonl";
/// Name of the environment's description.
pub const ENVIRONMENT: &str = "env.json";
/// Name of the rows.
pub const SAMPLES: &str = "samples.jsonl";

/// Why a run cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// A file holds something else.
    #[error("{}: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// What a report prints of the configuration.
#[derive(Debug, Clone, Deserialize)]
pub struct Experiment {
    /// Name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Seed of the order.
    #[serde(default)]
    pub seed: u64,
    /// Passes over the matrix.
    pub repetitions: u32,
    /// Pairs of pipelines to be set against each other.
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
}

/// Two pipelines that differ in one thing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Name of the series whose cost is above the line, as charts call it.
    pub first: String,
    /// Name of the series whose cost is below it.
    pub second: String,
    /// What differs, and what to make of the figures.
    pub why: String,
}

/// A run as its files tell it.
#[derive(Debug, Clone)]
pub struct Run {
    /// Name of the directory.
    pub id: String,
    /// Configuration.
    pub experiment: Experiment,
    /// Cells.
    pub plan: Vec<Cell>,
    /// Where.
    pub environment: Environment,
    /// Rows, in the order in which they were measured.
    pub samples: Vec<Sample>,
    /// Whether the last line was cut off, as a crash leaves it; it was left out.
    pub torn: bool,
}

impl Run {
    /// Reads the directory of a run.
    pub fn read(dir: &Path) -> Result<Self, ReadError> {
        let experiment = parse(dir, EXPERIMENT, |text| toml::from_str(text).map_err(|e| e.to_string()))?;
        let environment = parse(dir, ENVIRONMENT, |text| serde_json::from_str(text).map_err(|e| e.to_string()))?;
        let (plan, _) = lines::<Cell>(dir, PLAN)?;
        let (samples, torn) = lines::<Sample>(dir, SAMPLES)?;
        if let Some(sample) = samples.iter().find(|s| s.schema > SCHEMA) {
            let what = format!("a row has schema {}, this version reads up to {SCHEMA}", sample.schema);
            return Err(ReadError::Malformed { path: dir.join(SAMPLES), what });
        }
        let id = fs::canonicalize(dir).ok().and_then(|d| d.file_name().map(|n| n.to_string_lossy().into_owned()));
        Ok(Self { id: id.unwrap_or_default(), experiment, plan, environment, samples, torn })
    }
}

fn text(path: &Path) -> Result<String, ReadError> {
    fs::read_to_string(path).map_err(|error| ReadError::Io { path: path.to_owned(), error })
}

fn parse<T>(dir: &Path, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, ReadError> {
    let path = dir.join(name);
    read(&text(&path)?).map_err(|what| ReadError::Malformed { path, what })
}

/// JSON lines of a file, and whether the last was cut off.
pub fn lines<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<(Vec<T>, bool), ReadError> {
    let path = dir.join(name);
    let text = text(&path)?;
    let torn = !text.is_empty() && !text.ends_with('\n');
    let whole = if torn { text.rfind('\n').map_or("", |end| &text[..end]) } else { &text };
    let mut values = Vec::new();
    for (number, line) in whole.lines().enumerate() {
        let value = serde_json::from_str(line)
            .map_err(|e| ReadError::Malformed { path: path.clone(), what: format!("line {}: {e}", number + 1) })?;
        values.push(value);
    }
    Ok((values, torn))
}
