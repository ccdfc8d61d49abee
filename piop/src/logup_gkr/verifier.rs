//! The verifier of the layered circuit.

use p3_field::PrimeCharacteristicRing;
use trilemma_core::channel::OracleVerifier;
use trilemma_core::{ClaimKind, ErrorTerm, Reject, Setting};

use super::{ROUNDS, Stack};
use crate::sumcheck;

/// What the fractions must evaluate to.
#[derive(Debug, Clone)]
pub struct Inputs<E> {
    /// A point for the whole stack.
    pub point: Vec<E>,
    /// Numerators there.
    pub p: E,
    /// Denominators there.
    pub q: E,
}

/// A line through claims; the last one's challenge may also be a coordinate of the caller's zerocheck.
pub(super) fn line_term<S: Setting>() -> ErrorTerm {
    let term = ErrorTerm::schwartz_zippel("bus layer batching", 2.0, S::ext_bits());
    ErrorTerm { reference: "[PH23] Section 3", ..term }
}

/// Checks that the fractions of a stack and the statement's add to zero, up to the claim returned.
pub fn verify<S: Setting, Q: ClaimKind<S>>(
    ch: &mut dyn OracleVerifier<S, Q>,
    stack: &Stack,
    public: S::Ext,
) -> Result<Inputs<S::Ext>, Reject> {
    let root = ch.recv("bus root", 2)?;
    let (mut p, mut q) = (root[0], root[1]);
    ch.require("a denominator of the buses is zero", q != S::Ext::ZERO)?;
    ch.require("the buses balance", p + public * q == S::Ext::ZERO)?;

    let mut point: Vec<S::Ext> = Vec::new();
    for _ in 0..stack.layers {
        let lambda = ch.sample("lambda", Some(line_term::<S>()))?;
        let (mut rho, claim) = sumcheck::verify_eq(ch, ROUNDS, &point, p + lambda * q)?;
        let halves = ch.recv("layer values", 4)?;
        let (p0, p1, q0, q1) = (halves[0], halves[1], halves[2], halves[3]);
        ch.require("a layer of the buses", p0 * q1 + p1 * q0 + lambda * q0 * q1 == claim)?;
        let mu = ch.sample("mu", Some(line_term::<S>()))?;
        p = p0 + mu * (p1 - p0);
        q = q0 + mu * (q1 - q0);
        rho.insert(0, mu);
        point = rho;
    }
    Ok(Inputs { point, p, q })
}
