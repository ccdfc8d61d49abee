//! Multilinear polynomials by their values on the hypercube: what PIOPs and schemes both need.
//!
//! | symbol | meaning |
//! |---|---|
//! | `eq(r, x)` | `prod r_i x_i + (1 - r_i)(1 - x_i)`, the Lagrange basis of the hypercube |
//! | `f(r)` | `sum over x of f(x) eq(r, x)` |
//!
//! Coordinate 0 of a point belongs to the most significant bit of an index, so folding at the first
//! coordinate pairs the two halves of a table, and short tables live at a suffix of a point.

use p3_field::{ExtensionField, Field, PackedFieldExtension, PackedValue};
use rayon::prelude::*;

/// Work below this many entries is not worth a second thread.
const GRAIN: usize = 1 << 12;

/// Variables of the factor of low bits in [`SplitEq`], which is to stay in the nearest cache.
const LOW: usize = 10;

/// `eq(r, x)` for every `x`, scaled.
pub fn eq_table<F: Field>(point: &[F], scale: F) -> Vec<F> {
    let mut table = Vec::with_capacity(1 << point.len());
    table.push(scale);
    // The last coordinate is the least significant bit, so coordinates are taken from the first on and
    // every entry splits in two neighbours.
    for &r in point {
        let split = |&e: &F| {
            let one = e * r;
            [e - one, one]
        };
        table = if table.len() < GRAIN {
            table.iter().flat_map(split).collect()
        } else {
            table.par_iter().with_min_len(GRAIN).flat_map_iter(split).collect()
        };
    }
    table
}

/// `eq(a, b)`; points of unequal length have none, so the shorter is taken as given.
pub fn eq<F: Field>(a: &[F], b: &[F]) -> F {
    a.iter().zip(b).map(|(&a, &b)| (a * b).double() - a - b + F::ONE).product()
}

/// `eq(index, r)` for the `r.len()` low bits of an index.
pub fn eq_index<F: Field>(index: usize, r: &[F]) -> F {
    let n = r.len();
    r.iter().enumerate().map(|(i, &r)| if index >> (n - 1 - i) & 1 == 1 { r } else { F::ONE - r }).product()
}

/// A table of `eq` in two factors, so that long tables need little memory.
pub struct SplitEq<F: Field, E: ExtensionField<F>> {
    high: Vec<E>,
    low: Vec<E>,
    packed: Vec<E::ExtensionPacking>,
}

impl<F: Field, E: ExtensionField<F>> SplitEq<F, E> {
    /// For a point of any length.
    pub fn new(point: &[E]) -> Self {
        let (high, low) = point.split_at(point.len() - point.len().min(LOW));
        let low = eq_table(low, E::ONE);
        let packed = low.chunks_exact(F::Packing::WIDTH).map(E::ExtensionPacking::from_ext_slice).collect();
        Self { high: eq_table(high, E::ONE), low, packed }
    }

    /// The factor of the high bits.
    pub fn high(&self) -> &[E] {
        &self.high
    }

    /// The factor of the low bits.
    pub fn low(&self) -> &[E] {
        &self.low
    }

    /// The factor of the low bits, packed; empty when it is shorter than a packed word.
    pub fn packed(&self) -> &[E::ExtensionPacking] {
        &self.packed
    }

    /// `f(r)` for the values `f` has on the hypercube.
    pub fn evaluate(&self, f: &[F]) -> E {
        debug_assert_eq!(f.len(), self.high.len() * self.low.len());
        let part = |(chunk, &weight): (&[F], &E)| weight * self.inner(chunk);
        let chunks = f.par_chunks(self.low.len()).zip(&self.high);
        if f.len() <= GRAIN { chunks.map(part).sum() } else { chunks.with_min_len(1).map(part).sum() }
    }

    fn inner(&self, chunk: &[F]) -> E {
        if self.packed.is_empty() || self.low.len() < F::Packing::WIDTH {
            return chunk.iter().zip(&self.low).map(|(&f, &e)| e * f).sum();
        }
        let sum: E::ExtensionPacking =
            F::Packing::pack_slice(chunk).iter().zip(&self.packed).map(|(&f, &e)| e * f).sum();
        (0..F::Packing::WIDTH).map(|lane| sum.extract(lane)).sum()
    }
}

/// `f(r)` for the values `f` has on the hypercube.
pub fn evaluate<F: Field, E: ExtensionField<F>>(f: &[F], point: &[E]) -> E {
    SplitEq::new(point).evaluate(f)
}

/// Binds the first coordinate: pairs the halves of a table.
pub fn fold<E: Field>(table: &mut Vec<E>, r: E) {
    let half = table.len() / 2;
    let (low, high) = table.split_at_mut(half);
    low.par_iter_mut().with_min_len(GRAIN).zip(&*high).for_each(|(a, &b)| *a += r * (b - *a));
    table.truncate(half);
}

/// Binds the first coordinate of a table over the base field.
pub fn fold_base<F: Field, E: ExtensionField<F>>(table: &[F], r: E) -> Vec<E> {
    let (low, high) = table.split_at(table.len() / 2);
    low.par_iter().with_min_len(GRAIN).zip(high).map(|(&a, &b)| r * (b - a) + a).collect()
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use p3_field::extension::BinomialExtensionField;
    use p3_koala_bear::KoalaBear;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    type F = KoalaBear;
    type E = BinomialExtensionField<KoalaBear, 4>;

    #[test]
    fn folding_evaluates() {
        let mut rng = SmallRng::seed_from_u64(1);
        for n in [0, 1, 2, 5, 13, 14] {
            let f: Vec<F> = (0..1 << n).map(|_| rng.random()).collect();
            let point: Vec<E> = (0..n).map(|_| rng.random()).collect();
            let value = evaluate(&f, &point);
            let mut table: Vec<E> = f.iter().map(|&x| x.into()).collect();
            point.iter().for_each(|&r| fold(&mut table, r));
            assert_eq!(table, [value]);
            if let Some((&first, rest)) = point.split_first() {
                let mut table = fold_base(&f, first);
                rest.iter().for_each(|&r| fold(&mut table, r));
                assert_eq!(table, [value]);
            }
            for (x, &e) in eq_table(&point, E::ONE).iter().enumerate().step_by(37) {
                assert_eq!(e, eq_index(x, &point));
                let corner: Vec<E> = (0..n).map(|i| E::from_usize(x >> (n - 1 - i) & 1)).collect();
                assert_eq!(e, eq(&point, &corner));
                assert_eq!(evaluate(&f, &corner), f[x].into());
            }
        }
    }
}
