//! Executing, filling tables, and p3's prover.

use std::sync::Arc;

use p3_commit::MultilinearPcs;
use p3_field::PrimeCharacteristicRing;
use p3_multi_stark::{ProverInstance, ProverInstances, prove};
use p3_sumcheck::layout::{Layout as _, Table};
use trilemma_arith::Trace;
use trilemma_arith::kernel::Kernel;
use trilemma_core::claim::Columns;
use trilemma_core::{ConfigError, Ledger, ProverTranscript, Reject};
use trilemma_frontends::riscv::Program;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_pcs::fri::tree::Challenged;
use trilemma_piop::instances::{Instances, fixed_columns, instance_columns};

use super::key::{Batch, Key, is_gated, p3_keys, stacked};
use super::{Data, F, Layout, MIN_LOG_HEIGHT, S, Scheme, codec, p3_error};
use crate::combination::cost;
use crate::p3::clock::Clock;
use crate::p3::run::{self, Proof, run};
use crate::{Failure, Keys, Proved, Public, Verifier};

/// A program's keys.
pub struct ProgramKeys {
    program: Program,
    /// The committed fixed columns.
    fixed: Data,
    key: Key,
}

/// A table's fixed columns, if it has some, padded to what p3 commits to.
fn padded(table: &dyn Kernel<S>) -> Option<Columns<F>> {
    let mut fixed = table.fixed();
    if is_gated(table.shape()) {
        fixed.push(vec![1; table.shape().fixed_height]);
        fixed.iter_mut().for_each(|column| column.resize(1 << MIN_LOG_HEIGHT, 0));
    }
    fixed_columns::<S>(&fixed)
}

impl ProgramKeys {
    /// Commits to the fixed columns.
    pub fn new(scheme: Arc<Scheme>, program: &Program) -> Result<Self, ConfigError> {
        let machine = Machine::new(program);
        let fixed = machine.air::<S>().tables.iter().filter_map(|t| padded(t.as_ref())).collect::<Vec<_>>();
        let tables: Vec<_> = fixed.into_iter().map(|columns| Table::new(columns.transpose())).collect();
        let whir = scheme.whir(stacked(tables.iter().map(|t| (t.num_variables(), t.num_polys()))))?;
        let witness = Layout::new_witness(tables, whir.round_folding_factor(0));
        // The challenger only absorbs here, and is dropped.
        let (root, fixed) = whir.commit(witness, &mut S::challenger([0; 32])).map_err(p3_error)?;
        Ok(Self { program: program.clone(), fixed, key: Key::new(scheme, machine, root)? })
    }

    /// Pads a trace's instances to what p3 commits to.
    fn pad(trace: &mut Trace) {
        trace.instances.iter_mut().for_each(|i| i.log_height = i.log_height.max(MIN_LOG_HEIGHT));
    }

    /// The instances of a padded trace and a statement.
    fn batch(&self, trace: &Trace, public: &Public) -> Result<(Vec<u8>, Batch), ConfigError> {
        let heights: Vec<_> = trace.instances.iter().map(|i| (i.table, i.log_height)).collect();
        let sizes = Instances::encode(&self.key.air, &heights);
        let instances = Instances::decode(&self.key.air, &sizes).map_err(|r| ConfigError(r.what))?;
        Ok((sizes, self.key.batch(&instances, public)?))
    }

    /// Proves that a padded trace has this outcome.
    fn prove_trace(
        &self,
        trace: Trace,
        public: &Public,
        (sizes, batch): (Vec<u8>, Batch),
        clock: &Arc<Clock>,
    ) -> Result<Proof, ConfigError> {
        let Scheme { protocol, security, .. } = self.key.scheme.as_ref();
        let plan = self.key.plan(&batch)?;
        let mut t = ProverTranscript::new(protocol, *security);
        let [index, statement] = self.key.binding(public);
        t.bind("index", &index);
        t.bind("statement", &statement);
        t.send("heights", &sizes);
        plan.enter(t.ledger());
        let mut challenger = S::challenger(t.fork("p3"));

        let widths = batch.shape.widths.iter();
        let matrices = trace.instances.into_iter().zip(widths).map(|(i, &width)| instance_columns::<S>(i, width));
        let mut matrices: Vec<_> = matrices.collect();
        matrices.extend(batch.airs.last().map(|statement| statement.periodic_trace()));
        let known = (self.key.root().clone(), Some(self.fixed.clone()));
        let config = plan.config(known, F::ZERO, clock)?;
        let (key, _) = p3_keys(&config, &batch.airs)?;
        let instances = batch.airs.iter().zip(matrices);
        let instance = |(air, matrix): (_, Columns<F>)| {
            let table = clock.commit.time(|| Table::new(matrix.transpose()));
            ProverInstance::new(air, table, &key, &[])
        };
        let instances = ProverInstances::new(instances.map(instance).collect());
        let proof = prove(&config, instances, 0, &mut challenger).map_err(p3_error)?;
        codec::send(&proof, config.main.nonce(), &plan, &mut t);
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
        run(&self.key.machine, &self.program, (input, max_cycles), |mut trace, public, clock| {
            Self::pad(&mut trace);
            let batch = self.batch(&trace, public)?;
            let mut cost = cost(&self.key.air, &trace, |_| 0);
            if let Some(statement) = batch.1.airs.last() {
                run::add_statement(&mut cost, statement, 0);
            }
            Ok((self.prove_trace(trace, public, batch, clock)?, cost))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use p3_multi_stark::{VerifierInstance, VerifierInstances, security_report};
    use trilemma_core::Options;

    use super::*;
    use crate::Pipeline;
    use crate::p3::run::tests::{guest, nothing_false_is_proved};

    fn keys() -> ProgramKeys {
        let pipeline = Pipeline(super::super::NAME.join("/"));
        let scheme = Scheme::new(&pipeline, &Options::default()).unwrap();
        ProgramKeys::new(Arc::new(scheme), &guest()).unwrap()
    }

    /// What p3 computes for the same statement, with its field of whole bits.
    #[test]
    fn terms_are_those_of_p3_security() {
        let keys = keys();
        let instance = |table: usize| (keys.key.air.tables[table].shape().fixed.is_empty()).then_some((table, 14));
        let heights: Vec<_> = (0..keys.key.air.tables.len()).filter_map(instance).collect();
        let sizes = Instances::encode(&keys.key.air, &heights);
        let instances = Instances::decode(&keys.key.air, &sizes).unwrap();
        let batch = keys.key.batch(&instances, &Public { exit_code: 0, output: vec![1, 2, 3] }).unwrap();
        let plan = keys.key.plan(&batch).unwrap();
        let mut ledger = Ledger::default();
        plan.enter(&mut ledger);

        let config = plan.config((keys.key.root().clone(), None), F::ZERO, &Arc::default()).unwrap();
        let (_, key) = p3_keys(&config, &batch.airs).unwrap();
        let instances = batch.airs.iter().zip(&batch.log_heights);
        let instances = instances.map(|(air, &log_height)| VerifierInstance::new(air, &key, log_height, &[]));
        let report = security_report(&config, &VerifierInstances::new(instances.collect())).unwrap();
        // Of several draws, the sum of errors.
        let theirs = |labels: &[&str]| {
            let terms = report.terms().iter().filter(|term| labels.contains(&term.label));
            let errors: Vec<f64> = terms.map(|term| (-term.bits.bits()).exp2()).collect();
            assert_eq!(errors.len(), labels.len(), "{labels:?}");
            -errors.iter().sum::<f64>().log2()
        };
        let ours = |name: &str| ledger.terms.iter().find(|term| term.name == name).unwrap().bits;
        for (name, labels) in [
            ("bus argument", ["logup-fingerprint"].as_slice()),
            ("constraint batching", &["constraint-batching", "air-batching", "zerocheck", "lookup-air-link"]),
        ] {
            let (ours, theirs) = (ours(name), theirs(labels));
            assert!((theirs..=theirs + 1.0).contains(&ours), "{name}: {ours} {theirs}");
        }
        // Of all rounds, against one.
        let rounds = batch.shape.rounds as f64;
        let theirs = theirs(&["constraint-sumcheck"]) + rounds.log2();
        assert!((theirs..=theirs + 1.0).contains(&ours("row sumcheck")));
        assert!(ledger.bits() >= 100.0);
    }

    #[test]
    fn false_traces_and_statements_do_not_verify() {
        let keys = keys();
        nothing_false_is_proved(&keys.key.machine, &keys.key.air, |trace, public| {
            let mut trace = trace.clone();
            ProgramKeys::pad(&mut trace);
            let batch = keys.batch(&trace, public).unwrap();
            let run = || keys.prove_trace(trace, public, batch, &Arc::default());
            catch_unwind(AssertUnwindSafe(run)).is_ok_and(|proved| {
                let (proof, ..) = proved.unwrap();
                keys.verify(public, &proof).is_ok()
            })
        });
    }
}
