//! Where blocks are, what fixed columns hold, and which cells are equal.

use std::collections::{BTreeSet, HashMap};

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use trilemma_core::{ConfigError, Setting};

use super::gates::Val;
use super::native::Native;
use super::plan::Plan;
use crate::air::Air;
use crate::plonkish::{Cell, Column, Extent, Rows};
use crate::r1cs::ByColumn;

/// A wire, and a row of a block.
type Place = (usize, usize);

/// Fixed columns before those of lookups.
pub(super) const GATE_COLUMNS: [&str; 7] = ["left", "right", "product", "output", "constant", "fold", "bus"];

/// The blocks of the rows of one instance, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    /// Index of the table.
    pub(super) table: usize,
    /// Number of the instance in the trace.
    pub(super) origin: usize,
    /// Rows of the instance.
    pub(super) count: usize,
    /// First row of the first block.
    pub(super) start: usize,
}

/// A circuit's rows: one for every constant, the statement's, then the blocks.
pub(super) struct Layout {
    /// Constants in increasing order: row `i` holds number `i` on its wire `c`.
    pub(super) constants: Vec<i64>,
    /// The statement's block, which follows.
    pub(super) statement: Plan,
    /// Blocks, by table.
    pub(super) plans: Vec<Plan>,
    /// The instances.
    pub(super) placed: Vec<Placed>,
    /// log2 of all rows.
    pub(super) log_rows: usize,
    /// Public values.
    pub(super) instance: usize,
    /// Fractions.
    pub(super) fractions: usize,
    /// Rows in use.
    pub(super) used: usize,
}

/// Fixed columns that select what is looked up in a table of tuples of this width.
pub(super) const fn selectors(width: usize) -> usize {
    match width {
        0 => 0,
        1 => 1,
        _ => 3,
    }
}

/// A column by number of its wire.
pub(super) const fn column(wire: usize) -> Column {
    if wire < 3 { Column::Early(wire) } else { Column::Late(wire - 3) }
}

impl Layout {
    /// The rows of a circuit.
    pub(super) fn of<S: Setting>(air: &Air<S>, native: &Native, extent: &Extent) -> Result<Self, ConfigError> {
        let (instances, _) = native.lookups.instances(air, extent)?;
        let plan = |t: usize| {
            let kept = native.lookups.kept[t];
            if kept { Plan::of_table(air.tables[t].shape(), native, t) } else { Plan::default() }
        };
        let plans: Vec<Plan> = (0..air.tables.len()).map(plan).collect();
        let statement = Plan::of_statement(extent);
        let constants = plans.iter().chain([&statement]).flat_map(Plan::constants).chain([0]);
        let constants: Vec<i64> = constants.collect::<BTreeSet<i64>>().into_iter().collect();

        let mut fractions = statement.fractions.len();
        let mut used = constants.len() + statement.rows();
        let mut placed = Vec::new();
        for Rows { table, rows: count, origin } in instances {
            placed.push(Placed { table, origin, count, start: used });
            let rows = plans[table].rows().checked_mul(count).and_then(|rows| rows.checked_add(used));
            used = rows.filter(|&rows| rows < 1 << 40).ok_or_else(|| ConfigError("too many rows".to_string()))?;
            fractions += plans[table].fractions.len() * count;
        }
        let instance = extent.statement.iter().map(|(bus, _)| bus.arity).sum();
        let rows = used.max(native.rows(air)).max(instance);
        let log_rows = rows.next_power_of_two().trailing_zeros() as usize;
        Ok(Self { constants, statement, plans, placed, log_rows, instance, fractions, used })
    }

    /// The row of a constant.
    pub(super) fn constant(&self, x: i64) -> usize {
        self.constants.binary_search(&x).expect("all constants have rows")
    }

    /// Plans that have rows, with the first row of their first block and the number of blocks, in the order of rows.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (&Plan, usize, usize)> {
        let statement = (&self.statement, self.constants.len(), 1);
        let tables = self.placed.iter().map(|p| (&self.plans[p.table], p.start, p.count));
        std::iter::once(statement).chain(tables).filter(|(plan, ..)| plan.rows() > 0)
    }

    /// Fixed columns, without those of the lookup table.
    pub(super) fn fixed<S: Setting>(&self, air: &Air<S>, width: usize) -> Vec<Vec<S::Base>> {
        let mut columns = vec![vec![S::Base::ZERO; 1 << self.log_rows]; GATE_COLUMNS.len() + selectors(width)];
        for (row, &x) in self.constants.iter().enumerate() {
            columns[3][row] = S::Base::ONE;
            columns[4][row] = -S::Base::from_i64(x);
        }
        columns.par_iter_mut().enumerate().for_each(|(c, column)| {
            for (plan, start, count) in self.blocks() {
                let template: Vec<S::Base> = template(plan, c).into_iter().map(S::Base::from_i64).collect();
                for block in column[start..].chunks_exact_mut(template.len()).take(count) {
                    block.copy_from_slice(&template);
                }
            }
        });
        for p in &self.placed {
            let plan = &self.plans[p.table];
            let pins = plan.gates.iter().enumerate().filter_map(|(row, gate)| Some((row, gate.pins?)));
            let fixed =
                if plan.gates.iter().any(|g| g.pins.is_some()) { air.tables[p.table].fixed() } else { Vec::new() };
            for (row, i) in pins {
                for (block, &x) in fixed[i].iter().enumerate().take(p.count) {
                    columns[4][p.start + block * plan.rows() + row] = -S::Base::from_u32(x);
                }
            }
        }
        columns
    }

    /// Pairs of equal cells.
    pub(super) fn copies(&self) -> Vec<(Cell, Cell)> {
        let mut copies = Vec::new();
        let at = |wire: usize, row: usize| Cell { column: column(wire), row };
        let mut constants: Vec<Cell> = (0..self.constants.len()).map(|row| at(2, row)).collect();
        let mut instance: Vec<Cell> = (0..self.instance).map(|row| Cell { column: Column::Instance, row }).collect();
        let zero = at(2, self.constant(0));
        let mut sum = zero;
        for (plan, start, count) in self.blocks() {
            let rows = plan.rows();
            let mut last: HashMap<Val, Place> = HashMap::new();
            let (mut pairs, mut outside) = (Vec::new(), Vec::new());
            for (val, wire, row) in plan.occurrences() {
                match last.insert(val, (wire, row)) {
                    Some(before) => pairs.push((before, (wire, row))),
                    None => match val {
                        Val::Const(x) => outside.push((val, self.constant(x), (wire, row))),
                        Val::Instance(i) => outside.push((val, i, (wire, row))),
                        _ => {}
                    },
                }
            }
            let homes = plan.homes();
            let link = |(val, &home): (&Val, &Place)| match val {
                Val::Next(i) => Some((home, *homes.get(&Val::Main(*i))?)),
                _ => None,
            };
            let mut next: Vec<(Place, Place)> = homes.iter().filter_map(link).collect();
            next.sort_unstable();
            copies.reserve(count * (pairs.len() + outside.len() + next.len() + plan.fractions.len()));
            for block in 0..count {
                let first = start + block * rows;
                let cell = |(wire, row): Place| at(wire, first + row);
                copies.extend(pairs.iter().map(|&(a, b)| (cell(a), cell(b))));
                for &(val, i, place) in &outside {
                    let chain = if matches!(val, Val::Const(_)) { &mut constants } else { &mut instance };
                    copies.push((chain[i], cell(place)));
                    chain[i] = cell(last[&val]);
                }
                let following = start + (block + 1) % count * rows;
                copies.extend(next.iter().map(|&(here, (wire, row))| (cell(here), at(wire, following + row))));
                for (k, fraction) in plan.fractions.iter().enumerate() {
                    let row = first + plan.first_fraction() + k;
                    let (before, after) = if fraction.receives { (5, 3) } else { (3, 5) };
                    copies.push((sum, at(before, row)));
                    sum = at(after, row);
                }
            }
        }
        if sum != zero {
            copies.push((sum, zero));
        }
        copies
    }
}

/// The values of a fixed column on the rows of a block.
fn template(plan: &Plan, column: usize) -> Vec<i64> {
    let mut out = vec![0; plan.rows()];
    let selectors = plan.gates.iter().map(|gate| {
        let looked = gate.looked.map_or([0; 3], |l| [l.tag, l.second, i64::from(l.wires)]);
        match column {
            0 => gate.q.l,
            1 => gate.q.r,
            2 => gate.q.m,
            3 => gate.q.o,
            4 => gate.q.k,
            5 | 6 => 0,
            c => looked[c - GATE_COLUMNS.len()],
        }
    });
    out.iter_mut().zip(selectors).for_each(|(out, x)| *out = x);
    match column {
        5 => out.iter_mut().zip(&plan.folds).for_each(|(out, fold)| *out = 1 + fold.constant),
        6 => {
            let buses = plan.fractions.iter().map(|f| i64::from(f.bus));
            out[plan.first_fraction()..].iter_mut().zip(buses).for_each(|(out, bus)| *out = bus);
        }
        _ => {}
    }
    out
}

/// Columns as one.
pub(super) fn joined<S: Setting>(columns: Vec<Vec<S::Base>>, more: ByColumn<S::Base>) -> ByColumn<S::Base> {
    let height = more.height;
    let values = columns.into_iter().chain([more.values]).flatten().collect();
    ByColumn { values, height }
}
