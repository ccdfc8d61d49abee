//! Reed-Solomon codewords of many columns at once.
//!
//! A column's `n` cells are the coefficients of a polynomial, evaluated at the powers of a root of
//! unity `w` of order `n 2^r`. Row `p` of the result holds the values at `w^rev(p)`, with the bits of
//! `p` reversed: so decimation in frequency leaves them, and nothing is moved afterwards.
//!
//! The rows make `2^r` blocks of `n`, one for each coset of the roots of order `n`; a block is a
//! transform of the cells times powers of the coset's representative. Its upper layers pair rows far
//! apart, which are gathered where they stay in the cache; its lower ones pair rows of one stretch.

use p3_field::{Field, PackedValue, TwoAdicField};
use p3_matrix::dense::RowMajorMatrix;
use p3_util::reverse_bits_len;
use rayon::prelude::*;

/// log2 of the bytes that a thread transforms at a time.
const LOG_CACHE: usize = 18;

/// The point at a position of the domain of `2^log` points.
pub fn point_at<F: TwoAdicField>(position: usize, log: usize) -> F {
    F::two_adic_generator(log).exp_u64(reverse_bits_len(position, log) as u64)
}

/// The codewords of a message of `width` columns, which are `2^rate` times as long.
pub fn encode<F: TwoAdicField>(message: &[F], width: usize, rate: usize) -> RowMajorMatrix<F> {
    let rows = message.len() / width.max(1);
    let log = rows.trailing_zeros() as usize;
    let mut words = F::zero_vec(message.len() << rate);
    let roots = F::two_adic_generator(log).powers().collect_n(rows.div_ceil(2));
    let stretch = LOG_CACHE.saturating_sub((width * size_of::<F>()).ilog2() as usize).min(log);
    for (coset, block) in words.chunks_exact_mut(message.len()).enumerate() {
        let shift = F::two_adic_generator(log + rate).exp_u64(reverse_bits_len(coset, rate) as u64);
        upper_layers(message, block, width, log - stretch, (&roots, shift));
        block.par_chunks_exact_mut(width << stretch).for_each(|rows| {
            for layer in 0..stretch {
                let step = 1 << (log - stretch + layer);
                halves(rows, width << (stretch - layer), |half, other| {
                    let twiddles = roots.iter().step_by(step);
                    let pairs = half.chunks_exact_mut(width).zip(other.chunks_exact_mut(width));
                    pairs.zip(twiddles).for_each(|((a, b), &w)| butterfly(a, b, w));
                });
            }
        });
    }
    RowMajorMatrix::new(words, width)
}

/// Multiplies row `j` with `shift^j` and transforms the rows that agree in their low bits, for so many
/// layers.
fn upper_layers<F: TwoAdicField>(
    message: &[F],
    block: &mut [F],
    width: usize,
    layers: usize,
    (roots, shift): (&[F], F),
) {
    let stride = (message.len() / width) >> layers;
    let mut groups: Vec<Vec<&mut [F]>> = (0..stride).map(|_| Vec::with_capacity(1 << layers)).collect();
    for rows in block.chunks_exact_mut(width * stride) {
        groups.iter_mut().zip(rows.chunks_exact_mut(width)).for_each(|(group, row)| group.push(row));
    }
    let jump = shift.exp_u64(stride as u64);
    groups.into_par_iter().with_min_len(4).enumerate().for_each_init(Vec::new, |cells, (low, rows)| {
        cells.clear();
        let mut twist = shift.exp_u64(low as u64);
        for high in 0..rows.len() {
            let at = (high * stride + low) * width;
            cells.extend_from_slice(&message[at..at + width]);
            if shift != F::ONE {
                scale(&mut cells[high * width..], twist);
                twist *= jump;
            }
        }
        for layer in 0..layers {
            halves(cells, width << (layers - layer), |half, other| {
                let twiddles = roots.iter().skip(low << layer).step_by(stride << layer);
                let pairs = half.chunks_exact_mut(width).zip(other.chunks_exact_mut(width));
                pairs.zip(twiddles).for_each(|((a, b), &w)| butterfly(a, b, w));
            });
        }
        rows.into_iter().zip(cells.chunks_exact(width)).for_each(|(row, cells)| row.copy_from_slice(cells));
    });
}

/// Every part of `length` cells, in halves.
fn halves<F>(cells: &mut [F], length: usize, each: impl Fn(&mut [F], &mut [F])) {
    for part in cells.chunks_exact_mut(length) {
        let (half, other) = part.split_at_mut(length / 2);
        each(half, other);
    }
}

/// `(a + b, (a - b) w)`, cell by cell.
fn butterfly<F: Field>(a: &mut [F], b: &mut [F], w: F) {
    let ((a, a_rest), (b, b_rest)) =
        (F::Packing::pack_slice_with_suffix_mut(a), F::Packing::pack_slice_with_suffix_mut(b));
    let packed = F::Packing::from(w);
    for (a, b) in a.iter_mut().zip(b) {
        (*a, *b) = (*a + *b, (*a - *b) * packed);
    }
    for (a, b) in a_rest.iter_mut().zip(b_rest) {
        (*a, *b) = (*a + *b, (*a - *b) * w);
    }
}

fn scale<F: Field>(cells: &mut [F], by: F) {
    let (packed, rest) = F::Packing::pack_slice_with_suffix_mut(cells);
    let factor = F::Packing::from(by);
    packed.iter_mut().for_each(|x| *x *= factor);
    rest.iter_mut().for_each(|x| *x *= by);
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use p3_koala_bear::KoalaBear;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn columns_are_evaluated() {
        let mut rng = SmallRng::seed_from_u64(5);
        for (log, width, rate) in [(0, 1, 0), (0, 3, 2), (1, 2, 1), (4, 1, 3), (5, 20, 1), (9, 64, 1), (13, 16, 2)] {
            let message: Vec<KoalaBear> = (0..width << log).map(|_| rng.random()).collect();
            let words = encode(&message, width, rate);
            assert_eq!(words.values.len(), width << (log + rate));
            for p in [0, 1, 2, 3, 5, (1 << (log + rate)) - 1] {
                let p = p % (1 << (log + rate));
                let x: KoalaBear = point_at(p, log + rate);
                for c in 0..width {
                    let value = message[c..].iter().step_by(width).rev().fold(KoalaBear::ZERO, |v, &m| v * x + m);
                    assert_eq!(words.values[p * width + c], value, "{log} {width} {rate}: {p} {c}");
                }
            }
        }
    }
}
