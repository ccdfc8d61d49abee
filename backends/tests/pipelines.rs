//! Every legal pipeline proves and verifies a real guest, and refuses another outcome, a changed proof and a changed
//! key. Pipelines over circuits take seconds to minutes each. By default, every PIOP for wide rows goes over every
//! commitment scheme, each in one setting, and some are tried of every other lowering, PIOP and system, but for [`SLOW`]
//! ones. With `TRILEMMA_SWEEP` set, those whose names start with it, or `all`.

mod common;

use std::collections::BTreeSet;

use common::{Change, accepts, all_refused, guest, in_parallel, other_outcomes};
use trilemma_backends::{Pipeline, pipelines, system};
use trilemma_core::Options;

/// First parts of the names of pipelines over circuits.
const CIRCUITS: [&str; 6] =
    ["plonkish/", "plonkish-whole/", "plonkish-vanilla/", "r1cs/marlin/", "halo2-axiom/", "ark-groth16/"];

/// Those of which none is tried by default: a guest takes minutes, because its lookup tables are as long as they are.
const SLOW: [&str; 2] = ["plonkish-whole/", "halo2-axiom/"];

/// Those that are tried by default in the first setting of every scheme.
const WIDE: &str = "plonkish/";

/// Proofs up to so many bytes have many of them tried, and other lengths.
const SHORT: usize = 1 << 13;

/// Others over circuits that are tried by default.
const CHOSEN: &[&str] = &[
    "plonkish/plonk/kzg/bn254",
    "plonkish-vanilla/plonk/fri/koalabear4",
    "r1cs/marlin/fri/koalabear4",
    "ark-groth16/lego/bn254",
];

/// A proof of a circuit that says of the first table that it has one instance of so many rows.
fn of_rows(proof: &[u8], rows: usize) -> Vec<u8> {
    let (count, mut rest) = (proof[0], &proof[1..]);
    for _ in 0..count {
        let end = rest.iter().position(|byte| byte & 128 == 0).unwrap();
        rest = &rest[end + 1..];
    }
    let groups = [0, 7, 14, 21].map(|shift| (rows >> shift) as u8 | 128);
    [&[1], &groups[..3], &[groups[3] & 127], rest].concat()
}

#[test]
fn every_pipeline_proves_a_guest() {
    let mut pipelines = pipelines();
    assert!(pipelines.len() > 200, "{} pipelines", pipelines.len());
    for &name in CHOSEN {
        assert!(pipelines.iter().any(|p| p.0 == name), "{name} is no pipeline");
    }
    for prefix in CIRCUITS.into_iter().filter(|&prefix| prefix != WIDE) {
        assert!(SLOW.contains(&prefix) != CHOSEN.iter().any(|name| name.starts_with(prefix)), "{prefix}");
    }
    match std::env::var("TRILEMMA_SWEEP").as_deref() {
        Ok("all") => {}
        Ok(prefix) => pipelines.retain(|p| p.0.starts_with(prefix)),
        Err(_) => {
            let circuit = |p: &Pipeline| CIRCUITS.iter().any(|prefix| p.0.starts_with(prefix));
            let mut schemes = BTreeSet::new();
            let mut first =
                |p: &Pipeline| p.0.rsplit_once('/').is_some_and(|(name, _)| schemes.insert(name.to_string()));
            pipelines.retain(|p| !circuit(p) || CHOSEN.contains(&p.0.as_str()) || p.0.starts_with(WIDE) && first(p));
        }
    }
    assert!(!pipelines.is_empty(), "TRILEMMA_SWEEP: no pipeline starts so");
    in_parallel(&pipelines, |pipeline| {
        let start = std::time::Instant::now();
        let system = system(pipeline, &Options::default()).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        let keys = system.keys(&guest("exit7")).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        let proved = keys.prove(&[], 1 << 10).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        let name = pipeline.to_string();
        let verifier = system.verifier(&keys.verifying_key()).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        let verified = verifier.verify(&proved.public, &proved.proof);
        assert_eq!(verified.as_ref(), Ok(&proved.ledger), "{pipeline}");
        assert_eq!(accepts(&name, || keys.verify(&proved.public, &proved.proof)), Ok(()), "{pipeline}: its program");
        assert!(
            proved.ledger.bits() >= 99.9,
            "{pipeline}: {:?}",
            proved.ledger.weakest(trilemma_core::security::Standing::Proven)
        );
        for other in other_outcomes(&proved.public) {
            assert!(accepts(&name, || verifier.verify(&other, &proved.proof)).is_err(), "{pipeline}: {other:?}");
        }
        let saved = keys.verifying_key();
        for at in [0, 60, saved.len() / 2, saved.len() - 40] {
            let mut key = saved.clone();
            key[at] ^= 1;
            let accepted = system.verifier(&key).is_ok_and(|v| v.verify(&proved.public, &proved.proof).is_ok());
            assert!(!accepted, "{pipeline}: byte {at} of the key");
        }
        if CIRCUITS.iter().any(|prefix| name.starts_with(prefix)) {
            for rows in [(1 << 24) + 1, 1 << 25, (1 << 26) - (1 << 20)] {
                let verified = accepts(&name, || keys.verify(&proved.public, &of_rows(&proved.proof, rows)));
                assert!(verified.is_err(), "{pipeline}: an extent of {rows} rows");
            }
            assert_eq!(
                accepts(&name, || keys.verify(&proved.public, &proved.proof)),
                Ok(()),
                "{pipeline}: its own again"
            );
        }
        let len = proved.proof.len();
        let labelled: u64 = proved.cost.proof_bytes_by_label.iter().map(|(_, n)| n).sum();
        assert_eq!(labelled, len as u64, "{pipeline}: {:?}", proved.cost.proof_bytes_by_label);
        let mut changes = [0, 70, len / 3, len / 2, len - 1].map(|at| Change::Flip(at, 1)).to_vec();
        if len <= SHORT {
            changes.extend((0..len).step_by(61).map(|at| Change::Flip(at, 1 << (at % 8))));
            changes.extend([0, 1, 100, len / 2, len - 1].map(Change::Cut));
            changes.extend([Change::Extend(1), Change::Extend(32), Change::Drop(len / 2)]);
        }
        all_refused(&name, &proved.proof, &changes, |proof| verifier.verify(&proved.public, proof).map(|_| ()));
        println!("{pipeline}: {len} bytes, {:.1} bits, {:.1?}", proved.ledger.bits(), start.elapsed());
    });
}
