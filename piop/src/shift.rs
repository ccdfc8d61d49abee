//! Claims about the next row of columns, reduced to claims about the columns themselves.
//!
//! `f(x + 1)`, cyclically, at a point `r` is `sum over y of rot(r, y) f(y)`, where `rot(x, y)` is 1 when
//! `y` follows `x`. One sumcheck serves all columns of all instances, weighted with powers of `tau`;
//! short instances join late: before, their sum stands at the corner zero of the variables bound.

use p3_field::Field;
use trilemma_core::multilinear::{eq_table, fold};
use trilemma_core::{ErrorTerm, Setting};

use crate::sumcheck::Rounds;

/// The sumcheck's name.
pub const ROUNDS: Rounds = Rounds { label: "next rows", degree: 2, term: "next-row sumcheck", error: 2 };

/// Error of `tau` for so many claims.
pub fn term<S: Setting>(claims: usize) -> ErrorTerm {
    ErrorTerm::schwartz_zippel("next-row batching", claims as f64, S::ext_bits())
}

/// `rot(x, y)`: adding one with a carry from the last coordinate up; a carry out of the first is lost.
pub fn rot<E: Field>(x: &[E], y: &[E]) -> E {
    let (mut settled, mut carry) = (E::ZERO, E::ONE);
    for (&x, &y) in x.iter().zip(y).rev() {
        let equal = (x * y).double() - x - y + E::ONE;
        settled = settled * equal + carry * (E::ONE - x) * y;
        carry *= x * (E::ONE - y);
    }
    settled + carry
}

/// The prover's part for one instance: the weighted columns and `rot(r, .)`.
pub struct Side<E> {
    f: Vec<E>,
    rot: Vec<E>,
    /// The sum, and `eq(0, .)` of the variables bound before its own.
    sum: E,
    at_zero: E,
    variables: usize,
}

impl<E: Field> Side<E> {
    /// For `f` already weighted, whose next row is claimed at `point`.
    pub fn new(f: Vec<E>, point: &[E]) -> Self {
        let mut rot = eq_table(point, E::ONE);
        rot.rotate_right(1);
        let sum = f.iter().zip(&rot).map(|(&f, &w)| f * w).sum();
        Self { f, rot, sum, at_zero: E::ONE, variables: point.len() }
    }

    /// The values at 0 and 2 of the round in which `left` variables are unbound.
    pub fn message(&self, left: usize) -> [E; 2] {
        if left > self.variables {
            // `sum (1 - X)`
            let at_zero = self.at_zero * self.sum;
            return [at_zero, -at_zero];
        }
        let half = self.f.len() / 2;
        let mut values = [E::ZERO; 2];
        for i in 0..half {
            let (a, b) = (self.f[i], self.f[i + half]);
            let (c, d) = (self.rot[i], self.rot[i + half]);
            values[0] += a * c;
            values[1] += (b.double() - a) * (d.double() - c);
        }
        values.map(|v| v * self.at_zero)
    }

    /// Binds the round's variable.
    pub fn bind(&mut self, left: usize, r: E) {
        if left > self.variables {
            self.at_zero *= E::ONE - r;
        } else {
            fold(&mut self.f, r);
            fold(&mut self.rot, r);
        }
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use p3_field::extension::BinomialExtensionField;
    use p3_koala_bear::KoalaBear;

    use super::*;

    type E = BinomialExtensionField<KoalaBear, 4>;

    #[test]
    fn rot_is_the_successor() {
        for n in 0..5usize {
            let corner = |x: usize| -> Vec<E> { (0..n).map(|i| E::from_usize(x >> (n - 1 - i) & 1)).collect() };
            for x in 0..1 << n {
                for y in 0..1 << n {
                    let follows = (x + 1) % (1 << n) == y;
                    assert_eq!(rot(&corner(x), &corner(y)), E::from_bool(follows), "{n}: {x} {y}");
                }
            }
        }
    }
}
