//! Verifies ECDSA signatures on secp256k1. Input: a count n and n records of a
//! compressed public key (33 bytes), a message hash (32) and a signature
//! (r, s; 64). Output: how many are valid, as a little-endian u32.
#![no_std]
#![no_main]

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{Signature, VerifyingKey};

guest::entry!(run);

const RECORD: usize = 33 + 32 + 64;

fn is_valid(record: &[u8]) -> bool {
    let (key, rest) = record.split_at(33);
    let (hash, signature) = rest.split_at(32);
    let (Ok(key), Ok(signature)) = (
        VerifyingKey::from_sec1_bytes(key),
        Signature::from_slice(signature),
    ) else {
        return false;
    };
    key.verify_prehash(hash, &signature).is_ok()
}

fn run() {
    let input = guest::read_input();
    let (count, records) = guest::split_size(&input);
    if records.len() as u64 != u64::from(count) * RECORD as u64 {
        guest::fail("ecdsa: expected n records of 129 bytes");
    }
    let valid = records
        .chunks_exact(RECORD)
        .filter(|record| is_valid(record))
        .count();
    guest::write_output(&(valid as u32).to_le_bytes());
}
