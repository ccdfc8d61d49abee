//! A proof of the library as bytes: canonical elements and points without lengths, tags and public
//! inputs, since the verifier derives all of them before it reads.

use ::spartan2::provider::traits::DlogGroup;
use trilemma_core::{ConfigError, Label, ProverTranscript, Reject, Setting, VerifierTranscript};

use super::S;
use super::circuit::{CHALLENGES, Size};
use super::engine::{Point, Scalar, Snark, WIDTH};

/// Bytes of an element and of a point.
const BYTES: usize = S::BYTES;

/// A stretch of a serialized proof.
enum Part {
    /// Known to both sides.
    Known(Vec<u8>),
    /// So many field elements.
    Scalars(Label, usize),
    /// So many points.
    Points(Label, usize),
}

/// The length of a list.
fn length(n: usize) -> Part {
    Part::Known((n as u64).to_le_bytes().to_vec())
}

/// How the library's proof of a system of this size is laid out.
fn parts(size: &Size, public: &[Scalar]) -> Result<Vec<Part>, ConfigError> {
    let [advice, products, late] = size.rows();
    let rounds = size.rounds();
    let mut parts = Vec::new();
    for (label, rows) in [("advice", advice), ("products", products)] {
        parts.push(Part::Known(vec![u8::from(rows > 0)]));
        if rows > 0 {
            parts.extend([length(rows), Part::Points(label, rows)]);
        }
    }
    parts.extend([length(late), Part::Points("fractions", late)]);
    parts.push(Part::Known(bincode::serialize(public).map_err(super::library_error)?));
    parts.extend([length(CHALLENGES), Part::Scalars("challenges", CHALLENGES)]);
    // Every round is a polynomial without its linear term.
    parts.push(length(rounds[0]));
    parts.extend((0..rounds[0]).flat_map(|_| [length(3), Part::Scalars("constraints", 3)]));
    parts.push(Part::Scalars("claims", 3));
    parts.push(length(rounds[1]));
    parts.extend((0..rounds[1]).flat_map(|_| [length(2), Part::Scalars("wires", 2)]));
    // The value and its blind.
    parts.extend([Part::Scalars("value", 1), length(1), Part::Scalars("value", 1)]);
    parts.extend([Part::Points("opening", 2), length(WIDTH), Part::Scalars("opening", WIDTH + 2)]);
    Ok(parts)
}

/// Sends a proof of a system of this size.
pub fn send(proof: &Snark, size: &Size, public: &[Scalar], t: &mut ProverTranscript) -> Result<(), ConfigError> {
    let bytes = bincode::serialize(proof).map_err(super::library_error)?;
    let other = || super::library_error("a proof with another layout");
    let mut rest = bytes.as_slice();
    for part in parts(size, public)? {
        let n = match &part {
            Part::Known(known) => known.len(),
            Part::Scalars(_, n) | Part::Points(_, n) => n * BYTES,
        };
        let (head, tail) = rest.split_at_checked(n).ok_or_else(other)?;
        rest = tail;
        match part {
            Part::Known(known) if known == head => {}
            Part::Known(_) => return Err(other()),
            Part::Scalars(label, _) | Part::Points(label, _) => t.send(label, head),
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(other()) }
}

/// Receives what [`send`] sent: elements and points are canonical, and no point is at infinity.
pub fn receive(size: &Size, public: &[Scalar], t: &mut VerifierTranscript<'_>) -> Result<Snark, Reject> {
    let infinity = bincode::serialize(&<Point as DlogGroup>::zero()).map_err(super::library_error)?;
    let mut bytes = Vec::new();
    for part in parts(size, public)? {
        match part {
            Part::Known(known) => bytes.extend(known),
            Part::Scalars(label, n) => {
                let scalars = t.recv(label, n * BYTES)?;
                if !scalars.chunks_exact(BYTES).all(|x| S::decode(x).is_some()) {
                    return Err(Reject::new(format!("`{label}` is not canonical")));
                }
                bytes.extend(scalars);
            }
            Part::Points(label, n) => {
                let points = t.recv(label, n * BYTES)?;
                if points.chunks_exact(BYTES).any(|point| point == infinity) {
                    return Err(Reject::new(format!("`{label}` is the point at infinity")));
                }
                bytes.extend(points);
            }
        }
    }
    let bad = |_| Reject::new("a point of the proof is not on the curve");
    let proof: Snark = bincode::deserialize(&bytes).map_err(bad)?;
    if bincode::serialize(&proof).map_err(super::library_error)? != bytes {
        return Err(Reject::new("a point of the proof is not canonical"));
    }
    Ok(proof)
}
