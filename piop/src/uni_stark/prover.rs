//! The prover of `uni_stark`, message by message as the verifier expects.

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use trilemma_arith::air::{Air, PublicTerm, Trace};
use trilemma_arith::kernel::Challenges;
use trilemma_core::channel::{Oracle, OracleProver};
use trilemma_core::claim::Columns;
use trilemma_core::{ProveError, Smooth, UniEval};

use super::layout::{Layout, Oracles};
use super::logup::{BusColumns, bus_columns};
use super::quotient::{Folding, Part, Views, combine, instance_quotient};
use crate::instances::{Instances, columns, fixed_columns};

/// Convinces the verifier of a satisfied relation.
pub fn prove<S: Smooth>(
    air: &Air<S>,
    statement: &[PublicTerm],
    trace: Trace,
    ch: &mut dyn OracleProver<S, UniEval<S::Ext>>,
) -> Result<(), ProveError> {
    let (sizes, instances) = Instances::of(air, &trace)?;
    let layout = Layout::new(air, instances);
    ch.send_sizes("heights", &sizes);
    let main = columns::<S>(trace, &layout.instances);
    let main_oracle = ch.send_oracle("main", main.clone())?;

    let gamma = ch.sample("gamma", Some(layout.instances.bus_term::<S>(statement.len())))?;
    let beta = ch.sample("beta", None)?;
    let challenges = Challenges::new(gamma, beta, layout.instances.arity);

    let (buses, sums) = buses(air, &layout, main, &challenges);
    let bus_oracle = ch.send_oracle("buses", buses)?;
    ch.send("sums", &sums);

    let alpha = ch.sample("alpha", Some(layout.batch_term::<S>()))?;
    let quotient = quotient(air, &layout, (main_oracle, bus_oracle), &challenges, alpha, &sums, ch);
    let quotient = ch.send_oracle("quotient", vec![quotient])?;

    let zeta = ch.sample("zeta", Some(layout.point_term::<S>()))?;
    let oracles = Oracles { main: main_oracle, buses: bus_oracle, quotient };
    ch.ask(layout.questions::<S>(&oracles, zeta))?;
    Ok(())
}

fn buses<S: Smooth>(
    air: &Air<S>,
    layout: &Layout,
    main: Vec<Columns<S::Base>>,
    challenges: &Challenges<S::Ext>,
) -> (Vec<Columns<S::Base>>, Vec<S::Ext>) {
    let (mut columns, mut sums) = (Vec::new(), Vec::new());
    for (instance, main) in layout.instances.list.iter().zip(main) {
        if instance.interactions > 0 {
            let kernel = air.tables[instance.table].as_ref();
            let fixed = fixed_columns::<S>(&kernel.fixed());
            let BusColumns { helpers, accumulator, sum } =
                bus_columns(kernel, instance, fixed.as_ref(), &main, challenges);
            columns.extend(helpers);
            columns.push(accumulator);
            sums.push(sum);
        }
    }
    (columns, sums)
}

fn quotient<S: Smooth>(
    air: &Air<S>,
    layout: &Layout,
    (main, buses): (Oracle, Oracle),
    challenges: &Challenges<S::Ext>,
    alpha: S::Ext,
    sums: &[S::Ext],
    ch: &dyn OracleProver<S, UniEval<S::Ext>>,
) -> Columns<S::Base> {
    let mut powers = alpha.powers();
    let mut sums = sums.iter();
    let mut bus = 0;
    let mut parts: Vec<Part<S::Base>> = Vec::new();
    for (k, instance) in layout.instances.list.iter().enumerate() {
        let alphas: Vec<S::Ext> = powers.by_ref().take(instance.alphas()).collect();
        let log = layout.log_chunks;
        let mut next_bus = |present: bool| {
            present.then(|| {
                bus += 1;
                ch.view(buses, bus - 1, log)
            })
        };
        let views = Views {
            fixed: instance.fixed.map(|i| ch.view(Oracle(0), i, log)),
            main: ch.view(main, k, log),
            helpers: next_bus(instance.pairs() > 1),
            accumulator: next_bus(instance.interactions > 0),
        };
        let sum = if instance.interactions > 0 { sums.next().copied() } else { None };
        let share = sum.unwrap_or_default() * S::Base::ONE.div_2exp_u64(instance.log_height as u64);
        let folding = Folding { challenges, alphas: &alphas, share };
        let kernel = air.tables[instance.table].as_ref();
        let values = instance_quotient(kernel, instance, log, &views, &folding);
        match parts.iter_mut().find(|part| part.log_height == instance.log_height) {
            Some(part) => part.values.par_iter_mut().zip(values).for_each(|(sum, v)| *sum += v),
            None => {
                parts.push(Part { log_height: instance.log_height, shift: views.main.shift, values });
            }
        }
    }
    combine::<S>(layout, parts)
}
