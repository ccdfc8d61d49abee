//! The inner-product argument: halving a vector until one scalar is left.
//!
//! **Relation.** `P = <a, G>` and `<a, b> = u` for `b = eq(rho, .)` and vectors of `2^m` entries.
//!
//! **Messages.**
//! 1. V: `xi`. Both take `P + xi u U` for `P`.
//! 2. `m` times, `lo` and `hi` the halves of a vector.
//!    P: `L = <a_lo, G_hi> + xi <a_lo, b_hi> U` and `R = <a_hi, G_lo> + xi <a_hi, b_lo> U`. V: `x`. Both take
//!    `R + x P + x^2 L` for `P`, `x a_lo + a_hi` for `a`, `G_lo + x G_hi` for `G` and `b_lo + x b_hi` for `b`.
//! 3. P: `a`, of one entry. V: what must hold is `P = a G + xi a b U`, and `G = <s, G>` for the generators
//!    at the start and `s = (1, x_1) (x) ... (x) (1, x_m)`; `b` is a product too. So everything but
//!    `<s, G>` takes `O(m)` operations: the rest is the [`Accumulator`].
//!
//! **Soundness**, in the algebraic group model. Write a known combination of `G` and `U` as
//! `<y, G> + y_U U`, and let `d(y) = y_U - xi <y, b>` for `b` at the start. The equation in 3. implies
//! `d = 0`, since `y = a s` there. If `<a, b> != u`, then `d(P)` after 1. is zero for at most one `xi`; if
//! `d(P) != 0`, then `d(R) + x d(P) + x^2 d(L) = 0` for at most two `x`.
//!
//! **Accumulators** \[BCMS20\]. What is left is linear in points and scalars, so many are decided
//! by a random combination, whose coefficient is a hash of all of them: one false equation among `k`
//! survives `k - 1` of the `|F|` coefficients.

use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::Projective;
use ark_serialize::CanonicalSerialize;
use p3_field::{Field, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_core::multilinear::eq_table;
use trilemma_core::setting::encode_ext;
use trilemma_core::{ErrorTerm, ProveError, ProverTranscript, Reject, Security, VerifierTranscript};

use super::reduce::Opened;
use super::{VerifierKey, vector_generators};
use crate::group::{G1, GroupSetting, assume_algebraic, generators, recv_points, send_points};
use crate::msm::{fold_bases, msm};

/// Halvings between foldings of the generators.
const LAZY: usize = 3;
/// Generators that are not worth folding.
const FEW: usize = 1 << 6;

/// A sum of multiples of points, not yet computed.
pub struct Sum<S: GroupSetting> {
    points: Vec<G1<S>>,
    scalars: Vec<S::Ext>,
}

impl<S: GroupSetting> Default for Sum<S> {
    fn default() -> Self {
        Self { points: Vec::new(), scalars: Vec::new() }
    }
}

impl<S: GroupSetting> Extend<(G1<S>, S::Ext)> for Sum<S> {
    fn extend<T: IntoIterator<Item = (G1<S>, S::Ext)>>(&mut self, terms: T) {
        for (point, scalar) in terms {
            self.points.push(point);
            self.scalars.push(scalar);
        }
    }
}

impl<S: GroupSetting> Sum<S> {
    /// Adds `scale` times another sum.
    pub fn add(&mut self, other: Self, scale: S::Ext) {
        self.points.extend(other.points);
        self.scalars.extend(other.scalars.into_iter().map(|scalar| scalar * scale));
    }

    fn compute(&self) -> Projective<S::G1> {
        msm(&self.points, S::scalars(&self.scalars))
    }
}

/// What a verified proof leaves to be decided: that `point` is `scalar` times `<s, G>`, for
/// `s = (1, x_1) (x) ... (x) (1, x_m)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Accumulator<S: GroupSetting> {
    /// `P`, less its part in `U`.
    pub point: G1<S>,
    /// `a`.
    pub scalar: S::Ext,
    /// `x_1, .., x_m`.
    pub challenges: Vec<S::Ext>,
}

impl<S: GroupSetting> Accumulator<S> {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to a vector does not fail.
        let _ = self.point.serialize_compressed(&mut bytes);
        self.challenges.iter().chain([&self.scalar]).for_each(|x| encode_ext::<S>(x, &mut bytes));
        bytes
    }
}

/// Decides one accumulator, by a sum of `2^m` terms.
pub fn decide<S: GroupSetting>(vk: &VerifierKey<S>, accumulator: &Accumulator<S>) -> Result<(), Reject> {
    decide_all(vk, std::slice::from_ref(accumulator))
}

/// Decides whether every accumulator holds, by one sum as long as the longest of them.
pub fn decide_all<S: GroupSetting>(vk: &VerifierKey<S>, accumulators: &[Accumulator<S>]) -> Result<(), Reject> {
    let Some(m) = accumulators.iter().map(|accumulator| accumulator.challenges.len()).max() else {
        return Ok(());
    };
    if m > vk.max_log_height {
        return Err(Reject::new("an accumulator longer than the keys are for"));
    }
    let mut t = VerifierTranscript::new(b"trilemma ipa accumulators v1", Security::default(), &[]);
    accumulators.iter().for_each(|accumulator| t.bind("ipa accumulator", &accumulator.encode()));
    let rho = t.challenge::<S>("ipa accumulators", None)?;

    let mut points = Sum::<S>::default();
    let mut scalars = S::Ext::zero_vec(1 << m);
    for (accumulator, power) in accumulators.iter().zip(rho.powers()) {
        points.extend([(accumulator.point, power)]);
        let table = tensor(&accumulator.challenges, power * accumulator.scalar);
        scalars.par_iter_mut().with_min_len(1 << 12).zip(table).for_each(|(sum, s)| *sum += s);
    }
    let bases = vector_generators::<S>(1 << m);
    if msm(&bases, S::scalars(&scalars)) != points.compute() {
        return Err(Reject::new("the generators of an inner product"));
    }
    Ok(())
}

/// `scale * (1, x_1) (x) ... (x) (1, x_m)`, the first factor at the most significant bit.
fn tensor<E: Field>(challenges: &[E], scale: E) -> Vec<E> {
    challenges.iter().fold(vec![scale], |table, &x| table.into_iter().flat_map(|s| [s, s * x]).collect())
}

/// The error terms of `xi` and of an `x`.
fn terms<S: GroupSetting>() -> [ErrorTerm; 2] {
    let reference = "[BCMS20], [GT21]";
    [("ipa base", 1.0), ("ipa halving", 2.0)]
        .map(|(name, degree)| ErrorTerm { reference, ..ErrorTerm::schwartz_zippel(name, degree, S::ext_bits()) })
}

/// Reads a proof that the vector has the value at the point; what remains is to decide the result.
pub fn check<S: GroupSetting>(
    opened: Opened<S, Sum<S>>,
    t: &mut VerifierTranscript<'_>,
) -> Result<Accumulator<S>, Reject> {
    let Opened { point: rho, value, of } = opened;
    assume_algebraic::<S>(t.ledger());
    let [base, halving] = terms::<S>();

    // 1.
    let xi = t.challenge::<S>("ipa base", Some(&base))?;
    // 2.
    let mut rounds = Vec::with_capacity(rho.len());
    let mut b = S::Ext::ONE;
    for r in rho {
        let cross = recv_points::<S>("ipa halves", 2, t)?;
        let x = t.challenge::<S>("ipa halving", Some(&halving))?;
        b *= S::Ext::ONE - r + r * x;
        rounds.push((cross, x));
    }
    // 3. Every round multiplies what came before by its challenge.
    let a = t.recv_ext::<S>("ipa scalar", 1)?[0];
    let mut sum = Sum::default();
    let mut later = S::Ext::ONE;
    for (cross, x) in rounds.iter().rev() {
        sum.extend(cross.iter().copied().zip([later * x.square(), later]));
        later *= *x;
    }
    sum.add(of, later);
    sum.extend([(generators::<S>(1)[0], xi * (later * value - a * b))]);
    let challenges = rounds.into_iter().map(|(_, x)| x).collect();
    Ok(Accumulator { point: sum.compute().into_affine(), scalar: a, challenges })
}

/// Convinces [`check`].
pub fn prove<S: GroupSetting>(opened: Opened<S, Vec<S::Ext>>, t: &mut ProverTranscript) -> Result<(), ProveError> {
    let Opened { point: rho, of: mut a, .. } = opened;
    assume_algebraic::<S>(t.ledger());
    let [base, halving] = terms::<S>();
    let xi = t.challenge::<S>("ipa base", Some(&base))?;
    let u = generators::<S>(1)[0];
    let mut b = eq_table(&rho, xi);
    let mut bases = Halved::<S> { bases: vector_generators::<S>(a.len()).to_vec(), weights: vec![S::Ext::ONE] };
    for _ in rho {
        let (a_lo, a_hi) = a.split_at(a.len() / 2);
        let (b_lo, b_hi) = b.split_at(b.len() / 2);
        let [left, right] = bases.cross(a_lo, a_hi);
        let products = [inner(a_lo, b_hi), inner(a_hi, b_lo)].map(|product| u * S::scalar(product));
        send_points::<S>("ipa halves", &Projective::normalize_batch(&[left + products[0], right + products[1]]), t);
        let x = t.challenge::<S>("ipa halving", Some(&halving))?;
        bases.halve(x);
        (a, b) = (join(a_hi, a_lo, x), join(b_lo, b_hi, x));
    }
    t.send_ext::<S>("ipa scalar", &[a[0]]);
    Ok(())
}

/// `<a, b>`.
fn inner<E: Field>(a: &[E], b: &[E]) -> E {
    a.par_iter().zip(b).with_min_len(1 << 12).map(|(&a, &b)| a * b).sum()
}

/// `a + x b`.
fn join<E: Field>(a: &[E], b: &[E], x: E) -> Vec<E> {
    a.par_iter().zip(b).with_min_len(1 << 12).map(|(&a, &b)| a + x * b).collect()
}

/// Generators that are folded every few halvings only: until then, generator `i` of `n` is
/// `sum_h weights[h] bases[h n + i]`.
struct Halved<S: GroupSetting> {
    bases: Vec<G1<S>>,
    weights: Vec<S::Ext>,
}

impl<S: GroupSetting> Halved<S> {
    /// `<a_lo, G_hi>` and `<a_hi, G_lo>`.
    fn cross(&self, a_lo: &[S::Ext], a_hi: &[S::Ext]) -> [Projective<S::G1>; 2] {
        let half = a_lo.len();
        [(a_lo, half), (a_hi, 0)].map(|(a, offset)| {
            let mut scalars = S::Ext::zero_vec(self.bases.len());
            for (block, &weight) in scalars.chunks_exact_mut(2 * half).zip(&self.weights) {
                block[offset..].iter_mut().zip(a).for_each(|(scalar, &a)| *scalar = weight * a);
            }
            msm(&self.bases, S::scalars(&scalars))
        })
    }

    /// Takes `G_lo + x G_hi`.
    fn halve(&mut self, x: S::Ext) {
        self.weights = self.weights.iter().flat_map(|&weight| [weight, weight * x]).collect();
        if self.weights.len() == 1 << LAZY && self.bases.len() > FEW {
            self.bases = fold_bases(&self.bases, S::scalars(&self.weights));
            self.weights = vec![S::Ext::ONE];
        }
    }
}
