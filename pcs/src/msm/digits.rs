//! Scalars as signs and magnitudes, cut into signed digits.

use ark_ff::{BigInt, BigInteger, PrimeField, Zero};

use super::Curve;

/// The nonzero terms, and whether their magnitudes fit in a word.
pub(super) fn split<P: Curve>(scalars: &[P::ScalarField], mut put: impl FnMut(Term, bool)) {
    for (i, scalar) in scalars.iter().enumerate() {
        if !scalar.is_zero() {
            let term = Term::new::<P>(i, scalar.into_bigint());
            put(term, fits_word(&term.magnitude));
        }
    }
}

/// A nonzero scalar as sign and magnitude, with the index of its base.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub(super) base: u32,
    pub(super) negative: bool,
    pub(super) magnitude: [u64; 4],
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

/// Bits of the largest magnitude.
pub(super) fn longest(terms: &[Term]) -> usize {
    terms.iter().map(|term| bit_length(&term.magnitude)).max().unwrap_or(0)
}

/// Signed digits of `width` bits: `x = sum of digit(x, w) << (w * width)`.
pub(super) struct Digits {
    pub(super) width: usize,
    pub(super) count: usize,
    /// Half of the radix in every digit; adding it makes the recoding free of carries.
    offset: [u64; 5],
}

impl Digits {
    /// Digits for magnitudes of at most `bits` bits. The two spare bits make room for the offset.
    pub(super) fn new(bits: usize, width: usize) -> Self {
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
    pub(super) fn cheapest(bits: usize, n: usize, running: usize) -> Self {
        let cost = |width: &usize| {
            let buckets = 1 << (width - 1);
            (bits + 2).div_ceil(*width) * (6 * n * n / (n + buckets) + running * buckets)
        };
        Self::new(bits, (2..=16).min_by_key(cost).unwrap_or(2))
    }

    #[inline]
    pub(super) fn digit(&self, x: &[u64; 4], w: usize) -> i32 {
        self.digit_of(&self.shifted(x), w)
    }

    /// The number plus the offset.
    #[inline]
    pub(super) fn shifted(&self, x: &[u64; 4]) -> [u64; 5] {
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
    pub(super) fn digit_of(&self, shifted: &[u64; 5], w: usize) -> i32 {
        let (limb, shift) = (w * self.width / 64, w * self.width % 64);
        let next = shifted.get(limb + 1).copied().unwrap_or(0);
        let word = (u128::from(next) << 64 | u128::from(shifted[limb])) >> shift;
        (word as i32 & ((1 << self.width) - 1)) - (1 << (self.width - 1))
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::{AdditiveGroup, Field};

    use super::*;

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
