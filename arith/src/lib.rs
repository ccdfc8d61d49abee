//! Arithmetizations. A [`table::Table`] is written once and run by many interpreters: on integers
//! ([`fill`]), on expressions ([`expr`]), on packed field elements, on one point, on one row
//! ([`kernel`]). An [`air::Air`] is a list of tables joined by buses; [`r1cs`] lowers it to rank-one
//! constraints.
//!
//! Knows no instruction set and no commitment scheme.

pub mod air;
pub mod expr;
pub mod fill;
pub mod kernel;
pub mod plonkish;
pub mod products;
pub mod r1cs;
pub mod table;

pub use air::{Air, Instance, PublicTerm, Trace};
pub use expr::{Expr, TableShape};
pub use kernel::Kernel;
pub use table::{Builder, Bus, Gadgets, Table};
