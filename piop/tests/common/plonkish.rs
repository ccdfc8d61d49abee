//! Circuits of relations and traces, in the form in which a circuit and its relation say the same; and
//! forged cells, which all of a circuit accepts but for one part.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::{BTreeSet, HashMap, HashSet};

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use trilemma_arith::air::{PublicTerm, Trace};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Cell, Circuit, Column, Custom, Extent, Id, Lookups, Params, Query, Role, instance};
use trilemma_arith::r1cs::ByColumn;
use trilemma_arith::{Air, Bus};
use trilemma_core::Setting;
use trilemma_piop::check::{check, for_rows};
use trilemma_piop::check_plonkish::{Values, Violation};

/// Challenges that nobody chose.
pub fn challenges<S: Setting>(air: &Air<S>, seed: u64) -> Challenges<S::Ext> {
    use rand::SeedableRng;
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut random = || trilemma_core::setting::ext_from_fn::<S>(|_| S::Base::from_u64(rng.random()));
    Challenges::new(random(), random(), air.max_arity())
}

/// A trace in the form that circuits know: rows that are not real left out, the bit set on others, and
/// lookups counted.
pub fn normal<S: Setting>(air: &Air<S>, trace: &Trace) -> Trace {
    let mut trace = trace.clone();
    for instance in &mut trace.instances {
        let shape = air.tables[instance.table].shape();
        let width = shape.columns.len();
        if shape.columns[0].name == "real" && !shape.uses_next() {
            let rows = instance.cells.chunks(width).filter(|row| row[0] != 0);
            instance.cells = rows.flat_map(|row| [&[1], &row[1..]].concat()).collect();
        } else {
            instance.cells.resize(width << instance.log_height, 0);
        }
    }
    let lookups = Lookups::of(air);
    let mut counts: HashMap<(Bus, Vec<S::Base>), u32> = HashMap::new();
    for instance in &trace.instances {
        for_rows(air.tables[instance.table].as_ref(), instance, |_, cells| {
            let values = air.tables[instance.table].row(cells);
            for ((bus, m, tuple), role) in values.interactions.into_iter().zip(&lookups.roles[instance.table]) {
                if matches!(role, Role::Consumer(_)) && m == S::Base::ONE {
                    *counts.entry((bus, tuple)).or_default() += 1;
                }
            }
        });
    }
    for instance in &mut trace.instances {
        let kernel = air.tables[instance.table].as_ref();
        let (width, roles) = (kernel.shape().columns.len(), &lookups.roles[instance.table]);
        let mut cells = instance.cells.clone();
        let provided: Vec<usize> = (0..roles.len()).filter(|&i| roles[i] == Role::Provider).collect();
        if !provided.is_empty() {
            for_rows(kernel, instance, |row, values| {
                let interactions = kernel.row(values).interactions;
                for (&i, &column) in provided.iter().zip(&lookups.counting[instance.table]) {
                    let (bus, _, tuple) = interactions[i].clone();
                    cells[row * width + column] = counts.remove(&(bus, tuple)).unwrap_or(0);
                }
            });
        }
        instance.cells = cells;
    }
    trace
}

/// Whether a trace satisfies a relation, on which its circuit has to agree.
pub fn agreed<S: Setting>(name: &str, air: &Air<S>, terms: &[PublicTerm], trace: &Trace, params: Params) -> bool {
    let trace = normal(air, trace);
    let violations = check(air, terms, &trace, 1);
    let circuit = violations_of(air, terms, &trace, params);
    assert_eq!(violations.is_empty(), circuit.is_empty(), "{name}, {params:?}: {violations:?}, {circuit:?}");
    circuit.is_empty()
}

/// What a circuit finds wrong with a trace.
pub fn violations_of<S: Setting>(air: &Air<S>, terms: &[PublicTerm], trace: &Trace, params: Params) -> Vec<Violation> {
    use trilemma_arith::plonkish::Lowering;
    let extent = Extent::of(air, trace, terms);
    let (circuit, custom) = Custom::lower_with(air, &extent, params).unwrap();
    let assignment = custom.assign(air, trace, terms);
    Values::new(&circuit, assignment, instance::<S>(terms), challenges(air, 1)).violations(3)
}

/// A part of a circuit that could be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    Gate(usize),
    Lookup(usize),
    Copy(usize),
}

/// Changes early cells so that of all parts without late cells only one does not hold.
pub struct Forger<'a, S: Setting> {
    circuit: &'a Circuit<S>,
    gates: Vec<(usize, Id)>,
    tables: HashMap<&'a [usize], HashSet<Vec<S::Base>>>,
    /// Rows of the statement, whose cells are copies of the instance.
    instance: BTreeSet<usize>,
    /// Rows by the selectors that are 1 there.
    kinds: Vec<Vec<usize>>,
    ones: Challenges<S::Base>,
}

impl<'a, S: Setting<Base: PrimeField64>> Forger<'a, S> {
    pub fn new(circuit: &'a Circuit<S>) -> Self {
        let gates = circuit.gates.iter().enumerate().map(|(i, g)| (i, g.expr));
        let mut tables: HashMap<&[usize], HashSet<Vec<S::Base>>> = HashMap::new();
        for lookup in &circuit.lookups {
            tables.entry(&lookup.table).or_insert_with(|| {
                let rows = lookup.parts().flat_map(|part| {
                    let columns: Vec<&[S::Base]> = part.iter().map(|&c| circuit.fixed.column(c)).collect();
                    (0..circuit.rows()).map(move |r| columns.iter().map(|c| c[r]).collect())
                });
                rows.collect()
            });
        }
        let codes = (0..circuit.fixed_names.len()).filter(|&c| circuit.fixed_names[c].starts_with("kind "));
        let codes: Vec<&[S::Base]> = codes.map(|c| circuit.fixed.column(c)).collect();
        let mut kinds: HashMap<Vec<S::Base>, Vec<usize>> = HashMap::new();
        for row in 0..circuit.rows() {
            kinds.entry(codes.iter().map(|c| c[row]).collect()).or_default().push(row);
        }
        let mut kinds: Vec<Vec<usize>> = kinds.into_values().collect();
        kinds.sort_unstable();
        Self {
            circuit,
            kinds,
            gates: gates.filter(|(_, e)| !circuit.graph.is_late(*e)).collect(),
            tables,
            instance: circuit.copies.iter().filter(|c| c.0.column == Column::Instance).map(|c| c.1.row).collect(),
            ones: Challenges::new(S::Base::ONE, S::Base::ONE, circuit.arity),
        }
    }

    /// Gates without late cells.
    pub fn early_gates(&self) -> impl Iterator<Item = usize> + '_ {
        self.gates.iter().map(|g| g.0)
    }

    fn nodes(&self, early: &ByColumn<S::Base>, row: usize) -> Vec<S::Base> {
        let mut values = Vec::new();
        let at = |Query { column, next }: Query| {
            let row = (row + usize::from(next)) % self.circuit.rows();
            match column {
                Column::Fixed(i) => self.circuit.fixed.column(i)[row],
                Column::Early(i) => early.column(i)[row],
                Column::Late(_) | Column::Instance => S::Base::ZERO,
            }
        };
        self.circuit.graph.evaluate(&self.ones, at, &mut values);
        values
    }

    /// What does not hold on some rows.
    pub fn broken(&self, early: &ByColumn<S::Base>, rows: impl IntoIterator<Item = usize>) -> BTreeSet<(usize, Part)> {
        let mut broken = BTreeSet::new();
        for row in rows {
            let values = self.nodes(early, row);
            let gates = self.gates.iter().filter(|(_, e)| !values[e.0 as usize].is_zero());
            broken.extend(gates.map(|(i, _)| (row, Part::Gate(*i))));
            for (i, lookup) in self.circuit.lookups.iter().enumerate() {
                let tuple: Vec<S::Base> = lookup.inputs.iter().map(|e| values[e.0 as usize]).collect();
                if !self.tables[&lookup.table[..]].contains(&tuple) {
                    broken.insert((row, Part::Lookup(i)));
                }
            }
        }
        for (i, (a, b)) in self.circuit.copies.iter().enumerate().filter(|(_, c)| c.0.column != Column::Instance) {
            if let (Column::Early(a_column), Column::Early(b_column)) = (a.column, b.column)
                && early.column(a_column)[a.row] != early.column(b_column)[b.row]
            {
                broken.insert((a.row, Part::Copy(i)));
            }
        }
        broken
    }

    /// The early cells that a part reads on a row.
    fn cells(&self, part: Part, row: usize) -> Vec<Cell> {
        let roots: Vec<Id> = match part {
            Part::Gate(i) => vec![self.circuit.gates[i].expr],
            Part::Lookup(i) => self.circuit.lookups[i].inputs.clone(),
            Part::Copy(i) => return [self.circuit.copies[i].0, self.circuit.copies[i].1].to_vec(),
        };
        let queries = self.circuit.graph.queries(roots).into_iter().filter(|q| matches!(q.column, Column::Early(_)));
        let cell = |q: Query| Cell { column: q.column, row: (row + usize::from(q.next)) % self.circuit.rows() };
        queries.map(cell).filter(|c| !self.instance.contains(&c.row)).collect()
    }

    /// The value of a gate on a row with another value in a cell.
    fn gate_with(&self, early: &mut ByColumn<S::Base>, gate: Id, row: usize, cell: Cell, x: S::Base) -> S::Base {
        let Column::Early(column) = cell.column else { return S::Base::ONE };
        let old = std::mem::replace(early.cell_mut(column, cell.row), x);
        let value = self.nodes(early, row)[gate.0 as usize];
        *early.cell_mut(column, cell.row) = old;
        value
    }

    /// Values of a cell with which a gate is zero.
    fn roots(&self, early: &mut ByColumn<S::Base>, gate: Id, row: usize, cell: Cell) -> Vec<S::Base> {
        let Column::Early(column) = cell.column else { return Vec::new() };
        let old = early.column(column)[cell.row];
        let [d0, d1, d2] =
            [S::Base::ZERO, S::Base::ONE, S::Base::TWO].map(|x| self.gate_with(early, gate, row, cell, old + x));
        let slope = d1 - d0;
        if d2 - d1 == slope {
            return if slope.is_zero() { Vec::new() } else { vec![old - d0 * slope.inverse()] };
        }
        let tries = [0i64, 1, 2, -1, 65536, -65536, 255, 256].map(S::Base::from_i64);
        let shifted = tries.map(|x| old + x);
        let tries = tries.into_iter().chain(shifted);
        tries.filter(|&x| self.gate_with(early, gate, row, cell, x).is_zero()).collect()
    }

    /// Changes a cell that a part reads, then repairs other parts one cell at a time.
    pub fn forge(&self, honest: &ByColumn<S::Base>, part: Part, rng: &mut SmallRng) -> Option<ByColumn<S::Base>> {
        let mut early = honest.clone();
        let rows = self.circuit.rows();
        let row = match part {
            Part::Copy(i) => self.circuit.copies[i].0.row,
            _ => *self.kinds.choose(rng)?.choose(rng)?,
        };
        let &cell = self.cells(part, row).choose(rng)?;
        let Column::Early(column) = cell.column else { return None };
        let old = early.column(column)[cell.row];
        let near = [-2, -1, 1, 2, 65536, -65536].map(|x| old + S::Base::from_i64(x));
        let far = [-old, S::Base::NEG_ONE, S::Base::ONE, S::Base::ZERO, S::Base::from_u32(rng.random())];
        let new = *[&near[..], &far[..]].concat().choose(rng)?;
        if new == old {
            return None;
        }
        *early.cell_mut(column, cell.row) = new;
        let around = |row: usize| [(row + rows - 1) % rows, row];
        let mut broken = self.broken(&early, around(cell.row));
        let mut touched = vec![cell];
        for _ in 0..12 {
            let (target, other): (Vec<_>, Vec<_>) = broken.iter().partition(|b| b.1 == part);
            if target.is_empty() {
                return None;
            }
            let Some(&(row, other)) = other.choose(rng) else { return Some(early) };
            let free: Vec<Cell> = self.cells(other, row).into_iter().filter(|c| !touched.contains(c)).collect();
            let &cell = free.choose(rng)?;
            let Column::Early(column) = cell.column else { return None };
            let new = match other {
                Part::Gate(i) => *self.roots(&mut early, self.circuit.gates[i].expr, row, cell).choose(rng)?,
                Part::Lookup(_) => S::Base::from_u32([0, 1, 2, 5, 200][rng.random_range(0..5)]),
                Part::Copy(i) => {
                    let (a, b) = self.circuit.copies[i];
                    let from = if cell == a { b } else { a };
                    let Column::Early(column) = from.column else { return None };
                    early.column(column)[from.row]
                }
            };
            *early.cell_mut(column, cell.row) = new;
            touched.push(cell);
            let again = around(cell.row);
            broken.retain(|(row, part)| !again.contains(row) && !matches!(part, Part::Copy(_)));
            broken.extend(self.broken(&early, again));
        }
        None
    }
}
