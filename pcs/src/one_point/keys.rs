//! Keys for multilinear polynomials from the two kinds of reference string: [`Powers`] of a secret number, and the
//! Lagrange basis of the [`Hypercube`] at a secret point.

use std::sync::Arc;

use ark_ec::CurveGroup;
use trilemma_core::{ConfigError, Options, Scheme, Setup};

use crate::group::G1;
use crate::kzg::{self, Kzg};
use crate::msm::msm;
use crate::pairing::G2Prepared;
use crate::srs::PairingSetting;
use crate::srs::multilinear::MultilinearSrs;

/// Keys from a kind of reference string.
pub trait Keys<S: PairingSetting> {
    /// What committing and opening need.
    type Prover: Send + Sync;
    /// What verifying needs.
    type Verifier: Send + Sync;

    /// Keys for polynomials of at most so many variables, from the string that the options name.
    fn setup(options: &Options, max_variables: usize) -> Result<(Self::Prover, Self::Verifier), ConfigError>;

    /// Makes what is made on first use and polynomials of so many variables use.
    fn prepare(pk: &Self::Prover, variables: usize);

    /// Where the string comes from.
    fn origin(vk: &Self::Verifier) -> Setup;
}

/// Powers of a secret number, as in univariate KZG.
pub struct Powers;

impl<S: PairingSetting> Keys<S> for Powers {
    type Prover = kzg::ProverKey<S>;
    type Verifier = kzg::VerifierKey<S>;

    fn setup(options: &Options, max_variables: usize) -> Result<(Self::Prover, Self::Verifier), ConfigError> {
        <Kzg as Scheme<S>>::setup(options, max_variables)
    }

    fn prepare(pk: &Self::Prover, variables: usize) {
        pk.srs.first_powers(variables);
    }

    fn origin(vk: &Self::Verifier) -> Setup {
        vk.setup.clone()
    }
}

/// The Lagrange basis of the hypercube at a secret point.
pub struct Hypercube;

/// A [`Hypercube`] for a prover.
pub struct HypercubeProver<S: PairingSetting> {
    srs: Arc<MultilinearSrs<S>>,
    /// Variables of the reference string.
    pub(crate) variables: usize,
}

/// A [`Hypercube`] for a verifier.
pub struct HypercubeVerifier<S: PairingSetting> {
    /// `[1]_2`.
    pub(crate) g2: G2Prepared<S>,
    /// `[t_i]_2`, the last variable's last.
    pub(crate) coordinates: Vec<G2Prepared<S>>,
    /// Variables of the reference string.
    pub(crate) variables: usize,
    origin: Setup,
}

impl<S: PairingSetting> Keys<S> for Hypercube {
    type Prover = HypercubeProver<S>;
    type Verifier = HypercubeVerifier<S>;

    fn setup(options: &Options, max_variables: usize) -> Result<(Self::Prover, Self::Verifier), ConfigError> {
        let srs = MultilinearSrs::<S>::for_options(options, max_variables)?;
        // A string made on the spot is as long as asked for, though a longer one may stand in for it.
        let variables = if options.srs.is_some() { srs.variables() } else { max_variables };
        let coordinates = srs.coordinates(max_variables).iter().map(|&t| t.into()).collect();
        let vk = HypercubeVerifier { g2: srs.g2().into(), coordinates, variables, origin: srs.origin().clone() };
        Ok((HypercubeProver { srs, variables }, vk))
    }

    fn prepare(pk: &Self::Prover, variables: usize) {
        // Shorter bases are sums of longer ones.
        for n in (0..=variables).rev() {
            pk.srs.basis(n);
        }
    }

    fn origin(vk: &Self::Verifier) -> Setup {
        vk.origin.clone()
    }
}

impl<S: PairingSetting> HypercubeProver<S> {
    /// The commitment to a polynomial's values.
    pub(crate) fn commit(&self, values: &[S::Base]) -> G1<S> {
        let variables = values.len().trailing_zeros() as usize;
        msm(self.srs.basis(variables), S::scalars(values)).into_affine()
    }
}
