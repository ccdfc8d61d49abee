//! Multilinear schemes over a pairing that commit to a polynomial in one point: all that is not protocol.
//!
//! A scheme says which reference string it is over ([`Keys`]), what point a polynomial's values become, and how
//! openings are proven and checked ([`Protocol`]). That makes it a [`Multilinear`], as it is or over
//! [`Rows`](crate::rows).

pub mod keys;

use trilemma_core::{
    ConfigError, Label, Options, Properties, ProveError, ProverTranscript, Reject, VerifierTranscript,
};

use crate::group::{G1, recv_point, send_points};
use crate::srs::PairingSetting;
use crate::stacked::{Multilinear, Opening};
use keys::Keys;

/// What committing and opening need.
pub type ProverKey<S, P> = <<P as Protocol<S>>::Keys as Keys<S>>::Prover;
/// What verifying needs.
pub type VerifierKey<S, P> = <<P as Protocol<S>>::Keys as Keys<S>>::Verifier;

/// A scheme whose commitment is one point, a sum of points of the reference string with the values for scalars.
///
/// A trait beside [`Protocol`], and one without a parameter, so that all its schemes can be [`Multilinear`] by one
/// impl: another crate might implement `Protocol` of a setting of its own for any scheme of this one, but not this.
pub trait OnePoint: Sized + Send + Sync + 'static {
    /// [`Multilinear::NAME`].
    const NAME: &'static str;
    /// [`Multilinear::MIN_VARIABLES`].
    const MIN_VARIABLES: usize = 0;
    /// What a polynomial's number of variables is absorbed under.
    const VARIABLES: Label;
}

/// Its protocol over a setting.
pub trait Protocol<S: PairingSetting>: OnePoint {
    /// Keys from the reference string.
    type Keys: Keys<S>;

    /// The commitment to a polynomial's values, linear in them: that to a combination of polynomials is the
    /// combination of theirs, and whatever the scheme proves of it holds of what they are to.
    fn commitment(pk: &ProverKey<S, Self>, values: &[S::Base]) -> G1<S>;

    /// [`Multilinear::open`], given the values of each polynomial.
    fn open(
        pk: &ProverKey<S, Self>,
        openings: &[Opening<'_, Vec<S::Base>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError>;

    /// [`Multilinear::verify`].
    fn verify(
        vk: &VerifierKey<S, Self>,
        openings: &[Opening<'_, G1<S>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject>;
}

impl<S: PairingSetting, P: OnePoint + Protocol<S>> Multilinear<S> for P {
    const NAME: &'static str = P::NAME;
    const MAX_VARIABLES: usize = 24;
    const MIN_VARIABLES: usize = P::MIN_VARIABLES;
    const KEY_GROWS: bool = true;
    type ProverKey = ProverKey<S, P>;
    type VerifierKey = VerifierKey<S, P>;
    type Commitment = G1<S>;
    /// The values.
    type Opener = Vec<S::Base>;

    fn setup(options: &Options, max_variables: usize) -> Result<(Self::ProverKey, Self::VerifierKey), ConfigError> {
        P::Keys::setup(options, max_variables)
    }

    fn prepare(pk: &Self::ProverKey, variables: usize) {
        P::Keys::prepare(pk, variables);
    }

    fn properties(vk: &Self::VerifierKey) -> Properties {
        Properties { setup: P::Keys::origin(vk), post_quantum: false, hiding: false, verifier: "log n" }
    }

    fn list_bits(_: &Self::VerifierKey) -> f64 {
        0.0
    }

    fn commit(
        pk: &Self::ProverKey,
        values: Vec<S::Base>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Vec<S::Base>, ProveError> {
        t.bind(P::VARIABLES, &[values.len().trailing_zeros() as u8]);
        send_points::<S>(label, &[P::commitment(pk, &values)], t);
        Ok(values)
    }

    fn values(opener: &Vec<S::Base>) -> &[S::Base] {
        opener
    }

    fn receive(
        _: &Self::VerifierKey,
        variables: usize,
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<G1<S>, Reject> {
        t.bind(P::VARIABLES, &[variables as u8]);
        recv_point::<S>(label, t)
    }

    fn open(
        pk: &Self::ProverKey,
        openings: &[Opening<'_, Vec<S::Base>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        P::open(pk, openings, t)
    }

    fn verify(
        vk: &Self::VerifierKey,
        openings: &[Opening<'_, G1<S>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        P::verify(vk, openings, t)
    }
}
