//! What commitment schemes from linear codes share: Merkle trees over matrices whose columns are
//! words ([`oracle`]), what is proven of words near a code ([`proximity`]), and the rounds that turn
//! a point's last coordinates into challenges ([`rounds`]).
//!
//! A polynomial is laid out as a matrix, row by row: its last variables number the columns, its first
//! ones the rows. The columns are encoded, so a tree over the rows of the encoded matrix commits to
//! an interleaved word.

pub mod oracle;
pub mod proximity;
pub mod rounds;

use p3_field::{ExtensionField, Field, PackedFieldExtension, PackedValue};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrixView;
use rayon::prelude::*;

/// Every row's inner product with `weights`.
pub fn combine_columns<F: Field, E: ExtensionField<F>>(cells: &[F], weights: &[E]) -> Vec<E> {
    let lanes = F::Packing::WIDTH;
    let pack = |weights: &[E]| {
        let mut padded = weights.to_vec();
        padded.resize(lanes, E::ZERO);
        E::ExtensionPacking::from_ext_slice(&padded)
    };
    let packed: Vec<E::ExtensionPacking> = weights.chunks(lanes).map(pack).collect();
    RowMajorMatrixView::new(cells, weights.len()).rowwise_packed_dot_product::<E>(&packed).collect()
}

/// Every column's inner product with `weights`, for `2^log_columns` columns.
pub fn combine_rows<F: Field, E: ExtensionField<F>>(cells: &[F], log_columns: usize, weights: &[E]) -> Vec<E> {
    RowMajorMatrixView::new(cells, 1 << log_columns).columnwise_dot_product(weights)
}

/// `sum += scale * addend`.
pub fn add_scaled<E: Field>(sum: &mut [E], addend: &[E], scale: E) {
    sum.par_iter_mut().with_min_len(1 << 12).zip(addend).for_each(|(sum, &x)| *sum += scale * x);
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use p3_field::extension::BinomialExtensionField;
    use p3_koala_bear::KoalaBear;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};
    use trilemma_core::multilinear::{eq_table, evaluate};

    use super::*;

    type E = BinomialExtensionField<KoalaBear, 4>;

    #[test]
    fn combining_evaluates() {
        let mut rng = SmallRng::seed_from_u64(3);
        for (rows, columns) in [(0, 0), (3, 0), (0, 3), (4, 2), (5, 5), (9, 6)] {
            let cells: Vec<KoalaBear> = (0..1 << (rows + columns)).map(|_| rng.random()).collect();
            let point: Vec<E> = (0..rows + columns).map(|_| rng.random()).collect();
            let (first, last) = point.split_at(rows);
            let value = evaluate(&cells, &point);
            assert_eq!(evaluate(&combine_columns(&cells, &eq_table(last, E::ONE)), first), value);
            assert_eq!(evaluate(&combine_rows(&cells, columns, &eq_table(first, E::ONE)), last), value);
        }
    }
}
