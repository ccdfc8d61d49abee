//! Polynomial commitment schemes, each a module of its own, and the list of those legal for each
//! setting. A scheme joins with one line in [`Available`].

pub mod fri;
pub mod ideal;
pub mod kzg;
pub mod msm;
pub mod srs;

use trilemma_core::setting::{BabyBear4, Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5};
use trilemma_core::{SchemeEntry, Smooth, UniEval};

/// A setting with schemes.
pub trait Available: Smooth {
    /// Schemes that open univariate claims over this setting.
    fn univariate() -> Vec<SchemeEntry<Self, UniEval<Self::Ext>>>;
}

macro_rules! available {
    ($($setting:ty: [$($entry:expr),* $(,)?];)*) => {
        $(impl Available for $setting {
            fn univariate() -> Vec<SchemeEntry<Self, UniEval<Self::Ext>>> {
                vec![$($entry),*]
            }
        })*
    };
}

available! {
    KoalaBear4: [SchemeEntry::of::<ideal::Ideal>(), fri::entry()];
    KoalaBear5: [SchemeEntry::of::<ideal::Ideal>(), fri::entry()];
    BabyBear4: [SchemeEntry::of::<ideal::Ideal>(), fri::entry()];
    Goldilocks2: [SchemeEntry::of::<ideal::Ideal>(), fri::entry()];
    Bls12: [SchemeEntry::of::<ideal::Ideal>(), SchemeEntry::of::<kzg::Kzg>()];
    Bn254: [SchemeEntry::of::<ideal::Ideal>(), SchemeEntry::of::<kzg::Kzg>()];
}
