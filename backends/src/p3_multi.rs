//! `p3-multi-stark`: Plonky3's own multilinear multi-table STARK as a whole system, the reference for
//! `air/ml-stark/whir`.
//!
//! **Claim.** That of `ml-stark`: the same tables, walked as expression graphs by p3-air's builders,
//! the same integer traces, the same buses as global lookups of p3-lookup. The statement's tuples are
//! one more table, whose columns p3 forces to equal periodic columns, which the verifier derives from
//! the statement and evaluates itself.
//!
//! **Messages.** Heights; one root for the advice of all tables; a nonce; p3's fractional GKR for the
//! buses; one sumcheck for constraints and buses; the columns where it ends; a WHIR proof for advice
//! and one for fixed columns. p3's challenger is forked from the transcript once that has absorbed
//! everything outside the proof (protocol, fixed columns, statement) and the heights; what p3 sends is
//! written back to it as a container. Elements have fixed width and no lengths, WHIR's proofs are
//! written as the `whir` scheme does, so proof sizes compare.
//!
//! **Keys.** p3 makes both keys from the fixed columns' contents, and for a list of instances, which
//! here differs from proof to proof. So they are made anew for every proof, by p3, over a scheme that
//! returns the commitment made at key generation ([`pcs`]); the verifier has its root only.
//!
//! **Soundness** as in `ml-stark`, except that poles of fractions are counted, as p3-security does. p3
//! has no place to grind before the challenges of the buses, whose term is short of 100 bits from about
//! `2^22` fractions on; the scheme grinds right after it has absorbed the commitment, the last message
//! before them. Everything else outside WHIR must reach the target by itself, or nothing is proved.
//!
//! **Fairness.** WHIR's folds, rates, queries, grinding, code and hash are those of the `whir` scheme,
//! solved by the same code; fixed columns are committed at key generation. p3's costs are left as they
//! are: fractions are padded to a power of two and materialized, traces are transposed and copied into
//! the polynomial that is committed, tables of fewer than `2^6` rows are padded to that, and advice and
//! fixed columns are opened by one WHIR proof each instead of both by one sumcheck first. Next to p3's
//! own examples, tables are walked as graphs instead of being compiled.
//!
//! **Not covered.** p3 repeats the last row where our tables wrap around to the first, so a machine
//! with a table that reads the next row is refused; the RISC-V machine has none.

mod codec;
mod key;
mod pcs;
mod prover;
mod terms;

use std::sync::Arc;

use p3_dft::Radix2DFTSmallBatch;
use p3_sumcheck::layout::SuffixProver;
use p3_whir::{WhirProver, WhirProverData};
use trilemma_core::scheme::Setup;
use trilemma_core::{ConfigError, Options, Properties, Reject, Security, Setting};
use trilemma_frontends::riscv::Program;
use trilemma_pcs::fri::tree::Merkle;
use trilemma_pcs::whir::parameters::{FIRST_FOLD, Parameters};

use crate::combination::protocol_id;
use crate::p3::{Challenger, E, F, S, T, Trees};
use crate::{Failure, Keys, Pipeline, System, Verifier};
use key::Key;
use prover::ProgramKeys;

/// Name in configurations.
pub const NAME: [&str; 3] = ["p3-multi-stark", "whir", S::NAME];

/// log2 of the shortest table that p3 commits to.
const MIN_LOG_HEIGHT: usize = FIRST_FOLD;
/// The fewest and the most variables of a committed polynomial, as in the `whir` scheme.
const VARIABLES: [usize; 2] = [12, 26];

type Dft = Radix2DFTSmallBatch<F>;
type Layout = SuffixProver<F, E>;
type Whir = WhirProver<E, F, Dft, Trees, Challenger, Layout>;
/// Columns with the tree over their code words.
type Data = WhirProverData<F, E, Trees, Layout>;

/// The system with the hash that the options name.
///
/// # Errors
/// An unknown hash, or parameters that cannot reach the target.
pub fn system(pipeline: &Pipeline, options: &Options) -> Result<Box<dyn System>, ConfigError> {
    Ok(Box::new(P3Multi(Arc::new(Scheme::new(pipeline, options)?))))
}

struct P3Multi(Arc<Scheme>);

impl System for P3Multi {
    fn properties(&self) -> Properties {
        let setup = Setup::Transparent;
        Properties { setup, post_quantum: true, hiding: false, verifier: "log^2 n" }
    }

    fn keys(&self, program: &Program) -> Result<Box<dyn Keys>, Failure> {
        Ok(Box::new(ProgramKeys::new(self.0.clone(), program)?))
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn Verifier>, Reject> {
        Ok(Box::new(Key::load(self.0.clone(), verifying_key)?))
    }
}

/// What does not depend on a program.
struct Scheme {
    /// From the fewest [`VARIABLES`] on.
    parameters: Vec<Parameters<S, T>>,
    security: Security,
    max_log_height: usize,
    dft: Dft,
    trees: Trees,
    /// Hash of the pipeline's name and options.
    protocol: [u8; 32],
}

impl Scheme {
    fn new(pipeline: &Pipeline, options: &Options) -> Result<Self, ConfigError> {
        let [fewest, most] = VARIABLES;
        let most = options.max_log_height.unwrap_or(most);
        let parameters = (fewest..=most).map(|variables| Parameters::solve(options, variables));
        Ok(Self {
            parameters: parameters.collect::<Result<_, _>>()?,
            security: options.security,
            max_log_height: most,
            dft: Dft::default(),
            trees: <T as Merkle<S>>::chosen(options)?,
            protocol: protocol_id(pipeline, options, &Setup::Transparent),
        })
    }

    /// Parameters for a polynomial of so many variables.
    fn parameters(&self, variables: usize) -> Result<&Parameters<S, T>, ConfigError> {
        let none = || {
            let [fewest, most] = [VARIABLES[0], self.max_log_height];
            ConfigError(format!("max_log_height: 2^{variables} values are not within 2^{fewest} and 2^{most}"))
        };
        variables.checked_sub(VARIABLES[0]).and_then(|i| self.parameters.get(i)).ok_or_else(none)
    }

    /// p3's scheme for a polynomial of so many variables.
    fn whir(&self, variables: usize) -> Result<Whir, ConfigError> {
        let config = self.parameters(variables)?.config.clone();
        Ok(Whir::new(config, self.dft.clone(), self.trees.clone()))
    }
}

fn p3_error(error: impl std::fmt::Display) -> ConfigError {
    ConfigError(format!("p3-multi-stark: {error}"))
}
