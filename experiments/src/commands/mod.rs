//! The subcommands. Each gives a text for people and one JSON object for programs.

mod doctor;
mod exec;
mod export;
mod key;
mod matrix;
mod prove;
mod report;
mod run;
mod srs;
mod verify;

use serde_json::Value;
use trilemma_backends::{Pipeline, System, pipelines, system};
use trilemma_core::Options;

use crate::cli::Command;
use crate::config::check_hash;
use crate::fault::Fault;
use crate::suggest;

/// What a subcommand says.
#[derive(Debug, Clone)]
pub struct Reply {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Value,
}

impl Reply {
    /// Prints one of both.
    pub fn print(&self, json: bool) {
        if json {
            println!("{}", self.json);
        } else {
            println!("{}", self.text.trim_end());
        }
    }
}

/// Runs a subcommand.
pub fn run(command: &Command) -> Result<Reply, Fault> {
    match command {
        Command::Exec(args) => exec::run(args),
        Command::Prove(args) => prove::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Key(args) => key::run(args),
        Command::Matrix => matrix::run(),
        Command::Run(args) => run::run(args),
        Command::Report(args) => report::run(args),
        Command::Export(args) => export::run(args),
        Command::Srs(args) => srs::run(args),
        Command::Doctor => Ok(doctor::run()),
        Command::Worker => Err(Fault::Usage("worker: has no reply".into())),
    }
}

/// The proof system of a pipeline; the error lists the legal choices and the closest one.
pub fn resolve(pipeline: &Pipeline, options: &Options) -> Result<Box<dyn System>, Fault> {
    check_hash(&options.hash).map_err(Fault::Usage)?;
    system(pipeline, options).map_err(|error| {
        let legal = pipelines();
        let hint = suggest::hint(&pipeline.0, legal.iter().map(|p| p.0.as_str()));
        Fault::Usage(format!("{error}{hint}"))
    })
}

/// The same options for tables so small that set-up costs nothing: enough to find a pipeline and to
/// ask what it is.
fn smallest(options: &Options) -> Options {
    Options { max_log_height: Some(4), srs: None, ..options.clone() }
}

/// Bytes as text where they are printable, and in hexadecimal.
fn readable(bytes: &[u8]) -> String {
    let digits = if bytes.is_empty() { "(empty)".to_owned() } else { hex::encode(bytes) };
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && !text.chars().any(|c| c.is_control() && !c.is_whitespace()) => {
            format!("{digits} = {text:?}")
        }
        _ => digits,
    }
}

/// Lines of a name and a value, aligned.
fn table(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}
