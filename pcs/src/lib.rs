//! Polynomial commitment schemes, each a module of its own, and the list of those legal for each
//! setting. A scheme joins with one line in [`Available`].
//!
//! What a scheme can open is a fact of its type. FRI opens univariate claims:
//!
//! ```
//! use trilemma_core::{SchemeEntry, Setting, UniEval, setting::KoalaBear4};
//! use trilemma_pcs::fri::{Fri, tree::AnyTree};
//! type Query = UniEval<<KoalaBear4 as Setting>::Ext>;
//! SchemeEntry::<KoalaBear4, Query>::of::<Fri<AnyTree>>();
//! ```
//!
//! and an entry for multilinear ones, or for the field of a curve, does not compile:
//!
//! ```compile_fail,E0277
//! use trilemma_core::{MlEval, SchemeEntry, Setting, setting::KoalaBear4};
//! use trilemma_pcs::fri::{Fri, tree::AnyTree};
//! type Query = MlEval<<KoalaBear4 as Setting>::Ext>;
//! SchemeEntry::<KoalaBear4, Query>::of::<Fri<AnyTree>>();
//! ```
//!
//! ```compile_fail,E0277
//! use trilemma_core::{SchemeEntry, Setting, UniEval, setting::Bls12};
//! use trilemma_pcs::fri::{Fri, tree::ByteTree};
//! type Query = UniEval<<Bls12 as Setting>::Ext>;
//! SchemeEntry::<Bls12, Query>::of::<Fri<ByteTree>>();
//! ```

#![cfg_attr(test, expect(unused_imports, reason = "unit tests know no registry"))]

pub mod basefold;
pub mod codes;
pub mod fri;
pub mod gemini;
pub mod group;
pub mod hyperkzg;
pub mod hyrax;
pub mod ideal;
pub mod ipa;
pub mod kzg;
pub mod msm;
pub mod one_point;
mod pairing;
pub mod pst;
pub mod rows;
pub mod srs;
pub mod stacked;
pub mod tensor;
pub mod whir;
pub mod zeromorph;

use trilemma_core::setting::{BabyBear4, Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5, Pallas, Vesta};
use trilemma_core::{ClaimKind, ConfigError, MlEval, SchemeEntry, Shape, Smooth, UniEval};

use fri::Fri;
use fri::tree::{AnyTree, ByteTree};
pub use pairing::assume_q;
use rows::Rows;
use stacked::Stacked;

/// Refuses matrices of more than `2^max` rows.
fn not_higher(than: &str, max: usize, shapes: &[Shape]) -> Result<(), ConfigError> {
    match shapes.iter().find(|shape| shape.log_height > max) {
        None => Ok(()),
        Some(Shape { log_height, .. }) => Err(ConfigError(format!(
            "max_log_height: a matrix has 2^{log_height} rows, more than the 2^{max} that {than} allow"
        ))),
    }
}

/// Shapes, to be bound: log2 of the height and the width of each, eight bytes a number.
pub(crate) fn encode_shapes(shapes: &[Shape]) -> Vec<u8> {
    let sizes = shapes.iter().flat_map(|shape| [shape.log_height as u64, shape.width as u64]);
    sizes.flat_map(u64::to_le_bytes).collect()
}

/// A setting with schemes.
pub trait Available: Smooth {
    /// Schemes that open univariate claims over this setting.
    fn univariate() -> Vec<SchemeEntry<Self, UniEval<Self::Ext>>>;
    /// Schemes that open multilinear claims over this setting.
    fn multilinear() -> Vec<SchemeEntry<Self, MlEval<Self::Ext>>>;
}

/// A kind of claim with schemes.
pub trait Served<S: Available>: ClaimKind<S> {
    /// Schemes that open it.
    fn schemes() -> Vec<SchemeEntry<S, Self>>;
}

impl<S: Available> Served<S> for UniEval<S::Ext> {
    fn schemes() -> Vec<SchemeEntry<S, Self>> {
        S::univariate()
    }
}

impl<S: Available> Served<S> for MlEval<S::Ext> {
    fn schemes() -> Vec<SchemeEntry<S, Self>> {
        S::multilinear()
    }
}

/// Schemes of groups of settings; those of trees take the hash from the options. Unit tests have none: all
/// of them at once are most of what this crate takes to compile.
macro_rules! available {
    ($([$($setting:ty),*]: univariate [$($uni:expr),* $(,)?], multilinear [$($ml:expr),* $(,)?];)*) => {
        $(available!(@each [$($setting),*] [$($uni),*] [$($ml),*]);)*
    };
    (@each [$($setting:ty),*] $uni:tt $ml:tt) => {
        $(available!(@one $setting, $uni, $ml);)*
    };
    (@one $setting:ty, [$($uni:expr),*], [$($ml:expr),*]) => {
        #[cfg(not(test))]
        impl Available for $setting {
            fn univariate() -> Vec<SchemeEntry<Self, UniEval<Self::Ext>>> {
                vec![$($uni),*]
            }

            fn multilinear() -> Vec<SchemeEntry<Self, MlEval<Self::Ext>>> {
                vec![$($ml),*]
            }
        }
    };
}

available! {
    [KoalaBear4, KoalaBear5, BabyBear4, Goldilocks2]:
        univariate [SchemeEntry::of::<ideal::Ideal>(), SchemeEntry::of::<Fri<AnyTree>>()],
        multilinear [
            SchemeEntry::of::<ideal::Ideal>(),
            SchemeEntry::of::<Stacked<basefold::Basefold<AnyTree>>>(),
            SchemeEntry::of::<Stacked<tensor::Ligero<Self, AnyTree>>>(),
            SchemeEntry::of::<Stacked<tensor::Brakedown<Self, AnyTree>>>(),
            SchemeEntry::of::<Stacked<gemini::Gemini<Fri<AnyTree>>>>(),
            SchemeEntry::of::<Stacked<whir::Whir<AnyTree>>>(),
        ];
    [Bls12, Bn254]:
        univariate [
            SchemeEntry::of::<ideal::Ideal>(),
            SchemeEntry::of::<kzg::Kzg>(),
            SchemeEntry::of::<kzg::Kzg<true>>(),
            SchemeEntry::of::<ipa::Ipa>(),
        ],
        multilinear [
            SchemeEntry::of::<ideal::Ideal>(),
            SchemeEntry::of::<Stacked<hyrax::Hyrax>>(),
            SchemeEntry::of::<Stacked<ipa::Ipa>>(),
            SchemeEntry::of::<Stacked<Rows<hyperkzg::HyperKzg>>>(),
            SchemeEntry::of::<Stacked<Rows<zeromorph::Zeromorph>>>(),
            SchemeEntry::of::<Stacked<pst::Pst>>(),
            SchemeEntry::of::<Stacked<gemini::Gemini<kzg::Kzg>>>(),
            SchemeEntry::of::<Stacked<basefold::Basefold<ByteTree>>>(),
            SchemeEntry::of::<Stacked<tensor::Ligero<Self, ByteTree>>>(),
            SchemeEntry::of::<Stacked<tensor::Brakedown<Self, ByteTree>>>(),
        ];
    [Pallas, Vesta]:
        univariate [SchemeEntry::of::<ideal::Ideal>(), SchemeEntry::of::<ipa::Ipa>()],
        multilinear [
            SchemeEntry::of::<ideal::Ideal>(),
            SchemeEntry::of::<Stacked<hyrax::Hyrax>>(),
            SchemeEntry::of::<Stacked<ipa::Ipa>>(),
        ];
}
