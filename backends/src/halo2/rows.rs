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
//! The second is why `k` is mostly `log2 R` and not one more.

use trilemma_arith::plonkish::{Circuit, Column, Graph, Id, Node, Query};
use trilemma_core::{ConfigError, Setting};

use super::S;

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
        let kept = carried(circuit).map(|wrapped| (in_use(circuit), wrapped));
        let (used, wrapped) = match kept {
            Some((used, wrapped)) if used < circuit.rows() => (used, wrapped),
            _ => (circuit.rows(), read_after_last(circuit)),
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

/// Whether each gate says something of a row whose fixed values are zero; such a gate is switched off
/// outside the rows kept, among which are the random ones. Fixed columns that a gate reads one row on may
/// have a value on row `used`, and do not count.
pub fn unselected<S: Setting>(form: &Circuit<S>) -> Vec<bool> {
    let next = read_next(form);
    let zero = |query: Query| matches!(query.column, Column::Fixed(_)) && !query.next && !next.contains(&query.column);
    let rewritten = Rewritten::new(form, |query| (!zero(query)).then_some(query));
    rewritten.gates.iter().map(|&gate| !rewritten.is_zero(gate)).collect()
}

/// The late columns that must come back to their first value, if rows without fixed values can be filled
/// whatever the others hold.
///
/// Let row `used` have what the rows kept say of it, and every row from there on: fixed values zero; a
/// column that no gate reads one row on, zero; a carried column, the same value on all of them, which is
/// row 0's, so that it is also the next row's on the last. If every gate is zero identically in
/// the cells that remain, and every entry looked up is, then all rows from `used` on are filled.
fn carried<S: Setting>(form: &Circuit<S>) -> Option<Vec<Column>> {
    let fixed = |query: &Query| matches!(query.column, Column::Fixed(_)) && !query.next;
    let unfixed = Rewritten::new(form, |query| (!fixed(&query)).then_some(query));
    let carried = unfixed.read_next();
    if !carried.iter().all(|column| matches!(column, Column::Late(_))) {
        return None;
    }
    let next = read_next(form);
    let filled = Rewritten::new(form, |query| match query.column {
        column if carried.contains(&column) => Some(Query { column, next: false }),
        column if next.contains(&column) && !fixed(&query) => Some(query),
        _ => None,
    });
    let zero = filled.gates.iter().chain(&filled.inputs).all(|&id| filled.is_zero(id));
    zero.then_some(carried)
}

/// Rows up to the last with a fixed value, a copy or a public value.
fn in_use(circuit: &Circuit<S>) -> usize {
    use p3_field::PrimeCharacteristicRing;
    let zero = <S as Setting>::Base::ZERO;
    let fixed = (0..circuit.fixed_names.len())
        .filter_map(|i| circuit.fixed.column(i).iter().rposition(|&x| x != zero))
        .max();
    let copied = circuit.copies.iter().map(|(a, b)| a.row.max(b.row)).max();
    let last = fixed.max(copied).map_or(0, |row| row + 1);
    last.max(circuit.instance).max(1)
}

/// Advice columns that the last row reads on the first, given its fixed values.
fn read_after_last(circuit: &Circuit<S>) -> Vec<Column> {
    use p3_field::PrimeCharacteristicRing;
    let last = circuit.rows() - 1;
    let rewritten = Rewritten::new(circuit, |query| match query.column {
        Column::Fixed(i) => {
            let row = if query.next { 0 } else { last };
            (circuit.fixed.column(i)[row] != <S as Setting>::Base::ZERO).then_some(query)
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
