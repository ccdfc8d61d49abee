//! A Merkle tree over the rows of a matrix: its root is sent, some of its rows are revealed.
//!
//! Rows and paths are hints, being authenticated by the root. Both sides know which rows are asked,
//! hence how many siblings a proof holds; cells that the verifier can compute are not written.

use p3_commit::Mmcs;
use p3_matrix::Dimensions;
use p3_matrix::dense::RowMajorMatrix;
use trilemma_core::{Label, ProverTranscript, Reject, Setting, VerifierTranscript};

use crate::fri::tree::Merkle;

/// A root.
pub type Root<S, T> = <<T as Merkle<S>>::Mmcs as Mmcs<<S as Setting>::Base>>::Commitment;

/// A tree with its matrix.
pub type Tree<S, T> =
    <<T as Merkle<S>>::Mmcs as Mmcs<<S as Setting>::Base>>::ProverData<RowMajorMatrix<<S as Setting>::Base>>;

/// A polynomial's values and the tree over their encoding: what a prover keeps.
pub struct Committed<S: Setting, T: Merkle<S>> {
    pub(crate) values: Vec<S::Base>,
    pub(crate) tree: Tree<S, T>,
}

/// Commits to a matrix, sending the root.
pub fn commit<S: Setting, T: Merkle<S>>(
    mmcs: &T::Mmcs,
    matrix: RowMajorMatrix<S::Base>,
    label: Label,
    t: &mut ProverTranscript,
) -> Tree<S, T> {
    let (root, tree) = mmcs.commit_matrix(matrix);
    let mut bytes = Vec::with_capacity(T::digest_bytes(mmcs));
    T::encode_root(&root, &mut bytes);
    t.send(label, &bytes);
    tree
}

/// Receives a root.
pub fn receive<S: Setting, T: Merkle<S>>(
    mmcs: &T::Mmcs,
    label: Label,
    t: &mut VerifierTranscript<'_>,
) -> Result<Root<S, T>, Reject> {
    T::decode_root(mmcs, t.recv(label, T::digest_bytes(mmcs))?)
        .ok_or_else(|| Reject::new("a Merkle root is not canonical"))
}

/// Cells of the committed matrix, row by row.
pub fn cells<'t, S: Setting, T: Merkle<S>>(mmcs: &T::Mmcs, tree: &'t Tree<S, T>) -> &'t [S::Base] {
    mmcs.get_matrices(tree).first().map_or(&[], |matrix| matrix.values.as_slice())
}

/// Reveals rows, given in ascending order, but for the cells that are `known` by row and column.
pub fn reveal<S: Setting, T: Merkle<S>>(
    mmcs: &T::Mmcs,
    tree: &Tree<S, T>,
    rows: &[usize],
    known: impl Fn(usize, usize) -> bool,
    t: &mut ProverTranscript,
) {
    let (values, paths) = mmcs.open_multi_batch(rows, tree);
    let mut bytes = Vec::new();
    for (&row, cells) in rows.iter().zip(values.iter().flatten()) {
        let unknown = cells.iter().enumerate().filter(|(column, _)| !known(row, *column));
        unknown.for_each(|(_, &cell)| S::encode(cell, &mut bytes));
    }
    t.hint("rows", &bytes);
    bytes.clear();
    T::encode_paths(&paths, &mut bytes);
    t.hint("paths", &bytes);
}

/// Reads and authenticates what [`reveal`] wrote.
pub fn read<S: Setting, T: Merkle<S>>(
    mmcs: &T::Mmcs,
    root: &Root<S, T>,
    dimensions: Dimensions,
    rows: &[usize],
    known: impl Fn(usize, usize) -> Option<S::Base>,
    t: &mut VerifierTranscript<'_>,
) -> Result<Vec<Vec<S::Base>>, Reject> {
    let mut cell = |row, column| match known(row, column) {
        Some(cell) => Ok(cell),
        None => S::decode(t.hint("rows", S::BYTES)?).ok_or_else(|| Reject::new("a revealed cell is not canonical")),
    };
    let values = rows
        .iter()
        .map(|&row| Ok(vec![(0..dimensions.width).map(|column| cell(row, column)).collect::<Result<Vec<_>, _>>()?]))
        .collect::<Result<Vec<Vec<Vec<S::Base>>>, Reject>>()?;
    let bytes = t.hint("paths", siblings(rows, dimensions.height) * T::digest_bytes(mmcs))?;
    let paths = T::decode_paths(mmcs, bytes).ok_or_else(|| Reject::new("a Merkle path is not canonical"))?;
    mmcs.verify_multi_batch(root, &[dimensions], rows, &values, &paths)
        .map_err(|_| Reject::new("a revealed row is not in the tree"))?;
    Ok(values.into_iter().flatten().collect())
}

/// How many digests authenticate these leaves, given in ascending order, of a binary tree of so many.
fn siblings(leaves: &[usize], mut layer: usize) -> usize {
    let (mut nodes, mut count) = (leaves.to_vec(), 0);
    while layer > 1 {
        let children = nodes.len();
        nodes.iter_mut().for_each(|node| *node >>= 1);
        nodes.dedup();
        count += 2 * nodes.len() - children;
        layer = layer.div_ceil(2);
    }
    count
}

/// At most `count` numbers below `n` from a seed, in ascending order.
pub fn draw(seed: &[u8; 32], label: &[u8], n: usize, count: usize) -> Vec<usize> {
    let mut hasher = blake3::Hasher::new_derive_key("trilemma queries v1");
    let mut stream = hasher.update(seed).update(label).finalize_xof();
    let mut number = || {
        let mut bytes = [0; 16];
        stream.fill(&mut bytes);
        (u128::from_le_bytes(bytes) % n.max(1) as u128) as usize
    };
    let mut numbers: Vec<usize> = (0..count).map(|_| number()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The numbers of the blocks of `2^log` in which these positions lie.
pub fn blocks(positions: &[usize], log: usize) -> Vec<usize> {
    let mut blocks: Vec<usize> = positions.iter().map(|p| p >> log).collect();
    blocks.dedup();
    blocks
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use trilemma_core::Security;
    use trilemma_core::setting::{Bn254, KoalaBear4};

    use super::*;
    use crate::fri::tree::{AnyTree, ByteTree};

    fn round_trip<S: Setting, T: Merkle<S>>(hash: &str, height: usize, rows: &[usize]) {
        let mmcs = T::mmcs(hash).expect("a hash");
        let matrix = RowMajorMatrix::new((0..3 * height).map(S::Base::from_usize).collect(), 3);
        let mut t = ProverTranscript::new(b"", Security::default());
        let tree = commit::<S, T>(&mmcs, matrix, "root", &mut t);
        reveal::<S, T>(&mmcs, &tree, rows, |row, column| (row + column) % 2 == 0, &mut t);
        let (mut proof, ..) = t.finish();
        let dimensions = Dimensions { width: 3, height };
        for change in 0..3 {
            proof[T::digest_bytes(&mmcs) + 1] ^= change;
            let mut t = VerifierTranscript::new(b"", Security::default(), &proof);
            let root = receive::<S, T>(&mmcs, "root", &mut t).expect("a root");
            let known = |r: usize, c: usize| (r + c).is_multiple_of(2).then(|| S::Base::from_usize(3 * r + c));
            let read = read::<S, T>(&mmcs, &root, dimensions, rows, known, &mut t);
            let expected = rows.iter().map(|r| (0..3).map(|c| S::Base::from_usize(3 * r + c)).collect()).collect();
            if change == 0 {
                assert_eq!(read, Ok(expected));
                t.finish().expect("everything is read");
            } else {
                assert!(read.is_err());
            }
        }
    }

    #[test]
    fn rows_are_authenticated() {
        for height in [2, 5, 8, 13, 32, 47] {
            for rows in [vec![0], vec![1], (0..height).collect(), (0..height).step_by(3).collect(), vec![height - 1]] {
                round_trip::<KoalaBear4, AnyTree>("blake3", height, &rows);
                round_trip::<KoalaBear4, AnyTree>("poseidon2", height, &rows);
                round_trip::<Bn254, ByteTree>("keccak", height, &rows);
            }
        }
    }

    #[test]
    fn draws_are_in_range_and_spread() {
        let drawn = draw(&[7; 32], b"x", 1000, 5000);
        assert!(drawn.is_sorted() && drawn.len() > 950 && drawn.iter().all(|&i| i < 1000));
        assert_ne!(draw(&[7; 32], b"x", 1 << 20, 9), draw(&[7; 32], b"y", 1 << 20, 9));
        assert_eq!(blocks(&[0, 1, 5, 8, 9], 2), [0, 1, 2]);
    }
}
