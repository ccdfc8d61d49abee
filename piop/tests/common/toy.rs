//! A circuit so small that every cell can be tried: products, a gate over two rows, copies with public
//! values and constants, lookups in two tables, and late columns that prove two columns equal up to order.

use p3_field::{Field, PrimeCharacteristicRing};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Assignment, Cell, Circuit, Column, Gate, Graph, Lookup};
use trilemma_arith::r1cs::{ByColumn, Unit};
use trilemma_core::Setting;

/// Rows of the circuit.
pub const ROWS: usize = 8;
/// Early columns.
pub const EARLY: usize = 3;
/// The public values.
pub const INSTANCE: [u32; 2] = [6, 16];
/// Early columns of the honest assignment.
pub const HONEST: [[u32; ROWS]; EARLY] =
    [[2, 6, 6, 1, 3, 4, 0, 5], [3, 1, 0, 6, 5, 2, 6, 4], [6, 6, 0, 7, 9, 16, 0, 123]];

const PRODUCT: usize = 0;
const STEP: usize = 1;
const SQUARE: usize = 2;
const CONSTANT: usize = 3;
const TABLE: [usize; 2] = [4, 5];
const RANGE: usize = 6;
const FIXED: [&str; 7] = ["product", "step", "square", "constant", "x", "x^2", "small"];

fn fixed_values() -> [[u32; ROWS]; 7] {
    [
        [1, 1, 1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0],
        [9, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 2, 3, 4, 5, 6, 7],
        [0, 1, 4, 9, 16, 25, 36, 49],
        [0, 1, 2, 3, 4, 5, 6, 0],
    ]
}

/// The gates and lookups, the latter as expressions of both tables.
fn text() -> (Graph, Vec<Gate>, Vec<Lookup>) {
    let mut g = Graph::default();
    let [product, step, square] = [PRODUCT, STEP, SQUARE].map(|i| g.cell(Column::Fixed(i)));
    let [a, b, c] = [0, 1, 2].map(|i| g.cell(Column::Early(i)));
    let [fraction, sum] = [0, 1].map(|i| g.cell(Column::Late(i)));
    let (a_next, sum_next) = (g.next(Column::Early(0)), g.next(Column::Late(1)));
    let mut gates = Vec::new();
    let mut gate = |what: &str, expr| gates.push(Gate { what: what.into(), expr });

    let ab = g.mul(a, b);
    let e = g.sub(ab, c);
    gate("c is a b", g.mul(product, e));
    let e = g.sub(a_next, c);
    gate("c is the next a", g.mul(step, e));
    // 1/(gamma - a) - 1/(gamma - b) = (a - b) / ((gamma - a)(gamma - b)).
    let gamma = g.challenge(Unit::Gamma);
    let (da, db) = (g.sub(gamma, a), g.sub(gamma, b));
    let below = g.mul(da, db);
    let left = g.mul(fraction, below);
    let above = g.sub(a, b);
    gate("fraction", g.sub(left, above));
    let e = g.sub(sum_next, sum);
    gate("sum", g.sub(e, fraction));

    let selected = [g.mul(square, a), g.mul(square, c)];
    let bb = g.mul(b, b);
    let lookups = vec![
        Lookup { what: "a, c".into(), inputs: selected.to_vec(), table: TABLE.to_vec() },
        Lookup { what: "b, b^2".into(), inputs: vec![b, bb], table: TABLE.to_vec() },
        Lookup { what: "a is small".into(), inputs: vec![a], table: vec![RANGE] },
        // Follows from the first; the same columns as two parts of a table.
        Lookup { what: "c".into(), inputs: vec![selected[1]], table: TABLE.to_vec() },
    ];
    (g, gates, lookups)
}

fn copies() -> Vec<(Cell, Cell)> {
    let cell = |column, row| Cell { column, row };
    let [a, b, c] = [0, 1, 2].map(Column::Early);
    vec![
        (cell(Column::Instance, 0), cell(c, 0)),
        (cell(c, 5), cell(Column::Instance, 1)),
        (cell(b, 0), cell(a, 4)),
        (cell(b, 3), cell(b, 6)),
        (cell(b, 6), cell(a, 2)),
        (cell(Column::Fixed(CONSTANT), 0), cell(c, 4)),
    ]
}

/// Columns of small numbers.
pub fn columns<S: Setting>(values: &[[u32; ROWS]]) -> ByColumn<S::Base> {
    ByColumn { values: values.iter().flatten().map(|&x| S::Base::from_u32(x)).collect(), height: ROWS }
}

/// The circuit; without its contents, if it is to be a form.
pub fn circuit<S: Setting>(form: bool) -> Circuit<S> {
    let (graph, gates, lookups) = text();
    let names = |names: &[&str]| names.iter().map(|n| n.to_string()).collect();
    Circuit {
        name: "toy",
        log_rows: 3,
        fixed_names: names(&FIXED),
        early: names(&["a", "b", "c"]),
        late: names(&["fraction", "sum"]),
        instance: INSTANCE.len(),
        graph,
        gates,
        lookups,
        permuted: vec![Column::Early(0), Column::Early(1), Column::Early(2), Column::Instance, Column::Fixed(CONSTANT)],
        arity: 1,
        fractions: 2 * ROWS,
        fixed: if form { columns::<S>(&[]) } else { columns::<S>(&fixed_values()) },
        copies: if form { Vec::new() } else { copies() },
    }
}

/// The late columns that belong to early ones.
pub fn late<S: Setting>(early: &ByColumn<S::Base>, challenges: &Challenges<S::Ext>) -> ByColumn<S::Ext> {
    let inverse = |x: &S::Base| (challenges.gamma - *x).inverse();
    let (a, b) = (early.column(0), early.column(1));
    let fractions: Vec<S::Ext> = a.iter().zip(b).map(|(a, b)| inverse(a) - inverse(b)).collect();
    let sums = fractions.iter().scan(S::Ext::ZERO, |sum, &f| {
        *sum += f;
        Some(*sum - f)
    });
    let values = fractions.iter().copied().chain(sums).collect();
    ByColumn { values, height: ROWS }
}

/// An assignment of early columns with the late ones that belong to them.
pub fn assignment<S: Setting>(early: &[[u32; ROWS]; EARLY]) -> Assignment<S> {
    Assignment { early: columns::<S>(early), late: Box::new(late::<S>) }
}

/// Whether early columns satisfy the circuit with these public values, by the meaning of the circuit.
pub fn holds<S: Setting>(early: &[[u32; ROWS]; EARLY], instance: &[u32]) -> bool {
    let field = |x: u32| S::Base::from_u32(x);
    let fixed = fixed_values();
    let [a, b, c] = early;
    let copies = copies().into_iter().all(|(x, y)| {
        let value = |cell: Cell| match cell.column {
            Column::Early(i) => early[i][cell.row],
            Column::Fixed(i) => fixed[i][cell.row],
            _ => instance[cell.row],
        };
        value(x) == value(y)
    });
    let rows = (0..ROWS).all(|r| {
        let is_square = |x: u32, y: u32| x < 8 && u64::from(y) == u64::from(x) * u64::from(x);
        (fixed[PRODUCT][r] == 0 || field(a[r]) * field(b[r]) == field(c[r]))
            && (fixed[STEP][r] == 0 || a[(r + 1) % ROWS] == c[r])
            && (fixed[SQUARE][r] == 0 || is_square(a[r], c[r]))
            && b[r] < 8
            && a[r] < 7
    });
    let (mut left, mut right) = (*a, *b);
    left.sort_unstable();
    right.sort_unstable();
    copies && rows && left == right
}
