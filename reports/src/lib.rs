//! From the rows of a run to a report.
//!
//! [`schema`] is what a run's files hold, [`run`] reads them, [`model`] groups and compares, and
//! [`page`] and [`table_csv`] print the one model, so that no two formats show different numbers.

pub mod chart;
pub mod compare;
pub mod figures;
pub mod format;
pub mod model;
pub mod page;
pub mod run;
pub mod schema;
pub mod stats;
pub mod style;
pub mod table_csv;
pub mod tables;

pub use model::Model;
pub use run::{ReadError, Run};
