//! Tables as data: expressions with integer coefficients, equal subexpressions shared.
//!
//! Lowerings, snapshots and degrees come from here. Expressions are handles into the arena of the
//! table being recorded, so they are `Copy` like field elements and `eval` reads the same.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::ops::{Add, Mul, Neg, Sub};

use crate::table::{Builder, Bus, Table};

/// One node of an expression graph; operands come before their uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// An integer.
    Int(i64),
    /// A fixed column.
    Fixed(usize),
    /// An advice column on this row.
    Main(usize),
    /// An advice column on the next row.
    Next(usize),
    /// Sum.
    Add(Expr, Expr),
    /// Difference.
    Sub(Expr, Expr),
    /// Product.
    Mul(Expr, Expr),
}

/// A handle of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Expr(pub u32);

#[derive(Default)]
struct Arena {
    nodes: Vec<Node>,
    known: HashMap<Node, Expr>,
}

thread_local! {
    static ARENA: RefCell<Arena> = RefCell::default();
}

fn node(node: Node) -> Expr {
    ARENA.with_borrow_mut(|arena| {
        if let Some(&e) = arena.known.get(&node) {
            return e;
        }
        let e = Expr(arena.nodes.len() as u32);
        arena.nodes.push(node);
        arena.known.insert(node, e);
        e
    })
}

fn as_int(e: Expr) -> Option<i64> {
    ARENA.with_borrow(|arena| match arena.nodes[e.0 as usize] {
        Node::Int(x) => Some(x),
        _ => None,
    })
}

impl Add for Expr {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        match (as_int(self), as_int(other)) {
            (Some(a), Some(b)) => node(Node::Int(a + b)),
            (Some(0), _) => other,
            (_, Some(0)) => self,
            _ => node(Node::Add(self, other)),
        }
    }
}

impl Sub for Expr {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        match (as_int(self), as_int(other)) {
            (Some(a), Some(b)) => node(Node::Int(a - b)),
            (_, Some(0)) => self,
            _ => node(Node::Sub(self, other)),
        }
    }
}

impl Mul for Expr {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        match (as_int(self), as_int(other)) {
            (Some(a), Some(b)) => node(Node::Int(a * b)),
            (Some(0), _) | (_, Some(0)) => node(Node::Int(0)),
            (Some(1), _) => other,
            (_, Some(1)) => self,
            _ => node(Node::Mul(self, other)),
        }
    }
}

impl Neg for Expr {
    type Output = Self;
    fn neg(self) -> Self {
        node(Node::Int(0)) - self
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// What constrains its values.
    pub why: &'static str,
}

/// A constraint of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constraint {
    /// What it says.
    pub what: &'static str,
    /// Zero on every row.
    pub expr: Expr,
}

/// An interaction of a table with a bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// The bus.
    pub bus: Bus,
    /// How many copies; negative when received.
    pub multiplicity: Expr,
    /// The tuple.
    pub tuple: Vec<Expr>,
}

/// Everything derived from a table's `eval`.
#[derive(Debug, Clone)]
pub struct TableShape {
    /// Name.
    pub name: &'static str,
    /// Fixed columns.
    pub fixed: Vec<&'static str>,
    /// Rows of the fixed columns, 0 when there are none.
    pub fixed_height: usize,
    /// Advice columns.
    pub columns: Vec<Column>,
    /// Constraints.
    pub constraints: Vec<Constraint>,
    /// Interactions.
    pub interactions: Vec<Interaction>,
    /// The multiplicity of unconditional interactions.
    pub gate: Expr,
    /// The expression graph.
    pub nodes: Vec<Node>,
    /// Degree of every node in the columns.
    pub degrees: Vec<usize>,
}

impl TableShape {
    /// Runs a table on expressions.
    pub fn of<T: Table>(table: &T) -> Self {
        ARENA.take();
        let mut b = Symbolic {
            shape: Self {
                name: table.name(),
                fixed: Vec::new(),
                fixed_height: table.fixed().first().map_or(0, Vec::len),
                columns: Vec::new(),
                constraints: Vec::new(),
                interactions: Vec::new(),
                gate: node(Node::Int(1)),
                nodes: Vec::new(),
                degrees: Vec::new(),
            },
            gate: node(Node::Int(1)),
        };
        table.eval(&mut b);
        let mut shape = b.shape;
        shape.gate = b.gate;
        shape.nodes = ARENA.take().nodes;
        for node in &shape.nodes {
            let degree = |e: &Expr| shape.degrees[e.0 as usize];
            let d = match node {
                Node::Int(_) => 0,
                Node::Fixed(_) | Node::Main(_) | Node::Next(_) => 1,
                Node::Add(a, b) | Node::Sub(a, b) => degree(a).max(degree(b)),
                Node::Mul(a, b) => degree(a) + degree(b),
            };
            shape.degrees.push(d);
        }
        shape
    }

    /// Degree of an expression in the columns.
    pub fn degree(&self, e: Expr) -> usize {
        self.degrees[e.0 as usize]
    }

    /// Whether a constraint or interaction reads the next row.
    pub fn uses_next(&self) -> bool {
        self.nodes.iter().any(|n| matches!(n, Node::Next(_)))
    }

    /// The advice column that is 1 on rows in use, if there is one: it gates unconditional interactions,
    /// and the table's rows are neither fixed nor joined to each other.
    pub fn real(&self) -> Option<usize> {
        match self.nodes[self.gate.0 as usize] {
            Node::Main(i) if self.fixed_height == 0 && !self.uses_next() => Some(i),
            _ => None,
        }
    }

    /// Advice columns read on the next row.
    pub fn next_columns(&self) -> Vec<usize> {
        let mut columns: Vec<usize> =
            self.nodes.iter().filter_map(|n| if let Node::Next(i) = n { Some(*i) } else { None }).collect();
        columns.sort_unstable();
        columns
    }

    /// Largest degree among constraints, multiplicities and tuples.
    pub fn full_degree(&self) -> usize {
        let used = self.interactions.iter().flat_map(|i| i.tuple.iter().chain([&i.multiplicity]));
        used.map(|&e| self.degree(e)).max().unwrap_or(0).max(self.max_degree())
    }

    /// Largest degree among constraints.
    pub fn max_degree(&self) -> usize {
        self.constraints.iter().map(|c| self.degree(c.expr)).max().unwrap_or(0)
    }

    /// Columns, constraints as formulas, and interactions, for snapshots.
    pub fn describe(&self) -> String {
        let mut out = format!(
            "table {} | {} columns, {} fixed, {} constraints, {} interactions\n",
            self.name,
            self.columns.len(),
            self.fixed.len(),
            self.constraints.len(),
            self.interactions.len()
        );
        for column in &self.columns {
            let _ = writeln!(out, "  column {} ({})", column.name, column.why);
        }
        for c in &self.constraints {
            let _ = writeln!(out, "  zero [{}] {} = 0", c.what, self.formula(c.expr));
        }
        for i in &self.interactions {
            let tuple: Vec<String> = i.tuple.iter().map(|&e| self.formula(e)).collect();
            let _ = writeln!(out, "  bus {} x ({}): ({})", i.bus.name, self.formula(i.multiplicity), tuple.join(", "));
        }
        out
    }

    /// An expression as a formula over column names.
    pub fn formula(&self, e: Expr) -> String {
        match self.nodes[e.0 as usize] {
            Node::Int(x) => x.to_string(),
            Node::Fixed(i) => format!("#{}", self.fixed[i]),
            Node::Main(i) => self.columns[i].name.to_string(),
            Node::Next(i) => format!("{}'", self.columns[i].name),
            Node::Add(a, b) => format!("{} + {}", self.formula(a), self.formula(b)),
            Node::Sub(a, b) => match self.nodes[a.0 as usize] {
                Node::Int(0) => format!("-{}", self.factor(b)),
                _ => format!("{} - {}", self.formula(a), self.factor(b)),
            },
            Node::Mul(a, b) => format!("{}*{}", self.factor(a), self.factor(b)),
        }
    }

    fn factor(&self, e: Expr) -> String {
        match self.nodes[e.0 as usize] {
            Node::Add(..) | Node::Sub(..) => format!("({})", self.formula(e)),
            _ => self.formula(e),
        }
    }
}

struct Symbolic {
    shape: TableShape,
    gate: Expr,
}

impl<R> Builder<R> for Symbolic {
    type V = Expr;

    fn int(&self, x: i64) -> Expr {
        node(Node::Int(x))
    }

    fn fixed(&mut self, name: &'static str) -> Expr {
        self.shape.fixed.push(name);
        node(Node::Fixed(self.shape.fixed.len() - 1))
    }

    fn free(&mut self, name: &'static str, why: &'static str, _: impl Fn(&R) -> u32) -> Expr {
        self.shape.columns.push(Column { name, why });
        node(Node::Main(self.shape.columns.len() - 1))
    }

    fn pair(&mut self, name: &'static str, why: &'static str, _: impl Fn(&R) -> u32) -> (Expr, Expr) {
        self.shape.columns.push(Column { name, why });
        let i = self.shape.columns.len() - 1;
        (node(Node::Main(i)), node(Node::Next(i)))
    }

    fn zero(&mut self, what: &'static str, expr: Expr) {
        self.shape.constraints.push(Constraint { what, expr });
    }

    fn interact(&mut self, bus: Bus, multiplicity: Expr, tuple: &[Expr]) {
        assert_eq!(tuple.len(), bus.arity, "{}: tuple length on bus {}", self.shape.name, bus.name);
        self.shape.interactions.push(Interaction { bus, multiplicity, tuple: tuple.to_vec() });
    }

    fn gate(&self) -> Expr {
        self.gate
    }

    fn set_gate(&mut self, gate: Expr) {
        self.gate = gate;
    }
}
