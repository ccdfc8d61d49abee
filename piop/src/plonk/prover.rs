//! The prover of `plonk`, message by message as the verifier expects.

use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Assignment, Circuit};
use trilemma_arith::r1cs::ByColumn;
use trilemma_core::channel::{Oracle, OracleProver};
use trilemma_core::claim::Columns;
use trilemma_core::{ConfigError, Label, ProveError, Smooth, UniEval};

use super::grid::{Cells, Grid, Slots, assemble};
use super::index::{domain, index};
use super::layout::{Layout, Oracles, Permutation, Poly};
use super::lookup::Fingerprints;
use super::program::Program;
use super::quotient::{Folding, Source, quotient};
use super::witness::{Arguments, argument_columns, multiplicities};

/// Convinces the verifier of a satisfied circuit.
pub fn prove<S: Smooth>(
    mode: Permutation,
    circuit: &Circuit<S>,
    instance: &[S::Base],
    assignment: Assignment<S>,
    ch: &mut dyn OracleProver<S, UniEval<S::Ext>>,
) -> Result<(), ProveError> {
    let layout = Layout::new(mode, circuit);
    layout.check(circuit)?;
    let rows = layout.rows();
    if instance.len() != circuit.instance || assignment.early.values.len() != circuit.early.len() * rows {
        return Err(ConfigError("an assignment of another circuit".into()).into());
    }
    let slots = Slots::new::<S>(&layout);
    let domain = domain::<S>(layout.log_rows);
    let mut sent = Sent { matrices: vec![instance_column(instance, rows)], oracles: Oracles::default() };
    sent.matrices.extend(index(circuit, &layout));
    sent.oracles.0.push((!layout.index.is_empty()).then_some(Oracle(0)));

    // 1.
    let Assignment { early, late } = assignment;
    let first = sent.matrices.len();
    push_early(circuit, &layout, &slots, &domain, &early, &mut sent);
    sent.send(ch, "early", first)?;

    // 2. and 3.
    let gamma = ch.sample("gamma", Some(Layout::circuit_term(circuit)))?;
    let beta = ch.sample("beta", None)?;
    let challenges = Challenges::new(gamma, beta, circuit.arity);
    let late = late(&early, &challenges);
    drop(early);
    if late.values.len() != circuit.late.len() * rows {
        return Err(ConfigError("an assignment of another circuit".into()).into());
    }
    let late_column = |poly| match poly {
        Poly::Late(i) => Cells::<S>::Ext(late.column(i)),
        _ => unreachable!("the oracle has late columns"),
    };
    let first = sent.matrices.len();
    sent.matrices.extend(layout.late.iter().map(|group| assemble(group, rows, late_column)));
    sent.send(ch, "late", first)?;
    drop(late);

    // 4. and 5.
    let delta = ch.sample("delta", Some(layout.argument_term::<S>()))?;
    let theta = ch.sample("theta", None)?;
    let fingerprints = Fingerprints::new(delta, theta, layout.arity);
    let first = sent.matrices.len();
    {
        let program = Program::new(circuit, &layout, &slots, &challenges, &fingerprints, &[]);
        let arguments = Arguments::new(&layout, &slots, &fingerprints);
        let columns = argument_columns(&layout, &arguments, &program, &sent.grid(&domain));
        let column = |poly| Cells::<S>::Ext(&columns[&poly]);
        sent.matrices.extend(layout.arguments.iter().map(|group| assemble(group, rows, column)));
    }
    sent.send(ch, "arguments", first)?;

    // 6. and 7.
    let alpha = ch.sample("alpha", Some(layout.batch_term::<S>()))?;
    let alphas: Vec<S::Ext> = alpha.powers().take(layout.constraints()).collect();
    let folding = Folding {
        circuit,
        layout: &layout,
        slots: &slots,
        challenges: &challenges,
        fingerprints: &fingerprints,
        alphas: &alphas,
    };
    let Sent { matrices, mut oracles } = sent;
    let (sources, shift) = sources::<S>(&layout, matrices, &oracles, ch);
    let quotient = quotient(&folding, &sources, shift);
    drop(sources);
    oracles.0.push(Some(ch.send_oracle("quotient", vec![quotient])?));

    // 8.
    let zeta = ch.sample("zeta", Some(layout.point_term::<S>()))?;
    ch.ask(layout.questions::<S>(&oracles, zeta))?;
    Ok(())
}

/// Adds early columns, and the counts of what they look up.
fn push_early<S: Smooth>(
    circuit: &Circuit<S>,
    layout: &Layout,
    slots: &Slots,
    domain: &[S::Base],
    early: &ByColumn<S::Base>,
    sent: &mut Sent<S::Base>,
) {
    let zeros = S::Base::zero_vec(layout.rows());
    let column = |poly| match poly {
        Poly::Early(i) => Cells::<S>::Base(early.column(i)),
        _ => Cells::Base(&zeros),
    };
    sent.matrices.extend(layout.early.iter().map(|group| assemble(group, layout.rows(), column)));
    let counts = multiplicities(circuit, layout, slots, &sent.grid(domain));
    for (t, counts) in counts.iter().enumerate() {
        let slot = slots.of(Poly::Multiplicity(t));
        let matrix = &mut sent.matrices[slot.matrix];
        let cells = matrix.values.iter_mut().skip(slot.offset).step_by(matrix.width);
        cells.zip(counts).for_each(|(cell, &count)| *cell = count);
    }
}

/// Public values, then zeros.
fn instance_column<F: Field>(instance: &[F], rows: usize) -> Columns<F> {
    let mut values = instance.to_vec();
    values.resize(rows, F::ZERO);
    Columns::new(values, 1)
}

/// What has been sent, with the instance before it.
struct Sent<F: Send + Sync + Clone> {
    matrices: Vec<Columns<F>>,
    oracles: Oracles,
}

impl<F: Field> Sent<F> {
    fn grid<'a>(&'a self, points: &'a [F]) -> Grid<'a, F> {
        let matrices = self.matrices.iter().map(|m| (m.values.as_slice(), m.width)).collect();
        Grid { matrices, points, reversed: false }
    }

    /// Sends the matrices from `first` on as an oracle, if there are any.
    fn send<S: Smooth<Base = F>>(
        &mut self,
        ch: &mut dyn OracleProver<S, UniEval<S::Ext>>,
        label: Label,
        first: usize,
    ) -> Result<(), ProveError> {
        let matrices = self.matrices[first..].to_vec();
        self.oracles.0.push(if matrices.is_empty() { None } else { Some(ch.send_oracle(label, matrices)?) });
        Ok(())
    }
}

/// Where values on cosets come from, matrix by matrix, and the shift of the cosets. With an extension,
/// the scheme has low-degree extensions at hand; without one, a coset at a time is less memory.
fn sources<'o, S: Smooth>(
    layout: &Layout,
    matrices: Vec<Columns<S::Base>>,
    oracles: &Oracles,
    ch: &'o dyn OracleProver<S, UniEval<S::Ext>>,
) -> (Vec<Source<'o, S::Base>>, S::Base) {
    if <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION == 1 {
        return (matrices.into_iter().map(Source::transform).collect(), S::Base::GENERATOR);
    }
    let mut sources: Vec<_> = matrices.into_iter().take(1).map(Source::transform).collect();
    let mut shift = S::Base::GENERATOR;
    for (oracle, matrix, _, next) in layout.openings(oracles) {
        if !next {
            let view = ch.view(oracle, matrix, layout.log_parts());
            shift = view.shift;
            sources.push(Source::Extended(view));
        }
    }
    (sources, shift)
}
