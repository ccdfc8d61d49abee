//! The prover of `marlin`, message by message as the verifier expects.

use p3_field::PrimeCharacteristicRing;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::r1cs::staged::{Staged, Witness};
use trilemma_core::channel::OracleProver;
use trilemma_core::{ConfigError, Oracle, ProveError, Smooth, UniEval};

use super::layout::{Layout, bus_term, lagrange, vanishing};
use super::steps::{Dft, accumulate, extension_column, segments};
use super::{steps, steps::Entries};

/// The prover's channel.
type Channel<'c, S> = dyn OracleProver<S, UniEval<<S as trilemma_core::Setting>::Ext>> + 'c;

/// Convinces the verifier of a satisfied relation.
pub fn prove<S: Smooth>(
    relation: &Staged<S>,
    entries: &[S::Base],
    witness: Witness<S>,
    ch: &mut Channel<'_, S>,
) -> Result<(), ProveError> {
    let layout = Layout::new(relation);
    layout.check::<S>()?;
    if relation.matrices.rows() != relation.constraints || relation.matrices.nonzeros() != relation.nonzeros {
        return Err(ConfigError("marlin: a prover needs the system's matrices".into()).into());
    }
    let Witness { early, late } = witness;
    if entries.len() != relation.entries || early.len() != relation.early {
        return Err(ProveError::Unsatisfied("as many wires as the system has".into()));
    }
    let dft = Dft::<S>::default();

    // 1. to 3.
    let first = [&[S::Base::ONE], entries].concat();
    let oracle = ch.send_oracle("early", segments(first.iter().chain(&early).copied(), &layout))?;
    let gamma = ch.sample("gamma", Some(bus_term(relation)))?;
    let beta = ch.sample("beta", None)?;
    let late = late(&Challenges::new(gamma, beta, relation.arity));
    if late.len() != relation.late {
        return Err(ProveError::Unsatisfied("as many late wires as the system has".into()));
    }
    let public = relation.public_values(entries, [gamma, beta]);
    let mut wires = public.clone();
    wires.extend(early.into_iter().map(S::Ext::from));
    wires.extend(&late);
    let products = steps::products(relation, &layout, &wires);
    let quotient = steps::row_quotient(&dft, &layout, &products, &public);
    let mut matrices: Vec<_> = segments([gamma, beta].into_iter().chain(late), &layout);
    matrices.push(extension_column::<S>(quotient));
    let oracles = [oracle, ch.send_oracle("late", matrices)?];

    // 4.
    let alpha = ch.sample("alpha", Some(layout.row_term::<S>()))?;
    ch.ask(layout.row_questions(oracles[1], alpha))?;
    let at_alpha = lagrange::<S>(layout.log_rows, alpha, 1 << layout.log_rows);
    let claims = products.map(|column| steps::dot(&column, &at_alpha));
    ch.send("products", &claims);
    let eta = ch.sample("eta", Some(Layout::matrix_term::<S>()))?;
    let run = Run { relation, layout: &layout, dft: &dft, alpha, at_alpha, eta: [S::Ext::ONE, eta, eta.square()] };
    let sum = steps::dot(&claims, &run.eta);
    let xi = run.wires(oracles, &wires, sum, ch)?;
    drop(wires);
    run.entries(xi, ch)
}

/// What the sums are about.
pub(super) struct Run<'a, S: Smooth> {
    pub relation: &'a Staged<S>,
    pub layout: &'a Layout,
    pub dft: &'a Dft<S>,
    pub alpha: S::Ext,
    /// Lagrange polynomials of the rows at `alpha`.
    pub at_alpha: Vec<S::Ext>,
    /// Weights of the matrices.
    pub eta: [S::Ext; 3],
}

impl<S: Smooth> Run<'_, S> {
    /// 5. and 6.: that the products add up to `sum`. Returns `xi`.
    pub(super) fn wires(
        &self,
        [early, late]: [Oracle; 2],
        wires: &[S::Ext],
        sum: S::Ext,
        ch: &mut Channel<'_, S>,
    ) -> Result<S::Ext, ProveError> {
        let log = self.layout.log_wires();
        let matrices = steps::matrix_column(self);
        let z = steps::by_position(self.layout, wires);
        let accumulator = accumulate::<S>(matrices.iter().zip(&z).map(|(&r, &z)| r * z), log, sum);
        let quotient = steps::wire_quotient(self.dft, log, [&matrices, &z, &accumulator], sum);
        let columns = [accumulator, quotient].map(extension_column::<S>);
        let oracle = ch.send_oracle("wires", columns.into())?;
        let xi = ch.sample("xi", Some(self.layout.wire_term::<S>()))?;
        ch.ask(self.layout.wire_questions::<S>([early, late, oracle], xi))?;
        let value = steps::dot(&matrices, &lagrange::<S>(log, xi, matrices.len()));
        ch.send("matrices", &[value]);
        Ok(xi)
    }

    /// 7. and 8.: that the groups of entries add up to what they add up to.
    pub(super) fn entries(&self, xi: S::Ext, ch: &mut Channel<'_, S>) -> Result<(), ProveError> {
        let terms = steps::entry_terms(self, xi);
        let sums = steps::group_sums(self.layout, &terms);
        ch.send("sums", &sums);
        self.groups(xi, terms, &sums, ch)
    }

    /// As [`Self::entries`], for sums that have been sent.
    pub(super) fn groups(
        &self,
        xi: S::Ext,
        terms: Vec<S::Ext>,
        sums: &[S::Ext],
        ch: &mut Channel<'_, S>,
    ) -> Result<(), ProveError> {
        let (layout, log) = (self.layout, self.layout.log_entries);
        let accumulators = steps::group_accumulators::<S>(layout, terms, sums);
        let columns = steps::extension_columns::<S>(accumulators.clone(), layout.groups);
        let oracle = ch.send_oracle("entries", vec![columns])?;
        let mu = ch.sample("mu", Some(layout.group_term::<S>()))?;
        let scale = vanishing::<S>(layout.log_rows, self.alpha) * vanishing::<S>(layout.log_wires(), xi);
        let quotient = {
            let weights = self.eta.map(|eta| eta * scale);
            let entries = Entries { point: [self.alpha, xi], weights, sums, mu };
            let index = ch.view(Oracle(0), 0, 0);
            steps::entry_quotient(self.dft, log, &index, accumulators, &entries)
        };
        let quotient = ch.send_oracle("quotient", vec![extension_column::<S>(quotient)])?;
        let zeta = ch.sample("zeta", Some(layout.entry_term::<S>()))?;
        ch.ask(layout.entry_questions::<S>([oracle, quotient], zeta))?;
        Ok(())
    }
}
