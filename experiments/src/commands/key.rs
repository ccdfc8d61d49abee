//! `key`: saves a program's verifying key.

use serde_json::json;
use trilemma_reports::format;

use super::{Reply, resolve};
use crate::cli::Key;
use crate::container::{self, KeyHeader};
use crate::fault::Fault;
use crate::files;

pub(super) fn run(args: &Key) -> Result<Reply, Fault> {
    let program = files::program(&args.elf)?;
    let (pipeline, options) = (args.pipeline.pipeline(), args.pipeline.options());
    let system = resolve(&pipeline, &options)?;
    let key = system.keys(&program)?.verifying_key();
    let header = KeyHeader {
        pipeline,
        options,
        program: hex::encode(program.digest),
    };
    let bytes = container::encode(&header, &key);
    files::write(&args.output, &bytes)?;
    let text = format!(
        "{}: verifying key of {}, {}",
        args.output.display(),
        args.elf.display(),
        format::bytes(key.len() as f64)
    );
    Ok(Reply {
        text,
        json: json!({ "file": args.output, "key_bytes": key.len(), "program": header.program }),
    })
}
