//! `spartan2`: Microsoft's Spartan over Hyrax as a whole system, the reference for
//! `r1cs/spartan/hyrax`.
//!
//! **Claim.** That of `spartan`: the same tables as the same R1CS, with [`trilemma_arith::r1cs::Flat`]'s
//! wires in place of columns. The library knows nothing of repeated blocks: every row of every instance
//! contributes its own constraints, whose matrices both sides build from program, heights and the
//! statement's buses. Entries of tuples by powers of `beta` are wires, because a coefficient of this R1CS
//! cannot be a challenge; so it has more wires and constraints than `spartan` has cells and rows.
//!
//! **Messages.**
//! 1. prover: heights; commitments to advice and to products, which are the library's `shared` and
//!    `precommitted` wires
//! 2. verifier: `gamma` and `beta`, the circuit's two challenges, which the library draws after both
//! 3. prover: a commitment to fractions and entries
//! 4. Spartan \[Set20\] on the whole system: a sumcheck over constraints, one over wires, and an opening
//!    of the wires by Hyrax \[WTSTW18\]
//!
//! The library has its own transcript (Keccak-256). The digest of its verifying key, which is of all
//! matrices and generators, and its public inputs are the first it absorbs; the inputs are a seed forked
//! from our transcript, once that has absorbed protocol, program, statement and heights, and the
//! entries of the statement's tuples. What it sends is written back to ours as a container, without
//! lengths, tags and public inputs, which the verifier derives and puts back.
//!
//! **Soundness** as in `spartan`; every challenge is a field element, nothing is ground. Weaker, or not
//! checked by the library itself:
//! - Its verifier neither refuses nor absorbs a commitment to a part of the witness that has no wires,
//!   and yet counts its rows among those it opens: who may add one chooses the witness last. Neither
//!   part is empty here, and the container has no room for a commitment that the layout has not.
//! - It does not compare public inputs with anything, nor count them; here they are not read from the
//!   proof.
//! - The claimed value of the opening is sent in the clear with its blind and bound by a commitment to
//!   it, not by the transcript of the sumchecks.
//! - Its transcript separates messages by labels, not by lengths; every length is fixed here.
//! - Challenges are 512 bits modulo the field's order, so as good as uniform.
//! - Its verifier can panic at a point at infinity: such points are refused, and a panic is a rejection.
//!
//! **Cost.** The verifier's work is linear in the trace, twice: it builds the library's key of the shape
//! (constraints, matrices and a digest of them), which is most of its time, and evaluates the matrices,
//! because the library has no commitment to them. Keys on the prover's side keep the last shape's, which
//! [`crate::Keys::prepare`] makes; a verifier of a saved key builds it for every proof.
//! Keys and proof together took 1.3 kB a wire at their peak: 9.6 GB for 65 thousand cycles of SHA-256,
//! which are 7.4 million wires. Beyond `2^24` wires or constraints a system is refused, on both sides;
//! `max_log_height` lowers that, and with it what a hostile proof can make a verifier allocate.
//!
//! **Fairness.** Commitments are blinded, though nothing is hidden, and 2048 wide whatever the length.
//! The opening's inner product is proven by a linear argument. Phases
//! `commit` and `open` are calls of its scheme; all else it does is in `piop`, as are the values of wires
//! that are known late, and the library's keys if nothing prepared them.

mod circuit;
mod codec;
mod engine;
mod key;
mod prover;

use std::sync::Arc;

use trilemma_core::scheme::Setup;
use trilemma_core::setting::Pallas;
use trilemma_core::{ConfigError, Options, Properties, Reject, Security, Setting};
use trilemma_frontends::riscv::Program;

use crate::combination::protocol_id;
use crate::{Failure, Keys, Pipeline, System, Verifier};
use key::Key;
use prover::ProgramKeys;

/// Name in configurations.
pub const NAME: [&str; 3] = ["spartan2", "hyrax", Pallas::NAME];

/// The only setting so far.
type S = Pallas;
type F = <S as Setting>::Base;

/// log2 of the most wires and constraints, unless the options say otherwise.
const MAX_LOG_SIZE: usize = 24;

/// The system.
///
/// # Errors
/// None so far; what a run lacks of its target, it reports when it is proven.
pub fn system(pipeline: &Pipeline, options: &Options) -> Result<Box<dyn System>, ConfigError> {
    Ok(Box::new(Spartan2(Arc::new(Scheme::new(pipeline, options)))))
}

/// What does not depend on a program.
struct Scheme {
    security: Security,
    max_log_size: usize,
    /// Hash of the pipeline's name and options.
    protocol: [u8; 32],
}

impl Scheme {
    fn new(pipeline: &Pipeline, options: &Options) -> Self {
        Self {
            security: options.security,
            max_log_size: options.max_log_height.unwrap_or(MAX_LOG_SIZE).min(MAX_LOG_SIZE),
            protocol: protocol_id(pipeline, options, &Setup::Transparent),
        }
    }
}

struct Spartan2(Arc<Scheme>);

impl System for Spartan2 {
    fn properties(&self) -> Properties {
        Properties {
            setup: Setup::Transparent,
            post_quantum: false,
            hiding: false,
            verifier: "n (the shape's key included)",
        }
    }

    fn keys(&self, program: &Program) -> Result<Box<dyn Keys>, Failure> {
        Ok(Box::new(ProgramKeys::new(self.0.clone(), program)))
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn Verifier>, Reject> {
        Ok(Box::new(Key::load(self.0.clone(), verifying_key)?))
    }
}

fn library_error(error: impl std::fmt::Display) -> ConfigError {
    ConfigError(format!("spartan2: {error}"))
}
