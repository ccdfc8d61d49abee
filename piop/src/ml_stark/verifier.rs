//! The verifier of `ml_stark`, to be read beside the module's header.

use p3_field::PrimeCharacteristicRing;
use trilemma_arith::air::{Air, PublicTerm};
use trilemma_arith::kernel::{Cells, Challenges};
use trilemma_core::channel::{Oracle, OracleVerifier, Question};
use trilemma_core::{MlEval, Reject, Setting};

use super::{alpha_term, coordinate_term, rounds, shapes};
use crate::instances::{Instances, MAX_LOG_HEIGHT};
use crate::logup_gkr::{self, Stack};
use crate::rows::verify_next_rows;
use crate::sumcheck;

/// Decides whether the statement holds.
pub fn verify<S: Setting>(
    air: &Air<S>,
    statement: &[PublicTerm],
    ch: &mut dyn OracleVerifier<S, MlEval<S::Ext>>,
) -> Result<(), Reject> {
    // 1. The prover says how many rows each table has, and commits to them.
    let sizes = ch.recv_sizes("heights", Instances::sizes(air), MAX_LOG_HEIGHT as u8)?;
    let instances = Instances::decode(air, &sizes)?;
    let main = ch.recv_oracle("main", shapes(&instances))?;

    // 2. Fingerprints of bus tuples.
    let gamma = ch.sample("gamma", Some(instances.bus_term::<S>(statement.len())))?;
    let beta = ch.sample("beta", None)?;
    let challenges = Challenges::new(gamma, beta, instances.arity);

    // 3. The buses, down to numerators and denominators at a point.
    let stack = Stack::new(&instances);
    let public = challenges.public_sum(statement).ok_or_else(|| Reject::new("a pole"))?;
    let inputs = logup_gkr::verify(ch, &stack, public)?;
    let mut r = Vec::new();
    for _ in stack.layers..instances.log_max {
        r.push(ch.sample("zerocheck", Some(coordinate_term::<S>()))?);
    }
    r.extend(&inputs.point);
    let r = &r[r.len() - instances.log_max..];

    // 4. Numerators, denominators and constraints as one. Beyond the last fraction, denominators are 1.
    let alpha = ch.sample("alpha", Some(alpha_term::<S>(&instances)))?;
    let mut places = vec![Vec::new(); instances.list.len()];
    for run in &stack.runs {
        places[run.instance] = stack.weights::<S>(run, &inputs.point);
    }
    let beyond = S::Ext::ONE - places.iter().flatten().copied().sum::<S::Ext>();
    let claim = inputs.p + alpha * (inputs.q - beyond);

    // 5. One sumcheck over all rows.
    let (rho, expected) = sumcheck::verify_eq(ch, rounds(air, &instances), r, claim)?;

    // 6. The columns where it ends.
    let mut questions = Vec::new();
    let next: Vec<_> = instances.list.iter().map(|i| air.tables[i.table].shape().next_columns()).collect();
    for (k, i) in instances.list.iter().enumerate() {
        let query = MlEval(rho[rho.len() - i.log_height..].to_vec());
        if let Some(matrix) = i.fixed {
            questions.push(Question { oracle: Oracle(0), matrix, query: query.clone() });
        }
        questions.push(Question { oracle: main, matrix: k, query });
    }
    let mut answers = ch.ask(questions)?.into_iter();
    let mut answer = || answers.next().ok_or_else(|| Reject::new("too few answers"));
    let next_values = ch.recv("next rows", next.iter().map(Vec::len).sum())?;

    let mut sent = next_values.iter().copied();
    let mut powers = alpha.powers().skip(2);
    let mut value = S::Ext::ZERO;
    for ((i, places), next) in instances.list.iter().zip(&places).zip(&next) {
        let kernel = &air.tables[i.table];
        let fixed = if i.fixed.is_some() { answer()? } else { Vec::new() };
        let here = answer()?;
        let mut there = if i.uses_next { S::Ext::zero_vec(i.width) } else { Vec::new() };
        for (&c, value) in next.iter().zip(sent.by_ref()) {
            there[c] = value;
        }
        let alphas: Vec<S::Ext> = powers.by_ref().take(i.constraints).collect();
        let mut fractions = Vec::new();
        let cells = Cells { fixed: &fixed, main: &here, next: &there };
        value += kernel.point(cells, &challenges, &alphas, &mut fractions);
        value += fractions.iter().zip(places).map(|(&(m, d), &place)| place * (m + alpha * d)).sum::<S::Ext>();
    }
    ch.require("the rows are as claimed", value == expected)?;
    verify_next_rows(&instances, &next, &rho, &next_values, main, ch)
}
