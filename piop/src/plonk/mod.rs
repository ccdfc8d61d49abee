//! `plonk`: a PLONKish circuit over univariate claims \[GWC19\].
//!
//! **Claim.** There are columns on the subgroup `H` of `n` points so that every gate vanishes on every
//! row, cells that are copies are equal, every tuple looked up is a row of its table, and the instance
//! column starts with the public values.
//!
//! **Relation.** [`Circuit`], of which the verifier needs the form only; the index's oracle holds its
//! fixed columns and one column `sigma_c` for each permuted column `v_c`.
//!
//! **Messages.**
//! 1. prover: oracle `early` (early columns; for each part of a distinct table how often its rows are
//!    looked up)
//! 2. verifier: `gamma`, `beta`, the circuit's own challenges
//! 3. prover: oracle `late` (columns that depend on them)
//! 4. verifier: `delta`, `theta`
//! 5. prover: oracle `arguments` (partial products `z_j`, helpers `h_g`, accumulator `S`)
//! 6. verifier: `alpha`
//! 7. prover: oracle `quotient`, `D - 1` columns for constraints of degree at most `D`
//! 8. verifier: `zeta`; every column is asked at `zeta`, at `w zeta` only those read on the next row
//!
//! An oracle without columns is not sent. In each oracle, columns asked at the same points are one
//! matrix, so a column read on the next row makes no other dearer. The verifier computes the instance column
//! itself.
//!
//! **Fingerprints.** `f(bus; e_0, e_1, ..) = delta - sum_j theta^j e_j - bus theta^L` for tuples of at most
//! `L` entries. Every table is a bus, the permutation is one more.
//!
//! **Copies, as a grand product** (`plonk`) \[GWC19, Section 5\]. The place of row `i` of permuted column
//! `c` is `k_c w^i`, with `k_c = g^c` for a generator `g` of the multiplicative group. `sigma_c` gives every
//! cell a place of its own so that the cycles are the sets of equal cells. With `id` and `sigma` the
//! fingerprints of a cell with the two, and permuted columns in chunks of `D - 1`:
//! `z_(j+1) prod_chunk sigma = z_j prod_chunk id`, where behind the last `z_j` comes `z_0` of the next row, and
//! `L_0 (z_0 - 1) = 0`. Products across a row are columns, so only `z_0` is read on the next row.
//!
//! **Lookups** \[Hab22\]. `1 / f` for every lookup and `-m / f` for every table's row, of each of its
//! parts, add to zero over all rows. Fractions go in groups whose denominators have degree below `D` together. All groups but the last
//! have a helper, `h prod d_i = sum_i m_i prod_(j != i) d_j`; the accumulator holds all tables together and
//! is cyclic: `S' - S - sum h` is the last group's sum.
//!
//! **Copies, as fractions** (`plonk-logup`). `1 / f(copies; v_c, k_c X) - 1 / f(copies; v_c, sigma_c)` for every
//! permuted column, among the fractions of the lookups: no `z_j`, more helpers. Places are distinct, so
//! no multiplicity exceeds 1 whatever the characteristic.
//!
//! **Quotient.** `C = sum_i alpha^i C_i = (X^n - 1) sum_c X^(c n) q_c`. The prover evaluates `C` on `D - 1`
//! cosets of `H`, one at a time: on a coset `X^n` is a constant, so the `q_c` follow from the remainders by a
//! Vandermonde system, and no domain is rounded up to a power of two.
//!
//! **Degree.** `D` is at least the degree of gates and one more than that of any lookup; above this it is
//! what makes columns few: with `w` permuted columns `ceil(w / (D - 1))` products stand against `D - 1`
//! parts of the quotient ([`layout`](Layout)).
//!
//! **Soundness.** Circuit: as its late columns are, `2 N L' / |F|` for `N` fractions of tuples of at most `L'`
//! entries. Copies and lookups: `2 (N_f + N_p) L / |F|` for all fractions and factors of all rows, by the
//! degree of the identity in `delta` and `theta` and by poles \[GWC19, Section 5; Hab22, Lemma 5\]; lookups
//! number fewer than the characteristic, which is checked. Batching: constraints `/ |F|`. Point: `D n / |F|`.
//! Each is divided by the scheme's list size. No argument reads a degree bound or a sum from coefficients, so
//! schemes that do not enforce heights will do.
//!
//! **Cost.** A scheme with a commitment a column and a value an answer (KZG: 32 bytes each) sends
//! `2 e + 2 l + 2 t + 2 (a + D - 1) + f + w + x` elements besides its opening, for `e` early, `l` late, `f` fixed and
//! `w` permuted columns, `t` parts of tables, `a` products, helpers and accumulator, and `x` columns read on the next
//! row. Prover: a transform of every column, `D - 1` more for its cosets, and
//! one evaluation of the constraints on each. Verifier: the gates once, and `O(instance)`.
//!
//! **Deviations.** Every column is opened, quotient included; \[GWC19\] opens a linearisation, which sends one value
//! for the last `sigma`, the selectors and the quotient together: it needs commitments that can be added,
//! which this channel does not offer. It would save up to `f + D` elements; fflonk \[GW21\] would fold the
//! commitments of one oracle into one. The partial products of a row are chained within the row, not from
//! the end of one product to the start of the next. Plookup \[GW20\] is no alternative here: it sorts every lookup
//! with its table, two columns and a product for each of `l` lookups, where fractions take about `l / (D - 1)` helpers and
//! one column for a table; what three columns a lookup cost is measured with halo2, whose argument sends them too, in
//! `experiments/arithmetization-swap.toml`. Nothing is blinded here: values of columns at `zeta` are sent in the clear.
//!
//! **Symbols.** `z_j`: [`Poly::Product`]; `h_g`: [`Poly::Helper`]; `S`: [`Poly::Accumulator`]; `q_c`:
//! [`Poly::Quotient`]; `m`: [`Poly::Multiplicity`]; `k_c`: [`places`](layout::places); `D`: [`Layout::degree`].

mod grid;
mod index;
mod layout;
mod lookup;
mod permutation;
mod program;
mod prover;
mod quotient;
mod verifier;
mod witness;

pub use layout::{Group, Layout, Permutation, Poly};

use trilemma_arith::plonkish::{Assignment, Circuit};
use trilemma_core::{
    Columns, ConfigError, OracleProver, OracleVerifier, Piop, ProveError, Reject, Shape, Smooth, UniEval,
};

/// PLONK; `Plonk<true>` proves copies by fractions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plonk<const LOGUP: bool = false>;

/// PLONK with copies as fractions.
pub type PlonkLogUp = Plonk<true>;

impl<const LOGUP: bool> Plonk<LOGUP> {
    /// How it proves copies.
    pub const PERMUTATION: Permutation = if LOGUP { Permutation::LogUp } else { Permutation::GrandProduct };
}

impl<S: Smooth, const LOGUP: bool> Piop<S> for Plonk<LOGUP> {
    const NAME: &'static str = if LOGUP { "plonk-logup" } else { "plonk" };
    type Relation = Circuit<S>;
    type Statement = Vec<S::Base>;
    type Witness = Assignment<S>;
    type Query = UniEval<S::Ext>;

    fn fits(&self, circuit: &Circuit<S>) -> Result<(), ConfigError> {
        Layout::new(Self::PERMUTATION, circuit).check(circuit)
    }

    fn index(&self, circuit: &Circuit<S>) -> Vec<Columns<S::Base>> {
        index::index(circuit, &Layout::new(Self::PERMUTATION, circuit))
    }

    fn index_shapes(&self, circuit: &Circuit<S>) -> Vec<Shape> {
        let layout = Layout::new(Self::PERMUTATION, circuit);
        layout.shapes::<S>(&layout.index)
    }

    fn verify(
        &self,
        circuit: &Circuit<S>,
        instance: &Vec<S::Base>,
        ch: &mut dyn OracleVerifier<S, UniEval<S::Ext>>,
    ) -> Result<(), Reject> {
        verifier::verify(Self::PERMUTATION, circuit, instance, ch)
    }

    fn prove(
        &self,
        circuit: &Circuit<S>,
        instance: &Vec<S::Base>,
        assignment: Assignment<S>,
        ch: &mut dyn OracleProver<S, UniEval<S::Ext>>,
    ) -> Result<(), ProveError> {
        prover::prove(Self::PERMUTATION, circuit, instance, assignment, ch)
    }
}
