//! A few rows of a lowered system as relations over unknowns, polynomials that are zero and tuples that
//! are in tables, and a search for values that break one relation and no other.
//!
//! An attempt changes one or two unknowns of an honest row, then repairs what broke by solving for others,
//! depth first. What buses carry is no relation: a statement can send and receive anything.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use p3_field::PrimeField64;
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};

use crate::common::search::{Move, another, limbs};

/// A polynomial: monomials, as sorted lists of unknowns, with coefficients that are not zero.
#[derive(Debug, Clone, Default)]
pub struct Poly<F>(Vec<(Vec<usize>, F)>);

impl<F: PrimeField64> Poly<F> {
    pub fn constant(x: F) -> Self {
        Self(if x.is_zero() { Vec::new() } else { vec![(Vec::new(), x)] })
    }

    pub fn var(var: usize) -> Self {
        Self(vec![(vec![var], F::ONE)])
    }

    fn collect(terms: impl Iterator<Item = (Vec<usize>, F)>) -> Self {
        let mut sums: BTreeMap<Vec<usize>, F> = BTreeMap::new();
        terms.for_each(|(monomial, x)| *sums.entry(monomial).or_default() += x);
        Self(sums.into_iter().filter(|(_, x)| !x.is_zero()).collect())
    }

    /// `self + factor other`.
    pub fn plus(&self, other: &Self, factor: F) -> Self {
        let scaled = other.0.iter().map(|(m, x)| (m.clone(), *x * factor));
        Self::collect(self.0.iter().cloned().chain(scaled))
    }

    pub fn times(&self, other: &Self) -> Self {
        let product = |(m, x): &(Vec<usize>, F), (n, y): &(Vec<usize>, F)| {
            let mut monomial = [&m[..], &n[..]].concat();
            monomial.sort_unstable();
            (monomial, *x * *y)
        };
        Self::collect(self.0.iter().flat_map(|a| other.0.iter().map(move |b| product(a, b))))
    }

    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The unknowns.
    pub fn vars(&self) -> BTreeSet<usize> {
        self.0.iter().flat_map(|t| t.0.iter().copied()).collect()
    }

    pub fn value(&self, values: &[F]) -> F {
        self.0.iter().map(|(m, x)| m.iter().fold(*x, |product, &v| product * values[v])).sum()
    }

    /// The slope in an unknown in which it is linear.
    fn slope(&self, var: usize, values: &[F]) -> Option<F> {
        let mut slope = F::ZERO;
        for (monomial, x) in &self.0 {
            let others = monomial.iter().filter(|&&v| v != var);
            match monomial.iter().filter(|&&v| v == var).count() {
                0 => {}
                1 => slope += others.fold(*x, |product, &v| product * values[v]),
                _ => return None,
            }
        }
        Some(slope)
    }

    /// The value that it gives an unknown, if it is zero and the unknown is a term of its own and nowhere else.
    pub fn defines(&self, var: usize) -> Option<Self> {
        let mut holders = self.0.iter().filter(|t| t.0.contains(&var));
        let (monomial, x) = holders.next()?;
        if monomial.len() > 1 || holders.next().is_some() {
            return None;
        }
        let factor = -x.inverse();
        Some(Self(self.0.iter().filter(|t| !t.0.contains(&var)).map(|(m, y)| (m.clone(), *y * factor)).collect()))
    }
}

/// Tables, with the entries that complete a tuple.
#[derive(Default)]
pub struct Tables<F> {
    sets: Vec<HashSet<Vec<F>>>,
    /// By table and position, the entries there by the other entries.
    completions: Vec<BTreeMap<usize, HashMap<Vec<F>, Vec<F>>>>,
}

fn without<F: Copy>(tuple: &[F], position: usize) -> Vec<F> {
    tuple.iter().enumerate().filter(|(i, _)| *i != position).map(|t| *t.1).collect()
}

impl<F: PrimeField64> Tables<F> {
    /// Adds a table, of which entries at some positions may be solved for.
    pub fn push(&mut self, tuples: HashSet<Vec<F>>, positions: impl Iterator<Item = usize>) -> usize {
        let mut completions = BTreeMap::new();
        for position in positions {
            let mut by: HashMap<Vec<F>, Vec<F>> = HashMap::new();
            tuples.iter().for_each(|t| by.entry(without(t, position)).or_default().push(t[position]));
            by.values_mut().for_each(|list| list.sort_unstable());
            completions.insert(position, by);
        }
        self.sets.push(tuples);
        self.completions.push(completions);
        self.sets.len() - 1
    }

    pub fn holds(&self, table: usize, tuple: &[F]) -> bool {
        self.sets[table].contains(tuple)
    }
}

/// What a relation says.
#[derive(Debug, Clone)]
pub enum Body<F> {
    Zero(Poly<F>),
    In(Vec<Poly<F>>, usize),
}

/// Relations over unknowns that are numbered from 0.
pub struct System<'t, F> {
    tables: &'t Tables<F>,
    pub relations: Vec<Body<F>>,
    vars: Vec<Vec<usize>>,
    readers: Vec<Vec<usize>>,
}

/// An attempt.
struct Attempt<F> {
    values: Vec<F>,
    touched: Vec<bool>,
    broken: BTreeSet<usize>,
    target: usize,
    patience: usize,
}

/// Most repairs in a row, and most states of one attempt.
const DEPTH: usize = 14;
const PATIENCE: usize = 60;

impl<'t, F: PrimeField64> System<'t, F> {
    pub fn new(tables: &'t Tables<F>, unknowns: usize, relations: Vec<Body<F>>) -> Self {
        let mut readers = vec![Vec::new(); unknowns];
        let vars: Vec<Vec<usize>> = relations.iter().map(Self::vars_of).collect();
        for (i, vars) in vars.iter().enumerate() {
            vars.iter().for_each(|&v| readers[v].push(i));
        }
        Self { tables, relations, vars, readers }
    }

    fn vars_of(body: &Body<F>) -> Vec<usize> {
        let vars: BTreeSet<usize> = match body {
            Body::Zero(poly) => poly.vars(),
            Body::In(inputs, _) => inputs.iter().flat_map(Poly::vars).collect(),
        };
        vars.into_iter().collect()
    }

    /// Whether values satisfy a relation.
    pub fn holds(&self, relation: usize, values: &[F]) -> bool {
        match &self.relations[relation] {
            Body::Zero(poly) => poly.value(values).is_zero(),
            Body::In(inputs, table) => {
                let tuple: Vec<F> = inputs.iter().map(|p| p.value(values)).collect();
                self.tables.holds(*table, &tuple)
            }
        }
    }

    /// Those of some values that break a relation and no other.
    pub fn refused(&self, target: usize, candidates: &[Vec<F>]) -> Option<Vec<F>> {
        let only = |values: &&Vec<F>| (0..self.relations.len()).all(|i| self.holds(i, values) == (i != target));
        candidates.iter().find(only).cloned()
    }

    /// Values that break a relation and no other, from honest ones; at most `budget` states are tried.
    pub fn forge(&self, target: usize, seeds: &[Vec<F>], budget: usize, rng: &mut SmallRng) -> Option<Vec<F>> {
        assert!(!seeds.is_empty(), "nothing to start from");
        let mut tried = 0;
        while tried < budget {
            let seed = seeds.choose(rng).filter(|seed| !seed.is_empty())?;
            let near = rng.random_bool(0.85).then(|| self.vars[target].choose(rng)).flatten().copied();
            let first = near.unwrap_or_else(|| rng.random_range(0..seed.len()));
            let mut changes = vec![(first, change(first, seeds, seed, rng))];
            if rng.random_bool(0.3) {
                let near = rng.random_bool(0.5).then(|| self.vars[target].choose(rng)).flatten().copied();
                let second = near.unwrap_or_else(|| rng.random_range(0..seed.len()));
                changes.push((second, change(second, seeds, seed, rng)));
            }
            let broken = (0..self.relations.len()).filter(|&i| !self.holds(i, seed)).collect();
            let touched = vec![false; seed.len()];
            let mut attempt = Attempt { values: seed.clone(), touched, broken, target, patience: PATIENCE };
            self.apply(&mut attempt, &changes);
            if self.repair(&mut attempt, DEPTH, rng) {
                return Some(attempt.values);
            }
            tried += PATIENCE - attempt.patience;
        }
        None
    }

    fn apply(&self, attempt: &mut Attempt<F>, changes: &[(usize, F)]) {
        for &(var, x) in changes {
            attempt.values[var] = x;
            attempt.touched[var] = true;
        }
        self.refresh(attempt, changes);
    }

    fn refresh(&self, attempt: &mut Attempt<F>, changes: &[(usize, F)]) {
        for &relation in changes.iter().flat_map(|(var, _)| &self.readers[*var]) {
            if self.holds(relation, &attempt.values) {
                attempt.broken.remove(&relation);
            } else {
                attempt.broken.insert(relation);
            }
        }
    }

    fn free<'a>(&'a self, attempt: &'a Attempt<F>, relation: usize) -> impl Iterator<Item = usize> + 'a {
        self.vars[relation].iter().copied().filter(|&v| !attempt.touched[v])
    }

    fn repair(&self, attempt: &mut Attempt<F>, depth: usize, rng: &mut SmallRng) -> bool {
        if attempt.patience == 0 {
            return false;
        }
        attempt.patience -= 1;
        let others = attempt.broken.iter().copied().filter(|&i| i != attempt.target);
        // Equations with few unknowns left first, lookups last.
        let key = |i: &usize| (matches!(self.relations[*i], Body::In(..)), self.free(attempt, *i).count());
        let Some(relation) = others.min_by_key(key) else {
            return attempt.broken.contains(&attempt.target);
        };
        if depth == 0 {
            return false;
        }
        for cells in self.moves(attempt, relation, rng) {
            let before: Move<F> = cells.iter().map(|&(var, _)| (var, attempt.values[var])).collect();
            self.apply(attempt, &cells);
            if self.repair(attempt, depth - 1, rng) {
                return true;
            }
            for &(var, x) in &before {
                attempt.values[var] = x;
                attempt.touched[var] = false;
            }
            self.refresh(attempt, &before);
        }
        false
    }

    /// Changes that repair a relation, each of one unknown or of two limbs; of two first.
    fn moves(&self, attempt: &Attempt<F>, relation: usize, rng: &mut SmallRng) -> Vec<Move<F>> {
        let free: Vec<usize> = self.free(attempt, relation).collect();
        let mut moves = Vec::new();
        match &self.relations[relation] {
            Body::Zero(poly) => {
                solve(poly, F::ZERO, &attempt.values, &free, &mut moves);
                let slopes = free.iter().filter_map(|&v| Some((v, poly.slope(v, &attempt.values)?)));
                let slopes: Vec<(usize, F)> = slopes.filter(|(_, slope)| !slope.is_zero()).collect();
                moves.extend(limbs(&slopes, &attempt.values, -poly.value(&attempt.values)));
            }
            Body::In(inputs, table) => {
                let tuple: Vec<F> = inputs.iter().map(|p| p.value(&attempt.values)).collect();
                for (&position, by) in &self.tables.completions[*table] {
                    let Some(list) = by.get(&without(&tuple, position)) else { continue };
                    let now = tuple[position].as_canonical_u64();
                    let cut = [0xff, 0xffff].map(|mask| F::from_u64(now & mask));
                    let cut = cut.into_iter().filter(|x| list.binary_search(x).is_ok());
                    let some = [list.first(), list.last(), list.choose(rng), list.choose(rng)];
                    let entries: BTreeSet<F> = cut.chain(some.into_iter().flatten().copied()).collect();
                    for entry in entries {
                        solve(&inputs[position], entry, &attempt.values, &free, &mut moves);
                    }
                }
            }
        }
        moves.retain(|cells| cells.iter().all(|&(var, x)| self.fits(attempt, var, x)));
        moves.shuffle(rng);
        moves.sort_by_key(|cells| std::cmp::Reverse(cells.len()));
        moves
    }

    /// Whether an unknown may take a value, as far as relations of it alone can say.
    fn fits(&self, attempt: &Attempt<F>, var: usize, x: F) -> bool {
        let alone = self.readers[var].iter().filter(|&&i| i != attempt.target && self.vars[i].len() == 1);
        let mut values = Vec::new();
        alone.into_iter().all(|&i| {
            if values.is_empty() {
                values = attempt.values.clone();
                values[var] = x;
            }
            self.holds(i, &values)
        })
    }
}

/// Values of single unknowns with which a polynomial has a value.
fn solve<F: PrimeField64>(poly: &Poly<F>, target: F, values: &[F], free: &[usize], moves: &mut Vec<Move<F>>) {
    let missing = target - poly.value(values);
    for &var in free {
        match poly.slope(var, values) {
            Some(slope) if slope.is_zero() => {}
            Some(slope) => moves.push(vec![(var, values[var] + missing * slope.inverse())]),
            None => {
                let mut with = values.to_vec();
                for x in [F::ZERO, F::ONE, values[var] + F::ONE, values[var] - F::ONE] {
                    with[var] = x;
                    if poly.value(&with) == target {
                        moves.push(vec![(var, x)]);
                    }
                }
            }
        }
    }
}

/// Another value of an unknown.
fn change<F: PrimeField64>(var: usize, seeds: &[Vec<F>], seed: &[F], rng: &mut SmallRng) -> F {
    let x = seed[var];
    match rng.random_range(0..17u32) {
        16 => seeds.choose(rng).map_or(x, |other| other[var]),
        kind => another(x, kind as usize, rng),
    }
}
