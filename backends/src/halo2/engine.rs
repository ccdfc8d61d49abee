//! The library as a proof system for the machine's circuits.

use trilemma_arith::plonkish::{Extent, Lowering, Whole, instance};
use trilemma_arith::{Air, Trace};
use trilemma_core::scheme::Setup;
use trilemma_core::{
    ConfigError, Ledger, Options, Properties, ProveError, ProverTranscript, Reject, VerifierTranscript,
};

use super::S;
use super::key::{self, Scheme, VerifierKey};
use super::scheme::Opening;
use crate::circuit::{Engine, Made, Statement};
use crate::combination::protocol_id;
use crate::{Failure, Pipeline};

/// log2 of the most rows, unless the options say otherwise.
const MAX_LOG_HEIGHT: usize = 20;

/// Circuits of wide rows, proven by the library.
pub struct Halo2 {
    scheme: Scheme,
    protocol: [u8; 32],
}

impl Halo2 {
    /// With a scheme's opening.
    pub fn new(opening: Opening, pipeline: &Pipeline, options: &Options) -> Result<Self, ConfigError> {
        let max_log_height = options.max_log_height.unwrap_or(MAX_LOG_HEIGHT);
        let scheme = Scheme::new(opening, options, max_log_height)?;
        let protocol = protocol_id(pipeline, options, &origin(&scheme));
        Ok(Self { scheme, protocol })
    }
}

fn origin(scheme: &Scheme) -> Setup {
    match scheme.opening {
        Opening::Ipa => Setup::Transparent,
        Opening::Shplonk | Opening::Gwc => scheme.srs.origin().clone(),
    }
}

/// A circuit's keys on the prover's side.
pub struct ProverKey {
    lowering: Whole<S>,
    key: key::ProverKey,
}

impl Engine for Halo2 {
    type S = S;
    type ProverKey = ProverKey;
    type VerifierKey = VerifierKey;

    fn properties(&self) -> Properties {
        let verifier = match self.scheme.opening {
            Opening::Ipa => "n",
            Opening::Shplonk | Opening::Gwc => "1 + columns",
        };
        Properties { setup: origin(&self.scheme), post_quantum: false, hiding: false, verifier }
    }

    fn protocol(&self) -> &[u8; 32] {
        &self.protocol
    }

    fn keygen(&self, air: &Air<S>, extent: &Extent) -> Result<(ProverKey, VerifierKey), Failure> {
        // Before anything as large as the extent is made.
        let log_rows = Whole::form(air, extent)?.log_rows;
        if log_rows > self.scheme.max_log_height {
            return Err(ConfigError(format!("max_log_height: the circuit has 2^{log_rows} rows")).into());
        }
        let (circuit, lowering) = Whole::lower(air, extent)?;
        let (key, verifier) = key::keys(&self.scheme, &circuit)?;
        Ok((ProverKey { lowering, key }, verifier))
    }

    fn save(&self, key: &VerifierKey) -> Vec<u8> {
        key.save()
    }

    fn load(&self, air: &Air<S>, extent: &Extent, saved: &[u8]) -> Result<VerifierKey, Reject> {
        VerifierKey::load(&self.scheme, &Whole::form(air, extent)?, saved)
    }

    fn prove(
        &self,
        (prover, verifier): (&ProverKey, &VerifierKey),
        air: &Air<S>,
        trace: Trace,
        statement: Statement<'_>,
    ) -> Result<Made, ProveError> {
        let assignment = prover.lowering.assign(air, &trace, statement.terms);
        drop(trace);
        let mut t = ProverTranscript::new(&self.protocol, self.scheme.security);
        t.bind("statement", statement.bytes);
        let public = instance::<S>(statement.terms);
        let [commit, open] = prover.key.prove(verifier, assignment, &public, &mut t)?;
        let (proof, ledger, bytes) = t.finish();
        Ok(Made {
            proof,
            ledger,
            commit,
            open,
            cells: verifier.committed(),
            padded_rows: 1 << verifier.log_height(),
            bytes: bytes.iter().map(|(l, n)| ((*l).to_string(), *n as u64)).collect(),
        })
    }

    fn verify(&self, key: &VerifierKey, statement: Statement<'_>, proof: &[u8]) -> Result<Ledger, Reject> {
        let mut t = VerifierTranscript::new(&self.protocol, self.scheme.security, proof);
        t.bind("statement", statement.bytes);
        key.verify(&instance::<S>(statement.terms), &mut t)?;
        Ok(t.finish()?.0)
    }
}
