//! The junction: a pipeline's names become a proof system.
//!
//! [`Pipeline`] is what a configuration says, [`system`] resolves it, a [`System`] makes [`Keys`] for
//! a program, and keys prove and verify. Nothing above this crate sees a field or a scheme.

#![cfg_attr(test, expect(dead_code, unused_imports, reason = "unit tests know no pipelines"))]

mod circuit;
mod combination;
mod export;
mod groth16;
mod halo2;
mod p3;
mod p3_batch;
mod p3_multi;
mod registry;
mod spartan2;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use trilemma_core::{ConfigError, Ledger, Properties, ProveError, Reject};
use trilemma_frontends::riscv::{ExecError, Program};

pub use export::{Exported, export_r1cs};
pub use registry::{pipelines, system};

/// A pipeline by names: `arithmetization/piop/pcs/setting`, such as
/// `air/uni-stark/fri/koalabear4`, or the name of a whole system, such as
/// `p3-batch-stark/fri/koalabear4`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pipeline(pub String);

impl std::fmt::Display for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Public outcome of an execution: what a proof proves about a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Public {
    /// Exit code.
    pub exit_code: u32,
    /// Bytes written to the public output.
    pub output: Vec<u8>,
}

/// Why no proof came out.
#[derive(Debug, Error)]
pub enum Failure {
    /// The guest trapped or ran too long.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The prover stopped.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The pipeline does not exist or does not fit.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Costs that do not depend on the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Instructions executed.
    pub cycles: u64,
    /// Rows in use, over all tables.
    pub rows: u64,
    /// Rows with padding.
    pub padded_rows: u64,
    /// Base-field cells committed, helper columns and quotient included, fixed columns not.
    pub committed_cells: u64,
    /// Bus interactions of padded rows.
    pub interactions: u64,
    /// Proof bytes by message label.
    pub proof_bytes_by_label: Vec<(String, u64)>,
    /// Height (log2) and width of every table used, by name.
    pub tables: Vec<TableCost>,
}

/// Size of one table in one proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCost {
    /// Name.
    pub name: String,
    /// Rows in use.
    pub rows: u64,
    /// Rows with padding.
    pub padded_rows: u64,
    /// Columns committed for the trace.
    pub width: u64,
    /// Base-field helper columns committed for buses.
    pub helper_width: u64,
    /// Bus interactions a row.
    pub interactions: u64,
}

/// A proof and how it came about.
pub struct Proved {
    /// What it proves.
    pub public: Public,
    /// The proof.
    pub proof: Vec<u8>,
    /// Error terms.
    pub ledger: Ledger,
    /// Wall time by phase: `execute`, `witness`, `commit`, `piop`, `open`.
    pub phases: Vec<(&'static str, Duration)>,
    /// Machine-independent costs.
    pub cost: Cost,
}

/// A proof system for RISC-V programs.
pub trait System: Send + Sync {
    /// What a report says of it.
    fn properties(&self) -> Properties;

    /// Proving and verifying keys of a program.
    fn keys(&self, program: &Program) -> Result<Box<dyn Keys>, Failure>;

    /// The verifier of a saved verifying key.
    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn Verifier>, Reject>;
}

/// A program's keys.
pub trait Keys: Verifier {
    /// Makes what keys for an execution on `input` have more than the program's, such as the powers of
    /// a reference string, so that the time of proving is the prover's.
    fn prepare(&self, _input: &[u8], _max_cycles: u64) -> Result<(), Failure> {
        Ok(())
    }

    /// Executes the program on `input` and proves the execution.
    fn prove(&self, input: &[u8], max_cycles: u64) -> Result<Proved, Failure>;
}

/// A program's verifying key.
pub trait Verifier: Send + Sync {
    /// Checks that some input makes the program end with `public`.
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject>;

    /// The key's bytes.
    fn verifying_key(&self) -> Vec<u8>;
}
