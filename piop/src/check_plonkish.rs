//! `check_plonkish`: evaluates a circuit on an assignment and reports what fails, by gate, row and
//! cells. The ideal twin of every PIOP for PLONKish circuits.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use p3_field::Field;
use rayon::prelude::*;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Assignment, Cell, Circuit, Column, Id, Query};
use trilemma_arith::r1cs::ByColumn;
use trilemma_core::Setting;

/// One thing wrong with an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A gate that is not zero.
    Gate {
        /// Number of the gate.
        number: usize,
        /// What it says.
        what: String,
        /// The row.
        row: usize,
        /// The cells that it reads.
        cells: Vec<(String, String)>,
    },
    /// Two cells that are to be equal and are not.
    Copy {
        /// Number of the copy.
        number: usize,
        /// Name, row and value of the two.
        cells: [(String, usize, String); 2],
    },
    /// A tuple that the lookup's table does not have.
    Lookup {
        /// Number of the lookup.
        number: usize,
        /// What it says.
        what: String,
        /// The row.
        row: usize,
        /// The tuple.
        tuple: Vec<String>,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gate { number, what, row, cells } => {
                write!(f, "row {row}, gate {number} `{what}`:")?;
                cells.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
            }
            Self::Copy { number, cells: [a, b] } => {
                write!(f, "copy {number}: {} on row {} is {}, ", a.0, a.1, a.2)?;
                write!(f, "{} on row {} is {}", b.0, b.1, b.2)
            }
            Self::Lookup { number, what, row, tuple } => {
                write!(f, "row {row}, lookup {number} `{what}`: ({}) is not in the table", tuple.join(", "))
            }
        }
    }
}

/// Every cell of a circuit.
pub struct Values<'a, S: Setting> {
    /// The circuit, with its contents.
    pub circuit: &'a Circuit<S>,
    /// Early columns.
    pub early: ByColumn<S::Base>,
    /// Late columns.
    pub late: ByColumn<S::Ext>,
    /// Public values.
    pub instance: Vec<S::Base>,
    /// What late columns depend on.
    pub challenges: Challenges<S::Ext>,
}

impl<'a, S: Setting> Values<'a, S> {
    /// The cells of an assignment.
    pub fn new(
        circuit: &'a Circuit<S>,
        assignment: Assignment<S>,
        instance: Vec<S::Base>,
        challenges: Challenges<S::Ext>,
    ) -> Self {
        let Assignment { early, late } = assignment;
        let late = late(&early, &challenges);
        Self { circuit, early, late, instance, challenges }
    }

    /// The value of a cell.
    pub fn cell(&self, Cell { column, row }: Cell) -> S::Ext {
        match column {
            Column::Fixed(i) => self.circuit.fixed.column(i)[row].into(),
            Column::Early(i) => self.early.column(i)[row].into(),
            Column::Late(i) => self.late.column(i)[row],
            Column::Instance => self.instance.get(row).copied().unwrap_or_default().into(),
        }
    }

    fn query(&self, query: Query, row: usize) -> S::Ext {
        let row = if query.next { (row + 1) % self.circuit.rows() } else { row };
        self.cell(Cell { column: query.column, row })
    }

    /// Values of all nodes on a row.
    fn nodes(&self, row: usize, values: &mut Vec<S::Ext>) {
        self.circuit.graph.evaluate(&self.challenges, |query| self.query(query, row), values);
    }

    /// Gates that are not zero, by row and number.
    pub fn broken_gates(&self) -> Vec<(usize, usize)> {
        let rows = (0..self.circuit.rows()).into_par_iter();
        rows.map_init(Vec::new, |values, row| {
            self.nodes(row, values);
            let gates = self.circuit.gates.iter().enumerate();
            let broken = gates.filter(|(_, gate)| !values[gate.expr.0 as usize].is_zero());
            broken.map(|(number, _)| (row, number)).collect::<Vec<_>>()
        })
        .flatten_iter()
        .collect()
    }

    /// Copies whose cells differ, by number.
    pub fn broken_copies(&self) -> Vec<usize> {
        let copies = self.circuit.copies.iter().enumerate();
        copies.filter(|(_, (a, b))| self.cell(*a) != self.cell(*b)).map(|(number, _)| number).collect()
    }

    /// Tuples that are not in their tables, by row and number of the lookup.
    pub fn broken_lookups(&self) -> Vec<(usize, usize)> {
        let mut tables: BTreeMap<&[usize], HashSet<Vec<S::Ext>>> = BTreeMap::new();
        for lookup in &self.circuit.lookups {
            tables.entry(&lookup.table).or_insert_with(|| {
                let tuples = lookup.parts().flat_map(|part| {
                    let columns: Vec<_> = part.iter().map(|&c| self.circuit.fixed.column(c)).collect();
                    (0..self.circuit.rows()).map(move |r| columns.iter().map(|c| c[r].into()).collect())
                });
                tuples.collect()
            });
        }
        let rows = (0..self.circuit.rows()).into_par_iter();
        rows.map_init(Vec::new, |values, row| {
            self.nodes(row, values);
            let lookups = self.circuit.lookups.iter().enumerate();
            let missing = lookups.filter(|(_, lookup)| {
                let tuple: Vec<S::Ext> = lookup.inputs.iter().map(|id| values[id.0 as usize]).collect();
                !tables[&lookup.table[..]].contains(&tuple)
            });
            missing.map(|(number, _)| (row, number)).collect::<Vec<_>>()
        })
        .flatten_iter()
        .collect()
    }

    /// Everything that is wrong, at most `limit` of each kind.
    pub fn violations(&self, limit: usize) -> Vec<Violation> {
        let gates = self.broken_gates().into_iter().take(limit).map(|(row, number)| self.gate(row, number));
        let copies = self.broken_copies().into_iter().take(limit).map(|number| self.copy(number));
        let lookups = self.broken_lookups().into_iter().take(limit).map(|(row, number)| self.lookup(row, number));
        gates.chain(copies).chain(lookups).collect()
    }

    fn gate(&self, row: usize, number: usize) -> Violation {
        let gate = &self.circuit.gates[number];
        let cells = self.circuit.graph.queries([gate.expr]).into_iter().map(|query| {
            let next = if query.next { "'" } else { "" };
            (format!("{}{next}", self.circuit.column_name(query.column)), self.query(query, row).to_string())
        });
        Violation::Gate { number, what: gate.what.clone(), row, cells: cells.collect() }
    }

    fn copy(&self, number: usize) -> Violation {
        let (a, b) = self.circuit.copies[number];
        let cell = |cell: Cell| (self.circuit.column_name(cell.column), cell.row, self.cell(cell).to_string());
        Violation::Copy { number, cells: [cell(a), cell(b)] }
    }

    fn lookup(&self, row: usize, number: usize) -> Violation {
        let lookup = &self.circuit.lookups[number];
        let mut values = Vec::new();
        self.nodes(row, &mut values);
        let tuple = lookup.inputs.iter().map(|Id(i)| values[*i as usize].to_string()).collect();
        Violation::Lookup { number, what: lookup.what.clone(), row, tuple }
    }
}

/// Everything wrong with an assignment, at most `limit` gates, copies and lookups.
pub fn check_plonkish<S: Setting>(
    circuit: &Circuit<S>,
    instance: Vec<S::Base>,
    assignment: Assignment<S>,
    challenges: &Challenges<S::Ext>,
    limit: usize,
) -> Vec<Violation> {
    Values::new(circuit, assignment, instance, challenges.clone()).violations(limit)
}
