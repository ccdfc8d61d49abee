//! The three ways to fail: a configuration that makes no sense, a prover that cannot go on, and a
//! proof that is refused.

use thiserror::Error;

/// A configuration that names something unknown or combines what does not fit.
///
/// The text names the key and the legal choices.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl ConfigError {
    /// An error for `key`, whose value `got` is none of `legal`.
    pub fn choice<'a>(key: &str, got: &str, legal: impl IntoIterator<Item = &'a str>) -> Self {
        let legal: Vec<&str> = legal.into_iter().collect();
        Self(format!("{key}: unknown value `{got}`; legal choices: {}", legal.join(", ")))
    }
}

/// Why a prover stopped.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ProveError {
    /// The parameters cannot reach the security target, or do not fit the instance.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The witness does not satisfy the relation.
    #[error("the witness does not satisfy the relation: {0}")]
    Unsatisfied(String),
}

/// Why a proof was refused. Every rejection names itself.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("rejected: {what}")]
pub struct Reject {
    /// The check that failed.
    pub what: String,
}

impl Reject {
    /// A rejection by the named check.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

impl From<ConfigError> for Reject {
    fn from(error: ConfigError) -> Self {
        Self::new(error.0)
    }
}
