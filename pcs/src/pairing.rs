//! What schemes over pairings share: the equation that verifiers check, and what it rests on.

use ark_ec::pairing::Pairing;
use ark_ff::Zero;
use trilemma_core::{Label, Ledger, Reject};

use crate::srs::PairingSetting;

type G1Prepared<S> = <<S as PairingSetting>::Engine as Pairing>::G1Prepared;
/// A point of the second group, ready for pairings.
pub(crate) type G2Prepared<S> = <<S as PairingSetting>::Engine as Pairing>::G2Prepared;

/// Rejects, as `what`, unless the pairings of `left` with `right` multiply to one.
pub(crate) fn require_product_one<S: PairingSetting>(
    left: impl IntoIterator<Item = impl Into<G1Prepared<S>>>,
    right: impl IntoIterator<Item = impl Into<G2Prepared<S>>>,
    what: Label,
) -> Result<(), Reject> {
    match S::Engine::final_exponentiation(S::Engine::multi_miller_loop(left, right)) {
        Some(product) if product.is_zero() => Ok(()),
        _ => Err(Reject::new(what)),
    }
}

/// Enters what schemes over powers of a secret number rest on.
pub(crate) fn assume_powers<S: PairingSetting>(ledger: &mut Ledger, log_powers: usize) {
    assume_q::<S>(ledger, log_powers, "[BDFG20] Section 4, [FKL18], [Cheon06] Theorem 1");
}

/// Enters what anything with `2^log_q` powers of a secret in the exponent rests on.
pub fn assume_q<S: PairingSetting>(ledger: &mut Ledger, log_q: usize, reference: &str) {
    assume::<S>(ledger, (&format!("2^{log_q}"), log_q as f64), reference);
}

/// Enters what schemes over pairings rest on; `q` as text, and its log2.
pub(crate) fn assume<S: PairingSetting>(ledger: &mut Ledger, (q, log_q): (&str, f64), reference: &str) {
    let name = S::NAME;
    ledger.assume(
        &format!("discrete logarithm in the target group, {name}"),
        S::TARGET_GROUP_BITS,
        "[PFC22], [KB16], [GMT19]",
    );
    ledger.assume(
        &format!("q-discrete logarithm in the algebraic group model, q = {q}, {name}"),
        (S::ext_bits() - log_q) / 2.0,
        reference,
    );
}
