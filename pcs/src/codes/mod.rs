//! What commitment schemes from linear codes share: Merkle trees over matrices whose columns are
//! words ([`oracle`]), what is proven of words near a code ([`proximity`]), the rounds that turn a
//! point's last coordinates into challenges ([`rounds`]), and the registry's entry of a scheme whose
//! hash is an option.
//!
//! A polynomial is laid out as a matrix, row by row: its last variables number the columns, its first
//! ones the rows. The columns are encoded, so a tree over the rows of the encoded matrix commits to
//! an interleaved word.

pub mod oracle;
pub mod proximity;
pub mod rounds;

use p3_field::{ExtensionField, Field, PackedFieldExtension, PackedValue, PrimeField64};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrixView;
use rayon::prelude::*;
use trilemma_core::{ConfigError, Keyed, MlEval, Options, Runner, SchemeEntry, Setting, Smooth};

use crate::fri::HASHES;
use crate::fri::tree::{Blake3Tree, KeccakTree, Merkle, Poseidon2Tree};
use crate::stacked::{Multilinear, Stacked};

/// A scheme for every kind of tree.
pub trait Hashed<S: Setting> {
    /// The scheme over trees of kind `T`.
    type With<T: Merkle<S>>: Multilinear<S>;
}

type Made<S> = Result<Box<dyn Runner<S, MlEval<<S as Setting>::Ext>>>, ConfigError>;

fn keyed<S: Setting, P: Multilinear<S>>(options: &Options, max: usize) -> Made<S> {
    Ok(Box::new(Keyed::<S, MlEval<S::Ext>, Stacked<P>>::new(options, max)?))
}

/// The entry of a scheme over a field with a Poseidon2 tree.
pub fn entry<S: Smooth<Base: PrimeField64>, H: Hashed<S>>() -> SchemeEntry<S, MlEval<S::Ext>>
where
    Poseidon2Tree: Merkle<S>,
{
    SchemeEntry {
        name: H::With::<Blake3Tree>::NAME,
        max_log_height: H::With::<Blake3Tree>::MAX_VARIABLES,
        setup: |options, max| match options.hash.as_str() {
            "poseidon2" => keyed::<S, H::With<Poseidon2Tree>>(options, max),
            _ => byte_hashed::<S, H>(options, max, &HASHES),
        },
    }
}

/// The entry of a scheme over a field without one.
pub fn byte_entry<S: Smooth, H: Hashed<S>>() -> SchemeEntry<S, MlEval<S::Ext>> {
    SchemeEntry {
        name: H::With::<Blake3Tree>::NAME,
        max_log_height: H::With::<Blake3Tree>::MAX_VARIABLES,
        setup: |options, max| byte_hashed::<S, H>(options, max, &HASHES[..2]),
    }
}

fn byte_hashed<S: Setting, H: Hashed<S>>(options: &Options, max: usize, legal: &[&str]) -> Made<S> {
    match options.hash.as_str() {
        "blake3" => keyed::<S, H::With<Blake3Tree>>(options, max),
        "keccak" => keyed::<S, H::With<KeccakTree>>(options, max),
        other => Err(ConfigError::choice("hash", other, legal.iter().copied())),
    }
}

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
