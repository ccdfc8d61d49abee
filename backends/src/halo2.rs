//! `halo2-axiom`: Axiom's fork of halo2 as a whole system, the reference for
//! `plonkish-whole/plonk`.
//!
//! **Claim.** That of `plonkish-whole`: a machine's tables as one circuit of wide rows whose lookup tables
//! are in one piece ([`trilemma_arith::plonkish::Whole`]), here in the library's own terms. How its columns, gates, lookups
//! and copies become the library's, and what its rows that blind do to a circuit of cyclic rows:
//! [`rows`] and [`configure`].
//!
//! **Messages.**
//! 1. prover: commitments to early columns
//! 2. verifier: `gamma` and `beta`, the circuit's two challenges
//! 3. prover: commitments to late columns
//! 4. the library's PLONK \[GWC19\]: inputs and tables of lookups permuted, a grand product for each lookup
//!    and for sets of permuted columns, a random polynomial, and the quotient in pieces as long as a column
//! 5. prover: values at a point and its neighbours; an opening of all of them: SHPLONK \[BDFG20\] (`kzg`),
//!    GWC \[GWC19\] (`kzg-gwc`), or the inner-product argument \[BGH19\] (`ipa`)
//!
//! The library has its own transcript (BLAKE2b-512), which absorbs a digest of its verifying key, with every
//! gate in it, and the public values; a seed forked from ours comes first, once ours has absorbed
//! protocol, program, extent and statement. What it sends is written back to ours as messages whose
//! lengths the verifier knows from the key.
//!
//! **Soundness.** For `n` rows, `m` columns permuted, `l` lookups, all identities batched by powers of one
//! challenge, and committed polynomials of degree below `N >= n`: `2 (m + 2 l) n / |F|` for grand products
//! \[GWC19, Section 5\], `n^2 / |F|` a lookup and entry for folding tuples, `d N / |F|` for identities of degree
//! `d` at a point, and the circuit's own `2 N_f a / |F|` for `N_f` fractions of tuples of length `a`; nothing is
//! ground. A lookup shows that its permuted input repeats entries of the permuted table. The rest is the
//! opening's. Weaker, or not as the library does it:
//! - It bounds the degree of identities by 5, or by an environment variable, whatever the gates' degree is,
//!   and then divides by too short a quotient; the true degree is set as its least.
//! - Its prover does not look whether an assignment satisfies the circuit, and panics at some that do not.
//! - Its verifier may panic; a panic is a rejection.
//! - It reads some points in two forms; only the canonical one is accepted here.
//! - Challenges are 512 bits modulo the field's order, so as good as uniform.
//!
//! **Fields.** The circuit is over BN254's scalar field, with either commitment. Inner products over Pallas
//! would need its scalars to have a hash, which the library's prover asks of every field (its lookups
//! count inputs in a hash map) and its Pasta curves lack. The library's own test of its inner-product
//! argument is commented out.
//!
//! **Fairness.** The same reference string as `kzg`. To the library's disadvantage:
//! - Five rows of every column and one polynomial are random, and six rows are lost, though nothing is hidden:
//!   pieces of the quotient are committed to as they are. A table that fills the circuit doubles `n`.
//! - A lookup takes three columns of its own; logarithmic derivatives would take one or less.
//! - Inputs of lookups have degree 3, which makes 6 the degree of its identities and 8 `n` the quotient's domain, a power
//!   of two; that of ours is `D - 1` cosets of `n` points, for whatever degree `D` makes columns few.
//! - Expressions are trees; the prover finds again what they share, the verifier does not.
//! - It reads witnesses cell by cell, and holds 72 bytes for each.
//!
//! To its advantage: six rows apart, it has no more rows, columns or fractions; keys are made before the
//! clock starts; its field is BN254's, for which it has arithmetic of its own, in assembly where the processor has ADX
//! and BMI2, as ours has. Phases `commit` and `open` are
//! the time in which its scheme is at work (of commitments, several at a time); transforms and what is known
//! late are in `piop`.

mod circuit;
mod codec;
mod configure;
mod engine;
mod field;
mod key;
mod rows;
mod scheme;
#[cfg(test)]
mod tests;
mod timed;
mod transcript;

use trilemma_core::setting::Bn254;
use trilemma_core::{ConfigError, Options, Setting};

use crate::circuit::CircuitSystem;
use crate::{Pipeline, System};
use engine::Halo2;
use scheme::Opening;

/// The only setting.
type S = Bn254;
/// Its field, as the library has it.
type F = halo2_axiom::halo2curves::bn256::Fr;

/// Names in configurations, and what they name.
const OPENINGS: [(&str, Opening); 3] = [("kzg", Opening::Shplonk), ("kzg-gwc", Opening::Gwc), ("ipa", Opening::Ipa)];

/// Names in configurations.
pub fn names() -> impl Iterator<Item = [&'static str; 3]> {
    OPENINGS.iter().map(|(name, _)| ["halo2-axiom", name, S::NAME])
}

/// The system.
///
/// # Errors
/// The reference string cannot be had.
pub fn system(pipeline: &Pipeline, options: &Options) -> Result<Box<dyn System>, ConfigError> {
    let name = pipeline.0.split('/').nth(1).unwrap_or("");
    let choice = OPENINGS.iter().find(|(known, _)| *known == name);
    let unknown = || ConfigError::choice("commitment scheme", name, OPENINGS.iter().map(|(name, _)| *name));
    let (_, opening) = choice.ok_or_else(unknown)?;
    Ok(Box::new(CircuitSystem::new(Halo2::new(*opening, pipeline, options)?)))
}

fn error(what: impl std::fmt::Display) -> ConfigError {
    ConfigError(format!("halo2-axiom: {what}"))
}
