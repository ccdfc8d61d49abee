//! The verifier of `uni_stark`, to be read beside the module's header.

use p3_field::{Field, PrimeCharacteristicRing};
use trilemma_arith::air::{Air, PublicTerm};
use trilemma_arith::kernel::{Cells, Challenges};
use trilemma_core::channel::OracleVerifier;
use trilemma_core::claim::rejoin;
use trilemma_core::{Reject, Smooth, UniEval};

use super::layout::{Layout, Oracles};
use crate::instances::{InstanceLayout, Instances, MAX_LOG_HEIGHT};

/// Decides whether the statement holds.
pub fn verify<S: Smooth>(
    air: &Air<S>,
    statement: &[PublicTerm],
    ch: &mut dyn OracleVerifier<S, UniEval<S::Ext>>,
) -> Result<(), Reject> {
    // 1. The prover says how many rows each table has, and commits to them.
    let sizes = ch.recv_sizes("heights", Instances::sizes(air), MAX_LOG_HEIGHT as u8)?;
    let layout = Layout::new(air, Instances::decode(air, &sizes)?);
    let main = ch.recv_oracle("main", layout.main_shapes())?;

    // 2. Fingerprints of bus tuples.
    let gamma = ch.sample("gamma", Some(layout.instances.bus_term::<S>(statement.len())))?;
    let beta = ch.sample("beta", None)?;
    let challenges = Challenges::new(gamma, beta, layout.instances.arity);

    // 3. The buses of every instance, summed; together with the statement they balance.
    let buses = ch.recv_oracle("buses", layout.bus_shapes::<S>())?;
    let sums = ch.recv("sums", layout.sums())?;
    let public = challenges.public_sum(statement).ok_or_else(|| Reject::new("a pole"))?;
    ch.require("the buses balance", sums.iter().copied().sum::<S::Ext>() + public == S::Ext::ZERO)?;

    // 4. and 5. All constraints as one, and its quotient by the vanishing polynomials.
    let alpha = ch.sample("alpha", Some(layout.batch_term::<S>()))?;
    let quotient = ch.recv_oracle("quotient", vec![layout.quotient_shape::<S>()])?;

    // 6. Everything at one point outside every domain.
    let zeta = ch.sample("zeta", Some(layout.point_term::<S>()))?;
    let top = zeta.exp_power_of_2(layout.log_max());
    ch.require("zeta lies outside the domains", top != S::Ext::ONE)?;
    let oracles = Oracles { main, buses, quotient };
    let mut answers = ch.ask(layout.questions::<S>(&oracles, zeta))?.into_iter();
    let mut next = || answers.next().ok_or_else(|| Reject::new("too few answers"));

    let mut sums = sums.into_iter();
    let mut powers = alpha.powers();
    let mut expected = S::Ext::ZERO;
    for instance in &layout.instances.list {
        let alphas: Vec<S::Ext> = powers.by_ref().take(instance.alphas()).collect();
        let fixed = if instance.fixed.is_some() { next()? } else { Vec::new() };
        let here = next()?;
        let there = if instance.uses_next { next()? } else { Vec::new() };
        let cells = Cells { fixed: &fixed, main: &here, next: &there };
        let mut fractions = Vec::new();
        let kernel = &air.tables[instance.table];
        let constraints = kernel.point(cells, &challenges, &alphas[..instance.constraints], &mut fractions);

        let bus = if instance.interactions > 0 {
            let helpers = if instance.pairs() > 1 { rejoin::<S::Base, _>(&next()?) } else { Vec::new() };
            let acc = rejoin::<S::Base, _>(&next()?);
            let acc_next = rejoin::<S::Base, _>(&next()?);
            let sigma = sums.next().ok_or_else(|| Reject::new("too few sums"))?;
            let step = acc_next[0] - acc[0] + sigma * rows_inverse::<S>(instance);
            fold_buses(&fractions, &helpers, step, &alphas[instance.constraints..])
        } else {
            S::Ext::ZERO
        };
        let vanishing = zeta.exp_power_of_2(instance.log_height) - S::Ext::ONE;
        let inverse = vanishing.try_inverse().ok_or_else(|| Reject::new("zeta in a domain"))?;
        expected += (constraints + bus) * inverse;
    }

    let chunks = rejoin::<S::Base, _>(&next()?);
    let claimed = chunks.iter().rev().fold(S::Ext::ZERO, |acc, &q| acc * top + q);
    ch.require("the constraints hold at zeta", claimed == expected)
}

/// `1 / n` for an instance of `n` rows.
fn rows_inverse<S: Smooth>(instance: &InstanceLayout) -> S::Base {
    S::Base::ONE.div_2exp_u64(instance.log_height as u64)
}

/// The bus constraints folded with `alphas`: one for every helper, then the accumulator's, where
/// `step = S' - S + sigma / n` is the sum of the row's fractions.
fn fold_buses<E: Field>(fractions: &[(E, E)], helpers: &[E], step: E, alphas: &[E]) -> E {
    let last = step - helpers.iter().copied().sum::<E>();
    fractions
        .chunks(2)
        .zip(helpers.iter().copied().chain([last]))
        .zip(alphas)
        .map(|((pair, h), &alpha)| {
            alpha
                * match *pair {
                    [(m, d), (n, e)] => h * d * e - m * e - n * d,
                    [(m, d)] => h * d - m,
                    _ => E::ZERO,
                }
        })
        .sum()
}
