//! Sums that all have the same additions: multiples of one base, and bases folded with few scalars.

use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, PrimeField};
use rayon::prelude::*;

use super::adder::Adder;
use super::digits::Digits;
use super::{BATCH, Curve};

/// Multiples of one base, for many scalars.
pub struct FixedBase<P: Curve> {
    digits: Digits,
    /// For each digit `w`: `1, 2, ... , 2^(width - 1)` times `base << (w * width)`.
    tables: Vec<Vec<Affine<P>>>,
}

impl<P: Curve> FixedBase<P> {
    /// Tables for `base`.
    pub fn new(base: Affine<P>) -> Self {
        let digits = Digits::new(P::ScalarField::MODULUS_BIT_SIZE as usize, 10);
        let mut power = base.into_group();
        let tables = (0..digits.count)
            .map(|_| {
                let start = power;
                let multiples: Vec<Projective<P>> = std::iter::successors(Some(start), |last| Some(*last + start))
                    .take(1 << (digits.width - 1))
                    .collect();
                (0..digits.width).for_each(|_| {
                    power.double_in_place();
                });
                Projective::normalize_batch(&multiples)
            })
            .collect();
        Self { digits, tables }
    }

    /// `scalar * base` for every scalar.
    pub fn multiples(&self, scalars: &[P::ScalarField]) -> Vec<Affine<P>> {
        scalars.par_chunks(BATCH).flat_map_iter(|chunk| self.multiples_serial(chunk)).collect()
    }

    fn multiples_serial(&self, scalars: &[P::ScalarField]) -> Vec<Affine<P>> {
        let limbs: Vec<[u64; 4]> = scalars.iter().map(|scalar| scalar.into_bigint().0).collect();
        let mut adder = Adder::default();
        let mut sums = vec![Affine::identity(); limbs.len()];
        let mut next = sums.clone();
        for (w, table) in self.tables.iter().enumerate() {
            let pair = |i: usize| {
                let digit = self.digits.digit(&limbs[i], w);
                let multiple = match digit.unsigned_abs() as usize {
                    0 => Affine::identity(),
                    k => table[k - 1],
                };
                (sums[i], if digit < 0 { -multiple } else { multiple })
            };
            adder.add(limbs.len(), pair, |i, sum| next[i] = sum);
            std::mem::swap(&mut sums, &mut next);
        }
        sums
    }
}

/// `scalars[0] * bases[i] + scalars[1] * bases[n + i] + ...` for every `i < n`, the bases being as many
/// runs of `n` as there are scalars. All `i` do the same additions, which share inversions.
pub fn fold_bases<P: Curve>(bases: &[Affine<P>], scalars: &[P::ScalarField]) -> Vec<Affine<P>> {
    const TOGETHER: usize = 1 << 7;
    let digits = Digits::new(P::ScalarField::MODULUS_BIT_SIZE as usize, 4);
    let limbs: Vec<[u64; 4]> = scalars.iter().map(|scalar| scalar.into_bigint().0).collect();
    let n = bases.len() / scalars.len().max(1);
    let mut sums = vec![Affine::identity(); n];
    sums.par_chunks_mut(TOGETHER).enumerate().for_each(|(chunk, sums)| {
        let mut adder = Adder::default();
        let mut next = sums.to_vec();
        // For each run: `1, 2, ... , 2^(width - 1)` times every base.
        let tables: Vec<Vec<Vec<Affine<P>>>> = bases
            .chunks_exact(n)
            .map(|run| {
                let base = &run[chunk * TOGETHER..][..next.len()];
                let mut table = vec![base.to_vec()];
                for k in 1..1 << (digits.width - 1) {
                    adder.add(base.len(), |i| (table[k - 1][i], base[i]), |i, sum| next[i] = sum);
                    table.push(next.clone());
                }
                table
            })
            .collect();
        for w in (0..digits.count).rev() {
            for _ in 0..digits.width {
                adder.add(sums.len(), |i| (sums[i], sums[i]), |i, sum| next[i] = sum);
                sums.copy_from_slice(&next);
            }
            for (table, limbs) in tables.iter().zip(&limbs) {
                let digit = digits.digit(limbs, w);
                if digit != 0 {
                    let multiples = &table[digit.unsigned_abs() as usize - 1];
                    let signed = |i: usize| if digit < 0 { -multiples[i] } else { multiples[i] };
                    adder.add(sums.len(), |i| (sums[i], signed(i)), |i, sum| next[i] = sum);
                    sums.copy_from_slice(&next);
                }
            }
        }
    });
    sums
}
