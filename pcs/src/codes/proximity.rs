//! What is proven of words near a code: how rarely a random combination of words is nearer to it than
//! the words are together, and what a query finds out.
//!
//! Interleaved words are covered by statements about plain ones: `t` words over `F` are one word over
//! the extension of `F` of degree `t`, codewords likewise, and the statements below count parameters
//! whatever the field. So a combination of matrices of words has no more exceptions than one of words.

use trilemma_core::{ConfigError, ErrorTerm, Options};

use crate::fri::parameters::{bits_per_query, johnson, johnson_line_bits, query_grinding};

/// What is proven of one code at the radius it is analysed at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proximity {
    /// Parameters at which the words of a line may be within the radius though its ends are not, on
    /// one set; a curve of degree `l` has `l` times as many.
    pub exceptions: f64,
    /// Codewords within the radius of one word.
    pub list: f64,
    /// `-log2` of the chance that a query does not notice a word outside the radius.
    pub query_bits: f64,
    /// Where the exceptions are counted.
    pub reference: &'static str,
}

impl Proximity {
    /// Challenges of a combination of degree one that make a false claim true, or an interleaved word
    /// near the code: exceptions, and one for every codeword whose value is not the claimed one.
    pub fn bad(&self) -> f64 {
        self.exceptions + self.list
    }

    /// The term of a challenge that is bad in `bad` cases.
    pub fn term(&self, name: &'static str, bad: f64, ext_bits: f64) -> ErrorTerm {
        ErrorTerm { name, bits: ext_bits - bad.log2(), reference: self.reference }
    }

    /// Queries that reach a target, with grinding; a few even where grinding alone would do.
    pub fn queries(&self, target: u32) -> usize {
        (f64::from(target - query_grinding(target)) / self.query_bits).ceil().max(8.0) as usize
    }

    /// Of a linear code with this length and distance, for a radius below a third of the distance.
    ///
    /// Let `e < d/3`, and let more than `e + 1` words `u + x v` of a line be within `e` of codewords
    /// `c_x`. Three of these words are linearly dependent, so the same combination of three `c_x` has
    /// weight at most `3e < d` and vanishes: `c_x = a + x b`. A position where `(u, v)` differs from
    /// `(a, b)` counts in all `u + x v - c_x` but at most one, so there are at most `e` of them.
    pub fn third(length: usize, distance: usize) -> Self {
        let radius = distance.div_ceil(3) - 1;
        Self {
            exceptions: (radius + 1) as f64,
            list: 1.0,
            query_bits: -(1.0 - (radius + 1) as f64 / length as f64).log2(),
            reference: "[AHIV22] bound of Roth and Zemor",
        }
    }
}

/// Reed-Solomon codes of one rate.
#[derive(Debug, Clone, Copy)]
pub struct ReedSolomon {
    /// log2 of the inverse rate.
    pub log_blowup: usize,
    /// The Johnson parameter; `None` under unique decoding.
    pub johnson: Option<usize>,
}

impl ReedSolomon {
    /// Chooses what `options` leave open, for messages of at most `2^max_log_message` symbols.
    pub fn solve(options: &Options, ext_bits: f64, max_log_message: usize) -> Result<Self, ConfigError> {
        Ok(Self { log_blowup: options.log_blowup, johnson: johnson(options, ext_bits, max_log_message)? })
    }

    /// log2 of the codewords that a word may stand for.
    pub fn list_bits(&self) -> f64 {
        self.johnson.map_or(0.0, |m| p3_security::proximity::list_size_ldr_m(self.log_blowup, m).log2())
    }

    /// For messages of `2^log_message` symbols.
    pub fn proximity(&self, log_message: usize) -> Proximity {
        let (log_exceptions, reference) = match self.johnson {
            None => ((log_message + self.log_blowup) as f64, "[BCIKS20] Theorems 4.1 (lines), 6.1 (curves)"),
            Some(m) => (
                johnson_line_bits(log_message, self.log_blowup, m),
                "[DKT26] Theorem 5.12 (lines; curves: p3-security)",
            ),
        };
        Proximity {
            exceptions: log_exceptions.exp2(),
            list: self.list_bits().exp2(),
            query_bits: bits_per_query(self.log_blowup, self.johnson),
            reference,
        }
    }
}

#[cfg(test)]
mod tests {
    use trilemma_core::{Regime, Security};

    use super::*;

    #[test]
    fn figures() {
        let code = |log_blowup| ReedSolomon { log_blowup, johnson: None }.proximity(10);
        assert_eq!(code(1).queries(100), 193);
        assert_eq!(code(1).exceptions, 2048.0);
        assert_eq!(code(2).queries(96), 113);
        // d = 7: radius 2, so a word outside it differs in three places.
        let third = Proximity::third(12, 7);
        assert_eq!((third.exceptions, third.query_bits), (3.0, -(0.75f64).log2()));
        assert_eq!(Proximity::third(2, 2).exceptions, 1.0);
        let jbr = Options { security: Security { bits: 100, regime: Regime::Jbr }, ..Options::default() };
        assert!(ReedSolomon::solve(&jbr, 124.0, 20).is_err());
        let solved = ReedSolomon::solve(&jbr, 155.0, 20).expect("enough bits");
        assert!(solved.list_bits() > 1.0 && solved.proximity(20).queries(100) < 193);
    }
}
