//! The verifying key: what prover and verifier derive alike, and the verifier.

use std::sync::Arc;

use p3_batch_stark::common::{GlobalPreprocessed, PreprocessedInstanceMeta};
use p3_batch_stark::{CommonData, verify_batch};
use p3_fri::FriParameters;
use trilemma_arith::{Air, TableShape};
use trilemma_core::{ConfigError, ErrorTerm, Ledger, Reject, Setting, VerifierTranscript};
use trilemma_frontends::riscv::machine::Machine;
use trilemma_pcs::fri::parameters::Plan as FriPlan;
use trilemma_pcs::fri::tree::Merkle;
use trilemma_piop::instances::Instances;

use super::codec::{self, InstanceShape};
use super::{Config, FriP3, MIN_LOG_HEIGHT, S, Scheme, T, TableData, Trees};
use crate::p3::air::TableAir;
use crate::p3::clock::Clock;
use crate::p3::{Root, key};
use crate::{Public, Verifier};

/// A verifying key with what is derived from it.
pub struct Key {
    pub scheme: Arc<Scheme>,
    /// The program's machine; in the verifier, any of the same sizes.
    pub machine: Machine,
    pub air: Air<S>,
    pub tables: Vec<TableData>,
    /// Commitment to the fixed columns.
    commitment: Root,
}

/// The instances of a proof, the statement last.
pub struct Batch {
    pub tables: Vec<TableData>,
    pub shapes: Vec<InstanceShape>,
    /// Fractions on all buses.
    fractions: f64,
    /// Longest tuple.
    arity: usize,
}

/// Error terms of a run, and what is ground for them.
pub struct Plan {
    bus: ErrorTerm,
    batching: ErrorTerm,
    point: ErrorTerm,
    fri: FriPlan,
    /// For the bus challenges, the point and FRI's batching.
    grinding: [u32; 3],
}

impl Plan {
    /// Enters every term, and what is assumed of the hash, in a ledger.
    pub fn enter(&self, trees: &Trees, ledger: &mut Ledger) {
        ledger.prove(&self.bus, self.grinding[0]);
        // p3 has no place to grind for this one.
        ledger.prove(&self.batching, 0);
        ledger.prove(&self.point, self.grinding[1]);
        ledger.prove(&self.fri.batch, self.grinding[2]);
        self.fri.enter(ledger);
        <T as Merkle<S>>::assume(trees, ledger);
    }

    fn fri(&self, trees: &Trees) -> FriP3 {
        let batch_proof_of_work_bits = self.grinding[2] as usize;
        FriParameters { batch_proof_of_work_bits, ..self.fri.p3::<S, T>(trees) }
    }

    /// p3's configuration.
    pub fn config(&self, scheme: &Scheme, seed: [u8; 32], clock: &Arc<Clock>) -> Config {
        scheme.config(self.fri(&scheme.trees), [self.grinding[0], self.grinding[1]], seed, clock)
    }
}

impl Key {
    /// A machine's key, given the commitment to its fixed columns.
    pub fn new(scheme: Arc<Scheme>, machine: Machine, commitment: Root) -> Result<Self, ConfigError> {
        let config = scheme.plain_config()?;
        let air = machine.air::<S>();
        let table = |shape| scheme.table(&config, TableAir::of_table(shape, false), MIN_LOG_HEIGHT);
        let tables = air.tables.iter().map(|t| table(t.shape())).collect::<Result<_, _>>()?;
        Ok(Self { scheme, machine, air, tables, commitment })
    }

    /// Reads a saved key.
    pub fn load(scheme: Arc<Scheme>, bytes: &[u8]) -> Result<Self, Reject> {
        let (machine, commitment) = key::load(&scheme.protocol, &scheme.trees, scheme.max_log_height, bytes)?;
        Ok(Self::new(scheme, machine, commitment)?)
    }

    /// Base columns that p3 commits to for a table's buses.
    pub fn helpers(&self, shape: &TableShape) -> u64 {
        let mut tables = self.air.tables.iter().zip(&self.tables);
        let table = tables.find(|(t, _)| t.shape().name == shape.name);
        table.map_or(0, |(_, t)| t.shape(0).bus_width() as u64)
    }

    /// Everything outside the proof: the fixed columns' commitment, and the statement.
    pub fn binding(&self, public: &Public) -> [Vec<u8>; 2] {
        key::binding(&self.commitment, &self.machine, public)
    }

    /// The instances that a layout says, and the statement.
    pub fn batch(&self, instances: &Instances, public: &Public) -> Result<Batch, ConfigError> {
        let most = self.scheme.max_log_height;
        let tables = instances.list.iter().map(|i| self.tables[i.table].clone());
        let mut tables: Vec<TableData> = tables.collect();
        let shapes = tables.iter().zip(&instances.list).map(|(t, i)| t.shape(i.log_height));
        let mut shapes: Vec<InstanceShape> = shapes.collect();
        let terms = self.machine.statement(public.exit_code, &public.output);
        let statement = TableAir::of_statement(&terms, MIN_LOG_HEIGHT);
        let log_height = statement.periodic_height().trailing_zeros() as usize;
        if shapes.iter().map(|s| s.log_height).chain([log_height]).any(|h| h > most) {
            let what = format!("max_log_height: a table has more than 2^{most} rows");
            return Err(ConfigError(what));
        }
        let statement = self.scheme.table(&self.scheme.plain_config()?, statement, log_height)?;
        shapes.push(statement.shape(log_height));
        tables.push(statement);
        let fractions =
            tables.iter().zip(&shapes).map(|(t, s)| t.air.interactions() as f64 * 2f64.powi(s.log_height as i32));
        Ok(Batch { fractions: fractions.sum(), arity: instances.arity.max(1), tables, shapes })
    }

    /// The terms of proving a batch.
    pub fn plan(&self, batch: &Batch) -> Result<Plan, ConfigError> {
        let Scheme { parameters, security, .. } = self.scheme.as_ref();
        let list = parameters.list_bits();
        let term = |name, degree, reference| {
            let term = ErrorTerm::schwartz_zippel(name, degree, S::ext_bits());
            ErrorTerm { reference, ..term }.losing(list)
        };
        // Roots of the cleared sum, and poles, each of which frees a fraction.
        let degree = batch.fractions * (batch.arity + 2) as f64;
        let bus = term("bus argument", degree, "[Hab22] Lemma 5");
        // The constraints of a table, its fractions and three for its accumulator.
        let constraints = batch.tables.iter().map(|t| t.air.constraints() + t.lookups.len() + 3);
        let constraints = constraints.sum::<usize>() as f64;
        let batching = term("constraint batching", constraints, "[Hab22s] Theorem 8 (ALI)");
        let degrees = batch.shapes.iter().map(|s| (s.chunks + 1) as f64 * 2f64.powi(s.log_height as i32));
        let degree = degrees.fold(0.0, f64::max);
        let point = term("out-of-domain point", degree, "[Hab22s] Theorem 8 (DEEP)");
        let log_height = batch.shapes.iter().map(|s| s.log_height).max().unwrap_or(0);
        let functions = batch.shapes.iter().map(InstanceShape::values).sum();
        let fri = parameters.plan_for(log_height, functions)?;
        let grind = |term: &ErrorTerm| term.grinding(security.bits);
        let grinding = [grind(&bus)?, grind(&point)?, grind(&fri.batch)?];
        Ok(Plan { bus, batching, point, fri, grinding })
    }

    /// What prover and verifier share of a run.
    pub fn common(&self, batch: &Batch) -> CommonData<Config> {
        let mut matrix_to_instance = Vec::new();
        let mut instances = Vec::new();
        for (i, shape) in batch.shapes.iter().enumerate() {
            instances.push((shape.fixed > 0).then_some(PreprocessedInstanceMeta {
                matrix_index: matrix_to_instance.len(),
                width: shape.fixed,
                degree_bits: shape.log_height,
            }));
            if shape.fixed > 0 {
                matrix_to_instance.push(i);
            }
        }
        let commitment = self.commitment.clone();
        let preprocessed = GlobalPreprocessed { commitment, instances, matrix_to_instance };
        let lookups = batch.tables.iter().map(|t| t.lookups.clone()).collect();
        CommonData::new(Some(preprocessed), lookups)
    }
}

impl Verifier for Key {
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        let Scheme { protocol, security, trees, .. } = self.scheme.as_ref();
        let mut t = VerifierTranscript::new(protocol, *security, proof);
        let [index, statement] = self.binding(public);
        t.bind("index", &index);
        t.bind("statement", &statement);
        let instances = Instances::decode(&self.air, t.recv("heights", Instances::sizes(&self.air))?)?;
        let batch = self.batch(&instances, public)?;
        let plan = self.plan(&batch)?;
        plan.enter(trees, t.ledger());
        let config = plan.config(&self.scheme, t.fork("p3"), &Arc::default());
        // Everything read has the shape that p3 expects, so p3 meets no other.
        let proof = codec::receive(trees, &batch.shapes, &plan.fri(trees), &mut t)?;
        let (ledger, _) = t.finish()?;
        let airs: Vec<TableAir> = batch.tables.iter().map(|t| t.air.clone()).collect();
        let values = vec![Vec::new(); airs.len()];
        verify_batch(&config, &airs, &proof, &values, &self.common(&batch))
            .map_err(|e| Reject::new(format!("p3-batch-stark: {e}")))?;
        Ok(ledger)
    }

    fn verifying_key(&self) -> Vec<u8> {
        key::save(self.scheme.protocol, &self.machine, &self.commitment)
    }
}
