//! `srs`: makes a structured reference string whose trapdoor anybody can compute.

use serde_json::json;
use trilemma_pcs::srs::{self, DEFAULT_SEED, multilinear};

use super::Reply;
use crate::cli::{Srs, SrsKind};
use crate::fault::Fault;

pub(super) fn run(args: &Srs) -> Result<Reply, Fault> {
    let (kind, save): (_, fn(_, _, _, _) -> _) = match args.kind {
        SrsKind::Univariate => ("univariate", srs::save_insecure),
        SrsKind::Multilinear => ("multilinear", multilinear::save_insecure),
    };
    save(&args.curve, args.log_size, DEFAULT_SEED, &args.output)?;
    let text = format!(
        "{}: 2^{} points over {}, {kind}; INSECURE, for measuring only: its trapdoor can be computed from its seed",
        args.output.display(),
        args.log_size,
        args.curve
    );
    let json = json!({
        "file": args.output,
        "curve": args.curve,
        "kind": kind,
        "log_size": args.log_size,
        "insecure": true,
    });
    Ok(Reply { text, json })
}
