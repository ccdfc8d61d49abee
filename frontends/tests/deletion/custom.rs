//! Circuits of wide rows: for every kind of row, forged cells that one gate or lookup refuses there and
//! nothing else does, the balance of buses apart.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use p3_field::PrimeCharacteristicRing;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use trilemma_arith::Air;
use trilemma_arith::air::{PublicTerm, Trace};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Circuit, Column, Custom, Extent, Id, Node, Params, Query, Report};
use trilemma_arith::r1cs::ByColumn;
use trilemma_piop::check_plonkish::Values;

use super::local::{Body, Poly, System, Tables};
use super::{E, F, S, Tally};
use crate::plonkish::Part;

/// States that a search tries.
const BUDGET: usize = 60_000;

/// The rows of a table, or of the statement's terms of one length.
#[derive(Clone)]
pub struct Kind {
    pub name: String,
    pub start: usize,
    /// Physical rows of a row.
    pub height: usize,
    pub rows: usize,
}

impl Kind {
    const fn at(&self, row: usize) -> usize {
        self.start + row * self.height
    }

    /// Whether they are rows of a table.
    pub fn is_table(&self) -> bool {
        !self.is_statement() && self.name != UNUSED
    }

    /// Whether they are rows of the statement's terms.
    pub fn is_statement(&self) -> bool {
        self.name.starts_with("statement")
    }
}

/// Name of rows that are not in use.
const UNUSED: &str = "not in use";

/// The kinds of rows of a circuit, one run each, in order; rows not in use last.
pub fn kinds(report: &Report, rows: usize) -> Vec<Kind> {
    let mut start = 0;
    let mut kinds = Vec::new();
    for share in report.shares.iter().filter(|s| s.rows > 0) {
        kinds.push(Kind { name: share.name.clone(), start, height: share.height, rows: share.rows });
        start += share.rows * share.height;
    }
    assert_eq!(start, report.used);
    kinds.push(Kind { name: UNUSED.to_string(), start, height: 1, rows: rows - start });
    kinds
}

/// A circuit with honest cells.
pub struct Lowered {
    pub circuit: Circuit<S>,
    pub early: ByColumn<F>,
    pub kinds: Vec<Kind>,
    tables: Tables<F>,
    /// Table of every lookup.
    looked: Vec<usize>,
    gates: Vec<usize>,
    ones: Challenges<F>,
}

impl Lowered {
    pub fn new(air: &Air<S>, trace: &Trace, terms: &[PublicTerm], params: Params) -> (Self, Custom<S>) {
        use trilemma_arith::plonkish::Lowering;
        let (circuit, custom) = Custom::lower_with(air, &Extent::of(air, trace, terms), params).unwrap();
        let early = custom.assign(air, trace, terms).early;
        let mut tables = Tables::default();
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut looked = Vec::new();
        for lookup in &circuit.lookups {
            let number = known.entry(lookup.table.clone()).or_insert_with(|| {
                let rows = lookup.parts().flat_map(|part| {
                    let columns: Vec<&[F]> = part.iter().map(|&c| circuit.fixed.column(c)).collect();
                    (0..circuit.rows()).map(move |r| columns.iter().map(|c| c[r]).collect::<Vec<F>>())
                });
                let tuples: std::collections::HashSet<Vec<F>> = rows.collect();
                let width = lookup.inputs.len();
                let positions = match tuples.len() {
                    0..4096 => 1..width,
                    _ if width == 3 => 1..2,
                    _ => width - 1..width,
                };
                tables.push(tuples, positions)
            });
            looked.push(*number);
        }
        let gates = (0..circuit.gates.len()).filter(|&i| !circuit.graph.is_late(circuit.gates[i].expr)).collect();
        let kinds = kinds(&custom.report(&circuit), circuit.rows());
        let ones = Challenges::new(F::ONE, F::ONE, circuit.arity);
        (Self { circuit, early, kinds, tables, looked, gates, ones }, custom)
    }

    fn width(&self) -> usize {
        self.circuit.early.len()
    }

    /// An expression on a physical row in the cells of the row of a kind that starts at `first`.
    fn poly(&self, known: &mut HashMap<(usize, Id), Poly<F>>, (first, row): (usize, usize), id: Id) -> Poly<F> {
        if let Some(poly) = known.get(&(row, id)) {
            return poly.clone();
        }
        let mut of = |id| self.poly(known, (first, row), id);
        let poly = match self.circuit.graph.node(id) {
            Node::Int(x) => Poly::constant(F::from_i64(x)),
            Node::Cell(Query { column, next }) => {
                let at = row + usize::from(next);
                match column {
                    Column::Fixed(i) => Poly::constant(self.circuit.fixed.column(i)[at % self.circuit.rows()]),
                    Column::Early(i) => Poly::var((at - first) * self.width() + i),
                    _ => panic!("a late cell in an early gate"),
                }
            }
            Node::Challenge(_) => panic!("a challenge in an early gate"),
            Node::Add(a, b) => of(a).plus(&of(b), F::ONE),
            Node::Sub(a, b) => of(a).plus(&of(b), F::NEG_ONE),
            Node::Mul(a, b) => {
                let left = of(a);
                if left.is_zero() { left } else { left.times(&of(b)) }
            }
        };
        known.insert((row, id), poly.clone());
        poly
    }

    /// What the circuit says of the rows of a kind, as it says it of one of them; and which part says it, on
    /// which physical row of the row.
    fn system(&self, kind: &Kind, row: usize) -> (System<'_, F>, Vec<(usize, Part)>) {
        let first = kind.at(row);
        let mut known = HashMap::new();
        let (mut relations, mut parts) = (Vec::new(), Vec::new());
        for place in 0..kind.height {
            let at = (first, first + place);
            for &i in &self.gates {
                let poly = self.poly(&mut known, at, self.circuit.gates[i].expr);
                if !poly.is_zero() {
                    relations.push(Body::Zero(poly));
                    parts.push((place, Part::Gate(i)));
                }
            }
            for (i, lookup) in self.circuit.lookups.iter().enumerate() {
                let inputs: Vec<Poly<F>> = lookup.inputs.iter().map(|&id| self.poly(&mut known, at, id)).collect();
                if inputs.iter().any(|p| !p.is_zero()) {
                    relations.push(Body::In(inputs, self.looked[i]));
                    parts.push((place, Part::Lookup(i)));
                }
            }
        }
        // No kind of rows reads beyond its own.
        let unknowns = kind.height * self.width();
        (System::new(&self.tables, unknowns, relations), parts)
    }

    fn cells(&self, kind: &Kind, row: usize) -> Vec<F> {
        self.cells_of(&self.early, kind, row)
    }

    fn cells_of(&self, early: &ByColumn<F>, kind: &Kind, row: usize) -> Vec<F> {
        let places = kind.at(row)..kind.at(row) + kind.height;
        places.flat_map(|r| (0..self.width()).map(move |c| early.column(c)[r])).collect()
    }

    /// Sets the cells of a kind's first row.
    fn set(&self, early: &mut ByColumn<F>, kind: &Kind, cells: &[F]) {
        for (j, &x) in cells.iter().enumerate() {
            *early.cell_mut(j % self.width(), kind.start + j / self.width()) = x;
        }
    }

    /// Early gates and lookups that do not hold on some physical rows.
    pub fn broken(&self, early: &ByColumn<F>, rows: impl Iterator<Item = usize>) -> BTreeSet<(usize, Part)> {
        let mut broken = BTreeSet::new();
        let mut values = Vec::new();
        for row in rows {
            let at = |Query { column, next }: Query| {
                let row = (row + usize::from(next)) % self.circuit.rows();
                match column {
                    Column::Fixed(i) => self.circuit.fixed.column(i)[row],
                    Column::Early(i) => early.column(i)[row],
                    Column::Late(_) | Column::Instance => F::ZERO,
                }
            };
            self.circuit.graph.evaluate(&self.ones, at, &mut values);
            let bad = self.gates.iter().filter(|&&i| values[self.circuit.gates[i].expr.0 as usize] != F::ZERO);
            broken.extend(bad.map(|&i| (row, Part::Gate(i))));
            for (i, lookup) in self.circuit.lookups.iter().enumerate() {
                let tuple: Vec<F> = lookup.inputs.iter().map(|e| values[e.0 as usize]).collect();
                if !self.tables.holds(self.looked[i], &tuple) {
                    broken.insert((row, Part::Lookup(i)));
                }
            }
        }
        broken
    }

    /// What a part says.
    pub fn what(&self, part: Part) -> String {
        match part {
            Part::Gate(i) => self.circuit.gates[i].what.clone(),
            Part::Lookup(i) => self.circuit.lookups[i].what.clone(),
            Part::Copy(i) => format!("copy {i}"),
        }
    }

    /// The gates and lookups that say something of the rows of a kind.
    pub fn said(&self, kind: &Kind) -> BTreeSet<Part> {
        self.system(kind, 0).1.into_iter().map(|(_, part)| part).collect()
    }

    /// The constraints of a table that a gate states.
    fn stated<'a>(&'a self, table: &str, part: Part) -> Vec<&'a str> {
        let Part::Gate(i) = part else { return Vec::new() };
        let named = self.circuit.gates[i].what.split(", ").filter_map(|what| what.split_once(": "));
        named.filter(|(name, _)| *name == table).map(|(_, what)| what).collect()
    }

    /// Which gates and lookups on rows of a kind are needed, and the cells that the last one alone refuses: found by a
    /// search, or else among the early cells of circuits with a forged first row, and checked against the circuit
    /// itself.
    pub fn search(&self, kind: &Kind, forged: impl Fn() -> Vec<ByColumn<F>>) -> (Tally, Option<(Part, ByColumn<F>)>) {
        let forged =
            LazyCell::new(|| -> Vec<Vec<F>> { forged().iter().map(|early| self.cells_of(early, kind, 0)).collect() });
        let mut rng = SmallRng::seed_from_u64(3);
        let (system, parts) = self.system(kind, 0);
        // Rows with fixed columns say other things than the first.
        let same = |row: &usize| {
            let cells = self.cells(kind, *row);
            (0..parts.len()).all(|i| system.holds(i, &cells))
        };
        let seeds: Vec<Vec<F>> = (0..kind.rows).filter(same).take(64).map(|row| self.cells(kind, row)).collect();
        let mut tally = Tally::default();
        let (mut early, mut last) = (self.early.clone(), None);
        for (i, &(place, part)) in parts.iter().enumerate() {
            let name = format!("{}: {} ({})", kind.name, self.what(part), self.formula(&system.relations[i]));
            let cells = system.forge(i, &seeds, BUDGET, &mut rng).or_else(|| system.refused(i, &forged));
            let sort = if matches!(part, Part::Gate(_)) { "gates" } else { "lookups" };
            tally.add(sort, system.shown(i, cells.is_some()), || name);
            let Some(cells) = cells else { continue };
            self.set(&mut early, kind, &cells);
            let around = kind.start.saturating_sub(1)..kind.start + kind.height;
            let broken = self.broken(&early, around);
            assert_eq!(broken, BTreeSet::from([(kind.start + place, part)]), "{}: {}", kind.name, self.what(part));
            self.set(&mut early, kind, &self.cells(kind, 0));
            last = Some((part, cells));
        }
        let named = self.gates.iter().filter(|&&i| !self.stated(&kind.name, Part::Gate(i)).is_empty());
        assert_eq!(tally.all(|sort| sort == "gates"), named.count(), "{}", kind.name);
        let last = last.map(|(part, cells)| {
            self.set(&mut early, kind, &cells);
            (part, early)
        });
        (tally, last)
    }

    /// A lookup's tuple or nothing, for names that tell lookups of one slot apart.
    fn formula(&self, body: &Body<F>) -> String {
        match body {
            Body::Zero(_) => "zero".to_string(),
            Body::In(inputs, _) => {
                let vars: BTreeSet<usize> = inputs.iter().flat_map(Poly::vars).collect();
                let width = self.width();
                let name = |v: usize| format!("{}{}", self.circuit.early[v % width], ["", "'"][v / width]);
                vars.into_iter().map(name).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// Helpers: on two rows of every kind a helper's cell is changed so that the sum stays as it was, and one
/// gate alone has to refuse it. The gates that did. A kind of one row borrows the second from another.
pub fn helpers(values: &mut Values<'_, S>, kinds: &[Kind], tally: &mut Tally) -> BTreeSet<usize> {
    let circuit = values.circuit;
    let mut heard = BTreeSet::new();
    for (number, kind) in kinds.iter().enumerate().filter(|(_, k)| k.rows > 0) {
        for place in 0..kind.height {
            let others = kinds.iter().enumerate().filter(|(n, k)| *n != number && k.rows > 0 && k.height > place);
            let seconds: Vec<usize> = match kind.rows {
                1 => others.map(|(_, other)| other.at(0) + place).collect(),
                _ => vec![kind.at(1) + place],
            };
            for helper in 0..circuit.late.len() - 1 {
                let mut tries = seconds.iter().map(|&second| refusing(values, helper, kind.at(0) + place, second));
                let gate = tries.find_map(|broken| <[usize; 1]>::try_from(broken).ok());
                let name = || format!("{}: {} on row {place}", kind.name, circuit.late[helper]);
                tally.add("helpers", gate.is_some(), name);
                heard.extend(gate.into_iter().flatten());
            }
        }
    }
    heard
}

/// The gates that refuse a helper that is changed on two rows by as much, up and down.
fn refusing(values: &mut Values<'_, S>, helper: usize, a: usize, b: usize) -> Vec<usize> {
    let (first, last) = (a.min(b), a.max(b));
    let sum = values.circuit.late.len() - 1;
    let add = |late: &mut ByColumn<E>, x: E| {
        *late.cell_mut(helper, first) += x;
        *late.cell_mut(helper, last) -= x;
        (first + 1..=last).for_each(|row| *late.cell_mut(sum, row) += x);
    };
    add(&mut values.late, E::TWO);
    let rows = first.saturating_sub(1)..=last;
    let broken: BTreeSet<usize> = rows.flat_map(|row| broken_gates(values, row)).collect();
    add(&mut values.late, -E::TWO);
    broken.into_iter().collect()
}

/// Gates that are not zero on a row.
pub fn broken_gates(values: &Values<'_, S>, row: usize) -> Vec<usize> {
    let circuit = values.circuit;
    let at = |Query { column, next }: Query| {
        let row = (row + usize::from(next)) % circuit.rows();
        values.cell(trilemma_arith::plonkish::Cell { column, row })
    };
    let mut nodes: Vec<E> = Vec::new();
    circuit.graph.evaluate(&values.challenges, at, &mut nodes);
    let gates = circuit.gates.iter().enumerate();
    gates.filter(|(_, g)| nodes[g.expr.0 as usize] != E::ZERO).map(|(i, _)| i).collect()
}

/// All parts that are broken, by kind and number.
pub fn broken_parts(values: &Values<'_, S>) -> BTreeMap<Part, usize> {
    let mut parts = BTreeMap::new();
    let gates = values.broken_gates().into_iter().map(|b| Part::Gate(b.1));
    let lookups = values.broken_lookups().into_iter().map(|b| Part::Lookup(b.1));
    let copies = values.broken_copies().into_iter().map(Part::Copy);
    gates.chain(lookups).chain(copies).for_each(|part| *parts.entry(part).or_default() += 1);
    parts
}
