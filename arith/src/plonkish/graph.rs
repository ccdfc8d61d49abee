//! Expressions of gates and lookups: one graph a circuit, equal subexpressions shared.

use std::collections::HashMap;

use p3_field::{Algebra, Field};

use crate::kernel::Challenges;
use crate::r1cs::Unit;

/// A column of a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// Part of the circuit.
    Fixed(usize),
    /// Filled by the prover before challenges exist.
    Early(usize),
    /// Filled by the prover once [`Challenges`] exist; over the challenge field.
    Late(usize),
    /// Public values from row 0 on, zero below.
    Instance,
}

/// A column on this row, or on the next one, cyclically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Query {
    /// The column.
    pub column: Column,
    /// Whether it is read one row on.
    pub next: bool,
}

/// One node; operands come before their uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// An integer.
    Int(i64),
    /// A cell.
    Cell(Query),
    /// A challenge: `gamma`, or a power of `beta`.
    Challenge(Unit),
    /// Sum.
    Add(Id, Id),
    /// Difference.
    Sub(Id, Id),
    /// Product.
    Mul(Id, Id),
}

/// A handle of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

/// Expressions in the cells of a row and its successor.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, Id>,
    degrees: Vec<usize>,
    late: Vec<bool>,
}

impl Graph {
    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node.
    pub fn node(&self, id: Id) -> Node {
        self.nodes[id.0 as usize]
    }

    /// Degree in the columns; challenges are constants.
    pub fn degree(&self, id: Id) -> usize {
        self.degrees[id.0 as usize]
    }

    /// Whether it depends on challenges, so that its value lies in the challenge field.
    pub fn is_late(&self, id: Id) -> bool {
        self.late[id.0 as usize]
    }

    fn push(&mut self, node: Node) -> Id {
        if let Some(&id) = self.known.get(&node) {
            return id;
        }
        let id = Id(self.nodes.len() as u32);
        let (degree, late) = match node {
            Node::Int(_) => (0, false),
            Node::Cell(query) => (1, matches!(query.column, Column::Late(_))),
            Node::Challenge(unit) => (0, unit != Unit::One),
            Node::Add(a, b) | Node::Sub(a, b) => {
                (self.degree(a).max(self.degree(b)), self.is_late(a) || self.is_late(b))
            }
            Node::Mul(a, b) => (self.degree(a) + self.degree(b), self.is_late(a) || self.is_late(b)),
        };
        self.nodes.push(node);
        self.degrees.push(degree);
        self.late.push(late);
        self.known.insert(node, id);
        id
    }

    fn as_int(&self, id: Id) -> Option<i64> {
        if let Node::Int(x) = self.node(id) { Some(x) } else { None }
    }

    /// An integer.
    pub fn int(&mut self, x: i64) -> Id {
        self.push(Node::Int(x))
    }

    /// A cell of this row.
    pub fn cell(&mut self, column: Column) -> Id {
        self.push(Node::Cell(Query { column, next: false }))
    }

    /// A cell of the next row.
    pub fn next(&mut self, column: Column) -> Id {
        self.push(Node::Cell(Query { column, next: true }))
    }

    /// A challenge.
    pub fn challenge(&mut self, unit: Unit) -> Id {
        match unit {
            Unit::One => self.int(1),
            unit => self.push(Node::Challenge(unit)),
        }
    }

    /// `a + b`.
    pub fn add(&mut self, a: Id, b: Id) -> Id {
        match (self.as_int(a), self.as_int(b)) {
            (Some(x), Some(y)) => self.int(x + y),
            (Some(0), _) => b,
            (_, Some(0)) => a,
            _ => self.push(Node::Add(a.min(b), a.max(b))),
        }
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        match (self.as_int(a), self.as_int(b)) {
            (Some(x), Some(y)) => self.int(x - y),
            (_, Some(0)) => a,
            _ if a == b => self.int(0),
            _ => self.push(Node::Sub(a, b)),
        }
    }

    /// `a b`.
    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        match (self.as_int(a), self.as_int(b)) {
            (Some(x), Some(y)) => self.int(x * y),
            (Some(0), _) | (_, Some(0)) => self.int(0),
            (Some(1), _) => b,
            (_, Some(1)) => a,
            _ => self.push(Node::Mul(a.min(b), a.max(b))),
        }
    }

    /// The sum of some.
    pub fn sum(&mut self, terms: impl IntoIterator<Item = Id>) -> Id {
        let zero = self.int(0);
        terms.into_iter().fold(zero, |sum, term| self.add(sum, term))
    }

    /// The cells that `roots` depend on, in order.
    pub fn queries(&self, roots: impl IntoIterator<Item = Id>) -> Vec<Query> {
        let mut used = vec![false; self.nodes.len()];
        roots.into_iter().for_each(|id| used[id.0 as usize] = true);
        let mut queries = Vec::new();
        for (i, node) in self.nodes.iter().enumerate().rev() {
            match *node {
                _ if !used[i] => {}
                Node::Cell(query) => queries.push(query),
                Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b) => {
                    used[a.0 as usize] = true;
                    used[b.0 as usize] = true;
                }
                Node::Int(_) | Node::Challenge(_) => {}
            }
        }
        queries.sort_unstable();
        queries
    }

    /// The value of every node, into `values`, from the values of cells. What `cell` gives for cells
    /// that no root depends on does not matter.
    pub fn evaluate<E: Field, V: Algebra<E> + Copy>(
        &self,
        challenges: &Challenges<E>,
        cell: impl Fn(Query) -> V,
        values: &mut Vec<V>,
    ) {
        values.clear();
        for node in &self.nodes {
            let at = |id: &Id| values[id.0 as usize];
            let value = match node {
                Node::Int(x) => V::from_i64(*x),
                Node::Cell(query) => cell(*query),
                Node::Challenge(unit) => V::from(unit.at(challenges)),
                Node::Add(a, b) => at(a) + at(b),
                Node::Sub(a, b) => at(a) - at(b),
                Node::Mul(a, b) => at(a) * at(b),
            };
            values.push(value);
        }
    }

    /// An expression as a formula, with names for columns.
    pub fn formula(&self, id: Id, name: &impl Fn(Column) -> String) -> String {
        let factor = |id: Id| match self.node(id) {
            Node::Add(..) | Node::Sub(..) => format!("({})", self.formula(id, name)),
            _ => self.formula(id, name),
        };
        match self.node(id) {
            Node::Int(x) => x.to_string(),
            Node::Cell(query) => format!("{}{}", name(query.column), if query.next { "'" } else { "" }),
            Node::Challenge(Unit::One) => "1".to_string(),
            Node::Challenge(Unit::Gamma) => "gamma".to_string(),
            Node::Challenge(Unit::Beta(i)) => format!("beta^{}", i + 1),
            Node::Add(a, b) => format!("{} + {}", self.formula(a, name), self.formula(b, name)),
            Node::Sub(a, b) => format!("{} - {}", self.formula(a, name), factor(b)),
            Node::Mul(a, b) => format!("{}*{}", factor(a), factor(b)),
        }
    }
}
