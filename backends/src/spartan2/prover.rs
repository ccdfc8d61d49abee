//! Executing, filling tables, and the library's prover.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ::spartan2::traits::snark::R1CSSNARKTrait;
use trilemma_arith::r1cs::Block;
use trilemma_arith::{TableShape, Trace};
use trilemma_core::transcript::ByteCount;
use trilemma_core::{ConfigError, Ledger, ProveError, ProverTranscript, Reject};
use trilemma_frontends::riscv::machine::Machine;
use trilemma_frontends::riscv::machine::record::Recorder;
use trilemma_frontends::riscv::{Outcome, Program, execute};
use trilemma_piop::instances::Instances;

use super::circuit::Circuit;
use super::engine::{Snark, clock};
use super::key::{Key, Prepared, Shape};
use super::{Scheme, codec, library_error};
use crate::combination::cost;
use crate::saved::phases;
use crate::{Cost, Failure, Keys, Proved, Public, Verifier};

/// A program's keys, and the library's for the shape of the last execution.
pub struct ProgramKeys {
    program: Program,
    key: Key,
    prepared: Mutex<Option<Arc<Prepared>>>,
}

impl ProgramKeys {
    /// Keys without any shape's.
    pub fn new(scheme: Arc<Scheme>, program: &Program) -> Self {
        let key = Key::new(scheme, Machine::new(program));
        Self { program: program.clone(), key, prepared: Mutex::default() }
    }

    fn prepared(&self) -> Option<Arc<Prepared>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn execute(&self, input: &[u8], max_cycles: u64) -> Result<(Outcome, Recorder), Failure> {
        let mut recorder = self.key.machine.recorder(&self.program);
        let outcome = execute(&self.program, input, max_cycles, &mut recorder)?;
        Ok((outcome, recorder))
    }

    /// The instances of a trace, as a message too.
    fn instances(&self, trace: &Trace) -> Result<(Vec<u8>, Instances), ConfigError> {
        let heights: Vec<_> = trace.instances.iter().map(|i| (i.table, i.log_height)).collect();
        let sizes = Instances::encode(&self.key.air, &heights);
        let instances = Instances::decode(&self.key.air, &sizes).map_err(|r| ConfigError(r.what))?;
        Ok((sizes, instances))
    }

    /// The library's keys for the shape of an execution.
    fn keys_of(&self, instances: Instances, public: &Public) -> Result<Arc<Prepared>, ConfigError> {
        let execution = self.key.execution(instances, public, None, [0; 32]);
        self.key.size(&execution)?;
        let shape = Shape::of(&execution);
        if let Some(known) = self.prepared().filter(|known| known.shape == shape) {
            return Ok(known);
        }
        // The last shape's are dropped first: both may not fit.
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let prepared = Arc::new(Prepared::new(&execution)?);
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(prepared.clone());
        Ok(prepared)
    }

    /// Proves that a trace has this outcome.
    fn prove_trace(&self, trace: Trace, public: &Public) -> Result<(Vec<u8>, Ledger, ByteCount), ConfigError> {
        let (sizes, instances) = self.instances(&trace)?;
        let prepared = self.keys_of(instances.clone(), public)?;
        let Scheme { protocol, security, .. } = self.key.scheme.as_ref();
        let mut t = ProverTranscript::new(protocol, *security);
        let [index, statement] = self.key.binding(public);
        t.bind("index", &index);
        t.bind("statement", &statement);
        t.send("heights", &sizes);
        let assignment = self.key.assignment(&trace);
        drop(trace);
        let execution = self.key.execution(instances, public, Some(assignment), t.fork("spartan2"));
        let size = self.key.size(&execution)?;
        self.key.enter(&execution, &size, t.ledger())?;
        let circuit = Circuit(&execution);
        // The library looks for rows of small values by itself; not all are.
        let state = Snark::prep_prove(&prepared.prover, circuit, false).map_err(library_error)?;
        let (snark, _) = Snark::prove(&prepared.prover, circuit, state, false).map_err(library_error)?;
        codec::send(&snark, &size, &execution.public(), &mut t)?;
        Ok(t.finish())
    }

    /// Counts of cells as in `r1cs/spartan`, with the wires that only this system has.
    fn cost(&self, trace: &Trace, public: &Public, cycles: u64) -> Result<Cost, ConfigError> {
        let (_, instances) = self.instances(trace)?;
        let size = self.key.size(&self.key.execution(instances, public, None, [0; 32]))?;
        let mut cost = cost(&self.key.air, trace, |shape| helpers(shape) as u64);
        cost.cycles = cycles;
        cost.committed_cells = (size.advice + size.products + size.late) as u64;
        Ok(cost)
    }
}

/// Wires of a row besides its cells.
fn helpers(shape: &TableShape) -> usize {
    Block::of(shape).flat_width() - shape.columns.len()
}

impl Verifier for ProgramKeys {
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        self.key.verify_with(self.prepared().as_deref(), public, proof)
    }

    fn verifying_key(&self) -> Vec<u8> {
        self.key.verifying_key()
    }
}

impl Keys for ProgramKeys {
    fn prepare(&self, input: &[u8], max_cycles: u64) -> Result<(), Failure> {
        let (outcome, recorder) = self.execute(input, max_cycles)?;
        let trace = self.key.machine.trace(recorder).map_err(ProveError::Unsatisfied)?;
        let (_, instances) = self.instances(&trace)?;
        drop(trace);
        self.keys_of(instances, &Public { exit_code: outcome.exit_code, output: outcome.output })?;
        Ok(())
    }

    fn prove(&self, input: &[u8], max_cycles: u64) -> Result<Proved, Failure> {
        let start = Instant::now();
        let (outcome, recorder) = self.execute(input, max_cycles)?;
        let executed = start.elapsed();
        let trace = self.key.machine.trace(recorder).map_err(ProveError::Unsatisfied)?;
        let filled = start.elapsed();

        let public = Public { exit_code: outcome.exit_code, output: outcome.output };
        let mut cost = self.cost(&trace, &public, outcome.cycles)?;
        clock();
        let (proof, ledger, bytes) = self.prove_trace(trace, &public)?;
        let proving = start.elapsed() - filled;
        let schemes = clock();
        cost.proof_bytes_by_label = bytes.iter().map(|(l, n)| ((*l).to_string(), *n as u64)).collect();
        let phases = phases([executed, filled], proving, schemes);
        Ok(Proved { public, proof, ledger, phases, cost })
    }
}

#[cfg(test)]
mod tests {
    use trilemma_core::Options;
    use trilemma_piop::check::check;

    use super::*;
    use crate::Pipeline;

    /// A cheating prover runs the honest one on a false trace or statement; the library's does not look.
    #[test]
    fn false_traces_and_statements_do_not_verify() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../frontends/guests/elf/fibonacci.elf");
        let program = Program::from_elf(&std::fs::read(path).unwrap()).unwrap();
        let pipeline = Pipeline(super::super::NAME.join("/"));
        let keys = ProgramKeys::new(Arc::new(Scheme::new(&pipeline, &Options::default())), &program);
        let (outcome, recorder) = keys.execute(&5u32.to_le_bytes(), 1 << 16).unwrap();
        let trace = keys.key.machine.trace(recorder).unwrap();
        let truth = Public { exit_code: outcome.exit_code, output: outcome.output };

        let proves = |trace: &Trace, public: &Public| {
            let (proof, ..) = keys.prove_trace(trace.clone(), public).unwrap();
            keys.verify(public, &proof).is_ok()
        };
        assert!(proves(&trace, &truth));
        let lie = Public { exit_code: truth.exit_code ^ 1, ..truth.clone() };
        assert!(!proves(&trace, &lie), "exit code");
        let lie = Public { output: [truth.output.as_slice(), &[0]].concat(), ..truth.clone() };
        assert!(!proves(&trace, &lie), "output");
        let terms = keys.key.statement(&truth);
        for k in (0..trace.instances.len()).step_by(7) {
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
