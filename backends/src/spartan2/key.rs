//! The verifying key: what prover and verifier derive alike, and the verifier.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use ::spartan2::traits::snark::R1CSSNARKTrait;
use serde::{Deserialize, Serialize};
use trilemma_arith::r1cs::{Assignment, R1cs};
use trilemma_arith::{Air, PublicTerm};
use trilemma_core::{ConfigError, ErrorTerm, Ledger, Reject, Setting, VerifierTranscript};

use trilemma_frontends::riscv::machine::{Machine, rom};
use trilemma_pcs::group::assume_discrete_logarithm;
use trilemma_piop::instances::Instances;

use super::circuit::{Circuit, Execution, Size};
use super::engine::{ProverKey, Snark, VerifierKey};
use super::{S, Scheme, codec, library_error};
use crate::saved::{statement, unreadable};
use crate::{Public, Verifier};

/// A verifying key with what is derived from it. The program is in it, not a commitment to it: the
/// matrices have the program's columns as coefficients.
pub struct Key {
    pub scheme: Arc<Scheme>,
    pub machine: Machine,
    pub air: Air<S>,
    r1cs: R1cs,
    saved: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct SavedKey<'a> {
    protocol: [u8; 32],
    entry: u32,
    program: std::borrow::Cow<'a, [[u32; rom::FIELDS]]>,
    image: std::borrow::Cow<'a, [[u32; 4]]>,
}

/// What a system of constraints depends on besides the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Table and log2 of the rows of every instance.
    instances: Vec<(usize, usize)>,
    /// Number, multiplicity and length of every public tuple's bus.
    statement: Vec<(u32, i64, usize)>,
}

impl Shape {
    pub fn of(execution: &Execution<'_>) -> Self {
        let statement = execution.statement.iter().map(|t| (t.bus.id, t.multiplicity, t.tuple.len()));
        let instances = execution.instances.list.iter().map(|i| (i.table, i.log_height));
        Self { instances: instances.collect(), statement: statement.collect() }
    }
}

/// The library's keys of a system.
pub struct Prepared {
    pub shape: Shape,
    pub prover: ProverKey,
    pub verifier: VerifierKey,
}

impl Prepared {
    /// Linear work: constraints, matrices, and a digest of all of them.
    pub fn new(execution: &Execution<'_>) -> Result<Self, ConfigError> {
        let (prover, verifier) = Snark::setup(Circuit(execution)).map_err(library_error)?;
        Ok(Self { shape: Shape::of(execution), prover, verifier })
    }
}

impl Key {
    /// A machine's key.
    pub fn new(scheme: Arc<Scheme>, machine: Machine) -> Self {
        let (entry, program, image) = machine.contents();
        let saved = SavedKey { protocol: scheme.protocol, entry, program: program.into(), image: image.into() };
        let saved = bincode::serialize(&saved).unwrap_or_default();
        let air = machine.air::<S>();
        let r1cs = R1cs::of(&air);
        Self { scheme, machine, air, r1cs, saved }
    }

    /// Reads a saved key.
    pub fn load(scheme: Arc<Scheme>, bytes: &[u8]) -> Result<Self, Reject> {
        let SavedKey { protocol, entry, program, image } = bincode::deserialize(bytes).map_err(|_| unreadable())?;
        let machine = Machine::of_contents(entry, program.into_owned(), image.into_owned()).ok_or_else(unreadable)?;
        let key = Self::new(scheme, machine);
        if protocol != key.scheme.protocol || key.saved != bytes {
            return Err(unreadable());
        }
        Ok(key)
    }

    /// Everything outside the proof: the program, and the statement.
    pub fn binding(&self, public: &Public) -> [Vec<u8>; 2] {
        [blake3::hash(&self.saved).as_bytes().to_vec(), statement(self.machine.sizes(), public)]
    }

    /// The tuples of a statement.
    pub fn statement(&self, public: &Public) -> Vec<PublicTerm> {
        self.machine.statement(public.exit_code, &public.output)
    }

    /// An execution; without an assignment, what a verifier knows of it.
    pub fn execution(
        &self,
        instances: Instances,
        public: &Public,
        assignment: Option<Assignment<S>>,
        seed: [u8; 32],
    ) -> Execution<'_> {
        let heights = instances.list.iter().map(|i| (i.table, i.log_height));
        let assignment = assignment.unwrap_or_else(|| Assignment::fixed_only(&self.air, heights));
        let (statement, assignment) = (self.statement(public), Mutex::new(assignment));
        Execution { r1cs: &self.r1cs, statement, instances, assignment, seed }
    }

    /// Wires known with the trace.
    pub fn assignment(&self, trace: &trilemma_arith::Trace) -> Assignment<S> {
        Assignment::new(&self.r1cs, &self.air, trace)
    }

    /// The size of an execution's system, if it is allowed.
    pub fn size(&self, execution: &Execution<'_>) -> Result<Size, ConfigError> {
        let (size, most) = (execution.size(), self.scheme.max_log_size);
        let what = || ConfigError(format!("max_log_height: more than 2^{most} wires or constraints"));
        if size.log_max() > most { Err(what()) } else { Ok(size) }
    }

    /// Enters the terms of a run in a ledger.
    pub fn enter(&self, execution: &Execution<'_>, size: &Size, ledger: &mut Ledger) -> Result<(), ConfigError> {
        let term = |name, degree, reference| {
            let term = ErrorTerm::schwartz_zippel(name, degree, S::ext_bits());
            ErrorTerm { reference, ..term }
        };
        let terms = [
            execution.instances.bus_term::<S>(execution.statement.len()),
            term("zerocheck point", size.rounds()[0] as f64, "[Set20] Section 4"),
            term("constraint sumcheck", 3.0, "[Set20] Section 4"),
            term("matrix batching", 2.0, "[Set20] Section 4"),
            term("wire sumcheck", 2.0, "[Set20] Section 4"),
            term("opening", 1.0, "[WTSTW18] Section 6"),
        ];
        for term in &terms {
            if term.grinding(self.scheme.security.bits)? > 0 {
                return Err(library_error(format!("`{}` is short of the target, and nothing is ground", term.name)));
            }
            ledger.prove(term, 0);
        }
        assume_discrete_logarithm::<S>(ledger);
        Ok(())
    }

    /// Verifies with the library's key, if it is of the proof's shape.
    pub fn verify_with(&self, known: Option<&Prepared>, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        let mut t = VerifierTranscript::new(&self.scheme.protocol, self.scheme.security, proof);
        let [index, statement] = self.binding(public);
        t.bind("index", &index);
        t.bind("statement", &statement);
        let instances = Instances::decode(&self.air, t.recv("heights", Instances::sizes(&self.air))?)?;
        let execution = self.execution(instances, public, None, t.fork("spartan2"));
        let size = self.size(&execution)?;
        self.enter(&execution, &size, t.ledger())?;
        // Everything read has the shape that the library expects, so it meets no other; and a proof that
        // ends early, or goes on, is refused before there is linear work.
        let inputs = execution.public();
        let snark = codec::receive(&size, &inputs, &mut t)?;
        let (ledger, _) = t.finish()?;
        let verify = || {
            let verified = match known.filter(|known| known.shape == Shape::of(&execution)) {
                Some(known) => snark.verify(&known.verifier),
                None => snark.verify(&Prepared::new(&execution)?.verifier),
            };
            verified.map_err(library_error)
        };
        let verified = catch_unwind(AssertUnwindSafe(verify));
        let verified = verified.map_err(|_| Reject::new("spartan2: the verifier panicked"))??;
        if verified != inputs {
            return Err(Reject::new("public inputs"));
        }
        Ok(ledger)
    }
}

impl Verifier for Key {
    fn verify(&self, public: &Public, proof: &[u8]) -> Result<Ledger, Reject> {
        self.verify_with(None, public, proof)
    }

    fn verifying_key(&self) -> Vec<u8> {
        self.saved.clone()
    }
}
