//! Proofs of guests at real parameters: a proof convinces of one outcome of one program under one set of
//! parameters, and of nothing when it is damaged.

use crate::common;
use std::sync::OnceLock;

use common::{Change, accepts, all_refused, guest, modulus};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_backends::{Keys, Pipeline, Proved, Public, System, system};
use trilemma_core::setting::KoalaBear4;
use trilemma_core::{Options, Security};

const UNI_STARK: &str = "air/uni-stark/fri/koalabear4";
const BATCH_STARK: &str = "p3-batch-stark/fri/koalabear4";
const MULTI_STARK: &str = "p3-multi-stark/whir/koalabear4";

/// A proof of a guest with its keys.
struct Case {
    system: Box<dyn System>,
    keys: Box<dyn Keys>,
    proved: Proved,
}

impl Case {
    fn new(pipeline: &str, name: &str, input: &[u8]) -> Self {
        let system = system(&Pipeline(pipeline.into()), &Options::default()).unwrap();
        let keys = system.keys(&guest(name)).unwrap();
        let proved = keys.prove(input, 1 << 20).unwrap();
        assert_eq!(accepts(name, || keys.verify(&proved.public, &proved.proof)), Ok(()));
        Self { system, keys, proved }
    }

    fn refuses(&self, what: &str, public: &Public) {
        assert!(accepts(what, || self.keys.verify(public, &self.proved.proof)).is_err(), "accepted: {what}");
    }
}

fn exit7() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| Case::new(UNI_STARK, "exit7", &[]))
}

fn fibonacci() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| Case::new(UNI_STARK, "fibonacci", &1u32.to_le_bytes()))
}

fn batch() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| Case::new(BATCH_STARK, "fibonacci", &1u32.to_le_bytes()))
}

fn multi() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| Case::new(MULTI_STARK, "fibonacci", &1u32.to_le_bytes()))
}

/// Teaches: exit code and output are part of the statement.
#[test]
fn other_outcomes() {
    for case in [exit7(), fibonacci(), batch(), multi()] {
        let honest = &case.proved.public;
        for exit_code in [0, 1, 6, 7, 8, honest.exit_code | 1 << 16, honest.exit_code | 1 << 31] {
            if exit_code != honest.exit_code {
                case.refuses("another exit code", &Public { exit_code, ..honest.clone() });
            }
        }
        let with = |change: fn(&mut Vec<u8>)| {
            let mut public = honest.clone();
            change(&mut public.output);
            public
        };
        case.refuses("output that goes on", &with(|o| o.push(0)));
        for i in 0..honest.output.len() {
            let mut public = honest.clone();
            public.output[i] ^= 1;
            case.refuses("another byte of output", &public);
        }
        if !honest.output.is_empty() {
            case.refuses("output cut", &with(|o| o.truncate(o.len() - 1)));
            case.refuses("no output", &with(Vec::clear));
        }
    }
    assert!(!fibonacci().proved.public.output.is_empty());
}

/// Teaches: the program is bound by the verifying key (SP1, Airbender).
#[test]
fn other_programs() {
    let (a, b) = (exit7(), fibonacci());
    for (case, other) in [(a, b), (b, a)] {
        let (public, proof) = (&case.proved.public, &case.proved.proof);
        assert!(accepts("another program", || other.keys.verify(public, proof)).is_err());
        let saved = case.system.verifier(&case.keys.verifying_key()).unwrap();
        assert_eq!(accepts("a saved key", || saved.verify(public, proof)), Ok(()));
        let swapped = case.system.verifier(&other.keys.verifying_key()).unwrap();
        assert!(accepts("a swapped key", || swapped.verify(public, proof)).is_err());
    }
    // The same program with another entry: the same code from its second word on.
    let words = |n: u32| [0x0070_0513 + (n << 20), 0x05d0_0893, 0x0000_0073];
    let program = |words: &[u32]| trilemma_frontends::riscv::Program::from_words(0x1_0000, words).unwrap();
    let system = system(&Pipeline(UNI_STARK.into()), &Options::default()).unwrap();
    let honest = program(&words(0));
    let keys = system.keys(&honest).unwrap();
    let proved = keys.prove(&[], 100).unwrap();
    assert_eq!(proved.public.exit_code, 7);
    assert!(keys.verify(&proved.public, &proved.proof).is_ok());
    let mut entry = honest.clone();
    entry.entry += 4;
    for other in [entry, program(&words(1)), program(&[words(0).as_slice(), &[0x13]].concat())] {
        let keys = system.keys(&other).unwrap();
        assert!(accepts("a program like it", || keys.verify(&proved.public, &proved.proof)).is_err());
    }
}

/// Teaches: parameters are part of the protocol's identity: a proof for one set is none for another,
/// weaker or stronger (SP1, Jolt: configuration not bound).
#[test]
fn other_parameters() {
    let case = exit7();
    let security = |bits| Security { bits, ..Security::default() };
    let others = [
        (UNI_STARK, Options { security: security(80), ..Options::default() }),
        (UNI_STARK, Options { security: security(99), ..Options::default() }),
        (UNI_STARK, Options { security: security(101), ..Options::default() }),
        (UNI_STARK, Options { hash: "keccak".into(), ..Options::default() }),
        (UNI_STARK, Options { log_blowup: 2, ..Options::default() }),
        (UNI_STARK, Options { max_log_height: Some(23), ..Options::default() }),
        ("air/uni-stark/fri/koalabear5", Options::default()),
        ("air/uni-stark/fri/babybear4", Options::default()),
        ("air/uni-stark/ideal/koalabear4", Options::default()),
        (BATCH_STARK, Options::default()),
        (MULTI_STARK, Options::default()),
    ];
    for (pipeline, options) in others {
        let other = system(&Pipeline(pipeline.into()), &options).unwrap();
        let keys = other.keys(&guest("exit7")).unwrap();
        let verdict = accepts(pipeline, || keys.verify(&case.proved.public, &case.proved.proof));
        assert!(verdict.is_err(), "{pipeline} {options:?}");
        let saved = accepts(pipeline, || other.verifier(&case.keys.verifying_key()));
        assert!(saved.is_err(), "{pipeline} {options:?} reads a key of other parameters");
    }
}

/// Teaches: a key is read whole or not at all; a damaged one verifies nothing.
#[test]
fn damaged_keys() {
    for case in [exit7(), batch(), multi()] {
        let key = case.keys.verifying_key();
        let mut rng = SmallRng::seed_from_u64(7);
        let (mut unread, mut refused) = (0, 0);
        for at in 0..key.len() {
            for with in [1, 1 << rng.random_range(0..7)] {
                let mut damaged = key.clone();
                damaged[at] ^= with;
                let mut read = None;
                if accepts("a damaged key", || case.system.verifier(&damaged).map(|v| read = Some(v))).is_err() {
                    unread += 1;
                    continue;
                }
                let verdict =
                    accepts("a damaged key", || read.as_ref().unwrap().verify(&case.proved.public, &case.proved.proof));
                assert!(verdict.is_err(), "{}", String::from_utf8_lossy(&damaged));
                refused += 1;
            }
        }
        for n in 0..key.len() {
            assert!(accepts("a cut key", || case.system.verifier(&key[..n])).is_err());
        }
        println!("{} bytes of key: {unread} changes not read, {refused} refuse the proof", key.len());
    }
}

/// The last byte before the opening proof, which is most of a proof.
fn prefix(case: &Case) -> usize {
    let bytes = &case.proved.cost.proof_bytes_by_label;
    let opening: u64 = bytes.iter().filter(|(label, _)| label == "fri").map(|(_, n)| n).sum();
    case.proved.proof.len() - opening as usize
}

/// Every byte up to `dense`, then a sample of `sample` bytes; cuts and extensions.
fn damages(proof: &[u8], dense: usize, sample: usize) -> Vec<Change> {
    let mut rng = SmallRng::seed_from_u64(8);
    let mut changes: Vec<Change> = (0..dense).map(|at| Change::Flip(at, rng.random_range(1..=255))).collect();
    changes
        .extend((0..sample).map(|_| Change::Flip(rng.random_range(dense..proof.len()), 1 << rng.random_range(0..8))));
    changes.extend((0..64).map(|_| Change::Cut(rng.random_range(0..proof.len()))));
    changes.extend([0, 1, 2, 71, 72, 73, proof.len() - 4, proof.len() - 1].map(Change::Cut));
    changes.extend([1, 2, 3, 4, 8, 32, 4096].map(Change::Extend));
    changes.extend((0..64).map(|_| Change::Drop(rng.random_range(0..proof.len()))));
    changes.extend((0..200).map(|_| Change::Add(rng.random_range(0..proof.len()), modulus::<KoalaBear4>())));
    changes
}

/// Teaches: no byte of any message is without meaning: heights, roots, nonces, sums and answers all
/// tried, the opening sampled.
#[test]
fn damaged_proofs() {
    let case = fibonacci();
    let proof = &case.proved.proof;
    let dense = prefix(case).clamp(4096, 16_384);
    println!("{:?}, {} bytes before the opening", case.proved.cost.proof_bytes_by_label, prefix(case));
    all_refused("uni-stark", proof, &damages(proof, dense, 2000), |p| {
        case.keys.verify(&case.proved.public, p).map(|_| ())
    });
}

#[test]
fn damaged_proofs_of_the_references() {
    for (name, case) in [("p3-batch-stark", batch()), ("p3-multi-stark", multi())] {
        let proof = &case.proved.proof;
        all_refused(name, proof, &damages(proof, 512, 500), |p| case.keys.verify(&case.proved.public, p).map(|_| ()));
    }
}

/// Teaches: heights are the prover's choice, so every other choice must fail (SP1, Jolt, Ceno, OpenVM).
#[test]
fn other_heights() {
    for case in [exit7(), multi()] {
        heights_of(case);
    }
}

fn heights_of(case: &Case) {
    let heights = case.proved.cost.proof_bytes_by_label.iter().find(|(label, _)| label == "heights");
    let slots = heights.map_or(0, |(_, n)| *n as usize);
    assert!(slots > 20, "{slots} slots");
    let changes: Vec<Change> = (0..slots).flat_map(|at| (0..=255).map(move |to| Change::Set(at, to))).collect();
    all_refused("heights", &case.proved.proof, &changes, |p| case.keys.verify(&case.proved.public, p).map(|_| ()));
}
