//! What only schemes from codes promise: both regimes, several sizes at once, ledgers, sizes.

use p3_field::PrimeCharacteristicRing;
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::multilinear::evaluate;
use trilemma_core::security::Standing;
use trilemma_core::setting::{BabyBear4, Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5};
use trilemma_core::{Ledger, Options, ProverTranscript, Regime, Reject, Security, Smooth, VerifierTranscript};
use trilemma_pcs::basefold;
use trilemma_pcs::codes::Hashed;
use trilemma_pcs::fri::tree::{Blake3Tree, KeccakTree, Merkle, Poseidon2Tree};
use trilemma_pcs::stacked::{Multilinear, Opening};
use trilemma_pcs::tensor;
use trilemma_pcs::whir;

const UDR: Security = Security { bits: 100, regime: Regime::Udr };
const JBR: Security = Security { bits: 100, regime: Regime::Jbr };

/// Opens random polynomials of these sizes, claiming that each has its value plus an error; returns
/// the proof's bytes and ledger if it is accepted.
fn run<S: Smooth, P: Multilinear<S>>(
    security: Security,
    log_blowup: usize,
    sizes: &[usize],
    errors: &[i64],
) -> Result<(usize, Ledger), Reject>
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    let mut rng = SmallRng::seed_from_u64(0xC0DE);
    let longest = sizes.iter().copied().max().expect("something to open");
    let (pk, vk) = P::setup(&Options { security, log_blowup, ..Options::default() }, longest).expect("set-up");
    let point: Vec<S::Ext> = (0..longest).map(|_| rng.random()).collect();
    let suffix = |n: usize| point[longest - n..].to_vec();

    let mut t = ProverTranscript::new(b"codes", security);
    let openers: Vec<P::Opener> = sizes
        .iter()
        .map(|n| P::commit(&pk, (0..1 << n).map(|_| rng.random()).collect(), "oracle", &mut t).expect("commits"))
        .collect();
    let claimed: Vec<S::Ext> = openers
        .iter()
        .zip(sizes)
        .zip(errors)
        .map(|((opener, &n), &error)| evaluate(P::values(opener), &suffix(n)) + S::Ext::from_i64(error))
        .collect();
    t.send_ext::<S>("values", &claimed);
    let opening = |(of, (&n, &value))| Opening { of, point: suffix(n), value };
    let openings: Vec<_> = openers.iter().zip(sizes.iter().zip(&claimed)).map(opening).collect();
    P::open(&pk, &openings, &mut t).expect("opens");
    let (proof, proven, _) = t.finish();

    let mut t = VerifierTranscript::new(b"codes", security, &proof);
    let commitments: Vec<P::Commitment> =
        sizes.iter().map(|&n| P::receive(&vk, n, "oracle", &mut t)).collect::<Result<_, _>>()?;
    t.recv_ext::<S>("values", sizes.len())?;
    let opening = |(of, (&n, &value))| Opening { of, point: suffix(n), value };
    let openings: Vec<_> = commitments.iter().zip(sizes.iter().zip(&claimed)).map(opening).collect();
    P::verify(&vk, &openings, &mut t)?;
    let (ledger, _) = t.finish()?;
    assert_eq!(ledger, proven);
    Ok((proof.len(), ledger))
}

/// True values are accepted, false ones are not, nor such as cancel in a sum.
fn values_are_bound<S: Smooth, P: Multilinear<S>>(security: Security, log_blowup: usize)
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    let sizes = [11, 9, 12, 8, 11, 12];
    let (_, ledger) = run::<S, P>(security, log_blowup, &sizes, &[0; 6]).expect("true values");
    assert!(ledger.weakest(Standing::Proven).is_some_and(|t| t.total() >= f64::from(security.bits)));
    for errors in
        [[0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0, -1, 0, 0, 0, 0], [0, 0, 1, 0, 0, -1], [-1, 0, 0, 1, 0, 0]]
    {
        assert!(run::<S, P>(security, log_blowup, &sizes, &errors).is_err(), "{} {errors:?}", P::NAME);
    }
    for size in [5, 6, 10, 13] {
        assert!(run::<S, P>(security, log_blowup, &[size], &[0]).is_ok());
        assert!(run::<S, P>(security, log_blowup, &[size], &[1]).is_err());
    }
}

fn scheme<S: Smooth, H: Hashed<S>, T: Merkle<S>>(security: Security, log_blowup: usize)
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    values_are_bound::<S, H::With<T>>(security, log_blowup);
}

#[test]
fn basefold_binds_values() {
    scheme::<KoalaBear4, basefold::Schemes, Blake3Tree>(UDR, 1);
    scheme::<KoalaBear5, basefold::Schemes, Blake3Tree>(JBR, 1);
    scheme::<KoalaBear5, basefold::Schemes, Poseidon2Tree>(JBR, 2);
    scheme::<Goldilocks2, basefold::Schemes, Poseidon2Tree>(UDR, 2);
    scheme::<Bls12, basefold::Schemes, Blake3Tree>(JBR, 1);
    scheme::<Bn254, basefold::Schemes, KeccakTree>(UDR, 1);
}

#[test]
fn whir_binds_values() {
    scheme::<KoalaBear4, whir::Schemes, Blake3Tree>(UDR, 1);
    scheme::<KoalaBear4, whir::Schemes, Poseidon2Tree>(JBR, 1);
    scheme::<KoalaBear5, whir::Schemes, Poseidon2Tree>(JBR, 2);
    scheme::<Goldilocks2, whir::Schemes, KeccakTree>(UDR, 2);
    type Whir<S> = <whir::Schemes as Hashed<S>>::With<Blake3Tree>;
    // One joins at the second round.
    for (errors, accepted) in [([0, 0], true), ([1, 0], false), ([0, 1], false)] {
        assert_eq!(run::<KoalaBear4, Whir<KoalaBear4>>(UDR, 1, &[15, 19], &errors).is_ok(), accepted);
    }
}

#[test]
fn ligero_binds_values() {
    scheme::<BabyBear4, tensor::Ligero, Blake3Tree>(UDR, 1);
    scheme::<KoalaBear5, tensor::Ligero, Poseidon2Tree>(JBR, 2);
    scheme::<Bn254, tensor::Ligero, KeccakTree>(UDR, 2);
}

#[test]
fn brakedown_binds_values() {
    scheme::<KoalaBear4, tensor::Brakedown, Blake3Tree>(UDR, 1);
    scheme::<Goldilocks2, tensor::Brakedown, Poseidon2Tree>(UDR, 1);
    scheme::<Bls12, tensor::Brakedown, KeccakTree>(UDR, 1);
    type Brakedown = <tensor::Brakedown as Hashed<KoalaBear5>>::With<Blake3Tree>;
    let options = Options { security: JBR, ..Options::default() };
    assert!(<Brakedown as Multilinear<KoalaBear5>>::setup(&options, 10).is_err());
}
