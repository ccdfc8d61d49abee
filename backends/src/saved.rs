//! What systems over the machine's tables say alike: saved keys, a statement's bytes, the phases of a run.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use trilemma_core::Reject;
use trilemma_frontends::riscv::machine::Sizes;

use crate::Public;

/// A verifying key: what it is for, a machine's sizes, and the commitment to its fixed columns.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedKey {
    protocol: [u8; 32],
    entry: u32,
    log_program: u32,
    log_image: u32,
    index: Vec<u8>,
}

/// The bytes of a verifying key.
pub(crate) fn save_key(protocol: [u8; 32], sizes: Sizes, index: Vec<u8>) -> Vec<u8> {
    let Sizes { entry, log_program, log_image } = sizes;
    let saved = SavedKey { protocol, entry, log_program, log_image, index };
    serde_json::to_vec(&saved).unwrap_or_default()
}

/// Reads what [`save_key`] wrote for a protocol: a machine's sizes, its tables of at most `2^most` rows, and the
/// commitment.
pub(crate) fn load_key(protocol: &[u8; 32], most: u32, bytes: &[u8]) -> Result<(Sizes, Vec<u8>), Reject> {
    let saved: SavedKey = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
    let SavedKey { entry, log_program, log_image, index, .. } = saved;
    if log_program > most || log_image > most || saved.protocol != *protocol {
        return Err(unreadable());
    }
    Ok((Sizes { entry, log_program, log_image }, index))
}

/// Why a key is refused.
pub(crate) fn unreadable() -> Reject {
    Reject::new("the verifying key cannot be read")
}

/// Canonical bytes of a statement about a machine of these sizes.
pub(crate) fn statement(sizes: Sizes, public: &Public) -> Vec<u8> {
    let Sizes { entry, log_program, log_image } = sizes;
    let mut bytes = Vec::new();
    for x in [entry, log_program, log_image, public.exit_code, public.output.len() as u32] {
        bytes.extend(x.to_le_bytes());
    }
    bytes.extend(&public.output);
    bytes
}

/// The phases of a run: `executed` and `filled` since its start, `proving` since then, and how much of that was
/// committing and opening.
pub(crate) fn phases(
    [executed, filled]: [Duration; 2],
    proving: Duration,
    [commit, open]: [Duration; 2],
) -> Vec<(&'static str, Duration)> {
    vec![
        ("execute", executed),
        ("witness", filled - executed),
        ("commit", commit),
        ("piop", proving.saturating_sub(commit + open)),
        ("open", open),
    ]
}
