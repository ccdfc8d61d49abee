//! Gates of a block, and linear combinations as chains of them.
//!
//! A linear combination of `n` values costs `n - 1` gates as a value and `n - 2` as a constraint.
//! Combinations that occur in others are made once: a chain starts from the longest one that is known
//! or will be wanted.

use std::collections::{BTreeMap, HashMap};

/// A value of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Val {
    /// An advice column of the table.
    Main(usize),
    /// An advice column of the table on the next row, cyclically.
    Next(usize),
    /// A fixed column of the table.
    Fixed(usize),
    /// A public value.
    Instance(usize),
    /// A constant.
    Const(i64),
    /// What a gate defines.
    Gate(usize),
    /// What a fold defines, once there are challenges.
    Fold(usize),
}

impl Val {
    /// Whether it depends on challenges.
    pub(super) const fn is_late(self) -> bool {
        matches!(self, Self::Fold(_))
    }
}

/// Multiples of values, none of them zero or constant, and a constant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Sum {
    pub(super) terms: BTreeMap<Val, i64>,
    pub(super) constant: i64,
}

fn times(a: i64, b: i64) -> i64 {
    a.checked_mul(b).expect("coefficients of tables fit 64 bits")
}

impl Sum {
    pub(super) fn int(constant: i64) -> Self {
        Self { terms: BTreeMap::new(), constant }
    }

    pub(super) fn of(val: Val) -> Self {
        let mut out = Self::default();
        out.add_val(val, 1);
        out
    }

    pub(super) fn add_val(&mut self, val: Val, factor: i64) {
        if let Val::Const(x) = val {
            self.constant += times(x, factor);
            return;
        }
        let sum = self.terms.remove(&val).unwrap_or(0) + factor;
        if sum != 0 {
            self.terms.insert(val, sum);
        }
    }

    pub(super) fn add(&mut self, other: &Self, factor: i64) {
        other.terms.iter().for_each(|(&val, &x)| self.add_val(val, times(x, factor)));
        self.constant += times(other.constant, factor);
    }

    pub(super) fn scaled(&self, factor: i64) -> Self {
        let mut out = Self::default();
        out.add(self, factor);
        out
    }

    pub(super) fn as_int(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// The value that it is, if it is one.
    pub(super) fn as_val(&self) -> Option<Val> {
        match (self.terms.len(), self.terms.first_key_value(), self.constant) {
            (0, _, x) => Some(Val::Const(x)),
            (1, Some((&val, 1)), 0) => Some(val),
            _ => None,
        }
    }

    /// `(x, s)` such that the terms are `x s`, without common factor in `s` and the last one positive.
    pub(super) fn primitive(&self) -> (i64, Self) {
        let content = self.terms.values().fold(0, |d, x| gcd(d, x.unsigned_abs())) as i64;
        let sign = self.terms.values().next_back().map_or(1, |x| x.signum());
        let terms = self.terms.iter().map(|(&val, &x)| (val, x / content * sign)).collect();
        (content * sign, Self { terms, constant: 0 })
    }

    /// The multiple of `part` whose terms are all among these.
    fn holds(&self, part: &Self) -> Option<i64> {
        let (val, &x) = part.terms.first_key_value()?;
        let factor = *self.terms.get(val).filter(|&y| y % x == 0)? / x;
        part.terms.iter().all(|(val, &x)| self.terms.get(val) == Some(&(x * factor))).then_some(factor)
    }
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The selectors of a gate `l a + r b + m a b + o c + k = 0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Selectors {
    pub(super) l: i64,
    pub(super) r: i64,
    pub(super) m: i64,
    pub(super) o: i64,
    pub(super) k: i64,
}

/// What a row looks up: `(c, second, 0)`, or `(c, b, a)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Looked {
    /// Number of the table, not 0.
    pub(super) tag: i64,
    /// The second entry, if it is a constant.
    pub(super) second: i64,
    /// Whether the second and third entry are `b` and `a`.
    pub(super) wires: bool,
    /// Whether the multiplicity may be 0, when all entries but a constant second one are.
    pub(super) gated: bool,
}

/// A row's early part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gate {
    /// What it is for.
    pub(super) what: &'static str,
    pub(super) wires: [Option<Val>; 3],
    pub(super) q: Selectors,
    /// The gate says that `c` is this fixed column: `k` is its negative.
    pub(super) pins: Option<usize>,
    /// The wire that holds the value that the gate defines.
    pub(super) defines: Option<usize>,
    pub(super) looked: Option<Looked>,
}

impl Gate {
    /// Swaps a wire with the third one, in a gate without a product if they are not the same.
    fn move_to_third(&mut self, wire: usize) {
        self.wires.swap(wire, 2);
        let q = &mut self.q;
        match wire {
            0 => std::mem::swap(&mut q.l, &mut q.o),
            1 => std::mem::swap(&mut q.r, &mut q.o),
            _ => {}
        }
        self.defines = self.defines.map(|w| {
            if w == 2 {
                wire
            } else if w == wire {
                2
            } else {
                w
            }
        });
    }
}

type Shape = ([Option<Val>; 2], Selectors);

/// Gates under construction.
#[derive(Default)]
pub(super) struct Gates {
    pub(super) list: Vec<Gate>,
    /// Values by what defines them.
    defined: HashMap<Shape, Val>,
    /// Combinations without constant that are values.
    known: HashMap<Sum, Val>,
    /// Primitive combinations that will be values, shortest first.
    wanted: Vec<Sum>,
    /// What gates restrict to which constants.
    restricted: Vec<(Sum, Vec<i64>)>,
}

impl Gates {
    /// Gates in which these combinations are going to be values.
    pub(super) fn wanting(sums: impl IntoIterator<Item = Sum>) -> Self {
        let mut wanted: Vec<Sum> = sums.into_iter().map(|s| s.primitive().1).filter(|s| s.terms.len() > 1).collect();
        wanted.sort_by(|a, b| (a.terms.len(), &a.terms).cmp(&(b.terms.len(), &b.terms)));
        wanted.dedup();
        Self { wanted, ..Self::default() }
    }

    pub(super) fn push(&mut self, what: &'static str, wires: [Option<Val>; 3], q: Selectors) -> &mut Gate {
        self.list.push(Gate { what, wires, q, pins: None, defines: None, looked: None });
        self.list.last_mut().expect("just pushed")
    }

    /// The value that makes a gate hold, `c` being one with coefficient `q.o`.
    pub(super) fn define(&mut self, what: &'static str, [a, b]: [Option<Val>; 2], q: Selectors) -> Val {
        let key = ([a, b], q);
        if let Some(&val) = self.defined.get(&key) {
            return val;
        }
        let val = Val::Gate(self.list.len());
        self.push(what, [a, b, Some(val)], q).defines = Some(2);
        self.defined.insert(key, val);
        val
    }

    /// Has `c` of some gate looked up, which is `val`: of one that has it, if it may be its `c`.
    pub(super) fn look_up(&mut self, val: Val, looked: Looked) {
        let at = |gate: &Gate| {
            let wire = gate.wires.iter().position(|w| *w == Some(val))?;
            (gate.looked.is_none() && (wire == 2 || gate.q.m == 0)).then_some(wire)
        };
        let found = self.list.iter_mut().find_map(|gate| at(gate).map(|wire| (gate, wire)));
        let (gate, wire) = match found {
            Some(found) => found,
            None => (self.push("lookup", [None, None, Some(val)], Selectors::default()), 2),
        };
        gate.move_to_third(wire);
        gate.looked = Some(looked);
    }

    /// Whether a combination is not yet restricted to these constants; from now on it is.
    pub(super) fn restrict(&mut self, sum: &Sum, to: &[i64]) -> bool {
        let restriction = (sum.clone(), to.to_vec());
        let new = !self.restricted.contains(&restriction);
        if new {
            self.restricted.push(restriction);
        }
        new
    }

    /// A combination as a value.
    pub(super) fn value(&mut self, sum: &Sum) -> Val {
        if let Some(val) = sum.as_val() {
            return val;
        }
        let constant = sum.constant;
        let without = Sum { terms: sum.terms.clone(), constant: 0 };
        if constant == 0
            && let Some(&val) = self.known.get(&without)
        {
            return val;
        }
        let rest = self.shrink(&without, 2);
        let mut terms = rest.terms.iter();
        let (a, b) = (terms.next(), terms.next());
        let q = Selectors { l: a.map_or(0, |t| *t.1), r: b.map_or(0, |t| *t.1), m: 0, o: -1, k: constant };
        let val = self.define("sum", [a.map(|t| *t.0), b.map(|t| *t.0)], q);
        if constant == 0 {
            self.known.insert(without, val);
        }
        val
    }

    /// A combination with at most `limit` terms, at least 1, of the same value.
    pub(super) fn shrink(&mut self, sum: &Sum, limit: usize) -> Sum {
        let mut sum = sum.clone();
        if limit == 1 && sum.terms.len() > 1 {
            let (factor, part) = sum.primitive();
            let mut one = Sum::int(sum.constant);
            one.add_val(self.value(&part), factor);
            return one;
        }
        while sum.terms.len() > limit {
            let all = sum.terms.len();
            let known = self.known.keys().filter(|k| k.terms.len() > 1);
            let wanted = self.wanted.iter().filter(|w| w.terms.len() < all);
            let parts = known.chain(wanted).filter_map(|part| Some((part, sum.holds(part)?)));
            let best = parts.max_by_key(|(part, _)| (part.terms.len(), std::cmp::Reverse(part.terms.clone())));
            let (part, factor) = match best {
                Some((part, factor)) => (part.clone(), factor),
                None => {
                    let two = sum.terms.iter().take(2).map(|(&val, &x)| (val, x)).collect();
                    let (factor, part) = Sum { terms: two, constant: 0 }.primitive();
                    (part, factor)
                }
            };
            let val = self.value(&part);
            sum.add(&part, -factor);
            sum.add_val(val, factor);
        }
        sum
    }

    /// `a b = c`.
    pub(super) fn product(&mut self, what: &'static str, a: &Sum, b: &Sum, c: &Sum) {
        let (wires, mut q, rest) = self.multiplied(a, b, c);
        let rest = self.shrink(&rest, 1);
        let third = rest.terms.first_key_value();
        q.o = -third.map_or(0, |t| *t.1);
        q.k -= rest.constant;
        let out = third.map(|t| *t.0);
        self.push(what, [wires[0], wires[1], out], q);
    }

    /// `a b` as a value.
    pub(super) fn multiply(&mut self, what: &'static str, a: &Sum, b: &Sum) -> Val {
        let product = match (a.as_int(), b.as_int()) {
            (Some(x), _) => b.scaled(x),
            (_, Some(x)) => a.scaled(x),
            _ => {
                let (wires, q, _) = self.multiplied(a, b, &Sum::default());
                return self.define(what, wires, Selectors { o: -1, ..q });
            }
        };
        self.value(&product)
    }

    /// The part of a gate that says `a b - c`, as far as its first two wires reach, and what is left of
    /// `c`.
    fn multiplied(&mut self, a: &Sum, b: &Sum, c: &Sum) -> ([Option<Val>; 2], Selectors, Sum) {
        let (mut a, mut b) = (self.shrink(a, 1), self.shrink(b, 1));
        if a.terms.keys().next() > b.terms.keys().next() {
            std::mem::swap(&mut a, &mut b);
        }
        let first = |s: &Sum| s.terms.first_key_value().map_or((None, 0), |(&val, &x)| (Some(val), x));
        let ((x, p), (y, s)) = (first(&a), first(&b));
        let mut q = Selectors {
            m: times(p, s),
            l: times(p, b.constant),
            r: times(s, a.constant),
            o: 0,
            k: times(a.constant, b.constant),
        };
        let mut rest = c.clone();
        if let Some(coefficient) = x.and_then(|x| rest.terms.remove(&x)) {
            q.l -= coefficient;
        }
        if let Some(coefficient) = y.and_then(|y| rest.terms.remove(&y)) {
            q.r -= coefficient;
        }
        ([x, y], q, rest)
    }

    /// `sum = 0`.
    pub(super) fn zero(&mut self, what: &'static str, sum: &Sum) {
        let sum = self.shrink(sum, 3);
        let mut terms = sum.terms.iter();
        let [a, b, c] = std::array::from_fn(|_| terms.next());
        let [l, r, o] = [a, b, c].map(|t| t.map_or(0, |t| *t.1));
        if sum.as_int() != Some(0) {
            self.push(what, [a, b, c].map(|t| t.map(|t| *t.0)), Selectors { l, r, m: 0, o, k: sum.constant });
        }
    }
}
