use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM, PrimeGroup, ScalarMul};
use ark_ff::{PrimeField, UniformRand};
use ark_bls12_381::{G1Projective, Fr};
use std::time::Instant;
use p3_field::*;
#[test]
fn scratch() {
    let mut rng = ark_std::test_rng();
    let n = 1<<16;
    let s: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
    let t = Instant::now();
    let bases = G1Projective::generator().batch_mul(&s);
    println!("batch_mul {:?}", t.elapsed());
    let t = Instant::now();
    let _ = G1Projective::msm(&bases, &s).unwrap();
    println!("full {:?}", t.elapsed());
    for bits in [1u32,8,16,24,32] {
        let v: Vec<Fr> = s.iter().map(|x| Fr::from(x.into_bigint().0[0] & ((1u64<<bits)-1))).collect();
        let t = Instant::now();
        let _ = G1Projective::msm(&bases, &v).unwrap();
        println!("{bits} {:?}", t.elapsed());
        let w: Vec<u64> = v.iter().map(|x| x.into_bigint().0[0]).collect();
        let t = Instant::now();
        let _ = G1Projective::msm_u64(&bases, &w);
        println!("{bits} u64 {:?}", t.elapsed());
    }
    use trilemma_core::curve::*;
    let x: Vec<Bls12Scalar> = s.iter().map(|&x| CurveScalar(x)).collect();
    let t = Instant::now();
    let mut acc = Bls12Scalar::ONE;
    for _ in 0..20 { for y in &x { acc *= *y; } }
    println!("mul latency {:?} {acc}", t.elapsed()/(20*n));
    let t = Instant::now();
    let mut acc = [Bls12Scalar::ONE;4];
    for _ in 0..20 { for y in x.chunks_exact(4) { for i in 0..4 {acc[i] *= y[i];} } }
    println!("mul throughput {:?} {acc:?}", t.elapsed()/(20*n));
    let t = Instant::now();
    let mut d = Bls12Scalar::ZERO;
    for _ in 0..20 { for y in x.chunks_exact(16) { d += Bls12Scalar::dot_product::<8>(y[..8].try_into().unwrap(), y[8..].try_into().unwrap()) } }
    println!("dot per product {:?} {d:?}", t.elapsed()/(10*n));
    let t = Instant::now();
    let mut d = Fr::from(0u64);
    for _ in 0..20 { for y in s.chunks_exact(16) { let a: &[Fr;8] = y[..8].try_into().unwrap(); let b: &[Fr;8]=y[8..].try_into().unwrap(); d += <Fr as ark_ff::Field>::sum_of_products::<8>(a,b) } }
    println!("ark dot per product {:?} {d:?}", t.elapsed()/(10*n));
    let t = Instant::now();
    let _ = p3_field::batch_multiplicative_inverse(&x);
    println!("inv {:?}", t.elapsed()/n);
}
#[test]
fn own() {
    use trilemma_pcs::msm::*;
    let mut rng = ark_std::test_rng();
    fn go<P: Curve>(s: &[P::ScalarField]) {
    let n = s.len() as u64;
    let t = Instant::now();
    let f = FixedBase::<P>::new(P::GENERATOR);
    println!("tables {:?}", t.elapsed());
    let t = Instant::now();
    let bases = f.multiples(&s);
    println!("own multiples {:?}", t.elapsed());
    let t = Instant::now();
    let _ = msm(&bases, &s);
    println!("own full {:?}", t.elapsed());
    for bits in [1u32,8,16,24,32] {
        let v: Vec<P::ScalarField> = s.iter().map(|x| P::ScalarField::from(x.into_bigint().0[0] & ((1u64<<bits)-1))).collect();
        let t = Instant::now();
        let _ = msm(&bases, &v);
        println!("own {n} {bits} {:?}", t.elapsed());
    }}
    for n in [1<<16, 1<<18] { println!("bls");
    let s: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
    go::<ark_bls12_381::g1::Config>(&s);
    println!("bn");
    let s: Vec<ark_bn254::Fr> = (0..n).map(|_| ark_bn254::Fr::rand(&mut rng)).collect();
    go::<ark_bn254::g1::Config>(&s);
    }
}
