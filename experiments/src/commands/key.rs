//! `key`: saves a program's verifying key.

use serde_json::json;
use trilemma_reports::format;

use super::{Reply, resolve};
use crate::cli::Key;
use crate::container::{self, About, KeyHeader};
use crate::fault::Fault;
use crate::files;

pub(super) fn run(args: &Key) -> Result<Reply, Fault> {
    let program = files::program(&args.elf)?;
    let (pipeline, options) = (args.pipeline.pipeline(), args.pipeline.options());
    let about = About::new(&pipeline, &options, &program)?;
    files::check_directory(&args.output)?;
    let keys = resolve(&pipeline, &options)?.keys(&program)?;
    let mut key = keys.verifying_key();
    if key.is_empty() {
        // The key is for executions of one size.
        let failed = |failure| Fault::from(failure).about(args.elf.display());
        keys.prepare(&args.input.input().bytes()?, args.max_cycles).map_err(failed)?;
        key = keys.verifying_key();
    }
    let header = KeyHeader { about };
    files::write(&args.output, &container::encode(&header, &key))?;
    let (file, elf) = (args.output.display(), args.elf.display());
    let text = format!("{file}: verifying key of {elf}, {}", format::bytes(key.len() as f64));
    let json = json!({ "file": args.output, "key_bytes": key.len(), "about": header.about });
    Ok(Reply { text, json })
}
