//! Writes the committed inputs of the ecdsa and json guests; runs on the host.
//! Everything is deterministic: the keys are hashes of the record's number and
//! the signatures follow RFC 6979.

use std::fmt::Write;
use std::{env, fs, path::Path};

use k256::ecdsa::signature::hazmat::PrehashSigner;
use k256::ecdsa::{Signature, SigningKey};
use sha2::{Digest, Sha256};

/// n signature records. With `spoil`, every third one, from the second on, has
/// a bit of its message hash flipped, so that it does not verify.
fn ecdsa(n: u32, spoil: bool) -> Vec<u8> {
    let mut out = n.to_le_bytes().to_vec();
    for i in 0..n {
        let secret = Sha256::digest(format!("trilemma ecdsa key {i}"));
        let key = SigningKey::from_bytes(&secret).expect("a hash below the group order");
        let mut hash = Sha256::digest(format!("trilemma ecdsa message {i}"));
        let signature: Signature = key.sign_prehash(&hash).expect("RFC 6979 signing");
        if spoil && i % 3 == 1 {
            hash[0] ^= 1;
        }
        out.extend_from_slice(key.verifying_key().to_encoded_point(true).as_bytes());
        out.extend_from_slice(&hash);
        out.extend_from_slice(&signature.to_bytes());
    }
    out
}

/// A list of records with every kind of JSON value, escapes and nesting.
fn json(records: u64) -> String {
    let mut out = String::from("{\n  \"format\": \"trilemma-json-1\",\n  \"records\": [\n");
    for i in 0..records {
        let balance = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let delta = (i * 37 % 101) as i64 - 50;
        let link = if i == 0 {
            "null".into()
        } else {
            (i - 1).to_string()
        };
        let comma = if i + 1 < records { "," } else { "" };
        writeln!(
            out,
            "    {{\"id\": {i}, \"name\": \"account \\u00e9\\n{i}\", \"balance\": {balance}, \"delta\": {delta}, \
             \"rate\": {}.{}e-3, \"active\": {}, \"previous\": {link}, \
             \"tags\": [\"a{}\", \"b{}\", [{}, {{\"deep\": []}}]]}}{comma}",
            i + 1,
            i * 7 % 10,
            i % 2 == 0,
            i % 4,
            i % 5,
            i * i,
        )
        .expect("writing to a string");
    }
    out + "  ]\n}\n"
}

fn main() {
    let dir = env::args().nth(1).expect("usage: make-inputs DIRECTORY");
    let write = |name: &str, bytes: &[u8]| {
        fs::write(Path::new(&dir).join(name), bytes)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    };
    write("ecdsa-1.bin", &ecdsa(1, false));
    write("ecdsa-4-one-bad.bin", &ecdsa(4, true));
    write("json-3k.json", json(16).as_bytes());
}
