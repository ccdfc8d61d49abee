//! What is claimed of a polynomial on the hypercube: weighted sums of its values, the weights being
//! products over the variables.

use p3_field::Field;

/// `c` times the product, over variables, of one of two factors by the variable's bit.
#[derive(Debug, Clone)]
pub struct Weight<E> {
    scale: E,
    /// Factors at bit 0 and at bit 1, first variable first.
    factors: Vec<[E; 2]>,
}

impl<E: Field> Weight<E> {
    /// `eq(point, .)`: the sum is the value at the point.
    pub fn eq(point: &[E]) -> Self {
        Self { scale: E::ONE, factors: point.iter().map(|&r| [E::ONE - r, r]).collect() }
    }

    /// Powers of `x`: the sum is the value at `x` of the polynomial with these coefficients.
    pub fn powers(x: E, variables: usize) -> Self {
        let mut factors: Vec<[E; 2]> =
            std::iter::successors(Some(x), |x| Some(x.square())).take(variables).map(|x| [E::ONE, x]).collect();
        factors.reverse();
        Self { scale: E::ONE, factors }
    }

    /// The same, times `by`.
    pub fn times(mut self, by: E) -> Self {
        self.scale *= by;
        self
    }

    /// Binds as many variables as there are challenges, from the first on.
    pub fn bind(&mut self, challenges: &[E]) {
        let bound = self.factors.drain(..challenges.len().min(self.factors.len()));
        self.scale *= bound.zip(challenges).map(|([a, b], &r)| a + r * (b - a)).product::<E>();
    }

    /// The weighted sum of a table.
    pub fn sum(&self, table: &[E]) -> E {
        let mut table = table.to_vec();
        for [a, b] in &self.factors {
            let half = table.len() / 2;
            let (low, high) = table.split_at_mut(half);
            low.iter_mut().zip(high).for_each(|(x, y)| *x = *a * *x + *b * *y);
            table.truncate(half);
        }
        self.scale * table.first().copied().unwrap_or(E::ZERO)
    }
}

/// What `sum over weights` of a word's polynomial is claimed to be.
#[derive(Debug, Clone)]
pub struct Claim<E> {
    /// The weights, to be added up.
    pub weights: Vec<Weight<E>>,
    /// The sum.
    pub value: E,
}

impl<E: Field> Claim<E> {
    /// Whether it is true of a table.
    pub fn holds(&self, table: &[E]) -> bool {
        self.weights.iter().map(|weight| weight.sum(table)).sum::<E>() == self.value
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use p3_field::extension::BinomialExtensionField;
    use p3_koala_bear::KoalaBear;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};
    use trilemma_core::multilinear::{evaluate, fold};

    use super::*;

    type E = BinomialExtensionField<KoalaBear, 4>;

    #[test]
    fn sums_are_evaluations() {
        let mut rng = SmallRng::seed_from_u64(6);
        for n in [0, 1, 4] {
            let mut table: Vec<E> = (0..1 << n).map(|_| rng.random()).collect();
            let point: Vec<E> = (0..n).map(|_| rng.random()).collect();
            let x: E = rng.random();
            let weights = [Weight::eq(&point), Weight::powers(x, n)];
            let values = [evaluate(&table, &point), table.iter().rev().fold(E::ZERO, |v, &c| v * x + c)];
            for (weight, value) in weights.iter().zip(values) {
                assert_eq!(weight.clone().times(E::TWO).sum(&table), value.double());
                assert!(Claim { weights: vec![weight.clone()], value }.holds(&table));
                assert!(!Claim { weights: vec![weight.clone()], value: value + E::ONE }.holds(&table));
            }
            // Binding all variables leaves the weight's own value at the challenges.
            let mut weight = Weight::eq(&point);
            let challenges: Vec<E> = (0..n).map(|_| rng.random()).collect();
            weight.bind(&challenges);
            challenges.iter().for_each(|&r| fold(&mut table, r));
            assert_eq!(weight.sum(&[E::ONE]), trilemma_core::multilinear::eq(&point, &challenges));
        }
    }
}
