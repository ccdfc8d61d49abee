//! The prover of `hyperplonk`, message by message as the verifier expects.

use p3_field::PrimeCharacteristicRing;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Assignment, Circuit, Column, Query};
use trilemma_arith::r1cs::ByColumn;
use trilemma_core::multilinear::evaluate;
use trilemma_core::{ConfigError, ProveError, Setting};

use super::cells::{Cells, Prover, Views, late_query};
use super::fractions::fractions;
use super::layout::{Layout, Oracles, roots};
use super::multiplicities::multiplicities;
use super::polynomial::Polynomial;
use super::rounds::Rows;
use crate::logup_gkr;
use crate::matrices::{by_row, extension_by_row};
use crate::{shift, sumcheck};

/// Convinces the verifier of a satisfied circuit.
pub fn prove<S: Setting>(
    circuit: &Circuit<S>,
    instance: &[S::Base],
    witness: Assignment<S>,
    ch: &mut Prover<'_, S>,
) -> Result<(), ProveError> {
    let layout = Layout::new(circuit)?;
    if instance.len() != circuit.instance {
        return Err(ConfigError(format!("circuit {} has {} public values", circuit.name, circuit.instance)).into());
    }
    let (rows, queries) = (circuit.rows(), circuit.graph.queries(roots(circuit)));

    let Assignment { early: assigned, late } = witness;
    let times = multiplicities(&layout, &Cells::of(&layout, &assigned, instance, queries.iter().copied()));
    let columns: Vec<&[S::Base]> =
        (0..circuit.early.len()).map(|i| assigned.column(i)).chain(times.iter().map(Vec::as_slice)).collect();
    let early = layout.early_shape().map(|_| ch.send_oracle("early", vec![by_row::<S>(&columns, rows)])).transpose()?;
    drop(times);

    let gamma = ch.sample("gamma", Some(layout.late_term()))?;
    let beta = ch.sample("beta", None)?;
    let challenges = Challenges::new(gamma, beta, circuit.arity);
    let filled = late(&assigned, &challenges);
    drop(assigned);
    let late = layout.late_shape().map(|_| ch.send_oracle("late", vec![extension_by_row::<S>(&filled)])).transpose()?;
    let oracles = Oracles::new(circuit, early, late);

    let delta = ch.sample("delta", Some(layout.fingerprint_term()))?;
    let eta = ch.sample("eta", None)?;
    let fingerprints = layout.fingerprints(delta, eta);
    let stack = {
        let views = Views::new(&oracles, ch);
        fractions(&layout, &Cells::seen(&layout, &views, instance, queries.iter().copied()), &filled, &fingerprints)
    };
    let inputs = logup_gkr::prove(ch, &layout.stack, stack)?;
    let mut r = Vec::new();
    for _ in layout.stack.layers..circuit.log_rows {
        r.push(ch.sample("zerocheck", Some(Layout::<S>::coordinate_term()))?);
    }
    r.extend(&inputs.point);
    let r = r.split_off(r.len() - circuit.log_rows);
    let places = layout.places(&inputs.point);

    let alpha = ch.sample("alpha", Some(layout.alpha_term()))?;
    let claim = inputs.p + alpha * (inputs.q - places.beyond());
    let polynomial = Polynomial::new(&layout, &challenges, &fingerprints, &places, alpha);
    let rounds = layout.rounds();
    let mut state = {
        let views = Views::new(&oracles, ch);
        let cells = Cells::seen(&layout, &views, instance, queries.iter().copied());
        Rows::new(&polynomial, rounds.degree, (&cells, &filled), r, claim)
    };
    let rho = sumcheck::prove(
        ch,
        rounds,
        circuit.log_rows,
        &mut state,
        |state, _| state.message(),
        |state, ch, round, r| {
            let views = (round == 0).then(|| Views::new(&oracles, ch));
            let cells = |views| Cells::seen(&layout, views, instance, polynomial.program.base.iter().copied());
            state.bind(views.as_ref().map(cells).as_ref(), r);
        },
    )?;

    ch.ask(oracles.everything(&rho))?;
    prove_next_rows(&layout, &oracles, (&filled, &rho), ch)
}

/// What is read on the next row: sent, and reduced to the columns.
fn prove_next_rows<S: Setting>(
    layout: &Layout<'_, S>,
    oracles: &Oracles,
    (late, rho): (&ByColumn<S::Ext>, &[S::Ext]),
    ch: &mut Prover<'_, S>,
) -> Result<(), ProveError> {
    let next = |column| Query { column, next: true };
    let values: Vec<S::Ext> = {
        let views = Views::new(oracles, ch);
        let cells = Cells::seen(layout, &views, &[], layout.next.iter().map(|&column| next(column)));
        let value = |&column: &Column| match column {
            Column::Late(_) => evaluate(&late_query(late, next(column)), rho),
            column => evaluate(cells.query(next(column)), rho),
        };
        layout.next.iter().map(value).collect()
    };
    ch.send("next rows", &values);
    if values.is_empty() {
        return Ok(());
    }
    let tau = ch.sample("tau", Some(shift::term::<S>(values.len())))?;
    let mut f = S::Ext::zero_vec(layout.circuit.rows());
    {
        let views = Views::new(oracles, ch);
        let cells = Cells::seen(layout, &views, &[], []);
        for (&column, tau) in layout.next.iter().zip(tau.powers()) {
            match column {
                Column::Late(i) => f.iter_mut().zip(late.column(i)).for_each(|(f, &x)| *f += tau * x),
                column => f.iter_mut().zip(cells.here(column)).for_each(|(f, &x)| *f += tau * x),
            }
        }
    }
    let mut side = shift::Side::new(f, rho);
    let point = sumcheck::prove(
        ch,
        shift::ROUNDS,
        rho.len(),
        &mut side,
        |side, round| side.message(rho.len() - round).to_vec(),
        |side, _, round, r| side.bind(rho.len() - round, r),
    )?;
    ch.ask(oracles.only(&layout.next).everything(&point))?;
    Ok(())
}
