//! Matrices of many heights in one multilinear polynomial, so that a scheme need only know how to
//! commit to one and open it at one point.
//!
//! [`Stacked<P>`] turns such a scheme, a [`Multilinear`], into a [`Scheme`] that opens [`MlEval`]
//! claims. Committing lays columns end to end, tallest first, which puts a column of `2^n` rows at a
//! multiple of `2^n`: it is the stack with its first coordinates set to bits. Opening is one sumcheck
//! for all claims of all oracles ([`reduce`]), after which every stack is opened at one point; shorter
//! stacks at a suffix of the longest's.
//!
//! | symbol | meaning |
//! |---|---|
//! | `f_o`, `m_o` | stack of oracle `o`, its number of variables |
//! | `tau` | batching challenge: claim `j` counts `tau^j` |
//! | `W_o` | weights: claims of oracle `o` say `sum f_o(x) W_o(x) = sum tau^j v_j` |
//! | `rho` | point of the sumcheck |

mod layout;
mod reduce;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::marker::PhantomData;

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::{RowMajorMatrixView, RowMajorMatrixViewMut};
use trilemma_core::channel::{Question, Shape};
use trilemma_core::claim::{ByColumn, Claim, Columns, MlEval};
use trilemma_core::multilinear::SplitEq;
use trilemma_core::setting::encode_ext;
use trilemma_core::{
    ConfigError, Label, Largest, Opens, Options, Properties, ProveError, ProverTranscript, Reject, Scheme, Setting,
    VerifierTranscript,
};

use crate::encode_shapes;
use layout::Layout;
pub(crate) use reduce::{combine, products};

/// One polynomial to open: what was committed, and where.
pub struct Opening<'a, C, E> {
    /// The commitment (verifier) or what the prover keeps of it.
    pub of: &'a C,
    /// The point; its length is the polynomial's number of variables.
    pub point: Vec<E>,
    /// The value claimed there; absorbed already.
    pub value: E,
}

/// The longest point; all others are its suffixes.
pub(crate) fn longest<'o, C, E>(openings: &'o [Opening<'_, C, E>]) -> &'o [E] {
    openings.iter().map(|opening| opening.point.as_slice()).max_by_key(|point| point.len()).unwrap_or(&[])
}

/// The openings of polynomials of so many variables, if there are any.
pub(crate) fn of_length<'o, 'a, C, E>(
    openings: &'o [Opening<'a, C, E>],
    variables: usize,
) -> Option<Vec<&'o Opening<'a, C, E>>> {
    let found: Vec<_> = openings.iter().filter(|opening| opening.point.len() == variables).collect();
    (!found.is_empty()).then_some(found)
}

/// Where openings take place, for the transcript: the longest point and every length.
pub(crate) fn encode_points<S: Setting, C>(openings: &[Opening<'_, C, S::Ext>]) -> Vec<u8> {
    let mut bytes: Vec<u8> = openings.iter().map(|opening| opening.point.len() as u8).collect();
    longest(openings).iter().for_each(|x| encode_ext::<S>(x, &mut bytes));
    bytes
}

/// A scheme for multilinear polynomials given by their values on the hypercube, first coordinate of a
/// point at the most significant bit.
pub trait Multilinear<S: Setting>: Sized + Send + Sync + 'static {
    /// Name in configurations and reports.
    const NAME: &'static str;
    /// The most variables unless the options say otherwise.
    const MAX_VARIABLES: usize;
    /// The fewest variables; shorter polynomials are padded with zeros.
    const MIN_VARIABLES: usize = 0;
    /// [`Scheme::JOINT_LISTS`].
    const JOINT_LISTS: bool = false;
    /// [`Scheme::KEY_GROWS`].
    const KEY_GROWS: bool = false;
    /// What committing and opening need.
    type ProverKey: Send + Sync;
    /// What verifying needs.
    type VerifierKey: Send + Sync;
    /// What the verifier keeps of a commitment.
    type Commitment: Send + Sync;
    /// What the prover keeps of a commitment.
    type Opener: Send + Sync;

    /// Keys for polynomials of at most so many variables.
    fn setup(options: &Options, max_variables: usize) -> Result<(Self::ProverKey, Self::VerifierKey), ConfigError>;

    /// [`Scheme::prepare`] for polynomials of at most so many variables.
    fn prepare(_pk: &Self::ProverKey, _variables: usize) {}

    /// What the keys imply for a reader of a report.
    fn properties(vk: &Self::VerifierKey) -> Properties;

    /// log2 of how many polynomials one commitment may stand for; 0 when it binds to one.
    fn list_bits(vk: &Self::VerifierKey) -> f64;

    /// Commits to a polynomial of `2^n` values, sending the commitment.
    fn commit(
        pk: &Self::ProverKey,
        values: Vec<S::Base>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Self::Opener, ProveError>;

    /// The values committed to.
    fn values(opener: &Self::Opener) -> &[S::Base];

    /// Receives what [`Self::commit`] sent for a polynomial of so many variables.
    fn receive(
        vk: &Self::VerifierKey,
        variables: usize,
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Self::Commitment, Reject>;

    /// Proves every opening. No polynomial comes twice, and there is at least one; every point is a
    /// suffix of the longest.
    fn open(
        pk: &Self::ProverKey,
        openings: &[Opening<'_, Self::Opener, S::Ext>],
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError>;

    /// Checks what [`Self::open`] sent.
    fn verify(
        vk: &Self::VerifierKey,
        openings: &[Opening<'_, Self::Commitment, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject>;
}

/// A [`Multilinear`] as a scheme for matrices.
pub struct Stacked<P>(PhantomData<fn() -> P>);

/// The prover's key.
pub struct ProverKey<S: Setting, P: Multilinear<S>> {
    inner: P::ProverKey,
    max_variables: usize,
    list_bits: f64,
}

/// The verifier's key.
pub struct VerifierKey<S: Setting, P: Multilinear<S>> {
    inner: P::VerifierKey,
    max_variables: usize,
}

/// What the prover keeps: the layout, and the opener unless there is nothing to open.
pub struct Opener<S: Setting, P: Multilinear<S>> {
    layout: Layout,
    inner: Option<P::Opener>,
}

impl<S: Setting, P: Multilinear<S>> Opener<S, P> {
    fn column(&self, matrix: usize, column: usize) -> &[S::Base] {
        self.columns(matrix, column..column + 1)
    }

    fn columns(&self, matrix: usize, columns: std::ops::Range<usize>) -> &[S::Base] {
        let block = self.layout.blocks[matrix];
        let values = self.inner.as_ref().map_or(&[][..], P::values);
        let at = |column: usize| block.offset + (column << block.log_height);
        &values[at(columns.start)..at(columns.end)]
    }
}

impl<S: Setting, P: Multilinear<S>> Scheme<S> for Stacked<P> {
    const NAME: &'static str = P::NAME;
    const MAX_LOG_HEIGHT: usize = P::MAX_VARIABLES;
    const JOINT_LISTS: bool = P::JOINT_LISTS;
    const KEY_GROWS: bool = P::KEY_GROWS;
    type ProverKey = ProverKey<S, P>;
    type VerifierKey = VerifierKey<S, P>;
    type Commitment = Option<P::Commitment>;
    type Opener = Opener<S, P>;

    fn setup(options: &Options, max_log_height: usize) -> Result<(Self::ProverKey, Self::VerifierKey), ConfigError> {
        let max_variables = max_log_height.max(P::MIN_VARIABLES);
        let (pk, vk) = P::setup(options, max_variables)?;
        let list_bits = P::list_bits(&vk);
        Ok((ProverKey { inner: pk, max_variables, list_bits }, VerifierKey { inner: vk, max_variables }))
    }

    fn prepare(pk: &Self::ProverKey, largest: Largest) {
        P::prepare(&pk.inner, largest.log_cells.clamp(P::MIN_VARIABLES, pk.max_variables));
    }

    fn properties(vk: &Self::VerifierKey) -> Properties {
        P::properties(&vk.inner)
    }

    fn list_bits(vk: &Self::VerifierKey) -> f64 {
        P::list_bits(&vk.inner)
    }

    fn commit(
        pk: &Self::ProverKey,
        matrices: Vec<Columns<S::Base>>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<Self::Opener, ProveError> {
        let shapes: Vec<Shape> = matrices.iter().map(Shape::of).collect();
        let layout = Layout::new(&shapes, P::MIN_VARIABLES).ok_or_else(|| too_long(pk.max_variables))?;
        if layout.variables > pk.max_variables {
            return Err(too_long(pk.max_variables));
        }
        t.bind("shapes", &encode_shapes(&shapes));
        if layout.is_empty() {
            return Ok(Opener { layout, inner: None });
        }
        let mut values = S::Base::zero_vec(1 << layout.variables);
        for (matrix, block) in matrices.into_iter().zip(&layout.blocks) {
            let cells = matrix.width << block.log_height;
            transpose(&matrix, &mut values[block.offset..block.offset + cells]);
        }
        let inner = P::commit(&pk.inner, values, label, t)?;
        Ok(Opener { layout, inner: Some(inner) })
    }

    fn fits(vk: &Self::VerifierKey, shapes: &[Shape]) -> Result<(), ConfigError> {
        Layout::of(shapes, P::MIN_VARIABLES, vk.max_variables).map(drop).map_err(|reject| ConfigError(reject.what))
    }

    fn receive(
        vk: &Self::VerifierKey,
        shapes: &[Shape],
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<Self::Commitment, Reject> {
        let layout = Layout::of(shapes, P::MIN_VARIABLES, vk.max_variables)?;
        // Different shapes may have one stack, so that nothing sent depends on which.
        t.bind("shapes", &encode_shapes(shapes));
        if layout.is_empty() {
            return Ok(None);
        }
        P::receive(&vk.inner, layout.variables, label, t).map(Some)
    }
}

/// What opening loses to lists: those of every oracle that is asked about, the index among them, unless
/// they are joint.
fn lists_bits<S: Setting, P: Multilinear<S>, Q>(list_bits: f64, claims: &[Claim<Q, S::Ext>]) -> f64 {
    let oracles: BTreeSet<usize> = claims.iter().map(|claim| claim.oracle).collect();
    list_bits * if P::JOINT_LISTS { 1.0 } else { oracles.len() as f64 }
}

fn too_long(max: usize) -> ProveError {
    ConfigError(format!("an oracle has more than 2^{max} cells, which is what the keys are for")).into()
}

/// Writes a matrix column by column.
fn transpose<F: Copy + Default + Send + Sync>(matrix: &Columns<F>, out: &mut [F]) {
    let (width, height) = (matrix.width.max(1), out.len() / matrix.width.max(1));
    let mut columns = RowMajorMatrixViewMut::new(out, height.max(1));
    RowMajorMatrixView::new(&matrix.values, width).transpose_into(&mut columns);
}

impl<S: Setting, P: Multilinear<S>> Opens<S, MlEval<S::Ext>> for Stacked<P> {
    type Hints = ();

    fn view<'o>(_: &Self::ProverKey, opener: &'o Self::Opener, matrix: usize, (): ()) -> ByColumn<'o, S::Base> {
        let block = opener.layout.blocks[matrix];
        ByColumn { values: Cow::Borrowed(opener.columns(matrix, 0..block.width)), height: 1 << block.log_height }
    }

    fn answer(
        _: &Self::ProverKey,
        openers: &[&Self::Opener],
        questions: &[Question<MlEval<S::Ext>>],
        (): &mut (),
    ) -> Vec<Vec<S::Ext>> {
        let answer = |q: &Question<MlEval<S::Ext>>| {
            let opener = openers[q.oracle.0];
            let eq = SplitEq::new(&q.query.0);
            (0..opener.layout.blocks[q.matrix].width).map(|c| eq.evaluate(opener.column(q.matrix, c))).collect()
        };
        questions.iter().map(answer).collect()
    }

    fn open(
        pk: &Self::ProverKey,
        openers: &[&Self::Opener],
        claims: &[Claim<MlEval<S::Ext>, S::Ext>],
        (): (),
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        let layouts: Vec<&Layout> = openers.iter().map(|o| &o.layout).collect();
        let values: Vec<&[S::Base]> = openers.iter().map(|o| o.inner.as_ref().map_or(&[][..], P::values)).collect();
        let reduced = reduce::prove::<S>(&layouts, &values, claims, lists_bits::<S, P, _>(pk.list_bits, claims), t)?;
        let openings: Vec<_> = reduced
            .into_iter()
            .filter_map(|(oracle, point, value)| openers[oracle].inner.as_ref().map(|of| Opening { of, point, value }))
            .collect();
        if openings.is_empty() { Ok(()) } else { P::open(&pk.inner, &openings, t) }
    }

    fn verify(
        vk: &Self::VerifierKey,
        oracles: &[(&Self::Commitment, &[Shape])],
        claims: &[Claim<MlEval<S::Ext>, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        let layouts = oracles
            .iter()
            .map(|(_, shapes)| Layout::of(shapes, P::MIN_VARIABLES, vk.max_variables))
            .collect::<Result<Vec<_>, _>>()?;
        let reduced = reduce::verify::<S>(&layouts, claims, lists_bits::<S, P, _>(P::list_bits(&vk.inner), claims), t)?;
        let openings: Vec<_> = reduced
            .into_iter()
            .filter_map(|(oracle, point, value)| oracles[oracle].0.as_ref().map(|of| Opening { of, point, value }))
            .collect();
        if openings.is_empty() { Ok(()) } else { P::verify(&vk.inner, &openings, t) }
    }
}
