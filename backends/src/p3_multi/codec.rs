//! A p3 multi-STARK proof as bytes: canonical elements of fixed width without lengths, since the
//! verifier derives every shape before it reads; openings as the `whir` scheme writes them.

use p3_field::PrimeCharacteristicRing;
use p3_multi_stark::MultiStarkProof;
use p3_multi_stark::fractional_gkr::{FractionGkrLayerProof, FractionGkrProof, SplitFraction};
use p3_sumcheck::OpeningBatch;
use p3_sumcheck::generic_degree::GenericDegreeProof;
use p3_whir::PcsProof;
use trilemma_core::{ProverTranscript, Reject, Setting, VerifierTranscript};
use trilemma_pcs::codes::oracle;
use trilemma_pcs::whir::codec as whir;

use super::pcs::Config;
use super::terms::Plan;
use super::{E, F, S, T, Trees};
use crate::p3::key::encode_root;

type Proof = MultiStarkProof<Config>;
type Opening = PcsProof<F, E, Trees>;

/// The shape of a proof.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Layers of the circuit that adds fractions up.
    pub layers: usize,
    /// Rounds of the sumcheck over rows.
    pub rounds: usize,
    /// Degree of its polynomials.
    pub degree: usize,
    /// Advice columns of every instance.
    pub widths: Vec<usize>,
    /// Fixed columns of every instance that has some.
    pub fixed: Vec<usize>,
}

/// Sends a proof and the nonce ground for it.
pub fn send(proof: &Proof, nonce: F, plan: &Plan<'_>, t: &mut ProverTranscript) {
    t.send("main", &encode_root(&proof.commitment));
    if plan.grinding() > 0 {
        let mut bytes = Vec::new();
        S::encode(nonce, &mut bytes);
        t.send("nonce", &bytes);
    }
    if let Some(FractionGkrProof { root_denominator, layers }) = &proof.lookup {
        let mut values = vec![*root_denominator];
        for FractionGkrLayerProof { round_polys, claims: SplitFraction { n0, d0, n1, d1 } } in layers {
            values.extend(round_polys.iter().flatten());
            values.extend([n0, d0, n1, d1]);
        }
        t.send_ext::<S>("buses", &values);
    }
    let mut rows = vec![proof.sumcheck.claimed_sum];
    rows.extend(proof.sumcheck.round_polys.iter().flatten());
    t.send_ext::<S>("rows", &rows);
    let openings = [Some(&proof.opening), proof.preprocessed_opening.as_ref()];
    let values = openings.iter().flatten().flat_map(|o| o.evals.iter().flat_map(|batch| batch.current()));
    t.send_ext::<S>("answers", &values.copied().collect::<Vec<E>>());
    for (opening, parameters) in openings.into_iter().flatten().zip(plan.whir) {
        let mut bytes = Vec::new();
        whir::encode::<S, T>(&opening.whir, plan.trees(), &parameters.config, &mut bytes);
        t.send_blob("whir", &bytes);
    }
}

fn canonical() -> Reject {
    Reject::new("p3-multi-stark: a value is not canonical")
}

/// Receives a proof of this shape and its nonce.
pub fn receive(shape: &Shape, plan: &Plan<'_>, t: &mut VerifierTranscript<'_>) -> Result<(Proof, F), Reject> {
    let commitment = oracle::receive::<S, T>(plan.trees(), "main", t)?;
    let nonce = match plan.grinding() {
        0 => F::ZERO,
        _ => S::decode(t.recv("nonce", S::BYTES)?).ok_or_else(canonical)?,
    };
    // Layer `i` has `i` rounds of three values and four more.
    let Shape { layers, rounds, degree, .. } = *shape;
    let values = (0..layers).map(|i| 3 * i + 4).sum::<usize>();
    let buses = t.recv_ext::<S>("buses", 1 + values)?;
    let mut values = buses.iter().copied();
    let mut next = || values.next().ok_or_else(|| Reject::new("p3-multi-stark: too few values"));
    let root_denominator = next()?;
    let mut layer_proofs = Vec::with_capacity(layers);
    for i in 0..layers {
        let round_polys = (0..i).map(|_| Ok([next()?, next()?, next()?])).collect::<Result<_, Reject>>()?;
        let claims = SplitFraction { n0: next()?, d0: next()?, n1: next()?, d1: next()? };
        layer_proofs.push(FractionGkrLayerProof { round_polys, claims });
    }
    let rows = t.recv_ext::<S>("rows", 1 + rounds * degree)?;
    let (&claimed_sum, polynomials) = rows.split_first().ok_or_else(canonical)?;
    let sumcheck = GenericDegreeProof {
        claimed_sum,
        round_polys: polynomials.chunks(degree.max(1)).map(<[E]>::to_vec).collect(),
        pow_witnesses: Vec::new(),
    };
    let widths = [shape.widths.as_slice(), shape.fixed.as_slice()];
    let answers = t.recv_ext::<S>("answers", widths.iter().copied().flatten().sum())?;
    let mut answers = answers.iter().copied();
    let [main, fixed] = widths.map(|widths| {
        let batch = |&width: &usize| OpeningBatch::new(answers.by_ref().take(width).collect(), Vec::new());
        widths.iter().map(batch).collect::<Vec<_>>()
    });
    let mut opening = |evals, i: usize| -> Result<Opening, Reject> {
        let whir = whir::decode::<S, T>(t.recv_blob("whir")?, plan.trees(), &plan.whir[i].config)?;
        Ok(PcsProof { whir, evals })
    };
    let proof = Proof {
        commitment,
        lookup: Some(FractionGkrProof { root_denominator, layers: layer_proofs }),
        indexed: None,
        bus: None,
        sumcheck,
        opening: opening(main, 0)?,
        preprocessed_opening: Some(opening(fixed, 1)?),
    };
    Ok((proof, nonce))
}
