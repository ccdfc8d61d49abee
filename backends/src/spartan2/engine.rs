//! The library's Pallas engine with a clock in its commitment scheme, so that phases can be told apart
//! from outside its prover; and the field as both sides have it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use ::spartan2::errors::SpartanError;
use ::spartan2::provider::PallasHyraxEngine;
use ::spartan2::provider::keccak::Keccak256Transcript;
use ::spartan2::provider::pcs::hyrax_pc::HyraxPCS;
use ::spartan2::spartan::SpartanSNARK;
use ::spartan2::traits::Engine;
use ::spartan2::traits::pcs::PCSEngineTrait;
use ::spartan2::traits::snark::R1CSSNARKTrait;
use ff::PrimeField;

use super::F;

/// Pallas, Hyrax with a clock, Keccak-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pasta;

impl Engine for Pasta {
    type Base = <PallasHyraxEngine as Engine>::Base;
    type Scalar = <PallasHyraxEngine as Engine>::Scalar;
    type GE = <PallasHyraxEngine as Engine>::GE;
    type TE = Keccak256Transcript<Self>;
    type PCS = Timed;
}

/// A proof of the library.
pub type Snark = SpartanSNARK<Pasta>;
pub type ProverKey = <Snark as R1CSSNARKTrait<Pasta>>::ProverKey;
pub type VerifierKey = <Snark as R1CSSNARKTrait<Pasta>>::VerifierKey;
/// A field element as the library has it.
pub type Scalar = <Pasta as Engine>::Scalar;
pub type Point = <Pasta as Engine>::GE;

/// Cells of a row of every commitment.
pub const WIDTH: usize = 2048;

/// A field element for the library.
pub fn scalar(x: F) -> Scalar {
    let mut repr = <Scalar as PrimeField>::Repr::default();
    repr.as_mut().copy_from_slice(&x.to_bytes());
    Scalar::from_repr_vartime(repr).unwrap_or_default()
}

/// A field element of the library.
pub fn element(x: Scalar) -> F {
    let bytes = x.to_repr();
    <[u8; 32]>::try_from(bytes.as_ref()).ok().and_then(F::from_bytes).unwrap_or_default()
}

thread_local! {
    /// Time in commitments and in openings. The library calls its scheme from the thread that proves.
    static CLOCK: Cell<[Duration; 2]> = const { Cell::new([Duration::ZERO; 2]) };
}

/// Time of this thread in commitments and in openings since the last call.
pub fn clock() -> [Duration; 2] {
    CLOCK.take()
}

fn timed<R>(slot: usize, run: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = run();
    let mut clock = CLOCK.get();
    clock[slot] += start.elapsed();
    CLOCK.set(clock);
    result
}

type Hyrax = HyraxPCS<Pasta>;
type Blind = <Hyrax as PCSEngineTrait<Pasta>>::Blind;
type Commitment = <Hyrax as PCSEngineTrait<Pasta>>::Commitment;
type CommitmentKey = <Hyrax as PCSEngineTrait<Pasta>>::CommitmentKey;
type OpeningKey = <Hyrax as PCSEngineTrait<Pasta>>::VerifierKey;
type Argument = <Hyrax as PCSEngineTrait<Pasta>>::EvaluationArgument;

/// The library's Hyrax, timed.
#[derive(Debug, Clone)]
pub struct Timed;

/// Provided methods that are not passed on are those of other proof systems of the library.
impl PCSEngineTrait<Pasta> for Timed {
    type CommitmentKey = CommitmentKey;
    type VerifierKey = OpeningKey;
    type Commitment = Commitment;
    type Blind = Blind;
    type EvaluationArgument = Argument;

    fn setup(label: &'static [u8], n: usize, width: usize) -> (CommitmentKey, OpeningKey) {
        Hyrax::setup(label, n, width)
    }

    fn precompute_ck(ck: &CommitmentKey) {
        Hyrax::precompute_ck(ck);
    }

    fn blind(ck: &CommitmentKey, n: usize) -> Blind {
        Hyrax::blind(ck, n)
    }

    fn commit(ck: &CommitmentKey, v: &[Scalar], r: &Blind, is_small: bool) -> Result<Commitment, SpartanError> {
        timed(0, || Hyrax::commit(ck, v, r, is_small))
    }

    fn commit_zeros(ck: &CommitmentKey, n: usize, r: &Blind) -> Result<Commitment, SpartanError> {
        timed(0, || Hyrax::commit_zeros(ck, n, r))
    }

    fn check_commitment(comm: &Commitment, n: usize, width: usize) -> Result<(), SpartanError> {
        Hyrax::check_commitment(comm, n, width)
    }

    fn rerandomize_commitment(
        ck: &CommitmentKey,
        comm: &Commitment,
        r_old: &Blind,
        r_new: &Blind,
    ) -> Result<Commitment, SpartanError> {
        Hyrax::rerandomize_commitment(ck, comm, r_old, r_new)
    }

    fn combine_commitments(comms: &[Commitment]) -> Result<Commitment, SpartanError> {
        Hyrax::combine_commitments(comms)
    }

    fn combine_blinds(blinds: &[Blind]) -> Result<Blind, SpartanError> {
        Hyrax::combine_blinds(blinds)
    }

    fn prove(
        ck: &CommitmentKey,
        ck_eval: &CommitmentKey,
        transcript: &mut Keccak256Transcript<Pasta>,
        comm: &Commitment,
        poly: &[Scalar],
        blind: &Blind,
        point: &[Scalar],
        comm_eval: &Commitment,
        blind_eval: &Blind,
    ) -> Result<Argument, SpartanError> {
        timed(1, || Hyrax::prove(ck, ck_eval, transcript, comm, poly, blind, point, comm_eval, blind_eval))
    }

    fn verify(
        vk: &OpeningKey,
        ck_eval: &CommitmentKey,
        transcript: &mut Keccak256Transcript<Pasta>,
        comm: &Commitment,
        point: &[Scalar],
        comm_eval: &Commitment,
        arg: &Argument,
    ) -> Result<(), SpartanError> {
        Hyrax::verify(vk, ck_eval, transcript, comm, point, comm_eval, arg)
    }
}
