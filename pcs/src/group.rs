//! Groups of prime order for commitments: which curve belongs to a setting, how its points are
//! encoded, and generators between which nobody knows a relation.
//!
//! Point `i` of a setting's list of generators comes from its own stream of BLAKE3 under the context
//! `trilemma generators v1`, fed with the setting's name and `i` in 8 bytes. Attempts follow each
//! other in the stream: an abscissa, little-endian and cut to the bits of the modulus, then a byte
//! whose lowest bit chooses the larger ordinate. The first attempt that is below the modulus, on the
//! curve, and not zero once multiplied by the cofactor, is taken. With the hash a random oracle, the
//! points are uniform and independent, so a relation between them solves a discrete logarithm.

use std::f64::consts::PI;
use std::sync::{Arc, Mutex, PoisonError};

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::{Field, PrimeField};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use rayon::prelude::*;
use trilemma_core::claim::Columns;
use trilemma_core::setting::{Bls12, Bn254, Pallas, Vesta};
use trilemma_core::{Label, Ledger, ProverTranscript, Reject, Setting, VerifierTranscript};

use crate::msm::{Curve, msm};

/// A setting whose field is the scalar field of a curve.
pub trait GroupSetting: Setting<Ext = <Self as Setting>::Base> {
    /// The curve of commitments; the first group where there is a pairing.
    type G1: Curve<BaseField: PrimeField>;
    /// log2 of the best known cost of a discrete logarithm in the field that pairings map to
    /// \[PFC22, GMT19\]; infinite where the embedding degree puts that field out of reach.
    const TARGET_GROUP_BITS: f64;

    /// The scalar as `ark` sees it.
    fn scalar(x: Self::Base) -> Scalar<Self>;
    /// The scalars of a slice.
    fn scalars(xs: &[Self::Base]) -> &[Scalar<Self>];
    /// The generators made so far in this process.
    fn made() -> &'static Mutex<Arc<Vec<G1<Self>>>>;
}

/// The `ark` scalar field of a setting.
pub type Scalar<S> = <<S as GroupSetting>::G1 as ark_ec::CurveConfig>::ScalarField;
/// A point of the group.
pub type G1<S> = Affine<<S as GroupSetting>::G1>;

macro_rules! group_setting {
    ($setting:ty, $curve:ty, $target_group_bits:expr) => {
        impl GroupSetting for $setting {
            type G1 = $curve;
            const TARGET_GROUP_BITS: f64 = $target_group_bits;

            #[inline]
            fn scalar(x: Self::Base) -> Scalar<Self> {
                x.0
            }

            fn scalars(xs: &[Self::Base]) -> &[Scalar<Self>] {
                trilemma_core::curve::CurveScalar::inner(xs)
            }

            fn made() -> &'static Mutex<Arc<Vec<G1<Self>>>> {
                static MADE: std::sync::LazyLock<Mutex<Arc<Vec<Affine<$curve>>>>> =
                    std::sync::LazyLock::new(Mutex::default);
                &MADE
            }
        }
    };
}
group_setting!(Bls12, ark_bls12_381::g1::Config, 126.0);
group_setting!(Bn254, ark_bn254::g1::Config, 100.0);
group_setting!(Pallas, ark_pallas::PallasConfig, f64::INFINITY);
group_setting!(Vesta, ark_vesta::VestaConfig, f64::INFINITY);

/// The first `n` generators, perhaps followed by more. Made once per process.
pub fn generators<S: GroupSetting>(n: usize) -> Arc<Vec<G1<S>>> {
    let mut made = S::made().lock().unwrap_or_else(PoisonError::into_inner);
    if made.len() < n {
        let more: Vec<G1<S>> = (made.len()..n).into_par_iter().map(generator::<S>).collect();
        Arc::make_mut(&mut made).extend(more);
    }
    made.clone()
}

fn generator<S: GroupSetting>(index: usize) -> G1<S> {
    type Coordinate<S> = <<S as GroupSetting>::G1 as ark_ec::CurveConfig>::BaseField;
    let mut stream = blake3::Hasher::new_derive_key("trilemma generators v1");
    let mut stream = stream.update(S::NAME.as_bytes()).update(&(index as u64).to_le_bytes()).finalize_xof();
    let mut abscissa = vec![0; (Coordinate::<S>::MODULUS_BIT_SIZE as usize).div_ceil(8)];
    let mut ordinate = [0];
    loop {
        stream.fill(&mut abscissa);
        stream.fill(&mut ordinate);
        let attempt = Coordinate::<S>::from_random_bytes(&abscissa)
            .and_then(|x| G1::<S>::get_point_from_x_unchecked(x, ordinate[0] & 1 == 1))
            .map(|point| point.mul_by_cofactor())
            .filter(|point| !point.is_zero());
        if let Some(point) = attempt {
            return point;
        }
    }
}

/// For each column, the sum over `bases` with its cells for scalars.
pub(crate) fn msm_columns<S: GroupSetting>(bases: &[G1<S>], matrix: &Columns<S::Base>) -> Vec<Projective<S::G1>> {
    let sum = |column: usize| {
        let cells = matrix.values[column..].iter().step_by(matrix.width);
        let scalars: Vec<Scalar<S>> = cells.map(|&cell| S::scalar(cell)).collect();
        msm(bases, &scalars)
    };
    (0..matrix.width).into_par_iter().map(sum).collect()
}

/// Sends points whose number the verifier knows.
pub fn send_points<S: GroupSetting>(label: Label, points: &[G1<S>], t: &mut ProverTranscript) {
    let mut bytes = Vec::with_capacity(points.len() * point_bytes::<S>());
    for point in points {
        // Writing to a vector does not fail.
        let _ = point.serialize_compressed(&mut bytes);
    }
    t.send(label, &bytes);
}

/// Reads one point: canonical, on the curve and in the subgroup, or rejected.
pub fn recv_point<S: GroupSetting>(label: Label, t: &mut VerifierTranscript<'_>) -> Result<G1<S>, Reject> {
    decode_point::<S>(label, t.recv(label, point_bytes::<S>())?)
}

/// Reads so many points, each as [`recv_point`] does.
pub fn recv_points<S: GroupSetting>(
    label: Label,
    n: usize,
    t: &mut VerifierTranscript<'_>,
) -> Result<Vec<G1<S>>, Reject> {
    let total = n.checked_mul(point_bytes::<S>()).ok_or_else(|| Reject::new("length overflows"))?;
    t.recv(label, total)?.chunks_exact(point_bytes::<S>()).map(|bytes| decode_point::<S>(label, bytes)).collect()
}

/// Bytes of an encoded point.
pub fn point_bytes<S: GroupSetting>() -> usize {
    G1::<S>::generator().compressed_size()
}

fn decode_point<S: GroupSetting>(label: Label, bytes: &[u8]) -> Result<G1<S>, Reject> {
    let point = G1::<S>::deserialize_compressed(bytes)
        .map_err(|_| Reject::new(format!("`{label}` is not a point of the group")))?;
    let mut canonical = Vec::with_capacity(bytes.len());
    match point.serialize_compressed(&mut canonical) {
        Ok(()) if canonical == bytes => Ok(point),
        _ => Err(Reject::new(format!("`{label}` is not canonical"))),
    }
}

/// log2 of the best known cost of a discrete logarithm in the group: Pollard's rho, sped up by the six
/// automorphisms that all these curves have (`y^2 = x^3 + b`), unless pairings map to an easier group.
pub fn discrete_logarithm_bits<S: GroupSetting>() -> f64 {
    ((S::ext_bits() + (PI / 12.0).log2()) / 2.0).min(S::TARGET_GROUP_BITS)
}

/// Enters the assumption that discrete logarithms are hard.
pub fn assume_discrete_logarithm<S: GroupSetting>(ledger: &mut Ledger) {
    let name = format!("discrete logarithm, {}", S::NAME);
    ledger.assume(&name, discrete_logarithm_bits::<S>(), "[DGM99], [PFC22], [KB16], [GMT19]");
}

/// The same against adversaries that are algebraic.
pub fn assume_algebraic<S: GroupSetting>(ledger: &mut Ledger) {
    let name = format!("discrete logarithm in the algebraic group model, {}", S::NAME);
    ledger.assume(&name, discrete_logarithm_bits::<S>(), "[FKL18], [GT21], [DGM99], [PFC22], [KB16], [GMT19]");
}

#[cfg(test)]
mod tests {
    use ark_ec::CurveConfig;
    use ark_ec::short_weierstrass::SWCurveConfig;
    use ark_ff::{AdditiveGroup, BigInteger};
    use trilemma_core::Security;

    use super::*;

    fn makes_generators<S: GroupSetting>(bits: f64) {
        assert_eq!(S::G1::COEFF_A, AdditiveGroup::ZERO);
        assert!((discrete_logarithm_bits::<S>() - bits).abs() < 0.1);
        let few = generators::<S>(3)[..3].to_vec();
        let many = generators::<S>(20);
        assert_eq!(many[..3], few);
        for (i, point) in many.iter().enumerate() {
            assert!(point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve() && !point.is_zero());
            assert_eq!(*point, generator::<S>(i));
            assert!(!many[..i].contains(point));
        }
    }

    #[test]
    fn generators_are_points_of_the_group() {
        makes_generators::<Bls12>(126.0);
        makes_generators::<Bn254>(100.0);
        makes_generators::<Pallas>(126.0);
        makes_generators::<Vesta>(126.0);
    }

    fn receive<S: GroupSetting>(bytes: &[u8], n: usize) -> Result<Vec<G1<S>>, Reject> {
        let mut t = VerifierTranscript::new(b"points", Security::default(), bytes);
        let points = recv_points::<S>("points", n, &mut t)?;
        t.finish().map(|_| points)
    }

    fn compress<S: GroupSetting>(point: G1<S>) -> Vec<u8> {
        let mut bytes = Vec::new();
        point.serialize_compressed(&mut bytes).expect("serializes");
        bytes
    }

    fn reads_points<S: GroupSetting>() {
        let points = [generators::<S>(2)[..2].to_vec(), vec![G1::<S>::identity(), G1::<S>::generator()]].concat();
        let mut t = ProverTranscript::new(b"points", Security::default());
        send_points::<S>("points", &points, &mut t);
        let (bytes, ..) = t.finish();
        assert_eq!(bytes.len(), 4 * point_bytes::<S>());
        assert_eq!(receive::<S>(&bytes, 4), Ok(points));
        for n in [0, 3, 5, usize::MAX] {
            assert!(receive::<S>(&bytes, n).is_err(), "{n} points");
        }
        // A flipped bit makes another point, whose encoding it is, or none.
        let honest = compress::<S>(generators::<S>(1)[0]);
        for bit in 0..8 * honest.len() {
            let mut bytes = honest.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(points) = receive::<S>(&bytes, 1) {
                assert!(points[0] != generators::<S>(1)[0] && compress::<S>(points[0]) == bytes, "bit {bit}");
                assert!(points[0].is_on_curve() && points[0].is_in_correct_subgroup_assuming_on_curve());
            }
        }
        let mut infinity = compress::<S>(G1::<S>::identity());
        infinity[10] ^= 1;
        assert!(receive::<S>(&infinity, 1).is_err(), "infinity with a coordinate");
    }

    fn refuses_other_points<S: GroupSetting>(big_endian: bool) {
        let (mut off_curve, mut outside) = (false, S::G1::cofactor_is_one());
        for x in (1u64..).map(<S::G1 as CurveConfig>::BaseField::from) {
            let point = G1::<S>::get_point_from_x_unchecked(x, true);
            let valid = point.is_some_and(|point| point.is_in_correct_subgroup_assuming_on_curve());
            let bytes = compress::<S>(point.unwrap_or(Affine::new_unchecked(x, x)));
            assert_eq!(receive::<S>(&bytes, 1).is_ok(), valid);
            off_curve |= point.is_none();
            outside |= point.is_some() && !valid;
            // The same abscissa plus the modulus, where there is room for it.
            let mut sum = bytes.clone();
            let modulus = <S::G1 as CurveConfig>::BaseField::MODULUS.to_bytes_le();
            let mut carry = 0u16;
            for (i, m) in modulus.into_iter().take(sum.len()).enumerate() {
                let at = if big_endian { sum.len() - 1 - i } else { i };
                carry += u16::from(sum[at]) + u16::from(m);
                sum[at] = carry as u8;
                carry >>= 8;
            }
            assert!(receive::<S>(&sum, 1).is_err(), "not canonical");
            if off_curve && outside {
                break;
            }
        }
    }

    #[test]
    fn only_canonical_points_of_the_group_are_read() {
        reads_points::<Bls12>();
        reads_points::<Bn254>();
        reads_points::<Pallas>();
        reads_points::<Vesta>();
        refuses_other_points::<Bls12>(true);
        refuses_other_points::<Bn254>(false);
        refuses_other_points::<Pallas>(false);
        refuses_other_points::<Vesta>(false);
    }
}
