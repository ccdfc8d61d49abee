//! Affine additions in batches.

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{AdditiveGroup, Field, Zero};

/// Affine additions that share an inversion.
pub(super) struct Adder<F> {
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
    pub(super) fn add<P: SWCurveConfig<BaseField = F>>(
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
