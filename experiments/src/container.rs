//! Proof files and key files: magic, version, a JSON header, then the bytes that the proof system made.
//!
//! `magic (8) | version (u32) | header length (u32) | header | body length (u64) | body`, little-endian, nothing after.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trilemma_backends::{Pipeline, Public};
use trilemma_core::Options;
use trilemma_frontends::riscv::Program;

use crate::fault::Fault;
use crate::files;

const VERSION: u32 = 1;
const KINDS: [([u8; 8], &str); 2] = [(*b"TRI\x00PRF\n", "proof file"), (*b"TRI\x00KEY\n", "verifying-key file")];

/// What a file says besides the bytes of its proof system.
pub trait Header: Serialize + DeserializeOwned {
    /// Index in the list of kinds.
    const KIND: usize;
}

/// What a proof and a key must agree on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Pipeline.
    pub pipeline: Pipeline,
    /// Its options, without the path of a reference string: where it lies is nobody's business, and a
    /// verifier must not take one that the prover names.
    pub options: Options,
    /// BLAKE3 of the reference string's file, if one was given.
    pub srs: Option<String>,
    /// BLAKE3 of the program's ELF file.
    pub program: String,
}

impl About {
    /// Describes a program under a pipeline.
    pub fn new(pipeline: &Pipeline, options: &Options, program: &Program) -> Result<Self, Fault> {
        let srs = options.srs.as_deref().map(files::digest).transpose()?;
        let options = Options { srs: None, ..options.clone() };
        Ok(Self { pipeline: pipeline.clone(), options, srs, program: hex::encode(program.digest) })
    }

    /// The options with the verifier's own reference string, which must be the one that was used.
    pub fn options_with(&self, srs: Option<&Path>) -> Result<Options, String> {
        let given = srs.map(files::digest).transpose().map_err(|fault| fault.to_string())?;
        match (&self.srs, &given) {
            (a, b) if a == b => Ok(Options { srs: srs.map(Path::to_owned), ..self.options.clone() }),
            (Some(used), None) => Err(format!("needs --srs with the reference string of BLAKE3 {used}")),
            (Some(used), Some(given)) => {
                Err(format!("made with the reference string of BLAKE3 {used}, --srs has {given}"))
            }
            (None, _) => Err("made without the reference string of --srs".into()),
        }
    }
}

/// The header of a proof file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofHeader {
    /// What it is about.
    pub about: About,
    /// Exit code.
    pub exit_code: u32,
    /// Public output, in hexadecimal.
    pub output: String,
}

impl Header for ProofHeader {
    const KIND: usize = 0;
}

impl ProofHeader {
    /// Describes a proof.
    pub fn new(about: About, public: &Public) -> Self {
        Self { about, exit_code: public.exit_code, output: hex::encode(&public.output) }
    }

    /// The public values.
    pub fn public(&self) -> Result<Public, String> {
        let output = hex::decode(&self.output)
            .map_err(|error| format!("the public output in the header is not hexadecimal: {error}"))?;
        Ok(Public { exit_code: self.exit_code, output })
    }
}

/// The header of a key file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyHeader {
    /// What it is about.
    pub about: About,
}

impl Header for KeyHeader {
    const KIND: usize = 1;
}

/// The bytes of a file.
pub fn encode<H: Header>(header: &H, body: &[u8]) -> Vec<u8> {
    let header = serde_json::to_vec(header).expect("headers have string keys only");
    let mut bytes = KINDS[H::KIND].0.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header);
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend(body);
    bytes
}

/// Header and body of a file's bytes, or what is wrong with them.
pub fn decode<H: Header>(bytes: &[u8]) -> Result<(H, &[u8]), String> {
    let (magic, name) = KINDS[H::KIND];
    let Some(rest) = bytes.strip_prefix(&magic) else {
        return Err(match KINDS.iter().find(|(other, _)| bytes.starts_with(other)) {
            Some((_, other)) => format!("this is a {other}, not a {name}"),
            None => format!("not a {name}"),
        });
    };
    let cut = || format!("the {name} is cut off");
    let (version, rest) = rest.split_first_chunk().ok_or_else(cut)?;
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(format!("the {name} has version {version}; this program reads version {VERSION}"));
    }
    let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
    let (header, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(cut)?;
    let header =
        serde_json::from_slice(header).map_err(|error| format!("the {name} has a malformed header: {error}"))?;
    let (length, body) = rest.split_first_chunk().ok_or_else(cut)?;
    let length = u64::from_le_bytes(*length);
    match (body.len() as u64).cmp(&length) {
        std::cmp::Ordering::Less => Err(cut()),
        std::cmp::Ordering::Equal => Ok((header, body)),
        std::cmp::Ordering::Greater => Err(format!("the {name} goes on after its end")),
    }
}

/// Reads a file.
pub fn read<H: Header>(path: &Path) -> Result<(H, Vec<u8>), Fault> {
    let bytes = files::read(path)?;
    let (header, body) = decode(&bytes).map_err(|what| Fault::Failed(format!("{}: {what}", path.display())))?;
    Ok((header, body.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> KeyHeader {
        let program = "00".to_owned();
        let pipeline = Pipeline("a/b/c/d".into());
        KeyHeader { about: About { pipeline, options: Options::default(), srs: None, program } }
    }

    #[test]
    fn files_round_trip() {
        let bytes = encode(&header(), b"body");
        assert_eq!(decode::<KeyHeader>(&bytes), Ok((header(), b"body".as_slice())));
    }

    #[test]
    fn every_truncation_and_any_suffix_is_refused() {
        let mut bytes = encode(&header(), b"body");
        for length in 0..bytes.len() {
            assert!(decode::<KeyHeader>(&bytes[..length]).is_err(), "{length}");
        }
        bytes.push(0);
        assert_eq!(decode::<KeyHeader>(&bytes), Err("the verifying-key file goes on after its end".into()));
    }

    #[test]
    fn the_verifier_brings_its_own_reference_string() {
        let dir = tempfile::tempdir().unwrap();
        let [good, bad] = ["good", "bad"].map(|name| {
            let path = dir.path().join(name);
            std::fs::write(&path, name).unwrap();
            path
        });
        let insecure = header().about;
        let made = About { srs: Some(files::digest(&good).unwrap()), ..header().about };
        assert_eq!(insecure.options_with(None), Ok(Options::default()));
        assert!(insecure.options_with(Some(&good)).is_err());
        assert!(made.options_with(None).unwrap_err().contains("needs --srs"));
        assert!(made.options_with(Some(&bad)).is_err());
        assert_eq!(made.options_with(Some(&good)).map(|o| o.srs), Ok(Some(good)));
    }

    #[test]
    fn a_key_is_not_a_proof() {
        let error = decode::<ProofHeader>(&encode(&header(), b"")).unwrap_err();
        assert_eq!(error, "this is a verifying-key file, not a proof file");
        let error = decode::<ProofHeader>(b"\x7fELF").unwrap_err();
        assert_eq!(error, "not a proof file");
    }
}
