//! A p3 batch proof as bytes: canonical elements of fixed width without lengths, since the verifier
//! derives every shape before it reads; Merkle paths as the `fri` scheme writes them.

use p3_batch_stark::proof::OpenedValuesWithLookups;
use p3_batch_stark::{BatchCommitments, BatchOpenedValues, BatchProof, OpenedValues};
use p3_field::BasedVectorSpace;
use p3_lookup::LookupTerminal;
use p3_uni_stark::PreprocessedOpenedValues;
use trilemma_core::channel::Shape;
use trilemma_core::setting::{decode_ext, encode_ext, ext_bytes};
use trilemma_core::{ProverTranscript, Reject, Setting, VerifierTranscript};
use trilemma_pcs::codes::oracle;
use trilemma_pcs::fri::codec as fri;

use super::{Config, E, F, FriP3, S, T, Trees};
use crate::p3::key::encode_root;

/// Base elements of a challenge.
pub const D: usize = <E as BasedVectorSpace<F>>::DIMENSION;

/// The shape of one instance.
#[derive(Debug, Clone, Copy)]
pub struct InstanceShape {
    /// log2 of its rows.
    pub log_height: usize,
    /// Advice columns.
    pub width: usize,
    /// Fixed columns.
    pub fixed: usize,
    /// Whether advice is also opened on the next row.
    pub uses_next: bool,
    /// Fraction columns.
    pub lookups: usize,
    /// Chunks of its quotient.
    pub chunks: usize,
}

impl InstanceShape {
    /// Base columns of the bus argument: fractions and accumulator.
    pub const fn bus_width(&self) -> usize {
        if self.lookups == 0 { 0 } else { D * (self.lookups + 1) }
    }

    /// Values of all its openings.
    pub const fn values(&self) -> usize {
        self.fixed + self.width * (1 + self.uses_next as usize) + 2 * self.bus_width() + D * self.chunks
    }
}

/// The matrices of every commitment in the order of p3's openings: advice, quotient, fixed, buses.
fn oracles(shapes: &[InstanceShape]) -> [Vec<Shape>; 4] {
    let shape = |s: &InstanceShape, width| Shape { log_height: s.log_height, width };
    [
        shapes.iter().map(|s| shape(s, s.width)).collect(),
        shapes.iter().flat_map(|s| vec![shape(s, D); s.chunks]).collect(),
        shapes.iter().filter(|s| s.fixed > 0).map(|s| shape(s, s.fixed)).collect(),
        shapes.iter().filter(|s| s.lookups > 0).map(|s| shape(s, s.bus_width())).collect(),
    ]
}

/// Sends a proof about instances of these shapes.
pub fn send(
    proof: &BatchProof<Config>,
    trees: &Trees,
    shapes: &[InstanceShape],
    log_blowup: usize,
    t: &mut ProverTranscript,
) {
    let root = |t: &mut ProverTranscript, label, root| t.send(label, &encode_root(root));
    let BatchCommitments { main, permutation, quotient_chunks, random: _ } = &proof.commitments;
    root(t, "main", main);
    if let Some(permutation) = permutation {
        root(t, "buses", permutation);
    }
    root(t, "quotient", quotient_chunks);
    let sums: Vec<E> = proof.lookup_terminals.iter().flatten().map(|sum| sum.0).collect();
    t.send_ext::<S>("sums", &sums);
    let mut nonces = Vec::new();
    for nonce in
        [proof.lookup_pow_witness.unwrap_or_default(), proof.ood_pow_witness, proof.opening_proof.batch_pow_witness]
    {
        S::encode(nonce, &mut nonces);
    }
    t.send("nonces", &nonces);
    let mut answers = Vec::new();
    let mut put = |values: &[E]| values.iter().for_each(|x| encode_ext::<S>(x, &mut answers));
    for instance in &proof.opened_values.instances {
        let OpenedValues { trace_local, trace_next, preprocessed, quotient_chunks, random: _ } =
            &instance.base_opened_values;
        preprocessed.iter().for_each(|fixed| put(&fixed.local));
        put(trace_local);
        trace_next.iter().for_each(|next| put(next));
        put(&instance.permutation_local);
        put(&instance.permutation_next);
        quotient_chunks.iter().for_each(|chunk| put(chunk));
    }
    t.send("answers", &answers);
    let mut bytes = Vec::new();
    let oracles = oracles(shapes);
    fri::encode::<S, T>(&proof.opening_proof, trees, &slices(&oracles), log_blowup, &mut bytes);
    t.send_blob("fri", &bytes);
}

fn slices(oracles: &[Vec<Shape>; 4]) -> Vec<&[Shape]> {
    oracles.iter().map(Vec::as_slice).filter(|oracle| !oracle.is_empty()).collect()
}

fn canonical() -> Reject {
    Reject::new("p3-batch-stark: a value is not canonical")
}

/// Receives a proof about instances of these shapes.
pub fn receive(
    trees: &Trees,
    shapes: &[InstanceShape],
    parameters: &FriP3,
    t: &mut VerifierTranscript<'_>,
) -> Result<BatchProof<Config>, Reject> {
    let mut root = |label| oracle::receive::<S, T>(trees, label, t);
    let (main, buses, quotient_chunks) = (root("main")?, root("buses")?, root("quotient")?);
    let mut sums = t.recv_ext::<S>("sums", shapes.iter().filter(|s| s.lookups > 0).count())?.into_iter();
    let nonces = t.recv("nonces", 3 * S::BYTES)?;
    let nonces: Vec<F> = nonces.chunks(S::BYTES).map(S::decode).collect::<Option<_>>().ok_or_else(canonical)?;
    let size = ext_bytes::<S>();
    let mut answers =
        t.recv("answers", size * shapes.iter().map(InstanceShape::values).sum::<usize>())?.chunks_exact(size);
    let mut take = |n: usize| -> Result<Vec<E>, Reject> {
        answers.by_ref().take(n).map(|bytes| decode_ext::<S>(bytes).ok_or_else(canonical)).collect()
    };
    let mut instances = Vec::with_capacity(shapes.len());
    for shape in shapes {
        let preprocessed = match shape.fixed {
            0 => None,
            n => Some(PreprocessedOpenedValues { local: take(n)?, next: None }),
        };
        let trace_local = take(shape.width)?;
        let trace_next = if shape.uses_next { Some(take(shape.width)?) } else { None };
        let permutation_local = take(shape.bus_width())?;
        let permutation_next = take(shape.bus_width())?;
        let quotient_chunks = (0..shape.chunks).map(|_| take(D)).collect::<Result<_, _>>()?;
        let base_opened_values = OpenedValues { trace_local, trace_next, preprocessed, quotient_chunks, random: None };
        instances.push(OpenedValuesWithLookups { base_opened_values, permutation_local, permutation_next });
    }
    let oracles = oracles(shapes);
    let heights = fri::heights(&slices(&oracles), parameters.log_blowup);
    let blob = t.recv_blob("fri")?;
    let mut opening_proof = fri::decode::<S, T>(blob, trees, &slices(&oracles), &heights, parameters)?;
    opening_proof.batch_pow_witness = nonces[2];
    Ok(BatchProof {
        commitments: BatchCommitments { main, permutation: Some(buses), quotient_chunks, random: None },
        opened_values: BatchOpenedValues { instances },
        opening_proof,
        lookup_terminals: shapes
            .iter()
            .map(|s| if s.lookups > 0 { sums.next().map(LookupTerminal) } else { None })
            .collect(),
        degree_bits: shapes.iter().map(|s| s.log_height).collect(),
        lookup_pow_witness: Some(nonces[0]),
        ood_pow_witness: nonces[1],
    })
}
