//! A Merkle tree that several openings can hold: p3-whir takes trees by value.

use std::sync::Arc;

use p3_commit::{BatchOpening, BatchOpeningRef, Mmcs};
use p3_matrix::{Dimensions, Matrix};

/// `M` with counted references to its prover's data.
#[derive(Debug, Clone)]
pub struct Shared<M>(pub M);

impl<T: Send + Sync + Clone, M: Mmcs<T>> Mmcs<T> for Shared<M> {
    type ProverData<X> = Arc<M::ProverData<X>>;
    type Commitment = M::Commitment;
    type Proof = M::Proof;
    type MultiProof = M::MultiProof;
    type Error = M::Error;

    fn commit<X: Matrix<T>>(&self, inputs: Vec<X>) -> (Self::Commitment, Self::ProverData<X>) {
        let (root, data) = self.0.commit(inputs);
        (root, Arc::new(data))
    }

    fn open_batch<X: Matrix<T>>(&self, index: usize, data: &Self::ProverData<X>) -> BatchOpening<T, Self> {
        let opening = self.0.open_batch(index, data);
        BatchOpening::new(opening.opened_values, opening.opening_proof)
    }

    fn get_matrices<'a, X: Matrix<T>>(&self, data: &'a Self::ProverData<X>) -> Vec<&'a X> {
        self.0.get_matrices(data)
    }

    fn verify_batch(
        &self,
        root: &Self::Commitment,
        dimensions: &[Dimensions],
        index: usize,
        opening: BatchOpeningRef<'_, T, Self>,
    ) -> Result<(), Self::Error> {
        let opening = BatchOpeningRef::new(opening.opened_values, opening.opening_proof);
        self.0.verify_batch(root, dimensions, index, opening)
    }

    fn open_multi_batch<X: Matrix<T>>(
        &self,
        indices: &[usize],
        data: &Self::ProverData<X>,
    ) -> (Vec<Vec<Vec<T>>>, Self::MultiProof) {
        self.0.open_multi_batch(indices, data)
    }

    fn verify_multi_batch<R: AsRef<[T]> + PartialEq>(
        &self,
        root: &Self::Commitment,
        dimensions: &[Dimensions],
        indices: &[usize],
        rows: &[Vec<R>],
        proof: &Self::MultiProof,
    ) -> Result<(), Self::Error> {
        self.0.verify_multi_batch(root, dimensions, indices, rows, proof)
    }
}
