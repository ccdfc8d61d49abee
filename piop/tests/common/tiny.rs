//! A relation so small that every byte of its proofs can be tried: two tables that look small numbers
//! up and post results, a fixed table of small numbers, and a column that reads the next row.

use std::sync::Arc;

use trilemma_arith::air::{Instance, PublicTerm, Trace};
use trilemma_arith::kernel::Compiled;
use trilemma_arith::{Air, Builder, Bus, Gadgets, Table};
use trilemma_core::runner::{Binding, IndexCommitment, ProverIndex, Runner};
use trilemma_core::{Options, OracleProver, Piop, ProveError, Reject, Security};
use trilemma_pcs::{Available, Served};
use trilemma_piop::check::check;
use trilemma_piop::uni_stark::UniStark;

/// Numbers below 8.
const SMALL: Bus = Bus { id: 50, name: "small", arity: 1, lookup: true };
/// `(x, result)`, received by the statement.
const OUT: Bus = Bus { id: 51, name: "out", arity: 2, lookup: false };

/// Squares, plus a number that all rows share.
struct Squares;

impl Table for Squares {
    type Row = ();

    fn name(&self) -> &'static str {
        "squares"
    }

    fn eval<B: Builder<()>>(&self, b: &mut B) {
        let x = b.free("x", "looked up", |()| 0);
        b.send(SMALL, &[x]);
        let (shared, next) = b.pair("shared", "equal on all rows", |()| 0);
        b.zero("shared", next - shared);
        let y = b.free("y", "determined", |()| 0);
        b.zero("y", y - x * x - shared);
        b.send(OUT, &[x, y]);
    }
}

/// Cubes, on rows that are real.
struct Cubes;

impl Table for Cubes {
    type Row = ();

    fn name(&self) -> &'static str {
        "cubes"
    }

    fn eval<B: Builder<()>>(&self, b: &mut B) {
        b.rows();
        let x = b.free("x", "looked up", |()| 0);
        b.send(SMALL, &[x]);
        let y = b.free("y", "determined", |()| 0);
        b.zero("y", y - x * x * x);
        b.send(OUT, &[x, y]);
    }
}

/// The numbers below 8.
struct Small;

impl Table for Small {
    type Row = u32;

    fn name(&self) -> &'static str {
        "small"
    }

    fn fixed(&self) -> Vec<Vec<u32>> {
        vec![(0..8).collect()]
    }

    fn eval<B: Builder<u32>>(&self, b: &mut B) {
        let x = b.fixed("x");
        let times = b.free("times", "counts lookups", |&times| times);
        b.interact(SMALL, -times, &[x]);
    }
}

/// The protocol of these tests.
pub const PROTOCOL: &[u8] = b"tiny";

/// A PIOP for AIRs with schemes below it.
pub trait AirPiop<S: Available>:
    Piop<S, Relation = Air<S>, Statement = Vec<PublicTerm>, Witness = Trace, Query: Served<S>> + Default
{
}
impl<S, P> AirPiop<S> for P
where
    S: Available,
    P: Piop<S, Relation = Air<S>, Statement = Vec<PublicTerm>, Witness = Trace, Query: Served<S>> + Default,
{
}

/// A scheme of a setting.
pub type Scheme<S, P> = Box<dyn Runner<S, <P as Piop<S>>::Query>>;

/// The relation with keys of a scheme, a statement and a witness.
pub struct Tiny<S: Available, P: AirPiop<S> = UniStark> {
    pub air: Air<S>,
    pub terms: Vec<PublicTerm>,
    pub trace: Trace,
    pub runner: Arc<Scheme<S, P>>,
    pub index: IndexCommitment,
    pub prover_index: ProverIndex,
}

/// Options of proofs that need not be secure: ten queries.
pub fn options(hash: &str) -> Options {
    let security = Security { bits: 24, ..Security::default() };
    Options { security, hash: hash.into(), max_log_height: Some(6), ..Options::default() }
}

/// A scheme by name.
pub fn scheme<S: Available, P: AirPiop<S>>(name: &str, options: &Options) -> Scheme<S, P> {
    let entry = P::Query::schemes().into_iter().find(|e| e.name == name).unwrap();
    (entry.setup)(options, options.max_log_height.unwrap_or(entry.max_log_height)).unwrap()
}

impl<S: Available, P: AirPiop<S>> Tiny<S, P> {
    pub fn new(scheme_name: &str, options: &Options) -> Self {
        Self::with(Arc::new(scheme::<S, P>(scheme_name, options)))
    }

    /// Four squares, three cubes and a row of padding.
    pub fn with(runner: Arc<Scheme<S, P>>) -> Self {
        let air = Air {
            tables: vec![
                Box::new(Compiled::new(Squares)),
                Box::new(Compiled::new(Cubes)),
                Box::new(Compiled::new(Small)),
            ],
            max_instances: 2,
            max_rows: 1 << 10,
        };
        let (mut times, mut terms) = ([0u32; 8], Vec::new());
        let mut post = |x: u32, y: u32| {
            times[x as usize] += 1;
            terms.push(PublicTerm { bus: OUT, multiplicity: -1, tuple: vec![x, y] });
        };
        let squares: Vec<u32> = [3, 0, 7, 3].into_iter().flat_map(|x| [x, 5, x * x + 5]).collect();
        let cubes: Vec<u32> = [2, 7, 0].into_iter().flat_map(|x: u32| [1, x, x * x * x]).collect();
        squares.chunks(3).for_each(|row| post(row[0], row[2]));
        cubes.chunks(3).for_each(|row| post(row[1], row[2]));
        let instance = |table, log_height, cells| Instance { table, log_height, cells };
        let instances = vec![instance(0, 2, squares), instance(1, 2, cubes), instance(2, 3, times.to_vec())];
        let (index, prover_index) = runner.index(PROTOCOL, P::default().index(&air)).unwrap();
        let tiny = Self { air, terms, trace: Trace { instances }, runner, index, prover_index };
        assert!(tiny.holds(&tiny.trace));
        tiny
    }

    /// What proofs are bound to.
    pub fn binding(&self) -> Binding<'static> {
        Binding { protocol: PROTOCOL, statement: b"seven results" }
    }

    /// Whether a trace satisfies the relation, by evaluating it.
    pub fn holds(&self, trace: &Trace) -> bool {
        check(&self.air, &self.terms, trace, 1).is_empty()
    }

    /// Proves a trace, good or bad, as the honest prover does.
    pub fn prove(&self, trace: &Trace) -> Vec<u8> {
        self.prove_with(|ch| P::default().prove(&self.air, &self.terms, trace.clone(), ch))
    }

    /// Runs any prover.
    pub fn prove_with(
        &self,
        mut prover: impl FnMut(&mut dyn OracleProver<S, P::Query>) -> Result<(), ProveError>,
    ) -> Vec<u8> {
        let proven = self.runner.prove(self.binding(), (&self.index, &self.prover_index), &mut prover);
        proven.unwrap().proof
    }

    /// Verifies a proof of the statement.
    pub fn verify(&self, proof: &[u8]) -> Result<(), Reject> {
        let mut run =
            |ch: &mut dyn trilemma_core::OracleVerifier<S, P::Query>| P::default().verify(&self.air, &self.terms, ch);
        self.runner.verify(self.binding(), &self.index, proof, &mut run).map(|_| ())
    }

    /// Verifies a proof of other terms, under another protocol or statement.
    pub fn verify_other(&self, proof: &[u8], terms: &Vec<PublicTerm>, binding: Binding<'_>) -> Result<(), Reject> {
        let mut run =
            |ch: &mut dyn trilemma_core::OracleVerifier<S, P::Query>| P::default().verify(&self.air, terms, ch);
        self.runner.verify(binding, &self.index, proof, &mut run).map(|_| ())
    }
}
