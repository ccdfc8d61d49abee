//! What can be asked of a committed matrix. A claim is a linear functional of its columns.

use std::borrow::Cow;

use p3_field::{ExtensionField, Field, PrimeCharacteristicRing, TwoAdicField};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;

use crate::multilinear::eq_index;
use crate::setting::{Setting, Smooth};

/// Columns over a field, row-major, with a power of two of rows.
///
/// A column is a polynomial given by its values: on the subgroup of that order in natural order for
/// univariate kinds, on the boolean hypercube for multilinear ones.
pub type Columns<F> = RowMajorMatrix<F>;

/// A kind of claim about a matrix; a scheme says which kinds it answers by implementing
/// [`crate::Opens`] for them.
pub trait ClaimKind<S: Setting>: Clone + Send + Sync + 'static {
    /// Name in configurations and reports.
    const NAME: &'static str;
    /// What a prover may ask to see of its own oracle.
    type On: Clone;
    /// What it then sees.
    type View<'o>;

    /// The definition: the value of every column. Slow, never wrong; the ideal scheme and the tests
    /// use it.
    fn evaluate(&self, columns: &Columns<S::Base>) -> Vec<S::Ext>;

    /// The view computed from the columns themselves.
    fn view<'o>(columns: &'o Columns<S::Base>, on: Self::On) -> Self::View<'o>;

    /// Bytes that identify the query, for transcripts and for grouping equal ones.
    fn encode(&self) -> Vec<u8>;
}

/// The value of a univariate polynomial at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UniEval<E>(pub E);

/// Rows of low-degree extensions on the coset `shift * H`, `|H| = rows << log_expand`, in
/// bit-reversed order.
pub struct CosetView<'o, F: Clone> {
    /// The values, row-major.
    pub values: Cow<'o, [F]>,
    /// Columns.
    pub width: usize,
    /// The coset's shift; equal for matrices of equal height.
    pub shift: F,
}

impl<S: Smooth> ClaimKind<S> for UniEval<S::Ext> {
    const NAME: &'static str = "univariate evaluation";
    type On = usize;
    type View<'o> = CosetView<'o, S::Base>;

    fn evaluate(&self, columns: &Columns<S::Base>) -> Vec<S::Ext> {
        let (h, z) = (columns.height(), self.0);
        let g = S::Base::two_adic_generator(h.trailing_zeros() as usize);
        let on_domain = S::Ext::from(S::Base::ONE) * z.exp_u64(h as u64) == S::Ext::ONE;
        let points: Vec<S::Base> = g.powers().take(h).collect();
        let weights: Vec<S::Ext> = if on_domain {
            points.iter().map(|&x| if S::Ext::from(x) == z { S::Ext::ONE } else { S::Ext::ZERO }).collect()
        } else {
            let scale = (z.exp_u64(h as u64) - S::Ext::ONE) * S::Ext::from(S::Base::from_usize(h).inverse());
            let denominators: Vec<S::Ext> = points.iter().map(|&x| z - S::Ext::from(x)).collect();
            p3_field::batch_multiplicative_inverse(&denominators)
                .into_iter()
                .zip(&points)
                .map(|(inv, &x)| inv * scale * x)
                .collect()
        };
        let mut values = vec![S::Ext::ZERO; columns.width()];
        for (row, weight) in columns.row_slices().zip(weights) {
            for (value, &cell) in values.iter_mut().zip(row) {
                *value += weight * cell;
            }
        }
        values
    }

    fn view<'o>(columns: &'o Columns<S::Base>, log_expand: usize) -> CosetView<'o, S::Base> {
        let lde = S::extend(columns.clone(), log_expand);
        CosetView { width: lde.width(), values: Cow::Owned(lde.values), shift: S::Base::GENERATOR }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        crate::setting::encode_ext::<S>(&self.0, &mut bytes);
        bytes
    }
}

/// The value of a multilinear polynomial at a point, whose first coordinate belongs to the most
/// significant bit of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MlEval<E>(pub Vec<E>);

/// A matrix column by column.
pub struct ByColumn<'o, F: Clone> {
    /// The values of the first column, then of the second, and so on.
    pub values: Cow<'o, [F]>,
    /// Rows, at least one.
    pub height: usize,
}

impl<F: Clone> ByColumn<'_, F> {
    /// The columns.
    pub fn columns(&self) -> impl Iterator<Item = &[F]> {
        self.values.chunks_exact(self.height)
    }
}

impl<S: Setting> ClaimKind<S> for MlEval<S::Ext> {
    const NAME: &'static str = "multilinear evaluation";
    type On = ();
    type View<'o> = ByColumn<'o, S::Base>;

    fn evaluate(&self, columns: &Columns<S::Base>) -> Vec<S::Ext> {
        let mut values = vec![S::Ext::ZERO; columns.width()];
        for (row, cells) in columns.row_slices().enumerate() {
            let weight = eq_index(row, &self.0);
            values.iter_mut().zip(cells).for_each(|(value, &cell)| *value += weight * cell);
        }
        values
    }

    fn view<'o>(columns: &'o Columns<S::Base>, (): ()) -> ByColumn<'o, S::Base> {
        ByColumn { values: Cow::Owned(columns.transpose().values), height: columns.height() }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.iter().for_each(|x| crate::setting::encode_ext::<S>(x, &mut bytes));
        bytes
    }
}

/// A query with the values it is claimed to have, one for each column of the matrix.
#[derive(Debug, Clone)]
pub struct Claim<Q, E> {
    /// Oracle, in the order in which they were sent, the index's oracle first.
    pub oracle: usize,
    /// Matrix within the oracle.
    pub matrix: usize,
    /// The functional.
    pub query: Q,
    /// Claimed values, one for each column.
    pub values: Vec<E>,
}

/// Rejoins base columns into extension values: `values` holds `DIMENSION` entries for each.
pub fn rejoin<F: Field, E: ExtensionField<F>>(values: &[E]) -> Vec<E> {
    values
        .chunks_exact(E::DIMENSION)
        .map(|chunk| chunk.iter().enumerate().map(|(i, &v)| v * E::ith_basis_element(i).unwrap_or(E::ZERO)).sum())
        .collect()
}
