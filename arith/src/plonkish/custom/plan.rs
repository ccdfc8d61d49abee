//! Where everything is: which cells hold the columns of every kind of row, which rows hold which
//! table, and which fixed columns tell them apart.

use std::collections::{BTreeMap, BTreeSet};

use p3_field::BasedVectorSpace;
use trilemma_core::{ConfigError, Setting};

use super::Params;
use super::text::{Degrees, Text};
use crate::air::Air;
use crate::plonkish::circuit::Extent;
use crate::plonkish::graph::Column;
use crate::plonkish::lookups::Lookups;

/// A cell of a row of a kind: a physical row, 0 or 1, and an early column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Physical row.
    pub row: usize,
    /// Early column.
    pub column: usize,
}

/// A kind of row in its cells.
#[derive(Debug, Clone)]
pub struct Block {
    /// What it says.
    pub text: Text,
    /// Physical rows: 1 or 2.
    pub height: usize,
    /// Where its columns are.
    pub places: Vec<Place>,
    /// Physical row of every lookup.
    pub anchors: Vec<usize>,
    /// Number of its first row's selector; the second row's follows.
    pub kind: usize,
}

/// Rows of one block, one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The block.
    pub block: usize,
    /// First physical row.
    pub start: usize,
    /// Rows, each as high as the block.
    pub rows: usize,
    /// Number of the instance in the extent, or of the statement's term.
    pub origin: usize,
    /// Whether a row follows that copies the first.
    pub seam: bool,
}

/// A layout.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Degrees of parts.
    pub degrees: Degrees,
    /// The lookups of the relation.
    pub lookups: Lookups,
    /// Kinds of rows.
    pub blocks: Vec<Block>,
    /// Rows in use, from row 0 on.
    pub runs: Vec<Run>,
    /// log2 of the rows.
    pub log_rows: usize,
    /// Early columns.
    pub width: usize,
    /// Helper columns.
    pub helpers: usize,
    /// Columns of selectors.
    pub selectors: usize,
    /// Fixed columns of tables.
    pub fixed: usize,
    /// Lookup tables that are used, by number, and the parts that each is cut into.
    pub tables: Vec<(usize, usize)>,
    /// Fractions.
    pub fractions: usize,
}

impl Plan {
    /// The cheapest layout for an extent.
    pub fn new<S: Setting>(air: &Air<S>, extent: &Extent, params: Params) -> Result<Self, ConfigError> {
        let degrees = params.degrees()?;
        let lookups = Lookups::of(air);
        let (instances, fractions) = lookups.instances(air, extent)?;
        let mut texts: Vec<(Text, usize)> = Vec::new();
        for t in 0..air.tables.len() {
            let rows: usize = instances.iter().filter(|i| i.table == t).map(|i| i.rows).sum();
            if rows > 0 {
                texts.push((Text::of(air, &lookups, t, degrees), rows));
            }
        }
        let arities: BTreeSet<usize> = extent.statement.iter().map(|(bus, _)| bus.arity).collect();
        for &arity in &arities {
            let rows = extent.statement.iter().filter(|(bus, _)| bus.arity == arity).count();
            texts.push((Text::statement(arity), rows));
        }
        let used: BTreeSet<usize> = texts.iter().flat_map(|t| &t.0.consumers).map(|c| c.table).collect();
        let entries: usize = extent.statement.iter().map(|(bus, _)| bus.arity).sum();
        let seams = instances.iter().filter(|i| air.tables[i.table].shape().uses_next()).count();
        let size = Size {
            texts: &texts,
            tables: used.iter().map(|&n| (n, lookups.tables[n].rows, lookups.tables[n].bus.arity)).collect(),
            least: entries.max(4),
            seams,
            dimension: <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION,
        };
        let best = shapes(&texts, params).flat_map(|(width, helpers)| size.costs(width, helpers, params.split)).min();
        let Some(Cost { width, helpers, log_rows, .. }) = best else {
            return Err(ConfigError("no layout has columns enough for a table".to_string()));
        };

        let common = names(&texts);
        let mut blocks: Vec<Block> = Vec::new();
        let mut kind = 0;
        for (text, _) in texts {
            let height = height(&text, width, helpers).unwrap_or(1);
            let (rows, anchors) = if height == 1 {
                (vec![0; text.variables.len()], vec![0; text.consumers.len()])
            } else {
                two_rows(&text, width, &common)
            };
            let places = rows.into_iter().map(|row| Place { row, column: 0 }).collect();
            blocks.push(Block { text, height, places, anchors, kind });
            kind += height;
        }
        align(&mut blocks, width);

        let mut plan = Self {
            degrees,
            fixed: blocks.iter().map(|b| b.text.fixed).max().unwrap_or(0),
            blocks,
            runs: Vec::new(),
            log_rows,
            width,
            helpers,
            selectors: selectors(kind, degrees.selector),
            tables: used.into_iter().map(|n| (n, parts(lookups.tables[n].rows, log_rows))).collect(),
            fractions,
            lookups,
        };
        let mut start = 0;
        let block = |table, arity| {
            let here = |b: &Block| b.text.table == table && (table.is_some() || b.text.variables.len() == arity);
            plan.blocks.iter().position(here)
        };
        let tables = instances.iter().map(|i| (block(Some(i.table), 0), i.rows, i.origin));
        let terms = extent.statement.iter().enumerate().map(|(i, (bus, _))| (block(None, bus.arity), 1, i));
        for (block, rows, origin) in tables.chain(terms) {
            let Some(block) = block else { continue };
            let seam = plan.blocks[block].text.uses_next;
            plan.runs.push(Run { block, start, rows, origin, seam });
            start += rows * plan.blocks[block].height + usize::from(seam);
        }
        Ok(plan)
    }

    /// Rows in use.
    pub fn used(&self) -> usize {
        let end = |run: &Run| run.start + run.rows * self.blocks[run.block].height + usize::from(run.seam);
        self.runs.last().map_or(0, end)
    }

    /// The selector columns that are 1 on rows of a kind.
    pub fn code(&self, kind: usize) -> Vec<usize> {
        codes(self.selectors, self.degrees.selector).nth(kind).unwrap_or_default()
    }

    /// Early columns whose cells copies may name.
    pub fn permuted(&self) -> BTreeSet<Column> {
        let mut columns = BTreeSet::new();
        for block in &self.blocks {
            let text = &block.text;
            let copied = if text.table.is_none() { (0..text.variables.len()).collect() } else { text.next_variables() };
            columns.extend(copied.into_iter().map(|i| Column::Early(block.places[i].column)));
            if text.table.is_none() && !text.variables.is_empty() {
                columns.insert(Column::Instance);
            }
        }
        columns
    }
}

/// What the cost of a layout depends on.
struct Size<'a> {
    texts: &'a [(Text, usize)],
    /// Number, rows and arity of lookup tables.
    tables: Vec<(usize, usize, usize)>,
    /// The fewest rows.
    least: usize,
    /// Rows that close cycles.
    seams: usize,
    /// Degree of the challenge field.
    dimension: usize,
}

/// What a layout costs; the first field decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    cells: usize,
    width: usize,
    helpers: usize,
    log_rows: usize,
}

impl Size<'_> {
    /// The costs of layouts of this width, if tables fit. The base cells are counted that a prover
    /// commits to, for a lookup half a late column, for a part of a lookup table a count and half a late
    /// column; fixed columns count half.
    fn costs(&self, width: usize, helpers: usize, split: bool) -> Vec<Cost> {
        let rows = self.texts.iter().try_fold(0, |sum, (t, n)| Some(sum + n * height(t, width, helpers)?));
        let Some(rows) = rows else { return Vec::new() };
        let log = |rows: usize| rows.next_power_of_two().trailing_zeros() as usize;
        let least = log(self.least.max(rows + self.seams));
        let longest = self.tables.iter().map(|t| log(t.1)).max().unwrap_or(0).max(least);
        let late = if helpers == 0 { 0 } else { helpers + 1 };
        let slots: usize = self.tables.iter().map(|t| slots(self.texts, t.0, width, helpers)).sum();
        let layouts = if split { least..=longest } else { longest..=longest };
        layouts
            .map(|log_rows| {
                let part =
                    |&(_, rows, arity): &(usize, usize, usize)| parts(rows, log_rows) * (self.dimension + arity + 3);
                let tables: usize = self.tables.iter().map(part).sum();
                let cells = 2 * width + 2 * self.dimension * late + self.dimension * slots + tables;
                Cost { cells: cells << log_rows, width, helpers, log_rows }
            })
            .collect()
    }
}

/// Parts of a lookup table.
const fn parts(rows: usize, log_rows: usize) -> usize {
    rows.div_ceil(1 << log_rows)
}

/// Widths and helper columns to try.
fn shapes(texts: &[(Text, usize)], params: Params) -> impl Iterator<Item = (usize, usize)> {
    let widest = texts.iter().map(|t| t.0.variables.len()).max().unwrap_or(1).max(1);
    let most = texts.iter().map(|t| t.0.fractions.len().div_ceil(2)).max().unwrap_or(0);
    let widths = params.width.map_or(1..=widest, |w| w..=w);
    widths.flat_map(move |width| (0..=most).map(move |helpers| (width, helpers)))
}

/// Physical rows of a row; `None` if two are not enough.
fn height(text: &Text, width: usize, helpers: usize) -> Option<usize> {
    let (columns, pairs) = (text.variables.len(), text.fractions.len().div_ceil(2));
    match (columns <= width && pairs <= helpers, columns <= 2 * width && pairs <= 2 * helpers) {
        (true, _) => Some(1),
        (_, true) if !text.uses_next && text.fixed == 0 => Some(2),
        _ => None,
    }
}

/// Lookups of a row in one table, about.
fn slots(texts: &[(Text, usize)], table: usize, width: usize, helpers: usize) -> usize {
    let lookups = |t: &Text| t.consumers.iter().filter(|c| c.table == table).count();
    let slots = texts.iter().map(|(t, _)| lookups(t).div_ceil(height(t, width, helpers).unwrap_or(1)));
    slots.max().unwrap_or(0)
}

/// How many kinds of rows have a column of a name.
fn names(texts: &[(Text, usize)]) -> BTreeMap<String, usize> {
    let mut common = BTreeMap::new();
    for (text, _) in texts {
        let names: BTreeSet<&String> = text.variables.iter().map(|v| &v.name).collect();
        names.into_iter().for_each(|name| *common.entry(name.clone()).or_default() += 1);
    }
    common
}

/// The rows of columns and of lookups. A lookup is on the second row if all that it reads is there,
/// so half of the lookups in every table take their columns there; columns with common names stay on
/// the first row.
fn two_rows(text: &Text, width: usize, common: &BTreeMap<String, usize>) -> (Vec<usize>, Vec<usize>) {
    let reads = |i: usize| -> BTreeSet<usize> {
        text.reads(text.consumers[i].inputs.iter().copied()).into_iter().map(|r| r.0).collect()
    };
    let commonness = |i: usize| common.get(&text.variables[i].name).copied().unwrap_or(0);
    let mut second: BTreeSet<usize> = BTreeSet::new();
    let mut anchors = vec![0; text.consumers.len()];
    let mut left: BTreeMap<usize, usize> = BTreeMap::new();
    text.consumers.iter().for_each(|c| *left.entry(c.table).or_default() += 1);
    left.values_mut().for_each(|n| *n /= 2);
    let mut order: Vec<usize> = (0..text.consumers.len()).collect();
    order.sort_by_key(|&i| (reads(i).len(), reads(i).iter().map(|&c| commonness(c)).max()));
    for i in order {
        let columns = &second | &reads(i);
        let left = left.entry(text.consumers[i].table).or_default();
        if *left > 0 && columns.len() <= width {
            second = columns;
            anchors[i] = 1;
            *left -= 1;
        }
    }
    let mut first: Vec<usize> = (0..text.variables.len()).filter(|i| !second.contains(i)).collect();
    first.sort_by_key(|&i| std::cmp::Reverse(commonness(i)));
    second.extend(first.into_iter().skip(width));
    ((0..text.variables.len()).map(|i| usize::from(second.contains(&i))).collect(), anchors)
}

/// Gives every column of every block a column of the circuit, the same to equal names where that can
/// be.
fn align(blocks: &mut [Block], width: usize) {
    let mut holders: BTreeMap<(usize, &str), Vec<(usize, usize)>> = BTreeMap::new();
    for (b, block) in blocks.iter().enumerate() {
        for (v, (variable, place)) in block.text.variables.iter().zip(&block.places).enumerate() {
            holders.entry((place.row, &variable.name)).or_default().push((b, v));
        }
    }
    let mut holders: Vec<Vec<(usize, usize)>> = holders.into_values().collect();
    holders.sort_by_key(|h| (std::cmp::Reverse(h.len()), h[0]));
    let mut taken = vec![[vec![false; width], vec![false; width]]; blocks.len()];
    let mut places: Vec<(usize, usize, usize)> = Vec::new();
    let mut rest = Vec::new();
    for holders in holders {
        let row = |&(b, v): &(usize, usize)| blocks[b].places[v].row;
        let free = |c: &usize| holders.iter().all(|h| !taken[h.0][row(h)][*c]);
        let distinct = holders.iter().map(|h| h.0).collect::<BTreeSet<_>>().len() == holders.len();
        let Some(column) = (0..width).find(free).filter(|_| distinct) else {
            rest.extend(holders);
            continue;
        };
        for h in &holders {
            taken[h.0][row(h)][column] = true;
            places.push((h.0, h.1, column));
        }
    }
    for (b, v) in rest {
        let taken = &mut taken[b][blocks[b].places[v].row];
        let column = taken.iter().position(|t| !t).unwrap_or(0);
        taken[column] = true;
        places.push((b, v, column));
    }
    places.into_iter().for_each(|(b, v, column)| blocks[b].places[v].column = column);
}

/// Codewords of this many selector columns: sets of `degree` of them or, as one more column could be
/// added that makes up for it, of one fewer.
fn codes(columns: usize, degree: usize) -> impl Iterator<Item = Vec<usize>> {
    let single = (0..columns).map(|i| vec![i]);
    let pairs = (0..columns).flat_map(|j| (0..j).map(move |i| vec![i, j])).filter(move |_| degree == 2);
    pairs.chain(single)
}

/// Selector columns for this many kinds of rows.
fn selectors(kinds: usize, degree: usize) -> usize {
    (0..=kinds).find(|&columns| codes(columns, degree).nth(kinds.max(1) - 1).is_some() || kinds == 0).unwrap_or(kinds)
}
