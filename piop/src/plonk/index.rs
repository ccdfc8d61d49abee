//! Fixed columns, and the permutation as columns.

use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use rayon::prelude::*;
use trilemma_arith::plonkish::{Cell, Circuit, Column};
use trilemma_core::claim::Columns;
use trilemma_core::{Setting, Smooth};

use super::grid::{Cells, assemble};
use super::layout::{Layout, Poly, places};

/// The matrices of the index.
pub fn index<S: Smooth>(circuit: &Circuit<S>, layout: &Layout) -> Vec<Columns<S::Base>> {
    let rows = layout.rows();
    let points: Vec<S::Base> = domain::<S>(layout.log_rows);
    let places = places::<S::Base>(layout.permuted.len());
    let sigmas: Vec<S::Base> = sigma(&layout.permuted, rows, &circuit.copies)
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

/// A permutation whose cycles are the sets of cells that copies make equal; cells are numbered column by
/// column.
///
/// # Panics
/// A copy names a cell outside the permuted columns: leaving it out would leave it unproven.
fn sigma(permuted: &[Column], rows: usize, copies: &[(Cell, Cell)]) -> Vec<u32> {
    let number = |cell: &Cell| {
        let column = permuted.iter().position(|c| *c == cell.column);
        let column = column.filter(|_| cell.row < rows).expect("copies name cells of permuted columns");
        (column * rows + cell.row) as u32
    };
    // The least cell of a set stands for it.
    let mut sets: Vec<u32> = (0..(permuted.len() * rows) as u32).collect();
    let find = |sets: &mut [u32], mut cell: u32| {
        while sets[cell as usize] != cell {
            sets[cell as usize] = sets[sets[cell as usize] as usize];
            cell = sets[cell as usize];
        }
        cell
    };
    for (a, b) in copies {
        let (a, b) = (find(&mut sets, number(a)), find(&mut sets, number(b)));
        sets[a.max(b) as usize] = a.min(b);
    }
    // Every cell goes to the one before it in its set, the first to the last.
    let mut sigma: Vec<u32> = (0..sets.len() as u32).collect();
    let mut last = sigma.clone();
    for cell in 0..sets.len() as u32 {
        let first = find(&mut sets, cell);
        sigma[cell as usize] = last[first as usize];
        last[first as usize] = cell;
    }
    for first in (0..sets.len()).filter(|&cell| sets[cell] == cell as u32) {
        sigma[first] = last[first];
    }
    sigma
}
