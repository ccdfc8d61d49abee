//! FRI proofs as bytes: canonical elements without lengths, since the verifier knows every shape;
//! only the number of Merkle siblings is written.
//!
//! Queries into a matrix of at most [`SHARED`] rows meet the same rows again and again, so each is
//! written once: for every query one byte says which of the rows met so far it meets, the next
//! number standing for a new one. Numbers out of order and rows written twice are refused, so a
//! proof has one encoding.

use p3_commit::{ExtensionMmcs, Mmcs};
use p3_field::PrimeField64;
use p3_fri::{BatchMultiOpening, CommitPhaseMultiStep, FriParameters, FriProof, fold_schedule};
use trilemma_core::channel::Shape;
use trilemma_core::setting::{decode_ext, encode_ext, ext_bytes};
use trilemma_core::{Reject, Smooth};

use super::tree::{Merkle, Tree};

/// p3's proof for a setting and tree.
pub type Proof<S, T> = FriProof<
    <S as trilemma_core::Setting>::Ext,
    ExtensionMmcs<<S as trilemma_core::Setting>::Base, <S as trilemma_core::Setting>::Ext, <T as Merkle<S>>::Mmcs>,
    <S as trilemma_core::Setting>::Base,
    Vec<BatchMultiOpening<<S as trilemma_core::Setting>::Base, <T as Merkle<S>>::Mmcs>>,
>;

/// p3's parameters for a setting and tree.
pub type P3<S, T> = FriParameters<
    ExtensionMmcs<<S as trilemma_core::Setting>::Base, <S as trilemma_core::Setting>::Ext, <T as Merkle<S>>::Mmcs>,
>;

/// Appends a proof about oracles of these shapes.
pub fn encode<S, T>(proof: &Proof<S, T>, mmcs: &T::Mmcs, oracles: &[&[Shape]], log_blowup: usize, out: &mut Vec<u8>)
where
    S: Smooth<Base: PrimeField64>,
    T: Tree<S>,
{
    proof.commit_phase_commits.iter().for_each(|root| T::encode_root(root, out));
    proof.commit_pow_witnesses.iter().for_each(|&w| S::encode(w, out));
    proof.final_poly.iter().for_each(|x| encode_ext::<S>(x, out));
    S::encode(proof.query_pow_witness, out);
    for (batch, shapes) in proof.input_openings.iter().zip(oracles) {
        for (matrix, shape) in shapes.iter().enumerate() {
            let rows = batch.opened_values.iter().map(|q| {
                let mut bytes = Vec::with_capacity(shape.width * S::BYTES);
                q[matrix].iter().for_each(|&x| S::encode(x, &mut bytes));
                bytes
            });
            write_rows(rows, shape.log_height + log_blowup, out);
        }
        paths::<S, T>(&batch.opening_proof, mmcs, out);
    }
    for step in &proof.commit_phase_openings {
        step.sibling_values.iter().flatten().for_each(|x| encode_ext::<S>(x, out));
        paths::<S, T>(&step.opening_proof, mmcs, out);
    }
}

/// log2 of the most rows of a matrix whose opened rows are written once each.
const SHARED: usize = 8;

fn write_rows(rows: impl Iterator<Item = Vec<u8>>, log_rows: usize, out: &mut Vec<u8>) {
    let mut met: Vec<Vec<u8>> = Vec::new();
    for row in rows {
        if log_rows > SHARED {
            out.extend(row);
            continue;
        }
        let at = met.iter().position(|m| *m == row).unwrap_or(met.len());
        out.push(at as u8);
        if at == met.len() {
            out.extend(&row);
            met.push(row);
        }
    }
}

fn paths<S: Smooth, T: Tree<S>>(proof: &<T::Mmcs as Mmcs<S::Base>>::MultiProof, mmcs: &T::Mmcs, out: &mut Vec<u8>) {
    let mut bytes = Vec::new();
    T::encode_paths(proof, &mut bytes);
    out.extend_from_slice(&((bytes.len() / T::digest_bytes(mmcs)) as u32).to_le_bytes());
    out.extend_from_slice(&bytes);
}

/// The different heights of matrices (log2, of the extended domains), tallest first.
pub fn heights(oracles: &[&[Shape]], log_blowup: usize) -> Vec<usize> {
    let mut heights: Vec<usize> = oracles.iter().flat_map(|s| s.iter()).map(|s| s.log_height + log_blowup).collect();
    heights.sort_unstable_by(|a, b| b.cmp(a));
    heights.dedup();
    heights
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, n: usize) -> Result<&'b [u8], Reject> {
        let (head, tail) = self.0.split_at_checked(n).ok_or_else(|| Reject::new("fri: proof too short"))?;
        self.0 = tail;
        Ok(head)
    }

    fn base<S: Smooth>(&mut self) -> Result<S::Base, Reject> {
        S::decode(self.take(S::BYTES)?).ok_or_else(canonical)
    }

    fn ext<S: Smooth>(&mut self) -> Result<S::Ext, Reject> {
        decode_ext::<S>(self.take(ext_bytes::<S>())?).ok_or_else(canonical)
    }

    fn many<X>(&mut self, n: usize, mut read: impl FnMut(&mut Self) -> Result<X, Reject>) -> Result<Vec<X>, Reject> {
        (0..n).map(|_| read(self)).collect()
    }

    fn rows<S: Smooth>(
        &mut self,
        queries: usize,
        shape: &Shape,
        log_blowup: usize,
    ) -> Result<Vec<Vec<S::Base>>, Reject> {
        if shape.log_height + log_blowup > SHARED {
            return self.many(queries, |r| r.many(shape.width, Reader::base::<S>));
        }
        let mut met: Vec<Vec<S::Base>> = Vec::new();
        self.many(queries, |r| {
            let at = usize::from(r.take(1)?[0]);
            if at == met.len() {
                let row = r.many(shape.width, Reader::base::<S>)?;
                if met.contains(&row) {
                    return Err(Reject::new("fri: a row is written twice"));
                }
                met.push(row);
            }
            met.get(at).cloned().ok_or_else(|| Reject::new("fri: a row out of order"))
        })
    }

    fn paths<S: Smooth, T: Tree<S>>(
        &mut self,
        mmcs: &T::Mmcs,
    ) -> Result<<T::Mmcs as Mmcs<S::Base>>::MultiProof, Reject> {
        let mut n = [0; 4];
        n.copy_from_slice(self.take(4)?);
        let bytes = self.take((u32::from_le_bytes(n) as usize).saturating_mul(T::digest_bytes(mmcs)))?;
        T::decode_paths(mmcs, bytes).ok_or_else(canonical)
    }
}

fn canonical() -> Reject {
    Reject::new("fri: a value is not canonical")
}

/// Reads a proof about oracles of these shapes, whose words to fold have these heights (log2, of the
/// extended domains).
pub fn decode<S, T>(
    bytes: &[u8],
    mmcs: &T::Mmcs,
    oracles: &[&[Shape]],
    word_heights: &[usize],
    parameters: &P3<S, T>,
) -> Result<Proof<S, T>, Reject>
where
    S: Smooth<Base: PrimeField64>,
    T: Tree<S>,
{
    let schedule =
        fold_schedule(word_heights, parameters.log_blowup + parameters.log_final_poly_len, parameters.max_log_arity);
    let queries = parameters.num_queries;
    let mut r = Reader(bytes);
    let commit_phase_commits =
        r.many(schedule.len(), |r| T::decode_root(mmcs, r.take(T::digest_bytes(mmcs))?).ok_or_else(canonical))?;
    let commit_pow_witnesses = r.many(schedule.len(), Reader::base::<S>)?;
    // Nothing else binds the nonces of a grinding that is not done.
    if parameters.commit_proof_of_work_bits == 0 && commit_pow_witnesses.iter().any(|w| *w != S::Base::default()) {
        return Err(Reject::new("fri: a nonce where none is needed"));
    }
    let final_poly = r.many(parameters.final_poly_len(), Reader::ext::<S>)?;
    let query_pow_witness = r.base::<S>()?;
    let mut input_openings = Vec::with_capacity(oracles.len());
    for shapes in oracles {
        let mut opened_values = vec![Vec::with_capacity(shapes.len()); queries];
        for shape in *shapes {
            let rows = r.rows::<S>(queries, shape, parameters.log_blowup)?;
            opened_values.iter_mut().zip(rows).for_each(|(values, row)| values.push(row));
        }
        input_openings.push(BatchMultiOpening { opened_values, opening_proof: r.paths::<S, T>(mmcs)? });
    }
    let mut commit_phase_openings = Vec::with_capacity(schedule.len());
    for log_arity in schedule {
        let sibling_values = r.many(queries, |r| r.many((1 << log_arity) - 1, Reader::ext::<S>))?;
        commit_phase_openings.push(CommitPhaseMultiStep { sibling_values, opening_proof: r.paths::<S, T>(mmcs)? });
    }
    if !r.0.is_empty() {
        return Err(Reject::new("fri: proof too long"));
    }
    Ok(FriProof {
        batch_pow_witness: S::Base::default(),
        commit_phase_commits,
        commit_pow_witnesses,
        input_openings,
        commit_phase_openings,
        final_poly,
        query_pow_witness,
    })
}
