//! One sum: each window's terms are sorted into buckets by their digit, and the buckets folded.

use std::ops::Add;

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::AdditiveGroup;
use rayon::prelude::*;

use super::adder::Adder;
use super::digits::{Digits, Term, longest};
use super::{BATCH, Curve, TASK};

/// Multiplications for each bucket of a window, its running sum being projective.
const RUNNING: usize = 28;

/// The sum of all terms.
pub(super) fn sum<P: Curve>(bases: &[Affine<P>], terms: &[Term]) -> Projective<P> {
    let bits = longest(terms);
    if bits == 0 {
        return Projective::ZERO;
    }
    let tasks_wanted = rayon::current_num_threads();
    let mut chunk = terms.len().min(TASK);
    let digits = Digits::cheapest(bits, chunk, RUNNING);
    chunk = chunk.min((terms.len() * digits.count).div_ceil(tasks_wanted).max(BATCH));
    let windows: Vec<Projective<P>> = (0..digits.count)
        .into_par_iter()
        .map(|w| terms.par_chunks(chunk).map(|terms| window_sum(bases, terms, &digits, w)).sum())
        .collect();
    join(&windows, digits.width)
}

/// The sum of windows of so many bits, the lowest first.
pub(super) fn join<'w, P: Curve, W>(windows: &'w [W], width: usize) -> Projective<P>
where
    Projective<P>: Add<&'w W, Output = Projective<P>>,
{
    windows.iter().rev().fold(Projective::ZERO, |mut sum, window| {
        for _ in 0..width {
            sum.double_in_place();
        }
        sum + window
    })
}

/// `digit(term, w) * base`, summed over the terms.
fn window_sum<P: Curve>(bases: &[Affine<P>], terms: &[Term], digits: &Digits, w: usize) -> Projective<P> {
    let signed: Vec<i32> =
        terms.iter().map(|term| digits.digit(&term.magnitude, w) * if term.negative { -1 } else { 1 }).collect();
    let mut sizes = vec![0u32; 1 + (1 << (digits.width - 1))];
    signed.iter().for_each(|digit| sizes[digit.unsigned_abs() as usize] += 1);
    sizes[0] = 0;
    let mut ends = ends(&sizes);
    let mut points = vec![Affine::identity(); *ends.last().unwrap_or(&0) as usize];
    for (term, &digit) in terms.iter().zip(&signed) {
        if digit != 0 {
            let end = &mut ends[digit.unsigned_abs() as usize];
            *end -= 1;
            let base = bases[term.base as usize];
            points[*end as usize] = if digit < 0 { -base } else { base };
        }
    }
    let mut buckets = fold_buckets(points, &mut sizes).into_iter().rev();
    let (mut running, mut sum) = (Projective::ZERO, Projective::ZERO);
    for &size in sizes[1..].iter().rev() {
        if size > 0 {
            running += buckets.next().unwrap_or(Affine::identity());
        }
        sum += running;
    }
    sum
}

/// Where runs of these sizes end.
pub(super) fn ends(sizes: &[u32]) -> Vec<u32> {
    let end = |end: &mut u32, &size: &u32| {
        *end += size;
        Some(*end)
    };
    sizes.iter().scan(0, end).collect()
}

/// Adds up each run of `sizes[i]` points; leaves one point for each run that is not empty.
pub(super) fn fold_buckets<P: SWCurveConfig>(mut points: Vec<Affine<P>>, sizes: &mut [u32]) -> Vec<Affine<P>> {
    let mut adder = Adder::default();
    while sizes.iter().any(|&size| size > 1) {
        points = halve_buckets(&mut adder, |i| points[i], sizes);
    }
    points
}

/// Adds neighbours within each run of `sizes[i]` points.
pub(super) fn halve_buckets<P: SWCurveConfig>(
    adder: &mut Adder<P::BaseField>,
    point: impl Fn(usize) -> Affine<P>,
    sizes: &mut [u32],
) -> Vec<Affine<P>> {
    let (mut folded, mut pairs) = (Vec::new(), Vec::new());
    let mut at = 0;
    for size in sizes.iter_mut() {
        for _ in 0..*size / 2 {
            pairs.push((folded.len(), at));
            folded.push(Affine::identity());
            at += 2;
        }
        if *size % 2 == 1 {
            folded.push(point(at));
            at += 1;
        }
        *size = size.div_ceil(2);
    }
    for pairs in pairs.chunks(BATCH) {
        adder.add(pairs.len(), |i| (point(pairs[i].1), point(pairs[i].1 + 1)), |i, sum| folded[pairs[i].0] = sum);
    }
    folded
}
