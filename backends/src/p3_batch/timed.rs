//! A commitment scheme that adds up the time spent in it, so that phases can be told apart from
//! outside p3's prover.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use p3_commit::{CommitmentOpening, OpenedValues, OpeningRequest, Pcs, PeriodicLdeTable, UnivariateStarkPcs, Val};
use p3_field::ExtensionField;
use p3_matrix::dense::RowMajorMatrix;

/// Time in a scheme.
#[derive(Debug, Default)]
pub struct Clock {
    commit: AtomicU64,
    open: AtomicU64,
}

impl Clock {
    /// Time in commitments. The extension of the quotient is not among it: p3 extends the quotients
    /// of several tables at once, while others are still being computed.
    pub fn commit(&self) -> Duration {
        Duration::from_nanos(self.commit.load(Ordering::Relaxed))
    }

    /// Time in openings.
    pub fn open(&self) -> Duration {
        Duration::from_nanos(self.open.load(Ordering::Relaxed))
    }
}

fn timed<R>(counter: &AtomicU64, run: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = run();
    counter.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
    result
}

/// A scheme and its clock.
#[derive(Debug, Clone)]
pub struct Timed<P> {
    inner: P,
    clock: Arc<Clock>,
}

impl<P> Timed<P> {
    /// A scheme timed by `clock`.
    pub fn new(inner: P, clock: Arc<Clock>) -> Self {
        Self { inner, clock }
    }
}

impl<P: Pcs<E, C>, E: ExtensionField<Val<P::Domain>>, C> Pcs<E, C> for Timed<P> {
    type Domain = P::Domain;
    type Commitment = P::Commitment;
    type ProverData = P::ProverData;
    type Proof = P::Proof;
    type Error = P::Error;
    type ProverError = P::ProverError;

    fn natural_domain_for_degree(&self, degree: usize) -> P::Domain {
        self.inner.natural_domain_for_degree(degree)
    }

    fn commit(
        &self,
        evaluations: impl IntoIterator<Item = (P::Domain, RowMajorMatrix<Val<P::Domain>>)>,
    ) -> Result<(P::Commitment, P::ProverData), P::ProverError> {
        timed(&self.clock.commit, || self.inner.commit(evaluations))
    }

    fn open(
        &self,
        requests: Vec<OpeningRequest<'_, P::ProverData, E>>,
        challenger: &mut C,
    ) -> Result<(OpenedValues<E>, P::Proof), P::ProverError> {
        timed(&self.clock.open, || self.inner.open(requests, challenger))
    }

    fn verify(
        &self,
        openings: Vec<CommitmentOpening<E, P::Commitment, P::Domain>>,
        proof: &P::Proof,
        challenger: &mut C,
    ) -> Result<(), P::Error> {
        self.inner.verify(openings, proof, challenger)
    }
}

/// Provided methods that this scheme's inner one overrides are passed on; the others have no effect
/// on a scheme that hides nothing.
impl<P: UnivariateStarkPcs<E, C>, E: ExtensionField<Val<P::Domain>>, C> UnivariateStarkPcs<E, C> for Timed<P> {
    type EvaluationsOnDomain<'a> = P::EvaluationsOnDomain<'a>;

    const ZK: bool = P::ZK;

    fn log_max_trace_height(&self) -> usize {
        self.inner.log_max_trace_height()
    }

    fn log_min_trace_height(&self) -> usize {
        self.inner.log_min_trace_height()
    }

    fn get_quotient_ldes(
        &self,
        evaluations: impl IntoIterator<Item = (P::Domain, RowMajorMatrix<Val<P::Domain>>)>,
        chunks: usize,
    ) -> Result<Vec<RowMajorMatrix<Val<P::Domain>>>, P::ProverError> {
        self.inner.get_quotient_ldes(evaluations, chunks)
    }

    fn commit_ldes(
        &self,
        extended: Vec<RowMajorMatrix<Val<P::Domain>>>,
    ) -> Result<(P::Commitment, P::ProverData), P::ProverError> {
        timed(&self.clock.commit, || self.inner.commit_ldes(extended))
    }

    fn get_evaluations_on_domain<'a>(
        &self,
        data: &'a P::ProverData,
        matrix: usize,
        domain: P::Domain,
    ) -> P::EvaluationsOnDomain<'a> {
        self.inner.get_evaluations_on_domain(data, matrix, domain)
    }

    fn build_periodic_lde_table(
        &self,
        columns: &[Vec<Val<P::Domain>>],
        trace: P::Domain,
        quotient: P::Domain,
    ) -> PeriodicLdeTable<Val<P::Domain>>
    where
        P::Domain: Clone,
        Val<P::Domain>: Clone,
    {
        self.inner.build_periodic_lde_table(columns, trace, quotient)
    }
}
