//! Comparisons that are allowed: within a security class, over tasks that everyone in the comparison proved.

use crate::model::{Class, Metric, Model, Point};
use crate::stats::{Ratio, geometric_mean, slope};

/// Series of one class with the tasks that all of them proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// Class.
    pub class: Class,
    /// Indices of series, two or more.
    pub series: Vec<usize>,
    /// Indices of tasks, by growing cycles.
    pub tasks: Vec<usize>,
    /// Series of the class that are left out, having no task in common with the others.
    pub left_out: Vec<usize>,
}

impl Cohort {
    /// The largest task, by committed cells of the first series.
    pub fn largest(&self, model: &Model) -> Option<usize> {
        let first = *self.series.first()?;
        self.tasks.iter().copied().max_by_key(|&t| model.success(first, t).map(Point::weight))
    }

    /// How many times the best of the cohort each series takes, as a geometric mean over the tasks.
    pub fn times_the_best(&self, model: &Model, metric: Metric) -> Vec<Option<f64>> {
        let value = |s: usize, t: usize| model.success(s, t)?.median(metric);
        // A task counts for a metric only if every series has the metric there.
        let measured: Vec<usize> =
            self.tasks.iter().copied().filter(|&t| self.series.iter().all(|&s| value(s, t).is_some())).collect();
        let means: Vec<Option<f64>> = self
            .series
            .iter()
            .map(|&s| geometric_mean(&measured.iter().filter_map(|&t| value(s, t)).collect::<Vec<_>>()))
            .collect();
        let best = means.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        means.into_iter().map(|mean| mean.map(|m| m / best)).collect()
    }
}

/// The cohorts of a class: all its series over what all proved, then those that proved more over that.
pub fn cohorts(model: &Model, class: Class) -> Vec<Cohort> {
    let members: Vec<usize> = (0..model.series.len()).filter(|&s| model.series[s].class == class).collect();
    let mut cohorts: Vec<Cohort> = Vec::new();
    let mut candidates = members.clone();
    let mut used: Vec<usize> = Vec::new();
    loop {
        let Some(cohort) = cohort(model, class, candidates, &members, &used) else {
            return cohorts;
        };
        used.extend(&cohort.tasks);
        candidates = cohort
            .series
            .iter()
            .copied()
            .filter(|&s| (0..model.tasks.len()).any(|t| !used.contains(&t) && model.success(s, t).is_some()))
            .collect();
        let shrunk = candidates.len() < cohort.series.len();
        cohorts.push(cohort);
        if !shrunk {
            return cohorts;
        }
    }
}

/// The candidates with their common tasks, those with the fewest tasks dropped until there are any.
fn cohort(model: &Model, class: Class, mut series: Vec<usize>, members: &[usize], used: &[usize]) -> Option<Cohort> {
    let proved =
        |s: usize| (0..model.tasks.len()).filter(|&t| !used.contains(&t) && model.success(s, t).is_some()).count();
    series.retain(|&s| proved(s) > 0);
    while series.len() >= 2 {
        let mut tasks: Vec<usize> = (0..model.tasks.len())
            .filter(|&t| !used.contains(&t) && series.iter().all(|&s| model.success(s, t).is_some()))
            .collect();
        if !tasks.is_empty() {
            tasks.sort_by_key(|&t| model.tasks[t].cycles);
            let left_out = members.iter().copied().filter(|s| !series.contains(s)).collect();
            return Some(Cohort { class, series, tasks, left_out });
        }
        let fewest = series.iter().copied().min_by_key(|&s| proved(s))?;
        series.retain(|&s| s != fewest);
    }
    None
}

/// Two series compared task by task.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairing {
    /// Series whose cost is above the line.
    pub first: usize,
    /// Series whose cost is below it.
    pub second: usize,
    /// Per common task, the ratio of each of [`PAIRED`].
    pub tasks: Vec<(usize, [Option<Ratio>; PAIRED.len()])>,
    /// Geometric means of the same.
    pub means: [Option<f64>; PAIRED.len()],
}

/// The metrics of a [`Pairing`].
pub const PAIRED: [Metric; 5] = [Metric::Prove, Metric::Core, Metric::Peak, Metric::Proof, Metric::Verify];

/// The pairing of two series by name; `None` unless they are in one class and proved something in
/// common.
pub fn named_pairing(model: &Model, first: &str, second: &str) -> Option<Pairing> {
    let all = || model.series.iter().enumerate();
    let (i, a) = all().find(|(_, s)| s.name == first)?;
    let (j, _) = all().find(|(_, s)| s.name == second && s.class == a.class)?;
    pairing(model, i, j)
}

/// Pairs the series of one pipeline family with those of another that have the same scheme, field, hash and class:
/// `air/uni-stark/fri/koalabear4` with `p3-batch-stark/fri/koalabear4`.
pub fn pairings(model: &Model, first: &str, second: &str) -> Vec<Pairing> {
    let mut pairings = Vec::new();
    for (i, a) in model.series.iter().enumerate() {
        for (j, b) in model.series.iter().enumerate() {
            let rest = |pipeline: &str, family: &str| pipeline.strip_prefix(family).map(str::to_owned);
            let (Some(x), Some(y)) = (rest(&a.pipeline, first), rest(&b.pipeline, second)) else {
                continue;
            };
            if x == y && a.hash == b.hash && a.class == b.class {
                pairings.extend(pairing(model, i, j));
            }
        }
    }
    pairings
}

fn pairing(model: &Model, first: usize, second: usize) -> Option<Pairing> {
    let mut tasks: Vec<(usize, [Option<Ratio>; PAIRED.len()])> = (0..model.tasks.len())
        .filter_map(|t| {
            let (a, b) = (model.success(first, t)?, model.success(second, t)?);
            Some((t, PAIRED.map(|metric| Ratio::of(&a.values(metric), &b.values(metric)))))
        })
        .collect();
    tasks.sort_by_key(|&(t, _)| model.tasks[t].cycles);
    let mean = |i: usize| {
        geometric_mean(&tasks.iter().filter_map(|(_, ratios)| ratios[i].map(|r| r.ratio)).collect::<Vec<_>>())
    };
    let means = std::array::from_fn(mean);
    (!tasks.is_empty()).then_some(Pairing { first, second, tasks, means })
}

/// A series of a cohort by two metrics, where less of both is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Index of the series.
    pub series: usize,
    /// The first metric's median.
    pub x: f64,
    /// The second metric's median.
    pub y: f64,
    /// Whether no other series of the cohort is as good in both and better in one.
    pub frontier: bool,
}

/// The series of a cohort on one task by two metrics; those that lack one are left out.
pub fn places(model: &Model, cohort: &Cohort, task: usize, (x, y): (Metric, Metric)) -> Vec<Place> {
    let place = |&series: &usize| {
        let point = model.success(series, task)?;
        Some(Place { series, x: point.median(x)?, y: point.median(y)?, frontier: true })
    };
    let mut places: Vec<Place> = cohort.series.iter().filter_map(place).collect();
    let all = places.clone();
    let beats = |a: &Place, b: &Place| a.x <= b.x && a.y <= b.y && (a.x < b.x || a.y < b.y);
    places.iter_mut().for_each(|p| p.frontier = !all.iter().any(|other| beats(other, p)));
    places
}

/// How a metric of a series grows with the cycles, over the sizes of one program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// The exponent: least squares on logarithms.
    pub exponent: f64,
    /// Smallest and largest number of cycles.
    pub cycles: (u64, u64),
    /// Sizes.
    pub sizes: usize,
}

/// Sizes below which no exponent is printed.
const MIN_SIZES: usize = 3;

/// The growth of a metric, if there are three sizes or more.
pub fn growth(model: &Model, series: usize, program: &str, metric: Metric) -> Option<Growth> {
    let points = model.points.iter().filter(|p| p.series == series && p.cell.program == program);
    let sizes: Vec<(u64, f64)> = points.filter_map(|p| Some((p.cell.planned_cycles, p.median(metric)?))).collect();
    let cycles = || sizes.iter().map(|s| s.0);
    let (first, last) = (cycles().min()?, cycles().max()?);
    let logs: Vec<(f64, f64)> = sizes.iter().map(|&(n, y)| ((n as f64).ln(), y.ln())).collect();
    let exponent = slope(&logs)?;
    (sizes.len() >= MIN_SIZES).then_some(Growth { exponent, cycles: (first, last), sizes: sizes.len() })
}
