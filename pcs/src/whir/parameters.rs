//! The error terms of codes; and folding and rate schedules for p3-whir, its parameters solved for them, with
//! the terms of one of its openings.

use p3_field::{ExtensionField, Field, TwoAdicField};
use p3_whir::{FoldingFactor, ProtocolParameters, SecurityAssumption, WhirConfig};
use trilemma_core::{ConfigError, ErrorTerm, Ledger, Options, Regime, Smooth};

use crate::fri::parameters::johnson_line_bits;
use crate::fri::tree::Tree;

/// The most bits ground before a challenge; what queries need not reach.
pub(super) const GRINDING: usize = 18;
/// Variables folded first; the width of committed rows, and the fewest variables of a column that p3
/// stacks.
pub const FIRST_FOLD: usize = 6;
/// The most variables folded in a later round.
const FOLD: usize = 4;
/// p3-whir stops folding once so few variables are left.
const LAST: usize = 6;
/// How much log2 of the inverse rate grows in a round.
const RATE_STEP: usize = 2;
/// Polynomials of fewer variables are encoded at lower rates, each variable less doubling the code.
const SMALL: usize = 22;
/// The Johnson parameter to which p3-whir is fixed: its `eta` is `sqrt(rho) / 20`.
const JOHNSON: usize = 10;

/// Folds and rates (log2, inverse) of a polynomial of so many variables. A lower rate needs fewer queries, but
/// under unique decoding never fewer than one for each bit, so there it stops falling early.
fn schedule(variables: usize, log_blowup: usize, regime: Regime) -> (Vec<usize>, Vec<usize>) {
    let (small, lowest) = match regime {
        Regime::Udr => (3, 3),
        Regime::Jbr => (4, 7),
    };
    let first = if variables >= 2 * FIRST_FOLD { FIRST_FOLD } else { variables / 2 };
    let left = (variables - first).saturating_sub(LAST);
    let rounds = left.div_ceil(FOLD);
    let folds = (0..rounds).map(|i| (left + rounds - 1 - i) / rounds);
    let rate = log_blowup.max(SMALL.saturating_sub(variables).min(small));
    let rates = (0..=rounds).map(|i| (rate + RATE_STEP * i).min(lowest.max(rate)));
    (std::iter::once(first).chain(folds).collect(), rates.collect())
}

/// p3's parameters for one number of variables.
pub struct Parameters<S: Smooth<Ext: TwoAdicField>, T: Tree<S>> {
    /// p3's configuration.
    pub config: WhirConfig<S::Ext, S::Base, T::Challenger>,
    regime: Regime,
    /// Terms with the bits ground for them.
    terms: Vec<(ErrorTerm, usize)>,
}

impl<S: Smooth<Ext: TwoAdicField>, T: Tree<S>> Parameters<S, T> {
    /// Solves for `options.security`.
    pub fn solve(options: &Options, variables: usize) -> Result<Self, ConfigError> {
        let (log_blowup, security) = (options.log_blowup, options.security);
        if !(1..=6).contains(&log_blowup) {
            return Err(ConfigError(format!("log_blowup: {log_blowup} is not in 1..=6")));
        }
        let (folds, rates) = schedule(variables, log_blowup, security.regime);
        let target = security.bits as usize;
        let soundness_type = match security.regime {
            Regime::Udr => SecurityAssumption::UniqueDecoding,
            Regime::Jbr => SecurityAssumption::JohnsonBound,
        };
        // p3 rounds the field's bits up, and of two errors in one round counts the larger.
        let solved = (target..=target + 2).map(|level| {
            let parameters = ProtocolParameters {
                starting_log_inv_rate: rates[0],
                round_log_inv_rates: rates[1..].to_vec(),
                folding_factor: FoldingFactor::PerRound(folds.clone()),
                soundness_type,
                security_level: level,
                pow_bits: GRINDING.min(level / 2),
            };
            let config = WhirConfig::new(variables, parameters).map_err(|e| {
                ConfigError(format!(
                    "security: whir does not reach {target} bits for 2^{variables} values over {}: {e}; choose \
                     an extension of degree 5, such as koalabear5, or regime udr",
                    S::NAME
                ))
            })?;
            let terms = terms(&config, security.regime, S::ext_bits());
            Ok(Self { config, regime: security.regime, terms })
        });
        let mut last = Err(ConfigError("security: whir has no parameters".into()));
        for candidate in solved {
            last = candidate;
            if last.as_ref().is_ok_and(|c| c.reaches(target as f64)) {
                return last;
            }
        }
        last.and_then(|c| Err(c.short_of(target)))
    }

    fn reaches(&self, target: f64) -> bool {
        self.terms.iter().all(|(term, ground)| term.bits + *ground as f64 >= target)
    }

    fn short_of(&self, target: usize) -> ConfigError {
        let weakest = self.terms.iter().min_by(|a, b| (a.0.bits + a.1 as f64).total_cmp(&(b.0.bits + b.1 as f64)));
        let (name, bits) = weakest.map_or(("", 0.0), |(term, ground)| (term.name, term.bits + *ground as f64));
        ConfigError(format!(
            "security: the term `{name}` of whir has {bits:.1} bits over {}, short of {target}; choose an extension \
             of degree 5, such as koalabear5",
            S::NAME
        ))
    }

    /// log2 of the polynomials that a commitment may stand for.
    pub fn list_bits(&self) -> f64 {
        list_bits(self.regime, self.config.params().starting_log_inv_rate)
    }

    /// Error of combining so many claims about the polynomial, values out of domain included, for
    /// which p3 has no place to grind.
    pub fn claims(&self, claims: usize) -> ErrorTerm {
        let params = self.config.params();
        let code = Code {
            regime: self.regime,
            ext_bits: S::ext_bits(),
            variables: self.config.num_variables(),
            rate: params.starting_log_inv_rate,
        };
        let bits = code.combine(claims + self.config.commitment_ood_samples());
        ErrorTerm { name: "WHIR claims", bits, reference: "[WHIR24] Theorem 5.2" }
    }

    /// Enters every term in a ledger.
    pub fn enter(&self, ledger: &mut Ledger) {
        self.terms.iter().for_each(|(term, ground)| ledger.prove(term, *ground as u32));
    }
}

/// log2 of the words of a code within the distance to which it is decoded: `1 / (2 eta sqrt(rho))`.
pub(super) fn list_bits(regime: Regime, rate: usize) -> f64 {
    match regime {
        Regime::Udr => 0.0,
        Regime::Jbr => (JOHNSON as f64).log2() + rate as f64,
    }
}

/// `-log2` of the sum of two errors.
fn sum(a: f64, b: f64) -> f64 {
    -((-a).exp2() + (-b).exp2()).log2()
}

/// The errors of one code: `m` variables at a rate.
#[derive(Clone, Copy)]
pub(super) struct Code {
    pub(super) regime: Regime,
    pub(super) ext_bits: f64,
    pub(super) variables: usize,
    pub(super) rate: usize,
}

impl Code {
    fn list_bits(self) -> f64 {
        list_bits(self.regime, self.rate)
    }

    /// Folding one variable: the line through two words, and the sumcheck's quadratic polynomial.
    pub(super) fn fold(self) -> ErrorTerm {
        let (line, reference) = match self.regime {
            Regime::Udr => ((self.variables + self.rate) as f64, "[WHIR24] Lemma 4.10; [BCIKS20] Theorem 4.1"),
            Regime::Jbr => (johnson_line_bits(self.variables, self.rate, JOHNSON), "[DKT26] Theorem 5.12"),
        };
        let bits = sum(self.ext_bits - line, self.ext_bits - 1.0 - self.list_bits());
        ErrorTerm { name: "WHIR folding", bits, reference }
    }

    /// Two words of the list that agree at every sample.
    pub(super) fn out_of_domain(self, samples: usize) -> ErrorTerm {
        let bits = samples as f64 * (self.ext_bits - self.variables as f64) + 1.0 - 2.0 * self.list_bits();
        ErrorTerm { name: "WHIR out of domain", bits, reference: "[WHIR24] Lemma 4.25" }
    }

    /// Words of the list told apart by powers of one challenge that combines so many claims.
    pub(super) fn combine(self, claims: usize) -> f64 {
        self.ext_bits - (claims.max(1) as f64).log2() - self.list_bits()
    }

    /// A word further from the code than the distance, at so many random positions.
    pub(super) fn query(self, queries: usize) -> f64 {
        let agreement = match self.regime {
            Regime::Udr => f64::midpoint(1.0, 0.5f64.powi(self.rate as i32)),
            Regime::Jbr => p3_security::proximity::alpha_ldr_m(self.rate, JOHNSON),
        };
        queries as f64 * -agreement.log2()
    }
}

/// The errors of \[WHIR24, Theorem 5.2\], with the bits that p3 grinds for them.
fn terms<E, F, C>(config: &WhirConfig<E, F, C>, regime: Regime, ext_bits: f64) -> Vec<(ErrorTerm, usize)>
where
    F: Field,
    E: ExtensionField<F>,
{
    let query = |name, bits| ErrorTerm { name, bits, reference: "[WHIR24] Theorem 5.2" };
    let mut code =
        Code { regime, ext_bits, variables: config.num_variables(), rate: config.params().starting_log_inv_rate };
    let mut terms = Vec::new();
    let samples = config.commitment_ood_samples();
    if samples > 0 {
        terms.push((code.out_of_domain(samples), 0));
        terms.push((query("WHIR claims", code.combine(samples)), 0));
    }
    terms.push((code.fold(), config.starting_folding_pow_bits()));
    for round in config.round_parameters() {
        let next = Code { variables: round.num_variables, rate: round.log_inv_rate, ..code };
        if round.ood_samples > 0 {
            terms.push((next.out_of_domain(round.ood_samples), 0));
        }
        let bits = sum(code.query(round.num_queries), next.combine(round.ood_samples + round.num_queries));
        terms.push((query("WHIR queries", bits), round.pow_bits));
        terms.push((next.fold(), round.folding_pow_bits));
        code = next;
    }
    let last = config.terminal();
    terms.push((query("WHIR last queries", code.query(last.num_queries)), last.pow_bits));
    if config.final_sumcheck_rounds() > 0 {
        let term = ErrorTerm::schwartz_zippel("WHIR last sumcheck", 2.0, ext_bits);
        terms.push((ErrorTerm { reference: "[LFKN92] Section 3", ..term }, config.final_folding_pow_bits()));
    }
    terms
}

#[cfg(test)]
mod tests {
    use trilemma_core::Security;
    use trilemma_core::setting::{BabyBear4, Goldilocks2, KoalaBear4, KoalaBear5};

    use super::*;
    use crate::fri::tree::Blake3Tree;

    fn solve<S>(bits: u32, regime: Regime, variables: usize) -> Result<Parameters<S, Blake3Tree>, ConfigError>
    where
        S: Smooth<Ext: TwoAdicField>,
        Blake3Tree: Tree<S>,
    {
        Parameters::solve(&Options { security: Security { bits, regime }, ..Options::default() }, variables)
    }

    /// The schedules fit p3-whir, and every term reaches the target.
    fn reaches<S>(bits: u32, regime: Regime)
    where
        S: Smooth<Ext: TwoAdicField>,
        Blake3Tree: Tree<S>,
    {
        for variables in 6..=26 {
            let parameters = solve::<S>(bits, regime, variables).unwrap_or_else(|e| panic!("2^{variables}: {e}"));
            assert!(parameters.reaches(f64::from(bits)));
            assert!(parameters.config.final_sumcheck_rounds() <= LAST);
        }
    }

    #[test]
    fn targets_are_reached() {
        for bits in [20, 80, 100] {
            for regime in [Regime::Udr, Regime::Jbr] {
                reaches::<KoalaBear4>(bits, regime);
                reaches::<BabyBear4>(bits, regime);
                reaches::<Goldilocks2>(bits, regime);
            }
        }
        reaches::<KoalaBear5>(128, Regime::Udr);
        reaches::<KoalaBear5>(128, Regime::Jbr);
    }

    #[test]
    fn a_short_field_is_refused_with_advice() {
        let refused = solve::<KoalaBear4>(128, Regime::Udr, 22).err().map(|e| e.0).unwrap_or_default();
        assert!(refused.contains("degree 5"), "{refused}");
    }

    /// The terms are those that p3-security computes, with its field of whole bits.
    #[test]
    fn terms_match_p3_security() {
        for (regime, theirs) in
            [(Regime::Udr, SecurityAssumption::UniqueDecoding), (Regime::Jbr, SecurityAssumption::JohnsonBound)]
        {
            let code = Code { regime, ext_bits: 155.0, variables: 20, rate: 2 };
            let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
            near(code.list_bits(), theirs.list_size_bits(20, 2));
            near(code.query(80), theirs.queries_error(2, 80));
            near(code.combine(3), theirs.queries_combination_error(155, 20, 2, 1, 2) + 1.0);
            let fold = theirs.prox_gaps_error(20, 2, 155, 2);
            near(code.fold().bits, sum(fold, theirs.fold_sumcheck_error(155, 20, 2)));
            if regime == Regime::Jbr {
                near(code.out_of_domain(2).bits, theirs.ood_error(20, 2, 155, 2));
            }
        }
    }
}
