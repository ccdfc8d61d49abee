//! Values in rows, each committed to in one point, so that openings are as short as a row.
//!
//! **Claim.** For committed multilinear `f_o` and suffixes `r_o` of one point `r`, `f_o(r_o) = v_o`.
//!
//! **Relation.** The `2^n` values of `f` are `2^w` rows, `w = min(floor(n/4), 5)`, in the order of their first `w`
//! coordinates, as in \[WTSTW18, Section 6\]; row `i` is a polynomial `f_i` of `n - w` variables with a
//! commitment `C_i` of `P`, which is linear in the values ([`Protocol::commitment`]).
//!
//! **Messages.** For `r_o = (left, right)`, `C = sum_i eq(i, left) C_i` commits to
//! `f_o(left, .) = sum_i eq(i, left) f_i`. Both sides compute it, and `P` opens it at `right` to `v_o`.
//! The right parts are suffixes of the longest, as `P` wants them.
//!
//! **Cost.** Committing: what `P` costs for as many values. Opening: one multiplication a value, then what
//! `P` costs for `2^(n - w)` of them. Proof: `2^w` points for a commitment. Verifier: a sum of as many
//! terms, at most 32. A reference string need only be as long as a row.
//!
//! **Soundness.** `P`'s terms. In the algebraic group model the `C_i` are known polynomials, and `C` is their
//! sum with the same weights; what `P` says of the polynomial that `C` stands for, it says of that sum, so
//! no challenge and no error is added. Where `P` lets a commitment be to a longer polynomial and stand for
//! its first coefficients, these add up too: what is left of longer ones may cancel, what is claimed may not.

use std::marker::PhantomData;

use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::Projective;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use trilemma_core::multilinear::eq_table;
use trilemma_core::{
    ConfigError, Label, Options, Properties, ProveError, ProverTranscript, Reject, VerifierTranscript,
};

use crate::group::{G1, GroupSetting, recv_points, send_points};
use crate::msm::msm;
use crate::one_point::keys::Keys;
use crate::one_point::{Protocol, ProverKey, VerifierKey};
use crate::srs::PairingSetting;
use crate::stacked::{Multilinear, Opening, combine};

/// `P` over rows.
pub struct Rows<P>(PhantomData<fn() -> P>);

/// The most variables that number rows: the verifier has no more than 32 points for a commitment, however long.
const MOST: usize = 5;

/// The variables that number the rows.
const fn left(variables: usize) -> usize {
    if variables / 4 < MOST { variables / 4 } else { MOST }
}

/// The variables of a row.
const fn right(variables: usize) -> usize {
    variables - left(variables)
}

impl<S: PairingSetting, P: Protocol<S>> Multilinear<S> for Rows<P> {
    const NAME: &'static str = P::NAME;
    const MAX_VARIABLES: usize = {
        const MAX: usize = 26;
        assert!(right(MAX) <= <P as Multilinear<S>>::MAX_VARIABLES, "rows longer than the scheme allows");
        MAX
    };
    const MIN_VARIABLES: usize = P::MIN_VARIABLES;
    const KEY_GROWS: bool = true;
    type ProverKey = ProverKey<S, P>;
    type VerifierKey = VerifierKey<S, P>;
    /// A point for each row.
    type Commitment = Vec<G1<S>>;
    /// The values.
    type Opener = Vec<S::Base>;

    fn setup(options: &Options, max_variables: usize) -> Result<(Self::ProverKey, Self::VerifierKey), ConfigError> {
        P::Keys::setup(options, right(max_variables))
    }

    fn prepare(pk: &Self::ProverKey, variables: usize) {
        P::Keys::prepare(pk, right(variables));
    }

    fn properties(vk: &Self::VerifierKey) -> Properties {
        <P as Multilinear<S>>::properties(vk)
    }

    fn list_bits(vk: &Self::VerifierKey) -> f64 {
        <P as Multilinear<S>>::list_bits(vk)
    }

    fn receive(
        _: &Self::VerifierKey,
        variables: usize,
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Vec<G1<S>>, Reject> {
        t.bind("rows variables", &[variables as u8]);
        recv_points::<S>(label, 1 << left(variables), t)
    }

    fn verify(
        vk: &Self::VerifierKey,
        openings: &[Opening<'_, Vec<G1<S>>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        let sum = |opening: &Opening<'_, Vec<G1<S>>, S::Ext>| {
            let weights = weights::<S, _>(opening);
            msm(opening.of, S::scalars(&weights))
        };
        let sums: Vec<Projective<S::G1>> = openings.par_iter().map(sum).collect();
        let combined = Projective::normalize_batch(&sums);
        P::verify(vk, &shorter(openings, &combined), t)
    }

    fn commit(
        pk: &Self::ProverKey,
        values: Vec<S::Base>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Vec<S::Base>, ProveError> {
        let variables = values.len().trailing_zeros() as usize;
        t.bind("rows variables", &[variables as u8]);
        let rows = values.par_chunks_exact(1 << right(variables));
        let points: Vec<G1<S>> = rows.map(|row| P::commitment(pk, row)).collect();
        send_points::<S>(label, &points, t);
        Ok(values)
    }

    fn values(opener: &Vec<S::Base>) -> &[S::Base] {
        opener
    }

    fn open(
        pk: &Self::ProverKey,
        openings: &[Opening<'_, Vec<S::Base>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        let combined: Vec<Vec<S::Base>> =
            openings.iter().map(|opening| combine::<S>(opening.of, &weights::<S, _>(opening))).collect();
        P::open(pk, &shorter(openings, &combined), t)
    }
}

/// `eq(i, left)` for every row.
fn weights<S: GroupSetting, C>(opening: &Opening<'_, C, S::Ext>) -> Vec<S::Ext> {
    eq_table(&opening.point[..left(opening.point.len())], S::Ext::ONE)
}

/// What `P` opens: combined rows at the right parts.
fn shorter<'c, C, D, E: Copy>(openings: &[Opening<'_, C, E>], combined: &'c [D]) -> Vec<Opening<'c, D, E>> {
    let one = |(opening, of): (&Opening<'_, C, E>, &'c D)| {
        let point = opening.point[left(opening.point.len())..].to_vec();
        Opening { of, point, value: opening.value }
    };
    openings.iter().zip(combined).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Teaches: a commitment has no more points than a verifier may sum in a time that does not grow.
    #[test]
    fn rows_are_at_most_32() {
        let rows = [3, 4, 8, 20, 24, 26].map(|n| (left(n), right(n)));
        assert_eq!(rows, [(0, 3), (1, 3), (2, 6), (5, 15), (5, 19), (5, 21)]);
    }
}
