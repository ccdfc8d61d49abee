//! The cells of a trace: early columns as the layout says, late ones by one inversion a chunk of rows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_core::Setting;

use super::gates::Pair;
use super::plan::{Block, Place, Plan, Run};
use super::text::{Source, Text};
use crate::air::{Air, PublicTerm, Trace};
use crate::kernel::Challenges;
use crate::plonkish::Extent;
use crate::plonkish::circuit::{Assignment, Cell, Circuit};
use crate::plonkish::graph::{Column, Graph, Id, Node};
use crate::r1cs::ByColumn;

/// Rows whose denominators are inverted together.
const CHUNK: usize = 512;

/// What an assignment needs besides the circuit.
pub struct Filler<S: Setting> {
    /// The layout.
    pub plan: Plan,
    /// The pairs of every block.
    pub pairs: Vec<Vec<Pair>>,
    /// Fixed columns of tables.
    pub fixed: ByColumn<S::Base>,
}

impl Run {
    /// A physical row.
    const fn at(&self, height: usize, row: usize, place: usize) -> usize {
        self.start + row * height + place
    }
}

/// Fixed columns of tables, on their rows, and bus and multiplicity of the statement's terms.
fn fixed<S: Setting>(air: &Air<S>, plan: &Plan, extent: &Extent) -> ByColumn<S::Base> {
    let mut out = ByColumn::zero(plan.fixed, 1 << plan.log_rows);
    for run in &plan.runs {
        let Block { text, height, .. } = &plan.blocks[run.block];
        let Some(table) = text.table else {
            let (bus, multiplicity) = extent.statement[run.origin];
            *out.cell_mut(0, run.start) = S::Base::from_i64(multiplicity);
            *out.cell_mut(1, run.start) = S::Base::from_u32(bus.id);
            continue;
        };
        if text.fixed > 0 {
            for (i, column) in air.tables[table].fixed().iter().enumerate() {
                for (row, &x) in column.iter().enumerate() {
                    *out.cell_mut(i, run.at(*height, row, 0)) = S::Base::from_u32(x);
                }
            }
        }
    }
    out
}

/// Fills the fixed columns of a circuit and ties its cells.
pub fn contents<S: Setting>(air: &Air<S>, plan: &Plan, extent: &Extent, circuit: &mut Circuit<S>) -> ByColumn<S::Base> {
    let rows = circuit.rows();
    let mut codes = ByColumn::<S::Base>::zero(plan.selectors, rows);
    let (mut offset, mut copies) = (0, Vec::new());
    for run in &plan.runs {
        let Block { text, height, places, kind, .. } = &plan.blocks[run.block];
        for place in 0..*height {
            for column in plan.code(kind + place) {
                (0..run.rows).for_each(|row| *codes.cell_mut(column, run.at(*height, row, place)) = S::Base::ONE);
            }
        }
        let cell = |variable: usize, row| Cell { column: Column::Early(places[variable].column), row };
        if text.table.is_none() {
            for i in 0..text.variables.len() {
                copies.push((Cell { column: Column::Instance, row: offset + i }, cell(i, run.start)));
            }
            offset += text.variables.len();
        }
        if run.seam {
            let next = text.next_variables().into_iter();
            copies.extend(next.map(|i| (cell(i, run.start), cell(i, run.start + run.rows))));
        }
    }
    let fixed = fixed(air, plan, extent);
    let mut values = codes.values;
    values.extend_from_slice(&fixed.values);
    for &(table, parts) in &plan.tables {
        let contents = plan.lookups.contents(air, table, parts * rows);
        for part in 0..parts {
            let columns = (0..contents.width()).map(|c| &contents.column(c)[part * rows..][..rows]);
            columns.for_each(|column| values.extend_from_slice(column));
        }
    }
    circuit.fixed = ByColumn { values, height: rows };
    circuit.copies = copies;
    fixed
}

impl<S: Setting> Filler<S> {
    /// The cells of a trace.
    pub fn assign(self: &Arc<Self>, trace: &Trace, statement: &[PublicTerm], air: &Air<S>) -> Assignment<S> {
        let height = 1 << self.plan.log_rows;
        let mut early = ByColumn::<S::Base>::zero(self.plan.width, height);
        let columns = early.values.par_chunks_exact_mut(height).enumerate();
        columns.for_each(|(column, cells)| self.fill_column(column, cells, trace, statement, air));
        for run in &self.plan.runs {
            self.fill_products(run, &mut early);
        }
        let filler = Arc::clone(self);
        let late = move |early: &ByColumn<S::Base>, challenges: &Challenges<S::Ext>| filler.late(early, challenges);
        Assignment { early, late: Box::new(late) }
    }

    fn fill_column(&self, column: usize, cells: &mut [S::Base], trace: &Trace, statement: &[PublicTerm], air: &Air<S>) {
        for run in &self.plan.runs {
            let Block { text, height, places, .. } = &self.plan.blocks[run.block];
            for (variable, place) in text.variables.iter().zip(places).filter(|(_, p)| p.column == column) {
                match (variable.source, text.table) {
                    (Source::Main(i), Some(table)) => {
                        let from = &trace.instances[run.origin].cells;
                        let width = air.tables[table].shape().columns.len();
                        for (row, from) in from.chunks_exact(width).take(run.rows).enumerate() {
                            cells[run.at(*height, row, place.row)] = S::Base::from_u32(from[i]);
                        }
                    }
                    (Source::Entry(i), _) => cells[run.start] = S::Base::from_u32(statement[run.origin].tuple[i]),
                    _ => {}
                }
            }
        }
    }

    fn fill_products(&self, run: &Run, early: &mut ByColumn<S::Base>) {
        let Block { text, height, places, .. } = &self.plan.blocks[run.block];
        for (variable, place) in text.variables.iter().zip(places) {
            let Source::Product(body) = variable.source else { continue };
            let nodes = needed(&text.graph, body);
            let values: Vec<S::Base> = (0..run.rows)
                .into_par_iter()
                .map_init(
                    || S::Base::zero_vec(text.graph.nodes().len()),
                    |values, row| {
                        let cell = |column: Column, next: bool| match column {
                            Column::Early(i) => {
                                let row = if next { (row + 1) % run.rows } else { row };
                                early.column(places[i].column)[run.at(*height, row, places[i].row)]
                            }
                            Column::Fixed(i) => self.fixed.column(i)[run.at(*height, row, 0)],
                            _ => S::Base::ZERO,
                        };
                        for &id in &nodes {
                            let at = |id: Id| values[id.0 as usize];
                            values[id.0 as usize] = match text.graph.node(id) {
                                Node::Int(x) => S::Base::from_i64(x),
                                Node::Cell(query) => cell(query.column, query.next),
                                Node::Challenge(_) => S::Base::ZERO,
                                Node::Add(a, b) => at(a) + at(b),
                                Node::Sub(a, b) => at(a) - at(b),
                                Node::Mul(a, b) => at(a) * at(b),
                            };
                        }
                        values[body.0 as usize]
                    },
                )
                .collect();
            for (row, x) in values.into_iter().enumerate() {
                *early.cell_mut(place.column, run.at(*height, row, place.row)) = x;
            }
        }
        if run.seam {
            for i in text.next_variables() {
                let column = places[i].column;
                *early.cell_mut(column, run.start + run.rows) = early.column(column)[run.start];
            }
        }
    }

    /// Helpers, then the running sum of them all.
    fn late(&self, early: &ByColumn<S::Base>, challenges: &Challenges<S::Ext>) -> ByColumn<S::Ext> {
        let (helpers, height) = (self.plan.helpers, 1 << self.plan.log_rows);
        if helpers == 0 {
            return ByColumn { values: Vec::new(), height };
        }
        let values: Vec<Vec<S::Ext>> =
            self.plan.runs.iter().map(|run| self.quotients(run, early, challenges)).collect();
        let mut late = ByColumn::<S::Ext>::zero(helpers + 1, height);
        late.values.par_chunks_exact_mut(height).take(helpers).enumerate().for_each(|(helper, cells)| {
            for (run, values) in self.plan.runs.iter().zip(&values) {
                let pairs = &self.pairs[run.block];
                let high = self.plan.blocks[run.block].height;
                for (p, pair) in pairs.iter().enumerate().filter(|(_, pair)| pair.helper == helper) {
                    let values = values.iter().skip(p).step_by(pairs.len());
                    values.enumerate().for_each(|(row, &x)| cells[run.at(high, row, pair.row)] = x);
                }
            }
        });
        let (values, sums) = late.values.split_at_mut(helpers * height);
        let mut sum = S::Ext::ZERO;
        for (row, out) in sums.iter_mut().enumerate() {
            *out = sum;
            sum += (0..helpers).map(|h| values[h * height + row]).sum::<S::Ext>();
        }
        late
    }

    /// The values of all pairs of a run's rows, row by row.
    fn quotients(&self, run: &Run, early: &ByColumn<S::Base>, challenges: &Challenges<S::Ext>) -> Vec<S::Ext> {
        let Block { text, height, places, .. } = &self.plan.blocks[run.block];
        let fractions: Vec<[Form<S>; 2]> = text
            .fractions
            .iter()
            .map(|f| {
                let mut denominator = Form::constant(challenges.gamma);
                denominator.add(text, places, f.bus, S::Ext::NEG_ONE);
                for (&entry, &beta) in f.tuple.iter().zip(&challenges.beta) {
                    denominator.add(text, places, entry, -beta);
                }
                [Form::of(text, places, f.multiplicity), denominator]
            })
            .collect();
        let pairs = &self.pairs[run.block];
        let mut out = S::Ext::zero_vec(run.rows * pairs.len());
        out.par_chunks_mut(CHUNK * pairs.len().max(1)).enumerate().for_each(|(chunk, out)| {
            let mut denominators = S::Ext::zero_vec(out.len());
            let rows = out.chunks_exact_mut(pairs.len()).zip(denominators.chunks_exact_mut(pairs.len()));
            for (i, (numerators, denominators)) in rows.enumerate() {
                let logical = chunk * CHUNK + i;
                let at =
                    |form: &Form<S>| form.value(|place, next| self.read(run, *height, early, logical, place, next));
                for ((pair, n), d) in pairs.iter().zip(numerators).zip(denominators) {
                    (*n, *d) = pair.fractions.iter().fold((S::Ext::ZERO, S::Ext::ONE), |(m, d), &f| {
                        let [n, e] = fractions[f].each_ref().map(at);
                        (m * e + n * d, d * e)
                    });
                }
            }
            invert(&mut denominators);
            out.iter_mut().zip(denominators).for_each(|(n, d)| *n *= d);
        });
        out
    }
}

impl<S: Setting> Filler<S> {
    /// What does not balance: number of the bus and tuple, and how often it was sent too often.
    pub fn unbalanced(&self, early: &ByColumn<S::Base>) -> Vec<(Vec<S::Base>, S::Base)> {
        let mut balance: HashMap<Vec<S::Base>, S::Base> = HashMap::new();
        for run in &self.plan.runs {
            let Block { text, height, places, .. } = &self.plan.blocks[run.block];
            let forms = text.fractions.iter().map(|f| {
                let entries = std::iter::once(f.bus).chain(f.tuple.iter().copied());
                let entries: Vec<Form<S>> = entries.map(|e| Form::of(text, places, e)).collect();
                (Form::of(text, places, f.multiplicity), entries)
            });
            let forms: Vec<(Form<S>, Vec<Form<S>>)> = forms.collect();
            for row in 0..run.rows {
                let at = |form: &Form<S>| -> S::Base {
                    let value = form.value(|place, next| self.read(run, *height, early, row, place, next));
                    // All that it is made of are base elements.
                    value.as_basis_coefficients_slice()[0]
                };
                for (multiplicity, entries) in &forms {
                    let m = at(multiplicity);
                    if !m.is_zero() {
                        *balance.entry(entries.iter().map(at).collect()).or_default() += m;
                    }
                }
            }
        }
        let mut out: Vec<_> = balance.into_iter().filter(|(_, m)| !m.is_zero()).collect();
        out.sort_by(|a, b| a.0.cmp(&b.0));
        out
    }

    /// A cell of a row of a run.
    fn read(
        &self,
        run: &Run,
        height: usize,
        early: &ByColumn<S::Base>,
        row: usize,
        place: Result<Place, usize>,
        next: bool,
    ) -> S::Base {
        let row = if next { (row + 1) % run.rows } else { row };
        match place {
            Ok(place) => early.column(place.column)[run.at(height, row, place.row)],
            Err(fixed) => self.fixed.column(fixed)[run.at(height, row, 0)],
        }
    }
}

/// A cell that a form reads: of an early column, or of a fixed one; whether one row on.
type Read = (Result<Place, usize>, bool);

/// A linear combination of cells.
struct Form<S: Setting> {
    constant: S::Ext,
    terms: Vec<(Read, S::Ext)>,
}

impl<S: Setting> Form<S> {
    const fn constant(constant: S::Ext) -> Self {
        Self { constant, terms: Vec::new() }
    }

    /// An expression of degree at most 1.
    fn of(text: &Text, places: &[Place], id: Id) -> Self {
        let mut out = Self::constant(S::Ext::ZERO);
        out.add(text, places, id, S::Ext::ONE);
        out
    }

    /// Adds a multiple of an expression of degree at most 1.
    fn add(&mut self, text: &Text, places: &[Place], id: Id, factor: S::Ext) {
        let (mut constant, mut terms) = (0, BTreeMap::new());
        linear(&text.graph, id, 1, &mut constant, &mut terms);
        self.constant += factor * S::Base::from_i64(constant);
        for ((column, next), x) in terms {
            let read = match column {
                Column::Early(i) => (Ok(places[i]), next),
                Column::Fixed(i) => (Err(i), next),
                _ => continue,
            };
            let x = factor * S::Base::from_i64(x);
            match self.terms.iter_mut().find(|t| t.0 == read) {
                Some(term) => term.1 += x,
                None => self.terms.push((read, x)),
            }
        }
    }

    fn value(&self, cell: impl Fn(Result<Place, usize>, bool) -> S::Base) -> S::Ext {
        self.terms.iter().fold(self.constant, |sum, &((place, next), x)| sum + x * cell(place, next))
    }
}

/// Adds the coefficients of a multiple of an expression of degree at most 1.
fn linear(graph: &Graph, id: Id, factor: i64, constant: &mut i64, terms: &mut BTreeMap<(Column, bool), i64>) {
    match graph.node(id) {
        Node::Int(x) => *constant += factor * x,
        Node::Cell(query) => *terms.entry((query.column, query.next)).or_default() += factor,
        Node::Challenge(_) => {}
        Node::Add(a, b) => {
            linear(graph, a, factor, constant, terms);
            linear(graph, b, factor, constant, terms);
        }
        Node::Sub(a, b) => {
            linear(graph, a, factor, constant, terms);
            linear(graph, b, -factor, constant, terms);
        }
        Node::Mul(a, b) => match (graph.node(a), graph.node(b)) {
            (Node::Int(x), _) => linear(graph, b, factor * x, constant, terms),
            (_, Node::Int(x)) => linear(graph, a, factor * x, constant, terms),
            _ => {}
        },
    }
}

/// Nodes that an expression depends on, operands first.
fn needed(graph: &Graph, root: Id) -> Vec<Id> {
    let mut used = vec![false; root.0 as usize + 1];
    used[root.0 as usize] = true;
    for i in (0..used.len()).rev().filter(|&i| i < graph.nodes().len()) {
        if let (true, Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b)) = (used[i], graph.nodes()[i]) {
            used[a.0 as usize] = true;
            used[b.0 as usize] = true;
        }
    }
    (0..root.0 + 1).filter(|&i| used[i as usize]).map(Id).collect()
}

/// Inverts all, zero to zero.
fn invert<E: Field>(values: &mut [E]) {
    let mut prefixes = Vec::with_capacity(values.len());
    let mut product = E::ONE;
    for value in values.iter().filter(|v| !v.is_zero()) {
        prefixes.push(product);
        product *= *value;
    }
    let mut inverse = product.inverse();
    for value in values.iter_mut().rev().filter(|v| !v.is_zero()) {
        let Some(prefix) = prefixes.pop() else { return };
        let here = inverse * prefix;
        inverse *= *value;
        *value = here;
    }
}
