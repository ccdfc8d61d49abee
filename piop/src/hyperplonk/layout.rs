//! What both sides derive from the form of a circuit: shapes, fractions, degrees and error terms.

use p3_field::{BasedVectorSpace, Field};
use trilemma_arith::Bus;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Circuit, Column, Id, Query};
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::multilinear::eq_index;
use trilemma_core::{ConfigError, ErrorTerm, MlEval, Setting};

use super::index;
use crate::instances::{MAX_LOG_HEIGHT, MIN_LOG_HEIGHT};
use crate::logup_gkr::Stack;
use crate::sumcheck::Rounds;

/// Tag of the fingerprints of copies.
pub const COPIES: Bus = Bus { id: 1, name: "copies", arity: 2, lookup: true };

/// Sizes and places.
pub struct Layout<'c, S: Setting> {
    pub circuit: &'c Circuit<S>,
    /// The parts of all tables of lookups: number of the table, and fixed columns.
    pub parts: Vec<(usize, &'c [usize])>,
    /// The table of each lookup.
    pub table_of: Vec<usize>,
    /// Committed columns read on the next row.
    pub next: Vec<Column>,
    /// All fractions: identities, successors, lookups, parts of tables.
    pub stack: Stack,
}

impl<'c, S: Setting> Layout<'c, S> {
    /// The layout of a circuit or its form.
    ///
    /// # Errors
    /// The circuit is malformed, or too large for the field.
    pub fn new(circuit: &'c Circuit<S>) -> Result<Self, ConfigError> {
        let refuse = |what: &str| Err(ConfigError(format!("circuit {}: {what}", circuit.name)));
        let n = circuit.log_rows;
        if !(MIN_LOG_HEIGHT..=MAX_LOG_HEIGHT).contains(&n) {
            return refuse(&format!("2^{n} rows, but between 2^{MIN_LOG_HEIGHT} and 2^{MAX_LOG_HEIGHT} are allowed"));
        }
        if circuit.instance > circuit.rows() {
            return refuse("more public values than rows");
        }
        let (mut tables, mut table_of, mut parts) = (Vec::<(&[usize], usize)>::new(), Vec::new(), Vec::new());
        for lookup in &circuit.lookups {
            let (table, arity) = (lookup.table.as_slice(), lookup.inputs.len());
            if arity == 0 || table.is_empty() || table.len() % arity != 0 {
                return refuse(&format!("lookup `{}` has a table of another width", lookup.what));
            }
            if lookup.inputs.iter().any(|&input| circuit.graph.is_late(input)) {
                return refuse(&format!("lookup `{}` depends on challenges", lookup.what));
            }
            let known = tables.iter().position(|&known| known == (table, arity));
            table_of.push(known.unwrap_or(tables.len()));
            if known.is_none() {
                parts.extend(lookup.parts().map(|part| (tables.len(), part)));
                tables.push((table, arity));
            }
        }
        let columns = 2 * circuit.permuted.len() + circuit.lookups.len() + parts.len();
        let stack = Stack::uniform(columns, n);
        if 2.0 * stack.len as f64 >= 2f64.powi(S::Base::bits() as i32 - 1) {
            return refuse("more fractions than the characteristic allows");
        }
        let read = circuit.graph.queries(roots(circuit));
        let next = read.iter().filter(|q| q.next && q.column != Column::Instance).map(|q| q.column).collect();
        Ok(Self { circuit, parts, table_of, next, stack })
    }

    /// Shape of the oracle `early`.
    pub fn early_shape(&self) -> Option<Shape> {
        self.shape(self.circuit.early.len() + self.parts.len())
    }

    /// Shape of the oracle `late`.
    pub fn late_shape(&self) -> Option<Shape> {
        self.shape(self.circuit.late.len() * <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION)
    }

    fn shape(&self, width: usize) -> Option<Shape> {
        (width > 0).then_some(Shape { log_height: self.circuit.log_rows, width })
    }

    /// Longest tuple of a fingerprint.
    pub fn arity(&self) -> usize {
        self.parts.iter().map(|(_, columns)| columns.len()).max().unwrap_or(0).max(COPIES.arity)
    }

    /// Tag of the fingerprints of a table.
    pub fn tag(table: usize) -> Bus {
        Bus { id: COPIES.id + 1 + table as u32, name: "table", ..COPIES }
    }

    /// `delta` and the powers of `eta`: fingerprints are [`Challenges::denominator`]s.
    pub fn fingerprints(&self, delta: S::Ext, eta: S::Ext) -> Challenges<S::Ext> {
        Challenges::new(delta, eta, self.arity())
    }

    /// The rounds of step 7.
    pub fn rounds(&self) -> Rounds {
        let degrees = roots(self.circuit).map(|id| self.circuit.graph.degree(id));
        let degree = degrees.max().unwrap_or(0).max(2);
        Rounds { label: "rows", degree, term: "row sumcheck", error: degree + 1 }
    }

    /// Error of `gamma` and `beta`.
    pub fn late_term(&self) -> ErrorTerm {
        fraction_term::<S>("late columns", self.circuit.fractions as f64, self.circuit.arity)
    }

    /// Error of `delta` and `eta`.
    pub fn fingerprint_term(&self) -> ErrorTerm {
        fraction_term::<S>("permutation and lookups", self.stack.len as f64, self.arity())
    }

    /// Error of `alpha`.
    pub fn alpha_term(&self) -> ErrorTerm {
        let degree = self.circuit.gates.len() + 2;
        let term = ErrorTerm::schwartz_zippel("constraint batching", degree as f64, S::ext_bits());
        ErrorTerm { reference: "[CBBZ23] Section 3.2", ..term }
    }

    /// Error of a coordinate that the layers did not give.
    pub fn coordinate_term() -> ErrorTerm {
        ErrorTerm::schwartz_zippel("zerocheck point", 1.0, S::ext_bits())
    }

    /// What columns of fractions weigh at a point of the stack.
    pub fn places(&self, point: &[S::Ext]) -> Places<S::Ext> {
        let prefix = &point[..point.len().saturating_sub(self.circuit.log_rows)];
        let mut weights = (0..).map(|k| eq_index(k, prefix));
        let mut take = |n: usize| -> Vec<S::Ext> { weights.by_ref().take(n).collect() };
        let columns = self.circuit.permuted.len();
        Places {
            identities: take(columns),
            successors: take(columns),
            lookups: take(self.table_of.len()),
            parts: take(self.parts.len()),
        }
    }
}

/// Weights of the fractions' columns.
pub struct Places<E> {
    pub identities: Vec<E>,
    pub successors: Vec<E>,
    pub lookups: Vec<E>,
    pub parts: Vec<E>,
}

impl<E: Field> Places<E> {
    /// The weight of what lies beyond the last fraction, `0 / 1`.
    pub fn beyond(&self) -> E {
        let all = [&self.identities, &self.successors, &self.lookups, &self.parts];
        E::ONE - all.into_iter().flatten().copied().sum::<E>()
    }
}

/// The oracles of a proof; those without columns are missing.
pub struct Oracles {
    pub index: Option<Oracle>,
    pub early: Option<Oracle>,
    pub late: Option<Oracle>,
}

impl Oracles {
    /// The index's oracle, and those sent.
    pub fn new<S: Setting>(circuit: &Circuit<S>, early: Option<Oracle>, late: Option<Oracle>) -> Self {
        Self { index: index::shape(circuit).map(|_| Oracle(0)), early, late }
    }

    /// Those that have some of these columns.
    pub fn only(&self, columns: &[Column]) -> Self {
        let has = |kind: fn(&Column) -> bool| columns.iter().any(kind);
        Self {
            index: self.index.filter(|_| has(|c| matches!(c, Column::Fixed(_)))),
            early: self.early.filter(|_| has(|c| matches!(c, Column::Early(_)))),
            late: self.late.filter(|_| has(|c| matches!(c, Column::Late(_)))),
        }
    }

    /// All columns at a point.
    pub fn everything<E: Field>(&self, point: &[E]) -> Vec<Question<MlEval<E>>> {
        let ask = |oracle| Question { oracle, matrix: 0, query: MlEval(point.to_vec()) };
        [self.index, self.early, self.late].into_iter().flatten().map(ask).collect()
    }
}

/// The expressions that are evaluated: gates, then inputs of lookups.
pub fn roots<S: Setting>(circuit: &Circuit<S>) -> impl Iterator<Item = Id> {
    circuit.gates.iter().map(|gate| gate.expr).chain(circuit.lookups.iter().flat_map(|l| l.inputs.iter().copied()))
}

/// A column on this row.
pub const fn here(column: Column) -> Query {
    Query { column, next: false }
}

fn fraction_term<S: Setting>(name: &'static str, fractions: f64, arity: usize) -> ErrorTerm {
    let degree = 2.0 * fractions * arity.max(1) as f64;
    let term = ErrorTerm::schwartz_zippel(name, degree, S::ext_bits());
    ErrorTerm { reference: "[Hab22] Lemma 5; Schwartz-Zippel", ..term }
}
