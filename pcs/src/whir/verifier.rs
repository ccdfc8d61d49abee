//! The verifier of [`super::Whir`].

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, dot_product};
use p3_matrix::Dimensions;
use trilemma_core::multilinear::eq_table;
use trilemma_core::{ErrorTerm, Reject, Setting, Smooth, VerifierTranscript};

use super::Key;
use super::encode::point_at;
use super::plan::{Round, Run, Word};
use super::weights::{Claim, Weight};
use crate::codes::oracle::{self, Root};
use crate::fri::tree::Merkle;
use crate::stacked::Opening;

type Openings<'a, S, T> = [Opening<'a, Root<S, T>, <S as Setting>::Ext>];

/// A word of a round, with the challenges that fold it and what the result counts.
struct Folded<'r, S: Smooth, T: Merkle<S>> {
    root: &'r Root<S, T>,
    word: Word,
    /// Cells of a committed polynomial are in the base field.
    committed: bool,
    challenges: Vec<S::Ext>,
    scale: S::Ext,
}

/// Checks that the openings are true.
pub fn verify<S: Smooth, T: Merkle<S>>(
    vk: &Key<S, T>,
    openings: &Openings<'_, S, T>,
    t: &mut VerifierTranscript<'_>,
) -> Result<(), Reject> {
    T::assume(&vk.mmcs, t.ledger());
    let variables: Vec<usize> = openings.iter().map(|o| o.point.len()).collect();
    vk.schedule.runs(&variables).iter().try_for_each(|run| verify_run(vk, run, openings, t))
}

/// Follows the claim about the longest polynomial, and those that join, to the last polynomial.
fn verify_run<S: Smooth, T: Merkle<S>>(
    vk: &Key<S, T>,
    run: &Run,
    openings: &Openings<'_, S, T>,
    t: &mut VerifierTranscript<'_>,
) -> Result<(), Reject> {
    let lead = opening(openings, run.lead)?;
    let first = run.rounds.first().ok_or_else(|| Reject::new("nothing to open"))?;
    let mut claim = first_claim(lead, first.word);
    let mut latest: Option<Root<S, T>> = None;
    for (i, round) in run.rounds.iter().enumerate() {
        // 1. Every word is folded by a sumcheck of its own.
        let challenges = sumcheck::<S>(&mut claim, round.word.fold, &round.terms.fold, t)?;
        let root = latest.as_ref().unwrap_or(lead.of);
        let mut words = vec![Folded { root, word: round.word, committed: i == 0, challenges, scale: S::Ext::ONE }];
        let mut claims = vec![claim];
        for joining in &round.joining {
            let opening = opening(openings, joining.opening)?;
            let mut claim = first_claim(opening, joining.word);
            let challenges = sumcheck::<S>(&mut claim, joining.word.fold, &joining.fold, t)?;
            words.push(Folded {
                root: opening.of,
                word: joining.word,
                committed: true,
                challenges,
                scale: S::Ext::ONE,
            });
            claims.push(claim);
        }
        // 2. The folded polynomials become one, of which all their claims are true if all were.
        join(&mut words, &mut claims, &round.terms.join, t)?;

        // 3. It is sent, or committed to and sampled; then the words are queried.
        let Some(next) = run.rounds.get(i + 1) else {
            let last = t.recv_ext::<S>("whir last", 1 << round.word.left)?;
            let answers = query(vk, round, &words, t)?;
            claims.extend(answers);
            return match claims.iter().all(|claim| claim.holds(&last)) {
                true => Ok(()),
                false => Err(Reject::new("the last polynomial contradicts a claim")),
            };
        };
        let root = oracle::receive::<S, T>(&vk.mmcs, "whir words", t)?;
        for sample in 0..round.samples {
            let term = (sample == 0).then_some(&round.terms.out_of_domain);
            let x = t.challenge::<S>("whir out of domain", term)?;
            let value = t.recv_ext::<S>("whir out of domain", 1)?[0];
            claims.push(Claim { weights: vec![Weight::powers(x, round.word.left)], value });
        }
        claims.extend(query(vk, round, &words, t)?);

        // 4. All claims about the polynomial are combined.
        let gamma = t.challenge::<S>("whir combine", Some(&round.terms.combine))?;
        claim = Claim { weights: Vec::new(), value: S::Ext::ZERO };
        for (part, power) in claims.into_iter().zip(gamma.powers()) {
            claim.value += power * part.value;
            claim.weights.extend(part.weights.into_iter().map(|weight| weight.times(power)));
        }
        debug_assert_eq!(next.word.fold + next.word.left, round.word.left);
        latest = Some(root);
    }
    Ok(())
}

fn opening<'o, 'a, C, E>(openings: &'o [Opening<'a, C, E>], number: usize) -> Result<&'o Opening<'a, C, E>, Reject> {
    openings.get(number).ok_or_else(|| Reject::new("nothing to open"))
}

/// The claim about a committed polynomial, whose last variables are the first to be bound.
fn first_claim<C, E: p3_field::Field>(opening: &Opening<'_, C, E>, word: Word) -> Claim<E> {
    let mut point = opening.point.clone();
    point.rotate_left(word.left.min(opening.point.len()));
    Claim { weights: vec![Weight::eq(&point)], value: opening.value }
}

/// The rounds of a sumcheck over the first variables: the challenges, which are bound in the claim.
/// Round polynomials are `c0 + c1 X + c2 X^2`, of which `c1` follows from the claim.
fn sumcheck<S: Setting>(
    claim: &mut Claim<S::Ext>,
    rounds: usize,
    term: &ErrorTerm,
    t: &mut VerifierTranscript<'_>,
) -> Result<Vec<S::Ext>, Reject> {
    let mut challenges = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let sent = t.recv_ext::<S>("whir sumcheck", 2)?;
        let (c0, c2) = (sent[0], sent[1]);
        let r = t.challenge::<S>("whir fold", Some(term))?;
        claim.value = c0 + r * (claim.value - c0.double() - c2 + r * c2);
        challenges.push(r);
    }
    claim.weights.iter_mut().for_each(|weight| weight.bind(&challenges));
    Ok(challenges)
}

/// Adds polynomials up, with a challenge for each but the first. The prover says what every claim's
/// weights sum to over every other polynomial, so that the claims can be made of the sum.
fn join<S: Smooth, T: Merkle<S>>(
    words: &mut [Folded<'_, S, T>],
    claims: &mut [Claim<S::Ext>],
    term: &ErrorTerm,
    t: &mut VerifierTranscript<'_>,
) -> Result<(), Reject> {
    let n = words.len();
    let crossed = t.recv_ext::<S>("whir crossed", n * (n - 1))?;
    for word in words.iter_mut().skip(1) {
        word.scale = t.challenge::<S>("whir join", Some(term))?;
    }
    let mut crossed = crossed.into_iter();
    for (i, claim) in claims.iter_mut().enumerate() {
        let mut value = S::Ext::ZERO;
        for (j, word) in words.iter().enumerate() {
            let of_word = if i == j { claim.value } else { crossed.next().unwrap_or_default() };
            value += word.scale * of_word;
        }
        claim.value = value;
    }
    Ok(())
}

/// What queries to the words say of the polynomial to which they fold together.
fn query<S: Smooth, T: Merkle<S>>(
    vk: &Key<S, T>,
    round: &Round,
    words: &[Folded<'_, S, T>],
    t: &mut VerifierTranscript<'_>,
) -> Result<Vec<Claim<S::Ext>>, Reject> {
    t.guard("whir queries", &round.terms.query)?;
    let log = round.word.log_rows();
    let positions = oracle::draw(&t.fork("whir queries"), b"", 1 << log, round.queries);
    let mut values = vec![S::Ext::ZERO; positions.len()];
    for word in words {
        let degree = if word.committed { 1 } else { <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION };
        let dimensions = Dimensions { width: degree << word.word.fold, height: 1 << word.word.log_rows() };
        let rows = oracle::read::<S, T>(&vk.mmcs, word.root, dimensions, &positions, |_, _| None, t)?;
        let weights = eq_table(&word.challenges, word.scale);
        for (value, row) in values.iter_mut().zip(rows) {
            *value += match word.committed {
                true => dot_product::<S::Ext, _, _>(weights.iter().copied(), row.into_iter()),
                false => dot_product(weights.iter().copied(), S::Ext::reconstitute_from_base(row).into_iter()),
            };
        }
    }
    let claim = |(&position, value): (&usize, S::Ext)| {
        let x = S::Ext::from(point_at::<S::Base>(position, log));
        Claim { weights: vec![Weight::powers(x, round.word.left)], value }
    };
    Ok(positions.iter().zip(values).map(claim).collect())
}
