//! The verifier of `hyperplonk`, to be read beside the module's header.

use p3_field::{Field, PrimeCharacteristicRing};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Circuit, Column, Query};
use trilemma_core::channel::OracleVerifier;
use trilemma_core::claim::rejoin;
use trilemma_core::multilinear::eq_index;
use trilemma_core::{MlEval, Reject, Setting};

use super::layout::{COPIES, Layout, Oracles, Places, here};
use crate::logup_gkr;
use crate::{shift, sumcheck};

type Channel<'a, S> = dyn OracleVerifier<S, MlEval<<S as Setting>::Ext>> + 'a;

/// Decides whether the public values have a witness.
pub fn verify<S: Setting>(circuit: &Circuit<S>, instance: &[S::Base], ch: &mut Channel<'_, S>) -> Result<(), Reject> {
    let layout = Layout::new(circuit)?;
    ch.require("the number of public values", instance.len() == circuit.instance)?;

    // 1. Columns and multiplicities.
    let early = layout.early_shape().map(|shape| ch.recv_oracle("early", vec![shape])).transpose()?;

    // 2. and 3. Columns that depend on challenges.
    let gamma = ch.sample("gamma", Some(layout.late_term()))?;
    let beta = ch.sample("beta", None)?;
    let challenges = Challenges::new(gamma, beta, circuit.arity);
    let late = layout.late_shape().map(|shape| ch.recv_oracle("late", vec![shape])).transpose()?;
    let oracles = Oracles::new(circuit, early, late);

    // 4. and 5. Copies and lookups, down to numerators and denominators at a point.
    let delta = ch.sample("delta", Some(layout.fingerprint_term()))?;
    let eta = ch.sample("eta", None)?;
    let fingerprints = layout.fingerprints(delta, eta);
    let inputs = logup_gkr::verify(ch, &layout.stack, S::Ext::ZERO)?;
    let mut r = Vec::new();
    for _ in layout.stack.layers..circuit.log_rows {
        r.push(ch.sample("zerocheck", Some(Layout::<S>::coordinate_term()))?);
    }
    r.extend(&inputs.point);
    let r = &r[r.len() - circuit.log_rows..];
    let places = layout.places(&inputs.point);

    // 6. and 7. Numerators, denominators and gates as one sum over all rows.
    let alpha = ch.sample("alpha", Some(layout.alpha_term()))?;
    let claim = inputs.p + alpha * (inputs.q - places.beyond());
    let (rho, expected) = sumcheck::verify_eq(ch, layout.rounds(), r, claim)?;

    // 8. The columns where it ends.
    let answers = ch.ask(oracles.everything(&rho))?;
    let sent = ch.recv("next rows", layout.next.len())?;
    let values = Values {
        columns: at_point(&layout, &oracles, answers),
        next: layout.next.iter().copied().zip(sent.iter().copied()).collect(),
        instance: [instance_at(instance, &rho, false), instance_at(instance, &rho, true)],
        row: rho.iter().fold(S::Ext::ZERO, |row, &bit| row.double() + bit),
    };
    let mut nodes = Vec::new();
    circuit.graph.evaluate(&challenges, |query| values.cell(query), &mut nodes);
    let fractions = values.fractions(&layout, &fingerprints, &places, alpha, &nodes);
    let gates = circuit.gates.iter().zip(alpha.powers().skip(2)).map(|(gate, a)| a * nodes[gate.expr.0 as usize]);
    let value = fractions + gates.sum::<S::Ext>();
    ch.require("the rows are as claimed", value == expected)?;

    // 9. What was read on the next row.
    verify_next_rows(&layout, &oracles, (&rho, &sent), ch)
}

/// Checks the values sent for next rows against the columns.
fn verify_next_rows<S: Setting>(
    layout: &Layout<'_, S>,
    oracles: &Oracles,
    (rho, sent): (&[S::Ext], &[S::Ext]),
    ch: &mut Channel<'_, S>,
) -> Result<(), Reject> {
    if layout.next.is_empty() {
        return Ok(());
    }
    let tau = ch.sample("tau", Some(shift::term::<S>(layout.next.len())))?;
    let claim = sent.iter().rev().fold(S::Ext::ZERO, |acc, &v| acc * tau + v);
    let (point, expected) = sumcheck::verify(ch, shift::ROUNDS, rho.len(), claim)?;
    let has = oracles.only(&layout.next);
    let answers = ch.ask(has.everything(&point))?;
    let columns = at_point(layout, &has, answers);
    let weighted: S::Ext = layout.next.iter().zip(tau.powers()).map(|(&c, tau)| tau * columns.column(c)).sum();
    ch.require("next rows are as claimed", shift::rot(rho, &point) * weighted == expected)
}

/// The value at a point of the public values, or of the public values one row on.
fn instance_at<F: Field, E: p3_field::ExtensionField<F>>(instance: &[F], point: &[E], next: bool) -> E {
    let last = (1usize << point.len()) - 1;
    let row = |i: usize| if next { i.checked_sub(1).unwrap_or(last) } else { i };
    instance.iter().enumerate().map(|(i, &x)| eq_index(row(i), point) * x).sum()
}

/// Committed columns at a point.
struct AtPoint<E> {
    fixed: Vec<E>,
    sigma: Vec<E>,
    early: Vec<E>,
    multiplicities: Vec<E>,
    late: Vec<E>,
}

/// Takes the answers of those oracles that were asked apart.
fn at_point<S: Setting>(layout: &Layout<'_, S>, asked: &Oracles, answers: Vec<Vec<S::Ext>>) -> AtPoint<S::Ext> {
    let mut answers = answers.into_iter();
    let mut answer = |asked: Option<_>| asked.and_then(|_| answers.next()).unwrap_or_default().into_iter();
    let (mut index, mut early) = (answer(asked.index), answer(asked.early));
    AtPoint {
        fixed: index.by_ref().take(layout.circuit.fixed_names.len()).collect(),
        sigma: index.collect(),
        early: early.by_ref().take(layout.circuit.early.len()).collect(),
        multiplicities: early.collect(),
        late: rejoin::<S::Base, _>(&answer(asked.late).collect::<Vec<_>>()),
    }
}

impl<E: Field> AtPoint<E> {
    fn column(&self, column: Column) -> E {
        let value = match column {
            Column::Fixed(i) => self.fixed.get(i),
            Column::Early(i) => self.early.get(i),
            Column::Late(i) => self.late.get(i),
            Column::Instance => None,
        };
        value.copied().unwrap_or(E::ZERO)
    }
}

/// A row at the point where the sumcheck ends.
struct Values<E> {
    columns: AtPoint<E>,
    next: Vec<(Column, E)>,
    /// The instance, here and one row on.
    instance: [E; 2],
    /// The row's number.
    row: E,
}

impl<E: Field> Values<E> {
    fn cell(&self, query: Query) -> E {
        match query.column {
            Column::Instance => self.instance[usize::from(query.next)],
            column if query.next => self.next.iter().find(|(c, _)| *c == column).map_or(E::ZERO, |(_, v)| *v),
            column => self.columns.column(column),
        }
    }

    /// `sum_k e_k (p_k + alpha q_k)`, where `nodes` are the expressions of the circuit.
    fn fractions<S: Setting<Ext = E>>(
        &self,
        layout: &Layout<'_, S>,
        fingerprints: &Challenges<E>,
        places: &Places<E>,
        alpha: E,
        nodes: &[E],
    ) -> E {
        let fraction = |place: E, numerator: E, tag, tuple: &[E]| {
            let denominator: E = fingerprints.denominator(tag, tuple);
            place * (numerator + alpha * denominator)
        };
        let mut sum = E::ZERO;
        let (circuit, columns) = (layout.circuit, &self.columns);
        let permuted = circuit.permuted.iter().zip(&columns.sigma).enumerate();
        for ((j, (&column, &sigma)), (&at, &at_sigma)) in permuted.zip(places.identities.iter().zip(&places.successors))
        {
            let (value, id) = (self.cell(here(column)), self.row + E::from_usize(j << circuit.log_rows));
            sum += fraction(at, E::ONE, COPIES, &[value, id]);
            sum += fraction(at_sigma, E::NEG_ONE, COPIES, &[value, sigma]);
        }
        for ((lookup, &table), &place) in circuit.lookups.iter().zip(&layout.table_of).zip(&places.lookups) {
            let tuple: Vec<E> = lookup.inputs.iter().map(|id| nodes[id.0 as usize]).collect();
            sum += fraction(place, E::ONE, Layout::<S>::tag(table), &tuple);
        }
        let times = places.parts.iter().zip(&columns.multiplicities);
        for (&(table, part), (&place, &times)) in layout.parts.iter().zip(times) {
            let tuple: Vec<E> = part.iter().map(|&c| columns.column(Column::Fixed(c))).collect();
            sum += fraction(place, -times, Layout::<S>::tag(table), &tuple);
        }
        sum
    }
}
