//! The tables as text, committed: columns by name, constraints as formulas with their degrees,
//! interactions. A change of a table shows in the diff of `shapes/`, a dropped range check too.
//!
//! `UPDATE_SHAPES=1 cargo test -p trilemma-frontends --test machine_shapes` writes them anew.

mod common;

use std::fmt::Write;

use common::Run;
use common::golden::assert_committed;
use common::grid::{self, Asm};
use trilemma_arith::TableShape;
use trilemma_core::setting::KoalaBear4;

/// What one table looks like.
fn describe(shape: &TableShape) -> String {
    let mut out = String::new();
    let lookups = shape.interactions.iter().filter(|i| i.bus.lookup).count();
    let _ = writeln!(
        out,
        "table {}: {} columns, {} fixed, {} constraints of degree at most {}, {} interactions, {} of them lookups",
        shape.name,
        shape.columns.len(),
        shape.fixed.len(),
        shape.constraints.len(),
        shape.max_degree(),
        shape.interactions.len(),
        lookups,
    );
    for name in &shape.fixed {
        let _ = writeln!(out, "fixed  {name}");
    }
    for column in &shape.columns {
        let _ = writeln!(out, "column {}: {}", column.name, column.why);
    }
    for c in &shape.constraints {
        let _ = writeln!(out, "zero   [{}] degree {}: {}", c.what, shape.degree(c.expr), shape.formula(c.expr));
    }
    for i in &shape.interactions {
        let tuple: Vec<String> = i.tuple.iter().map(|&e| shape.formula(e)).collect();
        let degree = i.tuple.iter().map(|&e| shape.degree(e)).max().unwrap_or(0);
        let times = shape.formula(i.multiplicity);
        let _ = writeln!(out, "bus    {} x ({times}) degree {degree}: {}", i.bus.name, tuple.join(", "));
    }
    out
}

/// Teaches: what a table says is reviewed as text, not only as code.
#[test]
fn tables_are_as_committed() {
    let mut a = Asm::default();
    grid::calls(&mut a);
    let machine = Run::new(&a.exit(0), grid::INPUT).machine;
    let air = machine.air::<KoalaBear4>();
    assert_committed("shapes", air.tables.iter().map(|table| (table.shape().name, describe(table.shape()))));
}
