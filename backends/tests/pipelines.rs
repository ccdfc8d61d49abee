//! Every legal pipeline proves and verifies a real guest, and refuses another outcome and a changed
//! proof. Those over circuits are hundreds and take seconds to minutes each: some of them run every time, all
//! with the variable `TRILEMMA_SWEEP`.

mod common;

use common::{accepts, guest, in_parallel};
use trilemma_backends::{Pipeline, Public, pipelines, system};
use trilemma_core::Options;

/// How the names of pipelines over circuits start.
const CIRCUITS: [&str; 6] =
    ["plonkish/", "plonkish-whole/", "plonkish-vanilla/", "r1cs/marlin/", "ark-groth16/", "halo2-axiom/"];

/// Those of them that run every time: each PIOP, each lowering, each kind of scheme, each whole system.
const EVERY_TIME: [&str; 8] = [
    "plonkish/plonk/kzg/bn254",
    "plonkish/plonk/fri/koalabear4",
    "plonkish/plonk-logup/fri/koalabear4",
    "plonkish/hyperplonk/whir/koalabear4",
    "plonkish-vanilla/plonk/fri/koalabear4",
    "r1cs/marlin/fri/koalabear4",
    "ark-groth16/lego/bn254",
    "halo2-axiom/kzg/bn254",
];

/// The pipelines to run, the slow ones first.
fn chosen() -> Vec<Pipeline> {
    let all = pipelines();
    assert!(all.len() > 80, "{} pipelines", all.len());
    let missing: Vec<&str> = EVERY_TIME.into_iter().filter(|name| all.iter().all(|p| p.0 != *name)).collect();
    assert!(missing.is_empty(), "no pipelines: {missing:?}");
    let of_circuits = |p: &Pipeline| CIRCUITS.iter().any(|start| p.0.starts_with(start));
    let (circuits, others): (Vec<_>, Vec<_>) = all.into_iter().partition(of_circuits);
    assert!(others.len() > 80, "{} pipelines not over circuits", others.len());
    let sweep = std::env::var_os("TRILEMMA_SWEEP").is_some();
    let (hundreds, run) = (circuits.len(), |p: &Pipeline| sweep || EVERY_TIME.contains(&p.0.as_str()));
    let chosen: Vec<Pipeline> = circuits.into_iter().filter(run).chain(others).collect();
    println!("{} pipelines; of circuits there are {hundreds}", chosen.len());
    chosen
}

#[test]
fn every_pipeline_proves_a_guest() {
    in_parallel(&chosen(), |pipeline| {
        let start = std::time::Instant::now();
        let system = system(pipeline, &Options::default()).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        let keys = system.keys(&guest("exit7")).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        let proved = keys.prove(&[], 1 << 10).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        let name = pipeline.to_string();
        let verifier = system.verifier(&keys.verifying_key()).unwrap_or_else(|e| panic!("{pipeline}: {e}"));
        assert_eq!(accepts(&name, || verifier.verify(&proved.public, &proved.proof)), Ok(()), "{pipeline}");
        assert!(
            proved.ledger.bits() >= 99.9,
            "{pipeline}: {:?}",
            proved.ledger.weakest(trilemma_core::security::Standing::Proven)
        );
        let other = Public { exit_code: 8, ..proved.public.clone() };
        assert!(accepts(&name, || verifier.verify(&other, &proved.proof)).is_err(), "{pipeline}: another exit code");
        let len = proved.proof.len();
        for at in [0, (len / 4).min(70), len / 3, len / 2, len - 1] {
            let mut changed = proved.proof.clone();
            changed[at] ^= 1;
            assert!(accepts(&name, || verifier.verify(&proved.public, &changed)).is_err(), "{pipeline}: byte {at}");
        }
        println!("{pipeline}: {len} bytes, {:.1} bits, {:.1?}", proved.ledger.bits(), start.elapsed());
    });
}
