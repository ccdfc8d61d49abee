//! Every legal pipeline proves and verifies a real guest, and refuses another outcome and a changed
//! proof.

mod common;

use common::{accepts, guest, in_parallel};
use trilemma_backends::{Public, pipelines, system};
use trilemma_core::Options;

#[test]
fn every_pipeline_proves_a_guest() {
    let pipelines = pipelines();
    assert!(pipelines.len() > 80, "{} pipelines", pipelines.len());
    in_parallel(&pipelines, |pipeline| {
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
        for at in [0, 70, len / 3, len / 2, len - 1] {
            let mut changed = proved.proof.clone();
            changed[at] ^= 1;
            assert!(accepts(&name, || verifier.verify(&proved.public, &changed)).is_err(), "{pipeline}: byte {at}");
        }
        println!("{pipeline}: {len} bytes, {:.1} bits, {:.1?}", proved.ledger.bits(), start.elapsed());
    });
}
