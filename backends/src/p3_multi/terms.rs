//! Error terms of a run, and what is ground for them.

use std::sync::Arc;

use trilemma_core::{ConfigError, ErrorTerm, Ledger, Setting};
use trilemma_pcs::fri::tree::Merkle;
use trilemma_pcs::whir::parameters::Parameters;

use super::codec::Shape;
use super::pcs::{Config, Known, Pcs};
use super::{F, S, Scheme, T, Trees};
use crate::p3::clock::Clock;

/// Sizes of what is proved that a shape does not tell.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Fractions on all buses.
    pub fractions: f64,
    /// Longest tuple.
    pub arity: usize,
    /// The most constraints of a table.
    pub constraints: usize,
    /// Variables of the polynomials of advice and of fixed columns.
    pub variables: [usize; 2],
}

/// Parameters and error terms of a run.
pub struct Plan<'s> {
    scheme: &'s Scheme,
    /// For advice and for fixed columns.
    pub whir: [&'s Parameters<S, T>; 2],
    variables: [usize; 2],
    bus: ErrorTerm,
    grinding: u32,
    /// What is not ground.
    others: Vec<ErrorTerm>,
}

impl<'s> Plan<'s> {
    /// The terms of a proof of this shape.
    ///
    /// # Errors
    /// A term does not reach the target.
    pub fn new(scheme: &'s Scheme, shape: &Shape, sizes: Sizes) -> Result<Self, ConfigError> {
        let [main, fixed] = sizes.variables;
        let whir = [scheme.parameters(main)?, scheme.parameters(fixed)?];
        let lists: f64 = whir.iter().map(|w| w.list_bits()).sum();
        let term = |name, degree: usize, reference| {
            let term = ErrorTerm::schwartz_zippel(name, degree as f64, S::ext_bits());
            ErrorTerm { reference, ..term }.losing(lists)
        };
        // Roots of the cleared sum, and poles, each of which frees a fraction.
        let degree = sizes.fractions * (sizes.arity + 2) as f64;
        let bus = ErrorTerm::schwartz_zippel("bus argument", degree, S::ext_bits());
        let bus = ErrorTerm { reference: "[Hab22] Lemma 5", ..bus }.losing(lists);
        let claims = |widths: &[usize]| widths.iter().sum::<usize>();
        let mut others = vec![
            // Coordinates of the layers' last point are also those of the zerocheck's, one more each.
            term("bus layer batching", 2, "[PH23] Section 3"),
            term("bus layer sumcheck", 4, "[LFKN92] Section 3"),
            // Powers for constraints and for tables, the link to the buses, and the zerocheck's point,
            // all drawn at once.
            term("constraint batching", sizes.constraints + shape.widths.len() + shape.rounds, "[STW23] Section 5"),
            term("row sumcheck", shape.degree, "[LFKN92] Section 3"),
        ];
        others.extend([whir[0].claims(claims(&shape.widths)), whir[1].claims(claims(&shape.fixed))]);
        let target = scheme.security.bits;
        if let Some(short) = others.iter().find(|term| term.bits < f64::from(target)) {
            return Err(ConfigError(format!(
                "security: the term `{}` of p3-multi-stark has {:.1} bits, short of {target}, and p3 does not \
                 grind for it",
                short.name, short.bits
            )));
        }
        let grinding = bus.grinding(target)?;
        Ok(Self { scheme, whir, variables: sizes.variables, bus, grinding, others })
    }

    /// The trees of all commitments.
    pub fn trees(&self) -> &Trees {
        &self.scheme.trees
    }

    /// Bits ground for the challenges of the buses.
    pub const fn grinding(&self) -> u32 {
        self.grinding
    }

    /// Enters every term in a ledger.
    pub fn enter(&self, ledger: &mut Ledger) {
        ledger.prove(&self.bus, self.grinding);
        self.others.iter().for_each(|term| ledger.prove(term, 0));
        self.whir.iter().for_each(|w| w.enter(ledger));
        <T as Merkle<S>>::assume(self.trees(), ledger);
    }

    /// p3's configuration, given what is known of the fixed columns and, in the verifier, the nonce.
    pub fn config(&self, known: Known, nonce: F, clock: &Arc<Clock>) -> Result<Config, ConfigError> {
        let [main, fixed] = self.variables;
        let clock = || clock.clone();
        Ok(Config {
            main: Pcs::fresh(self.scheme.whir(main)?, clock(), self.grinding as usize, nonce),
            fixed: Pcs::known(self.scheme.whir(fixed)?, clock(), known),
        })
    }
}
