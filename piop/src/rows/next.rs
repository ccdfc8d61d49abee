//! Columns read on the next row: their values there, reduced to the columns by [`crate::shift`].

use p3_field::PrimeCharacteristicRing;
use trilemma_arith::products::Var;
use trilemma_core::channel::{Oracle, OracleVerifier, Question};
use trilemma_core::multilinear::evaluate;
use trilemma_core::{MlEval, ProveError, Reject, Setting};

use super::{BaseColumns, Prover};
use crate::instances::{InstanceLayout, Instances};
use crate::{shift, sumcheck};

/// Checks the values sent for next rows against the columns.
pub fn verify_next_rows<S: Setting>(
    instances: &Instances,
    next: &[Vec<usize>],
    rho: &[S::Ext],
    values: &[S::Ext],
    main: Oracle,
    ch: &mut dyn OracleVerifier<S, MlEval<S::Ext>>,
) -> Result<(), Reject> {
    if values.is_empty() {
        return Ok(());
    }
    let tau = ch.sample("tau", Some(shift::term::<S>(values.len())))?;
    let claim = values.iter().rev().fold(S::Ext::ZERO, |acc, &v| acc * tau + v);
    let readers: Vec<_> = instances.list.iter().enumerate().filter(|(k, _)| !next[*k].is_empty()).collect();
    let variables = readers.iter().map(|(_, i)| i.log_height).max().unwrap_or(0);
    let (sigma, expected) = sumcheck::verify(ch, shift::ROUNDS, variables, claim)?;

    let at = |log_height: usize| sigma.split_at(variables - log_height);
    let ask = |&(k, i): &(usize, &InstanceLayout)| Question {
        oracle: main,
        matrix: k,
        query: MlEval(at(i.log_height).1.to_vec()),
    };
    let answers = ch.ask(readers.iter().map(ask).collect())?;
    let mut powers = tau.powers();
    let mut value = S::Ext::ZERO;
    for ((k, i), columns) in readers.iter().zip(answers) {
        let (before, point) = at(i.log_height);
        let at_zero: S::Ext = before.iter().map(|&r| S::Ext::ONE - r).product();
        let weighted: S::Ext = next[*k].iter().zip(powers.by_ref()).map(|(&c, tau)| tau * columns[c]).sum();
        value += at_zero * shift::rot(&rho[rho.len() - i.log_height..], point) * weighted;
    }
    ch.require("next rows are as claimed", value == expected)
}

/// What is read on the next row: sent, and reduced to the columns.
pub fn prove_next_rows<S: Setting>(
    instances: &Instances,
    next: &[Vec<usize>],
    rho: &[S::Ext],
    main: Oracle,
    ch: &mut Prover<'_, S>,
) -> Result<(), ProveError> {
    let readers: Vec<_> = instances.list.iter().enumerate().filter(|(k, _)| !next[*k].is_empty()).collect();
    let point = |i: &InstanceLayout| &rho[rho.len() - i.log_height..];
    let mut values = Vec::new();
    for &(k, i) in &readers {
        let base = BaseColumns::of(i, &next[k], main, k, ch);
        values.extend(base.next.iter().map(|(_, column)| evaluate(column, point(i))));
    }
    ch.send("next rows", &values);
    if values.is_empty() {
        return Ok(());
    }
    let tau = ch.sample("tau", Some(shift::term::<S>(values.len())))?;
    let mut powers = tau.powers();
    let mut sides = Vec::new();
    for &(k, i) in &readers {
        let base = BaseColumns::of(i, &next[k], main, k, ch);
        let mut f = S::Ext::zero_vec(1 << i.log_height);
        for (&c, tau) in next[k].iter().zip(powers.by_ref()) {
            f.iter_mut().zip(base.column(Var::Main(c))).for_each(|(f, &x)| *f += tau * x);
        }
        sides.push(shift::Side::new(f, point(i)));
    }
    let variables = readers.iter().map(|(_, i)| i.log_height).max().unwrap_or(0);
    let sigma = sumcheck::prove(
        ch,
        shift::ROUNDS,
        variables,
        &mut sides,
        |sides, round| {
            let mut sum = [S::Ext::ZERO; 2];
            for side in sides.iter() {
                sum.iter_mut().zip(side.message(variables - round)).for_each(|(sum, v)| *sum += v);
            }
            sum.to_vec()
        },
        |sides, _, round, r| sides.iter_mut().for_each(|side| side.bind(variables - round, r)),
    )?;
    let ask = |&(k, i): &(usize, &InstanceLayout)| Question {
        oracle: main,
        matrix: k,
        query: MlEval(sigma[variables - i.log_height..].to_vec()),
    };
    ch.ask(readers.iter().map(ask).collect())?;
    Ok(())
}
