//! `whir`: multilinear openings from the WHIR proximity test \[WHIR24\].
//!
//! **Claim.** Polynomials committed by Merkle trees over interleaved Reed-Solomon words take the
//! claimed values, all at suffixes of one point.
//!
//! **Commitment.** The `2^m` values of `f` are a matrix of `2^k` columns, the last `k` variables
//! numbering the columns. A column is the coefficients of a polynomial, encoded at rate `rho`; one tree
//! over the rows commits to all words. From here on the last `k` variables count as the first.
//!
//! **Messages** \[WHIR24, Construction 5.1\] of an opening, in every round:
//! 1. A sumcheck over the first `k` variables of `sum f(x) W(x) = v`, the weights `W` being those of the
//!    claims so far. Its challenges `alpha` fold `f` to `g = f(alpha, .)` and its words to one,
//!    `sum eq(alpha, c) word_c`, which encodes `g`. A committed polynomial that joins is folded by a
//!    sumcheck of its own.
//! 2. If some join: for folded polynomials `g_j` with claims `<g_j, W_j> = v_j`, the prover sends every
//!    `<g_j, W_i>`, `i != j`. The verifier draws `c_j`, and from now on `g = sum c_j g_j`, of which
//!    `<g, W_i> = sum c_j <g_j, W_i>` is claimed for every `i`.
//! 3. The root of `g`'s own words, at a lower rate and fewer rows, and beyond unique decoding values of
//!    `g` out of domain. Or, in the last round, `g` in the clear.
//! 4. A nonce, and queries: rows of all words folded give values of `g` at points of the domain.
//! 5. `gamma` combines the claims about `g`: of 2, out of domain, of 4. In the last round the verifier
//!    checks them on `g`.
//!
//! **Soundness**, round by round; [`plan`] has the terms. A state is good if the words agree with
//! codewords, on one set of more than `1 - delta` of the positions, whose polynomials fulfil the
//! claims.
//! A challenge of 1 makes a bad state good with probability `(C + 2 L) / |F|`: `C` exceptional
//! parameters of a line \[BCIKS20, DKT26\], by mutual correlated agreement \[WHIR24, Lemma 4.10\], and
//! two for each of the `L` codewords near a word, whose round polynomial is a false quadratic one. A
//! challenge of 2 likewise: `g_0 + c g_1` is a line, so that outside of `C` parameters whatever is near
//! it is `g_0 + c g_1` for codewords near both words on the same set; and if for one of these pairs a
//! value sent is not `<g_j, W_i>`, or `v_j` not `<g_j, W_j>`, then the claim on `g` with that `W_i` holds
//! for one `c` at most. Out of domain \[WHIR24, Lemma 4.25\]: two of the codewords near the next word
//! agree at every sample. Queries: `(1 - delta)^t` for a next polynomial that is not what the words
//! fold to. `gamma`: a root for each codeword near the next word.
//!
//! A polynomial whose domain is a larger group joins on the subgroup's positions, which are its
//! first: the claim is then of the word on these alone.
//!
//! | symbol | meaning |
//! |---|---|
//! | `m`, `k` | variables of a polynomial, variables folded in a round |
//! | `rho`, `delta` | rate of a code, the distance up to which it is decoded |
//! | `W`, `<g, W>` | weights on the hypercube, `sum g(x) W(x)` |
//! | `t`, `L` | queries, codewords within `delta` of a word |
//!
//! **Deviations.** Values for coefficients, interleaving, several polynomials (2). A commitment is not
//! sampled out of domain: at the Johnson bound it stands for a list, whose bits every term of the
//! protocol above loses.
//!
//! [`parameters`] and [`codec`] are for p3-whir, which backends measure beside this.

pub mod codec;
mod encode;
pub mod parameters;
pub mod plan;
mod prover;
mod verifier;
mod weights;

use std::marker::PhantomData;

use p3_field::TwoAdicField;
use trilemma_core::scheme::{Properties, Setup};
use trilemma_core::{
    ConfigError, Label, Options, ProveError, ProverTranscript, Reject, Setting, Smooth, VerifierTranscript,
};

use crate::codes::oracle::{self, Committed};
use crate::fri::tree::Merkle;
use crate::stacked::{Multilinear, Opening};
use plan::Schedule;

/// WHIR over Merkle trees of kind `T`.
pub struct Whir<T>(PhantomData<fn() -> T>);

/// Keys of both sides: parameters only.
pub struct Key<S: Setting, T: Merkle<S>> {
    schedule: Schedule,
    mmcs: T::Mmcs,
}

impl<S: Smooth, T: Merkle<S>> Multilinear<S> for Whir<T> {
    const NAME: &'static str = "whir";
    const MAX_VARIABLES: usize = 26;
    type ProverKey = Key<S, T>;
    type VerifierKey = Key<S, T>;
    type Commitment = oracle::Root<S, T>;
    type Opener = Committed<S, T>;

    fn setup(options: &Options, max_variables: usize) -> Result<(Key<S, T>, Key<S, T>), ConfigError> {
        let schedule = Schedule::new(options, max_variables, S::ext_bits(), S::Base::TWO_ADICITY)?;
        let mmcs = T::chosen(options)?;
        let key = || Key { schedule, mmcs: mmcs.clone() };
        Ok((key(), key()))
    }

    fn properties(_: &Key<S, T>) -> Properties {
        Properties { setup: Setup::Transparent, post_quantum: true, hiding: false, verifier: "log^2 n" }
    }

    fn list_bits(vk: &Key<S, T>) -> f64 {
        vk.schedule.list_bits()
    }

    fn commit(
        pk: &Key<S, T>,
        values: Vec<S::Base>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Committed<S, T>, ProveError> {
        let word = pk.schedule.first_word(values.len().trailing_zeros() as usize);
        let words = encode::encode(&values, 1 << word.fold, word.rate);
        Ok(Committed { values, tree: oracle::commit::<S, T>(&pk.mmcs, words, label, t) })
    }

    fn values(opener: &Committed<S, T>) -> &[S::Base] {
        &opener.values
    }

    fn receive(
        vk: &Key<S, T>,
        _: usize,
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Self::Commitment, Reject> {
        oracle::receive::<S, T>(&vk.mmcs, label, t)
    }

    fn open(
        pk: &Key<S, T>,
        openings: &[Opening<'_, Committed<S, T>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        Ok(prover::open(pk, openings, t)?)
    }

    fn verify(
        vk: &Key<S, T>,
        openings: &[Opening<'_, Self::Commitment, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        verifier::verify(vk, openings, t)
    }
}
