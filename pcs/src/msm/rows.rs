//! Sums for many rows of scalars over the same bases.

use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::AdditiveGroup;
use rayon::prelude::*;

use super::adder::Adder;
use super::buckets::{ends, fold_buckets, halve_buckets, join};
use super::digits::{Digits, Term, longest, split};
use super::{Curve, TASK};

/// Windows whose running sums share inversions.
const TOGETHER: usize = 1 << 8;
/// Digits sorted together, so that they stay in a cache.
const SORTED: usize = 1 << 14;
/// Multiplications for each bucket of a window, when the running sums of many windows share their inversions.
const RUNNING_SHARED: usize = 14;

/// The sum over `bases` of each run of `bases.len()` scalars. Short rows are cheaper together, because
/// the additions of all of them share inversions.
pub fn msm_rows<P: Curve>(bases: &[Affine<P>], scalars: &[P::ScalarField]) -> Vec<Projective<P>> {
    let width = bases.len();
    if width == 0 {
        return Vec::new();
    }
    let share = (scalars.len() / width).div_ceil(rayon::current_num_threads());
    let rows = share.min(TOGETHER).min(TASK / width).max(1);
    scalars
        .par_chunks(rows * width)
        .flat_map_iter(|scalars| {
            let (mut small, mut large) = (Vec::new(), Vec::new());
            let (mut small_ends, mut large_ends) = (Vec::new(), Vec::new());
            for row in scalars.chunks(width) {
                split::<P>(row, |term, fits| if fits { &mut small } else { &mut large }.push(term));
                small_ends.push(small.len());
                large_ends.push(large.len());
            }
            let sums = rows_sums(bases, &small, &small_ends).into_iter().zip(rows_sums(bases, &large, &large_ends));
            sums.map(|(small, large)| small + large).collect::<Vec<_>>()
        })
        .collect()
}

/// The sum of each row of terms, given where the rows end.
fn rows_sums<P: Curve>(bases: &[Affine<P>], terms: &[Term], ends: &[usize]) -> Vec<Projective<P>> {
    let bits = longest(terms);
    if bits == 0 {
        return vec![Projective::ZERO; ends.len()];
    }
    let digits = Digits::cheapest(bits, bases.len(), RUNNING_SHARED);
    let mut start = 0;
    let rows: Vec<&[Term]> = ends.iter().map(|&end| &terms[std::mem::replace(&mut start, end)..end]).collect();
    let mut sums = Vec::with_capacity(rows.len());
    for rows in rows.chunks((TOGETHER / digits.count).max(1)) {
        let (mut points, mut sizes) = (Vec::new(), Vec::new());
        for rows in rows.chunks((SORTED / (digits.count * bases.len())).max(1)) {
            sort_and_fold(bases, rows, &digits, &mut points, &mut sizes);
        }
        let windows = running_sums(&points, &sizes, 1 << (digits.width - 1));
        sums.extend(windows.chunks(digits.count).map(|windows| join(windows, digits.width)));
    }
    sums
}

/// Appends the buckets of every window of every row: a point for each that is not empty, and sizes.
fn sort_and_fold<P: Curve>(
    bases: &[Affine<P>],
    rows: &[&[Term]],
    digits: &Digits,
    points: &mut Vec<Affine<P>>,
    sizes: &mut Vec<u32>,
) {
    let each_digit = |put: &mut dyn FnMut(usize, &Term, bool)| {
        for (row, term) in rows.iter().enumerate().flat_map(|(row, terms)| terms.iter().map(move |term| (row, term))) {
            let shifted = digits.shifted(&term.magnitude);
            for w in 0..digits.count {
                let digit = digits.digit_of(&shifted, w);
                if digit != 0 {
                    let window = row * digits.count + w;
                    let bucket = (window << (digits.width - 1)) + digit.unsigned_abs() as usize - 1;
                    put(bucket, term, term.negative != (digit < 0));
                }
            }
        }
    };
    // Base and sign of every digit, in the order of buckets.
    let mut own_sizes = vec![0u32; (rows.len() * digits.count) << (digits.width - 1)];
    each_digit(&mut |bucket, _, _| own_sizes[bucket] += 1);
    let mut ends = ends(&own_sizes);
    let mut sorted = vec![0u32; *ends.last().unwrap_or(&0) as usize];
    each_digit(&mut |bucket, term, negative| {
        ends[bucket] -= 1;
        sorted[ends[bucket] as usize] = term.base << 1 | u32::from(negative);
    });
    let point = |i: usize| {
        let base = bases[sorted[i] as usize >> 1];
        if sorted[i] & 1 == 1 { -base } else { base }
    };
    let halved = halve_buckets(&mut Adder::default(), point, &mut own_sizes);
    points.extend(fold_buckets(halved, &mut own_sizes));
    sizes.extend(own_sizes);
}

/// `sum of i * bucket[i]`, counting from 1, of each window of `half` buckets, which `sizes` says to be
/// empty or not. The windows advance together.
fn running_sums<P: Curve>(points: &[Affine<P>], sizes: &[u32], half: usize) -> Vec<Affine<P>> {
    let mut rest = points;
    let mut buckets: Vec<_> = sizes
        .chunks(half)
        .map(|sizes| {
            let (own, others) = rest.split_at(sizes.iter().sum::<u32>() as usize);
            rest = others;
            own.iter().rev()
        })
        .collect();
    let mut adder = Adder::default();
    let mut next = vec![Affine::identity(); buckets.len()];
    let (mut running, mut sums) = (next.clone(), next.clone());
    let mut bucket = next.clone();
    for i in (0..half).rev() {
        for ((bucket, rest), sizes) in bucket.iter_mut().zip(&mut buckets).zip(sizes.chunks(half)) {
            let point = if sizes[i] > 0 { rest.next() } else { None };
            *bucket = point.copied().unwrap_or(Affine::identity());
        }
        adder.add(running.len(), |j| (running[j], bucket[j]), |j, sum| next[j] = sum);
        std::mem::swap(&mut running, &mut next);
        adder.add(sums.len(), |j| (sums[j], running[j]), |j, sum| next[j] = sum);
        std::mem::swap(&mut sums, &mut next);
    }
    sums
}
