//! Proofs of p3-whir as bytes: canonical elements without lengths, since the configuration gives every shape;
//! only the number of Merkle siblings is written.
//!
//! Queries to a code of few rows meet the same rows again and again, so each is written once: for every
//! query two bytes say which of the rows met so far it meets, the next number standing for a new one.
//! Numbers out of order and rows written twice are refused, so a proof has one encoding.

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, TwoAdicField};
use p3_multilinear_util::poly::Poly;
use p3_sumcheck::SumcheckData;
use p3_whir::{QueryOpenings, RoundConfig, SharedProofOpening, WhirConfig, WhirProof, WhirRoundProof};
use trilemma_core::setting::{decode_ext, encode_ext, ext_bytes};
use trilemma_core::{Reject, Setting, Smooth};

use crate::fri::tree::{Merkle, Tree};

type Base<S> = <S as Setting>::Base;
type Ext<S> = <S as Setting>::Ext;
type TreeOf<S, T> = <T as Merkle<S>>::Mmcs;
/// p3's proof for a setting and tree.
pub type Proof<S, T> = WhirProof<Base<S>, Ext<S>, TreeOf<S, T>>;
type Config<S, T> = WhirConfig<Ext<S>, Base<S>, <T as Tree<S>>::Challenger>;
type Paths<S, T> = <TreeOf<S, T> as p3_commit::Mmcs<Base<S>>>::MultiProof;
type Rows<S, T> = QueryOpenings<Base<S>, Ext<S>, Paths<S, T>>;

/// Whether opened rows are written once each: with so many more rows than queries they rarely meet.
fn shared(round: &RoundConfig) -> bool {
    1 << round.log_folded_domain_size <= 32 * round.num_queries
}

/// Appends a proof.
pub fn encode<S, T>(proof: &Proof<S, T>, mmcs: &T::Mmcs, config: &Config<S, T>, out: &mut Vec<u8>)
where
    S: Smooth<Ext: TwoAdicField>,
    T: Tree<S>,
{
    let mut w = Writer(out);
    w.exts::<S>(&proof.initial_ood_answers);
    w.sumcheck::<S>(&proof.initial_sumcheck);
    for (round, parameters) in proof.rounds.iter().zip(config.round_parameters()) {
        if let Some(root) = &round.commitment {
            T::encode_root(root, w.0);
        }
        w.exts::<S>(&round.ood_answers);
        w.nonce::<S>(round.pow_witness, parameters.pow_bits);
        w.rows::<S, T>(&round.openings, mmcs, parameters);
        w.sumcheck::<S>(&round.sumcheck);
    }
    w.exts::<S>(proof.final_poly.as_ref().map_or(&[], |p| p.as_slice()));
    let last = config.final_round_config();
    w.nonce::<S>(proof.final_pow_witness, last.pow_bits);
    w.rows::<S, T>(&proof.final_openings, mmcs, &last);
    if let Some(sumcheck) = &proof.final_sumcheck {
        w.sumcheck::<S>(sumcheck);
    }
}

struct Writer<'b>(&'b mut Vec<u8>);

impl Writer<'_> {
    fn exts<S: Smooth>(&mut self, values: &[S::Ext]) {
        values.iter().for_each(|x| encode_ext::<S>(x, self.0));
    }

    fn nonce<S: Smooth>(&mut self, nonce: S::Base, bits: usize) {
        if bits > 0 {
            S::encode(nonce, self.0);
        }
    }

    fn sumcheck<S: Smooth>(&mut self, data: &SumcheckData<S::Base, S::Ext>) {
        data.polynomial_evaluations.iter().for_each(|pair| self.exts::<S>(pair));
        data.pow_witnesses.iter().for_each(|&w| S::encode(w, self.0));
    }

    fn rows<S: Smooth, T: Tree<S>>(&mut self, openings: &Rows<S, T>, mmcs: &T::Mmcs, round: &RoundConfig) {
        let base = |row: &Vec<S::Base>| {
            let mut bytes = Vec::with_capacity(row.len() * S::BYTES);
            row.iter().for_each(|&x| S::encode(x, &mut bytes));
            bytes
        };
        let ext = |row: &Vec<S::Ext>| {
            let mut bytes = Vec::with_capacity(row.len() * ext_bytes::<S>());
            row.iter().for_each(|x| encode_ext::<S>(x, &mut bytes));
            bytes
        };
        let (rows, paths): (Vec<_>, _) = match openings {
            QueryOpenings::Base(o) => (o.rows.iter().map(base).collect(), &o.proof),
            QueryOpenings::Extension(o) => (o.rows.iter().map(ext).collect(), &o.proof),
        };
        if shared(round) {
            let mut met: Vec<Vec<u8>> = Vec::new();
            for row in rows {
                let at = met.iter().position(|m| *m == row).unwrap_or(met.len());
                self.0.extend_from_slice(&(at as u16).to_le_bytes());
                if at == met.len() {
                    self.0.extend_from_slice(&row);
                    met.push(row);
                }
            }
        } else {
            rows.iter().for_each(|row| self.0.extend_from_slice(row));
        }
        let mut bytes = Vec::new();
        T::encode_paths(paths, &mut bytes);
        self.0.extend_from_slice(&((bytes.len() / T::digest_bytes(mmcs)) as u32).to_le_bytes());
        self.0.extend_from_slice(&bytes);
    }
}

/// Reads a proof.
pub fn decode<S, T>(bytes: &[u8], mmcs: &T::Mmcs, config: &Config<S, T>) -> Result<Proof<S, T>, Reject>
where
    S: Smooth<Ext: TwoAdicField>,
    T: Tree<S>,
{
    let mut r = Reader(bytes);
    let folds = config.folding_schedule();
    let initial_ood_answers = r.exts::<S>(config.commitment_ood_samples())?;
    let initial_sumcheck = r.sumcheck::<S>(folds[0], config.starting_folding_pow_bits())?;
    let mut rounds = Vec::with_capacity(config.n_rounds());
    for (i, parameters) in config.round_parameters().iter().enumerate() {
        let root = T::decode_root(mmcs, r.take(T::digest_bytes(mmcs))?).ok_or_else(canonical)?;
        rounds.push(WhirRoundProof {
            commitment: Some(root),
            ood_answers: r.exts::<S>(parameters.ood_samples)?,
            pow_witness: r.nonce::<S>(parameters.pow_bits)?,
            openings: r.rows::<S, T>(mmcs, i == 0, parameters)?,
            sumcheck: r.sumcheck::<S>(folds[i + 1], parameters.folding_pow_bits)?,
        });
    }
    let left = config.final_sumcheck_rounds();
    let final_poly = Some(Poly::new(r.exts::<S>(1 << left)?));
    let last = config.final_round_config();
    let final_pow_witness = r.nonce::<S>(last.pow_bits)?;
    let final_openings = r.rows::<S, T>(mmcs, config.n_rounds() == 0, &last)?;
    let final_sumcheck = if left > 0 { Some(r.sumcheck::<S>(left, config.final_folding_pow_bits())?) } else { None };
    if !r.0.is_empty() {
        return Err(Reject::new("whir: proof too long"));
    }
    Ok(WhirProof {
        initial_ood_answers,
        initial_sumcheck,
        rounds,
        final_poly,
        final_pow_witness,
        final_openings,
        final_sumcheck,
    })
}

fn canonical() -> Reject {
    Reject::new("whir: a value is not canonical")
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, n: usize) -> Result<&'b [u8], Reject> {
        let (head, tail) = self.0.split_at_checked(n).ok_or_else(|| Reject::new("whir: proof too short"))?;
        self.0 = tail;
        Ok(head)
    }

    fn base<S: Smooth>(&mut self) -> Result<S::Base, Reject> {
        S::decode(self.take(S::BYTES)?).ok_or_else(canonical)
    }

    fn exts<S: Smooth>(&mut self, n: usize) -> Result<Vec<S::Ext>, Reject> {
        let bytes = self.take(n * ext_bytes::<S>())?;
        bytes.chunks_exact(ext_bytes::<S>()).map(|b| decode_ext::<S>(b).ok_or_else(canonical)).collect()
    }

    fn nonce<S: Smooth>(&mut self, bits: usize) -> Result<S::Base, Reject> {
        if bits > 0 { self.base::<S>() } else { Ok(S::Base::ZERO) }
    }

    fn sumcheck<S: Smooth>(&mut self, rounds: usize, bits: usize) -> Result<SumcheckData<S::Base, S::Ext>, Reject> {
        let values = self.exts::<S>(2 * rounds)?;
        let nonces = if bits > 0 { rounds } else { 0 };
        Ok(SumcheckData {
            polynomial_evaluations: values.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect(),
            pow_witnesses: (0..nonces).map(|_| self.base::<S>()).collect::<Result<_, _>>()?,
        })
    }

    fn rows<S: Smooth, T: Tree<S>>(
        &mut self,
        mmcs: &T::Mmcs,
        base: bool,
        round: &RoundConfig,
    ) -> Result<Rows<S, T>, Reject> {
        // p3 opens every position of a code that has fewer than the queries.
        let queries = round.num_queries.min(1 << round.log_folded_domain_size);
        let degree = if base { 1 } else { <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION };
        let size = (S::BYTES * degree) << round.folding_factor;
        let mut rows: Vec<&[u8]> = Vec::with_capacity(queries);
        let mut met: Vec<&[u8]> = Vec::new();
        for _ in 0..queries {
            if !shared(round) {
                rows.push(self.take(size)?);
                continue;
            }
            let mut at = [0; 2];
            at.copy_from_slice(self.take(2)?);
            let at = usize::from(u16::from_le_bytes(at));
            if at == met.len() {
                let row = self.take(size)?;
                if met.contains(&row) {
                    return Err(Reject::new("whir: a row is written twice"));
                }
                met.push(row);
            }
            rows.push(met.get(at).ok_or_else(|| Reject::new("whir: a row out of order"))?);
        }
        let mut n = [0; 4];
        n.copy_from_slice(self.take(4)?);
        let siblings = self.take((u32::from_le_bytes(n) as usize).saturating_mul(T::digest_bytes(mmcs)))?;
        let proof = T::decode_paths(mmcs, siblings).ok_or_else(canonical)?;
        fn read<X>(rows: &[&[u8]], size: usize, one: impl Fn(&[u8]) -> Option<X>) -> Result<Vec<Vec<X>>, Reject> {
            let row = |row: &&[u8]| row.chunks_exact(size).map(&one).collect::<Option<Vec<X>>>();
            rows.iter().map(row).collect::<Option<_>>().ok_or_else(canonical)
        }
        Ok(if base {
            QueryOpenings::Base(SharedProofOpening { rows: read(&rows, S::BYTES, S::decode)?, proof })
        } else {
            let rows = read(&rows, ext_bytes::<S>(), decode_ext::<S>)?;
            QueryOpenings::Extension(SharedProofOpening { rows, proof })
        })
    }
}
