//! Proof files and key files: magic, version, a JSON header, then the bytes that the proof system made.
//!
//! `magic (8) | version (u32) | header length (u32) | header | body length (u64) | body`, little-endian, nothing after.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trilemma_backends::{Pipeline, Public};
use trilemma_core::Options;

use crate::fault::Fault;
use crate::files;

const VERSION: u32 = 1;
const KINDS: [([u8; 8], &str); 2] = [
    (*b"TRI\x00PRF\n", "proof file"),
    (*b"TRI\x00KEY\n", "verifying-key file"),
];

/// What a file says besides the bytes of its proof system.
pub trait Header: Serialize + DeserializeOwned {
    /// Index in the list of kinds.
    const KIND: usize;
}

/// The header of a proof file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofHeader {
    /// Pipeline.
    pub pipeline: Pipeline,
    /// Its options.
    pub options: Options,
    /// BLAKE3 of the program's ELF file.
    pub program: String,
    /// Exit code.
    pub exit_code: u32,
    /// Public output, in hexadecimal.
    pub output: String,
}

impl Header for ProofHeader {
    const KIND: usize = 0;
}

impl ProofHeader {
    /// The public values.
    pub fn public(&self) -> Result<Public, Fault> {
        let output = hex::decode(&self.output).map_err(|error| {
            Fault::Failed(format!(
                "the public output in the header is not hexadecimal: {error}"
            ))
        })?;
        Ok(Public {
            exit_code: self.exit_code,
            output,
        })
    }
}

/// The header of a key file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyHeader {
    /// Pipeline.
    pub pipeline: Pipeline,
    /// Its options.
    pub options: Options,
    /// BLAKE3 of the program's ELF file.
    pub program: String,
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
        return Err(
            match KINDS.iter().find(|(other, _)| bytes.starts_with(other)) {
                Some((_, other)) => format!("this is a {other}, not a {name}"),
                None => format!("not a {name}"),
            },
        );
    };
    let cut = || format!("the {name} is cut off");
    let (version, rest) = rest.split_first_chunk().ok_or_else(cut)?;
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(format!(
            "the {name} has version {version}; this program reads version {VERSION}"
        ));
    }
    let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
    let (header, rest) = rest
        .split_at_checked(u32::from_le_bytes(*length) as usize)
        .ok_or_else(cut)?;
    let header = serde_json::from_slice(header)
        .map_err(|error| format!("the {name} has a malformed header: {error}"))?;
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
    let (header, body) =
        decode(&bytes).map_err(|what| Fault::Failed(format!("{}: {what}", path.display())))?;
    Ok((header, body.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> KeyHeader {
        KeyHeader {
            pipeline: Pipeline("a/b/c/d".into()),
            options: Options::default(),
            program: "00".into(),
        }
    }

    #[test]
    fn files_round_trip() {
        let bytes = encode(&header(), b"body");
        assert_eq!(
            decode::<KeyHeader>(&bytes),
            Ok((header(), b"body".as_slice()))
        );
    }

    #[test]
    fn every_truncation_and_any_suffix_is_refused() {
        let mut bytes = encode(&header(), b"body");
        for length in 0..bytes.len() {
            assert!(decode::<KeyHeader>(&bytes[..length]).is_err(), "{length}");
        }
        bytes.push(0);
        assert_eq!(
            decode::<KeyHeader>(&bytes),
            Err("the verifying-key file goes on after its end".into())
        );
    }

    #[test]
    fn a_key_is_not_a_proof() {
        let error = decode::<ProofHeader>(&encode(&header(), b"")).unwrap_err();
        assert_eq!(error, "this is a verifying-key file, not a proof file");
        let error = decode::<ProofHeader>(b"\x7fELF").unwrap_err();
        assert_eq!(error, "not a proof file");
    }
}
