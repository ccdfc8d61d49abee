//! What the row sumcheck adds up, taken apart into lines and products.
//!
//! With the challenges known, the summand is `sum_g s_g (l_g + sum_m w_m m)`: a line `l_g` is a combination
//! of columns, which is one column, `m` are products of expressions, and `s_g` is 1 or a column, such as
//! a selector, that gates have in common. Columns that occur only in lines take no part in the rounds.

use std::collections::{BTreeMap, HashMap};

use p3_field::{Algebra, Field};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Column, Graph, Id, Node, Query};
use trilemma_core::Setting;

use super::layout::{COPIES, Layout, Places, here};
use super::program::{Program, Register, Registers, constants};

/// A column of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A cell.
    Cell(Query),
    /// The successor of a permuted cell.
    Sigma(usize),
    /// The multiplicity of a row of a part of a table.
    Multiplicity(usize),
    /// The number of the row.
    Row,
}

/// A combination of columns.
#[derive(Debug, Clone)]
pub struct Line<E> {
    pub constant: E,
    pub terms: BTreeMap<Source, E>,
}

impl<E: Field> Line<E> {
    fn zero() -> Self {
        Self { constant: E::ZERO, terms: BTreeMap::new() }
    }

    fn add(&mut self, source: Source, weight: E) {
        *self.terms.entry(source).or_insert(E::ZERO) += weight;
    }
}

/// A sum with a factor in common.
#[derive(Debug, Clone)]
pub struct Group<X> {
    factor: Option<Register>,
    /// Where the line is, among late registers.
    line: usize,
    products: Vec<(Register, X)>,
}

impl<X> Group<X> {
    /// With weights in a ring.
    pub fn lift<Y>(&self, lift: impl Fn(&X) -> Y) -> Group<Y> {
        let products = self.products.iter().map(|(r, w)| (*r, lift(w))).collect();
        Group { factor: self.factor, line: self.line, products }
    }

    /// Its value at a row.
    pub fn at<V: Copy>(&self, registers: &Registers<V, X>) -> X
    where
        X: Algebra<V> + Copy,
    {
        let sum = self.products.iter().fold(registers.late[self.line], |acc, &(register, w)| match register {
            Register::Base(i) => acc + w * registers.base[i],
            Register::Late(i) => acc + w * registers.late[i],
        });
        match self.factor {
            None => sum,
            Some(Register::Base(i)) => sum * registers.base[i],
            Some(Register::Late(i)) => sum * registers.late[i],
        }
    }
}

/// The summand.
pub struct Polynomial<E> {
    /// One for each group.
    pub lines: Vec<Line<E>>,
    pub groups: Vec<Group<E>>,
    pub program: Program<E>,
}

/// A combination of lines and products of a graph.
struct Flat<E> {
    line: Line<E>,
    products: Vec<(Id, E)>,
}

/// Weighted expressions, taken apart as far as they are linear.
fn flatten<E: Field>(graph: &Graph, constants: &[Option<E>], roots: impl IntoIterator<Item = (Id, E)>) -> Flat<E> {
    let mut weights = vec![E::ZERO; constants.len()];
    roots.into_iter().for_each(|(id, w)| weights[id.0 as usize] += w);
    let mut flat = Flat { line: Line::zero(), products: Vec::new() };
    for i in (0..weights.len()).rev() {
        let w = weights[i];
        if w.is_zero() {
            continue;
        }
        let constant = |id: Id| constants[id.0 as usize];
        match graph.node(Id(i as u32)) {
            _ if constants[i].is_some() => flat.line.constant += w * constants[i].unwrap_or(E::ZERO),
            Node::Cell(query) => flat.line.add(Source::Cell(query), w),
            Node::Add(a, b) => {
                weights[a.0 as usize] += w;
                weights[b.0 as usize] += w;
            }
            Node::Sub(a, b) => {
                weights[a.0 as usize] += w;
                weights[b.0 as usize] -= w;
            }
            Node::Mul(a, b) => match (constant(a), constant(b)) {
                (Some(c), _) => weights[b.0 as usize] += w * c,
                (_, Some(c)) => weights[a.0 as usize] += w * c,
                _ => flat.products.push((Id(i as u32), w)),
            },
            Node::Int(_) | Node::Challenge(_) => {}
        }
    }
    flat
}

/// Takes apart what groups have in common.
struct Factors<'g, E> {
    graph: &'g Graph,
    constants: &'g [Option<E>],
    /// Whether a node depends on fixed columns only, and on no challenge.
    fixed: Vec<bool>,
    cells: HashMap<Query, Id>,
}

impl<'g, E: Field> Factors<'g, E> {
    fn new(graph: &'g Graph, constants: &'g [Option<E>]) -> Self {
        let (mut fixed, mut cells) = (Vec::<bool>::new(), HashMap::new());
        for (i, node) in graph.nodes().iter().enumerate() {
            fixed.push(match *node {
                Node::Int(_) => true,
                Node::Challenge(_) => false,
                Node::Cell(query) => {
                    cells.insert(query, Id(i as u32));
                    matches!(query.column, Column::Fixed(_))
                }
                Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b) => fixed[a.0 as usize] && fixed[b.0 as usize],
            });
        }
        Self { graph, constants, fixed, cells }
    }

    /// The factor of a product that its group has in common, and the other: a selector, which is made of
    /// fixed columns, or else a column beside something longer.
    fn split(&self, product: Id) -> Option<(Id, Id)> {
        let Node::Mul(a, b) = self.graph.node(product) else { return None };
        let fixed = |id: Id| self.fixed[id.0 as usize];
        let cell = |id| matches!(self.graph.node(id), Node::Cell(_));
        match (a, b) {
            _ if fixed(a) != fixed(b) => Some(if fixed(a) { (a, b) } else { (b, a) }),
            _ if cell(a) == cell(b) => None,
            _ => Some(if cell(a) { (a, b) } else { (b, a) }),
        }
    }

    /// The selectors that a sum of selectors is made of, with their weights, and its constant.
    fn atoms(&self, factor: Id) -> (E, Vec<(Id, E)>) {
        let Flat { line, mut products } = flatten(self.graph, self.constants, [(factor, E::ONE)]);
        let cells = line.terms.into_iter().filter_map(|(source, w)| match source {
            Source::Cell(query) => Some((self.cells[&query], w)),
            _ => None,
        });
        products.extend(cells);
        (line.constant, products)
    }

    /// Weighted expressions, as one sum without a factor and one for each factor.
    fn grouped(&self, mut roots: Vec<(Id, E)>) -> Vec<(Option<Id>, Flat<E>)> {
        let mut top = Flat { line: Line::zero(), products: Vec::new() };
        let mut shared = BTreeMap::<Id, BTreeMap<Id, E>>::new();
        while !roots.is_empty() {
            let flat = flatten(self.graph, self.constants, std::mem::take(&mut roots));
            top.line.constant += flat.line.constant;
            flat.line.terms.into_iter().for_each(|(source, w)| top.line.add(source, w));
            for (product, w) in flat.products {
                let Some((factor, other)) = self.split(product) else {
                    top.products.push((product, w));
                    continue;
                };
                let (constant, atoms) = self.atoms(factor);
                for (atom, a) in atoms {
                    *shared.entry(atom).or_default().entry(other).or_insert(E::ZERO) += a * w;
                }
                if !constant.is_zero() {
                    roots.push((other, constant * w));
                }
            }
        }
        let groups =
            shared.into_iter().map(|(factor, others)| (Some(factor), flatten(self.graph, self.constants, others)));
        [(None, top)].into_iter().chain(groups).collect()
    }
}

impl<E: Field> Polynomial<E> {
    /// The summand of step 7.
    pub fn new<S: Setting<Ext = E>>(
        layout: &Layout<'_, S>,
        challenges: &Challenges<E>,
        fingerprints: &Challenges<E>,
        places: &Places<E>,
        alpha: E,
    ) -> Self {
        let graph = &layout.circuit.graph;
        let constants = constants(graph, challenges);
        let gates = layout.circuit.gates.iter().zip(alpha.powers().skip(2)).map(|(gate, a)| (gate.expr, a));
        let mut roots: Vec<(Id, E)> = gates.collect();
        let fractions = fractions(layout, fingerprints, places, alpha, &mut roots);

        let mut flats = Factors::new(graph, &constants).grouped(roots);
        let top = &mut flats[0].1.line;
        top.constant += fractions.constant;
        fractions.terms.into_iter().for_each(|(source, w)| top.add(source, w));
        let roots: Vec<Id> = flats
            .iter()
            .flat_map(|(factor, flat)| factor.iter().copied().chain(flat.products.iter().map(|(id, _)| *id)))
            .collect();
        let program = Program::new(graph, &constants, &roots, flats.len());
        let group = |(i, (factor, flat)): (usize, &(Option<Id>, Flat<E>))| Group {
            factor: factor.map(|id| program.register(id)),
            line: program.line(i),
            products: flat.products.iter().map(|&(id, w)| (program.register(id), w)).collect(),
        };
        let groups = flats.iter().enumerate().map(group).collect();
        Self { groups, program, lines: flats.into_iter().map(|(_, flat)| flat.line).collect() }
    }
}

/// `sum_k e_k (p_k + alpha q_k)`: what is linear, and weights of the inputs of lookups.
fn fractions<S: Setting>(
    layout: &Layout<'_, S>,
    fingerprints: &Challenges<S::Ext>,
    places: &Places<S::Ext>,
    alpha: S::Ext,
    roots: &mut Vec<(Id, S::Ext)>,
) -> Line<S::Ext> {
    use p3_field::PrimeCharacteristicRing;
    let circuit = layout.circuit;
    let mut line = Line::zero();
    let start = |tag: u32| fingerprints.gamma - S::Ext::from_u32(tag);
    let [first, second] = [0, 1].map(|i| fingerprints.beta[i]);
    for (j, &column) in circuit.permuted.iter().enumerate() {
        let (id, sigma) = (places.identities[j], places.successors[j]);
        let (all, alpha_id) = (alpha * (id + sigma), alpha * id);
        line.constant += id - sigma + all * start(COPIES.id);
        line.add(Source::Cell(here(column)), -all * first);
        line.constant -= alpha_id * second * S::Ext::from_usize(j << circuit.log_rows);
        line.add(Source::Row, -alpha_id * second);
        line.add(Source::Sigma(j), -alpha * sigma * second);
    }
    for ((lookup, &table), &place) in circuit.lookups.iter().zip(&layout.table_of).zip(&places.lookups) {
        let scale = alpha * place;
        line.constant += place + scale * start(Layout::<S>::tag(table).id);
        roots.extend(lookup.inputs.iter().zip(&fingerprints.beta).map(|(&input, &eta)| (input, -scale * eta)));
    }
    for (part, (&(table, columns), &place)) in layout.parts.iter().zip(&places.parts).enumerate() {
        let scale = alpha * place;
        line.constant += scale * start(Layout::<S>::tag(table).id);
        line.add(Source::Multiplicity(part), -place);
        for (&column, &eta) in columns.iter().zip(&fingerprints.beta) {
            line.add(Source::Cell(here(Column::Fixed(column))), -scale * eta);
        }
    }
    line
}
