//! What a proof of a circuit consists of: its columns, where they lie, what is asked of them. Both
//! sides derive it from the form of the circuit.

use std::ops::Range;

use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, TwoAdicField};
use trilemma_arith::plonkish::{Circuit, Column};
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::{ConfigError, ErrorTerm, Setting, Smooth, UniEval};

use super::lookup::{Fraction, pack};
use crate::instances::MAX_LOG_HEIGHT;

/// The largest degree tried in search of few columns.
const MAX_DEGREE: usize = 9;

/// How many columns' extensions to one coset cost as much as one more column of the proof.
const EXTENSIONS: usize = 64;

/// How copy constraints are proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permutation {
    /// A product over all cells that returns to 1 \[GWC19\].
    GrandProduct,
    /// Two fractions a cell, in the accumulator of the lookups.
    LogUp,
}

/// A polynomial of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Poly {
    /// Known to the verifier.
    Instance,
    /// A fixed column.
    Fixed(usize),
    /// Where the cells of a permuted column go.
    Sigma(usize),
    /// An early column.
    Early(usize),
    /// How often every row of a part of a table is looked up.
    Multiplicity(usize),
    /// A late column.
    Late(usize),
    /// A partial product of the permutation.
    Product(usize),
    /// The sum of a group's fractions.
    Helper(usize),
    /// The running sum of all fractions.
    Accumulator,
    /// A part of the quotient.
    Quotient(usize),
}

impl From<Column> for Poly {
    fn from(column: Column) -> Self {
        match column {
            Column::Fixed(i) => Self::Fixed(i),
            Column::Early(i) => Self::Early(i),
            Column::Late(i) => Self::Late(i),
            Column::Instance => Self::Instance,
        }
    }
}

impl Poly {
    /// Whether its values are challenge elements, sent as base columns.
    pub const fn is_ext(self) -> bool {
        matches!(self, Self::Late(_) | Self::Product(_) | Self::Helper(_) | Self::Accumulator | Self::Quotient(_))
    }

    /// Base columns.
    pub fn width<S: Setting>(self) -> usize {
        if self.is_ext() { <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION } else { 1 }
    }
}

/// One matrix: columns asked at the same points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its columns.
    pub polys: Vec<Poly>,
    /// Whether they are asked on the next row too.
    pub next: bool,
}

/// The matrices of one oracle.
pub type Groups = Vec<Group>;

/// Base columns of a group.
pub fn width<S: Setting>(group: &Group) -> usize {
    group.polys.iter().map(|p| p.width::<S>()).sum()
}

/// Fixed columns that hold a table, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The table's bus.
    pub bus: usize,
    /// The columns.
    pub columns: Vec<usize>,
}

/// The columns of a proof.
#[derive(Debug, Clone)]
pub struct Layout {
    /// log2 of the rows.
    pub log_rows: usize,
    /// Bound on the degree of every constraint.
    pub degree: usize,
    /// Number of gates.
    pub gates: usize,
    /// Columns under the permutation.
    pub permuted: Vec<Column>,
    /// Which of them each partial product covers; none without grand product.
    pub chunks: Vec<Range<usize>>,
    /// Parts of the distinct tables.
    pub parts: Vec<Part>,
    /// The bus of every lookup, one for each distinct table.
    pub buses: Vec<usize>,
    /// The bus of the permutation, whose tuples are a value and a place.
    pub copies: usize,
    /// Fractions in groups; every group but the last has a helper.
    pub groups: Vec<Vec<Fraction>>,
    /// Entries of the longest tuple.
    pub arity: usize,
    /// Fixed columns and those of the permutation.
    pub index: Groups,
    /// Early columns and multiplicities.
    pub early: Groups,
    /// Late columns.
    pub late: Groups,
    /// Partial products, helpers, accumulator.
    pub arguments: Groups,
    /// Parts of the quotient.
    pub quotient: Groups,
}

impl Layout {
    /// The layout for a circuit, of which only the form is read.
    pub fn new<S: Setting>(mode: Permutation, circuit: &Circuit<S>) -> Self {
        let (mut tables, mut buses, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for lookup in &circuit.lookups {
            // The same columns cut otherwise are another table.
            let table = (&lookup.table, lookup.inputs.len());
            let bus = tables.iter().position(|t| *t == table).unwrap_or(tables.len());
            if bus == tables.len() {
                tables.push(table);
                parts.extend(lookup.parts().map(|columns| Part { bus, columns: columns.to_vec() }));
            }
            buses.push(bus);
        }
        let width = circuit.permuted.len();
        let mut fractions = Vec::new();
        for (i, lookup) in circuit.lookups.iter().enumerate() {
            let degree = lookup.inputs.iter().map(|&e| circuit.graph.degree(e)).max().unwrap_or(0);
            fractions.push((Fraction::Lookup(i), degree.max(1)));
        }
        fractions.extend((0..parts.len()).map(|t| (Fraction::Table(t), 1)));
        if mode == Permutation::LogUp {
            fractions.extend((0..width).flat_map(|c| [(Fraction::Identity(c), 1), (Fraction::Sigma(c), 1)]));
        }
        let products = if mode == Permutation::GrandProduct { width } else { 0 };
        let committed = circuit.fixed_names.len() + width + circuit.early.len() + parts.len() + circuit.late.len();
        let degree = degree::<S>(circuit.gate_degree(), &fractions, products, committed);
        let chunks = chunks(products, degree);
        let groups = pack(&fractions, degree);

        let roots = circuit.gates.iter().map(|g| g.expr);
        let roots = roots.chain(circuit.lookups.iter().flat_map(|l| l.inputs.iter().copied()));
        let mut next: Vec<Poly> =
            circuit.graph.queries(roots).iter().filter(|q| q.next).map(|q| q.column.into()).collect();
        next.extend([Poly::Product(0), Poly::Accumulator]);
        let group = |polys: Vec<Poly>| -> Groups {
            let (next, here): (Vec<_>, Vec<_>) = polys.into_iter().partition(|p| next.contains(p));
            let groups = [Group { polys: here, next: false }, Group { polys: next, next: true }];
            groups.into_iter().filter(|g| !g.polys.is_empty()).collect()
        };
        let fixed = (0..circuit.fixed_names.len()).map(Poly::Fixed);
        let early = (0..circuit.early.len()).map(Poly::Early);
        let helpers = (1..groups.len()).map(|g| Poly::Helper(g - 1));
        let accumulator = (!groups.is_empty()).then_some(Poly::Accumulator);
        let longest = circuit.lookups.iter().map(|l| l.inputs.len()).max().unwrap_or(0);
        Self {
            log_rows: circuit.log_rows,
            degree,
            gates: circuit.gates.len(),
            index: group(fixed.chain((0..width).map(Poly::Sigma)).collect()),
            early: group(early.chain((0..parts.len()).map(Poly::Multiplicity)).collect()),
            late: group((0..circuit.late.len()).map(Poly::Late).collect()),
            arguments: group((0..chunks.len()).map(Poly::Product).chain(helpers).chain(accumulator).collect()),
            quotient: group((0..degree - 1).map(Poly::Quotient).collect()),
            permuted: circuit.permuted.clone(),
            arity: longest.max(if width > 0 { 2 } else { 1 }),
            chunks,
            parts,
            buses,
            copies: tables.len(),
            groups,
        }
    }

    /// Rows.
    pub const fn rows(&self) -> usize {
        1 << self.log_rows
    }

    /// log2 of the quotient's columns, rounded up.
    pub const fn log_parts(&self) -> usize {
        (self.degree - 1).next_power_of_two().trailing_zeros() as usize
    }

    /// Number of constraints.
    pub fn constraints(&self) -> usize {
        self.gates + self.chunks.len() + self.groups.len() + usize::from(!self.chunks.is_empty())
    }

    /// Refuses circuits that the argument is not sound or not defined for.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn check<S: Smooth>(&self, circuit: &Circuit<S>) -> Result<(), ConfigError> {
        let refuse = |what: &str| Err(ConfigError(format!("circuit `{}`: {what}", circuit.name)));
        if self.log_rows > MAX_LOG_HEIGHT || self.log_rows + self.log_parts() > S::Base::TWO_ADICITY {
            return refuse("more rows than the field has roots of unity");
        }
        let top = S::Base::GENERATOR.exp_power_of_2(self.log_rows);
        if top.powers().take(self.permuted.len()).skip(1).any(|x| x == S::Base::ONE) {
            return refuse("more columns under copies than the field has cosets");
        }
        // No tuple is looked up as often as the characteristic.
        if circuit.lookups.len() as f64 * self.rows() as f64 >= 2f64.powi(S::Base::bits() as i32 - 1) {
            return refuse("more lookups than the characteristic allows");
        }
        if circuit.lookups.iter().any(|l| !l.table.len().is_multiple_of(l.inputs.len())) {
            return refuse("a lookup and its table differ in entries");
        }
        if circuit.lookups.iter().flat_map(|l| &l.inputs).any(|&e| circuit.graph.is_late(e)) {
            return refuse("a lookup depends on challenges");
        }
        if circuit.instance > self.rows() {
            return refuse("more public values than rows");
        }
        Ok(())
    }

    /// Shapes of an oracle.
    pub fn shapes<S: Setting>(&self, groups: &Groups) -> Vec<Shape> {
        groups.iter().map(|g| Shape { log_height: self.log_rows, width: width::<S>(g) }).collect()
    }

    /// Error of `gamma` and `beta`: that the sum of the late columns' fractions vanishes by chance, or
    /// one of their denominators does.
    pub fn circuit_term<S: Setting>(circuit: &Circuit<S>) -> ErrorTerm {
        let degree = 2.0 * circuit.fractions as f64 * circuit.arity.max(1) as f64;
        ErrorTerm {
            reference: "[Hab22] Lemma 5; Schwartz-Zippel",
            ..ErrorTerm::schwartz_zippel("bus argument", degree, S::ext_bits())
        }
    }

    /// Error of `delta` and `theta`: as the circuit's, for copies and lookups.
    pub fn argument_term<S: Setting>(&self) -> ErrorTerm {
        let fractions: usize = self.groups.iter().map(Vec::len).sum();
        let factors: usize = self.chunks.iter().map(|c| 2 * c.len()).sum();
        let degree = 2.0 * (fractions + factors) as f64 * self.rows() as f64 * self.arity as f64;
        ErrorTerm {
            reference: "[GWC19] Section 5; [Hab22] Lemma 5; Schwartz-Zippel",
            ..ErrorTerm::schwartz_zippel("copies and lookups", degree, S::ext_bits())
        }
    }

    /// Error of `alpha`.
    pub fn batch_term<S: Setting>(&self) -> ErrorTerm {
        ErrorTerm {
            reference: "[Hab22s] Theorem 8 (ALI)",
            ..ErrorTerm::schwartz_zippel("constraint batching", self.constraints() as f64, S::ext_bits())
        }
    }

    /// Error of `zeta`.
    pub fn point_term<S: Setting>(&self) -> ErrorTerm {
        let degree = self.degree as f64 * self.rows() as f64;
        ErrorTerm {
            reference: "[GWC19] Section 4; [Hab22s] Theorem 8 (DEEP)",
            ..ErrorTerm::schwartz_zippel("out-of-domain point", degree, S::ext_bits())
        }
    }

    /// Every group of every oracle with the places it is asked at, in order.
    pub fn openings<'a>(&'a self, oracles: &Oracles) -> Vec<(Oracle, usize, &'a Group, bool)> {
        let groups = [&self.index, &self.early, &self.late, &self.arguments, &self.quotient];
        let mut openings = Vec::new();
        for (oracle, groups) in oracles.0.iter().zip(groups) {
            let Some(oracle) = *oracle else { continue };
            for (matrix, group) in groups.iter().enumerate() {
                openings.push((oracle, matrix, group, false));
                if group.next {
                    openings.push((oracle, matrix, group, true));
                }
            }
        }
        openings
    }

    /// Everything asked at the end: all columns at `zeta`, and on the next row those read there.
    pub fn questions<S: Smooth>(&self, oracles: &Oracles, zeta: S::Ext) -> Vec<Question<UniEval<S::Ext>>> {
        let next_zeta = zeta * S::Base::two_adic_generator(self.log_rows);
        self.openings(oracles)
            .into_iter()
            .map(|(oracle, matrix, _, next)| Question {
                oracle,
                matrix,
                query: UniEval(if next { next_zeta } else { zeta }),
            })
            .collect()
    }
}

/// The oracles of a run, in the order of [`Layout`]'s; none where there are no columns.
#[derive(Debug, Clone, Default)]
pub struct Oracles(pub Vec<Option<Oracle>>);

/// Distinct representatives of cosets of the subgroup: `g^c` for a generator `g`.
pub fn places<F: Field>(columns: usize) -> Vec<F> {
    F::GENERATOR.powers().take(columns).collect()
}

/// Ranges of permuted columns whose partial product a constraint of this degree can check.
fn chunks(columns: usize, degree: usize) -> Vec<Range<usize>> {
    (0..columns).step_by(degree - 1).map(|at| at..(at + degree - 1).min(columns)).collect()
}

/// The bound on degrees that makes the proof small: a larger one means fewer partial products and
/// helpers but more parts of the quotient, each of which costs the extension of every column.
///
/// With an extension, degrees that take a larger evaluation domain than needed are left out: a scheme
/// of codes keeps every column on a small one.
fn degree<S: Setting>(gates: usize, fractions: &[(Fraction, usize)], products: usize, committed: usize) -> usize {
    let least = fractions.iter().map(|&(_, d)| d + 1).chain([gates, 2]).max().unwrap_or(2);
    let most = if <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION == 1 {
        least.max(MAX_DEGREE)
    } else {
        (least - 1).next_power_of_two() + 1
    };
    let cost = |degree: usize| {
        let arguments = chunks(products, degree).len() + pack(fractions, degree).len();
        let parts = degree - 1;
        EXTENSIONS * (arguments + parts) + parts * (committed + arguments)
    };
    (least..=most).min_by_key(|&degree| (cost(degree), degree)).unwrap_or(least)
}
