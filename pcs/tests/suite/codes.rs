//! What only schemes from codes promise: both regimes, several sizes at once, ledgers, sizes.

use p3_field::PrimeCharacteristicRing;
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::multilinear::evaluate;
use trilemma_core::security::Standing;
use trilemma_core::setting::{BabyBear4, Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5};
use trilemma_core::{Ledger, Options, ProverTranscript, Regime, Reject, Security, Smooth, VerifierTranscript};
use trilemma_pcs::basefold::Basefold;
use trilemma_pcs::fri::tree::{AnyTree, ByteTree};
use trilemma_pcs::stacked::{Multilinear, Opening};
use trilemma_pcs::tensor::{Brakedown, Ligero};
use trilemma_pcs::whir::Whir;

const UDR: Security = Security { bits: 100, regime: Regime::Udr };
const JBR: Security = Security { bits: 100, regime: Regime::Jbr };

/// An opening of random polynomials of these sizes, claiming that each has its value plus an error.
struct Opened<S: Smooth, P: Multilinear<S>> {
    security: Security,
    sizes: Vec<usize>,
    point: Vec<S::Ext>,
    claimed: Vec<S::Ext>,
    vk: P::VerifierKey,
    proof: Vec<u8>,
    ledger: Ledger,
}

impl<S: Smooth, P: Multilinear<S>> Opened<S, P>
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    fn new(hash: &str, security: Security, log_blowup: usize, sizes: &[usize], errors: &[i64]) -> Self {
        let mut rng = SmallRng::seed_from_u64(0xC0DE);
        let longest = sizes.iter().copied().max().expect("something to open");
        let options = Options { hash: hash.into(), security, log_blowup, ..Options::default() };
        let (pk, vk) = P::setup(&options, longest).expect("set-up");
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
        let (proof, ledger, _) = t.finish();
        Self { security, sizes: sizes.to_vec(), point, claimed, vk, proof, ledger }
    }

    fn verify(&self, proof: &[u8]) -> Result<(), Reject> {
        let mut t = VerifierTranscript::new(b"codes", self.security, proof);
        let commitments: Vec<P::Commitment> =
            self.sizes.iter().map(|&n| P::receive(&self.vk, n, "oracle", &mut t)).collect::<Result<_, _>>()?;
        t.recv_ext::<S>("values", self.sizes.len())?;
        let suffix = |n: usize| self.point[self.point.len() - n..].to_vec();
        let opening = |(of, (&n, &value))| Opening { of, point: suffix(n), value };
        let openings: Vec<_> = commitments.iter().zip(self.sizes.iter().zip(&self.claimed)).map(opening).collect();
        P::verify(&self.vk, &openings, &mut t)?;
        let (ledger, _) = t.finish()?;
        assert_eq!(ledger, self.ledger);
        Ok(())
    }
}

/// The bytes and the ledger of an opening, if it is accepted.
fn run<S: Smooth, P: Multilinear<S>>(
    hash: &str,
    security: Security,
    log_blowup: usize,
    sizes: &[usize],
    errors: &[i64],
) -> Result<(usize, Ledger), Reject>
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    let opened = Opened::<S, P>::new(hash, security, log_blowup, sizes, errors);
    opened.verify(&opened.proof)?;
    Ok((opened.proof.len(), opened.ledger))
}

/// True values are accepted, false ones are not, nor such as cancel in a sum.
fn values_are_bound<S: Smooth, P: Multilinear<S>>(hash: &str, security: Security, log_blowup: usize)
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    let sizes = [11, 9, 12, 8, 11, 12];
    let (_, ledger) = run::<S, P>(hash, security, log_blowup, &sizes, &[0; 6]).expect("true values");
    assert!(ledger.weakest(Standing::Proven).is_some_and(|t| t.total() >= f64::from(security.bits)));
    for errors in
        [[0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0, -1, 0, 0, 0, 0], [0, 0, 1, 0, 0, -1], [-1, 0, 0, 1, 0, 0]]
    {
        assert!(run::<S, P>(hash, security, log_blowup, &sizes, &errors).is_err(), "{} {errors:?}", P::NAME);
    }
    for size in [5, 6, 10, 13] {
        assert!(run::<S, P>(hash, security, log_blowup, &[size], &[0]).is_ok());
        assert!(run::<S, P>(hash, security, log_blowup, &[size], &[1]).is_err());
    }
}

#[test]
fn basefold_binds_values() {
    values_are_bound::<KoalaBear4, Basefold<AnyTree>>("blake3", UDR, 1);
    values_are_bound::<KoalaBear5, Basefold<AnyTree>>("blake3", JBR, 1);
    values_are_bound::<KoalaBear5, Basefold<AnyTree>>("poseidon2", JBR, 2);
    values_are_bound::<Goldilocks2, Basefold<AnyTree>>("poseidon2", UDR, 2);
    values_are_bound::<Bls12, Basefold<ByteTree>>("blake3", JBR, 1);
    values_are_bound::<Bn254, Basefold<ByteTree>>("keccak", UDR, 1);
}

#[test]
fn whir_binds_values() {
    values_are_bound::<KoalaBear4, Whir<AnyTree>>("blake3", UDR, 1);
    values_are_bound::<KoalaBear4, Whir<AnyTree>>("poseidon2", JBR, 1);
    values_are_bound::<KoalaBear5, Whir<AnyTree>>("poseidon2", JBR, 2);
    values_are_bound::<Goldilocks2, Whir<AnyTree>>("keccak", UDR, 2);
    // One joins at the second round.
    for (errors, accepted) in [([0, 0], true), ([1, 0], false), ([0, 1], false)] {
        assert_eq!(run::<KoalaBear4, Whir<AnyTree>>("blake3", UDR, 1, &[15, 19], &errors).is_ok(), accepted);
    }
}

/// Three polynomials in one run of two rounds: every byte matters, the values crossed included.
#[test]
fn whir_proofs_are_rigid() {
    let security = Security { bits: 24, regime: Regime::Jbr };
    let opened = Opened::<KoalaBear4, Whir<AnyTree>>::new("blake3", security, 1, &[15, 14, 14], &[0; 3]);
    opened.verify(&opened.proof).expect("true values");
    for at in (0..opened.proof.len()).step_by(23) {
        let mut proof = opened.proof.clone();
        proof[at] ^= 1 << (at % 7);
        assert!(opened.verify(&proof).is_err(), "byte {at}");
    }
    assert!(opened.verify(&opened.proof[1..]).is_err());
}

#[test]
fn ligero_binds_values() {
    values_are_bound::<BabyBear4, Ligero<BabyBear4, AnyTree>>("blake3", UDR, 1);
    values_are_bound::<KoalaBear5, Ligero<KoalaBear5, AnyTree>>("poseidon2", JBR, 2);
    values_are_bound::<Bn254, Ligero<Bn254, ByteTree>>("keccak", UDR, 2);
}

#[test]
fn brakedown_binds_values() {
    values_are_bound::<KoalaBear4, Brakedown<KoalaBear4, AnyTree>>("blake3", UDR, 1);
    values_are_bound::<Goldilocks2, Brakedown<Goldilocks2, AnyTree>>("poseidon2", UDR, 1);
    values_are_bound::<Bls12, Brakedown<Bls12, ByteTree>>("keccak", UDR, 1);
    let options = Options { security: JBR, ..Options::default() };
    assert!(<Brakedown<KoalaBear5, AnyTree> as Multilinear<KoalaBear5>>::setup(&options, 10).is_err());
}
