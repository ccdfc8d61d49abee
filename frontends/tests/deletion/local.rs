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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

    /// Its value, if it has no unknowns.
    pub fn known(&self) -> Option<F> {
        match &self.0[..] {
            [] => Some(F::ZERO),
            [(monomial, x)] if monomial.is_empty() => Some(*x),
            _ => None,
        }
    }

    /// With another polynomial for an unknown.
    pub fn with(&self, var: usize, value: &Self) -> Self {
        let (holders, others): (Vec<_>, Vec<_>) = self.0.iter().cloned().partition(|t| t.0.contains(&var));
        holders.into_iter().fold(Self(others), |sum, (mut monomial, x)| {
            let degree = monomial.len();
            monomial.retain(|v| *v != var);
            let power = degree - monomial.len();
            let term = Self(vec![(monomial, x)]);
            sum.plus(&(0..power).fold(term, |product, _| product.times(value)), F::ONE)
        })
    }

    /// Coefficients by power of its only unknown.
    fn coefficients(&self) -> Vec<F> {
        let degree = self.0.iter().map(|t| t.0.len()).max().unwrap_or(0);
        let mut coefficients = F::zero_vec(degree + 1);
        self.0.iter().for_each(|(monomial, x)| coefficients[monomial.len()] += *x);
        coefficients
    }

    /// Slope and constant, if it is linear in its only unknown.
    pub fn line(&self) -> Option<(F, F)> {
        let (slopes, constant) = self.linear()?;
        <[_; 1]>::try_from(slopes).ok().map(|[(_, slope)]| (slope, constant))
    }

    /// All values of its only unknown for which it is zero, if they are found.
    pub fn roots(&self) -> Option<Vec<F>> {
        let mut left = self.coefficients();
        let mut roots = BTreeSet::new();
        let guesses = [0, 1, 2, 3, -1, 1 << 8, 1 << 16].map(F::from_i64);
        while left.len() > 2 {
            let value = |x: F| left.iter().rev().fold(F::ZERO, |sum, &c| sum * x + c);
            let root = guesses.into_iter().find(|&x| value(x).is_zero())?;
            roots.insert(root);
            // Synthetic division: the remainder, in front, is zero.
            for i in (1..left.len() - 1).rev() {
                let above = left[i + 1];
                left[i] += root * above;
            }
            left.remove(0);
        }
        roots.insert(-left[0] * left[1].inverse());
        Some(roots.into_iter().collect())
    }

    /// An unknown, a value of it with which this is zero, and what it is a multiple of then.
    pub fn factor(&self) -> Option<(usize, F, Self)> {
        let mut unknowns = self.vars().into_iter().flat_map(|var| [(var, F::ZERO), (var, F::ONE)]);
        let (var, root) = unknowns.find(|&(var, root)| self.with(var, &Self::constant(root)).is_zero())?;
        // Synthetic division by `var - root`, from the highest power down.
        let power = |monomial: &[usize]| monomial.iter().filter(|v| **v == var).count();
        let mut quotient = Self::default();
        let mut above = Self::default();
        for degree in (1..=self.0.iter().map(|t| power(&t.0)).max()?).rev() {
            let others = self.0.iter().filter(|t| power(&t.0) == degree);
            let coefficient =
                Self(others.map(|(m, x)| (m.iter().copied().filter(|v| *v != var).collect(), *x)).collect());
            above = coefficient.plus(&above, root);
            let shifted = (1..degree).fold(above.clone(), |poly, _| poly.times(&Self::var(var)));
            quotient = quotient.plus(&shifted, F::ONE);
        }
        Some((var, root, quotient))
    }

    /// Coefficients of its unknowns and its constant, if it is linear.
    pub fn linear(&self) -> Option<(Vec<(usize, F)>, F)> {
        let mut slopes = Vec::new();
        let mut constant = F::ZERO;
        for (monomial, x) in &self.0 {
            match monomial[..] {
                [] => constant = *x,
                [var] => slopes.push((var, *x)),
                _ => return None,
            }
        }
        Some((slopes, constant))
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
    /// By table and position, all entries there, if they are few.
    few: Vec<Vec<Option<Vec<F>>>>,
}

/// Most tuples of a short table.
const SHORT: usize = 1 << 16;
/// Most entries that are few.
const FEW: usize = 32;

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
        let width = tuples.iter().next().map_or(0, Vec::len);
        let few = (0..width).map(|position| {
            let entries: HashSet<F> = tuples.iter().map(|t| t[position]).collect();
            (entries.len() <= FEW).then(|| entries.into_iter().collect())
        });
        self.few.push(few.collect());
        self.sets.push(tuples);
        self.completions.push(completions);
        self.sets.len() - 1
    }

    /// The entries at a position that complete a tuple, in order, if they are known there.
    pub fn entries(&self, table: usize, position: usize, tuple: &[F]) -> Option<&[F]> {
        let by = self.completions[table].get(&position)?;
        Some(by.get(&without(tuple, position)).map_or(&[], Vec::as_slice))
    }

    /// All entries at a position, if they are few.
    pub fn all(&self, table: usize, position: usize) -> Option<&[F]> {
        self.few[table][position].as_deref()
    }

    /// The tuples with these entries, if the table is short.
    pub fn matching<'a>(&'a self, table: usize, known: &'a [Option<F>]) -> Option<impl Iterator<Item = &'a Vec<F>>> {
        let fits = move |tuple: &&'a Vec<F>| tuple.iter().zip(known).all(|(x, known)| known.is_none_or(|y| y == *x));
        let set = &self.sets[table];
        (set.len() <= SHORT).then(|| set.iter().filter(fits))
    }

    /// Whether a tuple with these entries is not known to be missing.
    pub fn matches(&self, table: usize, known: &[Option<F>]) -> bool {
        self.matching(table, known).is_none_or(|mut tuples| tuples.next().is_some())
    }

    pub fn holds(&self, table: usize, tuple: &[F]) -> bool {
        self.sets[table].contains(tuple)
    }
}

/// What a relation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<F> {
    Zero(Poly<F>),
    In(Vec<Poly<F>>, usize),
}

impl<F: PrimeField64> Body<F> {
    /// The unknowns.
    pub fn vars(&self) -> BTreeSet<usize> {
        match self {
            Self::Zero(poly) => poly.vars(),
            Self::In(inputs, _) => inputs.iter().flat_map(Poly::vars).collect(),
        }
    }

    /// With a polynomial for an unknown.
    pub fn with(&self, var: usize, value: &Poly<F>) -> Self {
        match self {
            Self::Zero(poly) => Self::Zero(poly.with(var, value)),
            Self::In(inputs, table) => Self::In(inputs.iter().map(|poly| poly.with(var, value)).collect(), *table),
        }
    }
}

/// Relations over unknowns that are numbered from 0.
pub struct System<'t, F> {
    pub tables: &'t Tables<F>,
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
        let vars: Vec<Vec<usize>> = relations.iter().map(|body| body.vars().into_iter().collect()).collect();
        for (i, vars) in vars.iter().enumerate() {
            vars.iter().for_each(|&v| readers[v].push(i));
        }
        Self { tables, relations, vars, readers }
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
