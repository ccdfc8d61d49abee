//! Sumcheck over a channel \[LFKN92\], in the two forms used here.
//!
//! | symbol | meaning |
//! |---|---|
//! | `s_i(X)` | plain round polynomial: the sum with coordinate `i` left free |
//! | `t_i(X)` | with `eq(r, x)` in the summand: `s_i(X) = eq(r_1..i-1, rho) eq(r_i, X) t_i(X)`, so that `t_i` has a degree less and the factors of `eq` never travel \[Gru24\] |
//!
//! A round polynomial of degree `d` is sent as its values at `0, 2, ..., d`; the value at 1 follows
//! from the claim. Coordinates are bound from the first, the most significant bit, on.

use p3_field::Field;
use trilemma_core::channel::{OracleProver, OracleVerifier};
use trilemma_core::{ClaimKind, ErrorTerm, Label, ProveError, Reject, Setting};

/// What one sumcheck is called, and how it errs.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    /// Label of the messages.
    pub label: Label,
    /// Degree of what is sent.
    pub degree: usize,
    /// Name of the error term.
    pub term: &'static str,
    /// Numerator of a round's error: the degree, and whatever else is decided by the same challenge.
    pub error: usize,
}

impl Rounds {
    /// The error term of a round.
    pub fn term<S: Setting>(&self) -> ErrorTerm {
        let term = ErrorTerm::schwartz_zippel(self.term, self.error as f64, S::ext_bits());
        ErrorTerm { reference: "[LFKN92] Section 3", ..term }
    }
}

/// The value at `x` of the polynomial with these values at `0, 1, ..., d`, by Newton's differences.
pub fn interpolate<E: Field>(values: &[E], x: E) -> E {
    let mut differences = values.to_vec();
    let (mut sum, mut binomial) = (E::ZERO, E::ONE);
    for k in 0..values.len() {
        sum += binomial * differences[0];
        for i in 1..values.len() - k {
            differences[i - 1] = differences[i] - differences[i - 1];
        }
        let step = E::from_usize(k + 1).try_inverse().unwrap_or(E::ZERO);
        binomial *= (x - E::from_usize(k)) * step;
    }
    sum
}

/// Puts the value at 1 where it belongs.
fn complete<E: Copy>(sent: &[E], at_one: E) -> Vec<E> {
    let mut values = vec![sent[0], at_one];
    values.extend_from_slice(&sent[1..]);
    values
}

/// The value at 1 of `t` when `(1 - r) t(0) + r t(1)` is the claim.
fn at_one<E: Field>(claim: E, r: E, at_zero: E) -> Option<E> {
    Some((claim - (E::ONE - r) * at_zero) * r.try_inverse()?)
}

/// Checks the rounds of `sum over x of g(x)` over so many variables: the point, and what `g` must be
/// there.
pub fn verify<S: Setting, Q: ClaimKind<S>>(
    ch: &mut dyn OracleVerifier<S, Q>,
    rounds: Rounds,
    variables: usize,
    mut claim: S::Ext,
) -> Result<(Vec<S::Ext>, S::Ext), Reject> {
    let mut rho = Vec::with_capacity(variables);
    for _ in 0..variables {
        let sent = ch.recv(rounds.label, rounds.degree)?;
        let r = ch.sample("rho", Some(rounds.term::<S>()))?;
        claim = interpolate(&complete(&sent, claim - sent[0]), r);
        rho.push(r);
    }
    Ok((rho, claim))
}

/// Checks the rounds of `sum over x of eq(point, x) g(x)`: the point where they end, and what `g` must be
/// there.
pub fn verify_eq<S: Setting, Q: ClaimKind<S>>(
    ch: &mut dyn OracleVerifier<S, Q>,
    rounds: Rounds,
    point: &[S::Ext],
    mut claim: S::Ext,
) -> Result<(Vec<S::Ext>, S::Ext), Reject> {
    let mut rho = Vec::with_capacity(point.len());
    for &r in point {
        let sent = ch.recv(rounds.label, rounds.degree)?;
        let one = at_one(claim, r, sent[0]).ok_or_else(|| Reject::new("a coordinate of a point is zero"))?;
        let r = ch.sample("rho", Some(rounds.term::<S>()))?;
        claim = interpolate(&complete(&sent, one), r);
        rho.push(r);
    }
    Ok((rho, claim))
}

/// The prover's rounds: `message(i)` gives the values at `0, 2, ..., d` of round `i`'s polynomial,
/// `bind(i, r)` sets its variable.
pub fn prove<S: Setting, Q: ClaimKind<S>, P>(
    ch: &mut dyn OracleProver<S, Q>,
    rounds: Rounds,
    variables: usize,
    state: &mut P,
    mut message: impl FnMut(&mut P, usize) -> Vec<S::Ext>,
    mut bind: impl FnMut(&mut P, &dyn OracleProver<S, Q>, usize, S::Ext),
) -> Result<Vec<S::Ext>, ProveError> {
    let mut rho = Vec::with_capacity(variables);
    for i in 0..variables {
        ch.send(rounds.label, &message(state, i));
        let r = ch.sample("rho", Some(rounds.term::<S>()))?;
        bind(state, ch, i, r);
        rho.push(r);
    }
    Ok(rho)
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use p3_koala_bear::KoalaBear;

    use super::*;

    #[test]
    fn polynomials_are_interpolated() {
        let p = |x: KoalaBear| x * x * x * KoalaBear::from_u32(7) - x * KoalaBear::TWO + KoalaBear::from_u32(5);
        let values: Vec<KoalaBear> = (0..4).map(|x| p(KoalaBear::from_u32(x))).collect();
        for x in [0, 1, 3, 4, 1000] {
            assert_eq!(interpolate(&values, KoalaBear::from_u32(x)), p(KoalaBear::from_u32(x)));
        }
        assert_eq!(interpolate(&values[..1], KoalaBear::TWO), values[0]);
    }
}
