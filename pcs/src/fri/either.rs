//! A choice between two kinds of Merkle tree that is made when a key is: schemes are compiled once
//! for all hashes. It is looked at once for every commitment and every opening, not for every node.
//!
//! What a tree of one kind has made, the other does not verify: that is an error, not a panic. The
//! prover's data says of which kind it is, and comes with its tree, so that opening it cannot fail; it is
//! counted, because p3-whir takes it by value, and several openings hold one tree.

use std::sync::Arc;

use p3_challenger::CanObserve;
use p3_commit::{BatchOpening, BatchOpeningRef, Mmcs};
use p3_matrix::{Dimensions, Matrix};
use serde::{Deserialize, Serialize};
use trilemma_core::Setting;

use super::challenger::Roots;
use super::tree::Merkle;

/// One or the other. Of kinds of trees it is a kind, of p3's trees a tree, of roots a root.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Either<A, B> {
    /// The first.
    First(A),
    /// The second.
    Second(B),
}
use Either::{First, Second};

/// Why an opening is refused: by a tree, or because it is of another.
type Refusal<A, B> = Option<Either<A, B>>;

/// A tree with what it keeps of matrices.
type Kept<T, M, X> = (M, <M as Mmcs<T>>::ProverData<X>);

impl<T: Send + Sync + Clone, A: Mmcs<T>, B: Mmcs<T>> Mmcs<T> for Either<A, B> {
    type ProverData<X> = Arc<Either<Kept<T, A, X>, Kept<T, B, X>>>;
    type Commitment = Either<A::Commitment, B::Commitment>;
    type Proof = Either<A::Proof, B::Proof>;
    type MultiProof = Either<A::MultiProof, B::MultiProof>;
    type Error = Refusal<A::Error, B::Error>;

    fn commit<X: Matrix<T>>(&self, inputs: Vec<X>) -> (Self::Commitment, Self::ProverData<X>) {
        match self {
            First(tree) => {
                let (root, data) = tree.commit(inputs);
                (First(root), Arc::new(First((tree.clone(), data))))
            }
            Second(tree) => {
                let (root, data) = tree.commit(inputs);
                (Second(root), Arc::new(Second((tree.clone(), data))))
            }
        }
    }

    fn open_batch<X: Matrix<T>>(&self, index: usize, data: &Self::ProverData<X>) -> BatchOpening<T, Self> {
        match &**data {
            First((tree, data)) => {
                let (values, proof) = tree.open_batch(index, data).unpack();
                BatchOpening::new(values, First(proof))
            }
            Second((tree, data)) => {
                let (values, proof) = tree.open_batch(index, data).unpack();
                BatchOpening::new(values, Second(proof))
            }
        }
    }

    fn get_matrices<'a, X: Matrix<T>>(&self, data: &'a Self::ProverData<X>) -> Vec<&'a X> {
        match &**data {
            First((tree, data)) => tree.get_matrices(data),
            Second((tree, data)) => tree.get_matrices(data),
        }
    }

    fn verify_batch(
        &self,
        root: &Self::Commitment,
        dimensions: &[Dimensions],
        index: usize,
        opening: BatchOpeningRef<'_, T, Self>,
    ) -> Result<(), Self::Error> {
        let (values, proof) = opening.unpack();
        match (self, root, proof) {
            (First(tree), First(root), First(proof)) => tree
                .verify_batch(root, dimensions, index, BatchOpeningRef::new(values, proof))
                .map_err(|e| Some(First(e))),
            (Second(tree), Second(root), Second(proof)) => tree
                .verify_batch(root, dimensions, index, BatchOpeningRef::new(values, proof))
                .map_err(|e| Some(Second(e))),
            _ => Err(None),
        }
    }

    fn open_multi_batch<X: Matrix<T>>(
        &self,
        indices: &[usize],
        data: &Self::ProverData<X>,
    ) -> (Vec<Vec<Vec<T>>>, Self::MultiProof) {
        match &**data {
            First((tree, data)) => {
                let (values, proof) = tree.open_multi_batch(indices, data);
                (values, First(proof))
            }
            Second((tree, data)) => {
                let (values, proof) = tree.open_multi_batch(indices, data);
                (values, Second(proof))
            }
        }
    }

    fn verify_multi_batch<R: AsRef<[T]> + PartialEq>(
        &self,
        root: &Self::Commitment,
        dimensions: &[Dimensions],
        indices: &[usize],
        rows: &[Vec<R>],
        proof: &Self::MultiProof,
    ) -> Result<(), Self::Error> {
        match (self, root, proof) {
            (First(tree), First(root), First(proof)) => {
                tree.verify_multi_batch(root, dimensions, indices, rows, proof).map_err(|e| Some(First(e)))
            }
            (Second(tree), Second(root), Second(proof)) => {
                tree.verify_multi_batch(root, dimensions, indices, rows, proof).map_err(|e| Some(Second(e)))
            }
            _ => Err(None),
        }
    }
}

impl<S: Setting, A: Merkle<S>, B: Merkle<S>> Merkle<S> for Either<A, B> {
    type Mmcs = Either<A::Mmcs, B::Mmcs>;

    fn hashes() -> Vec<&'static str> {
        [A::hashes(), B::hashes()].concat()
    }

    fn mmcs(hash: &str) -> Option<Self::Mmcs> {
        A::mmcs(hash).map(First).or_else(|| B::mmcs(hash).map(Second))
    }

    fn digest_bytes(mmcs: &Self::Mmcs) -> usize {
        match mmcs {
            First(mmcs) => A::digest_bytes(mmcs),
            Second(mmcs) => B::digest_bytes(mmcs),
        }
    }

    fn collision_bits(mmcs: &Self::Mmcs) -> f64 {
        match mmcs {
            First(mmcs) => A::collision_bits(mmcs),
            Second(mmcs) => B::collision_bits(mmcs),
        }
    }

    fn encode_root(root: &<Self::Mmcs as Mmcs<S::Base>>::Commitment, out: &mut Vec<u8>) {
        match root {
            First(root) => A::encode_root(root, out),
            Second(root) => B::encode_root(root, out),
        }
    }

    fn decode_root(mmcs: &Self::Mmcs, bytes: &[u8]) -> Option<<Self::Mmcs as Mmcs<S::Base>>::Commitment> {
        match mmcs {
            First(mmcs) => A::decode_root(mmcs, bytes).map(First),
            Second(mmcs) => B::decode_root(mmcs, bytes).map(Second),
        }
    }

    fn encode_paths(paths: &<Self::Mmcs as Mmcs<S::Base>>::MultiProof, out: &mut Vec<u8>) {
        match paths {
            First(paths) => A::encode_paths(paths, out),
            Second(paths) => B::encode_paths(paths, out),
        }
    }

    fn decode_paths(mmcs: &Self::Mmcs, bytes: &[u8]) -> Option<<Self::Mmcs as Mmcs<S::Base>>::MultiProof> {
        match mmcs {
            First(mmcs) => A::decode_paths(mmcs, bytes).map(First),
            Second(mmcs) => B::decode_paths(mmcs, bytes).map(Second),
        }
    }
}

impl<F, C, A, B> CanObserve<Either<A, B>> for Roots<F, C>
where
    Self: CanObserve<A> + CanObserve<B>,
{
    fn observe(&mut self, root: Either<A, B>) {
        match root {
            First(root) => self.observe(root),
            Second(root) => self.observe(root),
        }
    }
}

#[cfg(test)]
mod tests {
    use p3_challenger::CanSample;
    use p3_matrix::dense::RowMajorMatrix;
    use trilemma_core::Options;
    use trilemma_core::setting::{Bls12, Goldilocks2, KoalaBear4};

    use super::super::tree::{AnyTree, Blake3Tree, ByteTree, Challenged, KeccakTree, Poseidon2Tree};
    use super::*;

    type F = <KoalaBear4 as Setting>::Base;
    type Trees = <AnyTree as Merkle<KoalaBear4>>::Mmcs;

    const HASHES: [&str; 3] = ["blake3", "keccak", "poseidon2"];

    fn tree(hash: &str) -> Trees {
        <AnyTree as Merkle<KoalaBear4>>::mmcs(hash).expect("a hash")
    }

    fn matrix() -> RowMajorMatrix<F> {
        RowMajorMatrix::new((0..64).map(F::new).collect(), 4)
    }

    fn refused<S: Setting, T: Merkle<S>>(hash: &str) -> String {
        let options = Options { hash: hash.into(), ..Options::default() };
        T::chosen(&options).err().map(|e| e.0).unwrap_or_default()
    }

    #[test]
    fn options_choose() {
        for hash in HASHES {
            assert_eq!(refused::<Goldilocks2, AnyTree>(hash), "");
        }
        let all = refused::<Goldilocks2, AnyTree>("md5");
        assert!(all.ends_with("legal choices: blake3, keccak, poseidon2"), "{all}");
        let bytes = refused::<Bls12, ByteTree>("poseidon2");
        assert!(bytes.contains("`poseidon2`") && bytes.ends_with("legal choices: blake3, keccak"), "{bytes}");
    }

    /// What a kind of tree sends for a matrix, and what it says of its hash.
    fn sent<T: Merkle<KoalaBear4>>(hash: &str) -> (Vec<u8>, usize, f64) {
        let tree = T::mmcs(hash).expect("its hash");
        let (root, data) = tree.commit_matrix(matrix());
        assert_eq!(tree.get_matrices(&data), [&matrix()]);
        let (rows, paths) = tree.open_multi_batch(&[1, 6], &data);
        assert_eq!(rows[1][0], matrix().values[24..28]);
        let mut bytes = Vec::new();
        T::encode_root(&root, &mut bytes);
        T::encode_paths(&paths, &mut bytes);
        (bytes, T::digest_bytes(&tree), T::collision_bits(&tree))
    }

    #[test]
    fn a_choice_is_what_is_chosen() {
        assert_eq!(sent::<AnyTree>("blake3"), sent::<Blake3Tree>("blake3"));
        assert_eq!(sent::<AnyTree>("keccak"), sent::<KeccakTree>("keccak"));
        assert_eq!(sent::<AnyTree>("poseidon2"), sent::<Poseidon2Tree>("poseidon2"));
    }

    /// Roots, paths and trees of three hashes: only those of one hash fit together.
    #[test]
    fn another_hash_is_an_error() {
        let shape = [Dimensions { width: 4, height: 16 }];
        for tree_of in HASHES {
            for root_of in HASHES {
                for proof_of in HASHES {
                    let root = tree(root_of).commit_matrix(matrix()).0;
                    let (_, data) = tree(proof_of).commit_matrix(matrix());
                    // The prover's data brings its tree along.
                    let (rows, paths) = tree(tree_of).open_multi_batch(&[3, 5], &data);
                    let many = tree(tree_of).verify_multi_batch(&root, &shape, &[3, 5], &rows, &paths);
                    let (row, path) = tree(tree_of).open_batch(3, &data).unpack();
                    let one = tree(tree_of).verify_batch(&root, &shape, 3, BatchOpeningRef::new(&row, &path));
                    let fits = tree_of == root_of && root_of == proof_of;
                    assert_eq!((many.is_ok(), one.is_ok()), (fits, fits), "{tree_of} {root_of} {proof_of}");
                }
            }
        }
    }

    /// Every root is absorbed, and every word of it.
    #[test]
    fn roots_are_observed() {
        for hash in HASHES {
            let after = |roots: &[<Trees as Mmcs<F>>::Commitment]| -> [F; 4] {
                let mut challenger = <KoalaBear4 as Challenged>::challenger([7; 32]);
                roots.iter().for_each(|root| challenger.observe(root.clone()));
                [(); 4].map(|()| challenger.sample())
            };
            let root = tree(hash).commit_matrix(matrix()).0;
            let mut bytes = Vec::new();
            <AnyTree as Merkle<KoalaBear4>>::encode_root(&root, &mut bytes);
            let mut seen = vec![after(&[]), after(&[root.clone(), root])];
            // The root itself, then with every word changed.
            for at in (0..=bytes.len() / 4).rev() {
                let mut bytes = bytes.clone();
                if let Some(byte) = bytes.get_mut(4 * at) {
                    *byte ^= 1;
                }
                let root = <AnyTree as Merkle<KoalaBear4>>::decode_root(&tree(hash), &bytes).expect("a root");
                let sampled = after(&[root]);
                assert!(!seen.contains(&sampled), "{hash} {at}");
                seen.push(sampled);
            }
        }
    }
}
