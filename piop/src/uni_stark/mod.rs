//! `uni_stark`: a multi-table AIR with buses, over univariate claims.
//!
//! **Claim.** For tables `t` with columns on subgroups `H_t`, every constraint vanishes on every row
//! and every bus balances, the statement's own tuples included.
//!
//! **Messages.**
//! 1. prover: heights of the instances; oracle `main` (one matrix an instance)
//! 2. verifier: `gamma`, `beta`
//! 3. prover: oracle `buses` (helper columns and an accumulator for each instance), one sum an
//!    instance; the sums and the statement's terms add to zero
//! 4. verifier: `alpha`
//! 5. prover: oracle `quotient`, one matrix at the largest height
//! 6. verifier: `zeta`; everything is asked at `zeta`, what reads the next row also at `g_t zeta`
//!
//! **Buses** \[Hab22\]. An interaction `i` with multiplicity `m_i` and fingerprint denominator
//! `d_i = gamma - (bus + sum beta^j tuple_j)` contributes `m_i / d_i`. Interactions go in pairs; all
//! pairs but the last have a helper `h` with `h d_a d_b = m_a d_b + m_b d_a`. The accumulator `S`
//! satisfies, cyclically on every row, `S' - S + sigma / n = sum of the row's fractions`, so no
//! selector is needed and the sum over the cycle is `sigma`.
//!
//! **Quotient.** One polynomial for all heights: `Q = sum_t C_t / Z_t`, where `C_t` folds the
//! constraints of instance `t` with its own powers of `alpha`. `C_t` has degree below
//! `(k + 1) |H_t|`, so `Q` has degree below `k N` and is sent as `k` columns of height `N`, the
//! largest: `Q = sum_c X^(c N) q_c`.
//!
//! **Soundness.** Bus: `2 N_i L / |F|` for `N_i` fractions of tuples of at most `L` entries (all
//! multiplicities fit the characteristic, which the verifier checks). Batching: constraints / `|F|`.
//! Point: `(k + 1) N / |F|`. Each is divided by the scheme's list size.
//!
//! **Cost.** Per instance row: its columns, `ceil(i / 2)` challenge elements, and `k` challenge
//! elements on the tallest instance.

mod layout;
mod logup;
mod prover;
mod quotient;
mod verifier;

pub use layout::Layout;

/// The multi-table STARK over univariate claims.
#[derive(Debug, Clone, Copy, Default)]
pub struct UniStark;

air_piop!(UniStark, "uni-stark", Smooth, UniEval);
