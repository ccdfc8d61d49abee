//! `spartan`: the R1CS of a multi-table AIR over multilinear claims, after Spartan \[Set20\], for
//! matrices that repeat one block a table on every row.
//!
//! **Claim.** With the blocks of [`trilemma_arith::r1cs`]: on every row `x` of every instance, each
//! constraint `k` of its table's block holds, `A_k z(x) * B_k z(x) = C_k z(x)`, and the fractions of the
//! buses, which are variables here, add to zero with the statement's.
//!
//! | symbol | meaning |
//! |---|---|
//! | `z(x)` | variables of row `x`: 1, columns, next row, products, fractions |
//! | `tau`, `w_k` | challenges; `w_k = eq(tau, k)` over the constraints of all instances, numbered on |
//! | `r`, `rho` | point of `eq` over rows; point where the sumcheck ends |
//!
//! **Messages.**
//! 1. prover: heights; oracle `main` (columns and products, one matrix an instance)
//! 2. verifier: `gamma`, `beta`
//! 3. prover: oracle `fractions` (one matrix an instance, as base columns)
//! 4. verifier: `r`, `tau`
//! 5. one sumcheck, `sum over x of eq(r, x) sum_k w_k (A_k z(x) * B_k z(x) - C_k z(x)) = 0`
//! 6. all columns at `rho`; fractions also at `(1/2, ..., 1/2)`, where a multilinear polynomial is its
//!    mean over the hypercube: that checks the buses' sum without another sumcheck. Next rows as in
//!    `ml_stark`.
//!
//! Spartan's sums over constraints and over variables are short here, because the matrices repeat: the
//! verifier evaluates the blocks itself from the columns at `rho`, in time of the blocks' nonzeros
//! and independent of the cycles, and needs no commitment to matrices.
//!
//! **Soundness.** Bus: as `uni_stark`. `tau`, `r`: one a coordinate. Rounds: 3.
//!
//! **Cost.** Committed a row: columns, products, and a challenge element an interaction.

mod prover;
mod verifier;

use p3_field::BasedVectorSpace;
use trilemma_arith::air::Air;
use trilemma_arith::r1cs::R1cs;
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::{ErrorTerm, MlEval, Setting};

use crate::instances::Instances;
use crate::sumcheck::Rounds;

/// Spartan for uniform R1CS.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spartan;

air_piop!(Spartan, "spartan", Setting, MlEval);

const ROUNDS: Rounds = Rounds { label: "rows", degree: 2, term: "row sumcheck", error: 3 };

fn coordinate_term<S: Setting>() -> ErrorTerm {
    let term = ErrorTerm::schwartz_zippel("zerocheck point", 1.0, S::ext_bits());
    ErrorTerm { reference: "[Set20] Section 4", ..term }
}

/// Sizes that both sides derive.
struct Layout {
    r1cs: R1cs,
    instances: Instances,
    /// Columns read on the next row, by instance.
    next: Vec<Vec<usize>>,
    /// Constraints of all instances.
    constraints: usize,
}

impl Layout {
    fn new<S: Setting>(air: &Air<S>, instances: Instances) -> Self {
        let r1cs = R1cs::of(air);
        let blocks = || instances.list.iter().map(|i| &r1cs.blocks[i.table]);
        let next = blocks().map(|b| b.next.clone()).collect();
        let constraints = blocks().map(|b| b.counts().rows).sum();
        Self { next, constraints, r1cs, instances }
    }

    /// Coordinates of `tau`.
    fn constraint_variables(&self) -> usize {
        self.constraints.next_power_of_two().trailing_zeros() as usize
    }

    /// Shapes of the oracle `main`.
    fn main_shapes(&self) -> Vec<Shape> {
        let width = |table: usize| self.r1cs.blocks[table].main.len() + self.r1cs.blocks[table].products.len();
        let instances = self.instances.list.iter();
        instances.map(|i| Shape { log_height: i.log_height, width: width(i.table) }).collect()
    }

    /// Shapes of the oracle `fractions`.
    fn fraction_shapes<S: Setting>(&self) -> Vec<Shape> {
        let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
        let instances = self.instances.list.iter().filter(|i| i.interactions > 0);
        instances.map(|i| Shape { log_height: i.log_height, width: d * i.interactions }).collect()
    }

    /// Everything asked where the sumcheck ends, then the means of the fractions.
    fn questions<S: Setting>(&self, main: Oracle, fractions: Oracle, rho: &[S::Ext]) -> Vec<Question<MlEval<S::Ext>>> {
        use p3_field::PrimeCharacteristicRing;
        let mut questions = Vec::new();
        let mut means = Vec::new();
        for (k, i) in self.instances.list.iter().enumerate() {
            let query = MlEval(rho[rho.len() - i.log_height..].to_vec());
            if let Some(matrix) = i.fixed {
                questions.push(Question { oracle: Oracle(0), matrix, query: query.clone() });
            }
            questions.push(Question { oracle: main, matrix: k, query: query.clone() });
            if i.interactions > 0 {
                let matrix = means.len();
                questions.push(Question { oracle: fractions, matrix, query });
                let half = MlEval(vec![S::Ext::ONE.halve(); i.log_height]);
                means.push(Question { oracle: fractions, matrix, query: half });
            }
        }
        questions.extend(means);
        questions
    }
}
