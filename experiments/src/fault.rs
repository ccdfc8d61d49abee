//! How a command fails: its user asked for something that makes no sense, or it was refused.

use std::io;
use std::path::Path;

use thiserror::Error;
use trilemma_backends::Failure;
use trilemma_core::{ConfigError, ProveError, Reject};
use trilemma_frontends::riscv::exec::ExecError;
use trilemma_reports::ReadError;

/// Why a command failed.
#[derive(Debug, Error)]
pub enum Fault {
    /// An argument, a configuration or a missing file: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// A guest, a prover or a verifier said no: exit code 1.
    #[error("{0}")]
    Failed(String),
}

impl Fault {
    /// Code of the process.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: &io::Error) -> Self {
        Self::Usage(format!("{}: {error}", path.display()))
    }

    /// The same, after the name of what it is about.
    #[must_use]
    pub fn about(self, what: impl std::fmt::Display) -> Self {
        match self {
            Self::Usage(text) => Self::Usage(format!("{what}: {text}")),
            Self::Failed(text) => Self::Failed(format!("{what}: {text}")),
        }
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<ExecError> for Fault {
    fn from(error: ExecError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Reject> for Fault {
    fn from(error: Reject) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Exec(error) => error.into(),
            Failure::Config(error) | Failure::Prove(ProveError::Config(error)) => error.into(),
            Failure::Prove(error @ ProveError::Unsatisfied(_)) => Self::Failed(error.to_string()),
        }
    }
}
