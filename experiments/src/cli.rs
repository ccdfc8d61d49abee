//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use trilemma_backends::Pipeline;
use trilemma_core::{Options, Regime, Security};

use crate::files::Input;

/// Prove RISC-V programs through swappable proof systems, and see what each choice costs.
#[derive(Debug, Parser)]
#[command(name = "trilemma", version, propagate_version = true)]
pub struct Cli {
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program without proving it.
    Exec(Exec),
    /// Run a program and prove the run.
    Prove(Prove),
    /// Check a proof.
    Verify(Verify),
    /// Save a program's verifying key.
    Key(Key),
    /// List the legal pipelines.
    Matrix,
    /// Run an experiment and write its report.
    Run(Run),
    /// Write the report of a run.
    Report(Report),
    /// Write the R1CS of a run for other tools.
    Export(Export),
    /// Make a structured reference string, for measuring only.
    Srs(Srs),
    /// Show which sensors work here.
    Doctor,
    /// Measure once: a job on standard input, a row on standard output.
    #[command(hide = true)]
    Worker,
}

/// Private input of a program.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// File whose bytes are the private input.
    #[arg(long, value_name = "FILE", group = "private_input")]
    input: Option<PathBuf>,
    /// Private input in hexadecimal.
    #[arg(long, value_name = "HEX", group = "private_input")]
    input_hex: Option<String>,
    /// Private input of four bytes, little-endian: the size parameter of the guests here.
    #[arg(long, value_name = "N", group = "private_input")]
    input_u32: Option<u32>,
}

impl InputArgs {
    /// What was given.
    pub fn input(&self) -> Input {
        let file = self.input.clone().map(Input::File);
        let hex = self.input_hex.clone().map(Input::Hex);
        file.or(hex).or(self.input_u32.map(Input::U32)).unwrap_or_default()
    }
}

/// A pipeline with its options.
#[derive(Debug, Args)]
pub struct PipelineArgs {
    /// Pipeline, one of those that `matrix` lists.
    #[arg(long, default_value = "air/uni-stark/fri/koalabear4")]
    pipeline: String,
    /// Hash of Merkle trees: blake3, keccak or poseidon2.
    #[arg(long, default_value = "blake3")]
    hash: String,
    /// Bits that every proven error term must reach.
    #[arg(long, value_name = "BITS", default_value_t = 100)]
    security: u32,
    /// Regime of code-based terms: udr (unique decoding) or jbr (Johnson bound).
    #[arg(long, default_value = "udr", value_parser = Regime::parse)]
    regime: Regime,
    /// log2 of the inverse rate of codes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    log_blowup: usize,
    /// log2 of the tallest table; the scheme's default without it.
    #[arg(long, value_name = "N")]
    max_log_height: Option<usize>,
    /// File of a structured reference string; without it an insecure one is made on the spot.
    #[arg(long, value_name = "FILE")]
    srs: Option<PathBuf>,
}

impl PipelineArgs {
    /// Name of the pipeline.
    pub fn pipeline(&self) -> Pipeline {
        Pipeline(self.pipeline.clone())
    }

    /// Its options.
    pub fn options(&self) -> Options {
        Options {
            security: Security { bits: self.security, regime: self.regime },
            hash: self.hash.clone(),
            log_blowup: self.log_blowup,
            max_log_height: self.max_log_height,
            srs: self.srs.clone(),
        }
    }
}

/// Arguments of `exec`.
#[derive(Debug, Args)]
pub struct Exec {
    /// RV32IM executable.
    pub elf: PathBuf,
    /// Private input.
    #[command(flatten)]
    pub input: InputArgs,
    /// Give up after this many cycles.
    #[arg(long, value_name = "N", default_value_t = 1 << 28)]
    pub max_cycles: u64,
}

/// Arguments of `prove`.
#[derive(Debug, Args)]
pub struct Prove {
    /// RV32IM executable.
    pub elf: PathBuf,
    /// Pipeline with its options.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Private input.
    #[command(flatten)]
    pub input: InputArgs,
    /// Give up after this many cycles.
    #[arg(long, value_name = "N", default_value_t = 1 << 24)]
    pub max_cycles: u64,
    /// Give up above this much memory.
    #[arg(long, value_name = "GIB")]
    pub memory_gib: Option<f64>,
    /// Where to write the proof.
    #[arg(short, long, value_name = "PROOF")]
    pub output: PathBuf,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Proof file.
    pub proof: PathBuf,
    /// The program that the proof is about.
    #[arg(long, value_name = "ELF", required_unless_present = "key", conflicts_with = "key")]
    pub program: Option<PathBuf>,
    /// Its verifying key, as saved by `key`.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The structured reference string that the proof must have been made with.
    #[arg(long, value_name = "FILE")]
    pub srs: Option<PathBuf>,
    /// Refuse proofs made for fewer bits.
    #[arg(long, value_name = "BITS", default_value_t = trilemma_core::security::SECURITY_FLOOR)]
    pub min_security: u32,
}

/// Arguments of `key`.
#[derive(Debug, Args)]
pub struct Key {
    /// RV32IM executable.
    pub elf: PathBuf,
    /// Pipeline with its options.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Input of an execution of the size that the key is to be for, where keys are for a size: PLONKish
    /// circuits, Marlin, Groth16.
    #[command(flatten)]
    pub input: InputArgs,
    /// Give up after this many cycles.
    #[arg(long, value_name = "N", default_value_t = 1 << 24)]
    pub max_cycles: u64,
    /// Where to write the key.
    #[arg(short, long, value_name = "KEY")]
    pub output: PathBuf,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Experiment (TOML).
    pub config: PathBuf,
    /// Directory of the run; a new one under `runs/` by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with a run that was interrupted: the one in --out, or the latest of this experiment.
    #[arg(long)]
    pub resume: bool,
    /// Print the cells, which are done and how long the rest should take; run nothing.
    #[arg(long)]
    pub plan: bool,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// Directory of a run.
    pub run: PathBuf,
    /// Page to write; `report.html` in the run's directory by default. The CSV goes beside it.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// RV32IM executable.
    pub elf: PathBuf,
    /// Private input.
    #[command(flatten)]
    pub input: InputArgs,
    /// Give up after this many cycles.
    #[arg(long, value_name = "N", default_value_t = 1 << 16)]
    pub max_cycles: u64,
    /// Field: bls12-381, bn254, pallas or vesta.
    #[arg(long, default_value = "bn254")]
    pub setting: String,
    /// Where to write: PREFIX.r1cs and PREFIX.wtns.
    #[arg(short, long, value_name = "PREFIX")]
    pub output: PathBuf,
}

/// What a structured reference string is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SrsKind {
    /// Powers of one point: kzg, hyperkzg, gemini(kzg).
    Univariate,
    /// The Lagrange basis at one point: pst.
    Multilinear,
}

/// Arguments of `srs`.
#[derive(Debug, Args)]
pub struct Srs {
    /// Curve: bls12-381 or bn254.
    pub curve: String,
    /// What it is for.
    #[arg(long, value_enum, default_value_t = SrsKind::Univariate)]
    pub kind: SrsKind,
    /// log2 of the number of points; the variables of a multilinear polynomial.
    #[arg(long, value_name = "N")]
    pub log_size: usize,
    /// Where to write the file.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}
