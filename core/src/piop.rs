//! Polynomial interactive oracle proofs: an ordinary pair of functions over a channel.

use crate::channel::{OracleProver, OracleVerifier, Shape};
use crate::claim::{ClaimKind, Columns};
use crate::error::{ConfigError, ProveError, Reject};
use crate::setting::Setting;

/// A PIOP for one kind of relation over a setting.
pub trait Piop<S: Setting>: Send + Sync {
    /// Name in configurations and reports.
    const NAME: &'static str;
    /// What is proven.
    type Relation;
    /// Public data of one statement.
    type Statement;
    /// Private data.
    type Witness;
    /// What is asked of oracles.
    type Query: ClaimKind<S>;

    /// Columns that depend on the relation only, committed once for the verifying key.
    fn index(&self, relation: &Self::Relation) -> Vec<Columns<S::Base>>;

    /// Shapes of [`Self::index`], from what a verifier knows of the relation.
    fn index_shapes(&self, relation: &Self::Relation) -> Vec<Shape>;

    /// Refuses a relation that the protocol is not for, before anything of its size is made.
    fn fits(&self, _relation: &Self::Relation) -> Result<(), ConfigError> {
        Ok(())
    }

    /// Decides whether the statement holds. Reads like the paper.
    fn verify(
        &self,
        relation: &Self::Relation,
        statement: &Self::Statement,
        ch: &mut dyn OracleVerifier<S, Self::Query>,
    ) -> Result<(), Reject>;

    /// Convinces [`Self::verify`].
    fn prove(
        &self,
        relation: &Self::Relation,
        statement: &Self::Statement,
        witness: Self::Witness,
        ch: &mut dyn OracleProver<S, Self::Query>,
    ) -> Result<(), ProveError>;
}
