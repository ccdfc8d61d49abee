//! Fixed columns, and the permutation as columns.

use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use rayon::prelude::*;
use trilemma_arith::plonkish::Circuit;
use trilemma_core::claim::Columns;
use trilemma_core::{Setting, Smooth};

use super::grid::{Cells, assemble};
use super::layout::{Layout, Poly, places};

/// The matrices of the index.
pub fn index<S: Smooth>(circuit: &Circuit<S>, layout: &Layout) -> Vec<Columns<S::Base>> {
    let rows = layout.rows();
    let points: Vec<S::Base> = domain::<S>(layout.log_rows);
    let places = places::<S::Base>(layout.permuted.len());
    let sigmas: Vec<S::Base> = circuit
        .permutation()
        .into_par_iter()
        .map(|cell| places[cell as usize / rows] * points[cell as usize % rows])
        .collect();
    let column = |poly| match poly {
        Poly::Sigma(c) => Cells::<S>::Base(&sigmas[c * rows..][..rows]),
        Poly::Fixed(i) => Cells::Base(circuit.fixed.column(i)),
        _ => unreachable!("the index has fixed columns and those of the permutation"),
    };
    layout.index.iter().map(|group| assemble::<S>(group, rows, column)).collect()
}

/// The points of the domain.
pub fn domain<S: Setting<Base: TwoAdicField>>(log_rows: usize) -> Vec<S::Base> {
    const CHUNK: usize = 1 << 10;
    let generator = S::Base::two_adic_generator(log_rows);
    let mut points = vec![S::Base::default(); 1 << log_rows];
    points.par_chunks_mut(CHUNK).enumerate().for_each(|(i, out)| {
        let start = generator.exp_u64((i * CHUNK) as u64);
        out.iter_mut().zip(generator.shifted_powers(start)).for_each(|(out, x)| *out = x);
    });
    points
}
