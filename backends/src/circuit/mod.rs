//! Proof systems for circuits: relations that depend on the extent of an execution, not on the program
//! alone. PLONKish circuits, flat R1CS and Groth16's keys are of this kind.
//!
//! A key is for a program and an extent (rows of every table, length of the output). The prover's keys
//! keep the last extent's, which [`Keys::prepare`] makes; a proof starts with the extent it is about, so
//! that a verifier with the program alone can make the key, in time and memory linear in the extent, which is what
//! the proof says up to the scheme's bounds. A saved verifying key is for one extent, and small: what to check
//! strangers' proofs with.
//!
//! An [`Engine`] proves circuits of one extent; [`CircuitSystem`] makes a [`System`] of it.

pub mod combination;
mod extent;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use trilemma_arith::plonkish::Extent;
use trilemma_arith::{Air, PublicTerm, Trace};
use trilemma_core::{Ledger, Properties, ProveError, Reject, Setting};
use trilemma_frontends::riscv::machine::{Machine, Sizes};
use trilemma_frontends::riscv::{Program, execute};

use crate::combination::cost;
use crate::saved::{phases, statement, unreadable};
use crate::{Failure, Keys, Proved, Public, System, TableCost, Verifier};

/// A proof by an engine, and what making it showed.
pub struct Made {
    /// The proof.
    pub proof: Vec<u8>,
    /// Error terms.
    pub ledger: Ledger,
    /// Wall time committing and opening.
    pub commit: Duration,
    /// Wall time opening.
    pub open: Duration,
    /// Base-field cells committed.
    pub cells: u64,
    /// Rows of the circuit with padding.
    pub padded_rows: u64,
    /// Bytes by label.
    pub bytes: Vec<(String, u64)>,
}

/// What binds a proof to everything outside it.
#[derive(Clone, Copy)]
pub struct Statement<'a> {
    /// The statement's tuples.
    pub terms: &'a [PublicTerm],
    /// Canonical bytes of program sizes, extent and public values.
    pub bytes: &'a [u8],
}

/// A proof system for the circuits of a machine.
pub trait Engine: Send + Sync + 'static {
    /// The setting.
    type S: Setting;
    /// What proving a circuit needs.
    type ProverKey: Send + Sync;
    /// What verifying it needs.
    type VerifierKey: Send + Sync;

    /// What a report says of it.
    fn properties(&self) -> Properties;

    /// Hash of the pipeline's name and options.
    fn protocol(&self) -> &[u8; 32];

    /// Makes the keys of a circuit, and whatever the prover's clock must not pay for.
    fn keygen(&self, air: &Air<Self::S>, extent: &Extent) -> Result<(Self::ProverKey, Self::VerifierKey), Failure>;

    /// The verifying key's own bytes.
    fn save(&self, key: &Self::VerifierKey) -> Vec<u8>;

    /// Reads [`Self::save`], for a relation whose fixed columns are not the program's.
    fn load(&self, air: &Air<Self::S>, extent: &Extent, saved: &[u8]) -> Result<Self::VerifierKey, Reject>;

    /// Proves a trace.
    fn prove(
        &self,
        keys: (&Self::ProverKey, &Self::VerifierKey),
        air: &Air<Self::S>,
        trace: Trace,
        statement: Statement<'_>,
    ) -> Result<Made, ProveError>;

    /// Checks a proof.
    fn verify(&self, key: &Self::VerifierKey, statement: Statement<'_>, proof: &[u8]) -> Result<Ledger, Reject>;
}

/// The proof system of an engine.
pub struct CircuitSystem<E>(Arc<E>);

impl<E: Engine> CircuitSystem<E> {
    /// Wraps an engine.
    pub fn new(engine: E) -> Self {
        Self(Arc::new(engine))
    }
}

impl<E: Engine> System for CircuitSystem<E> {
    fn properties(&self) -> Properties {
        self.0.properties()
    }

    fn keys(&self, program: &Program) -> Result<Box<dyn Keys>, Failure> {
        let machine = Machine::new(program);
        let relation = Relation { engine: self.0.clone(), air: machine.air(), sizes: machine.sizes() };
        Ok(Box::new(ProgramKeys { program: program.clone(), machine, relation, last: Mutex::default() }))
    }

    fn verifier(&self, bytes: &[u8]) -> Result<Box<dyn Verifier>, Reject> {
        let saved: SavedKey = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        let sizes = Sizes { entry: saved.entry, log_program: saved.log_program, log_image: saved.log_image };
        if saved.log_program > 24 || saved.log_image > 24 || saved.protocol != *self.0.protocol() {
            return Err(unreadable());
        }
        let machine = Machine::of_sizes(sizes);
        let relation = Relation { engine: self.0.clone(), air: machine.air(), sizes };
        let terms = machine.statement(0, &vec![0; saved.output as usize]);
        let (extent, rest) = relation.extent(&terms, &saved.extent).map_err(|_| unreadable())?;
        if !rest.is_empty() {
            return Err(unreadable());
        }
        let key = self.0.load(&relation.air, &extent, &saved.key)?;
        Ok(Box::new(SavedVerifier { relation, key: Sized { extent, key }, saved: bytes.to_vec() }))
    }
}

/// Longest public output of a saved key.
const MAX_OUTPUT: u32 = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedKey {
    protocol: [u8; 32],
    entry: u32,
    log_program: u32,
    log_image: u32,
    #[serde(deserialize_with = "output_length")]
    output: u32,
    extent: Vec<u8>,
    key: Vec<u8>,
}

fn output_length<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    let length = u32::deserialize(d)?;
    let error = || serde::de::Error::custom(format!("an output of more than {MAX_OUTPUT} bytes"));
    if length <= MAX_OUTPUT { Ok(length) } else { Err(error()) }
}

/// A machine's tables under an engine.
struct Relation<E: Engine> {
    engine: Arc<E>,
    air: Air<E::S>,
    sizes: Sizes,
}

/// A key for one extent.
struct Sized<K> {
    extent: Extent,
    key: K,
}

impl<E: Engine> Relation<E> {
    fn terms(&self, public: &Public) -> Vec<PublicTerm> {
        Machine::of_sizes(self.sizes).statement(public.exit_code, &public.output)
    }

    /// The extent that `bytes` start with, and what follows it.
    fn extent<'p>(&self, terms: &[PublicTerm], mut bytes: &'p [u8]) -> Result<(Extent, &'p [u8]), Reject> {
        let extent = extent::decode(&self.air, terms, &mut bytes)?;
        Ok((extent, bytes))
    }

    /// Canonical bytes of the statement.
    fn statement(&self, public: &Public, extent: &Extent) -> Vec<u8> {
        let mut bytes = extent::encode(&self.air, extent);
        bytes.extend(statement(self.sizes, public));
        bytes
    }

    fn verify(
        &self,
        key: &Sized<E::VerifierKey>,
        (public, terms): (&Public, &[PublicTerm]),
        proof: &[u8],
    ) -> Result<Ledger, Reject> {
        let statement = self.statement(public, &key.extent);
        self.engine.verify(&key.key, Statement { terms, bytes: &statement }, proof)
    }
}

struct SavedVerifier<E: Engine> {
    relation: Relation<E>,
    key: Sized<E::VerifierKey>,
    saved: Vec<u8>,
}

impl<E: Engine> Verifier for SavedVerifier<E> {
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        let terms = self.relation.terms(public);
        let (extent, proof) = self.relation.extent(&terms, proof)?;
        if extent != self.key.extent {
            return Err(Reject::new("the key is for another extent"));
        }
        self.relation.verify(&self.key, (public, &terms), proof)
    }

    fn verifying_key(&self) -> Vec<u8> {
        self.saved.clone()
    }
}

/// Keys of one extent.
type Both<E> = Sized<(<E as Engine>::ProverKey, <E as Engine>::VerifierKey)>;

struct ProgramKeys<E: Engine> {
    program: Program,
    machine: Machine,
    relation: Relation<E>,
    last: Mutex<Option<Arc<Both<E>>>>,
}

/// An execution, filled in.
struct Execution {
    public: Public,
    cycles: u64,
    trace: Trace,
    terms: Vec<PublicTerm>,
    executed: Duration,
}

impl<E: Engine> ProgramKeys<E> {
    fn execute(&self, input: &[u8], max_cycles: u64) -> Result<Execution, Failure> {
        let start = Instant::now();
        let mut recorder = self.machine.recorder(&self.program);
        let outcome = execute(&self.program, input, max_cycles, &mut recorder)?;
        let executed = start.elapsed();
        let trace = self.machine.trace(recorder).map_err(ProveError::Unsatisfied)?;
        let public = Public { exit_code: outcome.exit_code, output: outcome.output };
        let terms = self.machine.statement(public.exit_code, &public.output);
        Ok(Execution { public, cycles: outcome.cycles, trace, terms, executed })
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Arc<Both<E>>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of an extent, made unless they are the last ones.
    fn of(&self, extent: Extent) -> Result<Arc<Both<E>>, Failure> {
        let mut last = self.last();
        if let Some(keys) = last.as_ref().filter(|keys| keys.extent == extent) {
            return Ok(keys.clone());
        }
        let key = self.relation.engine.keygen(&self.relation.air, &extent)?;
        let keys = Arc::new(Sized { extent, key });
        *last = Some(keys.clone());
        Ok(keys)
    }
}

impl<E: Engine> Verifier for ProgramKeys<E> {
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        let relation = &self.relation;
        let terms = relation.terms(public);
        let (extent, proof) = relation.extent(&terms, proof)?;
        let keys = self.of(extent).map_err(|failure| Reject::new(failure.to_string()))?;
        let statement = relation.statement(public, &keys.extent);
        relation.engine.verify(&keys.key.1, Statement { terms: &terms, bytes: &statement }, proof)
    }

    /// Of the last extent; without one, a key that verifies nothing.
    fn verifying_key(&self) -> Vec<u8> {
        let Some(keys) = self.last().clone() else {
            return Vec::new();
        };
        let Sizes { entry, log_program, log_image } = self.relation.sizes;
        let fixed_terms = self.machine.statement(0, &[]).len();
        let saved = SavedKey {
            protocol: *self.relation.engine.protocol(),
            entry,
            log_program,
            log_image,
            output: (keys.extent.statement.len() - fixed_terms) as u32,
            extent: extent::encode(&self.relation.air, &keys.extent),
            key: self.relation.engine.save(&keys.key.1),
        };
        serde_json::to_vec(&saved).unwrap_or_default()
    }
}

impl<E: Engine> Keys for ProgramKeys<E> {
    fn prepare(&self, input: &[u8], max_cycles: u64) -> Result<(), Failure> {
        let run = self.execute(input, max_cycles)?;
        self.of(Extent::of(&self.relation.air, &run.trace, &run.terms)).map(|_| ())
    }

    fn prove(&self, input: &[u8], max_cycles: u64) -> Result<Proved, Failure> {
        let start = Instant::now();
        let run = self.execute(input, max_cycles)?;
        let filled = start.elapsed();
        let relation = &self.relation;
        let keys = self.of(Extent::of(&relation.air, &run.trace, &run.terms))?;
        let mut cost = cost(&relation.air, &run.trace, |_| 0);
        let bytes = relation.statement(&run.public, &keys.extent);
        let statement = Statement { terms: &run.terms, bytes: &bytes };
        let start = Instant::now();
        let made = relation.engine.prove((&keys.key.0, &keys.key.1), &relation.air, run.trace, statement)?;
        let proving = start.elapsed();
        cost.cycles = run.cycles;
        cost.committed_cells = made.cells;
        cost.padded_rows = made.padded_rows;
        cost.tables.iter_mut().for_each(|t: &mut TableCost| t.padded_rows = t.rows);
        let mut proof = extent::encode(&relation.air, &keys.extent);
        cost.proof_bytes_by_label = vec![("extent".into(), proof.len() as u64)];
        cost.proof_bytes_by_label.extend(made.bytes);
        proof.extend(made.proof);
        Ok(Proved {
            public: run.public,
            proof,
            ledger: made.ledger,
            phases: phases([run.executed, filled], proving, [made.commit, made.open]),
            cost,
        })
    }
}
