//! What the rows of one kind say, before anybody knows where their cells are: expressions over the
//! row's own columns, of bounded degree.
//!
//! A column that tells real rows from padding is the constant 1: a circuit has no rows of padding, and
//! a witness that has the bit unset somewhere has the same statement without that row. What exceeds a
//! degree is made of products with columns of their own.

use std::collections::HashMap;

use trilemma_core::Setting;

use crate::air::Air;
use crate::expr::{self, Expr, TableShape};
use crate::plonkish::graph::{Column, Graph, Id, Node};
use crate::plonkish::lookups::{Lookups, Role};

/// Degrees that the parts of a circuit may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Degrees {
    /// Of selectors.
    pub selector: usize,
    /// Of what a selector multiplies in a gate.
    pub body: usize,
    /// Of what a selector multiplies in a lookup.
    pub input: usize,
}

/// How a column is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An advice column of the table.
    Main(usize),
    /// An expression in columns before it.
    Product(Id),
    /// An entry of the statement's tuple.
    Entry(usize),
}

/// A column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Name.
    pub name: String,
    /// How it is filled.
    pub source: Source,
}

/// A fraction on a bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fraction {
    /// Number of the bus.
    pub bus: Id,
    /// Multiplicity, of degree at most 1.
    pub multiplicity: Id,
    /// Entries of the tuple, of degree at most 1.
    pub tuple: Vec<Id>,
}

/// A lookup in one of [`Lookups::tables`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// The lookup table.
    pub table: usize,
    /// Whether to look up, and what.
    pub inputs: Vec<Id>,
}

/// The rows of a table, or of statement terms of one length.
#[derive(Debug, Clone)]
pub struct Text {
    /// Name.
    pub name: String,
    /// The table, unless they are the statement's.
    pub table: Option<usize>,
    /// Expressions: [`Column::Early`] is one of `variables`, [`Column::Fixed`] one of `fixed`.
    pub graph: Graph,
    /// Columns.
    pub variables: Vec<Variable>,
    /// Number of fixed columns.
    pub fixed: usize,
    /// What is zero, with what it says.
    pub zeros: Vec<(String, Id)>,
    /// Fractions, in the order of their buses.
    pub fractions: Vec<Fraction>,
    /// Lookups.
    pub consumers: Vec<Consumer>,
    /// Whether it reads its next row.
    pub uses_next: bool,
}

impl Text {
    /// The rows of a table.
    pub fn of<S: Setting>(air: &Air<S>, lookups: &Lookups, table: usize, degrees: Degrees) -> Self {
        let shape = air.tables[table].shape();
        let real = real(shape);
        let mut writer = Writer::new(shape, real, &lookups.counting[table], degrees);
        for (i, constraint) in shape.constraints.iter().enumerate() {
            let id = writer.expression(constraint.expr);
            let id = writer.reduce(id, degrees.body);
            if writer.graph.node(id) != Node::Int(0) {
                debug_assert!(i < shape.constraints.len());
                writer.zeros.push((constraint.what.to_string(), id));
            }
        }
        let mut fractions = Vec::new();
        let mut consumers = Vec::new();
        for (interaction, role) in shape.interactions.iter().zip(&lookups.roles[table]) {
            let multiplicity = writer.expression(interaction.multiplicity);
            let tuple: Vec<Id> = interaction.tuple.iter().map(|&e| writer.expression(e)).collect();
            match *role {
                Role::Provider => {}
                Role::Fraction => {
                    let multiplicity = writer.reduce(multiplicity, 1);
                    let tuple = tuple.into_iter().map(|e| writer.reduce(e, 1)).collect();
                    let bus = writer.graph.int(i64::from(interaction.bus.id));
                    fractions.push((interaction.bus.id, Fraction { bus, multiplicity, tuple }));
                }
                Role::Consumer(table) => {
                    let products = tuple.into_iter().map(|e| (multiplicity, e));
                    let products: Vec<Id> = products.map(|(m, e)| writer.graph.mul(m, e)).collect();
                    let inputs = std::iter::once(multiplicity).chain(products);
                    let inputs = inputs.map(|e| writer.reduce(e, degrees.input)).collect();
                    consumers.push(Consumer { table, inputs });
                }
            }
        }
        fractions.sort_by_key(|(bus, _)| *bus);
        Self {
            name: shape.name.to_string(),
            table: Some(table),
            fixed: shape.fixed.len(),
            uses_next: shape.uses_next(),
            fractions: pairable(fractions),
            consumers,
            graph: writer.graph,
            variables: writer.variables,
            zeros: writer.zeros,
        }
    }

    /// Terms of the statement with this many entries: multiplicity and bus are fixed.
    pub fn statement(arity: usize) -> Self {
        let mut graph = Graph::default();
        let [multiplicity, bus] = [0, 1].map(|i| graph.cell(Column::Fixed(i)));
        let tuple = (0..arity).map(|i| graph.cell(Column::Early(i))).collect();
        let variable = |i| Variable { name: format!("entry {i}"), source: Source::Entry(i) };
        Self {
            name: format!("statement/{arity}"),
            table: None,
            graph,
            variables: (0..arity).map(variable).collect(),
            fixed: 2,
            zeros: Vec::new(),
            fractions: vec![Fraction { bus, multiplicity, tuple }],
            consumers: Vec::new(),
            uses_next: false,
        }
    }

    /// The columns that expressions read, whether on the next row.
    pub fn reads(&self, roots: impl IntoIterator<Item = Id>) -> Vec<(usize, bool)> {
        let queries = self.graph.queries(roots).into_iter();
        queries.filter_map(|q| if let Column::Early(i) = q.column { Some((i, q.next)) } else { None }).collect()
    }

    /// Columns read on the next row by anything.
    pub fn next_variables(&self) -> Vec<usize> {
        let fractions = self.fractions.iter().flat_map(|f| f.tuple.iter().copied().chain([f.multiplicity]));
        let consumers = self.consumers.iter().flat_map(|c| c.inputs.iter().copied());
        let roots = self.zeros.iter().map(|z| z.1).chain(fractions).chain(consumers);
        self.reads(roots).into_iter().filter(|r| r.1).map(|r| r.0).collect()
    }
}

/// The fractions of every bus in pairs, those without a partner last.
fn pairable(fractions: Vec<(u32, Fraction)>) -> Vec<Fraction> {
    let (mut pairs, mut single) = (Vec::new(), Vec::new());
    for bus in fractions.chunk_by(|a, b| a.0 == b.0) {
        for pair in bus.chunks(2) {
            let to = if pair.len() == 2 { &mut pairs } else { &mut single };
            to.extend(pair.iter().map(|f| f.1.clone()));
        }
    }
    pairs.extend(single);
    pairs
}

/// The leading bit that tells real rows from padding, of a table that has one and reads one row only.
fn real(shape: &TableShape) -> Option<usize> {
    let column = shape.columns.first().filter(|c| c.name == "real" && c.why == "boolean")?;
    let constraint = shape.constraints.first().filter(|c| c.what == column.name)?;
    let expr::Node::Mul(x, _) = shape.nodes[constraint.expr.0 as usize] else { return None };
    let bit = shape.nodes[x.0 as usize] == expr::Node::Main(0) && shape.degree(constraint.expr) == 2;
    (bit && !shape.uses_next() && shape.fixed_height == 0).then_some(0)
}

struct Writer<'a> {
    shape: &'a TableShape,
    real: Option<usize>,
    degrees: Degrees,
    graph: Graph,
    /// Place of advice columns among the variables.
    places: Vec<Option<usize>>,
    variables: Vec<Variable>,
    zeros: Vec<(String, Id)>,
    expressions: HashMap<Expr, Id>,
    products: HashMap<Id, Id>,
}

impl<'a> Writer<'a> {
    fn new(shape: &'a TableShape, real: Option<usize>, counting: &[usize], degrees: Degrees) -> Self {
        let mut variables = Vec::new();
        let places = (shape.columns.iter().enumerate())
            .map(|(i, column)| {
                if Some(i) == real || counting.contains(&i) {
                    return None;
                }
                variables.push(Variable { name: column.name.to_string(), source: Source::Main(i) });
                Some(variables.len() - 1)
            })
            .collect();
        Self {
            shape,
            real,
            degrees,
            graph: Graph::default(),
            places,
            variables,
            zeros: Vec::new(),
            expressions: HashMap::new(),
            products: HashMap::new(),
        }
    }

    /// An expression of the table.
    fn expression(&mut self, e: Expr) -> Id {
        if let Some(&id) = self.expressions.get(&e) {
            return id;
        }
        let id = match self.shape.nodes[e.0 as usize] {
            expr::Node::Int(x) => self.graph.int(x),
            expr::Node::Fixed(i) => self.graph.cell(Column::Fixed(i)),
            expr::Node::Main(i) | expr::Node::Next(i) if self.real == Some(i) => self.graph.int(1),
            // A column that counts lookups: nothing that stays reads it.
            expr::Node::Main(i) => match self.places[i] {
                Some(i) => self.graph.cell(Column::Early(i)),
                None => self.graph.int(0),
            },
            expr::Node::Next(i) => match self.places[i] {
                Some(i) => self.graph.next(Column::Early(i)),
                None => self.graph.int(0),
            },
            expr::Node::Add(a, b) => {
                let (a, b) = (self.expression(a), self.expression(b));
                self.graph.add(a, b)
            }
            expr::Node::Sub(a, b) => {
                let (a, b) = (self.expression(a), self.expression(b));
                self.graph.sub(a, b)
            }
            expr::Node::Mul(a, b) => {
                let (a, b) = (self.expression(a), self.expression(b));
                self.graph.mul(a, b)
            }
        };
        self.expressions.insert(e, id);
        id
    }

    /// An expression with the same value and a degree of at most `max`.
    fn reduce(&mut self, id: Id, max: usize) -> Id {
        if self.graph.degree(id) <= max {
            return id;
        }
        if let Some(&cell) = self.products.get(&id) {
            return cell;
        }
        match self.graph.node(id) {
            Node::Add(a, b) | Node::Sub(a, b) if max == 1 && self.graph.degree(a) > 1 && self.graph.degree(b) > 1 => {
                self.product(id)
            }
            Node::Add(a, b) => {
                let (a, b) = (self.reduce(a, max), self.reduce(b, max));
                self.graph.add(a, b)
            }
            Node::Sub(a, b) => {
                let (a, b) = (self.reduce(a, max), self.reduce(b, max));
                self.graph.sub(a, b)
            }
            Node::Mul(a, b) if max > 1 => {
                let (a, b) = if self.graph.degree(a) <= self.graph.degree(b) { (a, b) } else { (b, a) };
                let a = self.reduce(a, max / 2);
                let b = self.reduce(b, max - self.graph.degree(a));
                self.graph.mul(a, b)
            }
            _ => self.product(id),
        }
    }

    /// A new column that holds an expression.
    fn product(&mut self, id: Id) -> Id {
        let body = self.reduce(id, self.degrees.body);
        let cell = self.graph.cell(Column::Early(self.variables.len()));
        let name = format!("product {}", self.products.len());
        let zero = self.graph.sub(cell, body);
        self.zeros.push((name.clone(), zero));
        self.variables.push(Variable { name, source: Source::Product(body) });
        self.products.insert(id, cell);
        cell
    }
}
