//! `hyperplonk`: a PLONKish circuit over multilinear claims, after HyperPlonk \[CBBZ23\], with the
//! permutation and the lookups as one layered circuit of fractions \[Hab22\] \[PH23\].
//!
//! **Claim.** For a [`Circuit`] of `2^n` rows: every gate vanishes on every row; cells joined by copy
//! constraints are equal; the tuple of every lookup on every row is a row of its table; the instance
//! column holds the public values, and zeros below.
//!
//! | symbol | meaning |
//! |---|---|
//! | `id_j(x)` | `j 2^n + x`: a number for the cell in row `x` of permuted column `j` |
//! | `sigma_j(x)` | the number of the next cell in the cycle of cells that copies join |
//! | `m(x)` | how often lookups name row `x` of a table; a long table may lie beside itself in parts, each with an `m` |
//! | `<k; t_1, ..>` | `delta - (k + sum eta^i t_i)`, a fingerprint: `k` is 1 for copies, `2 + t` for table `t` |
//! | `f_k(x)` | fraction `k` of row `x`; they lie column by column, `e_k` is the weight of column `k` at the point where the layers end |
//!
//! **Messages.**
//! 1. prover: oracle `early` (columns filled before challenges, and every `m`)
//! 2. verifier: `gamma`, `beta`, on which late columns depend
//! 3. prover: oracle `late` (as base columns), if the circuit has any
//! 4. verifier: `delta`, `eta`
//! 5. [`crate::logup_gkr`], and a coordinate of `r` for each variable that its layers leave: the sum over all rows of
//!    `1/<1; v_j, id_j> - 1/<1; v_j, sigma_j>` for every permuted column `v_j`, of `1/<2 + t; inputs>` for
//!    every lookup and of `-m/<2 + t; table>` for every part of a table is zero, up to the numerators `p` and
//!    denominators `q` of all fractions at a point whose last coordinates are `r`
//! 6. verifier: `alpha`
//! 7. one sumcheck, `sum over x of eq(r, x) (sum_k e_k (p_k(x) + alpha q_k(x)) + sum_i alpha^(2+i) gate_i(x))`,
//!    whose gates add zero
//! 8. all columns at the point `rho` where it ends: fixed ones and `sigma_j` from the index. `id_j` is linear
//!    in the coordinates, so the verifier evaluates it, and the instance, itself
//! 9. what is read on the next row is sent and reduced by [`crate::shift`]
//!
//! **Cost.** Committed: early columns, one multiplicity a part of a table, and late columns. Neither permutation nor
//! lookups commit anything else. Layers: `2 J + L + T` fractions a row for `J` permuted columns, `L` lookups
//! and `T` parts of tables, about 12 multiplications of challenges each for the prover, and `O(n^2)` scalars. The row
//! sumcheck sends the degree of the gates a round and computes only what gates multiply
//! (`polynomial.rs`). The verifier's time: gates, public values times `n`, and `n^2`.
//!
//! **Grand product instead.** \[CBBZ23\] proves the permutation by a product of
//! `(v_j + beta id_j + gamma) / (v_j + beta sigma_j + gamma)` over all cells: one more committed column over the
//! challenge field of twice the rows (its layers end to end, `2 D` base columns of `2^n` here), a
//! zerocheck of degree `J + 1` (or another column for each few factors), and two openings of that column. On
//! a curve that commitment is of full-size scalars and costs more than all small-valued columns together;
//! over a small field it is `2 D` columns beside `J` of one each. Fractions by a layered circuit cost
//! field multiplications only, and lookups ride in the same layers, so this PIOP has no other way.
//!
//! **Soundness.** Late columns: as buses in `uni_stark`. Step 5: as rational functions of `delta` and
//! `eta`, fractions of different tuples are linearly independent and those of different `k` never meet, so the
//! sum vanishes only if the multisets of `(v, id)` and `(v, sigma)` are equal, which makes every cycle
//! constant \[CBBZ23\] Section 3.5, and each input is in its table \[Hab22\] Lemma 5; that needs fewer
//! fractions than half the characteristic, which both sides check. Layers and rounds: their degree; the
//! layers' last point doubles as the zerocheck's. `alpha`: gates + 2.
//!
//! **Beside the paper.** Permutation and lookups as above; custom gates read the next row; columns after
//! challenges.

mod cells;
mod fractions;
mod index;
mod layout;
mod multiplicities;
mod polynomial;
mod program;
mod prover;
mod rounds;
mod verifier;

use layout::Layout;
use trilemma_arith::plonkish::{Assignment, Circuit};
use trilemma_core::channel::{OracleProver, OracleVerifier, Shape};
use trilemma_core::{Columns, ConfigError, MlEval, Piop, ProveError, Reject, Setting};

/// HyperPlonk for circuits with lookups and late columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct HyperPlonk;

impl<S: Setting> Piop<S> for HyperPlonk {
    const NAME: &'static str = "hyperplonk";
    type Relation = Circuit<S>;
    type Statement = Vec<S::Base>;
    type Witness = Assignment<S>;
    type Query = MlEval<S::Ext>;

    fn fits(&self, relation: &Self::Relation) -> Result<(), ConfigError> {
        Layout::new(relation).map(drop)
    }

    fn index(&self, relation: &Self::Relation) -> Vec<Columns<S::Base>> {
        index::index(relation)
    }

    fn index_shapes(&self, relation: &Self::Relation) -> Vec<Shape> {
        index::shape(relation).into_iter().collect()
    }

    fn verify(
        &self,
        relation: &Self::Relation,
        statement: &Self::Statement,
        ch: &mut dyn OracleVerifier<S, Self::Query>,
    ) -> Result<(), Reject> {
        verifier::verify(relation, statement, ch)
    }

    fn prove(
        &self,
        relation: &Self::Relation,
        statement: &Self::Statement,
        witness: Self::Witness,
        ch: &mut dyn OracleProver<S, Self::Query>,
    ) -> Result<(), ProveError> {
        prover::prove(relation, statement, witness, ch)
    }
}
