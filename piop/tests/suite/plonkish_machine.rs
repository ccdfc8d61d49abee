//! The circuit of the RISC-V machine: it accepts executions, it refuses the changed rows that the tables
//! refuse, and its layout is as committed.

use std::collections::{BTreeMap, BTreeSet};

use crate::relations::Relation;
use crate::{golden, plonkish};
use golden::assert_committed;
use p3_field::PrimeField32;
use plonkish::{agreed, normal, violations_of};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_arith::air::{Instance, PublicTerm, Trace};
use trilemma_arith::plonkish::{Custom, Extent, Lookups, Lowering, Params, Report, Role, Whole, describe};
use trilemma_arith::{Air, Bus};
use trilemma_core::Setting;
use trilemma_core::setting::{Bn254, KoalaBear4};
use trilemma_piop::check::for_rows;

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
    run::<KoalaBear4>(&["exit7"], WHOLE);
    run::<KoalaBear4>(&["exit7"], Params { degree: 4, ..SPLIT });
    run::<Bn254>(&["exit7"], SPLIT);
}

/// Teaches: what a circuit looks up in is what the machine's tables provide, in parts or whole.
#[test]
fn lookup_tables_hold_what_tables_provide() {
    // All four are used, and then two in parts.
    provided_is_held("isa_edge", 4);
    provided_is_held("exit7", 2);
}

fn provided_is_held(guest: &'static str, tables: usize) {
    type Tuples = BTreeSet<Vec<u32>>;
    let run = Relation::<KoalaBear4>::execution(guest, &[]);
    let roles = Lookups::of(&run.air).roles;
    let mut provided: BTreeMap<&str, Tuples> = BTreeMap::new();
    for instance in &run.trace.instances {
        let kernel = run.air.tables[instance.table].as_ref();
        for_rows(kernel, instance, |_, cells| {
            let interactions = kernel.row(cells).interactions.into_iter().zip(&roles[instance.table]);
            for ((bus, _, tuple), _) in interactions.filter(|(_, role)| **role == Role::Provider) {
                let tuple = std::iter::once(1).chain(tuple.iter().map(PrimeField32::as_canonical_u32));
                provided.entry(bus.name).or_default().insert(tuple.collect());
            }
        });
    }
    for params in [SPLIT, WHOLE] {
        let (circuit, _) = Custom::lower_with(&run.air, &run.extent(), params).unwrap();
        let mut held: BTreeMap<&str, Tuples> = BTreeMap::new();
        for lookup in &circuit.lookups {
            let (bus, _) = lookup.what.split_once(' ').unwrap();
            let rows = lookup.parts().flat_map(|part| {
                let columns: Vec<&[_]> = part.iter().map(|&c| circuit.fixed.column(c)).collect();
                (0..circuit.rows()).map(move |r| columns.iter().map(|c| c[r].as_canonical_u32()).collect())
            });
            let rows: Tuples = rows.collect();
            // All lookups on a bus look up in the same.
            assert_eq!(*held.entry(bus).or_insert_with(|| rows.clone()), rows, "{}", lookup.what);
        }
        assert_eq!(held.len(), tables, "{guest}");
        for (bus, mut rows) in held {
            let nothing = vec![0; rows.first().unwrap().len()];
            assert!(rows.remove(&nothing), "{bus}: what is not selected looks up zeros");
            assert!(rows == provided[bus], "{params:?}, {bus}: {} and {} rows", rows.len(), provided[bus].len());
        }
    }
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
    assert_eq!(Params::default(), SPLIT);
    let [edge, exit] = ["isa_edge", "exit7"].map(|name| Relation::<KoalaBear4>::execution(name, &[]));
    let form = Whole::<KoalaBear4>::form(&exit.air, &exit.extent()).unwrap();
    assert_eq!(describe(&form), describe(&Custom::form_with(&exit.air, &exit.extent(), WHOLE).unwrap()));
    let reports = [("plonkish", edge.report(WHOLE)), ("plonkish split", exit.report(SPLIT))];
    assert!(reports[1].1.log_rows < exit.report(WHOLE).log_rows, "whole lookup tables make it long");
    assert_committed("layouts", reports.map(|(name, report)| (name, report.to_string())));
}
