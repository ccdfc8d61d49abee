//! The reference system proves what ours prove, and refuses what is not so.

use trilemma_backends::{Keys, Pipeline, Public, System, system};
use trilemma_core::Options;
use trilemma_frontends::riscv::Program;

fn reference(hash: &str) -> (Box<dyn System>, Box<dyn Keys>) {
    let path = format!("{}/../frontends/guests/elf/fibonacci.elf", env!("CARGO_MANIFEST_DIR"));
    let program = Program::from_elf(&std::fs::read(path).unwrap()).unwrap();
    let options = Options { hash: hash.into(), ..Options::default() };
    let system = system(&Pipeline("p3-batch-stark/fri/koalabear4".into()), &options).unwrap();
    let keys = system.keys(&program).unwrap();
    (system, keys)
}

#[test]
fn proofs_verify_and_nothing_else_does() {
    let (system, keys) = reference("blake3");
    let proved = keys.prove(&10u32.to_le_bytes(), 1 << 16).unwrap();
    let verifier = system.verifier(&keys.verifying_key()).unwrap();
    let ledger = verifier.verify(&proved.public, &proved.proof).unwrap();
    assert_eq!(ledger, proved.ledger);
    assert!(ledger.bits() >= 100.0);
    let labelled: u64 = proved.cost.proof_bytes_by_label.iter().map(|(_, n)| n).sum();
    assert_eq!(labelled, proved.proof.len() as u64);

    let Public { exit_code, output } = proved.public.clone();
    let mut wrong = vec![
        Public { exit_code: exit_code ^ 1, output: output.clone() },
        Public { exit_code: exit_code ^ (1 << 31), output: output.clone() },
        Public { exit_code, output: [output.as_slice(), &[0]].concat() },
    ];
    if let Some((_, rest)) = output.split_first() {
        wrong.push(Public { exit_code, output: rest.to_vec() });
        wrong.push(Public { exit_code, output: output.iter().map(|b| b ^ 1).collect() });
    }
    for public in wrong {
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
fn a_key_is_bound_to_its_program() {
    let (system, keys) = reference("blake3");
    let proved = keys.prove(&3u32.to_le_bytes(), 1 << 16).unwrap();
    let key = keys.verifying_key();
    assert!(system.verifier(&key[1..]).is_err());
    let mut saved: serde_json::Value = serde_json::from_slice(&key).unwrap();
    saved["entry"] = serde_json::json!(saved["entry"].as_u64().unwrap() + 1);
    let other = system.verifier(&serde_json::to_vec(&saved).unwrap()).unwrap();
    assert!(other.verify(&proved.public, &proved.proof).is_err());
}

#[test]
fn every_hash_works() {
    for hash in ["keccak", "poseidon2"] {
        let (_, keys) = reference(hash);
        let proved = keys.prove(&2u32.to_le_bytes(), 1 << 16).unwrap();
        keys.verify(&proved.public, &proved.proof).unwrap();
    }
}

#[test]
fn names_resolve_and_errors_list_choices() {
    let options = Options::default();
    let fault = |name: &str| system(&Pipeline(name.into()), &options).err().unwrap().to_string();
    assert!(trilemma_backends::pipelines().contains(&Pipeline("p3-batch-stark/fri/koalabear4".into())));
    assert!(fault("p3-batch").contains("p3-batch-stark"), "{}", fault("p3-batch"));
    assert!(fault("p3-batch-stark/kzg").contains("fri"));
    assert!(fault("p3-batch-stark/fri/bn254").contains("koalabear4"));
    assert!(fault("p3-batch-stark/fri/koalabear4/x").contains("3 parts"));
    assert!(fault("air/uni-stark/fri").contains("koalabear4"));
    assert!(fault("air/uni-stark/fri/koalabear4/x").contains("4 parts"));
}
