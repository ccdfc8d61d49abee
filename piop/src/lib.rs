//! PIOPs. Each is a relation, a verifier that reads like the paper, and a prover that may be clever.
//! Nothing here knows a commitment scheme.

/// A PIOP for AIRs from the functions of its module's `prover` and `verifier`.
macro_rules! air_piop {
    ($piop:ty, $name:literal, $setting:ident, $query:ident) => {
        impl<S: trilemma_core::$setting> trilemma_core::Piop<S> for $piop {
            const NAME: &'static str = $name;
            type Relation = trilemma_arith::Air<S>;
            type Statement = Vec<trilemma_arith::PublicTerm>;
            type Witness = trilemma_arith::Trace;
            type Query = trilemma_core::$query<S::Ext>;

            fn index(&self, relation: &Self::Relation) -> Vec<trilemma_core::Columns<S::Base>> {
                $crate::instances::index(relation)
            }

            fn index_shapes(&self, relation: &Self::Relation) -> Vec<trilemma_core::Shape> {
                $crate::instances::index_shapes(relation)
            }

            fn verify(
                &self,
                relation: &Self::Relation,
                statement: &Self::Statement,
                ch: &mut dyn trilemma_core::OracleVerifier<S, Self::Query>,
            ) -> Result<(), trilemma_core::Reject> {
                verifier::verify(relation, statement, ch)
            }

            fn prove(
                &self,
                relation: &Self::Relation,
                statement: &Self::Statement,
                witness: Self::Witness,
                ch: &mut dyn trilemma_core::OracleProver<S, Self::Query>,
            ) -> Result<(), trilemma_core::ProveError> {
                prover::prove(relation, statement, witness, ch)
            }
        }
    };
}

pub mod check;
pub mod check_plonkish;
pub mod check_r1cs;
pub mod hyperplonk;
pub mod instances;
pub mod logup_gkr;
pub mod marlin;
mod matrices;
pub mod ml_stark;
mod packed;
pub mod plonk;
mod rows;
mod shift;
pub mod spartan;
pub mod sumcheck;
pub mod uni_stark;
