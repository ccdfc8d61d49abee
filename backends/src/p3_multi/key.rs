//! The verifying key: what prover and verifier derive alike, and the verifier.

use std::sync::Arc;

use p3_air::BaseAir;
use p3_field::{Field, PrimeCharacteristicRing};
use p3_matrix::dense::RowMajorMatrix;
use p3_multi_stark::{ProvingKey, VerifierInstance, VerifierInstances, VerifyingKey, setup, verify};
use trilemma_arith::{Air, TableShape};
use trilemma_core::{ConfigError, Ledger, Reject, VerifierTranscript};
use trilemma_frontends::riscv::machine::Machine;
use trilemma_pcs::fri::tree::Challenged;
use trilemma_piop::instances::Instances;

use super::codec::{self, Shape};
use super::pcs::Config;
use super::terms::{Plan, Sizes};
use super::{F, MIN_LOG_HEIGHT, S, Scheme, p3_error};
use crate::p3::air::TableAir;
use crate::p3::{Root, key};
use crate::{Public, Verifier};

/// A verifying key with what is derived from it.
pub struct Key {
    pub scheme: Arc<Scheme>,
    /// The program's machine; in the verifier, any of the same sizes.
    pub machine: Machine,
    pub air: Air<S>,
    tables: Vec<TableAir>,
    /// Commitment to the fixed columns.
    root: Root,
    /// Variables of the polynomial they are stacked in.
    fixed_variables: usize,
}

/// The instances of a proof, the statement last.
pub struct Batch {
    pub airs: Vec<TableAir>,
    pub log_heights: Vec<usize>,
    pub shape: Shape,
    sizes: Sizes,
}

/// Whether a table has fixed columns of fewer rows than p3 commits to.
pub fn is_gated(shape: &TableShape) -> bool {
    !shape.fixed.is_empty() && shape.fixed_height < 1 << MIN_LOG_HEIGHT
}

/// log2 of what columns of these heights and widths are stacked in.
pub fn stacked(columns: impl Iterator<Item = (usize, usize)>) -> usize {
    columns.map(|(log_height, width)| width << log_height).sum::<usize>().next_power_of_two().trailing_zeros() as usize
}

/// What p3 is given as the contents of fixed columns, in whose place the key's commitment is used.
fn contents(width: usize) -> Option<RowMajorMatrix<F>> {
    (width > 0).then(|| RowMajorMatrix::new(F::zero_vec(width), width))
}

impl Key {
    /// A machine's key, given the commitment to its fixed columns.
    pub fn new(scheme: Arc<Scheme>, machine: Machine, root: Root) -> Result<Self, ConfigError> {
        let air = machine.air::<S>();
        let mut tables = Vec::new();
        let mut fixed = Vec::new();
        for shape in air.tables.iter().map(|t| t.shape()) {
            if shape.uses_next() {
                return Err(ConfigError(format!("p3-multi-stark: the table `{}` reads the next row", shape.name)));
            }
            let table = TableAir::of_table(shape, is_gated(shape));
            let width = table.preprocessed_width();
            if width > 0 {
                fixed.push((log_height(shape.fixed_height.trailing_zeros() as usize), width));
            }
            tables.push(table.with_fixed(contents(width)));
        }
        let fixed_variables = stacked(fixed.into_iter());
        Ok(Self { scheme, machine, air, tables, root, fixed_variables })
    }

    /// Reads a saved key.
    pub fn load(scheme: Arc<Scheme>, bytes: &[u8]) -> Result<Self, Reject> {
        let (machine, root) = key::load(&scheme.protocol, &scheme.trees, scheme.max_log_height, bytes)?;
        Ok(Self::new(scheme, machine, root)?)
    }

    /// Commitment to the fixed columns.
    pub const fn root(&self) -> &Root {
        &self.root
    }

    /// Everything outside the proof.
    pub fn binding(&self, public: &Public) -> [Vec<u8>; 2] {
        key::binding(&self.root, &self.machine, public)
    }

    /// The instances that a layout says, and the statement.
    pub fn batch(&self, instances: &Instances, public: &Public) -> Result<Batch, ConfigError> {
        let terms = self.machine.statement(public.exit_code, &public.output);
        let statement = TableAir::of_statement(&terms, MIN_LOG_HEIGHT);
        if instances.list.iter().any(|i| i.fixed.is_none() && i.log_height < MIN_LOG_HEIGHT) {
            return Err(ConfigError(format!("p3-multi-stark: an instance of fewer than 2^{MIN_LOG_HEIGHT} rows")));
        }
        let mut log_heights: Vec<usize> = instances.list.iter().map(|i| log_height(i.log_height)).collect();
        log_heights.push(statement.periodic_height().trailing_zeros() as usize);
        let airs = instances.list.iter().map(|i| self.tables[i.table].clone());
        let airs: Vec<TableAir> = airs.chain([statement]).collect();

        let fractions = airs.iter().zip(&log_heights).map(|(air, &log)| air.interactions() << log).sum::<usize>();
        if fractions as f64 >= 2f64.powi(F::bits() as i32 - 1) {
            return Err(ConfigError("more fractions than the characteristic allows".into()));
        }
        let layers = fractions.next_power_of_two().trailing_zeros() as usize;
        let widths: Vec<usize> = airs.iter().map(TableAir::width).collect();
        let most = |of: fn(&TableAir) -> usize| airs.iter().map(of).max().unwrap_or(0);
        let shape = Shape {
            layers,
            rounds: log_heights.iter().copied().fold(layers, usize::max),
            // The weight of a row is one more.
            degree: most(TableAir::degree) + 1,
            fixed: airs.iter().map(TableAir::preprocessed_width).filter(|&width| width > 0).collect(),
            widths,
        };
        let sizes = Sizes {
            fractions: fractions as f64,
            arity: instances.arity.max(1),
            constraints: most(TableAir::constraints),
            variables: [stacked(log_heights.iter().copied().zip(shape.widths.iter().copied())), self.fixed_variables],
        };
        Ok(Batch { airs, log_heights, shape, sizes })
    }

    /// Parameters and terms of proving a batch.
    pub fn plan(&self, batch: &Batch) -> Result<Plan<'_>, ConfigError> {
        Plan::new(&self.scheme, &batch.shape, batch.sizes)
    }
}

/// log2 of the rows that a table of `2^log_height` rows is padded to.
fn log_height(log_height: usize) -> usize {
    log_height.max(MIN_LOG_HEIGHT)
}

/// p3's keys for a batch.
pub fn p3_keys(config: &Config, airs: &[TableAir]) -> Result<(ProvingKey<Config>, VerifyingKey<Config>), ConfigError> {
    let airs: Vec<&TableAir> = airs.iter().collect();
    // Nothing is drawn from this challenger: the commitment is known.
    setup(config, &airs, &mut S::challenger([0; 32])).map_err(p3_error)
}

impl Verifier for Key {
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        let Scheme { protocol, security, .. } = self.scheme.as_ref();
        let mut t = VerifierTranscript::new(protocol, *security, proof);
        let [index, statement] = self.binding(public);
        t.bind("index", &index);
        t.bind("statement", &statement);
        let instances = Instances::decode(&self.air, t.recv("heights", Instances::sizes(&self.air))?)?;
        let batch = self.batch(&instances, public)?;
        let plan = self.plan(&batch)?;
        plan.enter(t.ledger());
        let mut challenger = S::challenger(t.fork("p3"));
        // Everything read has the shape that p3 expects, so p3 meets no other.
        let (proof, nonce) = codec::receive(&batch.shape, &plan, &mut t)?;
        let (ledger, _) = t.finish()?;
        let config = plan.config((self.root.clone(), None), nonce, &Arc::default())?;
        let (_, key) = p3_keys(&config, &batch.airs)?;
        let instances = batch.airs.iter().zip(&batch.log_heights);
        let instances = instances.map(|(air, &log_height)| VerifierInstance::new(air, &key, log_height, &[]));
        let instances = VerifierInstances::new(instances.collect());
        verify(&config, instances, &proof, 0, &mut challenger)
            .map_err(|e| Reject::new(format!("p3-multi-stark: {e}")))?;
        if !config.main.ground() {
            return Err(Reject::new("grinding of the bus argument"));
        }
        Ok(ledger)
    }

    fn verifying_key(&self) -> Vec<u8> {
        key::save(self.scheme.protocol, &self.machine, &self.root)
    }
}
