//! Expressions of a circuit as a straight-line program over two kinds of registers: base elements and
//! elements of the challenge field. In the first round of a sumcheck they differ; later, all are of
//! the challenge field, and integers stay in the base field.

use std::collections::HashMap;

use p3_field::{Algebra, Field, PrimeCharacteristicRing};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Graph, Id, Node, Query};

use super::cells::is_late;

/// Where a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// Among the base elements.
    Base(usize),
    /// Among the elements of the challenge field.
    Late(usize),
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Add,
    Sub,
    Mul,
}

/// One step; the result comes first.
#[derive(Debug, Clone, Copy)]
enum Step {
    Base(Op, usize, usize, usize),
    Late(Op, usize, usize, usize),
    /// A late operand, then one over the base.
    Mixed(Op, usize, usize, usize),
    /// An operand over the base minus a late one.
    Minus(usize, usize, usize),
    /// A multiple by an integer.
    ScaleBase(usize, usize, usize),
    ScaleLate(usize, usize, usize),
}

/// A program and what it reads.
pub struct Program<E> {
    /// Cells in the first base registers.
    pub base: Vec<Query>,
    /// Cells in the first late registers; the lines follow.
    pub late: Vec<Query>,
    integers: Vec<i64>,
    constants: Vec<E>,
    lines: usize,
    scales: Vec<i64>,
    steps: Vec<Step>,
    registers: HashMap<Id, Register>,
    /// Registers of each kind.
    counts: [usize; 2],
}

/// The value of every node of degree 0.
pub fn constants<E: Field>(graph: &Graph, challenges: &Challenges<E>) -> Vec<Option<E>> {
    let mut values: Vec<Option<E>> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let at = |id: &Id| values[id.0 as usize];
        let both = |a: &Id, b: &Id, op: fn(E, E) -> E| Some(op(at(a)?, at(b)?));
        let value = match node {
            Node::Int(x) => Some(E::from_i64(*x)),
            Node::Challenge(unit) => Some(unit.at(challenges)),
            Node::Cell(_) => None,
            Node::Add(a, b) => both(a, b, |a, b| a + b),
            Node::Sub(a, b) => both(a, b, |a, b| a - b),
            Node::Mul(a, b) => both(a, b, |a, b| a * b),
        };
        values.push(value);
    }
    values
}

impl<E: Field> Program<E> {
    /// Computes `roots`, with so many further late values, lines, that steps do not read.
    pub fn new(graph: &Graph, constants: &[Option<E>], roots: &[Id], lines: usize) -> Self {
        let needed = needed(graph, constants, roots);
        let mut program = Self {
            base: Vec::new(),
            late: Vec::new(),
            integers: Vec::new(),
            constants: Vec::new(),
            lines,
            scales: Vec::new(),
            steps: Vec::new(),
            registers: HashMap::new(),
            counts: [0; 2],
        };
        let ids = || (0..needed.len()).filter(|&i| needed[i]).map(|i| Id(i as u32));
        for id in ids() {
            if let Node::Cell(query) = graph.node(id) {
                let cells = if is_late(query) { &mut program.late } else { &mut program.base };
                cells.push(query);
                let at = cells.len() - 1;
                program.registers.insert(id, if is_late(query) { Register::Late(at) } else { Register::Base(at) });
            }
        }
        program.counts = [program.base.len(), program.late.len() + lines];
        for id in ids() {
            match (graph.node(id), constants[id.0 as usize]) {
                (Node::Int(x), _) => {
                    program.integers.push(x);
                    program.place(id, false);
                }
                (_, Some(value)) => {
                    program.constants.push(value);
                    program.place(id, true);
                }
                _ => {}
            }
        }
        for id in ids().filter(|id| constants[id.0 as usize].is_none()) {
            program.step(graph, id);
        }
        program
    }

    /// Computes `roots` that depend on no challenge.
    pub fn early(graph: &Graph, roots: &[Id]) -> Self {
        let int = |node: &Node| if let Node::Int(x) = node { Some(E::from_i64(*x)) } else { None };
        Self::new(graph, &graph.nodes().iter().map(int).collect::<Vec<_>>(), roots, 0)
    }

    /// A new register for a node.
    fn place(&mut self, id: Id, late: bool) -> usize {
        let count = &mut self.counts[usize::from(late)];
        let at = *count;
        *count += 1;
        self.registers.insert(id, if late { Register::Late(at) } else { Register::Base(at) });
        at
    }

    fn step(&mut self, graph: &Graph, id: Id) {
        let (op, a, b) = match graph.node(id) {
            Node::Add(a, b) => (Op::Add, a, b),
            Node::Sub(a, b) => (Op::Sub, a, b),
            Node::Mul(a, b) => (Op::Mul, a, b),
            Node::Int(_) | Node::Cell(_) | Node::Challenge(_) => return,
        };
        let out = self.place(id, graph.is_late(id));
        if let (Op::Mul, Some((x, b))) = (op, scaled(graph, a, b)) {
            self.scales.push(x);
            let scale = self.scales.len() - 1;
            self.steps.push(match self.registers[&b] {
                Register::Base(b) => Step::ScaleBase(out, b, scale),
                Register::Late(b) => Step::ScaleLate(out, b, scale),
            });
            return;
        }
        self.steps.push(match (self.registers[&a], self.registers[&b], op) {
            (Register::Base(a), Register::Base(b), op) => Step::Base(op, out, a, b),
            (Register::Late(a), Register::Late(b), op) => Step::Late(op, out, a, b),
            (Register::Late(a), Register::Base(b), op) => Step::Mixed(op, out, a, b),
            (Register::Base(a), Register::Late(b), Op::Sub) => Step::Minus(out, a, b),
            (Register::Base(a), Register::Late(b), op) => Step::Mixed(op, out, b, a),
        });
    }

    /// Where a root is.
    pub fn register(&self, id: Id) -> Register {
        self.registers[&id]
    }

    /// The late register of a line.
    pub const fn line(&self, i: usize) -> usize {
        self.late.len() + i
    }

    /// The program over these rings.
    pub fn code<C, V, X>(&self, lift: impl Fn(E) -> X) -> Code<C, V, X>
    where
        C: PrimeCharacteristicRing,
        V: PrimeCharacteristicRing + Copy,
        X: PrimeCharacteristicRing + Copy,
    {
        let mut base = vec![V::ZERO; self.counts[0]];
        let mut late = vec![X::ZERO; self.counts[1]];
        base[self.base.len()..].iter_mut().zip(&self.integers).for_each(|(v, &x)| *v = V::from_i64(x));
        late[self.late.len() + self.lines..].iter_mut().zip(&self.constants).for_each(|(v, &x)| *v = lift(x));
        let scales = self.scales.iter().map(|&x| C::from_i64(x)).collect();
        Code { steps: self.steps.clone(), scales, start: Registers { base, late } }
    }
}

/// The integer and the other factor of a multiple.
fn scaled(graph: &Graph, a: Id, b: Id) -> Option<(i64, Id)> {
    match (graph.node(a), graph.node(b)) {
        (Node::Int(x), _) => Some((x, b)),
        (_, Node::Int(x)) => Some((x, a)),
        _ => None,
    }
}

/// The nodes that registers are needed for.
fn needed<E>(graph: &Graph, constants: &[Option<E>], roots: &[Id]) -> Vec<bool> {
    let mut needed = vec![false; constants.len()];
    roots.iter().for_each(|id| needed[id.0 as usize] = true);
    for i in (0..needed.len()).rev().filter(|&i| constants[i].is_none()) {
        if !needed[i] {
            continue;
        }
        match graph.node(Id(i as u32)) {
            Node::Mul(a, b) if scaled(graph, a, b).is_some() => {
                let other = scaled(graph, a, b).map_or(b, |(_, other)| other);
                needed[other.0 as usize] = true;
            }
            Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b) => {
                needed[a.0 as usize] = true;
                needed[b.0 as usize] = true;
            }
            Node::Int(_) | Node::Cell(_) | Node::Challenge(_) => {}
        }
    }
    needed
}

/// The registers of one row, or of one word of rows.
#[derive(Clone)]
pub struct Registers<V, X> {
    /// Cells, integers, results.
    pub base: Vec<V>,
    /// Cells, lines, constants, results.
    pub late: Vec<X>,
}

impl<V: PrimeCharacteristicRing + Copy, X> Registers<V, X> {
    /// The value of a register over the base; the other kind has none there.
    pub fn base(&self, register: Register) -> V {
        if let Register::Base(i) = register { self.base[i] } else { V::ZERO }
    }
}

/// A program over a ring `C` of integers and algebras `V` and `X` over it.
pub struct Code<C, V, X> {
    steps: Vec<Step>,
    scales: Vec<C>,
    /// Registers with constants in place.
    pub start: Registers<V, X>,
}

impl Op {
    fn apply<B, A: Algebra<B>>(self, a: A, b: B) -> A {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
        }
    }
}

impl<C, V, X> Code<C, V, X>
where
    C: Copy,
    V: Algebra<C> + Copy,
    X: Algebra<V> + Algebra<C> + Copy,
{
    /// Puts entry `i` of every column into the first base registers.
    pub fn load(&self, registers: &mut Registers<V, X>, columns: &[&[V]], i: usize) {
        registers.base.iter_mut().zip(columns).for_each(|(cell, column)| *cell = column[i]);
    }

    /// Computes everything from the cells.
    pub fn run(&self, registers: &mut Registers<V, X>) {
        let Registers { base, late } = registers;
        for step in &self.steps {
            match *step {
                Step::Base(op, out, a, b) => base[out] = op.apply::<V, V>(base[a], base[b]),
                Step::Late(op, out, a, b) => late[out] = op.apply::<X, X>(late[a], late[b]),
                Step::Mixed(op, out, a, b) => late[out] = op.apply::<V, X>(late[a], base[b]),
                Step::Minus(out, a, b) => late[out] = X::from(base[a]) - late[b],
                Step::ScaleBase(out, a, scale) => base[out] = base[a] * self.scales[scale],
                Step::ScaleLate(out, a, scale) => late[out] = late[a] * self.scales[scale],
            }
        }
    }
}
