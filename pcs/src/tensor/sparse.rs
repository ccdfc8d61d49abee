//! Random sparse matrices, fixed by a public seed.

use p3_field::{Field, PackedValue};
use rayon::prelude::*;
use trilemma_core::Setting;
use trilemma_core::setting::mask_to_bits;

/// A stream of public random numbers.
pub struct Stream(blake3::OutputReader);

impl Stream {
    /// The stream of a purpose.
    pub fn new(purpose: &str) -> Self {
        Self(blake3::Hasher::new_derive_key("trilemma sparse matrices v1").update(purpose.as_bytes()).finalize_xof())
    }

    fn below(&mut self, n: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        ((u128::from(u64::from_le_bytes(bytes)) * n as u128) >> 64) as usize
    }

    fn nonzero<S: Setting>(&mut self) -> S::Base {
        let mut bytes = vec![0; S::BYTES];
        loop {
            self.0.fill(&mut bytes);
            mask_to_bits::<S>(&mut bytes);
            match S::decode(&bytes) {
                Some(x) if !x.is_zero() => return x,
                _ => {}
            }
        }
    }
}

/// A matrix that maps `inputs` rows to `outputs` rows.
pub struct Sparse<F> {
    /// Where the entries of each output end.
    ends: Vec<usize>,
    /// Inputs and coefficients.
    entries: Vec<(u32, F)>,
}

impl<F: Field> Sparse<F> {
    /// Every input goes to `weight` different outputs, with coefficients other than zero.
    pub fn random<S: Setting<Base = F>>(inputs: usize, outputs: usize, weight: usize, stream: &mut Stream) -> Self {
        let weight = weight.min(outputs);
        let mut drawn: Vec<(u32, u32, F)> = Vec::with_capacity(inputs * weight);
        for input in 0..inputs {
            let first = drawn.len();
            while drawn.len() < first + weight {
                let output = stream.below(outputs) as u32;
                if drawn[first..].iter().all(|&(o, ..)| o != output) {
                    drawn.push((output, input as u32, stream.nonzero::<S>()));
                }
            }
        }
        drawn.par_sort_unstable_by_key(|&(output, input, _)| (output, input));
        let ends = (0..outputs as u32).map(|o| drawn.partition_point(|&(output, ..)| output <= o)).collect();
        Self { ends, entries: drawn.into_iter().map(|(_, input, x)| (input, x)).collect() }
    }

    /// Writes the product with a matrix of rows of `width` cells.
    pub fn apply(&self, rows: &[F], width: usize, out: &mut [F]) {
        out.par_chunks_exact_mut(width).with_min_len(64).enumerate().for_each(|(output, out)| {
            let start = if output == 0 { 0 } else { self.ends[output - 1] };
            out.fill(F::ZERO);
            for &(input, x) in &self.entries[start..self.ends[output]] {
                add_scaled_row(out, &rows[input as usize * width..][..width], x);
            }
        });
    }
}

/// `sum += scale * addend`.
fn add_scaled_row<F: Field>(sum: &mut [F], addend: &[F], scale: F) {
    let packed = F::Packing::from(scale);
    let (sums, rest) = F::Packing::pack_slice_with_suffix_mut(sum);
    let (addends, suffix) = F::Packing::pack_slice_with_suffix(addend);
    sums.iter_mut().zip(addends).for_each(|(sum, &x)| *sum += packed * x);
    rest.iter_mut().zip(suffix).for_each(|(sum, &x)| *sum += scale * x);
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use p3_koala_bear::KoalaBear;
    use trilemma_core::setting::KoalaBear4;

    use super::*;

    #[test]
    fn every_input_has_its_weight() {
        let (inputs, outputs, weight) = (40, 13, 5);
        let matrix = Sparse::random::<KoalaBear4>(inputs, outputs, weight, &mut Stream::new("test"));
        assert_eq!(matrix.entries.len(), inputs * weight);
        // Its transpose, by rows of the identity, in rows of every alignment.
        for width in [inputs, inputs + 3] {
            let mut rows = KoalaBear::zero_vec(inputs * width);
            (0..inputs).for_each(|i| rows[i * width + i] = KoalaBear::ONE);
            let mut out = KoalaBear::zero_vec(outputs * width);
            matrix.apply(&rows, width, &mut out);
            for input in 0..inputs {
                assert_eq!(out[input..].iter().step_by(width).filter(|x| !x.is_zero()).count(), weight);
            }
        }
        let again = Sparse::<KoalaBear>::random::<KoalaBear4>(inputs, outputs, weight, &mut Stream::new("test"));
        assert_eq!(again.entries, matrix.entries);
    }
}
