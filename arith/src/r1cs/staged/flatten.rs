//! From the tables of an AIR to a staged system: where wires lie, what the matrices are, and what values
//! a trace gives.

use p3_field::{Field, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_core::{ConfigError, Setting};

use super::super::R1cs;
use super::super::export::{FlatBlock, Wire};
use super::super::fill::{Assignment, Variables};
use super::super::linear::Var;
use super::{CHALLENGES, Matrices, Staged, Witness, Writer};
use crate::air::{Air, PublicTerm, Trace};
use crate::kernel::Challenges;
use crate::plonkish::Extent;
use crate::table::Bus;

/// One wire of a constraint of a block, with its coefficients in the three matrices.
struct Entry {
    wire: Wire,
    constant: [i64; 3],
    /// Matrix, fixed column, factor.
    fixed: Vec<(usize, usize, i64)>,
}

/// A block as the rows of matrices.
struct Template {
    flat: FlatBlock,
    /// Wires of a row that are early: advice, then products.
    early: usize,
    fractions: usize,
    rows: Vec<Vec<Entry>>,
}

impl Template {
    fn of(r1cs: &R1cs, table: usize) -> Self {
        let block = &r1cs.blocks[table];
        let flat = FlatBlock::of(block);
        let rows = flat.rows.iter().map(|sides| {
            let mut row: Vec<Entry> = Vec::new();
            for (matrix, side) in sides.iter().enumerate() {
                for &(wire, fixed, x) in side {
                    let at = row.iter().position(|e| e.wire == wire).unwrap_or_else(|| {
                        row.push(Entry { wire, constant: [0; 3], fixed: Vec::new() });
                        row.len() - 1
                    });
                    match fixed {
                        Some(column) => row[at].fixed.push((matrix, column, x)),
                        None => row[at].constant[matrix] += x,
                    }
                }
            }
            row
        });
        let rows = rows.collect();
        Self { early: block.main.len() + block.products.len(), fractions: block.fractions.len(), rows, flat }
    }

    const fn late(&self) -> usize {
        self.flat.width - self.early
    }

    fn nonzeros(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }
}

/// Where an instance lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    table: usize,
    rows: usize,
    /// Its first early wire.
    early: usize,
    /// Its first late wire.
    late: usize,
}

/// The layout of the system of an AIR at an extent. Making it takes time of the relation's text and the
/// statement, not of the rows.
pub struct Flattening {
    r1cs: R1cs,
    templates: Vec<Template>,
    places: Vec<Place>,
    statement: Vec<(Bus, i64)>,
    /// Sizes, without matrices.
    sizes: Sizes,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sizes {
    entries: usize,
    early: usize,
    late: usize,
    constraints: usize,
    nonzeros: usize,
    fractions: usize,
}

/// The rows of every instance. A table with fixed columns has all of its rows, and there is one of it.
fn rows<S: Setting>(air: &Air<S>, extent: &Extent) -> Result<Vec<(usize, usize)>, ConfigError> {
    let refused = |what: &str| ConfigError(format!("extent: {what}"));
    if !extent.instances.is_sorted_by_key(|i| i.0) {
        return Err(refused("instances are not in the order of the tables"));
    }
    let mut list = Vec::new();
    for &(table, rows) in &extent.instances {
        let shape = air.tables.get(table).ok_or_else(|| refused("an instance of no table"))?.shape();
        let rows = if shape.fixed.is_empty() { rows } else { shape.fixed_height };
        if shape.uses_next() && !rows.is_power_of_two() {
            return Err(refused("a table that reads the next row has no power of two of rows"));
        }
        list.push((table, rows));
    }
    for (table, kernel) in air.tables.iter().enumerate() {
        let count = list.iter().filter(|i| i.0 == table).count();
        let fits = if kernel.shape().fixed.is_empty() { count <= air.max_instances } else { count == 1 };
        if !fits {
            return Err(refused("a number of instances that the relation does not allow"));
        }
    }
    let sum = list.iter().try_fold(0usize, |sum, i| sum.checked_add(i.1));
    if sum.is_none_or(|sum| sum > air.max_rows) {
        return Err(refused("more rows than the relation allows"));
    }
    Ok(list)
}

impl Flattening {
    /// Lays out the system.
    ///
    /// # Errors
    /// The relation does not allow the extent, or the system is too large.
    pub fn new<S: Setting>(air: &Air<S>, extent: &Extent) -> Result<Self, ConfigError> {
        let rows = rows(air, extent)?;
        let r1cs = R1cs::of(air);
        let templates: Vec<Template> = (0..r1cs.blocks.len()).map(|table| Template::of(&r1cs, table)).collect();
        let powers = r1cs.max_arity.saturating_sub(1);
        let entries: usize = extent.statement.iter().map(|(bus, _)| bus.arity).sum();
        let terms = extent.statement.len();
        // A power of `beta` takes three entries, the square two; an entry three and one in its fingerprint; a
        // fraction, `gamma` and 1 three and one in the sum; the sum its constant.
        let mut s = Sizes {
            entries,
            early: 0,
            late: powers + entries + terms,
            constraints: powers + entries + terms + 1,
            nonzeros: (3 * powers).saturating_sub(1) + 4 * entries + 4 * terms + 1,
            fractions: terms,
        };
        let mut places = Vec::with_capacity(rows.len());
        for (table, rows) in rows {
            let t = &templates[table];
            places.push(Place { table, rows, early: s.early, late: s.late });
            s.early += rows * t.early;
            s.late += rows * t.late();
            s.constraints += rows * t.rows.len();
            s.nonzeros += rows * (t.nonzeros() + t.fractions);
            s.fractions += rows * t.fractions;
        }
        let wires = 1 + entries + CHALLENGES + s.early + s.late;
        if [wires, s.constraints, s.nonzeros].into_iter().any(|n| u32::try_from(n).is_err()) {
            return Err(ConfigError("extent: the system has more than 2^32 wires, constraints or entries".into()));
        }
        if s.fractions as f64 >= 2f64.powi(S::Base::bits() as i32 - 1) {
            return Err(ConfigError("extent: more fractions than the characteristic allows".into()));
        }
        for place in &mut places {
            place.early += 1 + entries + CHALLENGES;
            place.late += 1 + entries + CHALLENGES + s.early;
        }
        Ok(Self { r1cs, templates, places, statement: extent.statement.clone(), sizes: s })
    }

    /// The system without its matrices.
    pub fn form<S: Setting>(&self) -> Staged<S> {
        let Sizes { entries, early, late, constraints, nonzeros, fractions } = self.sizes;
        let arity = self.r1cs.max_arity;
        Staged { entries, early, late, constraints, nonzeros, arity, fractions, matrices: Matrices::default() }
    }

    /// The whole system.
    pub fn system<S: Setting>(&self, air: &Air<S>) -> Staged<S> {
        let form = self.form::<S>();
        let mut writer = Writer::default();
        self.write_statement(&form, &mut writer);
        for place in &self.places {
            self.write_instance(air, &form, place, &mut writer);
        }
        let late = form.public() + form.early;
        let mut sum = self.statement_fractions(late);
        for place in &self.places {
            let t = &self.templates[place.table];
            sum.extend((0..place.rows).flat_map(|row| {
                let first = place.late + row * t.late();
                first..first + t.fractions
            }));
        }
        sum.into_iter().for_each(|wire| writer.push(wire, ints([1, 0, 0])));
        writer.push(0, ints([0, 1, 0]));
        writer.end_row();
        assert_eq!(writer.matrices.rows(), form.constraints);
        assert_eq!(writer.matrices.nonzeros(), form.nonzeros);
        Staged { matrices: writer.matrices, ..form }
    }

    /// Powers of `beta` that are wires of their own.
    const fn powers(&self) -> usize {
        self.r1cs.max_arity.saturating_sub(1)
    }

    /// The wire of `beta^(i+1)`.
    const fn power(&self, i: usize) -> usize {
        let public = 1 + self.sizes.entries + CHALLENGES;
        if i == 0 { public - 1 } else { public + self.sizes.early + i - 1 }
    }

    /// The fractions of the statement, when late wires start at `late`.
    fn statement_fractions(&self, late: usize) -> Vec<usize> {
        let ends = self.statement.iter().scan(late + self.powers(), |wire, (bus, _)| {
            *wire += bus.arity + 1;
            Some(*wire - 1)
        });
        ends.collect()
    }

    /// The constraints of the powers of `beta` and of the statement.
    fn write_statement<S: Setting>(&self, form: &Staged<S>, w: &mut Writer<S::Base>) {
        let (gamma, beta) = (form.constants(), form.constants() + 1);
        for i in 1..=self.powers() {
            if i == 1 {
                w.push(beta, ints([1, 1, 0]));
            } else {
                w.push(self.power(i - 1), ints([1, 0, 0]));
                w.push(beta, ints([0, 1, 0]));
            }
            w.push(self.power(i), ints([0, 0, 1]));
            w.end_row();
        }
        let (mut public, mut wire) = (1, form.public() + form.early + self.powers());
        for &(bus, multiplicity) in &self.statement {
            let first = wire;
            for i in 0..bus.arity {
                w.push(public, ints([1, 0, 0]));
                w.push(self.power(i), ints([0, 1, 0]));
                w.push(wire, ints([0, 0, 1]));
                w.end_row();
                (public, wire) = (public + 1, wire + 1);
            }
            w.push(wire, ints([1, 0, 0]));
            w.push(gamma, ints([0, 1, 0]));
            w.push(0, ints([0, -i64::from(bus.id), multiplicity]));
            (first..wire).for_each(|entry| w.push(entry, ints([0, -1, 0])));
            w.end_row();
            wire += 1;
        }
    }

    fn write_instance<S: Setting>(&self, air: &Air<S>, form: &Staged<S>, place: &Place, w: &mut Writer<S::Base>) {
        let t = &self.templates[place.table];
        let fixed = air.tables[place.table].fixed();
        let constants: Vec<Vec<[S::Base; 3]>> =
            t.rows.iter().map(|row| row.iter().map(|entry| ints(entry.constant)).collect()).collect();
        let kinds: Vec<Vec<u32>> =
            constants.iter().map(|row| row.iter().map(|&values| w.kind(values)).collect()).collect();
        let fixed = |column: usize, row: usize| S::Base::from_u32(fixed[column][row]);
        for row in 0..place.rows {
            for (entries, (constants, kinds)) in t.rows.iter().zip(constants.iter().zip(&kinds)) {
                for (entry, (&constant, &kind)) in entries.iter().zip(constants.iter().zip(kinds)) {
                    let wire = self.wire(form, place, row, entry.wire);
                    if entry.fixed.is_empty() {
                        w.push_kind(wire, kind);
                        continue;
                    }
                    let mut values = constant;
                    for &(matrix, column, x) in &entry.fixed {
                        values[matrix] += fixed(column, row) * S::Base::from_i64(x);
                    }
                    w.push(wire, values);
                }
                w.end_row();
            }
        }
    }

    fn wire<S: Setting>(&self, form: &Staged<S>, place: &Place, row: usize, wire: Wire) -> usize {
        let t = &self.templates[place.table];
        let of_row = |row: usize, k: usize| {
            if k < t.early { place.early + row * t.early + k } else { place.late + row * t.late() + k - t.early }
        };
        match wire {
            Wire::One => 0,
            Wire::Gamma => form.constants(),
            Wire::Power(i) => self.power(i),
            Wire::Here(k) => of_row(row, k),
            Wire::Next(k) => of_row((row + 1) % place.rows, k),
        }
    }

    /// The private wires of a trace of this extent.
    ///
    /// # Errors
    /// The trace or the statement has another extent.
    pub fn assign<S: Setting>(
        self,
        air: &Air<S>,
        trace: &Trace,
        statement: &[PublicTerm],
    ) -> Result<Witness<S>, ConfigError> {
        let fits = |(place, i): (&Place, &crate::air::Instance)| {
            let shape = air.tables[place.table].shape();
            let height = 1usize << i.log_height;
            let rows = if shape.uses_next() { place.rows == height } else { place.rows <= height };
            i.table == place.table && rows && i.cells.len() <= place.rows * shape.columns.len()
        };
        let same = trace.instances.len() == self.places.len();
        let instances = same && self.places.iter().zip(&trace.instances).all(fits);
        let terms = statement.iter().map(|t| (t.bus, t.multiplicity));
        let tuples = statement.iter().all(|t| t.tuple.len() == t.bus.arity);
        if !instances || !tuples || !terms.eq(self.statement.iter().copied()) {
            return Err(ConfigError("extent: the trace or the statement has another".into()));
        }
        let mut assignment = Assignment::new(&self.r1cs, air, trace);
        let early = self.early(&assignment);
        let statement = statement.to_vec();
        let late = move |challenges: &Challenges<S::Ext>| {
            assignment.fill_helpers(&self.r1cs, challenges);
            self.late(&assignment, &statement, challenges)
        };
        Ok(Witness { early, late: Box::new(late) })
    }

    /// The values of early wires, from an assignment of this extent.
    pub fn early<S: Setting>(&self, assignment: &Assignment<S>) -> Vec<S::Base> {
        let mut values = S::Base::zero_vec(self.sizes.early);
        let mut rest = values.as_mut_slice();
        for (place, v) in self.places.iter().zip(&assignment.instances) {
            let width = self.templates[place.table].early;
            let (here, after) = rest.split_at_mut(place.rows * width);
            rest = after;
            let columns: Vec<&[S::Base]> =
                [&v.main, &v.aux].into_iter().flat_map(|c| (0..c.width()).map(|i| c.column(i))).collect();
            here.par_chunks_exact_mut(width.max(1)).with_min_len(1 << 8).enumerate().for_each(|(row, cells)| {
                cells.iter_mut().zip(&columns).for_each(|(cell, column)| *cell = column[row]);
            });
        }
        values
    }

    /// The values of late wires, from an assignment of this extent whose fractions are filled.
    pub fn late<S: Setting>(
        &self,
        assignment: &Assignment<S>,
        statement: &[PublicTerm],
        challenges: &Challenges<S::Ext>,
    ) -> Vec<S::Ext> {
        let mut values = challenges.beta.get(1..).unwrap_or_default().to_vec();
        for term in statement {
            let tuple: Vec<S::Ext> = term.tuple.iter().map(|&x| S::Ext::from_u32(x)).collect();
            let denominator: S::Ext = challenges.denominator(term.bus, &tuple);
            values.extend(tuple.iter().zip(&challenges.beta).map(|(&x, &power)| x * power));
            values.push(S::Ext::from_i64(term.multiplicity) * denominator.try_inverse().unwrap_or_default());
        }
        let mut start = values.len();
        values.resize(self.sizes.late, S::Ext::ZERO);
        for (place, v) in self.places.iter().zip(&assignment.instances) {
            let t = &self.templates[place.table];
            let here = &mut values[start..start + place.rows * t.late()];
            start += here.len();
            let entries: Vec<(S::Ext, Vec<(Var, S::Base)>)> = t
                .flat
                .entries
                .iter()
                .map(|(power, entry)| {
                    let terms = entry.terms().map(|(_, var, x)| (var, S::Base::from_i64(x)));
                    (challenges.beta[*power], terms.collect())
                })
                .collect();
            here.par_chunks_exact_mut(t.late().max(1)).with_min_len(1 << 8).enumerate().for_each(|(row, cells)| {
                let (fractions, products) = cells.split_at_mut(t.fractions);
                fractions.iter_mut().enumerate().for_each(|(j, cell)| *cell = v.helpers.column(j)[row]);
                for (cell, (power, terms)) in products.iter_mut().zip(&entries) {
                    *cell = *power * terms.iter().map(|&(var, x)| early_value(v, var, row) * x).sum::<S::Base>();
                }
            });
        }
        values
    }
}

/// A variable known with the trace.
fn early_value<S: Setting>(v: &Variables<S>, var: Var, row: usize) -> S::Base {
    match var {
        Var::One => S::Base::ONE,
        Var::Fixed(i) => v.fixed.column(i)[row],
        Var::Main(i) => v.main.column(i)[row],
        Var::Next(i) => v.main.column(i)[(row + 1) % v.height()],
        Var::Aux(i) => v.aux.column(i)[row],
        Var::Helper(_) => S::Base::ZERO,
    }
}

fn ints<F: Field>(values: [i64; 3]) -> [F; 3] {
    values.map(F::from_i64)
}
