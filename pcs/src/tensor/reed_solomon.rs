//! Reed-Solomon codes: messages are coefficients, codewords values on a subgroup, positions in
//! bit-reversed order.

use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use p3_matrix::Matrix;
use p3_matrix::bitrev::BitReversibleMatrix;
use trilemma_core::claim::Columns;
use trilemma_core::{ConfigError, Options, Smooth};

use super::LinearCode;
use crate::codes::proximity::{Proximity, ReedSolomon};

/// Reed-Solomon codes of the rate that the options name.
pub struct Rows<S: Smooth> {
    parameters: ReedSolomon,
    dft: Radix2DitParallel<S::Base>,
}

impl<S: Smooth> LinearCode<S> for Rows<S> {
    const NAME: &'static str = "ligero";

    fn new(options: &Options, max_variables: usize) -> Result<Self, ConfigError> {
        let parameters = ReedSolomon::solve(options, S::ext_bits(), max_variables)?;
        Ok(Self { parameters, dft: Radix2DitParallel::default() })
    }

    fn max_log_message(&self) -> usize {
        S::Base::TWO_ADICITY - self.parameters.log_blowup
    }

    fn length(&self, log_message: usize) -> usize {
        1 << (log_message + self.parameters.log_blowup)
    }

    fn encode(&self, mut messages: Columns<S::Base>) -> Columns<S::Base> {
        messages.values.resize(messages.values.len() << self.parameters.log_blowup, S::Base::ZERO);
        self.dft.dft_batch(messages).bit_reverse_rows().to_row_major_matrix()
    }

    fn proximity(&self, log_message: usize) -> Proximity {
        self.parameters.proximity(log_message)
    }

    fn list_bits(&self) -> f64 {
        self.parameters.list_bits()
    }
}

#[cfg(test)]
mod tests {
    use p3_koala_bear::KoalaBear;
    use p3_util::reverse_bits_len;
    use trilemma_core::setting::KoalaBear4;

    use super::*;

    #[test]
    fn codewords_are_values() {
        let code = Rows::<KoalaBear4>::new(&Options { log_blowup: 2, ..Options::default() }, 10).expect("legal");
        for log in [0, 1, 3] {
            let messages = Columns::new((5..5 + (2 << log)).map(KoalaBear::from_usize).collect(), 2);
            let codewords = code.encode(messages.clone());
            assert_eq!(codewords.height(), code.length(log));
            let generator = KoalaBear::two_adic_generator(log + 2);
            for (i, row) in codewords.row_slices().enumerate() {
                let x = generator.exp_u64(reverse_bits_len(i, log + 2) as u64);
                for (column, &symbol) in row.iter().enumerate() {
                    let value = messages.row_slices().rev().fold(KoalaBear::ZERO, |sum, c| sum * x + c[column]);
                    assert_eq!(symbol, value);
                }
            }
        }
    }
}
