//! Every legal pipeline proves and verifies a real guest, and refuses another outcome and a changed
//! proof. Pipelines over circuits are hundreds and take seconds to minutes each: one of every PIOP, lowering and
//! system by default, all of them with `TRILEMMA_SWEEP` set.

mod common;

use common::{accepts, guest, in_parallel};
use trilemma_backends::{Pipeline, Public, pipelines, system};
use trilemma_core::Options;

/// First parts of the names of pipelines over circuits.
const CIRCUITS: [&str; 6] =
    ["plonkish/", "plonkish-whole/", "plonkish-vanilla/", "r1cs/marlin/", "halo2-axiom/", "ark-groth16/"];

/// Pipelines over circuits that are tried by default.
const CHOSEN: [&str; 6] = [
    "plonkish/plonk/fri/koalabear4",
    "plonkish/plonk/kzg/bn254",
    "plonkish/plonk-logup/fri/koalabear4",
    "plonkish/hyperplonk/whir/koalabear4",
    "plonkish-vanilla/plonk/fri/koalabear4",
    "r1cs/marlin/fri/koalabear4",
];

#[test]
fn every_pipeline_proves_a_guest() {
    let mut pipelines = pipelines();
    assert!(pipelines.len() > 200, "{} pipelines", pipelines.len());
    for name in CHOSEN {
        assert!(pipelines.iter().any(|p| p.0 == name), "{name} is no pipeline");
    }
    if std::env::var_os("TRILEMMA_SWEEP").is_none() {
        let circuit = |p: &Pipeline| CIRCUITS.iter().any(|prefix| p.0.starts_with(prefix));
        pipelines.retain(|p| !circuit(p) || CHOSEN.contains(&p.0.as_str()));
    }
    in_parallel(&pipelines, |pipeline| {
        let start = std::time::Instant::now();
        let system = system(pipeline, &Options::default()).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        let keys = system.keys(&guest("exit7")).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        let proved = keys.prove(&[], 1 << 10).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        let name = pipeline.to_string();
        let verifier = system.verifier(&keys.verifying_key()).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        assert_eq!(accepts(&name, || verifier.verify(&proved.public, &proved.proof)), Ok(()), "{pipeline}");
        assert_eq!(accepts(&name, || keys.verify(&proved.public, &proved.proof)), Ok(()), "{pipeline}: its program");
        assert!(
            proved.ledger.bits() >= 99.9,
            "{pipeline}: {:?}",
            proved.ledger.weakest(trilemma_core::security::Standing::Proven)
        );
        let other = Public { exit_code: 8, ..proved.public.clone() };
        assert!(accepts(&name, || verifier.verify(&other, &proved.proof)).is_err(), "{pipeline}: another exit code");
        let len = proved.proof.len();
        for at in [0, 70, len / 3, len / 2, len - 1] {
            let mut changed = proved.proof.clone();
            changed[at] ^= 1;
            assert!(accepts(&name, || verifier.verify(&proved.public, &changed)).is_err(), "{pipeline}: byte {at}");
        }
        println!("{pipeline}: {len} bytes, {:.1} bits, {:.1?}", proved.ledger.bits(), start.elapsed());
    });
}
