//! Which rows of a circuit become rows of the library's, and what closes the cycle.
//!
//! The library checks gates on all `n = 2^k` rows, and leaves the last [`UNUSABLE`] to random numbers that
//! blind; lookups and copies hold above those. A circuit has `R` rows, all of them checked, and the row
//! after the last is the first. Its rows in use become rows `0..used`, and row `used` is one more that
//! only the row before it reads.
//!
//! - *All rows* (`used = R`): the columns that row `R - 1` reads one row on are copies of row 0 there, by
//!   copy constraints. Nothing else differs from the circuit.
//! - *Rows in use* (`used < R`): rows from `used` on have no fixed value, no copy and no public value. They
//!   are left out where the gates make that harmless ([`carried`]): given the rows before, such
//!   rows can always be filled, if only some late columns (sums so far) have on row `used` what they have
//!   on row 0. Those are the copies. So an assignment of the rows kept is one of all rows.
//!
//! The second is why `k` is `log2 R` and not one more, unless less than seven rows are free; they are
//! not if a lookup table fills the circuit.
//!
//! A gate `e` that says something `e_0` of rows without fixed values would speak of the random ones. The
//! library gets `e - (1 - x) e_0`, for a fixed column `x` that is 1 on the rows kept: this is `e` there, and
//! zero where there are no fixed values. It has the degree of `e`, where `x e` would have one more.

use p3_field::PrimeCharacteristicRing;
use trilemma_arith::plonkish::{Circuit, Column, Graph, Id, Node, Query};
use trilemma_core::{ConfigError, Setting};

use super::S;

type Base = <S as Setting>::Base;

/// Rows that the library keeps for itself: five that blind, for columns that are opened at two points of
/// their own and one of the opening's, and one that grand products end on.
pub const UNUSABLE: usize = 6;

/// Where a circuit's rows are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// log2 of the library's rows.
    pub log_height: usize,
    /// Rows kept.
    pub used: usize,
    /// Columns whose cell on row `used` is a copy of the one on row 0.
    pub wrapped: Vec<Column>,
}

impl Rows {
    /// The rows that this circuit needs.
    pub fn of(circuit: &Circuit<S>) -> Result<Self, ConfigError> {
        let used = in_use(circuit);
        let carried = if used < circuit.rows() { carried(circuit, used) } else { None };
        let (used, wrapped) = match carried {
            Some(wrapped) => (used, wrapped),
            None => (circuit.rows(), read_by(circuit, circuit.rows() - 1)),
        };
        let rows = Self { log_height: (used + 1 + UNUSABLE).next_power_of_two().ilog2() as usize, used, wrapped };
        if used == circuit.rows() && !looks_nothing_up(circuit, &rows.wrapped) {
            return Err(super::error("a lookup of a row without fixed values may be outside its table"));
        }
        Ok(rows)
    }
}

/// The formulas of a circuit, rewritten.
struct Rewritten {
    graph: Graph,
    gates: Vec<Id>,
    inputs: Vec<Id>,
}

impl Rewritten {
    /// Every cell replaced by another, or by zero, and what that makes zero simplified.
    fn new<S: Setting>(form: &Circuit<S>, cell: impl Fn(Query) -> Option<Query>) -> Self {
        let mut graph = Graph::default();
        let mut ids: Vec<Id> = Vec::with_capacity(form.graph.nodes().len());
        for node in form.graph.nodes() {
            let at = |id: &Id| ids[id.0 as usize];
            let id = match node {
                Node::Int(x) => graph.int(*x),
                Node::Challenge(unit) => graph.challenge(*unit),
                Node::Cell(query) => match cell(*query) {
                    Some(Query { column, next: true }) => graph.next(column),
                    Some(Query { column, next: false }) => graph.cell(column),
                    None => graph.int(0),
                },
                Node::Add(a, b) => graph.add(at(a), at(b)),
                Node::Sub(a, b) => graph.sub(at(a), at(b)),
                Node::Mul(a, b) => graph.mul(at(a), at(b)),
            };
            ids.push(id);
        }
        let gates = form.gates.iter().map(|gate| ids[gate.expr.0 as usize]).collect();
        let inputs = form.lookups.iter().flat_map(|lookup| &lookup.inputs).map(|id| ids[id.0 as usize]).collect();
        Self { graph, gates, inputs }
    }

    fn is_zero(&self, id: Id) -> bool {
        self.graph.node(id) == Node::Int(0)
    }

    /// Columns that are read one row on.
    fn read_next(&self) -> Vec<Column> {
        let queries = self.graph.queries(self.gates.iter().chain(&self.inputs).copied());
        queries.into_iter().filter(|query| query.next).map(|query| query.column).collect()
    }
}

/// Columns that a gate or a lookup reads one row on.
pub fn read_next<S: Setting>(form: &Circuit<S>) -> Vec<Column> {
    let roots = form.gates.iter().map(|gate| gate.expr).chain(form.lookups.iter().flat_map(|l| l.inputs.clone()));
    form.graph.queries(roots).into_iter().filter(|query| query.next).map(|query| query.column).collect()
}

/// What each gate says of a row whose fixed values are zero, if anything. Fixed columns that are read one
/// row on may have a value on row `used`, and do not count.
pub fn unselected<S: Setting>(form: &Circuit<S>) -> (Graph, Vec<Option<Id>>) {
    let next = read_next(form);
    let zero = |query: Query| matches!(query.column, Column::Fixed(_)) && !query.next && !next.contains(&query.column);
    let rewritten = Rewritten::new(form, |query| (!zero(query)).then_some(query));
    let gates = rewritten.gates.iter().map(|&gate| (!rewritten.is_zero(gate)).then_some(gate)).collect();
    (rewritten.graph, gates)
}

/// The late columns that must come back to their first value, if rows from `used` on, which have no fixed
/// values, can be filled whatever the others hold.
///
/// Give every row from `used` on: in a carried column, row 0's value; on row `used`, in columns that the row
/// before reads there, the value that it reads; otherwise zero. So what a row reads one row on is row 0's
/// value in a carried column, and anything elsewhere, since the last row's next is row 0. If every gate is
/// zero identically in the cells that remain, and every entry looked up is, all rows are filled.
fn carried(circuit: &Circuit<S>, used: usize) -> Option<Vec<Column>> {
    let unfixed = |query: &Query| query.next || !matches!(query.column, Column::Fixed(_));
    let carried = Rewritten::new(circuit, |query| unfixed(&query).then_some(query)).read_next();
    if !carried.iter().all(|column| matches!(column, Column::Late(_))) {
        return None;
    }
    let read = read_by(circuit, used - 1);
    let filled = Rewritten::new(circuit, |query| match query.column {
        column if carried.contains(&column) => Some(Query { column, next: false }),
        _ if query.next => Some(query),
        column if read.contains(&column) && unfixed(&query) => Some(query),
        _ => None,
    });
    let zero = filled.gates.iter().chain(&filled.inputs).all(|&id| filled.is_zero(id));
    zero.then_some(carried)
}

/// Rows up to the last with a fixed value, a copy or a public value.
fn in_use(circuit: &Circuit<S>) -> usize {
    let fixed = (0..circuit.fixed_names.len())
        .filter_map(|i| circuit.fixed.column(i).iter().rposition(|&x| x != Base::ZERO))
        .max();
    let copied = circuit.copies.iter().map(|(a, b)| a.row.max(b.row)).max();
    let last = fixed.max(copied).map_or(0, |row| row + 1);
    last.max(circuit.instance).max(1)
}

/// Advice columns that a row reads on the next one, given its fixed values.
fn read_by(circuit: &Circuit<S>, row: usize) -> Vec<Column> {
    let next = (row + 1) % circuit.rows();
    let rewritten = Rewritten::new(circuit, |query| match query.column {
        Column::Fixed(i) => {
            let row = if query.next { next } else { row };
            (circuit.fixed.column(i)[row] != Base::ZERO).then_some(query)
        }
        _ => Some(query),
    });
    let advice = |column: &Column| matches!(column, Column::Early(_) | Column::Late(_));
    rewritten.read_next().into_iter().filter(advice).collect()
}

/// Whether a row without fixed values looks up zeros, when only these columns have a value there.
fn looks_nothing_up<S: Setting>(form: &Circuit<S>, wrapped: &[Column]) -> bool {
    let next = read_next(form);
    let rewritten = Rewritten::new(form, |query| match query.column {
        Column::Fixed(_) => next.contains(&query.column).then_some(query),
        Column::Instance => None,
        column => wrapped.contains(&column).then_some(query),
    });
    rewritten.inputs.iter().all(|&id| rewritten.is_zero(id))
}
