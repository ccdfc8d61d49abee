//! A circuit's form as the library's constraint system.
//!
//! | circuit | library |
//! |---|---|
//! | fixed columns | fixed columns, and one more that is 1 on the rows kept where a gate needs it |
//! | early and late columns | advice of the first and second phase |
//! | `gamma`, `beta` | challenges after the first phase; powers of `beta` are products |
//! | gates | gates, see [`super::rows`]; expressions are trees, so what the graph shares is written out |
//! | lookups | lookups of expressions in fixed columns |
//! | permuted columns | columns with equality, and those that close the cycle |

use halo2_axiom::halo2curves::ff::Field;
use halo2_axiom::plonk::{self, Advice, Challenge, ConstraintSystem, Expression, Fixed, Instance, VirtualCells};
use halo2_axiom::poly::Rotation;
use trilemma_arith::plonkish::{Circuit, Column, Graph, Id, Lookup, Node};
use trilemma_arith::r1cs::Unit;
use trilemma_core::ConfigError;

use super::rows::{Rows, read_next, unselected};
use super::{F, S, error};

/// Most nodes of all expressions, written out as trees.
const MAX_NODES: u64 = 1 << 21;

/// What the library's `configure` makes a constraint system of.
#[derive(Debug, Clone, Default)]
pub struct Blueprint {
    /// Fixed, early and late columns of the circuit.
    pub columns: [usize; 3],
    /// Public values.
    pub instance: usize,
    graph: Graph,
    /// What they say, and the expression.
    gates: Vec<(String, Id)>,
    /// What each says of rows without fixed values, in a graph of its own.
    unselected: (Graph, Vec<Option<Id>>),
    lookups: Vec<Lookup>,
    permuted: Vec<Column>,
    /// Fixed columns that are read one row on.
    pub fixed_next: Vec<usize>,
    /// Largest degree of an identity, the library's own included.
    pub degree: usize,
    /// Where rows are.
    pub rows: Rows,
}

impl Blueprint {
    /// Of a circuit whose rows are these.
    pub fn new(form: &Circuit<S>, rows: Rows) -> Result<Self, ConfigError> {
        let next = read_next(form);
        let columns = [form.fixed_names.len(), form.early.len(), form.late.len()];
        let late = form.gates.iter().any(|gate| form.graph.is_late(gate.expr));
        let looks_late = form.lookups.iter().flat_map(|l| &l.inputs).any(|&id| form.graph.is_late(id));
        if columns[1] == 0 || (late && columns[2] == 0) || looks_late || next.contains(&Column::Instance) {
            return Err(error("a circuit that its phases cannot hold"));
        }
        let mut permuted = form.permuted.clone();
        permuted.extend(rows.wrapped.iter().filter(|column| !form.permuted.contains(column)));
        if form.lookups.iter().any(|lookup| lookup.parts().len() > 1) {
            return Err(error("a lookup in a table of several parts"));
        }
        let blueprint = Self {
            columns,
            instance: form.instance,
            graph: form.graph.clone(),
            gates: form.gates.iter().map(|gate| (gate.what.clone(), gate.expr)).collect(),
            unselected: unselected(form),
            lookups: form.lookups.clone(),
            permuted,
            fixed_next: next.iter().filter_map(|c| if let Column::Fixed(i) = c { Some(*i) } else { None }).collect(),
            degree: 0,
            rows,
        };
        let nodes = blueprint.nodes();
        if nodes > MAX_NODES {
            return Err(error(format!("expressions of {nodes} nodes, written out as trees")));
        }
        Ok(Self { degree: blueprint.needed_degree(), ..blueprint })
    }

    /// Whether there is a column that is 1 on the rows kept.
    pub fn has_active(&self) -> bool {
        self.unselected.1.iter().any(Option::is_some)
    }

    /// The least the library would choose, if it did not cap it by what an environment variable says.
    fn needed_degree(&self) -> usize {
        let gates = self.gates.iter().map(|(_, id)| self.graph.degree(*id));
        let (graph, unselected) = &self.unselected;
        let gates = gates.chain(unselected.iter().flatten().map(|&id| graph.degree(id) + 1));
        let input = |lookup: &Lookup| lookup.inputs.iter().map(|&id| self.graph.degree(id)).max().unwrap_or(0).max(1);
        let lookups = self.lookups.iter().map(|lookup| 3 + input(lookup));
        gates.chain(lookups).max().unwrap_or(0).max(3)
    }

    /// Nodes of all expressions as trees.
    pub fn nodes(&self) -> u64 {
        let roots = self.gates.iter().map(|gate| gate.1).chain(self.lookups.iter().flat_map(|l| l.inputs.clone()));
        let (graph, unselected) = &self.unselected;
        tree_nodes(&self.graph, roots).saturating_add(tree_nodes(graph, unselected.iter().flatten().copied()))
    }

    /// Columns, gates, lookups and equalities.
    pub fn configure(&self, meta: &mut ConstraintSystem<F>) -> Config {
        let [fixed, early, late] = self.columns;
        let fixed = (0..fixed).map(|_| meta.fixed_column()).collect();
        let active = self.has_active().then(|| meta.fixed_column());
        let early = (0..early).map(|_| meta.advice_column()).collect();
        let challenges = (late > 0).then(|| [(); 2].map(|()| meta.challenge_usable_after(plonk::FirstPhase)));
        let late = (0..late).map(|_| meta.advice_column_in(plonk::SecondPhase)).collect();
        let config = Config { fixed, active, early, late, instance: meta.instance_column(), challenges };
        let (unselected, ids) = &self.unselected;
        for ((what, id), always) in self.gates.iter().zip(ids) {
            meta.create_gate(what, |cells| {
                let says = config.expression(&self.graph, *id, cells);
                vec![match (config.active, always) {
                    (Some(active), Some(always)) => {
                        let outside = Expression::Constant(F::ONE) - cells.query_fixed(active, Rotation::cur());
                        says - outside * config.expression(unselected, *always, cells)
                    }
                    _ => says,
                }]
            });
        }
        for Lookup { what, inputs, table } in &self.lookups {
            meta.lookup_any(what, |cells| {
                let pair = |(&input, &column): (&Id, &usize)| {
                    let entry = cells.query_fixed(config.fixed[column], Rotation::cur());
                    (config.expression(&self.graph, input, cells), entry)
                };
                inputs.iter().zip(table).map(pair).collect()
            });
        }
        self.permuted.iter().for_each(|&column| meta.enable_equality(config.any(column)));
        meta.set_minimum_degree(self.degree);
        config
    }
}

/// Nodes of expressions as trees.
fn tree_nodes(graph: &Graph, roots: impl Iterator<Item = Id>) -> u64 {
    let mut nodes: Vec<u64> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let at = |id: &Id| nodes[id.0 as usize];
        nodes.push(match node {
            Node::Challenge(Unit::Beta(i)) => 2 * *i as u64 + 1,
            Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b) => at(a).saturating_add(at(b)).saturating_add(1),
            _ => 1,
        });
    }
    roots.fold(0, |sum, id| sum.saturating_add(nodes[id.0 as usize]))
}

/// The library's columns and challenges.
#[derive(Debug, Clone)]
pub struct Config {
    pub fixed: Vec<plonk::Column<Fixed>>,
    /// 1 on the rows kept.
    pub active: Option<plonk::Column<Fixed>>,
    pub early: Vec<plonk::Column<Advice>>,
    pub late: Vec<plonk::Column<Advice>>,
    pub instance: plonk::Column<Instance>,
    /// `gamma` and `beta`, if there are late columns.
    pub challenges: Option<[Challenge; 2]>,
}

impl Config {
    /// A column of the circuit.
    pub fn any(&self, column: Column) -> plonk::Column<plonk::Any> {
        match column {
            Column::Fixed(i) => self.fixed[i].into(),
            Column::Early(i) => self.early[i].into(),
            Column::Late(i) => self.late[i].into(),
            Column::Instance => self.instance.into(),
        }
    }

    fn expression(&self, graph: &Graph, id: Id, cells: &mut VirtualCells<'_, F>) -> Expression<F> {
        match graph.node(id) {
            Node::Int(x) => Expression::Constant(integer(x)),
            Node::Cell(query) => {
                cells.query_any(self.any(query.column), if query.next { Rotation::next() } else { Rotation::cur() })
            }
            Node::Challenge(unit) => self.challenge(unit),
            Node::Add(a, b) => self.expression(graph, a, cells) + self.expression(graph, b, cells),
            Node::Sub(a, b) => self.expression(graph, a, cells) - self.expression(graph, b, cells),
            Node::Mul(a, b) => match (graph.node(a), graph.node(b)) {
                (Node::Int(x), _) => self.expression(graph, b, cells) * integer(x),
                (_, Node::Int(x)) => self.expression(graph, a, cells) * integer(x),
                _ => self.expression(graph, a, cells) * self.expression(graph, b, cells),
            },
        }
    }

    /// A challenge. Powers are left products, which the library's prover computes once each.
    fn challenge(&self, unit: Unit) -> Expression<F> {
        let Some([gamma, beta]) = self.challenges else { return Expression::Constant(F::ONE) };
        match unit {
            Unit::One => Expression::Constant(F::ONE),
            Unit::Gamma => Expression::Challenge(gamma),
            Unit::Beta(i) => (0..i).fold(Expression::Challenge(beta), |power, _| power * Expression::Challenge(beta)),
        }
    }
}

/// An integer as a field element.
fn integer(x: i64) -> F {
    let size = F::from(x.unsigned_abs());
    if x < 0 { -size } else { size }
}
