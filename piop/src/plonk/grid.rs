//! The prover's columns, on the domain or on a coset of it, read a few rows at a time.

use p3_field::{BasedVectorSpace, PackedValue};
use p3_util::reverse_bits_len;
use rayon::prelude::*;
use trilemma_arith::kernel::{PackedBase, PackedExt};
use trilemma_core::Setting;
use trilemma_core::claim::Columns;

use super::layout::{Group, Layout, Poly, width};

/// Where a column lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slot {
    /// The matrix.
    pub matrix: usize,
    /// Its first base column there.
    pub offset: usize,
    /// Whether it is challenge elements.
    pub ext: bool,
}

/// Where all columns lie: the instance first, then the oracles but the quotient.
#[derive(Debug, Default)]
pub struct Slots {
    fixed: Vec<Slot>,
    sigma: Vec<Slot>,
    early: Vec<Slot>,
    multiplicity: Vec<Slot>,
    late: Vec<Slot>,
    product: Vec<Slot>,
    helper: Vec<Slot>,
    /// The instance and the accumulator.
    single: [Slot; 2],
}

impl Slots {
    /// The slots of a layout.
    pub fn new<S: Setting>(layout: &Layout) -> Self {
        let mut slots = Self::default();
        let oracles = [&layout.index, &layout.early, &layout.late, &layout.arguments];
        for (matrix, group) in oracles.into_iter().flatten().enumerate() {
            let mut offset = 0;
            for &poly in &group.polys {
                *slots.of_mut(poly) = Slot { matrix: matrix + 1, offset, ext: poly.is_ext() };
                offset += poly.width::<S>();
            }
        }
        slots
    }

    fn of_mut(&mut self, poly: Poly) -> &mut Slot {
        let (slots, i) = match poly {
            Poly::Fixed(i) => (&mut self.fixed, i),
            Poly::Sigma(i) => (&mut self.sigma, i),
            Poly::Early(i) => (&mut self.early, i),
            Poly::Multiplicity(i) => (&mut self.multiplicity, i),
            Poly::Late(i) => (&mut self.late, i),
            Poly::Product(i) => (&mut self.product, i),
            Poly::Helper(i) => (&mut self.helper, i),
            Poly::Accumulator => return &mut self.single[1],
            Poly::Instance | Poly::Quotient(_) => return &mut self.single[0],
        };
        slots.resize(slots.len().max(i + 1), Slot::default());
        &mut slots[i]
    }

    /// Where a column of the layout lies; the quotient is not among them.
    #[inline]
    pub fn of(&self, poly: Poly) -> Slot {
        match poly {
            Poly::Fixed(i) => self.fixed[i],
            Poly::Sigma(i) => self.sigma[i],
            Poly::Early(i) => self.early[i],
            Poly::Multiplicity(i) => self.multiplicity[i],
            Poly::Late(i) => self.late[i],
            Poly::Product(i) => self.product[i],
            Poly::Helper(i) => self.helper[i],
            Poly::Accumulator => self.single[1],
            Poly::Instance | Poly::Quotient(_) => self.single[0],
        }
    }
}

/// Matrices over the domain, or over a coset of it.
pub struct Grid<'a, F> {
    /// Rows of every matrix, and their length.
    pub matrices: Vec<(&'a [F], usize)>,
    /// The points of the rows.
    pub points: &'a [F],
    /// Whether rows are in bit-reversed order.
    pub reversed: bool,
}

/// Positions of some rows, and of those that follow them in the domain.
#[derive(Debug, Default)]
pub struct Rows {
    /// The rows.
    pub here: Vec<usize>,
    /// Their successors.
    pub next: Vec<usize>,
}

impl<F: Copy> Grid<'_, F> {
    /// `count` rows from `start`; beyond the end, the first ones again.
    pub fn rows(&self, start: usize, count: usize, rows: &mut Rows) {
        let (size, bits) = (self.points.len(), self.points.len().trailing_zeros() as usize);
        let here = (start..start + count).map(|row| row % size);
        rows.here.clear();
        rows.here.extend(here.clone());
        rows.next.clear();
        if self.reversed {
            let next = |row| reverse_bits_len((reverse_bits_len(row, bits) + 1) % size, bits);
            rows.next.extend(here.map(next));
        } else {
            rows.next.extend(here.map(|row| (row + 1) % size));
        }
    }

    /// The points of a word of rows.
    pub fn points<P: PackedValue<Value = F>>(&self, rows: &[usize]) -> P {
        P::from_fn(|lane| self.points[rows[lane]])
    }

    /// A base column on a word of rows.
    #[inline]
    pub fn base<P: PackedValue<Value = F>>(&self, slot: Slot, rows: &[usize]) -> P {
        let (values, width) = self.matrices[slot.matrix];
        P::from_fn(|lane| values[rows[lane] * width + slot.offset])
    }
}

/// A column of challenge elements on a word of rows.
#[inline]
pub fn ext<S: Setting>(grid: &Grid<'_, S::Base>, slot: Slot, rows: &[usize]) -> PackedExt<S> {
    PackedExt::<S>::from_basis_coefficients_fn(|i| {
        grid.base::<PackedBase<S>>(Slot { offset: slot.offset + i, ..slot }, rows)
    })
}

/// Any column on a word of rows, as challenge elements.
#[inline]
pub fn value<S: Setting>(grid: &Grid<'_, S::Base>, slot: Slot, rows: &[usize]) -> PackedExt<S> {
    if slot.ext { ext::<S>(grid, slot, rows) } else { PackedExt::<S>::from(grid.base::<PackedBase<S>>(slot, rows)) }
}

/// Words of a block: enough rows to make the loops of a program long, few enough for hundreds of registers to lie in
/// a cache.
pub const fn words<S: Setting>() -> usize {
    const BYTES: usize = 512;
    BYTES / size_of::<PackedBase<S>>()
}

/// A column of a matrix to be made.
pub enum Cells<'a, S: Setting> {
    /// Base elements.
    Base(&'a [S::Base]),
    /// Challenge elements.
    Ext(&'a [S::Ext]),
}

/// The matrix of a group, from its columns.
pub fn assemble<'a, S: Setting>(group: &Group, rows: usize, column: impl Fn(Poly) -> Cells<'a, S>) -> Columns<S::Base> {
    const ROWS: usize = 1 << 8;
    let width = width::<S>(group);
    let columns: Vec<(usize, Cells<'a, S>)> = group
        .polys
        .iter()
        .scan(0, |offset, &poly| {
            *offset += poly.width::<S>();
            Some((*offset - poly.width::<S>(), column(poly)))
        })
        .collect();
    let mut values = vec![S::Base::default(); rows * width];
    values.par_chunks_mut(ROWS * width).enumerate().for_each(|(chunk, out)| {
        for (offset, column) in &columns {
            for (row, out) in out.chunks_exact_mut(width).enumerate() {
                match column {
                    Cells::Base(cells) => out[*offset] = cells[chunk * ROWS + row],
                    Cells::Ext(cells) => {
                        let cell = cells[chunk * ROWS + row].as_basis_coefficients_slice();
                        out[*offset..offset + cell.len()].copy_from_slice(cell);
                    }
                }
            }
        }
    });
    Columns::new(values, width)
}
