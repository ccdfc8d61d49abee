//! Copy constraints as one permutation of cells.

use std::collections::HashMap;

use super::circuit::{Cell, Circuit};
use super::graph::Column;
use trilemma_core::Setting;

impl<S: Setting> Circuit<S> {
    /// The successor of every cell of the permuted columns under a permutation whose cycles are the cells that copies
    /// join. Cells are numbered column by column.
    ///
    /// # Panics
    /// A copy names a cell outside of the permuted columns: ignoring it would drop the constraint.
    pub fn permutation(&self) -> Vec<u32> {
        permutation(&self.permuted, self.rows(), &self.copies)
    }
}

fn permutation(permuted: &[Column], rows: usize, copies: &[(Cell, Cell)]) -> Vec<u32> {
    let columns: HashMap<Column, usize> = permuted.iter().enumerate().map(|(j, &column)| (column, j)).collect();
    let number = |cell: &Cell| {
        assert!(cell.row < rows && columns.contains_key(&cell.column), "no permuted cell: {cell:?}");
        columns[&cell.column] * rows + cell.row
    };
    let cells = u32::try_from(permuted.len() * rows).expect("cells of permuted columns number fewer than 2^32");
    let mut next: Vec<u32> = (0..cells).collect();
    let mut parents = next.clone();
    let root = |parents: &mut [u32], mut cell: usize| {
        while parents[cell] as usize != cell {
            parents[cell] = parents[parents[cell] as usize];
            cell = parents[cell] as usize;
        }
        cell
    };
    for (a, b) in copies {
        let (a, b) = (number(a), number(b));
        let (class, other) = (root(&mut parents, a), root(&mut parents, b));
        // Exchanging successors makes one cycle of two, and would make two of one.
        if class != other {
            parents[class.max(other)] = class.min(other) as u32;
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
        let cycle = |start: u32| {
            let mut cells = vec![start];
            while sigma[cells[cells.len() - 1] as usize] != start {
                cells.push(sigma[cells[cells.len() - 1] as usize]);
            }
            cells.sort_unstable();
            cells
        };
        assert_eq!(cycle(1), [1, 3, 4, 5, 6]);
        for alone in [0, 2, 7] {
            assert_eq!(cycle(alone), [alone]);
        }
    }

    #[test]
    #[should_panic(expected = "no permuted cell")]
    fn no_copy_is_ignored() {
        let cell = |column| Cell { column, row: 0 };
        permutation(&[Column::Early(0)], 1, &[(cell(Column::Early(0)), cell(Column::Early(1)))]);
    }
}
