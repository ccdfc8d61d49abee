//! Which fields a pipeline runs over. A [`Setting`] is a zero-sized type naming a base field, a
//! challenge field and the canonical encoding; it is the one type parameter of everything above.

use std::fmt::Debug;

use num_bigint::BigUint;
use p3_baby_bear::BabyBear;
use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::extension::{BinomialExtensionField, QuinticTrinomialExtensionField};
use p3_field::{BasedVectorSpace, ExtensionField, Field, PrimeField, PrimeField64, TwoAdicField};
use p3_goldilocks::Goldilocks;
use p3_koala_bear::KoalaBear;
use p3_matrix::Matrix;
use p3_matrix::bitrev::BitReversibleMatrix;

use crate::claim::Columns;
use crate::curve::{Bls12Scalar, Bn254Scalar, PallasScalar, SCALAR_BYTES, VestaScalar};

/// Base field, challenge field and canonical encoding of a pipeline.
pub trait Setting: Copy + Default + Debug + Send + Sync + 'static {
    /// Name in configurations and reports.
    const NAME: &'static str;
    /// Bytes of an encoded base element.
    const BYTES: usize;
    /// Field of the committed columns.
    type Base: PrimeField;
    /// Field of the challenges; equal to `Base` on curves.
    type Ext: ExtensionField<Self::Base>;

    /// Appends the canonical little-endian encoding.
    fn encode(x: Self::Base, out: &mut Vec<u8>);

    /// Reads a canonical encoding of exactly [`Self::BYTES`] bytes; `None` for anything else.
    fn decode(bytes: &[u8]) -> Option<Self::Base>;

    /// log2 of the number of challenges.
    fn ext_bits() -> f64 {
        log2(&Self::Ext::order())
    }
}

/// log2 of a large integer.
fn log2(n: &BigUint) -> f64 {
    let shift = n.bits().saturating_sub(64);
    let head = (n >> shift).iter_u64_digits().next().unwrap_or(1);
    (head as f64).log2() + shift as f64
}

/// A setting whose base field has large power-of-two subgroups. A fact, not a choice.
pub trait Smooth: Setting<Base: TwoAdicField> {
    /// The low-degree extension of every column on the coset `GENERATOR * H`,
    /// `|H| = rows << log_expand`, in bit-reversed order.
    fn extend(columns: Columns<Self::Base>, log_expand: usize) -> Columns<Self::Base> {
        Radix2DitParallel::default()
            .coset_lde_batch(columns, log_expand, Self::Base::GENERATOR)
            .bit_reverse_rows()
            .to_row_major_matrix()
    }
}
impl<S: Setting<Base: TwoAdicField>> Smooth for S {}

/// Bytes of an encoded challenge.
pub fn ext_bytes<S: Setting>() -> usize {
    S::BYTES * <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION
}

/// A challenge from its coefficients.
pub fn ext_from_fn<S: Setting>(f: impl FnMut(usize) -> S::Base) -> S::Ext {
    S::Ext::from_basis_coefficients_fn(f)
}

/// Appends the encoding of every coefficient.
pub fn encode_ext<S: Setting>(x: &S::Ext, out: &mut Vec<u8>) {
    for &c in BasedVectorSpace::<S::Base>::as_basis_coefficients_slice(x) {
        S::encode(c, out);
    }
}

/// Reads the encoding of a challenge; `None` unless canonical.
pub fn decode_ext<S: Setting>(bytes: &[u8]) -> Option<S::Ext> {
    let coefficients = bytes.chunks(S::BYTES).map(S::decode).collect::<Option<Vec<_>>>()?;
    S::Ext::from_basis_coefficients_slice(&coefficients)
}

/// Clears the bits above the modulus's top bit, so that rejection succeeds at least half the time.
pub fn mask_to_bits<S: Setting>(bytes: &mut [u8]) {
    let bits = S::Base::bits();
    for (i, byte) in bytes.iter_mut().enumerate() {
        let keep = bits.saturating_sub(8 * i).min(8);
        *byte &= ((1u16 << keep) - 1) as u8;
    }
}

macro_rules! word_setting {
    ($(#[$doc:meta])* $setting:ident, $name:literal, $base:ty, $ext:ty, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $setting;

        impl Setting for $setting {
            const NAME: &'static str = $name;
            const BYTES: usize = $bytes;
            type Base = $base;
            type Ext = $ext;

            fn encode(x: $base, out: &mut Vec<u8>) {
                out.extend_from_slice(&x.as_canonical_u64().to_le_bytes()[..$bytes]);
            }

            fn decode(bytes: &[u8]) -> Option<$base> {
                let mut word = [0; 8];
                (bytes.len() == $bytes).then(|| word[..$bytes].copy_from_slice(bytes))?;
                <$base>::from_canonical_checked(u64::from_le_bytes(word))
            }
        }
    };
}

use p3_field::integers::QuotientMap;

word_setting!(
    /// KoalaBear, challenges of degree 4 (124 bits).
    KoalaBear4, "koalabear4", KoalaBear, BinomialExtensionField<KoalaBear, 4>, 4
);
word_setting!(
    /// KoalaBear, challenges of degree 5 (155 bits).
    KoalaBear5, "koalabear5", KoalaBear, QuinticTrinomialExtensionField<KoalaBear>, 4
);
word_setting!(
    /// BabyBear, challenges of degree 4 (123.6 bits).
    BabyBear4, "babybear4", BabyBear, BinomialExtensionField<BabyBear, 4>, 4
);
word_setting!(
    /// Goldilocks, challenges of degree 2 (128 bits).
    Goldilocks2, "goldilocks2", Goldilocks, BinomialExtensionField<Goldilocks, 2>, 8
);

macro_rules! curve_setting {
    ($(#[$doc:meta])* $setting:ident, $name:literal, $base:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $setting;

        impl Setting for $setting {
            const NAME: &'static str = $name;
            const BYTES: usize = SCALAR_BYTES;
            type Base = $base;
            type Ext = $base;

            fn encode(x: $base, out: &mut Vec<u8>) {
                out.extend_from_slice(&x.to_bytes());
            }

            fn decode(bytes: &[u8]) -> Option<$base> {
                <$base>::from_bytes(bytes.try_into().ok()?)
            }
        }
    };
}

curve_setting!(
    /// The scalar field of BLS12-381 (254.9 bits), which is its own challenge field.
    Bls12, "bls12-381", Bls12Scalar
);
curve_setting!(
    /// The scalar field of BN254 (253.6 bits), which is its own challenge field.
    Bn254, "bn254", Bn254Scalar
);
curve_setting!(
    /// The scalar field of Pallas (254.0 bits), which is its own challenge field.
    Pallas, "pallas", PallasScalar
);
curve_setting!(
    /// The scalar field of Vesta (254.0 bits), which is its own challenge field.
    Vesta, "vesta", VestaScalar
);
