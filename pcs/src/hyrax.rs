//! Hyrax: one group element per row of a square matrix, and one combined row for any number of
//! openings at points that agree in their right halves.
//!
//! **Claim.** For committed multilinear polynomials `f_j` of `n_j` variables, `f_j(r_j) = v_j`.
//!
//! **Relation.** The values of `f` fill a matrix `M` of `2^floor(n/2)` rows and `w = 2^ceil(n/2)`
//! columns, row by row, and `C_i = sum_k M_(i,k) G_k` commits to row `i`
//! \[WTSTW18, Section 6\]. For `L = eq(left half of r)` and `R = eq(right half of r)`, `f(r) = L^T M R`.
//!
//! **Messages**, for each group of openings with one right half:
//! 1. V: `gamma`, once for all groups, if some group has two openings.
//! 2. P: `u = sum_j gamma^j L_j^T M_j`, in the clear.
//! 3. V: accepts when `<u, R> = sum_j gamma^j v_j` and `sum_j gamma^j <L_j, C_j> = <u, G>`.
//!
//! The points of one sumcheck are suffixes of the longest, so a group is what has one width.
//!
//! **Cost.** Committing: a sum of `w` terms per row; small values are cheap, a row of zeros is free.
//! Opening: one multiplication per cell, nothing in the group. Proof: `2^floor(n/2)` points per
//! commitment, `w` scalars per group. Verifier: one sum over the rows and `w` generators.
//!
//! **Soundness.** If the second equation of 3. holds for two vectors, they are a relation between the
//! generators, which are hashes ([`crate::group`]); so under the discrete logarithm assumption `u` is
//! determined by what was committed. In the algebraic group model the rows are read off the
//! commitment, `u = sum_j gamma^j L_j^T M_j`, hence `sum_j gamma^j (f_j(r_j) - v_j) = 0`: false values
//! survive `gamma` with probability `sum (m - 1) / |F|`, `m` the openings of a group. A commitment
//! binds to one polynomial of exactly `n` variables.
//!
//! **Deviations.** Rows are not blinded, so nothing is hidden, and `u` is sent as it is instead of
//! through an inner-product argument \[BCCGP16, BBBPWM18\]. The argument would shorten the opening to
//! `2 log w` points, but not the commitments, which are as long as `u` and of which there are
//! several; it would cost the prover sums over the whole width, and spare the verifier nothing.
//!
//! | symbol | here |
//! |---|---|
//! | `C`, `G` | [`Commitment::rows`], [`Key::generators`] |
//! | group, `R` | [`Group`], `eq_table(group.right)` |
//! | `gamma^j L_j` | [`Group::weights`] |

use std::sync::Arc;

use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::Projective;
use ark_ff::Zero;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use trilemma_core::multilinear::{eq_table, evaluate};
use trilemma_core::setting::encode_ext;
use trilemma_core::{
    ConfigError, ErrorTerm, Label, Options, Properties, ProveError, ProverTranscript, Reject, Setting, Setup,
    VerifierTranscript,
};

use crate::group::{G1, GroupSetting, assume_discrete_logarithm, generators, recv_points, send_points};
use crate::msm::{msm, msm_rows};
use crate::stacked::{Multilinear, Opening};

/// The scheme of Wahby, Tzialla, shelat, Thaler and Walfish.
pub struct Hyrax;

/// What both sides need.
#[derive(Clone)]
pub struct Key<S: GroupSetting> {
    generators: Arc<Vec<G1<S>>>,
    max_variables: usize,
}

/// What the verifier keeps of a polynomial.
pub struct Commitment<S: GroupSetting> {
    rows: Vec<G1<S>>,
    variables: usize,
}

/// The variables that number the rows.
const fn left(variables: usize) -> usize {
    variables / 2
}

impl<S: GroupSetting> Multilinear<S> for Hyrax {
    const NAME: &'static str = "hyrax";
    const MAX_VARIABLES: usize = 26;
    type ProverKey = Key<S>;
    type VerifierKey = Key<S>;
    type Commitment = Commitment<S>;
    type Opener = Vec<S::Base>;

    fn setup(_: &Options, max_variables: usize) -> Result<(Key<S>, Key<S>), ConfigError> {
        const LIMIT: usize = 40;
        if max_variables > LIMIT {
            return Err(ConfigError(format!("hyrax: 2^{max_variables} cells are more than 2^{LIMIT}")));
        }
        let generators = generators::<S>(1 << (max_variables - left(max_variables)));
        let key = Key { generators, max_variables };
        Ok((key.clone(), key))
    }

    fn properties(_: &Key<S>) -> Properties {
        Properties { setup: Setup::Transparent, post_quantum: false, hiding: false, verifier: "sqrt(n)" }
    }

    fn list_bits(_: &Key<S>) -> f64 {
        0.0
    }

    fn receive(
        vk: &Key<S>,
        variables: usize,
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Commitment<S>, Reject> {
        if variables > vk.max_variables {
            return Err(Reject::new("a polynomial longer than the keys are for"));
        }
        t.bind("hyrax variables", &[variables as u8]);
        Ok(Commitment { rows: recv_points::<S>(label, 1 << left(variables), t)?, variables })
    }

    fn verify(
        vk: &Key<S>,
        openings: &[Opening<'_, Commitment<S>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        if openings.iter().any(|o| o.point.len() != o.of.variables) {
            return Err(Reject::new("a point that fits no polynomial"));
        }
        assume_discrete_logarithm::<S>(t.ledger());
        openings.iter().for_each(|o| t.bind("hyrax point", &encode_point::<S>(&o.point)));
        let groups = group::<S, _>(openings);

        // 1.
        let gamma = match batching::<S, _>(&groups) {
            Some(term) => t.challenge::<S>("hyrax batch", Some(&term))?,
            None => S::Ext::ONE,
        };
        for group in &groups {
            // 2.
            let width = 1 << group.right.len();
            let row = t.recv_ext::<S>("hyrax row", width)?;

            // 3.
            let value: S::Ext = group.openings.iter().zip(gamma.powers()).map(|(o, gamma)| gamma * o.value).sum();
            if evaluate::<S::Ext, S::Ext>(&row, group.right) != value {
                return Err(Reject::new("the value of a hyrax row"));
            }
            let (mut bases, mut scalars) = (Vec::new(), Vec::new());
            for (opening, weights) in group.openings.iter().zip(group.weights(gamma)) {
                bases.extend_from_slice(&opening.of.rows);
                scalars.extend(weights);
            }
            bases.extend(vk.generators.iter().take(width));
            scalars.extend(row.into_iter().map(|x| -x));
            if !msm(&bases, S::scalars(&scalars)).is_zero() {
                return Err(Reject::new("the commitment of a hyrax row"));
            }
        }
        Ok(())
    }

    fn commit(
        pk: &Key<S>,
        values: Vec<S::Base>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Vec<S::Base>, ProveError> {
        let variables = values.len().trailing_zeros() as usize;
        if !values.len().is_power_of_two() || variables > pk.max_variables {
            let (have, max) = (values.len(), pk.max_variables);
            return Err(ConfigError(format!("hyrax: {have} values are no power of two up to 2^{max}")).into());
        }
        t.bind("hyrax variables", &[variables as u8]);
        let bases = &pk.generators[..values.len() >> left(variables)];
        let rows = msm_rows(bases, S::scalars(&values));
        send_points::<S>(label, &Projective::normalize_batch(&rows), t);
        Ok(values)
    }

    fn values(opener: &Vec<S::Base>) -> &[S::Base] {
        opener
    }

    fn open(
        _: &Key<S>,
        openings: &[Opening<'_, Vec<S::Base>, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        assume_discrete_logarithm::<S>(t.ledger());
        openings.iter().for_each(|o| t.bind("hyrax point", &encode_point::<S>(&o.point)));
        let groups = group::<S, _>(openings);
        let gamma = match batching::<S, _>(&groups) {
            Some(term) => t.challenge::<S>("hyrax batch", Some(&term))?,
            None => S::Ext::ONE,
        };
        for group in &groups {
            let width = 1 << group.right.len();
            let mut row = S::Ext::zero_vec(width);
            for (opening, weights) in group.openings.iter().zip(group.weights(gamma)) {
                add_combined::<S>(&mut row, opening.of, &weights);
            }
            t.send_ext::<S>("hyrax row", &row);
        }
        Ok(())
    }
}

/// Openings at points with one right half.
struct Group<'a, C, E> {
    right: &'a [E],
    openings: Vec<&'a Opening<'a, C, E>>,
}

impl<C, E: p3_field::Field> Group<'_, C, E> {
    /// `gamma^j L_j`.
    fn weights(&self, gamma: E) -> impl Iterator<Item = Vec<E>> {
        self.openings.iter().zip(gamma.powers()).map(|(o, gamma)| eq_table(&o.point[..left(o.point.len())], gamma))
    }
}

/// Groups openings, in order of first mention.
fn group<'a, S: GroupSetting, C>(openings: &'a [Opening<'a, C, S::Ext>]) -> Vec<Group<'a, C, S::Ext>> {
    let mut groups: Vec<Group<'_, C, S::Ext>> = Vec::new();
    for opening in openings {
        let right = &opening.point[left(opening.point.len())..];
        match groups.iter_mut().find(|group| group.right == right) {
            Some(group) => group.openings.push(opening),
            None => groups.push(Group { right, openings: vec![opening] }),
        }
    }
    groups
}

/// The error term of `gamma`, if it is needed.
fn batching<S: GroupSetting, C>(groups: &[Group<'_, C, S::Ext>]) -> Option<ErrorTerm> {
    let degree: usize = groups.iter().map(|group| group.openings.len() - 1).sum();
    (degree > 0).then(|| ErrorTerm::schwartz_zippel("hyrax batch", degree as f64, S::ext_bits()))
}

fn encode_point<S: Setting>(point: &[S::Ext]) -> Vec<u8> {
    let mut bytes = Vec::new();
    point.iter().for_each(|x| encode_ext::<S>(x, &mut bytes));
    bytes
}

/// `row += weights^T M`, `M` having rows as long as `row`.
fn add_combined<S: GroupSetting>(row: &mut Vec<S::Ext>, values: &[S::Base], weights: &[S::Ext]) {
    const CELLS: usize = 1 << 14;
    let rows = CELLS.div_ceil(row.len());
    let add = |mut a: Vec<S::Ext>, b: Vec<S::Ext>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    let width = row.len();
    let sum = values.par_chunks(rows * width).zip(weights.par_chunks(rows)).fold(
        || S::Ext::zero_vec(width),
        |mut sum, (rows, weights)| {
            for (row, &weight) in rows.chunks_exact(width).zip(weights) {
                sum.iter_mut().zip(row).for_each(|(sum, &cell)| *sum += weight * cell);
            }
            sum
        },
    );
    *row = add(std::mem::take(row), sum.reduce(|| S::Ext::zero_vec(width), add));
}
