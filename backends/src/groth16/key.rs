//! Keys of a circuit, and points of the second group on the wire.

use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::Projective;
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_groth16::{PreparedVerifyingKey, ProvingKey, VerifyingKey, prepare_verifying_key};
use ark_relations::utils::matrix::Matrix;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use trilemma_arith::r1cs::staged::Staged;
use trilemma_core::transcript::Label;
use trilemma_core::{ProverTranscript, Reject, VerifierTranscript};
use trilemma_pcs::group::{G1, GroupSetting, Scalar};
use trilemma_pcs::srs::{G2, PairingSetting};

use crate::saved::unreadable;

/// What the prover keeps of a circuit.
pub struct ProverKey<S: PairingSetting> {
    /// The system; its matrices are below.
    pub system: Staged<S>,
    /// `A`, `B`, `C` as the library reads them.
    pub matrices: Vec<Matrix<Scalar<S>>>,
    /// The library's key.
    pub library: ProvingKey<S::Engine>,
    /// `K_i` of early wires.
    pub early: Vec<G1<S>>,
    /// `sigma K_i` of early wires.
    pub shifted: Vec<G1<S>>,
    /// Size of the domain.
    pub domain: usize,
}

/// What the verifier keeps of a circuit.
pub struct VerifierKey<S: PairingSetting> {
    /// Sizes of the system.
    pub form: Staged<S>,
    /// The library's key; its `gamma_abc_g1` are `K_i` of public wires.
    pub library: PreparedVerifyingKey<S::Engine>,
    /// `[sigma]_2`.
    sigma: G2<S>,
}

impl<S: PairingSetting> VerifierKey<S> {
    /// The key of a system.
    pub fn new(form: Staged<S>, library: &VerifyingKey<S::Engine>, sigma: G2<S>) -> Self {
        Self { form, library: prepare_verifying_key(library), sigma }
    }

    /// The key's bytes.
    pub fn save(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to a vector does not fail.
        let _ = self.library.vk.serialize_compressed(&mut bytes);
        let _ = self.sigma.serialize_compressed(&mut bytes);
        bytes
    }

    /// Reads a key for a system of this form; refuses one that was left at defaults, whose holder could
    /// forge.
    pub fn load(form: Staged<S>, mut saved: &[u8]) -> Result<Self, Reject> {
        let library = VerifyingKey::<S::Engine>::deserialize_compressed(&mut saved).map_err(|_| unreadable())?;
        let sigma = G2::<S>::deserialize_compressed(&mut saved).map_err(|_| unreadable())?;
        let second = [library.beta_g2, library.gamma_g2, library.delta_g2, sigma];
        let distinct = (0..4).all(|i| !second[..i].contains(&second[i]));
        let trivial = second.iter().any(|p| p.is_zero() || *p == G2::<S>::generator()) || library.alpha_g1.is_zero();
        if !saved.is_empty() || library.gamma_abc_g1.len() != form.public() || !distinct || trivial {
            return Err(unreadable());
        }
        Ok(Self::new(form, &library, sigma))
    }

    /// Whether `shifted` is `sigma` times `committed`.
    pub fn carries(&self, committed: G1<S>, shifted: G1<S>) -> bool {
        let minus = (-shifted.into_group()).into_affine();
        S::Engine::multi_pairing([committed, minus], [self.sigma, G2::<S>::generator()]).0
            == <S::Engine as Pairing>::TargetField::ONE
    }

    /// The part of the public wires in Groth16's equation.
    pub fn public_input(&self, values: &[Scalar<S>]) -> Option<Projective<<S as GroupSetting>::G1>> {
        Projective::<<S as GroupSetting>::G1>::msm(&self.library.vk.gamma_abc_g1, values).ok()
    }
}

use ark_ff::Field as _;

/// Sends a point of the second group.
pub fn send_second<S: PairingSetting>(label: Label, point: &G2<S>, t: &mut ProverTranscript) {
    let mut bytes = Vec::new();
    // Writing to a vector does not fail.
    let _ = point.serialize_compressed(&mut bytes);
    t.send(label, &bytes);
}

/// Reads a point of the second group: canonical, on the curve and in the subgroup, or rejected.
pub fn recv_second<S: PairingSetting>(label: Label, t: &mut VerifierTranscript<'_>) -> Result<G2<S>, Reject> {
    let bytes = t.recv(label, G2::<S>::generator().compressed_size())?;
    let point = G2::<S>::deserialize_compressed(bytes);
    let point = point.map_err(|_| Reject::new(format!("`{label}` is not a point of the second group")))?;
    let mut canonical = Vec::with_capacity(bytes.len());
    match point.serialize_compressed(&mut canonical) {
        Ok(()) if canonical == bytes => Ok(point),
        _ => Err(Reject::new(format!("`{label}` is not canonical"))),
    }
}
