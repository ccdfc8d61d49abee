//! Flat rank-one systems, one table at a time: for every row of the matrices that a row of the table has, wires
//! that this row alone refuses, for a statement made for them.

use std::cell::LazyCell;

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use trilemma_arith::Air;
use trilemma_arith::air::{Instance, PublicTerm, Trace};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Extent, instance};
use trilemma_arith::r1cs::staged::{Flattening, Staged};
use trilemma_arith::r1cs::{Assignment, Linear, R1cs, Unit, Var, Variables};

use super::local::{Body, Poly, System, Tables};
use super::{E, F, S, Tally};
use crate::common::search::signed;

/// States that a search tries.
const BUDGET: usize = 60_000;

/// A relation of one table.
pub struct Lone {
    pub air: Air<S>,
    r1cs: R1cs,
    challenges: Challenges<E>,
}

/// A system with values of all its wires.
struct Wires {
    flattening: Flattening,
    system: Staged<S>,
    assignment: Assignment<S>,
    terms: Vec<PublicTerm>,
}

impl Lone {
    pub fn new(air: Air<S>) -> Self {
        let challenges = crate::plonkish::challenges(&air, 1);
        Self { r1cs: R1cs::of(&air), air, challenges }
    }

    /// An integer combination in advice and products.
    fn poly(&self, v: &Variables<S>, side: &Linear) -> Poly<F> {
        let main = self.r1cs.blocks[0].main.len();
        side.terms().fold(Poly::default(), |sum, (_, var, x)| {
            let value = match var {
                Var::One => Poly::constant(F::ONE),
                Var::Fixed(i) => Poly::constant(v.fixed.column(i)[0]),
                Var::Main(i) => Poly::var(i),
                Var::Aux(i) => Poly::var(main + i),
                Var::Next(_) | Var::Helper(_) => panic!("no table of the machine reads its next row"),
            };
            sum.plus(&value, F::from_i64(x))
        })
    }

    /// One row, or as many as the fixed columns have.
    fn trace(&self, rows: &[u32], first: &[u32]) -> Trace {
        let height = self.r1cs.blocks[0].fixed_height.max(1);
        let cells = [first, &rows[first.len()..height * first.len()]].concat();
        Trace { instances: vec![Instance { table: 0, log_height: height.trailing_zeros() as usize, cells }] }
    }

    /// What a row posts: multiplicity and tuple of every interaction.
    fn posted(&self, v: &Variables<S>, row: usize) -> Vec<PublicTerm> {
        let block = &self.r1cs.blocks[0];
        let value = |var: Var| match var {
            Var::One => F::ONE,
            Var::Fixed(i) => v.fixed.column(i)[row],
            Var::Main(i) => v.main.column(i)[row],
            Var::Aux(i) => v.aux.column(i)[row],
            Var::Next(_) | Var::Helper(_) => F::ZERO,
        };
        let interactions = self.air.tables[0].shape().interactions.iter().zip(&block.fractions);
        let posted = interactions.map(|(interaction, fraction)| {
            let multiplicity: F = fraction.c.terms().map(|(_, var, x)| value(var) * F::from_i64(x)).sum();
            let mut tuple = vec![F::ZERO; interaction.bus.arity];
            for (unit, var, x) in fraction.b.terms() {
                if let Unit::Beta(i) = unit {
                    tuple[i] -= value(var) * F::from_i64(x);
                }
            }
            let tuple = tuple.iter().map(PrimeField32::as_canonical_u32).collect();
            PublicTerm { bus: interaction.bus, multiplicity: -signed(multiplicity), tuple }
        });
        posted.collect()
    }

    /// The system of a trace, with products of the first row changed, and the statement that takes back what
    /// it posts, term by term.
    fn wires(&self, trace: &Trace, products: &[F]) -> Wires {
        let mut assignment = Assignment::new(&self.r1cs, &self.air, trace);
        let v = &mut assignment.instances[0];
        products.iter().enumerate().for_each(|(i, &x)| *v.aux.cell_mut(i, 0) = x);
        let terms: Vec<PublicTerm> = (0..v.height()).flat_map(|row| self.posted(v, row)).collect();
        let flattening = Flattening::new(&self.air, &Extent::of(&self.air, trace, &terms)).unwrap();
        assignment.fill_helpers(&self.r1cs, &self.challenges);
        Wires { system: flattening.system(&self.air), flattening, assignment, terms }
    }

    /// Shows that rows are needed, starting from some rows of the table, or else by forged ones.
    pub fn search(&self, rows: &[u32], forged: impl Fn() -> Vec<Vec<F>>) -> Tally {
        let block = &self.r1cs.blocks[0];
        let width = block.main.len();
        let mut tally = Tally::default();
        let all = rows.len() / width;
        let log_height = all.next_power_of_two().trailing_zeros() as usize;
        let instances = vec![Instance { table: 0, log_height, cells: rows.to_vec() }];
        let assignment = Assignment::new(&self.r1cs, &self.air, &Trace { instances });
        let seeds = &assignment.instances[0];
        let of_row = |v: &Variables<S>, row: usize| -> Vec<F> {
            let main = (0..width).map(|i| v.main.column(i)[row]);
            main.chain((0..block.products.len()).map(|i| v.aux.column(i)[row])).collect()
        };
        let forged = LazyCell::new(|| -> Vec<Vec<F>> {
            let of_forged = |row: &Vec<F>| {
                let cells: Vec<u32> = row.iter().map(PrimeField32::as_canonical_u32).collect();
                of_row(&Assignment::new(&self.r1cs, &self.air, &self.trace(rows, &cells)).instances[0], 0)
            };
            forged().iter().map(of_forged).collect()
        });
        let relations = block.products.iter().chain(&block.constraints).map(|row| {
            let [a, b, c] = [&row.a, &row.b, &row.c].map(|side| self.poly(seeds, side));
            Body::Zero(a.times(&b).plus(&c, F::NEG_ONE))
        });
        let tables = Tables::default();
        let system = System::new(&tables, width + block.products.len(), relations.collect());
        let seeds: Vec<Vec<F>> =
            (0..if block.fixed.is_empty() { all } else { 1 }).map(|row| of_row(seeds, row)).collect();
        let mut rng = SmallRng::seed_from_u64(3);
        for (i, row) in block.products.iter().chain(&block.constraints).enumerate() {
            let name = format!("{}: [{}] {}", block.name, row.what, block.formula(row));
            let found = system.forge(i, &seeds, BUDGET, &mut rng).or_else(|| system.refused(i, &forged));
            if let Some(values) = &found {
                let cells: Vec<u32> = values[..width].iter().map(PrimeField32::as_canonical_u32).collect();
                let wires = self.wires(&self.trace(rows, &cells), &values[width..]);
                let broken = wires.broken(&self.challenges, &wires.terms, |_| {});
                assert_eq!(broken, [wires.first_row() + i], "{name}");
            }
            let kind = if i < block.products.len() { "rows: products" } else { "rows: constraints" };
            tally.add(kind, system.shown(i, found.is_some()), || name);
        }
        let wires = self.wires(&self.trace(rows, &rows[..width]), &[]);
        self.late(&wires, &mut tally);
        // Every row of the matrices, or if the table has fixed columns, all but what other rows of it have.
        let common = ["rows: powers of beta", "rows: the sum"];
        let [once, each] = [true, false].map(|once| tally.all(|kind| common.contains(&kind) == once));
        let height = block.fixed_height.max(1);
        assert_eq!(once + height * each, wires.system.constraints, "{}", block.name);
        tally
    }

    /// Rows of wires that depend on challenges.
    fn late(&self, wires: &Wires, tally: &mut Tally) {
        let (block, system) = (&self.r1cs.blocks[0], &wires.system);
        let (challenges, terms) = (&self.challenges, &wires.terms);
        let mut check = |kind, row: usize, broken: Vec<usize>| {
            tally.add(kind, broken == [row], || format!("{}: {kind}, row {row}: {broken:?}", block.name));
        };
        assert!(wires.broken(challenges, terms, |_| {}).is_empty(), "{}", block.name);
        // Any numbers may be taken for the powers of beta: what balances still does.
        let powers = challenges.beta.len() - 1;
        for i in 1..=powers {
            let mut other = challenges.clone();
            (i..=powers).for_each(|j| {
                other.beta[j] = other.beta[j - 1] * other.beta[0] + if j == i { E::ONE } else { E::ZERO }
            });
            let mut again = wires.assignment.clone();
            again.fill_helpers(&self.r1cs, &other);
            check("rows: powers of beta", i - 1, wires.broken_of(&again, &other, terms, |_| {}));
        }
        // A statement that is not true is made so by one wire.
        let wrong = terms.iter().position(|t| t.multiplicity != 0 && !t.tuple.is_empty()).unwrap();
        let mut others = terms.clone();
        others[wrong].tuple[0] += 1;
        let last = system.constraints - 1;
        check("rows: the sum", last, wires.broken(challenges, &others, |_| {}));
        let excess = |values: &[E]| {
            let [a, b, c] = system.matrices.times(last, |wire| values[wire]);
            a * b - c
        };
        let mend = |wire: usize| {
            wires.broken(challenges, &others, |v| {
                let x = excess(v);
                v[wire] -= x;
            })
        };
        let (mut row, mut public, mut wire) = (powers, 1, system.public() + system.early + powers);
        for term in terms.iter().take(block.fractions.len()) {
            for _ in 0..term.tuple.len() {
                check("rows: entries of the statement", row, wires.broken(challenges, terms, |v| v[public] += E::ONE));
                (row, public, wire) = (row + 1, public + 1, wire + 1);
            }
            check("rows: fractions of the statement", row, mend(wire));
            (row, wire) = (row + 1, wire + 1);
        }
        let first = wires.first_row() + block.products.len() + block.constraints.len();
        let column = |row: usize, matrix: usize| {
            let mut entries = system.matrices.row(row).filter(|(_, x)| !x[matrix].is_zero());
            entries.next().map(|e| e.0).unwrap()
        };
        (0..block.fractions.len()).for_each(|j| check("rows: fractions", first + j, mend(column(first + j, 0))));
        let entries = (first + block.fractions.len()..last).take_while(|&row| row < first + wires.block_rows(block));
        for row in entries {
            let (power, wire) = (column(row, 1), column(row, 2));
            let beta = system.constants() + 1;
            let p = if power == beta { 0 } else { power - system.public() - system.early + 1 };
            let mut others = terms.clone();
            let mut readers = Vec::new();
            for (j, other) in others.iter_mut().enumerate().take(block.fractions.len()) {
                let read = system.matrices.row(first + j).find(|e| e.0 == wire);
                if let Some((_, x)) = read {
                    let entry = &mut other.tuple[p];
                    *entry = (F::from_u32(*entry) - x[1]).as_canonical_u32();
                    readers.push(j);
                }
            }
            let fraction = |j: usize| {
                let before: usize = terms[..j].iter().map(|t| t.tuple.len() + 1).sum();
                system.public() + system.early + powers + before + terms[j].tuple.len()
            };
            let broken = wires.broken(challenges, &others, |v| {
                v[wire] += challenges.beta[p];
                readers.iter().for_each(|&j| v[column(first + j, 0)] = -v[fraction(j)]);
            });
            check("rows: entries by powers of beta", row, broken);
        }
    }
}

impl Wires {
    /// The first row of the matrices that says something of the first row of the table.
    fn first_row(&self) -> usize {
        let entries: usize = self.terms.iter().map(|t| t.tuple.len()).sum();
        self.system.arity.saturating_sub(1) + entries + self.terms.len()
    }

    /// Rows of fractions and entries that a row of the table has.
    fn block_rows(&self, block: &trilemma_arith::r1cs::Block) -> usize {
        let all = self.system.constraints - 1 - self.first_row();
        let height = block.fixed_height.max(1);
        all / height - block.products.len() - block.constraints.len()
    }

    fn values_of(&self, assignment: &Assignment<S>, challenges: &Challenges<E>, terms: &[PublicTerm]) -> Vec<E> {
        let public = [challenges.gamma, challenges.beta[0]];
        let mut values = self.system.public_values(&instance::<S>(terms), public);
        values.extend(self.flattening.early(assignment).into_iter().map(E::from));
        values.extend(self.flattening.late(assignment, terms, challenges));
        values
    }

    fn broken_of(
        &self,
        assignment: &Assignment<S>,
        challenges: &Challenges<E>,
        terms: &[PublicTerm],
        change: impl FnOnce(&mut Vec<E>),
    ) -> Vec<usize> {
        let mut values = self.values_of(assignment, challenges, terms);
        change(&mut values);
        self.system.broken(&values)
    }

    /// Rows that do not hold for a statement, with some wires changed.
    fn broken(&self, challenges: &Challenges<E>, terms: &[PublicTerm], change: impl FnOnce(&mut Vec<E>)) -> Vec<usize> {
        self.broken_of(&self.assignment, challenges, terms, change)
    }
}
