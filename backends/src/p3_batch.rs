//! `p3-batch-stark`: Plonky3's own multi-table STARK as a whole system, the reference for
//! `air/uni-stark/fri`.
//!
//! **Claim.** That of `uni-stark`: the same tables, walked as expression graphs by p3-air's builders,
//! the same integer traces, the same buses as global lookups of p3-lookup. The statement's tuples are
//! one more table, whose columns p3 forces to equal periodic columns, which the verifier derives from
//! the statement and evaluates itself.
//!
//! **Messages.** Heights; roots of advice, buses and quotients; one sum a table; three grinding
//! nonces; the answers at the out-of-domain point; the FRI proof. p3's challenger is forked from the
//! transcript once that has absorbed everything outside the proof (protocol, fixed columns,
//! statement) and the heights; what p3 sends is written back to it as a container. Elements have
//! fixed width and no lengths, as in the `fri` scheme, so proof sizes compare.
//!
//! **Soundness** as in `uni-stark` and `fri`, except that poles of fractions are counted, as
//! p3-security does. p3 grinds before the bus challenges, the out-of-domain point, FRI's batching,
//! every folding and the queries, so those reach the target; the challenge that folds constraints
//! has no such place and is entered with the bits it has.
//!
//! **Fairness.** FRI parameters, hashes, field and blow-up are those of the `fri` scheme, solved by
//! the same code; fixed columns are committed at key generation. The layout is p3's default:
//! fractions on one bus share a column where the table's quotient stays as it is (with room for
//! pairs everywhere, proofs were 8 % smaller and took 10 % more time), every instance has a quotient
//! of its own, and interactions are evaluated from symbolic expressions row by row. Walking the
//! graph of constraints takes 2 % of a proof. Phase `piop` contains the extension of quotients, which
//! p3 interleaves with their computation.

mod codec;
mod key;
mod prover;
mod timed;

use std::sync::Arc;

use p3_air::BaseAir;
use p3_air::symbolic::AirLayout;
use p3_batch_stark::ProverData;
use p3_batch_stark::symbolic::get_log_num_quotient_chunks_for_domain;
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_lookup::{LogUpGadget, Lookups};
use p3_uni_stark::StarkConfig;
use trilemma_core::scheme::Setup;
use trilemma_core::{ConfigError, Options, Properties, Reject, Security, Setting};
use trilemma_frontends::riscv::Program;
use trilemma_pcs::fri::parameters::Parameters;
use trilemma_pcs::fri::tree::{Challenged, Merkle};

use crate::combination::protocol_id;
use crate::p3::air::TableAir;
use crate::p3::clock::Clock;
use crate::p3::{Challenger, Domain, E, F, S, T, Trees};
use crate::{Failure, Keys, Pipeline, System, Verifier};
use codec::InstanceShape;
use key::Key;
use prover::ProgramKeys;
use timed::Timed;

/// Name in configurations.
pub const NAME: [&str; 3] = ["p3-batch-stark", "fri", S::NAME];

/// log2 of the shortest table.
const MIN_LOG_HEIGHT: usize = 2;

type FriP3 = FriParameters<ExtensionMmcs<F, E, Trees>>;
type P3Pcs = Timed<TwoAdicFriPcs<F, Radix2DitParallel<F>, Trees, ExtensionMmcs<F, E, Trees>>>;
type Config = StarkConfig<P3Pcs, E, Challenger>;

/// The system with the hash that the options name.
///
/// # Errors
/// An unknown hash, or parameters that cannot reach the target.
pub fn system(pipeline: &Pipeline, options: &Options) -> Result<Box<dyn System>, ConfigError> {
    Ok(Box::new(P3Batch(Arc::new(Scheme::new(pipeline, options)?))))
}

struct P3Batch(Arc<Scheme>);

impl System for P3Batch {
    fn properties(&self) -> Properties {
        let setup = Setup::Transparent;
        Properties { setup, post_quantum: true, hiding: false, verifier: "log^2 n" }
    }

    fn keys(&self, program: &Program) -> Result<Box<dyn Keys>, Failure> {
        Ok(Box::new(ProgramKeys::new(self.0.clone(), program)?))
    }

    fn verifier(&self, verifying_key: &[u8]) -> Result<Box<dyn Verifier>, Reject> {
        Ok(Box::new(Key::load(self.0.clone(), verifying_key)?))
    }
}

/// What does not depend on a program.
struct Scheme {
    parameters: Parameters,
    security: Security,
    max_log_height: usize,
    dft: Radix2DitParallel<F>,
    trees: Trees,
    /// Hash of the pipeline's name and options.
    protocol: [u8; 32],
}

impl Scheme {
    fn new(pipeline: &Pipeline, options: &Options) -> Result<Self, ConfigError> {
        // Domains extended by the blow-up must exist.
        let most = F::TWO_ADICITY.saturating_sub(options.log_blowup);
        let max_log_height = options.max_log_height.unwrap_or(most).min(most);
        Ok(Self {
            parameters: Parameters::solve(options, S::ext_bits(), max_log_height)?,
            security: options.security,
            max_log_height,
            dft: Radix2DitParallel::default(),
            trees: <T as Merkle<S>>::chosen(options)?,
            protocol: protocol_id(pipeline, options, &Setup::Transparent),
        })
    }

    /// p3's configuration for a run: `grinding` is for the bus challenges and the point.
    fn config(&self, fri: FriP3, grinding: [u32; 2], seed: [u8; 32], clock: &Arc<Clock>) -> Config {
        let pcs = TwoAdicFriPcs::new(self.dft.clone(), self.trees.clone(), fri);
        StarkConfig::new(Timed::new(pcs, clock.clone()), S::challenger(seed))
            .with_lookup_proof_of_work_bits(grinding[0] as usize)
            .with_ood_proof_of_work_bits(grinding[1] as usize)
    }

    /// A configuration for what needs no challenger and no queries: commitments and degrees.
    fn plain_config(&self) -> Result<Config, ConfigError> {
        let fri = self.parameters.plan_for(0, 1)?.p3::<S, T>(&self.trees);
        Ok(self.config(fri, [0; 2], [0; 32], &Arc::default()))
    }

    /// A table with what p3 derives from its text.
    fn table(&self, config: &Config, air: TableAir, log_height: usize) -> Result<TableData, ConfigError> {
        let airs = [air];
        let data = ProverData::from_airs_and_degrees(config, &airs, &[log_height]).map_err(p3_error)?;
        let [air] = airs;
        let lookups = data.common.lookups.into_iter().next().unwrap_or_default();
        let log_chunks = get_log_num_quotient_chunks_for_domain::<F, E, _, _>(
            &air,
            AirLayout::from_air(&air),
            domain(log_height)?,
            &lookups,
            0,
            &LogUpGadget::new(),
        );
        Ok(TableData { air, lookups, log_chunks })
    }
}

fn p3_error(error: impl std::fmt::Display) -> ConfigError {
    ConfigError(format!("p3-batch-stark: {error}"))
}

/// The trace domain of `2^log_height` rows.
fn domain(log_height: usize) -> Result<Domain, ConfigError> {
    Domain::new(F::ONE, log_height)
        .ok_or_else(|| ConfigError(format!("max_log_height: no domain of 2^{log_height} rows")))
}

/// A table with its lookups as p3 laid them out.
#[derive(Clone)]
struct TableData {
    air: TableAir,
    lookups: Lookups<F>,
    log_chunks: usize,
}

impl TableData {
    fn shape(&self, log_height: usize) -> InstanceShape {
        InstanceShape {
            log_height,
            width: self.air.width(),
            fixed: self.air.preprocessed_width(),
            uses_next: self.air.uses_next(),
            lookups: self.lookups.len(),
            chunks: 1 << self.log_chunks,
        }
    }
}
