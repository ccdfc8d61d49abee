//! The R1CS of a relation says what the relation says: on honest witnesses, with every cell changed,
//! on random ones; and nothing in it can be left out.

mod common;

use common::forge::{forge, value};
use common::small::{Small, mutants};
use p3_field::{PrimeCharacteristicRing, PrimeField32};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_arith::air::PublicTerm;
use trilemma_arith::r1cs::{Assignment, Block, ByColumn, R1cs, Unit, Variables};
use trilemma_core::Setting;
use trilemma_core::setting::{Bls12, Goldilocks2, KoalaBear4};
use trilemma_pcs::Available;
use trilemma_piop::check_r1cs::{Violation, broken_rows, check_r1cs};

fn agree<S: Available>() {
    for small in Small::<S>::all() {
        assert!(small.agreed(&small.trace), "{}", small.name);
        let widths: Vec<usize> = small.r1cs.blocks.iter().map(|b| b.main.len()).collect();
        let mut accepted = 0;
        let tried = mutants(&small.trace, &widths, 300, |trace| accepted += usize::from(small.agreed(trace)));
        println!("{} {}: {accepted} of {tried} accepted", S::NAME, small.name);
        assert!(accepted < tried / 2, "{}: {accepted} of {tried} accepted", small.name);
    }
}

/// Teaches: lowering neither drops nor adds a constraint.
#[test]
fn relations_and_their_r1cs_agree() {
    agree::<KoalaBear4>();
    agree::<Goldilocks2>();
    agree::<Bls12>();
}

/// Teaches: a prover is not free in anything that the lowering adds.
#[test]
fn products_and_fractions_cannot_be_changed() {
    fn run<S: Available>() {
        for small in Small::<S>::all() {
            let honest = small.assignment(&small.trace);
            assert!(small.accepts(&honest));
            for i in 0..honest.instances.len() {
                for delta in [1, -1, 1 << 20] {
                    for cell in 0..honest.instances[i].aux.values.len() {
                        let mut changed = honest.clone();
                        changed.instances[i].aux.values[cell] += S::Base::from_i64(delta);
                        assert!(!small.accepts(&changed), "{}: product {cell} of {i}", small.name);
                        changed.fill_helpers(&small.r1cs, &small.challenges);
                        assert!(!small.accepts(&changed), "{}: product {cell} of {i}", small.name);
                    }
                    for cell in 0..honest.instances[i].helpers.values.len() {
                        let mut changed = honest.clone();
                        changed.instances[i].helpers.values[cell] += S::Ext::from_i64(delta);
                        assert!(!small.accepts(&changed), "{}: fraction {cell} of {i}", small.name);
                    }
                }
            }
        }
    }
    run::<KoalaBear4>();
    run::<Bls12>();
}

/// Teaches: packed filling by chunks gives what the rows say, at every height.
#[test]
fn filled_variables_satisfy_their_rows() {
    fn run<S: Available>() {
        let [_, zoo] = Small::<S>::all();
        let mut rng = SmallRng::seed_from_u64(8);
        let block = &zoo.r1cs.blocks[0];
        for log_height in [0, 1, 2, 3, 4, 5, 9, 10, 11] {
            let mut random = |width: usize| {
                let values = (0..width << log_height).map(|_| S::Base::from_u32(rng.random())).collect();
                ByColumn { values, height: 1 << log_height }
            };
            let (fixed, main) = (random(block.fixed.len()), random(block.main.len()));
            let aux = block.fill_aux(&fixed, &main);
            let helpers = block.fill_helpers::<S>(&fixed, &main, &aux, &zoo.challenges);
            let variables = Variables::<S> { table: 0, log_height, fixed, main, aux, helpers };
            let constraints = block.products.len()..block.products.len() + block.constraints.len();
            let broken = broken_rows(block, &variables, &zoo.challenges);
            assert!(broken.iter().all(|(_, number)| constraints.contains(number)), "2^{log_height} rows");
        }
    }
    run::<KoalaBear4>();
    run::<Bls12>();
}

/// Teaches: a report says which row of which table failed, and with what.
#[test]
fn violations_name_what_failed() {
    let [tiny, _] = Small::<KoalaBear4>::all();
    let mut trace = tiny.trace.clone();
    trace.instances[1].cells[2] += 1;
    let violations = check_r1cs(&tiny.r1cs, &tiny.terms, &tiny.assignment(&trace), &tiny.challenges, 5);
    let [row @ Violation::Row { .. }, Violation::Sum { .. }] = &violations[..] else { panic!("{violations:?}") };
    assert_eq!(row.to_string(), "table cubes, row 0, `y` x * p0 = y: x=2 y=9 p0=4");
}

type F = <KoalaBear4 as Setting>::Base;
type E = <KoalaBear4 as Setting>::Ext;

/// Row `number` of a block dropped.
fn without(r1cs: &R1cs, table: usize, number: usize) -> R1cs {
    let mut r1cs = r1cs.clone();
    let Block { products, constraints, fractions, .. } = &mut r1cs.blocks[table];
    let (p, c) = (products.len(), constraints.len());
    match number {
        n if n < p => drop(products.remove(n)),
        n if n < p + c => drop(constraints.remove(n - p)),
        n => drop(fractions.remove(n - p - c)),
    }
    r1cs
}

/// The statement under which the buses of an assignment balance: everything that its tables post.
fn posted(small: &Small<KoalaBear4>, assignment: &Assignment<KoalaBear4>) -> Vec<PublicTerm> {
    let mut terms = Vec::new();
    for v in &assignment.instances {
        let shape = small.air.tables[v.table].shape();
        for (fraction, interaction) in small.r1cs.blocks[v.table].fractions.iter().zip(&shape.interactions) {
            for row in 0..v.height() {
                let entry = |unit| {
                    let terms = fraction.b.terms().filter(|t| t.0 == unit);
                    terms.map(|(_, var, x)| value(v, var, row) * F::from_i64(-x)).sum::<F>()
                };
                let tuple = (0..interaction.bus.arity).map(|i| entry(Unit::Beta(i)).as_canonical_u32()).collect();
                let m: F = fraction.c.terms().map(|(_, var, x)| value(v, var, row) * F::from_i64(x)).sum();
                terms.push(PublicTerm { bus: interaction.bus, multiplicity: -i64::from(m.as_canonical_u32()), tuple });
            }
        }
    }
    terms
}

/// Teaches: a lowering that loses a row is noticed (Airbender). For every row there is a statement
/// with a witness that only this row refuses.
#[test]
fn every_row_is_needed() {
    let mut rng = SmallRng::seed_from_u64(9);
    for small in Small::<KoalaBear4>::all() {
        let honest = small.assignment(&small.trace);
        for (i, instance) in honest.instances.iter().enumerate() {
            let block = &small.r1cs.blocks[instance.table];
            for (number, row) in block.rows().enumerate() {
                let mut forged = honest.clone();
                if let Some(j) = number.checked_sub(block.products.len() + block.constraints.len()) {
                    let column = &mut forged.instances[i].helpers.values[j << instance.log_height..];
                    column[0] += E::TWO;
                    column[1] -= E::TWO;
                } else {
                    let found = (0..20_000).find_map(|_| forge(block, instance, number, &mut rng));
                    forged.instances[i] = found.unwrap_or_else(|| {
                        panic!("{}: nothing notices that {} is missing", block.name, block.formula(row))
                    });
                    forged.fill_helpers(&small.r1cs, &small.challenges);
                }
                let terms = posted(&small, &forged);
                let check = |r1cs: &R1cs| check_r1cs(r1cs, &terms, &forged, &small.challenges, 100);
                let (with, dropped) = (check(&small.r1cs), check(&without(&small.r1cs, instance.table, number)));
                assert_eq!(dropped, [], "{}: {}", block.name, block.formula(row));
                let only = |v: &Violation| matches!(v, Violation::Row { number: n, .. } if *n == number);
                assert!(!with.is_empty() && with.iter().all(only), "{}: {with:?}", block.name);
            }
        }
    }
}

/// Teaches: the sum of all fractions is checked, and the statement is part of it.
#[test]
fn fractions_add_to_zero() {
    for mut small in Small::<KoalaBear4>::all() {
        let assignment = small.assignment(&small.trace);
        small.terms.pop();
        let violations = check_r1cs(&small.r1cs, &small.terms, &assignment, &small.challenges, 5);
        assert!(matches!(violations[..], [Violation::Sum { .. }]), "{violations:?}");
    }
}
