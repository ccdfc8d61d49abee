//! `whir`: multilinear openings from the WHIR proximity test \[WHIR24\], on p3-whir.
//!
//! **Claim.** The polynomial whose values lie behind a Merkle root takes the claimed value at a point.
//!
//! **Relation.** The values are cut in blocks of `2^k`; the blocks, as coefficients of `2^k` polynomials
//! of degree below `2^(m-k)`, are encoded by a Reed-Solomon code of rate `rho`, whose words are the
//! columns under the tree.
//!
//! **Messages** \[WHIR24, Construction 5.1\]. Commit: the root. Open, under a challenger forked from the
//! transcript: values at out-of-domain points where the code is decoded beyond its unique radius, then
//! in every round a sumcheck that folds `k` variables, the root of the folded polynomial at a lower rate,
//! and queries to the code before. The last polynomial is sent. p3's whole output is sent back through
//! the transcript, and the claimed value is the verifier's own, never read from a proof.
//!
//! **Soundness** \[WHIR24, Theorem 5.2\], for every round with `m` variables, rate `rho`, distance
//! `delta`, lists of `L` words: folding `2 L / |F| + err`, out of domain `L^2 2^(s m) / (2 |F|^s)`, queries
//! `(1 - delta)^t` and `(s + t) L' / |F|` for combining their answers; see [`parameters`]. Missing bits
//! are ground by p3 before each challenge.
//!
//! | symbol | meaning |
//! |---|---|
//! | `m`, `k` | variables of a polynomial, variables folded in a round |
//! | `rho`, `delta` | rate of a code, the distance up to which it is decoded |
//! | `err` | exceptional challenges of a line, over `\|F\|` |
//! | `s`, `t` | out-of-domain samples, queries |
//!
//! **Deviations.** p3 draws the first out-of-domain points when opening, so at the Johnson bound a
//! commitment may stand for a list until then, and every term of the protocol above loses its bits.

pub mod codec;
pub mod parameters;
pub mod shared;

use std::marker::PhantomData;
use std::sync::Arc;

use p3_challenger::fs::TranscriptField;
use p3_dft::Radix2DFTSmallBatch;
use p3_field::{PrimeField64, TwoAdicField};
use p3_matrix::dense::RowMajorMatrix;
use p3_multilinear_util::point::Point;
use p3_sumcheck::layout::{Layout, SuffixProver, Table, Verifier};
use p3_sumcheck::{OpeningBatch, TableShape};
use p3_whir::{WhirProver, WhirVerifier};
use trilemma_core::scheme::{Properties, Setup};
use trilemma_core::{
    ConfigError, Keyed, Label, MlEval, Options, ProveError, ProverTranscript, Reject, Runner, SchemeEntry, Setting,
    Smooth, VerifierTranscript,
};

use crate::fri::HASHES;
use crate::fri::tree::{Blake3Tree, KeccakTree, Merkle, Poseidon2Tree, Sponges, Tree};
use crate::stacked::{Multilinear, Opening, Stacked};
use parameters::Parameters;
use shared::Shared;

/// WHIR over Merkle trees of kind `T`.
pub struct Whir<T>(PhantomData<fn() -> T>);

/// The registry's entry: the hash is an option, the kind of tree a type.
pub fn entry<S>() -> SchemeEntry<S, MlEval<S::Ext>>
where
    S: Smooth<Base: PrimeField64, Ext: TwoAdicField> + Sponges,
    Poseidon2Tree: Tree<S>,
{
    type Made<S> = Result<Box<dyn Runner<S, MlEval<<S as Setting>::Ext>>>, ConfigError>;
    fn keyed<S, T>(o: &Options, max: usize) -> Made<S>
    where
        S: Smooth<Base: PrimeField64, Ext: TwoAdicField>,
        T: Tree<S>,
    {
        Ok(Box::new(Keyed::<S, MlEval<S::Ext>, Stacked<Whir<T>>>::new(o, max)?))
    }
    SchemeEntry {
        name: "whir",
        max_log_height: <Whir<Blake3Tree> as Multilinear<S>>::MAX_VARIABLES,
        setup: |options, max| match options.hash.as_str() {
            "blake3" => keyed::<S, Blake3Tree>(options, max),
            "keccak" => keyed::<S, KeccakTree>(options, max),
            "poseidon2" => keyed::<S, Poseidon2Tree>(options, max),
            other => Err(ConfigError::choice("hash", other, HASHES)),
        },
    }
}

type Base<S> = <S as Setting>::Base;
type Ext<S> = <S as Setting>::Ext;
type Dft<S> = Radix2DFTSmallBatch<Base<S>>;
type TreeOf<S, T> = Shared<<T as Merkle<S>>::Mmcs>;
type MerkleTree<S, T> = <<T as Merkle<S>>::Mmcs as p3_commit::Mmcs<Base<S>>>::ProverData<RowMajorMatrix<Base<S>>>;
type Root<S, T> = <<T as Merkle<S>>::Mmcs as p3_commit::Mmcs<Base<S>>>::Commitment;
type P3Prover<S, T> =
    WhirProver<Ext<S>, Base<S>, Dft<S>, TreeOf<S, T>, <T as Tree<S>>::Challenger, SuffixProver<Base<S>, Ext<S>>>;

/// Keys of both sides: parameters for every number of variables.
pub struct WhirKey<S: Smooth<Base: PrimeField64, Ext: TwoAdicField>, T: Tree<S>> {
    /// From [`Multilinear::MIN_VARIABLES`] on.
    parameters: Vec<Parameters<S, T>>,
    list_bits: f64,
    mmcs: TreeOf<S, T>,
    dft: Dft<S>,
}

impl<S: Smooth<Base: PrimeField64, Ext: TwoAdicField>, T: Tree<S>> WhirKey<S, T> {
    fn parameters(&self, variables: usize) -> Result<&Parameters<S, T>, ConfigError> {
        variables
            .checked_sub(<Whir<T> as Multilinear<S>>::MIN_VARIABLES)
            .and_then(|i| self.parameters.get(i))
            .ok_or_else(|| ConfigError(format!("whir: no parameters for 2^{variables} values")))
    }
}

/// A polynomial with the tree over its code words.
pub struct WhirOpener<S: Smooth, T: Tree<S>> {
    layout: SuffixProver<S::Base, S::Ext>,
    tree: Arc<MerkleTree<S, T>>,
}

/// What the verifier keeps of a commitment.
pub struct WhirCommitment<S: Smooth, T: Tree<S>> {
    root: Root<S, T>,
}

impl<S, T> Multilinear<S> for Whir<T>
where
    S: Smooth<Base: PrimeField64 + TranscriptField, Ext: TwoAdicField>,
    T: Tree<S>,
{
    const NAME: &'static str = "whir";
    const MAX_VARIABLES: usize = 26;
    const MIN_VARIABLES: usize = 6;
    type ProverKey = WhirKey<S, T>;
    type VerifierKey = WhirKey<S, T>;
    type Commitment = WhirCommitment<S, T>;
    type Opener = WhirOpener<S, T>;

    fn setup(options: &Options, max_variables: usize) -> Result<(WhirKey<S, T>, WhirKey<S, T>), ConfigError> {
        let key = || -> Result<_, ConfigError> {
            let parameters = (Self::MIN_VARIABLES..=max_variables)
                .map(|variables| Parameters::solve(options, variables))
                .collect::<Result<Vec<_>, _>>()?;
            let list_bits = parameters.iter().map(Parameters::list_bits).fold(0.0, f64::max);
            Ok(WhirKey { parameters, list_bits, mmcs: Shared(T::mmcs()), dft: Dft::<S>::default() })
        };
        Ok((key()?, key()?))
    }

    fn properties(_: &WhirKey<S, T>) -> Properties {
        Properties { setup: Setup::Transparent, post_quantum: true, hiding: false, verifier: "log^2 n" }
    }

    fn list_bits(vk: &WhirKey<S, T>) -> f64 {
        vk.list_bits
    }

    fn commit(
        pk: &WhirKey<S, T>,
        values: Vec<S::Base>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<WhirOpener<S, T>, ProveError> {
        let n = values.len();
        let config = &pk.parameters(n.trailing_zeros() as usize)?.config;
        let folding = config.round_folding_factor(0);
        let table = Table::new(RowMajorMatrix::new(values, n));
        let witness = SuffixProver::<S::Base, S::Ext>::new_witness(vec![table], folding);
        let (layout, root, tree) =
            SuffixProver::commit(&pk.dft, &pk.mmcs, witness, folding, config.params().starting_log_inv_rate);
        let mut bytes = Vec::new();
        T::encode_root(&root, &mut bytes);
        t.send(label, &bytes);
        Ok(WhirOpener { layout, tree })
    }

    fn values(opener: &WhirOpener<S, T>) -> &[S::Base] {
        opener.layout.table(0).column(0).as_dense().unwrap_or(&[])
    }

    fn receive(
        _: &WhirKey<S, T>,
        _: usize,
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<WhirCommitment<S, T>, Reject> {
        let root = T::decode_root(t.recv(label, T::DIGEST_BYTES)?)
            .ok_or_else(|| Reject::new("a Merkle root is not canonical"))?;
        Ok(WhirCommitment { root })
    }

    fn open(
        pk: &WhirKey<S, T>,
        openings: &[Opening<'_, WhirOpener<S, T>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        for opening in openings {
            let parameters = pk.parameters(opening.point.len())?;
            parameters.enter(T::COLLISION_BITS, t.ledger());
            let mut challenger = T::challenger(t.fork("whir"));
            let mut layout = opening.of.layout.clone();
            let samples = parameters.config.commitment_ood_samples();
            let values = (0..samples).map(|_| layout.add_virtual_eval(&mut challenger)).collect();
            let point = Point::new(opening.point.clone());
            layout.eval_at(0, &OpeningBatch::new(vec![0], Vec::new()), &point, &mut challenger);
            let prover = P3Prover::<S, T>::new(parameters.config.clone(), pk.dft.clone(), pk.mmcs.clone());
            let proof = prover
                .prove(values, &mut challenger, layout, opening.of.tree.clone(), 1)
                .map_err(|e| ConfigError(format!("whir: {e}")))?;
            let mut bytes = Vec::new();
            codec::encode::<S, T>(&proof, &parameters.config, &mut bytes);
            t.send_blob("whir", &bytes);
        }
        Ok(())
    }

    fn verify(
        vk: &WhirKey<S, T>,
        openings: &[Opening<'_, WhirCommitment<S, T>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        for opening in openings {
            let variables = opening.point.len();
            let parameters = vk.parameters(variables)?;
            parameters.enter(T::COLLISION_BITS, t.ledger());
            let mut challenger = T::challenger(t.fork("whir"));
            let config = &parameters.config;
            let proof = codec::decode::<S, T>(t.recv_blob("whir")?, config)?;

            // The claims: out-of-domain values, then the one to prove.
            let strategy = SuffixProver::<S::Base, S::Ext>::strategy();
            let mut claims = Verifier::<S::Base, S::Ext>::new(&[TableShape::new(variables, 1)], strategy);
            proof.initial_ood_answers.iter().for_each(|&v| claims.add_virtual_eval(v, &mut challenger));
            let (asked, value) = (OpeningBatch::new(vec![0], vec![]), OpeningBatch::new(vec![opening.value], vec![]));
            let point = Point::new(opening.point.clone());
            claims.add_claim_at(0, &asked, &point, &value, &mut challenger).map_err(refused)?;

            let verifier = WhirVerifier::new(config, &vk.dft, &vk.mmcs, strategy.variable_order);
            let _folded = verifier.verify(&proof, &mut challenger, &opening.of.root, 1, &claims).map_err(refused)?;
        }
        Ok(())
    }
}

fn refused(error: impl std::fmt::Display) -> Reject {
    Reject::new(format!("whir: {error}"))
}
