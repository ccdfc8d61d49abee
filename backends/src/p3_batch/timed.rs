//! A commitment scheme that adds up the time spent in it. The extension of the quotient is not
//! among it: p3 extends the quotients of several tables at once, while others are still being
//! computed.

use std::sync::Arc;

use p3_commit::{CommitmentOpening, OpenedValues, OpeningRequest, Pcs, PeriodicLdeTable, UnivariateStarkPcs, Val};
use p3_field::ExtensionField;
use p3_matrix::dense::RowMajorMatrix;

use crate::p3::clock::Clock;

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
        self.clock.commit.time(|| self.inner.commit(evaluations))
    }

    fn open(
        &self,
        requests: Vec<OpeningRequest<'_, P::ProverData, E>>,
        challenger: &mut C,
    ) -> Result<(OpenedValues<E>, P::Proof), P::ProverError> {
        self.clock.open.time(|| self.inner.open(requests, challenger))
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
        self.clock.commit.time(|| self.inner.commit_ldes(extended))
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
