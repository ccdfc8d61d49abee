//! The prover of [`super::Kzg`]: commitments from values, openings from combined columns.

use std::collections::BTreeMap;

use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::Projective;
use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{Field, PrimeCharacteristicRing};
use p3_matrix::Matrix;
use rayon::prelude::*;
use trilemma_core::channel::Shape;
use trilemma_core::claim::{Claim, ClaimKind, Columns, UniEval};
use trilemma_core::{ConfigError, Label, ProveError, ProverTranscript, Setting, Smooth};

use super::{Opened, Opener, ProverKey, encode_points, gather, others, terms, union, vanishing};
use crate::encode_shapes;
use crate::group::{G1, msm_columns, send_points};
use crate::msm::msm;
use crate::pairing::assume_powers;
use crate::srs::{PairingSetting, lagrange_at};

/// Sends a commitment to every column.
pub(super) fn commit<S: PairingSetting>(
    pk: &ProverKey<S>,
    columns: Vec<Columns<S::Base>>,
    label: Label,
    t: &mut ProverTranscript,
) -> Result<Opener<S>, ProveError> {
    let shapes: Vec<Shape> = columns.iter().map(Shape::of).collect();
    t.bind("kzg shapes", &encode_shapes(&shapes));
    let mut blinding = Vec::new();
    for matrix in &columns {
        let mut points = commit_columns(pk, matrix)?;
        if let Some(xi) = pk.hiding {
            let scalars: Vec<S::Base> = points.iter().map(|_| t.blind::<S>()).collect();
            points.iter_mut().zip(S::scalars(&scalars)).for_each(|(point, r)| *point += xi * r);
            blinding.push(scalars);
        }
        for point in Projective::normalize_batch(&points) {
            send_points::<S>(label, &[point], t);
        }
    }
    Ok(Opener { columns, blinding })
}

/// Sends the points of an opening: two, or three to hide.
pub(super) fn open<S: PairingSetting>(
    pk: &ProverKey<S>,
    openers: &[&Opener<S>],
    claims: &[Claim<UniEval<S::Ext>, S::Ext>],
    t: &mut ProverTranscript,
) -> Result<(), ProveError> {
    let opened = gather::<S>(claims).map_err(|what| ProveError::Unsatisfied(what.into()))?;
    let points = union::<S>(&opened);
    if opened.is_empty() {
        return Ok(());
    }
    assume_powers::<S>(t.ledger(), pk.log_powers);
    t.bind("kzg points", &encode_points::<S>(&opened));

    // 1. and 2.
    let [batch, evaluation] = terms::<S>(&opened, points.len(), pk.log_powers);
    let gamma = t.challenge::<S>("kzg batch", Some(&batch))?;
    let combined = combine::<S>(openers, &opened, gamma);
    let mut quotient = Vec::new();
    for group in &combined {
        let divided = group.points.iter().fold(group.coefficients.clone(), divide::<S>);
        add_scaled::<S>(&mut quotient, &divided, S::Ext::ONE);
    }
    let quotient_blinding = pk.send("kzg quotient", &quotient, t);

    // 3. and 4.
    let z = t.challenge::<S>("kzg point", Some(&evaluation))?;
    let mut linear = Vec::new();
    for group in &combined {
        let weight = vanishing::<S>(&others::<S>(&points, &group.points), z);
        add_scaled::<S>(&mut linear, &group.coefficients, weight);
    }
    add_scaled::<S>(&mut linear, &quotient, -vanishing::<S>(&points, z));
    // The constant term, hence every r_i(z), ends up in the remainder.
    let witness = divide::<S>(linear, &z);
    let witness_blinding = pk.send("kzg witness", &witness, t);
    if let (Some(r), Some(s)) = (quotient_blinding, witness_blinding) {
        let sum = combine_blinding::<S>(openers, &opened, &points, (gamma, z)) - vanishing::<S>(&points, z) * r;
        send_points::<S>("kzg blinding", &[pk.commit_coefficients(&[sum + z * s, -s])], t);
    }
    Ok(())
}

/// `sum_i gamma^i Z_(T - S_i)(z) r_i`.
fn combine_blinding<S: PairingSetting>(
    openers: &[&Opener<S>],
    opened: &[Opened<'_, S::Ext>],
    points: &[S::Ext],
    (gamma, z): (S::Ext, S::Ext),
) -> S::Ext {
    let weights = opened.iter().map(|matrix| vanishing::<S>(&others::<S>(points, &matrix.points()), z));
    let blinding = opened.iter().map(|matrix| &openers[matrix.oracle].blinding[matrix.matrix]);
    let columns = weights.zip(blinding).flat_map(|(weight, blinding)| blinding.iter().map(move |&r| weight * r));
    columns.zip(gamma.powers()).map(|(r, power)| r * power).sum()
}

impl<S: PairingSetting> ProverKey<S> {
    /// Sends a commitment to coefficients, and returns what it is blinded with if it is to hide them.
    fn send(&self, label: Label, coefficients: &[S::Base], t: &mut ProverTranscript) -> Option<S::Base> {
        let plain = self.commit_coefficients(coefficients);
        let Some(xi) = self.hiding else {
            send_points::<S>(label, &[plain], t);
            return None;
        };
        let r = t.blind::<S>();
        send_points::<S>(label, &[(xi * S::scalar(r) + plain).into_affine()], t);
        Some(r)
    }

    /// The commitment to a polynomial of up to `2^log_powers` coefficients.
    pub(crate) fn commit_coefficients(&self, coefficients: &[S::Base]) -> G1<S> {
        let log_size = coefficients.len().next_power_of_two().trailing_zeros() as usize;
        msm(self.srs.first_powers(log_size), S::scalars(coefficients)).into_affine()
    }
}

/// Commits to every column by its values.
fn commit_columns<S: PairingSetting>(
    pk: &ProverKey<S>,
    matrix: &Columns<S::Base>,
) -> Result<Vec<Projective<S::G1>>, ProveError> {
    let log_height = Shape::of(matrix).log_height;
    let basis = pk
        .srs
        .lagrange(log_height)
        .filter(|basis| basis.len() == matrix.height() && log_height <= pk.max_log_height)
        .ok_or_else(|| {
            let (have, max) = (matrix.height(), pk.max_log_height);
            ConfigError(format!("kzg: {have} rows are no power of two up to 2^{max}"))
        })?;
    Ok(msm_columns::<S>(basis, matrix))
}

/// The value of every column, in parallel.
pub(crate) fn evaluate<S: Smooth>(columns: &Columns<S::Base>, query: UniEval<S::Ext>) -> Vec<S::Ext> {
    const ROWS: usize = 1 << 10;
    let log_height = Shape::of(columns).log_height;
    if query.0.exp_power_of_2(log_height).is_one() {
        return ClaimKind::<S>::evaluate(&query, columns);
    }
    let weights = lagrange_at::<S>(log_height, query.0);
    let width = columns.width();
    let sum = |mut a: Vec<S::Ext>, b: Vec<S::Ext>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    columns
        .values
        .par_chunks(ROWS * width.max(1))
        .zip(weights.par_chunks(ROWS))
        .map(|(rows, weights)| {
            let mut values = vec![S::Ext::ZERO; width];
            for (row, &weight) in rows.chunks_exact(width).zip(weights) {
                values.iter_mut().zip(row).for_each(|(value, &cell)| *value += weight * cell);
            }
            values
        })
        .reduce(|| vec![S::Ext::ZERO; width], sum)
}

type HeightAndPoints<S> = (usize, Vec<<S as Setting>::Ext>);

/// `sum_i gamma^i f_i` over the columns that share height and points.
struct Combined<S: Setting> {
    points: Vec<S::Ext>,
    coefficients: Vec<S::Base>,
}

fn combine<S: PairingSetting>(
    openers: &[&Opener<S>],
    opened: &[Opened<'_, S::Ext>],
    gamma: S::Ext,
) -> Vec<Combined<S>> {
    let mut groups: BTreeMap<HeightAndPoints<S>, Vec<S::Base>> = BTreeMap::new();
    let mut start = S::Ext::ONE;
    for matrix in opened {
        let columns = &openers[matrix.oracle].columns[matrix.matrix];
        let powers: Vec<S::Ext> = gamma.shifted_powers(start).take(columns.width()).collect();
        start *= gamma.exp_u64(columns.width() as u64);
        let mut points = matrix.points();
        points.sort_unstable();
        let height = columns.height();
        let sums = groups.entry((height, points)).or_insert_with(|| vec![S::Base::ZERO; height]);
        sums.par_iter_mut()
            .zip(columns.values.par_chunks_exact(columns.width()))
            .for_each(|(sum, row)| *sum += row.iter().zip(&powers).map(|(&cell, &p)| p * cell).sum());
    }
    let dft = Radix2DitParallel::default();
    groups.into_iter().map(|((_, points), values)| Combined { points, coefficients: dft.idft(values) }).collect()
}

/// The quotient by `X - point`; the remainder is dropped.
pub(crate) fn divide<S: PairingSetting>(mut coefficients: Vec<S::Base>, point: &S::Ext) -> Vec<S::Base> {
    let mut carry = S::Base::ZERO;
    for coefficient in coefficients.iter_mut().rev() {
        carry = *coefficient + carry * *point;
        *coefficient = carry;
    }
    if !coefficients.is_empty() {
        coefficients.remove(0);
    }
    coefficients
}

/// `sum += scale * addend`, growing as needed.
pub(crate) fn add_scaled<S: PairingSetting>(sum: &mut Vec<S::Base>, addend: &[S::Base], scale: S::Base) {
    sum.resize(sum.len().max(addend.len()), S::Base::ZERO);
    sum.par_iter_mut().zip(addend).for_each(|(sum, &x)| *sum += scale * x);
}
