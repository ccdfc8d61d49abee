//! KZG: one group element per column, and two for any number of openings.
//!
//! **Claim.** For committed polynomials `f_i` and sets of points `S_i`, `f_i(s) = v_(i,s)` for all `s`.
//!
//! **Relation.** `C_i = [f_i(tau)]_1` with `deg f_i < N`, the length of the reference string \[KZG10\].
//!
//! **Messages** \[BDFG20, Section 4.1\], for `T` the union of the `S_i`, `Z_A(X) = prod_(a in A) (X - a)`,
//! and `r_i` the polynomial of degree below `|S_i|` through the claimed values:
//! 1. V: `gamma`.
//! 2. P: `W = [h(tau)]_1` for `h = sum_i gamma^i (f_i - r_i) / Z_(S_i)`.
//! 3. V: `z`.
//! 4. P: `W' = [(L / (X - z))(tau)]_1` for
//!    `L = sum_i gamma^i Z_(T - S_i)(z) (f_i - r_i(z)) - Z_T(z) h`.
//! 5. V: with `F = sum_i gamma^i Z_(T - S_i)(z) (C_i - [r_i(z)]_1) - Z_T(z) W`, accepts when
//!    `e(F + z W', [1]_2) = e(W', [tau]_2)`.
//!
//! **Cost.** Committing: one sum of `n` terms per column, cheap for small values since the values
//! themselves are the scalars (Lagrange basis). Opening: two sums of `N` terms. Proof: one point per
//! column, two per opening. Verifier: one sum over the opened columns and two pairings.
//!
//! **Soundness.** Knowledge sound in the algebraic group model under the q-discrete-logarithm
//! assumption \[BDFG20, Section 4; FKL18\], with errors `m / |F|` for `gamma`, `m` the number of columns,
//! and `(N + |T|) / |F|` for `z`. Knowing `2^k` powers of `tau` costs `k/2` bits \[Cheon06\].
//!
//! **Degrees.** A column of height `n` is bound to a polynomial of degree below `N`, which may exceed
//! `n`: heights are *not* enforced. Identities that hold everywhere, such as
//! `C(f_1, ..) = Z_H * (quotient)`, do not need it: they restrict to `H`, where the values of `f_i`
//! are the trace, whatever its degree outside. So constraints, boundary values and running sums of
//! lookups are sound, with `N` for `n` in their Schwartz-Zippel terms ([`Scheme::list_bits`]
//! accounts for it). What does need it is any argument that reads a sum from a coefficient, such as
//! univariate sumcheck (`sum over H = n f(0)`): such a PIOP must prove its degree bounds itself.
//!
//! **Hiding.** `kzg-zk` is [`Kzg<true>`], hiding KZG \[KT23\] under the same batching. With another base
//! `[xi]_1` of the reference string, `C_i` gets `r_i [xi]_1`, `W` gets `r_W [xi]_1`, `W'` gets `s [xi]_1`, and P
//! sends `D = (R + z s) [1]_1 - s [tau]_1` for `R = sum_i gamma^i Z_(T - S_i)(z) r_i - Z_T(z) r_W`. V accepts
//! when `e(F + z W', [1]_2) = e(W', [tau]_2) e(D, [xi]_2)`. Identically in `xi`, the part without it is the
//! equation of 5., so nothing changes for soundness. `C_i`, `W` and `W'` are uniform and `D` is what the
//! equation makes it, whatever the columns are: openings reveal the claimed values and nothing else, to
//! anybody and however many there are. What values a PIOP asks for is its own matter. `r_i`, `r_W` and `s`
//! come from [`ProverTranscript::blind`], so such a proof is no function of the witness; an index, which is
//! public, is not blinded. The price is a point in every proof and a pairing in its verification.
//!
//! **Deviations.** Powers of `gamma` run over the columns in order of (oracle, matrix, column). Shapes
//! are absorbed with the commitments, points before `gamma`.
//!
//! **Symbols.** `W`: `quotient`; `W'`: `witness`; `D`: `blinding`; `S_i` and values: [`Opened`]; `Z_(T - S_i)`:
//! [`vanishing`] of [`others`].

mod prover;

pub(crate) use prover::{add_scaled, divide, evaluate};

use std::collections::BTreeMap;
use std::sync::Arc;

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Projective;
use p3_field::{Field, PrimeCharacteristicRing};
use trilemma_core::channel::{Question, Shape};
use trilemma_core::claim::{Claim, ClaimKind, Columns, UniEval};
use trilemma_core::scheme::{Opens, Properties, Scheme, Setup};
use trilemma_core::{
    ConfigError, ErrorTerm, Label, Largest, Options, ProveError, ProverTranscript, Reject, VerifierTranscript,
};

use crate::encode_shapes;
use crate::group::{G1, recv_point};
use crate::msm::msm;
use crate::pairing::{assume_powers, require_product_one};
use crate::srs::{G2, PairingSetting, Srs};

/// The scheme of Kate, Zaverucha and Goldberg; `Kzg<true>` hides.
pub struct Kzg<const HIDING: bool = false>;

/// What committing and opening need.
pub struct ProverKey<S: PairingSetting> {
    pub(crate) srs: Arc<Srs<S>>,
    pub(crate) log_powers: usize,
    max_log_height: usize,
    /// `[xi]_1`, if columns are to be hidden.
    hiding: Option<G1<S>>,
}

/// What verifying needs.
pub struct VerifierKey<S: PairingSetting> {
    pub(crate) g2: [G2<S>; 2],
    pub(crate) log_powers: usize,
    max_log_height: usize,
    pub(crate) setup: Setup,
    /// `[xi]_2`, if columns are hidden.
    hiding: Option<G2<S>>,
}

/// What the prover keeps: the columns, and what each was blinded with.
pub struct Opener<S: PairingSetting> {
    columns: Vec<Columns<S::Base>>,
    /// `r_i`; none if nothing is hidden.
    blinding: Vec<Vec<S::Base>>,
}

impl<S: PairingSetting, const HIDING: bool> Scheme<S> for Kzg<HIDING> {
    const NAME: &'static str = if HIDING { "kzg-zk" } else { "kzg" };
    const JOINT_LISTS: bool = true;
    const MAX_LOG_HEIGHT: usize = 22;
    const KEY_GROWS: bool = true;
    type ProverKey = ProverKey<S>;
    type VerifierKey = VerifierKey<S>;
    /// One point per column of each matrix.
    type Commitment = Vec<Vec<G1<S>>>;
    type Opener = Opener<S>;

    fn setup(options: &Options, max_log_height: usize) -> Result<(ProverKey<S>, VerifierKey<S>), ConfigError> {
        // Hiding needs [tau]_1.
        let log_powers = max_log_height.max(usize::from(HIDING));
        let srs = Srs::<S>::for_options(options, log_powers)?;
        // A string made on the spot is as long as asked for, though a longer one may stand in for it.
        let log_powers = if options.srs.is_some() { srs.log_size() } else { log_powers };
        let hiding = srs.hiding().copied().filter(|_| HIDING);
        if HIDING && hiding.is_none() {
            return Err(ConfigError("kzg-zk: the reference string has no points for hiding".into()));
        }
        let (g2, setup, max) = (*srs.g2(), srs.origin().clone(), max_log_height);
        let vk = VerifierKey { g2, log_powers, max_log_height: max, setup, hiding: hiding.map(|(_, xi)| xi) };
        Ok((ProverKey { srs, log_powers, max_log_height: max, hiding: hiding.map(|(xi, _)| xi) }, vk))
    }

    fn prepare(pk: &ProverKey<S>, largest: Largest) {
        let log_height = largest.log_height.min(pk.max_log_height);
        pk.srs.first_powers(log_height);
        for n in 0..=log_height {
            pk.srs.lagrange(n);
        }
    }

    fn properties(vk: &VerifierKey<S>) -> Properties {
        let setup = vk.setup.clone();
        Properties { setup, post_quantum: false, hiding: vk.hiding.is_some(), verifier: "1 + columns" }
    }

    /// A commitment stands for one polynomial, but of degree up to `N` whatever the height: a term
    /// that a PIOP states for degree `n` holds for `N`, hence loses at most `log2 N`.
    fn list_bits(vk: &VerifierKey<S>) -> f64 {
        vk.log_powers as f64
    }

    fn fits(vk: &VerifierKey<S>, shapes: &[Shape]) -> Result<(), ConfigError> {
        crate::not_higher("the reference string", vk.max_log_height, shapes)
    }

    fn receive(
        vk: &VerifierKey<S>,
        shapes: &[Shape],
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Self::Commitment, Reject> {
        <Self as Scheme<S>>::fits(vk, shapes)?;
        t.bind("kzg shapes", &encode_shapes(shapes));
        shapes.iter().map(|shape| (0..shape.width).map(|_| recv_point::<S>(label, t)).collect()).collect()
    }

    fn commit(
        pk: &ProverKey<S>,
        matrices: Vec<Columns<S::Base>>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Self::Opener, ProveError> {
        prover::commit(pk, matrices, label, t)
    }
}

impl<S: PairingSetting, const HIDING: bool> Opens<S, UniEval<S::Ext>> for Kzg<HIDING> {
    type Hints = ();

    fn verify(
        vk: &VerifierKey<S>,
        oracles: &[(&Self::Commitment, &[Shape])],
        claims: &[Claim<UniEval<S::Ext>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        let opened = gather::<S>(claims).map_err(Reject::new)?;
        let points = union::<S>(&opened);
        if opened.is_empty() {
            return Ok(());
        }
        assume_powers::<S>(t.ledger(), vk.log_powers);
        t.bind("kzg points", &encode_points::<S>(&opened));

        // 1. to 4.
        let [batch, evaluation] = terms::<S>(&opened, points.len(), vk.log_powers);
        let gamma = t.challenge::<S>("kzg batch", Some(&batch))?;
        let quotient = recv_point::<S>("kzg quotient", t)?;
        let z = t.challenge::<S>("kzg point", Some(&evaluation))?;
        let witness = recv_point::<S>("kzg witness", t)?;

        // 5. F + z W' as one sum.
        let (mut bases, mut scalars) = (Vec::new(), Vec::new());
        let mut constant = S::Ext::ZERO;
        let mut power = S::Ext::ONE;
        for matrix in &opened {
            let commitments = oracles
                .get(matrix.oracle)
                .and_then(|(commitment, _)| commitment.get(matrix.matrix))
                .filter(|commitments| commitments.len() == matrix.width())
                .ok_or_else(|| Reject::new("claims about no matrix of that width"))?;
            let weight = vanishing::<S>(&others::<S>(&points, &matrix.points()), z);
            constant += weight * matrix.remainder(gamma, power, z);
            for commitment in commitments {
                bases.push(*commitment);
                scalars.push(S::scalar(weight * power));
                power *= gamma;
            }
        }
        bases.extend([G1::<S>::generator(), quotient, witness]);
        scalars.extend([-constant, -vanishing::<S>(&points, z), z].map(S::scalar));
        let left: Projective<S::G1> = msm(&bases, &scalars);

        let (mut g1, mut g2) = (vec![left, -witness.into_group()], vk.g2.to_vec());
        if let Some(xi) = vk.hiding {
            g1.push(-recv_point::<S>("kzg blinding", t)?.into_group());
            g2.push(xi);
        }
        require_product_one::<S>(g1, g2, "kzg pairing check")
    }

    fn view<'o>(
        _: &ProverKey<S>,
        opener: &'o Self::Opener,
        matrix: usize,
        log_expand: usize,
    ) -> <UniEval<S::Ext> as ClaimKind<S>>::View<'o> {
        <UniEval<S::Ext> as ClaimKind<S>>::view(&opener.columns[matrix], log_expand)
    }

    fn answer(
        _: &ProverKey<S>,
        openers: &[&Self::Opener],
        questions: &[Question<UniEval<S::Ext>>],
        (): &mut (),
    ) -> Vec<Vec<S::Ext>> {
        questions.iter().map(|q| evaluate::<S>(&openers[q.oracle.0].columns[q.matrix], q.query)).collect()
    }

    fn open(
        pk: &ProverKey<S>,
        openers: &[&Self::Opener],
        claims: &[Claim<UniEval<S::Ext>, S::Ext>],
        (): (),
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        prover::open(pk, openers, claims, t)
    }
}

/// The claims about one matrix, each point once.
struct Opened<'c, E> {
    oracle: usize,
    matrix: usize,
    /// The points with the values of every column there.
    at: Vec<(E, &'c [E])>,
}

impl<E: Field> Opened<'_, E> {
    fn width(&self) -> usize {
        self.at.first().map_or(0, |(_, values)| values.len())
    }

    /// `S_i`.
    fn points(&self) -> Vec<E> {
        self.at.iter().map(|(point, _)| *point).collect()
    }

    /// `sum_i gamma^i r_i(z)` over the columns, powers starting with `power`: the interpolation of
    /// the combined values.
    fn remainder(&self, gamma: E, power: E, z: E) -> E {
        let mut sum = E::ZERO;
        for (i, (point, values)) in self.at.iter().enumerate() {
            let combined = values.iter().rev().fold(E::ZERO, |acc, &v| acc * gamma + v) * power;
            let (mut above, mut below) = (E::ONE, E::ONE);
            for (j, (other, _)) in self.at.iter().enumerate() {
                if i != j {
                    above *= z - *other;
                    below *= *point - *other;
                }
            }
            // The points of one matrix differ.
            sum += combined * above * below.try_inverse().unwrap_or(E::ZERO);
        }
        sum
    }
}

/// Sorts the claims by matrix, leaving out matrices without columns.
fn gather<S: PairingSetting>(
    claims: &[Claim<UniEval<S::Ext>, S::Ext>],
) -> Result<Vec<Opened<'_, S::Ext>>, &'static str> {
    let mut matrices: BTreeMap<_, Opened<'_, S::Ext>> = BTreeMap::new();
    for claim in claims.iter().filter(|claim| !claim.values.is_empty()) {
        let (oracle, matrix) = (claim.oracle, claim.matrix);
        let empty = Opened { oracle, matrix, at: Vec::new() };
        let at = &mut matrices.entry((oracle, matrix)).or_insert(empty).at;
        let (point, values) = (claim.query.0, claim.values.as_slice());
        if at.first().is_some_and(|(_, first)| first.len() != values.len()) {
            return Err("claims of different widths about one matrix");
        }
        match at.iter().find(|(p, _)| *p == point) {
            None => at.push((point, values)),
            Some((_, same)) if *same == values => {}
            Some(_) => return Err("two answers to one question"),
        }
    }
    Ok(matrices.into_values().collect())
}

/// `T`, in order of first mention.
fn union<S: PairingSetting>(opened: &[Opened<'_, S::Ext>]) -> Vec<S::Ext> {
    let mut points = Vec::new();
    for (point, _) in opened.iter().flat_map(|matrix| &matrix.at) {
        if !points.contains(point) {
            points.push(*point);
        }
    }
    points
}

/// `T - S_i`.
fn others<S: PairingSetting>(points: &[S::Ext], own: &[S::Ext]) -> Vec<S::Ext> {
    points.iter().filter(|point| !own.contains(point)).copied().collect()
}

/// `Z_A(z)`.
fn vanishing<S: PairingSetting>(points: &[S::Ext], z: S::Ext) -> S::Ext {
    points.iter().map(|&point| z - point).product()
}

/// What is asked, for the transcript: every point with its matrix.
fn encode_points<S: PairingSetting>(opened: &[Opened<'_, S::Ext>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for matrix in opened {
        for (point, _) in &matrix.at {
            bytes.extend_from_slice(&(matrix.oracle as u32).to_le_bytes());
            bytes.extend_from_slice(&(matrix.matrix as u32).to_le_bytes());
            S::encode(*point, &mut bytes);
        }
    }
    bytes
}

/// The error terms of `gamma` and `z`.
fn terms<S: PairingSetting>(opened: &[Opened<'_, S::Ext>], points: usize, log_powers: usize) -> [ErrorTerm; 2] {
    let columns: usize = opened.iter().map(Opened::width).sum();
    let degree = (log_powers as f64).exp2() + points as f64;
    [
        ErrorTerm::schwartz_zippel("kzg batch", columns as f64, S::ext_bits()),
        ErrorTerm::schwartz_zippel("kzg point", degree, S::ext_bits()),
    ]
}
