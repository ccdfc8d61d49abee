//! Whole proofs of circuits: `plonk` with either permutation and `hyperplonk` over either lowering, and
//! `marlin`, for the tiny relation. Bytes changed, values changed under the challenges of the honest proof,
//! provers that lie once and go on, other statements and other circuits.

use crate::common;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::circuits::{BINDING, CircuitPiop, Family, Flat, Keyed, Plonkish};
use common::frozen::Frozen;
use common::lies::{Liar, Lie, both, every_answer_is_bound};
use common::{Change, Splice, accepts, all_refused, in_parallel, modulus};
use p3_field::PrimeCharacteristicRing;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_arith::plonkish::{Custom, Vanilla};
use trilemma_core::runner::{Binding, IndexCommitment};
use trilemma_core::setting::{Bn254, KoalaBear4};
use trilemma_core::{Label, Opens, OracleVerifier, Reject};
use trilemma_pcs::Available;
use trilemma_pcs::fri::Fri;
use trilemma_pcs::fri::tree::Blake3Tree;
use trilemma_pcs::ideal::Ideal;
use trilemma_pcs::kzg::Kzg;
use trilemma_piop::hyperplonk::HyperPlonk;
use trilemma_piop::marlin::Marlin;
use trilemma_piop::plonk::{Plonk, PlonkLogUp};

type Wide<S> = Plonkish<Custom<S>>;
type Narrow = Plonkish<Vanilla>;

const SEED: u64 = 11;

/// So many blocks at the start of a proof change places: all commitments, and what comes next.
const BLOCKS: usize = 16;

/// Another statement, of the same protocol.
const OTHER: Binding<'static> = Binding { statement: b"seven result", ..BINDING };

/// So many bytes of a proof are tried as `tried` says, half of them its first ones.
fn bytes<S: Available, F: Family<S>, P: CircuitPiop<S, F>>(scheme: &str, tried: usize) {
    let keyed = Keyed::<S, F, P>::new(scheme);
    let name = keyed.name(scheme);
    let mut rng = SmallRng::seed_from_u64(SEED);
    let proof = keyed.prove();
    let len = proof.len();
    let dense = tried / 2;
    let places: Vec<usize> = if len <= tried {
        (0..len).collect()
    } else {
        (0..dense).chain((0..dense).map(|_| rng.random_range(dense..len))).chain([len - 1]).collect()
    };
    let mut changes: Vec<Change> = places.iter().map(|&at| Change::Flip(at, rng.random_range(1..=255))).collect();
    changes.extend(places.iter().step_by(2).map(|&at| Change::Flip(at, 1 << rng.random_range(0..8))));
    changes.extend(places.iter().step_by(2).map(|&at| Change::Cut(at)));
    changes.extend(places.iter().step_by(7).map(|&at| Change::Drop(at)));
    changes.extend((1..=64).map(Change::Extend));
    changes.extend(places.iter().map(|&at| Change::Add(at, modulus::<S>())));
    changes.extend(places.iter().filter(|&&at| at + 40 < len).step_by(4).map(|&at| Change::Swap(at, at + 32)));
    let blocks = BLOCKS.min(len / 32);
    changes.extend((0..blocks).flat_map(|a| (a + 1..blocks).map(move |b| Change::SwapBlocks(a, b))));
    all_refused(&name, &proof, &changes, |proof| keyed.verify(proof));

    // The messages of one true proof, then those of another.
    let tail = keyed.prove_bound(OTHER, |ch| keyed.run(&keyed.instance, ch));
    let cuts = places.iter().copied().step_by(4).filter(|&at| at <= tail.len());
    let splices: Vec<Splice<'_>> = cuts.map(|at| Splice { tail: &tail, at }).collect();
    all_refused(&name, &proof, &splices, |proof| keyed.verify(proof));
}

/// Teaches: columns in the clear, so what is refused here is refused by the PIOP and the transcript, which
/// take every message as it was sent.
#[test]
fn bytes_over_ideal() {
    bytes::<KoalaBear4, Wide<_>, Plonk>("ideal", 800);
    bytes::<KoalaBear4, Narrow, PlonkLogUp>("ideal", 800);
    bytes::<KoalaBear4, Wide<_>, HyperPlonk>("ideal", 800);
    bytes::<KoalaBear4, Flat, Marlin>("ideal", 800);
}

/// Teaches: commitments and openings of the index and of every oracle have no byte to spare, commitments are
/// not interchangeable, and the messages of two proofs do not mix.
#[test]
fn bytes_over_real_schemes() {
    bytes::<Bn254, Wide<_>, Plonk>("kzg", 300);
    bytes::<KoalaBear4, Narrow, PlonkLogUp>("fri", 1000);
    bytes::<KoalaBear4, Wide<_>, HyperPlonk>("whir", 800);
    bytes::<KoalaBear4, Flat, Marlin>("fri", 1000);
}

/// The verdict on a proof of which one value is seen as one more, and the labels of all values.
fn frozen<S: Available, F: Family<S>, P: CircuitPiop<S, F>>(
    keyed: &Keyed<S, F, P>,
    proof: &[u8],
    at: Option<usize>,
) -> (Result<(), Reject>, Vec<Label>) {
    let mut seen = Vec::new();
    let mut run = |inner: &mut dyn OracleVerifier<S, P::Query>| {
        let mut frozen = Frozen { inner, at, seen: Vec::new() };
        let verdict = P::default().verify(&keyed.form, &keyed.instance, &mut frozen);
        seen = frozen.seen;
        verdict
    };
    let verdict = keyed.runner.verify(BINDING, &keyed.index, proof, &mut run);
    (verdict.map(|_| ()), seen)
}

/// Teaches: the verifier's equations have every scalar sent and every answer but those that no gate,
/// lookup or copy reads there. Which ones these are is derived from the circuit, and there are no others.
#[test]
fn every_value_matters_by_itself() {
    fn run<S: Available, F: Family<S>, P: CircuitPiop<S, F>>() {
        let keyed = Keyed::<S, F, P>::new("ideal");
        let (proof, name) = (keyed.prove(), keyed.name("ideal"));
        let (honest, seen) = frozen(&keyed, &proof, None);
        assert_eq!(honest, Ok(()));
        let all: Vec<usize> = (0..seen.len()).collect();
        let idle = Mutex::new(Vec::new());
        in_parallel(&all, |&at| {
            if accepts("a value changed", || frozen(&keyed, &proof, Some(at)).0).is_ok() {
                idle.lock().unwrap().push(at);
            }
        });
        let mut idle = idle.into_inner().unwrap();
        idle.sort_unstable();
        let answers: Vec<usize> = all.into_iter().filter(|&at| seen[at] == "answers").collect();
        let expected: Vec<usize> = P::idle(&keyed.form).into_iter().map(|i| answers[i]).collect();
        println!("{name}: {} scalars, {} answers, {} idle", seen.len() - answers.len(), answers.len(), idle.len());
        assert_eq!(idle, expected, "{name}: these can be anything");
        assert!(answers.len() > 20 && 3 * idle.len() < 2 * answers.len());
    }
    run::<KoalaBear4, Wide<_>, Plonk>();
    run::<KoalaBear4, Wide<_>, PlonkLogUp>();
    run::<KoalaBear4, Narrow, Plonk>();
    run::<KoalaBear4, Narrow, PlonkLogUp>();
    run::<KoalaBear4, Wide<_>, HyperPlonk>();
    run::<KoalaBear4, Narrow, HyperPlonk>();
    run::<KoalaBear4, Flat, Marlin>();
    run::<Bn254, Wide<_>, Plonk>();
}

/// Lies about the prover's messages, `tried` of each label; the prover goes on as if it had told the truth.
fn lies<S: Available, F: Family<S>, P: CircuitPiop<S, F>>(scheme: &str, labels: &[Label], tried: usize) {
    let keyed = Keyed::<S, F, P>::new(scheme);
    let name = keyed.name(scheme);
    let prove = |lie: Lie| {
        let mut lies = Vec::new();
        let proof = keyed.prove_with(|inner| {
            let mut liar = Liar { inner, lie, lies: Vec::new(), scalars: 0 };
            let done = keyed.run(&keyed.instance, &mut liar);
            lies = liar.lies;
            done
        });
        (proof, lies)
    };
    let (honest, all) = prove(Lie::Nothing);
    assert_eq!(accepts("no lie", || keyed.verify(&honest)), Ok(()));
    let mut by_label = BTreeMap::<Label, Vec<Lie>>::new();
    for lie in all {
        let label = match lie {
            Lie::Cell(label, ..) => label,
            Lie::Scalar(_) => "scalars",
            Lie::Size(..) | Lie::Nothing => "sizes",
        };
        by_label.entry(label).or_default().push(lie);
    }
    let mut expected = labels.to_vec();
    expected.sort_unstable();
    assert!(by_label.keys().eq(&expected), "{name}: {:?}", by_label.keys());
    let mut rng = SmallRng::seed_from_u64(SEED);
    let mut chosen = Vec::new();
    for lies in by_label.values() {
        let mut lies = lies.clone();
        while lies.len() > tried {
            lies.swap_remove(rng.random_range(0..lies.len()));
        }
        chosen.extend(lies);
    }
    let (satisfied, accepted) = (AtomicUsize::new(0), AtomicUsize::new(0));
    in_parallel(&chosen, |&lie| {
        // A lie with which everything holds is none.
        let holds = match lie {
            Lie::Cell(label, matrix, at) => {
                P::place(&keyed.form, label, matrix, at).is_some_and(|place| keyed.holds(Some(place)))
            }
            _ => false,
        };
        let verdict = accepts(&format!("{lie:?}"), || keyed.verify(&prove(lie).0));
        assert!(verdict.is_err() || holds, "{name}: {lie:?} is accepted");
        satisfied.fetch_add(usize::from(holds), Ordering::Relaxed);
        accepted.fetch_add(usize::from(verdict.is_ok()), Ordering::Relaxed);
    });
    let counts: Vec<(Label, usize)> = by_label.iter().map(|(label, lies)| (*label, lies.len())).collect();
    println!(
        "{name}: seed {SEED}, {counts:?}, {} tried, {satisfied:?} of no consequence, {accepted:?} of these accepted",
        chosen.len()
    );
    assert!(satisfied.into_inner() < chosen.len() / 2);
}

const PLONK: [Label; 4] = ["early", "late", "arguments", "quotient"];
const HYPERPLONK: [Label; 3] = ["early", "late", "scalars"];
const MARLIN: [Label; 6] = ["early", "late", "wires", "entries", "quotient", "scalars"];

/// Teaches: every message is bound before the challenge that tests it, and what is accepted satisfies the
/// circuit with the cells that were sent.
#[test]
fn lies_over_ideal() {
    lies::<KoalaBear4, Wide<_>, Plonk>("ideal", &PLONK, 150);
    lies::<KoalaBear4, Wide<_>, PlonkLogUp>("ideal", &PLONK, 100);
    lies::<KoalaBear4, Narrow, Plonk>("ideal", &PLONK, 60);
    lies::<KoalaBear4, Narrow, PlonkLogUp>("ideal", &PLONK, 60);
    lies::<KoalaBear4, Wide<_>, HyperPlonk>("ideal", &HYPERPLONK, 200);
    lies::<KoalaBear4, Narrow, HyperPlonk>("ideal", &HYPERPLONK, 100);
    lies::<KoalaBear4, Flat, Marlin>("ideal", &MARLIN, 60);
}

/// Teaches: the same where the scheme knows no more of an oracle than its commitment.
#[test]
fn lies_over_real_schemes() {
    lies::<Bn254, Wide<_>, Plonk>("kzg", &PLONK, 4);
    lies::<KoalaBear4, Narrow, PlonkLogUp>("fri", &PLONK, 12);
    lies::<KoalaBear4, Wide<_>, HyperPlonk>("whir", &HYPERPLONK, 20);
    lies::<KoalaBear4, Flat, Marlin>("fri", &MARLIN, 10);
}

/// Teaches: the PIOP tests the answers against each other, or the scheme against its oracles.
#[test]
fn false_answers() {
    fn run<S: Available, F: Family<S>, P: CircuitPiop<S, F>, C: Opens<S, P::Query>>() {
        let [lying, honest] = both::<S, P::Query, C>().map(Keyed::<S, F, P>::with);
        let name = honest.name(C::NAME);
        let answers = every_answer_is_bound(&name, || lying.prove(), |proof| honest.verify(proof));
        assert!(answers > 10);
    }
    run::<KoalaBear4, Wide<_>, Plonk, Ideal>();
    run::<KoalaBear4, Narrow, PlonkLogUp, Fri<Blake3Tree>>();
    run::<Bn254, Wide<_>, Plonk, Kzg>();
    run::<KoalaBear4, Wide<_>, HyperPlonk, Ideal>();
    run::<KoalaBear4, Flat, Marlin, Fri<Blake3Tree>>();
}

/// Every PIOP, lowering and scheme at least once.
macro_rules! each {
    ($run:ident) => {
        $run::<KoalaBear4, Wide<_>, Plonk>("ideal");
        $run::<KoalaBear4, Narrow, HyperPlonk>("ideal");
        $run::<KoalaBear4, Flat, Marlin>("ideal");
        $run::<Bn254, Wide<_>, Plonk>("kzg");
        $run::<KoalaBear4, Narrow, PlonkLogUp>("fri");
        $run::<KoalaBear4, Wide<_>, HyperPlonk>("whir");
        $run::<KoalaBear4, Flat, Marlin>("fri");
    };
}

/// Teaches: a proof says something about one list of public values under one protocol.
#[test]
fn other_statements_and_protocols() {
    fn run<S: Available, F: Family<S>, P: CircuitPiop<S, F>>(scheme: &str) {
        let keyed = Keyed::<S, F, P>::new(scheme);
        let (proof, name) = (keyed.prove(), keyed.name(scheme));
        let verify = |proof: &[u8], instance: &Vec<S::Base>, binding: Binding<'_>| {
            accepts(&name, || keyed.verify_other(proof, instance, binding, &keyed.index))
        };
        let instance = &keyed.instance;
        assert_eq!(verify(&proof, instance, BINDING), Ok(()));
        for binding in [Binding { protocol: b"tiny2", ..BINDING }, OTHER] {
            assert!(verify(&proof, instance, binding).is_err(), "{name}: {binding:?}");
        }
        let mut others = vec![instance[1..].to_vec(), [instance.as_slice(), &[S::Base::ZERO]].concat(), Vec::new()];
        assert!(others.iter().all(|other| verify(&proof, other, BINDING).is_err()), "{name}: another length");
        others.clear();
        for i in 0..instance.len() {
            let mut other = instance.clone();
            other[i] += S::Base::ONE;
            others.push(other);
        }
        for (i, other) in others.iter().enumerate() {
            assert!(verify(&proof, other, BINDING).is_err(), "{name}: public value {i}");
            // And by a prover that says so from the start.
            let claimed = keyed.prove_with(|ch| keyed.run(other, ch));
            assert!(verify(&claimed, other, BINDING).is_err(), "{name}: public value {i}, claimed");
            assert!(verify(&claimed, instance, BINDING).is_err(), "{name}: public value {i}, taken back");
        }
        println!("{name}: {} other statements", others.len());
    }
    each!(run);
}

/// Teaches: a proof is about the circuit of the verifying key, whatever circuit the prover has.
#[test]
fn other_circuits() {
    fn run<S: Available, F: Family<S>, P: CircuitPiop<S, F>>(scheme: &str) {
        let keyed = Keyed::<S, F, P>::new(scheme);
        let weaker = keyed.weaker();
        let name = keyed.name(scheme);
        let (proof, other) = (keyed.prove(), weaker.prove());
        assert_eq!(accepts(&name, || weaker.verify(&other)), Ok(()), "{name}: a proof of the weaker circuit");
        assert!(accepts(&name, || keyed.verify(&other)).is_err(), "{name}: a proof of the weaker circuit");
        assert!(accepts(&name, || weaker.verify(&proof)).is_err(), "{name}: a proof for the weaker circuit's key");
        // The weaker circuit's columns under this circuit's commitment: all challenges are the same.
        let indexed = (&keyed.index, &weaker.prover_index);
        let proven = keyed.runner.prove(BINDING, indexed, &mut |ch| weaker.run(&weaker.instance, ch));
        let mixed = proven.unwrap().proof;
        assert!(accepts(&name, || keyed.verify(&mixed)).is_err(), "{name}: another circuit's columns");
        // No byte of the key's commitment is free.
        let bytes: Vec<usize> = (0..keyed.index.bytes.len()).collect();
        let step = bytes.len().div_ceil(256).max(1);
        let tried: Vec<usize> = bytes.into_iter().step_by(step).collect();
        in_parallel(&tried, |&at| {
            let IndexCommitment { mut bytes, shapes } = keyed.index.clone();
            bytes[at] ^= 1 << (at % 8);
            let index = IndexCommitment { bytes, shapes };
            let verdict = accepts(&name, || keyed.verify_other(&proof, &keyed.instance, BINDING, &index));
            assert!(verdict.is_err(), "{name}: byte {at} of the key");
        });
        println!("{name}: {} bytes of the key", tried.len());
        assert!(!tried.is_empty());
    }
    each!(run);
}
