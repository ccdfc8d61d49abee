//! `verify`: checks a proof with nothing but the program or its verifying key.

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use trilemma_backends::{System, Verifier};
use trilemma_reports::format;

use super::{Reply, readable, resolve, table};
use crate::cli::Verify;
use crate::container::{self, KeyHeader, ProofHeader};
use crate::fault::Fault;
use crate::files;

pub(super) fn run(args: &Verify) -> Result<Reply, Fault> {
    let (header, proof) = container::read::<ProofHeader>(&args.proof)?;
    let at_proof = |fault: Fault| fault.about(args.proof.display());
    let bits = header.options.security.bits;
    if bits < args.min_security {
        let text = format!(
            "made for {bits} bits of security, at least {} are wanted",
            args.min_security
        );
        return Err(at_proof(Fault::Failed(text)));
    }
    let public = header.public().map_err(at_proof)?;
    let system = resolve(&header.pipeline, &header.options).map_err(at_proof)?;
    let verifier = match (&args.key, &args.program) {
        (Some(key), _) => from_key(key, &header, &*system)?,
        (None, Some(elf)) => from_program(elf, &header, &*system)?,
        (None, None) => return Err(Fault::Usage("give --program or --key".into())),
    };
    let start = Instant::now();
    let ledger = verifier
        .verify(&public, &proof)
        .map_err(|reject| at_proof(reject.into()))?;
    let time = start.elapsed();
    let text = format!(
        "the proof is valid\n{}",
        table(&[
            ("exit code", public.exit_code.to_string()),
            ("output", readable(&public.output)),
            ("program", header.program.clone()),
            ("pipeline", header.pipeline.to_string()),
            (
                "security",
                format!(
                    "{:.1} bits ({})",
                    ledger.bits(),
                    header.options.security.regime.name()
                )
            ),
            ("proof size", format::bytes(proof.len() as f64)),
            ("time", format::time(time.as_nanos() as f64)),
        ])
    );
    let json = json!({
        "valid": true,
        "exit_code": public.exit_code,
        "output": header.output,
        "program": header.program,
        "pipeline": header.pipeline,
        "options": header.options,
        "bits": ledger.bits(),
        "ledger": ledger,
        "proof_bytes": proof.len(),
        "verify_ns": time.as_nanos() as u64,
    });
    Ok(Reply { text, json })
}

fn from_key(
    path: &Path,
    proof: &ProofHeader,
    system: &dyn System,
) -> Result<Box<dyn Verifier>, Fault> {
    let (header, key) = container::read::<KeyHeader>(path)?;
    let differs = |what: &str, of_key: String, of_proof: String| {
        Err(Fault::Failed(format!(
            "{}: the key is for {what} {of_key}, the proof for {of_proof}",
            path.display()
        )))
    };
    if header.pipeline != proof.pipeline {
        return differs("the pipeline", header.pipeline.0, proof.pipeline.0.clone());
    }
    if header.options != proof.options {
        let text = |options| serde_json::to_string(options).unwrap_or_default();
        return differs("the options", text(&header.options), text(&proof.options));
    }
    if header.program != proof.program {
        return differs("the program", header.program, proof.program.clone());
    }
    system
        .verifier(&key)
        .map_err(|reject| Fault::from(reject).about(path.display()))
}

fn from_program(
    elf: &Path,
    proof: &ProofHeader,
    system: &dyn System,
) -> Result<Box<dyn Verifier>, Fault> {
    let program = files::program(elf)?;
    let digest = hex::encode(program.digest);
    if digest != proof.program {
        let text = format!(
            "{}: the proof is about another program ({}, not {digest})",
            elf.display(),
            proof.program
        );
        return Err(Fault::Failed(text));
    }
    let key = system.keys(&program)?.verifying_key();
    Ok(system.verifier(&key)?)
}
