//! Circuits by hand, with a check that evaluates them.

use p3_field::{Field, PrimeCharacteristicRing};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Assignment, Cell, Circuit, Column, Gate, Graph, Late, Lookup};
use trilemma_arith::r1cs::{ByColumn, Unit};
use trilemma_core::Setting;
use trilemma_piop::check_plonkish::Values;

use super::common::form;

/// A circuit with values, good or bad.
pub struct Toy<S: Setting> {
    pub circuit: Circuit<S>,
    pub early: ByColumn<S::Base>,
    pub instance: Vec<S::Base>,
    pub late: fn() -> Late<S>,
}

impl<S: Setting> Toy<S> {
    /// The assignment of these early columns.
    pub fn assignment(&self, early: &ByColumn<S::Base>) -> Assignment<S> {
        Assignment { early: early.clone(), late: (self.late)() }
    }

    /// Whether the circuit holds, by evaluating it.
    pub fn holds(&self, early: &ByColumn<S::Base>, instance: &[S::Base]) -> bool {
        let seed = |x: u64| S::Ext::from_u64(x).exp_u64(1 << 20) + S::Ext::from_u64(x);
        let challenges = Challenges::new(seed(12_345), seed(54_321), self.circuit.arity);
        let values = Values::new(&self.circuit, self.assignment(early), instance.to_vec(), challenges);
        values.violations(1).is_empty()
    }

    /// The circuit with its contents.
    pub fn circuit(&self) -> Circuit<S> {
        let Circuit { fixed, copies, .. } = &self.circuit;
        Circuit { fixed: fixed.clone(), copies: copies.clone(), ..form(&self.circuit) }
    }
}

/// What the columns are called.
pub mod columns {
    use trilemma_arith::plonkish::Column;

    pub const ON: Column = Column::Fixed(0);
    pub const STEP: Column = Column::Fixed(1);
    pub const A: Column = Column::Early(0);
    pub const B: Column = Column::Early(1);
    pub const C: Column = Column::Early(2);
    pub const SUM: Column = Column::Early(3);
    pub const OTHER: Column = Column::Early(4);
    pub const SHUFFLED: Column = Column::Early(5);
    pub const INVERSE: Column = Column::Late(0);
    pub const SHUFFLED_INVERSE: Column = Column::Late(1);
    pub const TOTAL: Column = Column::Late(2);
}

/// Products, running sums read on the next row, squares and small numbers, the latter
/// in a table of two parts, looked up, copies between
/// columns of every kind, and a shuffle proven by columns that depend on challenges.
pub fn toy<S: Setting>(log_rows: usize) -> Toy<S> {
    use columns::{A, B, C, INVERSE, ON, OTHER, SHUFFLED, SHUFFLED_INVERSE, STEP, SUM, TOTAL};
    let rows = 1usize << log_rows;
    let mut g = Graph::default();
    let (mut gates, mut lookups) = (Vec::new(), Vec::new());
    let mut gate = |what: &str, expr| gates.push(Gate { what: what.to_string(), expr });
    let (on, step, a, b, c) = (g.cell(ON), g.cell(STEP), g.cell(A), g.cell(B), g.cell(C));

    let product = g.mul(a, b);
    let difference = g.sub(product, c);
    let expr = g.mul(on, difference);
    gate("c = a b", expr);
    let three = g.int(3);
    let five = g.int(5);
    let scaled = g.mul(three, a);
    let other = g.cell(OTHER);
    let shifted = g.sub(five, other);
    let line = g.sub(scaled, shifted);
    let expr = g.mul(on, line);
    gate("other = 5 - 3 a", expr);
    let (sum, next_sum, next_other) = (g.cell(SUM), g.next(SUM), g.next(OTHER));
    let grown = g.add(sum, c);
    let grown = g.add(grown, next_other);
    let left = g.sub(next_sum, grown);
    let expr = g.mul(step, left);
    gate("the next sum", expr);
    let bits = (1..4).fold(b, |product, k| {
        let k = g.int(k);
        let factor = g.sub(b, k);
        g.mul(product, factor)
    });
    gate("b is below 4", bits);

    let (gamma, beta) = (g.challenge(Unit::Gamma), g.challenge(Unit::Beta(0)));
    for (column, inverse) in [(A, INVERSE), (SHUFFLED, SHUFFLED_INVERSE)] {
        let (value, inverse) = (g.cell(column), g.cell(inverse));
        let weighted = g.mul(beta, value);
        let denominator = g.sub(gamma, weighted);
        let product = g.mul(inverse, denominator);
        let one = g.int(1);
        let expr = g.sub(product, one);
        gate("an inverse", expr);
    }
    let (total, next_total) = (g.cell(TOTAL), g.next(TOTAL));
    let (plus, minus) = (g.cell(INVERSE), g.cell(SHUFFLED_INVERSE));
    let difference = g.sub(plus, minus);
    let grown = g.add(total, difference);
    let expr = g.sub(next_total, grown);
    gate("the next total", expr);

    let square = g.mul(a, a);
    let mut lookup = |what: &str, inputs, table: &[usize]| {
        lookups.push(Lookup { what: what.to_string(), inputs, table: table.to_vec() });
    };
    lookup("a and its square", vec![a, square], &[2, 3]);
    let b_square = g.mul(b, b);
    let (on_b, on_square) = (g.mul(on, b), g.mul(on, b_square));
    lookup("b and its square where on", vec![on_b, on_square], &[2, 3]);
    lookup("b is small", vec![b], &[4, 5]);

    let names = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
    let cell = |column, row| Cell { column, row };
    let mut circuit = Circuit {
        name: "toy",
        log_rows,
        fixed_names: names(&["on", "step", "x", "x^2", "small", "or"]),
        early: names(&["a", "b", "c", "sum", "other", "shuffled"]),
        late: names(&["1/a", "1/shuffled", "total"]),
        instance: 2,
        graph: g,
        gates,
        lookups,
        permuted: vec![A, C, Column::Instance, INVERSE, Column::Fixed(2)],
        arity: 1,
        fractions: 2 * rows,
        fixed: ByColumn::zero(6, rows),
        copies: vec![
            (cell(A, 1), cell(A, 2)),
            (cell(C, 0), cell(Column::Instance, 0)),
            (cell(Column::Instance, 1), cell(A, 1)),
            (cell(INVERSE, 1), cell(INVERSE, 2)),
            (cell(Column::Fixed(2), 3), cell(A, 0)),
        ],
    };
    let set = |column: &mut ByColumn<S::Base>, i, f: &dyn Fn(usize) -> u64| {
        (0..rows).for_each(|row| *column.cell_mut(i, row) = S::Base::from_u64(f(row)));
    };
    set(&mut circuit.fixed, 0, &|row| u64::from(row < rows - 2));
    set(&mut circuit.fixed, 1, &|row| u64::from(row < rows - 1));
    set(&mut circuit.fixed, 2, &|row| row.min(7) as u64);
    set(&mut circuit.fixed, 3, &|row| row.min(7).pow(2) as u64);
    set(&mut circuit.fixed, 4, &|row| (row % 2) as u64);
    set(&mut circuit.fixed, 5, &|row| [0, 2, 3][row % 3]);
    let mut early = ByColumn::zero(6, rows);
    let at = |row: usize| match row {
        0 => 3,
        1 | 2 => 6,
        row => (row * row % 8) as u64,
    };
    set(&mut early, 0, &at);
    set(&mut early, 1, &|row| (row % 3) as u64 + 1);
    set(&mut early, 2, &|row| at(row) * (row % 3 + 1) as u64);
    for row in 0..rows {
        *early.cell_mut(4, row) = S::Base::from_i64(5 - 3 * at(row) as i64);
    }
    let mut sum = S::Base::from_u32(10);
    for row in 0..rows {
        *early.cell_mut(3, row) = sum;
        sum += early.column(2)[row] + early.column(4)[(row + 1) % rows];
    }
    set(&mut early, 5, &|row| at((row + 3) % rows));
    let instance = vec![early.column(2)[0], early.column(0)[1]];
    let toy = Toy { circuit, early, instance, late: || Box::new(shuffle::<S>) };
    assert!(toy.holds(&toy.early, &toy.instance));
    toy
}

/// Which kinds of constraints a toy keeps.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    pub gates: bool,
    pub lookups: bool,
    pub copies: bool,
    pub late: bool,
}

/// A toy with some of its constraints only.
pub fn part<S: Setting>(log_rows: usize, kept: Kept) -> Toy<S> {
    let mut toy = toy::<S>(log_rows);
    let circuit = &mut toy.circuit;
    if !kept.lookups {
        circuit.lookups.clear();
    }
    if !kept.late {
        let queries = |gate: &Gate| circuit.graph.queries([gate.expr]);
        circuit.gates.retain(|gate| queries(gate).iter().all(|query| !matches!(query.column, Column::Late(_))));
        circuit.late.clear();
        circuit.permuted.retain(|column| !matches!(column, Column::Late(_)));
        circuit.copies.retain(|(a, _)| !matches!(a.column, Column::Late(_)));
        toy.late = || Box::new(|early, _| ByColumn::zero(3, early.height));
    }
    if !kept.gates {
        circuit.gates.clear();
    }
    if !kept.copies {
        circuit.copies.clear();
        circuit.permuted.clear();
    }
    toy
}

/// Inverses of the entries of both sides of the shuffle, and the running total of their difference.
fn shuffle<S: Setting>(early: &ByColumn<S::Base>, challenges: &Challenges<S::Ext>) -> ByColumn<S::Ext> {
    let rows = early.height;
    let mut late = ByColumn::zero(3, rows);
    let inverse = |x: S::Base| (challenges.gamma - challenges.beta[0] * x).inverse();
    let mut total = S::Ext::ZERO;
    for row in 0..rows {
        let (plus, minus) = (inverse(early.column(0)[row]), inverse(early.column(5)[row]));
        *late.cell_mut(0, row) = plus;
        *late.cell_mut(1, row) = minus;
        *late.cell_mut(2, row) = total;
        total += plus - minus;
    }
    late
}
