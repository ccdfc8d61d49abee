//! Sums of multiples of curve points: many bases with many scalars, once or for many rows of scalars,
//! or one base with many scalars.
//!
//! Pippenger's bucket method \[BDLO12, Section 4\] with signed digits. Points stay affine: additions are
//! done in batches that share one field inversion, about 6 multiplications each instead of 10 to 14.
//! Scalars are split by size first, so a column of small integers costs what its integers cost.
//! Running time depends on the scalars; nothing here protects a secret from a clock.

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField, Zero};
use rayon::prelude::*;

/// A curve whose scalars fit in four words.
pub trait Curve: SWCurveConfig<ScalarField: PrimeField<BigInt = BigInt<4>>> {}
impl<P: SWCurveConfig<ScalarField: PrimeField<BigInt = BigInt<4>>>> Curve for P {}

/// Additions that share one inversion.
const BATCH: usize = 1 << 10;
/// Points that one task sorts into buckets; bounds its memory.
const TASK: usize = 1 << 18;
/// Windows whose running sums share inversions.
const TOGETHER: usize = 1 << 8;
/// Digits sorted together, so that they stay in a cache.
const SORTED: usize = 1 << 14;
/// Multiplications for each bucket of a window, when running sums are projective, and when those of
/// many windows share their inversions.
const RUNNING: usize = 28;
const RUNNING_SHARED: usize = 14;

/// `scalars[0] * bases[0] + ...`, up to the shorter of the two.
pub fn msm<P: Curve>(bases: &[Affine<P>], scalars: &[P::ScalarField]) -> Projective<P> {
    let (mut small, mut large) = (Vec::new(), Vec::new());
    let n = bases.len().min(scalars.len());
    split::<P>(&scalars[..n], |term, fits| if fits { &mut small } else { &mut large }.push(term));
    buckets_sum(bases, &small) + buckets_sum(bases, &large)
}

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

/// The nonzero terms, and whether their magnitudes fit in a word.
fn split<P: Curve>(scalars: &[P::ScalarField], mut put: impl FnMut(Term, bool)) {
    for (i, scalar) in scalars.iter().enumerate() {
        if !scalar.is_zero() {
            let term = Term::new::<P>(i, scalar.into_bigint());
            put(term, fits_word(&term.magnitude));
        }
    }
}

/// A nonzero scalar as sign and magnitude, with the index of its base.
#[derive(Clone, Copy)]
struct Term {
    base: u32,
    negative: bool,
    magnitude: [u64; 4],
}

impl Term {
    #[inline]
    fn new<P: Curve>(base: usize, scalar: BigInt<4>) -> Self {
        let base = base as u32;
        if fits_word(&scalar.0) {
            return Self { base, negative: false, magnitude: scalar.0 };
        }
        let mut negated = P::ScalarField::MODULUS;
        negated.sub_with_borrow(&scalar);
        let negative = negated < scalar;
        Self { base, negative, magnitude: if negative { negated.0 } else { scalar.0 } }
    }
}

fn fits_word(x: &[u64; 4]) -> bool {
    x[1..].iter().all(|&limb| limb == 0)
}

fn bit_length(x: &[u64; 4]) -> usize {
    BigInt::<4>(*x).num_bits() as usize
}

/// Signed digits of `width` bits: `x = sum of digit(x, w) << (w * width)`.
struct Digits {
    width: usize,
    count: usize,
    /// Half of the radix in every digit; adding it makes the recoding free of carries.
    offset: [u64; 5],
}

impl Digits {
    /// Digits for magnitudes of at most `bits` bits. The two spare bits make room for the offset.
    fn new(bits: usize, width: usize) -> Self {
        let count = (bits + 2).div_ceil(width);
        let mut offset = [0; 5];
        for w in 0..count {
            let bit = w * width + width - 1;
            offset[bit / 64] |= 1 << (bit % 64);
        }
        Self { width, count, offset }
    }

    /// The digits that make `n` additions into buckets, of which the first into each is free, and
    /// their running sums cheapest.
    fn cheapest(bits: usize, n: usize, running: usize) -> Self {
        let cost = |width: &usize| {
            let buckets = 1 << (width - 1);
            (bits + 2).div_ceil(*width) * (6 * n * n / (n + buckets) + running * buckets)
        };
        Self::new(bits, (2..=16).min_by_key(cost).unwrap_or(2))
    }

    #[inline]
    fn digit(&self, x: &[u64; 4], w: usize) -> i32 {
        self.digit_of(&self.shifted(x), w)
    }

    /// The number plus the offset.
    #[inline]
    fn shifted(&self, x: &[u64; 4]) -> [u64; 5] {
        let mut shifted = [0; 5];
        let mut carry = false;
        for (i, out) in shifted.iter_mut().enumerate() {
            let (sum, a) = self.offset[i].overflowing_add(x.get(i).copied().unwrap_or(0));
            let (sum, b) = sum.overflowing_add(u64::from(carry));
            (*out, carry) = (sum, a | b);
        }
        shifted
    }

    #[inline]
    fn digit_of(&self, shifted: &[u64; 5], w: usize) -> i32 {
        let (limb, shift) = (w * self.width / 64, w * self.width % 64);
        let next = shifted.get(limb + 1).copied().unwrap_or(0);
        let word = (u128::from(next) << 64 | u128::from(shifted[limb])) >> shift;
        (word as i32 & ((1 << self.width) - 1)) - (1 << (self.width - 1))
    }
}

fn buckets_sum<P: Curve>(bases: &[Affine<P>], terms: &[Term]) -> Projective<P> {
    let bits = terms.iter().map(|term| bit_length(&term.magnitude)).max().unwrap_or(0);
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
    windows.iter().rev().fold(Projective::ZERO, |mut sum, window| {
        for _ in 0..digits.width {
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
    let mut ends: Vec<u32> = sizes
        .iter()
        .scan(0, |end, &size| {
            *end += size;
            Some(*end)
        })
        .collect();
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

/// Adds up each run of `sizes[i]` points; leaves one point for each run that is not empty.
fn fold_buckets<P: SWCurveConfig>(mut points: Vec<Affine<P>>, sizes: &mut [u32]) -> Vec<Affine<P>> {
    let mut adder = Adder::default();
    while sizes.iter().any(|&size| size > 1) {
        points = halve_buckets(&mut adder, |i| points[i], sizes);
    }
    points
}

/// Adds neighbours within each run of `sizes[i]` points.
fn halve_buckets<P: SWCurveConfig>(
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

/// The sum of each row of terms, given where the rows end.
fn rows_sums<P: Curve>(bases: &[Affine<P>], terms: &[Term], ends: &[usize]) -> Vec<Projective<P>> {
    let bits = terms.iter().map(|term| bit_length(&term.magnitude)).max().unwrap_or(0);
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
        sums.extend(windows.chunks(digits.count).map(|windows| {
            windows.iter().rev().fold(Projective::ZERO, |mut sum, window| {
                for _ in 0..digits.width {
                    sum.double_in_place();
                }
                sum + window
            })
        }));
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
    let mut ends: Vec<u32> = own_sizes
        .iter()
        .scan(0, |end, &size| {
            *end += size;
            Some(*end)
        })
        .collect();
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

/// Affine additions that share an inversion.
struct Adder<F> {
    denominators: Vec<F>,
    prefixes: Vec<F>,
}

impl<F> Default for Adder<F> {
    fn default() -> Self {
        Self { denominators: Vec::new(), prefixes: Vec::new() }
    }
}

impl<F: Field> Adder<F> {
    /// Calls `put(i, a + b)` for every `i < count`, where `(a, b) = pair(i)`.
    fn add<P: SWCurveConfig<BaseField = F>>(
        &mut self,
        count: usize,
        pair: impl Fn(usize) -> (Affine<P>, Affine<P>),
        mut put: impl FnMut(usize, Affine<P>),
    ) {
        self.denominators.clear();
        self.prefixes.clear();
        let mut product = F::ONE;
        for i in 0..count {
            let (a, b) = pair(i);
            let denominator = slope_denominator(&a, &b);
            self.prefixes.push(product);
            self.denominators.push(denominator);
            product *= denominator;
        }
        // No factor is zero, so the product is not.
        let mut inverse = product.inverse().unwrap_or(F::ZERO);
        for i in (0..count).rev() {
            let (a, b) = pair(i);
            put(i, add_affine(&a, &b, inverse * self.prefixes[i]));
            inverse *= self.denominators[i];
        }
    }
}

/// The denominator of the slope through two points, or 1 where their sum needs none.
fn slope_denominator<P: SWCurveConfig>(a: &Affine<P>, b: &Affine<P>) -> P::BaseField {
    let denominator = if a.is_zero() || b.is_zero() {
        P::BaseField::ONE
    } else if a.x != b.x {
        b.x - a.x
    } else if a.y == b.y {
        a.y.double()
    } else {
        P::BaseField::ONE
    };
    if denominator.is_zero() { P::BaseField::ONE } else { denominator }
}

/// The sum of two points, given the inverse of [`slope_denominator`].
fn add_affine<P: SWCurveConfig>(a: &Affine<P>, b: &Affine<P>, inverse: P::BaseField) -> Affine<P> {
    if a.is_zero() {
        return *b;
    }
    if b.is_zero() {
        return *a;
    }
    let slope = if a.x != b.x {
        (b.y - a.y) * inverse
    } else if a.y == b.y && !a.y.is_zero() {
        let square = a.x.square();
        (square.double() + square + P::COEFF_A) * inverse
    } else {
        return Affine::identity();
    };
    let x = slope.square() - a.x - b.x;
    Affine::new_unchecked(x, slope * (a.x - x) - a.y)
}

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
                <Projective<P> as ark_ec::CurveGroup>::normalize_batch(&multiples)
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

#[cfg(test)]
mod tests {
    use ark_ec::VariableBaseMSM;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn random<F: PrimeField>(rng: &mut SmallRng) -> F {
        F::from_le_bytes_mod_order(&rng.random::<[u8; 32]>())
    }

    fn check<P: Curve>() {
        let mut rng = SmallRng::seed_from_u64(3);
        let fixed = FixedBase::new(P::GENERATOR);
        for n in [0, 1, 2, 3, 33, 448, 3000] {
            let mut logs: Vec<P::ScalarField> = (0..n).map(|_| random(&mut rng)).collect();
            // Equal, opposite and neutral bases meet in buckets.
            for i in (0..n).step_by(5) {
                logs[i] = [P::ScalarField::ZERO, logs[0], -logs[0]][i % 3];
            }
            let bases = fixed.multiples(&logs);
            let expected: Vec<Affine<P>> = logs.iter().map(|&x| (P::GENERATOR * x).into()).collect();
            assert_eq!(bases, expected);
            for bits in [0, 1, 8, 16, 17, 32, 63, 64, 65, 200, 255] {
                let scalars: Vec<P::ScalarField> = (0..n)
                    .map(|i| {
                        let mut limbs = random::<P::ScalarField>(&mut rng).into_bigint();
                        limbs >>= 256 - bits;
                        let x = P::ScalarField::from_bigint(limbs).unwrap_or(P::ScalarField::ONE);
                        [x, -x, P::ScalarField::ZERO, P::ScalarField::ONE, x][i % 5]
                    })
                    .collect();
                let expected = Projective::<P>::msm(&bases, &scalars).expect("equal lengths");
                assert_eq!(msm(&bases, &scalars), expected, "{n} terms of {bits} bits");
                for width in [1, 2, 7, 64].into_iter().filter(|width| (*width..1000).contains(&n) && n % width == 0) {
                    let rows: Vec<_> = scalars.chunks(width).map(|row| msm(&bases[..width], row)).collect();
                    assert_eq!(msm_rows(&bases[..width], &scalars), rows, "rows of {width} terms of {bits} bits");
                }
            }
        }
    }

    #[test]
    fn agrees_with_ark() {
        check::<ark_bls12_381::g1::Config>();
        check::<ark_bn254::g1::Config>();
    }

    #[test]
    fn folding_is_a_sum_over_runs() {
        type P = ark_pallas::PallasConfig;
        let mut rng = SmallRng::seed_from_u64(4);
        for (n, runs) in [(1, 1), (1, 8), (3, 2), (200, 4), (256, 8)] {
            let mut logs: Vec<ark_pallas::Fr> = (0..n * runs).map(|_| random(&mut rng)).collect();
            // Runs with equal, opposite and neutral bases.
            logs[n * runs - 1] = ark_pallas::Fr::ZERO;
            logs[n * (runs - 1)] = -logs[0];
            let bases = FixedBase::new(P::GENERATOR).multiples(&logs);
            let mut scalars: Vec<ark_pallas::Fr> = (0..runs).map(|_| random(&mut rng)).collect();
            scalars[0] = ark_pallas::Fr::ONE;
            let folded = fold_bases(&bases, &scalars);
            for i in 0..n {
                let log: ark_pallas::Fr = (0..runs).map(|h| scalars[h] * logs[h * n + i]).sum();
                assert_eq!(folded[i], Affine::from(P::GENERATOR * log), "{i} of {n}, {runs} runs");
            }
        }
    }

    #[test]
    fn digits_add_up() {
        for (bits, width) in [(1, 2), (1, 3), (64, 2), (64, 13), (255, 2), (255, 16), (255, 10)] {
            let digits = Digits::new(bits, width);
            let top: u64 = if bits == 1 { 1 } else { u64::MAX };
            for x in [[1, 0, 0, 0], [top, 0, 0, 0], [0, 0, 0, (1 << 63) - 1]] {
                if bit_length(&x) > bits {
                    continue;
                }
                let sum = (0..digits.count).rev().fold(ark_bls12_381::Fr::ZERO, |sum, w| {
                    let radix = ark_bls12_381::Fr::from(1u64 << width);
                    sum * radix + ark_bls12_381::Fr::from(digits.digit(&x, w))
                });
                assert_eq!(sum, ark_bls12_381::Fr::from(num(&x)), "{bits} {width}");
            }
        }
    }

    fn num(x: &[u64; 4]) -> ark_bls12_381::Fr {
        let radix = ark_bls12_381::Fr::from(1u128 << 64);
        x.iter().rev().fold(ark_bls12_381::Fr::ZERO, |sum, &limb| sum * radix + ark_bls12_381::Fr::from(limb))
    }
}
