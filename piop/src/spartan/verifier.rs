//! The verifier of `spartan`, to be read beside the module's header.

use p3_field::PrimeCharacteristicRing;
use trilemma_arith::air::{Air, PublicTerm};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::r1cs::{Block, Linear, Var};
use trilemma_core::channel::OracleVerifier;
use trilemma_core::claim::rejoin;
use trilemma_core::multilinear::eq_table;
use trilemma_core::{MlEval, Reject, Setting};

use super::{Layout, ROUNDS, coordinate_term};
use crate::instances::{Instances, MAX_LOG_HEIGHT};
use crate::rows::verify_next_rows;
use crate::sumcheck;

/// The variables of a row, at a point.
struct Row<E> {
    fixed: Vec<E>,
    /// Columns, then products.
    main: Vec<E>,
    next: Vec<(usize, E)>,
    fractions: Vec<E>,
}

impl<E: p3_field::Field> Row<E> {
    fn at(&self, block: &Block, var: Var) -> E {
        let found = match var {
            Var::One => Some(E::ONE),
            Var::Fixed(i) => self.fixed.get(i).copied(),
            Var::Main(i) => self.main.get(i).copied(),
            Var::Aux(i) => self.main.get(block.main.len() + i).copied(),
            Var::Next(i) => self.next.iter().find(|(c, _)| *c == i).map(|(_, value)| *value),
            Var::Helper(j) => self.fractions.get(j).copied(),
        };
        found.unwrap_or(E::ZERO)
    }

    fn combination(&self, block: &Block, linear: &Linear, challenges: &Challenges<E>) -> E {
        linear.at(challenges).into_iter().map(|(var, c)| c * self.at(block, var)).sum()
    }

    /// `sum w_k (A_k z * B_k z - C_k z)`.
    fn residue(&self, block: &Block, challenges: &Challenges<E>, weights: impl Iterator<Item = E>) -> E {
        let value = |linear| self.combination(block, linear, challenges);
        block.rows().zip(weights).map(|(row, w)| w * (value(&row.a) * value(&row.b) - value(&row.c))).sum()
    }
}

/// Decides whether the statement holds.
pub fn verify<S: Setting>(
    air: &Air<S>,
    statement: &[PublicTerm],
    ch: &mut dyn OracleVerifier<S, MlEval<S::Ext>>,
) -> Result<(), Reject> {
    // 1. The prover says how many rows each table has, and commits to columns and products.
    let sizes = ch.recv_sizes("heights", Instances::sizes(air), MAX_LOG_HEIGHT as u8)?;
    let layout = Layout::new(air, Instances::decode(air, &sizes)?);
    let instances = &layout.instances;
    let main = ch.recv_oracle("main", layout.main_shapes())?;

    // 2. and 3. Fingerprints of bus tuples; their fractions are variables.
    let gamma = ch.sample("gamma", Some(instances.bus_term::<S>(statement.len())))?;
    let beta = ch.sample("beta", None)?;
    let challenges = Challenges::new(gamma, beta, instances.arity);
    let fractions = ch.recv_oracle("fractions", layout.fraction_shapes::<S>())?;

    // 4. and 5. All constraints on all rows as one sum.
    let mut point = |n: usize, label| -> Result<Vec<S::Ext>, Reject> {
        (0..n).map(|_| ch.sample(label, Some(coordinate_term::<S>()))).collect()
    };
    let r = point(instances.log_max, "r")?;
    let tau = point(layout.constraint_variables(), "tau")?;
    let (rho, expected) = sumcheck::verify_eq(ch, ROUNDS, &r, S::Ext::ZERO)?;

    // 6. The columns where it ends.
    let mut answers = ch.ask(layout.questions::<S>(main, fractions, &rho))?.into_iter();
    let mut answer = || answers.next().ok_or_else(|| Reject::new("too few answers"));
    let next_values = ch.recv("next rows", layout.next.iter().map(Vec::len).sum())?;
    let mut sent = next_values.iter().copied();
    let weights = eq_table(&tau, S::Ext::ONE);
    let mut weights = weights.iter().copied();
    let mut value = S::Ext::ZERO;
    for (i, next) in instances.list.iter().zip(&layout.next) {
        let row = Row {
            fixed: if i.fixed.is_some() { answer()? } else { Vec::new() },
            main: answer()?,
            next: next.iter().copied().zip(sent.by_ref()).collect(),
            fractions: if i.interactions > 0 { rejoin::<S::Base, _>(&answer()?) } else { Vec::new() },
        };
        let block = &layout.r1cs.blocks[i.table];
        value += row.residue(block, &challenges, weights.by_ref().take(block.counts().rows));
    }
    ch.require("the rows are as claimed", value == expected)?;

    // The buses: rows times the mean of each instance's fractions.
    let mut sum = challenges.public_sum(statement).ok_or_else(|| Reject::new("a pole"))?;
    for i in instances.list.iter().filter(|i| i.interactions > 0) {
        let mean: S::Ext = rejoin::<S::Base, _>(&answer()?).into_iter().sum();
        sum += mean.mul_2exp_u64(i.log_height as u64);
    }
    ch.require("the buses balance", sum == S::Ext::ZERO)?;
    verify_next_rows(instances, &layout.next, &rho, &next_values, main, ch)
}
