//! The library's commitment schemes with a clock, so that phases can be told apart from outside its
//! prover: time in which some commitment is computed, and time of the opening.

use std::io;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use halo2_axiom::halo2curves::bn256::{G1, G1Affine};
use halo2_axiom::poly::commitment::{Blind, CommitmentScheme, Params, ParamsProver, ParamsVerifier, Prover};
use halo2_axiom::poly::{Coeff, LagrangeCoeff, Polynomial, ProverQuery};
use halo2_axiom::transcript::{EncodedChallenge, TranscriptWrite};
use rand_core::RngCore;

use super::F;

/// Time in which at least one of possibly many concurrent calls runs.
#[derive(Debug, Default)]
struct Clock {
    running: usize,
    since: Option<Instant>,
    total: Duration,
}

/// Time in commitments and in the opening.
#[derive(Debug, Default)]
pub struct Clocks([Mutex<Clock>; 2]);

impl Clocks {
    fn timed<R>(&self, which: usize, run: impl FnOnce() -> R) -> R {
        let lock = || self.0[which].lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut clock = lock();
            clock.running += 1;
            clock.since.get_or_insert_with(Instant::now);
        }
        let result = run();
        let mut clock = lock();
        clock.running -= 1;
        if clock.running == 0 {
            let elapsed = clock.since.take().map(|since| since.elapsed());
            clock.total += elapsed.unwrap_or_default();
        }
        result
    }

    /// What they show.
    pub fn read(&self) -> [Duration; 2] {
        [0, 1].map(|i| self.0[i].lock().unwrap_or_else(PoisonError::into_inner).total)
    }
}

/// Parameters with clocks.
#[derive(Debug, Clone)]
pub struct Timed<P> {
    pub params: Arc<P>,
    pub clocks: Arc<Clocks>,
}

impl<P> Timed<P> {
    /// With clocks at zero.
    pub fn new(params: Arc<P>) -> Self {
        Self { params, clocks: Arc::default() }
    }
}

impl<'params, P: Params<'params, G1Affine>> Params<'params, G1Affine> for Timed<P> {
    type MSM = P::MSM;

    fn k(&self) -> u32 {
        self.params.k()
    }

    fn n(&self) -> u64 {
        self.params.n()
    }

    fn downsize(&mut self, k: u32) {
        Arc::make_mut(&mut self.params).downsize(k);
    }

    fn empty_msm(&'params self) -> P::MSM {
        self.params.empty_msm()
    }

    fn commit_lagrange(&self, poly: &Polynomial<F, LagrangeCoeff>, r: Blind<F>) -> G1 {
        self.clocks.timed(0, || self.params.commit_lagrange(poly, r))
    }

    fn write<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.params.write(writer)
    }

    fn read<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Ok(Self::new(Arc::new(P::read(reader)?)))
    }
}

impl<'params, P: ParamsProver<'params, G1Affine>> ParamsProver<'params, G1Affine> for Timed<P> {
    type ParamsVerifier = Self;

    fn new(k: u32) -> Self {
        Self::new(Arc::new(P::new(k)))
    }

    fn commit(&self, poly: &Polynomial<F, Coeff>, r: Blind<F>) -> G1 {
        self.clocks.timed(0, || self.params.commit(poly, r))
    }

    fn get_g(&self) -> &[G1Affine] {
        self.params.get_g()
    }

    fn verifier_params(&'params self) -> &'params Self {
        self
    }
}

impl<'params, P: Params<'params, G1Affine>> ParamsVerifier<'params, G1Affine> for Timed<P> {}

/// A scheme whose parameters have clocks.
#[derive(Debug)]
pub struct TimedScheme<C>(PhantomData<C>);

impl<C: CommitmentScheme<Scalar = F, Curve = G1Affine>> CommitmentScheme for TimedScheme<C> {
    type Scalar = F;
    type Curve = G1Affine;
    type ParamsProver = Timed<C::ParamsProver>;
    type ParamsVerifier = Timed<C::ParamsProver>;

    fn new_params(k: u32) -> Self::ParamsProver {
        Timed::new(Arc::new(C::new_params(k)))
    }

    fn read_params<R: io::Read>(reader: &mut R) -> io::Result<Self::ParamsProver> {
        Ok(Timed::new(Arc::new(C::read_params(reader)?)))
    }
}

/// An opening with a clock.
#[derive(Debug)]
pub struct TimedOpening<'params, O> {
    opening: O,
    clocks: &'params Clocks,
}

impl<'params, C, O> Prover<'params, TimedScheme<C>> for TimedOpening<'params, O>
where
    C: CommitmentScheme<Scalar = F, Curve = G1Affine>,
    C::ParamsProver: 'params,
    O: Prover<'params, C>,
{
    const QUERY_INSTANCE: bool = O::QUERY_INSTANCE;

    fn new(params: &'params Timed<C::ParamsProver>) -> Self {
        Self { opening: O::new(&params.params), clocks: &params.clocks }
    }

    fn create_proof<'com, E, T, R, I>(&self, rng: R, transcript: &mut T, queries: I) -> io::Result<()>
    where
        E: EncodedChallenge<G1Affine>,
        T: TranscriptWrite<G1Affine, E>,
        I: IntoIterator<Item = ProverQuery<'com, G1Affine>> + Clone,
        R: RngCore,
    {
        self.clocks.timed(1, || self.opening.create_proof(rng, transcript, queries))
    }
}
