//! What the references built on Plonky3's own STARKs share: the tables as p3 AIRs, saved keys, and
//! the way from an execution to a proof.

pub mod air;
pub mod clock;
pub mod key;
pub mod run;

use p3_commit::Mmcs;
use p3_field::coset::TwoAdicMultiplicativeCoset;
use trilemma_core::Setting;
use trilemma_core::setting::KoalaBear4;
use trilemma_pcs::fri::tree::{AnyTree, Challenged, Merkle};

/// The only setting so far.
pub type S = KoalaBear4;
/// Its base field.
pub type F = <S as Setting>::Base;
/// Its challenge field.
pub type E = <S as Setting>::Ext;
/// Its kind of Merkle tree, over the hash that options name.
pub type T = AnyTree;

/// p3's trees.
pub type Trees = <T as Merkle<S>>::Mmcs;
/// A commitment.
pub type Root = <Trees as Mmcs<F>>::Commitment;
/// p3's challenger.
pub type Challenger = <S as Challenged>::Challenger;

/// p3's domains.
pub type Domain = TwoAdicMultiplicativeCoset<F>;
