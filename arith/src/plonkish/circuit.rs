//! A circuit as plain data: what PIOPs, checks and foreign back ends read.

use trilemma_core::{ConfigError, Setting};

use super::graph::{Column, Graph, Id};
use crate::air::{Air, PublicTerm, Trace};
use crate::kernel::Challenges;
use crate::r1cs::ByColumn;
use crate::table::Bus;

/// An expression that is zero on every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// What it says.
    pub what: String,
    /// The expression.
    pub expr: Id,
}

/// On every row, the tuple of `inputs` is the tuple that `table` has on some row.
///
/// Inputs depend on no challenge. The tuple of zeros is always in the table, for rows that look
/// nothing up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// What it says.
    pub what: String,
    /// The tuple looked up.
    pub inputs: Vec<Id>,
    /// Fixed columns that hold the table; lookups in the same table name the same columns. They are
    /// as many as the inputs, or a multiple of that if the table is longer than the circuit: then
    /// each group of as many columns as inputs holds a part of it.
    pub table: Vec<usize>,
}

impl Lookup {
    /// The parts of the table: on some row of one of them the tuple is.
    pub fn parts(&self) -> std::slice::Chunks<'_, usize> {
        self.table.chunks(self.inputs.len().max(1))
    }
}

/// A cell that copy constraints may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// The column.
    pub column: Column,
    /// The row.
    pub row: usize,
}

/// Columns, gates, copy constraints and lookups over `2^log_rows` rows.
///
/// A *form* has everything but the contents: no fixed values and no copies. It is what a verifier
/// needs, and is as small as the gates' text.
pub struct Circuit<S: Setting> {
    /// Name in reports.
    pub name: &'static str,
    /// log2 of the rows.
    pub log_rows: usize,
    /// Names of fixed columns.
    pub fixed_names: Vec<String>,
    /// Names of columns filled before the challenges.
    pub early: Vec<String>,
    /// Names of columns filled after them.
    pub late: Vec<String>,
    /// Public values: the first so many rows of [`Column::Instance`].
    pub instance: usize,
    /// All expressions.
    pub graph: Graph,
    /// Gates.
    pub gates: Vec<Gate>,
    /// Lookups.
    pub lookups: Vec<Lookup>,
    /// Columns whose cells copy constraints may name, in the order of the permutation's columns.
    pub permuted: Vec<Column>,
    /// Entries of the longest tuple on any bus: so many powers of `beta` are [`Challenges`].
    pub arity: usize,
    /// Fractions whose sum the late columns prove to be zero, for the error of `gamma` and `beta`.
    pub fractions: usize,
    /// Values of fixed columns; of no columns in a form.
    pub fixed: ByColumn<S::Base>,
    /// Pairs of equal cells; none in a form.
    pub copies: Vec<(Cell, Cell)>,
}

impl<S: Setting> Circuit<S> {
    /// Rows.
    pub const fn rows(&self) -> usize {
        1 << self.log_rows
    }

    /// Largest degree of a gate.
    pub fn gate_degree(&self) -> usize {
        self.gates.iter().map(|g| self.graph.degree(g.expr)).max().unwrap_or(0)
    }

    /// Name of a column.
    pub fn column_name(&self, column: Column) -> String {
        match column {
            Column::Fixed(i) => format!("#{}", self.fixed_names[i]),
            Column::Early(i) => self.early[i].clone(),
            Column::Late(i) => self.late[i].clone(),
            Column::Instance => "instance".to_string(),
        }
    }
}

/// A cell's values: base elements early, challenge elements late.
pub struct Assignment<S: Setting> {
    /// Values of early columns.
    pub early: ByColumn<S::Base>,
    /// Fills late columns from the early ones, once the challenges are drawn.
    pub late: Late<S>,
}

/// What fills late columns.
pub type Late<S> = Box<
    dyn FnOnce(&ByColumn<<S as Setting>::Base>, &Challenges<<S as Setting>::Ext>) -> ByColumn<<S as Setting>::Ext>
        + Send,
>;

/// How large an execution is: all that a circuit depends on besides the relation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extent {
    /// Rows in use, by instance: table and rows. A table that reads the next row or has fixed columns
    /// uses all of its rows, padding included.
    pub instances: Vec<(usize, usize)>,
    /// Bus and multiplicity of every term of the statement.
    pub statement: Vec<(Bus, i64)>,
}

impl Extent {
    /// The extent of a trace and a statement.
    pub fn of<S: Setting>(air: &Air<S>, trace: &Trace, statement: &[PublicTerm]) -> Self {
        let rows = |i: &crate::air::Instance| {
            let shape = air.tables[i.table].shape();
            let whole = shape.uses_next() || !shape.fixed.is_empty();
            if whole { 1 << i.log_height } else { i.cells.len() / shape.columns.len().max(1) }
        };
        Self {
            instances: trace.instances.iter().map(|i| (i.table, rows(i))).collect(),
            statement: statement.iter().map(|t| (t.bus, t.multiplicity)).collect(),
        }
    }
}

/// A way to make a circuit of the tables of an AIR.
///
/// The instance holds the entries of the statement's tuples, term by term.
pub trait Lowering<S: Setting>: Sized + Send + Sync + 'static {
    /// Name in configurations and reports.
    const NAME: &'static str;

    /// The circuit without its contents, in time that does not grow with the rows.
    ///
    /// # Errors
    /// The relation or its extent does not fit this lowering.
    fn form(air: &Air<S>, extent: &Extent) -> Result<Circuit<S>, ConfigError>;

    /// The whole circuit, with what is needed to assign it.
    ///
    /// # Errors
    /// As [`Self::form`].
    fn lower(air: &Air<S>, extent: &Extent) -> Result<(Circuit<S>, Self), ConfigError>;

    /// The cells of a trace of this extent.
    fn assign(&self, air: &Air<S>, trace: &Trace, statement: &[PublicTerm]) -> Assignment<S>;
}

/// The public values of a statement.
pub fn instance<S: Setting>(statement: &[PublicTerm]) -> Vec<S::Base> {
    use p3_field::PrimeCharacteristicRing;
    statement.iter().flat_map(|t| &t.tuple).map(|&x| S::Base::from_u32(x)).collect()
}
