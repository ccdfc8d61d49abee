//! The prover of [`super::Whir`].

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_util::reverse_bits_len;
use rayon::prelude::*;
use trilemma_core::multilinear::{eq_table, fold};
use trilemma_core::{ConfigError, ErrorTerm, ProverTranscript, Setting, Smooth};

use super::Key;
use super::encode::{encode, point_at};
use super::plan::{Round, Run, Word};
use crate::codes::oracle::{self, Committed, Tree};
use crate::codes::{add_scaled, combine_columns, combine_rows};
use crate::fri::tree::Merkle;
use crate::stacked::{Opening, products};

type Openings<'a, S, T> = [Opening<'a, Committed<S, T>, <S as Setting>::Ext>];

/// A polynomial and the weights of what is claimed of it.
struct Weighted<E> {
    table: Vec<E>,
    weights: Vec<E>,
}

/// Proves the openings.
pub fn open<S: Smooth, T: Merkle<S>>(
    pk: &Key<S, T>,
    openings: &Openings<'_, S, T>,
    t: &mut ProverTranscript,
) -> Result<(), ConfigError> {
    T::assume(&pk.mmcs, t.ledger());
    let variables: Vec<usize> = openings.iter().map(|o| o.point.len()).collect();
    pk.schedule.runs(&variables).iter().try_for_each(|run| open_run(pk, run, openings, t))
}

fn open_run<S: Smooth, T: Merkle<S>>(
    pk: &Key<S, T>,
    run: &Run,
    openings: &Openings<'_, S, T>,
    t: &mut ProverTranscript,
) -> Result<(), ConfigError> {
    let lead = &openings[run.lead];
    let mut latest: Option<(Tree<S, T>, Weighted<S::Ext>)> = None;
    for (i, round) in run.rounds.iter().enumerate() {
        // 1. Every word is folded.
        let (tree, folded) = match latest.take() {
            None => (None, fold_committed(lead, round.word, &round.terms.fold, t)?),
            Some((tree, mut word)) => {
                sumcheck::<S>(&mut word.table, &mut word.weights, round.word.fold, &round.terms.fold, t)?;
                (Some(tree), word)
            }
        };
        let tree = tree.as_ref().unwrap_or(&lead.of.tree);
        let mut folded = vec![folded];
        for joining in &round.joining {
            folded.push(fold_committed(&openings[joining.opening], joining.word, &joining.fold, t)?);
        }
        // 2. They become one.
        let (table, weights) = join::<S>(folded, &round.terms.join, t)?;
        let queries = |t: &mut ProverTranscript| -> Result<Vec<usize>, ConfigError> {
            t.guard("whir queries", &round.terms.query)?;
            let log = round.word.log_rows();
            let positions = oracle::draw(&t.fork("whir queries"), b"", 1 << log, round.queries);
            let trees = round.joining.iter().map(|joining| &openings[joining.opening].of.tree);
            for tree in std::iter::once(tree).chain(trees) {
                oracle::reveal::<S, T>(&pk.mmcs, tree, &positions, |_, _| false, t);
            }
            Ok(positions)
        };
        // 3. It is sent, or committed to and sampled; then the words are queried.
        let Some(next) = run.rounds.get(i + 1) else {
            t.send_ext::<S>("whir last", &table);
            queries(t)?;
            return Ok(());
        };
        let next_tree = commit::<S, T>(pk, &table, next.word, t);
        let mut samples = Vec::with_capacity(round.samples);
        for sample in 0..round.samples {
            let term = (sample == 0).then_some(&round.terms.out_of_domain);
            let x = t.challenge::<S>("whir out of domain", term)?;
            t.send_ext::<S>("whir out of domain", &[table.iter().rev().fold(S::Ext::ZERO, |sum, &c| sum * x + c)]);
            samples.push(x);
        }
        let positions = queries(t)?;
        // 4. All claims about it are combined.
        let gamma = t.challenge::<S>("whir combine", Some(&round.terms.combine))?;
        let weights = combine::<S>(weights, &samples, (&positions, round), gamma);
        latest = Some((next_tree, Weighted { table, weights }));
    }
    Ok(())
}

/// Folds the last variables of a committed polynomial.
fn fold_committed<S: Smooth, T: Merkle<S>>(
    opening: &Opening<'_, Committed<S, T>, S::Ext>,
    word: Word,
    term: &ErrorTerm,
    t: &mut ProverTranscript,
) -> Result<Weighted<S::Ext>, ConfigError> {
    let (first, last) = opening.point.split_at(word.left);
    let mut weights = eq_table(first, S::Ext::ONE);
    let mut sums = combine_rows(&opening.of.values, word.fold, &weights);
    let mut last = eq_table(last, S::Ext::ONE);
    let challenges = sumcheck::<S>(&mut sums, &mut last, word.fold, term, t)?;
    let table = combine_columns(&opening.of.values, &eq_table(&challenges, S::Ext::ONE));
    weights.par_iter_mut().with_min_len(1 << 12).for_each(|weight| *weight *= last[0]);
    Ok(Weighted { table, weights })
}

/// The rounds of a sumcheck over the first variables.
fn sumcheck<S: Setting>(
    table: &mut Vec<S::Ext>,
    weights: &mut Vec<S::Ext>,
    rounds: usize,
    term: &ErrorTerm,
    t: &mut ProverTranscript,
) -> Result<Vec<S::Ext>, ConfigError> {
    let mut challenges = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let (c0, c2) = products(table, weights);
        t.send_ext::<S>("whir sumcheck", &[c0, c2]);
        let r = t.challenge::<S>("whir fold", Some(term))?;
        fold(table, r);
        fold(weights, r);
        challenges.push(r);
    }
    Ok(challenges)
}

/// Adds folded polynomials up; the weights stay apart.
fn join<S: Setting>(
    folded: Vec<Weighted<S::Ext>>,
    term: &ErrorTerm,
    t: &mut ProverTranscript,
) -> Result<(Vec<S::Ext>, Vec<Vec<S::Ext>>), ConfigError> {
    let (tables, weights): (Vec<_>, Vec<_>) = folded.into_iter().map(|f| (f.table, f.weights)).unzip();
    let mut crossed = Vec::new();
    for (i, weights) in weights.iter().enumerate() {
        for (_, table) in tables.iter().enumerate().filter(|(j, _)| *j != i) {
            crossed.push(table.par_iter().with_min_len(1 << 12).zip(weights).map(|(&x, &w)| x * w).sum());
        }
    }
    t.send_ext::<S>("whir crossed", &crossed);
    let mut tables = tables.into_iter();
    let mut sum = tables.next().unwrap_or_default();
    for table in tables {
        let scale = t.challenge::<S>("whir join", Some(term))?;
        add_scaled(&mut sum, &table, scale);
    }
    Ok((sum, weights))
}

/// Commits to the word of a polynomial, whose first variables number the columns.
fn commit<S: Smooth, T: Merkle<S>>(
    pk: &Key<S, T>,
    table: &[S::Ext],
    word: Word,
    t: &mut ProverTranscript,
) -> Tree<S, T> {
    let degree = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    let width = degree << word.fold;
    let mut message = S::Base::zero_vec(degree * table.len());
    message.par_chunks_exact_mut(width).with_min_len(1 << 6).enumerate().for_each(|(i, row)| {
        for (cells, x) in row.chunks_exact_mut(degree).zip(table[i..].iter().step_by(1 << word.left)) {
            cells.copy_from_slice(x.as_basis_coefficients_slice());
        }
    });
    oracle::commit::<S, T>(&pk.mmcs, encode(&message, width, word.rate), "whir words", t)
}

/// The weights of all claims about a polynomial, combined.
fn combine<S: Smooth>(
    weights: Vec<Vec<S::Ext>>,
    samples: &[S::Ext],
    (positions, round): (&[usize], &Round),
    gamma: S::Ext,
) -> Vec<S::Ext> {
    let mut powers = gamma.powers();
    let mut weights = weights.into_iter().zip(powers.by_ref());
    let mut sum = weights.next().map(|(weights, _)| weights).unwrap_or_default();
    weights.for_each(|(weights, power)| add_scaled(&mut sum, &weights, power));
    for (&x, power) in samples.iter().zip(powers.by_ref()) {
        sum.iter_mut().zip(x.powers()).for_each(|(sum, x)| *sum += power * x);
    }
    let scales: Vec<S::Ext> = powers.take(positions.len()).collect();
    add_powers::<S>(&mut sum, positions, &scales, round.word.log_rows());
    sum
}

/// Adds `sum over p of scale_p x_p^i` to entry `i`, where `x_p` is the point at position `p` of a domain
/// of `2^log` points.
///
/// With `i = 2^a h + l`, the power is `x^l y^h` of a `y = x^(2^a)` in the domain of `2^(log-a)` points:
/// for each `l` the sum is a transform of `scale x^l`, put where `y` is.
fn add_powers<S: Smooth>(sum: &mut [S::Ext], positions: &[usize], scales: &[S::Ext], log: usize) {
    const LOW: usize = 4;
    let a = LOW.min(sum.len().trailing_zeros() as usize);
    let degree = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    let mut places = S::Ext::zero_vec(1 << log);
    for (&position, &scale) in positions.iter().zip(scales) {
        let power = reverse_bits_len(position, log) & ((1 << (log - a)) - 1);
        let x = point_at::<S::Base>(position, log);
        for (place, x) in places[power << a..][..1 << a].iter_mut().zip(x.powers()) {
            *place += scale * x;
        }
    }
    let message = <S::Ext as BasedVectorSpace<S::Base>>::flatten_to_base(places);
    let words = encode(&message, degree << a, 0);
    sum.par_chunks_exact_mut(1 << a).with_min_len(1 << 8).enumerate().for_each(|(h, sum)| {
        let row = &words.values[reverse_bits_len(h, log - a) * (degree << a)..][..degree << a];
        for (sum, x) in sum.iter_mut().zip(row.chunks_exact(degree)) {
            if let Some(x) = S::Ext::from_basis_coefficients_slice(x) {
                *sum += x;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use p3_field::Field;
    use trilemma_core::setting::KoalaBear4;

    use super::*;

    #[test]
    fn powers_are_added() {
        type E = <KoalaBear4 as Setting>::Ext;
        for (left, log) in [(0, 3), (3, 6), (6, 7), (7, 10)] {
            let positions = [0, 1, 5, (1 << log) - 2];
            let scales: Vec<E> = (0..4).map(|i| (E::GENERATOR + E::from_u32(i)).inverse()).collect();
            let mut sum = vec![E::ONE; 1 << left];
            add_powers::<KoalaBear4>(&mut sum, &positions, &scales, log);
            for (i, &sum) in sum.iter().enumerate() {
                let power = |(&p, &scale): (&usize, &E)| {
                    scale * point_at::<<KoalaBear4 as Setting>::Base>(p, log).exp_u64(i as u64)
                };
                assert_eq!(sum, E::ONE + positions.iter().zip(&scales).map(power).sum::<E>());
            }
        }
    }
}
