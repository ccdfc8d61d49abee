//! `export`: the R1CS of an execution for other tools.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use serde_json::json;
use trilemma_backends::export_r1cs;
use trilemma_reports::format;

use super::{Reply, readable, table};
use crate::cli::Export;
use crate::fault::Fault;
use crate::files;

pub(super) fn run(args: &Export) -> Result<Reply, Fault> {
    let program = files::program(&args.elf)?;
    let input = args.input.input().bytes()?;
    files::check_directory(&args.output)?;
    let create = |extension: &str| {
        let mut name = args.output.clone().into_os_string();
        name.push(extension);
        let path = PathBuf::from(name);
        let file = File::create(&path).map_err(|error| Fault::file(&path, &error))?;
        Ok::<_, Fault>((path, BufWriter::new(file)))
    };
    let ((system_path, mut system), (witness_path, mut witness)) = (create(".r1cs")?, create(".wtns")?);
    let exported = export_r1cs((&program, &input, args.max_cycles), &args.setting, &mut system, &mut witness);
    let exported = exported.map_err(|failure| {
        // Files that are cut short help nobody; that they cannot be removed is no news then.
        for path in [&system_path, &witness_path] {
            let _ = std::fs::remove_file(path);
        }
        Fault::from(failure).about(args.elf.display())
    })?;
    for (path, file) in [(&system_path, &mut system), (&witness_path, &mut witness)] {
        file.flush().map_err(|error| Fault::file(path, &error))?;
    }
    let text = table(&[
        ("system", system_path.display().to_string()),
        ("witness", witness_path.display().to_string()),
        ("exit code", exported.public.exit_code.to_string()),
        ("output", readable(&exported.public.output)),
        ("cycles", format::grouped(exported.cycles)),
        ("wires", format::grouped(exported.wires)),
        ("constraints", format::grouped(exported.constraints)),
    ]);
    let json = json!({
        "system": system_path,
        "witness": witness_path,
        "setting": args.setting,
        "exit_code": exported.public.exit_code,
        "output": hex::encode(&exported.public.output),
        "cycles": exported.cycles,
        "wires": exported.wires,
        "constraints": exported.constraints,
    });
    Ok(Reply { text, json })
}
