//! Polynomial commitment schemes, each a module of its own, and the list of those legal for each
//! setting. A scheme joins with one line in [`Available`].

pub mod fri;
pub mod ideal;
pub mod kzg;
pub mod msm;
pub mod srs;
pub mod stacked;
pub mod whir;

use trilemma_core::setting::{BabyBear4, Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5};
use trilemma_core::{MlEval, SchemeEntry, Smooth, UniEval};

/// A setting with schemes.
pub trait Available: Smooth {
    /// Schemes that open univariate claims over this setting.
    fn univariate() -> Vec<SchemeEntry<Self, UniEval<Self::Ext>>>;
    /// Schemes that open multilinear claims over this setting.
    fn multilinear() -> Vec<SchemeEntry<Self, MlEval<Self::Ext>>>;
}

macro_rules! available {
    ($($setting:ty: { univariate: [$($uni:expr),* $(,)?], multilinear: [$($ml:expr),* $(,)?] })*) => {
        $(impl Available for $setting {
            fn univariate() -> Vec<SchemeEntry<Self, UniEval<Self::Ext>>> {
                vec![$($uni),*]
            }

            fn multilinear() -> Vec<SchemeEntry<Self, MlEval<Self::Ext>>> {
                vec![$($ml),*]
            }
        })*
    };
}

available! {
    KoalaBear4: {
        univariate: [SchemeEntry::of::<ideal::Ideal>(), fri::entry()],
        multilinear: [SchemeEntry::of::<ideal::Ideal>(), whir::entry()]
    }
    KoalaBear5: {
        univariate: [SchemeEntry::of::<ideal::Ideal>(), fri::entry()],
        multilinear: [SchemeEntry::of::<ideal::Ideal>(), whir::entry()]
    }
    BabyBear4: {
        univariate: [SchemeEntry::of::<ideal::Ideal>(), fri::entry()],
        multilinear: [SchemeEntry::of::<ideal::Ideal>(), whir::entry()]
    }
    Goldilocks2: {
        univariate: [SchemeEntry::of::<ideal::Ideal>(), fri::entry()],
        multilinear: [SchemeEntry::of::<ideal::Ideal>(), whir::entry()]
    }
    Bls12: {
        univariate: [SchemeEntry::of::<ideal::Ideal>(), SchemeEntry::of::<kzg::Kzg>()],
        multilinear: [SchemeEntry::of::<ideal::Ideal>()]
    }
    Bn254: {
        univariate: [SchemeEntry::of::<ideal::Ideal>(), SchemeEntry::of::<kzg::Kzg>()],
        multilinear: [SchemeEntry::of::<ideal::Ideal>()]
    }
}
