//! The seams of trilemma: what a field setting, a claim, a channel, a commitment scheme and a PIOP
//! are. Nothing here knows a scheme, an arithmetization or an instruction set.
//!
//! Read in this order: [`setting`] (which fields), [`claim`] (what is asked of a committed matrix),
//! [`transcript`] (Fiat-Shamir and proof bytes), [`scheme`] (commitments), [`channel`] (what a PIOP
//! talks to), [`piop`], [`security`] (error terms), [`runner`] (a scheme with its types erased).

pub mod channel;
pub mod claim;
pub mod curve;
pub mod error;
pub mod multilinear;
pub mod options;
pub mod piop;
pub mod runner;
pub mod scheme;
pub mod security;
pub mod setting;
pub mod transcript;

pub use channel::{Oracle, OracleProver, OracleVerifier, Question, Shape};
pub use claim::{Claim, ClaimKind, Columns, MlEval, UniEval};
pub use error::{ConfigError, ProveError, Reject};
pub use options::Options;
pub use piop::Piop;
pub use runner::{Keyed, Runner, SchemeEntry};
pub use scheme::{Largest, Opens, Properties, Scheme, Setup};
pub use security::{ErrorTerm, Ledger, Regime, Security};
pub use setting::{Setting, Smooth};
pub use transcript::{Label, ProverTranscript, VerifierTranscript};
