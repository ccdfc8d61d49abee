//! Keys of a circuit from trapdoors that everybody knows.

use ark_ec::pairing::Pairing;
use ark_ec::scalar_mul::BatchMulPreprocessing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, PrimeField, Zero};
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP};
use ark_groth16::{ProvingKey, VerifyingKey};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::utils::matrix::Matrix;
use trilemma_arith::r1cs::staged::{Matrices, Staged};
use trilemma_core::ConfigError;
use trilemma_pcs::group::{G1, Scalar};
use trilemma_pcs::srs::{G2, PairingSetting};

use super::key::{ProverKey, VerifierKey};
use super::library_error;

/// A trapdoor, from its name.
fn trapdoor<S: PairingSetting>(name: &str) -> Scalar<S> {
    let mut bytes = [0; 64];
    blake3::Hasher::new_derive_key("trilemma insecure groth16 trapdoor")
        .update(name.as_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    Scalar::<S>::from_le_bytes_mod_order(&bytes)
}

/// The matrices as the library reads them.
fn matrices<S: PairingSetting>(matrices: &Matrices<S::Base>) -> Vec<Matrix<Scalar<S>>> {
    let side = |m: usize| -> Matrix<Scalar<S>> {
        (0..matrices.rows())
            .map(|row| {
                let entries = matrices.row(row).map(|(wire, values)| (S::scalar(values[m]), wire));
                entries.filter(|(x, _)| !x.is_zero()).collect()
            })
            .collect()
    };
    (0..3).map(side).collect()
}

/// Values at `t` of the wires' polynomials in `A`, `B` and `C`, as the library's reduction defines them:
/// inputs have a constraint of their own in `A`.
fn polynomials<S: PairingSetting>(
    system: &Staged<S>,
    matrices: &[Matrix<Scalar<S>>],
    lagrange: &[Scalar<S>],
) -> Vec<Vec<Scalar<S>>> {
    let inputs = system.public() + system.early;
    let mut values = vec![vec![Scalar::<S>::zero(); system.wires()]; 3];
    values[0][..inputs].copy_from_slice(&lagrange[system.constraints..system.constraints + inputs]);
    for (values, matrix) in values.iter_mut().zip(matrices) {
        for (row, &weight) in matrix.iter().zip(lagrange) {
            row.iter().for_each(|&(x, wire)| values[wire] += weight * x);
        }
    }
    values
}

/// The keys of a system.
pub fn keys<S: PairingSetting>(mut system: Staged<S>) -> Result<(ProverKey<S>, VerifierKey<S>), ConfigError> {
    let [alpha, beta, gamma, delta, t, sigma] = ["alpha", "beta", "gamma", "delta", "t", "sigma"].map(trapdoor::<S>);
    let inverse = |x: Scalar<S>| x.inverse().ok_or_else(|| library_error("a trapdoor is zero"));
    let (gamma_inverse, delta_inverse) = (inverse(gamma)?, inverse(delta)?);
    let inputs = system.public() + system.early;
    let domain = GeneralEvaluationDomain::<Scalar<S>>::new(system.constraints + inputs)
        .ok_or_else(|| library_error("no domain"))?;
    let matrices = matrices::<S>(&system.matrices);
    system.matrices = Matrices::default();
    let [a, b, c]: [Vec<_>; 3] = polynomials(&system, &matrices, &domain.evaluate_all_lagrange_coefficients(t))
        .try_into()
        .map_err(|_| library_error("three matrices"))?;

    let combined = |i: usize, scale: Scalar<S>| (beta * a[i] + alpha * b[i] + c[i]) * scale;
    let public: Vec<Scalar<S>> = (0..inputs).map(|i| combined(i, gamma_inverse)).collect();
    let late: Vec<Scalar<S>> = (inputs..system.wires()).map(|i| combined(i, delta_inverse)).collect();
    let vanishing = domain.evaluate_vanishing_polynomial(t);
    let quotient = LibsnarkReduction::h_query_scalars::<_, GeneralEvaluationDomain<Scalar<S>>>(
        domain.size() - 1,
        t,
        vanishing,
        delta_inverse,
    )
    .map_err(library_error)?;

    let (g1, g2) = (G1::<S>::generator().into_group(), G2::<S>::generator().into_group());
    let first = BatchMulPreprocessing::new(g1, 4 * system.wires() + domain.size());
    let mut bases = first.batch_mul(&public);
    let early = bases.split_off(system.public());
    let shifted: Vec<Scalar<S>> = public[system.public()..].iter().map(|x| sigma * x).collect();
    let vk = VerifyingKey {
        alpha_g1: (g1 * alpha).into_affine(),
        beta_g2: (g2 * beta).into_affine(),
        gamma_g2: (g2 * gamma).into_affine(),
        delta_g2: (g2 * delta).into_affine(),
        gamma_abc_g1: bases,
    };
    let verifier = VerifierKey::new(system.clone(), &vk, (g2 * sigma).into_affine());
    let library = ProvingKey::<S::Engine> {
        vk,
        beta_g1: (g1 * beta).into_affine(),
        delta_g1: (g1 * delta).into_affine(),
        a_query: first.batch_mul(&a),
        // Without randomness the library's prover does not read it.
        b_g1_query: Vec::new(),
        b_g2_query: second::<S>(&b),
        h_query: first.batch_mul(&quotient),
        l_query: first.batch_mul(&late),
    };
    let shifted = first.batch_mul(&shifted);
    let domain = domain.size();
    Ok((ProverKey { system, matrices, library, early, shifted, domain }, verifier))
}

/// Multiples of the second group's generator.
fn second<S: PairingSetting>(scalars: &[Scalar<S>]) -> Vec<G2<S>> {
    type Group<S> = <<S as PairingSetting>::Engine as Pairing>::G2;
    let generator: Group<S> = G2::<S>::generator().into_group();
    BatchMulPreprocessing::new(generator, scalars.len()).batch_mul(scalars)
}
