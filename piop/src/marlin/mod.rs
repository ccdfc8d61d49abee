//! `marlin`: holographic R1CS over univariate claims, after Marlin \[CHMMVW20\].
//!
//! **Claim.** For the matrices `A`, `B`, `C` of a [`Staged`] system, and wires `z` of which the public ones are the
//! statement's and the challenges, `Az * Bz = Cz` row by row.
//!
//! | symbol | meaning |
//! |---|---|
//! | `R`, `H`, `K` | subgroups over which rows, wires and entries of matrices are numbered |
//! | `L_x(X)` | Lagrange polynomial of `x`, in `R` or in `H` |
//! | `z_j` | segment `j` of the wires: a polynomial on the subgroup `N` of `H` of index `s`; early segments first |
//! | `l_j` | Lagrange polynomials of the `s`-th roots of unity |
//! | `p` | public values on the first rows of `R`, zero below |
//! | `row_i`, `col_i`, `rowcol_i`, `A_i`, `B_i`, `C_i` | the index: for the entries of group `i` the elements of `R` and of `H`, their product, and coefficients times `row col / (\|R\| \|H\|)` |
//! | `gamma`, `beta` | challenges of buses, which are wires |
//! | `alpha`, `xi`, `zeta` | points of rows, of wires, of entries |
//! | `eta`, `mu` | batching of matrices, of groups |
//!
//! **Messages.** Wires lie on `H` as `z(X) = sum_j l_j(X^n) z_j(X / g^j)`, where `g` generates `H` and `n = |N|`:
//! coset `g^j N` has the values of `z_j`. Every public wire has a row, `0 * 0 + p = z_wire`, so the rows say
//! `Az * Bz + p = Cz`.
//! 1. prover: oracle `early`, the early segments over the base field
//! 2. verifier: `gamma`, `beta`
//! 3. prover: oracle `late`: the late segments, and `h` with `Az(X) Bz(X) + p(X) - Cz(X) = Z_R(X) h(X)`, where
//!    `Mz(X)` has the degree of an interpolation over `R`
//! 4. verifier: `alpha`. Prover: `h(alpha)`, `v_A`, `v_B`, `v_C`, claimed values of `Mz(alpha)`. Verifier: the
//!    identity of 3.
//! 5. verifier: `eta`. Now `v = v_A + eta v_B + eta^2 v_C` should be `sum over x in H of r(x) z(x)`, with
//!    `r(x) = sum_M eta_M sum_y M(y, x) L_y(alpha)`. Prover: oracle `wires`: `S` and `h'` with
//!    `S(g X) - S(X) + v / |H| - r(X) z(X) = Z_H(X) h'(X)`
//! 6. verifier: `xi`. Prover: `z_j(xi / g^j)`, `S(xi)`, `S(g xi)`, `h'(xi)`, and `w`, the claimed `r(xi)`.
//!    Verifier: the identity of 5.
//! 7. Entries come in groups `i`, each numbered over `K`, and `w` should be `sum_i w_i`, `w_i` the sum of
//!    `a_i / b_i` over `K`, with `a_i = Z_R(alpha) Z_H(xi) (A_i + eta B_i + eta^2 C_i)` and
//!    `b_i = (alpha - row_i) (xi - col_i)`. Prover: the `w_i`; oracle `entries`: accumulators `T_i`. Verifier:
//!    `mu`. Prover: oracle `quotient`: `h''` with
//!    `sum_i mu^i (b_i(X) (T_i(g X) - T_i(X) + w_i / |K|) - a_i(X)) = Z_K(X) h''(X)`, `g` here the generator of
//!    `K`
//! 8. verifier: `zeta`. Prover: the index, the `T_i`, `h''` at `zeta`, the `T_i` at `g zeta`. Verifier: the
//!    identity of 7.
//!
//! **Degrees.** Sums are not read from coefficients. `S(g X) - S(X)` adds to zero over `H` whatever polynomial `S`
//! is, so the identities of 5. and 7., which are used on `H` and `K` only, prove the sums without degree bounds:
//! the coboundary form of the univariate sumcheck \[HGB21, Section 3\]. `v_M` is a fixed function of `z` on `H`, and
//! `w` of `alpha`, `eta` and `xi`; both are proven by the sums, so `Az`, `Bz`, `Cz` and `r` need no oracles, and are of
//! low degree because they are what the sums say. What is bound is what committed polynomials are on their domains;
//! heights need not be enforced, only some bound on degrees, which enters through
//! [`Scheme::list_bits`](trilemma_core::Scheme::list_bits) where it exceeds the height.
//!
//! **Stages.** Early wires cannot depend on `gamma` and `beta`, since every cell of the early segments is committed
//! before. No other segment has wires that the system takes to be early: they lie on other cosets.
//!
//! **Soundness.** Buses: as `uni_stark`. `alpha`: `2 |R| / |F|`. `eta`: `2 / |F|`. `xi`: `2 |H| / |F|`.
//! `mu`: groups `/ |F|`. `zeta`: `2 |K| / |F|` \[CHMMVW20, Section 5.3\]. If the system does not hold, the
//! identity of 3. is false as one of polynomials; each step then leaves a false claim to the next, but for these
//! errors, and the last identity is about the index and true polynomials.
//!
//! **Cost.** Committed: a base element an early wire and a challenge element a late wire, padded to segments; a
//! challenge element a row and two a wire, padded to powers of two; a challenge element an entry, padded to groups,
//! and one for each element of `K`, which is as large as the larger of `R` and `H`. The index has six base columns
//! a group. FFTs in challenge elements: 8 of `|R|`, 8 of `|H|`, and of `|K|` 2 a group and 2; in base
//! elements 12 of `|K|` a group, unless the scheme keeps extensions. Verifier: linear in public wires and groups,
//! else logarithmic.
//!
//! **Deviations.** The sums, as said. `z_A`, `z_B` and `t` of the paper are not committed. Wires come in two
//! stages. Nothing is hidden. Rows, wires and entries have domains of their own sizes, and entries are cut into
//! groups, so that the largest domain is not that of the entries.

mod index;
mod layout;
mod prover;
mod steps;
mod verifier;

#[cfg(test)]
mod cheats;

use trilemma_arith::r1cs::staged::{Staged, Witness};
use trilemma_core::{
    Columns, ConfigError, OracleProver, OracleVerifier, Piop, ProveError, Reject, Shape, Smooth, UniEval,
};

pub use layout::Layout;

/// Marlin for staged R1CS.
#[derive(Debug, Clone, Copy, Default)]
pub struct Marlin;

impl<S: Smooth> Piop<S> for Marlin {
    const NAME: &'static str = "marlin";
    type Relation = Staged<S>;
    /// Entries of the statement's tuples.
    type Statement = Vec<S::Base>;
    type Witness = Witness<S>;
    type Query = UniEval<S::Ext>;

    fn fits(&self, relation: &Staged<S>) -> Result<(), ConfigError> {
        Layout::new(relation).check::<S>()
    }

    fn index(&self, relation: &Staged<S>) -> Vec<Columns<S::Base>> {
        vec![index::index(relation, &Layout::new(relation))]
    }

    fn index_shapes(&self, relation: &Staged<S>) -> Vec<Shape> {
        vec![Layout::new(relation).index_shape()]
    }

    fn verify(
        &self,
        relation: &Staged<S>,
        entries: &Vec<S::Base>,
        ch: &mut dyn OracleVerifier<S, UniEval<S::Ext>>,
    ) -> Result<(), Reject> {
        verifier::verify(relation, entries, ch)
    }

    fn prove(
        &self,
        relation: &Staged<S>,
        entries: &Vec<S::Base>,
        witness: Witness<S>,
        ch: &mut dyn OracleProver<S, UniEval<S::Ext>>,
    ) -> Result<(), ProveError> {
        prover::prove(relation, entries, witness, ch)
    }
}
