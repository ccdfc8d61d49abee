//! The verifier of `marlin`, to be read beside the module's header.

use p3_field::{Field, PrimeCharacteristicRing};
use trilemma_arith::r1cs::staged::Staged;
use trilemma_core::channel::OracleVerifier;
use trilemma_core::claim::rejoin;
use trilemma_core::{Reject, Smooth, UniEval};

use super::layout::{INDEX_WIDTH, Layout, bus_term, lagrange, vanishing};

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
    let wires = ch.recv_oracle("wires", layout.wire_shapes::<S>())?;
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
    let [here, next, quotient] = values::<S, 3>(&answers, layout.early_segments + layout.late_segments)?;
    let change = next - here + share(sum, layout.log_wires());
    ch.require("the products add up at xi", change - matrices * z == columns * quotient)?;

    // 7. and 8. `r(xi)` is what the index says, group by group.
    let sums = ch.recv("sums", layout.groups)?;
    ch.require("the groups add up", sums.iter().copied().sum::<S::Ext>() == matrices)?;
    let accumulators = ch.recv_oracle("entries", layout.entry_shapes::<S>())?;
    let mu = ch.sample("mu", Some(layout.group_term::<S>()))?;
    let quotient = ch.recv_oracle("quotient", layout.quotient_shapes::<S>())?;
    let zeta = ch.sample("zeta", Some(layout.entry_term::<S>()))?;
    let answers = ch.ask(layout.entry_questions::<S>([accumulators, quotient], zeta))?;
    let [index, here, next, quotient] = answers.as_slice() else { return Err(too_few()) };
    let [here, next, quotient] = [here, next, quotient].map(|answer| rejoin::<S::Base, _>(answer));
    let groups = index.chunks_exact(INDEX_WIDTH).zip(here.into_iter().zip(next)).zip(sums).zip(mu.powers());
    let mut folded = S::Ext::ZERO;
    for (((index, (here, next)), sum), weight) in groups {
        let [row, column, both, a, b, c] = received(index)?;
        let numerator = rows * columns * (a + eta * (b + eta * c));
        let denominator = alpha * xi - alpha * column - xi * row + both;
        folded += weight * (denominator * (next - here + share(sum, layout.log_entries)) - numerator);
    }
    let [quotient] = received(&quotient)?;
    ch.require("the entries add up at zeta", folded == vanishing::<S>(layout.log_entries, zeta) * quotient)
}

/// `sum / n` for a domain of `n = 2^log_height`.
fn share<E: Field>(sum: E, log_height: usize) -> E {
    sum.div_2exp_u64(log_height as u64)
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
