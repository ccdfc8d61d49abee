//! FRI parameters solved from a security target, and the error terms of one opening.

use p3_commit::ExtensionMmcs;
use p3_field::{PrimeField64, TwoAdicField};
use p3_fri::FriParameters;
use trilemma_core::channel::Shape;
use trilemma_core::claim::Claim;
use trilemma_core::security::Standing;
use trilemma_core::{ConfigError, ErrorTerm, Ledger, Options, Regime, Smooth};

use super::tree::Tree;

/// Grinding before the queries are drawn, part of every target.
const QUERY_GRINDING: u32 = 20;
/// The most grinding that a choice of the Johnson parameter may ask of batching and folding.
const MAX_ROUND_GRINDING: f64 = 14.0;
/// log2 of a height above all others, to which domains are aligned.
const TALLEST: usize = 26;
/// log2 of the largest folding arity.
const MAX_LOG_ARITY: usize = 3;

/// Parameters that do not depend on the instance.
#[derive(Debug, Clone, Copy)]
pub struct Parameters {
    /// log2 of the inverse rate.
    pub log_blowup: usize,
    target: u32,
    queries: usize,
    /// The Johnson parameter; `None` under unique decoding.
    johnson: Option<usize>,
    ext_bits: f64,
}

/// Bits of one query.
pub(crate) fn bits_per_query(log_blowup: usize, johnson: Option<usize>) -> f64 {
    let rho = 0.5f64.powi(log_blowup as i32);
    match johnson {
        None => (2.0 / (1.0 + rho)).log2(),
        Some(m) => -p3_security::proximity::alpha_ldr_m(log_blowup, m).log2(),
    }
}

/// Grinding before the queries.
pub(crate) fn query_grinding(target: u32) -> u32 {
    QUERY_GRINDING.min(target)
}

/// Checks the rate, and chooses the Johnson parameter: `None` under unique decoding.
pub(crate) fn johnson(options: &Options, ext_bits: f64, max_log_height: usize) -> Result<Option<usize>, ConfigError> {
    let (log_blowup, target) = (options.log_blowup, options.security.bits);
    if !(1..=6).contains(&log_blowup) {
        return Err(ConfigError(format!("log_blowup: {log_blowup} is not in 1..=6")));
    }
    let fits = |m: &usize| {
        let bits = ext_bits - johnson_line_bits(max_log_height, log_blowup, *m) - 10.0;
        f64::from(target) - bits <= MAX_ROUND_GRINDING
    };
    match options.security.regime {
        Regime::Udr => Ok(None),
        Regime::Jbr => (3..=64).rev().find(fits).map(Some).ok_or_else(|| {
            ConfigError(format!(
                "security: {target} bits at the Johnson bound need a larger extension than \
                 {ext_bits:.0} bits; choose a larger one, such as koalabear5 where the PIOP runs over it, or regime udr"
            ))
        }),
    }
}

/// Queries that reach `target` bits, grinding included; a few even where grinding alone would do.
fn queries(target: u32, grinding: u32, log_blowup: usize, johnson: Option<usize>) -> usize {
    (f64::from(target.saturating_sub(grinding)) / bits_per_query(log_blowup, johnson)).ceil().max(8.0) as usize
}

impl Parameters {
    /// Solves for `options.security`.
    pub fn solve(options: &Options, ext_bits: f64, max_log_height: usize) -> Result<Self, ConfigError> {
        let (log_blowup, target) = (options.log_blowup, options.security.bits);
        let johnson = johnson(options, ext_bits, max_log_height)?;
        Ok(Self {
            log_blowup,
            target,
            queries: queries(target, query_grinding(target), log_blowup, johnson),
            johnson,
            ext_bits,
        })
    }

    /// Whether words are lifted to one height; see [`super::lifted`].
    pub const fn lifted(&self) -> bool {
        self.johnson.is_none()
    }

    /// Shift of the domain of matrices of `2^log_height` rows.
    pub fn shift<F: TwoAdicField>(&self, log_height: usize) -> F {
        if self.lifted() { F::GENERATOR.exp_power_of_2(TALLEST - log_height) } else { F::GENERATOR }
    }

    /// log2 of the words one commitment may stand for.
    pub fn list_bits(&self) -> f64 {
        self.johnson.map_or(0.0, |m| p3_security::proximity::list_size_ldr_m(self.log_blowup, m).log2())
    }

    /// The terms of opening `claims` about matrices of at most `2^log_height` rows.
    pub fn plan<Q, E>(&self, log_height: usize, claims: &[Claim<Q, E>]) -> Result<Plan, ConfigError> {
        self.plan_for(log_height, claims.iter().map(|c| c.values.len()).sum())
    }

    /// As [`Self::plan`], for a number of values in all.
    pub fn plan_for(&self, log_height: usize, functions: usize) -> Result<Plan, ConfigError> {
        let line = match self.johnson {
            None => (log_height + self.log_blowup) as f64,
            Some(m) => johnson_line_bits(log_height, self.log_blowup, m),
        };
        let fold = line + ((1u64 << MAX_LOG_ARITY) as f64 - 1.0).log2();
        let term = |name, bits, reference| ErrorTerm { name, bits, reference };
        let (line_reference, query_reference) = match self.johnson {
            None => ("[BCIKS20] Theorem 6.1", "[WHIR24] Corollary 4.11"),
            Some(_) => ("[DKT26] Theorem 5.12 (lines; curves: p3-security)", "[BCIKS20] Theorem 8.3"),
        };
        let batch = term("FRI batching", self.ext_bits - line - (functions.max(1) as f64).log2(), line_reference);
        let fold = term("FRI folding", self.ext_bits - fold, line_reference);
        let query =
            term("FRI queries", self.queries as f64 * bits_per_query(self.log_blowup, self.johnson), query_reference);
        Ok(Plan {
            fold_grinding: fold.grinding(self.target)?,
            query_grinding: query_grinding(self.target),
            batch,
            fold,
            query,
            parameters: *self,
        })
    }
}

/// log2 of the exceptional points of a line at the Johnson bound: `8 n (m + 1/2)^3 / (3 rho)`
/// for `n` points at rate `rho`, as p3-security counts them.
pub fn johnson_line_bits(log_height: usize, log_blowup: usize, m: usize) -> f64 {
    let rho = 0.5f64.powi(log_blowup as i32) * (1.0 - 0.5f64.powi(log_height.max(1) as i32));
    let log_n = (log_height + log_blowup) as f64;
    3.0 + log_n + 3.0 * (m as f64 + 0.5).log2() - 3f64.log2() - rho.log2()
}

/// One opening's terms and grinding.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Term of the batching challenge, ground by the transcript.
    pub batch: ErrorTerm,
    fold: ErrorTerm,
    query: ErrorTerm,
    fold_grinding: u32,
    query_grinding: u32,
    parameters: Parameters,
}

impl Plan {
    /// Enters what p3-fri grinds itself in a ledger.
    pub fn enter(&self, ledger: &mut Ledger) {
        ledger.prove(&self.fold, self.fold_grinding);
        ledger.prove(&self.query, self.query_grinding);
        debug_assert!(ledger.weakest(Standing::Proven).is_some());
    }

    /// Heights of the words to fold (log2, extended), tallest first.
    pub fn word_heights(&self, oracles: &[&[Shape]]) -> Vec<usize> {
        let mut heights = super::codec::heights(oracles, self.parameters.log_blowup);
        heights.truncate(if self.parameters.lifted() { 1 } else { heights.len() });
        heights
    }

    /// Parameters for p3-fri; its batching grind is the transcript's.
    pub fn p3<S, T>(&self, mmcs: &T::Mmcs) -> FriParameters<ExtensionMmcs<S::Base, S::Ext, T::Mmcs>>
    where
        S: Smooth<Base: PrimeField64>,
        T: Tree<S>,
    {
        FriParameters {
            log_blowup: self.parameters.log_blowup,
            log_final_poly_len: 0,
            max_log_arity: MAX_LOG_ARITY,
            num_queries: self.parameters.queries,
            batch_proof_of_work_bits: 0,
            commit_proof_of_work_bits: self.fold_grinding as usize,
            query_proof_of_work_bits: self.query_grinding as usize,
            mmcs: ExtensionMmcs::new(mmcs.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures that OpenVM 2 and SP1 6 publish, and those of docs on unique decoding.
    #[test]
    fn query_counts_match_published_ones() {
        assert_eq!(queries(100, 16, 1, None), 203);
        assert_eq!(queries(100, 16, 2, None), 124);
        assert_eq!(queries(100, 20, 1, None), 193);
        // At the Johnson bound itself; a finite parameter needs a few more.
        assert_eq!(queries(100, 16, 1, Some(1_000_000)), 169);
        assert!(queries(100, 16, 1, Some(40)) > 169);
    }

    /// The exceptional-line count is p3-security's.
    #[test]
    fn johnson_count_matches_p3_security() {
        use p3_security::fri::{FriRegime, commit_phase_error_ldr_m};
        use p3_security::shape::InstanceShape;
        for m in [3, 10, 40] {
            let regime = FriRegime {
                log_blowup: 1,
                num_queries: 1,
                log_final_poly_len: 0,
                max_log_arity: 1,
                commit_pow_bits: 0,
                query_pow_bits: 0,
            };
            let shape = InstanceShape {
                log_trace_length: 20,
                modulus_bits: 155,
                collision_resistance: 128,
                num_batched_functions: 1,
            };
            let theirs = commit_phase_error_ldr_m(&regime, &shape, m).map(|b| b.bits());
            let ours = 155.0 - johnson_line_bits(20, 1, m);
            assert!(theirs.is_some_and(|t| (t - ours).abs() < 1e-6), "{theirs:?} {ours}");
        }
    }
}
