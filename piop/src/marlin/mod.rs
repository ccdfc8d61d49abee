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
//! | `row`, `col`, `rowcol`, `A_K`, `B_K`, `C_K` | the index: for entry `k` the elements of `R` and of `H`, their product, and coefficients times `row col / (\|R\| \|H\|)` |
//! | `gamma`, `beta` | challenges of buses, which are wires |
//! | `alpha`, `eta`, `xi`, `zeta` | point of rows; batching of matrices; point of wires; point of entries |
//!
//! **Messages.** Wires lie on `H` as `z(X) = sum_j l_j(X^n) z_j(X / g^j)`, where `g` generates `H` and `n = \|N\|`: coset
//! `g^j N` has the values of `z_j`. Every public wire has a row, `0 * 0 + p = z_wire`, so the rows say `Az * Bz + p = Cz`.
//! 1. prover: oracle `early`, the early segments over the base field
//! 2. verifier: `gamma`, `beta`
//! 3. prover: oracle `late`: the late segments, and `h` with `Az(X) Bz(X) + p(X) - Cz(X) = Z_R(X) h(X)`, where `Mz(X)` has
//!    the degree of an interpolation over `R`
//! 4. verifier: `alpha`. Prover: `h(alpha)`, `v_A`, `v_B`, `v_C`, claimed values of `Mz(alpha)`. Verifier: the identity of 3.
//! 5. verifier: `eta`. Now `v = v_A + eta v_B + eta^2 v_C` should be `sum over x in H of r(x) z(x)`, with
//!    `r(x) = sum_M eta_M sum_y M(y, x) L_y(alpha)`. Prover: oracle `wires`: `S` and `h'` with
//!    `S(g X) - S(X) + v / \|H\| - r(X) z(X) = Z_H(X) h'(X)`
//! 6. verifier: `xi`. Prover: `z_j(xi / g^j)`, `S(xi)`, `S(g xi)`, `h'(xi)`, and `w`, the claimed `r(xi)`. Verifier: the
//!    identity of 5.
//! 7. `w` should be the sum of `a / b` over `K`, with `a = Z_R(alpha) Z_H(xi) (A_K + eta B_K + eta^2 C_K)` and
//!    `b = (alpha - row) (xi - col)`. Prover: oracle `entries`: `T` and `h''` with
//!    `b(X) (T(g X) - T(X) + w / \|K\|) - a(X) = Z_K(X) h''(X)`, `g` here the generator of `K`
//! 8. verifier: `zeta`. Prover: the index, `T`, `h''` at `zeta`, `T` at `g zeta`. Verifier: the identity of 7.
//!
//! **Degrees.** Sums are not read from coefficients. `S(g X) - S(X)` adds to zero over `H` whatever polynomial `S` is, so
//! the identities of 5. and 7., which are used on `H` and `K` only, prove the sums without degree bounds: the
//! coboundary form of the univariate sumcheck \[HGB21\]. `v_M` is a fixed function of `z` on `H`, and `w` of
//! `alpha`, `eta` and `xi`; both are proven by the sums, so `Az`, `Bz`, `Cz` and `r` need no oracles, and are of low
//! degree because they are what the sums say. What is bound is what committed polynomials are on their domains;
//! heights need not be enforced, only some bound on degrees, which enters through
//! [`Scheme::list_bits`](trilemma_core::Scheme::list_bits) where it exceeds the height.
//!
//! **Stages.** Early wires cannot depend on `gamma` and `beta`, since every cell of the early segments is committed before.
//! No other segment has wires that the system takes to be early: they lie on other cosets.
//!
//! **Soundness.** Buses: as `uni_stark`. `alpha`: `2 \|R\| / \|F\|`. `eta`: `2 / \|F\|`. `xi`: `2 \|H\| / \|F\|`. `zeta`: `2 \|K\| / \|F\|`
//! \[CHMMVW20, Section 5.3\]. If the system does not hold, the identity of 3. is false as a polynomial; each step then
//! makes a false claim of the next with but these errors, and the last identity is about the index and true polynomials.
//!
//! **Cost.** Committed: a base element an early wire and a challenge element a late wire, padded to segments, one
//! challenge element a row, two a wire, two an entry, each padded to powers of two. The index has six base columns of
//! the height of `K`. FFTs, in challenge elements and sizes of the domains: 8 of `\|R\|`, 8 of `\|H\|`, 4 of `\|K\|`, and 12
//! base ones of `\|K\|` unless the scheme keeps extensions. Verifier: inversions for public wires, the rest logarithmic.
//!
//! **Deviations.** The sums, as said. `z_A`, `z_B` and `t` of the paper are not committed. Wires come in two stages.
//! Nothing is hidden. Rows, wires and entries have domains of their own sizes.

mod index;
mod layout;
mod prover;
mod steps;
mod verifier;

#[cfg(test)]
mod cheats;

use trilemma_arith::r1cs::staged::{Staged, Witness};
use trilemma_core::{Columns, OracleProver, OracleVerifier, Piop, ProveError, Reject, Shape, Smooth, UniEval};

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
