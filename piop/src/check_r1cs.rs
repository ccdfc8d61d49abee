//! `check_r1cs`: evaluates the R1CS of an AIR on an assignment and reports what fails, by table, row,
//! constraint and variables. The ideal twin of every PIOP for R1CS.

use std::collections::BTreeSet;
use std::fmt;

use p3_field::Field;
use trilemma_arith::air::PublicTerm;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::r1cs::{Assignment, Block, Linear, R1cs, Row, Var, Variables};
use trilemma_core::Setting;

/// One thing wrong with an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A row of a block that does not hold.
    Row {
        /// Table.
        table: &'static str,
        /// Number of the row in its block.
        number: usize,
        /// What it says.
        what: &'static str,
        /// The row as a formula.
        formula: String,
        /// Row within the instance.
        row: usize,
        /// The variables that it reads.
        variables: Vec<(String, String)>,
    },
    /// Fractions that do not add to zero.
    Sum {
        /// What they add to, those of the statement included.
        excess: String,
    },
    /// A term of the statement whose fingerprint vanishes.
    Pole,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row { table, what, formula, row, variables, .. } => {
                write!(f, "table {table}, row {row}, `{what}` {formula}:")?;
                variables.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
            }
            Self::Sum { excess } => write!(f, "the fractions add to {excess}"),
            Self::Pole => write!(f, "the fingerprint of a term of the statement vanishes"),
        }
    }
}

/// Everything wrong with an assignment, at most `limit` rows of it.
pub fn check_r1cs<S: Setting>(
    r1cs: &R1cs,
    statement: &[PublicTerm],
    assignment: &Assignment<S>,
    challenges: &Challenges<S::Ext>,
    limit: usize,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for variables in &assignment.instances {
        let block = &r1cs.blocks[variables.table];
        let rows: Vec<&Row> = block.rows().collect();
        for (row, number) in broken_rows(block, variables, challenges).into_iter().take(limit - violations.len()) {
            violations.push(violation(block, variables, row, (number, rows[number])));
        }
    }
    match challenges.public_sum(statement) {
        None => violations.push(Violation::Pole),
        Some(public) => {
            let excess = assignment.sum() + public;
            if !excess.is_zero() {
                violations.push(Violation::Sum { excess: excess.to_string() });
            }
        }
    }
    violations
}

/// The sides of a row at the challenges' values.
type Sides<E> = [Vec<(Var, E)>; 3];

/// Rows of an instance with numbers of rows of its block that do not hold there.
pub fn broken_rows<S: Setting>(
    block: &Block,
    variables: &Variables<S>,
    challenges: &Challenges<S::Ext>,
) -> Vec<(usize, usize)> {
    let sides: Vec<Sides<S::Ext>> =
        block.rows().map(|row| [&row.a, &row.b, &row.c].map(|side| side.at(challenges))).collect();
    let value = |side: &[(Var, S::Ext)], row| -> S::Ext { side.iter().map(|&(v, x)| x * variables.at(v, row)).sum() };
    let mut broken = Vec::new();
    for row in 0..variables.height() {
        for (number, [a, b, c]) in sides.iter().enumerate() {
            if value(a, row) * value(b, row) != value(c, row) {
                broken.push((row, number));
            }
        }
    }
    broken
}

fn violation<S: Setting>(
    block: &Block,
    variables: &Variables<S>,
    row: usize,
    (number, broken): (usize, &Row),
) -> Violation {
    let read: BTreeSet<Var> = [&broken.a, &broken.b, &broken.c]
        .into_iter()
        .flat_map(Linear::terms)
        .map(|(_, var, _)| var)
        .filter(|&var| var != Var::One)
        .collect();
    Violation::Row {
        table: block.name,
        number,
        what: broken.what,
        formula: block.formula(broken),
        row,
        variables: read.into_iter().map(|v| (block.variable(v), variables.at(v, row).to_string())).collect(),
    }
}
