//! `ark-groth16`: Groth16 \[Gro16\] over the flat R1CS of a whole execution, as a whole-system reference
//! and the corner of succinctness: five group elements whatever the execution.
//!
//! **Claim.** The whole execution, as every other pipeline proves it: the system is
//! [`trilemma_arith::r1cs::staged`], buses included. Their challenges are public wires, which a plain
//! Groth16 proof could not have: its prover would choose the early wires after them. So the proof carries
//! a commitment to the early wires, from which the challenges are drawn (\[CFQ19, Appendix H.5\], as
//! cc-Groth16).
//!
//! | symbol | meaning |
//! |---|---|
//! | `u_i, v_i, w_i` | polynomials of wire `i` in `A`, `B`, `C` |
//! | `K_i` | `[(beta u_i + alpha v_i + w_i)(t) / gamma]_1`, for public and early wires |
//! | `sigma` | one more trapdoor; the key has `sigma K_i` for early wires only |
//!
//! **Messages.**
//! 1. prover: `D = sum over early wires of z_i K_i`, `E = sigma D`
//! 2. verifier: `gamma`, `beta` of the buses
//! 3. prover: `A`, `B`, `C` of Groth16, with early wires among its public ones
//! 4. verifier: `e(D, [sigma]_2) = e(E, [1]_2)`, and Groth16's equation with `D` in place of the early
//!    wires' part of the public input: `e(A, B) = e([alpha]_1, [beta]_2) e(sum public z_i K_i + D, [gamma]_2)
//!    e(C, [delta]_2)`
//!
//! **Soundness.** In the algebraic group model, `E` shows that `D` is a combination of the early `K_i`,
//! whose coefficients are therefore known before the challenges; the reduction of R1CS to QAP gives
//! every such wire a constraint of its own, so the `K_i` are independent and `D` binds. Then as Groth16 with
//! these public values \[Gro16, Theorem 2; CFQ19, Appendix H.5\]. Buses: as `marlin`. Composition of the two
//! is an argument of this project's.
//!
//! **Trust.** The key is for one circuit: a program and an extent. Its trapdoors are drawn here, from a
//! seed that everybody knows: *insecure*. A ceremony would have to be run for every circuit.
//!
//! **Fairness.** Nothing is hidden: `D` is not blinded and the proof's randomness is zero, which spares the
//! library's prover one sum of `n` terms. The library proves and checks; the key is made here, since the
//! library's generator has no bases for `E`. Early wires count as public inputs of the QAP, so its domain has
//! a place more for each of them.
//!
//! **Cost.** Prover: sums of `n` terms in the first group for `A`, `C` and the early wires, of as many as the
//! domain for the quotient, and of `n` in the second group; seven transforms of the domain. Proof: five
//! points. Verifier: five pairings and a sum over public values.

mod key;
mod setup;

use std::time::Instant;

use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::Zero;
use ark_groth16::Groth16;
use ark_groth16::r1cs_to_qap::LibsnarkReduction;
use p3_field::TwoAdicField;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Extent, instance};
use trilemma_arith::r1cs::staged::{Flattening, Staged};
use trilemma_arith::{Air, Trace};
use trilemma_core::scheme::Setup;
use trilemma_core::transcript::Label;
use trilemma_core::{
    ConfigError, ErrorTerm, Ledger, Options, Properties, ProveError, ProverTranscript, Reject, Security, Setting,
    VerifierTranscript,
};
use trilemma_pcs::assume_q;
use trilemma_pcs::group::{G1, GroupSetting, assume_discrete_logarithm, recv_points, send_points};
use trilemma_pcs::srs::PairingSetting;

use crate::circuit::{Engine, Made, Statement};
use crate::combination::protocol_id;
use crate::{Failure, Pipeline};
use key::{ProverKey, VerifierKey, recv_second, send_second};

/// First parts of the name in configurations; the setting follows.
pub const NAME: [&str; 2] = ["ark-groth16", "lego"];

/// log2 of the largest domain, unless the options say otherwise.
const MAX_LOG_DOMAIN: usize = 24;

/// Bases of ark's Groth16 with its own reduction to QAPs.
type Library<S> = Groth16<<S as PairingSetting>::Engine, LibsnarkReduction>;

/// The engine of a setting.
pub struct Groth<S> {
    security: Security,
    protocol: [u8; 32],
    max_log_domain: usize,
    _setting: std::marker::PhantomData<S>,
}

impl<S: PairingSetting> Groth<S> {
    /// The engine.
    ///
    /// # Errors
    /// A reference string is named: keys here are per circuit and not read from files.
    pub fn new(pipeline: &Pipeline, options: &Options) -> Result<Self, ConfigError> {
        if options.srs.is_some() {
            return Err(ConfigError("srs: `ark-groth16` has a key a circuit and takes no reference string".into()));
        }
        let protocol = protocol_id(pipeline, options, &setup());
        let max_log_domain = options.max_log_height.unwrap_or(MAX_LOG_DOMAIN).min(S::Base::TWO_ADICITY);
        Ok(Self { security: options.security, protocol, max_log_domain, _setting: std::marker::PhantomData })
    }
}

fn setup() -> Setup {
    Setup::Insecure("a key for one circuit, whose trapdoors come from a known seed".into())
}

/// Error of the buses' challenges.
fn bus_term<S: Setting>(form: &Staged<S>) -> ErrorTerm {
    let degree = 2.0 * form.fractions as f64 * form.arity.max(1) as f64;
    ErrorTerm {
        reference: "[Hab22] Lemma 5; Schwartz-Zippel",
        ..ErrorTerm::schwartz_zippel("bus argument", degree, S::ext_bits())
    }
}

/// Reads two points that were sent together.
fn recv_pair<S: PairingSetting>(label: Label, t: &mut VerifierTranscript<'_>) -> Result<[G1<S>; 2], Reject> {
    recv_points::<S>(label, 2, t)?.try_into().map_err(|_| Reject::new("two points"))
}

/// log2 of the points of the QAP's domain, which has a place for every constraint and every wire known before the
/// late ones.
fn log_domain<S: Setting>(form: &Staged<S>) -> usize {
    (form.constraints + form.public() + form.early).next_power_of_two().ilog2() as usize
}

/// Enters what the proof rests on. The key has powers of `t` up to twice the domain's degree.
fn assume<S: PairingSetting>(ledger: &mut Ledger, form: &Staged<S>) {
    assume_discrete_logarithm::<S>(ledger);
    assume_q::<S>(
        ledger,
        log_domain(form) + 1,
        "[Gro16] Theorem 2, [FKL18], [CFQ19] Appendix H.5, [Cheon06] Theorem 1",
    );
}

fn library_error(error: impl std::fmt::Display) -> ConfigError {
    ConfigError(format!("ark-groth16: {error}"))
}

impl<S: PairingSetting> Engine for Groth<S> {
    type S = S;
    type ProverKey = ProverKey<S>;
    type VerifierKey = VerifierKey<S>;

    fn properties(&self) -> Properties {
        Properties { setup: setup(), post_quantum: false, hiding: false, verifier: "1 (public values besides)" }
    }

    fn protocol(&self) -> &[u8; 32] {
        &self.protocol
    }

    fn keygen(&self, air: &Air<S>, extent: &Extent) -> Result<(ProverKey<S>, VerifierKey<S>), Failure> {
        let flattening = Flattening::new(air, extent)?;
        // Before anything as large as the domain is made.
        let log_domain = log_domain::<S>(&flattening.form());
        if log_domain > self.max_log_domain {
            let max = self.max_log_domain;
            let text = format!("max_log_height: the constraints take a domain of 2^{log_domain}, more than 2^{max}");
            return Err(ConfigError(text).into());
        }
        Ok(setup::keys(flattening.system(air))?)
    }

    fn save(&self, key: &VerifierKey<S>) -> Vec<u8> {
        key.save()
    }

    fn load(&self, air: &Air<S>, extent: &Extent, saved: &[u8]) -> Result<VerifierKey<S>, Reject> {
        VerifierKey::load(Flattening::new(air, extent)?.form(), saved)
    }

    fn prove(
        &self,
        (key, verifier): (&ProverKey<S>, &VerifierKey<S>),
        air: &Air<S>,
        trace: Trace,
        statement: Statement<'_>,
    ) -> Result<Made, ProveError> {
        let extent = Extent::of(air, &trace, statement.terms);
        let witness = Flattening::new(air, &extent)?.assign(air, &trace, statement.terms)?;
        drop(trace);
        let mut t = ProverTranscript::new(&self.protocol, self.security);
        t.bind("key", &verifier.save());
        t.bind("statement", statement.bytes);

        let start = Instant::now();
        let early = S::scalars(&witness.early);
        type Group<S> = ark_ec::short_weierstrass::Projective<<S as GroupSetting>::G1>;
        let sum = |bases| Group::<S>::msm_unchecked(bases, early).into_affine();
        send_points::<S>("early wires", &[sum(&key.early), sum(&key.shifted)], &mut t);
        let commit = start.elapsed();

        let gamma = t.challenge::<S>("gamma", Some(&bus_term(&key.system)))?;
        let beta = t.challenge::<S>("beta", None)?;
        let challenges = Challenges::new(gamma, beta, key.system.arity);
        let mut wires = key.system.public_values(&instance::<S>(statement.terms), [gamma, beta]);
        wires.extend(&witness.early);
        wires.extend((witness.late)(&challenges));
        let inputs = key.system.public() + key.system.early;
        let zero = <S::Engine as ark_ec::pairing::Pairing>::ScalarField::zero();
        let proof = Library::<S>::create_proof_with_reduction_and_matrices(
            &key.library,
            zero,
            zero,
            &key.matrices,
            inputs,
            key.system.constraints,
            S::scalars(&wires),
        );
        let proof = proof.map_err(library_error)?;
        send_points::<S>("proof", &[proof.a, proof.c], &mut t);
        send_second::<S>("proof", &proof.b, &mut t);
        assume::<S>(t.ledger(), &key.system);
        let (proof, ledger, bytes) = t.finish();
        Ok(Made {
            proof,
            ledger,
            commit,
            open: std::time::Duration::ZERO,
            cells: (key.system.early + key.system.late) as u64,
            padded_rows: key.domain as u64,
            bytes: bytes.iter().map(|(l, n)| ((*l).to_string(), *n as u64)).collect(),
        })
    }

    fn verify(&self, key: &VerifierKey<S>, statement: Statement<'_>, proof: &[u8]) -> Result<Ledger, Reject> {
        let mut t = VerifierTranscript::new(&self.protocol, self.security, proof);
        t.bind("key", &key.save());
        t.bind("statement", statement.bytes);

        // 1. and 2. The early wires, then the challenges.
        let [committed, shifted] = recv_pair::<S>("early wires", &mut t)?;
        let gamma = t.challenge::<S>("gamma", Some(&bus_term(&key.form)))?;
        let beta = t.challenge::<S>("beta", None)?;

        // 3. and 4. Groth16.
        let [a, c] = recv_pair::<S>("proof", &mut t)?;
        let b = recv_second::<S>("proof", &mut t)?;
        if !key.carries(committed, shifted) {
            return Err(Reject::new("the commitment is not to early wires"));
        }
        let public = key.form.public_values(&instance::<S>(statement.terms), [gamma, beta]);
        let inputs = key.public_input(S::scalars(&public)).ok_or_else(|| Reject::new("public values"))?;
        let proof = ark_groth16::Proof { a, b, c };
        let holds = Library::<S>::verify_proof_with_prepared_inputs(&key.library, &proof, &(inputs + committed));
        if !holds.map_err(|e| Reject::new(library_error(e).0))? {
            return Err(Reject::new("Groth16's equation"));
        }
        assume::<S>(t.ledger(), &key.form);
        Ok(t.finish()?.0)
    }
}
