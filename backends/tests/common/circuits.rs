//! The tiny relation as a circuit, under any lowering, PIOP and scheme.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_arith::Air;
use trilemma_arith::air::{PublicTerm, Trace};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Assignment, Circuit, Column, Extent, Late, Lowering, Query, instance};
use trilemma_arith::r1cs::ByColumn;
use trilemma_arith::r1cs::staged::{Flattening, LateWires, Matrices, Staged, Witness};
use trilemma_core::channel::{OracleProver, OracleVerifier};
use trilemma_core::runner::{Binding, IndexCommitment, ProverIndex, Runner};
use trilemma_core::setting::ext_from_fn;
use trilemma_core::{Label, Options, Piop, ProveError, Reject, Setting};
use trilemma_pcs::{Available, Served};
use trilemma_piop::check_plonkish::check_plonkish;
use trilemma_piop::hyperplonk::HyperPlonk;
use trilemma_piop::marlin::{self, Marlin};
use trilemma_piop::plonk::{self, Permutation, Plonk, Poly};

use super::tiny::{PROTOCOL, Tiny, options};

/// What proofs are bound to.
pub const BINDING: Binding<'static> = Binding { protocol: PROTOCOL, statement: b"seven results" };

/// Room for the oracles of every circuit here, as columns and as stacks.
const MAX_LOG_HEIGHT: usize = 14;

/// A cell of a witness.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// Known with the trace: column and row; in a system, 0 and the wire.
    Early(usize, usize),
    /// Filled after the challenges; and which coefficient of it.
    Late(usize, usize, usize),
}

/// What an AIR at an extent becomes.
pub trait Family<S: Setting>: 'static {
    const NAME: &'static str;
    type Relation: Send + Sync;
    type Witness;
    /// What assigning a trace needs.
    type Assigner: Send + Sync;

    fn whole(air: &Air<S>, extent: &Extent) -> (Self::Relation, Self::Assigner);

    /// What a verifier knows.
    fn form(air: &Air<S>, extent: &Extent) -> Self::Relation;

    /// A relation of the same form that says less.
    fn weaker(relation: Self::Relation) -> Self::Relation;

    fn assign(assigner: &Self::Assigner, air: &Air<S>, trace: &Trace, terms: &[PublicTerm]) -> Self::Witness;

    /// The witness with one cell more by one, and all others as they were.
    fn changed(witness: Self::Witness, place: Place) -> Self::Witness;

    /// Whether a witness satisfies the relation, for challenges that nobody chose.
    fn holds(relation: &Self::Relation, instance: &[S::Base], witness: Self::Witness) -> bool;
}

fn challenges<S: Setting>(arity: usize) -> Challenges<S::Ext> {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut random = || ext_from_fn::<S>(|_| S::Base::from_u64(rng.random()));
    Challenges::new(random(), random(), arity)
}

/// The challenge element with coefficient `i` alone, which is 1.
fn unit<S: Setting>(i: usize) -> S::Ext {
    ext_from_fn::<S>(|k| S::Base::from_bool(k == i))
}

/// PLONKish circuits by a lowering.
pub struct Plonkish<L>(PhantomData<fn() -> L>);

impl<S: Setting, L: Lowering<S>> Family<S> for Plonkish<L> {
    const NAME: &'static str = L::NAME;
    type Relation = Circuit<S>;
    type Witness = Assignment<S>;
    type Assigner = L;

    fn whole(air: &Air<S>, extent: &Extent) -> (Circuit<S>, L) {
        L::lower(air, extent).unwrap()
    }

    fn form(air: &Air<S>, extent: &Extent) -> Circuit<S> {
        L::form(air, extent).unwrap()
    }

    /// Without copies.
    fn weaker(mut circuit: Circuit<S>) -> Circuit<S> {
        assert!(!circuit.copies.is_empty());
        circuit.copies.clear();
        circuit
    }

    fn assign(lowering: &L, air: &Air<S>, trace: &Trace, terms: &[PublicTerm]) -> Assignment<S> {
        lowering.assign(air, trace, terms)
    }

    fn changed(Assignment { mut early, late }: Assignment<S>, place: Place) -> Assignment<S> {
        match place {
            Place::Early(column, row) => {
                let honest = early.clone();
                let late: Late<S> =
                    Box::new(move |_: &ByColumn<S::Base>, challenges: &Challenges<S::Ext>| late(&honest, challenges));
                *early.cell_mut(column, row) += S::Base::ONE;
                Assignment { early, late }
            }
            Place::Late(column, row, i) => {
                let late: Late<S> = Box::new(move |early: &ByColumn<S::Base>, challenges: &Challenges<S::Ext>| {
                    let mut columns = late(early, challenges);
                    *columns.cell_mut(column, row) += unit::<S>(i);
                    columns
                });
                Assignment { early, late }
            }
        }
    }

    fn holds(circuit: &Circuit<S>, instance: &[S::Base], witness: Assignment<S>) -> bool {
        check_plonkish(circuit, instance.to_vec(), witness, &challenges::<S>(circuit.arity), 1).is_empty()
    }
}

/// Flat R1CS.
pub struct Flat;

impl<S: Setting> Family<S> for Flat {
    const NAME: &'static str = "r1cs";
    type Relation = Staged<S>;
    type Witness = Witness<S>;
    type Assigner = Extent;

    fn whole(air: &Air<S>, extent: &Extent) -> (Staged<S>, Extent) {
        (Flattening::new(air, extent).unwrap().system(air), extent.clone())
    }

    fn form(air: &Air<S>, extent: &Extent) -> Staged<S> {
        Flattening::new(air, extent).unwrap().form()
    }

    /// Without the last row, which adds all fractions.
    fn weaker(system: Staged<S>) -> Staged<S> {
        let last = system.matrices.rows() - 1;
        let row = |row: usize| -> Vec<(usize, [S::Base; 3])> {
            let entries = system.matrices.row(row);
            entries.map(|(wire, values)| (wire, if row == last { [S::Base::ZERO; 3] } else { *values })).collect()
        };
        let matrices = Matrices::from_rows((0..=last).map(row));
        Staged { matrices, ..system }
    }

    fn assign(extent: &Extent, air: &Air<S>, trace: &Trace, terms: &[PublicTerm]) -> Witness<S> {
        Flattening::new(air, extent).unwrap().assign(air, trace, terms).unwrap()
    }

    fn changed(Witness { mut early, late }: Witness<S>, place: Place) -> Witness<S> {
        match place {
            Place::Early(_, wire) => {
                early[wire] += S::Base::ONE;
                Witness { early, late }
            }
            Place::Late(_, wire, i) => {
                let late: LateWires<S> = Box::new(move |challenges: &Challenges<S::Ext>| {
                    let mut values = late(challenges);
                    values[wire] += unit::<S>(i);
                    values
                });
                Witness { early, late }
            }
        }
    }

    fn holds(system: &Staged<S>, entries: &[S::Base], Witness { early, late }: Witness<S>) -> bool {
        let challenges = challenges::<S>(system.arity);
        let mut values = system.public_values(entries, [challenges.gamma, challenges.beta[0]]);
        values.extend(early.into_iter().map(S::Ext::from));
        values.extend(late(&challenges));
        system.broken(&values).is_empty()
    }
}

/// A PIOP for the relations of a family.
pub trait CircuitPiop<S: Available, F: Family<S>>:
    Piop<S, Relation = F::Relation, Statement = Vec<S::Base>, Witness = F::Witness, Query: Served<S>> + Default
{
    /// The cell of the witness that a cell of an oracle is, by matrix, row and column; none if it is
    /// something that the prover computes, or padding.
    fn place(relation: &F::Relation, label: Label, matrix: usize, at: [usize; 2]) -> Option<Place>;

    /// Which of all answers, counted over a proof, no equation of the verifier's has: of columns that
    /// come along with their matrix and are not read on that row.
    fn idle(relation: &F::Relation) -> Vec<usize>;
}

/// What gates, copies and lookups read.
fn reads<S: Setting>(circuit: &Circuit<S>) -> BTreeSet<Query> {
    let inputs = circuit.lookups.iter().flat_map(|l| l.inputs.iter().copied());
    let mut reads: BTreeSet<Query> =
        circuit.graph.queries(circuit.gates.iter().map(|g| g.expr).chain(inputs)).into_iter().collect();
    let table = circuit.lookups.iter().flat_map(|l| &l.table).map(|&i| Column::Fixed(i));
    reads.extend(circuit.permuted.iter().copied().chain(table).map(|column| Query { column, next: false }));
    reads
}

/// Positions of what is not so.
fn unset(flags: &[bool]) -> Vec<usize> {
    (0..flags.len()).filter(|&i| !flags[i]).collect()
}

impl<S: Available, L: Lowering<S>, const LOGUP: bool> CircuitPiop<S, Plonkish<L>> for Plonk<LOGUP> {
    fn place(circuit: &Circuit<S>, label: Label, matrix: usize, [row, column]: [usize; 2]) -> Option<Place> {
        let layout = plonk::Layout::new(Self::PERMUTATION, circuit);
        let groups = match label {
            "early" => &layout.early,
            "late" => &layout.late,
            _ => return None,
        };
        let mut left = column;
        for &poly in &groups[matrix].polys {
            let width = poly.width::<S>();
            if left < width {
                return match poly {
                    Poly::Early(i) => Some(Place::Early(i, row)),
                    Poly::Late(i) => Some(Place::Late(i, row, left)),
                    _ => None,
                };
            }
            left -= width;
        }
        None
    }

    fn idle(circuit: &Circuit<S>) -> Vec<usize> {
        let layout = plonk::Layout::new(Self::PERMUTATION, circuit);
        let reads = reads(circuit);
        let groups = [&layout.index, &layout.early, &layout.late, &layout.arguments, &layout.quotient];
        let mut read = Vec::new();
        for group in groups.into_iter().flatten() {
            for next in if group.next { vec![false, true] } else { vec![false] } {
                for &poly in &group.polys {
                    let column = match poly {
                        Poly::Fixed(i) => Some(Column::Fixed(i)),
                        Poly::Early(i) => Some(Column::Early(i)),
                        Poly::Late(i) => Some(Column::Late(i)),
                        _ => None,
                    };
                    let is_read = column.is_none_or(|column| reads.contains(&Query { column, next }));
                    read.extend(std::iter::repeat_n(is_read, poly.width::<S>()));
                }
            }
        }
        unset(&read)
    }
}

impl<S: Available, L: Lowering<S>> CircuitPiop<S, Plonkish<L>> for HyperPlonk {
    fn place(circuit: &Circuit<S>, label: Label, _: usize, [row, column]: [usize; 2]) -> Option<Place> {
        let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
        match label {
            "early" if column < circuit.early.len() => Some(Place::Early(column, row)),
            "late" => Some(Place::Late(column / d, row, column % d)),
            _ => None,
        }
    }

    fn idle(circuit: &Circuit<S>) -> Vec<usize> {
        let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
        let reads = reads(circuit);
        let parts = plonk::Layout::new(Permutation::LogUp, circuit).parts.len();
        // Columns with their widths; those of the permutation and of multiplicities are read here only.
        let other = |n: usize| std::iter::repeat_n((None::<Column>, 1usize), n);
        let fixed = (0..circuit.fixed_names.len()).map(|i| (Some(Column::Fixed(i)), 1));
        let early = (0..circuit.early.len()).map(|i| (Some(Column::Early(i)), 1));
        let late = (0..circuit.late.len()).map(|i| (Some(Column::Late(i)), d));
        let oracles: [Vec<(Option<Column>, usize)>; 3] =
            [fixed.chain(other(circuit.permuted.len())).collect(), early.chain(other(parts)).collect(), late.collect()];
        let is_read =
            |column: Option<Column>, next: bool| column.map_or(!next, |column| reads.contains(&Query { column, next }));
        let mut read = Vec::new();
        for next in [false, true] {
            let asked = oracles.iter().filter(|o| !next || o.iter().any(|&(column, _)| is_read(column, true)));
            for &(column, width) in asked.flatten() {
                read.extend(std::iter::repeat_n(is_read(column, next), width));
            }
        }
        unset(&read)
    }
}

impl<S: Available> CircuitPiop<S, Flat> for Marlin {
    fn place(system: &Staged<S>, label: Label, matrix: usize, [row, column]: [usize; 2]) -> Option<Place> {
        let layout = marlin::Layout::new(system);
        let at = (matrix << layout.log_segment) + row;
        // First come the constants, and the challenges.
        let early = || at.checked_sub(system.constants()).filter(|&wire| wire < system.early);
        let late = || at.checked_sub(system.public() - system.constants()).filter(|&wire| wire < system.late);
        match label {
            "early" => early().map(|wire| Place::Early(0, wire)),
            "late" if matrix < layout.late_segments => late().map(|wire| Place::Late(0, wire, column)),
            _ => None,
        }
    }

    fn idle(_: &Staged<S>) -> Vec<usize> {
        Vec::new()
    }
}

/// The tiny relation as a circuit with keys of a scheme, a statement and a witness.
pub struct Keyed<S: Available, F: Family<S>, P: CircuitPiop<S, F>> {
    air: Air<S>,
    terms: Vec<PublicTerm>,
    trace: Trace,
    assigner: F::Assigner,
    pub instance: Vec<S::Base>,
    pub relation: F::Relation,
    pub form: F::Relation,
    pub runner: Arc<Box<dyn Runner<S, P::Query>>>,
    pub index: IndexCommitment,
    pub prover_index: ProverIndex,
}

impl<S: Available, F: Family<S>, P: CircuitPiop<S, F>> Keyed<S, F, P> {
    pub fn new(scheme: &str) -> Self {
        let entry = P::Query::schemes().into_iter().find(|e| e.name == scheme).unwrap();
        let options = Options { max_log_height: Some(MAX_LOG_HEIGHT), ..options("blake3") };
        Self::with(Arc::new((entry.setup)(&options, MAX_LOG_HEIGHT).unwrap()))
    }

    pub fn with(runner: Arc<Box<dyn Runner<S, P::Query>>>) -> Self {
        Self::of(runner, |relation| relation)
    }

    /// The same of a relation that says less, which the witness satisfies too.
    pub fn weaker(&self) -> Self {
        Self::of(self.runner.clone(), F::weaker)
    }

    fn of(runner: Arc<Box<dyn Runner<S, P::Query>>>, change: impl Fn(F::Relation) -> F::Relation) -> Self {
        let Tiny { air, terms, trace, .. } = Tiny::<S>::new("ideal", &options("blake3"));
        let extent = Extent::of(&air, &trace, &terms);
        let (relation, assigner) = F::whole(&air, &extent);
        let (relation, form) = (change(relation), F::form(&air, &extent));
        let (index, prover_index) = runner.index(PROTOCOL, P::default().index(&relation)).unwrap();
        assert_eq!(index.shapes, P::default().index_shapes(&form));
        let instance = instance::<S>(&terms);
        let keyed = Self { air, terms, trace, assigner, instance, relation, form, runner, index, prover_index };
        assert!(keyed.holds(None));
        keyed
    }

    /// For messages.
    pub fn name(&self, scheme: &str) -> String {
        format!("{} {} {scheme} {}", F::NAME, P::NAME, S::NAME)
    }

    fn witness(&self) -> F::Witness {
        F::assign(&self.assigner, &self.air, &self.trace, &self.terms)
    }

    /// Whether the witness satisfies the relation, with one cell more by one.
    pub fn holds(&self, change: Option<Place>) -> bool {
        let witness = self.witness();
        let witness = match change {
            Some(place) => F::changed(witness, place),
            None => witness,
        };
        F::holds(&self.relation, &self.instance, witness)
    }

    /// Runs the honest prover, for any public values.
    pub fn run(&self, instance: &Vec<S::Base>, ch: &mut dyn OracleProver<S, P::Query>) -> Result<(), ProveError> {
        P::default().prove(&self.relation, instance, self.witness(), ch)
    }

    /// Runs any prover.
    pub fn prove_with(
        &self,
        prover: impl FnMut(&mut dyn OracleProver<S, P::Query>) -> Result<(), ProveError>,
    ) -> Vec<u8> {
        self.prove_bound(BINDING, prover)
    }

    /// Runs any prover under any binding.
    pub fn prove_bound(
        &self,
        binding: Binding<'_>,
        mut prover: impl FnMut(&mut dyn OracleProver<S, P::Query>) -> Result<(), ProveError>,
    ) -> Vec<u8> {
        self.runner.prove(binding, (&self.index, &self.prover_index), &mut prover).unwrap().proof
    }

    pub fn prove(&self) -> Vec<u8> {
        self.prove_with(|ch| self.run(&self.instance, ch))
    }

    pub fn verify(&self, proof: &[u8]) -> Result<(), Reject> {
        self.verify_other(proof, &self.instance, BINDING, &self.index)
    }

    /// Verifies a proof of other public values, under another binding or index.
    pub fn verify_other(
        &self,
        proof: &[u8],
        instance: &Vec<S::Base>,
        binding: Binding<'_>,
        index: &IndexCommitment,
    ) -> Result<(), Reject> {
        let mut run = |ch: &mut dyn OracleVerifier<S, P::Query>| P::default().verify(&self.form, instance, ch);
        self.runner.verify(binding, index, proof, &mut run).map(|_| ())
    }
}
