//! A PIOP for circuits over any scheme that opens the claims it makes.

use std::marker::PhantomData;
use std::sync::Mutex;

use trilemma_arith::plonkish::{Assignment, Circuit, Extent, Lowering, instance};
use trilemma_arith::r1cs::staged::{self, Flattening, Staged};
use trilemma_arith::{Air, PublicTerm, Trace};
use trilemma_core::channel::Shape;
use trilemma_core::runner::{Binding, IndexCommitment, ProverIndex, Runner};
use trilemma_core::{ConfigError, Largest, Ledger, Options, Piop, Properties, ProveError, Reject, Setting};
use trilemma_pcs::{Available, Served};

use super::{Engine, Made, Statement};
use crate::combination::{protocol_id, scheme};
use crate::{Failure, Pipeline};

/// A family of relations, one for every extent of an execution.
pub trait Family<S: Setting>: Send + Sync + 'static {
    /// First part of a pipeline's name.
    const NAME: &'static str;
    /// A relation.
    type Relation: Send + Sync;
    /// Private data.
    type Witness;
    /// What assigning a trace needs besides the relation.
    type Assigner: Send + Sync;

    /// What a verifier knows of a relation.
    fn form(air: &Air<S>, extent: &Extent) -> Result<Self::Relation, ConfigError>;

    /// The relation with its contents.
    fn whole(air: &Air<S>, extent: &Extent) -> Result<(Self::Relation, Self::Assigner), ConfigError>;

    /// The witness of a trace.
    fn assign(
        keys: (&Self::Relation, &Self::Assigner),
        air: &Air<S>,
        trace: Trace,
        statement: &[PublicTerm],
    ) -> Result<Self::Witness, ConfigError>;

    /// Rows with padding.
    fn padded_rows(relation: &Self::Relation) -> u64;
}

/// PLONKish circuits by a lowering.
pub struct Plonkish<L>(PhantomData<fn() -> L>);

impl<S: Setting, L: Lowering<S>> Family<S> for Plonkish<L> {
    const NAME: &'static str = L::NAME;
    type Relation = Circuit<S>;
    type Witness = Assignment<S>;
    type Assigner = L;

    fn form(air: &Air<S>, extent: &Extent) -> Result<Circuit<S>, ConfigError> {
        L::form(air, extent)
    }

    fn whole(air: &Air<S>, extent: &Extent) -> Result<(Circuit<S>, L), ConfigError> {
        L::lower(air, extent)
    }

    fn assign(
        (_, lowering): (&Circuit<S>, &L),
        air: &Air<S>,
        trace: Trace,
        statement: &[PublicTerm],
    ) -> Result<Assignment<S>, ConfigError> {
        Ok(lowering.assign(air, &trace, statement))
    }

    fn padded_rows(relation: &Circuit<S>) -> u64 {
        relation.rows() as u64
    }
}

/// Flat R1CS.
pub struct FlatR1cs;

impl<S: Setting> Family<S> for FlatR1cs {
    const NAME: &'static str = "r1cs";
    type Relation = Staged<S>;
    type Witness = staged::Witness<S>;
    type Assigner = ();

    fn form(air: &Air<S>, extent: &Extent) -> Result<Staged<S>, ConfigError> {
        Ok(Flattening::new(air, extent)?.form())
    }

    fn whole(air: &Air<S>, extent: &Extent) -> Result<(Staged<S>, ()), ConfigError> {
        Ok((Flattening::new(air, extent)?.system(air), ()))
    }

    fn assign(
        _: (&Staged<S>, &()),
        air: &Air<S>,
        trace: Trace,
        statement: &[PublicTerm],
    ) -> Result<Self::Witness, ConfigError> {
        let extent = Extent::of(air, &trace, statement);
        Flattening::new(air, &extent)?.assign(air, &trace, statement)
    }

    fn padded_rows(relation: &Staged<S>) -> u64 {
        relation.constraints.next_power_of_two() as u64
    }
}

/// A PIOP for the relations of a family.
pub trait CircuitPiop<S: Available, F: Family<S>>:
    Piop<S, Relation = F::Relation, Statement = Vec<S::Base>, Witness = F::Witness, Query: Served<S>> + Default + 'static
{
}
impl<S, F, P> CircuitPiop<S, F> for P
where
    S: Available,
    F: Family<S>,
    P: Piop<S, Relation = F::Relation, Statement = Vec<S::Base>, Witness = F::Witness, Query: Served<S>>
        + Default
        + 'static,
{
}

/// A family, a PIOP and a scheme.
pub struct Combination<S: Available, F: Family<S>, P: CircuitPiop<S, F>> {
    runner: Box<dyn Runner<S, P::Query>>,
    protocol: [u8; 32],
    _family: PhantomData<fn() -> F>,
}

impl<S: Available, F: Family<S>, P: CircuitPiop<S, F>> Combination<S, F, P> {
    /// Sets up the scheme that the pipeline names.
    ///
    /// # Errors
    /// The pipeline or its options do not fit.
    pub fn new(pipeline: &Pipeline, options: &Options) -> Result<Self, ConfigError> {
        let runner = scheme(pipeline, options)?;
        let protocol = protocol_id(pipeline, options, &runner.properties().setup);
        Ok(Self { runner, protocol, _family: PhantomData })
    }
}

/// A circuit's keys on the prover's side.
pub struct ProverKey<S: Setting, F: Family<S>> {
    relation: F::Relation,
    assigner: F::Assigner,
    index: ProverIndex,
}

/// A circuit's verifying key.
pub struct VerifierKey<S: Setting, F: Family<S>> {
    form: F::Relation,
    index: IndexCommitment,
}

impl<S: Available, F: Family<S>, P: CircuitPiop<S, F>> Engine for Combination<S, F, P> {
    type S = S;
    type ProverKey = ProverKey<S, F>;
    type VerifierKey = VerifierKey<S, F>;

    fn properties(&self) -> Properties {
        self.runner.properties()
    }

    fn protocol(&self) -> &[u8; 32] {
        &self.protocol
    }

    fn keygen(&self, air: &Air<S>, extent: &Extent) -> Result<(Self::ProverKey, Self::VerifierKey), Failure> {
        // Before anything as large as the extent is made.
        let form = F::form(air, extent)?;
        P::default().fits(&form)?;
        let shapes = P::default().index_shapes(&form);
        self.runner.fits(&shapes)?;
        let (relation, assigner) = F::whole(air, extent)?;
        if self.runner.key_grows() {
            // No oracle of the prover has more columns than the index or the circuit; strings and
            // generators are made for the larger with room to spare.
            let log = |cells: usize| cells.next_power_of_two().ilog2() as usize;
            let log_height = shapes.iter().map(|s| s.log_height).max().unwrap_or(0);
            let cells = shapes.iter().map(|s: &Shape| s.width << s.log_height).sum::<usize>();
            self.runner.prepare(Largest { log_height, log_cells: log(cells) });
        }
        let columns = P::default().index(&relation);
        let (index, prover_index) = self.runner.index(&self.protocol, columns)?;
        if index.shapes != shapes {
            return Err(ConfigError("the index has other shapes than its form".into()).into());
        }
        Ok((ProverKey { relation, assigner, index: prover_index }, VerifierKey { form, index }))
    }

    fn save(&self, key: &Self::VerifierKey) -> Vec<u8> {
        key.index.bytes.clone()
    }

    fn load(&self, air: &Air<S>, extent: &Extent, saved: &[u8]) -> Result<Self::VerifierKey, Reject> {
        let form = F::form(air, extent)?;
        let index = IndexCommitment { bytes: saved.to_vec(), shapes: P::default().index_shapes(&form) };
        Ok(VerifierKey { form, index })
    }

    fn prove(
        &self,
        (prover, verifier): (&Self::ProverKey, &Self::VerifierKey),
        air: &Air<S>,
        trace: Trace,
        statement: Statement<'_>,
    ) -> Result<Made, ProveError> {
        let witness = F::assign((&prover.relation, &prover.assigner), air, trace, statement.terms)?;
        let witness = Mutex::new(Some(witness));
        let public = instance::<S>(statement.terms);
        let binding = Binding { protocol: &self.protocol, statement: statement.bytes };
        let proven = self.runner.prove(binding, (&verifier.index, &prover.index), &mut |ch| {
            let witness = witness.lock().ok().and_then(|mut w| w.take());
            let witness = witness.ok_or_else(|| ProveError::Unsatisfied("a witness serves once".into()))?;
            P::default().prove(&prover.relation, &public, witness, ch)
        })?;
        Ok(Made {
            proof: proven.proof,
            ledger: proven.ledger,
            commit: proven.cost.commit,
            open: proven.cost.open,
            cells: proven.cost.cells,
            padded_rows: F::padded_rows(&prover.relation),
            bytes: proven.bytes.iter().map(|(l, n)| ((*l).to_string(), *n as u64)).collect(),
        })
    }

    fn verify(&self, key: &Self::VerifierKey, statement: Statement<'_>, proof: &[u8]) -> Result<Ledger, Reject> {
        let public = instance::<S>(statement.terms);
        let binding = Binding { protocol: &self.protocol, statement: statement.bytes };
        let (ledger, _) =
            self.runner.verify(binding, &key.index, proof, &mut |ch| P::default().verify(&key.form, &public, ch))?;
        Ok(ledger)
    }
}
