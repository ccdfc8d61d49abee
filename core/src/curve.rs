//! Prime fields of elliptic curves, as fields of [`p3_field`].
//!
//! [`CurveScalar`] is a transparent newtype over a 256-bit prime field of `ark-ff` in Montgomery form,
//! so slices of one are slices of the other. It implements what a [`crate::Setting`] asks of its base
//! field; the challenge field is the field itself. Another field joins with one type alias: the
//! configuration says the rest.

use std::fmt::{self, Debug, Display, Formatter};
use std::hash::{Hash, Hasher};
use std::iter::{Product, Sum};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use ark_ff::{
    AdditiveGroup, BigInt, BigInteger, FftField, Field as _, Fp, FpConfig, MontBackend, MontConfig, PrimeField as _,
};
use num_bigint::BigUint;
use p3_field::integers::QuotientMap;
use p3_field::{Field, Packable, PrimeCharacteristicRing, PrimeField, RawDataSerializable, TwoAdicField};
use rand::distr::{Distribution, StandardUniform};
use rand::{Rng, RngExt};
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// Bytes of a canonical encoding.
pub const SCALAR_BYTES: usize = 32;

/// The scalar field of BLS12-381.
pub type Bls12Scalar = CurveScalar<ark_bls12_381::FrConfig>;
/// The scalar field of BN254.
pub type Bn254Scalar = CurveScalar<ark_bn254::FrConfig>;
/// The scalar field of Pallas, which is the base field of Vesta.
pub type PallasScalar = CurveScalar<ark_pallas::FrConfig>;
/// The scalar field of Vesta, which is the base field of Pallas.
pub type VestaScalar = CurveScalar<ark_vesta::FrConfig>;

/// The `ark-ff` field inside a [`CurveScalar`].
pub type Inner<C> = Fp<MontBackend<C, 4>, 4>;

/// An element of the prime field that `C` configures; its modulus has between 193 and 256 bits.
#[repr(transparent)]
pub struct CurveScalar<C: MontConfig<4>>(pub Inner<C>);

impl<C: MontConfig<4>> CurveScalar<C> {
    /// The canonical little-endian encoding.
    #[inline]
    pub fn to_bytes(self) -> [u8; SCALAR_BYTES] {
        let mut bytes = [0; SCALAR_BYTES];
        for (out, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0.into_bigint().0) {
            *out = limb.to_le_bytes();
        }
        bytes
    }

    /// Reads a canonical encoding; `None` for a number that is not below the modulus.
    #[inline]
    pub fn from_bytes(bytes: [u8; SCALAR_BYTES]) -> Option<Self> {
        let (words, _) = bytes.as_chunks::<8>();
        let mut limbs = [0; 4];
        for (limb, &word) in limbs.iter_mut().zip(words) {
            *limb = u64::from_le_bytes(word);
        }
        Inner::<C>::from_bigint(BigInt::new(limbs)).map(Self)
    }

    /// The wrapped elements of a slice.
    pub const fn inner(slice: &[Self]) -> &[Inner<C>] {
        // SAFETY: `CurveScalar` is a transparent wrapper of `Inner`.
        unsafe { std::slice::from_raw_parts(slice.as_ptr().cast(), slice.len()) }
    }
}

fn modulus<C: MontConfig<4>>() -> BigUint {
    to_biguint(C::MODULUS)
}

fn to_biguint(x: BigInt<4>) -> BigUint {
    x.0.iter().rev().fold(BigUint::ZERO, |acc, &limb| (acc << 64u32) + limb)
}

impl<C: MontConfig<4>> Clone for CurveScalar<C> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<C: MontConfig<4>> Copy for CurveScalar<C> {}

impl<C: MontConfig<4>> Default for CurveScalar<C> {
    #[inline(always)]
    fn default() -> Self {
        Self::ZERO
    }
}

impl<C: MontConfig<4>> PartialEq for CurveScalar<C> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<C: MontConfig<4>> Eq for CurveScalar<C> {}

impl<C: MontConfig<4>> Hash for CurveScalar<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<C: MontConfig<4>> PartialOrd for CurveScalar<C> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<C: MontConfig<4>> Ord for CurveScalar<C> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<C: MontConfig<4>> Debug for CurveScalar<C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}
impl<C: MontConfig<4>> Display for CurveScalar<C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.as_canonical_biguint(), f)
    }
}

impl<C: MontConfig<4>> Serialize for CurveScalar<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_bytes().serialize(serializer)
    }
}
impl<'de, C: MontConfig<4>> Deserialize<'de> for CurveScalar<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_bytes(Deserialize::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("a field element is not canonical"))
    }
}

impl<C: MontConfig<4>> Distribution<CurveScalar<C>> for StandardUniform {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> CurveScalar<C> {
        let mask = u64::MAX >> C::MODULUS.0[3].leading_zeros();
        loop {
            let mut limbs: [u64; 4] = rng.random();
            limbs[3] &= mask;
            if let Some(x) = Inner::<C>::from_bigint(BigInt::new(limbs)) {
                return CurveScalar(x);
            }
        }
    }
}

macro_rules! operator {
    ($op:ident, $method:ident, $assign:ident, $assign_method:ident) => {
        impl<C: MontConfig<4>> $op for CurveScalar<C> {
            type Output = Self;
            #[inline(always)]
            fn $method(mut self, rhs: Self) -> Self {
                self.$assign_method(rhs);
                self
            }
        }
        impl<C: MontConfig<4>> $assign for CurveScalar<C> {
            #[inline(always)]
            fn $assign_method(&mut self, rhs: Self) {
                <MontBackend<C, 4> as FpConfig<4>>::$assign_method(&mut self.0, &rhs.0);
            }
        }
    };
}
operator!(Add, add, AddAssign, add_assign);
operator!(Sub, sub, SubAssign, sub_assign);
operator!(Mul, mul, MulAssign, mul_assign);

impl<C: MontConfig<4>> Div for CurveScalar<C> {
    type Output = Self;
    #[inline]
    fn div(mut self, rhs: Self) -> Self {
        self /= rhs;
        self
    }
}
impl<C: MontConfig<4>> DivAssign for CurveScalar<C> {
    #[inline]
    #[expect(clippy::suspicious_op_assign_impl, reason = "division multiplies by the inverse")]
    fn div_assign(&mut self, rhs: Self) {
        *self *= rhs.inverse();
    }
}

impl<C: MontConfig<4>> Neg for CurveScalar<C> {
    type Output = Self;
    #[inline(always)]
    fn neg(mut self) -> Self {
        self.0.neg_in_place();
        self
    }
}

impl<C: MontConfig<4>> Sum for CurveScalar<C> {
    #[inline]
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |a, b| a + b)
    }
}
impl<C: MontConfig<4>> Product for CurveScalar<C> {
    #[inline]
    fn product<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ONE, |a, b| a * b)
    }
}

impl<C: MontConfig<4>> PrimeCharacteristicRing for CurveScalar<C> {
    type PrimeSubfield = Self;
    const ZERO: Self = Self(<Inner<C> as AdditiveGroup>::ZERO);
    const ONE: Self = Self(<Inner<C> as ark_ff::Field>::ONE);
    const TWO: Self = Self(Inner::<C>::from_sign_and_limbs(true, &[2]));
    const NEG_ONE: Self = Self(<Inner<C> as ark_ff::Field>::NEG_ONE);

    #[inline(always)]
    fn from_prime_subfield(f: Self) -> Self {
        f
    }

    #[inline(always)]
    fn double(&self) -> Self {
        Self(AdditiveGroup::double(&self.0))
    }

    /// Halves the Montgomery form itself: the default would call itself.
    #[inline]
    fn halve(&self) -> Self {
        let mut limbs = self.0.0;
        let carry = limbs.is_odd() && limbs.add_with_carry(&C::MODULUS);
        limbs.div2();
        limbs.0[3] |= u64::from(carry) << 63;
        Self(Inner::<C>::new_unchecked(limbs))
    }

    #[inline(always)]
    fn square(&self) -> Self {
        Self(ark_ff::Field::square(&self.0))
    }
}

macro_rules! from_integers {
    ($($int:ty),*) => {
        $(impl<C: MontConfig<4>> QuotientMap<$int> for CurveScalar<C> {
            #[inline]
            fn from_int(int: $int) -> Self {
                Self(Inner::<C>::from(int))
            }
            #[inline]
            fn from_canonical_checked(int: $int) -> Option<Self> {
                Some(Self::from_int(int))
            }
            #[inline]
            unsafe fn from_canonical_unchecked(int: $int) -> Self {
                Self::from_int(int)
            }
        })*
    };
}
from_integers!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128);

impl<C: MontConfig<4>> Packable for CurveScalar<C> {}

impl<C: MontConfig<4>> RawDataSerializable for CurveScalar<C> {
    const NUM_BYTES: usize = SCALAR_BYTES;

    #[inline]
    fn into_bytes(self) -> impl IntoIterator<Item = u8> {
        self.to_bytes()
    }
}

impl<C: MontConfig<4>> Field for CurveScalar<C> {
    type Packing = Self;
    const GENERATOR: Self = Self(C::GENERATOR);

    #[inline]
    fn is_zero(&self) -> bool {
        self.0.0.is_zero()
    }

    #[inline]
    fn try_inverse(&self) -> Option<Self> {
        self.0.inverse().map(Self)
    }

    fn try_sqrt(&self) -> Option<Self> {
        self.0.sqrt().map(Self)
    }

    fn order() -> BigUint {
        modulus::<C>()
    }
}

impl<C: MontConfig<4>> PrimeField for CurveScalar<C> {
    fn as_canonical_biguint(&self) -> BigUint {
        to_biguint(self.0.into_bigint())
    }
}

impl<C: MontConfig<4>> TwoAdicField for CurveScalar<C> {
    const TWO_ADICITY: usize = Inner::<C>::TWO_ADICITY as usize;

    fn two_adic_generator(bits: usize) -> Self {
        assert!(bits <= Self::TWO_ADICITY, "no subgroup of order 2^{bits}");
        Self(Inner::<C>::TWO_ADIC_ROOT_OF_UNITY).exp_power_of_2(Self::TWO_ADICITY - bits)
    }
}
