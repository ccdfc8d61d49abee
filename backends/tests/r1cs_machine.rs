//! The R1CS of the RISC-V machine says what its tables say: on whole executions, honest and changed,
//! and row by row of every table; and nothing in it can be left out.

mod common;

use common::forge::forge;
use common::guest;
use common::small::challenges;
use p3_field::{Field, PrimeCharacteristicRing};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_arith::air::{PublicTerm, Trace};
use trilemma_arith::kernel::{Cells, Challenges};
use trilemma_arith::r1cs::{Assignment, Block, ByColumn, R1cs, Variables};
use trilemma_arith::{Air, Kernel};
use trilemma_core::Setting;
use trilemma_core::setting::{Bn254, KoalaBear4};
use trilemma_frontends::riscv::exec::execute;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_piop::check::check;
use trilemma_piop::check_r1cs::{broken_rows, check_r1cs};

/// An execution over a setting.
struct Run<S: Setting> {
    air: Air<S>,
    r1cs: R1cs,
    terms: Vec<PublicTerm>,
    trace: Trace,
    challenges: Challenges<S::Ext>,
}

impl<S: Setting> Run<S> {
    fn new(name: &str, input: &[u8]) -> Self {
        let program = guest(name);
        let machine = Machine::new(&program);
        let mut recorder = machine.recorder(&program);
        let outcome = execute(&program, input, 1 << 22, &mut recorder).unwrap();
        let terms = machine.statement(outcome.exit_code, &outcome.output);
        let air = machine.air::<S>();
        let (r1cs, challenges) = (R1cs::of(&air), challenges::<S>(&air, 1));
        Self { air, r1cs, terms, trace: machine.trace(recorder).unwrap(), challenges }
    }

    /// Whether a trace satisfies the relation, on which both forms have to agree.
    fn agreed(&self, trace: &Trace) -> bool {
        let violations = check(&self.air, &self.terms, trace, 1);
        let mut assignment = Assignment::new(&self.r1cs, &self.air, trace);
        assignment.fill_helpers(&self.r1cs, &self.challenges);
        let lowered = check_r1cs(&self.r1cs, &self.terms, &assignment, &self.challenges, 1);
        assert_eq!(violations.is_empty(), lowered.is_empty(), "{violations:?}, {lowered:?}");
        lowered.is_empty()
    }
}

/// Teaches: what the tables accept of an execution, their R1CS accepts, over small and large fields.
#[test]
fn executions_satisfy_the_r1cs() {
    fn run<S: Setting>() {
        let n = |n: u32| n.to_le_bytes().to_vec();
        for (name, input) in [("exit7", vec![]), ("fibonacci", n(1)), ("isa_edge", vec![]), ("sort", n(20))] {
            let run = Run::<S>::new(name, &input);
            assert!(run.agreed(&run.trace), "{name}");
        }
    }
    run::<KoalaBear4>();
    run::<Bn254>();
}

/// Teaches: no change of an execution passes one of the two only.
#[test]
fn changed_executions() {
    let run = Run::<KoalaBear4>::new("exit7", &[]);
    let mut rng = SmallRng::seed_from_u64(11);
    let mut rejected = 0;
    for i in 0..run.trace.instances.len() {
        let mut trace = run.trace.clone();
        let instance = &mut trace.instances[i];
        let width = run.r1cs.blocks[instance.table].main.len();
        instance.cells.resize(width << instance.log_height, 0);
        let cell = rng.random_range(0..instance.cells.len());
        instance.cells[cell] += 1;
        rejected += usize::from(!run.agreed(&trace));
    }
    let instances = run.trace.instances.len();
    println!("{rejected} of {instances} rejected");
    assert!(2 * rejected > instances);
}

/// Cells of a row.
type FixedAndMain<F> = (Vec<F>, Vec<F>);

/// The rows of a table in an execution, up to `limit`, with their fixed columns.
fn rows_of<S: Setting>(run: &Run<S>, table: usize, limit: usize) -> Vec<FixedAndMain<S::Base>> {
    let fixed = run.air.tables[table].fixed();
    let width = run.r1cs.blocks[table].main.len();
    let instances = run.trace.instances.iter().filter(|i| i.table == table);
    let rows = instances.flat_map(|i| i.cells.chunks(width).enumerate());
    let mut rows: Vec<(usize, &[u32])> = rows.collect();
    let step = rows.len().div_ceil(limit).max(1);
    rows = rows.into_iter().step_by(step).collect();
    let field = |x: &u32| S::Base::from_u32(*x);
    rows.into_iter()
        .map(|(r, cells)| (fixed.iter().map(|c| field(&c[r])).collect(), cells.iter().map(field).collect()))
        .collect()
}

/// Rows put together as an instance.
fn instance<S: Setting>(run: &Run<S>, table: usize, rows: &[FixedAndMain<S::Base>]) -> Variables<S> {
    let block = &run.r1cs.blocks[table];
    let log_height = rows.len().next_power_of_two().trailing_zeros() as usize;
    let gather = |width: usize, part: fn(&FixedAndMain<S::Base>) -> &Vec<S::Base>| {
        let mut columns = ByColumn::zero(width, 1 << log_height);
        for (r, row) in rows.iter().enumerate() {
            part(row).iter().enumerate().for_each(|(c, &x)| *columns.cell_mut(c, r) = x);
        }
        columns
    };
    let (fixed, main) = (gather(block.fixed.len(), |r| &r.0), gather(block.main.len(), |r| &r.1));
    let aux = block.fill_aux(&fixed, &main);
    let helpers = block.fill_helpers::<S>(&fixed, &main, &aux, &run.challenges);
    Variables { table, log_height, fixed, main, aux, helpers }
}

/// Whether both forms accept a row, and say the same of what it puts on the buses if they do.
fn same_row<S: Setting>(run: &Run<S>, kernel: &dyn Kernel<S>, block: &Block, v: &Variables<S>, r: usize) -> bool {
    let row = |columns: &ByColumn<S::Base>| (0..columns.width()).map(|c| columns.column(c)[r]).collect::<Vec<_>>();
    let values = kernel.row(Cells { fixed: &row(&v.fixed), main: &row(&v.main), next: &[] });
    let accepted = values.constraints.iter().all(|x| x.is_zero());
    if accepted {
        let at = |side: &trilemma_arith::r1cs::Linear| -> S::Ext {
            side.at(&run.challenges).into_iter().map(|(var, x)| x * v.at(var, r)).sum()
        };
        for (fraction, (bus, m, tuple)) in block.fractions.iter().zip(values.interactions) {
            let tuple: Vec<S::Ext> = tuple.into_iter().map(S::Ext::from).collect();
            assert_eq!(at(&fraction.b), run.challenges.denominator::<S::Ext, S::Ext>(bus, &tuple), "{}", block.name);
            assert_eq!(at(&fraction.c), m.into(), "{}", block.name);
        }
    }
    accepted
}

/// Teaches: the lowering of every table is exact, row by row, whatever the cells.
#[test]
fn every_table_and_its_block_agree() {
    fn run<S: Setting>(changes: usize) {
        let run = Run::<S>::new("isa_edge", &[]);
        let mut rng = SmallRng::seed_from_u64(12);
        for (table, (block, kernel)) in run.r1cs.blocks.iter().zip(&run.air.tables).enumerate() {
            assert!(block.next.is_empty());
            let mut rows = rows_of(&run, table, 200);
            let honest = rows.len();
            while honest > 0 && rows.len() < honest + changes {
                let mut row = rows[rng.random_range(0..honest)].clone();
                for _ in 0..rng.random_range(1..3) {
                    let at = rng.random_range(0..row.1.len());
                    let limb = S::Base::from_u32(1 << 16);
                    let x = row.1[at];
                    let other = rows[rng.random_range(0..honest)].1[at];
                    row.1[at] = [x + S::Base::ONE, x - limb, S::Base::ONE - x, other, S::Base::from_u64(rng.random())]
                        [rng.random_range(0..5)];
                }
                rows.push(row);
            }
            rows.push((vec![S::Base::ZERO; block.fixed.len()], vec![S::Base::ZERO; block.main.len()]));
            let v = instance(&run, table, &rows);
            let mut broken = vec![false; v.height()];
            broken_rows(block, &v, &run.challenges).into_iter().for_each(|(r, _)| broken[r] = true);
            let mut accepted = 0;
            for (r, &broken) in broken.iter().enumerate() {
                assert_eq!(same_row(&run, kernel.as_ref(), block, &v, r), !broken, "{}: row {r}", block.name);
                accepted += usize::from(!broken);
            }
            assert!(!broken[..honest].contains(&true), "{}", block.name);
            println!("{} {}: {honest} honest rows, {accepted} of {} accepted", S::NAME, block.name, v.height());
        }
    }
    run::<KoalaBear4>(2000);
    run::<Bn254>(300);
}

/// Rows that follow from others of their block, as the constraints do that they are made of: table,
/// what the row says, why.
const REDUNDANT: [(&str, &str, &str); 2] = [
    ("store", "signed", "follows from `stores have no sign`"),
    (
        "ecall",
        "debug",
        "`debug goes on` and what `direct` excludes leave output and input at once, of different descriptors",
    ),
];

/// Teaches: a lowering that loses a row is noticed (Airbender): no row of a block follows from the
/// others of its block.
#[test]
fn every_row_of_every_block_is_needed() {
    let run = Run::<KoalaBear4>::new("isa_edge", &[]);
    let mut rng = SmallRng::seed_from_u64(13);
    let mut wrong = Vec::new();
    for (table, block) in run.r1cs.blocks.iter().enumerate() {
        let mut rows = rows_of(&run, table, 60);
        rows.push((
            vec![PrimeCharacteristicRing::ZERO; block.fixed.len()],
            vec![PrimeCharacteristicRing::ZERO; block.main.len()],
        ));
        let seeds: Vec<Variables<KoalaBear4>> = rows.chunks(1).map(|row| instance(&run, table, row)).collect();
        for (number, row) in block.products.iter().chain(&block.constraints).enumerate() {
            let found = (0..20_000).find_map(|_| {
                let seed = &seeds[rng.random_range(0..seeds.len())];
                forge(block, seed, number, &mut rng)
            });
            let redundant = REDUNDANT.iter().any(|(table, what, _)| (*table, *what) == (block.name, row.what));
            assert!(found.is_none() || !redundant, "{}: {} is listed as redundant", block.name, row.what);
            let Some(mut forged) = found else {
                if redundant {
                    continue;
                }
                wrong.push(format!("{}: nothing notices that {} is missing", block.name, block.formula(row)));
                continue;
            };
            forged.helpers =
                block.fill_helpers::<KoalaBear4>(&forged.fixed, &forged.main, &forged.aux, &run.challenges);
            assert_eq!(broken_rows(block, &forged, &run.challenges), [(0, number)], "{}", block.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
