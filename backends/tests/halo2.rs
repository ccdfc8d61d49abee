//! The reference system for circuits proves what ours prove, and refuses what is not so.

mod common;

use common::{Change, all_refused, guest};
use trilemma_backends::{Keys, Pipeline, Public, System, system};
use trilemma_core::Options;

const NAME: &str = "halo2-axiom/kzg/bn254";

fn reference(name: &str, options: &Options) -> (Box<dyn System>, Box<dyn Keys>) {
    let system = system(&Pipeline(NAME.into()), options).unwrap();
    let keys = system.keys(&guest(name)).unwrap();
    (system, keys)
}

/// Teaches: what a proof says is what was executed, and no byte of it is free.
///
/// `cargo test --release -p trilemma-backends --test halo2 -- --ignored --nocapture`: the lookup tables alone
/// have `2^16` rows, so that no guest takes less than a minute.
#[test]
#[ignore = "a minute on two cores, and four gigabytes"]
fn proofs_verify_and_nothing_else_does() {
    let (system, keys) = reference("exit7", &Options::default());
    keys.prepare(&[], 1 << 16).unwrap();
    let proved = keys.prove(&[], 1 << 16).unwrap();
    let start = std::time::Instant::now();
    let ledger = keys.verify(&proved.public, &proved.proof).unwrap();
    println!("verified in {:?}; {:?}; {:?}", start.elapsed(), proved.phases, proved.cost.proof_bytes_by_label);
    println!("{} cells, {} rows, {} bytes", proved.cost.committed_cells, proved.cost.padded_rows, proved.proof.len());
    assert_eq!(ledger, proved.ledger);
    assert!(ledger.bits() >= 100.0);
    let labelled: u64 = proved.cost.proof_bytes_by_label.iter().map(|(_, n)| n).sum();
    assert_eq!(labelled, proved.proof.len() as u64);

    let Public { exit_code, output } = proved.public.clone();
    for public in [
        Public { exit_code: exit_code ^ 1, output: output.clone() },
        Public { exit_code: exit_code ^ (1 << 31), output: output.clone() },
        Public { exit_code, output: [output.as_slice(), &[0]].concat() },
    ] {
        assert!(keys.verify(&public, &proved.proof).is_err(), "{public:?}");
    }

    // Nothing but the key's bytes.
    let saved = keys.verifying_key();
    let verifier = system.verifier(&saved).unwrap();
    assert_eq!(verifier.verify(&proved.public, &proved.proof), Ok(ledger));
    let len = proved.proof.len();
    let mut changes: Vec<Change> = (0..len).step_by(61).map(|at| Change::Flip(at, 1 << (at % 8))).collect();
    changes.extend([0, 1, 100, len / 2, len - 1].map(Change::Cut));
    changes.extend([Change::Extend(1), Change::Extend(32), Change::Drop(len / 2), Change::Swap(400, 432)]);
    all_refused(NAME, &proved.proof, &changes, |proof| verifier.verify(&proved.public, proof).map(|_| ()));
    for at in [0, 60, saved.len() / 2, saved.len() - 40] {
        let mut other = saved.clone();
        other[at] ^= 1;
        let accepted = system.verifier(&other).is_ok_and(|key| key.verify(&proved.public, &proved.proof).is_ok());
        assert!(!accepted, "byte {at} of the key");
    }
}

/// Teaches: what a machine cannot hold is refused before any work.
#[test]
fn sizes_are_limited() {
    let options = Options { max_log_height: Some(12), ..Options::default() };
    let (_, keys) = reference("exit7", &options);
    let error = keys.prepare(&[], 1 << 16).unwrap_err().to_string();
    assert!(error.contains("max_log_height"), "{error}");
}

#[test]
fn names_resolve_and_errors_list_choices() {
    let options = Options::default();
    let fault = |name: &str| system(&Pipeline(name.into()), &options).err().unwrap().to_string();
    for scheme in ["kzg", "kzg-gwc", "ipa"] {
        assert!(trilemma_backends::pipelines().contains(&Pipeline(format!("halo2-axiom/{scheme}/bn254"))));
    }
    assert!(fault("halo2-axiom/kzg/pallas").contains("bn254"));
    assert!(fault("halo2-axiom/fri").contains("kzg-gwc"));
}
