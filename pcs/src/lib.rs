//! Polynomial commitment schemes, each a module of its own, and the list of those legal for each
//! setting. A scheme joins with one line in [`Available`].
//!
//! What a scheme can open is a fact of its type. FRI opens univariate claims:
//!
//! ```
//! use trilemma_core::{SchemeEntry, Setting, UniEval, setting::KoalaBear4};
//! use trilemma_pcs::fri::{Fri, tree::Blake3Tree};
//! type Query = UniEval<<KoalaBear4 as Setting>::Ext>;
//! SchemeEntry::<KoalaBear4, Query>::of::<Fri<Blake3Tree>>();
//! ```
//!
//! and an entry for multilinear ones, or for a setting without trees, does not compile:
//!
//! ```compile_fail,E0277
//! use trilemma_core::{MlEval, SchemeEntry, Setting, setting::KoalaBear4};
//! use trilemma_pcs::fri::{Fri, tree::Blake3Tree};
//! type Query = MlEval<<KoalaBear4 as Setting>::Ext>;
//! SchemeEntry::<KoalaBear4, Query>::of::<Fri<Blake3Tree>>();
//! ```
//!
//! ```compile_fail,E0277
//! use trilemma_core::{SchemeEntry, Setting, UniEval, setting::Bls12};
//! use trilemma_pcs::fri::{Fri, tree::Blake3Tree};
//! type Query = UniEval<<Bls12 as Setting>::Ext>;
//! SchemeEntry::<Bls12, Query>::of::<Fri<Blake3Tree>>();
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
pub mod pst;
pub mod rows;
pub mod srs;
pub mod stacked;
pub mod tensor;
pub mod whir;
pub mod zeromorph;

use trilemma_core::setting::{BabyBear4, Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5, Pallas, Vesta};
use trilemma_core::{ClaimKind, MlEval, SchemeEntry, Smooth, UniEval};

use rows::Rows;
use stacked::Stacked;

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
        univariate [SchemeEntry::of::<ideal::Ideal>(), fri::entry()],
        multilinear [
            SchemeEntry::of::<ideal::Ideal>(),
            codes::entry::<_, basefold::Schemes>(),
            codes::entry::<_, tensor::Ligero>(),
            codes::entry::<_, tensor::Brakedown>(),
            gemini::over_fri(),
            codes::entry::<_, whir::Schemes>(),
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
            codes::byte_entry::<_, basefold::Schemes>(),
            codes::byte_entry::<_, tensor::Ligero>(),
            codes::byte_entry::<_, tensor::Brakedown>(),
        ];
    [Pallas, Vesta]:
        univariate [SchemeEntry::of::<ideal::Ideal>(), SchemeEntry::of::<ipa::Ipa>()],
        multilinear [
            SchemeEntry::of::<ideal::Ideal>(),
            SchemeEntry::of::<Stacked<hyrax::Hyrax>>(),
            SchemeEntry::of::<Stacked<ipa::Ipa>>(),
        ];
}
