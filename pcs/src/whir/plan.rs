//! Which words an opening goes through, how often each is queried, and the error terms.
//!
//! | symbol | meaning |
//! |---|---|
//! | `k` | variables that folding a word binds: a row has `2^k` cells |
//! | `l` | variables left, hence `2^l` coefficients of every column |
//! | `rho = 2^-r` | rate: the word has `2^(l + r)` rows |
//!
//! A polynomial committed by itself *joins* the run of a longer one at the round whose word leaves as
//! many variables, if its own word has no fewer rows: the round's domain is then a subgroup of its
//! own, at the front of its rows. `first_word` chooses `k` so that polynomials meet; those that do
//! not have runs of their own.

use trilemma_core::{ConfigError, ErrorTerm, Options, Regime};

use super::parameters::{Code, GRINDING, list_bits};

/// Polynomials of so many variables and fewer are encoded at the rate of a second word.
const SMALL: usize = 20;
/// The most variables of a polynomial whose first word leaves 19.
const LARGE: usize = 25;
/// Variables of the polynomial that is sent in the clear, if it is not shorter from the start.
const LAST: usize = 8;

/// A word under a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Variables bound by folding it.
    pub fold: usize,
    /// Variables left.
    pub left: usize,
    /// log2 of the inverse rate.
    pub rate: usize,
}

impl Word {
    /// log2 of its rows.
    pub const fn log_rows(self) -> usize {
        self.left + self.rate
    }
}

/// One round of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// The word folded.
    pub word: Word,
    /// The polynomials that join.
    pub joining: Vec<Joining>,
    /// Queries to the words.
    pub queries: usize,
    /// Out-of-domain samples of what the words fold to.
    pub samples: usize,
    /// The terms of the round's challenges.
    pub terms: Terms,
}

/// A committed polynomial that joins a round.
#[derive(Debug, Clone, PartialEq)]
pub struct Joining {
    /// Number of its opening.
    pub opening: usize,
    /// Its word.
    pub word: Word,
    /// The term of a variable of the sumcheck that folds it.
    pub fold: ErrorTerm,
}

/// Error terms of a round, in the order of its challenges.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// A variable of the sumcheck that folds.
    pub fold: ErrorTerm,
    /// The challenge by which a folded word is added.
    pub join: ErrorTerm,
    /// An out-of-domain point; the next two are for what the words fold to as well.
    pub out_of_domain: ErrorTerm,
    /// The queries.
    pub query: ErrorTerm,
    /// The challenge that combines claims.
    pub combine: ErrorTerm,
}

/// The words that one polynomial's opening goes through, and the openings that join it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The opening of the longest polynomial.
    pub lead: usize,
    /// Its rounds; the last one's polynomial is sent.
    pub rounds: Vec<Round>,
}

/// What the options say.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    log_blowup: usize,
    regime: Regime,
    target: u32,
    ext_bits: f64,
}

impl Schedule {
    /// Checks that polynomials of at most so many variables can be opened over a field with roots of
    /// unity of order `2^two_adicity`.
    pub fn new(
        options: &Options,
        max_variables: usize,
        ext_bits: f64,
        two_adicity: usize,
    ) -> Result<Self, ConfigError> {
        let log_blowup = options.log_blowup;
        if !(1..=6).contains(&log_blowup) {
            return Err(ConfigError(format!("log_blowup: {log_blowup} is not in 1..=6")));
        }
        let (target, regime) = (options.security.bits, options.security.regime);
        let schedule = Self { log_blowup, regime, target, ext_bits };
        for round in (0..=max_variables).flat_map(|variables| schedule.run(0, &[variables]).rounds) {
            if round.word.log_rows() > two_adicity {
                return Err(ConfigError(format!(
                    "max_log_height: words of 2^{} rows do not fit the field's subgroup of 2^{two_adicity}; choose a \
                     smaller height or log_blowup",
                    round.word.log_rows()
                )));
            }
            schedule.reach(&round)?;
        }
        Ok(schedule)
    }

    /// Refuses what grinding cannot lift to the target.
    fn reach(&self, round: &Round) -> Result<(), ConfigError> {
        let Terms { fold, join, out_of_domain, query, combine } = &round.terms;
        let missing = |term: &&ErrorTerm| term.bits + (GRINDING as f64) < f64::from(self.target);
        match [fold, join, out_of_domain, query, combine].into_iter().find(missing) {
            None => Ok(()),
            Some(term) => Err(ConfigError(format!(
                "security: the term `{}` of whir has {:.1} bits over this field, and {GRINDING} ground do not lift it \
                 to {}; choose an extension of degree 5, such as koalabear5, or regime udr",
                term.name, term.bits, self.target
            ))),
        }
    }

    /// log2 of the polynomials that a commitment may stand for.
    pub fn list_bits(&self) -> f64 {
        list_bits(self.regime, self.later(self.log_blowup))
    }

    /// The rate of the word after one of this rate. A lower rate needs fewer queries, but under unique
    /// decoding never fewer than one for each bit.
    fn later(&self, rate: usize) -> usize {
        let lowest = match self.regime {
            Regime::Udr => 3,
            Regime::Jbr => 7,
        };
        (rate + 2).min(lowest).max(rate)
    }

    /// The word of a committed polynomial. Up to [`LARGE`] variables it leaves 3, 7, 11, 15 or 19 of them.
    pub fn first_word(&self, variables: usize) -> Word {
        let left = match variables {
            0..=5 => 0,
            6..=LARGE => variables - 3 - (variables - 2) % 4,
            _ => variables - 6,
        };
        let rate = if variables <= SMALL { self.later(self.log_blowup) } else { self.log_blowup };
        Word { fold: variables - left, left, rate }
    }

    /// The word of a polynomial that folding left, unless it is the last.
    fn next_word(&self, word: Word) -> Option<Word> {
        let fold = match word.left {
            0..=LAST => return None,
            9..=11 => word.left - LAST,
            12..=15 => word.left - 11,
            left => (left - 15).div_ceil((left - 15).div_ceil(5)),
        };
        Some(Word { fold, left: word.left - fold, rate: self.later(word.rate) })
    }

    /// Runs for the openings of polynomials of so many variables each.
    pub fn runs(&self, variables: &[usize]) -> Vec<Run> {
        let mut order: Vec<usize> = (0..variables.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(variables[i]));
        let mut runs: Vec<Run> = Vec::new();
        for i in order {
            let word = self.first_word(variables[i]);
            let meets = |round: &&mut Round| round.word.left == word.left && round.word.rate <= word.rate;
            match runs.iter_mut().flat_map(|run| &mut run.rounds).find(meets) {
                Some(round) => {
                    let fold = self.code(variables[i], round.word.rate).fold();
                    round.joining.push(Joining { opening: i, word, fold });
                    round.terms.combine = self.combine(round.word, round.samples + round.queries, round.joining.len());
                }
                None => runs.push(self.run(i, variables)),
            }
        }
        runs
    }

    fn run(&self, lead: usize, variables: &[usize]) -> Run {
        let first = self.first_word(variables[lead]);
        let words = std::iter::successors(Some(first), |&word| self.next_word(word));
        Run { lead, rounds: words.map(|word| self.round(word)).collect() }
    }

    /// The term of combining so many answers with the claims of a word and of those that join it.
    fn combine(&self, word: Word, answers: usize, joining: usize) -> ErrorTerm {
        let bits = self.code(word.left, self.later(word.rate)).combine(answers + joining + 1);
        ErrorTerm { name: "WHIR combination", bits, reference: "[WHIR24] Theorem 5.2" }
    }

    fn code(&self, variables: usize, rate: usize) -> Code {
        Code { regime: self.regime, ext_bits: self.ext_bits, variables, rate }
    }

    fn round(&self, word: Word) -> Round {
        let current = self.code(word.fold + word.left, word.rate);
        let missing = self.target - self.target.min(GRINDING as u32);
        let queries = (f64::from(missing) / current.query(1)).ceil().max(8.0) as usize;
        let next = self.code(word.left, self.later(word.rate));
        let samples = match self.regime {
            Regime::Udr => 0,
            Regime::Jbr => (1..4).find(|&s| next.out_of_domain(s).bits >= f64::from(self.target)).unwrap_or(4),
        };
        Round {
            word,
            joining: Vec::new(),
            queries,
            samples,
            terms: Terms {
                fold: current.fold(),
                join: ErrorTerm { name: "WHIR joining", ..self.code(word.left, word.rate).fold() },
                out_of_domain: next.out_of_domain(samples.max(1)),
                query: ErrorTerm {
                    name: "WHIR queries",
                    bits: current.query(queries),
                    reference: "[WHIR24] Theorem 5.2",
                },
                combine: self.combine(word, samples + queries, 0),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use trilemma_core::setting::{BabyBear4, Goldilocks2, KoalaBear4, KoalaBear5};
    use trilemma_core::{Security, Setting};

    use super::*;

    fn schedule<S: Setting>(bits: u32, regime: Regime, log_blowup: usize) -> Result<Schedule, ConfigError> {
        let options = Options { security: Security { bits, regime }, log_blowup, ..Options::default() };
        Schedule::new(&options, 26, S::ext_bits(), 24)
    }

    #[test]
    fn targets_are_reached() {
        for regime in [Regime::Udr, Regime::Jbr] {
            for bits in [20, 80, 100] {
                schedule::<KoalaBear4>(bits, regime, 1).expect("reached");
                schedule::<BabyBear4>(bits, regime, 1).expect("reached");
                schedule::<Goldilocks2>(bits, regime, 2).expect("reached");
            }
            schedule::<KoalaBear5>(128, regime, 1).expect("reached");
        }
    }

    #[test]
    fn what_cannot_be_reached_is_refused_with_advice() {
        let refused = |r: Result<Schedule, ConfigError>| r.err().map(|e| e.0).unwrap_or_default();
        assert!(refused(schedule::<KoalaBear4>(128, Regime::Udr, 1)).contains("degree 5"));
        assert!(refused(schedule::<KoalaBear4>(100, Regime::Udr, 6)).contains("subgroup"));
        assert!(refused(schedule::<KoalaBear4>(100, Regime::Udr, 7)).contains("log_blowup"));
    }

    /// Every polynomial is opened once, and every word has a code at least as long as its round's.
    #[test]
    fn polynomials_join_where_they_fit() {
        let joins = |regime, variables: &[usize]| -> Vec<(usize, Vec<Vec<usize>>)> {
            let runs = schedule::<KoalaBear4>(100, regime, 1).expect("reached").runs(variables);
            for round in runs.iter().flat_map(|run| &run.rounds) {
                for joining in &round.joining {
                    assert_eq!(joining.word.left, round.word.left);
                    assert!(joining.word.log_rows() >= round.word.log_rows());
                }
            }
            let openings = |round: &Round| round.joining.iter().map(|j| j.opening).collect();
            runs.iter().map(|run| (run.lead, run.rounds.iter().map(openings).collect())).collect()
        };
        for regime in [Regime::Udr, Regime::Jbr] {
            assert_eq!(joins(regime, &[19, 25]), [(1, vec![vec![], vec![0], vec![], vec![]])]);
            assert_eq!(joins(regime, &[20, 12]), [(0, vec![vec![]; 3]), (1, vec![vec![]])]);
        }
        // The third word has a lower rate at the Johnson bound, and more rows than a short polynomial's.
        assert_eq!(joins(Regime::Udr, &[25, 16, 25]), [(0, vec![vec![2], vec![], vec![1], vec![]])]);
        let apart = [(0, vec![vec![2], vec![], vec![], vec![]]), (1, vec![vec![]; 2])];
        assert_eq!(joins(Regime::Jbr, &[25, 16, 25]), apart);
        let schedule = schedule::<KoalaBear4>(100, Regime::Udr, 1).expect("reached");
        for variables in 0..=26 {
            let run = schedule.run(0, &[variables]);
            let folded: usize = run.rounds.iter().map(|round| round.word.fold).sum();
            let left = run.rounds.last().map_or(0, |round| round.word.left);
            assert!(folded + left == variables && left <= LAST);
            assert!(run.rounds.iter().all(|round| round.word.fold <= 6));
        }
    }
}
