//! The ideal twin of every commitment scheme: the columns themselves are the commitment.
//!
//! It gets transcript, codec and conformance suite for free, so a PIOP that works here and fails on
//! a real scheme points at the scheme. Verification is linear, and no row of a report ranks it.

use trilemma_core::channel::{Question, Shape};
use trilemma_core::claim::{Claim, ClaimKind, Columns};
use trilemma_core::scheme::{Opens, Properties, Scheme, Setup};
use trilemma_core::{ConfigError, Label, Options, ProveError, ProverTranscript, Reject, Setting, VerifierTranscript};

/// Sends columns in the clear.
pub struct Ideal;

/// log2 of the rows of the tallest matrix.
const LARGEST: usize = 28;

impl<S: Setting> Scheme<S> for Ideal {
    const NAME: &'static str = "ideal";
    type ProverKey = ();
    type VerifierKey = ();
    type Commitment = Vec<Columns<S::Base>>;
    type Opener = Vec<Columns<S::Base>>;

    fn setup(_: &Options, _: usize) -> Result<((), ()), ConfigError> {
        Ok(((), ()))
    }

    fn properties((): &()) -> Properties {
        Properties { setup: Setup::Transparent, post_quantum: true, hiding: false, verifier: "n" }
    }

    fn list_bits((): &()) -> f64 {
        0.0
    }

    fn commit(
        (): &(),
        matrices: Vec<Columns<S::Base>>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Self::Opener, ProveError> {
        for matrix in &matrices {
            let mut bytes = Vec::with_capacity(matrix.values.len() * S::BYTES);
            matrix.values.iter().for_each(|&x| S::encode(x, &mut bytes));
            t.send(label, &bytes);
        }
        Ok(matrices)
    }

    fn fits((): &(), shapes: &[Shape]) -> Result<(), ConfigError> {
        crate::not_higher("anything sent in the clear", LARGEST, shapes)
    }

    fn receive(
        (): &(),
        shapes: &[Shape],
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Self::Commitment, Reject> {
        let too_large = || Reject::new("a matrix too large to read");
        shapes
            .iter()
            .map(|shape| {
                let cells = shape.width.checked_shl(shape.log_height as u32).ok_or_else(too_large)?;
                let bytes = t.recv(label, cells.checked_mul(S::BYTES).ok_or_else(too_large)?)?;
                let values = bytes.chunks_exact(S::BYTES).map(S::decode).collect::<Option<Vec<_>>>();
                let values = values.ok_or_else(|| Reject::new("a cell is not canonical"))?;
                Ok(Columns::new(values, shape.width))
            })
            .collect()
    }
}

impl<S: Setting, Q: ClaimKind<S>> Opens<S, Q> for Ideal {
    type Hints = ();

    fn view<'o>((): &(), opener: &'o Self::Opener, matrix: usize, on: Q::On) -> Q::View<'o> {
        Q::view(&opener[matrix], on)
    }

    fn answer((): &(), openers: &[&Self::Opener], questions: &[Question<Q>], (): &mut ()) -> Vec<Vec<S::Ext>> {
        questions.iter().map(|q| q.query.evaluate(&openers[q.oracle.0][q.matrix])).collect()
    }

    fn open(
        (): &(),
        _: &[&Self::Opener],
        _: &[Claim<Q, S::Ext>],
        (): (),
        _: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        Ok(())
    }

    fn verify(
        (): &(),
        oracles: &[(&Self::Commitment, &[Shape])],
        claims: &[Claim<Q, S::Ext>],
        _: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        for claim in claims {
            let matrix = oracles
                .get(claim.oracle)
                .and_then(|(matrices, _)| matrices.get(claim.matrix))
                .ok_or_else(|| Reject::new("a claim about no matrix"))?;
            if claim.query.evaluate(matrix) != claim.values {
                return Err(Reject::new("an answer differs from the oracle"));
            }
        }
        Ok(())
    }
}
