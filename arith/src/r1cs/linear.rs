//! Sparse linear combinations of a row's variables, with integers and integer multiples of challenges
//! as coefficients.

use std::collections::{BTreeMap, BTreeSet};

use p3_field::Field;

use crate::kernel::Challenges;

/// A variable of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Var {
    /// The constant 1.
    One,
    /// A fixed column.
    Fixed(usize),
    /// An advice column on this row.
    Main(usize),
    /// An advice column on the next row, cyclically.
    Next(usize),
    /// A product of the lowering.
    Aux(usize),
    /// The fraction of an interaction.
    Helper(usize),
}

/// What an integer coefficient is a multiple of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// 1.
    One,
    /// `gamma`.
    Gamma,
    /// `beta^(i+1)`, which is entry `i` of [`Challenges::beta`].
    Beta(usize),
}

impl Unit {
    /// Its value.
    pub fn at<E: Field>(self, challenges: &Challenges<E>) -> E {
        match self {
            Self::One => E::ONE,
            Self::Gamma => challenges.gamma,
            Self::Beta(i) => challenges.beta[i],
        }
    }
}

/// A linear combination: no coefficient is zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Linear(BTreeMap<(Unit, Var), i64>);

/// A coefficient of a product of coefficients.
pub(super) fn times(a: i64, b: i64) -> i64 {
    a.checked_mul(b).expect("coefficients of tables fit 64 bits")
}

/// A sum of coefficients.
pub(super) fn plus(a: i64, b: i64) -> i64 {
    a.checked_add(b).expect("coefficients of tables fit 64 bits")
}

impl Linear {
    /// A constant.
    pub fn int(x: i64) -> Self {
        Self::term(Unit::One, Var::One, x)
    }

    /// A variable.
    pub fn var(var: Var) -> Self {
        Self::term(Unit::One, var, 1)
    }

    /// One term.
    pub fn term(unit: Unit, var: Var, factor: i64) -> Self {
        let mut out = Self::default();
        out.add_term(unit, var, factor);
        out
    }

    /// Adds a term.
    pub fn add_term(&mut self, unit: Unit, var: Var, factor: i64) {
        let sum = plus(self.0.remove(&(unit, var)).unwrap_or(0), factor);
        if sum != 0 {
            self.0.insert((unit, var), sum);
        }
    }

    /// Adds a multiple of another.
    pub fn add(&mut self, other: &Self, factor: i64) {
        other.terms().for_each(|(unit, var, x)| self.add_term(unit, var, times(x, factor)));
    }

    /// Adds a multiple of an integer combination by a unit.
    pub fn add_in(&mut self, unit: Unit, other: &Self, factor: i64) {
        other.terms().for_each(|(_, var, x)| self.add_term(unit, var, times(x, factor)));
    }

    /// A multiple.
    pub fn scaled(&self, factor: i64) -> Self {
        let mut out = Self::default();
        out.add(self, factor);
        out
    }

    /// The terms, by unit, then by variable.
    pub fn terms(&self) -> impl Iterator<Item = (Unit, Var, i64)> {
        self.0.iter().map(|(&(unit, var), &factor)| (unit, var, factor))
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The integer that it is, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        let mut terms = self.terms();
        match (terms.next(), terms.next()) {
            (None, _) => Some(0),
            (Some((Unit::One, Var::One, x)), None) => Some(x),
            _ => None,
        }
    }

    /// Variables with a coefficient: entries of the matrix's row.
    pub fn nonzeros(&self) -> usize {
        self.terms().map(|(_, var, _)| var).collect::<BTreeSet<Var>>().len()
    }

    /// `(c, p)` such that this is `c p`, where the coefficients of `p` have no common factor and the
    /// last one is positive.
    pub fn primitive(&self) -> (i64, Self) {
        let content = self.terms().fold(0, |d, (_, _, x)| gcd(d, x.unsigned_abs())) as i64;
        let sign = self.terms().last().map_or(1, |(_, _, x)| x.signum());
        let terms = self.0.iter().map(|(&key, &x)| (key, x / content * sign));
        (content * sign, Self(terms.collect()))
    }

    /// Coefficients by variable at the challenges' values.
    pub fn at<E: Field>(&self, challenges: &Challenges<E>) -> Vec<(Var, E)> {
        let mut out: BTreeMap<Var, E> = BTreeMap::new();
        for (unit, var, x) in self.terms() {
            *out.entry(var).or_default() += unit.at(challenges) * E::from_i64(x);
        }
        out.into_iter().collect()
    }

    /// As a formula over names of variables.
    pub fn formula(&self, name: impl Fn(Var) -> String) -> String {
        let mut out = String::new();
        let mut terms: Vec<(Unit, Var, i64)> = self.terms().collect();
        terms.sort_by_key(|&(unit, var, _)| (unit != Unit::Gamma, unit, var == Var::One));
        for (unit, var, x) in terms {
            let sign = match (x < 0, out.is_empty()) {
                (true, true) => "-",
                (true, false) => " - ",
                (false, true) => "",
                (false, false) => " + ",
            };
            let size = Some(x.unsigned_abs()).filter(|&x| x != 1 || (unit, var) == (Unit::One, Var::One));
            let unit = match unit {
                Unit::One => None,
                Unit::Gamma => Some("gamma".to_string()),
                Unit::Beta(0) => Some("beta".to_string()),
                Unit::Beta(i) => Some(format!("beta^{}", i + 1)),
            };
            let var = (var != Var::One).then(|| name(var));
            let factors: Vec<String> = size.map(|x| x.to_string()).into_iter().chain(unit).chain(var).collect();
            out += sign;
            out += &factors.join("*");
        }
        if out.is_empty() { "0".to_string() } else { out }
    }
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
