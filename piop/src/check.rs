//! `check`: evaluates the relation itself and reports what fails, by table, row, constraint and
//! cells. The ideal twin of every PIOP for AIRs: a trace that passes here and fails there points at
//! the PIOP.

use std::collections::HashMap;
use std::fmt;

use p3_field::{Field, PrimeCharacteristicRing, PrimeField};
use trilemma_arith::air::{Air, Instance, PublicTerm, Trace};
use trilemma_arith::kernel::Cells;
use trilemma_arith::{Bus, Kernel};
use trilemma_core::Setting;

/// One thing wrong with a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A constraint that does not vanish.
    Constraint {
        /// Table.
        table: &'static str,
        /// Number of the constraint in its table.
        number: usize,
        /// What it says.
        what: &'static str,
        /// Row within the instance.
        row: usize,
        /// The row's cells by column.
        cells: Vec<(&'static str, u32)>,
    },
    /// A tuple that was not sent as often as received.
    Bus {
        /// Bus.
        bus: &'static str,
        /// The tuple.
        tuple: Vec<String>,
        /// How often it was sent too often; negative when received too often.
        excess: String,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constraint { table, what, row, cells, .. } => {
                write!(f, "table {table}, row {row}, constraint `{what}`:")?;
                cells.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
            }
            Self::Bus { bus, tuple, excess } => {
                write!(f, "bus {bus}: ({}) is out of balance by {excess}", tuple.join(", "))
            }
        }
    }
}

/// Everything wrong with a trace, at most `limit` violations of each kind.
pub fn check<S: Setting>(air: &Air<S>, statement: &[PublicTerm], trace: &Trace, limit: usize) -> Vec<Violation> {
    let mut balance: HashMap<(Bus, Vec<S::Base>), S::Base> = HashMap::new();
    let mut violations = Vec::new();
    let mut post = |bus, tuple: Vec<S::Base>, m: S::Base| {
        if !m.is_zero() {
            *balance.entry((bus, tuple)).or_default() += m;
        }
    };
    for term in statement {
        let tuple = term.tuple.iter().map(|&x| S::Base::from_u32(x)).collect();
        post(term.bus, tuple, S::Base::from_i64(term.multiplicity));
    }
    for instance in &trace.instances {
        let kernel = air.tables[instance.table].as_ref();
        for_rows(kernel, instance, |row, cells| {
            let values = kernel.row(cells);
            for (number, value) in values.constraints.iter().enumerate() {
                if !value.is_zero() && violations.len() < limit {
                    violations.push(constraint::<S>(kernel, instance, number, row));
                }
            }
            values.interactions.into_iter().for_each(|(bus, m, tuple)| post(bus, tuple, m));
        });
    }
    let mut unbalanced: Vec<_> = balance.into_iter().filter(|(_, m)| !m.is_zero()).collect();
    unbalanced.sort_by(|(a, _), (b, _)| (a.0.id, &a.1).cmp(&(b.0.id, &b.1)));
    let unbalanced = unbalanced.into_iter().take(limit).map(|((bus, tuple), m)| Violation::Bus {
        bus: bus.name,
        tuple: tuple.iter().map(ToString::to_string).collect(),
        excess: signed(m),
    });
    violations.extend(unbalanced);
    violations
}

/// A field element as a number near zero.
fn signed<F: PrimeField>(x: F) -> String {
    let negated = -x;
    if negated.as_canonical_biguint() < x.as_canonical_biguint() { format!("-{negated}") } else { x.to_string() }
}

fn constraint<S: Setting>(kernel: &dyn Kernel<S>, instance: &Instance, number: usize, row: usize) -> Violation {
    let shape = kernel.shape();
    let width = shape.columns.len();
    let cell = |c: usize| instance.cells.get(row * width + c).copied().unwrap_or(0);
    Violation::Constraint {
        table: shape.name,
        number,
        what: shape.constraints[number].what,
        row,
        cells: shape.columns.iter().enumerate().map(|(c, column)| (column.name, cell(c))).collect(),
    }
}

/// Runs `f` on every row of an instance, padding included.
pub fn for_rows<S: Setting>(kernel: &dyn Kernel<S>, instance: &Instance, mut f: impl FnMut(usize, Cells<'_, S::Base>)) {
    let shape = kernel.shape();
    let (width, height) = (shape.columns.len(), 1usize << instance.log_height);
    let fixed = kernel.fixed();
    let row = |r: usize| -> Vec<S::Base> {
        let cell = |c: usize| instance.cells.get(r * width + c).copied().unwrap_or(0);
        (0..width).map(|c| S::Base::from_u32(cell(c))).collect()
    };
    for r in 0..height {
        let main = row(r);
        let next = if shape.uses_next() { row((r + 1) % height) } else { Vec::new() };
        let fixed: Vec<S::Base> = fixed.iter().map(|c| S::Base::from_u32(c[r])).collect();
        f(r, Cells { fixed: &fixed, main: &main, next: &next });
    }
}
