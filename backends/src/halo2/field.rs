//! Field elements, points and the reference string, as the library has them.

use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField as _};
use halo2_axiom::halo2curves::bn256::{Bn256, Fq, Fq2, G1Affine, G2Affine};
use halo2_axiom::halo2curves::ff::{Field, PrimeField};
use halo2_axiom::poly::kzg::commitment::ParamsKZG;
use p3_field::TwoAdicField;
use rand_core::OsRng;
use rayon::prelude::*;
use trilemma_core::{ConfigError, Setting};
use trilemma_pcs::group::G1;
use trilemma_pcs::srs::{G2, Srs};

use super::{F, S, error};

type Base = <S as Setting>::Base;

/// A field element for the library.
pub fn scalar(x: Base) -> F {
    Option::from(F::from_repr(x.to_bytes())).unwrap_or_default()
}

/// A field element of the library.
pub fn element(x: F) -> Base {
    Base::from_bytes(x.to_repr()).unwrap_or_default()
}

/// A coordinate for the library.
fn coordinate(x: ark_bn254::Fq) -> Fq {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&x.into_bigint().to_bytes_le());
    Option::from(Fq::from_repr(bytes)).unwrap_or_default()
}

fn point(p: &G1<S>) -> G1Affine {
    p.xy().map_or_else(G1Affine::default, |(x, y)| G1Affine { x: coordinate(x), y: coordinate(y) })
}

fn point2(p: &G2<S>) -> G2Affine {
    let pair = |x: ark_bn254::Fq2| Fq2 { c0: coordinate(x.c0), c1: coordinate(x.c1) };
    p.xy().map_or_else(G2Affine::default, |(x, y)| G2Affine { x: pair(x), y: pair(y) })
}

/// The powers that proving takes, and their combinations that commit to values.
///
/// The library numbers the points of a subgroup by another generator, whose index by ours is `j`: its `i`-th
/// combination is our `ij`-th.
pub fn prover_string(srs: &Srs<S>, log_height: usize) -> Result<ParamsKZG<Bn256>, ConfigError> {
    let n = 1 << log_height;
    let too_short = || error(format!("a reference string of fewer than 2^{log_height} powers"));
    let lagrange = srs.lagrange(log_height).filter(|_| srs.log_size() >= log_height).ok_or_else(too_short)?;
    let mut theirs = F::ROOT_OF_UNITY;
    (log_height..F::S as usize).for_each(|_| theirs = theirs.square());
    let ours = scalar(Base::two_adic_generator(log_height));
    let powers = std::iter::successors(Some(F::ONE), |&x| Some(x * ours)).take(n);
    let j = powers.enumerate().find(|(_, x)| *x == theirs).map_or(0, |(j, _)| j);
    let values = (0..n).into_par_iter().map(|i| point(&lagrange[i * j % n])).collect();
    let powers = srs.first_powers(log_height).par_iter().map(point).collect();
    Ok(string(srs, log_height, powers, values))
}

/// What verifying takes.
pub fn verifier_string(srs: &Srs<S>, log_height: usize) -> ParamsKZG<Bn256> {
    string(srs, log_height, vec![G1Affine::generator()], Vec::new())
}

fn string(srs: &Srs<S>, log_height: usize, powers: Vec<G1Affine>, values: Vec<G1Affine>) -> ParamsKZG<Bn256> {
    // The library makes strings out of strings only.
    let any = ParamsKZG::<Bn256>::setup(1, OsRng);
    let [h, tau_h] = srs.g2().map(|p| point2(&p));
    any.from_parts(log_height as u32, powers, Some(values), h, tau_h)
}

#[cfg(test)]
mod tests {
    use halo2_axiom::poly::EvaluationDomain;
    use halo2_axiom::poly::commitment::{Blind, Params, ParamsProver};

    use super::*;

    /// A column's commitment is that of the polynomial through its values, over the library's subgroup.
    #[test]
    fn the_string_is_of_the_library_s_subgroup() {
        for log_height in [1, 5] {
            let params = prover_string(&Srs::insecure(6, 1).unwrap(), log_height).unwrap();
            let domain = EvaluationDomain::<F>::new(3, log_height as u32);
            let values: Vec<F> = (0..1 << log_height).map(|i| F::from(i * i + 3)).collect();
            let values = domain.lagrange_from_vec(values);
            let coefficients = domain.lagrange_to_coeff(values.clone());
            let commit = |blind| (params.commit(&coefficients, blind), params.commit_lagrange(&values, blind));
            let (by_powers, by_values) = commit(Blind::default());
            assert_eq!(by_powers, by_values);
        }
    }

    #[test]
    fn elements_come_back() {
        use p3_field::PrimeCharacteristicRing;
        for x in [Base::ZERO, Base::ONE, Base::NEG_ONE, Base::from_u64(u64::MAX), Base::from_i64(-5).halve()] {
            assert_eq!(element(scalar(x)), x);
        }
        assert_eq!(scalar(Base::NEG_ONE), -F::ONE);
        assert_eq!(scalar(Base::from_u32(7) * Base::from_u32(9)), F::from(63));
    }
}
