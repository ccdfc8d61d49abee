//! A table as linear combinations of columns and of products: the form in which a prover spends work
//! only where something is multiplied.
//!
//! Every product in a table's text becomes one entry of [`Products::products`], whose factors are
//! linear in columns and in earlier products; constraints, multiplicities and tuples are linear.
//! Weighted together with challenges, everything linear collapses to one weight a column.

use std::collections::BTreeMap;

use p3_field::Field;

use crate::expr::{Expr, Node, TableShape};

/// What a linear combination is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Var {
    /// A fixed column.
    Fixed(usize),
    /// An advice column.
    Main(usize),
    /// An advice column on the next row.
    Next(usize),
    /// A product.
    Product(usize),
}

/// A linear combination with integer coefficients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linear {
    /// The constant.
    pub constant: i64,
    /// Nonzero coefficients, in the order of the variables.
    pub terms: BTreeMap<Var, i64>,
}

impl Linear {
    fn var(var: Var) -> Self {
        Self { constant: 0, terms: BTreeMap::from([(var, 1)]) }
    }

    fn plus(mut self, other: &Self, scale: i64) -> Self {
        self.constant += scale * other.constant;
        for (&var, &c) in &other.terms {
            *self.terms.entry(var).or_default() += scale * c;
        }
        self.terms.retain(|_, c| *c != 0);
        self
    }

    fn as_constant(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }
}

/// A table in products and linear combinations.
#[derive(Debug, Clone, Default)]
pub struct Products {
    /// The factors of every product, each linear in columns and earlier products.
    pub products: Vec<(Linear, Linear)>,
    /// The constraints.
    pub constraints: Vec<Linear>,
    /// Multiplicity and tuple of every interaction, with the bus's number.
    pub interactions: Vec<(u32, Linear, Vec<Linear>)>,
}

impl Products {
    /// Rewrites a table.
    pub fn of(shape: &TableShape) -> Self {
        let mut products: Vec<(Linear, Linear)> = Vec::new();
        let mut values: Vec<Linear> = Vec::with_capacity(shape.nodes.len());
        for node in &shape.nodes {
            let at = |e: &Expr| &values[e.0 as usize];
            let value = match node {
                Node::Int(x) => Linear { constant: *x, terms: BTreeMap::new() },
                Node::Fixed(i) => Linear::var(Var::Fixed(*i)),
                Node::Main(i) => Linear::var(Var::Main(*i)),
                Node::Next(i) => Linear::var(Var::Next(*i)),
                Node::Add(a, b) => at(a).clone().plus(at(b), 1),
                Node::Sub(a, b) => at(a).clone().plus(at(b), -1),
                Node::Mul(a, b) => match (at(a).as_constant(), at(b).as_constant()) {
                    (Some(x), _) => Linear::default().plus(at(b), x),
                    (_, Some(x)) => Linear::default().plus(at(a), x),
                    _ => {
                        let factors = (at(a).clone(), at(b).clone());
                        let i = products.iter().position(|p| *p == factors).unwrap_or_else(|| {
                            products.push(factors);
                            products.len() - 1
                        });
                        Linear::var(Var::Product(i))
                    }
                },
            };
            values.push(value);
        }
        let of = |e: &Expr| values[e.0 as usize].clone();
        let interactions: Vec<_> = shape
            .interactions
            .iter()
            .map(|i| (i.bus.id, of(&i.multiplicity), i.tuple.iter().map(of).collect()))
            .collect();
        Self { products, constraints: shape.constraints.iter().map(|c| of(&c.expr)).collect(), interactions }
    }
}

/// A weighted sum of everything a table says: one polynomial in its columns.
#[derive(Debug, Clone)]
pub struct Weighted<E> {
    /// The constant.
    pub constant: E,
    /// Weight of every column that occurs linearly.
    pub columns: BTreeMap<Var, E>,
    /// Weight of every product, by its number.
    pub products: Vec<E>,
}

impl<E: Field> Weighted<E> {
    /// Nothing, of a table with this many products.
    pub fn new(products: usize) -> Self {
        Self { constant: E::ZERO, columns: BTreeMap::new(), products: E::zero_vec(products) }
    }

    /// Adds a linear combination.
    pub fn add(&mut self, linear: &Linear, weight: E) {
        let integer = |c: i64| weight * E::from_i64(c);
        self.constant += integer(linear.constant);
        for (&var, &c) in &linear.terms {
            match var {
                Var::Product(i) => self.products[i] += integer(c),
                column => *self.columns.entry(column).or_default() += integer(c),
            }
        }
    }
}
