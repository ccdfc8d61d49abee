//! Relations small enough to try every cell, as AIR and as R1CS: `tiny`, and one that has everything
//! the lowering treats differently.

use p3_field::PrimeCharacteristicRing;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_arith::air::{Instance, PublicTerm, Trace};
use trilemma_arith::kernel::{Challenges, Compiled};
use trilemma_arith::r1cs::{Assignment, R1cs};
use trilemma_arith::{Air, Builder, Bus, Table};
use trilemma_core::Setting;
use trilemma_pcs::Available;
use trilemma_piop::check::check;
use trilemma_piop::check_r1cs::check_r1cs;

use super::tiny::{Tiny, options};

/// A relation with a statement and a witness.
pub struct Small<S: Setting> {
    pub name: &'static str,
    pub air: Air<S>,
    pub r1cs: R1cs,
    pub terms: Vec<PublicTerm>,
    pub trace: Trace,
    pub challenges: Challenges<S::Ext>,
}

impl<S: Setting> Small<S> {
    fn new(name: &'static str, air: Air<S>, terms: Vec<PublicTerm>, trace: Trace) -> Self {
        Self { name, r1cs: R1cs::of(&air), challenges: challenges::<S>(&air, 1), air, terms, trace }
    }

    /// The two relations.
    pub fn all() -> [Self; 2]
    where
        S: Available,
    {
        let tiny = Tiny::<S>::new("ideal", &options("blake3"));
        [Self::new("tiny", tiny.air, tiny.terms, tiny.trace), zoo()]
    }

    /// The variables that a trace gives.
    pub fn assignment(&self, trace: &Trace) -> Assignment<S> {
        let mut assignment = Assignment::new(&self.r1cs, &self.air, trace);
        assignment.fill_helpers(&self.r1cs, &self.challenges);
        assignment
    }

    /// Whether an assignment satisfies the R1CS.
    pub fn accepts(&self, assignment: &Assignment<S>) -> bool {
        check_r1cs(&self.r1cs, &self.terms, assignment, &self.challenges, 1).is_empty()
    }

    /// Whether a trace satisfies the relation, on which both forms have to agree.
    pub fn agreed(&self, trace: &Trace) -> bool {
        let violations = check(&self.air, &self.terms, trace, 1);
        let lowered = check_r1cs(&self.r1cs, &self.terms, &self.assignment(trace), &self.challenges, 1);
        assert_eq!(violations.is_empty(), lowered.is_empty(), "{}: {violations:?}, {lowered:?}", self.name);
        lowered.is_empty()
    }
}

/// Challenges that nobody chose.
pub fn challenges<S: Setting>(air: &Air<S>, seed: u64) -> Challenges<S::Ext> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut random = || trilemma_core::setting::ext_from_fn::<S>(|_| S::Base::from_u64(rng.random()));
    Challenges::new(random(), random(), air.max_arity())
}

/// Hands on a trace of tables so wide: with every cell changed, `random` mixes of its rows, and as many random traces,
/// a third of each of three sizes of cells. Tells how many, those left out that changed nothing.
pub fn mutants(trace: &Trace, widths: &[usize], random: usize, mut attempt: impl FnMut(&Trace)) -> usize {
    let mut rng = SmallRng::seed_from_u64(7);
    let mut honest = trace.clone();
    honest.instances.iter_mut().for_each(|i| i.cells.resize(widths[i.table] << i.log_height, 0));
    let mut tried = 0;
    let mut attempt = |mutant: &Trace| {
        if mutant.instances != honest.instances {
            attempt(mutant);
            tried += 1;
        }
    };
    for i in 0..honest.instances.len() {
        for cell in 0..honest.instances[i].cells.len() {
            for change in [|x: u32| x + 1, |x: u32| x ^ 2, |_| 0, |_| 1, |x: u32| x + (1 << 20)] {
                let mut trace = honest.clone();
                let x = &mut trace.instances[i].cells[cell];
                *x = change(*x);
                attempt(&trace);
            }
        }
    }
    for _ in 0..random {
        let mut trace = honest.clone();
        for _ in 0..rng.random_range(1..4) {
            let i = rng.random_range(0..trace.instances.len());
            let instance = &mut trace.instances[i];
            let (width, rows) = (widths[instance.table], 1 << instance.log_height);
            let (a, b): (usize, usize) = (rng.random_range(0..rows), rng.random_range(0..rows));
            match rng.random_range(0..3) {
                0 => (0..width).for_each(|c| instance.cells.swap(a * width + c, b * width + c)),
                1 => instance.cells.copy_within(a * width..(a + 1) * width, b * width),
                _ => instance.cells[a * width] = rng.random_range(0..8),
            }
        }
        attempt(&trace);
    }
    for bound in [2, 8, 1 << 31] {
        for _ in 0..random.div_ceil(3) {
            let mut trace = honest.clone();
            let cells = trace.instances.iter_mut().flat_map(|i| &mut i.cells);
            cells.for_each(|x| *x = rng.random_range(0..bound));
            attempt(&trace);
        }
    }
    tried
}

/// `(z, w' y)`, sent as often as a product says.
const SUMS: Bus = Bus { id: 60, name: "sums", arity: 2, lookup: false };
/// Nothing, sent by an empty tuple.
const TOLL: Bus = Bus { id: 61, name: "toll", arity: 0, lookup: false };

/// Products that are shared, nested, posted, repeated, of fixed columns, of the next row.
pub struct Zoo;

impl Table for Zoo {
    type Row = ();

    fn name(&self) -> &'static str {
        "zoo"
    }

    fn fixed(&self) -> Vec<Vec<u32>> {
        vec![vec![0, 1, 2, 3], vec![5, 0, 7, 1]]
    }

    fn eval<B: Builder<()>>(&self, b: &mut B) {
        let (f, g) = (b.fixed("f"), b.fixed("g"));
        let (x, x_next) = b.pair("x", "any", |()| 0);
        let y = b.free("y", "any", |()| 0);
        let z = b.free("z", "determined", |()| 0);
        let (w, w_next) = b.pair("w", "determined", |()| 0);
        let v = b.free("v", "determined", |()| 0);
        let u = b.free("u", "determined", |()| 0);
        let three = b.int(3);
        b.zero("z", z - x * y - f * x - x);
        b.zero("nothing", x * y - y * x);
        b.zero("a constant", f * g - g * f + three - three);
        b.zero("w", three * w - three * (x * y * z + x_next * y + y * g * three));
        b.zero("v", v - (x + y) * (x - y) * (f + g) - x_next * x_next);
        b.zero("u", (x * y + w) * (z + x_next) - u);
        b.zero("u again", three * u - (x_next + z) * three * (w + x * y));
        b.interact(SUMS, x * y + b.int(1), &[z - x * f, w_next * y + v]);
        b.interact(SUMS, f * y - y * f, &[x, u]);
        b.interact(TOLL, y * g - b.int(4), &[]);
    }
}

fn zoo<S: Setting>() -> Small<S> {
    let tables: Vec<Box<dyn trilemma_arith::Kernel<S>>> = vec![Box::new(Compiled::new(Zoo))];
    let air = Air { tables, max_instances: 1, max_rows: 1 << 10 };
    let (xs, ys, fs, gs) = ([6u32, 3, 9, 7], [5u32, 1, 4, 2], [0u32, 1, 2, 3], [5u32, 0, 7, 1]);
    let row = |r: usize| {
        let (x, y, f, g, next) = (xs[r % 4], ys[r % 4], fs[r % 4], gs[r % 4], xs[(r + 1) % 4]);
        let z = x * y + f * x + x;
        let w = x * y * z + next * y + 3 * y * g;
        let v = (x + y) * (x - y) * (f + g) + next * next;
        [x, y, z, w, v, (x * y + w) * (z + next)]
    };
    let mut terms = Vec::new();
    for r in 0..4 {
        let ([x, y, z, _, v, _], next) = (row(r), row(r + 1));
        let sum = vec![z - x * fs[r], next[3] * y + v];
        terms.push(PublicTerm { bus: SUMS, multiplicity: -i64::from(x * y + 1), tuple: sum });
        terms.push(PublicTerm { bus: TOLL, multiplicity: 4 - i64::from(y * gs[r]), tuple: Vec::new() });
    }
    let cells = (0..4).flat_map(row).collect();
    let trace = Trace { instances: vec![Instance { table: 0, log_height: 2, cells }] };
    Small::new("zoo", air, terms, trace)
}
