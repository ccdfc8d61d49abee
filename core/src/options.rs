//! What a user may set about a pipeline besides its name.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::security::Security;

/// Options of a run; a scheme reads the ones that concern it and refuses values it does not know.
///
/// The canonical JSON of this struct, with the pipeline's name, is the protocol id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Target and regime every error term must reach.
    pub security: Security,
    /// Hash of Merkle trees: `blake3`, `keccak` or `poseidon2`. Ignored by schemes without trees.
    pub hash: String,
    /// log2 of the inverse rate of codes.
    pub log_blowup: usize,
    /// log2 of the longest polynomial committed, which is a column for univariate schemes and all cells
    /// of an oracle for multilinear ones; `None` takes the scheme's default.
    #[serde(default)]
    pub max_log_height: Option<usize>,
    /// File of a structured reference string; `None` makes an insecure one on the spot.
    pub srs: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { security: Security::default(), hash: "blake3".into(), log_blowup: 1, max_log_height: None, srs: None }
    }
}
