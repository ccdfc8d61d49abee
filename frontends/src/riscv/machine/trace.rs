//! From an execution to the integer trace: every table filled, cut into instances and padded.

use trilemma_arith::air::{Instance, Trace};
use trilemma_arith::fill::fill;
use trilemma_arith::{Table, TableShape};

use super::lookup::Counts;
use super::record::Recorder;
use super::{Machine, Visitor};

/// The most instances of one table.
pub const MAX_INSTANCES: usize = 3;
/// The shortest instance.
const MIN_LOG_HEIGHT: usize = 2;
/// Tables are not cut for less than `2^15` rows of padding.
const WORTH_CUTTING: usize = 1 << 15;

/// Heights (log2) of the instances that hold `n` rows: powers of two that together waste little.
fn heights(n: usize, parts: usize) -> Vec<usize> {
    if n == 0 {
        return Vec::new();
    }
    let whole = n.next_power_of_two();
    let log = (whole.trailing_zeros() as usize).max(MIN_LOG_HEIGHT);
    if parts == 1 || whole - n < WORTH_CUTTING || 4 * (whole - n) < whole {
        return vec![log];
    }
    let half = whole / 2;
    let mut heights = vec![log - 1];
    heights.extend(self::heights(n - half, parts - 1));
    heights
}

struct Fill {
    execution: Recorder,
    counts: Counts,
    trace: Trace,
    table: usize,
    error: Option<String>,
}

impl Visitor for Fill {
    fn table<T: Table>(&mut self, table: T, rows: impl FnOnce(&mut Recorder, &mut Counts) -> Vec<T::Row>) {
        let rows = rows(&mut self.execution, &mut self.counts);
        let fixed = table.fixed().first().map_or(0, Vec::len);
        let width = TableShape::of(&table).columns.len();
        let heights =
            if fixed > 0 { vec![fixed.trailing_zeros() as usize] } else { heights(rows.len(), MAX_INSTANCES) };
        match fill(&table, &rows, &mut self.counts) {
            Err(error) => {
                self.error.get_or_insert(error);
            }
            Ok(mut cells) => {
                drop(rows);
                for log_height in heights {
                    let here = (width << log_height).min(cells.len());
                    let rest = cells.split_off(here);
                    self.trace.instances.push(Instance { table: self.table, log_height, cells });
                    cells = rest;
                }
            }
        }
        self.table += 1;
    }
}

/// Fills every table of the machine.
pub fn fill_all(machine: &Machine, execution: Recorder) -> Result<Trace, String> {
    let counts = Counts::new(&machine.rom);
    let mut fill = Fill { execution, counts, trace: Trace::default(), table: 0, error: None };
    machine.visit(&mut fill);
    fill.error.map_or(Ok(fill.trace), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_hold_every_row_and_waste_little() {
        for n in [0usize, 1, 3, 4, 5, 1000, 65_537, 300_000, 524_289, 1_048_576, 3_000_001] {
            let heights = heights(n, MAX_INSTANCES);
            let rows: usize = heights.iter().map(|h| 1 << h).sum();
            assert!(rows >= n, "{n}: {heights:?}");
            assert!(rows - n <= n / 3 + WORTH_CUTTING, "{n}: {heights:?}");
            assert!(heights.is_sorted_by(|a, b| a >= b), "{n}: {heights:?}");
        }
    }
}
