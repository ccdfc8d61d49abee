//! What the files of a run hold. Names carry units; `schema` grows when a field changes its meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trilemma_core::{Ledger, Regime};

/// The version of these types.
pub const SCHEMA: u32 = 1;

/// One thing to measure: a pipeline on a program and an input, under a target and limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// BLAKE3 of the canonical JSON of everything that can change the measurement.
    pub cell: String,
    /// Program.
    pub program: String,
    /// Size of its input, as the experiment calls it.
    pub size: String,
    /// Cycles of a plain execution.
    pub planned_cycles: u64,
    /// Pipeline.
    pub pipeline: String,
    /// What the experiment calls the pipeline with its options, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Hash of Merkle trees.
    pub hash: String,
    /// log2 of the inverse rate of codes.
    pub log_blowup: usize,
    /// Bits that every proven error term must reach.
    pub target_bits: u32,
    /// Regime of code-based terms.
    pub regime: Regime,
    /// Threads a worker may use.
    pub threads: usize,
    /// Repetitions planned.
    pub repetitions: u32,
}

/// How one invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Proven, verified, and every forgery refused.
    Ok,
    /// The proof was refused.
    VerifyFailed,
    /// The proof's public values differ from those of a plain execution.
    OutputMismatch,
    /// A forgery was accepted.
    TamperAccepted,
    /// The wall-time limit was reached.
    TimeoutWall,
    /// The memory limit was reached.
    Oom,
    /// The worker was ended by a signal or a panic.
    Crash,
    /// The worker ended with an exit code and no row.
    Exit,
    /// The pipeline cannot do this.
    Unsupported,
    /// The harness failed.
    Infra,
}

impl Status {
    /// The name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::VerifyFailed => "verify_failed",
            Self::OutputMismatch => "output_mismatch",
            Self::TamperAccepted => "tamper_accepted",
            Self::TimeoutWall => "timeout_wall",
            Self::Oom => "oom",
            Self::Crash => "crash",
            Self::Exit => "exit",
            Self::Unsupported => "unsupported",
            Self::Infra => "infra",
        }
    }
}

/// What a pipeline is besides fast or small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traits {
    /// `transparent`, `trusted` or `insecure`.
    pub setup: String,
    /// Who knew the trapdoor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_detail: Option<String>,
    /// Believed to withstand quantum computers.
    pub post_quantum: bool,
    /// Openings hide all but the values they are asked for.
    pub hiding: bool,
    /// Growth of the verifier's work.
    pub verifier: String,
}

/// Wall times in nanoseconds. A phase that a system does not separate is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phases {
    /// Public parameters and the resolution of the pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup_ns: Option<u64>,
    /// Proving and verifying keys of the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keygen_ns: Option<u64>,
    /// Running the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execute_ns: Option<u64>,
    /// Filling the tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness_ns: Option<u64>,
    /// Committing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_ns: Option<u64>,
    /// The interactive protocol besides commitments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piop_ns: Option<u64>,
    /// Opening commitments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_ns: Option<u64>,
    /// From the input to the proof's bytes, execution included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prove_total_ns: Option<u64>,
    /// Writing the proof file's bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serialize_ns: Option<u64>,
    /// Median of an in-process loop of the verifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_ns: Option<u64>,
}

impl Phases {
    /// The parts of proving that charts stack, in order.
    pub const STACK: [&'static str; 5] = ["execute", "witness", "commit", "piop", "open"];

    /// A part of proving by name.
    pub fn part(&mut self, name: &str) -> Option<&mut Option<u64>> {
        match name {
            "execute" => Some(&mut self.execute_ns),
            "witness" => Some(&mut self.witness_ns),
            "commit" => Some(&mut self.commit_ns),
            "piop" => Some(&mut self.piop_ns),
            "open" => Some(&mut self.open_ns),
            _ => None,
        }
    }

    /// The values of [`Self::STACK`].
    pub const fn stack(&self) -> [Option<u64>; 5] {
        [self.execute_ns, self.witness_ns, self.commit_ns, self.piop_ns, self.open_ns]
    }
}

/// Size of one table in one proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSize {
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

/// What cannot differ between repetitions on any machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Instructions executed.
    pub cycles: u64,
    /// Rows in use, over all tables.
    pub rows: u64,
    /// Rows with padding.
    pub padded_rows: u64,
    /// Base-field cells committed, helper columns and quotient included.
    pub committed_cells: u64,
    /// Bus interactions of padded rows.
    pub interactions: u64,
    /// Size of the proof.
    pub proof_bytes: u64,
    /// Size of the verifying key.
    pub verifying_key_bytes: u64,
    /// Proof bytes by message label.
    pub proof_bytes_by_label: Vec<(String, u64)>,
    /// Every table used.
    pub tables: Vec<TableSize>,
}

/// Use of the machine while proving.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Processor time of all threads while proving, user and system.
    pub core_ns: Option<u64>,
    /// The part of it in the kernel, to a clock tick.
    pub system_ns: Option<u64>,
    /// Largest resident memory of the worker until the proof was there, keys included.
    pub peak_bytes: Option<u64>,
    /// Energy while proving.
    pub energy_uj: Option<u64>,
    /// Where each figure comes from, or why there is none.
    pub sources: BTreeMap<String, String>,
}

/// What a worker reports of one invocation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// How it ended.
    pub status: Status,
    /// Why, unless it is ok.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `base`, `aggregated` or `wrapped`.
    pub proof_stage: String,
    /// What the pipeline is.
    #[serde(default)]
    pub traits: Option<Traits>,
    /// Composed bits of the proof: the weakest term.
    #[serde(default)]
    pub bits: Option<f64>,
    /// Every error term, with its grinding and reference.
    #[serde(default)]
    pub ledger: Ledger,
    /// Wall times.
    #[serde(default)]
    pub phases: Phases,
    /// Iterations of the verifier's loop.
    #[serde(default)]
    pub verify_iterations: u32,
    /// Costs that cannot vary.
    #[serde(default)]
    pub counts: Option<Counts>,
    /// Use of the machine.
    #[serde(default)]
    pub resources: Resources,
}

impl Measurement {
    /// A measurement that has come to nothing so far.
    pub fn failed(status: Status, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: Some(reason.into()),
            proof_stage: "base".into(),
            traits: None,
            bits: None,
            ledger: Ledger::default(),
            phases: Phases::default(),
            verify_iterations: 0,
            counts: None,
            resources: Resources::default(),
        }
    }
}

/// One row: one invocation of a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Version of the row.
    pub schema: u32,
    /// Key of the machine.
    pub machine: String,
    /// Pass over the matrix, from 0.
    pub block: u32,
    /// When the worker started, RFC 3339.
    pub started: String,
    /// Wall time of the whole worker.
    pub worker_wall_ns: u64,
    /// What was measured.
    #[serde(flatten)]
    pub cell: Cell,
    /// What came out.
    #[serde(flatten)]
    pub measurement: Measurement,
}

/// A sensor and whether it works here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sensor {
    /// What it senses.
    pub name: String,
    /// Whether it works.
    pub works: bool,
    /// Its source, or why it does not work.
    pub detail: String,
}

/// Where a run took place, and with which binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// BLAKE3 of the hardware's description.
    pub machine: String,
    /// Processor.
    pub cpu: String,
    /// Logical processors that the process may use.
    pub cores: usize,
    /// Memory.
    pub memory_bytes: u64,
    /// Kernel.
    pub kernel: String,
    /// Whether a hypervisor is present.
    pub virtualised: bool,
    /// Vector extensions of the processor.
    pub simd: Vec<String>,
    /// Vector extensions that the binary was compiled for.
    pub simd_compiled: Vec<String>,
    /// Compiler.
    pub rustc: String,
    /// Its flags.
    pub rust_flags: String,
    /// Cargo profile and optimization level.
    pub profile: String,
    /// Commit of the source at build time, if it was known.
    pub git_commit: Option<String>,
    /// BLAKE3 of the worker's binary.
    pub binary: String,
    /// Version of trilemma.
    pub version: String,
    /// Sensors.
    pub sensors: Vec<Sensor>,
}
