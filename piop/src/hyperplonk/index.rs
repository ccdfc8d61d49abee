//! What a circuit fixes: its fixed columns, and the permutation whose cycles are the cells that copy
//! constraints join.

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use trilemma_arith::plonkish::Circuit;
use trilemma_core::{Columns, Setting, Shape};

/// The shape of [`index`]'s matrix, if there is one.
pub fn shape<S: Setting>(circuit: &Circuit<S>) -> Option<Shape> {
    let width = circuit.fixed_names.len() + circuit.permuted.len();
    (width > 0).then_some(Shape { log_height: circuit.log_rows, width })
}

/// Fixed columns, then `sigma` of every permuted column, as one matrix.
pub fn index<S: Setting>(circuit: &Circuit<S>) -> Vec<Columns<S::Base>> {
    let Some(shape) = shape(circuit) else { return Vec::new() };
    let (rows, fixed) = (circuit.rows(), circuit.fixed_names.len());
    let sigma = circuit.permutation();
    let mut values = S::Base::zero_vec(shape.width * rows);
    values.par_chunks_mut(shape.width).with_min_len(1 << 8).enumerate().for_each(|(row, cells)| {
        let (fixed, sigmas) = cells.split_at_mut(fixed);
        fixed.iter_mut().enumerate().for_each(|(i, cell)| *cell = circuit.fixed.column(i)[row]);
        sigmas.iter_mut().enumerate().for_each(|(j, cell)| *cell = S::Base::from_u32(sigma[j * rows + row]));
    });
    vec![Columns::new(values, shape.width)]
}
