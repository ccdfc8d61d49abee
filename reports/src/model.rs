//! The one model behind every format: series, points, errors and failures of a run.

use std::collections::BTreeSet;

use trilemma_core::Regime;
use trilemma_core::security::Standing;

use crate::run::Run;
use crate::schema::{Cell, Counts, Measurement, Phases, Sample, Status, Traits};
use crate::stats::Summary;

/// What may be ranked together: pipelines under one target and regime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// Bits that every proven term reaches.
    pub bits: u32,
    /// Regime of code-based terms.
    pub regime: Regime,
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bits, {}", self.bits, self.regime.name())
    }
}

/// A pipeline with its options: one line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Short and unique in the run.
    pub name: String,
    /// Pipeline.
    pub pipeline: String,
    /// Hash of Merkle trees.
    pub hash: String,
    /// Security class. Rows that miss the target are errors and in no class.
    pub class: Class,
    /// What it is; unknown when nothing succeeded.
    pub traits: Option<Traits>,
}

impl Series {
    /// What a reader must know beside the name: a set-up, a weakness to quantum computers.
    pub fn caveats(&self) -> Vec<String> {
        let Some(traits) = &self.traits else {
            return Vec::new();
        };
        let mut caveats = Vec::new();
        if !traits.post_quantum {
            caveats.push("pre-quantum".to_owned());
        }
        if traits.setup != "transparent" {
            caveats.push(format!("{} set-up", traits.setup));
        }
        caveats
    }

    /// Name with caveats.
    pub fn legend(&self) -> String {
        let caveats = self.caveats();
        if caveats.is_empty() { self.name.clone() } else { format!("{} ({})", self.name, caveats.join(", ")) }
    }
}

/// A program with an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Program.
    pub program: String,
    /// Size, as the experiment calls it.
    pub size: String,
    /// Cycles.
    pub cycles: u64,
}

/// What a series did on a task.
#[derive(Debug, Clone)]
pub struct Point {
    /// Index of the series.
    pub series: usize,
    /// Index of the task.
    pub task: usize,
    /// The cell.
    pub cell: Cell,
    /// Its rows.
    pub samples: Vec<Sample>,
}

impl Point {
    /// The rows that succeeded.
    pub fn successes(&self) -> impl Iterator<Item = &Measurement> {
        self.samples.iter().map(|s| &s.measurement).filter(|m| m.status == Status::Ok)
    }

    /// How many rows succeeded.
    pub fn ok(&self) -> usize {
        self.successes().count()
    }

    /// One row that succeeded.
    pub fn first(&self) -> Option<&Measurement> {
        self.successes().next()
    }

    /// Costs that cannot vary.
    pub fn counts(&self) -> Option<&Counts> {
        self.first()?.counts.as_ref()
    }

    /// What to order points by: committed cells, and cycles where those are not known.
    pub fn weight(&self) -> (u64, u64) {
        (self.counts().map_or(0, |c| c.committed_cells), self.cell.planned_cycles)
    }

    /// A metric of every row that succeeded and has it.
    pub fn values(&self, metric: Metric) -> Vec<f64> {
        self.successes().filter_map(|m| metric.of(m)).collect()
    }

    /// A metric in short.
    pub fn summary(&self, metric: Metric) -> Option<Summary> {
        Summary::of(&self.values(metric))
    }

    /// A metric's median.
    pub fn median(&self, metric: Metric) -> Option<f64> {
        self.summary(metric).map(|s| s.median)
    }

    /// Median of each phase of [`Phases::STACK`].
    pub fn stack(&self) -> Vec<Option<f64>> {
        (0..Phases::STACK.len())
            .map(|i| {
                let values: Vec<f64> =
                    self.successes().filter_map(|m| m.phases.stack()[i]).map(|ns| ns as f64).collect();
                Summary::of(&values).map(|s| s.median)
            })
            .collect()
    }
}

/// A quantity of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Wall time from input to proof.
    Prove,
    /// Processor time while proving.
    Core,
    /// Largest resident memory.
    Peak,
    /// Proof size.
    Proof,
    /// Verifier time.
    Verify,
}

impl Metric {
    /// Every metric, by the order of the methodology: efficiency, speed, succinctness.
    pub const ALL: [Self; 5] = [Self::Core, Self::Peak, Self::Prove, Self::Proof, Self::Verify];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prove => "prover time",
            Self::Core => "core-seconds",
            Self::Peak => "peak memory",
            Self::Proof => "proof size",
            Self::Verify => "verifier time",
        }
    }

    /// Its value in a row: nanoseconds or bytes.
    pub fn of(self, row: &Measurement) -> Option<f64> {
        let value = match self {
            Self::Prove => row.phases.prove_total_ns,
            Self::Core => row.resources.core_ns,
            Self::Peak => row.resources.peak_bytes,
            Self::Proof => row.counts.as_ref().map(|c| c.proof_bytes),
            Self::Verify => row.phases.verify_ns,
        };
        value.map(|v| v as f64)
    }
}

/// Rows of a cell that ended in the same failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Index of the point.
    pub point: usize,
    /// How they ended.
    pub status: Status,
    /// Why the first of them did.
    pub reason: String,
    /// How many.
    pub times: usize,
}

/// A run, grouped.
#[derive(Debug, Clone)]
pub struct Model {
    /// The run.
    pub run: Run,
    /// Pipelines, in the order of the plan.
    pub series: Vec<Series>,
    /// Programs with inputs, in the order of the plan.
    pub tasks: Vec<Task>,
    /// What was planned, and what came of it.
    pub points: Vec<Point>,
    /// Rows that failed.
    pub failures: Vec<Failure>,
    /// What makes the run unfit to be believed.
    pub errors: Vec<String>,
}

impl Model {
    /// Groups the rows of a run.
    pub fn new(run: Run) -> Self {
        let names = series_names(&run.plan);
        let mut model = Self {
            series: Vec::new(),
            tasks: Vec::new(),
            points: Vec::new(),
            failures: Vec::new(),
            errors: Vec::new(),
            run,
        };
        let plan = std::mem::take(&mut model.run.plan);
        for (cell, name) in plan.iter().zip(names) {
            let samples: Vec<Sample> = model.run.samples.iter().filter(|s| s.cell.cell == cell.cell).cloned().collect();
            let series = model.series_index(cell, name);
            let task = model.task_index(cell);
            let point = Point { series, task, cell: cell.clone(), samples };
            if let Some(row) = point.first() {
                model.series[series].traits.clone_from(&row.traits);
            }
            model.collect_failures(&point);
            model.points.push(point);
        }
        model.run.plan = plan;
        model.collect_errors();
        model
    }

    fn series_index(&mut self, cell: &Cell, name: String) -> usize {
        let class = Class { bits: cell.target_bits, regime: cell.regime };
        position_or_push(
            &mut self.series,
            |s| s.name == name && s.class == class,
            || Series {
                name: name.clone(),
                pipeline: cell.pipeline.clone(),
                hash: cell.hash.clone(),
                class,
                traits: None,
            },
        )
    }

    fn task_index(&mut self, cell: &Cell) -> usize {
        let task = Task { program: cell.program.clone(), size: cell.size.clone(), cycles: cell.planned_cycles };
        position_or_push(&mut self.tasks, |t| *t == task, || task.clone())
    }

    fn collect_failures(&mut self, point: &Point) {
        let failed: Vec<&Measurement> =
            point.samples.iter().map(|s| &s.measurement).filter(|m| m.status != Status::Ok).collect();
        for status in failed.iter().map(|m| m.status).collect::<BTreeSet<_>>() {
            let mut same = failed.iter().filter(|m| m.status == status);
            let reason = same.next().and_then(|m| m.reason.clone()).unwrap_or_default();
            self.failures.push(Failure { point: self.points.len(), status, reason, times: 1 + same.count() });
        }
    }

    fn collect_errors(&mut self) {
        let machine = &self.run.environment.machine;
        let mut errors = Vec::new();
        if self.run.samples.iter().any(|s| s.machine != *machine) {
            errors.push("rows of more than one machine are in this run".to_owned());
        }
        let strays =
            self.run.samples.iter().filter(|s| !self.points.iter().any(|p| p.cell.cell == s.cell.cell)).count();
        if strays > 0 {
            errors.push(format!("{strays} rows belong to no planned cell"));
        }
        for point in &self.points {
            let what = format!("{}, {} {}", self.series[point.series].name, point.cell.program, point.cell.size);
            errors.extend(point_errors(point).into_iter().map(|e| format!("{what}: {e}")));
        }
        self.errors = errors;
    }

    /// The point of a series on a task, if it succeeded.
    pub fn success(&self, series: usize, task: usize) -> Option<&Point> {
        self.points.iter().find(|p| p.series == series && p.task == task && p.ok() > 0)
    }

    /// The classes met, in order.
    pub fn classes(&self) -> Vec<Class> {
        let mut classes: Vec<Class> = Vec::new();
        for series in &self.series {
            if !classes.contains(&series.class) {
                classes.push(series.class);
            }
        }
        classes
    }

    /// The programs met, in order.
    pub fn programs(&self) -> Vec<&str> {
        let mut programs: Vec<&str> = Vec::new();
        for task in &self.tasks {
            if !programs.contains(&task.program.as_str()) {
                programs.push(&task.program);
            }
        }
        programs
    }

    /// The largest proof of a series, by committed cells.
    pub fn largest(&self, series: usize) -> Option<&Point> {
        self.points.iter().filter(|p| p.series == series && p.ok() > 0).max_by_key(|p| p.weight())
    }
}

/// Differences between rows of a cell where there can be none, and targets missed.
fn point_errors(point: &Point) -> Vec<String> {
    let mut errors = Vec::new();
    let all: Vec<&Counts> = point.successes().filter_map(|m| m.counts.as_ref()).collect();
    type Field = (&'static str, fn(&Counts) -> u64);
    let fields: [Field; 7] = [
        ("cycles", |c| c.cycles),
        ("rows", |c| c.rows),
        ("padded rows", |c| c.padded_rows),
        ("committed cells", |c| c.committed_cells),
        ("interactions", |c| c.interactions),
        ("proof bytes", |c| c.proof_bytes),
        ("verifying key bytes", |c| c.verifying_key_bytes),
    ];
    for (name, field) in fields {
        let distinct: BTreeSet<u64> = all.iter().map(|c| field(c)).collect();
        if distinct.len() > 1 {
            let list: Vec<String> = distinct.iter().map(u64::to_string).collect();
            errors.push(format!("{name} cannot vary between repetitions, but were {}", list.join(", ")));
        }
    }
    if let [first, rest @ ..] = all.as_slice() {
        if first.cycles != point.cell.planned_cycles {
            errors.push(format!("{} cycles proven, {} in a plain execution", first.cycles, point.cell.planned_cycles));
        }
        if errors.is_empty() && rest.iter().any(|c| c != first) {
            errors.push("tables or bytes by label vary between repetitions".to_owned());
        }
    }
    let target = f64::from(point.cell.target_bits);
    if let Some(bits) = point.successes().filter_map(|m| m.bits).find(|bits| *bits < target) {
        errors.push(format!("{bits:.1} bits computed, {target} asked for"));
    }
    errors
}

fn position_or_push<T>(items: &mut Vec<T>, same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> usize {
    items.iter().position(same).unwrap_or_else(|| {
        items.push(make());
        items.len() - 1
    })
}

/// A name for each cell's series: the experiment's, or the pipeline with the options that tell it from others.
fn series_names(plan: &[Cell]) -> Vec<String> {
    let differ = |cell: &Cell, different: fn(&Cell, &Cell) -> bool| {
        plan.iter().any(|other| other.pipeline == cell.pipeline && different(other, cell))
    };
    plan.iter()
        .map(|cell| {
            if let Some(label) = &cell.label {
                return label.clone();
            }
            let mut name = cell.pipeline.clone();
            if differ(cell, |a, b| a.hash != b.hash) {
                name = format!("{name} · {}", cell.hash);
            }
            if differ(cell, |a, b| a.log_blowup != b.log_blowup) {
                name = format!("{name} · 1/{}", 1u64 << cell.log_blowup);
            }
            if differ(cell, |a, b| (a.target_bits, a.regime) != (b.target_bits, b.regime)) {
                name = format!("{name} · {} bits, {}", cell.target_bits, cell.regime.name());
            }
            name
        })
        .collect()
}

/// The weakest line of a row's ledger among those of one standing, in words.
pub fn weakest(row: &Measurement, standing: Standing) -> Option<String> {
    row.ledger.weakest(standing).map(|t| format!("{} ({:.1} bits)", t.name, t.total()))
}
