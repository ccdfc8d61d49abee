//! Fiat-Shamir over bytes, and the proof as a byte string.
//!
//! One sponge (BLAKE3 over framed input) serves every field. Three verbs: *send* writes and absorbs,
//! *hint* writes only (for data authenticated against something absorbed, such as a Merkle path),
//! *bind* absorbs only. Every frame carries its kind, label and length, so no two runs of different
//! protocols absorb the same bytes. Challenges are drawn by rejection on canonical encodings.

use std::collections::BTreeMap;

use p3_blake3::Blake3;
use p3_field::PrimeCharacteristicRing;
use p3_symmetric::CryptographicHasher;
use rand::RngExt;
use rayon::prelude::*;

use crate::error::{ConfigError, Reject};
use crate::security::{ErrorTerm, Ledger, Security};
use crate::setting::{self, Setting};

/// Names a message; part of what is absorbed.
pub type Label = &'static str;

#[derive(Clone)]
struct Sponge {
    hasher: blake3::Hasher,
}

impl Sponge {
    fn new(protocol: &[u8]) -> Self {
        let mut sponge = Self { hasher: blake3::Hasher::new_derive_key("trilemma transcript v1") };
        sponge.frame(0, "protocol", protocol);
        sponge
    }

    fn frame(&mut self, kind: u8, label: Label, bytes: &[u8]) {
        self.hasher.update(&[kind, label.len() as u8]);
        self.hasher.update(label.as_bytes());
        self.hasher.update(&(bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
    }

    fn squeeze(&mut self, label: Label) -> blake3::OutputReader {
        self.frame(2, label, &[]);
        self.hasher.finalize_xof()
    }

    fn seed(&mut self, label: Label) -> [u8; 32] {
        let mut seed = [0; 32];
        self.squeeze(label).fill(&mut seed);
        seed
    }

    fn challenge<S: Setting>(&mut self, label: Label) -> S::Ext {
        let mut stream = self.squeeze(label);
        setting::ext_from_fn::<S>(|_| draw::<S>(&mut stream))
    }
}

/// A uniform element, by rejection.
fn draw<S: Setting>(stream: &mut blake3::OutputReader) -> S::Base {
    let mut bytes = vec![0; S::BYTES];
    loop {
        stream.fill(&mut bytes);
        setting::mask_to_bits::<S>(&mut bytes);
        if let Some(x) = S::decode(&bytes) {
            return x;
        }
    }
}

/// What a prover hides its data with.
enum Blinding {
    /// Entropy of the operating system, once it is asked for.
    System,
    /// A stream of secret bytes.
    Stream(blake3::OutputReader),
    /// Nothing is hidden.
    Zero,
}

impl Blinding {
    fn stream(seed: &[u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("trilemma blinding v1");
        Self::Stream(hasher.update(seed).finalize_xof())
    }
}

/// What is hashed to grind: a seed, a nonce, and zeros up to one block of BLAKE3, so that SIMD lanes can share the work.
type Ground = [u8; 64];

fn ground(seed: &[u8; 32], nonce: u64) -> Ground {
    let mut block = [0; 64];
    block[..32].copy_from_slice(seed);
    block[32..40].copy_from_slice(&nonce.to_le_bytes());
    block
}

fn is_hit(digest: &[u8; 32], bits: u32) -> bool {
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(head).leading_zeros() >= bits
}

fn grinding_hit(seed: &[u8; 32], nonce: u64, bits: u32) -> bool {
    is_hit(blake3::hash(&ground(seed, nonce)).as_bytes(), bits)
}

/// The least nonce that is a hit.
fn least_hit(seed: &[u8; 32], bits: u32) -> u64 {
    /// Nonces hashed together, and groups of them handed out together.
    const GROUP: usize = 1 << 8;
    const GROUPS: u64 = 1 << 6;
    let hit_in = |group: u64| {
        let first = group * GROUP as u64;
        let blocks: Vec<Ground> = (first..first + GROUP as u64).map(|nonce| ground(seed, nonce)).collect();
        let mut digests = [[0; 32]; GROUP];
        Blake3.hash_many(blocks.as_flattened(), &mut digests);
        (first..).zip(&digests).find(|(_, digest)| is_hit(digest, bits)).map(|hit| hit.0)
    };
    let mut starts = (0..u64::MAX / GROUP as u64).step_by(GROUPS as usize);
    starts.find_map(|start| (start..start + GROUPS).into_par_iter().find_map_first(hit_in)).unwrap_or(0)
}

/// Bytes sent under each label.
pub type ByteCount = BTreeMap<Label, usize>;

/// The prover's side of a transcript.
pub struct ProverTranscript {
    sponge: Sponge,
    security: Security,
    proof: Vec<u8>,
    ledger: Ledger,
    count: ByteCount,
    blinding: Blinding,
}

impl ProverTranscript {
    /// Starts a transcript for the protocol with this id.
    pub fn new(protocol: &[u8], security: Security) -> Self {
        Self {
            sponge: Sponge::new(protocol),
            security,
            proof: Vec::new(),
            ledger: Ledger::default(),
            count: ByteCount::new(),
            blinding: Blinding::System,
        }
    }

    /// Makes blinding a function of `seed`, so that a test can repeat a proof. Whoever knows the seed
    /// sees through it.
    pub fn blinded_from(self, seed: &[u8; 32]) -> Self {
        Self { blinding: Blinding::stream(seed), ..self }
    }

    /// Makes blinding zero, for what everybody knows anyway: the commitment to an index is then a
    /// function of the index.
    pub fn unblinded(self) -> Self {
        Self { blinding: Blinding::Zero, ..self }
    }

    /// A secret scalar to hide something with: uniform, never written or absorbed by itself. Drawn from
    /// the operating system's entropy unless the transcript was made otherwise.
    pub fn blind<S: Setting>(&mut self) -> S::Base {
        if let Blinding::System = self.blinding {
            self.blinding = Blinding::stream(&rand::rng().random());
        }
        match &mut self.blinding {
            Blinding::Stream(stream) => draw::<S>(stream),
            Blinding::System | Blinding::Zero => S::Base::ZERO,
        }
    }

    /// The target that error terms must reach.
    pub const fn security(&self) -> Security {
        self.security
    }

    /// Writes and absorbs bytes whose number the verifier knows.
    pub fn send(&mut self, label: Label, bytes: &[u8]) {
        self.sponge.frame(1, label, bytes);
        self.hint(label, bytes);
    }

    /// Writes bytes that are not absorbed, being authenticated by something that was.
    pub fn hint(&mut self, label: Label, bytes: &[u8]) {
        *self.count.entry(label).or_default() += bytes.len();
        self.proof.extend_from_slice(bytes);
    }

    /// Writes and absorbs bytes whose number the verifier does not know.
    pub fn send_blob(&mut self, label: Label, bytes: &[u8]) {
        self.send(label, &(bytes.len() as u32).to_le_bytes());
        self.send(label, bytes);
    }

    /// Absorbs what both sides know.
    pub fn bind(&mut self, label: Label, bytes: &[u8]) {
        self.sponge.frame(1, label, bytes);
    }

    /// Writes and absorbs extension elements.
    pub fn send_ext<S: Setting>(&mut self, label: Label, values: &[S::Ext]) {
        let mut bytes = Vec::with_capacity(values.len() * setting::ext_bytes::<S>());
        for value in values {
            setting::encode_ext::<S>(value, &mut bytes);
        }
        self.send(label, &bytes);
    }

    /// Draws a challenge whose error is `term`, grinding first where the term is short of the
    /// target. `None` is for further challenges that share the previous one's term.
    pub fn challenge<S: Setting>(&mut self, label: Label, term: Option<&ErrorTerm>) -> Result<S::Ext, ConfigError> {
        if let Some(term) = term {
            self.guard(label, term)?;
        }
        Ok(self.sponge.challenge::<S>(label))
    }

    /// Grinds what `term` lacks and enters it in the ledger.
    pub fn guard(&mut self, label: Label, term: &ErrorTerm) -> Result<(), ConfigError> {
        let bits = term.grinding(self.security.bits)?;
        self.ledger.prove(term, bits);
        if bits > 0 {
            self.grind(label, bits);
        }
        Ok(())
    }

    fn grind(&mut self, label: Label, bits: u32) {
        let seed = self.sponge.seed(label);
        self.send(label, &least_hit(&seed, bits).to_le_bytes());
    }

    /// Enters a term that no challenge of this transcript carries.
    pub fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// A seed for a foreign challenger; its whole output must come back through a send.
    pub fn fork(&mut self, label: Label) -> [u8; 32] {
        self.sponge.seed(label)
    }

    /// The proof, its ledger and the bytes under each label.
    pub fn finish(self) -> (Vec<u8>, Ledger, ByteCount) {
        (self.proof, self.ledger, self.count)
    }
}

/// The verifier's side of a transcript. No method panics, whatever the bytes.
pub struct VerifierTranscript<'p> {
    sponge: Sponge,
    security: Security,
    proof: &'p [u8],
    ledger: Ledger,
    count: ByteCount,
}

impl<'p> VerifierTranscript<'p> {
    /// Starts reading `proof` as a proof of the protocol with this id.
    pub fn new(protocol: &[u8], security: Security, proof: &'p [u8]) -> Self {
        Self { sponge: Sponge::new(protocol), security, proof, ledger: Ledger::default(), count: ByteCount::new() }
    }

    /// The target that error terms must reach.
    pub const fn security(&self) -> Security {
        self.security
    }

    /// Reads and absorbs `n` bytes.
    pub fn recv(&mut self, label: Label, n: usize) -> Result<&'p [u8], Reject> {
        let bytes = self.hint(label, n)?;
        self.sponge.frame(1, label, bytes);
        Ok(bytes)
    }

    /// Reads `n` bytes without absorbing them.
    pub fn hint(&mut self, label: Label, n: usize) -> Result<&'p [u8], Reject> {
        let Some((head, tail)) = self.proof.split_at_checked(n) else {
            return Err(Reject::new(format!("proof ends within `{label}`")));
        };
        *self.count.entry(label).or_default() += n;
        self.proof = tail;
        Ok(head)
    }

    /// Reads and absorbs bytes preceded by their number.
    pub fn recv_blob(&mut self, label: Label) -> Result<&'p [u8], Reject> {
        let mut n = [0; 4];
        n.copy_from_slice(self.recv(label, 4)?);
        self.recv(label, u32::from_le_bytes(n) as usize)
    }

    /// Absorbs what both sides know.
    pub fn bind(&mut self, label: Label, bytes: &[u8]) {
        self.sponge.frame(1, label, bytes);
    }

    /// Reads and absorbs `n` extension elements in canonical encoding.
    pub fn recv_ext<S: Setting>(&mut self, label: Label, n: usize) -> Result<Vec<S::Ext>, Reject> {
        let size = setting::ext_bytes::<S>();
        let total = n.checked_mul(size).ok_or_else(|| Reject::new("length overflows"))?;
        self.recv(label, total)?
            .chunks_exact(size)
            .map(|bytes| {
                setting::decode_ext::<S>(bytes).ok_or_else(|| Reject::new(format!("`{label}` is not canonical")))
            })
            .collect()
    }

    /// Draws the challenge that the prover drew, checking its grinding.
    pub fn challenge<S: Setting>(&mut self, label: Label, term: Option<&ErrorTerm>) -> Result<S::Ext, Reject> {
        if let Some(term) = term {
            self.guard(label, term)?;
        }
        Ok(self.sponge.challenge::<S>(label))
    }

    /// Checks the grinding that `term` needs and enters it in the ledger.
    pub fn guard(&mut self, label: Label, term: &ErrorTerm) -> Result<(), Reject> {
        let bits = term.grinding(self.security.bits)?;
        self.ledger.prove(term, bits);
        if bits > 0 {
            let seed = self.sponge.seed(label);
            let mut nonce = [0; 8];
            nonce.copy_from_slice(self.recv(label, 8)?);
            if !grinding_hit(&seed, u64::from_le_bytes(nonce), bits) {
                return Err(Reject::new(format!("grinding of `{label}`")));
            }
        }
        Ok(())
    }

    /// The ledger, for terms that no challenge of this transcript carries.
    pub fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// A seed for a foreign challenger.
    pub fn fork(&mut self, label: Label) -> [u8; 32] {
        self.sponge.seed(label)
    }

    /// Demands that every byte was read.
    pub fn finish(self) -> Result<(Ledger, ByteCount), Reject> {
        if !self.proof.is_empty() {
            return Err(Reject::new(format!("{} bytes after the end", self.proof.len())));
        }
        Ok((self.ledger, self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Teaches: proofs are functions of the witness, grinding included.
    #[test]
    fn the_least_nonce_is_found() {
        for i in 0..20 {
            let seed = [i; 32];
            let nonce = least_hit(&seed, 11);
            assert_eq!((0..).find(|&nonce| grinding_hit(&seed, nonce, 11)), Some(nonce));
        }
    }
}
