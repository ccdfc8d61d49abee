//! Commitment schemes: commit to matrices, answer claims about them, prove the answers.
//!
//! A scheme sees a transcript and never samples outside it. Commitments may draw challenges (WHIR's
//! out-of-domain points), so [`Scheme::commit`] takes the transcript and has the verifier's twin
//! [`Scheme::receive`].

use serde::Serialize;

use crate::channel::{Question, Shape};
use crate::claim::{Claim, ClaimKind, Columns};
use crate::error::{ConfigError, ProveError, Reject};
use crate::options::Options;
use crate::setting::Setting;
use crate::transcript::{Label, ProverTranscript, VerifierTranscript};

/// Where a scheme's public parameters come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setup {
    /// Nothing secret ever existed.
    Transparent,
    /// Somebody once knew a trapdoor; the text says who ran the ceremony.
    Trusted(String),
    /// The trapdoor was drawn on this machine: for measuring only.
    Insecure(String),
}

/// What a scheme is besides fast or small; reports print it beside every figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Properties {
    /// Origin of the parameters.
    pub setup: Setup,
    /// Believed to withstand quantum computers.
    pub post_quantum: bool,
    /// Openings reveal nothing but the claimed values.
    pub hiding: bool,
    /// Growth of the verifier's work with the committed length `n`.
    pub verifier: &'static str,
}

/// Bounds on the oracles of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Largest {
    /// log2 of the rows of a matrix.
    pub log_height: usize,
    /// log2 of the cells of an oracle, rounded up.
    pub log_cells: usize,
}

/// A commitment scheme over a setting.
pub trait Scheme<S: Setting>: Sized + Send + Sync + 'static {
    /// Name in configurations and reports.
    const NAME: &'static str;
    /// log2 of the tallest matrix unless the options say otherwise.
    const MAX_LOG_HEIGHT: usize = 24;
    /// The prover's key has parts that are made when an oracle first needs them; see [`Self::prepare`].
    const KEY_GROWS: bool = false;
    /// Commitments are opened at the same places of their codes, so that tuples of words are words of one
    /// code of the same distance, and no more numerous. Otherwise every commitment has a list of its own.
    const JOINT_LISTS: bool = false;
    /// What committing and opening need.
    type ProverKey: Send + Sync;
    /// What verifying needs; never of the size of the data.
    type VerifierKey: Send + Sync;
    /// What the verifier keeps of a commitment.
    type Commitment;
    /// What the prover keeps of a commitment.
    type Opener: Send + Sync;

    /// Keys for matrices of at most `2^max_log_height` rows.
    fn setup(options: &Options, max_log_height: usize) -> Result<(Self::ProverKey, Self::VerifierKey), ConfigError>;

    /// Makes the parts of a key that oracles up to these bounds need. A prover runs without it, but
    /// then makes them itself, in time that is none of its own.
    fn prepare(_pk: &Self::ProverKey, _largest: Largest) {}

    /// What the keys imply for a reader of a report.
    fn properties(vk: &Self::VerifierKey) -> Properties;

    /// log2 of how many polynomials one commitment may stand for (list decoding); 0 when it binds
    /// to one. Every error term of a PIOP loses [`Self::lists_bits`].
    fn list_bits(vk: &Self::VerifierKey) -> f64;

    /// log2 of how many tuples of polynomials so many commitments may stand for.
    fn lists_bits(vk: &Self::VerifierKey, commitments: usize) -> f64 {
        let lists = if Self::JOINT_LISTS { commitments.min(1) } else { commitments };
        Self::list_bits(vk) * lists as f64
    }

    /// Commits to `matrices`, sending the commitment.
    fn commit(
        pk: &Self::ProverKey,
        matrices: Vec<Columns<S::Base>>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Self::Opener, ProveError>;

    /// Refuses shapes that the keys are not for, before anything of their size is made.
    fn fits(vk: &Self::VerifierKey, shapes: &[Shape]) -> Result<(), ConfigError>;

    /// Receives what [`Self::commit`] sent for matrices of these shapes, which [`Self::fits`].
    fn receive(
        vk: &Self::VerifierKey,
        shapes: &[Shape],
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Self::Commitment, Reject>;
}

/// A scheme that can open claims of kind `Q`.
#[diagnostic::on_unimplemented(
    message = "the commitment scheme `{Self}` does not open `{Q}` claims over `{S}`",
    note = "pick a scheme that implements `Opens<{S}, {Q}>`, or wrap it in a bridge"
)]
pub trait Opens<S: Setting, Q: ClaimKind<S>>: Scheme<S> {
    /// Work that `answer` leaves for `open`.
    type Hints: Default + Send;

    /// The prover's view of a committed matrix, without recomputing what committing computed.
    fn view<'o>(pk: &Self::ProverKey, opener: &'o Self::Opener, matrix: usize, on: Q::On) -> Q::View<'o>;

    /// The values asked for, in order.
    fn answer(
        pk: &Self::ProverKey,
        openers: &[&Self::Opener],
        questions: &[Question<Q>],
        hints: &mut Self::Hints,
    ) -> Vec<Vec<S::Ext>>;

    /// Proves `claims`, whose values the transcript has absorbed.
    fn open(
        pk: &Self::ProverKey,
        openers: &[&Self::Opener],
        claims: &[Claim<Q, S::Ext>],
        hints: Self::Hints,
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError>;

    /// Checks what [`Self::open`] sent.
    fn verify(
        vk: &Self::VerifierKey,
        oracles: &[(&Self::Commitment, &[Shape])],
        claims: &[Claim<Q, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject>;
}
