//! `ligero` and `brakedown`: multilinear claims from any linear code \[AHIV17, GLSTW21\].
//!
//! **Claim.** Polynomials committed by Merkle trees over interleaved codewords take the claimed
//! values, all at suffixes of one point.
//!
//! **Commitment.** The `2^m` values of `f` are a matrix of `2^b` rows and `2^a` columns, `a + b = m`,
//! whose columns are encoded. A tree over the rows of the encoded matrix, of `2^a` symbols each,
//! commits to them.
//!
//! **Messages** of an opening:
//! 1. `alpha` batches openings of one size; the last `a` coordinates of each point become challenges
//!    `r` ([`crate::codes::rounds`]), which the sizes share.
//! 2. For each size, the combination of columns `u = sum_c eq(r, c) column_c`. Its value at the first
//!    coordinates of the point must be the one that the rounds arrived at.
//! 3. A nonce, and queries: rows of the committed matrices, whose inner products with `eq(r, .)` must
//!    be symbols of the codeword of `u`.
//!
//! **Soundness.** Each round is a combination of two interleaved words, as in \[DP24\]: a challenge makes
//! words near the code of words that are not, or a true claim of a false one, with probability
//! `(C + L) / |F|` ([`Proximity`]). After the rounds either the combined word is outside the radius, or
//! the polynomials it is near to have other values than `u` has; both ways `u`'s codeword differs from it
//! outside the radius, and `q` queries do not notice with probability `(1 - delta)^q`.
//!
//! **Cost.** `a` minimizes the proof, which depends on the code and the size only. The verifier
//! encodes one message: `sqrt(n)`, as are proofs.
//!
//! **Deviations.** \[GLSTW21\] sends two combinations, a random one that tests proximity and one at the
//! point. Here the rounds make the point random, so that one does both.
//!
//! | symbol | meaning |
//! |---|---|
//! | `a`, `b` | log2 of the columns and of the rows, which are messages' symbols |
//! | `C`, `L` | exceptional parameters of a line, codewords near a word |

mod brakedown;
mod reed_solomon;
mod sparse;

use std::marker::PhantomData;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, dot_product};
use p3_matrix::Dimensions;
use trilemma_core::claim::Columns;
use trilemma_core::multilinear::{eq_table, evaluate};
use trilemma_core::setting::ext_bytes;
use trilemma_core::{
    ConfigError, ErrorTerm, Label, Ledger, Options, Properties, ProveError, ProverTranscript, Reject, Setting, Setup,
    Smooth, VerifierTranscript,
};

pub use brakedown::Expander;
pub use reed_solomon::Rows;

use crate::codes::oracle::{self, Committed};
use crate::codes::proximity::Proximity;
use crate::codes::rounds::{self, Bound};
use crate::codes::{add_scaled, combine_columns, combine_rows};
use crate::fri::tree::Merkle;
use crate::stacked::{Multilinear, Opening};

/// Linear codes for messages of `2^b` symbols, one for each `b`.
pub trait LinearCode<S: Setting>: Sized + Send + Sync + 'static {
    /// Name of the commitment scheme.
    const NAME: &'static str;

    /// Codes for polynomials of at most so many variables.
    fn new(options: &Options, max_variables: usize) -> Result<Self, ConfigError>;
    /// log2 of the longest message.
    fn max_log_message(&self) -> usize;
    /// Symbols of a codeword.
    fn length(&self, log_message: usize) -> usize;
    /// The codeword of every column.
    fn encode(&self, messages: Columns<S::Base>) -> Columns<S::Base>;
    /// What is proven of the code, from its distance.
    fn proximity(&self, log_message: usize) -> Proximity;
    /// log2 of the codewords that a word may stand for.
    fn list_bits(&self) -> f64 {
        0.0
    }
    /// Enters what is assumed of the code.
    fn assume(&self, _: &mut Ledger) {}
}

/// The tensor commitment of a code over Merkle trees of kind `T`.
pub struct Tensor<C, T>(PhantomData<fn() -> (C, T)>);

/// Ligero: with the Reed-Solomon code.
pub type Ligero<S, T> = Tensor<Rows<S>, T>;

/// Brakedown: with the code of expanders.
pub type Brakedown<S, T> = Tensor<Expander<S>, T>;

/// How polynomials of one size are laid out and queried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    log_rows: usize,
    log_columns: usize,
    /// Symbols of a codeword.
    length: usize,
    queries: usize,
}

/// Keys of both sides: parameters only.
pub struct Key<S: Setting, C, T: Merkle<S>> {
    code: C,
    /// By number of variables.
    layouts: Vec<Layout>,
    mmcs: T::Mmcs,
}

impl<S: Setting, C: LinearCode<S>, T: Merkle<S>> Key<S, C, T> {
    fn new(options: &Options, max_variables: usize) -> Result<Self, ConfigError> {
        let code = C::new(options, max_variables)?;
        let target = options.security.bits;
        let mmcs = T::chosen(options)?;
        let digest = T::digest_bytes(&mmcs);
        let layouts = (0..=max_variables).map(|n| layout::<S, C>(&code, n, target, digest)).collect();
        Ok(Self { code, layouts, mmcs })
    }

    fn layout(&self, variables: usize) -> Layout {
        self.layouts[variables.min(self.layouts.len() - 1)]
    }
}

/// The layout of the shortest proof, with digests of so many bytes.
fn layout<S: Setting, C: LinearCode<S>>(code: &C, variables: usize, target: u32, digest: usize) -> Layout {
    let with = |log_rows: usize| {
        let (length, queries) = (code.length(log_rows), code.proximity(log_rows).queries(target));
        Layout { log_rows, log_columns: variables - log_rows, length, queries }
    };
    let bytes = |l: &Layout| {
        let path = (l.length as f64 / l.queries as f64).log2().max(0.0) as usize + 1;
        (ext_bytes::<S>() << l.log_rows) + l.queries * ((S::BYTES << l.log_columns) + path * digest)
    };
    let most = variables.min(code.max_log_message());
    (0..=most).map(with).min_by_key(bytes).unwrap_or_else(|| with(0))
}

/// Openings of polynomials of one size.
struct Group<E> {
    layout: Layout,
    /// Numbers of the openings.
    members: Vec<usize>,
    /// Coordinates that number the rows, and the columns.
    point: (Vec<E>, Vec<E>),
    /// The batched values.
    value: E,
}

/// What both sides derive from the openings.
struct Plan {
    sizes: Vec<(Layout, Vec<usize>)>,
    batch: ErrorTerm,
    columns: ErrorTerm,
    query: ErrorTerm,
}

impl<S: Setting, C: LinearCode<S>, T: Merkle<S>> Key<S, C, T> {
    fn plan(&self, variables: impl Iterator<Item = usize>) -> Plan {
        let mut sizes: Vec<(Layout, Vec<usize>)> = Vec::new();
        for (opening, n) in variables.enumerate() {
            let layout = self.layout(n);
            match sizes.iter_mut().find(|(l, _)| *l == layout) {
                Some((_, members)) => members.push(opening),
                None => sizes.push((layout, vec![opening])),
            }
        }
        let of = |layout: &Layout| self.code.proximity(layout.log_rows);
        let sum = |weight: fn(usize) -> f64| -> f64 { sizes.iter().map(|(l, m)| weight(m.len()) * of(l).bad()).sum() };
        let any = self.code.proximity(0);
        let query_bits = sizes.iter().map(|(l, _)| l.queries as f64 * of(l).query_bits);
        Plan {
            batch: any.term("tensor batching", sum(|n| n as f64 - 1.0).max(1.0), S::ext_bits()),
            columns: any.term("tensor columns", sum(|_| 1.0), S::ext_bits()),
            query: ErrorTerm {
                name: "tensor queries",
                bits: query_bits.fold(f64::INFINITY, f64::min),
                reference: "[GLSTW21] Section 4",
            },
            sizes,
        }
    }

    fn assume(&self, ledger: &mut Ledger) {
        T::assume(&self.mmcs, ledger);
        self.code.assume(ledger);
    }
}

impl Plan {
    fn batched(&self) -> bool {
        self.sizes.iter().any(|(_, members)| members.len() > 1)
    }

    fn groups<X, E: p3_field::Field>(self, openings: &[Opening<'_, X, E>], alpha: E) -> Vec<Group<E>> {
        let group = |(layout, members): (Layout, Vec<usize>)| {
            let value = dot_product(alpha.powers(), members.iter().map(|&i| openings[i].value));
            let point = openings[members[0]].point.split_at(layout.log_rows);
            Group { layout, members, point: (point.0.to_vec(), point.1.to_vec()), value }
        };
        self.sizes.into_iter().map(group).collect()
    }
}

/// Where a group is queried.
fn positions<E>(seed: &[u8; 32], group: usize, of: &Group<E>) -> Vec<usize> {
    oracle::draw(seed, &group.to_le_bytes(), of.layout.length, of.layout.queries)
}

impl<S: Smooth, C: LinearCode<S>, T: Merkle<S>> Multilinear<S> for Tensor<C, T> {
    const NAME: &'static str = C::NAME;
    const MAX_VARIABLES: usize = 26;
    type ProverKey = Key<S, C, T>;
    type VerifierKey = Key<S, C, T>;
    type Commitment = oracle::Root<S, T>;
    type Opener = Committed<S, T>;

    fn setup(options: &Options, max_variables: usize) -> Result<(Key<S, C, T>, Key<S, C, T>), ConfigError> {
        Ok((Key::new(options, max_variables)?, Key::new(options, max_variables)?))
    }

    fn properties(_: &Key<S, C, T>) -> Properties {
        Properties { setup: Setup::Transparent, post_quantum: true, hiding: false, verifier: "sqrt n" }
    }

    fn list_bits(vk: &Key<S, C, T>) -> f64 {
        vk.code.list_bits()
    }

    fn commit(
        pk: &Key<S, C, T>,
        values: Vec<S::Base>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Committed<S, T>, ProveError> {
        let layout = pk.layout(values.len().trailing_zeros() as usize);
        let mut messages = Vec::with_capacity(layout.length << layout.log_columns);
        messages.extend_from_slice(&values);
        let encoded = pk.code.encode(Columns::new(messages, 1 << layout.log_columns));
        Ok(Committed { values, tree: oracle::commit::<S, T>(&pk.mmcs, encoded, label, t) })
    }

    fn values(opener: &Committed<S, T>) -> &[S::Base] {
        &opener.values
    }

    fn receive(
        vk: &Key<S, C, T>,
        _: usize,
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Self::Commitment, Reject> {
        oracle::receive::<S, T>(&vk.mmcs, label, t)
    }

    fn open(
        pk: &Key<S, C, T>,
        openings: &[Opening<'_, Committed<S, T>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        let plan = pk.plan(openings.iter().map(|o| o.point.len()));
        pk.assume(t.ledger());
        let (columns, query) = (plan.columns.clone(), plan.query.clone());
        let alpha = match plan.batched() {
            true => t.challenge::<S>("tensor batch", Some(&plan.batch))?,
            false => S::Ext::ONE,
        };
        let groups = plan.groups(openings, alpha);
        // Every member of a group, scaled by its power of alpha.
        let sum = |group: &Group<S::Ext>, part: &dyn Fn(&[S::Base], S::Ext) -> Vec<S::Ext>| {
            let parts = group.members.iter().zip(alpha.powers()).map(|(&i, power)| part(&openings[i].of.values, power));
            let add = |mut a: Vec<S::Ext>, b: Vec<S::Ext>| {
                add_scaled(&mut a, &b, S::Ext::ONE);
                a
            };
            parts.reduce(add).unwrap_or_default()
        };

        let claim = |group: &Group<S::Ext>| {
            let values = |cells: &[S::Base], power| {
                combine_rows(cells, group.layout.log_columns, &eq_table(&group.point.0, power))
            };
            sum(group, &values)
        };
        let mut claims: Vec<_> =
            groups.iter().map(|g| (Bound { point: &g.point.1[..], value: g.value }, claim(g))).collect();
        let challenges = rounds::prove::<S>(&mut claims, "tensor columns", &columns, t)?;
        for group in &groups {
            let r = &challenges[challenges.len() - group.layout.log_columns..];
            let combined = |cells: &[S::Base], power| combine_columns::<S::Base, S::Ext>(cells, &eq_table(r, power));
            t.send_ext::<S>("tensor combination", &sum(group, &combined));
        }

        t.guard("tensor queries", &query)?;
        let seed = t.fork("tensor queries");
        for (i, group) in groups.iter().enumerate() {
            let rows = positions(&seed, i, group);
            for &member in &group.members {
                oracle::reveal::<S, T>(&pk.mmcs, &openings[member].of.tree, &rows, |_, _| false, t);
            }
        }
        Ok(())
    }

    fn verify(
        vk: &Key<S, C, T>,
        openings: &[Opening<'_, Self::Commitment, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        let plan = vk.plan(openings.iter().map(|o| o.point.len()));
        vk.assume(t.ledger());
        let (columns, query) = (plan.columns.clone(), plan.query.clone());
        let alpha = match plan.batched() {
            true => t.challenge::<S>("tensor batch", Some(&plan.batch))?,
            false => S::Ext::ONE,
        };
        let groups = plan.groups(openings, alpha);

        // The last coordinates become challenges, and the combinations have the values arrived at.
        let mut claims: Vec<_> = groups.iter().map(|g| Bound { point: &g.point.1[..], value: g.value }).collect();
        let challenges = rounds::verify::<S>(&mut claims, "tensor columns", &columns, t)?;
        let mut combinations = Vec::with_capacity(groups.len());
        for (group, claim) in groups.iter().zip(&claims) {
            let combination = t.recv_ext::<S>("tensor combination", 1 << group.layout.log_rows)?;
            if evaluate(&combination, &group.point.0) != claim.value {
                return Err(Reject::new("a combination of columns has another value"));
            }
            combinations.push(combination);
        }

        // Their codewords are the combinations of the committed words.
        t.guard("tensor queries", &query)?;
        let seed = t.fork("tensor queries");
        for (i, (group, combination)) in groups.iter().zip(combinations).enumerate() {
            let codeword = encode_ext::<S, C>(&vk.code, combination);
            let weights = eq_table(&challenges[challenges.len() - group.layout.log_columns..], S::Ext::ONE);
            let dimensions = Dimensions { width: 1 << group.layout.log_columns, height: group.layout.length };
            let rows = positions(&seed, i, group);
            let mut symbols = vec![S::Ext::ZERO; rows.len()];
            for (&member, power) in group.members.iter().zip(alpha.powers()) {
                let cells = oracle::read::<S, T>(&vk.mmcs, openings[member].of, dimensions, &rows, |_, _| None, t)?;
                for (symbol, row) in symbols.iter_mut().zip(cells) {
                    *symbol += power * dot_product::<S::Ext, _, _>(weights.iter().copied(), row.into_iter());
                }
            }
            if !rows.iter().zip(symbols).all(|(&row, symbol)| codeword.get(row) == Some(&symbol)) {
                return Err(Reject::new("a combination of columns is not that of the commitments"));
            }
        }
        Ok(())
    }
}

/// The codeword of a message of challenges.
fn encode_ext<S: Setting, C: LinearCode<S>>(code: &C, message: Vec<S::Ext>) -> Vec<S::Ext> {
    let degree = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    let cells = <S::Ext as BasedVectorSpace<S::Base>>::flatten_to_base(message);
    S::Ext::reconstitute_from_base(code.encode(Columns::new(cells, degree)).values)
}
