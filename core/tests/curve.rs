//! Differential tests of the curve fields against `ark-ff`, and of the transforms over them.

use ark_ff::{AdditiveGroup, FftField, Field as _, MontConfig, Zero};
use num_bigint::BigUint;
use p3_dft::{NaiveDft, Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::integers::QuotientMap;
use p3_field::{
    ExtensionField, Field, PackedValue, PrimeCharacteristicRing, PrimeField, RawDataSerializable, TwoAdicField,
};
use p3_matrix::Matrix;
use p3_matrix::bitrev::BitReversibleMatrix;
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::claim::{ClaimKind, Columns, UniEval};
use trilemma_core::curve::{CurveScalar, Inner};
use trilemma_core::setting::{Bls12, Bn254, Pallas, Setting, Smooth, Vesta};

const SEED: u64 = 0x7219;

fn samples<C: MontConfig<4>>() -> Vec<CurveScalar<C>> {
    println!("seed {SEED:#x}");
    let mut rng = SmallRng::seed_from_u64(SEED);
    let p = CurveScalar::<C>::order();
    let edges = [
        BigUint::ZERO,
        BigUint::from(1u8),
        BigUint::from(2u8),
        BigUint::from(u64::MAX),
        BigUint::from(u128::MAX),
        (BigUint::from(1u8) << 192) - 1u8,
        (&p - 1u8) >> 1,
        (&p + 1u8) >> 1,
        &p - 2u8,
        &p - 1u8,
    ];
    let edges = edges.into_iter().map(from_biguint);
    edges.chain((0..40).map(|_| rng.random())).collect()
}

fn from_biguint<C: MontConfig<4>>(x: BigUint) -> CurveScalar<C> {
    try_biguint(x).expect("below the modulus")
}

fn try_biguint<C: MontConfig<4>>(x: BigUint) -> Option<CurveScalar<C>> {
    let mut bytes = x.to_bytes_le();
    bytes.resize(32, 0);
    CurveScalar::from_bytes(bytes.try_into().ok()?)
}

fn check_arithmetic<C: MontConfig<4>>() {
    let xs = samples::<C>();
    let p = CurveScalar::<C>::order();
    for &a in &xs {
        let n = a.as_canonical_biguint();
        assert_eq!(-a, CurveScalar(-a.0));
        assert_eq!(a.double(), CurveScalar(a.0.double()));
        assert_eq!(a.square(), CurveScalar(a.0.square()));
        assert_eq!(a.cube(), CurveScalar(a.0.pow([3])));
        assert_eq!(a.halve(), CurveScalar(a.0 / Inner::<C>::from(2u64)));
        assert_eq!(a.halve().double(), a);
        for e in [0, 1, 5, 64, 255, 1000] {
            let power = Inner::<C>::from(2u64).pow([e]);
            assert_eq!(a.mul_2exp_u64(e), CurveScalar(a.0 * power));
            assert_eq!(a.div_2exp_u64(e), CurveScalar(a.0 / power));
            assert_eq!(a.exp_u64(e), CurveScalar(a.0.pow([e])));
        }
        assert_eq!(a.is_zero(), a.0.is_zero());
        assert_eq!(a.try_inverse(), a.0.inverse().map(CurveScalar));
        assert_eq!(a.try_inverse().is_none(), n == BigUint::ZERO);
        let root = a.square().try_sqrt().expect("a square");
        assert!(root == a || root == -a);
        assert_eq!(a.to_string(), n.to_string());
        for &b in &xs {
            let m = b.as_canonical_biguint();
            assert_eq!(a + b, CurveScalar(a.0 + b.0));
            assert_eq!(a - b, CurveScalar(a.0 - b.0));
            assert_eq!(a * b, CurveScalar(a.0 * b.0));
            assert_eq!((a * b).as_canonical_biguint(), &n * &m % &p);
            if !b.is_zero() {
                assert_eq!(a / b, CurveScalar(a.0 / b.0));
            }
            assert_eq!(a.cmp(&b), n.cmp(&m));
            assert_eq!(a == b, n == m);
        }
    }
    let zs: Vec<_> = xs.iter().map(|x| x.0).collect();
    assert_eq!(CurveScalar::inner(&xs), zs);
    assert_eq!(xs.iter().copied().sum::<CurveScalar<C>>(), CurveScalar(zs.iter().sum()));
    assert_eq!(xs.iter().copied().product::<CurveScalar<C>>(), CurveScalar(zs.iter().product()));
    let (u, v): ([_; 20], [_; 20]) = (std::array::from_fn(|i| xs[i]), std::array::from_fn(|i| xs[i + 9]));
    let dot: Inner<C> = (0..20).map(|i| zs[i] * zs[i + 9]).sum();
    assert_eq!(CurveScalar::dot_product(&u, &v), CurveScalar(dot));
    let inverses = p3_field::batch_multiplicative_inverse(&xs[1..]);
    assert!(inverses.iter().zip(&xs[1..]).all(|(&i, &x)| i * x == CurveScalar::ONE));
    assert_eq!(<CurveScalar<C> as Field>::Packing::WIDTH, 1);
    assert_eq!(CurveScalar::<C>::TWO, CurveScalar::ONE + CurveScalar::ONE);
    assert_eq!(CurveScalar::<C>::NEG_ONE, -CurveScalar::<C>::ONE);
    assert_eq!(ExtensionField::<CurveScalar<C>>::as_base(&xs[7]), Some(xs[7]));
}

type F<C> = CurveScalar<C>;

fn check_integers<C: MontConfig<4>>() {
    for x in [i64::MIN, i64::MIN + 1, -5, -1, 0, 1, 5, i64::MAX] {
        assert_eq!(F::<C>::from_i64(x), CurveScalar(Inner::<C>::from(x)));
        let magnitude = F::<C>::from_u64(x.unsigned_abs());
        assert_eq!(F::<C>::from_i64(x), if x < 0 { -magnitude } else { magnitude });
        assert_eq!(F::<C>::from_isize(x as isize), F::from_i64(x));
        assert_eq!(F::<C>::from_i32(x as i32), F::from_i64(i64::from(x as i32)));
        assert_eq!(F::<C>::from_i8(x as i8), F::from_i64(i64::from(x as i8)));
    }
    for x in [i128::MIN, -1, 0, i128::MAX] {
        let magnitude = from_biguint::<C>(BigUint::from(x.unsigned_abs()));
        assert_eq!(F::<C>::from_i128(x), if x < 0 { -magnitude } else { magnitude });
    }
    for x in [0, 1, 0xffff, u64::MAX] {
        assert_eq!(F::<C>::from_u64(x).as_canonical_biguint(), BigUint::from(x));
        assert_eq!(F::<C>::from_usize(x as usize), F::from_u64(x));
        assert_eq!(F::<C>::from_u16(x as u16), F::from_u64(u64::from(x as u16)));
        assert_eq!(<F<C> as QuotientMap<u64>>::from_canonical_checked(x), Some(F::from_u64(x)));
    }
    assert_eq!(F::<C>::from_u128(u128::MAX).as_canonical_biguint(), BigUint::from(u128::MAX));
    assert_eq!(F::<C>::from_bool(true), F::ONE);
}

fn check_encoding<S: Setting<Base = CurveScalar<C>>, C: MontConfig<4>>() {
    for x in samples::<C>() {
        let mut bytes = Vec::new();
        S::encode(x, &mut bytes);
        assert_eq!(bytes.len(), S::BYTES);
        assert_eq!(BigUint::from_bytes_le(&bytes), x.as_canonical_biguint());
        assert_eq!(x.into_bytes().into_iter().collect::<Vec<u8>>(), bytes);
        assert_eq!(S::decode(&bytes), Some(x));
        assert_eq!(S::decode(&bytes[1..]), None);
        assert_eq!(S::decode(&[bytes.as_slice(), &[0]].concat()), None);
        let json = serde_json::to_string(&x).expect("serializes");
        assert_eq!(serde_json::from_str::<S::Base>(&json).expect("deserializes"), x);
        // Any other representative of the class is refused.
        let alias = x.as_canonical_biguint() + S::Base::order();
        assert_eq!(try_biguint::<C>(alias), None);
    }
    let modulus = S::Base::order().to_bytes_le();
    assert_eq!(S::decode(&modulus), None);
    assert!(serde_json::from_str::<S::Base>(&format!("{modulus:?}")).is_err());
    assert_eq!(S::decode(&[0xff; 32]), None);
    assert!((S::ext_bits() - (S::Base::bits() as f64 - 1.0)).abs() < 1.0);
}

fn check_generators<C: MontConfig<4>>(factors: &[(&str, u32)]) {
    let order = F::<C>::order() - 1u8;
    let exp = |base: F<C>, e: &BigUint| CurveScalar(base.0.pow(e.to_u64_digits()));
    let mut product = BigUint::from(1u8);
    for &(factor, multiplicity) in factors {
        let q: BigUint = factor.parse().expect("a number");
        assert_ne!(exp(F::GENERATOR, &(&order / &q)), F::ONE, "order misses {q}");
        product *= q.pow(multiplicity);
    }
    assert_eq!(product, order);
    assert_eq!(F::<C>::TWO_ADICITY, order.trailing_zeros().expect("nonzero") as usize);
    for bits in 0..=F::<C>::TWO_ADICITY {
        let g = F::<C>::two_adic_generator(bits);
        assert_eq!(Some(g), Inner::<C>::get_root_of_unity(1 << bits).map(CurveScalar));
        assert_eq!(g.exp_power_of_2(bits), F::ONE);
        if bits > 0 {
            assert_eq!(g.exp_power_of_2(bits - 1), F::NEG_ONE);
            assert_eq!(g.square(), F::two_adic_generator(bits - 1));
        }
    }
}

fn check_transforms<S: Smooth>()
where
    StandardUniform: Distribution<S::Base>,
{
    let mut rng = SmallRng::seed_from_u64(SEED);
    for log_height in [0, 1, 2, 5, 9] {
        let width = 3;
        let values = (0..width << log_height).map(|_| rng.random()).collect();
        let columns = Columns::<S::Base>::new(values, width);
        let dft = Radix2DitParallel::default();
        let fast = dft.dft_batch(columns.clone()).bit_reverse_rows().to_row_major_matrix();
        let slow = NaiveDft.dft_batch(columns.clone()).bit_reverse_rows().to_row_major_matrix();
        assert_eq!(fast, slow);
        assert_eq!(dft.idft_batch(dft.dft_batch(columns.clone()).to_row_major_matrix()), columns);

        let log_expand = 2;
        let extended = S::extend(columns.clone(), log_expand).bit_reverse_rows().to_row_major_matrix();
        let g = S::Base::two_adic_generator(log_height + log_expand);
        for (i, row) in extended.row_slices().enumerate() {
            let x = S::Base::GENERATOR * g.exp_u64(i as u64);
            let values = ClaimKind::<S>::evaluate(&UniEval(S::Ext::from(x)), &columns);
            let row: Vec<S::Ext> = row.iter().map(|&cell| cell.into()).collect();
            assert_eq!(row, values);
        }
    }
}

fn check<S: Setting<Base = CurveScalar<C>>, C: MontConfig<4>>(bits: usize, factors: &[(&str, u32)]) {
    check_arithmetic::<C>();
    check_integers::<C>();
    check_encoding::<S, C>();
    check_transforms::<S>();
    check_generators::<C>(factors);
    assert_eq!(CurveScalar::<C>::bits(), bits);
}

/// The factorisations of `p - 1` name every prime at which a generator must be tested.
#[test]
fn bls12_381() {
    let factors = [
        ("2", 32),
        ("3", 1),
        ("11", 1),
        ("19", 1),
        ("10177", 1),
        ("125527", 1),
        ("859267", 1),
        ("906349", 2),
        ("2508409", 1),
        ("2529403", 1),
        ("52437899", 1),
        ("254760293", 2),
    ];
    check::<Bls12, _>(255, &factors);
}

#[test]
fn bn254() {
    let factors = [
        ("2", 28),
        ("3", 2),
        ("13", 1),
        ("29", 1),
        ("983", 1),
        ("11003", 1),
        ("237073", 1),
        ("405928799", 1),
        ("1670836401704629", 1),
        ("13818364434197438864469338081", 1),
    ];
    check::<Bn254, _>(254, &factors);
}

#[test]
fn pallas() {
    let factors = [
        ("2", 32),
        ("3", 2),
        ("1709", 1),
        ("24859", 1),
        ("1690502597179744445941507", 1),
        ("10427374428728808478656897599072717", 1),
    ];
    check::<Pallas, _>(255, &factors);
}

#[test]
fn vesta() {
    let factors = [
        ("2", 32),
        ("3", 1),
        ("463", 1),
        ("539204044132271846773", 1),
        ("8999194758858563409123804352480028797519453", 1),
    ];
    check::<Vesta, _>(255, &factors);
}
