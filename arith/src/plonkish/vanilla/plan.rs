//! The rows of one block: what a table says of one of its rows, or the statement's fractions.
//!
//! A row carries an early part, a gate or a lookup, and a late part, a fold or a fraction. Gates and
//! folds share rows; fractions have rows of their own, as they read all six wires.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::gates::{Gate, Gates, Looked, Selectors, Sum, Val};
use super::native::{Form, Native};
use crate::expr::TableShape;
use crate::plonkish::Extent;
use crate::r1cs::{Block, Linear, Row, Unit, Var};

/// `C = beta (A + constant) + B`, of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fold {
    pub(super) a: Val,
    /// Not -1.
    pub(super) constant: i64,
    pub(super) b: Val,
}

/// `C - A = c / (gamma - bus - beta a - beta^2 b - beta^3 B)`, or with `A` and `C` in each other's
/// place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    pub(super) bus: u32,
    /// Whether the fraction is subtracted.
    pub(super) receives: bool,
    /// `a`, `b` and `B`: the first two entries, and the others folded.
    pub(super) tuple: [Val; 3],
    /// `c`.
    pub(super) multiplicity: Val,
}

/// A block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) name: &'static str,
    pub(super) gates: Vec<Gate>,
    pub(super) folds: Vec<Fold>,
    pub(super) fractions: Vec<Fraction>,
}

impl Plan {
    /// Its rows.
    pub(super) fn rows(&self) -> usize {
        self.gates.len().max(self.folds.len()) + self.fractions.len()
    }

    /// The row of its first fraction.
    pub(super) fn first_fraction(&self) -> usize {
        self.gates.len().max(self.folds.len())
    }

    /// Every occurrence of a value but the running sum: value, wire (early ones first), row.
    pub(super) fn occurrences(&self) -> Vec<(Val, usize, usize)> {
        let mut out = Vec::new();
        for (row, gate) in self.gates.iter().enumerate() {
            out.extend(gate.wires.iter().enumerate().filter_map(|(w, val)| Some(((*val)?, w, row))));
        }
        for (row, fold) in self.folds.iter().enumerate() {
            out.extend([(fold.a, 3, row), (fold.b, 4, row), (Val::Fold(row), 5, row)]);
        }
        for (k, f) in self.fractions.iter().enumerate() {
            let row = self.first_fraction() + k;
            let [a, b, rest] = f.tuple;
            out.extend([(a, 0, row), (b, 1, row), (f.multiplicity, 2, row), (rest, 4, row)]);
        }
        out
    }

    /// Where each value of the block is first on an early wire (a fold's, on a late one); constants and
    /// public values have places outside.
    pub(super) fn homes(&self) -> HashMap<Val, (usize, usize)> {
        let mut homes = HashMap::new();
        for (val, wire, row) in self.occurrences() {
            if val.is_late() == (wire == 5) && (wire < 3 || val.is_late()) {
                homes.entry(val).or_insert((wire, row));
            }
        }
        homes
    }

    /// Tables, and constant second entries, of lookups that have to succeed for zeros.
    pub(super) fn zeros(&self) -> impl Iterator<Item = (i64, i64)> {
        self.gates.iter().filter_map(|gate| gate.looked).filter(|l| l.gated).map(|l| (l.tag, l.second))
    }

    /// The constants that it reads.
    pub(super) fn constants(&self) -> BTreeSet<i64> {
        let constant = |(val, _, _)| if let Val::Const(x) = val { Some(x) } else { None };
        self.occurrences().into_iter().filter_map(constant).collect()
    }

    /// Gives every value that only late wires read a place on an early one: a late wire alone would let
    /// the value depend on challenges, and lie in the larger field.
    fn settle(&mut self) {
        let homes = self.homes();
        let local = |v: &Val| matches!(v, Val::Main(_) | Val::Next(_) | Val::Fixed(_) | Val::Gate(_));
        let late = self.occurrences().into_iter().filter(|&(_, wire, _)| wire > 2).map(|o| o.0);
        let homeless: BTreeSet<Val> = late.filter(|v| local(v) && !homes.contains_key(v)).collect();
        let mut row = 0;
        for val in homeless {
            loop {
                if row == self.gates.len() {
                    let wires = [None; 3];
                    let q = Selectors::default();
                    self.gates.push(Gate { what: "place", wires, q, pins: None, defines: None, looked: None });
                }
                if let Some(free) = self.gates[row].free() {
                    self.gates[row].wires[free] = Some(val);
                    break;
                }
                row += 1;
            }
        }
    }

    /// The block of a table; `natives` says which interactions are lookups or nothing.
    pub(super) fn of_table(shape: &TableShape, natives: &Native, table: usize) -> Self {
        let block = Block::of(shape);
        let mut compiler = Compiler::new(&block, shape.real(), natives, table);
        compiler.rows(&block);
        for (i, row) in block.fractions.iter().enumerate() {
            compiler.interaction(shape.interactions[i].bus.id, natives.form(table, i), row);
        }
        compiler.finish(shape.name)
    }

    /// The block of a statement.
    pub(super) fn of_statement(extent: &Extent) -> Self {
        let mut compiler = Compiler::default();
        let mut entries = 0..;
        for (bus, multiplicity) in &extent.statement {
            let tuple: Vec<Sum> = entries.by_ref().take(bus.arity).map(|i| Sum::of(Val::Instance(i))).collect();
            compiler.fraction(bus.id, &Sum::int(*multiplicity), &tuple);
        }
        compiler.finish("statement")
    }
}

impl Gate {
    /// A wire that nothing reads.
    fn free(&self) -> Option<usize> {
        let wires = self.looked.is_some_and(|l| l.wires);
        let read = [wires, wires, self.looked.is_some()];
        (0..3).find(|&w| self.wires[w].is_none() && !read[w])
    }
}

#[derive(Default)]
struct Compiler {
    /// The column that is 1 on rows in use.
    real: Option<usize>,
    gates: Gates,
    products: Vec<Val>,
    folds: Vec<Fold>,
    known_folds: HashMap<Fold, Val>,
    fractions: Vec<Fraction>,
    /// Values that are 0 or 1 by a gate.
    bits: BTreeSet<Val>,
}

/// The tuple and the multiplicity of a fraction's row.
pub(super) fn interaction(row: &Row) -> (Vec<Linear>, Linear) {
    let mut tuple: BTreeMap<usize, Linear> = BTreeMap::new();
    for (unit, var, x) in row.b.terms() {
        if let Unit::Beta(i) = unit {
            tuple.entry(i).or_default().add_term(Unit::One, var, -x);
        }
    }
    let entries = tuple.last_key_value().map_or(0, |(i, _)| i + 1);
    ((0..entries).map(|i| tuple.remove(&i).unwrap_or_default()).collect(), row.c.clone())
}

impl Compiler {
    /// A compiler that knows which values a block wants.
    fn new(block: &Block, real: Option<usize>, natives: &Native, table: usize) -> Self {
        let early = Self { real, ..Self::default() };
        let mut wanted = Vec::new();
        let plain = |l: &Linear| l.terms().all(|(_, var, _)| !matches!(var, Var::Aux(_)));
        for row in block.products.iter().chain(&block.constraints).filter(|r| r.b.as_int().is_none()) {
            wanted.extend([&row.a, &row.b].into_iter().filter(|l| plain(l)).map(|l| early.sum(l)));
        }
        for (i, row) in block.fractions.iter().enumerate().filter(|(i, _)| !natives.provides(table, *i)) {
            let (tuple, _) = interaction(row);
            let shared = natives.form(table, i).is_none_or(Form::is_plain);
            wanted.extend(tuple.iter().filter(|l| shared && plain(l)).map(|l| early.sum(l)));
        }
        Self { gates: Gates::wanting(wanted), ..early }
    }

    fn sum(&self, linear: &Linear) -> Sum {
        let mut out = Sum::default();
        for (_, var, x) in linear.terms() {
            match var {
                Var::One => out.constant += x,
                Var::Fixed(i) => out.add_val(Val::Fixed(i), x),
                Var::Main(i) if self.real == Some(i) => out.constant += x,
                Var::Main(i) => out.add_val(Val::Main(i), x),
                Var::Next(i) => out.add_val(Val::Next(i), x),
                Var::Aux(i) => out.add_val(self.products[i], x),
                Var::Helper(_) => unreachable!("helpers are fractions"),
            }
        }
        out
    }

    /// Fixed columns, products and constraints.
    fn rows(&mut self, block: &Block) {
        for i in 0..block.fixed.len() {
            let q = Selectors { o: 1, ..Selectors::default() };
            self.gates.push("fixed", [None, None, Some(Val::Fixed(i))], q).pins = Some(i);
        }
        for row in &block.products {
            let (a, b) = (self.sum(&row.a), self.sum(&row.b));
            let product = self.gates.multiply("product", &a, &b);
            self.products.push(product);
        }
        for row in &block.constraints {
            let [a, b, c] = [&row.a, &row.b, &row.c].map(|l| self.sum(l));
            let linear = b.as_int().map(|x| a.scaled(x)).or_else(|| a.as_int().map(|x| b.scaled(x)));
            if let Some(mut sum) = linear {
                sum.add(&c, -1);
                self.gates.zero(row.what, &sum);
            } else {
                self.bits.extend(bit(&a, &b).filter(|_| c.as_int() == Some(0)));
                self.gates.product(row.what, &a, &b, &c);
            }
        }
    }

    /// An interaction of a table.
    fn interaction(&mut self, bus: u32, form: Option<&Form>, row: &Row) {
        let (tuple, m) = interaction(row);
        let (tuple, m): (Vec<Sum>, Sum) = (tuple.iter().map(|l| self.sum(l)).collect(), self.sum(&m));
        if m.as_int() == Some(0) {
            return;
        }
        match form {
            None => {
                self.fraction(bus, &m, &tuple);
            }
            Some(Form::Provided) => {}
            Some(Form::Lookup { tag, arity, split }) => {
                let m = self.gates.value(&m);
                self.is_bit(m);
                let mut tuple = tuple;
                tuple.resize(*arity, Sum::default());
                let gated = m != Val::Const(1);
                match split {
                    None => self.lookup((*tag, gated), m, &tuple),
                    Some(split) => {
                        let entries = split.entries(&mut self.gates, m, &tuple);
                        self.lookup((*tag, gated), Val::Const(1), &entries);
                    }
                }
            }
        }
    }

    /// A multiplicity of lookups is 0 or 1.
    fn is_bit(&mut self, m: Val) {
        if !matches!(m, Val::Const(0 | 1)) && self.bits.insert(m) {
            let x = Sum::of(m);
            self.gates.product("multiplicity", &x, &x, &x);
        }
    }

    /// `m` times the tuple is in a table.
    fn lookup(&mut self, (tag, gated): (i64, bool), m: Val, tuple: &[Sum]) {
        let factor = Sum::of(m);
        let mut entry = |e: &Sum| self.gates.multiply("gated entry", &factor, e);
        if let (1 | 2, Some(second)) = (tuple.len(), tuple.get(1).map_or(Some(0), Sum::as_int)) {
            let first = entry(&tuple[0]);
            self.gates.look_up(first, Looked { tag, second, wires: false, gated });
            return;
        }
        let entries: Vec<Val> = tuple.iter().map(entry).collect();
        let third = entries.get(2).copied().unwrap_or(Val::Const(0));
        let gate = self.gates.push("lookup", [Some(third), Some(entries[1]), Some(entries[0])], Selectors::default());
        gate.looked = Some(Looked { tag, second: 0, wires: true, gated });
    }

    fn fold(&mut self, fold: Fold) -> Val {
        if let Some(&val) = self.known_folds.get(&fold) {
            return val;
        }
        let val = Val::Fold(self.folds.len());
        self.folds.push(fold);
        self.known_folds.insert(fold, val);
        val
    }

    /// Entries by Horner's rule, from the last that is not 0.
    fn folded(&mut self, entries: &[Sum]) -> Val {
        let length = entries.iter().rposition(|e| e.as_int() != Some(0)).map_or(0, |i| i + 1);
        let Some((last, others)) = entries[..length].split_last() else { return Val::Const(0) };
        // A constant added to the last one costs nothing.
        let without = Sum { terms: last.terms.clone(), constant: 0 };
        let (mut acc, mut constant) = match without.as_val() {
            Some(val) if !others.is_empty() && last.constant != -1 && !without.terms.is_empty() => (val, last.constant),
            _ => (self.gates.value(last), 0),
        };
        for entry in others.iter().rev() {
            let b = self.gates.value(entry);
            acc = self.fold(Fold { a: acc, constant, b });
            constant = 0;
        }
        acc
    }

    fn fraction(&mut self, bus: u32, m: &Sum, tuple: &[Sum]) {
        let receives = m.terms.values().next().map_or(m.constant, |&x| x) < 0;
        let multiplicity = self.gates.value(&m.scaled(if receives { -1 } else { 1 }));
        if multiplicity == Val::Const(0) {
            return;
        }
        let [a, b] = std::array::from_fn(|i| tuple.get(i).map_or(Val::Const(0), |entry| self.gates.value(entry)));
        let rest = self.folded(tuple.get(2..).unwrap_or_default());
        self.fractions.push(Fraction { bus, receives, tuple: [a, b, rest], multiplicity });
    }

    fn finish(self, name: &'static str) -> Plan {
        let mut plan = Plan { name, gates: self.gates.list, folds: self.folds, fractions: self.fractions };
        plan.settle();
        plan
    }
}

/// The value `x` of two factors `x` and `x - 1`.
fn bit(a: &Sum, b: &Sum) -> Option<Val> {
    let is = |x: &Sum, y: &Sum| {
        let val = x.as_val().filter(|v| !matches!(v, Val::Const(_)))?;
        let mut one = Sum::of(val);
        one.constant = -1;
        (*y == one).then_some(val)
    };
    is(a, b).or_else(|| is(b, a))
}
