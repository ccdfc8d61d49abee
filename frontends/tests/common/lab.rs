//! The grid's tables over a field, with rows to start from and the specification to judge by.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use p3_field::PrimeField64;
use trilemma_core::Setting;

use super::model::{Legal, Model};
use super::search::{Item, Search, Witness};
use super::seeds::{self, Seed};
use super::spec::Spec;
use super::{Run, grid};

/// Everything a search needs.
pub struct Lab<F> {
    pub run: Run,
    pub models: Vec<Model<F>>,
    pub legal: Legal,
    pub spec: Spec,
    /// Rows of the grid's trace by table, all of them.
    pub rows: Vec<Vec<Seed<F>>>,
    /// Those that searches start from.
    pub seeds: Vec<Vec<Seed<F>>>,
}

impl<F: PrimeField64> Lab<F> {
    pub fn new<S: Setting<Base = F>>() -> Self {
        let run = Run::new(&grid::all(), grid::INPUT);
        let models = Model::all::<S>(&run.machine);
        let rows = seeds::rows(&models, &run.trace);
        let choose = |(model, rows): (&Model<F>, &Vec<Seed<F>>)| {
            let mut chosen = seeds::choose(model, rows.clone(), 8, 200);
            chosen.extend(seeds::extreme(model));
            chosen
        };
        let seeds = models.iter().zip(&rows).map(choose).collect();
        Self { legal: Legal::of(&models), spec: Spec::new(&run.program), run, models, rows, seeds }
    }

    /// Numbers of the tables that have constraints or lookups to search: all but those that hold
    /// what others look up.
    pub fn tables(&self) -> Vec<usize> {
        (0..self.models.len()).filter(|&t| !self.models[t].signs.contains(&0)).collect()
    }

    /// Searches table `t` with `dropped` ignored.
    pub fn search(&self, t: usize, dropped: &[Item], budget: usize) -> (Option<Witness<F>>, [usize; 3]) {
        let mut search = Search::new(&self.models[t], &self.legal, &self.spec, dropped);
        let found = search.run(&self.seeds[t], budget);
        (found, [search.tried, search.accepted, search.nobody])
    }

    /// A row as text.
    pub fn show(&self, t: usize, witness: &Witness<F>) -> String {
        let cells = self.models[t].shape.columns.iter().zip(&witness.row).map(|(c, x)| format!("{}={x}", c.name));
        format!("{}: {}", witness.why, cells.collect::<Vec<_>>().join(" "))
    }
}

/// Runs `work` on every job with two threads; results in the order of the jobs.
pub fn in_parallel<J: Sync, R: Send>(jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(at) else { break };
                    let result = work(job);
                    results.lock().unwrap().push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, r)| r).collect()
}
