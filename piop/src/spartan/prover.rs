//! The prover of `spartan`, message by message as the verifier expects.

use p3_field::PrimeCharacteristicRing;
use trilemma_arith::air::{Air, PublicTerm, Trace};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::products::{Linear as Integers, Products, Var as Column, Weighted};
use trilemma_arith::r1cs::{Assignment, Block, Linear, Unit, Var, Variables};
use trilemma_core::multilinear::eq_table;
use trilemma_core::{Columns, ProveError, Setting};

use super::{Layout, ROUNDS, coordinate_term};
use crate::instances::Instances;
use crate::matrices::{by_row, extension_by_row};
use crate::rows::{BaseColumns, Fraction, Multiplied, Prover, Side, prove_next_rows, prove_rows};

/// Convinces the verifier of a satisfied relation.
pub fn prove<S: Setting>(
    air: &Air<S>,
    statement: &[PublicTerm],
    trace: Trace,
    ch: &mut Prover<'_, S>,
) -> Result<(), ProveError> {
    let (sizes, instances) = Instances::of(air, &trace)?;
    let layout = Layout::new(air, instances);
    let instances = &layout.instances;
    ch.send_sizes("heights", &sizes);
    let mut assignment = Assignment::new(&layout.r1cs, air, &trace);
    drop(trace);
    let main = assignment.instances.iter().map(main_by_row).collect();
    let main = ch.send_oracle("main", main)?;

    let gamma = ch.sample("gamma", Some(instances.bus_term::<S>(statement.len())))?;
    let beta = ch.sample("beta", None)?;
    let challenges = Challenges::new(gamma, beta, instances.arity);
    assignment.fill_helpers(&layout.r1cs, &challenges);
    let with_buses = assignment.instances.iter().filter(|v| !v.helpers.values.is_empty());
    let fractions = with_buses.map(|v| extension_by_row::<S>(&v.helpers)).collect();
    let fractions = ch.send_oracle("fractions", fractions)?;

    let mut point = |n: usize, label| -> Result<Vec<S::Ext>, ProveError> {
        (0..n).map(|_| ch.sample(label, Some(coordinate_term::<S>()))).collect()
    };
    let r = point(instances.log_max, "r")?;
    let tau = point(layout.constraint_variables(), "tau")?;

    let weights = eq_table(&tau, S::Ext::ONE);
    let mut weights = weights.iter().copied();
    let blocks = instances.list.iter().map(|i| &layout.r1cs.blocks[i.table]);
    let texts: Vec<Text<S::Ext>> =
        blocks.map(|block| Text::new(block, &challenges, weights.by_ref().take(block.counts().rows))).collect();
    let mut sides: Vec<Side<'_, S>> = Vec::with_capacity(texts.len());
    for (k, (i, text)) in instances.list.iter().zip(&texts).enumerate() {
        let base = BaseColumns::of(i, &layout.next[k], main, k, ch);
        let helpers = &assignment.instances[k].helpers;
        let helpers: Vec<&[S::Ext]> = (0..i.interactions).map(|j| helpers.column(j)).collect();
        let multiplied = Multiplied::new(&text.products, &text.weighted, &text.fractions);
        let point = r[r.len() - i.log_height..].to_vec();
        sides.push(Side::new(multiplied, &base, &helpers, i.log_height, ROUNDS.degree, point));
    }
    drop(assignment);
    let rho = prove_rows(ch, ROUNDS, (instances, &layout.next), main, sides)?;
    ch.ask(layout.questions::<S>(main, fractions, &rho))?;
    prove_next_rows(instances, &layout.next, &rho, main, ch)
}

/// A block's constraints, weighted, in the terms of the row sumcheck.
struct Text<E> {
    products: Products,
    weighted: Weighted<E>,
    fractions: Vec<Fraction<E>>,
}

impl<E: p3_field::Field> Text<E> {
    fn new(block: &Block, challenges: &Challenges<E>, mut weights: impl Iterator<Item = E>) -> Self {
        let width = block.main.len();
        let mut products = Products::default();
        let mut weighted = Weighted::new(0);
        for (row, weight) in block.products.iter().chain(&block.constraints).zip(weights.by_ref()) {
            match (row.a.as_int(), row.b.as_int()) {
                (_, Some(x)) => weighted.add(&integers(&row.a, width), weight * E::from_i64(x)),
                (Some(x), _) => weighted.add(&integers(&row.b, width), weight * E::from_i64(x)),
                _ => {
                    products.products.push((integers(&row.a, width), integers(&row.b, width)));
                    weighted.products.push(weight);
                }
            }
            weighted.add(&integers(&row.c, width), -weight);
        }
        let mut fractions = Vec::new();
        for ((helper, row), weight) in block.fractions.iter().enumerate().zip(weights) {
            weighted.add(&integers(&row.c, width), -weight);
            let mut fraction = Fraction { helper, constant: E::ZERO, terms: Vec::new() };
            for (var, c) in row.b.at(challenges) {
                match column(var, width) {
                    Some(column) => fraction.terms.push((column, weight * c)),
                    None => fraction.constant += weight * c,
                }
            }
            fractions.push(fraction);
        }
        Self { products, weighted, fractions }
    }
}

/// The column of a variable; products follow the columns. `None` is the constant.
fn column(var: Var, width: usize) -> Option<Column> {
    match var {
        Var::One | Var::Helper(_) => None,
        Var::Fixed(i) => Some(Column::Fixed(i)),
        Var::Main(i) => Some(Column::Main(i)),
        Var::Next(i) => Some(Column::Next(i)),
        Var::Aux(i) => Some(Column::Main(width + i)),
    }
}

/// A combination without challenges.
fn integers(linear: &Linear, width: usize) -> Integers {
    let mut out = Integers::default();
    for (unit, var, x) in linear.terms() {
        debug_assert_eq!(unit, Unit::One);
        match column(var, width) {
            Some(column) => *out.terms.entry(column).or_default() += x,
            None => out.constant += x,
        }
    }
    out
}

/// The oracle `main` of an instance: columns and products.
fn main_by_row<S: Setting>(v: &Variables<S>) -> Columns<S::Base> {
    let columns: Vec<&[S::Base]> = [&v.main, &v.aux].iter().flat_map(|p| (0..p.width()).map(|c| p.column(c))).collect();
    by_row::<S>(&columns, v.height())
}
