//! `pst`: multilinear claims from one quotient for each variable \[PST13\].
//!
//! **Claim.** For committed multilinear `f_o` and suffixes `r_o` of one point `r`, `f_o(r_o) = v_o`.
//!
//! **Relation.** `C_o = [f_o(t)]_1` for the secret point `t` of the reference string, a polynomial of `m`
//! variables being one in the last `m` coordinates.
//!
//! **Messages.** With `k` variables left, from all `n` down to none:
//! 1. If polynomials of `k` variables are opened. P, unless `k = n`: `H = [g(t)]_1`. V: `gamma`. From here
//!    on `g + gamma f_1 + gamma^2 f_2 + ...` takes the place of `g`, which was zero at first.
//! 2. If `k > 0`. P: `Q_k = [q_k(t)]_1` for `q_k = g(1, ..) - g(0, ..)`. From here on `g(r_k, ..)` takes the
//!    place of `g`, `r_k` the coordinate of `r` that `k - 1` others follow.
//!
//! Then V draws `chi` if polynomials of different lengths are opened, and accepts when the sum of
//! `chi^j` times the following holds for stretches `j = 0, 1, ..` between joins, `G` being the commitment
//! to `g` after the join and `H'` the next `H`, at the end the value `[v]_1`:
//! `e(G - H' + sum r_k Q_k, [1]_2) = prod e(Q_k, [t_k]_2)`, over the variables of the stretch.
//!
//! **Cost.** Committing: one sum of `2^m` terms, cheap for small values. Opening: sums of `2^n` terms in
//! all. Proof: `n` points, and one for every further length. Verifier: a product of `n + 1` pairings.
//!
//! **Soundness.** In the algebraic group model what is sent are known polynomials in all `N` variables of
//! the string, and an equation that holds at `t` holds identically, or else yields `t`: with
//! `t_i = a_i y + b_i` it is a root of a known polynomial in `y`, so this is the q-discrete logarithm for
//! `q = N` \[FKL18\]. Identically, `G - H'` vanishes wherever the variables of its stretch equal their
//! coordinates. From the last stretch back: `G(.., r) = v` whatever the other variables are, hence, but
//! for `m / |F|`, each `f_o(.., r_o) = v_o` of the `m` joined there, and `H(.., r)` the value before. So a
//! commitment stands for the polynomial that it is with its first variables zero, also if it was made to
//! depend on them; without `H`, it could be opened to its value at their coordinates instead.
//!
//! **Symbols.** `r`: `point`; `Q_k`: `quotients`; `H`: [`Join::before`].

use ark_ec::AffineRepr;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use trilemma_core::multilinear::fold;
use trilemma_core::{ErrorTerm, Label, Ledger, ProveError, ProverTranscript, Reject, VerifierTranscript};

use crate::group::{G1, recv_point, send_points};
use crate::kzg::add_scaled;
use crate::msm::msm;
use crate::one_point::keys::{Hypercube, HypercubeProver, HypercubeVerifier};
use crate::one_point::{OnePoint, Protocol};
use crate::pairing::{assume, require_product_one};
use crate::srs::PairingSetting;
use crate::stacked::{Opening, encode_points, longest, of_length};

/// The scheme of Papamanthou, Shi and Tamassia.
pub struct Pst;

impl OnePoint for Pst {
    const NAME: &'static str = "pst";
    const VARIABLES: Label = "pst variables";
}

impl<S: PairingSetting> Protocol<S> for Pst {
    type Keys = Hypercube;

    fn commitment(pk: &HypercubeProver<S>, values: &[S::Base]) -> G1<S> {
        pk.commit(values)
    }

    fn verify(
        vk: &HypercubeVerifier<S>,
        openings: &[Opening<'_, G1<S>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        let point = longest(openings);
        if point.len() > vk.coordinates.len() {
            return Err(Reject::new("a polynomial of more variables than the reference string"));
        }
        assume_string::<S>(t.ledger(), vk.variables);
        t.bind("pst points", &encode_points::<S, _>(openings));

        // 1. and 2.
        let mut joins: Vec<Join<S>> = Vec::new();
        let mut value = S::Ext::ZERO;
        for (k, at) in (0..=point.len()).rev().zip(point.iter().map(Some).chain([None])) {
            if let Some(joined) = of_length(openings, k) {
                let before = if joins.is_empty() { None } else { Some(recv_point::<S>("pst folded", t)?) };
                let gamma = t.challenge::<S>("pst gamma", Some(&gamma_term::<S>(joined.len(), before.is_some())))?;
                let powers = powers::<S>(gamma, before.is_some(), joined.len());
                value += joined.iter().zip(&powers).map(|(opening, &power)| opening.value * power).sum::<S::Ext>();
                let members = joined.iter().map(|opening| *opening.of).zip(powers).collect();
                joins.push(Join { before, members, quotients: Vec::new() });
            }
            if let (Some(&r), Some(join)) = (at, joins.last_mut()) {
                join.quotients.push((recv_point::<S>("pst quotient", t)?, r));
            }
        }
        let chi = match chi_term::<S>(joins.len()) {
            Some(term) => t.challenge::<S>("pst chi", Some(&term))?,
            None => S::Ext::ONE,
        };

        // The sum of all stretches' equations.
        let (mut bases, mut scalars) = (vec![G1::<S>::generator()], Vec::new());
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let mut last = S::Ext::ZERO;
        let mut unused = vk.coordinates[vk.coordinates.len() - point.len()..].iter();
        for (weight, join) in chi.powers().zip(&joins) {
            if let Some(before) = join.before {
                bases.push(before);
                scalars.push(weight - last);
            }
            for &(member, power) in &join.members {
                bases.push(member);
                scalars.push(power * weight);
            }
            for &(quotient, r) in &join.quotients {
                bases.push(quotient);
                scalars.push(r * weight);
                left.push(-quotient * S::scalar(weight));
                right.extend(unused.next().cloned());
            }
            last = weight;
        }
        scalars.insert(0, -value * last);
        let scalars: Vec<_> = scalars.into_iter().map(S::scalar).collect();
        left.push(msm(&bases, &scalars));
        right.push(vk.g2.clone());

        require_product_one::<S>(left, right, "pst pairing check")
    }

    fn open(
        pk: &HypercubeProver<S>,
        openings: &[Opening<'_, Vec<S::Base>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        let point = longest(openings);
        assume_string::<S>(t.ledger(), pk.variables);
        t.bind("pst points", &encode_points::<S, _>(openings));

        let (mut g, mut joins) = (Vec::new(), 0);
        for (k, at) in (0..=point.len()).rev().zip(point.iter().map(Some).chain([None])) {
            if let Some(joined) = of_length(openings, k) {
                if joins > 0 {
                    send_points::<S>("pst folded", &[pk.commit(&g)], t);
                }
                let gamma = t.challenge::<S>("pst gamma", Some(&gamma_term::<S>(joined.len(), joins > 0)))?;
                for (opening, power) in joined.iter().zip(powers::<S>(gamma, joins > 0, joined.len())) {
                    add_scaled::<S>(&mut g, opening.of, power);
                }
                joins += 1;
            }
            if let Some(&r) = at {
                let (low, high) = g.split_at(g.len() / 2);
                let quotient: Vec<S::Base> = low.par_iter().zip(high).map(|(&a, &b)| b - a).collect();
                send_points::<S>("pst quotient", &[pk.commit(&quotient)], t);
                fold(&mut g, r);
            }
        }
        if let Some(term) = chi_term::<S>(joins) {
            t.challenge::<S>("pst chi", Some(&term))?;
        }
        Ok(())
    }
}

/// Where polynomials of one length join, and the stretch from there to the next.
struct Join<S: PairingSetting> {
    /// What was folded so far.
    before: Option<G1<S>>,
    /// Commitments joined, with their powers of `gamma`.
    members: Vec<(G1<S>, S::Ext)>,
    /// A quotient for each variable, with its coordinate.
    quotients: Vec<(G1<S>, S::Ext)>,
}

/// Powers of `gamma` for what joins; what is there already has the power 0.
fn powers<S: PairingSetting>(gamma: S::Ext, something_before: bool, joined: usize) -> Vec<S::Ext> {
    gamma.powers().skip(usize::from(something_before)).take(joined).collect()
}

fn gamma_term<S: PairingSetting>(joined: usize, something_before: bool) -> ErrorTerm {
    let degree = joined + usize::from(something_before) - 1;
    ErrorTerm::schwartz_zippel("pst batching", degree as f64, S::ext_bits())
}

/// `None` when there is one equation.
fn chi_term<S: PairingSetting>(equations: usize) -> Option<ErrorTerm> {
    (equations > 1).then(|| ErrorTerm::schwartz_zippel("pst equations", (equations - 1) as f64, S::ext_bits()))
}

fn assume_string<S: PairingSetting>(ledger: &mut Ledger, variables: usize) {
    let q = variables.max(1);
    assume::<S>(ledger, (&q.to_string(), (q as f64).log2()), "[PST13], [FKL18], [Cheon06] Theorem 1");
}
