//! A circuit and a layout as text: for reviews, snapshots and figures.

use std::fmt::{self, Write};

use trilemma_core::Setting;

use super::circuit::Circuit;
use super::graph::{Column, Node};

/// Rows and cells of one kind of row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The table, or the statement's terms of one length.
    pub name: String,
    /// Columns that the table gives a row.
    pub columns: usize,
    /// Physical rows of a row.
    pub height: usize,
    /// Rows.
    pub rows: usize,
    /// Fractions of a row.
    pub fractions: usize,
    /// Lookups of a row.
    pub lookups: usize,
}

/// Sizes of a circuit, and what its rows are used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Name of the lowering.
    pub name: &'static str,
    /// log2 of the rows.
    pub log_rows: usize,
    /// Rows in use.
    pub used: usize,
    /// Fixed, early and late columns, and columns that copies name.
    pub columns: [usize; 4],
    /// Gates.
    pub gates: usize,
    /// Largest degree of a gate and of an input of a lookup.
    pub degrees: [usize; 2],
    /// Products of two expressions that are not constant, in gates and lookups.
    pub products: usize,
    /// Copies.
    pub copies: usize,
    /// Lookups: bus and number, slots and arity.
    pub lookups: Vec<(String, usize, usize)>,
    /// What rows are used for.
    pub shares: Vec<Share>,
}

impl Report {
    /// The report of a circuit.
    pub fn of<S: Setting>(circuit: &Circuit<S>, used: usize, shares: Vec<Share>) -> Self {
        let graph = &circuit.graph;
        let inputs = circuit.lookups.iter().flat_map(|l| &l.inputs);
        let product = |n: &&Node| matches!(n, Node::Mul(a, b) if graph.degree(*a) > 0 && graph.degree(*b) > 0);
        let mut lookups: Vec<(String, usize, usize)> = Vec::new();
        for lookup in &circuit.lookups {
            let table = lookup.table.first().map_or("", |&c| &circuit.fixed_names[c]);
            match lookups.iter_mut().find(|(name, _, _)| name == table) {
                Some((_, slots, _)) => *slots += 1,
                None => lookups.push((table.to_string(), 1, lookup.inputs.len())),
            }
        }
        Self {
            name: circuit.name,
            log_rows: circuit.log_rows,
            used,
            columns: [
                circuit.fixed_names.len(),
                circuit.early.len(),
                circuit.late.len(),
                circuit.permuted.iter().filter(|c| **c != Column::Instance).count(),
            ],
            gates: circuit.gates.len(),
            degrees: [circuit.gate_degree(), inputs.map(|&id| graph.degree(id)).max().unwrap_or(0)],
            products: graph.nodes().iter().filter(product).count(),
            copies: circuit.copies.len(),
            lookups,
            shares,
        }
    }

    /// Early cells that hold a column of a table.
    pub fn cells(&self) -> usize {
        self.shares.iter().map(|s| s.rows * s.columns).sum()
    }

    /// Slots of all lookups.
    pub fn slots(&self) -> usize {
        self.lookups.iter().map(|l| l.1).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = 1usize << self.log_rows;
        let percent = |x: usize, of: usize| 100.0 * x as f64 / of.max(1) as f64;
        let [fixed, early, late, permuted] = self.columns;
        let [gates, inputs] = self.degrees;
        writeln!(
            f,
            "{}: {} of 2^{} rows in use, {:.1} %",
            self.name,
            self.used,
            self.log_rows,
            percent(self.used, rows)
        )?;
        writeln!(f, "columns: {fixed} fixed, {early} early, {late} late; {permuted} early ones in copies")?;
        writeln!(
            f,
            "gates: {}, of degree at most {gates}; {} products; {} copies",
            self.gates, self.products, self.copies
        )?;
        writeln!(f, "lookups: {}, inputs of degree at most {inputs}", self.slots())?;
        for (name, slots, arity) in &self.lookups {
            writeln!(f, "  {name:<20}{slots:>4} of {arity} entries")?;
        }
        let cells = self.cells();
        let (in_use, all) = (self.used * early, rows * early);
        writeln!(
            f,
            "early cells: {cells} of {in_use} in rows in use, {:.1} %; of {all} in all, {:.1} %",
            percent(cells, in_use),
            percent(cells, all)
        )?;
        writeln!(
            f,
            "{:<18}{:>8}{:>8}{:>10}{:>9}{:>10}{:>8}",
            "rows of", "columns", "height", "fractions", "lookups", "rows", "share"
        )?;
        for s in &self.shares {
            let share = percent(s.rows * s.height, self.used);
            let Share { name, columns, height, rows, fractions, lookups } = s;
            writeln!(f, "{name:<18}{columns:>8}{height:>8}{fractions:>10}{lookups:>9}{rows:>10}{share:>7.1}%")?;
        }
        Ok(())
    }
}

/// Everything in a circuit but its contents, as text.
pub fn describe<S: Setting>(circuit: &Circuit<S>) -> String {
    let mut out = String::new();
    let name = |column| circuit.column_name(column);
    let Circuit { log_rows, instance, arity, fractions, .. } = circuit;
    let _ =
        writeln!(out, "{} 2^{log_rows} rows, {instance} public, arity {arity}, {fractions} fractions", circuit.name);
    let _ = writeln!(out, "fixed {:?}\nearly {:?}\nlate {:?}", circuit.fixed_names, circuit.early, circuit.late);
    let _ = writeln!(out, "permuted {:?}", circuit.permuted);
    for gate in &circuit.gates {
        let _ = writeln!(out, "gate [{}] {}", gate.what, circuit.graph.formula(gate.expr, &name));
    }
    for lookup in &circuit.lookups {
        let inputs: Vec<String> = lookup.inputs.iter().map(|&id| circuit.graph.formula(id, &name)).collect();
        let _ = writeln!(out, "lookup [{}] ({}) in {:?}", lookup.what, inputs.join(", "), lookup.table);
    }
    out
}
