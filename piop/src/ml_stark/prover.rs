//! The prover of `ml_stark`, message by message as the verifier expects.

use p3_field::{PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::Kernel;
use trilemma_arith::air::{Air, PublicTerm, Trace};
use trilemma_arith::kernel::{Cells, Challenges, PackedBase, PackedExt};
use trilemma_arith::products::{Products, Var, Weighted};
use trilemma_core::channel::{Oracle, Question};
use trilemma_core::{MlEval, ProveError, Setting};

use super::{alpha_term, coordinate_term, rounds};
use crate::instances::{InstanceLayout, Instances, columns};
use crate::logup_gkr::{self, Fractions, Stack};
use crate::packed::lanes;
use crate::rows::{BaseColumns, Multiplied, Prover, Side, prove_next_rows, prove_rows};

/// Convinces the verifier of a satisfied relation.
pub fn prove<S: Setting>(
    air: &Air<S>,
    statement: &[PublicTerm],
    trace: Trace,
    ch: &mut Prover<'_, S>,
) -> Result<(), ProveError> {
    let (sizes, instances) = Instances::of(air, &trace)?;
    ch.send_sizes("heights", &sizes);
    let main = ch.send_oracle("main", columns::<S>(trace, &instances))?;

    let gamma = ch.sample("gamma", Some(instances.bus_term::<S>(statement.len())))?;
    let beta = ch.sample("beta", None)?;
    let challenges = Challenges::new(gamma, beta, instances.arity);

    let stack = Stack::new(&instances);
    let fractions = fractions(air, &instances, &stack, main, &challenges, ch);
    let inputs = logup_gkr::prove(ch, &stack, fractions)?;
    let mut r = Vec::new();
    for _ in stack.layers..instances.log_max {
        r.push(ch.sample("zerocheck", Some(coordinate_term::<S>()))?);
    }
    r.extend(&inputs.point);
    let r = &r[r.len() - instances.log_max..];

    let alpha = ch.sample("alpha", Some(alpha_term::<S>(&instances)))?;
    let next: Vec<_> = instances.list.iter().map(|i| air.tables[i.table].shape().next_columns()).collect();
    let rho = row_sumcheck(air, (&instances, &next), &stack, main, &challenges, (&inputs.point, r, alpha), ch)?;

    let mut questions = Vec::new();
    for (k, i) in instances.list.iter().enumerate() {
        let query = MlEval(rho[rho.len() - i.log_height..].to_vec());
        if let Some(matrix) = i.fixed {
            questions.push(Question { oracle: Oracle(0), matrix, query: query.clone() });
        }
        questions.push(Question { oracle: main, matrix: k, query });
    }
    ch.ask(questions)?;
    prove_next_rows(&instances, &next, &rho, main, ch)
}

/// Every fraction of a stack.
fn fractions<S: Setting>(
    air: &Air<S>,
    instances: &Instances,
    stack: &Stack,
    main: Oracle,
    challenges: &Challenges<S::Ext>,
    ch: &Prover<'_, S>,
) -> Fractions<S> {
    const CHUNK: usize = 1 << 6;
    let lanes = lanes::<S>();
    let mut p = PackedBase::<S>::zero_vec(stack.len.div_ceil(lanes));
    let mut q: Vec<PackedExt<S>> = rayon::iter::repeat_n(PackedExt::<S>::ONE, p.len()).collect();
    let mut few = Vec::new();
    for run in &stack.runs {
        let instance = &instances.list[run.instance];
        let kernel = air.tables[instance.table].as_ref();
        let base = BaseColumns::of(instance, &kernel.shape().next_columns(), main, run.instance, ch);
        if 1 << run.log_height < lanes {
            few.extend(few_rows(kernel, instance, &base, challenges));
            continue;
        }
        let words = (1usize << run.log_height) / lanes;
        let at = run.offset / lanes;
        let (p, q) = (&mut p[at..][..words * run.interactions], &mut q[at..][..words * run.interactions]);
        let mut chunks: Vec<Vec<_>> = (0..words.div_ceil(CHUNK)).map(|_| Vec::new()).collect();
        for (p, q) in p.chunks_mut(words).zip(q.chunks_mut(words)) {
            for (chunk, piece) in chunks.iter_mut().zip(p.chunks_mut(CHUNK).zip(q.chunks_mut(CHUNK))) {
                chunk.push(piece);
            }
        }
        let columns = Rows::new(instance, &base);
        chunks.into_par_iter().enumerate().for_each(|(c, mut pieces)| {
            let (mut cells, mut out) = (columns.cells(), Vec::with_capacity(run.interactions));
            for i in 0..pieces[0].0.len() {
                out.clear();
                kernel.packed(columns.load(c * CHUNK + i, &mut cells), challenges, &[], &mut out);
                for ((p, q), &(numerator, denominator)) in pieces.iter_mut().zip(&out) {
                    p[i] = numerator;
                    q[i] = denominator;
                }
            }
        });
    }
    let start = (stack.len - few.len()) / lanes;
    for (word, pairs) in few.chunks(lanes).enumerate() {
        let pair = |lane: usize| pairs.get(lane).copied().unwrap_or((S::Base::ZERO, S::Ext::ONE));
        p[start + word] = PackedBase::<S>::from_fn(|lane| pair(lane).0);
        q[start + word] = p3_field::PackedFieldExtension::from_ext_fn(|lane| pair(lane).1);
    }
    Fractions { p, q }
}

/// Packed columns of an instance and the buffers for one word of rows.
struct Rows<'a, S: Setting> {
    fixed: Vec<&'a [PackedBase<S>]>,
    main: Vec<&'a [PackedBase<S>]>,
    next: Vec<(usize, &'a [PackedBase<S>])>,
}

/// One word of rows: fixed columns, columns, and columns on the next row.
type Words<S> = [Vec<PackedBase<S>>; 3];

impl<'a, S: Setting> Rows<'a, S> {
    fn new(instance: &InstanceLayout, base: &'a BaseColumns<'_, S>) -> Self {
        let fixed = base.fixed.as_ref().map_or(0, |view| view.values.len() / view.height);
        Self {
            fixed: (0..fixed).map(|c| base.packed(Var::Fixed(c))).collect(),
            main: (0..instance.width).map(|c| base.packed(Var::Main(c))).collect(),
            next: base.next.iter().map(|(c, column)| (*c, PackedBase::<S>::pack_slice(column))).collect(),
        }
    }

    fn cells(&self) -> Words<S> {
        let next = if self.next.is_empty() { 0 } else { self.main.len() };
        [self.fixed.len(), self.main.len(), next].map(PackedBase::<S>::zero_vec)
    }

    fn load<'w>(&self, i: usize, [fixed, main, next]: &'w mut Words<S>) -> Cells<'w, PackedBase<S>> {
        fixed.iter_mut().zip(&self.fixed).for_each(|(cell, column)| *cell = column[i]);
        main.iter_mut().zip(&self.main).for_each(|(cell, column)| *cell = column[i]);
        self.next.iter().for_each(|(c, column)| next[*c] = column[i]);
        Cells { fixed, main, next }
    }
}

/// The fractions of an instance with fewer rows than a word has lanes, interaction by interaction.
fn few_rows<S: Setting>(
    kernel: &dyn Kernel<S>,
    instance: &InstanceLayout,
    base: &BaseColumns<'_, S>,
    challenges: &Challenges<S::Ext>,
) -> Vec<(S::Base, S::Ext)> {
    let height = base.main.height;
    let mut out = vec![(S::Base::ZERO, S::Ext::ONE); height * instance.interactions];
    let fixed = base.fixed.as_ref().map_or(0, |view| view.values.len() / view.height);
    for row in 0..height {
        let fixed: Vec<S::Base> = (0..fixed).map(|c| base.column(Var::Fixed(c))[row]).collect();
        let main: Vec<S::Base> = (0..instance.width).map(|c| base.column(Var::Main(c))[row]).collect();
        let mut next = if instance.uses_next { S::Base::zero_vec(instance.width) } else { Vec::new() };
        base.next.iter().for_each(|(c, column)| next[*c] = column[row]);
        let values = kernel.row(Cells { fixed: &fixed, main: &main, next: &next });
        for (j, (bus, m, tuple)) in values.interactions.into_iter().enumerate() {
            out[j * height + row] = (m, challenges.denominator(bus, &tuple));
        }
    }
    out
}

/// Step 5: the point where the row sumcheck ends.
fn row_sumcheck<S: Setting>(
    air: &Air<S>,
    (instances, next): (&Instances, &[Vec<usize>]),
    stack: &Stack,
    main: Oracle,
    challenges: &Challenges<S::Ext>,
    (point, r, alpha): (&[S::Ext], &[S::Ext], S::Ext),
    ch: &mut Prover<'_, S>,
) -> Result<Vec<S::Ext>, ProveError> {
    let mut places = vec![Vec::new(); instances.list.len()];
    for run in &stack.runs {
        places[run.instance] = stack.weights::<S>(run, point);
    }
    let mut powers = alpha.powers().skip(2);
    let texts: Vec<(Products, Weighted<S::Ext>)> = instances
        .list
        .iter()
        .zip(&places)
        .map(|(i, places)| {
            let products = Products::of(air.tables[i.table].shape());
            let mut weights = Weighted::new(products.products.len());
            for (constraint, alpha) in products.constraints.iter().zip(powers.by_ref()) {
                weights.add(constraint, alpha);
            }
            for ((bus, multiplicity, tuple), &place) in products.interactions.iter().zip(places) {
                weights.add(multiplicity, place);
                let scale = alpha * place;
                weights.constant += scale * (challenges.gamma - S::Ext::from_u32(*bus));
                tuple.iter().zip(&challenges.beta).for_each(|(entry, &beta)| weights.add(entry, -(scale * beta)));
            }
            (products, weights)
        })
        .collect();

    let rounds = rounds(air, instances);
    let mut sides: Vec<Side<'_, S>> = Vec::with_capacity(texts.len());
    for (k, (i, (products, weights))) in instances.list.iter().zip(&texts).enumerate() {
        let base = BaseColumns::of(i, &next[k], main, k, ch);
        let point = r[r.len() - i.log_height..].to_vec();
        sides.push(Side::new(Multiplied::new(products, weights, &[]), &base, &[], i.log_height, rounds.degree, point));
    }
    prove_rows(ch, rounds, (instances, next), main, sides)
}
