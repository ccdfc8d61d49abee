//! What a circuit fixes: its fixed columns, and the permutation whose cycles are the cells that copy
//! constraints join.

use std::collections::HashMap;

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use trilemma_arith::plonkish::{Cell, Circuit, Column};
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
    let sigma = permutation(&circuit.permuted, rows, &circuit.copies);
    let mut values = S::Base::zero_vec(shape.width * rows);
    values.par_chunks_mut(shape.width).with_min_len(1 << 8).enumerate().for_each(|(row, cells)| {
        let (fixed, sigmas) = cells.split_at_mut(fixed);
        fixed.iter_mut().enumerate().for_each(|(i, cell)| *cell = circuit.fixed.column(i)[row]);
        sigmas.iter_mut().enumerate().for_each(|(j, cell)| *cell = S::Base::from_usize(sigma[j * rows + row]));
    });
    vec![Columns::new(values, shape.width)]
}

/// The successor of every cell of the permuted columns, column by column.
///
/// # Panics
/// A copy names a cell that is not in a permuted column: ignoring it would drop the constraint.
fn permutation(permuted: &[Column], rows: usize, copies: &[(Cell, Cell)]) -> Vec<usize> {
    let columns: HashMap<Column, usize> = permuted.iter().enumerate().map(|(j, &column)| (column, j)).collect();
    let number = |cell: &Cell| {
        assert!(cell.row < rows && columns.contains_key(&cell.column), "no permuted cell: {cell:?}");
        columns[&cell.column] * rows + cell.row
    };
    let mut next: Vec<usize> = (0..permuted.len() * rows).collect();
    let mut parents = next.clone();
    let root = |parents: &mut [usize], mut cell: usize| {
        while parents[cell] != cell {
            parents[cell] = parents[parents[cell]];
            cell = parents[cell];
        }
        cell
    };
    for (a, b) in copies {
        let (a, b) = (number(a), number(b));
        let (class, other) = (root(&mut parents, a), root(&mut parents, b));
        // Exchanging successors makes one cycle of two, and would make two of one.
        if class != other {
            parents[class.max(other)] = class.min(other);
            next.swap(a, b);
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_the_joined_cells() {
        let permuted = [Column::Early(3), Column::Instance];
        let cell = |j: usize, row| Cell { column: permuted[j], row };
        let copies = [
            (cell(0, 1), cell(1, 2)),
            (cell(1, 2), cell(0, 3)),
            (cell(0, 3), cell(0, 1)),
            (cell(0, 0), cell(0, 0)),
            (cell(1, 0), cell(1, 1)),
            (cell(0, 3), cell(1, 1)),
        ];
        let sigma = permutation(&permuted, 4, &copies);
        let cycle = |start: usize| {
            let mut cells = vec![start];
            while sigma[cells[cells.len() - 1]] != start {
                cells.push(sigma[cells[cells.len() - 1]]);
            }
            cells.sort_unstable();
            cells
        };
        assert_eq!(cycle(1), [1, 3, 4, 5, 6]);
        for alone in [0, 2, 7] {
            assert_eq!(cycle(alone), [alone]);
        }
    }
}
