//! Advice is worth nothing to a prover: whatever cells of a row are changed, the row is refused, or
//! does what the instruction says, or receives what nobody sends.
//!
//! The specification in `common/spec.rs` is written from the ISA and the ABI and knows no constraint.
//! A row that receives what no legal row sends is left to the buses; that every other accepted row
//! sends only what is legal is the induction step.

mod common;

use common::lab::{Lab, in_parallel};
use common::model::{Model, RANGE, byte_operation};
use common::search::Search;
use common::spec::Verdict;
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_arith::kernel::Cells;
use trilemma_core::Setting;
use trilemma_core::setting::{BabyBear4, Goldilocks2, KoalaBear4};
use trilemma_frontends::riscv::machine::bus::{BYTES, PROGRAM, SHIFT};

/// Rows evaluated for each table over KoalaBear, and over other fields.
const BUDGET: (usize, usize) = (500_000, 125_000);

fn forge<F: PrimeField64>(lab: &Lab<F>, field: &str, budget: usize) {
    let tables = lab.tables();
    let found = in_parallel(&tables, |&t| lab.search(t, &[], budget));
    for (&t, (witness, [tried, accepted, nobody])) in tables.iter().zip(&found) {
        let name = lab.models[t].shape.name;
        println!("{field} {name}: {tried} rows, {accepted} accepted, {nobody} of them received by nobody");
        assert!(*accepted > 1000, "{name}: a search that finds no row at all shows nothing");
        let shown = witness.as_ref().map(|w| lab.show(t, w));
        assert_eq!(shown, None, "{field}: table {name} is under-constrained");
    }
}

/// Teaches: no instruction is under-constrained (RISC Zero's rs1 = rs2, OpenVM's AUIPC, SP1's JALR,
/// Airbender's SLTI and SRA), and no row sends what is not a legal value.
#[test]
fn no_row_can_be_forged() {
    forge(&Lab::new::<KoalaBear4>(), "koalabear", BUDGET.0);
}

/// Teaches: limbs and carries wrap differently in every field.
#[test]
fn no_row_can_be_forged_over_other_fields() {
    forge(&Lab::new::<BabyBear4>(), "babybear", BUDGET.1);
    forge(&Lab::new::<Goldilocks2>(), "goldilocks", BUDGET.1);
}

/// Teaches: the specification agrees with the executor, so that a forgery found is one.
#[test]
fn the_specification_allows_what_the_executor_does() {
    let lab = Lab::new::<KoalaBear4>();
    let mut values = Vec::new();
    for (model, rows) in lab.models.iter().zip(&lab.rows) {
        for seed in rows {
            model.eval(&seed.row, &seed.fixed, &mut values);
            let verdict = lab.spec.judge(model, &seed.row, &values);
            assert_eq!(verdict, Verdict::Legal, "{}: {:?}", model.shape.name, seed.row);
        }
    }
}

/// Teaches: a row that is not real puts nothing on any bus (OpenVM, Miden, Jolt, Airbender).
#[test]
fn padding_rows_are_silent() {
    let lab = Lab::new::<KoalaBear4>();
    let mut rng = SmallRng::seed_from_u64(4);
    for t in lab.tables() {
        let model = &lab.models[t];
        if !model.fixed.is_empty() {
            continue;
        }
        let (real, width) = (model.column("real"), model.shape.columns.len());
        let zero = lab.seeds[t].iter().find(|s| s.row.iter().all(|x| x.as_canonical_u64() == 0)).unwrap();
        let mut search = Search::new(model, &lab.legal, &lab.spec, &[]);
        while search.tried < 60_000 {
            let mut changes = vec![(real, zero.row[real])];
            for _ in 0..rng.random_range(1..4) {
                let small = [1u64, 2, 3, 255, 256, 65535, rng.random()];
                changes.push((
                    rng.random_range(0..width),
                    PrimeCharacteristicRing::from_u64(small[rng.random_range(0..7)]),
                ));
            }
            let found = search.attempt(zero, &changes, false);
            assert_eq!(found.map(|w| lab.show(t, &w)), None, "{}", model.shape.name);
        }
        assert!(search.accepted > 100, "{}: {}", model.shape.name, search.accepted);
    }
}

/// Teaches: these tests evaluate the tables that provers and verifiers evaluate.
#[test]
fn models_are_the_tables() {
    type F = <KoalaBear4 as Setting>::Base;
    let lab = Lab::new::<KoalaBear4>();
    let air = lab.run.machine.air::<KoalaBear4>();
    let mut rng = SmallRng::seed_from_u64(5);
    let (mut values, mut random) =
        (Vec::new(), |n: usize| (0..n).map(|_| F::from_u64(rng.random())).collect::<Vec<F>>());
    for (model, kernel) in lab.models.iter().zip(&air.tables) {
        for _ in 0..20 {
            let (main, fixed) = (random(model.shape.columns.len()), random(model.shape.fixed.len()));
            let row = kernel.row(Cells { main: &main, fixed: &fixed, next: &[] });
            model.eval(&main, &fixed, &mut values);
            let value = |e: trilemma_arith::Expr| values[e.0 as usize];
            let constraints: Vec<F> = model.shape.constraints.iter().map(|c| value(c.expr)).collect();
            assert_eq!(constraints, row.constraints, "{}", model.shape.name);
            let interactions = model.shape.interactions.iter();
            let posted = interactions
                .map(|i| (i.bus, value(i.multiplicity), i.tuple.iter().map(|&e| value(e)).collect::<Vec<F>>()));
            assert_eq!(posted.collect::<Vec<_>>(), row.interactions, "{}", model.shape.name);
        }
    }
}

/// Teaches: a lookup table with a tuple too many is a hole in every table that uses it.
#[test]
fn lookup_tables_hold_what_is_legal_and_no_more() {
    let lab = Lab::new::<KoalaBear4>();
    let mut counts = std::collections::BTreeMap::new();
    for model in lab.models.iter().filter(|m| m.signs.contains(&0)) {
        for tuple in tuples(model) {
            let (bus, t) = (tuple.0, tuple.1);
            let legal = match bus {
                b if b == RANGE => t[1] <= 16 && t[0] < 1 << t[1],
                b if b == BYTES => t[1] < 256 && t[2] < 256 && byte_operation(t[0], t[1], t[2]) == Some(t[3]),
                b if b == SHIFT => shift(t[0], t[1]) == t[2..],
                b => b == PROGRAM && lab.legal.holds(b, &t),
            };
            assert!(legal, "{}: {t:?}", bus.name);
            counts.entry(bus.name).or_insert_with(std::collections::BTreeSet::new).insert(t);
        }
    }
    let code = lab.run.program.code[0].words.len();
    let sizes: Vec<(&str, usize)> = counts.into_iter().map(|(name, tuples)| (name, tuples.len())).collect();
    assert_eq!(sizes, [("bytes", 3 << 16), ("program", code), ("range", (1 << 17) - 1), ("shift", 96)]);
}

/// The tuples of a lookup table.
fn tuples<F: PrimeField64>(model: &Model<F>) -> Vec<(trilemma_arith::Bus, Vec<u64>)> {
    let row = vec![F::ZERO; model.shape.columns.len()];
    let mut values = Vec::new();
    let mut tuples = Vec::new();
    for fixed in &model.fixed {
        model.eval(&row, fixed, &mut values);
        let interactions = model.shape.interactions.iter().enumerate();
        tuples.extend(interactions.map(|(i, x)| (x.bus, model.tuple(i, &values))));
    }
    tuples
}

/// Cut, `2^cut` and flags of a shift, from their description: where a limb is cut so that the parts
/// of the result lie together.
fn shift(kind: u64, amount: u64) -> [u64; 3] {
    let (moved, within) = (amount / 16, amount % 16);
    let cut = if kind == 0 { 16 - within } else { within };
    let direction = if kind == 0 { 1 } else { 4 };
    let arithmetic = if kind == 2 { 16 } else { 0 };
    [cut, 1 << cut, (direction << moved) + arithmetic]
}
