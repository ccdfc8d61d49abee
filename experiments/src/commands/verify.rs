//! `verify`: checks a proof with nothing but the program or its verifying key.

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use trilemma_backends::{System, Verifier};
use trilemma_reports::format;

use super::{Reply, readable, resolve, table};
use crate::cli::Verify;
use crate::container::{self, About, KeyHeader, ProofHeader};
use crate::fault::Fault;
use crate::files;
use crate::worker::traits;

pub(super) fn run(args: &Verify) -> Result<Reply, Fault> {
    let (header, proof) = container::read::<ProofHeader>(&args.proof)?;
    let about = &header.about;
    let refused = |text: String| Fault::Failed(text).about(args.proof.display());
    let bits = about.options.security.bits;
    if bits < args.min_security {
        let text = format!("made for {bits} bits of security, at least {} are wanted", args.min_security);
        return Err(refused(text));
    }
    let public = header.public().map_err(refused)?;
    let options = about.options_with(args.srs.as_deref()).map_err(refused)?;
    let system = resolve(&about.pipeline, &options).map_err(|fault| fault.about(args.proof.display()))?;
    let verifier = match (&args.key, &args.program) {
        (Some(key), _) => from_key(key, about, &*system)?,
        (None, Some(elf)) => from_program(elf, about, &*system)?,
        (None, None) => return Err(Fault::Usage("give --program or --key".into())),
    };
    let start = Instant::now();
    let ledger = verifier.verify(&public, &proof).map_err(|reject| refused(reject.to_string()))?;
    let time = start.elapsed();
    let traits = traits(&system.properties());
    let warning = if traits.setup == "insecure" {
        "\nwarning: whoever knows how the reference string was made can forge such proofs\n"
    } else {
        ""
    };
    let rows = [
        ("exit code", public.exit_code.to_string()),
        ("output", readable(&public.output)),
        ("program", about.program.clone()),
        ("pipeline", about.pipeline.to_string()),
        ("set-up", traits.setup.clone()),
        ("security", format!("{:.1} bits ({})", ledger.bits(), options.security.regime.name())),
        ("proof size", format::bytes(proof.len() as f64)),
        ("time", format::time(time.as_nanos() as f64)),
    ];
    let text = format!("the proof is valid\n{}{warning}", table(&rows));
    let json = json!({
        "valid": true,
        "exit_code": public.exit_code,
        "output": header.output,
        "about": about,
        "properties": traits,
        "bits": ledger.bits(),
        "ledger": ledger,
        "proof_bytes": proof.len(),
        "verify_ns": time.as_nanos() as u64,
    });
    Ok(Reply { text, json })
}

fn from_key(path: &Path, about: &About, system: &dyn System) -> Result<Box<dyn Verifier>, Fault> {
    let (header, key) = container::read::<KeyHeader>(path)?;
    let of_key = header.about;
    let difference = if of_key.pipeline != about.pipeline {
        Some(("pipeline", of_key.pipeline.0, about.pipeline.0.clone()))
    } else if of_key.options != about.options {
        let text = |about: &About| serde_json::to_string(&about.options).unwrap_or_default();
        Some(("options", text(&of_key), text(about)))
    } else if of_key.srs != about.srs {
        let text = |about: &About| about.srs.clone().unwrap_or_else(|| "none".into());
        Some(("reference string", text(&of_key), text(about)))
    } else if of_key.program != about.program {
        Some(("program", of_key.program, about.program.clone()))
    } else {
        None
    };
    let at_key = |fault: Fault| fault.about(path.display());
    if let Some((what, of_key, of_proof)) = difference {
        let text = format!("not the key of this proof: {what} {of_key}, the proof has {of_proof}");
        return Err(at_key(Fault::Failed(text)));
    }
    system.verifier(&key).map_err(|reject| at_key(reject.into()))
}

fn from_program(elf: &Path, about: &About, system: &dyn System) -> Result<Box<dyn Verifier>, Fault> {
    let program = files::program(elf)?;
    let digest = hex::encode(program.digest);
    if digest != about.program {
        let (elf, other) = (elf.display(), &about.program);
        let text = format!("{elf}: the proof is about another program ({other}, not {digest})");
        return Err(Fault::Failed(text));
    }
    Ok(system.keys(&program)?)
}
