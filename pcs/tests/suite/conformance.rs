//! One suite for every scheme of every setting, run through what the registry hands out.
//!
//! A scheme joins by being listed in [`Available`], a setting with one line at the end.

use crate::common;
use common::{At, Case, Kind, ask, random};
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::channel::Shape;
use trilemma_core::setting::*;
use trilemma_core::{MlEval, Options, Regime, Security, Setting, UniEval};
use trilemma_pcs::Available;

const SEED: u64 = 0x5EED;
/// The tallest matrix.
const MAX_LOG_HEIGHT: usize = 6;
/// Proofs up to this long have every byte flipped, longer ones a sample of this many.
const FLIPS: usize = 1200;

/// The options under which a scheme is run; schemes from codes hash into trees, with Poseidon2 where
/// the field has it.
fn options<S: Setting>(scheme: &str) -> Vec<Options> {
    let security = Security { bits: 20, regime: Regime::Udr };
    let hashes: &[&str] = match scheme {
        "fri" | "gemini(fri)" | "whir" | "basefold" | "ligero" | "brakedown" if S::BYTES <= 8 => {
            &["blake3", "keccak", "poseidon2"]
        }
        "basefold" | "ligero" | "brakedown" => &["blake3", "keccak"],
        _ => &["blake3"],
    };
    let options = |hash: &&str| Options { security, hash: hash.to_string(), ..Options::default() };
    hashes.iter().map(options).collect()
}

/// Two oracles and an index, several heights up to the largest, several points.
fn large<S: Available>(rng: &mut SmallRng) -> Case<S>
where
    StandardUniform: Distribution<S::Base>,
{
    Case {
        index: vec![random::<S>(rng, 3, 2)],
        oracles: vec![
            vec![random::<S>(rng, MAX_LOG_HEIGHT, 3), random::<S>(rng, 2, 1)],
            vec![random::<S>(rng, 2, 1), random::<S>(rng, 5, 2), random::<S>(rng, 3, 4)],
        ],
        asks: vec![
            vec![ask(0, 0, At::Z), ask(1, 0, At::Z), ask(1, 0, At::Next), ask(2, 1, At::Z)],
            vec![ask(1, 1, At::Z), ask(2, 0, At::Z), ask(2, 2, At::Z), ask(2, 2, At::Next)],
        ],
    }
}

/// Two oracles of the same shape.
fn twins<S: Available>(rng: &mut SmallRng) -> Case<S>
where
    StandardUniform: Distribution<S::Base>,
{
    let oracle = |rng: &mut SmallRng| vec![random::<S>(rng, 3, 2)];
    Case {
        index: Vec::new(),
        oracles: vec![oracle(rng), oracle(rng)],
        asks: vec![vec![ask(0, 0, At::Z), ask(1, 0, At::Z)]],
    }
}

/// One column.
fn small<S: Available>(rng: &mut SmallRng, log_height: usize) -> Case<S>
where
    StandardUniform: Distribution<S::Base>,
{
    Case { index: Vec::new(), oracles: vec![vec![random::<S>(rng, log_height, 1)]], asks: vec![vec![ask(0, 0, At::Z)]] }
}

/// Proofs of every legal shape are accepted, and both sides agree on answers, bytes and ledger.
fn accepts<S: Available, Q: Kind<S>>(lab: &common::Lab<S, Q>, rng: &mut SmallRng)
where
    StandardUniform: Distribution<S::Base>,
{
    let empty = Case { index: Vec::new(), oracles: Vec::new(), asks: Vec::new() };
    lab.round_trip("no oracle", &empty);
    let hollow = Case { oracles: vec![Vec::new(), vec![random::<S>(rng, 3, 1)]], ..empty };
    lab.round_trip("an oracle without matrices, nothing asked", &hollow);
    lab.round_trip("large", &large(rng));
    lab.round_trip("twins", &twins(rng));
    for log_height in 0..=MAX_LOG_HEIGHT {
        lab.round_trip("one column", &small(rng, log_height));
    }
    let wide = Case {
        oracles: vec![vec![random::<S>(rng, 0, 5), random::<S>(rng, MAX_LOG_HEIGHT, 50)]],
        asks: vec![vec![ask(0, 0, At::Z), ask(0, 1, At::Z), ask(0, 1, At::Next)]],
        index: Vec::new(),
    };
    lab.round_trip("wide", &wide);
    let twice = Case {
        oracles: vec![vec![random::<S>(rng, 4, 2)]],
        asks: vec![vec![ask(1, 0, At::Z), ask(0, 0, At::Z)], vec![ask(1, 0, At::Z)]],
        index: vec![random::<S>(rng, 2, 1)],
    };
    lab.round_trip("a question asked twice", &twice);
    let constant =
        Case { oracles: vec![vec![common::zero::<S>(3, 2)]], asks: vec![vec![ask(0, 0, At::Z)]], index: Vec::new() };
    lab.round_trip("zero columns", &constant);
}

/// What the verifier believes must be what the prover did.
fn rejects_other_beliefs<S: Available, Q: Kind<S>>(lab: &common::Lab<S, Q>, rng: &mut SmallRng)
where
    StandardUniform: Distribution<S::Base>,
{
    let case = large::<S>(rng);
    let honest = lab.prove(&case);
    let mut beliefs = case.beliefs();
    beliefs.shift = true;
    lab.rejects("another point", &honest, &beliefs);

    for (oracle, matrix) in [(0, 0), (0, 1), (1, 2)] {
        type Change = (&'static str, fn(&mut Shape));
        let changes: [Change; 4] = [
            ("wider", |shape| shape.width += 1),
            ("narrower", |shape| shape.width -= 1),
            ("higher", |shape| shape.log_height += 1),
            ("lower", |shape| shape.log_height -= 1),
        ];
        for (what, change) in changes {
            let mut beliefs = case.beliefs();
            change(&mut beliefs.shapes[oracle][matrix]);
            lab.rejects(what, &honest, &beliefs);
        }
    }
    for log_height in [MAX_LOG_HEIGHT + 1, 30, 62, 63, 64, usize::MAX] {
        let mut beliefs = case.beliefs();
        beliefs.shapes[0][0].log_height = log_height;
        lab.rejects("an impossible height", &honest, &beliefs);
    }
    let mut beliefs = case.beliefs();
    beliefs.shapes[1].pop();
    lab.rejects("a matrix fewer", &honest, &beliefs);
    let mut beliefs = case.beliefs();
    beliefs.shapes[0].push(Shape { log_height: 2, width: 1 });
    lab.rejects("a matrix more", &honest, &beliefs);
    let mut beliefs = case.beliefs();
    beliefs.asks[1].pop();
    lab.rejects("a question fewer", &honest, &beliefs);
    let mut beliefs = case.beliefs();
    beliefs.asks[0].swap(1, 3);
    lab.rejects("questions in another order", &honest, &beliefs);
    let mut beliefs = case.beliefs();
    beliefs.asks[0][0].matrix = 9;
    lab.rejects("a question about no matrix", &honest, &beliefs);

    let other = large::<S>(rng);
    let mut crossed = lab.prove(&case);
    crossed.index = lab.prove(&other).index;
    lab.rejects("another index", &crossed, &case.beliefs());
    lab.rejects_other_bindings(&honest, &case.beliefs());
}

/// A commitment stands for its own oracle only.
fn rejects_swaps<S: Available, Q: Kind<S>>(lab: &common::Lab<S, Q>, rng: &mut SmallRng)
where
    StandardUniform: Distribution<S::Base>,
{
    let case = twins::<S>(rng);
    let mut honest = lab.prove(&case);
    let mut beliefs = case.beliefs();
    beliefs.asks[0].swap(0, 1);
    lab.rejects("answers of the other oracle", &honest, &beliefs);

    // The commitments are the second and third messages, of equal length.
    let (start, length) = (common::HEADER, honest.proven.bytes["oracle"] / 2);
    let (a, b) = (start + common::extra::<S>(), start + common::extra::<S>() + length);
    for i in 0..length {
        honest.proven.proof.swap(a + i, b + i);
    }
    lab.rejects("commitments swapped", &honest, &case.beliefs());
}

/// No byte of a proof is without meaning, and none makes the verifier panic.
fn rejects_other_bytes<S: Available, Q: Kind<S>>(lab: &common::Lab<S, Q>, rng: &mut SmallRng)
where
    StandardUniform: Distribution<S::Base>,
{
    for case in [small::<S>(rng, 0), small(rng, 2), large(rng)] {
        let beliefs = case.beliefs();
        let mut honest = lab.prove(&case);
        let proof = honest.proven.proof.clone();
        let every = proof.len() <= FLIPS;
        for i in 0..proof.len().min(FLIPS) {
            let at = if every { i } else { rng.random_range(0..proof.len()) };
            honest.proven.proof[at] ^= rng.random_range(1..=255u8);
            lab.rejects(&format!("byte {at} of {} changed", proof.len()), &honest, &beliefs);
            honest.proven.proof[at] = proof[at];
        }
        for i in 0..proof.len().min(FLIPS / 4) {
            let n = if every { i } else { rng.random_range(0..proof.len()) };
            honest.proven.proof.truncate(n);
            lab.rejects(&format!("cut to {n} of {} bytes", proof.len()), &honest, &beliefs);
            honest.proven.proof.clone_from(&proof);
        }
        for extra in [&[0][..], &[0xff; 3], &[0; 64]] {
            honest.proven.proof.extend_from_slice(extra);
            lab.rejects("bytes after the end", &honest, &beliefs);
            honest.proven.proof.clone_from(&proof);
        }
        for fill in [0, 1, 0x7f, 0xff] {
            honest.proven.proof.fill(fill);
            lab.rejects("a proof of one byte repeated", &honest, &beliefs);
        }
        honest.proven.proof = proof;
        for i in 0..honest.index.0.bytes.len() {
            let byte = honest.index.0.bytes[i];
            honest.index.0.bytes[i] ^= rng.random_range(1..=255u8);
            lab.rejects("index changed", &honest, &beliefs);
            honest.index.0.bytes[i] = byte;
        }
    }
}

/// A scheme may insist that every matrix is asked something, or that none is higher than its keys
/// allow. Proofs without meaning are refused, never a panic.
fn refuses_to_prove<S: Available, Q: Kind<S>>(lab: &common::Lab<S, Q>, rng: &mut SmallRng)
where
    StandardUniform: Distribution<S::Base>,
{
    let case = small::<S>(rng, Q::KEYS + 1);
    if let Ok(honest) = lab.try_prove(&case) {
        assert_eq!(lab.name, "ideal", "{} exceeds its keys", lab.name);
        lab.accepts("too high for the keys", &honest, &case);
    }
    let partly = Case::<S> {
        oracles: vec![vec![random::<S>(rng, 4, 1), random::<S>(rng, 4, 2)]],
        asks: vec![vec![ask(1, 1, At::Z)]],
        index: vec![random::<S>(rng, 2, 1)],
    };
    if let Ok(honest) = lab.try_prove(&partly) {
        let reason = lab.reason(&honest, &partly.beliefs());
        assert!(reason.is_empty() || reason.contains("asked nothing"), "{}: {reason}", lab.name);
    }
}

fn suite<S: Available, Q: Kind<S>>()
where
    StandardUniform: Distribution<S::Base>,
{
    println!("seed {SEED:#x}");
    let schemes = Q::schemes();
    let runs = schemes.iter().flat_map(|entry| options::<S>(entry.name).into_iter().map(move |o| (entry, o)));
    for (entry, options) in runs {
        let lab = common::Lab::<S, Q>::new(entry, options, Q::KEYS);
        let rng = &mut SmallRng::seed_from_u64(SEED);
        let start = std::time::Instant::now();
        accepts(&lab, rng);
        rejects_other_beliefs(&lab, rng);
        rejects_swaps(&lab, rng);
        rejects_other_bytes(&lab, rng);
        refuses_to_prove(&lab, rng);
        println!("{} over {}: {:.1?}", lab.name, S::NAME, start.elapsed());
    }
}

macro_rules! suites {
    ($($name:ident: $setting:ty),* $(,)?) => {
        mod univariate {
            use super::*;
            $(#[test] fn $name() { suite::<$setting, UniEval<<$setting as Setting>::Ext>>(); })*
        }
        mod multilinear {
            use super::*;
            $(#[test] fn $name() { suite::<$setting, MlEval<<$setting as Setting>::Ext>>(); })*
        }
    };
}
suites! {
    koalabear4: KoalaBear4,
    koalabear5: KoalaBear5,
    babybear4: BabyBear4,
    goldilocks2: Goldilocks2,
    bls12_381: Bls12,
    bn254: Bn254,
    pallas: Pallas,
    vesta: Vesta,
}
