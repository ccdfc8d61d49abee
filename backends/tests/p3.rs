//! The references on Plonky3's STARKs prove what ours prove, and refuse what is not so.

mod common;

use trilemma_backends::{Keys, Pipeline, Public, System, system};
use trilemma_core::Options;

const REFERENCES: [&str; 2] = ["p3-batch-stark/fri/koalabear4", "p3-multi-stark/whir/koalabear4"];

fn reference(pipeline: &str, hash: &str, guest: &str) -> (Box<dyn System>, Box<dyn Keys>) {
    let options = Options { hash: hash.into(), ..Options::default() };
    let system = system(&Pipeline(pipeline.into()), &options).unwrap();
    let keys = system.keys(&common::guest(guest)).unwrap();
    (system, keys)
}

fn proofs_verify_and_nothing_else_does(pipeline: &str) {
    let (system, keys) = reference(pipeline, "blake3", "fibonacci");
    let proved = keys.prove(&10u32.to_le_bytes(), 1 << 16).unwrap();
    let verifier = system.verifier(&keys.verifying_key()).unwrap();
    let ledger = verifier.verify(&proved.public, &proved.proof).unwrap();
    assert_eq!(ledger, proved.ledger);
    assert!(ledger.bits() >= 100.0);
    let labelled: u64 = proved.cost.proof_bytes_by_label.iter().map(|(_, n)| n).sum();
    assert_eq!(labelled, proved.proof.len() as u64);

    for public in common::other_outcomes(&proved.public) {
        assert!(verifier.verify(&public, &proved.proof).is_err(), "{public:?}");
    }

    let len = proved.proof.len();
    let some = (0..240).chain((240..len).step_by(len / 150)).chain([len - 1]);
    for at in some {
        let mut proof = proved.proof.clone();
        proof[at] ^= 1 << (at % 8);
        assert!(verifier.verify(&proved.public, &proof).is_err(), "byte {at}");
    }
    for cut in [0, 1, 100, len / 2, len - 1] {
        assert!(verifier.verify(&proved.public, &proved.proof[..cut]).is_err(), "cut at {cut}");
    }
    assert!(verifier.verify(&proved.public, &[proved.proof.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn batch_stark_proofs_verify_and_nothing_else_does() {
    proofs_verify_and_nothing_else_does(REFERENCES[0]);
}

#[test]
fn multi_stark_proofs_verify_and_nothing_else_does() {
    proofs_verify_and_nothing_else_does(REFERENCES[1]);
}

fn a_key_is_bound_to_its_program(pipeline: &str) {
    let (system, keys) = reference(pipeline, "blake3", "fibonacci");
    let proved = keys.prove(&3u32.to_le_bytes(), 1 << 16).unwrap();
    let key = keys.verifying_key();
    assert!(system.verifier(&key[1..]).is_err());
    let mut saved: serde_json::Value = serde_json::from_slice(&key).unwrap();
    saved["entry"] = serde_json::json!(saved["entry"].as_u64().unwrap() + 1);
    let other = system.verifier(&serde_json::to_vec(&saved).unwrap()).unwrap();
    assert!(other.verify(&proved.public, &proved.proof).is_err());
}

#[test]
fn keys_are_bound_to_their_programs() {
    REFERENCES.into_iter().for_each(a_key_is_bound_to_its_program);
}

#[test]
fn every_hash_works() {
    for pipeline in REFERENCES {
        for hash in ["keccak", "poseidon2"] {
            let (_, keys) = reference(pipeline, hash, "fibonacci");
            let proved = keys.prove(&2u32.to_le_bytes(), 1 << 16).unwrap();
            keys.verify(&proved.public, &proved.proof).unwrap();
        }
    }
}

/// Teaches: fixed tables of fewer rows than a system commits to are padded with rows that count for
/// nothing.
#[test]
fn the_smallest_program_works() {
    for pipeline in REFERENCES {
        let (system, keys) = reference(pipeline, "blake3", "exit7");
        let proved = keys.prove(&[], 1 << 16).unwrap();
        assert_eq!(proved.public.exit_code, 7);
        let verifier = system.verifier(&keys.verifying_key()).unwrap();
        verifier.verify(&proved.public, &proved.proof).unwrap();
        let other = Public { exit_code: 6, ..proved.public };
        assert!(verifier.verify(&other, &proved.proof).is_err());
    }
}

#[test]
fn names_resolve_and_errors_list_choices() {
    let options = Options::default();
    let fault = |name: &str| system(&Pipeline(name.into()), &options).err().unwrap().to_string();
    for pipeline in REFERENCES {
        assert!(trilemma_backends::pipelines().contains(&Pipeline(pipeline.into())));
    }
    assert!(fault("p3-batch").contains("p3-batch-stark"), "{}", fault("p3-batch"));
    assert!(fault("p3-batch-stark/kzg").contains("fri"));
    assert!(fault("p3-multi-stark/fri").contains("whir"));
    assert!(fault("p3-batch-stark/fri/bn254").contains("koalabear4"));
    assert!(fault("p3-batch-stark/fri/koalabear4/x").contains("3 parts"));
    assert!(fault("air/uni-stark/fri").contains("koalabear4"));
    assert!(fault("air/uni-stark/fri/koalabear4/x").contains("4 parts"));
}
