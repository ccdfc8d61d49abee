//! Medians, intervals and ratios.
//!
//! Five or more samples give a seeded percentile bootstrap interval of the median; fewer give their
//! range, which is no interval and is never called one.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Samples from which an interval is worth printing.
pub const MIN_FOR_INTERVAL: usize = 5;
/// Resamples of a bootstrap.
pub const RESAMPLES: usize = 10_000;
/// Relative difference below which two systems count as equal.
pub const PRACTICAL_BAND: f64 = 0.02;
/// Ratio below which two single measurements say nothing: those of one cell have differed by up to 1.4.
pub const ONE_RUN: f64 = 1.5;

const SEED: u64 = 0x7269_6c65_6d6d_6131;

/// What `low` and `high` of a summary mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// One sample, or one on either side of a ratio: there is no spread.
    One,
    /// Least and greatest sample.
    Range,
    /// Bootstrap interval of 95 %.
    Interval,
}

/// A sample in short.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Samples.
    pub n: usize,
    /// Median.
    pub median: f64,
    /// Lower end of the spread.
    pub low: f64,
    /// Upper end of the spread.
    pub high: f64,
    /// What the ends mean.
    pub spread: Spread,
}

impl Summary {
    /// Sums up `samples`, if there are any.
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let median = median_of_sorted(&sorted);
        let n = sorted.len();
        if n < MIN_FOR_INTERVAL {
            let spread = if n == 1 { Spread::One } else { Spread::Range };
            return Some(Self { n, median, low: first, high: last, spread });
        }
        let mut rng = StdRng::seed_from_u64(SEED);
        let (low, high) = interval(|| resampled_median(&sorted, &mut rng));
        Some(Self { n, median, low, high, spread: Spread::Interval })
    }
}

/// Median of a sorted, non-empty slice.
fn median_of_sorted(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

fn resampled_median(samples: &[f64], rng: &mut StdRng) -> f64 {
    let mut drawn: Vec<f64> = (0..samples.len()).map(|_| samples[rng.random_range(0..samples.len())]).collect();
    drawn.sort_by(f64::total_cmp);
    median_of_sorted(&drawn)
}

/// The middle 95 % of many draws of a statistic.
fn interval(mut draw: impl FnMut() -> f64) -> (f64, f64) {
    let mut draws: Vec<f64> = (0..RESAMPLES).map(|_| draw()).collect();
    draws.sort_by(f64::total_cmp);
    let at = |q: f64| draws[((RESAMPLES - 1) as f64 * q).round() as usize];
    (at(0.025), at(0.975))
}

/// Geometric mean of positive numbers, if there are any.
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| (values.iter().map(|v| v.ln()).sum::<f64>() / values.len() as f64).exp())
}

/// What a comparison of times says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The first is faster.
    Faster,
    /// The first is slower.
    Slower,
    /// They differ by less than the practical band.
    Equivalent,
    /// The spread allows more than one of these.
    Inconclusive,
}

impl Verdict {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Equivalent => "equivalent",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Ratio of two medians, with the spread of the ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// Median of the first over median of the second.
    pub ratio: f64,
    /// Lower end of its spread.
    pub low: f64,
    /// Upper end of its spread.
    pub high: f64,
    /// What the ends mean. For a range they are the extreme ratios that the samples allow.
    pub spread: Spread,
    /// What it says when less is better. A verdict from a range is not a test of significance.
    pub verdict: Verdict,
}

impl Ratio {
    /// Compares two samples, if neither is empty.
    pub fn of(first: &[f64], second: &[f64]) -> Option<Self> {
        let (a, b) = (Summary::of(first)?, Summary::of(second)?);
        let (low, high, spread) = if first.len().min(second.len()) < MIN_FOR_INTERVAL {
            let (min_a, max_a) = extremes(first);
            let (min_b, max_b) = extremes(second);
            let spread = if first.len().max(second.len()) == 1 { Spread::One } else { Spread::Range };
            (min_a / max_b, max_a / min_b, spread)
        } else {
            let mut rng = StdRng::seed_from_u64(SEED);
            let (low, high) = interval(|| resampled_median(first, &mut rng) / resampled_median(second, &mut rng));
            (low, high, Spread::Interval)
        };
        let verdict = if spread == Spread::One && (1.0 / ONE_RUN..ONE_RUN).contains(&low) {
            Verdict::Inconclusive
        } else if high < 1.0 - PRACTICAL_BAND {
            Verdict::Faster
        } else if low > 1.0 + PRACTICAL_BAND {
            Verdict::Slower
        } else if low >= 1.0 - PRACTICAL_BAND && high <= 1.0 + PRACTICAL_BAND {
            Verdict::Equivalent
        } else {
            Verdict::Inconclusive
        };
        Some(Self { ratio: a.median / b.median, low, high, spread, verdict })
    }
}

fn extremes(samples: &[f64]) -> (f64, f64) {
    let min = samples.iter().copied().fold(f64::INFINITY, f64::min);
    let max = samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (min, max)
}

/// Slope of the least-squares line; `None` when all abscissae are equal.
pub fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let covariance: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let variance: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    (variance > 0.0).then(|| covariance / variance)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_samples_give_their_range() {
        assert_eq!(Summary::of(&[]), None);
        let one = Summary { n: 1, median: 3.0, low: 3.0, high: 3.0, spread: Spread::One };
        assert_eq!(Summary::of(&[3.0]), Some(one));
        let four = Summary { n: 4, median: 2.5, low: 1.0, high: 9.0, spread: Spread::Range };
        assert_eq!(Summary::of(&[9.0, 1.0, 3.0, 2.0]), Some(four));
    }

    /// The exact bootstrap distribution of the median of 1..=5: it is at most k when three of five draws are,
    /// so P(1) = 5.8 % and P(<= 2) = 31.7 %; 2.5 % and 97.5 % lie at the ends.
    #[test]
    fn the_interval_of_five_samples_is_the_exact_one() {
        let summary = Summary::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((summary.median, summary.low, summary.high), (3.0, 1.0, 5.0));
        assert_eq!(summary.spread, Spread::Interval);
    }

    /// For the median of 1..=n with n = 101, order statistics give 50.5 +- 1.96 sqrt(101) / 2 to within 2.
    #[test]
    fn the_interval_of_many_samples_matches_order_statistics() {
        let samples: Vec<f64> = (1..=101).map(f64::from).collect();
        let summary = Summary::of(&samples).unwrap();
        let half_width = 1.96 * 101_f64.sqrt() / 2.0;
        assert!((summary.low - (51.0 - half_width)).abs() <= 2.0, "{summary:?}");
        assert!((summary.high - (51.0 + half_width)).abs() <= 2.0, "{summary:?}");
    }

    #[test]
    fn verdicts_respect_the_practical_band() {
        let verdict = |a: &[f64], b: &[f64]| Ratio::of(a, b).unwrap().verdict;
        assert_eq!(verdict(&[1.0, 1.1, 1.2], &[2.0, 2.1, 2.2]), Verdict::Faster);
        assert_eq!(verdict(&[2.0, 2.1, 2.2], &[1.0, 1.1, 1.2]), Verdict::Slower);
        assert_eq!(verdict(&[1.0, 1.001], &[1.0, 1.002]), Verdict::Equivalent);
        assert_eq!(verdict(&[1.0, 2.0], &[1.5, 1.6]), Verdict::Inconclusive);
        assert_eq!(verdict(&[0.985, 0.985], &[1.0, 1.0]), Verdict::Equivalent);
        for (one, says) in [(0.6, Verdict::Faster), (0.7, Verdict::Inconclusive), (1.4, Verdict::Inconclusive)] {
            assert_eq!(verdict(&[one], &[1.0]), says, "{one}");
        }
    }

    #[test]
    fn geometric_mean_of_known_values() {
        assert_eq!(geometric_mean(&[]), None);
        assert!((geometric_mean(&[1.0, 4.0]).unwrap() - 2.0).abs() < 1e-12);
        assert!((geometric_mean(&[2.0, 0.5]).unwrap() - 1.0).abs() < 1e-12);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn the_median_lies_in_its_spread(samples in prop::collection::vec(0.1f64..1e6, 1..12)) {
            let summary = Summary::of(&samples).unwrap();
            prop_assert!(summary.low <= summary.median && summary.median <= summary.high);
            let (min, max) = extremes(&samples);
            prop_assert!(min <= summary.low && summary.high <= max);
        }
    }

    #[test]
    fn a_power_law_has_its_exponent_as_slope() {
        let points: Vec<(f64, f64)> = (1..6).map(|i| (f64::from(i), 3.0 + 0.5 * f64::from(i))).collect();
        assert!((slope(&points).unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(slope(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(slope(&[]), None);
    }
}
