//! A multi-table AIR: tables over a setting, joined by buses, with integer traces.

use trilemma_core::Setting;

use crate::kernel::Kernel;
use crate::table::Bus;

/// Tables over a setting.
pub struct Air<S: Setting> {
    /// The tables. A trace has any number of instances of those without fixed columns, and exactly
    /// one of each with them.
    pub tables: Vec<Box<dyn Kernel<S>>>,
    /// The most instances of one table in a trace.
    pub max_instances: usize,
    /// The most rows of all instances together; what keeps clocks from wrapping.
    pub max_rows: usize,
}

impl<S: Setting> Air<S> {
    /// The longest tuple on any bus.
    pub fn max_arity(&self) -> usize {
        let interactions = self.tables.iter().flat_map(|t| &t.shape().interactions);
        interactions.map(|i| i.bus.arity).max().unwrap_or(0)
    }
}

/// A tuple that the statement itself puts on a bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicTerm {
    /// The bus.
    pub bus: Bus,
    /// How many copies; negative when received.
    pub multiplicity: i64,
    /// The tuple.
    pub tuple: Vec<u32>,
}

/// One stretch of a table's rows, padded to a power of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Index into [`Air::tables`].
    pub table: usize,
    /// log2 of the rows with padding.
    pub log_height: usize,
    /// Rows in use, row-major; the rest is zero.
    pub cells: Vec<u32>,
}

/// An execution as integers, in the order of the tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The instances, sorted by table, tallest first within one.
    pub instances: Vec<Instance>,
}
