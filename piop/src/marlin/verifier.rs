//! The verifier of `marlin`, to be read beside the module's header.

use p3_field::{Field, PrimeCharacteristicRing};
use trilemma_arith::r1cs::staged::Staged;
use trilemma_core::channel::OracleVerifier;
use trilemma_core::claim::rejoin;
use trilemma_core::{Reject, Smooth, UniEval};

use super::layout::{Layout, bus_term, lagrange, vanishing};

/// The verifier's channel.
type Channel<'c, S> = dyn OracleVerifier<S, UniEval<<S as trilemma_core::Setting>::Ext>> + 'c;

/// Decides whether the statement holds.
pub fn verify<S: Smooth>(relation: &Staged<S>, entries: &[S::Base], ch: &mut Channel<'_, S>) -> Result<(), Reject> {
    let layout = Layout::new(relation);
    layout.check::<S>()?;
    ch.require("the number of public values", entries.len() == relation.entries)?;

    // 1. to 3. Wires that cannot depend on the challenges, then those that do.
    let early = ch.recv_oracle("early", layout.early_shapes())?;
    let gamma = ch.sample("gamma", Some(bus_term(relation)))?;
    let beta = ch.sample("beta", None)?;
    let late = ch.recv_oracle("late", layout.late_shapes::<S>())?;

    // 4. Every row holds, if the claimed products at `alpha` are right.
    let alpha = ch.sample("alpha", Some(layout.row_term::<S>()))?;
    let rows = vanishing::<S>(layout.log_rows, alpha);
    ch.require("alpha lies outside the rows", !rows.is_zero())?;
    let public = relation.public_values(entries, [gamma, beta]);
    let weights = lagrange::<S>(layout.log_rows, alpha, public.len());
    let public: S::Ext = public.into_iter().zip(weights).map(|(x, weight)| x * weight).sum();
    let answers = ch.ask(layout.row_questions(late, alpha))?;
    let quotient = values::<S, 1>(&answers, 0)?[0];
    let [a, b, c] = received(&ch.recv("products", 3)?)?;
    ch.require("the rows hold at alpha", a * b + public - c == rows * quotient)?;

    // 5. and 6. The products are those of the matrices and the wires, if the claimed `r(xi)` is right.
    let eta = ch.sample("eta", Some(Layout::matrix_term::<S>()))?;
    let sum = a + eta * (b + eta * c);
    let wires = ch.recv_oracle("wires", Layout::sum_shapes::<S>(layout.log_wires()))?;
    let xi = ch.sample("xi", Some(layout.wire_term::<S>()))?;
    let columns = vanishing::<S>(layout.log_wires(), xi);
    ch.require("xi lies outside the wires", !columns.is_zero())?;
    let answers = ch.ask(layout.wire_questions::<S>([early, late, wires], xi))?;
    let mut z = S::Ext::ZERO;
    for (j, weight) in layout.segment_weights::<S>(xi).into_iter().enumerate() {
        let answer = answers.get(j).ok_or_else(too_few)?;
        let value = if j < layout.early_segments { received::<_, 1>(answer)? } else { values::<S, 1>(&answers, j)? };
        z += weight * value[0];
    }
    let [matrices] = received(&ch.recv("matrices", 1)?)?;
    let step = step::<S>(&answers, layout.early_segments + layout.late_segments, sum, layout.log_wires())?;
    ch.require("the products add up at xi", step.change - matrices * z == columns * step.quotient)?;

    // 7. and 8. `r(xi)` is what the index says.
    let oracle = ch.recv_oracle("entries", Layout::sum_shapes::<S>(layout.log_entries))?;
    let zeta = ch.sample("zeta", Some(layout.entry_term::<S>()))?;
    let answers = ch.ask(layout.entry_questions::<S>(oracle, zeta))?;
    let [row, column, both, a, b, c] = received(answers.first().ok_or_else(too_few)?)?;
    let numerator = rows * columns * (a + eta * (b + eta * c));
    let denominator = alpha * xi - alpha * column - xi * row + both;
    let step = self::step::<S>(&answers, 1, matrices, layout.log_entries)?;
    let entries = vanishing::<S>(layout.log_entries, zeta);
    ch.require("the entries add up at zeta", denominator * step.change - numerator == entries * step.quotient)
}

/// What an accumulator's oracle says at a point.
struct Step<E> {
    /// `S(g x) - S(x) + sum / n`.
    change: E,
    quotient: E,
}

/// Reads the three answers about an accumulator, of which `first` is the first.
fn step<S: Smooth>(answers: &[Vec<S::Ext>], first: usize, sum: S::Ext, log: usize) -> Result<Step<S::Ext>, Reject> {
    let [here, next, quotient] = values::<S, 3>(answers, first)?;
    Ok(Step { change: next - here + sum * S::Base::ONE.div_2exp_u64(log as u64), quotient })
}

/// The challenge elements that `N` answers from `first` on are the columns of.
fn values<S: Smooth, const N: usize>(answers: &[Vec<S::Ext>], first: usize) -> Result<[S::Ext; N], Reject> {
    let answers = answers.get(first..first + N).ok_or_else(too_few)?;
    let values: Vec<S::Ext> = answers.iter().flat_map(|answer| rejoin::<S::Base, _>(answer)).collect();
    received(&values)
}

fn received<E: Copy, const N: usize>(values: &[E]) -> Result<[E; N], Reject> {
    values.try_into().map_err(|_| too_few())
}

fn too_few() -> Reject {
    Reject::new("not as many values as asked for")
}
