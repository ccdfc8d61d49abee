//! The library's transcript (BLAKE2b-512), begun with a seed; when reading, every element and point must be
//! written the one canonical way.
//!
//! The library reads a point whose flag of infinity is set as if it were not, unless the rest is zero: each
//! point of a proof would have a second form.

use std::io::{self, Empty, Error, Read};

use halo2_axiom::halo2curves::bn256::G1Affine;
use halo2_axiom::halo2curves::ff::{FromUniformBytes, PrimeField};
use halo2_axiom::halo2curves::group::GroupEncoding;
use halo2_axiom::transcript::{
    Blake2bRead, Blake2bWrite, Challenge255, Transcript, TranscriptRead, TranscriptReadBuffer, TranscriptWriterBuffer,
};

use super::F;

type Challenge = Challenge255<G1Affine>;
/// The writing side.
pub type Writer = Blake2bWrite<Vec<u8>, G1Affine, Challenge>;

/// Starts writing.
pub fn writer(seed: &[u8; 32]) -> io::Result<Writer> {
    let mut writer = Writer::init(Vec::new());
    writer.common_scalar(seed_scalar(seed))?;
    Ok(writer)
}

/// The reading side.
pub struct Reader<'p> {
    transcript: Blake2bRead<Empty, G1Affine, Challenge>,
    proof: &'p [u8],
}

impl<'p> Reader<'p> {
    /// Starts reading.
    pub fn new(seed: &[u8; 32], proof: &'p [u8]) -> io::Result<Self> {
        let mut transcript = Blake2bRead::init(io::empty());
        transcript.common_scalar(seed_scalar(seed))?;
        Ok(Self { transcript, proof })
    }

    /// Whether everything was read.
    pub const fn is_at_end(&self) -> bool {
        self.proof.is_empty()
    }
}

/// A seed as a field element, uniform if the seed is.
fn seed_scalar(seed: &[u8; 32]) -> F {
    let mut bytes = [0; 64];
    blake3::Hasher::new_derive_key("trilemma halo2 seed v1").update(seed).finalize_xof().fill(&mut bytes);
    F::from_uniform_bytes(&bytes)
}

impl Transcript<G1Affine, Challenge> for Reader<'_> {
    fn squeeze_challenge(&mut self) -> Challenge {
        self.transcript.squeeze_challenge()
    }

    fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.transcript.common_point(point)
    }

    fn common_scalar(&mut self, scalar: F) -> io::Result<()> {
        self.transcript.common_scalar(scalar)
    }
}

impl TranscriptRead<G1Affine, Challenge> for Reader<'_> {
    fn read_point(&mut self) -> io::Result<G1Affine> {
        let mut repr = <G1Affine as GroupEncoding>::Repr::default();
        self.proof.read_exact(repr.as_mut())?;
        let point: Option<G1Affine> = G1Affine::from_bytes(&repr).into();
        let canonical = point.filter(|point| point.to_bytes().as_ref() == repr.as_ref());
        let point = canonical.ok_or_else(|| Error::other("a point that is not canonical or not on the curve"))?;
        self.common_point(point)?;
        Ok(point)
    }

    fn read_scalar(&mut self) -> io::Result<F> {
        let mut repr = <F as PrimeField>::Repr::default();
        self.proof.read_exact(repr.as_mut())?;
        let scalar: Option<F> = F::from_repr(repr).into();
        let scalar = scalar.ok_or_else(|| Error::other("an element that is not canonical"))?;
        self.common_scalar(scalar)?;
        Ok(scalar)
    }
}
