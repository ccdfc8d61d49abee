//! A scheme with its types erased: all that is left is to run a protocol against its channel.
//!
//! [`Keyed`] is a scheme with keys; [`Runner`] is what the registry hands out. One virtual call per
//! message separates the two.

use std::any::Any;
use std::marker::PhantomData;

use crate::channel::{OracleProver, OracleVerifier, ProverChannel, SchemeCost, Shape, VerifierChannel};
use crate::claim::{ClaimKind, Columns};
use crate::error::{ConfigError, ProveError, Reject};
use crate::options::Options;
use crate::scheme::{Largest, Opens, Properties};
use crate::security::Ledger;
use crate::setting::Setting;
use crate::transcript::{ByteCount, ProverTranscript, VerifierTranscript};

/// What the verifying key keeps of an index: the bytes its commitment sent, and its shapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexCommitment {
    /// Transcript bytes of the commitment; empty when the index has no columns.
    pub bytes: Vec<u8>,
    /// Shapes of the index's matrices.
    pub shapes: Vec<Shape>,
}

/// What the prover keeps of an index.
pub struct ProverIndex(Option<Box<dyn Any + Send + Sync>>);

/// What binds a proof to everything outside it.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// Hash of the canonical pipeline configuration, names and parameters.
    pub protocol: &'a [u8],
    /// Canonical encoding of the statement.
    pub statement: &'a [u8],
}

/// A proof and what producing it showed.
pub struct Proven {
    /// The proof.
    pub proof: Vec<u8>,
    /// Error terms met.
    pub ledger: Ledger,
    /// Bytes by label.
    pub bytes: ByteCount,
    /// What the scheme cost.
    pub cost: SchemeCost,
}

/// A prover's half of a protocol.
pub type RunProver<'a, S, Q> = dyn FnMut(&mut dyn OracleProver<S, Q>) -> Result<(), ProveError> + 'a;
/// A verifier's half of a protocol.
pub type RunVerifier<'a, S, Q> = dyn FnMut(&mut dyn OracleVerifier<S, Q>) -> Result<(), Reject> + 'a;

/// A keyed scheme that only knows how to run protocols over `S` with questions of kind `Q`.
pub trait Runner<S: Setting, Q: ClaimKind<S>>: Send + Sync {
    /// What a report says of the scheme.
    fn properties(&self) -> Properties;

    /// [`crate::Scheme::KEY_GROWS`].
    fn key_grows(&self) -> bool;

    /// [`crate::Scheme::prepare`].
    fn prepare(&self, largest: Largest);

    /// [`crate::Scheme::fits`].
    fn fits(&self, shapes: &[Shape]) -> Result<(), ConfigError>;

    /// Commits to an index.
    fn index(
        &self,
        protocol: &[u8],
        fixed: Vec<Columns<S::Base>>,
    ) -> Result<(IndexCommitment, ProverIndex), ProveError>;

    /// Runs the prover.
    fn prove(
        &self,
        binding: Binding<'_>,
        index: (&IndexCommitment, &ProverIndex),
        run: &mut RunProver<'_, S, Q>,
    ) -> Result<Proven, ProveError>;

    /// Runs the verifier.
    fn verify(
        &self,
        binding: Binding<'_>,
        index: &IndexCommitment,
        proof: &[u8],
        run: &mut RunVerifier<'_, S, Q>,
    ) -> Result<(Ledger, ByteCount), Reject>;
}

/// A scheme with its keys.
pub struct Keyed<S: Setting, Q: ClaimKind<S>, P: Opens<S, Q>> {
    options: Options,
    pk: P::ProverKey,
    vk: P::VerifierKey,
    _types: PhantomData<fn() -> (S, Q)>,
}

impl<S: Setting, Q: ClaimKind<S>, P: Opens<S, Q>> Keyed<S, Q, P> {
    /// Sets the scheme up.
    pub fn new(options: &Options, max_log_height: usize) -> Result<Self, ConfigError> {
        let (pk, vk) = P::setup(options, max_log_height)?;
        Ok(Self { options: options.clone(), pk, vk, _types: PhantomData })
    }
}

impl<S: Setting, Q: ClaimKind<S>, P: Opens<S, Q>> Runner<S, Q> for Keyed<S, Q, P> {
    fn properties(&self) -> Properties {
        P::properties(&self.vk)
    }

    fn key_grows(&self) -> bool {
        P::KEY_GROWS
    }

    fn prepare(&self, largest: Largest) {
        P::prepare(&self.pk, largest);
    }

    fn fits(&self, shapes: &[Shape]) -> Result<(), ConfigError> {
        P::fits(&self.vk, shapes)
    }

    fn index(
        &self,
        protocol: &[u8],
        fixed: Vec<Columns<S::Base>>,
    ) -> Result<(IndexCommitment, ProverIndex), ProveError> {
        let shapes: Vec<Shape> = fixed.iter().map(Shape::of).collect();
        if fixed.is_empty() {
            return Ok((IndexCommitment { bytes: Vec::new(), shapes }, ProverIndex(None)));
        }
        let mut t = ProverTranscript::new(protocol, self.options.security).unblinded();
        let opener = P::commit(&self.pk, fixed, "index", &mut t)?;
        Ok((IndexCommitment { bytes: t.finish().0, shapes }, ProverIndex(Some(Box::new(opener)))))
    }

    fn prove(
        &self,
        binding: Binding<'_>,
        (commitment, index): (&IndexCommitment, &ProverIndex),
        run: &mut RunProver<'_, S, Q>,
    ) -> Result<Proven, ProveError> {
        let mut t = ProverTranscript::new(binding.protocol, self.options.security);
        t.bind("index", &commitment.bytes);
        t.bind("statement", binding.statement);
        let fixed = index.0.as_ref().and_then(|o| o.downcast_ref::<P::Opener>());
        let mut channel = ProverChannel::<S, Q, P>::new((&self.pk, &self.vk), fixed, t);
        run(&mut channel)?;
        let (t, cost) = channel.finish()?;
        let (proof, ledger, bytes) = t.finish();
        Ok(Proven { proof, ledger, bytes, cost })
    }

    fn verify(
        &self,
        binding: Binding<'_>,
        index: &IndexCommitment,
        proof: &[u8],
        run: &mut RunVerifier<'_, S, Q>,
    ) -> Result<(Ledger, ByteCount), Reject> {
        let fixed = if index.shapes.is_empty() {
            None
        } else {
            let mut key = VerifierTranscript::new(binding.protocol, self.options.security, &index.bytes);
            let commitment = P::receive(&self.vk, &index.shapes, "index", &mut key)?;
            key.finish()?;
            Some((commitment, index.shapes.clone()))
        };
        let mut t = VerifierTranscript::new(binding.protocol, self.options.security, proof);
        t.bind("index", &index.bytes);
        t.bind("statement", binding.statement);
        let mut channel = VerifierChannel::<S, Q, P>::new(&self.vk, fixed, t);
        run(&mut channel)?;
        channel.finish()?.finish()
    }
}

/// Sets a scheme up for matrices of at most two to the given number of rows.
pub type SetUp<S, Q> = fn(&Options, usize) -> Result<Box<dyn Runner<S, Q>>, ConfigError>;

/// A scheme by name, as the registry lists it for one setting and kind of claim.
pub struct SchemeEntry<S: Setting, Q: ClaimKind<S>> {
    /// Name in configurations and reports.
    pub name: &'static str,
    /// log2 of the tallest matrix unless the options say otherwise.
    pub max_log_height: usize,
    /// Sets the scheme up for matrices of at most so many rows.
    pub setup: SetUp<S, Q>,
}

impl<S: Setting, Q: ClaimKind<S>> SchemeEntry<S, Q> {
    /// The entry of `P`; does not compile unless `P` opens `Q` over `S`.
    pub fn of<P: Opens<S, Q>>() -> Self {
        Self {
            name: P::NAME,
            max_log_height: P::MAX_LOG_HEIGHT,
            setup: |options, max| Ok(Box::new(Keyed::<S, Q, P>::new(options, max)?)),
        }
    }
}
