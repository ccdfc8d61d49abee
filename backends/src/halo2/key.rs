//! Keys of a circuit, and proofs of its assignments.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use halo2_axiom::halo2curves::bn256::G1Affine;
use halo2_axiom::halo2curves::group::GroupEncoding;
use halo2_axiom::plonk::{ConstraintSystem, ProvingKey, VerifyingKey, permutation};
use halo2_axiom::poly::EvaluationDomain;
use trilemma_arith::plonkish::{Assignment, Circuit, Column};
use trilemma_core::{
    ConfigError, ErrorTerm, Ledger, Options, ProverTranscript, Reject, Security, Setting, VerifierTranscript,
};
use trilemma_pcs::group::{GroupSetting, assume_discrete_logarithm};
use trilemma_pcs::srs::Srs;

use super::circuit::Synthesis;
use super::codec::Layout;
use super::configure::Blueprint;
use super::field::scalar;
use super::rows::{Rows, UNUSABLE};
use super::scheme::{Opening, Parameters};
use super::{F, S, error};
use crate::saved::unreadable;

type Base = <S as Setting>::Base;

/// The most that two-adicity leaves for a quotient.
const MAX_LOG_EXTENDED: usize = 28;
/// Bytes of a saved point.
const POINT: usize = 32;

/// What does not depend on a circuit.
#[derive(Clone)]
pub struct Scheme {
    pub opening: Opening,
    pub security: Security,
    pub srs: Arc<Srs<S>>,
    /// log2 of the powers that a prover may know of the reference string, if it is not the circuit's rows.
    log_powers: Option<usize>,
    pub max_log_height: usize,
}

impl Scheme {
    /// With a reference string for circuits of up to that many rows.
    pub fn new(opening: Opening, options: &Options, max_log_height: usize) -> Result<Self, ConfigError> {
        let srs = Srs::for_options(options, max_log_height)?;
        let log_powers = options.srs.as_ref().map(|_| srs.log_size());
        Ok(Self { opening, security: options.security, srs, log_powers, max_log_height })
    }

    fn fits(&self, blueprint: &Blueprint) -> Result<(), ConfigError> {
        let log_height = blueprint.rows.log_height;
        let extended = log_height + (blueprint.degree - 1).next_power_of_two().ilog2() as usize;
        if log_height > self.max_log_height {
            return Err(error(format!("max_log_height: the circuit has 2^{log_height} rows")));
        }
        if extended > MAX_LOG_EXTENDED {
            return Err(error("the quotient is too long for the field"));
        }
        Ok(())
    }
}

/// What a verifier has.
pub struct VerifierKey {
    scheme: Scheme,
    blueprint: Arc<Blueprint>,
    vk: VerifyingKey<G1Affine>,
    parameters: Parameters,
    layout: Layout,
    /// Fractions, and entries of the longest tuple.
    buses: [usize; 2],
}

/// What a prover has besides.
pub struct ProverKey {
    pk: ProvingKey<G1Affine>,
    parameters: Parameters,
}

/// Keys of a whole circuit.
pub fn keys(scheme: &Scheme, circuit: &Circuit<S>) -> Result<(ProverKey, VerifierKey), ConfigError> {
    let blueprint = Arc::new(Blueprint::new(circuit, Rows::of(circuit)?)?);
    scheme.fits(&blueprint)?;
    let parameters = Parameters::prover(scheme.opening, &scheme.srs, blueprint.rows.log_height)?;
    let synthesis = Synthesis::of_circuit(blueprint.clone(), circuit);
    let made = catch_unwind(AssertUnwindSafe(|| parameters.keys(&synthesis)));
    let pk = made.map_err(|_| error("making keys panicked"))?.map_err(error)?;
    let verifier = VerifierKey::of(scheme, circuit, blueprint, pk.get_vk().clone());
    Ok((ProverKey { pk, parameters }, verifier))
}

impl ProverKey {
    /// Proves an assignment, and tells the time in commitments and in the opening.
    ///
    /// The library does not look whether it satisfies the circuit; some that do not, it panics at.
    pub fn prove(
        &self,
        verifier: &VerifierKey,
        assignment: Assignment<S>,
        instance: &[Base],
        t: &mut ProverTranscript,
    ) -> Result<[Duration; 2], ConfigError> {
        let VerifierKey { scheme, blueprint, layout, buses, .. } = verifier;
        verifier.enter(t.ledger())?;
        let seed = t.fork("halo2-axiom");
        let synthesis = Synthesis::of_assignment(blueprint.clone(), assignment, buses[1]);
        let instance: Vec<F> = instance.iter().copied().map(scalar).collect();
        let prove = || self.parameters.prove(scheme.opening, &self.pk, synthesis, &instance, &seed);
        let proven = catch_unwind(AssertUnwindSafe(prove)).map_err(|_| error("the prover panicked"))?;
        let (proof, times) = proven.map_err(error)?;
        layout.send(&proof, t)?;
        Ok(times)
    }
}

impl VerifierKey {
    fn of(scheme: &Scheme, form: &Circuit<S>, blueprint: Arc<Blueprint>, vk: VerifyingKey<G1Affine>) -> Self {
        let log_height = blueprint.rows.log_height;
        let layout = Layout::new(&vk, log_height, scheme.opening);
        let parameters = Parameters::verifier(scheme.opening, &scheme.srs, log_height);
        Self { scheme: scheme.clone(), blueprint, vk, parameters, layout, buses: [form.fractions, form.arity] }
    }

    /// Verifies a proof for these public values; a panic of the library is a rejection.
    pub fn verify(&self, instance: &[Base], t: &mut VerifierTranscript<'_>) -> Result<(), Reject> {
        self.enter(t.ledger())?;
        if instance.len() != self.blueprint.instance {
            return Err(Reject::new("the number of public values"));
        }
        let seed = t.fork("halo2-axiom");
        let proof = self.layout.receive(t)?;
        let instance: Vec<F> = instance.iter().copied().map(scalar).collect();
        let verify = || self.parameters.verify(self.scheme.opening, &self.vk, &instance, &seed, &proof);
        let verified = catch_unwind(AssertUnwindSafe(verify));
        let verified = verified.map_err(|_| Reject::new("halo2-axiom: the verifier panicked"))?;
        verified.map_err(|e| Reject::new(format!("halo2-axiom: {e}")))
    }

    /// log2 of the library's rows.
    pub fn log_height(&self) -> usize {
        self.blueprint.rows.log_height
    }

    /// Field elements committed to for a proof, the quotient included.
    pub fn committed(&self) -> u64 {
        let points: usize = self.layout.messages.iter().take(5).map(|(_, n)| n).sum();
        (points as u64) << self.log_height()
    }

    /// Enters the terms of a run.
    ///
    /// A polynomial may have the degree of the longest reference string that a prover knows: no identity
    /// here needs a smaller one.
    fn enter(&self, ledger: &mut Ledger) -> Result<(), ConfigError> {
        let Layout { identities, factors, opened, point_sets, points, .. } = self.layout;
        let log_powers = self.scheme.log_powers.filter(|_| self.scheme.opening != Opening::Ipa);
        let log_powers = log_powers.unwrap_or(self.blueprint.rows.log_height);
        let (length, rows) = ((log_powers as f64).exp2(), (self.blueprint.rows.log_height as f64).exp2());
        let tuples = self.vk.cs().lookups().iter().map(|lookup| lookup.input_expressions().len() as f64 - 1.0);
        let term = |name, degree, reference| {
            let term = ErrorTerm::schwartz_zippel(name, degree, S::ext_bits());
            ErrorTerm { reference, ..term }
        };
        let [fractions, arity] = self.buses.map(|n| n.max(1) as f64);
        let mut terms = vec![
            term("bus argument", 2.0 * fractions * arity, "[Hab22] Lemma 5; Schwartz-Zippel"),
            term("lookup tuples", tuples.sum::<f64>() * rows * rows, "[SZ80] Lemma 1"),
            term("grand products", 2.0 * factors as f64, "[GWC19] Section 5"),
            term("batching identities", identities as f64, "[SZ80] Lemma 1"),
            term("quotient", (self.blueprint.degree + 1) as f64 * length, "[GWC19] Section 4"),
        ];
        match self.scheme.opening {
            Opening::Shplonk => terms.extend([
                term("shplonk batch", (opened + point_sets) as f64, "[BDFG20] Section 4"),
                term("shplonk point", length + points as f64, "[BDFG20] Section 4"),
            ]),
            Opening::Gwc => terms.push(term("gwc batch", (opened + points) as f64, "[GWC19] Section 3")),
            Opening::Ipa => terms.extend([
                term("ipa batch", (opened + 2 * point_sets) as f64, "[BGH19] Section 4"),
                term("ipa point", length + points as f64, "[BGH19] Section 4"),
                term("ipa base", 1.0, "[BCMS20], [GT21]"),
                term("ipa halving", 2.0, "[BCMS20], [GT21]"),
            ]),
        }
        for term in &terms {
            if term.grinding(self.scheme.security.bits)? > 0 {
                return Err(error(format!("`{}` is short of the target, and nothing is ground", term.name)));
            }
            ledger.prove(term, 0);
        }
        match self.scheme.opening {
            Opening::Ipa => assume_discrete_logarithm::<S>(ledger),
            Opening::Shplonk | Opening::Gwc => assume_powers(ledger, log_powers),
        }
        Ok(())
    }

    /// The key as bytes, without the form, which whoever reads it derives: rows, then commitments.
    pub fn save(&self) -> Vec<u8> {
        let Rows { log_height, used, wrapped } = &self.blueprint.rows;
        let mut bytes = vec![*log_height as u8];
        bytes.extend((*used as u64).to_le_bytes());
        bytes.extend((wrapped.len() as u32).to_le_bytes());
        for column in wrapped {
            let (late, i) = match column {
                Column::Early(i) => (0, *i),
                Column::Late(i) => (1, *i),
                Column::Fixed(_) | Column::Instance => continue,
            };
            bytes.push(late);
            bytes.extend((i as u32).to_le_bytes());
        }
        let points = self.vk.fixed_commitments().iter().chain(self.vk.permutation().commitments());
        points.for_each(|point| bytes.extend(point.to_bytes().as_ref()));
        bytes
    }

    /// Reads a key for circuits of this form.
    pub fn load(scheme: &Scheme, form: &Circuit<S>, bytes: &[u8]) -> Result<Self, Reject> {
        let mut rest = bytes;
        let rows = read_rows(form, &mut rest).ok_or_else(unreadable)?;
        if rows.log_height > scheme.max_log_height {
            return Err(unreadable());
        }
        let blueprint = Arc::new(Blueprint::new(form, rows)?);
        scheme.fits(&blueprint)?;
        let mut cs = ConstraintSystem::default();
        blueprint.configure(&mut cs);
        let [fixed, permuted] = [cs.num_fixed_columns(), cs.permutation().get_columns().len()];
        let fixed = read_points(fixed, &mut rest).ok_or_else(unreadable)?;
        let permuted = read_points(permuted, &mut rest).ok_or_else(unreadable)?;
        if !rest.is_empty() {
            return Err(unreadable());
        }
        let domain = EvaluationDomain::new(cs.degree() as u32, blueprint.rows.log_height as u32);
        let permuted = permutation::VerifyingKey::from_commitments(permuted);
        let vk = VerifyingKey::from_parts(domain, fixed, permuted, cs, Vec::new(), false);
        Ok(Self::of(scheme, form, blueprint, vk))
    }
}

/// Enters what schemes over pairings rest on.
fn assume_powers(ledger: &mut Ledger, log_powers: usize) {
    let name = S::NAME;
    let target = format!("discrete logarithm in the target group, {name}");
    ledger.assume(&target, S::TARGET_GROUP_BITS, "[PFC22], [KB16], [GMT19]");
    let powers = format!("q-discrete logarithm in the algebraic group model, q = 2^{log_powers}, {name}");
    let bits = (S::ext_bits() - log_powers as f64) / 2.0;
    ledger.assume(&powers, bits, "[BDFG20] Section 4, [FKL18], [Cheon06] Theorem 1");
}

fn take<'b>(bytes: &mut &'b [u8], n: usize) -> Option<&'b [u8]> {
    let (head, tail) = bytes.split_at_checked(n)?;
    *bytes = tail;
    Some(head)
}

fn read_rows(form: &Circuit<S>, bytes: &mut &[u8]) -> Option<Rows> {
    let log_height = usize::from(*take(bytes, 1)?.first()?);
    let used = usize::try_from(u64::from_le_bytes(take(bytes, 8)?.try_into().ok()?)).ok()?;
    let n = u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?);
    let mut wrapped = Vec::new();
    for _ in 0..n {
        let late = *take(bytes, 1)?.first()?;
        let i = u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?) as usize;
        let column = match late {
            0 if i < form.early.len() => Column::Early(i),
            1 if i < form.late.len() => Column::Late(i),
            _ => return None,
        };
        if wrapped.contains(&column) {
            return None;
        }
        wrapped.push(column);
    }
    let fits = log_height < 32 && used <= form.rows() && used.max(form.instance) + 1 + UNUSABLE <= 1 << log_height;
    fits.then_some(Rows { log_height, used, wrapped })
}

fn read_points(n: usize, bytes: &mut &[u8]) -> Option<Vec<G1Affine>> {
    let points = take(bytes, n.checked_mul(POINT)?)?;
    let point = |bytes: &[u8]| {
        let mut repr = <G1Affine as GroupEncoding>::Repr::default();
        repr.as_mut().copy_from_slice(bytes);
        let point: Option<G1Affine> = G1Affine::from_bytes(&repr).into();
        point.filter(|point| point.to_bytes().as_ref() == bytes)
    };
    points.chunks_exact(POINT).map(point).collect()
}
