//! The prover of the layered circuit.
//!
//! Layers are halved by their top bit, so that words of SIMD lanes never need a shuffle until a layer
//! is as short as a word; from there on scalars take over. Only the first layer has numerators over
//! the base field, and only there may the second half be cut short. Fresh memory costs more than the
//! arithmetic, so tables are bound where they are, the next message being computed in the same pass.

use p3_field::{Algebra, Field, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::kernel::{PackedBase, PackedExt};
use trilemma_core::channel::OracleProver;
use trilemma_core::multilinear::SplitEq;
use trilemma_core::{ClaimKind, ProveError, Setting};

use super::verifier::{Inputs, line_term};
use super::{ROUNDS, Stack};
use crate::packed::{bind, bind_in_place, broadcast, lanes, total, unpack, weighted};
use crate::sumcheck;

/// The fractions of a stack, in packed words; the last word is filled up with `0 / 1`.
pub struct Fractions<S: Setting> {
    /// Numerators.
    pub p: Vec<PackedBase<S>>,
    /// Denominators.
    pub q: Vec<PackedExt<S>>,
}

/// A node of the circuit, `p_0 q_1 + p_1 q_0 + lambda q_0 q_1`.
fn node<P, X: Algebra<P> + Copy>(p0: P, p1: P, q0: X, q1: X, lambda: X) -> X {
    q1 * p0 + q0 * (lambda * q1 + p1)
}

/// The first layer: `2 half` fractions, of which those at the end that are missing are `0 / 1`.
struct First<P, X> {
    p: Vec<P>,
    q: Vec<X>,
    half: usize,
}

impl<P, X> First<P, X>
where
    P: PrimeCharacteristicRing + Copy + Send + Sync,
    X: Algebra<P> + Copy + Send + Sync,
{
    fn at(&self, i: usize) -> (P, X) {
        (self.p.get(i).copied().unwrap_or(P::ZERO), self.q.get(i).copied().unwrap_or(X::ONE))
    }

    /// Entry `i` of the second layer.
    fn sum(&self, i: usize) -> (X, X) {
        let ((p0, q0), (p1, q1)) = (self.at(i), self.at(i + self.half));
        (q1 * p0 + q0 * p1, q0 * q1)
    }

    fn second(&self) -> (Vec<X>, Vec<X>) {
        unzipped(self.half, |i| self.sum(i))
    }

    /// The third layer, without the second in memory.
    fn third(&self) -> (Vec<X>, Vec<X>) {
        let half = self.half / 2;
        unzipped(half, |i| {
            let ((p0, q0), (p1, q1)) = (self.sum(i), self.sum(i + half));
            (q1 * p0 + q0 * p1, q0 * q1)
        })
    }

    /// The coefficient of `X^2` of the first round.
    fn leading<E: Field>(&self, high: &[E], low: &[X], lambda: X, total: impl Fn(X) -> E + Sync) -> E {
        let quarter = self.half / 2;
        let [sum] = weighted(high, low, total, |i| {
            let step = |i: usize| {
                let ((p0, q0), (p1, q1)) = (self.at(i), self.at(i + quarter));
                (p1 - p0, q1 - q0)
            };
            let ((p0, q0), (p1, q1)) = (step(i), step(i + self.half));
            [node(p0, p1, q0, q1, lambda)]
        });
        sum
    }

    /// Binds the first variable; nothing is missing afterwards.
    fn bind(self, r: X) -> Layer<X> {
        let Self { p, mut q, half } = self;
        let quarter = half / 2;
        let mut bound = bind(&p[..half.min(p.len())], quarter, P::ZERO, r);
        bound.extend(bind(p.get(half..).unwrap_or(&[]), quarter, P::ZERO, r));
        drop(p);
        q.resize(q.len().max(half + quarter), X::ONE);
        let (low, high) = q.split_at_mut(half);
        bind_in_place(low, quarter, X::ONE, r);
        bind_in_place(high, quarter, X::ONE, r);
        Layer {
            p: Halves { values: bound, second: quarter, half: quarter },
            q: Halves { values: q, second: half, half: quarter },
        }
    }
}

/// Two tables of so many entries.
fn unzipped<X: Send>(len: usize, at: impl Fn(usize) -> (X, X) + Send + Sync) -> (Vec<X>, Vec<X>) {
    let (mut p, mut q) = (Vec::new(), Vec::new());
    (0..len).into_par_iter().with_min_len(1 << 9).map(at).unzip_into_vecs(&mut p, &mut q);
    (p, q)
}

/// A table cut in two halves by its top bit. Binding the next variable shortens both where they are.
struct Halves<X> {
    values: Vec<X>,
    /// Where the second half starts.
    second: usize,
    /// Entries of a half.
    half: usize,
}

impl<X: PrimeCharacteristicRing + Copy + Send + Sync> Halves<X> {
    fn new(values: Vec<X>) -> Self {
        let half = values.len() / 2;
        Self { values, second: half, half }
    }

    fn parts(&self) -> [&[X]; 2] {
        [&self.values[..self.half], &self.values[self.second..][..self.half]]
    }

    fn parts_mut(&mut self) -> [&mut [X]; 2] {
        let (low, high) = self.values.split_at_mut(self.second);
        [&mut low[..self.half], &mut high[..self.half]]
    }

    fn bind(&mut self, r: X) {
        let quarter = self.half / 2;
        self.parts_mut().into_iter().for_each(|part| bind_in_place(part, quarter, X::ZERO, r));
        self.half = quarter;
    }
}

/// A part of a table, by its first two variables: what it holds at `00`, `01`, `10` and `11`.
type Quarters<'a, X> = [&'a mut [X]; 4];

/// A table's parts of so many entries from each quarter.
fn quarters<X: Send>(table: &mut [X], entries: usize) -> impl IndexedParallelIterator<Item = Quarters<'_, X>> {
    let (low, high) = table.split_at_mut(table.len() / 2);
    let ((a, b), (c, d)) = (low.split_at_mut(low.len() / 2), high.split_at_mut(high.len() / 2));
    let (low, high) = (a.par_chunks_mut(entries).zip(b.par_chunks_mut(entries)), c.par_chunks_mut(entries));
    low.zip(high).zip(d.par_chunks_mut(entries)).map(|(((a, b), c), d)| [a, b, c, d])
}

/// Binds the first variable to `r` at entry `i`: what is left as a line in the second.
fn bind_line<X: PrimeCharacteristicRing + Copy>([a, b, c, d]: &mut Quarters<'_, X>, i: usize, r: X) -> [X; 2] {
    a[i] += r * (c[i] - a[i]);
    b[i] += r * (d[i] - b[i]);
    [a[i], b[i] - a[i]]
}

/// A later layer: numerators and denominators in halves.
struct Layer<X> {
    p: Halves<X>,
    q: Halves<X>,
}

impl<X: PrimeCharacteristicRing + Copy + Send + Sync> Layer<X> {
    fn new((p, q): (Vec<X>, Vec<X>)) -> Self {
        Self { p: Halves::new(p), q: Halves::new(q) }
    }

    /// Entries of a half.
    fn half(&self) -> usize {
        self.p.half
    }

    /// The next layer's numerators and denominators.
    fn combine(&self) -> (Vec<X>, Vec<X>) {
        let ([p0, p1], [q0, q1]) = (self.p.parts(), self.q.parts());
        unzipped(self.half(), |i| (q1[i] * p0[i] + q0[i] * p1[i], q0[i] * q1[i]))
    }

    /// The coefficient of `X^2` of a round, and the one of `X^0`.
    fn message<E: Field>(&self, high: &[E], low: &[X], lambda: X, total: impl Fn(X) -> E + Sync) -> [E; 2] {
        let quarter = self.half() / 2;
        let ([p0, p1], [q0, q1]) = (self.p.parts(), self.q.parts());
        weighted(high, low, total, |i| {
            let j = i + quarter;
            let at_zero = node(p0[i], p1[i], q0[i], q1[i], lambda);
            [node(p0[j] - p0[i], p1[j] - p1[i], q0[j] - q0[i], q1[j] - q1[i], lambda), at_zero]
        })
    }

    /// [`Self::message`] without the coefficient of `X^0`.
    fn leading<E: Field>(&self, high: &[E], low: &[X], lambda: X, total: impl Fn(X) -> E + Sync) -> E {
        let quarter = self.half() / 2;
        let ([p0, p1], [q0, q1]) = (self.p.parts(), self.q.parts());
        let [sum] = weighted(high, low, total, |i| {
            let j = i + quarter;
            [node(p0[j] - p0[i], p1[j] - p1[i], q0[j] - q0[i], q1[j] - q1[i], lambda)]
        });
        sum
    }

    fn bind(&mut self, r: X) {
        self.p.bind(r);
        self.q.bind(r);
    }

    /// [`Self::bind`], then [`Self::message`], in one pass over the tables.
    fn bind_and_message<E: Field>(
        &mut self,
        r: X,
        (high, low): (&[E], &[X]),
        lambda: X,
        total: impl Fn(X) -> E + Sync,
    ) -> [E; 2] {
        let ([p0, p1], [q0, q1]) = (self.p.parts_mut(), self.q.parts_mut());
        let [p0, p1, q0, q1] = [p0, p1, q0, q1].map(|part| quarters(part, low.len()));
        let sums = p0.zip(p1).zip(q0.zip(q1)).zip(high).map(|(((mut p0, mut p1), (mut q0, mut q1)), &high)| {
            let mut sums = [X::ZERO; 2];
            for (i, &weight) in low.iter().enumerate() {
                let lines = [&mut p0, &mut p1, &mut q0, &mut q1].map(|quarters| bind_line(quarters, i, r));
                for (sum, x) in sums.iter_mut().zip([1, 0]) {
                    *sum += weight * node(lines[0][x], lines[1][x], lines[2][x], lines[3][x], lambda);
                }
            }
            sums.map(|sum| total(sum) * high)
        });
        let sums = sums.reduce(|| [E::ZERO; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        self.p.half /= 2;
        self.q.half /= 2;
        sums
    }
}

/// A layer in whichever form is fastest.
enum Form<S: Setting> {
    First(First<PackedBase<S>, PackedExt<S>>),
    Packed(Layer<PackedExt<S>>),
    Scalar(Layer<S::Ext>),
}

impl<S: Setting> Form<S> {
    /// The first layer; `layers` decides its full length.
    fn first(fractions: Fractions<S>, layers: usize) -> Self {
        let half = (1usize << layers) / 2 / lanes::<S>();
        if half >= 2 {
            return Self::First(First { p: fractions.p, q: fractions.q, half });
        }
        let p: Vec<_> = fractions.p.iter().map(|&p| PackedExt::<S>::from(p)).collect();
        let (mut p, mut q) = (unpack::<S>(&p), unpack::<S>(&fractions.q));
        p.resize(1 << layers, S::Ext::ZERO);
        q.resize(1 << layers, S::Ext::ONE);
        Self::Scalar(Layer::new((p, q)))
    }

    fn next(&self) -> Self {
        match self {
            Self::First(layer) => Self::shortened(layer.second()),
            Self::Packed(layer) => Self::shortened(layer.combine()),
            Self::Scalar(layer) => Self::Scalar(Layer::new(layer.combine())),
        }
    }

    /// Packed while both halves hold two words.
    fn shortened((p, q): (Vec<PackedExt<S>>, Vec<PackedExt<S>>)) -> Self {
        if p.len() >= 4 {
            return Self::Packed(Layer::new((p, q)));
        }
        Self::Scalar(Layer::new((unpack::<S>(&p), unpack::<S>(&q))))
    }

    /// The coefficient of `X^2` of the first round, where `point` belongs to the variables after it.
    fn leading(&self, point: &[S::Ext], lambda: S::Ext) -> S::Ext {
        let eq = SplitEq::<S::Base, S::Ext>::new(point);
        match self {
            Self::First(layer) => layer.leading(eq.high(), eq.packed(), broadcast::<S>(lambda), total::<S>),
            Self::Packed(layer) => layer.leading(eq.high(), eq.packed(), broadcast::<S>(lambda), total::<S>),
            Self::Scalar(layer) => layer.leading(eq.high(), eq.low(), lambda, |x| x),
        }
    }

    /// Binds a variable; then the coefficients of `X^2` and `X^0` of the next round.
    fn bind_and_message(&mut self, r: S::Ext, point: &[S::Ext], lambda: S::Ext) -> [S::Ext; 2] {
        let eq = SplitEq::<S::Base, S::Ext>::new(point);
        if let Self::Packed(layer) = self
            && layer.half() >= 4
        {
            let weights = (eq.high(), eq.packed());
            return layer.bind_and_message(broadcast::<S>(r), weights, broadcast::<S>(lambda), total::<S>);
        }
        self.bind(r);
        match self {
            Self::Packed(layer) => layer.message(eq.high(), eq.packed(), broadcast::<S>(lambda), total::<S>),
            Self::Scalar(layer) => layer.message(eq.high(), eq.low(), lambda, |x| x),
            Self::First(_) => [S::Ext::ZERO; 2],
        }
    }

    fn bind(&mut self, r: S::Ext) {
        let packed = broadcast::<S>(r);
        let empty = || Self::Scalar(Layer::new((Vec::new(), Vec::new())));
        *self = match std::mem::replace(self, empty()) {
            Self::First(layer) => Self::settled(layer.bind(packed)),
            Self::Packed(mut layer) => {
                layer.bind(packed);
                Self::settled(layer)
            }
            Self::Scalar(mut layer) => {
                layer.bind(r);
                Self::Scalar(layer)
            }
        };
    }

    /// Packed while both halves hold two words.
    fn settled(layer: Layer<PackedExt<S>>) -> Self {
        if layer.half() >= 2 {
            return Self::Packed(layer);
        }
        let scalars = |halves: &Halves<PackedExt<S>>| unpack::<S>(&halves.parts().concat());
        Self::Scalar(Layer::new((scalars(&layer.p), scalars(&layer.q))))
    }

    /// The two halves, when each is one value.
    fn values(&self) -> [S::Ext; 4] {
        match self {
            Self::Scalar(Layer { p, q }) if p.half == 1 => {
                let ([p0, p1], [q0, q1]) = (p.parts(), q.parts());
                [p0[0], p1[0], q0[0], q1[0]]
            }
            _ => [S::Ext::ZERO; 4],
        }
    }
}

/// All layers but the second, which is as large as the upper ones together and made again when they are
/// done.
fn layers<S: Setting>(stack: &Stack, fractions: Fractions<S>) -> Vec<Form<S>> {
    let mut layers = vec![Form::<S>::first(fractions, stack.layers)];
    while layers.len() < stack.layers {
        let next = match layers.last() {
            Some(Form::First(first)) if stack.layers > 2 => {
                let third = Form::shortened(first.third());
                layers.push(Form::Scalar(Layer::new((Vec::new(), Vec::new()))));
                Some(third)
            }
            last => last.map(Form::next),
        };
        layers.extend(next);
    }
    layers
}

/// Convinces [`super::verify`].
pub fn prove<S: Setting, Q: ClaimKind<S>>(
    ch: &mut dyn OracleProver<S, Q>,
    stack: &Stack,
    fractions: Fractions<S>,
) -> Result<Inputs<S::Ext>, ProveError> {
    let mut layers = layers(stack, fractions);
    let root = match layers.last() {
        Some(Form::Scalar(layer)) if layer.half() > 0 => {
            let (p, q) = layer.combine();
            [p[0], q[0]]
        }
        Some(Form::Scalar(Layer { p, q })) => [p.values[0], q.values[0]],
        _ => [S::Ext::ZERO, S::Ext::ONE],
    };
    ch.send("bus root", &root);

    let (mut point, [mut p, mut q], mut at_zero) = (Vec::new(), root, root);
    while let Some(mut form) = layers.pop().filter(|_| stack.layers > 0) {
        if let ([first @ Form::First(_)], true) = (&layers[..], stack.layers > 2) {
            form = first.next();
        }
        let lambda = ch.sample("lambda", Some(line_term::<S>()))?;
        let claim = (p + lambda * q, at_zero[0] + lambda * at_zero[1]);
        let mut rho = prove_layer(ch, &mut form, &point, lambda, claim)?;
        let [p0, p1, q0, q1] = form.values();
        ch.send("layer values", &[p0, p1, q0, q1]);
        let mu = ch.sample("mu", Some(line_term::<S>()))?;
        p = p0 + mu * (p1 - p0);
        q = q0 + mu * (q1 - q0);
        at_zero = [p0, q0];
        rho.insert(0, mu);
        point = rho;
    }
    Ok(Inputs { point, p, q })
}

/// The rounds of a layer, whose sum is `claim.0`. The layer above ended with what `t(0)` is in the first
/// round, `claim.1`; after each, the claim tells `t(1)` and the coefficient of `X^2` the rest.
fn prove_layer<S: Setting, Q: ClaimKind<S>>(
    ch: &mut dyn OracleProver<S, Q>,
    form: &mut Form<S>,
    point: &[S::Ext],
    lambda: S::Ext,
    (mut claim, at_zero): (S::Ext, S::Ext),
) -> Result<Vec<S::Ext>, ProveError> {
    let mut rho: Vec<S::Ext> = Vec::with_capacity(point.len());
    for (i, &z) in point.iter().enumerate() {
        let rest = &point[i + 1..];
        let [leading, at_zero] = match rho.last() {
            None => [form.leading(rest, lambda), at_zero],
            Some(&r) => form.bind_and_message(r, rest, lambda),
        };
        let at_one = (claim - (S::Ext::ONE - z) * at_zero) * z.try_inverse().unwrap_or_default();
        let at_two = (at_one + leading).double() - at_zero;
        ch.send(ROUNDS.label, &[at_zero, at_two]);
        let r = ch.sample("rho", Some(ROUNDS.term::<S>()))?;
        claim = sumcheck::interpolate(&[at_zero, at_one, at_two], r);
        rho.push(r);
    }
    if let Some(&r) = rho.last() {
        form.bind(r);
    }
    Ok(rho)
}
