//! Security accounting: every challenge declares its error term where it is drawn, the transcript
//! grinds up to the target, and the terms met along the way are the ledger.
//!
//! Bits are `-log2` of a probability. A composed figure is the weakest round (round-by-round
//! soundness); assumptions (hash collisions, discrete logarithms) are listed beside it.

use serde::{Deserialize, Serialize};

use crate::error::ConfigError;

/// The most bits one grinding step may cost the prover.
pub const MAX_GRINDING_BITS: u32 = 24;

/// Which decoding radius the analysis of a code-based scheme relies on. Both are proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Regime {
    /// Unique decoding radius.
    #[default]
    Udr,
    /// Johnson bound radius.
    Jbr,
}

impl Regime {
    /// Every regime, with its name.
    pub const ALL: [(&'static str, Self); 2] = [("udr", Self::Udr), ("jbr", Self::Jbr)];

    /// The name used in configurations and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udr => "udr",
            Self::Jbr => "jbr",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Result<Self, ConfigError> {
        Self::ALL
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, r)| *r)
            .ok_or_else(|| ConfigError::choice("regime", name, Self::ALL.iter().map(|(n, _)| *n)))
    }
}

/// The lowest target a production verifier accepts.
pub const SECURITY_FLOOR: u32 = 80;

/// A security target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    /// Bits that every proven error term must reach.
    pub bits: u32,
    /// Regime of code-based terms.
    pub regime: Regime,
}

impl Default for Security {
    fn default() -> Self {
        Self { bits: 100, regime: Regime::Udr }
    }
}

/// Whether a term is a theorem or an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Proven, in the interactive model with ideal hashes.
    Proven,
    /// Assumed: the text of the term says what.
    Assumed,
}

/// One way for a cheating prover to win, before grinding.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorTerm {
    /// What goes wrong.
    pub name: &'static str,
    /// `-log2` of its probability.
    pub bits: f64,
    /// Paper and statement, by a key of `docs/REFERENCES.md`.
    pub reference: &'static str,
}

impl ErrorTerm {
    /// The term of a polynomial identity of total `degree` tested at a uniform point of a set of
    /// `2^field_bits` elements.
    pub fn schwartz_zippel(name: &'static str, degree: f64, field_bits: f64) -> Self {
        Self { name, bits: field_bits - degree.max(1.0).log2(), reference: "[SZ80] Lemma 1" }
    }

    /// This term when a commitment may stand for `2^bits` words.
    pub fn losing(mut self, bits: f64) -> Self {
        self.bits -= bits;
        self
    }

    /// Grinding bits needed to lift this term to `target`.
    pub fn grinding(&self, target: u32) -> Result<u32, ConfigError> {
        let missing = (f64::from(target) - self.bits).ceil().max(0.0);
        if self.bits.is_nan() || missing > f64::from(MAX_GRINDING_BITS) {
            return Err(ConfigError(format!(
                "security: the term `{}` has {:.1} bits, {missing} short of {target}; at most \
                 {MAX_GRINDING_BITS} can be ground, so choose a larger extension, a smaller \
                 instance or the other regime",
                self.name, self.bits
            )));
        }
        Ok(missing as u32)
    }
}

/// One line of a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// What goes wrong.
    pub name: String,
    /// Bits without grinding.
    pub bits: f64,
    /// Grinding bits, which cost a cheating prover work rather than luck.
    pub grinding: u32,
    /// Paper and statement.
    pub reference: String,
    /// Theorem or assumption.
    pub standing: Standing,
}

impl Term {
    /// Bits with grinding.
    pub fn total(&self) -> f64 {
        self.bits + f64::from(self.grinding)
    }
}

/// Every term met by one run of a protocol.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The terms, in the order in which they were met.
    pub terms: Vec<Term>,
}

impl Ledger {
    /// Adds a proven term with the grinding that was done for it. Equal rounds, as of a sumcheck, are
    /// one line.
    pub fn prove(&mut self, term: &ErrorTerm, grinding: u32) {
        let term = Term {
            name: term.name.into(),
            bits: term.bits,
            grinding,
            reference: term.reference.into(),
            standing: Standing::Proven,
        };
        if !self.terms.contains(&term) {
            self.terms.push(term);
        }
    }

    /// Adds an assumption.
    pub fn assume(&mut self, name: &str, bits: f64, reference: &str) {
        self.terms.push(Term {
            name: name.into(),
            bits,
            grinding: 0,
            reference: reference.into(),
            standing: Standing::Assumed,
        });
    }

    /// The weakest line among those of one standing, if there is any.
    pub fn weakest(&self, standing: Standing) -> Option<&Term> {
        self.terms.iter().filter(|t| t.standing == standing).min_by(|a, b| a.total().total_cmp(&b.total()))
    }

    /// Composed bits: the weakest proven term, capped by the weakest assumption.
    pub fn bits(&self) -> f64 {
        self.terms.iter().map(Term::total).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grinding_fills_the_gap_and_no_more() {
        let term = ErrorTerm::schwartz_zippel("t", (1u64 << 28) as f64, 124.0);
        assert_eq!(term.grinding(100), Ok(4));
        assert_eq!(term.grinding(96), Ok(0));
        assert!(term.grinding(128).is_err());
    }

    #[test]
    fn the_weakest_term_decides() {
        let mut ledger = Ledger::default();
        ledger.prove(&ErrorTerm { name: "a", bits: 97.0, reference: "x" }, 4);
        ledger.prove(&ErrorTerm { name: "b", bits: 100.5, reference: "x" }, 0);
        ledger.assume("hash", 128.0, "x");
        assert_eq!(ledger.bits(), 100.5);
        ledger.assume("curve", 99.0, "x");
        assert_eq!(ledger.bits(), 99.0);
    }
}
