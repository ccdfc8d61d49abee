//! `ml_stark`: a multi-table AIR with buses, over multilinear claims, after SuperSpartan for AIR
//! \[STW23\] with the buses as a layered circuit \[PH23\].
//!
//! **Claim.** As `uni_stark`: every constraint vanishes on every row of every instance, and every bus
//! balances. Columns are multilinear in the bits of the row.
//!
//! **Messages.**
//! 1. prover: heights of the instances; oracle `main` (one matrix an instance), the only one
//! 2. verifier: `gamma`, `beta`
//! 3. [`crate::logup_gkr`]: the sum of all fractions, reduced to their numerators `p` and denominators
//!    `q` at a point `r`
//! 4. verifier: `alpha`
//! 5. one sumcheck over the rows of all instances: `sum over x of eq(r, x) g(x)`, where `g` adds up, for
//!    each instance, its numerators and `alpha` times its denominators, weighted by their places in
//!    the stack, and its constraints times further powers of `alpha`. The constraints add zero.
//! 6. the columns at the point `rho` where it ends; what is read on the next row is sent and reduced by
//!    [`crate::shift`]
//!
//! An instance of `2^n` rows lives on the last `n` coordinates of `r` and `rho`; in the rounds before
//! its first it is constant, so nothing is padded to the tallest.
//!
//! **Soundness.** Bus: as `uni_stark`. Layers and rounds: their degree. Batching: constraints + 2.
//!
//! **Cost.** Committed: the columns, nothing else. The prover multiplies in the challenge field about
//! 12 times a fraction, and in the sumcheck only where the table itself multiplies
//! ([`trilemma_arith::products`]).

mod prover;
mod verifier;

use trilemma_arith::air::Air;
use trilemma_core::channel::Shape;
use trilemma_core::{ErrorTerm, Setting};

use crate::instances::{InstanceLayout, Instances};
use crate::sumcheck::Rounds;

/// The multi-table STARK over multilinear claims.
#[derive(Debug, Clone, Copy, Default)]
pub struct MlStark;

air_piop!(MlStark, "ml-stark", Setting, MlEval);

/// The rounds of step 5 for these instances.
fn rounds<S: Setting>(air: &Air<S>, instances: &Instances) -> Rounds {
    let degree = |i: &InstanceLayout| air.tables[i.table].shape().full_degree();
    let degree = instances.list.iter().map(degree).max().unwrap_or(0).max(2);
    Rounds { label: "rows", degree, term: "row sumcheck", error: degree + 1 }
}

/// Error of `alpha`.
fn alpha_term<S: Setting>(instances: &Instances) -> ErrorTerm {
    let constraints: usize = instances.list.iter().map(|i| i.constraints).sum();
    let term = ErrorTerm::schwartz_zippel("constraint batching", (constraints + 2) as f64, S::ext_bits());
    ErrorTerm { reference: "[STW23] Section 5", ..term }
}

/// Error of a coordinate that the layers did not give.
fn coordinate_term<S: Setting>() -> ErrorTerm {
    ErrorTerm::schwartz_zippel("zerocheck point", 1.0, S::ext_bits())
}

fn shapes(instances: &Instances) -> Vec<Shape> {
    instances.list.iter().map(|i| Shape { log_height: i.log_height, width: i.width }).collect()
}
