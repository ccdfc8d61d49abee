//! The adversary: changes one cell of a row, then repairs what broke by solving for other cells.
//!
//! [`Search::run`] with nothing dropped looks for a row that a table accepts and the specification
//! does not. With one constraint or lookup dropped, such a row is a witness that the table needs it;
//! that the same search finds one for nearly every constraint is what makes its silence on the whole
//! table worth something.

use p3_field::PrimeField64;
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use trilemma_frontends::riscv::machine::bus::{BYTES, SHIFT};

use super::model::{Legal, Model, RANGE, Set, byte_operation};
use super::seeds::Seed;
use super::spec::{Spec, Verdict};

/// What a search ignores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dropped {
    Nothing,
    Constraint(usize),
    Interaction(usize),
}

/// A row that should not have been accepted.
#[derive(Debug, Clone)]
pub struct Witness<F> {
    pub row: Vec<F>,
    pub fixed: Vec<F>,
    pub why: String,
}

/// What a row breaks.
#[derive(Clone, Copy)]
enum Broken {
    Constraint(usize),
    Lookup(usize),
}

/// A search over one table.
pub struct Search<'a, F> {
    pub model: &'a Model<F>,
    pub legal: &'a Legal,
    pub spec: &'a Spec,
    pub dropped: Dropped,
    /// Cells that one attempt may change.
    pub depth: usize,
    /// Rows evaluated.
    pub tried: usize,
    /// Rows that the table accepted.
    pub accepted: usize,
    /// Of those, rows that receive what nobody sends.
    pub nobody: usize,
    /// Most rows to evaluate for one attempt.
    pub patience: usize,
    values: Vec<F>,
    rng: SmallRng,
}

impl<'a, F: PrimeField64> Search<'a, F> {
    pub fn new(model: &'a Model<F>, legal: &'a Legal, spec: &'a Spec, dropped: Dropped) -> Self {
        Self {
            model,
            legal,
            spec,
            dropped,
            depth: 6,
            tried: 0,
            accepted: 0,
            nobody: 0,
            patience: 60,
            values: Vec::new(),
            rng: SmallRng::seed_from_u64(3),
        }
    }

    /// Tries the seeds as they are, then changes of one or two of their cells, until `budget` rows
    /// are evaluated.
    pub fn run(&mut self, seeds: &[Seed<F>], budget: usize) -> Option<Witness<F>> {
        let width = self.model.shape.columns.len();
        for seed in seeds {
            if let Some(found) = self.attempt(seed, &[]) {
                return Some(found);
            }
        }
        while self.tried < budget {
            let mut kinds = attempts(width);
            kinds.shuffle(&mut self.rng);
            for (cell, kind) in kinds {
                let rng = &mut self.rng;
                let seed = seeds.choose(rng)?;
                let mut changes = vec![(cell, change(seed.row[cell], kind, seeds, cell, rng))];
                if rng.random_bool(0.5) {
                    let (other, kind) = (rng.random_range(0..width), rng.random_range(0..KINDS));
                    changes.push((other, change(seed.row[other], kind, seeds, other, rng)));
                }
                if let Some(found) = self.attempt(seed, &changes) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Changes cells of a seed and repairs the rest.
    pub fn attempt(&mut self, seed: &Seed<F>, changes: &[(usize, F)]) -> Option<Witness<F>> {
        let mut row = seed.row.clone();
        let mut touched: Set = 0;
        for &(cell, value) in changes {
            row[cell] = value;
            touched |= 1 << cell;
        }
        let mut patience = self.patience;
        self.repair(&mut row, &seed.fixed, touched, self.depth, &mut patience)
    }

    fn repair(
        &mut self,
        row: &mut [F],
        fixed: &[F],
        touched: Set,
        depth: usize,
        patience: &mut usize,
    ) -> Option<Witness<F>> {
        if *patience == 0 {
            return None;
        }
        *patience -= 1;
        self.tried += 1;
        let mut values = std::mem::take(&mut self.values);
        self.model.eval(row, fixed, &mut values);
        let broken = self.broken(&values, touched);
        let moves = match broken {
            None => {
                self.accepted += 1;
                let verdict = self.spec.judge(self.model, row, &values);
                self.values = values;
                return match verdict {
                    Verdict::Forged(why) => Some(Witness { row: row.to_vec(), fixed: fixed.to_vec(), why }),
                    Verdict::Nobody(_) => {
                        self.nobody += 1;
                        None
                    }
                    Verdict::Legal => None,
                };
            }
            Some(broken) if depth > 0 => {
                let mut moves = self.moves(broken, row, &values, touched);
                moves.shuffle(&mut self.rng);
                moves
            }
            Some(_) => Vec::new(),
        };
        self.values = values;
        for (cell, value) in moves {
            let old = std::mem::replace(&mut row[cell], value);
            let found = self.repair(row, fixed, touched | 1 << cell, depth - 1, patience);
            row[cell] = old;
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The broken constraint or lookup with the fewest cells left to repair it; lookups last.
    fn broken(&self, values: &[F], touched: Set) -> Option<Broken> {
        let constraints = self.model.shape.constraints.iter().enumerate();
        let broken = constraints
            .filter(|(i, c)| self.dropped != Dropped::Constraint(*i) && !values[c.expr.0 as usize].is_zero())
            .min_by_key(|(_, c)| (self.model.support(c.expr) & !touched).count_ones());
        if let Some((i, _)) = broken {
            return Some(Broken::Constraint(i));
        }
        let interactions = self.model.shape.interactions.iter().enumerate();
        let mut lookups = interactions.filter(|(i, x)| {
            x.bus.lookup
                && self.dropped != Dropped::Interaction(*i)
                && self.model.signs[*i] == 1
                && !values[x.multiplicity.0 as usize].is_zero()
                && !self.legal.holds(x.bus, &self.model.tuple(*i, values))
        });
        lookups.next().map(|(i, _)| Broken::Lookup(i))
    }

    /// Changes of one cell each that repair what is broken.
    fn moves(&self, broken: Broken, row: &[F], values: &[F], touched: Set) -> Vec<(usize, F)> {
        let mut moves = Vec::new();
        let mut solve = |e, target: F| {
            let free = self.model.support(e) & !touched;
            for cell in (0..row.len()).filter(|c| free >> c & 1 == 1) {
                moves.extend(self.model.roots(e, cell, target, row, values).into_iter().map(|x| (cell, x)));
            }
        };
        match broken {
            Broken::Constraint(i) => solve(self.model.shape.constraints[i].expr, F::ZERO),
            Broken::Lookup(i) => {
                let interaction = &self.model.shape.interactions[i];
                let tuple = self.model.tuple(i, values);
                if interaction.bus == RANGE && tuple[1] <= 16 {
                    for target in [0, (1 << tuple[1]) - 1, tuple[0] & ((1 << tuple[1]) - 1)] {
                        solve(interaction.tuple[0], F::from_u64(target));
                    }
                } else if interaction.bus == BYTES {
                    if let Some(c) = byte_operation(tuple[0], tuple[1] & 0xff, tuple[2] & 0xff) {
                        solve(interaction.tuple[3], F::from_u64(c));
                    }
                } else if interaction.bus == SHIFT {
                    for legal in self.legal.shift_rows.iter().filter(|r| r[..2] == tuple[..2]) {
                        let at = (2..5).find(|&k| legal[k] != tuple[k]).unwrap_or(2);
                        solve(interaction.tuple[at], F::from_u64(legal[at]));
                    }
                }
            }
        }
        moves
    }
}

/// Kinds of changes of a cell.
const KINDS: usize = 16;

/// Every kind of change of every cell.
fn attempts(width: usize) -> Vec<(usize, usize)> {
    (0..width).flat_map(|cell| (0..KINDS).map(move |kind| (cell, kind))).collect()
}

fn change<F: PrimeField64>(x: F, kind: usize, seeds: &[Seed<F>], cell: usize, rng: &mut SmallRng) -> F {
    match kind {
        0 => F::ONE - x,
        1 => x + F::ONE,
        2 => x - F::ONE,
        3 => x + F::from_u32(1 << 16),
        4 => x - F::from_u32(1 << 16),
        5 => x + F::from_u32(1 << 8),
        6 => x - F::from_u32(1 << 8),
        7 => F::ZERO,
        8 => F::from_u32(*[2, 3, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000].choose(rng).unwrap()),
        9 => F::from_u32(rng.random_range(0..1 << 16)),
        10 => F::from_u32(rng.random_range(0..256)),
        11 => F::from_u32(1 << rng.random_range(0..30)),
        12 => x * F::from_u32(2),
        13 => F::from_u64(rng.random()),
        14 => -x,
        _ => seeds.choose(rng).map_or(x, |seed| seed.row[cell]),
    }
}
