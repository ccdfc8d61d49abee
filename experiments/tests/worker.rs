//! The worker's verdicts on proof systems that misbehave in known ways.

use std::path::Path;
use std::time::Duration;

use trilemma_backends::{Cost, Failure, Keys, Pipeline, Proved, Public, System, Verifier};
use trilemma_core::{ConfigError, Ledger, Options, Properties, ProveError, Reject, Setup};
use trilemma_experiments::files::Input;
use trilemma_experiments::plan::Job;
use trilemma_experiments::worker::measure;
use trilemma_frontends::riscv::elf::Program;
use trilemma_reports::schema::{Measurement, Status};

/// How a fake proof system misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    AcceptsAnyProof,
    AcceptsAnyOutput,
    RefusesAll,
    ProvesAnotherOutput,
    PanicsOnJunk,
    TargetTooHigh,
    Unsatisfied,
    UnknownPhase,
}

const PROOF: [u8; 64] = [5; 64];

struct Fake(Fault);

fn public() -> Public {
    Public { exit_code: 7, output: Vec::new() }
}

impl System for Fake {
    fn properties(&self) -> Properties {
        Properties { setup: Setup::Transparent, post_quantum: true, hiding: false, verifier: "1" }
    }

    fn keys(&self, _: &Program) -> Result<Box<dyn Keys>, Failure> {
        Ok(Box::new(Self(self.0)))
    }

    fn verifier(&self, _: &[u8]) -> Result<Box<dyn Verifier>, Reject> {
        Ok(Box::new(Self(self.0)))
    }
}

impl Keys for Fake {
    fn prove(&self, _: &[u8], _: u64) -> Result<Proved, Failure> {
        match self.0 {
            Fault::TargetTooHigh => {
                return Err(ProveError::Config(ConfigError("out of reach".into())).into());
            }
            Fault::Unsatisfied => return Err(ProveError::Unsatisfied("row 3".into()).into()),
            _ => {}
        }
        let mut public = public();
        if self.0 == Fault::ProvesAnotherOutput {
            public.output.push(1);
        }
        let phase = if self.0 == Fault::UnknownPhase { "nap" } else { "commit" };
        Ok(Proved {
            public,
            proof: PROOF.to_vec(),
            ledger: Ledger::default(),
            phases: vec![(phase, Duration::from_millis(1))],
            cost: Cost { cycles: 12, ..Cost::default() },
        })
    }
}

impl Verifier for Fake {
    fn verify(&self, public_values: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        if self.0 == Fault::RefusesAll {
            return Err(Reject::new("everything"));
        }
        if proof != PROOF && self.0 != Fault::AcceptsAnyProof {
            assert!(self.0 != Fault::PanicsOnJunk, "index out of bounds");
            return Err(Reject::new("proof"));
        }
        if *public_values != public() && self.0 != Fault::AcceptsAnyOutput {
            return Err(Reject::new("public values"));
        }
        Ok(Ledger::default())
    }

    fn verifying_key(&self) -> Vec<u8> {
        vec![1, 2, 3]
    }
}

fn row(fault: Fault) -> Measurement {
    let job = Job {
        elf: Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontends/guests/elf/exit7.elf"),
        input: Input::Empty,
        pipeline: Pipeline("fake".into()),
        options: Options::default(),
        max_cycles: 100,
        expected: public(),
        tamper_seed: 1234,
    };
    measure(&job, &move |_, _| Ok(Box::new(Fake(fault))))
}

#[test]
fn an_honest_system_is_measured() {
    let row = row(Fault::None);
    assert_eq!((row.status, &row.reason), (Status::Ok, &None));
    assert_eq!(row.phases.commit_ns, Some(1_000_000));
    assert!(row.phases.verify_ns.is_some() && row.phases.prove_total_ns.is_some() && row.verify_iterations > 1);
    let counts = row.counts.expect("counts");
    assert_eq!((counts.cycles, counts.proof_bytes, counts.verifying_key_bytes), (12, 64, 3));
    assert!(row.resources.core_ns.is_some() && row.resources.peak_bytes.is_some());
    assert!(row.resources.energy_uj.is_some() || row.resources.sources["energy"].contains("RAPL"));
}

#[test]
fn misbehaviour_has_its_status() {
    let cases = [
        (Fault::AcceptsAnyProof, Status::TamperAccepted, "bit"),
        (Fault::AcceptsAnyOutput, Status::TamperAccepted, "wrong public value"),
        (Fault::RefusesAll, Status::VerifyFailed, "rejected: everything"),
        (Fault::ProvesAnotherOutput, Status::OutputMismatch, "executed"),
        (Fault::PanicsOnJunk, Status::Crash, "panic: index out of bounds"),
        (Fault::TargetTooHigh, Status::Unsupported, "out of reach"),
        (Fault::Unsatisfied, Status::Crash, "row 3"),
        (Fault::UnknownPhase, Status::Infra, "`nap` is no phase"),
    ];
    for (fault, status, text) in cases {
        let row = row(fault);
        let reason = row.reason.expect("a reason");
        assert_eq!(row.status, status, "{fault:?}: {reason}");
        assert!(reason.contains(text), "{fault:?}: {reason}");
    }
}
