//! Forged variables: one row of a block broken, all others repaired. That there are some shows that
//! the others do not imply the row.

use p3_field::{Field, PrimeCharacteristicRing};
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use trilemma_arith::r1cs::{Block, Linear, Row, Var, Variables};
use trilemma_core::Setting;

/// A cell: a variable that is a column, and a row.
type Cell = (Var, usize);

/// A variable known before there are challenges.
pub fn value<S: Setting>(v: &Variables<S>, var: Var, row: usize) -> S::Base {
    match var {
        Var::One => S::Base::ONE,
        Var::Fixed(i) => v.fixed.column(i)[row],
        Var::Main(i) => v.main.column(i)[row],
        Var::Next(i) => v.main.column(i)[(row + 1) % v.height()],
        Var::Aux(i) => v.aux.column(i)[row],
        Var::Helper(_) => S::Base::ZERO,
    }
}

fn set<S: Setting>(v: &mut Variables<S>, (var, row): Cell, x: S::Base) {
    match var {
        Var::Main(i) => *v.main.cell_mut(i, row) = x,
        Var::Aux(i) => *v.aux.cell_mut(i, row) = x,
        _ => unreachable!("no column of the prover's"),
    }
}

/// The cells that a row of a block reads on a row.
fn cells(row: &Row, at: usize, height: usize) -> Vec<Cell> {
    let terms = [&row.a, &row.b, &row.c].into_iter().flat_map(Linear::terms);
    terms
        .filter_map(|(_, var, _)| match var {
            Var::One | Var::Fixed(_) | Var::Helper(_) => None,
            Var::Next(i) => Some((Var::Main(i), (at + 1) % height)),
            var => Some((var, at)),
        })
        .collect()
}

/// `a * b - c`.
fn defect<S: Setting>(v: &Variables<S>, row: &Row, at: usize) -> S::Base {
    let side =
        |side: &Linear| -> S::Base { side.terms().map(|(_, var, x)| value(v, var, at) * S::Base::from_i64(x)).sum() };
    side(&row.a) * side(&row.b) - side(&row.c)
}

/// Values of a cell that make a row hold: a root of its defect where that is linear, of its factors
/// where their product is to be zero.
fn roots<S: Setting>(v: &mut Variables<S>, row: &Row, at: usize, cell: Cell) -> Vec<S::Base> {
    let old = value(v, cell.0, cell.1);
    let mut root = |row: &Row| {
        let [d0, d1, d2] = [S::Base::ZERO, S::Base::ONE, S::Base::TWO].map(|x| {
            set(v, cell, old + x);
            defect(v, row, at)
        });
        set(v, cell, old);
        let slope = d1 - d0;
        (d2 - d1 == slope && !slope.is_zero()).then(|| old - d0 * slope.inverse())
    };
    let factor = |side: &Linear| Row { what: "", a: side.clone(), b: Linear::int(1), c: row.c.clone() };
    let factors = [&row.a, &row.b].into_iter().filter(|_| row.c.is_zero()).map(factor);
    let roots: Vec<S::Base> = std::iter::once(row.clone()).chain(factors).filter_map(|row| root(&row)).collect();
    roots
}

/// Changes a cell of row `number`, a product or a constraint, then repairs other rows one cell at a
/// time.
pub fn forge<S: Setting>(
    block: &Block,
    honest: &Variables<S>,
    number: usize,
    rng: &mut SmallRng,
) -> Option<Variables<S>> {
    let rows: Vec<&Row> = block.products.iter().chain(&block.constraints).collect();
    let height = honest.height();
    let mut v = honest.clone();
    let at = rng.random_range(0..height);
    let &cell = cells(rows[number], at, height).choose(rng)?;
    let old = value(&v, cell.0, cell.1);
    let near = [-2, -1, 1, 2].map(|x| old + S::Base::from_i64(x));
    let change = [near[0], near[1], near[2], near[3], -old, S::Base::NEG_ONE, S::Base::from_u32(rng.random())];
    set(&mut v, cell, *change.choose(rng)?);
    let mut touched = vec![cell];
    for _ in 0..40 {
        let all = (0..height).flat_map(|at| (0..rows.len()).map(move |n| (at, n)));
        let broken = all.filter(|&(at, n)| !defect(&v, rows[n], at).is_zero());
        let (dropped, other): (Vec<_>, Vec<_>) = broken.partition(|(_, n)| *n == number);
        let Some(&(at, n)) = other.choose(rng) else { return (!dropped.is_empty()).then_some(v) };
        let free: Vec<Cell> = cells(rows[n], at, height).into_iter().filter(|c| !touched.contains(c)).collect();
        let product = free.iter().find(|(var, _)| *var == Var::Aux(n) && n < block.products.len());
        let &cell = product.filter(|_| rng.random_bool(0.8)).or_else(|| free.choose(rng))?;
        let &root = roots(&mut v, rows[n], at, cell).choose(rng)?;
        set(&mut v, cell, root);
        touched.push(cell);
    }
    None
}
