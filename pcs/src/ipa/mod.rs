//! `ipa`: vectors under hashed generators, opened by halving. No trusted set-up and no pairing; the
//! verifier's work grows with the length of the vectors.
//!
//! **Claim.** For committed vectors `a_i` and functionals `w_j`, `<a_i, w_j> = v_(i,j)`.
//!
//! **Relation.** `C_i = <a_i, G>`, `G` a list of generators that are hashes ([`crate::group`]). A column
//! is committed by its values, so that small values stay cheap and nothing is interpolated. A claim about
//! a univariate polynomial of degree below `2^n` at `z` has for `w` the Lagrange polynomials of the
//! subgroup of order `2^n` at `z`; one about a multilinear polynomial at `r` has `eq(r, .)`. A functional
//! on `2^n` entries is zero on all others.
//!
//! **Messages**, `2^m` the longest vector claimed about:
//! 1. V: `gamma`. The `k`-th claimed value counts `gamma^k`; claims with one functional `w_g` are from here
//!    on one claim about the combined vector `A_g`. If there is one functional, `eq(rho, .)`, go on with 4.
//! 2. A sumcheck of `sum over x of sum_g A_g(x) w_g(x)`, ending in a point `rho` ([`reduce`]).
//! 3. P: `u_g = A_g(rho)`. V: checks `sum_g u_g w_g(rho)`, `eta`. What is left is
//!    `<A, eq(rho, .)> = u` for `A = sum_g eta^g A_g` and `u = sum_g eta^g u_g`.
//! 4. The inner-product argument \[BCMS20, BGH19\] in `m` rounds of two points ([`argument`]), ending in
//!    an [`Accumulator`]: the equation `P = a <s, G>` for `s = (1, x_1) (x) ... (x) (1, x_m)`.
//! 5. V: [`decide`]s it by one sum over `2^m` generators, or [`decide_all`] decides many by one such sum.
//!
//! **Cost.** Committing: one sum of `n` terms for each column. Opening: per functional, a few
//! multiplications for each entry; about one sum of `2^m` full terms for each of the first three rounds,
//! as much for folding the generators, an eighth of all that for the next three rounds, and so on. Proof:
//! one point for each column, `2 m` points, `2 m + 1` scalars and one for each functional. Verifier:
//! `2^m` multiplications for each univariate functional and one sum over `2^m` generators: **linear in
//! the height**, which is what no trusted set-up and small proofs cost here.
//!
//! **Soundness.** In the algebraic group model under the discrete logarithm assumption: commitments are
//! known combinations of the generators and of `U`, and an equation between points is one between those.
//! The terms are those of `gamma` and `eta` (a false claim survives at a root), of the sumcheck, of `xi`
//! and of the halving ([`argument`]). A commitment to `2^n` entries binds to exactly `2^n`: whatever a
//! prover puts on the generators after them is multiplied by zero in every claim, so heights need no
//! proof, as they would if coefficients were committed.
//!
//! **Deviations.** \[BCMS20\] and \[BGH19\] commit to coefficients and halve a vector of powers; Halo 2
//! brings several points together by a quotient, which is committed to. A sumcheck does it without a
//! commitment, whatever the lengths. Nothing is blinded, so nothing is hidden.
//!
//! | symbol | here |
//! |---|---|
//! | `w_g`, `A_g` | [`reduce::Functional`], [`reduce::Statement::of`] |
//! | `G`, `U` | generators 1, 2, .. and 0 of the setting |
//! | `P`, `a`, `x_i` | [`Accumulator`] |

mod argument;
mod multilinear;
mod reduce;

use std::sync::{Mutex, PoisonError};

use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::Projective;
use p3_field::PrimeCharacteristicRing;
use p3_matrix::Matrix;
use rayon::prelude::*;
use trilemma_core::channel::{Question, Shape};
use trilemma_core::claim::{Claim, ClaimKind, Columns, UniEval};
use trilemma_core::{
    ConfigError, ErrorTerm, Label, Largest, Opens, Options, Properties, ProveError, ProverTranscript, Reject, Scheme,
    Setup, Smooth, VerifierTranscript,
};

use argument::Sum;
pub use argument::{Accumulator, decide, decide_all};
use reduce::{Functional, Group, Statement};

use crate::encode_shapes;
use crate::group::{G1, GroupSetting, generators, msm_columns, recv_points, send_points};
use crate::kzg;

/// The scheme of Bootle, Cerulli, Chaidos, Groth and Petit, as a polynomial commitment.
pub struct Ipa;

/// What committing and opening need.
pub struct ProverKey {
    max_log_height: usize,
}

/// What verifying needs. Generators are made when they are first used.
pub struct VerifierKey<S: GroupSetting> {
    max_log_height: usize,
    /// Accumulators that are to be decided together.
    later: Option<Mutex<Vec<Accumulator<S>>>>,
}

impl<S: GroupSetting> VerifierKey<S> {
    const fn new(max_log_height: usize) -> Self {
        Self { max_log_height, later: None }
    }

    /// Decides now, or later if this key is one of [`together`].
    fn settle(&self, accumulator: Accumulator<S>) -> Result<(), Reject> {
        match &self.later {
            None => decide(self, &accumulator),
            Some(later) => {
                later.lock().unwrap_or_else(PoisonError::into_inner).push(accumulator);
                Ok(())
            }
        }
    }
}

/// Verifies with one sum over the generators what `verify` verifies, be it one proof or many: the key
/// it is given puts every decision off to the end. The result stands only if all of them hold.
pub fn together<S: GroupSetting, T>(
    vk: &VerifierKey<S>,
    verify: impl FnOnce(&VerifierKey<S>) -> Result<T, Reject>,
) -> Result<T, Reject> {
    let key = VerifierKey { max_log_height: vk.max_log_height, later: Some(Mutex::default()) };
    let result = verify(&key)?;
    let accumulators = key.later.map(|later| later.into_inner().unwrap_or_else(PoisonError::into_inner));
    decide_all(vk, &accumulators.unwrap_or_default())?;
    Ok(result)
}

/// Keys for vectors of up to `2^max_log_height` entries.
fn keys<S: GroupSetting>(max_log_height: usize) -> Result<(ProverKey, VerifierKey<S>), ConfigError> {
    const LIMIT: usize = 26;
    if max_log_height > LIMIT {
        return Err(ConfigError(format!("ipa: 2^{max_log_height} generators are more than 2^{LIMIT}")));
    }
    Ok((ProverKey { max_log_height }, VerifierKey::new(max_log_height)))
}

impl<S: Smooth + GroupSetting> Scheme<S> for Ipa {
    const NAME: &'static str = "ipa";
    /// The entries of the matrices of a small execution, for PIOPs over R1CS, are 2^20.
    const MAX_LOG_HEIGHT: usize = 20;
    const KEY_GROWS: bool = true;
    type ProverKey = ProverKey;
    type VerifierKey = VerifierKey<S>;
    /// One point per column of each matrix.
    type Commitment = Vec<Vec<G1<S>>>;
    type Opener = Vec<Columns<S::Base>>;

    fn setup(_: &Options, max_log_height: usize) -> Result<(ProverKey, VerifierKey<S>), ConfigError> {
        keys(max_log_height)
    }

    fn prepare(pk: &ProverKey, largest: Largest) {
        drop(vector_generators::<S>(1 << largest.log_height.min(pk.max_log_height)));
    }

    fn properties(_: &VerifierKey<S>) -> Properties {
        Properties { setup: Setup::Transparent, post_quantum: false, hiding: false, verifier: "n" }
    }

    fn list_bits(_: &VerifierKey<S>) -> f64 {
        0.0
    }

    fn fits(vk: &VerifierKey<S>, shapes: &[Shape]) -> Result<(), ConfigError> {
        crate::not_higher("the generators", vk.max_log_height, shapes)
    }

    fn receive(
        vk: &VerifierKey<S>,
        shapes: &[Shape],
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Self::Commitment, Reject> {
        <Self as Scheme<S>>::fits(vk, shapes)?;
        t.bind("ipa shapes", &encode_shapes(shapes));
        shapes.iter().map(|shape| recv_points::<S>(label, shape.width, t)).collect()
    }

    fn commit(
        pk: &ProverKey,
        matrices: Vec<Columns<S::Base>>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Self::Opener, ProveError> {
        let shapes: Vec<Shape> = matrices.iter().map(Shape::of).collect();
        t.bind("ipa shapes", &encode_shapes(&shapes));
        for matrix in &matrices {
            send_points::<S>(label, &commit_columns::<S>(pk, matrix)?, t);
        }
        Ok(matrices)
    }
}

/// The first `n` of the generators `G`.
fn vector_generators<S: GroupSetting>(n: usize) -> impl std::ops::Deref<Target = [G1<S>]> {
    struct Rest<P>(std::sync::Arc<Vec<P>>, usize);
    impl<P> std::ops::Deref for Rest<P> {
        type Target = [P];
        fn deref(&self) -> &[P] {
            &self.0[1..=self.1]
        }
    }
    Rest(generators::<S>(1 + n), n)
}

/// Commits to every column by its values.
fn commit_columns<S: GroupSetting>(pk: &ProverKey, matrix: &Columns<S::Base>) -> Result<Vec<G1<S>>, ProveError> {
    let (height, width) = (matrix.height(), matrix.width());
    if width == 0 {
        return Ok(Vec::new());
    }
    if !height.is_power_of_two() || height > 1 << pk.max_log_height {
        let max = pk.max_log_height;
        return Err(ConfigError(format!("ipa: {height} rows are no power of two up to 2^{max}")).into());
    }
    Ok(Projective::normalize_batch(&msm_columns::<S>(&vector_generators::<S>(height), matrix)))
}

impl<S: Smooth + GroupSetting> Opens<S, UniEval<S::Ext>> for Ipa {
    type Hints = ();

    fn verify(
        vk: &VerifierKey<S>,
        oracles: &[(&Self::Commitment, &[Shape])],
        claims: &[Claim<UniEval<S::Ext>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        match check(vk, oracles, claims, t)? {
            Some(accumulator) => vk.settle(accumulator),
            None => Ok(()),
        }
    }

    fn view<'o>(
        _: &ProverKey,
        opener: &'o Self::Opener,
        matrix: usize,
        log_expand: usize,
    ) -> <UniEval<S::Ext> as ClaimKind<S>>::View<'o> {
        <UniEval<S::Ext> as ClaimKind<S>>::view(&opener[matrix], log_expand)
    }

    fn answer(
        _: &ProverKey,
        openers: &[&Self::Opener],
        questions: &[Question<UniEval<S::Ext>>],
        (): &mut (),
    ) -> Vec<Vec<S::Ext>> {
        questions.iter().map(|q| kzg::evaluate::<S>(&openers[q.oracle.0][q.matrix], q.query)).collect()
    }

    fn open(
        _: &ProverKey,
        openers: &[&Self::Opener],
        claims: &[Claim<UniEval<S::Ext>, S::Ext>],
        (): (),
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        let log_height =
            |claim: &Claim<_, _>| Some(Shape::of(openers.get(claim.oracle)?.get(claim.matrix)?).log_height);
        let groups = match ask::<S>(claims, log_height) {
            Some(Asked { points, batch, claims }) => {
                t.bind("ipa points", &points);
                let gamma = t.challenge::<S>("ipa batch", Some(&batch))?;
                group::<S>(claims, gamma)
            }
            None => return Ok(()),
        };
        let statements = groups.into_iter().map(|group| group.map(|parts| combine::<S>(openers, &parts))).collect();
        let opened = reduce::prove::<S>(statements, t)?;
        argument::prove::<S>(opened, t)
    }
}

/// Everything but the sum over the generators; nothing is left to decide if nothing was claimed.
pub fn check<S: Smooth + GroupSetting>(
    vk: &VerifierKey<S>,
    oracles: &[(&Vec<Vec<G1<S>>>, &[Shape])],
    claims: &[Claim<UniEval<S::Ext>, S::Ext>],
    t: &mut VerifierTranscript<'_>,
) -> Result<Option<Accumulator<S>>, Reject> {
    let matrix = |claim: &Claim<_, S::Ext>| {
        let (commitment, shapes) = oracles.get(claim.oracle)?;
        let (columns, shape) = (commitment.get(claim.matrix)?, shapes.get(claim.matrix)?);
        (columns.len() == claim.values.len() && shape.log_height <= vk.max_log_height).then_some((columns, shape))
    };
    if claims.iter().any(|claim| matrix(claim).is_none()) {
        return Err(Reject::new("claims about no matrix of that width"));
    }

    // 1.
    let Some(Asked { points, batch, claims }) = ask::<S>(claims, |claim| matrix(claim).map(|(_, s)| s.log_height))
    else {
        return Ok(None);
    };
    t.bind("ipa points", &points);
    let gamma = t.challenge::<S>("ipa batch", Some(&batch))?;
    let sum = |parts: Vec<Part<'_, S>>| {
        let mut sum = Sum::default();
        for part in parts {
            let columns = matrix(part.claim).map_or(&[][..], |(columns, _)| columns);
            sum.extend(columns.iter().copied().zip(part.powers));
        }
        sum
    };
    let statements: Vec<Statement<S, Sum<S>>> =
        group::<S>(claims, gamma).into_iter().map(|group| group.map(sum)).collect();

    // 2. and 3.
    let opened = reduce::verify(statements, t)?;
    // 4.
    argument::check(opened, t).map(Some)
}

/// Claims with their functionals, and what the transcript is to absorb of them.
struct Asked<'c, S: GroupSetting> {
    points: Vec<u8>,
    /// The error term of `gamma`.
    batch: ErrorTerm,
    claims: Vec<(&'c Claim<UniEval<S::Ext>, S::Ext>, Functional<S>)>,
}

/// A claim with the powers of `gamma` of its values.
struct Part<'c, S: GroupSetting> {
    claim: &'c Claim<UniEval<S::Ext>, S::Ext>,
    powers: Vec<S::Ext>,
}

/// The claims that say something, if there are any.
fn ask<'c, S: Smooth + GroupSetting>(
    claims: &'c [Claim<UniEval<S::Ext>, S::Ext>],
    log_height: impl Fn(&Claim<UniEval<S::Ext>, S::Ext>) -> Option<usize>,
) -> Option<Asked<'c, S>> {
    let (mut points, mut asked, mut values) = (Vec::new(), Vec::new(), 0usize);
    for claim in claims.iter().filter(|claim| !claim.values.is_empty()) {
        for number in [claim.oracle, claim.matrix] {
            points.extend_from_slice(&(number as u64).to_le_bytes());
        }
        S::encode(claim.query.0, &mut points);
        values += claim.values.len();
        asked.push((claim, Functional::Lagrange { log_height: log_height(claim)?, point: claim.query.0 }));
    }
    let batch = ErrorTerm::schwartz_zippel("ipa batch", values as f64, S::ext_bits());
    (!asked.is_empty()).then_some(Asked { points, batch, claims: asked })
}

/// Puts together the claims with one functional.
fn group<S: Smooth + GroupSetting>(
    claims: Vec<(&Claim<UniEval<S::Ext>, S::Ext>, Functional<S>)>,
    gamma: S::Ext,
) -> Vec<Group<S, Part<'_, S>>> {
    let mut next = S::Ext::ONE;
    let said = claims.into_iter().map(|(claim, functional)| {
        let powers: Vec<S::Ext> = gamma.shifted_powers(next).take(claim.values.len()).collect();
        next *= gamma.exp_u64(powers.len() as u64);
        let value = claim.values.iter().zip(&powers).map(|(&value, &power)| value * power).sum();
        (functional, value, Part { claim, powers })
    });
    reduce::group(said)
}

/// `A_g`.
fn combine<S: GroupSetting>(openers: &[&Vec<Columns<S::Base>>], parts: &[Part<'_, S>]) -> Vec<S::Ext> {
    let mut sum = Vec::new();
    for Part { claim, powers } in parts {
        let columns = &openers[claim.oracle][claim.matrix];
        sum.resize(columns.height(), S::Ext::ZERO);
        sum.par_iter_mut()
            .with_min_len(1 << 8)
            .zip(columns.values.par_chunks_exact(columns.width()))
            .for_each(|(sum, row)| *sum += row.iter().zip(powers).map(|(&cell, &p)| p * cell).sum::<S::Ext>());
    }
    sum
}
