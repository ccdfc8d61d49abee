//! What the deletion tests of lowerings share: what is shown of how many parts, and rows of the machine to start
//! from.

pub mod custom;
pub mod implied;
pub mod local;
pub mod staged;
pub mod vanilla;

use std::collections::BTreeMap;
use std::fmt;

use p3_field::PrimeCharacteristicRing;
use trilemma_arith::Air;
use trilemma_arith::air::{Instance, Trace};
use trilemma_core::Setting;
use trilemma_core::setting::KoalaBear4;

use crate::common::lab::Lab;
use crate::common::redundant::{is_redundant, items};
use crate::common::search::Search;
use crate::common::seeds::Seed;

pub type S = KoalaBear4;
pub type F = <S as Setting>::Base;
pub type E = <S as Setting>::Ext;

/// What is shown of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// Cells that it alone refuses.
    Needed,
    /// That there are none: it follows from the others.
    Implied,
    Nothing,
}

impl From<bool> for Shown {
    fn from(needed: bool) -> Self {
        if needed { Self::Needed } else { Self::Nothing }
    }
}

/// By kind of part: those needed, those there are, and those that are not shown to be needed.
#[derive(Default)]
pub struct Tally(BTreeMap<&'static str, (usize, usize, Vec<(Shown, String)>)>);

impl Tally {
    /// Counts a part.
    pub fn add(&mut self, kind: &'static str, shown: impl Into<Shown>, name: impl FnOnce() -> String) {
        let (found, all, missed) = self.0.entry(kind).or_default();
        let shown = shown.into();
        *found += usize::from(shown == Shown::Needed);
        *all += 1;
        missed.extend((shown != Shown::Needed).then(|| (shown, name())));
    }

    /// Adds another's parts.
    pub fn join(&mut self, other: Self) {
        for (kind, (found, all, missed)) in other.0 {
            let entry = self.0.entry(kind).or_default();
            entry.0 += found;
            entry.1 += all;
            entry.2.extend(missed);
        }
    }

    /// All parts of these kinds.
    pub fn all(&self, of: impl Fn(&str) -> bool) -> usize {
        self.0.iter().filter(|(kind, _)| of(kind)).map(|(_, (_, all, _))| all).sum()
    }

    /// Parts of which nothing is shown.
    pub fn open(&self) -> Vec<&str> {
        let missed = self.0.values().flat_map(|t| &t.2);
        missed.filter(|(shown, _)| *shown == Shown::Nothing).map(|(_, name)| name.as_str()).collect()
    }

    /// Needed parts and all parts, by kind.
    pub fn counts(&self) -> Vec<(&'static str, usize, usize)> {
        self.0.iter().map(|(kind, (found, all, _))| (*kind, *found, *all)).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(kind, (found, all, _))| writeln!(f, "{kind}: {found} of {all} needed"))?;
        let mut missed: Vec<&(Shown, String)> = self.0.values().flat_map(|t| &t.2).collect();
        missed.sort_unstable();
        missed.iter().try_for_each(|(shown, name)| writeln!(f, "{shown:?}: {name}"))
    }
}

/// Rows of every table of the machine, at most so many; tables with fixed columns as they are.
pub fn rows(lab: &Lab<F>, air: &Air<S>, most: usize) -> Trace {
    use p3_field::PrimeField32;
    let few = |instance: &Instance| {
        let shape = air.tables[instance.table].shape();
        if shape.fixed_height > 0 {
            let mut whole = instance.clone();
            whole.cells.resize(shape.columns.len() << whole.log_height, 0);
            return whole;
        }
        let real = |row: &&Vec<F>| shape.columns[0].name != "real" || row[0].as_canonical_u32() == 1;
        let seeds = lab.seeds[instance.table].iter().map(|seed| &seed.row).filter(real);
        // The last are those that no short execution reaches.
        let mut chosen: Vec<&Vec<F>> = seeds.collect();
        let extreme = chosen.split_off(chosen.len().saturating_sub(3));
        let chosen = extreme.into_iter().chain(chosen).take(most);
        let cells: Vec<u32> = chosen.flatten().map(PrimeField32::as_canonical_u32).collect();
        let rows = cells.len() / shape.columns.len();
        Instance { table: instance.table, log_height: rows.next_power_of_two().trailing_zeros() as usize, cells }
    };
    let mut known = std::collections::BTreeSet::new();
    let mut instances: Vec<Instance> = lab.run.trace.instances.iter().map(few).collect();
    instances.retain(|i| known.insert(i.table));
    Trace { instances }
}

/// Rows evaluated before a search of the machine's tables gives up.
const BUDGET: usize = 300_000;
/// Searches for one constraint or lookup, each from other rows.
const SEARCHES: usize = 2;

/// Rows of a table by its name, each of which one of its constraints or lookups alone refuses: what the search of the
/// machine's own deletion test finds, for parts of a lowering for which a search of the lowering finds nothing.
pub fn forgeries(lab: &Lab<F>, name: &str) -> Vec<Vec<F>> {
    let table = lab.models.iter().position(|model| model.shape.name == name).unwrap();
    let shape = &lab.models[table].shape;
    let needed = items(shape).into_iter().filter(|(_, what, before)| !is_redundant(name, what, *before));
    let real = |seed: &&Seed<F>| shape.columns[0].name != "real" || seed.row[0] == F::ONE;
    let seeds: Vec<Seed<F>> = lab.seeds[table].iter().filter(real).cloned().collect();
    let jobs = needed.flat_map(|(item, ..)| (0..SEARCHES).map(move |n| (item, n)));
    let found = jobs.filter_map(|(item, n)| {
        let seeds: Vec<Seed<F>> = seeds.iter().skip(n % seeds.len()).step_by(SEARCHES).cloned().collect();
        Search::new(&lab.models[table], &lab.legal, &lab.spec, &[item]).run(&seeds, BUDGET)
    });
    found.map(|witness| witness.row).collect()
}
