//! Rows that searches start from: some of every table and of every instruction that it executes,
//! and rows that no short execution reaches.

use std::collections::BTreeMap;

use p3_field::PrimeField64;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use trilemma_arith::air::Trace;

use super::model::Model;

/// A row with its fixed columns.
#[derive(Debug, Clone)]
pub struct Seed<F> {
    pub row: Vec<F>,
    pub fixed: Vec<F>,
}

/// Rows of every table of a trace: those in use, in order.
pub fn rows<F: PrimeField64>(models: &[Model<F>], trace: &Trace) -> Vec<Vec<Seed<F>>> {
    let mut rows: Vec<Vec<Seed<F>>> = models.iter().map(|_| Vec::new()).collect();
    for instance in &trace.instances {
        let model = &models[instance.table];
        let cells = instance.cells.chunks(model.shape.columns.len());
        rows[instance.table].extend(cells.enumerate().map(|(i, cells)| Seed {
            row: cells.iter().map(|&x| F::from_u32(x)).collect(),
            fixed: model.fixed.get(i).cloned().unwrap_or_default(),
        }));
    }
    rows
}

/// Columns that tell instructions and cases of one table apart.
const KINDS: [&str; 30] = [
    "op",
    "kind",
    "flags",
    "signed",
    "on less",
    "on equal",
    "on greater",
    "byte",
    "half",
    "word",
    "offset 1",
    "offset 2",
    "offset 3",
    "a signed",
    "b signed",
    "high",
    "remainder",
    "exit",
    "output",
    "debug",
    "input",
    "direct",
    "write",
    "done",
    "b is zero",
    "q sign",
    "r sign",
    "less",
    "equal",
    "cut",
];

/// At most `per_kind` rows of each combination of kinds, at most `limit` in all, then the zero row.
pub fn choose<F: PrimeField64>(
    model: &Model<F>,
    mut rows: Vec<Seed<F>>,
    per_kind: usize,
    limit: usize,
) -> Vec<Seed<F>> {
    let mut rng = SmallRng::seed_from_u64(2);
    rows.shuffle(&mut rng);
    let kinds: Vec<usize> = (0..model.shape.columns.len())
        .filter(|&c| KINDS.contains(&model.shape.columns[c].name) && model.shape.columns[c].why != "ranged")
        .collect();
    let mut by_kind: BTreeMap<Vec<F>, Vec<Seed<F>>> = BTreeMap::new();
    for seed in rows {
        let kind: Vec<F> = kinds.iter().map(|&c| seed.row[c]).collect();
        let of_kind = by_kind.entry(kind).or_default();
        if of_kind.len() < per_kind {
            of_kind.push(seed);
        }
    }
    let mut chosen: Vec<Seed<F>> = Vec::new();
    for round in 0..per_kind {
        let mut of_round: Vec<_> = by_kind.values().filter_map(|seeds| seeds.get(round)).cloned().collect();
        of_round.shuffle(&mut rng);
        chosen.extend(of_round);
    }
    chosen.truncate(limit);
    if model.fixed.is_empty() {
        chosen.push(Seed { row: vec![F::ZERO; model.shape.columns.len()], fixed: Vec::new() });
    }
    chosen
}

/// A row of these cells, zero elsewhere.
pub fn row<F: PrimeField64>(model: &Model<F>, cells: &[(&str, u32)]) -> Seed<F> {
    let mut row = vec![F::ZERO; model.shape.columns.len()];
    for &(name, value) in cells {
        row[model.column(name)] = F::from_u32(value);
    }
    Seed { row, fixed: Vec::new() }
}

/// Rows at the end of time and of memory.
pub fn extreme<F: PrimeField64>(model: &Model<F>) -> Vec<Seed<F>> {
    match model.shape.name {
        "touch register" | "touch memory" => {
            let touch = |index, last: u32, now: u32| {
                let (now, gap) = (split(now), split(now - last - 1));
                row(
                    model,
                    &[
                        ("real", 1),
                        ("index", index),
                        ("lo", 0xffff),
                        ("last", last),
                        ("now lo", now.0),
                        ("now hi", now.1),
                        ("gap lo", gap.0),
                        ("gap hi", gap.1),
                    ],
                )
            };
            let index = if model.shape.name == "touch memory" { 1 << 20 } else { 5 };
            vec![touch(index, 0, (1 << 29) - 1), touch(index, (1 << 29) - 2, (1 << 29) - 1), touch(index, 1000, 1001)]
        }
        "zeroed memory" => {
            let zeroed = |index, skip| {
                let (index, skip) = (split(index), split(skip));
                row(
                    model,
                    &[
                        ("real", 1),
                        ("index lo", index.0),
                        ("index hi", index.1),
                        ("skip lo", skip.0),
                        ("skip hi", skip.1),
                    ],
                )
            };
            vec![zeroed(0x400, (1 << 29) - 1), zeroed((1 << 30) - 1, 0), zeroed((1 << 30) - 1, (1 << 29) - 1)]
        }
        _ => Vec::new(),
    }
}

fn split(x: u32) -> (u32, u32) {
    (x & 0xffff, x >> 16)
}
