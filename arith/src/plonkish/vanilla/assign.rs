//! Filling wires: gates in their order give the early ones; folds and fractions, once there are
//! challenges, the late ones.

use p3_field::{Field, PrimeCharacteristicRing, batch_multiplicative_inverse};
use rayon::prelude::*;
use trilemma_core::Setting;

use super::gates::{Gate, Val};
use super::layout::Layout;
use super::plan::Plan;
use crate::air::{Air, Instance, PublicTerm, Trace};
use crate::kernel::Challenges;
use crate::plonkish::Assignment;
use crate::r1cs::ByColumn;

/// A gate solved for the wire that it defines.
struct Solved<F> {
    /// Coefficients of the wires, of `a b` and of 1 there.
    wires: [F; 3],
    product: F,
    constant: F,
    gate: Gate,
}

impl<F: Field> Solved<F> {
    fn of(gate: &Gate) -> Self {
        let q = &gate.q;
        let mut linear = [q.l, q.r, q.o].map(F::from_i64);
        let factor = gate.defines.map_or(F::ZERO, |w| -std::mem::take(&mut linear[w]).inverse());
        let [product, constant] = [q.m, q.k].map(|x| F::from_i64(x) * factor);
        Self { wires: linear.map(|x| x * factor), product, constant, gate: gate.clone() }
    }

    /// The value that makes the gate hold.
    fn value(&self, wires: &[F; 3]) -> F {
        let mut sum = self.constant;
        for (&x, &wire) in self.wires.iter().zip(wires).filter(|(x, _)| !x.is_zero()) {
            sum += x * wire;
        }
        if !self.product.is_zero() {
            sum += self.product * wires[0] * wires[1];
        }
        sum
    }
}

/// Cells of a row of a table and its successor, and the statement's entries.
struct Source<'a> {
    main: &'a [u32],
    next: &'a [u32],
    fixed: &'a [Vec<u32>],
    row: usize,
    instance: &'a [u32],
}

impl Source<'_> {
    fn get<F: Field>(&self, val: Val, defined: &[F]) -> F {
        let cell = |cells: &[u32], i: usize| F::from_u32(cells.get(i).copied().unwrap_or(0));
        match val {
            Val::Main(i) => cell(self.main, i),
            Val::Next(i) => cell(self.next, i),
            Val::Fixed(i) => F::from_u32(self.fixed[i][self.row]),
            Val::Instance(i) => cell(self.instance, i),
            Val::Const(x) => F::from_i64(x),
            Val::Gate(i) => defined[i],
            Val::Fold(_) => unreachable!("folds are on late wires"),
        }
    }
}

/// The early wires of one block.
fn fill<F: Field>(plan: &Plan, gates: &[Solved<F>], source: &Source<'_>, defined: &mut Vec<F>, out: [&mut [F]; 3]) {
    defined.clear();
    for (row, solved) in gates.iter().enumerate() {
        let defines = solved.gate.defines;
        let mut wires = std::array::from_fn(|w| match solved.gate.wires[w] {
            Some(val) if defines != Some(w) => source.get(val, defined),
            _ => F::ZERO,
        });
        if let Some(w) = defines {
            wires[w] = solved.value(&wires);
        }
        defined.push(defines.map_or(F::ZERO, |w| wires[w]));
        [out[0][row], out[1][row], out[2][row]] = wires;
    }
    for (k, fraction) in plan.fractions.iter().enumerate() {
        let row = plan.first_fraction() + k;
        let [a, b, _] = fraction.tuple;
        [out[0][row], out[1][row], out[2][row]] = [a, b, fraction.multiplicity].map(|v| source.get(v, defined));
    }
}

/// Three columns from row `start` on, cut into `count` pieces of `rows` rows.
fn pieces<F: Field>(columns: &mut ByColumn<F>, start: usize, rows: usize, count: usize) -> Vec<[&mut [F]; 3]> {
    let height = columns.height;
    let mut columns =
        columns.values.chunks_exact_mut(height).map(|c| c[start..start + rows * count].chunks_mut(rows.max(1)));
    let [a, b, c] = std::array::from_fn(|_| columns.next().expect("three columns"));
    a.zip(b).zip(c).map(|((a, b), c)| [a, b, c]).collect()
}

/// Cells of an instance's row, zeros where it has none.
fn cells(instance: &Instance, width: usize, row: usize) -> &[u32] {
    instance.cells.get(row * width..(row + 1) * width).unwrap_or(&[])
}

impl Layout {
    /// The cells of a trace.
    pub(super) fn early<S: Setting>(&self, air: &Air<S>, trace: &Trace, instance: &[u32]) -> ByColumn<S::Base> {
        let mut early = ByColumn::zero(3, 1 << self.log_rows);
        for (row, &x) in self.constants.iter().enumerate() {
            *early.cell_mut(2, row) = S::Base::from_i64(x);
        }
        let source = Source { main: &[], next: &[], fixed: &[], row: 0, instance };
        let gates: Vec<_> = self.statement.gates.iter().map(Solved::of).collect();
        for out in pieces(&mut early, self.constants.len(), self.statement.rows(), 1) {
            fill(&self.statement, &gates, &source, &mut Vec::new(), out);
        }
        for p in &self.placed {
            let (plan, kernel) = (&self.plans[p.table], &air.tables[p.table]);
            let from = &trace.instances[p.origin];
            let (width, fixed) = (kernel.shape().columns.len(), kernel.fixed());
            let gates: Vec<_> = plan.gates.iter().map(Solved::of).collect();
            pieces(&mut early, p.start, plan.rows(), p.count).into_par_iter().enumerate().for_each_init(
                Vec::new,
                |defined, (row, out)| {
                    let (main, next) = (cells(from, width, row), cells(from, width, (row + 1) % p.count));
                    let source = Source { main, next, fixed: &fixed, row, instance };
                    fill(plan, &gates, &source, defined, out);
                },
            );
        }
        early
    }

    /// The late wires.
    pub(super) fn late<S: Setting>(
        &self,
        early: &ByColumn<S::Base>,
        instance: &[u32],
        challenges: &Challenges<S::Ext>,
    ) -> ByColumn<S::Ext> {
        let mut late = ByColumn::zero(3, 1 << self.log_rows);
        let mut sums = Vec::with_capacity(self.fractions);
        for (plan, start, count) in self.blocks() {
            let homes = plan.homes();
            pieces(&mut late, start, plan.rows(), count).into_par_iter().enumerate().for_each(|(block, mut out)| {
                let first = start + block * plan.rows();
                let value = |val: Val, out: &[&mut [S::Ext]; 3]| -> S::Ext {
                    match val {
                        Val::Const(x) => S::Ext::from_i64(x),
                        Val::Instance(i) => S::Ext::from_u32(instance[i]),
                        Val::Fold(i) => out[2][i],
                        _ => homes.get(&val).map_or(S::Ext::ZERO, |&(w, row)| early.column(w)[first + row].into()),
                    }
                };
                late_block::<S>(plan, challenges, &value, &mut out);
            });
            for block in 0..count {
                let row = start + block * plan.rows() + plan.first_fraction();
                sums.extend(plan.fractions.iter().enumerate().map(|(k, f)| (row + k, f.receives)));
            }
        }
        // The running sum.
        let mut sum = S::Ext::ZERO;
        for (row, receives) in sums {
            let before = sum;
            let h = *late.cell_mut(2, row);
            sum = if receives { before - h } else { before + h };
            let (a, c) = if receives { (sum, before) } else { (before, sum) };
            *late.cell_mut(0, row) = a;
            *late.cell_mut(2, row) = c;
        }
        late
    }
}

/// Folds of a block, and fractions in place of their sums.
fn late_block<S: Setting>(
    plan: &Plan,
    challenges: &Challenges<S::Ext>,
    value: &impl Fn(Val, &[&mut [S::Ext]; 3]) -> S::Ext,
    out: &mut [&mut [S::Ext]; 3],
) {
    for (row, fold) in plan.folds.iter().enumerate() {
        let (a, b) = (value(fold.a, out), value(fold.b, out));
        let c = challenges.beta[0] * (a + S::Ext::from_i64(fold.constant)) + b;
        [out[0][row], out[1][row], out[2][row]] = [a, b, c];
    }
    let mut denominators = Vec::with_capacity(plan.fractions.len());
    for (k, f) in plan.fractions.iter().enumerate() {
        let tuple = f.tuple.map(|val| value(val, out));
        out[1][plan.first_fraction() + k] = tuple[2];
        let bus = S::Ext::from_u32(f.bus);
        let terms: S::Ext = tuple.iter().zip(&challenges.beta).map(|(&x, &beta)| beta * x).sum();
        denominators.push(challenges.gamma - bus - terms);
    }
    let inverses: Vec<S::Ext> = if denominators.iter().any(|d| d.is_zero()) {
        denominators.iter().map(|d| d.try_inverse().unwrap_or_default()).collect()
    } else {
        batch_multiplicative_inverse(&denominators)
    };
    for (k, (f, inverse)) in plan.fractions.iter().zip(inverses).enumerate() {
        out[2][plan.first_fraction() + k] = inverse * value(f.multiplicity, out);
    }
}

/// The entries of a statement.
pub(super) fn entries(statement: &[PublicTerm]) -> Vec<u32> {
    statement.iter().flat_map(|t| &t.tuple).copied().collect()
}

/// The assignment of a layout.
pub(super) fn assignment<S: Setting>(
    layout: std::sync::Arc<Layout>,
    air: &Air<S>,
    trace: &Trace,
    statement: &[PublicTerm],
) -> Assignment<S> {
    let instance = entries(statement);
    let early = layout.early(air, trace, &instance);
    let late = move |early: &ByColumn<S::Base>, challenges: &Challenges<S::Ext>| {
        layout.late::<S>(early, &instance, challenges)
    };
    Assignment { early, late: Box::new(late) }
}
