//! Which lookups of an AIR are lookups of the circuit, and the one table that they are in.
//!
//! A row looks up three wires, so a bus of tuples of up to three entries is *native*: its tuples, told
//! from others by a tag, are rows of the table. So is a bus whose provider sends several tuples a row,
//! told apart by a constant entry: the table then holds the row once, see [`Split`]. Any other lookup
//! bus is a bus like others, whose providers have rows in the circuit.
//!
//! Interactions of multiplicity `m` look up `m t`, or `(m x, y)` where the second of two entries is a
//! constant. Where `m` is not 1 on all rows in use, it is 0 or 1, which a gate says where no constraint
//! does, and what is looked up then is provided: so a lookup says nothing where `m = 0`, and that `t` is
//! provided where `m = 1`.

use std::collections::{BTreeMap, BTreeSet};

use p3_field::{Field, PrimeCharacteristicRing};
use trilemma_core::{ConfigError, Setting};

use super::gates::{Gates, Selectors, Sum, Val};
use super::plan::interaction;
use crate::air::Air;
use crate::kernel::Cells;
use crate::plonkish::lookups::{LookupTable, Lookups, Role};
use crate::r1cs::{Block, ByColumn, Linear, Var};

/// Entries of a tuple that wires look up.
pub(super) const WIDTH: usize = 3;

/// What becomes of an interaction that is no fraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing: it is in the table.
    Provided,
    /// A lookup.
    Lookup {
        /// Number of the table, not 0.
        tag: i64,
        /// Entries of the tuple.
        arity: usize,
        /// How the tuple becomes a row of the table, if it is none.
        split: Option<Split>,
    },
}

impl Form {
    /// Whether the tuple's entries become values as they stand.
    pub(super) const fn is_plain(&self) -> bool {
        matches!(self, Self::Lookup { split: None, .. })
    }
}

/// A provider that sends one tuple for each of several codes: entry `at` is the code, entry `last` is
/// `factor z + rest` for a fixed column `z`, where `rest` depends on the other entries, which are the
/// same for all codes.
///
/// With the code's Lagrange polynomials `L_k`, what is looked up is
/// `z = sum_k L_k(code) (last - rest_k) / factor_k` and the other entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split {
    at: usize,
    last: usize,
    codes: Vec<i64>,
    factors: Vec<i64>,
    /// By code: multiples of entries, by position, and a constant.
    rests: Vec<(BTreeMap<usize, i64>, i64)>,
    arity: usize,
}

impl Split {
    /// The split of a provider with these tuples, if it is of that form.
    fn of(tuples: &[Vec<Linear>]) -> Option<Self> {
        let arity = tuples.first()?.len();
        if !(2..=WIDTH + 1).contains(&arity) {
            return None;
        }
        let codes = |at: usize| -> Option<Vec<i64>> { tuples.iter().map(|t| t[at].as_int()).collect() };
        let at = (0..arity).find(|&at| {
            codes(at).is_some_and(|c| c.contains(&0) && c.iter().collect::<BTreeSet<_>>().len() == c.len())
        })?;
        let same = |j: usize| tuples.iter().all(|t| t[j] == tuples[0][j]);
        let others: Vec<usize> = (0..arity).filter(|&j| j != at).collect();
        let last = *others.iter().find(|&&j| !same(j)).or(others.last())?;
        let mut position = BTreeMap::new();
        for &j in others.iter().filter(|&&j| j != last) {
            let mut terms = tuples[0][j].terms();
            let (Some((_, var @ Var::Fixed(_), 1)), None, true) = (terms.next(), terms.next(), same(j)) else {
                return None;
            };
            if position.insert(var, j).is_some() {
                return None;
            }
        }
        let column = tuples[0][last].terms().map(|t| t.1).find(|v| *v != Var::One && !position.contains_key(v))?;
        let (mut factors, mut rests) = (Vec::new(), Vec::new());
        for tuple in tuples {
            let (mut factor, mut rest, mut constant) = (0, BTreeMap::new(), 0);
            for (_, var, x) in tuple[last].terms() {
                match position.get(&var) {
                    Some(&j) => drop(rest.insert(j, x)),
                    None if var == Var::One => constant = x,
                    None if var == column => factor = x,
                    None => return None,
                }
            }
            if factor == 0 {
                return None;
            }
            factors.push(factor);
            rests.push((rest, constant));
        }
        Some(Self { at, last, codes: codes(at)?, factors, rests, arity })
    }

    /// The entries that stay as they are.
    fn others(&self) -> impl Iterator<Item = usize> {
        let (at, last) = (self.at, self.last);
        (0..self.arity).filter(move |&j| j != at && j != last)
    }

    /// The row of the table that a provided tuple of code number 0 comes from.
    fn row<F: Field>(&self, tuple: &[F]) -> Vec<F> {
        let (rest, constant) = &self.rests[0];
        let rest: F = rest.iter().map(|(&j, &x)| tuple[j] * F::from_i64(x)).sum();
        let z = (tuple[self.last] - rest - F::from_i64(*constant)) * F::from_i64(self.factors[0]).inverse();
        std::iter::once(z).chain(self.others().map(|j| tuple[j])).collect()
    }

    /// By code, the coefficients of `scale L_k / factor_k`, lowest first; and the scale.
    fn weights(&self) -> (Vec<Vec<i64>>, i64) {
        let (mut numerators, mut denominators) = (Vec::new(), Vec::new());
        for (k, &code) in self.codes.iter().enumerate() {
            let (mut numerator, mut denominator) = (vec![1], self.factors[k]);
            for &other in self.codes.iter().filter(|&&other| other != code) {
                denominator *= code - other;
                numerator = by_root(&numerator, other);
            }
            numerators.push(numerator);
            denominators.push(denominator);
        }
        let scale = denominators.iter().fold(1, |s, &d| s / gcd(s, d) * d.abs());
        let scaled = numerators.iter().zip(&denominators);
        (scaled.map(|(n, &d)| n.iter().map(|x| x * (scale / d)).collect()).collect(), scale)
    }

    /// Gates for what `m` times a tuple looks up.
    pub(super) fn entries(&self, gates: &mut Gates, m: Val, tuple: &[Sum]) -> Vec<Sum> {
        let m = Sum::of(m);
        // Powers of the code, times m; the code is one of the codes.
        let code = Sum::of(gates.multiply("code", &m, &tuple[self.at]));
        let mut powers = vec![m.clone(), code.clone()];
        while powers.len() < self.codes.len() {
            let power = gates.multiply("code", &powers[powers.len() - 1], &code);
            powers.push(Sum::of(power));
        }
        let vanishing = self.codes.iter().fold(vec![1], |p, &code| by_root(&p, code));
        if gates.restrict(&code, &self.codes) {
            let mut lower = Sum::default();
            powers.iter().zip(&vanishing).for_each(|(power, &x)| lower.add(power, -x));
            gates.product("one of the codes", &powers[powers.len() - 1], &code, &lower);
        }

        let (weights, scale) = self.weights();
        let mut by_entry: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        let mut constant = vec![0; self.codes.len()];
        for (weight, (rest, one)) in weights.iter().zip(&self.rests) {
            let mut add = |j: usize, x: i64| {
                let sum = by_entry.entry(j).or_insert_with(|| vec![0; weight.len()]);
                sum.iter_mut().zip(weight).for_each(|(sum, w)| *sum += x * w);
            };
            add(self.last, 1);
            rest.iter().for_each(|(&j, &x)| add(j, -x));
            constant.iter_mut().zip(weight).for_each(|(sum, w)| *sum -= one * w);
        }
        let at = |polynomial: &[i64]| {
            let mut sum = Sum::default();
            powers.iter().zip(polynomial).for_each(|(power, &x)| sum.add(power, x));
            sum
        };
        let mut groups: BTreeMap<Vec<i64>, Sum> = BTreeMap::new();
        for (j, polynomial) in by_entry {
            groups.entry(polynomial).or_default().add(&tuple[j], 1);
        }
        let mut scaled = at(&constant);
        for (polynomial, sum) in groups {
            let product = gates.multiply("entry by code", &at(&polynomial), &sum);
            scaled.add_val(product, 1);
        }
        let two = gates.shrink(&scaled, 2);
        let mut terms = two.terms.iter();
        let [a, b] = std::array::from_fn(|_| terms.next());
        let [l, r] = [a, b].map(|t| t.map_or(0, |t| *t.1));
        let q = Selectors { l, r, m: 0, o: -scale, k: two.constant };
        let z = gates.define("column by code", [a, b].map(|t| t.map(|t| *t.0)), q);
        let mut entries = vec![Sum::of(z)];
        for j in self.others() {
            entries.push(Sum::of(gates.multiply("gated entry", &m, &tuple[j])));
        }
        entries
    }
}

/// A polynomial times `X - root`.
fn by_root(polynomial: &[i64], root: i64) -> Vec<i64> {
    let mut out = vec![0; polynomial.len() + 1];
    for (i, x) in polynomial.iter().enumerate() {
        out[i + 1] += x;
        out[i] -= x * root;
    }
    out
}

const fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

/// A native bus.
struct Table {
    tag: i64,
    arity: usize,
    providers: Vec<(usize, usize)>,
    split: Option<Split>,
}

/// The lookups of an AIR as a circuit of three wires has them.
pub(super) struct Native {
    /// Those of the AIR on native buses only.
    pub(super) lookups: Lookups,
    tables: Vec<Table>,
    forms: Vec<Vec<Option<Form>>>,
}

impl Native {
    /// Finds them.
    pub(super) fn of<S: Setting>(air: &Air<S>) -> Self {
        let mut lookups = Lookups::of(air);
        let found: Vec<Option<Option<Split>>> = lookups.tables.iter().map(|t| form(air, t)).collect();
        let mut tables = Vec::new();
        let mut number = Vec::new();
        for (table, split) in lookups.tables.iter().zip(found) {
            number.push(split.is_some().then_some(tables.len()));
            if let Some(split) = split {
                let (arity, providers) = (table.bus.arity, table.providers.clone());
                tables.push(Table { tag: tables.len() as i64 + 1, arity, providers, split });
            }
        }
        for (t, kernel) in air.tables.iter().enumerate() {
            let shape = kernel.shape();
            for (role, interaction) in lookups.roles[t].iter_mut().zip(&shape.interactions) {
                let table = lookups.tables.iter().position(|table| table.bus == interaction.bus);
                *role = match table.and_then(|n| number[n]) {
                    None => Role::Fraction,
                    Some(_) if *role == Role::Provider => Role::Provider,
                    Some(n) => Role::Consumer(n),
                };
            }
            let provides = lookups.roles[t].iter().all(|r| *r == Role::Provider);
            lookups.kept[t] = !(shape.constraints.is_empty() && !lookups.roles[t].is_empty() && provides);
        }
        let mut is_native = number.iter().map(Option::is_some);
        lookups.tables.retain(|_| is_native.next().unwrap_or(false));
        let form = |role: &Role| match *role {
            Role::Fraction => None,
            Role::Provider => Some(Form::Provided),
            Role::Consumer(n) => {
                let Table { tag, arity, split, .. } = &tables[n];
                Some(Form::Lookup { tag: *tag, arity: *arity, split: split.clone() })
            }
        };
        let forms = lookups.roles.iter().map(|roles| roles.iter().map(form).collect()).collect();
        Self { lookups, tables, forms }
    }

    /// What becomes of an interaction; `None` for a fraction.
    pub(super) fn form(&self, table: usize, interaction: usize) -> Option<&Form> {
        self.forms[table][interaction].as_ref()
    }

    /// Whether an interaction has no gates.
    pub(super) fn provides(&self, table: usize, interaction: usize) -> bool {
        matches!(self.form(table, interaction), Some(Form::Provided))
    }

    /// Wires that lookups read; 0 when there are none.
    pub(super) fn width(&self) -> usize {
        let width = |t: &Table| t.arity - usize::from(t.split.is_some());
        self.tables.iter().map(width).max().unwrap_or(0)
    }

    /// Rows of the table, the row of zeros included.
    pub(super) fn rows<S: Setting>(&self, air: &Air<S>) -> usize {
        let rows = |t: &Table| -> usize {
            let providers = if t.split.is_some() { &t.providers[..1] } else { &t.providers };
            providers.iter().map(|&(table, _)| air.tables[table].shape().fixed_height).sum()
        };
        if self.tables.is_empty() { 0 } else { 1 + self.tables.iter().map(rows).sum::<usize>() }
    }

    /// The table's columns: the tag, the tag times the first entry, the other entries; zeros in row 0
    /// and below the last. `zeros` are tags and second entries that have to be there with zeros.
    ///
    /// # Errors
    /// One of them is not.
    pub(super) fn contents<S: Setting>(
        &self,
        air: &Air<S>,
        height: usize,
        mut zeros: BTreeSet<(i64, i64)>,
    ) -> Result<ByColumn<S::Base>, ConfigError> {
        let width = self.width();
        let mut columns = ByColumn::zero(1 + width, height);
        let mut row = 1;
        for table in &self.tables {
            let providers = if table.split.is_some() { &table.providers[..1] } else { &table.providers };
            for &(t, i) in providers {
                let kernel = air.tables[t].as_ref();
                let fixed = kernel.fixed();
                let main = S::Base::zero_vec(kernel.shape().columns.len());
                for r in 0..kernel.shape().fixed_height {
                    let fixed: Vec<S::Base> = fixed.iter().map(|column| S::Base::from_u32(column[r])).collect();
                    let mut values = kernel.row(Cells { fixed: &fixed, main: &main, next: &main });
                    let (_, _, tuple) = values.interactions.swap_remove(i);
                    let tuple = table.split.as_ref().map_or(tuple.clone(), |split| split.row(&tuple));
                    if tuple.iter().enumerate().all(|(c, x)| c == 1 || x.is_zero()) {
                        let second = tuple.get(1).copied().unwrap_or_default();
                        zeros.retain(|&(tag, x)| (tag, S::Base::from_i64(x)) != (table.tag, second));
                    }
                    let tag = S::Base::from_i64(table.tag);
                    *columns.cell_mut(0, row) = tag;
                    for (c, &x) in tuple.iter().enumerate() {
                        *columns.cell_mut(1 + c, row) = if c == 0 { tag * x } else { x };
                    }
                    row += 1;
                }
            }
        }
        match zeros.first() {
            Some((tag, second)) => Err(ConfigError(format!("lookup table {tag} does not provide (0, {second})"))),
            None => Ok(columns),
        }
    }
}

/// Whether a bus is native, and how its tuples are split.
fn form<S: Setting>(air: &Air<S>, table: &LookupTable) -> Option<Option<Split>> {
    let (first, _) = *table.providers.first()?;
    if table.providers.len() > 1 && table.providers.iter().all(|p| p.0 == first) {
        let block = Block::of(air.tables[first].shape());
        let tuple = |&(_, i): &(usize, usize)| {
            let (mut tuple, _) = interaction(&block.fractions[i]);
            tuple.resize(table.bus.arity, Linear::default());
            tuple
        };
        let tuples: Vec<Vec<Linear>> = table.providers.iter().map(tuple).collect();
        if let Some(split) = Split::of(&tuples) {
            return Some(Some(split));
        }
    }
    (1..=WIDTH).contains(&table.bus.arity).then_some(None)
}
