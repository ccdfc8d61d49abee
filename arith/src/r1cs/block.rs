//! The rank-one constraints of one row of a table.

use std::fmt;

use super::linear::{Linear, Var};

/// `a * b = c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it says: the constraint's own words, the bus, or that a variable is a product.
    pub what: &'static str,
    /// First factor.
    pub a: Linear,
    /// Second factor.
    pub b: Linear,
    /// Their product.
    pub c: Linear,
}

/// The constraints of one row of a table, the same on every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Name of the table.
    pub name: &'static str,
    /// Names of fixed columns.
    pub fixed: Vec<&'static str>,
    /// Rows of the fixed columns, 0 when there are none.
    pub fixed_height: usize,
    /// Names of advice columns.
    pub main: Vec<&'static str>,
    /// Advice columns that are read on the next row.
    pub next: Vec<usize>,
    /// Products: row `i` says that `Aux(i)` is `a * b`, of variables that come before it.
    pub products: Vec<Row>,
    /// Constraints of the table.
    pub constraints: Vec<Row>,
    /// Interactions: row `j` says that `Helper(j)` times the fingerprint is the multiplicity.
    pub fractions: Vec<Row>,
}

/// Sizes of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Fixed columns.
    pub fixed: usize,
    /// Advice columns.
    pub main: usize,
    /// Products.
    pub aux: usize,
    /// Fractions.
    pub helpers: usize,
    /// Constraints.
    pub rows: usize,
    /// Nonzero entries of the three matrices.
    pub nonzeros: [usize; 3],
}

impl Block {
    /// All rows: products, constraints, fractions.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.products.iter().chain(&self.constraints).chain(&self.fractions)
    }

    /// Its sizes.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            fixed: self.fixed.len(),
            main: self.main.len(),
            aux: self.products.len(),
            helpers: self.fractions.len(),
            ..Counts::default()
        };
        for row in self.rows() {
            counts.rows += 1;
            for (sum, side) in counts.nonzeros.iter_mut().zip([&row.a, &row.b, &row.c]) {
                *sum += side.nonzeros();
            }
        }
        counts
    }

    /// The name of a variable.
    pub fn variable(&self, var: Var) -> String {
        match var {
            Var::One => "1".to_string(),
            Var::Fixed(i) => format!("#{}", self.fixed[i]),
            Var::Main(i) => self.main[i].to_string(),
            Var::Next(i) => format!("{}'", self.main[i]),
            Var::Aux(i) => format!("p{i}"),
            Var::Helper(j) => format!("h{j}"),
        }
    }

    /// A row as a formula.
    pub fn formula(&self, row: &Row) -> String {
        let formula = |side: &Linear| side.formula(|var| self.variable(var));
        let factor = |side: &Linear| {
            let text = formula(side);
            if side.terms().count() > 1 { format!("({text})") } else { text }
        };
        match row.b.as_int() {
            Some(1) => format!("{} = {}", formula(&row.a), formula(&row.c)),
            _ => format!("{} * {} = {}", factor(&row.a), factor(&row.b), formula(&row.c)),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fixed, main, aux, helpers, rows, nonzeros: [a, b, c] } = self;
        write!(
            f,
            "{rows} rows, {fixed} fixed, {main} main, {aux} aux, {helpers} helpers, nonzeros {a} in A, {b} in B, {c} in C"
        )
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "block {}: {}", self.name, self.counts())?;
        self.products.iter().try_for_each(|row| writeln!(f, "product  {}", self.formula(row)))?;
        self.constraints.iter().try_for_each(|row| writeln!(f, "zero     [{}] {}", row.what, self.formula(row)))?;
        self.fractions.iter().try_for_each(|row| writeln!(f, "fraction [{}] {}", row.what, self.formula(row)))
    }
}
