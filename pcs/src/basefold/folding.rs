//! Domains, folds and lifts. A word lies in bit-reversed order, so positions `2i` and `2i + 1` are
//! `x` and `-x`, and fold to position `i`, which is `x^2`.

use p3_field::{ExtensionField, Field, TwoAdicField};
use p3_util::{reverse_bits_len, reverse_slice_index_bits};
use rayon::prelude::*;

/// log2 of a domain no shorter than any field's largest.
const TALLEST: usize = 32;
/// Words below this length are not worth a second thread.
const GRAIN: usize = 1 << 12;

/// Shift of the domain of `2^log` points; that of half as many is its square.
pub fn shift<F: TwoAdicField>(log: usize) -> F {
    F::GENERATOR.exp_power_of_2(TALLEST - log)
}

/// The domain of a word of `2^log` symbols.
pub struct Domain<F> {
    log: usize,
    shift: F,
    generator: F,
}

impl<F: TwoAdicField> Domain<F> {
    /// Of a word of `2^log` symbols.
    pub fn new(log: usize) -> Self {
        Self { log, shift: shift(log), generator: F::two_adic_generator(log) }
    }

    /// The point at a position.
    pub fn at(&self, position: usize) -> F {
        self.shift * self.generator.exp_u64(reverse_bits_len(position, self.log) as u64)
    }

    /// All points.
    pub fn points(&self) -> Vec<F> {
        let mut points = self.generator.shifted_powers(self.shift).collect_n(1 << self.log);
        reverse_slice_index_bits(&mut points);
        points
    }

    /// Inverses of the points at even positions.
    pub fn even_inverses(&self) -> Vec<F> {
        let powers = self.generator.inverse().shifted_powers(self.shift.inverse());
        let mut points = powers.collect_n(1 << self.log.saturating_sub(1));
        reverse_slice_index_bits(&mut points);
        points
    }
}

/// `(1 - r) even + r odd` of the polynomial with these values at `x` and `-x`.
fn fold_pair<F: Field, E: ExtensionField<F>>(pair: &[E], inverse: F, r: E) -> E {
    let (even, odd) = ((pair[0] + pair[1]).halve(), (pair[0] - pair[1]).halve() * inverse);
    even + r * (odd - even)
}

/// Folds a word, given the inverses of its points at even positions, which are replaced by those of
/// the folded word.
pub fn fold_word<F: Field, E: ExtensionField<F>>(word: &[E], inverses: &mut Vec<F>, r: E) -> Vec<E> {
    let pairs = word.par_chunks_exact(2).with_min_len(GRAIN).zip(&*inverses);
    let folded = pairs.map(|(pair, &inverse)| fold_pair(pair, inverse, r)).collect();
    *inverses = inverses.iter().step_by(2).map(F::square).collect();
    folded
}

/// Folds the values that a leaf of `2^a` holds, whose number is `leaf`, with `a` challenges.
pub fn fold_leaf<F: TwoAdicField, E: ExtensionField<F>>(
    mut values: Vec<E>,
    domain: &Domain<F>,
    leaf: usize,
    challenges: &[E],
) -> E {
    let arity = challenges.len();
    let first = leaf << arity;
    let mut inverses: Vec<F> = (0..values.len() / 2).map(|i| domain.at(first + 2 * i).inverse()).collect();
    for &r in challenges {
        values = values.chunks_exact(2).zip(&inverses).map(|(pair, &inverse)| fold_pair(pair, inverse, r)).collect();
        inverses = inverses.iter().step_by(2).map(F::square).collect();
    }
    values.first().copied().unwrap_or_default()
}

/// Lifts a word to the domain with these points, twice as long.
pub fn lift_word<F: Field, E: ExtensionField<F>>(word: &[E], points: &[F]) -> Vec<E> {
    let lift = |(position, &x): (usize, &F)| word[position >> 1] * (F::ONE + x);
    points.par_iter().with_min_len(GRAIN).enumerate().map(lift).collect()
}

/// The factor of a word lifted to a domain `2^log` times as long, at `x`.
pub fn lift_factor<F: Field>(x: F, log: usize) -> F {
    (0..log).map(|j| F::ONE + x.exp_power_of_2(j)).product()
}

/// The symbol at `x` of the codeword of a polynomial with these values on the hypercube.
pub fn encode_at<F: Field, E: ExtensionField<F>>(values: &[E], x: F) -> E {
    let log = values.len().trailing_zeros() as usize;
    (0..values.len()).rev().fold(E::ZERO, |sum, i| sum * x + values[reverse_bits_len(i, log)])
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use p3_koala_bear::KoalaBear;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};
    use trilemma_core::Setting;
    use trilemma_core::multilinear::fold;
    use trilemma_core::setting::KoalaBear4;

    use super::*;

    type E = <KoalaBear4 as Setting>::Ext;

    fn codeword(values: &[E], log_blowup: usize) -> Vec<E> {
        let domain = Domain::<KoalaBear>::new(values.len().trailing_zeros() as usize + log_blowup);
        let points = domain.points();
        assert!(points.iter().enumerate().all(|(i, &x)| x == domain.at(i)));
        points.iter().map(|&x| encode_at(values, x)).collect()
    }

    fn random(rng: &mut SmallRng, n: usize) -> Vec<E> {
        (0..n).map(|_| rng.random()).collect()
    }

    #[test]
    fn columns_are_encoded_as_defined() {
        let mut rng = SmallRng::seed_from_u64(1);
        for (log_rows, log_columns) in [(0, 5), (1, 1), (4, 2), (7, 0)] {
            let values: Vec<KoalaBear> = (0..1 << (log_rows + log_columns)).map(|_| rng.random()).collect();
            let encoded = super::super::encode::<KoalaBear4>(&Default::default(), &values, log_columns, 1);
            for column in 0..1 << log_columns {
                let of = |cells: &[KoalaBear]| -> Vec<E> {
                    cells[column..].iter().step_by(1 << log_columns).map(|&x| x.into()).collect()
                };
                assert_eq!(of(&encoded.values), codeword(&of(&values), 1));
            }
        }
    }

    #[test]
    fn folding_binds_the_first_variable() {
        let mut rng = SmallRng::seed_from_u64(2);
        let mut values = random(&mut rng, 32);
        let mut word = codeword(&values, 2);
        let domain = Domain::<KoalaBear>::new(7);
        let mut inverses = domain.even_inverses();
        assert!(inverses.iter().enumerate().all(|(i, &x)| x * domain.at(2 * i) == KoalaBear::ONE));
        let challenges = random(&mut rng, 3);
        let leaves: Vec<E> = word
            .chunks_exact(8)
            .enumerate()
            .map(|(leaf, values)| fold_leaf(values.to_vec(), &domain, leaf, &challenges))
            .collect();
        for &r in &challenges {
            word = fold_word(&word, &mut inverses, r);
            fold(&mut values, r);
            assert_eq!(word, codeword(&values, 2));
        }
        assert_eq!(word, leaves);
    }

    #[test]
    fn lifted_words_fold_to_themselves() {
        let mut rng = SmallRng::seed_from_u64(3);
        let values = random(&mut rng, 4);
        let word = random(&mut rng, 8);
        let (four, five) = (Domain::<KoalaBear>::new(4), Domain::<KoalaBear>::new(5));
        let lift = |word: &[E]| lift_word(&lift_word(word, &four.points()), &five.points());
        // A codeword's lift encodes the polynomial that does not depend on the new first variables.
        assert_eq!(
            lift(&codeword(&values, 1)),
            codeword(&[values.clone(), values.clone(), values.clone(), values].concat(), 1)
        );
        let lifted = lift(&word);
        for (position, &symbol) in lifted.iter().enumerate() {
            assert_eq!(symbol, word[position >> 2] * lift_factor(five.at(position), 2));
        }
        let mut inverses = five.even_inverses();
        let once = fold_word(&lifted, &mut inverses, rng.random());
        assert_eq!(fold_word(&once, &mut inverses, rng.random()), word);
    }
}
