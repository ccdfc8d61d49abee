//! Verifying keys as bytes, and what a proof is bound to.

use trilemma_core::Reject;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_pcs::fri::tree::Merkle;

use super::{Root, S, T, Trees};
use crate::Public;
use crate::saved::{load_key, save_key, statement, unreadable};

/// A commitment as bytes.
pub fn encode_root(root: &Root) -> Vec<u8> {
    let mut bytes = Vec::new();
    <T as Merkle<S>>::encode_root(root, &mut bytes);
    bytes
}

/// The key of a machine under a protocol, with the commitment to its fixed columns.
pub fn save(protocol: [u8; 32], machine: &Machine, root: &Root) -> Vec<u8> {
    save_key(protocol, machine.sizes(), encode_root(root))
}

/// Reads a key: a machine of its sizes, with tables of at most `2^most` rows, and the commitment.
pub fn load(protocol: &[u8; 32], trees: &Trees, most: usize, bytes: &[u8]) -> Result<(Machine, Root), Reject> {
    let (sizes, index) = load_key(protocol, most as u32, bytes)?;
    if index.len() != <T as Merkle<S>>::digest_bytes(trees) {
        return Err(unreadable());
    }
    let root = <T as Merkle<S>>::decode_root(trees, &index).ok_or_else(unreadable)?;
    Ok((Machine::of_sizes(sizes), root))
}

/// Everything outside the proof: the fixed columns' commitment, and the statement.
pub fn binding(root: &Root, machine: &Machine, public: &Public) -> [Vec<u8>; 2] {
    [encode_root(root), statement(machine.sizes(), public)]
}
