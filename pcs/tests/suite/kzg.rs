//! What only KZG promises: its points, its reference strings, its ledger, its size.

use crate::common;
use ark_ec::short_weierstrass::Affine;
use ark_ec::{AffineRepr, CurveConfig, CurveGroup};
use ark_ff::{BigInteger, PrimeField as _};
use ark_serialize::CanonicalSerialize;
use common::{At, Case, Lab, ask, lies, random};
use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use rand::SeedableRng;
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use trilemma_core::claim::UniEval;
use trilemma_core::security::Standing;
use trilemma_core::setting::{Bls12, Bn254};
use trilemma_core::{Options, Scheme, SchemeEntry, Setup};
use trilemma_pcs::Available;
use trilemma_pcs::group::GroupSetting;
use trilemma_pcs::ideal::Ideal;
use trilemma_pcs::kzg::Kzg;
use trilemma_pcs::msm::msm;
use trilemma_pcs::srs::{PairingSetting, Srs, save_insecure};

const SEED: u64 = 0xCE7E;

fn rng() -> SmallRng {
    println!("seed {SEED:#x}");
    SmallRng::seed_from_u64(SEED)
}

fn lab<S: PairingSetting + Available>(options: Options, max_log_height: usize) -> Lab<S, UniEval<S::Ext>> {
    Lab::new(&SchemeEntry::of::<Kzg>(), options, max_log_height)
}

#[test]
fn false_values_that_the_prover_stands_by_are_rejected() {
    lies::<Bls12, Ideal>();
    lies::<Bls12, Kzg>();
    lies::<Bn254, Kzg>();
    lies::<Bn254, Kzg<true>>();
}

/// Encodings that must not pass for a commitment.
fn bad_points<S: PairingSetting + Available>() -> Vec<(&'static str, Vec<u8>)> {
    type Fq<S> = <<S as GroupSetting>::G1 as ark_ec::CurveConfig>::BaseField;
    let compress = |point: Affine<S::G1>| {
        let mut bytes = Vec::new();
        point.serialize_compressed(&mut bytes).expect("serializes");
        bytes
    };
    let generator = compress(Affine::generator());
    let mut bad = vec![("zeros", vec![0; generator.len()]), ("ones", vec![255; generator.len()])];
    let mut infinity = compress(Affine::identity());
    for i in 0..infinity.len() {
        infinity[i] ^= 1;
        bad.push(("infinity with a coordinate", infinity.clone()));
        infinity[i] ^= 1;
    }
    let (mut off_curve, mut outside) = (None, None);
    for x in (1u64..).map(Fq::<S>::from) {
        match Affine::<S::G1>::get_point_from_x_unchecked(x, false) {
            None => off_curve = Some(x),
            Some(point) if !point.is_in_correct_subgroup_assuming_on_curve() => {
                outside = Some(point);
            }
            Some(_) => {}
        }
        let complete = outside.is_some() || S::G1::cofactor_is_one();
        if off_curve.is_some() && complete {
            break;
        }
    }
    outside.into_iter().for_each(|point| bad.push(("outside the subgroup", compress(point))));
    if let Some(x) = off_curve {
        bad.push(("off the curve", compress(Affine::new_unchecked(x, x))));
    }
    bad
}

fn rejects_bad_points<S: PairingSetting + Available>(plus_modulus: impl Fn(&[u8]) -> Vec<u8>)
where
    StandardUniform: Distribution<S::Base>,
{
    let lab = lab::<S>(Options::default(), 3);
    let case = Case::<S> {
        index: Vec::new(),
        oracles: vec![vec![random::<S>(&mut rng(), 3, 1)]],
        asks: vec![vec![ask(0, 0, At::Z)]],
    };
    let mut honest = lab.prove(&case);
    let mut bad = bad_points::<S>();
    let size = bad[0].1.len();
    let proof = honest.proven.proof.clone();
    let commitment = common::HEADER + common::extra::<S>();
    let places = [commitment, proof.len() - 2 * size, proof.len() - size];
    // A small x has a second encoding, x + p, if the spare bits allow it.
    let (mut x, mut small) = (0u64, None);
    while small.is_none() {
        x += 1;
        small = Affine::<S::G1>::get_point_from_x_unchecked(x.into(), true);
    }
    let mut bytes = Vec::new();
    small.expect("found").serialize_compressed(&mut bytes).expect("serializes");
    bad.push(("not canonical", plus_modulus(&bytes)));
    for (what, point) in bad {
        for at in places {
            honest.proven.proof[at..at + size].copy_from_slice(&point);
            lab.rejects(what, &honest, &case.beliefs());
            let reason = lab.reason(&honest, &case.beliefs());
            assert!(reason.contains("not a point") || reason.contains("canonical"), "{what}: {reason}");
            honest.proven.proof.clone_from(&proof);
        }
    }
}

/// Adds the modulus to a big-endian number, leaving the flags above it.
fn add(bytes: &[u8], modulus: &[u8]) -> Vec<u8> {
    let mut carry = 0u16;
    let mut sum: Vec<u8> = bytes.to_vec();
    for (byte, m) in sum.iter_mut().zip(modulus).rev() {
        carry += u16::from(*byte) + u16::from(*m);
        *byte = carry as u8;
        carry >>= 8;
    }
    sum
}

#[test]
fn bad_points_are_rejected_where_they_are_read() {
    let bls = ark_bls12_381::Fq::MODULUS.to_bytes_be();
    rejects_bad_points::<Bls12>(|x| add(x, &bls));
    let bn = ark_bn254::Fq::MODULUS.to_bytes_be();
    rejects_bad_points::<Bn254>(|x| {
        let reversed: Vec<u8> = x.iter().rev().copied().collect();
        add(&reversed, &bn).into_iter().rev().collect()
    });
}

fn commits_to_coefficients<S: PairingSetting + Available>()
where
    StandardUniform: Distribution<S::Base>,
{
    let srs = Srs::<S>::insecure(5, 1).expect("made");
    let mut rng = rng();
    for log_height in 0..=5 {
        let column = random::<S>(&mut rng, log_height, 1).values;
        let basis = srs.lagrange(log_height).expect("within the string");
        let by_values = msm(basis, S::scalars(&column));
        let coefficients = Radix2DitParallel::default().idft(column);
        let by_coefficients = msm(srs.powers(), S::scalars(&coefficients));
        assert_eq!(by_values.into_affine(), by_coefficients.into_affine());
    }
}

#[test]
fn values_and_coefficients_commit_alike() {
    commits_to_coefficients::<Bls12>();
    commits_to_coefficients::<Bn254>();
}

fn uses_files<S: PairingSetting + Available>()
where
    StandardUniform: Distribution<S::Base>,
{
    let path = |n: u32| {
        let name = format!("trilemma-{}-{}-{n}.srs", S::NAME, std::process::id());
        std::env::temp_dir().join(name)
    };
    let with = |path: &std::path::Path| Options { srs: Some(path.into()), ..Options::default() };
    let case = Case::<S> {
        index: vec![random::<S>(&mut rng(), 3, 1)],
        oracles: vec![vec![random::<S>(&mut rng(), 3, 2)]],
        asks: vec![vec![ask(0, 0, At::Z), ask(1, 0, At::Z), ask(1, 0, At::Next)]],
    };
    let (same, longer, other, short) = (path(0), path(1), path(2), path(3));
    save_insecure(S::NAME, 3, 0, &same).expect("writes");
    save_insecure(S::NAME, 4, 0, &longer).expect("writes");
    save_insecure(S::NAME, 3, 9, &other).expect("writes");
    save_insecure(S::NAME, 2, 0, &short).expect("writes");
    let labs = [&same, &longer, &other].map(|path| lab::<S>(with(path), 3));
    for lab in &labs {
        lab.round_trip("from a file", &case);
    }
    let honest = labs[0].prove(&case);
    labs[2].rejects("another trapdoor", &honest, &case.beliefs());
    let refused = |result: Result<_, trilemma_core::ConfigError>| {
        let _: (<Kzg as Scheme<S>>::ProverKey, _) = match result {
            Ok(keys) => keys,
            Err(e) => return e.0,
        };
        panic!("accepted");
    };
    assert!(refused(<Kzg as Scheme<S>>::setup(&with(&short), 3)).contains("2^3 are needed"));
    let missing = refused(<Kzg as Scheme<S>>::setup(&with(&path(4)), 3));
    assert!(missing.contains("srs"), "{missing}");
    let (_, vk) = <Kzg as Scheme<S>>::setup(&with(&longer), 3).expect("set-up");
    let properties = <Kzg as Scheme<S>>::properties(&vk);
    assert!(matches!(properties.setup, Setup::Insecure(text) if text.contains("seed 0")));
    assert!(!properties.post_quantum && !properties.hiding);
    for path in [same, longer, other, short] {
        std::fs::remove_file(path).expect("removes");
    }
}

#[test]
fn reference_strings_come_from_files() {
    uses_files::<Bls12>();
    uses_files::<Bn254>();
    assert!(save_insecure("p256", 1, 0, &std::env::temp_dir().join("never")).is_err());
}

fn size_and_ledger<S: PairingSetting + Available>(point: usize, bits: f64)
where
    StandardUniform: Distribution<S::Base>,
{
    let lab = lab::<S>(Options::default(), 6);
    let case = Case::<S> {
        index: Vec::new(),
        oracles: vec![vec![random::<S>(&mut rng(), 6, 7), random::<S>(&mut rng(), 4, 2)]],
        asks: vec![vec![ask(0, 0, At::Z), ask(0, 0, At::Next), ask(0, 1, At::Z)]],
    };
    let proven = lab.prove(&case).proven;
    assert_eq!(proven.bytes["oracle"], 9 * point);
    assert_eq!(proven.bytes["answers"], (2 * 7 + 2) * 32);
    assert_eq!(proven.bytes["kzg quotient"] + proven.bytes["kzg witness"], 2 * point);
    let assumed = proven.ledger.weakest(Standing::Assumed).expect("assumptions");
    assert!((assumed.total() - bits).abs() < 0.1, "{assumed:?}");
    assert!(proven.ledger.weakest(Standing::Proven).expect("terms").total() > 200.0);
}

#[test]
fn sizes_and_ledgers() {
    size_and_ledger::<Bls12>(48, (254.9 - 6.0) / 2.0);
    size_and_ledger::<Bn254>(32, 100.0);
}
