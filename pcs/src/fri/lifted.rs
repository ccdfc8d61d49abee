//! The verifier of lifted openings.
//!
//! A matrix of `n` rows is committed on the domain `s_n H`, `|H| = n / rho`, with `s_n = g^(T/n)` for
//! one `T` above all heights. For the largest height `N` and `r = N / n`, `x -> x^r` maps the domain
//! of `N` onto that of `n`. So the quotient `w(Y) = (p(z) - p(Y)) / (z - Y)` of the small matrix,
//! which has degree below `n`, is a function `w(X^r)` on the large domain of degree below `N`, and a
//! query at `x` reads it at `x^r`: in bit-reversed order, at the leading bits of the index. All
//! quotients, with their own powers of one challenge, add up to one word, which is folded.
//!
//! **Soundness** under unique decoding. By correlated agreement \[BCIKS20\] every lifted function
//! agrees with a polynomial of degree below `N` on one set of density above `(1 + rho) / 2`. Let `P`
//! be that of `f(x^r)` and `u` an `r`-th root of unity. `f(x^r)` does not change when `x` is
//! multiplied by `u`, so `P(uX)` agrees with it as often; two such sets meet in density above `rho`,
//! hence `P(uX) = P(X)`, `P` is a polynomial in `X^r`, and `f` agrees with it as often on its own
//! domain. The last steps fail in the list decoding range, where lifting is not used.

use p3_commit::{CommitmentOpening, Mmcs};
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::{
    HornerIter, PrimeCharacteristicRing, PrimeField64, TwoAdicField, batch_multiplicative_inverse, dot_product,
};
use p3_fri::verifier::fold_query;
use p3_fri::{FriShape, VerifierTranscript};
use p3_matrix::Dimensions;
use p3_util::reverse_bits_len;
use trilemma_core::{Reject, Smooth};

use super::codec::{P3, Proof};
use super::parameters::Parameters;
use super::tree::{Merkle, Tree};

/// Commitments with their claims.
pub type Openings<S, T> = [CommitmentOpening<
    <S as trilemma_core::Setting>::Ext,
    <<T as Merkle<S>>::Mmcs as Mmcs<<S as trilemma_core::Setting>::Base>>::Commitment,
    TwoAdicMultiplicativeCoset<<S as trilemma_core::Setting>::Base>,
>];

/// What is to be verified.
pub struct Lifted<'a, S, T>
where
    S: Smooth<Base: PrimeField64>,
    T: Tree<S>,
{
    /// The solved parameters.
    pub parameters: &'a Parameters,
    /// The same for p3.
    pub p3: &'a P3<S, T>,
    /// Commitments with their claims.
    pub openings: &'a Openings<S, T>,
    /// The batching challenge.
    pub a: S::Ext,
}

fn failed(what: &str) -> Reject {
    Reject::new(format!("fri: {what}"))
}

/// Checks an opening proof.
pub fn verify<S, T>(
    claims: &Lifted<'_, S, T>,
    proof: &Proof<S, T>,
    mmcs: &T::Mmcs,
    challenger: &mut T::Challenger,
) -> Result<(), Reject>
where
    S: Smooth<Base: PrimeField64>,
    T: Tree<S>,
{
    let p3 = claims.p3;
    let heights = claims.openings.iter().flat_map(|o| &o.matrices).map(|m| m.domain.log_size() + p3.log_blowup);
    let log_max = heights.max().ok_or_else(|| failed("nothing committed"))?;
    if log_max > S::Base::TWO_ADICITY {
        return Err(failed("a domain too large for the field"));
    }

    // Folding commitments and challenges, the last polynomial, and where to query.
    let shape = FriShape::new(p3, &[log_max], log_max);
    let log_arities = shape.log_arities.clone();
    let mut transcript = VerifierTranscript::<T::Challenger, S::Base, S::Ext>::new(challenger, shape);
    let betas = transcript
        .commit_rounds(&proof.commit_phase_commits, &proof.commit_pow_witnesses)
        .map_err(|_| failed("grinding of a folding"))?;
    let indices = transcript
        .query_phase(&proof.final_poly, Some(proof.query_pow_witness))
        .map_err(|_| failed("grinding of the queries"))?;
    transcript.finish();

    // The word at the queries, from authenticated rows.
    let words = words(claims, proof, mmcs, log_max, &indices)?;

    // Every query folds to the last polynomial.
    let rounds = log_arities.len();
    let mut leaves = vec![Vec::new(); rounds];
    let mut rows = vec![Vec::new(); rounds];
    for (query, (&index, word)) in indices.iter().zip(words).enumerate() {
        let mut index = index;
        let folded = fold_query::<_, S::Base, S::Ext, _>(
            &super::folding::<S, T>(),
            query,
            &mut index,
            &betas,
            &log_arities,
            &proof.commit_phase_openings,
            vec![(log_max, word)],
            log_max,
            p3.log_blowup + p3.log_final_poly_len,
            &mut leaves,
            &mut rows,
        )
        .map_err(|e| failed(&format!("{e:?}")))?;
        let exponent = reverse_bits_len(index, log_max) as u64;
        let x = S::Base::two_adic_generator(log_max).exp_u64(exponent);
        let last: S::Ext = proof.final_poly.iter().copied().horner(x);
        if last != folded {
            return Err(failed("the last polynomial"));
        }
    }

    // The folded words are those committed to.
    let mut log_height = log_max;
    for (round, &log_arity) in log_arities.iter().enumerate() {
        log_height -= log_arity;
        let dimensions = [Dimensions { width: 1 << log_arity, height: 1 << log_height }];
        let opening = &proof.commit_phase_openings[round].opening_proof;
        p3.mmcs
            .verify_multi_batch(&proof.commit_phase_commits[round], &dimensions, &leaves[round], &rows[round], opening)
            .map_err(|_| failed("a path of a folded word"))?;
    }
    Ok(())
}

/// `sum a^i (p_i(z) - p_i(y)) / (z - y)` at every query, where `y` is the query's point on the
/// matrix's own domain.
fn words<S, T>(
    claims: &Lifted<'_, S, T>,
    proof: &Proof<S, T>,
    mmcs: &T::Mmcs,
    log_max: usize,
    indices: &[usize],
) -> Result<Vec<S::Ext>, Reject>
where
    S: Smooth<Base: PrimeField64>,
    T: Tree<S>,
{
    let log_blowup = claims.parameters.log_blowup;
    let mut words = vec![S::Ext::ZERO; indices.len()];
    let mut power = S::Ext::ONE;
    for (opening, batch) in claims.openings.iter().zip(&proof.input_openings) {
        let logs: Vec<usize> = opening.matrices.iter().map(|m| m.domain.log_size() + log_blowup).collect();
        let widths = opening.matrices.iter().map(|m| m.points.first().map_or(0, |p| p.values.len()));
        let dimensions: Vec<Dimensions> =
            widths.zip(&logs).map(|(width, log)| Dimensions { width, height: 1 << log }).collect();
        let tallest = logs.iter().copied().max().unwrap_or(0);
        let leaves: Vec<usize> = indices.iter().map(|i| i >> (log_max - tallest)).collect();
        mmcs.verify_multi_batch(&opening.commitment, &dimensions, &leaves, &batch.opened_values, &batch.opening_proof)
            .map_err(|_| failed("a path of a committed matrix"))?;

        for (m, (matrix, &log)) in opening.matrices.iter().zip(&logs).enumerate() {
            let shift: S::Base = claims.parameters.shift(log - log_blowup);
            let generator = S::Base::two_adic_generator(log);
            let points: Vec<S::Base> = indices
                .iter()
                .map(|i| shift * generator.exp_u64(reverse_bits_len(i >> (log_max - log), log) as u64))
                .collect();
            let folded: Vec<S::Ext> = batch
                .opened_values
                .iter()
                .map(|rows| dot_product(claims.a.powers(), rows[m].iter().copied()))
                .collect();
            for point in &matrix.points {
                let value: S::Ext = dot_product(claims.a.powers(), point.values.iter().copied());
                let differences: Vec<S::Ext> = points.iter().map(|&y| point.point - y).collect();
                if differences.contains(&S::Ext::ZERO) {
                    return Err(failed("a query at an opening point"));
                }
                let inverses = batch_multiplicative_inverse(&differences);
                for ((word, &f), inverse) in words.iter_mut().zip(&folded).zip(inverses) {
                    *word += (value - f) * inverse * power;
                }
                power *= claims.a.exp_u64(point.values.len() as u64);
            }
        }
    }
    Ok(words)
}
