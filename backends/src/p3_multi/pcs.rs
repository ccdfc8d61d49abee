//! p3's scheme between p3's prover and WHIR: it measures time, grinds after committing, and returns a
//! commitment that is known already.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use p3_challenger::GrindingChallenger;
use p3_commit::MultilinearPcs;
use p3_field::PrimeCharacteristicRing;
use p3_multi_stark::config::MultiStarkConfig;
use p3_multilinear_util::point::Point;
use p3_sumcheck::layout::{Layout as _, Table};
use p3_sumcheck::{OpeningEvals, OpeningProtocol, PrescribedPointPcs};
use p3_whir::{PcsProof, VerifierError, WhirConfigError};
use trilemma_pcs::fri::tree::Tree;

use super::{Data, E, F, Layout, MIN_LOG_HEIGHT, S, Trees, Whir};
use crate::p3::clock::Clock;
use crate::p3::key::Root;

/// A commitment with what the prover keeps of it.
pub type Known<T> = (Root<T>, Option<Data<T>>);

/// WHIR for one polynomial.
pub struct Pcs<T: Tree<S>> {
    whir: Whir<T>,
    clock: Arc<Clock>,
    /// What committing returns without looking at the columns.
    known: Option<Known<T>>,
    /// Bits ground after committing.
    grinding: usize,
    /// Written by the prover; read by the verifier.
    nonce: Mutex<F>,
    /// Whether the verifier found the nonce right.
    ground: AtomicBool,
}

impl<T: Tree<S>> Pcs<T> {
    /// For columns that a proof commits to.
    pub fn fresh(whir: Whir<T>, clock: Arc<Clock>, grinding: usize, nonce: F) -> Self {
        let nonce = Mutex::new(nonce);
        Self { whir, clock, known: None, grinding, nonce, ground: AtomicBool::new(false) }
    }

    /// For columns that were committed to before.
    pub fn known(whir: Whir<T>, clock: Arc<Clock>, known: Known<T>) -> Self {
        Self { known: Some(known), ..Self::fresh(whir, clock, 0, F::ZERO) }
    }

    /// What the prover ground.
    pub fn nonce(&self) -> F {
        *self.nonce.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a verifier absorbed the commitment and found the nonce right.
    pub fn ground(&self) -> bool {
        self.ground.load(Ordering::Relaxed)
    }
}

impl<T: Tree<S>> MultilinearPcs<E, T::Challenger> for Pcs<T> {
    type Commitment = Root<T>;
    type Val = F;
    type ProverData = Option<Data<T>>;
    type Proof = PcsProof<F, E, Trees<T>>;
    type Error = VerifierError;
    type ProverError = WhirConfigError;
    type Witness = Vec<Table<F>>;
    type OpeningProtocol = OpeningProtocol;

    fn num_vars(&self) -> usize {
        self.whir.num_vars()
    }

    fn commit(&self, tables: Vec<Table<F>>, challenger: &mut T::Challenger) -> Result<Known<T>, WhirConfigError> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        let (root, data) = self.clock.commit.time(|| {
            let witness = Layout::new_witness(tables, self.whir.round_folding_factor(0));
            self.whir.commit(witness, challenger)
        })?;
        *self.nonce.lock().unwrap_or_else(PoisonError::into_inner) = challenger.grind(self.grinding);
        Ok((root, Some(data)))
    }

    fn observe_commitment(&self, root: &Root<T>, challenger: &mut T::Challenger) {
        self.whir.observe_commitment(root, challenger);
        self.ground.store(challenger.check_witness(self.grinding, self.nonce()), Ordering::Relaxed);
    }

    fn open(
        &self,
        data: Option<Data<T>>,
        protocol: OpeningProtocol,
        challenger: &mut T::Challenger,
    ) -> Result<Self::Proof, WhirConfigError> {
        self.whir.open(kept::<T>(data), protocol, challenger)
    }

    fn verify(
        &self,
        root: &Root<T>,
        proof: &Self::Proof,
        challenger: &mut T::Challenger,
        protocol: OpeningProtocol,
    ) -> Result<(), VerifierError> {
        self.whir.verify(root, proof, challenger, protocol)
    }
}

/// What a prover kept of its commitment.
fn kept<T: Tree<S>>(data: Option<Data<T>>) -> Data<T> {
    #[expect(clippy::expect_used, reason = "only provers open, and they keep what they commit to")]
    data.expect("a commitment's columns")
}

impl<T: Tree<S>> PrescribedPointPcs<E, T::Challenger> for Pcs<T> {
    fn open_at(
        &self,
        data: Option<Data<T>>,
        protocol: &OpeningProtocol,
        points: &[Point<E>],
        challenger: &mut T::Challenger,
    ) -> Result<Self::Proof, WhirConfigError> {
        self.clock.open.time(|| self.whir.open_at(kept::<T>(data), protocol, points, challenger))
    }

    fn verify_at(
        &self,
        root: &Root<T>,
        proof: &Self::Proof,
        protocol: &OpeningProtocol,
        points: &[Point<E>],
        challenger: &mut T::Challenger,
    ) -> Result<Vec<OpeningEvals<E>>, VerifierError> {
        self.whir.verify_at(root, proof, protocol, points, challenger)
    }
}

/// p3's configuration for one proof.
pub struct Config<T: Tree<S>> {
    /// For the advice of all instances.
    pub main: Pcs<T>,
    /// For fixed columns.
    pub fixed: Pcs<T>,
}

impl<T: Tree<S>> MultiStarkConfig for Config<T> {
    type Val = F;
    type Challenge = E;
    type Challenger = T::Challenger;
    type Pcs = Pcs<T>;

    fn pcs(&self) -> &Pcs<T> {
        &self.main
    }

    fn preprocessed_pcs(&self) -> &Pcs<T> {
        &self.fixed
    }

    fn min_num_variables(&self) -> usize {
        MIN_LOG_HEIGHT
    }

    fn build_witness(&self, tables: Vec<Table<F>>) -> Vec<Table<F>> {
        tables
    }

    fn committed_table<'a>(&self, data: &'a Option<Data<T>>, table: usize) -> &'a Table<F> {
        #[expect(clippy::expect_used, reason = "only provers look at tables, and they keep them")]
        data.as_ref().expect("a commitment's columns").table(table)
    }
}
