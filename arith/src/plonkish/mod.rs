//! PLONKish circuits: columns of one height, custom gates over a row and its successor, copy
//! constraints, lookups, and columns that are filled after challenges.
//!
//! | column | filled | over |
//! |---|---|---|
//! | fixed | with the circuit | base field |
//! | early advice | with the trace | base field |
//! | late advice | after [`Challenges`](crate::kernel::Challenges) `gamma` and `beta` | challenge field |
//! | instance | by the statement | base field |
//!
//! [`Circuit`] is plain data. A [`Lowering`] makes one of the tables of an AIR: a lookup bus becomes
//! lookups in fixed columns, every other bus becomes fractions in late columns (\[Hab22\]) whose sum
//! gates keep, and the statement's tuples become rows of the circuit whose cells are copies of the
//! instance.

mod circuit;
mod copies;
mod custom;
mod graph;
mod lookups;
mod report;
mod vanilla;

pub use circuit::{Assignment, Cell, Circuit, Extent, Gate, Late, Lookup, Lowering, instance};
pub use custom::{Custom, Params, Whole};
pub use graph::{Column, Graph, Id, Node, Query};
pub use lookups::{LookupTable, Lookups, Role, Rows};
pub use report::{Report, Share, describe};
pub use vanilla::{BlockSize, Vanilla};
