//! From a layout to gates and lookups.

use std::collections::{BTreeMap, HashMap};

use trilemma_core::Setting;

use super::plan::{Block, Plan};
use super::text::Fraction;
use crate::plonkish::circuit::{Circuit, Gate, Lookup};
use crate::plonkish::graph::{Column, Graph, Id, Node};
use crate::r1cs::{ByColumn, Unit};

/// The sum of one or two fractions of a row: a helper's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Physical row of the helper.
    pub row: usize,
    /// Helper column.
    pub helper: usize,
    /// Numbers of the fractions.
    pub fractions: Vec<usize>,
}

/// Expressions and the kinds of rows on which they are meant, in the order of their discovery.
#[derive(Debug, Clone)]
struct Classes<K>(Vec<(K, Vec<usize>, Vec<String>)>);

impl<K> Default for Classes<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: PartialEq> Classes<K> {
    fn has(&self, key: &K) -> bool {
        self.0.iter().any(|c| c.0 == *key)
    }

    fn add(&mut self, key: K, kind: usize, what: String) {
        match self.0.iter_mut().find(|c| c.0 == key) {
            Some((_, kinds, names)) => {
                kinds.push(kind);
                if !names.contains(&what) {
                    names.push(what);
                }
            }
            None => self.0.push((key, vec![kind], vec![what])),
        }
    }
}

/// Numerator and denominator of a pair.
type Quotient = (Id, Id);

/// What is built: the circuit's expressions, and where the fractions of every block are.
pub struct Builder<'a> {
    plan: &'a Plan,
    graph: Graph,
    /// Selectors, by kind.
    kinds: Vec<Id>,
    /// Translated expressions, by block, physical row and expression.
    known: HashMap<(usize, usize, Id), Id>,
    /// What is zero.
    zeros: Classes<Id>,
    /// Values of helpers on their own row, by helper.
    here: Vec<Classes<Quotient>>,
    /// Values of helpers on the second row, in cells of the first, by helper.
    there: Vec<Classes<Quotient>>,
    /// Pairs, by block.
    pairs: Vec<Vec<Pair>>,
    /// Inputs of lookups, by table, slot and entry.
    slots: BTreeMap<usize, Vec<Vec<Classes<Id>>>>,
}

impl<'a> Builder<'a> {
    /// Builds gates and lookups.
    pub fn new(plan: &'a Plan) -> Self {
        let mut graph = Graph::default();
        let kinds = plan.blocks.iter().map(|b| b.height).sum();
        let kinds = (0..kinds).map(|kind| selector(&mut graph, plan, kind)).collect();
        let mut builder = Self {
            plan,
            graph,
            kinds,
            known: HashMap::new(),
            zeros: Classes::default(),
            here: vec![Classes::default(); plan.helpers],
            there: vec![Classes::default(); plan.helpers],
            pairs: Vec::new(),
            slots: BTreeMap::new(),
        };
        for (b, block) in plan.blocks.iter().enumerate() {
            for (what, zero) in &block.text.zeros {
                let zero = builder.expression(b, 0, *zero);
                builder.zeros.add(zero, block.kind, format!("{}: {what}", block.text.name));
            }
            let pairs = builder.place_pairs(b, block);
            builder.pairs.push(pairs);
            for row in 0..block.height {
                builder.place_lookups(b, block, row);
            }
        }
        builder
    }

    /// An expression of a block in the circuit's cells, seen from one of the block's rows.
    fn expression(&mut self, b: usize, row: usize, id: Id) -> Id {
        if let Some(&known) = self.known.get(&(b, row, id)) {
            return known;
        }
        let Block { text, places, .. } = &self.plan.blocks[b];
        let translated = match text.graph.node(id) {
            Node::Int(x) => self.graph.int(x),
            Node::Challenge(unit) => self.graph.challenge(unit),
            Node::Cell(query) => match query.column {
                Column::Early(i) => {
                    let column = Column::Early(places[i].column);
                    let on = places[i].row + usize::from(query.next);
                    if on == row { self.graph.cell(column) } else { self.graph.next(column) }
                }
                Column::Fixed(i) => self.graph.cell(Column::Fixed(self.plan.selectors + i)),
                column => self.graph.cell(column),
            },
            Node::Add(x, y) => {
                let (x, y) = (self.expression(b, row, x), self.expression(b, row, y));
                self.graph.add(x, y)
            }
            Node::Sub(x, y) => {
                let (x, y) = (self.expression(b, row, x), self.expression(b, row, y));
                self.graph.sub(x, y)
            }
            Node::Mul(x, y) => {
                let (x, y) = (self.expression(b, row, x), self.expression(b, row, y));
                self.graph.mul(x, y)
            }
        };
        self.known.insert((b, row, id), translated);
        translated
    }

    /// Numerator and denominator of one or two fractions, seen from a row.
    fn quotient(&mut self, b: usize, row: usize, fractions: &[usize]) -> Quotient {
        let parts: Vec<Quotient> = fractions
            .iter()
            .map(|&i| {
                let Fraction { bus, multiplicity, tuple } = self.plan.blocks[b].text.fractions[i].clone();
                let bus = self.expression(b, row, bus);
                let mut denominator = self.graph.challenge(Unit::Gamma);
                denominator = self.graph.sub(denominator, bus);
                for (i, entry) in tuple.into_iter().enumerate() {
                    let entry = self.expression(b, row, entry);
                    let beta = self.graph.challenge(Unit::Beta(i));
                    let term = self.graph.mul(beta, entry);
                    denominator = self.graph.sub(denominator, term);
                }
                (self.expression(b, row, multiplicity), denominator)
            })
            .collect();
        let one = (self.graph.int(0), self.graph.int(1));
        parts.into_iter().fold(one, |(m, d), (n, e)| {
            let (left, right) = (self.graph.mul(m, e), self.graph.mul(n, d));
            (self.graph.add(left, right), self.graph.mul(d, e))
        })
    }

    /// Chooses helpers for the pairs of a block: where an equal pair of another block is, if possible;
    /// the first row's before the second's.
    fn place_pairs(&mut self, b: usize, block: &Block) -> Vec<Pair> {
        let numbers: Vec<usize> = (0..block.text.fractions.len()).collect();
        let mut left: Vec<Vec<usize>> = numbers.chunks(2).map(<[usize]>::to_vec).collect();
        let mut pairs = Vec::new();
        let name = &block.text.name;
        for row in 0..block.height {
            let mut free: Vec<usize> = (0..self.plan.helpers).collect();
            for equal in [true, false] {
                let mut later = Vec::new();
                for fractions in left {
                    let quotient = self.quotient(b, 0, &fractions);
                    let values = if row == 0 { &mut self.here } else { &mut self.there };
                    let at = free.iter().position(|&h| !equal || values[h].has(&quotient));
                    let Some(helper) = at.map(|at| free.remove(at)) else {
                        later.push(fractions);
                        continue;
                    };
                    values[helper].add(quotient, block.kind, name.clone());
                    pairs.push(Pair { row, helper, fractions });
                }
                left = later;
            }
        }
        pairs
    }

    /// Chooses slots for the lookups of a row: where an equal lookup of another row is, if possible.
    fn place_lookups(&mut self, b: usize, block: &Block, row: usize) {
        let kind = block.kind + row;
        for &(table, _) in &self.plan.tables {
            let mut left: Vec<Vec<Id>> = Vec::new();
            for (consumer, _) in block.text.consumers.iter().zip(&block.anchors).filter(|(_, r)| **r == row) {
                if consumer.table == table {
                    left.push(consumer.inputs.iter().map(|&e| self.expression(b, row, e)).collect());
                }
            }
            let slots = self.slots.entry(table).or_default();
            let mut free: Vec<usize> = (0..slots.len().max(left.len())).collect();
            for equal in [true, false] {
                let mut later = Vec::new();
                for inputs in left {
                    let has = |slot: &Vec<Classes<Id>>| slot.iter().zip(&inputs).all(|(classes, e)| classes.has(e));
                    let at = free.iter().position(|&s| !equal || slots.get(s).is_some_and(has));
                    let Some(at) = at.map(|at| free.remove(at)) else {
                        later.push(inputs);
                        continue;
                    };
                    if slots.len() <= at {
                        slots.resize(at + 1, vec![Classes::default(); inputs.len()]);
                    }
                    for (classes, input) in slots[at].iter_mut().zip(inputs) {
                        classes.add(input, kind, String::new());
                    }
                }
                left = later;
            }
        }
    }

    /// 1 on rows of these kinds, 0 on others.
    fn any(&mut self, kinds: &[usize]) -> Id {
        let selectors: Vec<Id> = kinds.iter().map(|&k| self.kinds[k]).collect();
        self.graph.sum(selectors)
    }

    /// The sum of expressions, each on rows of its kinds.
    fn selected(&mut self, classes: &[(Id, Vec<usize>)]) -> Id {
        let terms: Vec<Id> = classes
            .iter()
            .map(|(e, kinds)| {
                let any = self.any(kinds);
                self.graph.mul(any, *e)
            })
            .collect();
        self.graph.sum(terms)
    }

    fn gates(&mut self) -> Vec<Gate> {
        let mut gates = Vec::new();
        for (zero, kinds, what) in self.zeros.clone().0 {
            gates.push(Gate { what: what.join(", "), expr: self.selected(&[(zero, kinds)]) });
        }
        for h in 0..self.plan.helpers {
            let (here, there) = (self.here[h].clone().0, self.there[h].clone().0);
            // On rows of no pair the helper is zero; on second rows, what the row before says.
            let kinds: Vec<usize> = here.iter().flat_map(|c| c.1.clone()).collect();
            let seconds: Vec<usize> = there.iter().flat_map(|c| c.1.iter().map(|kind| kind + 1)).collect();
            let one = self.graph.int(1);
            let busy = self.any(&[kinds, seconds].concat());
            let idle = self.graph.sub(one, busy);
            let cell = self.graph.cell(Column::Late(h));
            gates.push(Gate { what: format!("helper {h}"), expr: self.fraction_gate(cell, idle, &here) });
            if !there.is_empty() {
                let (cell, zero) = (self.graph.next(Column::Late(h)), self.graph.int(0));
                let expr = self.fraction_gate(cell, zero, &there);
                gates.push(Gate { what: format!("helper {h} of second rows"), expr });
            }
        }
        if self.plan.helpers > 0 {
            let sum = Column::Late(self.plan.helpers);
            let helpers: Vec<Id> = (0..self.plan.helpers).map(|h| self.graph.cell(Column::Late(h))).collect();
            let (here, next, row) = (self.graph.cell(sum), self.graph.next(sum), self.graph.sum(helpers));
            let step = self.graph.sub(next, here);
            gates.push(Gate { what: "the sum of all helpers".to_string(), expr: self.graph.sub(step, row) });
        }
        gates
    }

    /// `helper (idle + denominators) - numerators`, each on rows of its kinds.
    fn fraction_gate(&mut self, helper: Id, idle: Id, values: &[(Quotient, Vec<usize>, Vec<String>)]) -> Id {
        let part = |of: fn(&Quotient) -> Id| -> Vec<(Id, Vec<usize>)> {
            values.iter().map(|(quotient, kinds, _)| (of(quotient), kinds.clone())).collect()
        };
        let numerators = self.selected(&part(|q| q.0));
        let denominators = self.selected(&part(|q| q.1));
        let factor = self.graph.add(denominators, idle);
        let product = self.graph.mul(helper, factor);
        self.graph.sub(product, numerators)
    }

    fn lookups(&mut self) -> Vec<Lookup> {
        let mut lookups = Vec::new();
        let mut start = self.plan.selectors + self.plan.fixed;
        for &(table, parts) in &self.plan.tables {
            let slots = self.slots.get(&table).cloned().unwrap_or_default();
            let bus = self.plan.lookups.tables[table].bus;
            for (slot, entries) in slots.into_iter().enumerate() {
                let inputs = entries.into_iter().map(|classes| {
                    let classes: Vec<(Id, Vec<usize>)> = classes.0.into_iter().map(|c| (c.0, c.1)).collect();
                    self.selected(&classes)
                });
                let inputs = inputs.collect();
                let table = (start..start + parts * (1 + bus.arity)).collect();
                lookups.push(Lookup { what: format!("{} {slot}", bus.name), inputs, table });
            }
            start += parts * (1 + bus.arity);
        }
        lookups
    }

    /// The circuit without contents, and the pairs of every block.
    pub fn finish<S: Setting>(mut self, name: &'static str, arity: usize) -> (Circuit<S>, Vec<Vec<Pair>>) {
        let plan = self.plan;
        let (gates, lookups) = (self.gates(), self.lookups());
        let mut fixed_names: Vec<String> = (0..plan.selectors).map(|i| format!("kind {i}")).collect();
        fixed_names.extend((0..plan.fixed).map(|i| format!("fixed {i}")));
        for &(table, parts) in &plan.tables {
            let bus = plan.lookups.tables[table].bus;
            for _ in 0..parts {
                fixed_names.push(format!("in {}", bus.name));
                fixed_names.extend((0..bus.arity).map(|i| format!("{} {i}", bus.name)));
            }
        }
        let mut late: Vec<String> = (0..plan.helpers).map(|h| format!("helper {h}")).collect();
        late.extend((plan.helpers > 0).then(|| "sum".to_string()));
        let circuit = Circuit {
            name,
            log_rows: plan.log_rows,
            fixed_names,
            early: early_names(plan),
            late,
            instance: plan
                .runs
                .iter()
                .map(|r| &plan.blocks[r.block].text)
                .filter(|t| t.table.is_none())
                .map(|t| t.variables.len())
                .sum(),
            graph: self.graph,
            gates,
            lookups,
            permuted: plan.permuted().into_iter().collect(),
            arity,
            fractions: plan.fractions,
            fixed: ByColumn { values: Vec::new(), height: 1 << plan.log_rows },
            copies: Vec::new(),
        };
        (circuit, self.pairs)
    }
}

/// 1 on rows of a kind, 0 on others: the product of its columns; if it has one fewer than the degree,
/// times what is missing to the degree.
fn selector(graph: &mut Graph, plan: &Plan, kind: usize) -> Id {
    let code = plan.code(kind);
    let degree = plan.degrees.selector;
    let mut product = graph.int(1);
    for &column in &code {
        let cell = graph.cell(Column::Fixed(column));
        product = graph.mul(product, cell);
    }
    if code.len() < degree {
        let cells: Vec<Id> = (0..plan.selectors).map(|i| graph.cell(Column::Fixed(i))).collect();
        let (sum, degree) = (graph.sum(cells), graph.int(degree as i64));
        let missing = graph.sub(degree, sum);
        product = graph.mul(product, missing);
    }
    product
}

/// The names that columns have in most blocks.
fn early_names(plan: &Plan) -> Vec<String> {
    let mut names: Vec<BTreeMap<&str, usize>> = vec![BTreeMap::new(); plan.width];
    for block in &plan.blocks {
        for (variable, place) in block.text.variables.iter().zip(&block.places) {
            *names[place.column].entry(&variable.name).or_default() += 1;
        }
    }
    let most = |names: &BTreeMap<&str, usize>| {
        names
            .iter()
            .max_by_key(|(name, n)| (**n, std::cmp::Reverse(**name)))
            .map_or("unused", |(name, _)| name)
            .to_string()
    };
    names.iter().enumerate().map(|(i, names)| format!("{i}: {}", most(names))).collect()
}
