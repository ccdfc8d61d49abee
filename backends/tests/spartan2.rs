//! The reference system proves what ours prove, and refuses what is not so.

mod common;

use common::{Change, all_refused, guest};
use trilemma_backends::{Keys, Pipeline, System, system};
use trilemma_core::Options;

const NAME: &str = "spartan2/hyrax/pallas";

fn reference(name: &str) -> (Box<dyn System>, Box<dyn Keys>) {
    let system = system(&Pipeline(NAME.into()), &Options::default()).unwrap();
    let keys = system.keys(&guest(name)).unwrap();
    (system, keys)
}

/// Teaches: what a proof says is what was executed, and no byte of it is free.
#[test]
fn proofs_verify_and_nothing_else_does() {
    let (system, keys) = reference("fibonacci");
    let input = 10u32.to_le_bytes();
    keys.prepare(&input, 1 << 16).unwrap();
    let proved = keys.prove(&input, 1 << 16).unwrap();
    let ledger = keys.verify(&proved.public, &proved.proof).unwrap();
    assert_eq!(ledger, proved.ledger);
    assert!(ledger.bits() >= 100.0);
    let labelled: u64 = proved.cost.proof_bytes_by_label.iter().map(|(_, n)| n).sum();
    assert_eq!(labelled, proved.proof.len() as u64);
    println!("{:?}, {} cells", proved.cost.proof_bytes_by_label, proved.cost.committed_cells);

    for public in common::other_outcomes(&proved.public) {
        assert!(keys.verify(&public, &proved.proof).is_err(), "{public:?}");
    }

    // Heights, some of every commitment and of the opening, all of what is between.
    let len = proved.proof.len();
    let middle = len - 32 * 2052..len;
    let rounds = middle.start - 4000..middle.start + 64;
    let some = (0..300).step_by(7).chain((300..rounds.start).step_by(997));
    let some = some.chain(rounds.step_by(61)).chain(middle.step_by(4001)).chain([len - 1]);
    let mut changes: Vec<Change> = some.map(|at| Change::Flip(at, 1 << (at % 8))).collect();
    changes.extend([0, 1, 100, len / 2, len - 1].map(Change::Cut));
    changes.extend([Change::Extend(1), Change::Extend(32), Change::Drop(len / 2), Change::Swap(400, 432)]);
    all_refused(NAME, &proved.proof, &changes, |proof| keys.verify(&proved.public, proof).map(|_| ()));

    // Nothing but the key's bytes.
    let verifier = system.verifier(&keys.verifying_key()).unwrap();
    assert_eq!(verifier.verify(&proved.public, &proved.proof), Ok(ledger));
}

/// Teaches: one key proves executions of any shape, prepared or not, and is its program's alone.
#[test]
fn a_key_is_bound_to_its_program() {
    let (system, keys) = reference("fibonacci");
    let input = 3u32.to_le_bytes();
    keys.prepare(&400u32.to_le_bytes(), 1 << 16).unwrap();
    let proved = keys.prove(&input, 1 << 16).unwrap();
    keys.verify(&proved.public, &proved.proof).unwrap();

    let key = keys.verifying_key();
    for bad in [&key[1..], &key[..key.len() - 1], &[key.as_slice(), &[0]].concat(), &[]] {
        assert!(system.verifier(bad).is_err());
    }
    // The entry; a word of the program; one of the image.
    for at in [32, 60, key.len() - 12] {
        let mut other = key.clone();
        other[at] ^= 1;
        let other = system.verifier(&other).unwrap();
        assert!(other.verify(&proved.public, &proved.proof).is_err(), "byte {at}");
    }
    let options = Options { log_blowup: 2, ..Options::default() };
    assert!(trilemma_backends::system(&Pipeline(NAME.into()), &options).unwrap().verifier(&key).is_err());
}

/// Teaches: what a machine cannot hold is refused before any work.
#[test]
fn sizes_are_limited() {
    let options = Options { max_log_height: Some(16), ..Options::default() };
    let system = system(&Pipeline(NAME.into()), &options).unwrap();
    let keys = system.keys(&guest("fibonacci")).unwrap();
    let error = keys.prepare(&3u32.to_le_bytes(), 1 << 16).unwrap_err().to_string();
    assert!(error.contains("max_log_height"), "{error}");
    let failure = keys.prove(&3u32.to_le_bytes(), 1 << 16).err().unwrap().to_string();
    assert!(failure.contains("max_log_height"), "{failure}");
}

#[test]
fn names_resolve_and_errors_list_choices() {
    let options = Options::default();
    let fault = |name: &str| system(&Pipeline(name.into()), &options).err().unwrap().to_string();
    assert!(trilemma_backends::pipelines().contains(&Pipeline(NAME.into())));
    assert!(fault("spartan2/hyrax/bn254").contains("pallas"));
    assert!(fault("spartan2/kzg").contains("hyrax"));
}
