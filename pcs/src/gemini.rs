//! `gemini(P)`: multilinear claims from any scheme `P` for univariate ones, by folding [BCHO22, Section
//! 2.4.2].
//!
//! **Claim.** For committed multilinear `f_o` and suffixes `r_o` of one point `r`, `f_o(r_o) = v_o`.
//!
//! **Relation.** A polynomial of `n` variables is a matrix of `2^w` columns and `2^m` rows, `n = w + m`,
//! committed by `P`: the first `w` coordinates are the bits of the column, and the `j`-th column is
//! `f_(o,j)(X) = sum f_o(j, x) X^rev(x)`, given to `P` by its values on a subgroup. `rev` reverses the `m`
//! bits of an index, so that the first coordinate of a column is the least significant bit of the
//! exponent.
//!
//! **Messages.** `even` and `odd` are a polynomial's parts, `g(X) = even(g)(X^2) + X odd(g)(X^2)`; `r_k` is
//! the coordinate of `r` that `k - 1` others follow; `K` is the largest `m`.
//! 1. V: `gamma`. Let `h_K = 0`, and for `k` from `K` down to 1
//!    `g_k = h_k + sum gamma^o sum_j eq(j, first w coordinates of r_o) f_(o,j)` over the polynomials with
//!    `m = k`, and `h_(k-1) = (1 - r_k) even(g_k) + r_k odd(g_k)`.
//! 2. P: one oracle of `P` with the matrices of `h_(K-1), ..., h_1`, a column for each coefficient over
//!    the base field. As `h_0 = sum gamma^o v_o`, V knows it.
//! 3. V: `beta`. Let `beta_k = beta^(2^(K - k))`, so that `beta_(k-1)` is the square of `beta_k`.
//! 4. P: the values at `beta_k` and `-beta_k` of every column of matrices with `2^k` rows, and their proof
//!    by `P`. V has those of `g_k` from them, and for every `k` checks
//!    `2 h_(k-1)(beta_(k-1)) = (1 - r_k) (g_k(beta_k) + g_k(-beta_k)) + r_k (g_k(beta_k) - g_k(-beta_k)) / beta_k`.
//!
//! **Cost.** Over what `P` costs for matrices of as many cells: one transform to commit, folds of
//! `2^(K+1)` extension elements to open; `2^w` values for each polynomial and `2D` for each fold, `D` the
//! degree of the extension. Columns make folds short; 32 cost little in the proof.
//!
//! **Soundness.** `P`'s terms; `gamma`: `1 / |F|` for each polynomial; `beta`: a false identity is one
//! of polynomials in `beta` of degree below `2^K`. Where `P` binds to one of `L` words for each height,
//! `gamma` must do for the words of every height together, and an identity for the pairs of words of
//! two neighbouring heights, of which there are `K`: `L^(heights)` and `K L^2` in place of 1. Where `P`
//! does not enforce heights, folding takes the first `2^k` coefficients of `g_k` to the first `2^(k-1)`
//! of `h_(k-1)`, so the identities say of those of `f_(o,j)` what is claimed, whatever follows them.
//! What `P` subtracts for degrees it also reports as `L`, so the terms cover both.
//!
//! **Deviations.** Columns, and the squares of `beta`, which spare one of three points; in \[BCHO22\] every
//! polynomial is opened at `beta`, `-beta` and `beta^2`.

use std::marker::PhantomData;

use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrixView;
use p3_matrix::util::reverse_matrix_index_bits;
use rayon::prelude::*;
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::claim::{Claim, Columns, rejoin};
use trilemma_core::multilinear::{eq_table, fold};
use trilemma_core::{
    ConfigError, ErrorTerm, Label, Largest, Opens, Options, Properties, ProveError, ProverTranscript, Reject, Scheme,
    Setting, Smooth, UniEval, VerifierTranscript,
};

use crate::stacked::{Multilinear, Opening, combine, encode_points, longest};

/// Folding over `P`.
pub struct Gemini<P>(PhantomData<fn() -> P>);

/// `w` of polynomials that have as many variables to spare.
const LOG_COLUMNS: usize = 5;
/// log2 of the largest stack.
const MAX_VARIABLES: usize = 26;

/// `m` of a polynomial of `n` variables.
fn log_rows(n: usize) -> usize {
    n.saturating_sub(LOG_COLUMNS).max(1)
}

/// The matrix of a polynomial of `n` variables.
fn shape(n: usize) -> Shape {
    Shape { log_height: log_rows(n), width: 1 << n.saturating_sub(log_rows(n)) }
}

/// What committing and opening need.
pub struct ProverKey<S: Smooth, P: Scheme<S>> {
    inner: P::ProverKey,
    list_bits: f64,
    dft: Radix2DitParallel<S::Base>,
}

/// What the prover keeps.
pub struct Opener<S: Smooth, P: Scheme<S>> {
    values: Vec<S::Base>,
    inner: P::Opener,
}

/// `gemini(...)` around a scheme's name.
struct Name<S, P>(PhantomData<(S, P)>);

impl<S: Setting, P: Scheme<S>> Name<S, P> {
    const PARTS: [&'static [u8]; 3] = [b"gemini(", P::NAME.as_bytes(), b")"];
    const BYTES: ([u8; 32], usize) = {
        let (mut bytes, mut n, mut part) = ([0; 32], 0, 0);
        while part < 3 {
            let mut i = 0;
            while i < Self::PARTS[part].len() {
                bytes[n] = Self::PARTS[part][i];
                (i, n) = (i + 1, n + 1);
            }
            part += 1;
        }
        (bytes, n)
    };
    const TEXT: &'static str = match std::str::from_utf8(Self::BYTES.0.split_at(Self::BYTES.1).0) {
        Ok(text) => text,
        Err(_) => "gemini",
    };
}

impl<S: Smooth, P> Multilinear<S> for Gemini<P>
where
    P: Opens<S, UniEval<S::Ext>, Commitment: Send + Sync>,
{
    const NAME: &'static str = Name::<S, P>::TEXT;
    const JOINT_LISTS: bool = P::JOINT_LISTS;
    const MAX_VARIABLES: usize =
        if P::MAX_LOG_HEIGHT + LOG_COLUMNS < MAX_VARIABLES { P::MAX_LOG_HEIGHT + LOG_COLUMNS } else { MAX_VARIABLES };
    const MIN_VARIABLES: usize = 1;
    const KEY_GROWS: bool = P::KEY_GROWS;
    type ProverKey = ProverKey<S, P>;
    type VerifierKey = P::VerifierKey;
    type Commitment = P::Commitment;
    type Opener = Opener<S, P>;

    fn setup(options: &Options, max_variables: usize) -> Result<(ProverKey<S, P>, P::VerifierKey), ConfigError> {
        let (inner, vk) = P::setup(options, log_rows(max_variables))?;
        Ok((ProverKey { inner, list_bits: P::list_bits(&vk), dft: Radix2DitParallel::default() }, vk))
    }

    fn prepare(pk: &ProverKey<S, P>, variables: usize) {
        P::prepare(&pk.inner, Largest { log_height: log_rows(variables), log_cells: variables });
    }

    fn properties(vk: &P::VerifierKey) -> Properties {
        let inner = P::properties(vk);
        // The folds are columns of their own heights.
        let verifier = if inner.verifier == "1 + columns" { "log n" } else { inner.verifier };
        Properties { verifier, ..inner }
    }

    fn list_bits(vk: &P::VerifierKey) -> f64 {
        P::list_bits(vk)
    }

    fn commit(
        pk: &ProverKey<S, P>,
        values: Vec<S::Base>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Opener<S, P>, ProveError> {
        let Shape { log_height, .. } = shape(values.len().trailing_zeros() as usize);
        let rows = RowMajorMatrixView::new(&values, 1 << log_height).transpose();
        let inner = P::commit(&pk.inner, vec![pk.values(rows)], label, t)?;
        Ok(Opener { values, inner })
    }

    fn values(opener: &Opener<S, P>) -> &[S::Base] {
        &opener.values
    }

    fn receive(
        vk: &P::VerifierKey,
        variables: usize,
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<P::Commitment, Reject> {
        P::receive(vk, &[shape(variables)], label, t)
    }

    fn verify(
        vk: &P::VerifierKey,
        openings: &[Opening<'_, P::Commitment, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        let point = longest(openings);
        let top = log_rows(point.len());
        if openings.iter().any(|opening| opening.point.is_empty()) {
            return Err(Reject::new("a polynomial without variables"));
        }
        let [batching, folding] = terms::<S, _>(openings, P::list_bits(vk));
        t.bind("gemini points", &encode_points::<S, _>(openings));

        // 1. to 4.
        let gamma = t.challenge::<S>("gemini gamma", Some(&batching))?;
        let shapes: Vec<[Shape; 1]> = openings.iter().map(|opening| [shape(opening.point.len())]).collect();
        let folds = fold_shapes::<S>(top);
        let fold_oracle = match folds.is_empty() {
            true => None,
            false => Some(P::receive(vk, &folds, "gemini folds", t)?),
        };
        let beta = t.challenge::<S>("gemini beta", Some(&folding))?;
        let mut claims = Vec::new();
        for question in questions::<S>(&shapes, &folds, beta) {
            let (oracle, matrix, query) = (question.oracle.0, question.matrix, question.query);
            let width = shapes.get(oracle).map_or(S::Ext::DIMENSION, |[shape]| shape.width);
            claims.push(Claim { oracle, matrix, query, values: t.recv_ext::<S>("gemini values", width)? });
        }
        folds_to::<S, _>(openings, &shapes, &claims, gamma, beta)?;

        let oracles: Vec<(&P::Commitment, &[Shape])> = openings
            .iter()
            .map(|opening| opening.of)
            .zip(shapes.iter().map(|shape| shape.as_slice()))
            .chain(fold_oracle.as_ref().map(|oracle| (oracle, folds.as_slice())))
            .collect();
        P::verify(vk, &oracles, &claims, t)
    }

    fn open(
        pk: &ProverKey<S, P>,
        openings: &[Opening<'_, Opener<S, P>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        let point = longest(openings);
        let top = log_rows(point.len());
        let [batching, folding] = terms::<S, _>(openings, pk.list_bits);
        t.bind("gemini points", &encode_points::<S, _>(openings));

        // 1. and 2.
        let gamma = t.challenge::<S>("gemini gamma", Some(&batching))?;
        let shapes: Vec<[Shape; 1]> = openings.iter().map(|opening| [shape(opening.point.len())]).collect();
        let folds = fold_shapes::<S>(top);
        let fold_oracle = match folds.is_empty() {
            true => None,
            false => Some(P::commit(&pk.inner, pk.folds(openings, gamma), "gemini folds", t)?),
        };

        // 3. and 4.
        let beta = t.challenge::<S>("gemini beta", Some(&folding))?;
        let openers: Vec<&P::Opener> = openings.iter().map(|opening| &opening.of.inner).chain(&fold_oracle).collect();
        let questions = questions::<S>(&shapes, &folds, beta);
        let mut hints = P::Hints::default();
        let answers = P::answer(&pk.inner, &openers, &questions, &mut hints);
        let mut claims = Vec::with_capacity(answers.len());
        for (question, values) in questions.into_iter().zip(answers) {
            t.send_ext::<S>("gemini values", &values);
            let (oracle, matrix, query) = (question.oracle.0, question.matrix, question.query);
            claims.push(Claim { oracle, matrix, query, values });
        }
        P::open(&pk.inner, &openers, &claims, hints, t)
    }
}

impl<S: Smooth, P: Scheme<S>> ProverKey<S, P> {
    /// The values on a subgroup of columns whose coefficients are given in order of `x`.
    fn values(&self, mut columns: Columns<S::Base>) -> Columns<S::Base> {
        reverse_matrix_index_bits(&mut columns);
        self.dft.dft_batch(columns).to_row_major_matrix()
    }

    /// The matrices of `h_(K-1), ..., h_1`.
    fn folds(&self, openings: &[Opening<'_, Opener<S, P>, S::Ext>], gamma: S::Ext) -> Vec<Columns<S::Base>> {
        let point = longest(openings);
        let top = log_rows(point.len());
        let mut g: Vec<S::Ext> = Vec::new();
        let mut folds = Vec::with_capacity(top);
        for k in (2..=top).rev() {
            for (opening, power) in openings.iter().zip(gamma.powers()) {
                let (columns, rows) = opening.point.split_at(opening.point.len() - log_rows(opening.point.len()));
                if rows.len() == k {
                    let joined = combine::<S>(&opening.of.values, &eq_table(columns, power));
                    g.resize(joined.len(), S::Ext::ZERO);
                    g.par_iter_mut().zip(joined).for_each(|(g, f)| *g += f);
                }
            }
            fold(&mut g, point[point.len() - k]);
            let coefficients = S::Ext::flatten_to_base(g.clone());
            folds.push(self.values(Columns::new(coefficients, S::Ext::DIMENSION)));
        }
        folds
    }
}

/// Shapes of `h_(K-1), ..., h_1`.
fn fold_shapes<S: Setting>(top: usize) -> Vec<Shape> {
    let width = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    (1..top).rev().map(|log_height| Shape { log_height, width }).collect()
}

/// What `P` is asked: every matrix at `beta_k` and `-beta_k`.
fn questions<S: Smooth>(shapes: &[[Shape; 1]], folds: &[Shape], beta: S::Ext) -> Vec<Question<UniEval<S::Ext>>> {
    let top = shapes.iter().map(|[shape]| shape.log_height).max().unwrap_or(0);
    let at = |oracle: usize, matrix: usize, shape: &Shape| {
        let beta = beta.exp_power_of_2(top - shape.log_height);
        [beta, -beta].map(|x| Question { oracle: Oracle(oracle), matrix, query: UniEval(x) })
    };
    let committed = shapes.iter().enumerate().flat_map(|(oracle, [shape])| at(oracle, 0, shape));
    committed.chain(folds.iter().enumerate().flat_map(|(i, shape)| at(shapes.len(), i, shape))).collect()
}

/// Checks that what was opened folds to what is claimed.
fn folds_to<S: Smooth, C>(
    openings: &[Opening<'_, C, S::Ext>],
    shapes: &[[Shape; 1]],
    claims: &[Claim<UniEval<S::Ext>, S::Ext>],
    gamma: S::Ext,
    beta: S::Ext,
) -> Result<(), Reject> {
    let point = longest(openings);
    let top = log_rows(point.len());
    let (committed, folds) = claims.split_at(2 * openings.len());
    let mut pairs = committed.chunks_exact(2);
    // The values of what joins at every k.
    let mut joined = vec![[S::Ext::ZERO; 2]; top + 1];
    let mut claimed = S::Ext::ZERO;
    for (((opening, [shape]), pair), power) in openings.iter().zip(shapes).zip(pairs.by_ref()).zip(gamma.powers()) {
        let columns = &opening.point[..opening.point.len() - shape.log_height];
        let weights = eq_table(columns, power);
        for (sum, claim) in joined[shape.log_height].iter_mut().zip(pair) {
            *sum += claim.values.iter().zip(&weights).map(|(&value, &weight)| value * weight).sum::<S::Ext>();
        }
        claimed += power * opening.value;
    }
    // Those of h_k: none for K, then as opened, last h_0.
    let opened = folds.chunks_exact(2).map(|pair| [rejoin_one::<S>(&pair[0].values), rejoin_one::<S>(&pair[1].values)]);
    let h: Vec<[S::Ext; 2]> =
        std::iter::once([S::Ext::ZERO; 2]).chain(opened).chain(std::iter::once([claimed; 2])).collect();
    let mut beta = beta;
    for ((pair, &r), k) in h.windows(2).zip(&point[point.len() - top..]).zip((1..=top).rev()) {
        let [plus, minus] = [0, 1].map(|i| pair[0][i] + joined[k][i]);
        // Times 2 beta, which may be zero.
        let right = (S::Ext::ONE - r) * (plus + minus) * beta + r * (plus - minus);
        if beta.is_zero() || pair[1][0].double() * beta != right {
            return Err(Reject::new("gemini folding"));
        }
        beta = beta.square();
    }
    Ok(())
}

fn rejoin_one<S: Setting>(values: &[S::Ext]) -> S::Ext {
    rejoin::<S::Base, S::Ext>(values).first().copied().unwrap_or(S::Ext::ZERO)
}

/// The error terms of `gamma` and `beta`.
fn terms<S: Setting, C>(openings: &[Opening<'_, C, S::Ext>], list_bits: f64) -> [ErrorTerm; 2] {
    let top = log_rows(longest(openings).len());
    let mut heights: Vec<usize> = openings.iter().map(|opening| log_rows(opening.point.len())).collect();
    heights.sort_unstable();
    heights.dedup();
    let batching = ErrorTerm::schwartz_zippel("gemini batching", openings.len() as f64 - 1.0, S::ext_bits());
    let folding = ErrorTerm::schwartz_zippel("gemini folding", (top as f64).exp2(), S::ext_bits());
    let pairs = if list_bits > 0.0 { 2.0 * list_bits + (top as f64).log2() } else { 0.0 };
    [
        batching.losing(list_bits * heights.len() as f64),
        ErrorTerm { reference: "[BCHO22] Section 2.4.2", ..folding }.losing(pairs),
    ]
}
