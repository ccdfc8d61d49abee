//! Verifying keys as bytes, and what a proof is bound to.

use p3_commit::Mmcs;
use trilemma_core::Reject;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_pcs::fri::tree::Merkle;

use super::{F, S};
use crate::Public;
use crate::saved::{load_key, save_key, statement, unreadable};

/// Commitment of a kind of tree.
pub type Root<T> = <<T as Merkle<S>>::Mmcs as Mmcs<F>>::Commitment;

fn encode_root<T: Merkle<S>>(root: &Root<T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    T::encode_root(root, &mut bytes);
    bytes
}

/// The key of a machine under a protocol, with the commitment to its fixed columns.
pub fn save<T: Merkle<S>>(protocol: [u8; 32], machine: &Machine, root: &Root<T>) -> Vec<u8> {
    save_key(protocol, machine.sizes(), encode_root::<T>(root))
}

/// Reads a key: a machine of its sizes, with tables of at most `2^most` rows, and the commitment.
pub fn load<T: Merkle<S>>(
    protocol: &[u8; 32],
    trees: &T::Mmcs,
    most: usize,
    bytes: &[u8],
) -> Result<(Machine, Root<T>), Reject> {
    let (sizes, index) = load_key(protocol, most as u32, bytes)?;
    if index.len() != T::digest_bytes(trees) {
        return Err(unreadable());
    }
    let root = T::decode_root(trees, &index).ok_or_else(unreadable)?;
    Ok((Machine::of_sizes(sizes), root))
}

/// Everything outside the proof: the fixed columns' commitment, and the statement.
pub fn binding<T: Merkle<S>>(root: &Root<T>, machine: &Machine, public: &Public) -> [Vec<u8>; 2] {
    [encode_root::<T>(root), statement(machine.sizes(), public)]
}
