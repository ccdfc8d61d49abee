//! `srs`: makes a structured reference string whose trapdoor anybody can compute.

use serde_json::json;
use trilemma_pcs::srs::{DEFAULT_SEED, save_insecure};

use super::Reply;
use crate::cli::Srs;
use crate::fault::Fault;

pub(super) fn run(args: &Srs) -> Result<Reply, Fault> {
    save_insecure(&args.curve, args.log_size, DEFAULT_SEED, &args.output)?;
    let text = format!(
        "{}: 2^{} powers over {}; INSECURE, for measuring only: its trapdoor can be computed from its seed",
        args.output.display(),
        args.log_size,
        args.curve
    );
    let json = json!({ "file": args.output, "curve": args.curve, "log_size": args.log_size, "insecure": true });
    Ok(Reply { text, json })
}
