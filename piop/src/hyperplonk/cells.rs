//! The prover's columns over the base field, wherever they are kept.

use p3_field::PrimeCharacteristicRing;
use trilemma_arith::plonkish::{Column, Query};
use trilemma_arith::r1cs::ByColumn;
use trilemma_core::claim::ByColumn as View;
use trilemma_core::{MlEval, Setting};

use super::layout::{Layout, Oracles};

/// The prover's side of a channel with multilinear claims.
pub type Prover<'a, S> = dyn trilemma_core::channel::OracleProver<S, MlEval<<S as Setting>::Ext>> + 'a;

/// The oracles over the base field, seen again.
pub struct Views<'o, S: Setting> {
    index: Option<View<'o, S::Base>>,
    early: Option<View<'o, S::Base>>,
}

impl<'o, S: Setting> Views<'o, S> {
    pub fn new(oracles: &Oracles, ch: &'o Prover<'_, S>) -> Self {
        Self {
            index: oracles.index.map(|oracle| ch.view(oracle, 0, ())),
            early: oracles.early.map(|oracle| ch.view(oracle, 0, ())),
        }
    }
}

/// Columns over the base field.
pub struct Cells<'a, S: Setting> {
    fixed: Vec<&'a [S::Base]>,
    /// Successors of permuted cells.
    pub sigma: Vec<&'a [S::Base]>,
    early: Vec<&'a [S::Base]>,
    /// How often lookups name each row of each part of a table.
    pub multiplicities: Vec<&'a [S::Base]>,
    instance: Vec<S::Base>,
    /// Columns that are read on the next row, rotated.
    next: Vec<(Column, Vec<S::Base>)>,
}

impl<'a, S: Setting> Cells<'a, S> {
    /// The columns before anything is committed, with those of `queries` that are read one row on.
    pub fn of(
        layout: &Layout<'a, S>,
        early: &'a ByColumn<S::Base>,
        instance: &[S::Base],
        queries: impl IntoIterator<Item = Query>,
    ) -> Self {
        let circuit = layout.circuit;
        let cells = Self {
            fixed: (0..circuit.fixed_names.len()).map(|i| circuit.fixed.column(i)).collect(),
            sigma: Vec::new(),
            early: (0..circuit.early.len()).map(|i| early.column(i)).collect(),
            multiplicities: Vec::new(),
            instance: padded(instance, circuit.rows()),
            next: Vec::new(),
        };
        cells.rotated(queries)
    }

    /// The columns of committed oracles, with those of `queries` that are read one row on.
    pub fn seen(
        layout: &Layout<'_, S>,
        views: &'a Views<'_, S>,
        instance: &[S::Base],
        queries: impl IntoIterator<Item = Query>,
    ) -> Self {
        let circuit = layout.circuit;
        let all = |view: &'a Option<View<'_, S::Base>>| view.iter().flat_map(View::columns);
        let (fixed, early) = (circuit.fixed_names.len(), circuit.early.len());
        let cells = Self {
            fixed: all(&views.index).take(fixed).collect(),
            sigma: all(&views.index).skip(fixed).collect(),
            early: all(&views.early).take(early).collect(),
            multiplicities: all(&views.early).skip(early).collect(),
            instance: padded(instance, circuit.rows()),
            next: Vec::new(),
        };
        cells.rotated(queries)
    }

    fn rotated(mut self, queries: impl IntoIterator<Item = Query>) -> Self {
        let next = |query: Query| {
            let mut column = self.here(query.column).to_vec();
            column.rotate_left(1);
            (query.column, column)
        };
        self.next = queries.into_iter().filter(|q| q.next && !is_late(*q)).map(next).collect();
        self
    }

    /// A column's values; of none when it is not over the base field.
    pub fn here(&self, column: Column) -> &[S::Base] {
        match column {
            Column::Fixed(i) => self.fixed[i],
            Column::Early(i) => self.early[i],
            Column::Instance => &self.instance,
            Column::Late(_) => &[],
        }
    }

    /// The values of a query, whose next row was asked for when this was made.
    pub fn query(&self, query: Query) -> &[S::Base] {
        if query.next {
            return self.next.iter().find(|(c, _)| *c == query.column).map_or(&[], |(_, column)| column);
        }
        self.here(query.column)
    }
}

/// Whether a cell is over the challenge field.
pub const fn is_late(query: Query) -> bool {
    matches!(query.column, Column::Late(_))
}

/// A late column as a query reads it.
pub fn late_query<E: Copy + Send + Sync + p3_field::Field>(late: &ByColumn<E>, query: Query) -> Vec<E> {
    let Column::Late(i) = query.column else { return Vec::new() };
    let mut column = late.column(i).to_vec();
    column.rotate_left(usize::from(query.next));
    column
}

fn padded<F: PrimeCharacteristicRing + Copy>(values: &[F], rows: usize) -> Vec<F> {
    let mut column = values.to_vec();
    column.resize(rows, F::ZERO);
    column
}
