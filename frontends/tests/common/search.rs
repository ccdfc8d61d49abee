//! The adversary: changes some cells of a row, then repairs what broke by solving for other cells.
//!
//! [`Search::run`] looks for a row that a table accepts and the specification does not. With one
//! constraint or lookup dropped, such a row is a witness that the table needs it; that the same search
//! finds one for nearly every constraint is what makes its silence on the whole table worth something.

use p3_field::PrimeField64;
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use trilemma_arith::Expr;
use trilemma_arith::expr::Node;
use trilemma_frontends::riscv::machine::bus::{BYTES, PROGRAM, SHIFT};

use super::cheats::cheats;
use super::model::{Legal, Model, RANGE, Set, byte_operation};
use super::seeds::Seed;
use super::spec::{Spec, Verdict};

/// A constraint or an interaction of a table, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
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
enum Broken<F> {
    /// A constraint, or the difference of what is received from what the seed received.
    Equation(Expr, F),
    Lookup(usize),
}

/// Cells to set.
pub type Move<F> = Vec<(usize, F)>;

/// One attempt at a witness.
struct Attempt<'s, F> {
    row: Vec<F>,
    fixed: &'s [F],
    /// What has to be received, if that is pinned.
    received: Vec<(Expr, F)>,
    patience: usize,
}

/// A search over one table.
pub struct Search<'a, F> {
    pub model: &'a Model<F>,
    pub legal: &'a Legal,
    pub spec: &'a Spec,
    /// Constraints and lookups that the search ignores.
    pub dropped: &'a [Item],
    /// Rows evaluated.
    pub tried: usize,
    /// Rows that the table accepted.
    pub accepted: usize,
    /// Of those, rows that receive what nobody sends.
    pub nobody: usize,
    /// Most repairs in a row.
    pub depth: usize,
    /// Most rows to evaluate in one attempt.
    pub patience: usize,
    /// What a cell must stay below, and where that holds: on every row, or where an interaction is
    /// in force.
    bounds: Vec<(usize, u64, Option<usize>)>,
    values: Vec<F>,
    rng: SmallRng,
}

impl<'a, F: PrimeField64> Search<'a, F> {
    pub fn new(model: &'a Model<F>, legal: &'a Legal, spec: &'a Spec, dropped: &'a [Item]) -> Self {
        Self {
            model,
            legal,
            spec,
            dropped,
            tried: 0,
            accepted: 0,
            nobody: 0,
            depth: 14,
            patience: 100,
            bounds: bounds(model, dropped),
            values: Vec::new(),
            rng: SmallRng::seed_from_u64(3),
        }
    }

    /// Tries the seeds as they are and known forgeries, then changes of one or two cells of the
    /// seeds, until `budget` rows are evaluated.
    pub fn run(&mut self, seeds: &[Seed<F>], budget: usize) -> Option<Witness<F>> {
        let width = self.model.shape.columns.len();
        for (seed, changes) in cheats(self.model, seeds) {
            if let Some(found) = self.attempt(&seed, &changes, false) {
                return Some(found);
            }
        }
        for seed in seeds {
            if let Some(found) = self.attempt(seed, &[], false) {
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
                if rng.random_bool(0.3) {
                    let (other, kind) = (rng.random_range(0..width), rng.random_range(0..KINDS));
                    changes.push((other, change(seed.row[other], kind, seeds, other, rng)));
                }
                let pinned = rng.random_bool(0.5);
                if let Some(found) = self.attempt(seed, &changes, pinned) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Changes cells of a seed and repairs the rest, receiving what the seed receives if `pinned`.
    pub fn attempt(&mut self, seed: &Seed<F>, changes: &[(usize, F)], pinned: bool) -> Option<Witness<F>> {
        let mut row = seed.row.clone();
        let mut touched: Set = 0;
        for &(cell, value) in changes {
            row[cell] = value;
            touched |= 1 << cell;
        }
        let received = if pinned { self.received(seed) } else { Vec::new() };
        let mut attempt = Attempt { row, fixed: &seed.fixed, received, patience: self.patience };
        self.repair(&mut attempt, touched, self.depth)
    }

    /// What a row receives on the buses, with the expressions that say so.
    fn received(&mut self, seed: &Seed<F>) -> Vec<(Expr, F)> {
        self.model.eval(&seed.row, &seed.fixed, &mut self.values);
        let values = &self.values;
        let interactions = self.model.shape.interactions.iter().zip(&self.model.signs);
        let received = interactions
            .filter(|(i, sign)| **sign == -1 && !i.bus.lookup && !values[i.multiplicity.0 as usize].is_zero());
        received.flat_map(|(i, _)| i.tuple.iter().map(|&e| (e, values[e.0 as usize]))).collect()
    }

    fn repair(&mut self, attempt: &mut Attempt<'_, F>, touched: Set, depth: usize) -> Option<Witness<F>> {
        if attempt.patience == 0 {
            return None;
        }
        attempt.patience -= 1;
        self.tried += 1;
        let mut values = std::mem::take(&mut self.values);
        self.model.eval(&attempt.row, attempt.fixed, &mut values);
        let moves = match self.broken(attempt, &values, touched) {
            None => {
                self.accepted += 1;
                let verdict = self.spec.judge(self.model, &attempt.row, &values);
                self.values = values;
                return match verdict {
                    Verdict::Forged(why) => {
                        Some(Witness { row: attempt.row.clone(), fixed: attempt.fixed.to_vec(), why })
                    }
                    Verdict::Nobody(_) => {
                        self.nobody += 1;
                        None
                    }
                    Verdict::Legal => None,
                };
            }
            Some(broken) if depth > 0 => self.moves(&broken, &attempt.row, &values, touched),
            Some(_) => Vec::new(),
        };
        self.values = values;
        for cells in moves {
            let before: Vec<F> = cells.iter().map(|&(cell, _)| attempt.row[cell]).collect();
            let mut now = touched;
            for &(cell, value) in &cells {
                attempt.row[cell] = value;
                now |= 1 << cell;
            }
            let found = self.repair(attempt, now, depth - 1);
            if found.is_some() {
                return found;
            }
            cells.iter().zip(before).for_each(|(&(cell, _), old)| attempt.row[cell] = old);
        }
        None
    }

    /// What to repair next: what is received, then the constraint with the fewest cells left to
    /// repair it, then lookups.
    fn broken(&self, attempt: &Attempt<'_, F>, values: &[F], touched: Set) -> Option<Broken<F>> {
        let value = |e: Expr| values[e.0 as usize];
        if let Some(&(e, target)) = attempt.received.iter().find(|(e, target)| value(*e) != *target) {
            return Some(Broken::Equation(e, target));
        }
        let constraints = self.model.shape.constraints.iter().enumerate();
        let broken = constraints
            .filter(|(i, c)| !self.dropped.contains(&Item::Constraint(*i)) && !value(c.expr).is_zero())
            .min_by_key(|(_, c)| (self.model.support(c.expr) & !touched).count_ones());
        if let Some((_, c)) = broken {
            return Some(Broken::Equation(c.expr, F::ZERO));
        }
        let mut lookups = self.model.shape.interactions.iter().enumerate().filter(|(i, x)| {
            x.bus.lookup
                && !self.dropped.contains(&Item::Interaction(*i))
                && self.model.signs[*i] == 1
                && !value(x.multiplicity).is_zero()
                && !self.legal.holds(x.bus, &self.model.tuple(*i, values))
        });
        lookups.next().map(|(i, _)| Broken::Lookup(i))
    }

    /// Changes that repair what is broken, each of one cell or of two limbs, in random order.
    fn moves(&mut self, broken: &Broken<F>, row: &[F], values: &[F], touched: Set) -> Vec<Move<F>> {
        let model = self.model;
        let mut moves = Vec::new();
        let mut solve = |e, target: F| {
            let free = model.support(e) & !touched;
            for cell in (0..row.len()).filter(|c| free >> c & 1 == 1) {
                moves.extend(model.roots(e, cell, target, values).into_iter().map(|x| vec![(cell, x)]));
            }
        };
        match *broken {
            Broken::Equation(e, target) => {
                solve(e, target);
                moves.extend(self.limbs(e, target, row, values, touched));
            }
            Broken::Lookup(i) => {
                let lookup = &model.shape.interactions[i];
                let tuple = model.tuple(i, values);
                if lookup.bus == RANGE && tuple[1] <= 16 {
                    let mask = (1u64 << tuple[1]) - 1;
                    for target in [0, mask, tuple[0] & mask, self.rng.random::<u64>() & mask] {
                        solve(lookup.tuple[0], F::from_u64(target));
                    }
                } else if lookup.bus == BYTES {
                    if let Some(c) = byte_operation(tuple[0], tuple[1] & 0xff, tuple[2] & 0xff) {
                        solve(lookup.tuple[3], F::from_u64(c));
                    }
                } else if lookup.bus == SHIFT || lookup.bus == PROGRAM {
                    for legal in self.legal.like(lookup.bus, &tuple) {
                        if let Some(at) = (0..tuple.len()).find(|&k| legal[k] != tuple[k]) {
                            solve(lookup.tuple[at], F::from_u64(legal[at]));
                        }
                    }
                }
            }
        }
        moves.retain(|cells| cells.iter().all(|&(cell, value)| self.fits(cell, value, values)));
        moves.shuffle(&mut self.rng);
        moves.sort_by_key(|cells| std::cmp::Reverse(cells.len()));
        moves
    }

    /// Whether a cell may take a value, as far as checks of that cell alone can say.
    fn fits(&self, cell: usize, value: F, values: &[F]) -> bool {
        let in_force = |i: Option<usize>| {
            i.is_none_or(|i| !values[self.model.shape.interactions[i].multiplicity.0 as usize].is_zero())
        };
        let mut bounds = self.bounds.iter().filter(|b| b.0 == cell && in_force(b.2));
        bounds.all(|b| value.as_canonical_u64() < b.1)
    }

    /// Solutions of an equation for a limb and its carry.
    fn limbs(&self, e: Expr, target: F, row: &[F], values: &[F], touched: Set) -> Vec<Move<F>> {
        let free = self.model.support(e) & !touched;
        let cells = (0..row.len()).filter(|c| free >> c & 1 == 1);
        let slopes: Vec<(usize, F)> = cells
            .filter_map(|c| Some((c, self.model.affine(e, c, values)?.0)))
            .filter(|(_, slope)| !slope.is_zero())
            .collect();
        limbs(&slopes, row, target - values[e.0 as usize])
    }
}

/// Pairs of cells, a limb and its carry, with values that add what is missing: by slopes of cells, of which one is
/// `2^8` or `2^16` times the other.
pub fn limbs<F: PrimeField64>(slopes: &[(usize, F)], row: &[F], missing: F) -> Vec<Move<F>> {
    let mut moves = Vec::new();
    for &(low, s) in slopes {
        for &(high, t) in slopes {
            for (bits, sign) in [(16, 1), (16, -1), (8, 1), (8, -1)] {
                let ratio = F::from_i64(sign << bits);
                if low != high && t == s * ratio {
                    let whole = signed(row[low] + row[high] * ratio + missing * s.inverse());
                    let rest = whole.rem_euclid(1 << bits);
                    let carry = sign * ((whole - rest) >> bits);
                    moves.push(vec![(low, F::from_i64(rest)), (high, F::from_i64(carry))]);
                }
            }
        }
    }
    moves
}

/// Checks of one cell alone: bits, and ranges of fixed width.
fn bounds<F: PrimeField64>(model: &Model<F>, dropped: &[Item]) -> Vec<(usize, u64, Option<usize>)> {
    let node = |e: Expr| model.shape.nodes[e.0 as usize];
    let mut bounds = Vec::new();
    for (i, c) in model.shape.constraints.iter().enumerate() {
        if let (Node::Mul(a, b), true) = (node(c.expr), !dropped.contains(&Item::Constraint(i)))
            && let (Node::Main(cell), Node::Sub(x, one)) = (node(a), node(b))
            && (x, node(one)) == (a, Node::Int(1))
        {
            bounds.push((cell, 2, None));
        }
    }
    for (i, x) in model.shape.interactions.iter().enumerate() {
        if x.bus == RANGE
            && !dropped.contains(&Item::Interaction(i))
            && let (Node::Main(cell), Node::Int(bits)) = (node(x.tuple[0]), node(x.tuple[1]))
        {
            bounds.push((cell, 1 << bits, Some(i)));
        }
    }
    bounds
}

/// A field element as an integer near zero.
pub fn signed<F: PrimeField64>(x: F) -> i64 {
    let (x, p) = (x.as_canonical_u64(), F::ORDER_U64);
    if x > p / 2 { -((p - x) as i64) } else { x as i64 }
}

/// Kinds of changes of a cell.
const KINDS: usize = 18;

/// Every kind of change of every cell.
fn attempts(width: usize) -> Vec<(usize, usize)> {
    (0..width).flat_map(|cell| (0..KINDS).map(move |kind| (cell, kind))).collect()
}

fn change<F: PrimeField64>(x: F, kind: usize, seeds: &[Seed<F>], cell: usize, rng: &mut SmallRng) -> F {
    if kind == KINDS - 1 { seeds.choose(rng).map_or(x, |seed| seed.row[cell]) } else { another(x, kind, rng) }
}

/// Another value of a cell, by a kind below 17.
pub fn another<F: PrimeField64>(x: F, kind: usize, rng: &mut SmallRng) -> F {
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
        12 => x * F::TWO,
        13 => F::from_u64(rng.random()),
        14 => -x,
        15 => x + F::from_u32(1 << rng.random_range(0..20)).inverse(),
        _ => x - F::from_u32(1 << rng.random_range(0..20)).inverse(),
    }
}
