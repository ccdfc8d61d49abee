//! `fri`: univariate claims from a batched FRI low-degree test \[BBHR18, BCIKS20\], on p3-fri.
//!
//! **Claim.** Matrices committed by Merkle trees over their low-degree extensions take the claimed
//! values at the claimed points of the challenge field.
//!
//! **Messages.** Commit: a Merkle root over all matrices of an oracle, rows of the same height side
//! by side. Open: a grinding nonce where the batching term needs it, then the batching challenge
//! `a`; the words `sum a^i (p_i(z) - p_i(X)) / (z - X)`, one for each height, are folded by p3-fri
//! under a challenger forked from the transcript (over BLAKE3, whatever the trees are), and its whole
//! output is sent back through it.
//!
//! **Soundness**, for `k` quotients over a domain of `n` points at rate `rho`:
//! batching `k n / |F|`, every folding `(2^a - 1)(n + 1) / |F|` \[BCIKS20\] Theorem 1.5, queries
//! `((1 + rho) / 2)^q` under unique decoding; at the Johnson bound with parameter `m`, batching and
//! folding cost `C = 8 n (m + 1/2)^3 / (3 rho)` in place of `n`, queries `(sqrt(rho) (1 + 1/2m))^q`,
//! and a commitment may stand for `(m + 1/2) / sqrt(rho)` words (p3-security). Missing bits are
//! ground: for batching by the transcript, for folding and queries inside p3-fri.
//!
//! **Lifting.** Under unique decoding every word is lifted to the largest height, so that folding
//! proceeds by 8 without stopping where a smaller matrix joins; see [`lifted`]. At the Johnson bound
//! words join at their own heights, as p3-fri has it, because the argument for lifting is not made
//! there.
//!
//! **Deviations.** Answers are computed once, at [`Opens::answer`], with the inverses `1 / (z - X)`
//! kept for the quotients; p3's own `open` would compute them twice.

mod challenger;
pub mod codec;
pub mod either;
mod lifted;
pub mod parameters;
mod reduce;
pub mod tree;

use p3_commit::{CommitmentOpening, MatrixOpening, Mmcs, OpeningRequest, PointOpening};
use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::{PrimeCharacteristicRing, PrimeField64, TwoAdicField};
use p3_fri::verifier::verify_fri;
use p3_fri::{TwoAdicFriFolding, TwoAdicFriFoldingForMmcs, prover::prove_fri};
use p3_matrix::Matrix;
use p3_matrix::bitrev::BitReversibleMatrix;
use p3_matrix::dense::RowMajorMatrix;
use std::borrow::Cow;
use std::marker::PhantomData;

use trilemma_core::channel::{Question, Shape};
use trilemma_core::claim::{Claim, Columns, CosetView};
use trilemma_core::scheme::{Opens, Properties, Scheme, Setup};
use trilemma_core::{
    ConfigError, Label, Options, ProveError, ProverTranscript, Reject, Smooth, UniEval, VerifierTranscript,
};

use crate::codes::oracle;
use parameters::Parameters;
use reduce::Inverses;
use tree::{Merkle, Tree};

/// FRI over Merkle trees of kind `T`.
pub struct Fri<T>(PhantomData<fn() -> T>);

/// Keys of both sides: parameters only.
pub struct FriKey<S: Smooth, T: Tree<S>> {
    parameters: Parameters,
    max_log_height: usize,
    mmcs: T::Mmcs,
    dft: Radix2DitParallel<S::Base>,
}

/// p3's Merkle tree with its matrices.
type MerkleTree<S, T> = <<T as Merkle<S>>::Mmcs as Mmcs<<S as trilemma_core::Setting>::Base>>::ProverData<
    RowMajorMatrix<<S as trilemma_core::Setting>::Base>,
>;

/// A commitment's Merkle tree over its extended matrices.
pub struct FriOpener<S: Smooth, T: Tree<S>> {
    tree: Option<MerkleTree<S, T>>,
    log_blowup: usize,
}

impl<S, T> Scheme<S> for Fri<T>
where
    S: Smooth<Base: PrimeField64>,
    T: Tree<S>,
{
    const NAME: &'static str = "fri";
    // Words of all commitments and heights are queried at the same places. One of a smaller domain, lifted to the tallest,
    // is a word of the code there, of the same rate, and folding joins it where its fibres agree; so that what is close
    // is a tuple of words of one code that agree with the oracles on one set, and there are no more of these than of one.
    const JOINT_LISTS: bool = true;
    type ProverKey = FriKey<S, T>;
    type VerifierKey = FriKey<S, T>;
    type Commitment = Option<<T::Mmcs as Mmcs<S::Base>>::Commitment>;
    type Opener = FriOpener<S, T>;

    fn setup(options: &Options, max_log_height: usize) -> Result<(FriKey<S, T>, FriKey<S, T>), ConfigError> {
        // Words are not longer than the field's largest subgroup.
        let max_log_height = max_log_height.min(S::Base::TWO_ADICITY.saturating_sub(options.log_blowup));
        let key = || -> Result<_, ConfigError> {
            Ok(FriKey {
                parameters: Parameters::solve(options, S::ext_bits(), max_log_height)?,
                max_log_height,
                mmcs: T::chosen(options)?,
                dft: Radix2DitParallel::default(),
            })
        };
        Ok((key()?, key()?))
    }

    fn properties(_: &FriKey<S, T>) -> Properties {
        Properties { setup: Setup::Transparent, post_quantum: true, hiding: false, verifier: "log^2 n" }
    }

    fn list_bits(vk: &FriKey<S, T>) -> f64 {
        vk.parameters.list_bits()
    }

    fn commit(
        pk: &FriKey<S, T>,
        matrices: Vec<Columns<S::Base>>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<FriOpener<S, T>, ProveError> {
        let log_blowup = pk.parameters.log_blowup;
        Self::fits(pk, &matrices.iter().map(Shape::of).collect::<Vec<_>>())?;
        if matrices.is_empty() {
            return Ok(FriOpener { tree: None, log_blowup });
        }
        let extended: Vec<_> = matrices
            .into_iter()
            .map(|m| {
                let shift = pk.parameters.shift(log2(m.height()));
                pk.dft.coset_lde_batch(m, log_blowup, shift).bit_reverse_rows().to_row_major_matrix()
            })
            .collect();
        let (root, tree) = pk.mmcs.commit(extended);
        let mut bytes = Vec::new();
        T::encode_root(&root, &mut bytes);
        t.send(label, &bytes);
        Ok(FriOpener { tree: Some(tree), log_blowup })
    }

    fn fits(vk: &FriKey<S, T>, shapes: &[Shape]) -> Result<(), ConfigError> {
        crate::not_higher("the parameters", vk.max_log_height, shapes)
    }

    fn receive(
        vk: &FriKey<S, T>,
        shapes: &[Shape],
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Self::Commitment, Reject> {
        Self::fits(vk, shapes)?;
        if shapes.is_empty() {
            return Ok(None);
        }
        Ok(Some(oracle::receive::<S, T>(&vk.mmcs, label, t)?))
    }
}

impl<S: Smooth, T: Tree<S>> FriOpener<S, T> {
    /// The extended matrices, rows in bit-reversed order.
    fn matrices<'o>(&'o self, key: &FriKey<S, T>) -> Vec<&'o RowMajorMatrix<S::Base>> {
        self.tree.as_ref().map_or_else(Vec::new, |tree| key.mmcs.get_matrices(tree))
    }
}

impl<S, T> Opens<S, UniEval<S::Ext>> for Fri<T>
where
    S: Smooth<Base: PrimeField64>,
    T: Tree<S>,
{
    type Hints = Inverses<S>;

    fn view<'o>(
        pk: &FriKey<S, T>,
        opener: &'o FriOpener<S, T>,
        matrix: usize,
        log_expand: usize,
    ) -> CosetView<'o, S::Base> {
        let extended = opener.matrices(pk)[matrix];
        let height = extended.height() >> opener.log_blowup;
        let width = extended.width();
        let shift = pk.parameters.shift(log2(height));
        if log_expand <= opener.log_blowup {
            // A prefix in bit-reversed order is the subcoset.
            let cells = (height << log_expand) * width;
            return CosetView { values: Cow::Borrowed(&extended.values[..cells]), width, shift };
        }
        let rows = Columns::new(extended.values[..height * width].to_vec(), width);
        let natural = rows.bit_reverse_rows().to_row_major_matrix();
        let mut coefficients = pk.dft.coset_idft_batch(natural, shift).values;
        coefficients.resize(coefficients.len() << log_expand, S::Base::ZERO);
        let wide = pk.dft.coset_dft_batch(Columns::new(coefficients, width), shift);
        let reversed = wide.to_row_major_matrix().bit_reverse_rows().to_row_major_matrix();
        CosetView { values: Cow::Owned(reversed.values), width, shift }
    }

    fn answer(
        pk: &FriKey<S, T>,
        openers: &[&FriOpener<S, T>],
        questions: &[Question<UniEval<S::Ext>>],
        hints: &mut Inverses<S>,
    ) -> Vec<Vec<S::Ext>> {
        let matrices: Vec<_> = openers.iter().map(|o| o.matrices(pk)).collect();
        hints.prepare(&pk.parameters, &matrices, questions);
        questions
            .iter()
            .map(|q| {
                let matrix = matrices[q.oracle.0][q.matrix];
                hints.evaluate(&pk.parameters, matrix, q.query.0)
            })
            .collect()
    }

    fn open(
        pk: &FriKey<S, T>,
        openers: &[&FriOpener<S, T>],
        claims: &[Claim<UniEval<S::Ext>, S::Ext>],
        hints: Inverses<S>,
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        if claims.is_empty() {
            return Ok(());
        }
        let matrices: Vec<_> = openers.iter().map(|o| o.matrices(pk)).collect();
        let grouped = group::<S>(matrices.iter().map(Vec::len), claims);
        let log_max = matrices.iter().flatten().map(|m| log2(m.height())).max().unwrap_or(0);
        let plan = pk.parameters.plan(log_max - pk.parameters.log_blowup, claims)?;
        let a = t.challenge::<S>("fri batch", Some(&plan.batch))?;
        plan.enter(t.ledger());
        T::assume(&pk.mmcs, t.ledger());

        let words = hints.reduce(&pk.parameters, &matrices, &grouped, a);
        let requests: Vec<_> = openers
            .iter()
            .zip(&grouped)
            .filter_map(|(opener, points)| {
                let points = points.iter().map(|m| m.iter().map(|(z, _)| *z).collect()).collect();
                Some(OpeningRequest { prover_data: opener.tree.as_ref()?, points })
            })
            .collect();
        let mut challenger = T::challenger(t.fork("fri"));
        let proof = prove_fri(
            &folding::<S, T>(),
            &plan.p3::<S, T>(&pk.mmcs),
            words,
            &mut challenger,
            log_max,
            &requests,
            &pk.mmcs,
            S::Base::ZERO,
        )
        .map_err(|e| ConfigError(format!("fri: {e}")))?;
        let shapes: Vec<Vec<Shape>> = matrices
            .iter()
            .filter(|oracle| !oracle.is_empty())
            .map(|oracle| {
                oracle
                    .iter()
                    .map(|m| {
                        let log_height = log2(m.height()) - pk.parameters.log_blowup;
                        Shape { log_height, width: m.width() }
                    })
                    .collect()
            })
            .collect();
        let shapes: Vec<&[Shape]> = shapes.iter().map(Vec::as_slice).collect();
        let mut bytes = Vec::new();
        codec::encode::<S, T>(&proof, &pk.mmcs, &shapes, pk.parameters.log_blowup, &mut bytes);
        t.send_blob("fri", &bytes);
        Ok(())
    }

    fn verify(
        vk: &FriKey<S, T>,
        oracles: &[(&Self::Commitment, &[Shape])],
        claims: &[Claim<UniEval<S::Ext>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        if claims.is_empty() {
            return Ok(());
        }
        let grouped = group::<S>(oracles.iter().map(|(_, shapes)| shapes.len()), claims);
        if grouped.iter().flatten().any(Vec::is_empty) {
            return Err(Reject::new("a matrix was asked nothing"));
        }
        let log_max = oracles.iter().flat_map(|(_, s)| *s).map(|s| s.log_height).max().unwrap_or(0);
        let plan = vk.parameters.plan(log_max, claims)?;
        let a = t.challenge::<S>("fri batch", Some(&plan.batch))?;
        plan.enter(t.ledger());
        T::assume(&vk.mmcs, t.ledger());

        let mut openings = Vec::new();
        for ((commitment, shapes), points) in oracles.iter().zip(grouped) {
            let Some(commitment) = commitment else { continue };
            let matrices = shapes
                .iter()
                .zip(points)
                .map(|(shape, points)| {
                    let domain = TwoAdicMultiplicativeCoset::new(S::Base::ONE, shape.log_height)
                        .ok_or_else(|| Reject::new("a domain too large for the field"))?;
                    let points =
                        points.into_iter().map(|(point, values)| PointOpening { point, values: values.to_vec() });
                    Ok(MatrixOpening { domain, points: points.collect() })
                })
                .collect::<Result<_, Reject>>()?;
            openings.push(CommitmentOpening { commitment: commitment.clone(), matrices });
        }
        let mut challenger = T::challenger(t.fork("fri"));
        let shapes: Vec<&[Shape]> = oracles.iter().filter(|(c, _)| c.is_some()).map(|(_, s)| *s).collect();
        let parameters = plan.p3::<S, T>(&vk.mmcs);
        let heights = plan.word_heights(&shapes);
        let proof = codec::decode::<S, T>(t.recv_blob("fri")?, &vk.mmcs, &shapes, &heights, &parameters)?;
        if vk.parameters.lifted() {
            let claims = lifted::Lifted { parameters: &vk.parameters, p3: &parameters, openings: &openings, a };
            return lifted::verify::<S, T>(&claims, &proof, &vk.mmcs, &mut challenger);
        }
        verify_fri(&folding::<S, T>(), &parameters, &proof, &mut challenger, &openings, &vk.mmcs, a)
            .map_err(|e| Reject::new(format!("fri: {e:?}")))
    }
}

/// p3's folding for a tree.
fn folding<S: Smooth, T: Tree<S>>() -> TwoAdicFriFoldingForMmcs<S::Base, T::Mmcs> {
    TwoAdicFriFolding(PhantomData)
}

/// Points and values of every matrix of every oracle.
type Grouped<'c, E> = Vec<Vec<Vec<(E, &'c [E])>>>;

/// Sorts claims by oracle and matrix, keeping their order.
fn group<'c, S: Smooth>(
    matrices: impl Iterator<Item = usize>,
    claims: &'c [Claim<UniEval<S::Ext>, S::Ext>],
) -> Grouped<'c, S::Ext> {
    let mut grouped: Grouped<'c, S::Ext> = matrices.map(|n| vec![Vec::new(); n]).collect();
    for claim in claims {
        if let Some(points) = grouped.get_mut(claim.oracle).and_then(|o| o.get_mut(claim.matrix)) {
            points.push((claim.query.0, claim.values.as_slice()));
        }
    }
    grouped
}

fn log2(n: usize) -> usize {
    n.trailing_zeros() as usize
}
