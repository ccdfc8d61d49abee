//! Every byte of a proof has a meaning: whichever is changed, left out or added, the verifier says no,
//! and says it without a panic. Proofs of a tiny relation, through every scheme, so that *every* byte is
//! tried.

use crate::common;
use common::tiny::{AirPiop, Tiny, options};
use common::{Change, all_refused, modulus};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::Options;
use trilemma_core::setting::{Bls12, Bn254, Goldilocks2, KoalaBear4, Pallas};
use trilemma_pcs::Available;
use trilemma_piop::ml_stark::MlStark;
use trilemma_piop::spartan::Spartan;
use trilemma_piop::uni_stark::UniStark;

/// Sizes that the heights message has: two tables without fixed columns, two instances each.
const SIZES: usize = 4;

/// Proofs up to this long have every byte tried, of longer ones the first half of this and as many more.
const DENSE: usize = 8192;

/// Every byte changed, every length, every value of every size, the second encodings of elements.
fn tamper<S: Available, P: AirPiop<S>>(what: &str, tiny: &Tiny<S, P>) {
    let mut rng = SmallRng::seed_from_u64(6);
    let proof = tiny.prove(&tiny.trace);
    let places: Vec<usize> = if proof.len() <= DENSE {
        (0..proof.len()).collect()
    } else {
        let sample = (0..DENSE / 2).map(|_| rng.random_range(DENSE / 2..proof.len()));
        (0..DENSE / 2).chain(sample).collect()
    };
    let mut changes: Vec<Change> = places.iter().map(|&at| Change::Flip(at, rng.random_range(1..=255))).collect();
    changes.extend(places.iter().map(|&at| Change::Flip(at, 1 << rng.random_range(0..8))));
    changes.extend(places.iter().map(|&at| Change::Cut(at)));
    changes.extend(places.iter().step_by(7).map(|&at| Change::Drop(at)));
    changes.extend((1..=64).map(Change::Extend));
    changes.extend((0..SIZES).flat_map(|at| (0..=255).map(move |to| Change::Set(at, to))));
    changes.extend(places.iter().map(|&at| Change::Add(at, modulus::<S>())));
    let inner = places.iter().filter(|&&at| at >= SIZES && at + 40 < proof.len());
    changes.extend(inner.step_by(4).map(|&at| Change::Swap(at, at + 32)));
    all_refused(what, &proof, &changes, |proof| tiny.verify(proof));
}

/// Teaches: columns in the clear, so what is refused here is refused by the PIOP and the transcript.
#[test]
fn every_byte_over_ideal() {
    tamper("ideal koalabear", &Tiny::<KoalaBear4, UniStark>::new("ideal", &options("")));
    tamper("ideal goldilocks", &Tiny::<Goldilocks2, UniStark>::new("ideal", &options("")));
}

/// Teaches: Merkle roots, paths, grinding and folding are all bound (Jolt, OpenVM, plonkish).
#[test]
fn every_byte_over_fri_blake3() {
    tamper("fri blake3", &Tiny::<KoalaBear4, UniStark>::new("fri", &options("blake3")));
}

#[test]
fn every_byte_over_fri_keccak() {
    tamper("fri keccak", &Tiny::<KoalaBear4, UniStark>::new("fri", &options("keccak")));
}

#[test]
fn every_byte_over_fri_poseidon2() {
    tamper("fri poseidon2", &Tiny::<KoalaBear4, UniStark>::new("fri", &options("poseidon2")));
}

/// Teaches: points of a curve have one encoding, and are on it and in the group (SP1, Ceno).
#[test]
fn every_byte_over_kzg() {
    tamper("kzg bls12-381", &Tiny::<Bls12, UniStark>::new("kzg", &options("")));
}

/// Options under which a stack of a tiny relation's oracles fits the keys.
fn stacked() -> Options {
    Options { max_log_height: Some(11), ..options("blake3") }
}

/// Teaches: the layered circuit, the row sumcheck and the reduction of openings have no byte to spare.
#[test]
fn every_byte_of_ml_stark() {
    for scheme in ["ideal", "whir", "basefold"] {
        tamper(scheme, &Tiny::<KoalaBear4, MlStark>::new(scheme, &stacked()));
    }
    for scheme in ["hyperkzg", "pst", "gemini(kzg)"] {
        tamper(scheme, &Tiny::<Bn254, MlStark>::new(scheme, &stacked()));
    }
    tamper("hyrax", &Tiny::<Pallas, MlStark>::new("hyrax", &stacked()));
}

/// Teaches: the same of the R1CS side, whose fractions are an oracle.
#[test]
fn every_byte_of_spartan() {
    for scheme in ["ideal", "whir", "ligero", "brakedown", "gemini(fri)"] {
        tamper(scheme, &Tiny::<KoalaBear4, Spartan>::new(scheme, &stacked()));
    }
    tamper("hyperkzg", &Tiny::<Bls12, Spartan>::new("hyperkzg", &stacked()));
    tamper("hyrax", &Tiny::<Bn254, Spartan>::new("hyrax", &stacked()));
}
