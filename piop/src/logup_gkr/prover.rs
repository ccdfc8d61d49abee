//! The prover of the layered circuit.
//!
//! Layers are halved by their top bit, so that words of SIMD lanes never need a shuffle until a layer
//! is as short as a word; from there on scalars take over. Only the first layer has numerators over
//! the base field, and only there may the second half be cut short.

use std::mem::take;

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

/// A table cut in two halves by its top bit. Binding the next variable shortens both where they are.
#[derive(Default)]
struct Halves<T> {
    values: Vec<T>,
    /// Where the second half starts.
    second: usize,
    /// Entries of a half.
    half: usize,
    /// Entries of the second half that are there; the others are `rest`.
    present: usize,
    rest: T,
}

impl<T: Copy + Send + Sync> Halves<T> {
    /// The table of `2 half` values, of which those at the end that are missing are `rest`.
    fn new(values: Vec<T>, half: usize, rest: T) -> Self {
        let present = values.len().saturating_sub(half).min(half);
        Self { values, second: half, half, present, rest }
    }

    /// The first half, and what there is of the second.
    fn parts(&self) -> [&[T]; 2] {
        [&self.values[..self.half], &self.values[self.second..][..self.present]]
    }

    /// The entries of the first half.
    fn low(&self, i: usize) -> T {
        self.values[i]
    }

    /// The entries of the second.
    fn high(&self, i: usize) -> T {
        if i < self.present { self.values[self.second + i] } else { self.rest }
    }

    /// Binds the first variable of both halves, over a larger ring.
    fn bound<X>(&self, r: X) -> Halves<X>
    where
        X: Algebra<T> + Copy + Send + Sync,
        T: std::ops::Sub<Output = T>,
    {
        let quarter = self.half / 2;
        let [low, high] = self.parts();
        let mut values = bind(low, quarter, self.rest, r);
        values.extend(bind(high, quarter, self.rest, r));
        Halves::new(values, quarter, X::from(self.rest))
    }

    /// The same in place.
    fn bind(&mut self, r: T)
    where
        T: PrimeCharacteristicRing,
    {
        let quarter = self.half / 2;
        let (low, high) = self.values.split_at_mut(self.second);
        bind_in_place(&mut low[..self.half], quarter, self.rest, r);
        bind_in_place(&mut high[..self.present], quarter, self.rest, r);
        self.half = quarter;
        self.present = self.present.min(quarter);
    }
}

/// A layer: `2^n` numerators and denominators, of which the missing end of the second half is `0 / 1`.
struct Layer<P, X> {
    p: Halves<P>,
    q: Halves<X>,
}

impl<P, X> Layer<P, X>
where
    P: PrimeCharacteristicRing + Copy + Send + Sync,
    X: Algebra<P> + Copy + Send + Sync,
{
    fn new(p: Vec<P>, q: Vec<X>, half: usize) -> Self {
        Self { p: Halves::new(p, half, P::ZERO), q: Halves::new(q, half, X::ONE) }
    }

    /// Entries of a half.
    fn half(&self) -> usize {
        self.p.half
    }

    /// The next layer's numerators and denominators.
    fn combine(&self) -> (Vec<X>, Vec<X>) {
        let ([p0, p1], [q0, q1]) = (self.p.parts(), self.q.parts());
        let at = |i: usize| match (p1.get(i), q1.get(i)) {
            (Some(&p1), Some(&q1)) => (q1 * p0[i] + q0[i] * p1, q0[i] * q1),
            _ => (X::from(p0[i]), q0[i]),
        };
        let (mut p, mut q) = (Vec::new(), Vec::new());
        (0..self.half()).into_par_iter().with_min_len(1 << 9).map(at).unzip_into_vecs(&mut p, &mut q);
        (p, q)
    }

    /// `t(0)` and `t(2)` of a round.
    fn message<E: Field>(&self, high: &[E], low: &[X], lambda: X, total: impl Fn(X) -> E + Sync) -> [E; 2] {
        let quarter = self.half() / 2;
        let (p, q) = (&self.p, &self.q);
        let node = |p0: P, p1: P, q0: X, q1: X| q1 * p0 + q0 * (lambda * q1 + p1);
        weighted(high, low, total, |i| {
            let j = i + quarter;
            let a = (p.low(i), p.high(i), q.low(i), q.high(i));
            let b = (p.low(j), p.high(j), q.low(j), q.high(j));
            let at_two = node(b.0.double() - a.0, b.1.double() - a.1, b.2.double() - a.2, b.3.double() - a.3);
            [node(a.0, a.1, a.2, a.3), at_two]
        })
    }
}

/// A layer in whichever form is fastest.
enum Form<S: Setting> {
    First(Layer<PackedBase<S>, PackedExt<S>>),
    Packed(Layer<PackedExt<S>, PackedExt<S>>),
    Scalar(Layer<S::Ext, S::Ext>),
}

impl<S: Setting> Form<S> {
    /// The first layer; `layers` decides its full length.
    fn first(fractions: Fractions<S>, layers: usize) -> Self {
        let half = (1usize << layers) / 2 / lanes::<S>();
        if half >= 2 {
            return Self::First(Layer::new(fractions.p, fractions.q, half));
        }
        let p: Vec<_> = fractions.p.iter().map(|&p| PackedExt::<S>::from(p)).collect();
        let (mut p, mut q) = (unpack::<S>(&p), unpack::<S>(&fractions.q));
        p.resize(1 << layers, S::Ext::ZERO);
        q.resize(1 << layers, S::Ext::ONE);
        Self::Scalar(Layer::new(p, q, 1 << layers >> 1))
    }

    fn next(&self) -> Self {
        match self {
            Self::First(layer) => Self::shortened(layer.combine()),
            Self::Packed(layer) => Self::shortened(layer.combine()),
            Self::Scalar(layer) => {
                let (p, q) = layer.combine();
                let half = p.len() / 2;
                Self::Scalar(Layer::new(p, q, half))
            }
        }
    }

    /// Packed while both halves hold two words.
    fn shortened((p, q): (Vec<PackedExt<S>>, Vec<PackedExt<S>>)) -> Self {
        let half = p.len() / 2;
        if half >= 2 {
            return Self::Packed(Layer::new(p, q, half));
        }
        Self::Scalar(Layer::new(unpack::<S>(&p), unpack::<S>(&q), half * lanes::<S>()))
    }

    /// `t(0)` and `t(2)`, where `point` belongs to the variables left after this one.
    fn message(&self, point: &[S::Ext], lambda: S::Ext) -> [S::Ext; 2] {
        let eq = SplitEq::<S::Base, S::Ext>::new(point);
        match self {
            Self::First(layer) => layer.message(eq.high(), eq.packed(), broadcast::<S>(lambda), total::<S>),
            Self::Packed(layer) => layer.message(eq.high(), eq.packed(), broadcast::<S>(lambda), total::<S>),
            Self::Scalar(layer) => layer.message(eq.high(), eq.low(), lambda, |x| x),
        }
    }

    fn bind(&mut self, r: S::Ext) {
        let packed = broadcast::<S>(r);
        let layer = match self {
            Self::First(Layer { p, q }) => {
                q.bind(packed);
                Layer { p: p.bound(packed), q: take(q) }
            }
            Self::Packed(Layer { p, q }) => {
                p.bind(packed);
                q.bind(packed);
                Layer { p: take(p), q: take(q) }
            }
            Self::Scalar(Layer { p, q }) => {
                p.bind(r);
                q.bind(r);
                return;
            }
        };
        *self = Self::settled(layer);
    }

    /// Packed while both halves hold two words.
    fn settled(layer: Layer<PackedExt<S>, PackedExt<S>>) -> Self {
        let half = layer.half();
        if half >= 2 {
            return Self::Packed(layer);
        }
        let scalars = |halves: &Halves<PackedExt<S>>| {
            unpack::<S>(&(0..half).map(|i| halves.low(i)).chain((0..half).map(|i| halves.high(i))).collect::<Vec<_>>())
        };
        Self::Scalar(Layer::new(scalars(&layer.p), scalars(&layer.q), half * lanes::<S>()))
    }

    /// The two halves, when each is one value.
    fn values(&self) -> [S::Ext; 4] {
        match self {
            Self::Scalar(Layer { p, q }) => [p.low(0), p.high(0), q.low(0), q.high(0)],
            Self::First(_) | Self::Packed(_) => [S::Ext::ZERO; 4],
        }
    }
}

/// Convinces [`super::verify`].
pub fn prove<S: Setting, Q: ClaimKind<S>>(
    ch: &mut dyn OracleProver<S, Q>,
    stack: &Stack,
    fractions: Fractions<S>,
) -> Result<Inputs<S::Ext>, ProveError> {
    let mut layers = vec![Form::<S>::first(fractions, stack.layers)];
    while layers.len() < stack.layers {
        layers.extend(layers.last().map(Form::next));
    }
    let root = match layers.last() {
        Some(Form::Scalar(layer)) if layer.half() > 0 => {
            let (p, q) = layer.combine();
            [p[0], q[0]]
        }
        Some(Form::Scalar(Layer { p, q })) => [p.values[0], q.values[0]],
        _ => [S::Ext::ZERO, S::Ext::ONE],
    };
    ch.send("bus root", &root);

    let (mut point, [mut p, mut q]) = (Vec::new(), root);
    while let Some(layer) = layers.pop().filter(|_| stack.layers > 0) {
        let lambda = ch.sample("lambda", Some(line_term::<S>()))?;
        let at = point.clone();
        let mut form = layer;
        let mut rho = sumcheck::prove(
            ch,
            ROUNDS,
            at.len(),
            &mut form,
            |form, i| form.message(&at[i + 1..], lambda).to_vec(),
            |form, _, _, r| form.bind(r),
        )?;
        let [p0, p1, q0, q1] = form.values();
        ch.send("layer values", &[p0, p1, q0, q1]);
        let mu = ch.sample("mu", Some(line_term::<S>()))?;
        p = p0 + mu * (p1 - p0);
        q = q0 + mu * (q1 - q0);
        rho.insert(0, mu);
        point = rho;
    }
    Ok(Inputs { point, p, q })
}
