//! Blocks as text, and what they cost.

use std::fmt::{self, Write};

use trilemma_core::Setting;

use super::Vanilla;
use super::gates::{Gate, Val};
use super::plan::Plan;
use crate::air::Air;
use crate::plonkish::{Circuit, Report, Share};

/// What the block of one row of a table costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSize {
    /// The table, or the statement.
    pub name: &'static str,
    /// Early rows that are gates, lookups included.
    pub gates: usize,
    /// Early rows that look something up.
    pub lookups: usize,
    /// Folds, which share rows with gates.
    pub folds: usize,
    /// Fractions.
    pub fractions: usize,
    /// Rows.
    pub rows: usize,
    /// Row of the circuit where the first block starts.
    pub start: usize,
    /// Blocks.
    pub count: usize,
}

impl BlockSize {
    fn of(plan: &Plan, name: &'static str, start: usize, count: usize) -> Self {
        Self {
            name,
            gates: plan.gates.len(),
            lookups: plan.gates.iter().filter(|g| g.looked.is_some()).count(),
            folds: plan.folds.len(),
            fractions: plan.fractions.len(),
            rows: plan.rows(),
            start,
            count,
        }
    }
}

impl fmt::Display for BlockSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, gates, lookups, folds, fractions, rows, .. } = self;
        write!(
            f,
            "{name:<16} {rows:>3} rows: {gates:>3} gates ({lookups:>2} lookups), {folds:>2} folds, {fractions:>2} fractions"
        )
    }
}

impl Vanilla {
    /// What blocks cost, the statement's first, then those of instances, in the order of their rows.
    pub fn blocks<S: Setting>(&self, air: &Air<S>) -> Vec<BlockSize> {
        let layout = &self.layout;
        let statement = BlockSize::of(&layout.statement, "statement", layout.constants.len(), 1);
        let placed = layout.placed.iter().map(|p| {
            let name = air.tables[p.table].shape().name;
            BlockSize::of(&layout.plans[p.table], name, p.start, p.count)
        });
        std::iter::once(statement).chain(placed).collect()
    }

    /// What the rows of a circuit are used for.
    pub fn report<S: Setting>(&self, air: &Air<S>, circuit: &Circuit<S>) -> Report {
        let constants = Share {
            name: "constants".to_string(),
            columns: 1,
            height: 1,
            rows: self.layout.constants.len(),
            fractions: 0,
            lookups: 0,
        };
        let columns = |name: &str| {
            let table = air.tables.iter().find(|t| t.shape().name == name);
            table.map_or(circuit.instance, |t| t.shape().columns.len())
        };
        let mut shares = vec![constants];
        for block in self.blocks(air) {
            let BlockSize { name, lookups, fractions, rows, count, .. } = block;
            match shares.iter_mut().find(|s| s.name == name) {
                Some(share) => share.rows += count,
                None => shares.push(Share {
                    name: name.to_string(),
                    columns: columns(name),
                    height: rows,
                    rows: count,
                    fractions,
                    lookups,
                }),
            }
        }
        Report::of(circuit, self.layout.used, shares)
    }

    /// The block of a table as formulas.
    pub fn describe<S: Setting>(&self, air: &Air<S>, table: usize) -> String {
        let (plan, shape) = (&self.layout.plans[table], air.tables[table].shape());
        let name = |val: Val| match val {
            Val::Main(i) => shape.columns[i].name.to_string(),
            Val::Next(i) => format!("{}'", shape.columns[i].name),
            Val::Fixed(i) => format!("#{}", shape.fixed[i]),
            Val::Instance(i) => format!("public {i}"),
            Val::Const(x) => x.to_string(),
            Val::Gate(i) => format!("g{i}"),
            Val::Fold(i) => format!("f{i}"),
        };
        let mut out = format!("{}\n", BlockSize::of(plan, shape.name, 0, 0));
        for gate in &plan.gates {
            let _ = writeln!(out, "gate     [{}] {}", gate.what, formula(gate, &name));
        }
        for (i, fold) in plan.folds.iter().enumerate() {
            let a = match fold.constant {
                0 => name(fold.a),
                x => format!("({} + {x})", name(fold.a)),
            };
            let _ = writeln!(out, "fold     f{i} = beta*{a} + {}", name(fold.b));
        }
        for f in &plan.fractions {
            let [a, b, rest] = f.tuple.map(name);
            let sign = if f.receives { "-" } else { "" };
            let _ = writeln!(out, "fraction {}: {sign}{} at ({a}, {b}; {rest})", f.bus, name(f.multiplicity));
        }
        out
    }
}

fn formula(gate: &Gate, name: &impl Fn(Val) -> String) -> String {
    let [a, b, c] = gate.wires.map(|val| val.map_or_else(|| "_".to_string(), name));
    let q = &gate.q;
    let mut out = String::new();
    let product = format!("{a}*{b}");
    let terms = [(q.l, &a), (q.r, &b), (q.m, &product), (q.o, &c), (q.k, &String::new())].map(|(x, f)| (x, f.clone()));
    for (x, factor) in terms {
        let text = match (x, factor.is_empty()) {
            (0, _) => continue,
            (x, true) => x.abs().to_string(),
            (1 | -1, false) => factor,
            (x, false) => format!("{}*{factor}", x.abs()),
        };
        let sign = match (x < 0, out.is_empty()) {
            (true, true) => "-",
            (true, false) => " - ",
            (false, true) => "",
            (false, false) => " + ",
        };
        out += sign;
        out += &text;
    }
    if out.is_empty() {
        out = format!("({a}, {b}, {c})");
    } else {
        out += if gate.pins.is_some() { " - column = 0" } else { " = 0" };
    }
    if let Some(l) = gate.looked {
        let rest = if l.wires { format!("{b}, {a}") } else { l.second.to_string() };
        let _ = write!(out, ", looks up ({c}, {rest}) in {}", l.tag);
    }
    out
}
