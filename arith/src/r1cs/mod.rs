//! An AIR as a rank-one constraint system that keeps its structure: the rows of a table all carry one
//! [`Block`] of constraints `a * b = c` over the row's variables, so a verifier needs the blocks and
//! the heights, never the whole matrices.
//!
//! | variable | what it is | when it is known |
//! |---|---|---|
//! | [`Var::One`] | 1 | always |
//! | [`Var::Fixed`] | a fixed column | with the relation |
//! | [`Var::Main`], [`Var::Next`] | an advice column here, one row on | with the trace |
//! | [`Var::Aux`] | a product | with the trace |
//! | [`Var::Helper`] | the fraction of an interaction | after the challenges |
//!
//! **Buses** \[Hab22\]. The helper `h` of an interaction satisfies `h * (gamma - bus - sum beta^(i+1)
//! t_i) = m`, with the fingerprint of [`Challenges::denominator`] and with tuple and multiplicity made
//! linear. Outside the blocks there is one linear relation: all helpers of all rows of all instances
//! and the statement's own fractions add to zero.
//!
//! **Equivalence.** Where no fingerprint vanishes, products and helpers are functions of the rest, so a
//! trace satisfies the R1CS exactly when it satisfies the constraints and its fractions add to zero.
//! Where one does, its helper is free: with `N` fractions of random challenges this happens with
//! probability at most `N / |F|`, beside the error of the bus argument itself.
//!
//! [`Challenges::denominator`]: crate::kernel::Challenges::denominator

mod block;
mod export;
mod fill;
mod linear;
mod lower;
pub mod staged;

use std::fmt;

use trilemma_core::Setting;

use crate::air::Air;

pub use block::{Block, Counts, Row};
pub use export::{Flat, Known, Side, export};
pub use fill::{Assignment, ByColumn, Variables};
pub use linear::{Linear, Unit, Var};

/// The blocks of all tables of an AIR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct R1cs {
    /// The blocks, in the order of the tables.
    pub blocks: Vec<Block>,
    /// The most instances of one table.
    pub max_instances: usize,
    /// The most rows of all instances together.
    pub max_rows: usize,
    /// The longest tuple on any bus.
    pub max_arity: usize,
}

impl R1cs {
    /// The R1CS of an AIR, from the shapes of its tables.
    pub fn of<S: Setting>(air: &Air<S>) -> Self {
        Self {
            blocks: air.tables.iter().map(|t| Block::of(t.shape())).collect(),
            max_instances: air.max_instances,
            max_rows: air.max_rows,
            max_arity: air.max_arity(),
        }
    }
}

impl fmt::Display for R1cs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["table", "rows", "fixed", "main", "aux", "helpers", "A", "B", "C"];
        let [name, rest @ ..] = header;
        write!(f, "{name:<16}")?;
        rest.iter().try_for_each(|title| write!(f, "{title:>8}"))?;
        for block in &self.blocks {
            let Counts { fixed, main, aux, helpers, rows, nonzeros: [a, b, c] } = block.counts();
            write!(f, "\n{:<16}", block.name)?;
            [rows, fixed, main, aux, helpers, a, b, c].iter().try_for_each(|n| write!(f, "{n:>8}"))?;
        }
        writeln!(f)
    }
}
