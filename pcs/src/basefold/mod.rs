//! `basefold`: multilinear claims from a sumcheck interleaved with FRI folding \[ZCF24, Hab24\].
//!
//! **Claim.** Polynomials committed by Merkle trees over interleaved Reed-Solomon words take the
//! claimed values, all at suffixes of one point.
//!
//! **Commitment.** The `2^m` values of `f` are a matrix of `2^k` columns, the last `k` variables
//! numbering the columns. Column `c` holds coefficients in bit-reversed order, `sum f(i, c) X^rev(i)`,
//! so that an even-odd fold at `r` binds the first variable: `(1 - r) P_even + r P_odd` is the
//! polynomial of `f(r, ..)`. One batched transform encodes all columns over the base field, and one
//! tree over the rows commits to them.
//!
//! **Messages** of an opening:
//! 1. `alpha` batches openings; the last `k` coordinates of the point become challenges
//!    ([`crate::codes::rounds`]), which combine the columns of every opening to one word.
//! 2. A root of the word, in leaves of `2^a` values that fold together; then `a` rounds, each a slope
//!    and a challenge, that fold the word and bind a variable. Again, until few variables are left.
//! 3. The remaining polynomial in the clear. It must have the value that the rounds arrived at.
//! 4. A nonce, and queries: rows of all commitments give the first word's value at a position, and a
//!    leaf of each word, in which that value stands, the next one's.
//!
//! **Lengths.** A shorter word joins when folding reaches its length. Under unique decoding it is
//! *lifted* to the longest instead, so that folding never stops for it: `w` on the domain of `x^R`
//! becomes `prod (1 + x^(2^j)) w(x^R)`, `2^j < R`, which folds to `w` whatever the challenges. With
//! one batching challenge for all, that is sound there and only there. Let `P`, of degree below `n`,
//! agree with a lifted word on more than `(1 + rho)/2` of the domain. `(X - 1) P` agrees as often with
//! `(x^R - 1) w(x^R)`, which does not change when `x` is multiplied by an `R`-th root of unity `u`; so
//! `(X - 1) P` and `(uX - 1) P(uX)` agree on more than `n` points and are equal, `(X - 1) P` is a
//! polynomial in `X^R`, divisible by `X^R - 1`, and `P` is a lifted codeword. (`x^R = 1` nowhere on the
//! cosets used.) At the Johnson bound a shorter word joins at its own length with a challenge of its
//! own, and the openings of one length are batched among themselves.
//!
//! **Soundness**, round by round. A state is good if some codeword agrees with the word on all
//! positions that are consistent so far, more than `1 - delta` of them, and has the claimed value. By
//! mutual correlated agreement (\[WHIR24\] Corollary 4.11; \[DKT26\] Theorem 5.12), a challenge makes a bad state good with
//! probability `(C + L) / |F|`: `C` exceptional parameters of a line ([`crate::codes::proximity`]), and
//! one for each of the `L` codewords near the word, whose claim is a false linear polynomial in the
//! challenge. Openings batched by powers of `alpha` are a curve. A bad state survives `q` queries with
//! probability `(1 - delta)^q`. \[Hab24\] has the argument in the list decoding range. Words of all lengths
//! are queried at the same `x`: tuples `(f(x), g(x^R), ..)` are a code of the same distance, with one list.
//!
//! | symbol | meaning |
//! |---|---|
//! | `k` | [`log_columns`], so that a row has 128 bytes |
//! | `a` | log2 of the folding arity, at most [`MAX_LOG_ARITY`] |
//! | `R` | ratio of the longest word to a shorter one |
//!
//! **Deviations** from \[ZCF24\]: values for coefficients, interleaving, folding by more than two
//! between commitments, stopping early, several polynomials.

mod folding;
mod prover;
mod verifier;

use std::marker::PhantomData;

use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use p3_matrix::Matrix;
use p3_matrix::bitrev::BitReversibleMatrix;
use p3_util::reverse_bits_len;
use rayon::prelude::*;
use trilemma_core::claim::Columns;
use trilemma_core::{
    ConfigError, ErrorTerm, Label, Options, Properties, ProveError, ProverTranscript, Reject, Setting, Setup, Smooth,
    VerifierTranscript,
};

use crate::codes::oracle::{self, Committed};
use crate::codes::proximity::ReedSolomon;
use crate::fri::tree::Merkle;
use crate::stacked::{Multilinear, Opening};
use folding::shift;

/// log2 of the largest folding arity.
const MAX_LOG_ARITY: usize = 3;

/// BaseFold over Merkle trees of kind `T`.
pub struct Basefold<T>(PhantomData<fn() -> T>);

/// log2 of the columns of a committed matrix.
pub const fn log_columns<S: Setting>() -> usize {
    7 - S::BYTES.ilog2() as usize
}

/// Keys of both sides: parameters only.
pub struct Key<S: Smooth, T: Merkle<S>> {
    code: ReedSolomon,
    queries: usize,
    mmcs: T::Mmcs,
    dft: Radix2DitParallel<S::Base>,
}

impl<S: Smooth, T: Merkle<S>> Multilinear<S> for Basefold<T> {
    const NAME: &'static str = "basefold";
    const JOINT_LISTS: bool = true;
    const MAX_VARIABLES: usize = 26;
    const MIN_VARIABLES: usize = log_columns::<S>();
    type ProverKey = Key<S, T>;
    type VerifierKey = Key<S, T>;
    type Commitment = oracle::Root<S, T>;
    type Opener = Committed<S, T>;

    fn setup(options: &Options, max_variables: usize) -> Result<(Key<S, T>, Key<S, T>), ConfigError> {
        let rows = max_variables - log_columns::<S>();
        let code = ReedSolomon::solve(options, S::ext_bits(), rows)?;
        let (field, domain) = (S::Base::TWO_ADICITY, rows + code.log_blowup);
        if domain > field {
            return Err(ConfigError(format!(
                "max_log_height: words of 2^{domain} symbols do not fit the field's subgroup of 2^{field}; choose a \
                 smaller height or log_blowup"
            )));
        }
        let queries = code.proximity(rows).queries(options.security.bits);
        let mmcs = T::chosen(options)?;
        let key = || Key { code, queries, mmcs: mmcs.clone(), dft: Radix2DitParallel::default() };
        Ok((key(), key()))
    }

    fn properties(_: &Key<S, T>) -> Properties {
        Properties { setup: Setup::Transparent, post_quantum: true, hiding: false, verifier: "log^2 n" }
    }

    fn list_bits(vk: &Key<S, T>) -> f64 {
        vk.code.list_bits()
    }

    fn commit(
        pk: &Key<S, T>,
        values: Vec<S::Base>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Committed<S, T>, ProveError> {
        let encoded = encode::<S>(&pk.dft, &values, log_columns::<S>(), pk.code.log_blowup);
        Ok(Committed { values, tree: oracle::commit::<S, T>(&pk.mmcs, encoded, label, t) })
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

/// The columns' codewords, row by row, positions in bit-reversed order.
fn encode<S: Smooth>(
    dft: &Radix2DitParallel<S::Base>,
    values: &[S::Base],
    log_columns: usize,
    log_blowup: usize,
) -> Columns<S::Base> {
    let width = 1 << log_columns;
    let rows = values.len() / width;
    let log_rows = rows.trailing_zeros() as usize;
    let mut cells = S::Base::zero_vec(values.len() << log_blowup);
    cells[..values.len()].par_chunks_mut(width).with_min_len(1 << 8).enumerate().for_each(|(i, row)| {
        row.copy_from_slice(&values[reverse_bits_len(i, log_rows) * width..][..width]);
    });
    let domain = shift::<S::Base>(log_rows + log_blowup);
    dft.coset_dft_batch(Columns::new(cells, width), domain).bit_reverse_rows().to_row_major_matrix()
}

/// Openings whose claims are batched.
struct Group {
    /// The word that theirs is part of.
    word: usize,
    /// log2 of the rows of the longest.
    rows: usize,
    /// Numbers of the openings.
    members: Vec<usize>,
}

/// What both sides derive from the sizes of the polynomials.
struct Plan {
    /// The opening whose point has all the others for suffixes.
    longest: usize,
    /// log2 of the rows of each opening.
    rows: Vec<usize>,
    /// Groups by word, the first one's being word 0.
    groups: Vec<Group>,
    /// log2 of the arities by which words are folded; each but the last word is committed to.
    arities: Vec<usize>,
    /// The challenges' terms.
    terms: Terms,
}

struct Terms {
    batch: ErrorTerm,
    columns: ErrorTerm,
    fold: ErrorTerm,
    join: ErrorTerm,
    query: ErrorTerm,
}

impl<S: Smooth, T: Merkle<S>> Key<S, T> {
    fn plan(&self, variables: impl Iterator<Item = usize>) -> Plan {
        let rows: Vec<usize> = variables.map(|n| n.saturating_sub(log_columns::<S>())).collect();
        let longest = (0..rows.len()).rev().max_by_key(|&i| rows[i]).unwrap_or(0);
        let mut joins = rows.clone();
        joins.sort_unstable_by(|a, b| b.cmp(a));
        joins.dedup();
        if self.code.johnson.is_none() {
            joins.truncate(1);
        }

        // Folding stops where words join, and where sending the rest is cheaper than querying it.
        let (mut groups, mut arities) = (Vec::new(), Vec::new());
        let (mut left, stop) = (joins.first().copied().unwrap_or(0), self.queries.ilog2() as usize);
        let lifted = joins.len() == 1;
        let mut pending = joins.into_iter().peekable();
        loop {
            if let Some(rows_of) = pending.next_if_eq(&left) {
                let members = (0..rows.len()).filter(|&i| lifted || rows[i] == rows_of).collect();
                groups.push(Group { word: arities.len(), rows: rows_of, members });
            }
            let arity = (left - pending.peek().map_or(stop.min(left), |&next| next)).min(MAX_LOG_ARITY);
            if arity == 0 {
                break;
            }
            arities.push(arity);
            left -= arity;
        }
        let terms = self.terms(&groups);
        Plan { longest, rows, groups, arities, terms }
    }

    fn terms(&self, groups: &[Group]) -> Terms {
        let bits = S::ext_bits();
        let of = |group: &Group| self.code.proximity(group.rows);
        let longest = groups.first().map_or_else(|| self.code.proximity(0), of);
        let sum = |weight: fn(&Group) -> f64| groups.iter().map(|g| weight(g) * of(g).bad()).sum::<f64>();
        let batch = sum(|g| g.members.len() as f64 - 1.0).max(1.0);
        let term = |name, bad| longest.term(name, bad, bits);
        let query_bits = self.queries as f64 * longest.query_bits;
        Terms {
            batch: term("BaseFold batching", batch),
            columns: term("BaseFold columns", sum(|_| 1.0)),
            fold: term("BaseFold folding", sum(|_| 1.0)),
            join: term("BaseFold joining", longest.bad()),
            query: ErrorTerm {
                name: "BaseFold queries",
                bits: query_bits,
                reference: if self.code.johnson.is_none() { "[WHIR24] Corollary 4.11" } else { "[Hab24] Lemma 1" },
            },
        }
    }
}

impl Plan {
    /// Whether there is anything to batch.
    fn batched(&self) -> bool {
        self.groups.iter().any(|g| g.members.len() > 1)
    }

    /// The groups that join at a word, the first word's aside.
    fn joining(&self, word: usize) -> impl Iterator<Item = usize> {
        (1..self.groups.len()).filter(move |&g| self.groups[g].word == word)
    }
}

#[cfg(test)]
mod tests {
    use trilemma_core::setting::KoalaBear5;
    use trilemma_core::{Regime, Security};

    use super::*;
    use crate::fri::tree::Blake3Tree;

    fn plan(regime: Regime, variables: &[usize]) -> (Vec<usize>, Vec<(usize, Vec<usize>)>) {
        let options = Options { security: Security { bits: 100, regime }, ..Options::default() };
        let (key, _) = <Basefold<Blake3Tree> as Multilinear<KoalaBear5>>::setup(&options, 26).expect("keys");
        let plan = key.plan(variables.iter().copied());
        assert_eq!(variables[plan.longest], *variables.iter().max().expect("some"));
        (plan.arities, plan.groups.into_iter().map(|g| (g.word, g.members)).collect())
    }

    #[test]
    fn folding_stops_where_words_join() {
        // 2^17 rows, and 2^7 of them sent.
        assert_eq!(plan(Regime::Udr, &[22]), (vec![3, 3, 3, 1], vec![(0, vec![0])]));
        assert_eq!(plan(Regime::Udr, &[20, 22, 9]), (vec![3, 3, 3, 1], vec![(0, vec![0, 1, 2])]));
        let joins = vec![(0, vec![1, 3]), (1, vec![0]), (5, vec![2])];
        assert_eq!(plan(Regime::Jbr, &[20, 22, 9, 22]), (vec![2, 3, 3, 3, 2], joins));
        assert_eq!(plan(Regime::Jbr, &[12]), (vec![], vec![(0, vec![0])]));
    }
}
