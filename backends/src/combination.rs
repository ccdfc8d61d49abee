//! A PIOP for AIRs over any scheme that opens the claims it makes.

use std::sync::Arc;
use std::time::Instant;

use p3_field::BasedVectorSpace;
use trilemma_arith::r1cs::Block;
use trilemma_arith::{Air, PublicTerm, TableShape, Trace};
use trilemma_core::runner::{Binding, IndexCommitment, ProverIndex, Runner};
use trilemma_core::{ConfigError, Largest, Ledger, Options, Piop, Properties, ProveError, Reject, Setting, Setup};
use trilemma_frontends::riscv::machine::{Machine, Sizes};
use trilemma_frontends::riscv::{Program, execute};
use trilemma_pcs::{Available, Served};
use trilemma_piop::ml_stark::MlStark;
use trilemma_piop::spartan::Spartan;
use trilemma_piop::uni_stark::UniStark;

use crate::saved::{load_key, phases, save_key, statement};
use crate::{Cost, Failure, Keys, Pipeline, Proved, Public, System, TableCost, Verifier};

/// A PIOP for AIRs with schemes below it.
pub trait AirPiop<S: Available>:
    Piop<S, Relation = Air<S>, Statement = Vec<PublicTerm>, Witness = Trace, Query: Served<S>> + Default + 'static
{
    /// What it makes of the tables, as the first part of a pipeline's name.
    const ARITHMETIZATION: &'static str;

    /// Base columns committed for a table besides its own, when a challenge has `d` of them.
    fn helper_columns(table: &TableShape, d: usize) -> usize;
}

impl<S: Available> AirPiop<S> for UniStark {
    const ARITHMETIZATION: &'static str = "air";

    fn helper_columns(table: &TableShape, d: usize) -> usize {
        d * table.interactions.len().div_ceil(2)
    }
}

impl<S: Available> AirPiop<S> for MlStark {
    const ARITHMETIZATION: &'static str = "air";

    fn helper_columns(_: &TableShape, _: usize) -> usize {
        0
    }
}

impl<S: Available> AirPiop<S> for Spartan {
    const ARITHMETIZATION: &'static str = "r1cs";

    fn helper_columns(table: &TableShape, d: usize) -> usize {
        Block::of(table).products.len() + d * table.interactions.len()
    }
}

/// The proof system of a setting, a PIOP and a scheme.
pub struct Combination<S: Available, P: AirPiop<S>> {
    scheme: Arc<Scheme<S, P>>,
}

struct Scheme<S: Available, P: AirPiop<S>> {
    runner: Box<dyn Runner<S, P::Query>>,
    /// Hash of the pipeline's name and options.
    protocol: [u8; 32],
}

impl<S: Available, P: AirPiop<S>> Combination<S, P> {
    /// Sets up the scheme that the pipeline names.
    pub fn new(pipeline: &Pipeline, options: &Options) -> Result<Self, ConfigError> {
        let runner = scheme(pipeline, options)?;
        let protocol = protocol_id(pipeline, options, &runner.properties().setup);
        Ok(Self { scheme: Arc::new(Scheme { runner, protocol }) })
    }
}

/// Sets up the scheme that is the third part of a pipeline's name.
pub fn scheme<S: Available, Q: Served<S>>(
    pipeline: &Pipeline,
    options: &Options,
) -> Result<Box<dyn Runner<S, Q>>, ConfigError> {
    let name = pipeline.0.split('/').nth(2).unwrap_or("");
    let choices = Q::schemes();
    let unknown = || ConfigError::choice("commitment scheme", name, choices.iter().map(|e| e.name));
    let entry = choices.iter().find(|e| e.name == name).ok_or_else(unknown)?;
    (entry.setup)(options, options.max_log_height.unwrap_or(entry.max_log_height))
}

/// What no two pipelines that could be confused share, nor one over two reference strings.
pub fn protocol_id(pipeline: &Pipeline, options: &Options, setup: &Setup) -> [u8; 32] {
    // Where a string lies does not change the protocol; its origin names it, by its bytes if it is no seed's.
    let options = Options { srs: None, ..options.clone() };
    let config = serde_json::json!({ "trilemma": 3, "pipeline": pipeline, "options": options, "setup": setup });
    *blake3::hash(config.to_string().as_bytes()).as_bytes()
}

impl<S: Available, P: AirPiop<S>> System for Combination<S, P> {
    fn properties(&self) -> Properties {
        self.scheme.runner.properties()
    }

    fn keys(&self, program: &Program) -> Result<Box<dyn Keys>, Failure> {
        let machine = Machine::new(program);
        let air = machine.air::<S>();
        let scheme = self.scheme.clone();
        let (index, prover_index) = scheme.runner.index(&scheme.protocol, P::default().index(&air))?;
        let verifier = Key { scheme, sizes: machine.sizes(), air, index };
        Ok(Box::new(ProgramKeys { program: program.clone(), machine, prover_index, key: verifier }))
    }

    fn verifier(&self, bytes: &[u8]) -> Result<Box<dyn Verifier>, Reject> {
        let (sizes, index) = load_key(&self.scheme.protocol, 24, bytes)?;
        let air = Machine::of_sizes(sizes).air::<S>();
        let shapes = P::default().index_shapes(&air);
        let index = IndexCommitment { bytes: index, shapes };
        Ok(Box::new(Key { scheme: self.scheme.clone(), sizes, air, index }))
    }
}

struct Key<S: Available, P: AirPiop<S>> {
    scheme: Arc<Scheme<S, P>>,
    sizes: Sizes,
    air: Air<S>,
    index: IndexCommitment,
}

impl<S: Available, P: AirPiop<S>> Key<S, P> {
    fn terms(&self, public: &Public) -> Vec<trilemma_arith::PublicTerm> {
        Machine::of_sizes(self.sizes).statement(public.exit_code, &public.output)
    }
}

impl<S: Available, P: AirPiop<S>> Verifier for Key<S, P> {
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        let terms = self.terms(public);
        let statement = statement(self.sizes, public);
        let binding = Binding { protocol: &self.scheme.protocol, statement: &statement };
        let (ledger, _) = self
            .scheme
            .runner
            .verify(binding, &self.index, proof, &mut |ch| P::default().verify(&self.air, &terms, ch))?;
        Ok(ledger)
    }

    fn verifying_key(&self) -> Vec<u8> {
        save_key(self.scheme.protocol, self.sizes, self.index.bytes.clone())
    }
}

struct ProgramKeys<S: Available, P: AirPiop<S>> {
    program: Program,
    machine: Machine,
    prover_index: ProverIndex,
    key: Key<S, P>,
}

impl<S: Available, P: AirPiop<S>> Verifier for ProgramKeys<S, P> {
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        self.key.verify(public, proof)
    }

    fn verifying_key(&self) -> Vec<u8> {
        self.key.verifying_key()
    }
}

impl<S: Available, P: AirPiop<S>> ProgramKeys<S, P> {
    fn cost(&self, trace: &Trace) -> Cost {
        let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
        cost(&self.key.air, trace, |t| P::helper_columns(t, d) as u64)
    }
}

impl<S: Available, P: AirPiop<S>> Keys for ProgramKeys<S, P> {
    fn prepare(&self, input: &[u8], max_cycles: u64) -> Result<(), Failure> {
        let runner = &self.key.scheme.runner;
        if runner.key_grows() {
            let mut recorder = self.machine.recorder(&self.program);
            execute(&self.program, input, max_cycles, &mut recorder)?;
            let trace = self.machine.trace(recorder).map_err(ProveError::Unsatisfied)?;
            let log_height = trace.instances.iter().map(|i| i.log_height).max().unwrap_or(0);
            let cells = self.cost(&trace).committed_cells;
            runner.prepare(Largest { log_height, log_cells: cells.next_power_of_two().ilog2() as usize });
        }
        Ok(())
    }

    fn prove(&self, input: &[u8], max_cycles: u64) -> Result<Proved, Failure> {
        let start = Instant::now();
        let mut recorder = self.machine.recorder(&self.program);
        let outcome = execute(&self.program, input, max_cycles, &mut recorder)?;
        let executed = start.elapsed();
        let trace = self.machine.trace(recorder).map_err(ProveError::Unsatisfied)?;
        let filled = start.elapsed();
        let mut cost = self.cost(&trace);
        cost.cycles = outcome.cycles;

        let public = Public { exit_code: outcome.exit_code, output: outcome.output };
        let terms = self.key.terms(&public);
        let statement = statement(self.key.sizes, &public);
        let scheme = &self.key.scheme;
        let binding = Binding { protocol: &scheme.protocol, statement: &statement };
        let mut trace = Some(trace);
        let proven = scheme.runner.prove(binding, (&self.key.index, &self.prover_index), &mut |ch| {
            P::default().prove(&self.key.air, &terms, trace.take().unwrap_or_default(), ch)
        })?;
        let proving = start.elapsed() - filled;
        cost.committed_cells = proven.cost.cells;
        cost.proof_bytes_by_label = proven.bytes.iter().map(|(l, n)| ((*l).to_string(), *n as u64)).collect();
        Ok(Proved {
            public,
            proof: proven.proof,
            ledger: proven.ledger,
            phases: phases([executed, filled], proving, [proven.cost.commit, proven.cost.open]),
            cost,
        })
    }
}

/// Machine-independent costs of a trace, where `helpers` tells how many helper columns a table has;
/// what else is committed is not counted.
pub(crate) fn cost<S: Setting>(air: &Air<S>, trace: &Trace, helpers: impl Fn(&TableShape) -> u64) -> Cost {
    let mut cost = Cost::default();
    for instance in &trace.instances {
        let shape = air.tables[instance.table].shape();
        let width = shape.columns.len() as u64;
        let interactions = shape.interactions.len() as u64;
        let table = TableCost {
            name: shape.name.to_string(),
            rows: instance.cells.len() as u64 / width,
            padded_rows: 1 << instance.log_height,
            width,
            helper_width: helpers(shape),
            interactions,
        };
        cost.rows += table.rows;
        cost.padded_rows += table.padded_rows;
        cost.committed_cells += table.padded_rows * (table.width + table.helper_width);
        cost.interactions += table.padded_rows * interactions;
        match cost.tables.iter_mut().find(|t| t.name == table.name) {
            Some(whole) => {
                whole.rows += table.rows;
                whole.padded_rows += table.padded_rows;
            }
            None => cost.tables.push(table),
        }
    }
    cost
}
