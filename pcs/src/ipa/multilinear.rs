//! [`Ipa`] for one multilinear polynomial: its values in rows, as in \[WTSTW18, Section 6\], with the
//! combined row not sent but opened by the argument.
//!
//! `2^n` values are `2^floor(n/4)` rows of `2^ceil(3n/4)` columns, so a commitment is a few points and the
//! verifier's sum is shorter than the polynomial by as much. `f(r) = <sum_i eq(i, left) row_i, eq(right, .)>`
//! for `r = (left, right)`: openings with one right part are one statement, and if all points are suffixes
//! of one and the polynomials of one length, there is one statement and no sumcheck.

use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::Projective;
use p3_field::PrimeCharacteristicRing;
use trilemma_core::multilinear::eq_table;
use trilemma_core::setting::encode_ext;
use trilemma_core::{
    ConfigError, ErrorTerm, Label, Options, Properties, ProveError, ProverTranscript, Reject, Scheme, Smooth,
    VerifierTranscript,
};

use super::argument::{self, Sum};
use super::reduce::{self, Functional, Group};
use super::{Accumulator, Ipa, ProverKey, VerifierKey, keys, vector_generators};
use crate::group::{G1, GroupSetting, recv_points, send_points};
use crate::msm::msm_rows;
use crate::stacked::{Multilinear, Opening, combine};

/// The variables that number the rows.
const fn left(variables: usize) -> usize {
    variables / 4
}

/// What the verifier keeps of a polynomial.
pub struct Commitment<S: GroupSetting> {
    rows: Vec<G1<S>>,
    variables: usize,
}

impl<S: Smooth + GroupSetting> Multilinear<S> for Ipa {
    const NAME: &'static str = "ipa";
    const MAX_VARIABLES: usize = 24;
    const KEY_GROWS: bool = true;
    type ProverKey = ProverKey;
    type VerifierKey = VerifierKey<S>;
    type Commitment = Commitment<S>;
    type Opener = Vec<S::Base>;

    fn setup(_: &Options, max_variables: usize) -> Result<(ProverKey, VerifierKey<S>), ConfigError> {
        keys(max_variables - left(max_variables))
    }

    fn prepare(_: &ProverKey, variables: usize) {
        drop(vector_generators::<S>(1 << (variables - left(variables))));
    }

    fn properties(vk: &VerifierKey<S>) -> Properties {
        Properties { verifier: "n^(3/4)", ..<Self as Scheme<S>>::properties(vk) }
    }

    fn list_bits(_: &VerifierKey<S>) -> f64 {
        0.0
    }

    fn receive(
        vk: &VerifierKey<S>,
        variables: usize,
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Commitment<S>, Reject> {
        if variables - left(variables) > vk.max_log_height {
            return Err(Reject::new("a polynomial longer than the keys are for"));
        }
        t.bind("ipa variables", &[variables as u8]);
        Ok(Commitment { rows: recv_points::<S>(label, 1 << left(variables), t)?, variables })
    }

    fn verify(
        vk: &VerifierKey<S>,
        openings: &[Opening<'_, Commitment<S>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        vk.settle(check(openings, t)?)
    }

    fn commit(
        pk: &ProverKey,
        values: Vec<S::Base>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Vec<S::Base>, ProveError> {
        let variables = values.len().trailing_zeros() as usize;
        if !values.len().is_power_of_two() || variables - left(variables) > pk.max_log_height {
            let (have, max) = (values.len(), pk.max_log_height);
            return Err(ConfigError(format!("ipa: {have} values are no power of two with rows up to 2^{max}")).into());
        }
        t.bind("ipa variables", &[variables as u8]);
        let rows = msm_rows(&vector_generators::<S>(values.len() >> left(variables)), S::scalars(&values));
        send_points::<S>(label, &Projective::normalize_batch(&rows), t);
        Ok(values)
    }

    fn values(opener: &Vec<S::Base>) -> &[S::Base] {
        opener
    }

    fn open(
        _: &ProverKey,
        openings: &[Opening<'_, Vec<S::Base>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        t.bind("ipa points", &encode_points::<S, _>(openings));
        let gamma = t.challenge::<S>("ipa batch", Some(&batch_term::<S>(openings.len())))?;
        let sum = |rows: Vec<Rows<'_, Vec<S::Base>, S::Ext>>| {
            let mut sum = Vec::new();
            for Rows { of, weights } in rows {
                let row = combine::<S>(of, &weights);
                sum.resize(row.len(), S::Ext::ZERO);
                sum.iter_mut().zip(row).for_each(|(sum, entry): (&mut S::Ext, _)| *sum += entry);
            }
            sum
        };
        let statements = group::<S, _>(openings, gamma).into_iter().map(|group| group.map(sum)).collect();
        let opened = reduce::prove::<S>(statements, t)?;
        argument::prove::<S>(opened, t)
    }
}

/// Everything but the sum over the generators.
fn check<S: Smooth + GroupSetting>(
    openings: &[Opening<'_, Commitment<S>, S::Ext>],
    t: &mut VerifierTranscript<'_>,
) -> Result<Accumulator<S>, Reject> {
    if openings.iter().any(|opening| opening.point.len() != opening.of.variables) {
        return Err(Reject::new("a point that fits no polynomial"));
    }
    // 1.
    t.bind("ipa points", &encode_points::<S, _>(openings));
    let gamma = t.challenge::<S>("ipa batch", Some(&batch_term::<S>(openings.len())))?;
    let sum = |rows: Vec<Rows<'_, Commitment<S>, S::Ext>>| {
        let mut sum = Sum::default();
        rows.into_iter().for_each(|Rows { of, weights }| sum.extend(of.rows.iter().copied().zip(weights)));
        sum
    };
    let statements = group::<S, _>(openings, gamma).into_iter().map(|group| group.map(sum)).collect();

    // 2. and 3.
    let opened = reduce::verify(statements, t)?;
    // 4.
    argument::check(opened, t)
}

/// A polynomial with the weights of its rows.
struct Rows<'a, C, E> {
    of: &'a C,
    weights: Vec<E>,
}

/// Puts together the openings with one right part.
fn group<'a, S: Smooth + GroupSetting, C>(
    openings: &[Opening<'a, C, S::Ext>],
    gamma: S::Ext,
) -> Vec<Group<S, Rows<'a, C, S::Ext>>> {
    let said = openings.iter().zip(gamma.powers()).map(|(opening, power)| {
        let (left, right) = opening.point.split_at(left(opening.point.len()));
        let rows = Rows { of: opening.of, weights: eq_table(left, power) };
        (Functional::Eq(right.to_vec()), power * opening.value, rows)
    });
    reduce::group(said)
}

/// The error term of `gamma`.
fn batch_term<S: GroupSetting>(openings: usize) -> ErrorTerm {
    ErrorTerm::schwartz_zippel("ipa batch", openings as f64, S::ext_bits())
}

fn encode_points<S: GroupSetting, C>(openings: &[Opening<'_, C, S::Ext>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for opening in openings {
        bytes.push(opening.point.len() as u8);
        opening.point.iter().for_each(|x| encode_ext::<S>(x, &mut bytes));
    }
    bytes
}
