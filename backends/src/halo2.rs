//! `halo2-axiom`
mod circuit;
mod codec;
mod configure;
mod field;
mod key;
mod rows;
mod scheme;
#[cfg(test)]
mod tests;
mod timed;
mod transcript;

use trilemma_core::setting::Bn254;
use trilemma_core::{ConfigError, Setting};

/// The only setting.
type S = Bn254;
/// Its field, as the library has it.
type F = halo2_axiom::halo2curves::bn256::Fr;

fn error(what: impl std::fmt::Display) -> ConfigError {
    ConfigError(format!("halo2-axiom: {what}"))
}
