//! A proof of the library as messages: elements and points of 32 bytes, whose numbers follow from the key.

use std::collections::{BTreeMap, BTreeSet};

use halo2_axiom::halo2curves::bn256::G1Affine;
use halo2_axiom::plonk::{ConstraintSystem, VerifyingKey};
use trilemma_core::{ConfigError, Label, ProverTranscript, Reject, VerifierTranscript};

use super::scheme::Opening;
use super::{F, error};

/// Bytes of an element and of a point.
const BYTES: usize = 32;

/// What the library sends and checks, by number.
pub struct Layout {
    /// Messages, in order, with their elements or points.
    pub messages: Vec<(Label, usize)>,
    /// Identities that are batched.
    pub identities: usize,
    /// Grand products' factors.
    pub factors: usize,
    /// Polynomials opened.
    pub opened: usize,
    /// Sets of points at which some polynomial is opened.
    pub point_sets: usize,
    /// Points at which some polynomial is opened.
    pub points: usize,
}

impl Layout {
    /// Of the proofs that a key is for.
    pub fn new(vk: &VerifyingKey<G1Affine>, log_height: usize, opening: Opening) -> Self {
        let cs = vk.cs();
        let (lookups, permuted, degree) = (cs.lookups().len(), cs.permutation().get_columns().len(), cs.degree());
        let products = permuted.div_ceil(degree - 2);
        let of_phase = |phase| cs.advice_column_phase().iter().filter(|&&p| p == phase).count();
        let sets = point_sets(cs, products, opening);
        let points: BTreeSet<&i32> = sets.keys().flatten().collect();
        let instance = if opening == Opening::Ipa { cs.instance_queries().len() } else { 0 };
        let queries = instance + cs.advice_queries().len() + cs.fixed_queries().len();
        // One polynomial is random; all products but the last are opened at three points.
        let values = queries + 1 + permuted + (3 * products).saturating_sub(1) + 5 * lookups;
        let last = match opening {
            Opening::Shplonk => 2,
            Opening::Gwc => points.len(),
            Opening::Ipa => 2 + sets.len() + 2 * log_height + 2,
        };
        let gates: usize = cs.gates().iter().map(|gate| gate.polynomials().len()).sum();
        Self {
            messages: vec![
                ("early", of_phase(0)),
                ("late", of_phase(1)),
                ("lookups", 2 * lookups),
                ("products", products + lookups),
                ("quotient", degree),
                ("values", values),
                ("opening", last),
            ],
            identities: gates + (2 * products + 1).min(3 * products) + 5 * lookups,
            factors: (permuted + 2 * lookups) << log_height,
            opened: sets.values().sum(),
            point_sets: sets.len(),
            points: points.len(),
        }
    }

    /// Sends a proof.
    pub fn send(&self, proof: &[u8], t: &mut ProverTranscript) -> Result<(), ConfigError> {
        let other = || error("a proof with another layout");
        let mut rest = proof;
        for &(label, n) in &self.messages {
            let (head, tail) = rest.split_at_checked(n * BYTES).ok_or_else(other)?;
            t.send(label, head);
            rest = tail;
        }
        if rest.is_empty() { Ok(()) } else { Err(other()) }
    }

    /// Receives a proof.
    pub fn receive(&self, t: &mut VerifierTranscript<'_>) -> Result<Vec<u8>, Reject> {
        let parts = self.messages.iter().map(|&(label, n)| t.recv(label, n * BYTES));
        Ok(parts.collect::<Result<Vec<_>, _>>()?.concat())
    }
}

/// Sets of rotations at which polynomials are opened together, with the number of these.
fn point_sets(cs: &ConstraintSystem<F>, products: usize, opening: Opening) -> BTreeMap<BTreeSet<i32>, usize> {
    let mut sets = BTreeMap::new();
    let mut count = |rotations: BTreeSet<i32>, n: usize| *sets.entry(rotations).or_default() += n;
    let mut columns: BTreeMap<(u8, usize), BTreeSet<i32>> = BTreeMap::new();
    let mut query = |kind, column, rotation| {
        columns.entry((kind, column)).or_default().insert(rotation);
    };
    cs.advice_queries().iter().for_each(|(column, at)| query(0, column.index(), at.0));
    cs.fixed_queries().iter().for_each(|(column, at)| query(1, column.index(), at.0));
    if opening == Opening::Ipa {
        cs.instance_queries().iter().for_each(|(column, at)| query(2, column.index(), at.0));
    }
    columns.into_values().for_each(|rotations| count(rotations, 1));
    let last = -(cs.blinding_factors() as i32 + 1);
    if products > 1 {
        count([0, 1, last].into(), products - 1);
    }
    if products > 0 {
        count([0, 1].into(), 1);
    }
    let lookups = cs.lookups().len();
    if lookups > 0 {
        count([0, 1].into(), lookups);
        count([0, -1].into(), lookups);
        count([0].into(), lookups);
    }
    // What the permutation is made of, the quotient and the random polynomial.
    count([0].into(), cs.permutation().get_columns().len() + 2);
    sets
}
