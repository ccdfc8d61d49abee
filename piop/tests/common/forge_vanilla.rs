//! Forged cells of a circuit: one gate, lookup or copy broken, all others repaired, the balance of buses
//! apart. Equal cells are one unknown.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use p3_field::{Field, PrimeCharacteristicRing};
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use trilemma_arith::plonkish::{BlockSize, Cell, Column, Query};
use trilemma_core::Setting;
use trilemma_core::setting::Bls12;
use trilemma_piop::check_plonkish::Values;

/// A field that challenges are from, too.
pub type F = <Bls12 as Setting>::Base;

/// What could be missing, in all blocks of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A gate on a row.
    Gate(usize, usize),
    /// The lookup of a row.
    Lookup(usize),
    /// A copy, by number.
    Copy(usize),
}

/// Columns and kinds of rows of a copy's cells.
type Signature = (Column, usize, Column, usize);

/// Wires: early ones, late ones, the instance.
const COLUMNS: usize = 7;

#[derive(Clone)]
pub struct Forger<'a> {
    values: &'a Values<'a, Bls12>,
    /// By row, the same row of the first block of the table.
    kinds: Rc<Vec<usize>>,
    table: Rc<HashSet<Vec<F>>>,
    /// Classes of all cells with all copies but the one that says that the sum is zero.
    all: Rc<Vec<usize>>,
}

/// Unknowns, and rows that read them.
struct Classes {
    of: Rc<Vec<usize>>,
    readers: HashMap<usize, BTreeSet<usize>>,
}

fn root(of: &mut [usize], mut i: usize) -> usize {
    while of[i] != i {
        of[i] = of[of[i]];
        i = of[i];
    }
    i
}

impl<'a> Forger<'a> {
    /// A forger of a circuit's cells, whose blocks are these.
    pub fn new(values: &'a Values<'a, Bls12>, blocks: &[BlockSize]) -> Self {
        let circuit = values.circuit;
        let tables = circuit.lookups.iter().flat_map(|l| {
            (0..circuit.rows()).map(move |r| l.table.iter().map(|&c| circuit.fixed.column(c)[r]).collect())
        });
        let table = Rc::new(tables.collect());
        let mut kinds: Vec<usize> = (0..circuit.rows()).collect();
        for block in blocks {
            let rows = kinds.iter_mut().skip(block.start).take(block.rows * block.count);
            rows.enumerate().for_each(|(i, kind)| *kind = block.start + i % block.rows);
        }
        let mut forger = Self { values, kinds: Rc::new(kinds), table, all: Rc::default() };
        forger.all = forger.unite(None);
        forger
    }

    fn signature(&self, copy: usize) -> Signature {
        let (a, b) = self.values.circuit.copies[copy];
        (a.column, self.kinds[a.row], b.column, self.kinds[b.row])
    }

    /// Copies, one of each kind.
    pub fn copies(&self) -> Vec<Target> {
        let mut known = HashSet::new();
        let all = 0..self.values.circuit.copies.len() - 1;
        all.filter(|&k| known.insert(self.signature(k))).map(Target::Copy).collect()
    }

    /// Whether a gate on a row is the target.
    fn is(&self, target: Target, row: usize, gate: usize) -> bool {
        matches!(target, Target::Gate(r, g) if g == gate && self.kinds[r] == self.kinds[row])
    }

    fn number(&self, Cell { column, row }: Cell) -> usize {
        let column = match column {
            Column::Early(i) => i,
            Column::Late(i) => 3 + i,
            Column::Instance => 6,
            Column::Fixed(_) => unreachable!("no cell of the prover's"),
        };
        row * COLUMNS + column
    }

    fn fixed(&self, name: &str, row: usize) -> F {
        let names = &self.values.circuit.fixed_names;
        names.iter().position(|n| n == name).map_or(F::ZERO, |c| self.values.circuit.fixed.column(c)[row])
    }

    /// Gates and lookups of the rows.
    pub fn targets(&self) -> Vec<Target> {
        let mut targets = Vec::new();
        let mut known = HashSet::new();
        for row in (0..self.values.circuit.rows()).filter(|&row| known.insert(self.kinds[row])) {
            let any = |names: &[&str]| names.iter().any(|name| !self.fixed(name, row).is_zero());
            for (i, selectors) in [&["left", "right", "product", "output"][..], &["fold"], &["bus"]].iter().enumerate()
            {
                targets.extend(any(selectors).then_some(Target::Gate(row, i)));
            }
            targets.extend(any(&["tag"]).then_some(Target::Lookup(row)));
        }
        targets
    }

    /// Classes of cells without a copy, and without the one that says that the sum is zero.
    fn unite(&self, without: Option<usize>) -> Rc<Vec<usize>> {
        let circuit = self.values.circuit;
        let mut of: Vec<usize> = (0..circuit.rows() * COLUMNS).collect();
        let last = circuit.copies.len() - 1;
        let without = without.map(|k| self.signature(k));
        let kept = |k: usize| k != last && without.is_none_or(|signature| self.signature(k) != signature);
        for (_, &(a, b)) in circuit.copies.iter().enumerate().filter(|&(k, _)| kept(k)) {
            let (a, b) = (root(&mut of, self.number(a)), root(&mut of, self.number(b)));
            of[a.max(b)] = a.min(b);
        }
        (0..of.len()).for_each(|i| of[i] = root(&mut of, i));
        Rc::new(of)
    }

    fn classes(&self, without: Option<usize>) -> Classes {
        let of = if without.is_some() { self.unite(without) } else { self.all.clone() };
        let mut readers: HashMap<usize, BTreeSet<usize>> = HashMap::new();
        for row in 0..self.values.circuit.rows() {
            for column in 0..COLUMNS - 1 {
                readers.entry(of[row * COLUMNS + column]).or_default().insert(row);
            }
        }
        Classes { of, readers }
    }

    /// The value of an expression on a row with some unknowns changed.
    fn nodes(&self, classes: &Classes, changed: &HashMap<usize, F>, row: usize) -> Vec<F> {
        let circuit = self.values.circuit;
        let mut nodes = Vec::new();
        let at = |Query { column, .. }: Query| match column {
            Column::Fixed(i) => circuit.fixed.column(i)[row],
            _ => {
                let cell = Cell { column, row };
                let class = classes.of[self.number(cell)];
                changed.get(&class).copied().unwrap_or_else(|| self.values.cell(cell))
            }
        };
        circuit.graph.evaluate(&self.values.challenges, at, &mut nodes);
        nodes
    }

    fn gate(&self, classes: &Classes, changed: &HashMap<usize, F>, (row, gate): (usize, usize)) -> F {
        self.nodes(classes, changed, row)[self.values.circuit.gates[gate].expr.0 as usize]
    }

    fn looked_up(&self, classes: &Classes, changed: &HashMap<usize, F>, row: usize) -> bool {
        let nodes = self.nodes(classes, changed, row);
        self.values.circuit.lookups.iter().all(|l| {
            let tuple: Vec<F> = l.inputs.iter().map(|id| nodes[id.0 as usize]).collect();
            self.table.contains(&tuple)
        })
    }

    /// The unknowns that a gate reads on a row, and whether they are on the wire that it most likely
    /// defines.
    fn unknowns(&self, classes: &Classes, (row, gate): (usize, usize)) -> Vec<(usize, bool)> {
        let queries = self.values.circuit.graph.queries([self.values.circuit.gates[gate].expr]);
        let wires = queries.into_iter().filter(|q| !matches!(q.column, Column::Fixed(_)));
        let selected = |column: Column| match column {
            Column::Early(0) if gate == 0 => ["left", "product"].iter().any(|n| !self.fixed(n, row).is_zero()),
            Column::Early(1) if gate == 0 => ["right", "product"].iter().any(|n| !self.fixed(n, row).is_zero()),
            Column::Early(2) if gate == 0 => !self.fixed("output", row).is_zero(),
            _ => true,
        };
        let last = |column: Column| match gate {
            0 => column == Column::Early(2),
            1 => column == Column::Late(2),
            _ => matches!(column, Column::Late(0 | 2)),
        };
        let wires = wires.filter(|q| selected(q.column));
        let class = |q: Query| classes.of[self.number(Cell { column: q.column, row })];
        let later = |class: usize| classes.readers.get(&class).is_none_or(|rows| rows.last() > Some(&row));
        wires.map(|q| (class(q), last(q.column) && (gate != 2 || later(class(q))))).collect()
    }

    /// Whether some cells break the target only.
    pub fn forge(&self, target: Target, tries: usize, rng: &mut SmallRng) -> bool {
        let without = if let Target::Copy(k) = target { Some(k) } else { None };
        let classes = self.classes(without);
        (0..tries).any(|_| self.attempt(&classes, target, rng).is_some())
    }

    fn attempt(&self, classes: &Classes, target: Target, rng: &mut SmallRng) -> Option<()> {
        let cell = |wire: usize, row: usize| classes.of[row * COLUMNS + wire];
        let first = match target {
            Target::Gate(row, gate) => self.unknowns(classes, (row, gate)).choose(rng)?.0,
            Target::Lookup(row) => {
                let wires = if self.fixed("wires", row).is_zero() { 2..3 } else { 0..3 };
                cell(rng.random_range(wires), row)
            }
            Target::Copy(k) => {
                let (a, b) = self.values.circuit.copies[k];
                classes.of[self.number(if rng.random() { a } else { b })]
            }
        };
        let old = self.old(first);
        let near = [-2, -1, 1, 2].map(|x| old + F::from_i64(x));
        let new = *[near[0], near[1], near[2], near[3], -old, F::NEG_ONE, F::from_u32(rng.random())].choose(rng)?;
        if new == old {
            return None;
        }
        let mut changed = HashMap::from([(first, new)]);
        let none = BTreeSet::new();
        let mut dirty: BTreeSet<usize> = classes.readers.get(&first).unwrap_or(&none).clone();
        let mut read = dirty.clone();
        for _ in 0..100 {
            let mut broken = Vec::new();
            dirty.retain(|&row| {
                let nodes = self.nodes(classes, &changed, row);
                let gates = self.values.circuit.gates.iter().enumerate();
                let here = gates.filter(|(_, g)| !nodes[g.expr.0 as usize].is_zero());
                let before = broken.len();
                broken.extend(here.map(|(i, _)| (row, i)).filter(|&(row, i)| !self.is(target, row, i)));
                broken.len() > before
            });
            // What is defined last is repaired last.
            let first = broken.first().filter(|_| rng.random_bool(0.9));
            let Some(&at) = first.or_else(|| broken.choose(rng)) else {
                return self.only(classes, &changed, target, &read).then_some(());
            };
            let unknowns = self.unknowns(classes, at);
            let free: Vec<(usize, bool)> = unknowns.into_iter().filter(|u| !changed.contains_key(&u.0)).collect();
            let likely: Vec<(usize, bool)> = free.iter().copied().filter(|u| u.1).collect();
            let from = if !likely.is_empty() && rng.random_bool(0.95) { &likely } else { &free };
            let &(class, _) = from.choose(rng)?;
            let new = self.solve(classes, &mut changed, at, class)?;
            changed.insert(class, new);
            let rows = classes.readers.get(&class).unwrap_or(&none);
            dirty.extend(rows);
            read.extend(rows);
        }
        None
    }

    fn old(&self, class: usize) -> F {
        let (row, column) = (class / COLUMNS, class % COLUMNS);
        let column = match column {
            6 => Column::Instance,
            c if c < 3 => Column::Early(c),
            c => Column::Late(c - 3),
        };
        self.values.cell(Cell { column, row })
    }

    /// The value of an unknown with which a gate holds, where it is linear in it.
    fn solve(&self, classes: &Classes, changed: &mut HashMap<usize, F>, at: (usize, usize), class: usize) -> Option<F> {
        let old = self.old(class);
        let [d0, d1, d2] = [F::ZERO, F::ONE, F::TWO].map(|x| {
            changed.insert(class, old + x);
            self.gate(classes, changed, at)
        });
        changed.remove(&class);
        let slope = d1 - d0;
        (d2 - d1 == slope && !slope.is_zero()).then(|| old - d0 * slope.inverse())
    }

    /// Whether the target is broken and nothing else on these rows, gates being repaired.
    fn only(&self, classes: &Classes, changed: &HashMap<usize, F>, target: Target, rows: &BTreeSet<usize>) -> bool {
        let value = |cell: Cell| {
            let class = classes.of[self.number(cell)];
            changed.get(&class).copied().unwrap_or_else(|| self.values.cell(cell))
        };
        let broken = match target {
            Target::Gate(_, gate) => {
                let mut same = rows.iter().filter(|&&row| self.is(target, row, gate));
                same.any(|&row| !self.gate(classes, changed, (row, gate)).is_zero())
            }
            Target::Lookup(row) => !self.looked_up(classes, changed, row),
            Target::Copy(k) => {
                let signature = self.signature(k);
                let mut same = (0..self.values.circuit.copies.len()).filter(|&k| self.signature(k) == signature);
                same.any(|k| value(self.values.circuit.copies[k].0) != value(self.values.circuit.copies[k].1))
            }
        };
        let excused = |row: usize| matches!(target, Target::Lookup(r) if self.kinds[r] == self.kinds[row]);
        broken && rows.iter().all(|&row| excused(row) || self.looked_up(classes, changed, row))
    }

    /// A target in words.
    pub fn describe(&self, target: Target) -> String {
        let (row, gate) = match target {
            Target::Gate(row, gate) => (row, gate),
            Target::Lookup(row) => (row, 0),
            Target::Copy(k) => return format!("{target:?}: {:?}", self.values.circuit.copies[k]),
        };
        let selectors = ["left", "right", "product", "output", "constant", "fold", "bus", "tag"];
        let selectors: Vec<String> = selectors.iter().map(|n| self.fixed(n, row).to_string()).collect();
        format!("{target:?} (row {row}, gate {gate}): {selectors:?}")
    }
}
