//! The circuit of the RISC-V machine: it accepts executions, it refuses the changed rows that the tables
//! refuse, and its layout is as committed.

use crate::relations::Relation;
use crate::{golden, plonkish};
use golden::assert_committed;
use p3_field::PrimeField32;
use plonkish::{agreed, normal, violations_of};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_arith::air::{Instance, PublicTerm, Trace};
use trilemma_arith::plonkish::{Custom, Extent, Lowering, Params, Report, describe};
use trilemma_arith::{Air, Bus};
use trilemma_core::Setting;
use trilemma_core::setting::{Bn254, KoalaBear4};

/// Lookup tables in parts, so that small executions have small circuits.
const SPLIT: Params = Params { width: None, degree: 5, split: true };
/// Whole lookup tables.
const WHOLE: Params = Params { split: false, ..SPLIT };

impl<S: Setting> Relation<S> {
    fn report(&self, params: Params) -> Report {
        let (circuit, custom) = Custom::lower_with(&self.air, &self.extent(), params).unwrap();
        let form = Custom::form_with(&self.air, &self.extent(), params).unwrap();
        assert_eq!(describe(&form), describe(&circuit));
        assert!(circuit.gate_degree() <= params.degree);
        custom.report(&circuit)
    }
}

/// Teaches: what the tables accept of an execution, their circuit accepts, over small and large fields.
#[test]
fn executions_satisfy_the_circuit() {
    fn run<S: Setting>(names: &[&'static str], params: Params) {
        for name in names {
            let run = Relation::<S>::execution(name, &1u32.to_le_bytes());
            let violations = violations_of(&run.air, &run.terms, &run.trace, params);
            assert!(violations.is_empty(), "{name}: {}", violations[0]);
        }
    }
    run::<KoalaBear4>(&["exit7", "fibonacci"], SPLIT);
    run::<KoalaBear4>(&["exit7"], Params { degree: 4, ..SPLIT });
    run::<Bn254>(&["exit7"], SPLIT);
}

/// A few rows of every table.
fn rows_of_every_table(run: &Relation<KoalaBear4>, rng: &mut SmallRng) -> Trace {
    let few = |instance: &Instance, rng: &mut SmallRng| {
        let shape = run.air.tables[instance.table].shape();
        let width = shape.columns.len();
        let rows = instance.cells.len() / width;
        if shape.fixed_height > 0 || rows == 0 {
            return instance.clone();
        }
        let cells = (0..4.min(rows)).flat_map(|_| {
            let row = rng.random_range(0..rows);
            instance.cells[row * width..][..width].to_vec()
        });
        Instance { table: instance.table, log_height: 2, cells: cells.collect() }
    };
    normal(&run.air, &Trace { instances: run.trace.instances.iter().map(|i| few(i, rng)).collect() })
}

/// The statement that receives what rows send.
fn balancing(air: &Air<KoalaBear4>, trace: &Trace) -> Vec<PublicTerm> {
    let buses: Vec<Bus> = air.tables.iter().flat_map(|t| &t.shape().interactions).map(|i| i.bus).collect();
    let (_, custom) = Custom::lower_with(air, &Extent::of(air, trace, &[]), SPLIT).unwrap();
    let unbalanced = custom.unbalanced(&custom.assign(air, trace, &[]).early).into_iter();
    unbalanced
        .map(|(tuple, excess)| {
            let tuple: Vec<u32> = tuple.iter().map(PrimeField32::as_canonical_u32).collect();
            let bus = *buses.iter().find(|b| b.id == tuple[0]).unwrap();
            let multiplicity = -i64::from(excess.as_canonical_u32());
            PublicTerm { bus, multiplicity, tuple: tuple[1..].to_vec() }
        })
        .collect()
}

/// Teaches: no change of a row of any table passes one of the two only.
#[test]
fn changed_rows() {
    let run = Relation::<KoalaBear4>::execution("isa_edge", &[]);
    let mut rng = SmallRng::seed_from_u64(11);
    let honest = rows_of_every_table(&run, &mut rng);
    let terms = balancing(&run.air, &honest);
    assert!(agreed("rows", &run.air, &terms, &honest, SPLIT));
    let tables = honest.instances.iter().filter(|i| !i.cells.is_empty()).count();
    let (mut changes, mut rejected) = (0, 0);
    for i in 0..honest.instances.len() {
        let mut trace = honest.clone();
        let cells = &mut trace.instances[i].cells;
        if cells.is_empty() {
            continue;
        }
        let cell = rng.random_range(0..cells.len());
        cells[cell] += 1;
        // What buses carry is made to balance half the time, so that the row itself has to be refused.
        let terms = if changes % 2 == 0 { terms.clone() } else { balancing(&run.air, &normal(&run.air, &trace)) };
        rejected += usize::from(!agreed("rows", &run.air, &terms, &trace, SPLIT));
        changes += 1;
    }
    println!("{rejected} of {changes} rejected, {tables} instances");
    assert!(3 * rejected > changes);
}

/// Teaches: what a layout costs is reviewed as text.
#[test]
fn layouts_are_as_committed() {
    let run = Relation::<KoalaBear4>::execution("isa_edge", &[]);
    assert_eq!(Params::default(), SPLIT);
    let reports = [("plonkish", run.report(WHOLE)), ("plonkish split", run.report(SPLIT))];
    assert_committed("layouts", reports.map(|(name, report)| (name, report.to_string())));
}
