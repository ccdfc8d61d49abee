//! Executing, filling tables, and p3's prover.

use std::sync::{Arc, Mutex, PoisonError};

use p3_batch_stark::{CommonData, ProverData, ProverOnlyData, StarkInstance, prove_batch};
use p3_commit::Pcs;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_uni_stark::StarkGenericConfig;
use trilemma_arith::air::Trace;
use trilemma_core::{ConfigError, Ledger, ProverTranscript, Reject};
use trilemma_frontends::riscv::Program;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_piop::instances::{Instances, fixed_columns, instance_columns};

use super::key::{Batch, Key};
use super::{Challenger, Config, E, F, S, Scheme, codec, domain, p3_error};
use crate::combination::cost;
use crate::p3::air::TableAir;
use crate::p3::clock::Clock;
use crate::p3::run::{self, Proof, run};
use crate::{Failure, Keys, Proved, Public, Verifier};

/// A program's keys.
pub struct ProgramKeys {
    program: Program,
    /// Tables with their fixed columns.
    tables: Vec<TableAir>,
    /// The committed fixed columns, beside which every proof puts its lookups: p3 wants both in one
    /// place, so proofs under one key wait for each other.
    data: Mutex<ProverData<Config>>,
    key: Key,
}

impl ProgramKeys {
    /// Commits to the fixed columns.
    pub fn new(scheme: Arc<Scheme>, program: &Program) -> Result<Self, ConfigError> {
        let machine = Machine::new(program);
        let tables = machine.air::<S>().tables;
        let fixed: Vec<Option<RowMajorMatrix<F>>> = tables.iter().map(|t| fixed_columns::<S>(&t.fixed())).collect();
        let mut matrices = Vec::new();
        for matrix in fixed.iter().flatten() {
            let log_height = matrix.height().trailing_zeros() as usize;
            matrices.push((domain(log_height)?, matrix.clone()));
        }
        let config = scheme.plain_config()?;
        let (commitment, data) = Pcs::<E, Challenger>::commit(config.pcs(), matrices).map_err(p3_error)?;
        let key = Key::new(scheme, machine, commitment)?;
        let tables = key.tables.iter().zip(fixed).map(|(t, fixed)| t.air.with_fixed(fixed));
        let data = ProverData {
            common: CommonData::empty(0),
            prover_only: ProverOnlyData { preprocessed_prover_data: Some(data) },
        };
        let (program, tables) = (program.clone(), tables.collect());
        Ok(Self { program, tables, data: Mutex::new(data), key })
    }

    /// The instances of a trace and a statement.
    fn batch(&self, trace: &Trace, public: &Public) -> Result<(Vec<u8>, Batch), ConfigError> {
        let heights: Vec<_> = trace.instances.iter().map(|i| (i.table, i.log_height)).collect();
        let sizes = Instances::encode(&self.key.air, &heights);
        let instances = Instances::decode(&self.key.air, &sizes).map_err(|r| ConfigError(r.what))?;
        let batch = self.key.batch(&instances, public)?;
        Ok((sizes, batch))
    }

    /// Proves that a trace has this outcome.
    fn prove_trace(
        &self,
        trace: Trace,
        public: &Public,
        (sizes, batch): (Vec<u8>, Batch),
        clock: &Arc<Clock>,
    ) -> Result<Proof, ConfigError> {
        let Scheme { protocol, security, parameters, trees, .. } = self.key.scheme.as_ref();
        let plan = self.key.plan(&batch)?;
        let mut t = ProverTranscript::new(protocol, *security);
        let [index, statement] = self.key.binding(public);
        t.bind("index", &index);
        t.bind("statement", &statement);
        t.send("heights", &sizes);
        plan.enter(trees, t.ledger());
        let config = plan.config(&self.key.scheme, t.fork("p3"), clock);

        let (mut airs, mut traces) = (Vec::new(), Vec::new());
        for (instance, shape) in trace.instances.into_iter().zip(&batch.shapes) {
            airs.push(self.tables[instance.table].clone());
            traces.push(instance_columns::<S>(instance, shape.width));
        }
        if let Some(statement) = batch.tables.last() {
            airs.push(statement.air.clone());
            traces.push(statement.air.periodic_trace());
        }
        let instances = airs.iter().zip(&traces);
        let instance = |(air, trace)| StarkInstance { air, trace, public_values: Vec::new() };
        let instances: Vec<_> = instances.map(instance).collect();
        let proof = {
            let mut data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
            data.common = self.key.common(&batch);
            prove_batch(&config, &instances, &data).map_err(p3_error)?
        };
        codec::send(&proof, trees, &batch.shapes, parameters.log_blowup, &mut t);
        Ok(t.finish())
    }
}

impl Verifier for ProgramKeys {
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        self.key.verify(public, proof)
    }

    fn verifying_key(&self) -> Vec<u8> {
        self.key.verifying_key()
    }
}

impl Keys for ProgramKeys {
    fn prove(&self, input: &[u8], max_cycles: u64) -> Result<Proved, Failure> {
        run(&self.key.machine, &self.program, (input, max_cycles), |trace, public, clock| {
            let batch = self.batch(&trace, public)?;
            let mut cost = cost(&self.key.air, &trace, |shape| self.key.helpers(shape));
            let quotients = batch.1.shapes.iter().map(|s| (codec::D * s.chunks) << s.log_height);
            cost.committed_cells += quotients.sum::<usize>() as u64;
            if let Some((table, shape)) = batch.1.tables.last().zip(batch.1.shapes.last()) {
                run::add_statement(&mut cost, &table.air, shape.bus_width());
            }
            Ok((self.prove_trace(trace, public, batch, clock)?, cost))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use trilemma_core::Options;

    use super::*;
    use crate::Pipeline;
    use crate::p3::run::tests::{guest, nothing_false_is_proved};

    #[test]
    fn false_traces_and_statements_do_not_verify() {
        let pipeline = Pipeline(super::super::NAME.join("/"));
        let scheme = Scheme::new(&pipeline, &Options::default()).unwrap();
        let keys = ProgramKeys::new(Arc::new(scheme), &guest()).unwrap();
        // p3's debug builds check the witness and panic: no proof either.
        nothing_false_is_proved(&keys.key.machine, &keys.key.air, |trace, public| {
            let batch = keys.batch(trace, public).unwrap();
            let run = || keys.prove_trace(trace.clone(), public, batch, &Arc::default());
            catch_unwind(AssertUnwindSafe(run)).is_ok_and(|proved| {
                let (proof, ..) = proved.unwrap();
                keys.verify(public, &proof).is_ok()
            })
        });
    }
}
