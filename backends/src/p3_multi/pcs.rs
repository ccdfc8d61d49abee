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

use super::{Challenger, Data, E, F, Layout, MIN_LOG_HEIGHT, Trees, Whir};
use crate::p3::Root;
use crate::p3::clock::Clock;

/// A commitment with what the prover keeps of it.
pub type Known = (Root, Option<Data>);

/// WHIR for one polynomial.
pub struct Pcs {
    whir: Whir,
    clock: Arc<Clock>,
    /// What committing returns without looking at the columns.
    known: Option<Known>,
    /// Bits ground after committing.
    grinding: usize,
    /// Written by the prover; read by the verifier.
    nonce: Mutex<F>,
    /// Whether the verifier found the nonce right.
    ground: AtomicBool,
}

impl Pcs {
    /// For columns that a proof commits to.
    pub fn fresh(whir: Whir, clock: Arc<Clock>, grinding: usize, nonce: F) -> Self {
        let nonce = Mutex::new(nonce);
        Self { whir, clock, known: None, grinding, nonce, ground: AtomicBool::new(false) }
    }

    /// For columns that were committed to before.
    pub fn known(whir: Whir, clock: Arc<Clock>, known: Known) -> Self {
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

impl MultilinearPcs<E, Challenger> for Pcs {
    type Commitment = Root;
    type Val = F;
    type ProverData = Option<Data>;
    type Proof = PcsProof<F, E, Trees>;
    type Error = VerifierError;
    type ProverError = WhirConfigError;
    type Witness = Vec<Table<F>>;
    type OpeningProtocol = OpeningProtocol;

    fn num_vars(&self) -> usize {
        self.whir.num_vars()
    }

    fn commit(&self, tables: Vec<Table<F>>, challenger: &mut Challenger) -> Result<Known, WhirConfigError> {
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

    fn observe_commitment(&self, root: &Root, challenger: &mut Challenger) {
        self.whir.observe_commitment(root, challenger);
        self.ground.store(challenger.check_witness(self.grinding, self.nonce()), Ordering::Relaxed);
    }

    fn open(
        &self,
        data: Option<Data>,
        protocol: OpeningProtocol,
        challenger: &mut Challenger,
    ) -> Result<Self::Proof, WhirConfigError> {
        self.whir.open(kept(data), protocol, challenger)
    }

    fn verify(
        &self,
        root: &Root,
        proof: &Self::Proof,
        challenger: &mut Challenger,
        protocol: OpeningProtocol,
    ) -> Result<(), VerifierError> {
        self.whir.verify(root, proof, challenger, protocol)
    }
}

/// What a prover kept of its commitment.
fn kept(data: Option<Data>) -> Data {
    #[expect(clippy::expect_used, reason = "only provers open, and they keep what they commit to")]
    data.expect("a commitment's columns")
}

impl PrescribedPointPcs<E, Challenger> for Pcs {
    fn open_at(
        &self,
        data: Option<Data>,
        protocol: &OpeningProtocol,
        points: &[Point<E>],
        challenger: &mut Challenger,
    ) -> Result<Self::Proof, WhirConfigError> {
        self.clock.open.time(|| self.whir.open_at(kept(data), protocol, points, challenger))
    }

    fn verify_at(
        &self,
        root: &Root,
        proof: &Self::Proof,
        protocol: &OpeningProtocol,
        points: &[Point<E>],
        challenger: &mut Challenger,
    ) -> Result<Vec<OpeningEvals<E>>, VerifierError> {
        self.whir.verify_at(root, proof, protocol, points, challenger)
    }
}

/// p3's configuration for one proof.
pub struct Config {
    /// For the advice of all instances.
    pub main: Pcs,
    /// For fixed columns.
    pub fixed: Pcs,
}

impl MultiStarkConfig for Config {
    type Val = F;
    type Challenge = E;
    type Challenger = Challenger;
    type Pcs = Pcs;

    fn pcs(&self) -> &Pcs {
        &self.main
    }

    fn preprocessed_pcs(&self) -> &Pcs {
        &self.fixed
    }

    fn min_num_variables(&self) -> usize {
        MIN_LOG_HEIGHT
    }

    fn build_witness(&self, tables: Vec<Table<F>>) -> Vec<Table<F>> {
        tables
    }

    fn committed_table<'a>(&self, data: &'a Option<Data>, table: usize) -> &'a Table<F> {
        #[expect(clippy::expect_used, reason = "only provers look at tables, and they keep them")]
        data.as_ref().expect("a commitment's columns").table(table)
    }
}
