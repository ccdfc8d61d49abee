//! Every byte of a proof has a meaning: whichever is changed, left out or added, the verifier says no,
//! and says it without a panic. Proofs of a tiny relation, through every scheme, so that *every* byte is
//! tried.

mod common;

use common::tiny::{Tiny, options};
use common::{Change, all_refused};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::setting::{Bls12, Goldilocks2, KoalaBear4};
use trilemma_pcs::Available;

/// Sizes that the heights message has: two tables without fixed columns, two instances each.
const SIZES: usize = 4;

/// Every byte changed, every length, every value of every size; `p` gives elements a second encoding.
fn tamper<S: Available>(what: &str, tiny: &Tiny<S>, p: u32) {
    let mut rng = SmallRng::seed_from_u64(6);
    let proof = tiny.prove(&tiny.trace);
    let mut changes: Vec<Change> = (0..proof.len()).map(|at| Change::Flip(at, rng.random_range(1..=255))).collect();
    changes.extend((0..proof.len()).map(|at| Change::Flip(at, 1 << rng.random_range(0..8))));
    changes.extend((0..proof.len()).map(Change::Cut));
    changes.extend((0..proof.len()).step_by(7).map(Change::Drop));
    changes.extend((1..=64).map(Change::Extend));
    changes.extend((0..SIZES).flat_map(|at| (0..=255).map(move |to| Change::Set(at, to))));
    changes.extend((0..proof.len().saturating_sub(4)).map(|at| Change::Add(at, p)));
    changes.extend((SIZES..proof.len().saturating_sub(40)).step_by(4).map(|at| Change::Swap(at, at + 32)));
    all_refused(what, &proof, &changes, |proof| tiny.verify(proof));
}

const KOALA: u32 = 0x7f00_0001;

/// Teaches: columns in the clear, so what is refused here is refused by the PIOP and the transcript.
#[test]
fn every_byte_over_ideal() {
    tamper("ideal koalabear", &Tiny::<KoalaBear4>::new("ideal", &options("")), KOALA);
    tamper("ideal goldilocks", &Tiny::<Goldilocks2>::new("ideal", &options("")), 1);
}

/// Teaches: Merkle roots, paths, grinding and folding are all bound (Jolt, OpenVM, plonkish).
#[test]
fn every_byte_over_fri_blake3() {
    tamper("fri blake3", &Tiny::<KoalaBear4>::new("fri", &options("blake3")), KOALA);
}

#[test]
fn every_byte_over_fri_keccak() {
    tamper("fri keccak", &Tiny::<KoalaBear4>::new("fri", &options("keccak")), KOALA);
}

#[test]
fn every_byte_over_fri_poseidon2() {
    tamper("fri poseidon2", &Tiny::<KoalaBear4>::new("fri", &options("poseidon2")), KOALA);
}

/// Teaches: points of a curve have one encoding, and are on it and in the group (SP1, Ceno).
#[test]
fn every_byte_over_kzg() {
    tamper("kzg bls12-381", &Tiny::<Bls12>::new("kzg", &options("")), 1);
}
