//! Merkle trees, by hash. A kind of tree names its p3 types, the options it answers to and how its
//! digests are encoded; over base fields with a challenger of p3's, it serves FRI. Schemes take
//! [`AnyTree`] or [`ByteTree`], in which the hash is chosen by the options.

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
use trilemma_core::{ConfigError, Ledger, Options, Setting, Smooth};

use super::challenger::{Roots, Steady};
use super::either::Either;

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
    /// Names of the hashes, as options give them.
    fn hashes() -> Vec<&'static str>;
    /// The tree of a hash, if this is a kind of tree with that hash.
    fn mmcs(hash: &str) -> Option<Self::Mmcs>;
    /// Bytes of an encoded digest.
    fn digest_bytes(mmcs: &Self::Mmcs) -> usize;
    /// Collision resistance of the hash.
    fn collision_bits(mmcs: &Self::Mmcs) -> f64;
    /// Appends a root.
    fn encode_root(root: &<Self::Mmcs as Mmcs<S::Base>>::Commitment, out: &mut Vec<u8>);
    /// Reads a root of [`Self::digest_bytes`] bytes.
    fn decode_root(mmcs: &Self::Mmcs, bytes: &[u8]) -> Option<<Self::Mmcs as Mmcs<S::Base>>::Commitment>;
    /// Appends the siblings of pruned paths.
    fn encode_paths(paths: &<Self::Mmcs as Mmcs<S::Base>>::MultiProof, out: &mut Vec<u8>);
    /// Reads siblings, [`Self::digest_bytes`] bytes each.
    fn decode_paths(mmcs: &Self::Mmcs, bytes: &[u8]) -> Option<<Self::Mmcs as Mmcs<S::Base>>::MultiProof>;

    /// The tree of the hash that options name.
    ///
    /// # Errors
    /// A hash that none of these trees has.
    fn chosen(options: &Options) -> Result<Self::Mmcs, ConfigError> {
        let hash = options.hash.as_str();
        Self::mmcs(hash).ok_or_else(|| ConfigError::choice("hash", hash, Self::hashes()))
    }

    /// Enters what is assumed of the hash in a ledger.
    fn assume(mmcs: &Self::Mmcs, ledger: &mut Ledger) {
        ledger.assume("Merkle hash collisions", Self::collision_bits(mmcs), "[Mer87]");
    }
}

/// A setting with a challenger of p3's, over BLAKE3 whatever the trees are.
pub trait Challenged: Smooth<Base: PrimeField64> {
    /// p3's challenger.
    type Challenger: FieldChallenger<Self::Base>
        + GrindingChallenger<Witness = Self::Base>
        + CanSampleUniformBits<Self::Base>
        + Clone
        + Send
        + Sync;

    /// A challenger seeded by a transcript.
    fn challenger(seed: [u8; 32]) -> Self::Challenger;
}

/// A tree whose roots p3's challenger can observe.
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

impl<S, T> Tree<S> for T
where
    S: Challenged<Challenger: CanObserve<<T::Mmcs as Mmcs<S::Base>>::Commitment>>,
    T: Merkle<S>,
{
    type Challenger = S::Challenger;

    fn challenger(seed: [u8; 32]) -> S::Challenger {
        <S as Challenged>::challenger(seed)
    }
}

/// BLAKE3 over rows and nodes.
pub struct Blake3Tree;
/// Keccak-256 over rows and nodes.
pub struct KeccakTree;
/// Poseidon2: width 24 over rows, width 16 over nodes (12 and 8 on Goldilocks).
pub struct Poseidon2Tree;

/// The trees of every setting.
pub type ByteTree = Either<Blake3Tree, KeccakTree>;
/// The trees of settings whose field has a Poseidon2 tree.
pub type AnyTree = Either<Blake3Tree, Either<KeccakTree, Poseidon2Tree>>;

/// p3's byte-digest tree of a hash.
type ByteMmcs<F, H> = MerkleTreeMmcs<F, u8, SerializingHasher<H>, CompressionFunctionFromHasher<H, 2, 32>, 2, 32>;

macro_rules! byte_tree {
    ($tree:ident, $name:literal, $hash:ty, $value:expr) => {
        impl<S: Setting> Merkle<S> for $tree {
            type Mmcs = ByteMmcs<S::Base, $hash>;

            fn hashes() -> Vec<&'static str> {
                vec![$name]
            }

            fn mmcs(hash: &str) -> Option<Self::Mmcs> {
                let compress = CompressionFunctionFromHasher::new($value);
                (hash == $name).then(|| MerkleTreeMmcs::new(SerializingHasher::new($value), compress, 0))
            }

            fn digest_bytes(_: &Self::Mmcs) -> usize {
                32
            }

            fn collision_bits(_: &Self::Mmcs) -> f64 {
                128.0
            }

            fn encode_root(root: &MerkleCap<S::Base, [u8; 32]>, out: &mut Vec<u8>) {
                root.roots().iter().for_each(|d| out.extend_from_slice(d));
            }

            fn decode_root(_: &Self::Mmcs, bytes: &[u8]) -> Option<MerkleCap<S::Base, [u8; 32]>> {
                Some(MerkleCap::from(vec![<[u8; 32]>::try_from(bytes).ok()?]))
            }

            fn encode_paths(paths: &PrunedMerklePaths<u8, 32>, out: &mut Vec<u8>) {
                paths.sibling_hashes.iter().for_each(|d| out.extend_from_slice(d));
            }

            fn decode_paths(_: &Self::Mmcs, bytes: &[u8]) -> Option<PrunedMerklePaths<u8, 32>> {
                let digests = bytes.chunks(32).map(|d| <[u8; 32]>::try_from(d).ok());
                Some(PrunedMerklePaths { sibling_hashes: digests.collect::<Option<_>>()? })
            }
        }
    };
}
byte_tree!(Blake3Tree, "blake3", Blake3, Blake3);
byte_tree!(KeccakTree, "keccak", Keccak256Hash, Keccak256Hash);

fn encode_words<S: Setting, const N: usize>(digest: &[S::Base; N], out: &mut Vec<u8>) {
    digest.iter().for_each(|&w| S::encode(w, out));
}

fn decode_words<S: Setting, const N: usize>(bytes: &[u8]) -> Option<[S::Base; N]> {
    let words: Vec<S::Base> = bytes.chunks(S::BYTES).map(S::decode).collect::<Option<_>>()?;
    words.try_into().ok()
}

/// What [`Roots`] observes of trees of bytes over one base field; the challenger and the Poseidon2 tree of each of
/// its settings.
macro_rules! field_trees {
    ($field:ty, $serializing:ident, [$($setting:ty),*], leaf $leaf:ty = $leaf_new:expr, $lw:literal, $lr:literal,
     node $node:ty = $node_new:expr, $nw:literal, digest $n:literal) => {
        impl<C: CanObserve<MerkleCap<$field, [u8; 32]>>> CanObserve<MerkleCap<$field, [u8; 32]>> for Roots<$field, C> {
            fn observe(&mut self, cap: MerkleCap<$field, [u8; 32]>) {
                self.0.observe(cap);
            }
        }

        $(
        impl Challenged for $setting {
            type Challenger = Roots<$field, $serializing<$field, Steady<HashChallenger<u8, Blake3, 32>>>>;

            fn challenger(seed: [u8; 32]) -> Self::Challenger {
                Roots::new($serializing::new(Steady(HashChallenger::new(seed.to_vec(), Blake3))))
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

            fn hashes() -> Vec<&'static str> {
                vec!["poseidon2"]
            }

            fn mmcs(hash: &str) -> Option<Self::Mmcs> {
                let tree = || {
                    MerkleTreeMmcs::new(PaddingFreeSponge::new($leaf_new), TruncatedPermutation::new($node_new), 0)
                };
                (hash == "poseidon2").then(tree)
            }

            fn digest_bytes(_: &Self::Mmcs) -> usize {
                $n * <$setting as Setting>::BYTES
            }

            fn collision_bits(_: &Self::Mmcs) -> f64 {
                124.0
            }

            fn encode_root(root: &MerkleCap<$field, [$field; $n]>, out: &mut Vec<u8>) {
                root.roots().iter().for_each(|d| encode_words::<$setting, $n>(d, out));
            }

            fn decode_root(_: &Self::Mmcs, bytes: &[u8]) -> Option<MerkleCap<$field, [$field; $n]>> {
                Some(MerkleCap::from(vec![decode_words::<$setting, $n>(bytes)?]))
            }

            fn encode_paths(paths: &PrunedMerklePaths<$field, $n>, out: &mut Vec<u8>) {
                paths.sibling_hashes.iter().for_each(|d| encode_words::<$setting, $n>(d, out));
            }

            fn decode_paths(_: &Self::Mmcs, bytes: &[u8]) -> Option<PrunedMerklePaths<$field, $n>> {
                let size = $n * <$setting as Setting>::BYTES;
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
