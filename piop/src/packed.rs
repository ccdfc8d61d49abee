//! Loops over packed words, shared by the provers.

use p3_field::{Algebra, Field, PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::kernel::{PackedBase, PackedExt};
use trilemma_core::Setting;

/// Words below which a loop is not split.
const GRAIN: usize = 1 << 9;

/// Lanes of a packed word.
pub const fn lanes<S: Setting>() -> usize {
    <PackedBase<S> as PackedValue>::WIDTH
}

/// The sum of a word's lanes.
pub fn total<S: Setting>(word: PackedExt<S>) -> S::Ext {
    (0..lanes::<S>()).map(|lane| word.extract(lane)).sum()
}

/// The scalars of packed words.
pub fn unpack<S: Setting>(words: &[PackedExt<S>]) -> Vec<S::Ext> {
    words.iter().flat_map(|word| (0..lanes::<S>()).map(|lane| word.extract(lane))).collect()
}

/// Packed words of scalars, a multiple of the lanes.
pub fn pack<S: Setting>(scalars: &[S::Ext]) -> Vec<PackedExt<S>> {
    scalars.chunks_exact(lanes::<S>()).map(PackedExt::<S>::from_ext_slice).collect()
}

/// A challenge in every lane.
pub fn broadcast<S: Setting>(x: S::Ext) -> PackedExt<S> {
    <PackedExt<S> as From<S::Ext>>::from(x)
}

/// Inverses of the fractions' denominators, by one inversion for each lane. If a lane has a zero, all its
/// inverses are zero.
pub fn invert_denominators<S: Setting, N>(fractions: &[(N, PackedExt<S>)]) -> Vec<PackedExt<S>> {
    let mut inverses = Vec::with_capacity(fractions.len());
    let mut product = PackedExt::<S>::ONE;
    for (_, denominator) in fractions {
        inverses.push(product);
        product *= *denominator;
    }
    let mut inverse = PackedExt::<S>::from_ext_fn(|lane| product.extract(lane).try_inverse().unwrap_or_default());
    for (prefix, (_, denominator)) in inverses.iter_mut().zip(fractions).rev() {
        *prefix *= inverse;
        inverse *= *denominator;
    }
    inverses
}

/// `sum high[h] low[l] f(h low.len() + l)`, for `N` values at once; `total` adds up the lanes.
pub fn weighted<E, X, const N: usize>(
    high: &[E],
    low: &[X],
    total: impl Fn(X) -> E + Sync,
    f: impl Fn(usize) -> [X; N] + Sync,
) -> [E; N]
where
    E: Field,
    X: Algebra<X> + Copy + Send + Sync,
{
    let run = |h: usize| {
        let mut sums = [X::ZERO; N];
        for (l, &weight) in low.iter().enumerate() {
            for (sum, value) in sums.iter_mut().zip(f(h * low.len() + l)) {
                *sum += weight * value;
            }
        }
        sums.map(|sum| total(sum) * high[h])
    };
    let add = |mut a: [E; N], b: [E; N]| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    if high.len() * low.len() <= GRAIN {
        (0..high.len()).map(run).fold([E::ZERO; N], add)
    } else {
        (0..high.len()).into_par_iter().map(run).reduce(|| [E::ZERO; N], add)
    }
}

/// Binds the first variable of a table of `2 half` entries: `a + r (b - a)`. The table's end may be
/// missing, `rest` stands for what is.
pub fn bind<P, X>(table: &[P], half: usize, rest: P, r: X) -> Vec<X>
where
    P: Copy + Send + Sync + std::ops::Sub<Output = P>,
    X: Algebra<P> + Copy + Send + Sync,
{
    let at = |i: usize| {
        let a = table.get(i).copied().unwrap_or(rest);
        r * (table.get(i + half).copied().unwrap_or(rest) - a) + a
    };
    if half <= GRAIN {
        (0..half).map(at).collect()
    } else {
        (0..half).into_par_iter().with_min_len(GRAIN).map(at).collect()
    }
}

/// [`bind`] over the ring of the challenge, leaving the result where the first half was: fresh memory
/// costs more than the arithmetic.
pub fn bind_in_place<X>(table: &mut [X], half: usize, rest: X, r: X)
where
    X: PrimeCharacteristicRing + Copy + Send + Sync,
{
    let (to, from) = table.split_at_mut(half.min(table.len()));
    let (both, alone) = to.split_at_mut(from.len());
    both.par_iter_mut().zip(from).with_min_len(GRAIN).for_each(|(a, b)| *a += r * (*b - *a));
    alone.par_iter_mut().with_min_len(GRAIN).for_each(|a| *a += r * (rest - *a));
}
