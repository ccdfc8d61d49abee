//! Sums of fractions \[Hab22\]: what the verifier checks of lookups, and of copies in one mode.

use p3_field::{Algebra, Field, PrimeCharacteristicRing};

/// One fraction of every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fraction {
    /// `1 / fingerprint` of a lookup's inputs.
    Lookup(usize),
    /// `-m / fingerprint` of a table's row.
    Table(usize),
    /// `1 / fingerprint` of a permuted cell and its place.
    Identity(usize),
    /// `-1 / fingerprint` of a permuted cell and the place it is copied to.
    Sigma(usize),
}

/// What is above the line.
#[derive(Debug, Clone, Copy)]
pub enum Numerator<X> {
    /// `1`.
    Plus,
    /// `-1`.
    Minus,
    /// Minus a multiplicity.
    Minuses(X),
}

/// Groups of fractions that a constraint of this degree can check: `1` and the degrees of the
/// denominators. First fit, large ones first.
pub fn pack(fractions: &[(Fraction, usize)], degree: usize) -> Vec<Vec<Fraction>> {
    let mut sorted = fractions.to_vec();
    sorted.sort_by_key(|&(_, d)| std::cmp::Reverse(d));
    let mut groups: Vec<(usize, Vec<Fraction>)> = Vec::new();
    for (fraction, d) in sorted {
        match groups.iter_mut().find(|(load, _)| load + d < degree) {
            Some((load, group)) => {
                *load += d;
                group.push(fraction);
            }
            None => groups.push((d, vec![fraction])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The sum of fractions over their common denominator.
pub fn sum<X: PrimeCharacteristicRing + Copy>(fractions: impl IntoIterator<Item = (Numerator<X>, X)>) -> (X, X) {
    let mut total: Option<(X, X)> = None;
    for (numerator, d) in fractions {
        let times = |x: X| match numerator {
            Numerator::Plus => x,
            Numerator::Minus => -x,
            Numerator::Minuses(m) => -(m * x),
        };
        total = Some(match total {
            None => (times(X::ONE), d),
            Some((above, below)) => (above * d + times(below), below * d),
        });
    }
    total.unwrap_or((X::ZERO, X::ONE))
}

/// The constraints of a row: every group's helper is the sum of its fractions. The last group's is
/// `step = S' - S`, less the other helpers.
pub fn constraints<X: PrimeCharacteristicRing + Copy>(
    sums: impl IntoIterator<Item = (X, X)>,
    helpers: &[X],
    step: X,
) -> impl Iterator<Item = X> {
    let last = helpers.iter().fold(step, |step, &h| step - h);
    sums.into_iter().zip(helpers.iter().copied().chain([last])).map(|((above, below), h)| h * below - above)
}

/// How tuples become denominators: `delta - sum theta^j entry_j - bus theta^arity`, so that equal
/// fingerprints mean the same tuple on the same bus.
#[derive(Debug, Clone)]
pub struct Fingerprints<E> {
    delta: E,
    /// `1, theta, .., theta^arity`.
    powers: Vec<E>,
}

impl<E: Field> Fingerprints<E> {
    /// Fingerprints of tuples of up to `arity` entries.
    pub fn new(delta: E, theta: E, arity: usize) -> Self {
        Self { delta, powers: theta.powers().take(arity + 1).collect() }
    }

    /// The fingerprint of the bus's tuple of zeros.
    pub fn start(&self, bus: usize) -> E {
        self.delta - self.powers.last().copied().unwrap_or(E::ONE) * E::from_usize(bus)
    }

    /// `theta^j`.
    pub fn power(&self, j: usize) -> E {
        self.powers[j]
    }

    /// The fingerprint of a tuple.
    pub fn tuple<V, X>(&self, bus: usize, entries: impl IntoIterator<Item = V>) -> X
    where
        X: Algebra<V> + Algebra<E>,
    {
        let start = X::from(self.start(bus));
        entries
            .into_iter()
            .zip(&self.powers)
            .enumerate()
            .fold(start, |acc, (j, (entry, &power))| if j == 0 { acc - entry } else { acc - X::from(power) * entry })
    }

    /// The fingerprint of a value at a place.
    pub fn cell<V, X>(&self, bus: usize, value: X, place: V) -> X
    where
        X: Algebra<V> + Algebra<E>,
    {
        X::from(self.start(bus)) - value - X::from(self.powers[1]) * place
    }
}
