//! The tables as text, committed: columns by name, constraints as formulas with their degrees,
//! interactions. A change of a table shows in the diff of `shapes/`, a dropped range check too.
//!
//! `UPDATE_SHAPES=1 cargo test -p trilemma-frontends --test machine_shapes` writes them anew.

mod common;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use common::Run;
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

fn golden(name: &str) -> PathBuf {
    let file = format!("{}.txt", name.replace(' ', "-"));
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes").join(file)
}

/// Teaches: what a table says is reviewed as text, not only as code.
#[test]
fn tables_are_as_committed() {
    let mut a = Asm::default();
    grid::calls(&mut a);
    let machine = Run::new(&a.exit(0), grid::INPUT).machine;
    let update = std::env::var_os("UPDATE_SHAPES").is_some();
    let mut names = Vec::new();
    for table in &machine.air::<KoalaBear4>().tables {
        let (path, text) = (golden(table.shape().name), describe(table.shape()));
        names.push(path.clone());
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            continue;
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let changed = text.lines().zip(committed.lines()).find(|(new, old)| new != old);
        assert!(
            text == committed,
            "{} differs; first change {changed:?}; if it is meant, run with UPDATE_SHAPES=1",
            path.display()
        );
    }
    let files = std::fs::read_dir(golden("x").parent().unwrap()).unwrap();
    let stray: Vec<PathBuf> = files.map(|f| f.unwrap().path()).filter(|p| !names.contains(p)).collect();
    assert!(stray.is_empty(), "no table has these: {stray:?}");
}
