//! Sums of multiples of curve points: many bases with many scalars, once or for many rows of scalars,
//! or one base with many scalars.
//!
//! Pippenger's bucket method \[BDLO12, Section 4\] with signed digits. Points stay affine: additions are
//! done in batches that share one field inversion, about 6 multiplications each instead of 10 to 14.
//! Scalars are split by size first, so a column of small integers costs what its integers cost.
//! Running time depends on the scalars; nothing here protects a secret from a clock.

mod adder;
mod buckets;
mod digits;
mod fixed;
mod rows;

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{BigInt, PrimeField};

pub use fixed::{FixedBase, fold_bases};
pub use rows::msm_rows;

/// A curve whose scalars fit in four words.
pub trait Curve: SWCurveConfig<ScalarField: PrimeField<BigInt = BigInt<4>>> {}
impl<P: SWCurveConfig<ScalarField: PrimeField<BigInt = BigInt<4>>>> Curve for P {}

/// Additions that share one inversion.
const BATCH: usize = 1 << 10;
/// Points that one task sorts into buckets; bounds its memory.
const TASK: usize = 1 << 18;

/// `scalars[0] * bases[0] + ...`, up to the shorter of the two.
pub fn msm<P: Curve>(bases: &[Affine<P>], scalars: &[P::ScalarField]) -> Projective<P> {
    let (mut small, mut large) = (Vec::new(), Vec::new());
    let n = bases.len().min(scalars.len());
    digits::split::<P>(&scalars[..n], |term, fits| if fits { &mut small } else { &mut large }.push(term));
    buckets::sum(bases, &small) + buckets::sum(bases, &large)
}

#[cfg(test)]
mod tests {
    use ark_ec::VariableBaseMSM;
    use ark_ff::{AdditiveGroup, BigInteger, Field};
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn random<F: PrimeField>(rng: &mut SmallRng) -> F {
        F::from_le_bytes_mod_order(&rng.random::<[u8; 32]>())
    }

    fn check<P: Curve>() {
        let mut rng = SmallRng::seed_from_u64(3);
        let fixed = FixedBase::new(P::GENERATOR);
        for n in [0, 1, 2, 3, 33, 448, 3000] {
            let mut logs: Vec<P::ScalarField> = (0..n).map(|_| random(&mut rng)).collect();
            // Equal, opposite and neutral bases meet in buckets.
            for i in (0..n).step_by(5) {
                logs[i] = [P::ScalarField::ZERO, logs[0], -logs[0]][i % 3];
            }
            let bases = fixed.multiples(&logs);
            let expected: Vec<Affine<P>> = logs.iter().map(|&x| (P::GENERATOR * x).into()).collect();
            assert_eq!(bases, expected);
            for bits in [0, 1, 8, 16, 17, 32, 63, 64, 65, 200, 255] {
                let scalars: Vec<P::ScalarField> = (0..n)
                    .map(|i| {
                        let mut limbs = random::<P::ScalarField>(&mut rng).into_bigint();
                        limbs >>= 256 - bits;
                        let x = P::ScalarField::from_bigint(limbs).unwrap_or(P::ScalarField::ONE);
                        [x, -x, P::ScalarField::ZERO, P::ScalarField::ONE, x][i % 5]
                    })
                    .collect();
                let expected = Projective::<P>::msm(&bases, &scalars).expect("equal lengths");
                assert_eq!(msm(&bases, &scalars), expected, "{n} terms of {bits} bits");
                for width in [1, 2, 7, 64].into_iter().filter(|width| (*width..1000).contains(&n) && n % width == 0) {
                    let rows: Vec<_> = scalars.chunks(width).map(|row| msm(&bases[..width], row)).collect();
                    assert_eq!(msm_rows(&bases[..width], &scalars), rows, "rows of {width} terms of {bits} bits");
                }
            }
        }
    }

    #[test]
    fn agrees_with_ark() {
        check::<ark_bls12_381::g1::Config>();
        check::<ark_bn254::g1::Config>();
    }

    #[test]
    fn folding_is_a_sum_over_runs() {
        type P = ark_pallas::PallasConfig;
        let mut rng = SmallRng::seed_from_u64(4);
        for (n, runs) in [(1, 1), (1, 8), (3, 2), (200, 4), (256, 8)] {
            let mut logs: Vec<ark_pallas::Fr> = (0..n * runs).map(|_| random(&mut rng)).collect();
            // Runs with equal, opposite and neutral bases.
            logs[n * runs - 1] = ark_pallas::Fr::ZERO;
            logs[n * (runs - 1)] = -logs[0];
            let bases = FixedBase::new(P::GENERATOR).multiples(&logs);
            let mut scalars: Vec<ark_pallas::Fr> = (0..runs).map(|_| random(&mut rng)).collect();
            scalars[0] = ark_pallas::Fr::ONE;
            let folded = fold_bases(&bases, &scalars);
            for i in 0..n {
                let log: ark_pallas::Fr = (0..runs).map(|h| scalars[h] * logs[h * n + i]).sum();
                assert_eq!(folded[i], Affine::from(P::GENERATOR * log), "{i} of {n}, {runs} runs");
            }
        }
    }
}
