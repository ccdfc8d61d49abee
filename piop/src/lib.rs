//! PIOPs. Each is a relation, a verifier that reads like the paper, and a prover that may be clever.
//! Nothing here knows a commitment scheme.

pub mod check;
pub mod check_r1cs;
pub mod instances;
pub mod logup_gkr;
pub mod ml_stark;
mod packed;
mod rows;
mod shift;
pub mod spartan;
pub mod sumcheck;
pub mod uni_stark;
