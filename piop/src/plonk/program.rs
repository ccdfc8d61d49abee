//! Gates and lookups of a circuit as a straight-line program over registers, run on a block of rows at
//! a time. What depends on no challenge is computed in the base field.

use std::cell::Cell;
use std::ops::{Add, Mul, Range, Sub};

use p3_field::{Algebra, PrimeCharacteristicRing};
use trilemma_arith::kernel::{Challenges, PackedBase, PackedExt};
use trilemma_arith::plonkish::{Circuit, Id, Node};
use trilemma_core::Setting;

use super::grid::{Grid, Rows, Slot, Slots, ext, words};
use super::layout::Layout;
use super::lookup::Fingerprints;
use crate::packed::{broadcast, lanes};

/// A register: base elements or challenge elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Register {
    Base(usize),
    Ext(usize),
}

#[derive(Debug, Clone, Copy)]
enum Arithmetic {
    Add,
    Sub,
    Mul,
}

#[derive(Debug, Clone, Copy)]
enum Instruction {
    /// A cell.
    Load { slot: Slot, next: bool, to: Register },
    /// A sum, difference or product.
    Compute { op: Arithmetic, a: Register, b: Register, to: Register },
    /// A gate, into the folded ones.
    Gate { gate: usize, from: Register },
    /// An entry of a lookup, into its fingerprint.
    Entry { lookup: usize, entry: usize, from: usize },
}

/// A program for given challenges.
pub struct Program<S: Setting> {
    instructions: Vec<Instruction>,
    /// Constants, in the first registers.
    ints: Vec<S::Base>,
    challenges: Vec<S::Ext>,
    /// Registers in all.
    registers: (usize, usize),
    alphas: Vec<PackedExt<S>>,
    /// Fingerprints of tuples of zeros, one a lookup.
    starts: Vec<PackedExt<S>>,
    /// Powers of `theta`.
    powers: Vec<PackedExt<S>>,
}

/// Registers and results of a thread.
pub struct Machine<S: Setting> {
    base: Vec<PackedBase<S>>,
    ext: Vec<PackedExt<S>>,
    /// Positions of the block's rows.
    pub rows: Rows,
    /// The gates of every word, folded.
    pub gates: Vec<PackedExt<S>>,
    /// The fingerprints of every lookup's inputs, word by word.
    pub lookups: Vec<PackedExt<S>>,
}

impl<S: Setting> Program<S> {
    /// The program for the lookups of a circuit, and for as many gates as there are `alphas`.
    pub fn new(
        circuit: &Circuit<S>,
        layout: &Layout,
        slots: &Slots,
        challenges: &Challenges<S::Ext>,
        fingerprints: &Fingerprints<S::Ext>,
        alphas: &[S::Ext],
    ) -> Self {
        let compiler = Compiler::new(circuit, alphas.len());
        let starts = layout.buses.iter().map(|&t| broadcast::<S>(fingerprints.start(t))).collect();
        let powers = (0..layout.arity).map(|j| broadcast::<S>(fingerprints.power(j))).collect();
        let alphas = alphas.iter().map(|&a| broadcast::<S>(a)).collect();
        compiler.compile(
            circuit,
            slots,
            challenges,
            Self {
                instructions: Vec::new(),
                ints: Vec::new(),
                challenges: Vec::new(),
                registers: (0, 0),
                alphas,
                starts,
                powers,
            },
        )
    }

    /// A machine for this program.
    pub fn machine(&self) -> Machine<S> {
        let words = words::<S>();
        let mut base = vec![PackedBase::<S>::ZERO; self.registers.0 * words];
        let mut ext = vec![PackedExt::<S>::ZERO; self.registers.1 * words];
        for (register, &x) in base.chunks_exact_mut(words).zip(&self.ints) {
            register.fill(PackedBase::<S>::from(x));
        }
        for (register, &x) in ext.chunks_exact_mut(words).zip(&self.challenges) {
            register.fill(broadcast::<S>(x));
        }
        Machine { base, ext, rows: Rows::default(), gates: Vec::new(), lookups: Vec::new() }
    }

    /// Runs the block that starts with row `start`.
    pub fn run(&self, grid: &Grid<'_, S::Base>, start: usize, machine: &mut Machine<S>) {
        let words = words::<S>();
        grid.rows(start, words * lanes::<S>(), &mut machine.rows);
        machine.gates.clear();
        machine.gates.resize(words, PackedExt::<S>::ZERO);
        machine.lookups.clear();
        machine.lookups.extend((0..words).flat_map(|_| &self.starts).copied());
        let base = Cell::from_mut(machine.base.as_mut_slice()).as_slice_of_cells();
        let ext = Cell::from_mut(machine.ext.as_mut_slice()).as_slice_of_cells();
        let at = |register: usize| register * words..(register + 1) * words;
        for instruction in &self.instructions {
            match *instruction {
                Instruction::Load { slot, next, to } => {
                    let rows = if next { &machine.rows.next } else { &machine.rows.here };
                    load::<S>(grid, slot, rows, to, base, ext);
                }
                Instruction::Compute { op, a, b, to } => match (a, b, to) {
                    (Register::Base(a), Register::Base(b), Register::Base(to)) => {
                        compute::<PackedBase<S>, PackedBase<S>>(op, &base[at(a)], &base[at(b)], &base[at(to)]);
                    }
                    (Register::Ext(a), Register::Ext(b), Register::Ext(to)) => {
                        compute::<PackedExt<S>, PackedExt<S>>(op, &ext[at(a)], &ext[at(b)], &ext[at(to)]);
                    }
                    (Register::Ext(a), Register::Base(b), Register::Ext(to)) => {
                        compute::<PackedBase<S>, PackedExt<S>>(op, &ext[at(a)], &base[at(b)], &ext[at(to)]);
                    }
                    (Register::Base(a), Register::Ext(b), Register::Ext(to)) => {
                        compute_left::<S>(op, &base[at(a)], &ext[at(b)], &ext[at(to)]);
                    }
                    _ => unreachable!("what depends on a challenge is a challenge element"),
                },
                Instruction::Gate { gate, from } => {
                    let alpha = self.alphas[gate];
                    match from {
                        Register::Base(from) => {
                            machine.gates.iter_mut().zip(&base[at(from)]).for_each(|(sum, x)| *sum += alpha * x.get());
                        }
                        Register::Ext(from) => {
                            machine.gates.iter_mut().zip(&ext[at(from)]).for_each(|(sum, x)| *sum += alpha * x.get());
                        }
                    }
                }
                Instruction::Entry { lookup, entry, from } => {
                    let sums = machine.lookups[lookup..].iter_mut().step_by(self.starts.len());
                    if entry == 0 {
                        sums.zip(&base[at(from)]).for_each(|(sum, x)| *sum -= x.get());
                    } else {
                        let power = self.powers[entry];
                        sums.zip(&base[at(from)]).for_each(|(sum, x)| *sum -= power * x.get());
                    }
                }
            }
        }
    }

    /// Words of a block that have rows of their own.
    pub fn used_words(&self, rows: usize, start: usize) -> Range<usize> {
        0..(rows - start).div_ceil(lanes::<S>()).min(words::<S>())
    }
}

fn load<S: Setting>(
    grid: &Grid<'_, S::Base>,
    slot: Slot,
    rows: &[usize],
    to: Register,
    base: &[Cell<PackedBase<S>>],
    registers: &[Cell<PackedExt<S>>],
) {
    let words = words::<S>();
    let rows = rows.chunks_exact(lanes::<S>());
    match to {
        Register::Base(to) => {
            base[to * words..].iter().zip(rows).for_each(|(out, rows)| out.set(grid.base(slot, rows)));
        }
        Register::Ext(to) => {
            registers[to * words..].iter().zip(rows).for_each(|(out, rows)| out.set(ext::<S>(grid, slot, rows)));
        }
    }
}

fn compute<V: Copy, X: Algebra<V> + Copy>(op: Arithmetic, a: &[Cell<X>], b: &[Cell<V>], to: &[Cell<X>]) {
    let operands = to.iter().zip(a.iter().zip(b));
    match op {
        Arithmetic::Add => operands.for_each(|(to, (a, b))| to.set(Add::<V>::add(a.get(), b.get()))),
        Arithmetic::Sub => operands.for_each(|(to, (a, b))| to.set(Sub::<V>::sub(a.get(), b.get()))),
        Arithmetic::Mul => operands.for_each(|(to, (a, b))| to.set(Mul::<V>::mul(a.get(), b.get()))),
    }
}

fn compute_left<S: Setting>(
    op: Arithmetic,
    a: &[Cell<PackedBase<S>>],
    b: &[Cell<PackedExt<S>>],
    to: &[Cell<PackedExt<S>>],
) {
    let operands = to.iter().zip(a.iter().zip(b));
    match op {
        Arithmetic::Add => operands.for_each(|(to, (a, b))| to.set(b.get() + a.get())),
        Arithmetic::Sub => operands.for_each(|(to, (a, b))| to.set(-b.get() + a.get())),
        Arithmetic::Mul => operands.for_each(|(to, (a, b))| to.set(b.get() * a.get())),
    }
}

/// What becomes of a node.
enum Root {
    Gate(usize),
    Entry(usize, usize),
}

/// Allocates registers: a node's is free again after its last use.
struct Compiler {
    /// Uses of every node still to come.
    uses: Vec<usize>,
    roots: Vec<Vec<Root>>,
    registers: Vec<Option<Register>>,
    free: (Vec<usize>, Vec<usize>),
}

impl Compiler {
    fn new<S: Setting>(circuit: &Circuit<S>, gates: usize) -> Self {
        let nodes = circuit.graph.nodes();
        let mut uses = vec![0; nodes.len()];
        let mut roots: Vec<Vec<Root>> = nodes.iter().map(|_| Vec::new()).collect();
        let mut root = |id: Id, root| {
            uses[id.0 as usize] += 1;
            roots[id.0 as usize].push(root);
        };
        circuit.gates.iter().take(gates).enumerate().for_each(|(i, gate)| root(gate.expr, Root::Gate(i)));
        for (l, lookup) in circuit.lookups.iter().enumerate() {
            lookup.inputs.iter().enumerate().for_each(|(j, &input)| root(input, Root::Entry(l, j)));
        }
        for (i, node) in nodes.iter().enumerate().rev() {
            if let Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b) = *node
                && uses[i] > 0
            {
                uses[a.0 as usize] += 1;
                uses[b.0 as usize] += 1;
            }
        }
        Self { registers: vec![None; nodes.len()], uses, roots, free: (Vec::new(), Vec::new()) }
    }

    fn compile<S: Setting>(
        mut self,
        circuit: &Circuit<S>,
        slots: &Slots,
        challenges: &Challenges<S::Ext>,
        mut program: Program<S>,
    ) -> Program<S> {
        let nodes = circuit.graph.nodes();
        for (i, node) in nodes.iter().enumerate().filter(|(i, _)| self.uses[*i] > 0) {
            match *node {
                Node::Int(x) => {
                    self.registers[i] = Some(Register::Base(program.ints.len()));
                    program.ints.push(<S::Base as PrimeCharacteristicRing>::from_i64(x));
                }
                Node::Challenge(unit) => {
                    self.registers[i] = Some(Register::Ext(program.challenges.len()));
                    program.challenges.push(unit.at(challenges));
                }
                _ => {}
            }
        }
        let constants = (program.ints.len(), program.challenges.len());
        program.registers = constants;
        for (i, &node) in nodes.iter().enumerate() {
            if self.uses[i] == 0 {
                continue;
            }
            let late = circuit.graph.is_late(Id(i as u32));
            match node {
                Node::Cell(query) => {
                    let to = self.allocate(i, late, &mut program.registers);
                    let slot = slots.of(query.column.into());
                    program.instructions.push(Instruction::Load { slot, next: query.next, to });
                }
                Node::Add(a, b) => self.compute(Arithmetic::Add, [a, b], i, late, &mut program),
                Node::Sub(a, b) => self.compute(Arithmetic::Sub, [a, b], i, late, &mut program),
                Node::Mul(a, b) => self.compute(Arithmetic::Mul, [a, b], i, late, &mut program),
                Node::Int(_) | Node::Challenge(_) => {}
            }
            for root in std::mem::take(&mut self.roots[i]) {
                let from = self.register(i);
                program.instructions.push(match (root, from) {
                    (Root::Gate(gate), from) => Instruction::Gate { gate, from },
                    (Root::Entry(lookup, entry), Register::Base(from)) => Instruction::Entry { lookup, entry, from },
                    (Root::Entry(..), Register::Ext(_)) => unreachable!("lookups depend on no challenge"),
                });
                self.release(i, constants);
            }
        }
        program
    }

    fn compute<S: Setting>(
        &mut self,
        op: Arithmetic,
        operands: [Id; 2],
        node: usize,
        late: bool,
        program: &mut Program<S>,
    ) {
        let nodes = operands.map(|id| id.0 as usize);
        let [a, b] = nodes.map(|i| self.register(i));
        for i in nodes {
            self.release(i, (program.ints.len(), program.challenges.len()));
        }
        let to = self.allocate(node, late, &mut program.registers);
        program.instructions.push(Instruction::Compute { op, a, b, to });
    }

    fn register(&self, node: usize) -> Register {
        self.registers[node].expect("operands come before their uses")
    }

    fn allocate(&mut self, node: usize, late: bool, registers: &mut (usize, usize)) -> Register {
        let fresh = |count: &mut usize| {
            *count += 1;
            *count - 1
        };
        let register = if late {
            Register::Ext(self.free.1.pop().unwrap_or_else(|| fresh(&mut registers.1)))
        } else {
            Register::Base(self.free.0.pop().unwrap_or_else(|| fresh(&mut registers.0)))
        };
        self.registers[node] = Some(register);
        register
    }

    /// One use is over; after the last, the register is free unless it holds a constant.
    fn release(&mut self, node: usize, constants: (usize, usize)) {
        self.uses[node] -= 1;
        match self.register(node) {
            _ if self.uses[node] > 0 => {}
            Register::Base(r) if r >= constants.0 => self.free.0.push(r),
            Register::Ext(r) if r >= constants.1 => self.free.1.push(r),
            _ => {}
        }
    }
}
