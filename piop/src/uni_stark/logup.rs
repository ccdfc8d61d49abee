//! The prover's bus columns: helpers, accumulator and sum of one instance.

use p3_field::{BasedVectorSpace, Field, PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::Kernel;
use trilemma_arith::kernel::{Cells, Challenges, PackedBase, PackedExt};
use trilemma_core::Setting;
use trilemma_core::claim::Columns;

use crate::instances::InstanceLayout;
use crate::packed::invert_denominators;

/// Bus columns of an instance.
pub struct BusColumns<S: Setting> {
    /// Helper columns, if there is more than one pair.
    pub helpers: Option<Columns<S::Base>>,
    /// The accumulator.
    pub accumulator: Columns<S::Base>,
    /// Sum of all fractions.
    pub sum: S::Ext,
}

/// Packed rows gathered from row-major cells; rows past the end wrap around.
pub fn gather<P: PackedValue>(cells: &[P::Value], width: usize, row: usize, out: &mut Vec<P>) {
    out.clear();
    let first = row * width;
    if first + P::WIDTH * width <= cells.len() {
        let block = &cells[first..first + P::WIDTH * width];
        out.extend((0..width).map(|c| P::from_fn(|lane| block[lane * width + c])));
    } else {
        out.extend((0..width).map(|c| P::from_fn(|lane| cells[(first + lane * width + c) % cells.len()])));
    }
}

/// Computes the bus columns of an instance from its columns on the trace domain.
pub fn bus_columns<S: Setting>(
    kernel: &dyn Kernel<S>,
    instance: &InstanceLayout,
    fixed: Option<&Columns<S::Base>>,
    main: &Columns<S::Base>,
    challenges: &Challenges<S::Ext>,
) -> BusColumns<S> {
    const GROUPS: usize = 32;
    let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    let lanes = PackedBase::<S>::WIDTH;
    let height = 1usize << instance.log_height;
    let pairs = instance.pairs();
    let helper_width = d * (pairs - 1);
    let mut helpers = S::Base::zero_vec(height * helper_width);
    let mut totals = S::Ext::zero_vec(height);
    let chunk = (GROUPS * lanes).min(height);

    let work = |start: usize, helpers: &mut [S::Base], totals: &mut [S::Ext]| {
        let mut fractions = Vec::with_capacity(GROUPS * instance.interactions);
        let (mut main_cells, mut fixed_cells) = (Vec::new(), Vec::new());
        let mut next_cells = Vec::new();
        for row in (start..start + totals.len()).step_by(lanes) {
            gather(&main.values, main.width, row, &mut main_cells);
            if instance.uses_next {
                gather_next(main, row, &mut next_cells);
            }
            if let Some(fixed) = fixed {
                gather(&fixed.values, fixed.width, row, &mut fixed_cells);
            }
            let cells = Cells { fixed: &fixed_cells, main: &main_cells, next: &next_cells };
            kernel.packed(cells, challenges, &[], &mut fractions);
        }
        let inverses = invert_denominators::<S, _>(&fractions);
        for (group, (fractions, inverses)) in
            fractions.chunks_exact(instance.interactions).zip(inverses.chunks_exact(instance.interactions)).enumerate()
        {
            let mut total = PackedExt::<S>::ZERO;
            for pair in 0..pairs {
                let range = 2 * pair..(2 * pair + 2).min(instance.interactions);
                let h: PackedExt<S> = range.map(|i| inverses[i] * fractions[i].0).sum();
                total += h;
                if pair + 1 < pairs {
                    let coefficients = h.as_basis_coefficients_slice();
                    for lane in 0..lanes.min(totals.len()) {
                        let at = (group * lanes + lane) * helper_width + pair * d;
                        for (k, c) in coefficients.iter().enumerate() {
                            helpers[at + k] = c.as_slice()[lane];
                        }
                    }
                }
            }
            for lane in 0..lanes.min(totals.len()) {
                totals[group * lanes + lane] = total.extract(lane);
            }
        }
    };
    if helper_width > 0 {
        helpers
            .par_chunks_mut(chunk * helper_width)
            .zip(totals.par_chunks_mut(chunk))
            .enumerate()
            .for_each(|(i, (helpers, totals))| work(i * chunk, helpers, totals));
    } else {
        totals.par_chunks_mut(chunk).enumerate().for_each(|(i, totals)| work(i * chunk, &mut [], totals));
    }

    let sum: S::Ext = totals.par_iter().copied().sum();
    let share = sum * S::Base::ONE.div_2exp_u64(instance.log_height as u64);
    let mut accumulator = Vec::with_capacity(height * d);
    let mut acc = S::Ext::ZERO;
    for &total in &totals {
        accumulator.extend_from_slice(BasedVectorSpace::<S::Base>::as_basis_coefficients_slice(&acc));
        acc += total - share;
    }
    BusColumns {
        helpers: (helper_width > 0).then(|| Columns::new(helpers, helper_width)),
        accumulator: Columns::new(accumulator, d),
        sum,
    }
}

fn gather_next<F: Field>(main: &Columns<F>, row: usize, out: &mut Vec<F::Packing>) {
    let (width, cells) = (main.width, &main.values);
    out.clear();
    out.extend((0..width).map(|c| F::Packing::from_fn(|lane| cells[((row + lane + 1) * width + c) % cells.len()])));
}
