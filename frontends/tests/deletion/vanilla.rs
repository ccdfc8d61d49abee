//! Circuits of three wires, one table at a time: for the gates, lookups and copies of one block, cells that one
//! of them alone refuses, the balance of buses apart.
//!
//! Equal cells are one class. A gate that reads a class first, in a term of its own, is taken for its
//! definition, so that a search has no more unknowns than the table has columns. Early cells outside of a block that
//! are copied into it hold constants.

use std::cell::LazyCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use trilemma_arith::Air;
use trilemma_arith::air::{PublicTerm, Trace};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{BlockSize, Cell, Circuit, Column, Extent, Lowering, Query, Vanilla};
use trilemma_arith::r1cs::ByColumn;

use super::local::{Body, Poly, System, Tables};
use super::{E, F, S, Tally};
use crate::common::search::signed;

/// States that a search tries.
const BUDGET: usize = 12_000;
/// Copies of one table that are tried.
const COPIES: usize = 48;
/// Wires: three early ones, three late ones.
const WIRES: usize = 6;

/// What could be missing from a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Part {
    /// A gate, by row of the block and number.
    Gate(usize, usize),
    Lookup(usize),
    /// A copy, by number.
    Copy(usize),
}

/// The circuit of a table and what it looks up, and one block of it: the last, so that no other has copies of
/// its constants.
pub struct Lone<'a> {
    air: &'a Air<S>,
    trace: Trace,
    terms: [PublicTerm; 1],
    lowering: Vanilla,
    size: BlockSize,
    circuit: Circuit<S>,
    early: ByColumn<F>,
    late: ByColumn<E>,
    challenges: Challenges<E>,
    tables: Tables<F>,
    start: usize,
    /// Copies with a cell in the block, but for those of the sum of fractions after it.
    copies: Vec<usize>,
    /// Whether blocks differ in fixed columns.
    pinned: bool,
}

/// Cells of a block by class; a class with a cell elsewhere has its value.
struct Classes {
    of: Vec<usize>,
    outside: HashSet<usize>,
}

/// A block as a system.
struct Equations<'a> {
    system: System<'a, F>,
    /// The relation of the part that could be missing.
    target: usize,
    /// Unknowns by class.
    unknowns: HashMap<usize, usize>,
    /// Classes that gates define.
    defined: HashMap<usize, Poly<F>>,
}

fn root(of: &mut [usize], mut i: usize) -> usize {
    while of[i] != i {
        of[i] = of[of[i]];
        i = of[i];
    }
    i
}

impl<'a> Lone<'a> {
    /// The circuit of the last table of an AIR, whose trace has as many rows as there are to start from.
    pub fn new(air: &'a Air<S>, trace: Trace) -> Self {
        let buses = air.tables.iter().flat_map(|t| &t.shape().interactions).map(|i| i.bus);
        let bus = buses.max_by_key(|b| (!b.lookup, b.arity)).unwrap();
        let terms = [PublicTerm { bus, multiplicity: 1, tuple: vec![0; bus.arity] }];
        let (circuit, lowering) = Vanilla::lower(air, &Extent::of(air, &trace, &terms)).unwrap();
        let assignment = lowering.assign(air, &trace, &terms);
        let challenges = crate::plonkish::challenges(air, 1);
        let challenges = Challenges::new(challenges.gamma, challenges.beta[0], circuit.arity);
        let late = (assignment.late)(&assignment.early, &challenges);
        let tuples: HashSet<Vec<F>> = circuit
            .lookups
            .iter()
            .flat_map(|l| {
                let columns: Vec<&[F]> = l.table.iter().map(|&c| circuit.fixed.column(c)).collect();
                (0..circuit.rows()).map(move |r| columns.iter().map(|c| c[r]).collect::<Vec<F>>())
            })
            .collect();
        let mut tables = Tables::default();
        tables.push(tuples, 1..2);
        let block = lowering.blocks(air).pop().unwrap();
        let pinned = !air.tables[air.tables.len() - 1].shape().fixed.is_empty();
        let start = block.start + (block.count - 1) * block.rows;
        let inside = |c: &Cell| (start..start + block.rows).contains(&c.row) && c.column != Column::Instance;
        // The sum of fractions after the block is what the statement makes it.
        let after = |c: &Cell| c.row >= start + block.rows && matches!(c.column, Column::Late(_));
        let kept = |(a, b): &(Cell, Cell)| (inside(a) || inside(b)) && !after(a) && !after(b);
        let last = circuit.copies.len() - 1;
        let copies = (0..last).filter(|&k| kept(&circuit.copies[k])).collect();
        let (size, early) = (block, assignment.early);
        Self { air, trace, terms, lowering, size, circuit, early, late, challenges, tables, start, copies, pinned }
    }

    /// The early cells of a circuit whose block is of this row of the table.
    fn with_row(&self, row: &[F]) -> ByColumn<F> {
        let mut trace = self.trace.clone();
        let cells = &mut trace.instances.last_mut().unwrap().cells;
        let start = cells.len() - row.len();
        cells[start..][..row.len()].iter_mut().zip(row).for_each(|(cell, x)| *cell = x.as_canonical_u32());
        self.lowering.assign(self.air, &trace, &self.terms).early
    }

    /// The number of a cell: early ones come first, so that a class is named by one if it has one.
    const fn number(&self, row: usize, wire: usize) -> usize {
        if wire < 3 { row * 3 + wire } else { (self.size.rows + row) * 3 + wire - 3 }
    }

    /// Row and wire of a cell.
    const fn place(&self, number: usize) -> (usize, usize) {
        let (row, wire) = (number / 3, number % 3);
        if row < self.size.rows { (row, wire) } else { (row - self.size.rows, 3 + wire) }
    }

    fn index(&self, cell: Cell) -> Option<usize> {
        let row = cell.row.checked_sub(self.start).filter(|r| *r < self.size.rows)?;
        match cell.column {
            Column::Early(i) => Some(self.number(row, i)),
            Column::Late(i) => Some(self.number(row, 3 + i)),
            _ => None,
        }
    }

    /// The honest value of a cell outside of the block, or in it.
    fn at(&self, cell: Cell) -> E {
        match cell.column {
            Column::Early(i) => self.early.column(i)[cell.row].into(),
            Column::Late(i) => self.late.column(i)[cell.row],
            _ => E::ZERO,
        }
    }

    fn classes(&self, without: Option<usize>) -> Classes {
        let mut of: Vec<usize> = (0..self.size.rows * WIRES).collect();
        let mut outside = Vec::new();
        for &k in self.copies.iter().filter(|k| Some(**k) != without) {
            let (a, b) = self.circuit.copies[k];
            match (self.index(a), self.index(b)) {
                (Some(a), Some(b)) => {
                    let (a, b) = (root(&mut of, a), root(&mut of, b));
                    of[a.max(b)] = a.min(b);
                }
                (Some(cell), None) | (None, Some(cell)) => outside.push(cell),
                (None, None) => {}
            }
        }
        (0..of.len()).for_each(|i| of[i] = root(&mut of, i));
        let outside = outside.into_iter().map(|cell| of[cell]).collect();
        Classes { of, outside }
    }

    /// The honest value of an early cell's class, in a block.
    fn honest(&self, class: usize, block: usize) -> F {
        self.value(&self.early, class, block)
    }

    fn value(&self, early: &ByColumn<F>, class: usize, block: usize) -> F {
        let (row, wire) = self.place(class);
        if wire < 3 { early.column(wire)[self.start - block * self.size.rows + row] } else { F::ZERO }
    }

    fn fixed(&self, name: &str, row: usize) -> F {
        let names = &self.circuit.fixed_names;
        names.iter().position(|n| n == name).map_or(F::ZERO, |c| self.circuit.fixed.column(c)[self.start + row])
    }

    /// What may be missing: gates and lookups, all of them, and copies, some of every kind.
    fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let gates = [&["left", "right", "product", "output"][..], &["fold"], &["bus"]];
        for row in 0..self.size.rows {
            let any = |names: &[&str]| names.iter().any(|n| !self.fixed(n, row).is_zero());
            parts.extend((0..3).filter(|&i| any(gates[i])).map(|i| Part::Gate(row, i)));
            parts.extend(any(&["tag"]).then_some(Part::Lookup(row)));
        }
        let mut copies = self.candidates();
        copies.shuffle(&mut SmallRng::seed_from_u64(5));
        let mut kinds = HashSet::new();
        let (first, more): (Vec<usize>, Vec<usize>) = copies.into_iter().partition(|&k| kinds.insert(self.kind(k)));
        let left = COPIES.saturating_sub(first.len());
        parts.extend(first.into_iter().chain(more.into_iter().take(left)).map(Part::Copy));
        parts
    }

    /// Copies that may be missing.
    fn candidates(&self) -> Vec<usize> {
        self.copies.clone()
    }

    /// The columns of a copy, and whether both of its cells are in the block.
    fn kind(&self, copy: usize) -> (Column, Column, bool) {
        let (a, b) = self.circuit.copies[copy];
        (a.column, b.column, self.index(a).is_some() && self.index(b).is_some())
    }

    fn sides(&self, classes: &Classes, copy: usize) -> [Option<usize>; 2] {
        let (a, b) = self.circuit.copies[copy];
        [a, b].map(|cell| self.index(cell).map(|i| classes.of[i]))
    }

    fn equations(&self, classes: &Classes, part: Part) -> Equations<'_> {
        let at = |wire: usize, row: usize| classes.of[self.number(row, wire)];
        let mut looked = HashSet::new();
        for row in (0..self.size.rows).filter(|&r| !self.fixed("tag", r).is_zero()) {
            looked.insert(at(2, row));
            looked
                .extend((!self.fixed("wires", row).is_zero()).then(|| [at(0, row), at(1, row)]).into_iter().flatten());
        }
        let mut unknowns: HashMap<usize, usize> = HashMap::new();
        let mut defined: HashMap<usize, Poly<F>> = HashMap::new();
        let mut seen = HashSet::new();
        let (mut relations, mut target) = (Vec::new(), 0);
        let mut value = |class: usize, defined: &HashMap<usize, Poly<F>>| match defined.get(&class) {
            _ if classes.outside.contains(&class) => Poly::constant(self.honest(class, 0)),
            Some(poly) => poly.clone(),
            None => {
                let next = unknowns.len();
                Poly::var(*unknowns.entry(class).or_insert(next))
            }
        };
        for row in 0..self.size.rows {
            let q = ["left", "right", "product", "output", "constant"].map(|n| self.fixed(n, row));
            if q.iter().any(|x| !x.is_zero()) {
                let wires = [0, 1, 2].map(|w| at(w, row));
                let reads = [!q[0].is_zero() || !q[2].is_zero(), !q[1].is_zero() || !q[2].is_zero(), !q[3].is_zero()];
                let [a, b, c] = [0, 1, 2].map(|w| if reads[w] { value(wires[w], &defined) } else { Poly::default() });
                let poly = Poly::constant(q[4]).plus(&a, q[0]).plus(&b, q[1]).plus(&a.times(&b), q[2]).plus(&c, q[3]);
                let is_target = part == Part::Gate(row, 0);
                let definition = [2, 0, 1].into_iter().filter(|&w| reads[w] && !is_target).find_map(|w| {
                    let new = !seen.contains(&wires[w]) && !looked.contains(&wires[w]);
                    let var = value(wires[w], &defined).vars();
                    let var = var.first().filter(|_| new && !classes.outside.contains(&wires[w]))?;
                    Some((wires[w], poly.defines(*var)?))
                });
                match definition {
                    Some((class, poly)) => drop(defined.insert(class, poly)),
                    None => {
                        if is_target {
                            target = relations.len();
                        }
                        relations.push(Body::Zero(poly));
                    }
                }
                seen.extend((0..3).filter(|&w| reads[w]).map(|w| wires[w]));
            }
            let [tag, second, wires] = ["tag", "second", "wires"].map(|n| self.fixed(n, row));
            if !tag.is_zero() {
                let [a, b, c] = [0, 1, 2].map(|w| value(at(w, row), &defined));
                let zero = Poly::default();
                let inputs = [
                    Poly::constant(tag),
                    zero.plus(&c, tag),
                    Poly::constant(second).plus(&b, wires),
                    zero.plus(&a, wires),
                ];
                let width = self.circuit.lookups[0].inputs.len();
                if part == Part::Lookup(row) {
                    target = relations.len();
                }
                relations.push(Body::In(inputs[..width].to_vec(), 0));
            }
        }
        if let Part::Copy(copy) = part {
            let (a, b) = self.circuit.copies[copy];
            let outside = |cell: Cell| match cell.column {
                Column::Early(i) => Poly::constant(self.early.column(i)[cell.row]),
                _ => Poly::default(),
            };
            let [a, b] =
                [a, b].map(|cell| self.index(cell).map_or_else(|| outside(cell), |i| value(classes.of[i], &defined)));
            target = relations.len();
            relations.push(Body::Zero(a.plus(&b, F::NEG_ONE)));
        }
        let system = System::new(&self.tables, unknowns.len(), relations);
        Equations { system, target, unknowns, defined }
    }

    /// Early classes' values that break a part only.
    fn forge(
        &self,
        classes: &Classes,
        part: Part,
        forged: &LazyCell<Vec<ByColumn<F>>, impl FnOnce() -> Vec<ByColumn<F>>>,
        rng: &mut SmallRng,
    ) -> Option<HashMap<usize, F>> {
        let equations = self.equations(classes, part);
        let blocks = 0..if self.pinned { 1 } else { self.size.count };
        let seed = |early: &ByColumn<F>, block: usize| {
            let mut seed = F::zero_vec(equations.unknowns.len());
            equations.unknowns.iter().for_each(|(&class, &var)| seed[var] = self.value(early, class, block));
            seed
        };
        let seeds: Vec<Vec<F>> = blocks.map(|block| seed(&self.early, block)).collect();
        let (system, target) = (&equations.system, equations.target);
        let values = system.forge(target, &seeds, BUDGET, rng).or_else(|| {
            let forged: Vec<Vec<F>> = forged.iter().map(|early| seed(early, 0)).collect();
            system.refused(target, &forged)
        })?;
        let unknowns = equations.unknowns.iter().map(|(&class, &var)| (class, values[var]));
        let mut out: HashMap<usize, F> = unknowns.collect();
        out.extend(equations.defined.iter().map(|(&class, poly)| (class, poly.value(&values))));
        Some(out)
    }

    /// All cells of the block, late ones computed from early ones in the order of the rows; in the part's place
    /// they are off by 1.
    fn cells(&self, classes: &Classes, forged: &HashMap<usize, F>, part: Part) -> Vec<E> {
        let mut known: HashMap<usize, E> = HashMap::new();
        for (i, &class) in classes.of.iter().enumerate() {
            let (row, wire) = self.place(i);
            let row = self.start + row;
            if classes.outside.contains(&class) {
                let honest =
                    if wire < 3 { self.early.column(wire)[row].into() } else { self.late.column(wire - 3)[row] };
                known.entry(class).or_insert(honest);
            } else if wire < 3 {
                let x = forged.get(&class).copied().unwrap_or_else(|| self.honest(class, 0));
                known.insert(class, x.into());
            }
        }
        let severed = if let Part::Copy(copy) = part { self.sides(classes, copy) } else { [None; 2] };
        let outside = if let Part::Copy(copy) = part {
            let (a, b) = self.circuit.copies[copy];
            [a, b].into_iter().find(|cell| self.index(*cell).is_none()).map(|cell| self.at(cell))
        } else {
            None
        };
        let read = |known: &mut HashMap<usize, E>, class: usize| -> E {
            if let Some(&x) = known.get(&class) {
                return x;
            }
            // A late class that nothing defines any more: other than what it was a copy of.
            let other = severed.iter().flatten().find(|c| **c != class && severed.contains(&Some(class)));
            let other =
                other.and_then(|c| known.get(c).copied()).or(outside.filter(|_| severed.contains(&Some(class))));
            let x = other.map_or(E::ZERO, |x| x + E::ONE);
            known.insert(class, x);
            x
        };
        for row in 0..self.size.rows {
            let at = |wire: usize| classes.of[self.number(row, wire)];
            let (fold, bus) = (self.fixed("fold", row), self.fixed("bus", row));
            if !fold.is_zero() {
                let (a, b) = (read(&mut known, at(3)), read(&mut known, at(4)));
                let off = E::from_bool(part == Part::Gate(row, 1));
                let constant = E::from(fold - F::ONE);
                known.insert(at(5), self.challenges.beta[0] * (a + constant) + b + off);
            }
            if !bus.is_zero() {
                let tuple = [at(0), at(1), at(4)].map(|class| read(&mut known, class));
                let denominator = self.challenges.gamma
                    - bus
                    - tuple.iter().zip(&self.challenges.beta).map(|(&x, &beta)| x * beta).sum::<E>();
                let off = E::from_bool(part == Part::Gate(row, 2));
                let step = read(&mut known, at(2)) * denominator.inverse() + off;
                if let Some(&x) = known.get(&at(3)) {
                    known.insert(at(5), x + step);
                } else {
                    let x = read(&mut known, at(5));
                    known.insert(at(3), x - step);
                }
            }
        }
        classes.of.iter().map(|class| known.get(class).copied().unwrap_or_default()).collect()
    }

    /// The parts of the block that some cells break.
    fn broken(&self, cells: &[E]) -> BTreeSet<Part> {
        let mut broken = BTreeSet::new();
        let mut nodes: Vec<E> = Vec::new();
        for row in 0..self.size.rows {
            let at = |Query { column, .. }: Query| match column {
                Column::Fixed(i) => E::from(self.circuit.fixed.column(i)[self.start + row]),
                column => self.index(Cell { column, row: self.start + row }).map_or(E::ZERO, |i| cells[i]),
            };
            self.circuit.graph.evaluate(&self.challenges, at, &mut nodes);
            let gates = self.circuit.gates.iter().enumerate();
            let bad = gates.filter(|(_, g)| nodes[g.expr.0 as usize] != E::ZERO);
            broken.extend(bad.map(|(i, _)| Part::Gate(row, i)));
            for lookup in &self.circuit.lookups {
                let tuple: Option<Vec<F>> = lookup
                    .inputs
                    .iter()
                    .map(|id| p3_field::ExtensionField::<F>::as_base(&nodes[id.0 as usize]))
                    .collect();
                if tuple.is_none_or(|tuple| !self.tables.holds(0, &tuple)) {
                    broken.insert(Part::Lookup(row));
                }
            }
        }
        for &k in &self.copies {
            let value = |cell: Cell| self.index(cell).map_or_else(|| self.at(cell), |i| cells[i]);
            let (a, b) = self.circuit.copies[k];
            if value(a) != value(b) {
                broken.insert(Part::Copy(k));
            }
        }
        broken
    }

    /// Asserts that gates and lookups are all of the circuit's, and on as many rows as the lowering counts, and
    /// that copies are as many as are to be tried.
    fn assert_complete(&self, parts: &[Part]) {
        let rows = |of: fn(&Part) -> Option<usize>| parts.iter().filter_map(of).collect::<BTreeSet<usize>>().len();
        let found = [
            rows(|part| if let Part::Gate(row, 0) | Part::Lookup(row) = part { Some(*row) } else { None }),
            rows(|part| if let Part::Lookup(row) = part { Some(*row) } else { None }),
            rows(|part| if let Part::Gate(row, 1) = part { Some(*row) } else { None }),
            rows(|part| if let Part::Gate(row, 2) = part { Some(*row) } else { None }),
        ];
        let BlockSize { name, gates, lookups, folds, fractions, .. } = self.size;
        assert_eq!(found, [gates, lookups, folds, fractions], "{name}");
        let copies = parts.iter().filter(|part| matches!(part, Part::Copy(_))).count();
        assert!(copies >= self.candidates().len().min(COPIES), "{name}: {copies} copies");
        assert!(self.circuit.gates.len() == 3 && self.circuit.lookups.len() <= 1, "{name}");
    }

    /// Shows that parts of the block are needed: by a search, or else by forged rows of the table.
    pub fn search(&self, forged: impl Fn() -> Vec<Vec<F>>) -> Tally {
        let forged = LazyCell::new(|| forged().iter().map(|row| self.with_row(row)).collect::<Vec<_>>());
        let mut rng = SmallRng::seed_from_u64(3);
        let mut tally = Tally::default();
        let all = self.classes(None);
        let honest = self.cells(&all, &HashMap::new(), Part::Lookup(usize::MAX));
        assert_eq!(self.broken(&honest), BTreeSet::new(), "{}", self.size.name);
        let parts = self.parts();
        self.assert_complete(&parts);
        for part in parts {
            let split;
            let classes = if let Part::Copy(copy) = part {
                split = self.classes(Some(copy));
                &split
            } else {
                &all
            };
            let name = self.describe(part);
            let late = match part {
                Part::Gate(_, gate) => gate > 0,
                Part::Lookup(_) => false,
                // One side has late cells only.
                Part::Copy(copy) => self.sides(classes, copy).iter().flatten().any(|&c| self.place(c).1 > 2),
            };
            let forged = if late { Some(HashMap::new()) } else { self.forge(classes, part, &forged, &mut rng) };
            let needed = forged.is_some_and(|forged| {
                let broken = self.broken(&self.cells(classes, &forged, part));
                if !late {
                    assert_eq!(broken, BTreeSet::from([part]), "{}: {name}", self.size.name);
                }
                broken == BTreeSet::from([part])
            });
            let kind = match part {
                Part::Gate(_, 0) => "vanilla: arithmetic gates",
                Part::Gate(_, 1) => "vanilla: folds",
                Part::Gate(..) => "vanilla: fractions",
                Part::Lookup(_) => "vanilla: lookups",
                Part::Copy(k) if self.kind(k).2 => "vanilla: copies within a block",
                Part::Copy(_) => "vanilla: copies from outside a block",
            };
            // What cells outside are is no relation, so that a copy of one follows from nothing here.
            let inside =
                |copy| self.sides(classes, copy).iter().all(|c| c.is_some_and(|c| !classes.outside.contains(&c)));
            let shown = if !late && !matches!(part, Part::Copy(copy) if !inside(copy)) {
                let equations = self.equations(classes, part);
                equations.system.shown(equations.target, needed)
            } else {
                needed.into()
            };
            tally.add(kind, shown, || name);
        }
        tally
    }

    fn describe(&self, part: Part) -> String {
        let row = match part {
            Part::Gate(row, _) | Part::Lookup(row) => row,
            Part::Copy(k) => {
                let (a, b) = self.circuit.copies[k];
                let cell = |cell: Cell| match self.index(cell) {
                    Some(_) => format!("{} {}", self.circuit.column_name(cell.column), cell.row - self.start),
                    None => "outside".to_string(),
                };
                return format!("{}: copy of {} to {}", self.size.name, cell(a), cell(b));
            }
        };
        let selectors = ["left", "right", "product", "output", "constant", "fold", "bus", "tag"];
        let text: Vec<String> = selectors
            .iter()
            .map(|n| (n, signed(self.fixed(n, row))))
            .filter(|(_, x)| *x != 0)
            .map(|(n, x)| format!("{n} {x}"))
            .collect();
        format!("{}: {part:?} {}", self.size.name, text.join(" "))
    }
}
