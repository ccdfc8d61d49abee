//! Columns put side by side for an oracle.

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::r1cs::ByColumn;
use trilemma_core::{Columns, Setting};

/// Columns of so many rows, row by row.
pub fn by_row<S: Setting>(columns: &[&[S::Base]], height: usize) -> Columns<S::Base> {
    let width = columns.len();
    let mut values = S::Base::zero_vec(width * height);
    values.par_chunks_mut(width.max(1)).with_min_len(1 << 8).enumerate().for_each(|(row, cells)| {
        cells.iter_mut().zip(columns).for_each(|(cell, column)| *cell = column[row]);
    });
    Columns::new(values, width)
}

/// Columns over the challenge field as base columns, row by row.
pub fn extension_by_row<S: Setting>(columns: &ByColumn<S::Ext>) -> Columns<S::Base> {
    let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    let width = d * columns.width();
    let mut values = S::Base::zero_vec(width * columns.height);
    values.par_chunks_mut(width).with_min_len(1 << 8).enumerate().for_each(|(row, cells)| {
        for (c, cells) in cells.chunks_exact_mut(d).enumerate() {
            let value = &columns.column(c)[row];
            cells.copy_from_slice(BasedVectorSpace::<S::Base>::as_basis_coefficients_slice(value));
        }
    });
    Columns::new(values, width)
}
