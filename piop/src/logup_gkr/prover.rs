//! The prover of the layered circuit.
//!
//! Layers are halved by their top bit, so that words of SIMD lanes never need a shuffle until a layer
//! is as short as a word; from there on scalars take over. Only the first layer has numerators over
//! the base field, and only there may the second half be cut short.

use p3_field::{Algebra, Field, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::kernel::{PackedBase, PackedExt};
use trilemma_core::channel::OracleProver;
use trilemma_core::multilinear::SplitEq;
use trilemma_core::{ClaimKind, ProveError, Setting};

use super::verifier::{Inputs, line_term};
use super::{ROUNDS, Stack};
use crate::packed::{bind, broadcast, lanes, total, unpack, weighted};
use crate::sumcheck;

/// The fractions of a stack, in packed words; the last word is filled up with `0 / 1`.
pub struct Fractions<S: Setting> {
    /// Numerators.
    pub p: Vec<PackedBase<S>>,
    /// Denominators.
    pub q: Vec<PackedExt<S>>,
}

/// A layer: `2^n` numerators and denominators, of which the missing end of the second half is `0 / 1`.
struct Layer<P, X> {
    p: Vec<P>,
    q: Vec<X>,
    /// Entries of a half.
    half: usize,
}

impl<P, X> Layer<P, X>
where
    P: PrimeCharacteristicRing + Copy + Send + Sync,
    X: Algebra<P> + Copy + Send + Sync,
{
    fn halves(&self) -> ([&[P]; 2], [&[X]; 2]) {
        let ((p0, p1), (q0, q1)) = (self.p.split_at(self.half), self.q.split_at(self.half));
        ([p0, p1], [q0, q1])
    }

    /// The next layer's numerators and denominators.
    fn combine(&self) -> (Vec<X>, Vec<X>) {
        let ([p0, p1], [q0, q1]) = self.halves();
        let at = |i: usize| match (p1.get(i), q1.get(i)) {
            (Some(&p1), Some(&q1)) => (q1 * p0[i] + q0[i] * p1, q0[i] * q1),
            _ => (X::from(p0[i]), q0[i]),
        };
        (0..self.half).into_par_iter().with_min_len(1 << 9).map(at).unzip()
    }

    /// `t(0)` and `t(2)` of a round, and with them bound: four tables of half the length.
    fn message<E: Field>(&self, high: &[E], low: &[X], lambda: X, total: impl Fn(X) -> E + Sync) -> [E; 2] {
        let ([p0, p1], [q0, q1]) = self.halves();
        let quarter = self.half / 2;
        let get_p = |i: usize| p1.get(i).copied().unwrap_or(P::ZERO);
        let get_q = |i: usize| q1.get(i).copied().unwrap_or(X::ONE);
        let node = |p0: P, p1: P, q0: X, q1: X| q1 * p0 + q0 * (lambda * q1 + p1);
        weighted(high, low, total, |i| {
            let j = i + quarter;
            let (a, b) = ((p0[i], get_p(i), q0[i], get_q(i)), (p0[j], get_p(j), q0[j], get_q(j)));
            let at_two = node(b.0.double() - a.0, b.1.double() - a.1, b.2.double() - a.2, b.3.double() - a.3);
            [node(a.0, a.1, a.2, a.3), at_two]
        })
    }

    /// The layer with the first variable of both halves bound.
    fn bind(&self, r: X) -> Layer<X, X> {
        let ([p0, p1], [q0, q1]) = self.halves();
        let half = self.half / 2;
        let mut p = bind(p0, half, P::ZERO, r);
        p.extend(bind(p1, half, P::ZERO, r));
        let mut q = bind(q0, half, X::ONE, r);
        q.extend(bind(q1, half, X::ONE, r));
        Layer { p, q, half }
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
        let first = Layer { p: fractions.p, q: fractions.q, half };
        if half >= 2 {
            return Self::First(first);
        }
        let p: Vec<_> = first.p.iter().map(|&p| PackedExt::<S>::from(p)).collect();
        let (mut p, mut q) = (unpack::<S>(&p), unpack::<S>(&first.q));
        p.resize(1 << layers, S::Ext::ZERO);
        q.resize(1 << layers, S::Ext::ONE);
        Self::Scalar(Layer { p, q, half: 1 << layers >> 1 })
    }

    fn next(&self) -> Self {
        match self {
            Self::First(layer) => Self::shortened(layer.combine()),
            Self::Packed(layer) => Self::shortened(layer.combine()),
            Self::Scalar(layer) => {
                let (p, q) = layer.combine();
                Self::Scalar(Layer { half: p.len() / 2, p, q })
            }
        }
    }

    /// Packed while both halves hold two words.
    fn shortened((p, q): (Vec<PackedExt<S>>, Vec<PackedExt<S>>)) -> Self {
        if p.len() >= 4 {
            return Self::Packed(Layer { half: p.len() / 2, p, q });
        }
        let (p, q) = (unpack::<S>(&p), unpack::<S>(&q));
        Self::Scalar(Layer { half: p.len() / 2, p, q })
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

    fn bind(&self, r: S::Ext) -> Self {
        let packed = |layer: Layer<PackedExt<S>, PackedExt<S>>| {
            if layer.half >= 2 {
                return Self::Packed(layer);
            }
            Self::Scalar(Layer { p: unpack::<S>(&layer.p), q: unpack::<S>(&layer.q), half: layer.half * lanes::<S>() })
        };
        match self {
            Self::First(layer) => packed(layer.bind(broadcast::<S>(r))),
            Self::Packed(layer) => packed(layer.bind(broadcast::<S>(r))),
            Self::Scalar(layer) => Self::Scalar(layer.bind(r)),
        }
    }

    /// The two halves, when each is one value.
    fn values(&self) -> [S::Ext; 4] {
        match self {
            Self::Scalar(layer) => [layer.p[0], layer.p[1], layer.q[0], layer.q[1]],
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
        Some(Form::Scalar(layer)) if layer.half > 0 => {
            let (p, q) = layer.combine();
            [p[0], q[0]]
        }
        Some(Form::Scalar(layer)) => [layer.p[0], layer.q[0]],
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
            |form, _, _, r| *form = form.bind(r),
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
