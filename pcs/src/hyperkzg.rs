//! `hyperkzg`: multilinear claims from univariate KZG, by folding as in Gemini \[BCHO22, Section 2.4.2\]
//! with the values on the hypercube as coefficients \[ZSC24\].
//!
//! **Claim.** For committed multilinear `f_o` and suffixes `r_o` of one point `r`, `f_o(r_o) = v_o`.
//!
//! **Relation.** `C_o = [f_o(tau)]_1` for the univariate `f_o(X) = sum f_o(x) X^rev(x)`, where `rev`
//! reverses the `m` bits of an index: the first coordinate, at the most significant bit of `x`, is the
//! least significant bit of the exponent.
//!
//! **Messages.** `even` and `odd` are a polynomial's parts, `g(X) = even(g)(X^2) + X odd(g)(X^2)`; `r_k`
//! is the coordinate of `r` that `k - 1` others follow.
//! 1. V: `gamma`. Let `h_n = 0`, and for `k` from `n` down to 1 `g_k = h_k + sum gamma^o f_o` over the
//!    polynomials of `k` variables and `h_(k-1) = (1 - r_k) even(g_k) + r_k odd(g_k)`.
//! 2. P: `[h_k(tau)]_1` for `k` from `n - 1` to 1. As `h_0 = sum gamma^o v_o`, V knows it.
//! 3. V: `beta`.
//! 4. P: `g_k(beta)` and `g_k(-beta)` for every `k`, from which V has `h_(k-1)(beta^2)` and checks `h_0`.
//! 5. The `g_k` are opened at `beta` and `-beta`, the `h_k` at `beta^2`, as in \[BDFG20, Section 4.1\]:
//!    V: `delta`, by whose powers all `g_k` and all `h_k` are combined to `G` and `H`, with remainders
//!    `R_G` of degree 1 and `R_H` of degree 0.
//!    P: `W = [w(tau)]_1` for `w = (G - R_G) / Z_G + (H - R_H) / Z_H`, with `Z_G = X^2 - beta^2` and
//!    `Z_H = X - beta^2`.
//!    V: `z`.
//!    P: `W' = [(L / (X - z))(tau)]_1` for
//!    `L = Z_H(z) (G - R_G(z)) + Z_G(z) (H - R_H(z)) - Z_G(z) Z_H(z) w`.
//!    V: accepts when `e([L(tau)]_1 + z W', [1]_2) = e(W', [tau]_2)`.
//!
//! **Cost.** Committing: one sum of `2^m` terms, cheap for small values. Opening: sums of `2^n` terms
//! three times, for all `h_k` together, for `W` and for `W'`; over [`Rows`](crate::rows), as long as
//! a row. Proof: `n + 1` points and `2n` scalars. Verifier: one sum of `n` terms, two pairings.
//!
//! **Soundness.** As KZG, with errors `1 / |F|` for every polynomial in `gamma` and `delta`, `2N / |F|`
//! for `beta`: a false identity between `h_(k-1)` and `g_k` has below `N` roots `beta^2`, `N` the number
//! of powers. Degrees are not enforced and need not be: folding takes the first `2^k` coefficients of
//! `g_k` to the first `2^(k-1)` of `h_(k-1)`, so the identities say of the first `2^m` coefficients of
//! `f_o` what is claimed, whatever follows them; these are what a commitment stands for. For this the
//! first coordinate must be folded first, so that shorter polynomials join where their length is reached.
//!
//! **Symbols.** `g_k(beta)`, `g_k(-beta)`: a pair of `values`; `h_(k-1)(beta^2)`: `folded`.

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Projective;
use p3_field::{Field, PrimeCharacteristicRing};
use p3_util::reverse_slice_index_bits;
use rayon::prelude::*;
use trilemma_core::{ErrorTerm, Label, ProveError, ProverTranscript, Reject, VerifierTranscript};

use crate::group::{G1, recv_point, send_points};
use crate::kzg::{ProverKey, VerifierKey, add_scaled, divide};
use crate::msm::msm;
use crate::one_point::keys::Powers;
use crate::one_point::{OnePoint, Protocol};
use crate::pairing::{assume_powers, require_product_one};
use crate::srs::PairingSetting;
use crate::stacked::{Opening, encode_points, longest, of_length};

/// Folding over KZG.
pub struct HyperKzg;

impl OnePoint for HyperKzg {
    const NAME: &'static str = "hyperkzg";
    const MIN_VARIABLES: usize = 1;
    const VARIABLES: Label = "hyperkzg variables";
}

impl<S: PairingSetting> Protocol<S> for HyperKzg {
    type Keys = Powers;

    fn commitment(pk: &ProverKey<S>, values: &[S::Base]) -> G1<S> {
        let mut coefficients = values.to_vec();
        reverse_slice_index_bits(&mut coefficients);
        pk.commit_coefficients(&coefficients)
    }

    fn verify(
        vk: &VerifierKey<S>,
        openings: &[Opening<'_, G1<S>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        let point = longest(openings);
        let n = point.len();
        if openings.iter().any(|opening| opening.point.is_empty()) {
            return Err(Reject::new("a polynomial without variables"));
        }
        let terms = Terms::new::<S>(openings.len(), n, vk.log_powers);
        assume_powers::<S>(t.ledger(), vk.log_powers);
        t.bind("hyperkzg points", &encode_points::<S, _>(openings));

        // 1. to 4.
        let gamma = t.challenge::<S>("hyperkzg gamma", Some(&terms.gamma))?;
        let commitments =
            (1..n).map(|_| recv_point::<S>("hyperkzg fold", t)).collect::<Result<Vec<G1<S>>, Reject>>()?;
        let beta = t.challenge::<S>("hyperkzg beta", Some(&terms.beta))?;
        let values = t.recv_ext::<S>("hyperkzg values", 2 * n)?;
        let square = beta.square();
        let inverse = beta.double().try_inverse().filter(|_| !square.is_one());
        let inverse = inverse.ok_or_else(|| Reject::new("hyperkzg points that are not distinct"))?;
        let mut folded: Vec<S::Ext> = values
            .chunks_exact(2)
            .zip(point)
            .map(|(pair, &r)| {
                let (even, odd) = ((pair[0] + pair[1]).halve(), (pair[0] - pair[1]) * inverse);
                even + r * (odd - even)
            })
            .collect();
        let claimed = openings.iter().zip(gamma.powers()).map(|(opening, power)| opening.value * power).sum();
        if folded.pop() != Some(claimed) {
            return Err(Reject::new("hyperkzg folding"));
        }

        // 5. Powers of delta for g_n, .., g_1 and for h_(n-1), .., h_1.
        let delta = t.challenge::<S>("hyperkzg delta", Some(&terms.delta))?;
        let quotient = recv_point::<S>("hyperkzg quotient", t)?;
        let z = t.challenge::<S>("hyperkzg point", Some(&terms.z))?;
        let witness = recv_point::<S>("hyperkzg witness", t)?;
        let powers: Vec<S::Ext> = delta.powers().collect_n(2 * n - 1);
        let (for_g, for_h) = powers.split_at(n);
        let (z_g, z_h) = (z.square() - square, z - square);

        let (mut plus, mut minus) = (S::Ext::ZERO, S::Ext::ZERO);
        for (pair, &power) in values.chunks_exact(2).zip(for_g) {
            plus += power * pair[0];
            minus += power * pair[1];
        }
        let r_g = (plus + minus).halve() + z * (plus - minus) * inverse;
        let r_h: S::Ext = folded.iter().zip(for_h).map(|(&value, &power)| power * value).sum();

        let (mut bases, mut scalars) = (Vec::new(), Vec::new());
        for (opening, gamma) in openings.iter().zip(gamma.powers()) {
            bases.push(*opening.of);
            scalars.push(z_h * for_g[n - opening.point.len()] * gamma);
        }
        for (&commitment, (&in_g, &in_h)) in commitments.iter().zip(for_g[1..].iter().zip(for_h)) {
            bases.push(commitment);
            scalars.push(z_h * in_g + z_g * in_h);
        }
        bases.extend([G1::<S>::generator(), quotient, witness]);
        scalars.extend([-(z_h * r_g + z_g * r_h), -z_g * z_h, z]);
        let scalars: Vec<_> = scalars.into_iter().map(S::scalar).collect();
        let left: Projective<S::G1> = msm(&bases, &scalars);

        require_product_one::<S>([left, -witness.into_group()], vk.g2, "hyperkzg pairing check")
    }

    fn open(
        pk: &ProverKey<S>,
        openings: &[Opening<'_, Vec<S::Base>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        let point = longest(openings);
        let terms = Terms::new::<S>(openings.len(), point.len(), pk.log_powers);
        assume_powers::<S>(t.ledger(), pk.log_powers);
        t.bind("hyperkzg points", &encode_points::<S, _>(openings));

        // 1. to 4.
        let gamma = t.challenge::<S>("hyperkzg gamma", Some(&terms.gamma))?;
        let levels = levels::<S>(openings, point, gamma);
        for level in &levels[1..] {
            send_points::<S>("hyperkzg fold", &[pk.commit_coefficients(&level.h)], t);
        }
        let beta = t.challenge::<S>("hyperkzg beta", Some(&terms.beta))?;
        let values: Vec<S::Ext> = levels.iter().flat_map(|level| evaluate_pair::<S>(level.g(), beta)).collect();
        t.send_ext::<S>("hyperkzg values", &values);

        // 5.
        let delta = t.challenge::<S>("hyperkzg delta", Some(&terms.delta))?;
        let powers: Vec<S::Ext> = delta.powers().collect_n(2 * point.len() - 1);
        let (for_g, for_h) = powers.split_at(point.len());
        let (mut g, mut h) = (Vec::new(), Vec::new());
        levels.iter().zip(for_g).for_each(|(level, &power)| add_scaled::<S>(&mut g, level.g(), power));
        levels[1..].iter().zip(for_h).for_each(|(level, &power)| add_scaled::<S>(&mut h, &level.h, power));
        drop(levels);
        let square = beta.square();
        let mut quotient = [beta, -beta].iter().fold(g.clone(), divide::<S>);
        add_scaled::<S>(&mut quotient, &divide::<S>(h.clone(), &square), S::Ext::ONE);
        send_points::<S>("hyperkzg quotient", &[pk.commit_coefficients(&quotient)], t);
        let z = t.challenge::<S>("hyperkzg point", Some(&terms.z))?;
        let (z_g, z_h) = (z.square() - square, z - square);
        let mut linear = Vec::new();
        add_scaled::<S>(&mut linear, &g, z_h);
        add_scaled::<S>(&mut linear, &h, z_g);
        add_scaled::<S>(&mut linear, &quotient, -z_g * z_h);
        // The constant term, hence both remainders, ends up in the remainder.
        let witness = divide::<S>(linear, &z);
        send_points::<S>("hyperkzg witness", &[pk.commit_coefficients(&witness)], t);
        Ok(())
    }
}

/// The coefficients of `h_k` and, where something joins, of `g_k`.
struct Level<F> {
    h: Vec<F>,
    joined: Option<Vec<F>>,
}

impl<F> Level<F> {
    fn g(&self) -> &[F] {
        self.joined.as_ref().unwrap_or(&self.h)
    }
}

/// All levels, `k = n` first.
fn levels<S: PairingSetting>(
    openings: &[Opening<'_, Vec<S::Base>, S::Ext>],
    point: &[S::Ext],
    gamma: S::Ext,
) -> Vec<Level<S::Base>> {
    let powers: Vec<S::Ext> = gamma.powers().collect_n(openings.len());
    let mut levels: Vec<Level<S::Base>> = Vec::with_capacity(point.len());
    let mut h = Vec::new();
    for (k, &r) in (1..=point.len()).rev().zip(point) {
        let joined = of_length(openings, k).map(|_| {
            let mut sum = Vec::new();
            for (opening, &power) in openings.iter().zip(&powers).filter(|(opening, _)| opening.point.len() == k) {
                add_scaled::<S>(&mut sum, opening.of, power);
            }
            reverse_slice_index_bits(&mut sum);
            add_scaled::<S>(&mut sum, &h, S::Base::ONE);
            sum
        });
        let level = Level { h, joined };
        h = level.g().par_chunks_exact(2).map(|pair| pair[0] + r * (pair[1] - pair[0])).collect();
        levels.push(level);
    }
    levels
}

/// The values at `x` and `-x` of a polynomial of an even number of coefficients.
fn evaluate_pair<S: PairingSetting>(coefficients: &[S::Base], x: S::Base) -> [S::Base; 2] {
    const CHUNK: usize = 1 << 12;
    let square = x.square();
    let part = |(i, chunk): (usize, &[S::Base])| {
        let (even, odd) = chunk.rchunks_exact(2).fold((S::Base::ZERO, S::Base::ZERO), |(even, odd), pair| {
            (even * square + pair[0], odd * square + pair[1])
        });
        let scale = x.exp_u64((i * CHUNK) as u64);
        (even * scale, odd * scale)
    };
    let zero = || (S::Base::ZERO, S::Base::ZERO);
    let (even, odd) = coefficients.par_chunks(CHUNK).enumerate().map(part).reduce(zero, |a, b| (a.0 + b.0, a.1 + b.1));
    [even + x * odd, even - x * odd]
}

/// The error terms of one opening.
struct Terms {
    gamma: ErrorTerm,
    beta: ErrorTerm,
    delta: ErrorTerm,
    z: ErrorTerm,
}

impl Terms {
    fn new<S: PairingSetting>(openings: usize, n: usize, log_powers: usize) -> Self {
        let powers = (log_powers as f64).exp2();
        let term = |name, degree| ErrorTerm::schwartz_zippel(name, degree, S::ext_bits());
        let folding = term("hyperkzg folding", 2.0 * powers);
        Self {
            gamma: term("hyperkzg batching", openings as f64 - 1.0),
            beta: ErrorTerm { reference: "[BCHO22] Section 2.4.2", ..folding },
            delta: term("hyperkzg openings", 2.0 * n as f64 - 2.0),
            z: term("hyperkzg point", powers + 3.0),
        }
    }
}
