//! Verifying keys as bytes, and what a proof is bound to.

use p3_commit::Mmcs;
use serde::{Deserialize, Serialize};
use trilemma_core::Reject;
use trilemma_frontends::riscv::machine::{Machine, Sizes};
use trilemma_pcs::fri::tree::Merkle;

use super::{F, S};
use crate::Public;

/// Commitment of a kind of tree.
pub type Root<T> = <<T as Merkle<S>>::Mmcs as Mmcs<F>>::Commitment;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedKey {
    protocol: [u8; 32],
    entry: u32,
    log_program: u32,
    log_image: u32,
    index: Vec<u8>,
}

fn encode_root<T: Merkle<S>>(root: &Root<T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    T::encode_root(root, &mut bytes);
    bytes
}

/// The key of a machine under a protocol, with the commitment to its fixed columns.
pub fn save<T: Merkle<S>>(protocol: [u8; 32], machine: &Machine, root: &Root<T>) -> Vec<u8> {
    let Sizes { entry, log_program, log_image } = machine.sizes();
    let saved = SavedKey { protocol, entry, log_program, log_image, index: encode_root::<T>(root) };
    serde_json::to_vec(&saved).unwrap_or_default()
}

/// Reads a key: a machine of its sizes, with tables of at most `2^most` rows, and the commitment.
pub fn load<T: Merkle<S>>(protocol: &[u8; 32], most: usize, bytes: &[u8]) -> Result<(Machine, Root<T>), Reject> {
    let bad = || Reject::new("the verifying key cannot be read");
    let saved: SavedKey = serde_json::from_slice(bytes).map_err(|_| bad())?;
    let SavedKey { entry, log_program, log_image, index, .. } = saved;
    let most = most as u32;
    if log_program > most || log_image > most || saved.protocol != *protocol || index.len() != T::DIGEST_BYTES {
        return Err(bad());
    }
    let root = T::decode_root(&index).ok_or_else(bad)?;
    Ok((Machine::of_sizes(Sizes { entry, log_program, log_image }), root))
}

/// Everything outside the proof: the fixed columns' commitment, and the statement.
pub fn binding<T: Merkle<S>>(root: &Root<T>, machine: &Machine, public: &Public) -> [Vec<u8>; 2] {
    let Sizes { entry, log_program, log_image } = machine.sizes();
    let mut statement = Vec::new();
    for x in [entry, log_program, log_image, public.exit_code, public.output.len() as u32] {
        statement.extend(x.to_le_bytes());
    }
    statement.extend(&public.output);
    [encode_root::<T>(root), statement]
}
