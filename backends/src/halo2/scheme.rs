//! Which commitment scheme opens, its parameters, and the library's prover and verifier under it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use halo2_axiom::halo2curves::bn256::{Bn256, G1Affine};
use halo2_axiom::plonk::{Error, ProvingKey, VerifyingKey, create_proof, keygen_pk2, verify_proof};
use halo2_axiom::poly::VerificationStrategy;
use halo2_axiom::poly::commitment::{CommitmentScheme, ParamsProver, Prover, Verifier};
use halo2_axiom::poly::ipa::commitment::{IPACommitmentScheme, ParamsIPA};
use halo2_axiom::poly::ipa::multiopen::{ProverIPA, VerifierIPA};
use halo2_axiom::poly::ipa::strategy::SingleStrategy as SingleIpa;
use halo2_axiom::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_axiom::poly::kzg::multiopen::{ProverGWC, ProverSHPLONK, VerifierGWC, VerifierSHPLONK};
use halo2_axiom::poly::kzg::strategy::SingleStrategy as SingleKzg;
use halo2_axiom::transcript::TranscriptWriterBuffer;
use rand_core::OsRng;
use trilemma_core::ConfigError;
use trilemma_pcs::srs::Srs;

use super::circuit::Synthesis;
use super::field::{prover_string, verifier_string};
use super::timed::{Timed, TimedOpening, TimedScheme};
use super::transcript::{self, Reader};
use super::{F, S};

/// How polynomials are committed to and opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// KZG, all points at once \[BDFG20\].
    Shplonk,
    /// KZG, point by point \[GWC19\].
    Gwc,
    /// Inner products \[BGH19\].
    Ipa,
}

type Kzg = KZGCommitmentScheme<Bn256>;
type Ipa = IPACommitmentScheme<G1Affine>;

/// Parameters of one length.
#[derive(Clone)]
pub enum Parameters {
    /// A reference string; for verifying alone, of one power.
    Kzg(Arc<ParamsKZG<Bn256>>),
    /// Generators.
    Ipa(Arc<ParamsIPA<G1Affine>>),
}

impl Parameters {
    /// For a prover, from a reference string if it takes one.
    pub fn prover(opening: Opening, srs: &Srs<S>, log_height: usize) -> Result<Self, ConfigError> {
        Ok(match opening {
            Opening::Ipa => Self::generators(log_height),
            Opening::Shplonk | Opening::Gwc => Self::Kzg(Arc::new(prover_string(srs, log_height)?)),
        })
    }

    /// For a verifier.
    pub fn verifier(opening: Opening, srs: &Srs<S>, log_height: usize) -> Self {
        match opening {
            Opening::Ipa => Self::generators(log_height),
            Opening::Shplonk | Opening::Gwc => Self::Kzg(Arc::new(verifier_string(srs, log_height))),
        }
    }

    /// The library's generators, and their combinations that commit to values, made once per process.
    fn generators(log_height: usize) -> Self {
        type Made = BTreeMap<usize, Arc<ParamsIPA<G1Affine>>>;
        static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(ParamsIPA::new(log_height as u32));
        Self::Ipa(made.entry(log_height).or_insert_with(make).clone())
    }

    /// Keys of a circuit.
    pub fn keys(&self, circuit: &Synthesis<'_>) -> Result<ProvingKey<G1Affine>, Error> {
        match self {
            Self::Kzg(params) => keygen_pk2(params.as_ref(), circuit, false),
            Self::Ipa(params) => keygen_pk2(params.as_ref(), circuit, false),
        }
    }

    /// A proof, with the time in commitments and in the opening.
    pub fn prove(
        &self,
        opening: Opening,
        pk: &ProvingKey<G1Affine>,
        circuit: Synthesis<'_>,
        instance: &[F],
        seed: &[u8; 32],
    ) -> Result<(Vec<u8>, [Duration; 2]), Error> {
        match self {
            Self::Kzg(params) => {
                let p = Timed::new(params.clone());
                match opening {
                    Opening::Gwc => prove::<Kzg, ProverGWC<'_, _>>(&p, pk, circuit, instance, seed),
                    _ => prove::<Kzg, ProverSHPLONK<'_, _>>(&p, pk, circuit, instance, seed),
                }
            }
            Self::Ipa(params) => {
                prove::<Ipa, ProverIPA<'_, _>>(&Timed::new(params.clone()), pk, circuit, instance, seed)
            }
        }
    }

    /// Verifies a proof, all of which must be read.
    pub fn verify(
        &self,
        opening: Opening,
        vk: &VerifyingKey<G1Affine>,
        instance: &[F],
        seed: &[u8; 32],
        proof: &[u8],
    ) -> Result<(), Error> {
        match (self, opening) {
            (Self::Kzg(p), Opening::Gwc) => {
                verify::<Kzg, VerifierGWC<'_, _>, SingleKzg<'_, _>>(p, vk, instance, seed, proof)
            }
            (Self::Kzg(p), _) => verify::<Kzg, VerifierSHPLONK<'_, _>, SingleKzg<'_, _>>(p, vk, instance, seed, proof),
            (Self::Ipa(p), _) => verify::<Ipa, VerifierIPA<'_, _>, SingleIpa<'_, _>>(p, vk, instance, seed, proof),
        }
    }
}

fn prove<'p, C, O>(
    params: &'p Timed<C::ParamsProver>,
    pk: &ProvingKey<G1Affine>,
    circuit: Synthesis<'_>,
    instance: &[F],
    seed: &[u8; 32],
) -> Result<(Vec<u8>, [Duration; 2]), Error>
where
    C: CommitmentScheme<Scalar = F, Curve = G1Affine>,
    C::ParamsProver: Send + Sync,
    O: Prover<'p, C>,
{
    let mut writer = transcript::writer(seed)?;
    create_proof::<TimedScheme<C>, TimedOpening<'_, O>, _, _, _, _>(
        params,
        pk,
        &[circuit],
        &[&[instance]],
        OsRng,
        &mut writer,
    )?;
    Ok((writer.finalize(), params.clocks.read()))
}

fn verify<'p, C, V, T>(
    params: &'p C::ParamsVerifier,
    vk: &VerifyingKey<G1Affine>,
    instance: &[F],
    seed: &[u8; 32],
    proof: &[u8],
) -> Result<(), Error>
where
    C: CommitmentScheme<Scalar = F, Curve = G1Affine>,
    V: Verifier<'p, C>,
    T: VerificationStrategy<'p, C, V, Output = ()>,
{
    let mut reader = Reader::new(seed, proof)?;
    verify_proof::<C, V, _, _, T>(params, vk, T::new(params), &[&[instance]], &mut reader)?;
    match reader.is_at_end() {
        true => Ok(()),
        false => Err(io::Error::other("bytes after the end").into()),
    }
}
