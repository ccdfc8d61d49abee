//! Merkle trees, by hash. A tree names its p3 types and how its digests are encoded; over base fields
//! with a challenger of p3's, it serves FRI.

use p3_baby_bear::{BabyBear, Poseidon2BabyBear, default_babybear_poseidon2_16, default_babybear_poseidon2_24};
use p3_blake3::Blake3;
use p3_challenger::{
    CanObserve, CanSampleUniformBits, FieldChallenger, GrindingChallenger, HashChallenger, SerializingChallenger32,
    SerializingChallenger64,
};
use p3_commit::Mmcs;
use p3_field::{Field, PrimeField64};
use p3_goldilocks::{Goldilocks, Poseidon2Goldilocks, default_goldilocks_poseidon2_8, default_goldilocks_poseidon2_12};
use p3_keccak::Keccak256Hash;
use p3_koala_bear::{KoalaBear, Poseidon2KoalaBear, default_koalabear_poseidon2_16, default_koalabear_poseidon2_24};
use p3_merkle_tree::{MerkleTreeMmcs, PrunedMerklePaths};
use p3_symmetric::{
    CompressionFunctionFromHasher, MerkleCap, PaddingFreeSponge, SerializingHasher, TruncatedPermutation,
};
use trilemma_core::{Setting, Smooth};

use super::challenger::{Steady, Words};

/// A kind of Merkle tree over the base field of `S`.
pub trait Merkle<S: Setting>: Send + Sync + 'static {
    /// p3's tree.
    type Mmcs: Mmcs<
            S::Base,
            Commitment: Send + Sync,
            ProverData<p3_matrix::dense::RowMajorMatrix<S::Base>>: Send + Sync,
            MultiProof: Send + Sync,
            Error: Sync,
        > + Send
        + Sync;
    /// Bytes of an encoded digest.
    const DIGEST_BYTES: usize;
    /// Collision resistance of the hash.
    const COLLISION_BITS: f64;

    /// The tree's parameters.
    fn mmcs() -> Self::Mmcs;
    /// Appends a root.
    fn encode_root(root: &<Self::Mmcs as Mmcs<S::Base>>::Commitment, out: &mut Vec<u8>);
    /// Reads a root of [`Self::DIGEST_BYTES`] bytes.
    fn decode_root(bytes: &[u8]) -> Option<<Self::Mmcs as Mmcs<S::Base>>::Commitment>;
    /// Appends the siblings of pruned paths.
    fn encode_paths(paths: &<Self::Mmcs as Mmcs<S::Base>>::MultiProof, out: &mut Vec<u8>);
    /// Reads siblings, [`Self::DIGEST_BYTES`] bytes each.
    fn decode_paths(bytes: &[u8]) -> Option<<Self::Mmcs as Mmcs<S::Base>>::MultiProof>;
}

/// A tree whose roots a challenger of p3's can observe.
pub trait Tree<S: Smooth>: Merkle<S> {
    /// p3's challenger.
    type Challenger: FieldChallenger<S::Base>
        + GrindingChallenger<Witness = S::Base>
        + CanSampleUniformBits<S::Base>
        + Clone
        + Send
        + Sync
        + CanObserve<<Self::Mmcs as Mmcs<S::Base>>::Commitment>;

    /// A challenger seeded by a transcript.
    fn challenger(seed: [u8; 32]) -> Self::Challenger;
}

/// BLAKE3 over rows and nodes.
pub struct Blake3Tree;
/// Keccak-256 over rows and nodes.
pub struct KeccakTree;
/// Poseidon2: width 24 over rows, width 16 over nodes (12 and 8 on Goldilocks).
pub struct Poseidon2Tree;

/// p3's byte-digest tree of a hash.
type ByteMmcs<F, H> = MerkleTreeMmcs<F, u8, SerializingHasher<H>, CompressionFunctionFromHasher<H, 2, 32>, 2, 32>;

/// Challengers and permutations that p3 has for a base field.
pub trait Sponges: Smooth<Base: PrimeField64> {
    /// Challenger over a byte hash.
    type Byte<H: p3_symmetric::CryptographicHasher<u8, [u8; 32]> + Clone + Send + Sync>: FieldChallenger<Self::Base>
        + GrindingChallenger<Witness = Self::Base>
        + CanSampleUniformBits<Self::Base>
        + Clone
        + Send
        + Sync
        + CanObserve<MerkleCap<Self::Base, [u8; 32]>>;

    /// Seeds it.
    fn byte<H: p3_symmetric::CryptographicHasher<u8, [u8; 32]> + Clone + Send + Sync>(
        seed: [u8; 32],
        hash: H,
    ) -> Self::Byte<H>;
}

macro_rules! byte_tree {
    ($tree:ident, $hash:ty, $value:expr) => {
        impl<S: Sponges> Tree<S> for $tree {
            type Challenger = S::Byte<$hash>;

            fn challenger(seed: [u8; 32]) -> Self::Challenger {
                S::byte(seed, $value)
            }
        }

        impl<S: Setting> Merkle<S> for $tree {
            type Mmcs = ByteMmcs<S::Base, $hash>;
            const DIGEST_BYTES: usize = 32;
            const COLLISION_BITS: f64 = 128.0;

            fn mmcs() -> Self::Mmcs {
                let compress = CompressionFunctionFromHasher::new($value);
                MerkleTreeMmcs::new(SerializingHasher::new($value), compress, 0)
            }

            fn encode_root(root: &MerkleCap<S::Base, [u8; 32]>, out: &mut Vec<u8>) {
                root.roots().iter().for_each(|d| out.extend_from_slice(d));
            }

            fn decode_root(bytes: &[u8]) -> Option<MerkleCap<S::Base, [u8; 32]>> {
                Some(MerkleCap::from(vec![<[u8; 32]>::try_from(bytes).ok()?]))
            }

            fn encode_paths(paths: &PrunedMerklePaths<u8, 32>, out: &mut Vec<u8>) {
                paths.sibling_hashes.iter().for_each(|d| out.extend_from_slice(d));
            }

            fn decode_paths(bytes: &[u8]) -> Option<PrunedMerklePaths<u8, 32>> {
                let digests = bytes.chunks(32).map(|d| <[u8; 32]>::try_from(d).ok());
                Some(PrunedMerklePaths { sibling_hashes: digests.collect::<Option<_>>()? })
            }
        }
    };
}
byte_tree!(Blake3Tree, Blake3, Blake3);
byte_tree!(KeccakTree, Keccak256Hash, Keccak256Hash);

fn encode_words<S: Setting, const N: usize>(digest: &[S::Base; N], out: &mut Vec<u8>) {
    digest.iter().for_each(|&w| S::encode(w, out));
}

fn decode_words<S: Setting, const N: usize>(bytes: &[u8]) -> Option<[S::Base; N]> {
    let words: Vec<S::Base> = bytes.chunks(S::BYTES).map(S::decode).collect::<Option<_>>()?;
    words.try_into().ok()
}

/// Byte challengers and the Poseidon2 tree of one base field, for each of its settings.
macro_rules! field_trees {
    ($field:ty, $serializing:ident, [$($setting:ty),*], leaf $leaf:ty = $leaf_new:expr, $lw:literal, $lr:literal,
     node $node:ty = $node_new:expr, $nw:literal, digest $n:literal) => {
        $(
        impl Sponges for $setting {
            type Byte<H: p3_symmetric::CryptographicHasher<u8, [u8; 32]> + Clone + Send + Sync> =
                $serializing<$field, Steady<HashChallenger<u8, H, 32>>>;

            fn byte<H: p3_symmetric::CryptographicHasher<u8, [u8; 32]> + Clone + Send + Sync>(
                seed: [u8; 32],
                hash: H,
            ) -> Self::Byte<H> {
                $serializing::new(Steady(HashChallenger::new(seed.to_vec(), hash)))
            }
        }

        impl Tree<$setting> for Poseidon2Tree {
            type Challenger = Words<$field, <$setting as Sponges>::Byte<Blake3>>;

            fn challenger(seed: [u8; 32]) -> Self::Challenger {
                Words::new(<$setting as Sponges>::byte(seed, Blake3))
            }
        }

        impl Merkle<$setting> for Poseidon2Tree {
            type Mmcs = MerkleTreeMmcs<
                <$field as Field>::Packing,
                <$field as Field>::Packing,
                PaddingFreeSponge<$leaf, $lw, $lr, $n>,
                TruncatedPermutation<$node, 2, $n, $nw>,
                2,
                $n,
            >;
            const DIGEST_BYTES: usize = $n * <$setting as Setting>::BYTES;
            const COLLISION_BITS: f64 = 124.0;

            fn mmcs() -> Self::Mmcs {
                MerkleTreeMmcs::new(PaddingFreeSponge::new($leaf_new), TruncatedPermutation::new($node_new), 0)
            }

            fn encode_root(root: &MerkleCap<$field, [$field; $n]>, out: &mut Vec<u8>) {
                root.roots().iter().for_each(|d| encode_words::<$setting, $n>(d, out));
            }

            fn decode_root(bytes: &[u8]) -> Option<MerkleCap<$field, [$field; $n]>> {
                Some(MerkleCap::from(vec![decode_words::<$setting, $n>(bytes)?]))
            }

            fn encode_paths(paths: &PrunedMerklePaths<$field, $n>, out: &mut Vec<u8>) {
                paths.sibling_hashes.iter().for_each(|d| encode_words::<$setting, $n>(d, out));
            }

            fn decode_paths(bytes: &[u8]) -> Option<PrunedMerklePaths<$field, $n>> {
                let size = <Self as Merkle<$setting>>::DIGEST_BYTES;
                let digests = bytes.chunks(size).map(decode_words::<$setting, $n>);
                Some(PrunedMerklePaths { sibling_hashes: digests.collect::<Option<_>>()? })
            }
        }
        )*
    };
}

use trilemma_core::setting::{BabyBear4, Goldilocks2, KoalaBear4, KoalaBear5};

field_trees!(KoalaBear, SerializingChallenger32, [KoalaBear4, KoalaBear5],
    leaf Poseidon2KoalaBear<24> = default_koalabear_poseidon2_24(), 24, 16,
    node Poseidon2KoalaBear<16> = default_koalabear_poseidon2_16(), 16, digest 8);
field_trees!(BabyBear, SerializingChallenger32, [BabyBear4],
    leaf Poseidon2BabyBear<24> = default_babybear_poseidon2_24(), 24, 16,
    node Poseidon2BabyBear<16> = default_babybear_poseidon2_16(), 16, digest 8);
field_trees!(Goldilocks, SerializingChallenger64, [Goldilocks2],
    leaf Poseidon2Goldilocks<12> = default_goldilocks_poseidon2_12(), 12, 8,
    node Poseidon2Goldilocks<8> = default_goldilocks_poseidon2_8(), 8, digest 4);
