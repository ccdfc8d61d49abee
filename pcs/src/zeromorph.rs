//! `zeromorph`: multilinear claims from univariate KZG, by one identity in place of folding \[KT23\].
//!
//! **Claim.** For committed multilinear `f_o` and suffixes `r_o` of one point `r`, `f_o(r_o) = v_o`.
//!
//! **Relation.** `C_o = [f_o(tau)]_1` for `f_o(X) = sum f_o(x) X^x`, of degree below `2^m` for `m` variables:
//! the coordinate that `k - 1` others follow belongs to `X^(2^(k-1))`.
//!
//! **The identity.** `n` is the largest `m`, `r_k` the coordinate of `r` that `k - 1` others follow, `X_k` its
//! variable. As polynomials of `n` variables, those of fewer being constant in the first,
//! `sum gamma^o (f_o - v_o) = sum_k (X_k - r_k) q_k` for multilinear `q_k` in the last `k - 1` variables exactly
//! if the left side is zero at `r` \[PST13\]. A polynomial `g` of the last `m` of them, `sum g(x) X^x` as one of `m`
//! variables, is `E_m g` as one of `n`, where `E_m = sum over i < 2^(n-m) of X^(2^m i)`. So the same in one
//! variable is, with `c_k = X^(2^(k-1)) E_k - r_k E_(k-1)`,
//!
//! `sum gamma^o (E_m f_o - E_0 v_o) = sum_k c_k q_k`, with `q_k` of degree below `2^(k-1)`.
//!
//! **Messages.**
//! 1. V: `gamma`.
//! 2. P: `[q_k(tau)]_1` for `k` from `n` to 1.
//! 3. V: `y`.
//! 4. P: `[h(tau)]_1` for `h = sum_k y^(n-k) X^(2^(k-1) - 1) q_k(1/X)`, the `q_k` with their coefficients
//!    reversed.
//! 5. V: `x`.
//! 6. P: `w = h(1/x)`.
//! 7. V: `delta`. Let `A = sum_k y^(n-k) x^(1 - 2^(k-1)) q_k + delta (sum gamma^o (E_m(x) f_o - E_0(x) v_o) -
//!    sum_k c_k(x) q_k)`, a combination of what was committed.
//! 8. P: `W = [((A - w) / (X - x))(tau)]_1` and `W' = [((h - w) / (X - 1/x))(tau)]_1`.
//! 9. V: `rho`; accepts when
//!    `e([A(tau)]_1 - w [1]_1 + x W + rho ([h(tau)]_1 - w [1]_1 + W'/x), [1]_2) = e(W + rho W', [tau]_2)`.
//!
//! **Cost.** Committing: one sum of `2^m` terms, cheap for small values. Opening: sums of `2^n` terms for the
//! `q_k` in all and for `W`, of half as many for `h` and for `W'`. Proof: `n + 3` points and a scalar. Verifier: one
//! sum of `n` terms, two pairings.
//!
//! **Soundness.** In the algebraic group model what is sent are known polynomials, and the equation of 9. holds
//! identically or yields `tau` \[FKL18\]. Then, each but for the error of its challenge:
//! - `rho`, `1 / |F|`: `A(x) = w = h(1/x)` \[KZG10\]. `delta`, `1 / |F|`: so is `w` the first sum of `A`, and the
//!   second is zero.
//! - `x`, `2N / |F|`, `N` the number of powers: both hold identically, being equations of degree below `2N`.
//! - `y`, `(n - 1) / |F|`: in the first, `h` has no negative powers of `X`. The one of `X^-j` on the other side
//!   is `sum_k y^(n-k)` times the coefficient `2^(k-1) - 1 + j` of `q_k`. So the `q_k` are as short as they should be.
//! - `gamma`, `1 / |F|` for every polynomial but one: the right side of the second, hence the left, is that of a
//!   multilinear polynomial of `n` variables that is zero at `r`, of degree below `2^n`. `E_m f_o` has this degree
//!   only if `f_o` has one below `2^m`. So every `f_o` does, and takes the value `v_o`.
//!
//! A commitment to a longer polynomial cannot be opened. Over [`Rows`](crate::rows) it is the combined row that is
//! short enough.
//!
//! **Deviations.** In \[KT23\] the degrees are shown with `[q(tau)]_1` for `q = sum y^(n-k) X^(2^n - 2^(k-1)) q_k`, the
//! degree of `q` by a power of `tau` in the second group that depends on `n`. A reference string here ends at
//! `[tau]_2`, so coefficients are reversed instead. Nothing is blinded. Several polynomials are opened at once.
//!
//! **Symbols.** `E_m`: [`Weights::extension`]; `c_k`: [`Weights::identity`]; `x^(1 - 2^(k-1))`:
//! [`Weights::reversal`].

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Projective;
use p3_field::{Field, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_core::multilinear::fold;
use trilemma_core::{ErrorTerm, Label, ProveError, ProverTranscript, Reject, VerifierTranscript};

use crate::group::{G1, recv_point, recv_points, send_points};
use crate::kzg::{ProverKey, VerifierKey, add_scaled, divide};
use crate::msm::msm;
use crate::one_point::keys::Powers;
use crate::one_point::{OnePoint, Protocol};
use crate::pairing::{assume_powers, require_product_one};
use crate::srs::PairingSetting;
use crate::stacked::{Opening, encode_points, longest};

/// The scheme of Kohrita and Towa, without blinding.
pub struct Zeromorph;

impl OnePoint for Zeromorph {
    const NAME: &'static str = "zeromorph";
    const MIN_VARIABLES: usize = 1;
    const VARIABLES: Label = "zeromorph variables";
}

impl<S: PairingSetting> Protocol<S> for Zeromorph {
    type Keys = Powers;

    /// The values are the coefficients.
    fn commitment(pk: &ProverKey<S>, values: &[S::Base]) -> G1<S> {
        pk.commit_coefficients(values)
    }

    fn verify(
        vk: &VerifierKey<S>,
        openings: &[Opening<'_, G1<S>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        let point = longest(openings);
        let terms = Terms::new::<S>(openings.len(), point.len(), vk.log_powers);
        assume_powers::<S>(t.ledger(), vk.log_powers);
        t.bind("zeromorph points", &encode_points::<S, _>(openings));

        // 1. to 6.
        let gamma = t.challenge::<S>("zeromorph gamma", Some(&terms.gamma))?;
        let quotients = recv_points::<S>("zeromorph quotients", point.len(), t)?;
        let y = t.challenge::<S>("zeromorph y", Some(&terms.y))?;
        let reversed = recv_point::<S>("zeromorph reversed", t)?;
        let x = t.challenge::<S>("zeromorph x", Some(&terms.x))?;
        let inverse = x.try_inverse().ok_or_else(|| Reject::new("zeromorph x is zero"))?;
        let value = t.recv_ext::<S>("zeromorph value", 1)?[0];

        // 7. to 9.
        let delta = t.challenge::<S>("zeromorph delta", Some(&terms.delta))?;
        let witness = recv_point::<S>("zeromorph witness", t)?;
        let reversed_witness = recv_point::<S>("zeromorph reversed witness", t)?;
        let rho = t.challenge::<S>("zeromorph rho", Some(&terms.rho))?;

        let weights = Weights::new(point, x, inverse);
        let (of_f, of_q) = weights.combination(openings, gamma, y, delta);
        let claimed: S::Ext = openings.iter().zip(gamma.powers()).map(|(opening, power)| opening.value * power).sum();
        let constant = -(value + delta * weights.extension[0] * claimed) - rho * value;

        let mut bases: Vec<G1<S>> = openings.iter().map(|opening| *opening.of).collect();
        bases.extend(quotients);
        bases.extend([G1::<S>::generator(), witness, reversed, reversed_witness]);
        let rest = [constant, x, rho, rho * inverse];
        let scalars: Vec<_> = of_f.into_iter().chain(of_q).chain(rest).map(S::scalar).collect();
        let left: Projective<S::G1> = msm(&bases, &scalars);
        let right = reversed_witness * S::scalar(rho) + witness;

        require_product_one::<S>([left, -right], vk.g2, "zeromorph pairing check")
    }

    fn open(
        pk: &ProverKey<S>,
        openings: &[Opening<'_, Vec<S::Base>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        open_with(pk, openings, quotients::<S>, t)
    }
}

/// What the identities are at `x`.
struct Weights<E> {
    /// `E_m(x)` for `m` from 0 to `n`.
    extension: Vec<E>,
    /// `c_k(x)` for `k` from `n` to 1.
    identity: Vec<E>,
    /// `x^(1 - 2^(k-1))` for `k` from `n` to 1.
    reversal: Vec<E>,
}

impl<E: Field> Weights<E> {
    /// For the longest point, `x` and its inverse.
    fn new(point: &[E], x: E, inverse: E) -> Self {
        // The powers x^(2^(k-1)) and x^(1 - 2^(k-1)) for k from n to 1.
        let n = point.len();
        let mut powers: Vec<E> = std::iter::successors(Some(x), |power| Some(power.square())).take(n).collect();
        let step = |weight: &E| Some(weight.square() * inverse);
        let mut reversal: Vec<E> = std::iter::successors(Some(E::ONE), step).take(n).collect();
        powers.reverse();
        reversal.reverse();
        let (mut extension, mut identity) = (vec![E::ONE], Vec::with_capacity(n));
        let mut above = E::ONE;
        for (&r, power) in point.iter().zip(powers) {
            let below = (E::ONE + power) * above;
            identity.push(power * above - r * below);
            extension.push(below);
            above = below;
        }
        extension.reverse();
        Self { extension, identity, reversal }
    }

    /// What `A` takes of every `f_o` and of every `q_k`, `k` from `n` to 1.
    fn combination<C>(&self, openings: &[Opening<'_, C, E>], gamma: E, y: E, delta: E) -> (Vec<E>, Vec<E>) {
        let of_f = |(opening, power): (&Opening<'_, C, E>, E)| delta * power * self.extension[opening.point.len()];
        let of_q = |((&c, &reversal), power): ((&E, &E), E)| power * reversal - delta * c;
        (
            openings.iter().zip(gamma.powers()).map(of_f).collect(),
            self.identity.iter().zip(&self.reversal).zip(y.powers()).map(of_q).collect(),
        )
    }
}

/// The prover, given how it finds the `q_k`.
fn open_with<S: PairingSetting>(
    pk: &ProverKey<S>,
    openings: &[Opening<'_, Vec<S::Base>, S::Ext>],
    quotients: impl Fn(&[Opening<'_, Vec<S::Base>, S::Ext>], S::Ext) -> Vec<Vec<S::Base>>,
    t: &mut ProverTranscript,
) -> Result<(), ProveError> {
    let point = longest(openings);
    let terms = Terms::new::<S>(openings.len(), point.len(), pk.log_powers);
    assume_powers::<S>(t.ledger(), pk.log_powers);
    t.bind("zeromorph points", &encode_points::<S, _>(openings));

    // 1. to 6.
    let gamma = t.challenge::<S>("zeromorph gamma", Some(&terms.gamma))?;
    let quotients = quotients(openings, gamma);
    let commitments: Vec<G1<S>> = quotients.iter().map(|q| pk.commit_coefficients(q)).collect();
    send_points::<S>("zeromorph quotients", &commitments, t);
    let y = t.challenge::<S>("zeromorph y", Some(&terms.y))?;
    let mut reversed = Vec::new();
    for ((q, power), k) in quotients.iter().zip(y.powers()).zip((1..=point.len()).rev()) {
        let turned: Vec<S::Base> = q.iter().take(1 << (k - 1)).rev().copied().collect();
        add_scaled::<S>(&mut reversed, &turned, power);
    }
    send_points::<S>("zeromorph reversed", &[pk.commit_coefficients(&reversed)], t);
    let x = t.challenge::<S>("zeromorph x", Some(&terms.x))?;
    let inverse = x.try_inverse().unwrap_or_default();
    let value = reversed.iter().rev().fold(S::Ext::ZERO, |sum, &c| sum * inverse + c);
    t.send_ext::<S>("zeromorph value", &[value]);

    // 7. and 8. Constant terms end up in the remainders.
    let delta = t.challenge::<S>("zeromorph delta", Some(&terms.delta))?;
    let (of_f, of_q) = Weights::new(point, x, inverse).combination(openings, gamma, y, delta);
    let mut sum = Vec::new();
    openings.iter().zip(of_f).for_each(|(opening, weight)| add_scaled::<S>(&mut sum, opening.of, weight));
    quotients.iter().zip(of_q).for_each(|(q, weight)| add_scaled::<S>(&mut sum, q, weight));
    send_points::<S>("zeromorph witness", &[pk.commit_coefficients(&divide::<S>(sum, &x))], t);
    let witness = pk.commit_coefficients(&divide::<S>(reversed, &inverse));
    send_points::<S>("zeromorph reversed witness", &[witness], t);
    t.challenge::<S>("zeromorph rho", Some(&terms.rho))?;
    Ok(())
}

/// `q_k` for `k` from `n` to 1.
fn quotients<S: PairingSetting>(openings: &[Opening<'_, Vec<S::Base>, S::Ext>], gamma: S::Ext) -> Vec<Vec<S::Base>> {
    let point = longest(openings);
    let mut g = Vec::new();
    let quotient = |(k, &r): (usize, &S::Ext)| {
        for (opening, power) in openings.iter().zip(gamma.powers()).filter(|(opening, _)| opening.point.len() == k) {
            add_scaled::<S>(&mut g, opening.of, power);
        }
        let (low, high) = g.split_at(g.len() / 2);
        let quotient = low.par_iter().zip(high).map(|(&a, &b)| b - a).collect();
        fold(&mut g, r);
        quotient
    };
    (1..=point.len()).rev().zip(point).map(quotient).collect()
}

/// The error terms of one opening.
struct Terms {
    gamma: ErrorTerm,
    y: ErrorTerm,
    x: ErrorTerm,
    delta: ErrorTerm,
    rho: ErrorTerm,
}

impl Terms {
    fn new<S: PairingSetting>(openings: usize, n: usize, log_powers: usize) -> Self {
        let term = |name, degree| ErrorTerm::schwartz_zippel(name, degree, S::ext_bits());
        let identities = term("zeromorph identities", 2.0 * (log_powers as f64).exp2());
        Self {
            gamma: term("zeromorph batching", openings as f64 - 1.0),
            y: term("zeromorph degrees", n as f64 - 1.0),
            x: ErrorTerm { reference: "[KT23]", ..identities },
            delta: term("zeromorph sums", 1.0),
            rho: term("zeromorph openings", 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use trilemma_core::multilinear::evaluate;
    use trilemma_core::setting::Bn254;
    use trilemma_core::{Options, Security, Setting};

    use super::*;
    use crate::stacked::Multilinear;

    type F = <Bn254 as Setting>::Base;
    type Quotients = fn(&[Opening<'_, Vec<F>, F>], F) -> Vec<Vec<F>>;

    /// A prover with a string of 2^5 powers that opens polynomials, said to be of so many variables, to
    /// these values.
    fn run(polynomials: &[(Vec<F>, usize)], point: &[F], values: &[F], quotients: Quotients) -> Result<(), Reject> {
        let options = Options::default();
        let (pk, vk) = <Zeromorph as Multilinear<Bn254>>::setup(&options, 5).expect("set-up");
        let suffix = |m: usize| point[point.len() - m..].to_vec();
        let mut t = ProverTranscript::new(b"zeromorph", Security::default());
        for (f, m) in polynomials {
            t.bind("zeromorph variables", &[*m as u8]);
            send_points::<Bn254>("oracle", &[pk.commit_coefficients(f)], &mut t);
        }
        let openings: Vec<_> =
            polynomials.iter().zip(values).map(|((of, m), &value)| Opening { of, point: suffix(*m), value }).collect();
        open_with::<Bn254>(&pk, &openings, quotients, &mut t).expect("opens");
        let (proof, ledger, _) = t.finish();

        let mut t = VerifierTranscript::new(b"zeromorph", Security::default(), &proof);
        let receive = |(_, m): &(Vec<F>, usize)| <Zeromorph as Multilinear<Bn254>>::receive(&vk, *m, "oracle", &mut t);
        let commitments: Vec<G1<Bn254>> = polynomials.iter().map(receive).collect::<Result<_, _>>()?;
        let openings = polynomials.iter().zip(&commitments).zip(values);
        let openings: Vec<_> =
            openings.map(|(((_, m), of), &value)| Opening { of, point: suffix(*m), value }).collect();
        <Zeromorph as Multilinear<Bn254>>::verify(&vk, &openings, &mut t)?;
        assert_eq!(t.finish()?.0, ledger);
        Ok(())
    }

    fn numbers(n: u64) -> Vec<F> {
        (1..=n).map(|i| F::from_u64(i * i + 5)).collect()
    }

    #[test]
    fn true_values_pass_and_others_do_not() {
        let polynomials = [(numbers(4), 2), (numbers(16), 4), (numbers(2), 1), (numbers(4), 2)];
        for point in [numbers(4), vec![F::ZERO; 4], vec![F::ONE; 4]] {
            let values: Vec<F> = polynomials.iter().map(|(f, m)| evaluate(f, &point[4 - m..])).collect();
            assert_eq!(run(&polynomials, &point, &values, quotients::<Bn254>), Ok(()));
            for i in 0..polynomials.len() {
                let mut values = values.clone();
                values[i] += F::ONE;
                assert!(run(&polynomials, &point, &values, quotients::<Bn254>).is_err(), "{i}");
                let next = (i + 1) % polynomials.len();
                values[next] -= F::ONE;
                assert!(run(&polynomials, &point, &values, quotients::<Bn254>).is_err(), "{i} and {next}");
            }
        }
    }

    /// Longer quotients fit any value: `E_0 = a c_2 + b c_1` has solutions. Only their degrees tell.
    #[test]
    fn quotients_that_are_too_long_are_refused() {
        // Where r_1 = 1/2, E_0 = (1 + X) (1 + X^2), a = s E_0 and b = -2 s (1 - r_2) (1 + X)^2.
        let point = [F::from_u64(3), F::ONE.halve()];
        fn factors(r_2: F) -> (F, F) {
            let s = (F::ONE - r_2.double()).inverse();
            (s, -(s * (F::ONE - r_2)).double())
        }
        let forged: Quotients = |openings, gamma| {
            let (a, b) = factors(openings[0].point[0]);
            let mut forged = quotients::<Bn254>(openings, gamma);
            add_scaled::<Bn254>(&mut forged[0], &[F::ONE; 4], a);
            add_scaled::<Bn254>(&mut forged[1], &[F::ONE, F::TWO, F::ONE], b);
            forged
        };
        // With these the identity holds for a value that is one too small.
        let x = F::from_u64(77);
        let weights = Weights::new(&point, x, x.inverse());
        let (a, b) = factors(point[0]);
        let forgery = a * weights.extension[0] * weights.identity[0] + b * (F::ONE + x).square() * weights.identity[1];
        assert_eq!(forgery, weights.extension[0]);

        let f = numbers(4);
        let value = evaluate(&f, &point);
        let polynomials = [(f, 2)];
        assert_eq!(run(&polynomials, &point, &[value], quotients::<Bn254>), Ok(()));
        assert!(run(&polynomials, &point, &[value - F::ONE], quotients::<Bn254>).is_err());
        let refused = run(&polynomials, &point, &[value - F::ONE], forged).expect_err("refused");
        assert_eq!(refused.what, "zeromorph pairing check");
    }

    /// A commitment to more coefficients than are claimed opens to nothing.
    #[test]
    fn polynomials_that_are_too_long_are_refused() {
        let (long, point) = (numbers(8), numbers(3));
        let truncated = evaluate(&long[..4], &point[1..]);
        let whole = evaluate(&long, &point);
        for value in [truncated, whole] {
            let polynomials = [(numbers(8), 3), (long.clone(), 2)];
            assert!(run(&polynomials, &point, &[whole, value], quotients::<Bn254>).is_err());
        }
    }
}
