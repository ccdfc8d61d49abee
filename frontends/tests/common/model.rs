//! Tables as data, evaluated one row at a time over any field, and which lookups are legal.

use std::collections::HashMap;

use p3_field::PrimeField64;
use trilemma_arith::expr::{Node, TableShape};
use trilemma_arith::{Air, Bus, Expr, Kernel};
use trilemma_core::Setting;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_frontends::riscv::machine::bus::{BYTES, PROGRAM, SHIFT};

pub use trilemma_arith::table::RANGE;

/// A set of columns.
pub type Set = u128;

/// A table over the field `F`.
pub struct Model<F> {
    pub shape: TableShape,
    /// Rows of the fixed columns.
    pub fixed: Vec<Vec<F>>,
    ints: Vec<F>,
    support: Vec<Set>,
    /// Whether honest rows send (1) or receive (-1), by interaction.
    pub signs: Vec<i64>,
}

/// What one row posts under one interaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub bus: Bus,
    /// 1 when it is sent, -1 when received.
    pub sign: i64,
    pub tuple: Vec<u64>,
}

impl<F: PrimeField64> Model<F> {
    fn new<S: Setting<Base = F>>(kernel: &dyn Kernel<S>) -> Self {
        let shape = kernel.shape().clone();
        assert!(!shape.uses_next() && shape.columns.len() <= 128);
        let columns = kernel.fixed();
        let height = columns.first().map_or(0, Vec::len);
        let fixed = (0..height).map(|r| columns.iter().map(|c| F::from_u32(c[r])).collect());
        let mut support: Vec<Set> = Vec::new();
        let mut ints = Vec::new();
        for node in &shape.nodes {
            ints.push(if let Node::Int(x) = node { F::from_i64(*x) } else { F::ZERO });
            support.push(match *node {
                Node::Int(_) | Node::Fixed(_) | Node::Next(_) => 0,
                Node::Main(i) => 1 << i,
                Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b) => support[a.0 as usize] | support[b.0 as usize],
            });
        }
        let signs = shape.interactions.iter().map(|i| sign(&shape, i.multiplicity)).collect();
        Self { fixed: fixed.collect(), shape, ints, support, signs }
    }

    /// The tables of a machine.
    pub fn all<S: Setting<Base = F>>(machine: &Machine) -> Vec<Self> {
        let air: Air<S> = machine.air();
        air.tables.iter().map(|t| Self::new(t.as_ref())).collect()
    }

    /// Columns that an expression reads.
    pub fn support(&self, e: Expr) -> Set {
        self.support[e.0 as usize]
    }

    /// The number of a column.
    pub fn column(&self, name: &str) -> usize {
        let at = self.shape.columns.iter().position(|c| c.name == name);
        at.unwrap_or_else(|| panic!("{} has no column {name}", self.shape.name))
    }

    /// The values of all nodes.
    pub fn eval(&self, row: &[F], fixed: &[F], out: &mut Vec<F>) {
        out.clear();
        for (i, node) in self.shape.nodes.iter().enumerate() {
            let value = match *node {
                Node::Int(_) => self.ints[i],
                Node::Fixed(c) => fixed[c],
                Node::Main(c) => row[c],
                Node::Next(_) => F::ZERO,
                Node::Add(a, b) => out[a.0 as usize] + out[b.0 as usize],
                Node::Sub(a, b) => out[a.0 as usize] - out[b.0 as usize],
                Node::Mul(a, b) => out[a.0 as usize] * out[b.0 as usize],
            };
            out.push(value);
        }
    }

    /// The roots of `e - target` as a polynomial in one column, where its factors are affine.
    pub fn roots(&self, e: Expr, column: usize, target: F, values: &[F]) -> Vec<F> {
        let mut roots = Vec::new();
        self.roots_into(e, column, target, values, &mut roots);
        roots
    }

    fn roots_into(&self, e: Expr, column: usize, target: F, values: &[F], roots: &mut Vec<F>) {
        if let Some((slope, at_zero)) = self.affine(e, column, values) {
            if !slope.is_zero() {
                roots.push((target - at_zero) * slope.inverse());
            }
        } else if let (Node::Mul(a, b), true) = (self.shape.nodes[e.0 as usize], target.is_zero()) {
            self.roots_into(a, column, target, values, roots);
            self.roots_into(b, column, target, values, roots);
        }
    }

    /// `(s, c)` when `e = s x + c` for the column's value `x`.
    pub fn affine(&self, e: Expr, column: usize, values: &[F]) -> Option<(F, F)> {
        let i = e.0 as usize;
        if self.support[i] >> column & 1 == 0 {
            return Some((F::ZERO, values[i]));
        }
        match self.shape.nodes[i] {
            Node::Main(_) => Some((F::ONE, F::ZERO)),
            Node::Add(a, b) => {
                let ((s, c), (t, d)) = (self.affine(a, column, values)?, self.affine(b, column, values)?);
                Some((s + t, c + d))
            }
            Node::Sub(a, b) => {
                let ((s, c), (t, d)) = (self.affine(a, column, values)?, self.affine(b, column, values)?);
                Some((s - t, c - d))
            }
            Node::Mul(a, b) => {
                let ((s, c), (t, d)) = (self.affine(a, column, values)?, self.affine(b, column, values)?);
                (s.is_zero() || t.is_zero()).then(|| (s * d + t * c, c * d))
            }
            Node::Int(_) | Node::Fixed(_) | Node::Next(_) => None,
        }
    }

    /// The tuple of an interaction.
    pub fn tuple(&self, interaction: usize, values: &[F]) -> Vec<u64> {
        let tuple = &self.shape.interactions[interaction].tuple;
        tuple.iter().map(|e| values[e.0 as usize].as_canonical_u64()).collect()
    }

    /// What a row posts on every bus, or the first interaction whose multiplicity is neither 0 nor
    /// that of one tuple sent or received as honest rows do.
    pub fn posted(&self, values: &[F]) -> Result<Vec<Option<Posted>>, usize> {
        let interactions = self.shape.interactions.iter().enumerate();
        let posted = interactions.map(|(i, interaction)| {
            let m = values[interaction.multiplicity.0 as usize];
            let sign = self.signs[i];
            if m.is_zero() {
                Ok(None)
            } else if sign == 0 || m == F::from_i64(sign) {
                Ok(Some(Posted { bus: interaction.bus, sign, tuple: self.tuple(i, values) }))
            } else {
                Err(i)
            }
        });
        posted.collect()
    }
}

/// The sign that a multiplicity is written with: the gate, a bit, or their negation; 0 for the
/// counts of lookup tables.
fn sign(shape: &TableShape, multiplicity: Expr) -> i64 {
    let is_count =
        |e: Expr| matches!(shape.nodes[e.0 as usize], Node::Main(c) if shape.columns[c].why == "counts lookups");
    match shape.nodes[multiplicity.0 as usize] {
        Node::Int(x) => x.signum(),
        Node::Sub(a, b) if shape.nodes[a.0 as usize] == Node::Int(0) => {
            if is_count(b) {
                0
            } else {
                -1
            }
        }
        _ => 1,
    }
}

/// Which tuples are on the lookup buses.
pub struct Legal {
    program: HashMap<u64, Vec<Vec<u64>>>,
    shifts: Vec<Vec<u64>>,
}

impl Legal {
    /// The tuples that the lookup tables among `models` hold.
    pub fn of<F: PrimeField64>(models: &[Model<F>]) -> Self {
        let all = |bus: Bus| -> Vec<Vec<u64>> {
            let mut tuples = Vec::new();
            for model in models {
                for (i, interaction) in model.shape.interactions.iter().enumerate() {
                    if interaction.bus == bus && model.signs[i] == 0 {
                        let mut values = Vec::new();
                        let row = vec![F::ZERO; model.shape.columns.len()];
                        for fixed in &model.fixed {
                            model.eval(&row, fixed, &mut values);
                            tuples.push(model.tuple(i, &values));
                        }
                    }
                }
            }
            tuples
        };
        let mut program: HashMap<u64, Vec<Vec<u64>>> = HashMap::new();
        all(PROGRAM).into_iter().for_each(|t| program.entry(t[0]).or_default().push(t));
        Self { program, shifts: all(SHIFT) }
    }

    /// Tuples of an instruction or shift amount like this one.
    pub fn like(&self, bus: Bus, t: &[u64]) -> Vec<&Vec<u64>> {
        if bus == PROGRAM {
            let of_class = |row: &&Vec<u64>| row[1] == t[1];
            self.program.get(&t[0]).into_iter().flatten().filter(of_class).collect()
        } else {
            self.shifts.iter().filter(|row| row[..2] == t[..2]).collect()
        }
    }

    /// Whether a tuple is on the table of its bus.
    pub fn holds(&self, bus: Bus, t: &[u64]) -> bool {
        if bus == RANGE {
            t[1] <= 16 && t[0] < 1 << t[1]
        } else if bus == BYTES {
            t[1] < 256 && t[2] < 256 && byte_operation(t[0], t[1], t[2]) == Some(t[3])
        } else if bus == SHIFT {
            self.shifts.iter().any(|row| row == t)
        } else {
            bus == PROGRAM && self.program.get(&t[0]).is_some_and(|rows| rows.iter().any(|row| row == t))
        }
    }
}

/// AND, OR and XOR by code.
pub fn byte_operation(op: u64, a: u64, b: u64) -> Option<u64> {
    [a & b, a | b, a ^ b].get(usize::try_from(op).ok()?).copied()
}
