//! What a PIOP talks to: scalars, challenges, oracles and questions about them.
//!
//! The verifier's side is object-safe, so one compiled PIOP serves every scheme of a setting. The
//! real channels below turn a PIOP and a [`crate::Scheme`] into a proof; with the `ideal` scheme the
//! same code sends columns in the clear, and every run counts its bytes by label.

use std::time::{Duration, Instant};

use crate::claim::{Claim, ClaimKind, Columns};
use crate::error::{ProveError, Reject};
use crate::scheme::Opens;
use crate::security::ErrorTerm;
use crate::setting::Setting;
use crate::transcript::{Label, ProverTranscript, VerifierTranscript};

/// The shape of a committed matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// log2 of the rows.
    pub log_height: usize,
    /// Base-field columns.
    pub width: usize,
}

impl Shape {
    /// The shape of `columns`.
    pub fn of<F: Clone + Send + Sync>(columns: &Columns<F>) -> Self {
        Self {
            log_height: (columns.values.len() / columns.width.max(1)).trailing_zeros() as usize,
            width: columns.width,
        }
    }
}

/// An oracle: a list of matrices committed at once. The index's oracle, if any, is number 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oracle(pub usize);

/// A query about one matrix of an oracle.
#[derive(Debug, Clone)]
pub struct Question<Q> {
    /// The oracle.
    pub oracle: Oracle,
    /// Which of its matrices.
    pub matrix: usize,
    /// The functional.
    pub query: Q,
}

/// The verifier's side of a channel.
pub trait OracleVerifier<S: Setting, Q: ClaimKind<S>> {
    /// Receives `n` numbers of at most `max`.
    fn recv_sizes(&mut self, label: Label, n: usize, max: u8) -> Result<Vec<u8>, Reject>;
    /// Receives `n` scalars.
    fn recv(&mut self, label: Label, n: usize) -> Result<Vec<S::Ext>, Reject>;
    /// Draws a challenge whose error is `term`; `None` shares the previous challenge's term.
    fn sample(&mut self, label: Label, term: Option<ErrorTerm>) -> Result<S::Ext, Reject>;
    /// Receives an oracle of these shapes.
    fn recv_oracle(&mut self, label: Label, shapes: Vec<Shape>) -> Result<Oracle, Reject>;
    /// Receives answers, one value per column for each question; their proof is checked at the end.
    fn ask(&mut self, questions: Vec<Question<Q>>) -> Result<Vec<Vec<S::Ext>>, Reject>;
    /// The only way to reject.
    fn require(&mut self, what: &'static str, holds: bool) -> Result<(), Reject> {
        if holds { Ok(()) } else { Err(Reject::new(what)) }
    }
}

/// The prover's side of a channel; mirrors [`OracleVerifier`].
pub trait OracleProver<S: Setting, Q: ClaimKind<S>> {
    /// Sends numbers below 256.
    fn send_sizes(&mut self, label: Label, sizes: &[u8]);
    /// Sends scalars.
    fn send(&mut self, label: Label, values: &[S::Ext]);
    /// Draws a challenge whose error is `term`.
    fn sample(&mut self, label: Label, term: Option<ErrorTerm>) -> Result<S::Ext, ProveError>;
    /// Sends an oracle.
    fn send_oracle(&mut self, label: Label, matrices: Vec<Columns<S::Base>>) -> Result<Oracle, ProveError>;
    /// Sees an oracle again.
    fn view(&self, oracle: Oracle, matrix: usize, on: Q::On) -> Q::View<'_>;
    /// Sends answers.
    fn ask(&mut self, questions: Vec<Question<Q>>) -> Result<Vec<Vec<S::Ext>>, ProveError>;
}

/// What a run asked of the scheme.
#[derive(Debug, Clone, Copy, Default)]
pub struct SchemeCost {
    /// Wall time spent committing to oracles.
    pub commit: Duration,
    /// Wall time spent answering questions and proving the answers.
    pub open: Duration,
    /// Base-field cells committed, the index's not among them.
    pub cells: u64,
}

/// A prover's channel over a scheme.
pub struct ProverChannel<'k, S: Setting, Q: ClaimKind<S>, P: Opens<S, Q>> {
    pk: &'k P::ProverKey,
    fixed: Option<&'k P::Opener>,
    sent: Vec<P::Opener>,
    claims: Vec<Claim<Q, S::Ext>>,
    hints: P::Hints,
    cost: SchemeCost,
    vk: &'k P::VerifierKey,
    /// The transcript.
    pub t: ProverTranscript,
}

impl<'k, S: Setting, Q: ClaimKind<S>, P: Opens<S, Q>> ProverChannel<'k, S, Q, P> {
    /// A channel that starts with the index's oracle, if there is one.
    pub fn new(
        (pk, vk): (&'k P::ProverKey, &'k P::VerifierKey),
        fixed: Option<&'k P::Opener>,
        t: ProverTranscript,
    ) -> Self {
        Self {
            pk,
            fixed,
            sent: Vec::new(),
            claims: Vec::new(),
            hints: P::Hints::default(),
            cost: SchemeCost::default(),
            vk,
            t,
        }
    }

    fn openers(&self) -> Vec<&P::Opener> {
        self.fixed.into_iter().chain(&self.sent).collect()
    }

    /// Proves every answer given.
    pub fn finish(mut self) -> Result<(ProverTranscript, SchemeCost), ProveError> {
        let start = Instant::now();
        let openers: Vec<&P::Opener> = self.fixed.into_iter().chain(&self.sent).collect();
        P::open(self.pk, &openers, &self.claims, self.hints, &mut self.t)?;
        self.cost.open += start.elapsed();
        Ok((self.t, self.cost))
    }
}

impl<S: Setting, Q: ClaimKind<S>, P: Opens<S, Q>> OracleProver<S, Q> for ProverChannel<'_, S, Q, P> {
    fn send_sizes(&mut self, label: Label, sizes: &[u8]) {
        self.t.send(label, sizes);
    }

    fn send(&mut self, label: Label, values: &[S::Ext]) {
        self.t.send_ext::<S>(label, values);
    }

    fn sample(&mut self, label: Label, term: Option<ErrorTerm>) -> Result<S::Ext, ProveError> {
        let term = term.map(|term| term.losing(P::lists_bits(self.vk, self.sent.len())));
        Ok(self.t.challenge::<S>(label, term.as_ref())?)
    }

    fn send_oracle(&mut self, label: Label, matrices: Vec<Columns<S::Base>>) -> Result<Oracle, ProveError> {
        let start = Instant::now();
        let oracle = Oracle(self.openers().len());
        self.cost.cells += matrices.iter().map(|m| m.values.len() as u64).sum::<u64>();
        self.sent.push(P::commit(self.pk, matrices, label, &mut self.t)?);
        self.cost.commit += start.elapsed();
        Ok(oracle)
    }

    fn view(&self, oracle: Oracle, matrix: usize, on: Q::On) -> Q::View<'_> {
        let opener = match (self.fixed, oracle.0) {
            (Some(fixed), 0) => fixed,
            (fixed, i) => &self.sent[i - usize::from(fixed.is_some())],
        };
        P::view(self.pk, opener, matrix, on)
    }

    fn ask(&mut self, questions: Vec<Question<Q>>) -> Result<Vec<Vec<S::Ext>>, ProveError> {
        let start = Instant::now();
        let mut hints = std::mem::take(&mut self.hints);
        let answers = P::answer(self.pk, &self.openers(), &questions, &mut hints);
        self.hints = hints;
        for (question, values) in questions.into_iter().zip(&answers) {
            self.t.send_ext::<S>("answers", values);
            self.claims.push(claim(question, values.clone()));
        }
        self.cost.open += start.elapsed();
        Ok(answers)
    }
}

fn claim<Q, E>(question: Question<Q>, values: Vec<E>) -> Claim<Q, E> {
    Claim { oracle: question.oracle.0, matrix: question.matrix, query: question.query, values }
}

/// A verifier's channel over a scheme.
pub struct VerifierChannel<'k, 'p, S: Setting, Q: ClaimKind<S>, P: Opens<S, Q>> {
    vk: &'k P::VerifierKey,
    oracles: Vec<(P::Commitment, Vec<Shape>)>,
    has_fixed: bool,
    claims: Vec<Claim<Q, S::Ext>>,
    t: VerifierTranscript<'p>,
}

impl<'k, 'p, S: Setting, Q: ClaimKind<S>, P: Opens<S, Q>> VerifierChannel<'k, 'p, S, Q, P> {
    /// A channel that starts with the index's oracle, if there is one.
    pub fn new(vk: &'k P::VerifierKey, fixed: Option<(P::Commitment, Vec<Shape>)>, t: VerifierTranscript<'p>) -> Self {
        let has_fixed = fixed.is_some();
        Self { vk, oracles: fixed.into_iter().collect(), has_fixed, claims: Vec::new(), t }
    }

    /// Checks the proof of every answer received.
    pub fn finish(mut self) -> Result<VerifierTranscript<'p>, Reject> {
        let oracles: Vec<_> = self.oracles.iter().map(|(c, s)| (c, s.as_slice())).collect();
        P::verify(self.vk, &oracles, &self.claims, &mut self.t)?;
        Ok(self.t)
    }
}

impl<S: Setting, Q: ClaimKind<S>, P: Opens<S, Q>> OracleVerifier<S, Q> for VerifierChannel<'_, '_, S, Q, P> {
    fn recv_sizes(&mut self, label: Label, n: usize, max: u8) -> Result<Vec<u8>, Reject> {
        let sizes = self.t.recv(label, n)?.to_vec();
        self.require("a size above its bound", sizes.iter().all(|&s| s <= max))?;
        Ok(sizes)
    }

    fn recv(&mut self, label: Label, n: usize) -> Result<Vec<S::Ext>, Reject> {
        self.t.recv_ext::<S>(label, n)
    }

    fn sample(&mut self, label: Label, term: Option<ErrorTerm>) -> Result<S::Ext, Reject> {
        // The index's commitment is the key's, not the prover's.
        let sent = self.oracles.len() - usize::from(self.has_fixed);
        let term = term.map(|term| term.losing(P::lists_bits(self.vk, sent)));
        self.t.challenge::<S>(label, term.as_ref())
    }

    fn recv_oracle(&mut self, label: Label, shapes: Vec<Shape>) -> Result<Oracle, Reject> {
        let commitment = P::receive(self.vk, &shapes, label, &mut self.t)?;
        self.oracles.push((commitment, shapes));
        Ok(Oracle(self.oracles.len() - 1))
    }

    fn ask(&mut self, questions: Vec<Question<Q>>) -> Result<Vec<Vec<S::Ext>>, Reject> {
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            let width = self
                .oracles
                .get(question.oracle.0)
                .and_then(|(_, shapes)| shapes.get(question.matrix))
                .map(|shape| shape.width)
                .ok_or_else(|| Reject::new("a question about no matrix"))?;
            let values = self.t.recv_ext::<S>("answers", width)?;
            answers.push(values.clone());
            self.claims.push(claim(question, values));
        }
        Ok(answers)
    }
}
