//! Rounds that turn the last coordinates of points into challenges, last first.
//!
//! The claim `f(z) = v` is linear in the last variable: with the slope `d = f(.., 1) - f(.., 0)`,
//! both at the other coordinates of `z`, it implies `f(.., r) = v + (r - z_last) d`. The prover sends
//! `d`, the verifier draws `r`. Several claims share the challenges; those with fewer coordinates
//! leave early.

use p3_field::Field;
use rayon::prelude::*;
use trilemma_core::multilinear::eq_table;
use trilemma_core::{ConfigError, ErrorTerm, Label, ProverTranscript, Reject, Setting, VerifierTranscript};

/// A claim whose last coordinates are being replaced.
#[derive(Debug, Clone)]
pub struct Bound<'p, E> {
    /// Coordinates to replace.
    pub point: &'p [E],
    /// The value claimed, with those replaced so far.
    pub value: E,
}

impl<E: Field> Bound<'_, E> {
    fn bind(&mut self, slope: E, r: E) {
        if let Some((&z, rest)) = self.point.split_last() {
            self.value += (r - z) * slope;
            self.point = rest;
        }
    }
}

/// Challenges for the last coordinates, in the order of coordinates, given to the claim with most.
pub fn verify<S: Setting>(
    claims: &mut [Bound<'_, S::Ext>],
    label: Label,
    term: &ErrorTerm,
    t: &mut VerifierTranscript<'_>,
) -> Result<Vec<S::Ext>, Reject> {
    let mut challenges = Vec::new();
    while claims.iter().any(|c| !c.point.is_empty()) {
        let active: Vec<&mut Bound<'_, S::Ext>> = claims.iter_mut().filter(|c| !c.point.is_empty()).collect();
        let slopes = t.recv_ext::<S>(label, active.len())?;
        let r = t.challenge::<S>(label, Some(term))?;
        active.into_iter().zip(slopes).for_each(|(claim, slope)| claim.bind(slope, r));
        challenges.push(r);
    }
    challenges.reverse();
    Ok(challenges)
}

/// Convinces [`verify`] of claims about tables over the coordinates to replace.
pub fn prove<S: Setting>(
    claims: &mut [(Bound<'_, S::Ext>, Vec<S::Ext>)],
    label: Label,
    term: &ErrorTerm,
    t: &mut ProverTranscript,
) -> Result<Vec<S::Ext>, ConfigError> {
    let mut challenges = Vec::new();
    while claims.iter().any(|(c, _)| !c.point.is_empty()) {
        let active: Vec<_> = claims.iter_mut().filter(|(c, _)| !c.point.is_empty()).collect();
        let slopes: Vec<S::Ext> = active.iter().map(|(c, table)| last_slope(table, c.point)).collect();
        t.send_ext::<S>(label, &slopes);
        let r = t.challenge::<S>(label, Some(term))?;
        for ((claim, table), slope) in active.into_iter().zip(slopes) {
            *table = table.chunks_exact(2).map(|pair| pair[0] + r * (pair[1] - pair[0])).collect();
            claim.bind(slope, r);
        }
        challenges.push(r);
    }
    challenges.reverse();
    Ok(challenges)
}

/// The slope of a table in its last variable, the others at `point` without its last coordinate.
fn last_slope<E: Field>(table: &[E], point: &[E]) -> E {
    let eq = eq_table(&point[..point.len() - 1], E::ONE);
    table.chunks_exact(2).zip(eq).map(|(pair, e)| (pair[1] - pair[0]) * e).sum()
}

/// The slope of a table in its first variable, the others at `point` without its first coordinate.
pub fn first_slope<E: Field>(table: &[E], point: &[E]) -> E {
    let (low, high) = table.split_at(table.len() / 2);
    let eq = eq_table(&point[1..], E::ONE);
    low.par_iter().with_min_len(1 << 12).zip(high).zip(&eq).map(|((&a, &b), &e)| (b - a) * e).sum()
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};
    use trilemma_core::Security;
    use trilemma_core::multilinear::{evaluate, fold};
    use trilemma_core::setting::KoalaBear4;

    use super::*;

    type E = <KoalaBear4 as Setting>::Ext;

    #[test]
    fn values_follow_the_challenges() {
        let mut rng = SmallRng::seed_from_u64(9);
        let tables: Vec<Vec<E>> = [8, 2, 1].map(|n| (0..n).map(|_| rng.random()).collect()).into();
        let point: Vec<E> = (0..3).map(|_| rng.random()).collect();
        let points = [&point[..], &point[2..], &[]];
        let bound = |i: usize| Bound { point: points[i], value: evaluate(&tables[i], points[i]) };
        let term = ErrorTerm::schwartz_zippel("test", 1.0, 124.0);
        let mut t = ProverTranscript::new(b"", Security::default());
        let mut claims: Vec<_> = (0..3).map(|i| (bound(i), tables[i].clone())).collect();
        let challenges = prove::<KoalaBear4>(&mut claims, "slopes", &term, &mut t).expect("proves");
        let (proof, ..) = t.finish();
        let mut t = VerifierTranscript::new(b"", Security::default(), &proof);
        let mut verified: Vec<_> = (0..3).map(bound).collect();
        assert_eq!(verify::<KoalaBear4>(&mut verified, "slopes", &term, &mut t), Ok(challenges.clone()));
        t.finish().expect("everything is read");
        for (i, (claim, (_, table))) in verified.iter().zip(&claims).enumerate() {
            let at = &challenges[3 - points[i].len()..];
            assert_eq!(claim.value, evaluate(&tables[i], at));
            assert_eq!(*table, [claim.value]);
        }
        let (mut table, slope) = (tables[0].clone(), first_slope(&tables[0], &point));
        fold(&mut table, E::TWO);
        assert_eq!(evaluate(&table, &point[1..]), evaluate(&tables[0], &point) + (E::TWO - point[0]) * slope);
    }
}
