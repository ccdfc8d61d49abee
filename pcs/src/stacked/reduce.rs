//! One sumcheck from many claims about the columns of stacks to one evaluation of each stack.
//!
//! The verifier draws `tau`, so that claim `j` counts `tau^j`, and both sides run the sumcheck of
//! `sum over o of eq(0, z_o) f_o(x) W_o(x)`, where the last `m_o` of all variables are `x` and those
//! before are `z_o`. `W_o` is a sum, over claims, of `eq` at the column's prefix times `eq` at the
//! claim's point.
//!
//! The prover never writes `W_o` down. While the variables bound lie in every claim's prefix, the
//! sums need only each column's value at each point; then one pass over the stack binds them all,
//! and what is left is as long as the tallest column.

use std::collections::HashMap;

use p3_field::{Field, PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_core::claim::{Claim, MlEval};
use trilemma_core::multilinear::{SplitEq, eq, eq_index, eq_table, fold};
use trilemma_core::{ConfigError, ErrorTerm, ProverTranscript, Reject, Setting, VerifierTranscript};

use super::layout::{Block, Layout};

type MlClaim<S> = Claim<MlEval<<S as Setting>::Ext>, <S as Setting>::Ext>;
/// Oracle, point and value.
type Reduced<S> = (usize, Vec<<S as Setting>::Ext>, <S as Setting>::Ext);

/// The claims of one oracle, each with its block and the weight of its first column.
struct Asked<'a, S: Setting> {
    oracle: usize,
    layout: &'a Layout,
    claims: Vec<(&'a MlClaim<S>, Block, S::Ext)>,
}

/// What both sides derive: the oracles asked, the most variables, and the batched sum of each.
struct Batch<'a, S: Setting> {
    asked: Vec<Asked<'a, S>>,
    variables: usize,
    tau: S::Ext,
}

impl<'a, S: Setting> Batch<'a, S> {
    fn new(layouts: &[&'a Layout], claims: &'a [MlClaim<S>], tau: S::Ext) -> Option<Self> {
        let mut asked: Vec<Asked<'a, S>> = Vec::new();
        let mut weight = S::Ext::ONE;
        for claim in claims {
            let layout = *layouts.get(claim.oracle)?;
            let block = *layout.blocks.get(claim.matrix)?;
            if block.log_height != claim.query.0.len() || block.width != claim.values.len() {
                return None;
            }
            // Columns that are none claim nothing, and may be higher than the stack.
            if block.width == 0 {
                continue;
            }
            let entry = (claim, block, weight);
            weight *= tau.exp_u64(block.width as u64);
            match asked.iter_mut().find(|a| a.oracle == claim.oracle) {
                Some(a) => a.claims.push(entry),
                None => asked.push(Asked { oracle: claim.oracle, layout, claims: vec![entry] }),
            }
        }
        // An oracle without cells is not committed to: its claims have no values.
        asked.retain(|a| !a.layout.is_empty());
        let variables = asked.iter().map(|a| a.layout.variables).max().unwrap_or(0);
        Some(Self { asked, variables, tau })
    }

    /// `sum tau^j v_j` over the claims of one oracle.
    fn sum(&self, asked: &Asked<'_, S>) -> S::Ext {
        let claim = |(claim, _, weight): &(&MlClaim<S>, Block, S::Ext)| {
            claim.values.iter().rev().fold(S::Ext::ZERO, |acc, &v| acc * self.tau + v) * *weight
        };
        asked.claims.iter().map(claim).sum()
    }

    /// `W_o(point)`.
    fn weights_at(&self, asked: &Asked<'_, S>, point: &[S::Ext]) -> S::Ext {
        let claim = |(claim, block, weight): &(&MlClaim<S>, Block, S::Ext)| {
            let (prefix, rest) = point.split_at(asked.layout.variables - block.log_height);
            let first = block.offset >> block.log_height;
            let columns: S::Ext =
                (0..block.width).zip(self.tau.powers()).map(|(c, tau)| tau * eq_index(first + c, prefix)).sum();
            *weight * columns * eq(&claim.query.0, rest)
        };
        asked.claims.iter().map(claim).sum()
    }
}

fn tau_term<S: Setting>(claims: &[MlClaim<S>], list_bits: f64) -> ErrorTerm {
    let values: usize = claims.iter().map(|c| c.values.len()).sum();
    ErrorTerm::schwartz_zippel("opening batching", values as f64, S::ext_bits()).losing(list_bits)
}

fn round_term<S: Setting>(list_bits: f64) -> ErrorTerm {
    let term = ErrorTerm::schwartz_zippel("opening sumcheck", 2.0, S::ext_bits());
    ErrorTerm { reference: "[LFKN92] Section 3", ..term }.losing(list_bits)
}

/// Decides what the oracles must evaluate to.
pub fn verify<S: Setting>(
    layouts: &[Layout],
    claims: &[MlClaim<S>],
    list_bits: f64,
    t: &mut VerifierTranscript<'_>,
) -> Result<Vec<Reduced<S>>, Reject> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let tau = t.challenge::<S>("tau", Some(&tau_term::<S>(claims, list_bits)))?;
    let layouts: Vec<&Layout> = layouts.iter().collect();
    let batch = Batch::<S>::new(&layouts, claims, tau).ok_or_else(|| Reject::new("a claim that fits no matrix"))?;
    let mut sum: S::Ext = batch.asked.iter().map(|a| batch.sum(a)).sum();

    // Round polynomials `c0 + c1 X + c2 X^2`, of which `c1` follows from the sum.
    let mut rho = Vec::with_capacity(batch.variables);
    for _ in 0..batch.variables {
        let sent = t.recv_ext::<S>("opening sumcheck", 2)?;
        let (c0, c2) = (sent[0], sent[1]);
        let r = t.challenge::<S>("rho", Some(&round_term::<S>(list_bits)))?;
        sum = c0 + r * (sum - c0.double() - c2 + r * c2);
        rho.push(r);
    }
    let values = t.recv_ext::<S>("opening values", batch.asked.len())?;

    let mut expected = S::Ext::ZERO;
    let mut reduced = Vec::with_capacity(values.len());
    for (asked, value) in batch.asked.iter().zip(values) {
        let (before, point) = rho.split_at(batch.variables - asked.layout.variables);
        let at_zero: S::Ext = before.iter().map(|&r| S::Ext::ONE - r).product();
        expected += at_zero * value * batch.weights_at(asked, point);
        reduced.push((asked.oracle, point.to_vec(), value));
    }
    if expected != sum {
        return Err(Reject::new("the opening sumcheck"));
    }
    Ok(reduced)
}

/// Convinces [`verify`].
pub fn prove<S: Setting>(
    layouts: &[&Layout],
    stacks: &[&[S::Base]],
    claims: &[MlClaim<S>],
    list_bits: f64,
    t: &mut ProverTranscript,
) -> Result<Vec<Reduced<S>>, ConfigError> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let tau = t.challenge::<S>("tau", Some(&tau_term::<S>(claims, list_bits)))?;
    let batch =
        Batch::<S>::new(layouts, claims, tau).ok_or_else(|| ConfigError("a claim that fits no matrix".into()))?;
    let mut sides: Vec<Side<'_, S>> =
        batch.asked.iter().map(|asked| Side::new(&batch, asked, stacks[asked.oracle])).collect();
    let mut rho = Vec::with_capacity(batch.variables);
    for round in 0..batch.variables {
        let (mut c0, mut c2) = (S::Ext::ZERO, S::Ext::ZERO);
        for side in &mut sides {
            let (a, b) = side.message(batch.variables - round);
            c0 += a;
            c2 += b;
        }
        t.send_ext::<S>("opening sumcheck", &[c0, c2]);
        let r = t.challenge::<S>("rho", Some(&round_term::<S>(list_bits)))?;
        sides.iter_mut().for_each(|side| side.bind(batch.variables - round, r));
        rho.push(r);
    }
    let reduced: Vec<Reduced<S>> = batch
        .asked
        .iter()
        .zip(&sides)
        .map(|(asked, side)| {
            let point = rho[batch.variables - asked.layout.variables..].to_vec();
            (asked.oracle, point, side.value())
        })
        .collect();
    let values: Vec<S::Ext> = reduced.iter().map(|r| r.2).collect();
    t.send_ext::<S>("opening values", &values);
    Ok(reduced)
}

/// The prover's part for one oracle.
struct Side<'a, S: Setting> {
    stack: &'a [S::Base],
    /// Variables of the stack, and of its tallest claimed column.
    variables: usize,
    tallest: usize,
    /// `sum tau^j v_j`, and `eq(0, .)` of the variables bound before its own.
    sum: S::Ext,
    at_zero: S::Ext,
    /// Challenges of its own variables while these are prefixes of every column.
    prefix: Vec<S::Ext>,
    groups: Vec<Group<S::Ext>>,
    /// Once they are not: the rest of the stack, and of the weights.
    rest: Option<(Vec<S::Ext>, Vec<S::Ext>)>,
}

/// Claims at one point of columns of one height `2^n`. Binding the prefix variables of the tallest
/// column brings together the chunks of `2^n` cells whose numbers agree in their low bits.
struct Group<E> {
    point: Vec<E>,
    /// Low bits of chunks with claims, with the weights and values of the chunks that have them.
    chunks: Vec<(usize, Vec<E>, Vec<E>)>,
}

impl<'a, S: Setting> Side<'a, S> {
    fn new(batch: &Batch<'_, S>, asked: &Asked<'_, S>, stack: &'a [S::Base]) -> Self {
        let variables = asked.layout.variables;
        let tallest = asked.claims.iter().map(|(_, block, _)| block.log_height).max().unwrap_or(0);
        let mut points: Vec<&[S::Ext]> = Vec::new();
        for (claim, _, _) in &asked.claims {
            if !points.contains(&claim.query.0.as_slice()) {
                points.push(&claim.query.0);
            }
        }
        let groups = points.into_iter().map(|point| Self::group(batch, asked, stack, point, tallest)).collect();
        Self {
            stack,
            variables,
            tallest,
            sum: batch.sum(asked),
            at_zero: S::Ext::ONE,
            prefix: Vec::new(),
            groups,
            rest: None,
        }
    }

    fn group(
        batch: &Batch<'_, S>,
        asked: &Asked<'_, S>,
        stack: &[S::Base],
        point: &[S::Ext],
        tallest: usize,
    ) -> Group<S::Ext> {
        let n = point.len();
        let (copies, low_bits) = (1usize << (asked.layout.variables - tallest), tallest - n);
        // Weight and value of every claimed chunk, by its number.
        let mut claimed: HashMap<usize, (S::Ext, S::Ext)> = HashMap::new();
        for (claim, block, weight) in asked.claims.iter().filter(|(claim, _, _)| claim.query.0 == point) {
            let weights = batch.tau.powers().map(|tau| *weight * tau);
            for ((c, &value), weight) in claim.values.iter().enumerate().zip(weights) {
                claimed.entry((block.offset >> n) + c).or_insert((S::Ext::ZERO, value)).0 += weight;
            }
        }
        let mut lows: Vec<usize> = claimed.keys().map(|chunk| chunk & ((1 << low_bits) - 1)).collect();
        lows.sort_unstable();
        lows.dedup();
        let eq = SplitEq::<S::Base, S::Ext>::new(point);
        let chunks = lows
            .into_par_iter()
            .map(|low| {
                let copy = |high: usize| {
                    let chunk = high << low_bits | low;
                    let unclaimed = || (S::Ext::ZERO, eq.evaluate(&stack[chunk << n..(chunk + 1) << n]));
                    claimed.get(&chunk).copied().unwrap_or_else(unclaimed)
                };
                let (weights, values) = (0..copies).into_par_iter().map(copy).unzip();
                (low, weights, values)
            })
            .collect();
        Group { point: point.to_vec(), chunks }
    }

    /// Coefficients of `X^0` and `X^2` of the round in which `left` variables are unbound.
    fn message(&mut self, left: usize) -> (S::Ext, S::Ext) {
        if left > self.variables {
            return (self.at_zero * self.sum, S::Ext::ZERO);
        }
        if left == self.tallest {
            self.enter_rest();
        }
        let (c0, c2) = match &self.rest {
            Some((f, w)) => products(f, w),
            None => self
                .groups
                .iter()
                .flat_map(|g| &g.chunks)
                .map(|(_, weights, values)| products(values, weights))
                .fold((S::Ext::ZERO, S::Ext::ZERO), |a, b| (a.0 + b.0, a.1 + b.1)),
        };
        (self.at_zero * c0, self.at_zero * c2)
    }

    fn bind(&mut self, left: usize, r: S::Ext) {
        if left > self.variables {
            self.at_zero *= S::Ext::ONE - r;
        } else if let Some((f, w)) = &mut self.rest {
            fold(f, r);
            fold(w, r);
        } else {
            self.prefix.push(r);
            for (_, weights, values) in self.groups.iter_mut().flat_map(|g| &mut g.chunks) {
                fold(weights, r);
                fold(values, r);
            }
        }
    }

    /// Binds the prefix in the stack and writes the remaining weights down.
    fn enter_rest(&mut self) {
        let mut weights = S::Ext::zero_vec(1 << self.tallest);
        for group in &self.groups {
            let table = eq_table(&group.point, S::Ext::ONE);
            for (low, weight, _) in &group.chunks {
                let region = &mut weights[low << group.point.len()..][..table.len()];
                region.par_iter_mut().with_min_len(1 << 12).zip(&table).for_each(|(w, &e)| *w += weight[0] * e);
            }
        }
        self.groups.clear();
        self.rest = Some((combine::<S>(self.stack, &eq_table(&self.prefix, S::Ext::ONE)), weights));
    }

    /// `f_o(rho)`, when everything is bound.
    fn value(&self) -> S::Ext {
        match &self.rest {
            Some((f, _)) => f[0],
            None => combine::<S>(self.stack, &eq_table(&self.prefix, S::Ext::ONE))[0],
        }
    }
}

/// Coefficients of `X^0` and `X^2` of `sum a(X, x) b(X, x)`.
pub fn products<E: Field>(a: &[E], b: &[E]) -> (E, E) {
    let half = a.len() / 2;
    let ((a0, a1), (b0, b1)) = (a.split_at(half), b.split_at(half));
    (0..half)
        .into_par_iter()
        .with_min_len(1 << 11)
        .map(|i| (a0[i] * b0[i], (a1[i] - a0[i]) * (b1[i] - b0[i])))
        .reduce(|| (E::ZERO, E::ZERO), |x, y| (x.0 + y.0, x.1 + y.1))
}

/// `sum weights[h] stack[h]` over the stack's `weights.len()` equal parts.
pub fn combine<S: Setting>(stack: &[S::Base], weights: &[S::Ext]) -> Vec<S::Ext> {
    type Packed<S> = <<S as Setting>::Base as Field>::Packing;
    type PackedExt<S> = <<S as Setting>::Ext as p3_field::ExtensionField<<S as Setting>::Base>>::ExtensionPacking;
    let part = stack.len() / weights.len();
    let lanes = Packed::<S>::WIDTH;
    if part < lanes {
        let cell = |x: usize| weights.iter().enumerate().map(|(h, &w)| w * stack[h * part + x]).sum();
        return (0..part).map(cell).collect();
    }
    let mut out = S::Ext::zero_vec(part);
    let block = (1 << 10).min(part);
    out.par_chunks_mut(block).enumerate().for_each(|(i, out)| {
        let mut sums = vec![PackedExt::<S>::ZERO; block / lanes];
        for (h, &w) in weights.iter().enumerate() {
            let w = PackedExt::<S>::from(w);
            let cells = &stack[h * part + i * block..][..block];
            sums.iter_mut().zip(Packed::<S>::pack_slice(cells)).for_each(|(sum, &cell)| *sum += w * cell);
        }
        for (out, sum) in out.chunks_exact_mut(lanes).zip(&sums) {
            out.iter_mut().enumerate().for_each(|(lane, out)| *out = sum.extract(lane));
        }
    });
    out
}
