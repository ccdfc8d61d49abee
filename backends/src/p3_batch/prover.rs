//! Executing, filling tables, and p3's prover.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use p3_batch_stark::{CommonData, ProverData, ProverOnlyData, StarkInstance, prove_batch};
use p3_commit::Pcs;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_uni_stark::StarkGenericConfig;
use trilemma_arith::air::Trace;
use trilemma_core::transcript::ByteCount;
use trilemma_core::{ConfigError, Ledger, ProveError, ProverTranscript, Reject};
use trilemma_frontends::riscv::machine::Machine;
use trilemma_frontends::riscv::{Program, execute};
use trilemma_piop::instances::{Instances, columns, fixed_columns};

use super::air::TableAir;
use super::key::{Batch, Key};
use super::timed::Clock;
use super::{Backed, Config, E, F, S, Scheme, codec, domain, p3_error};
use crate::combination::cost;
use crate::{Cost, Failure, Keys, Proved, Public, TableCost, Verifier};

/// A program's keys.
pub struct ProgramKeys<T: Backed> {
    program: Program,
    /// Tables with their fixed columns.
    tables: Vec<TableAir>,
    /// The committed fixed columns, beside which every proof puts its lookups: p3 wants both in one
    /// place, so proofs under one key wait for each other.
    data: Mutex<ProverData<Config<T>>>,
    key: Key<T>,
}

impl<T: Backed> ProgramKeys<T> {
    /// Commits to the fixed columns.
    pub fn new(scheme: Arc<Scheme<T>>, program: &Program) -> Result<Self, ConfigError> {
        let machine = Machine::new(program);
        let tables = machine.air::<S>().tables;
        let fixed: Vec<Option<RowMajorMatrix<F>>> = tables.iter().map(|t| fixed_columns::<S>(&t.fixed())).collect();
        let mut matrices = Vec::new();
        for matrix in fixed.iter().flatten() {
            let log_height = matrix.height().trailing_zeros() as usize;
            matrices.push((domain(log_height)?, matrix.clone()));
        }
        let config = scheme.plain_config()?;
        let (commitment, data) = Pcs::<E, T::Challenger>::commit(config.pcs(), matrices).map_err(p3_error)?;
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
    ) -> Result<(Vec<u8>, Ledger, ByteCount), ConfigError> {
        let Scheme { protocol, security, parameters, .. } = self.key.scheme.as_ref();
        let plan = self.key.plan(&batch)?;
        let mut t = ProverTranscript::new(protocol, *security);
        let [index, statement] = self.key.binding(public);
        t.bind("index", &index);
        t.bind("statement", &statement);
        t.send("heights", &sizes);
        plan.enter(t.ledger());
        let config = plan.config(&self.key.scheme, t.fork("p3"), clock);

        let (mut airs, mut traces) = (Vec::new(), Vec::new());
        for (instance, shape) in trace.instances.into_iter().zip(&batch.shapes) {
            airs.push(self.tables[instance.table].clone());
            traces.push(columns::<S>(&instance, shape.width));
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
        codec::send::<T>(&proof, &batch.shapes, parameters.log_blowup, &mut t);
        Ok(t.finish())
    }
}

impl<T: Backed> Verifier for ProgramKeys<T> {
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        self.key.verify(public, proof)
    }

    fn verifying_key(&self) -> Vec<u8> {
        self.key.verifying_key()
    }
}

impl<T: Backed> Keys for ProgramKeys<T> {
    fn prove(&self, input: &[u8], max_cycles: u64) -> Result<Proved, Failure> {
        let start = Instant::now();
        let machine = &self.key.machine;
        let mut recorder = machine.recorder(&self.program);
        let outcome = execute(&self.program, input, max_cycles, &mut recorder)?;
        let executed = start.elapsed();
        let trace = machine.trace(recorder).map_err(ProveError::Unsatisfied)?;
        let filled = start.elapsed();

        let public = Public { exit_code: outcome.exit_code, output: outcome.output };
        let batch = self.batch(&trace, &public)?;
        let mut cost = cost(&self.key.air, &trace, |shape| self.key.helpers(shape));
        add_to_cost(&mut cost, &batch.1);
        cost.cycles = outcome.cycles;
        let clock = Arc::<Clock>::default();
        let (proof, ledger, bytes) = self.prove_trace(trace, &public, batch, &clock)?;
        let proving = start.elapsed() - filled;
        cost.proof_bytes_by_label = bytes.iter().map(|(l, n)| ((*l).to_string(), *n as u64)).collect();
        let (commit, open) = (clock.commit(), clock.open());
        let phases = vec![
            ("execute", executed),
            ("witness", filled - executed),
            ("commit", commit),
            ("piop", proving.saturating_sub(commit + open)),
            ("open", open),
        ];
        Ok(Proved { public, proof, ledger, phases, cost })
    }
}

/// Adds what `uni-stark` does not have: the statement's table, and a quotient for every instance.
fn add_to_cost(cost: &mut Cost, batch: &Batch) {
    let quotients = batch.shapes.iter().map(|s| (codec::D * s.chunks) << s.log_height);
    cost.committed_cells += quotients.sum::<usize>() as u64;
    if let Some((table, shape)) = batch.tables.last().zip(batch.shapes.last()) {
        let rows = 1 << shape.log_height;
        let table = TableCost {
            name: "statement".into(),
            rows,
            padded_rows: rows,
            width: shape.width as u64,
            helper_width: shape.bus_width() as u64,
            interactions: table.air.interactions() as u64,
        };
        cost.rows += rows;
        cost.padded_rows += rows;
        cost.committed_cells += rows * (table.width + table.helper_width);
        cost.interactions += rows * table.interactions;
        cost.tables.push(table);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use trilemma_core::Options;
    use trilemma_pcs::fri::tree::Blake3Tree;
    use trilemma_piop::check::check;

    use super::*;
    use crate::Pipeline;

    /// A cheating prover runs the honest one on a false trace or statement.
    #[test]
    fn false_traces_and_statements_do_not_verify() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../frontends/guests/elf/fibonacci.elf");
        let program = Program::from_elf(&std::fs::read(path).unwrap()).unwrap();
        let pipeline = Pipeline(super::super::NAME.join("/"));
        let scheme = Scheme::<Blake3Tree>::new(&pipeline, &Options::default()).unwrap();
        let keys = ProgramKeys::new(Arc::new(scheme), &program).unwrap();
        let mut recorder = keys.key.machine.recorder(&program);
        let outcome = execute(&program, &5u32.to_le_bytes(), 1 << 16, &mut recorder).unwrap();
        let trace = keys.key.machine.trace(recorder).unwrap();
        let truth = Public { exit_code: outcome.exit_code, output: outcome.output };

        // p3's debug builds check the witness and panic: no proof either.
        let proves = |trace: &Trace, public: &Public| {
            let batch = keys.batch(trace, public).unwrap();
            let run = || keys.prove_trace(trace.clone(), public, batch, &Arc::default());
            catch_unwind(AssertUnwindSafe(run)).is_ok_and(|proved| {
                let (proof, ..) = proved.unwrap();
                keys.verify(public, &proof).is_ok()
            })
        };
        assert!(proves(&trace, &truth));
        let lie = Public { exit_code: truth.exit_code ^ 1, ..truth.clone() };
        assert!(!proves(&trace, &lie), "exit code");
        let lie = Public { output: [truth.output.as_slice(), &[0]].concat(), ..truth.clone() };
        assert!(!proves(&trace, &lie), "output");
        let terms = keys.key.machine.statement(truth.exit_code, &truth.output);
        for k in (0..trace.instances.len()).step_by(4) {
            let mut forged = trace.clone();
            let instance = &mut forged.instances[k];
            let shape = keys.key.air.tables[instance.table].shape();
            // The last column of a row in use; in a lookup table, a count.
            if let Some(cell) = instance.cells.get_mut(shape.columns.len() - 1) {
                *cell += 1;
            }
            // Some rows do not use some columns.
            let holds = check(&keys.key.air, &terms, &forged, 1).is_empty();
            assert_eq!(proves(&forged, &truth), holds, "{}", shape.name);
        }
    }
}
