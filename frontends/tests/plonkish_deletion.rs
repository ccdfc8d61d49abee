//! Nothing in a lowered machine is there for show: every gate, lookup, copy and row of a matrix, dropped
//! alone, lets an assignment through that the whole refuses, but for some gates and lookups that are proven to
//! follow from the others, so that dropping one changes nothing. In wide rows the others include the program's
//! table, which is that of these tests.
//!
//! How many parts of each kind there are is committed beside the tests, with the names of those that follow from
//! others. A table's constraints and lookups
//! themselves are the matter of `machine_deletion`; here a statement may send and receive anything, and what
//! is dropped is what a lowering makes of them.
//!
//! `UPDATE_SHAPES=1 cargo test -p trilemma-frontends --test plonkish_deletion` writes the lists anew.

mod common;
mod deletion;
#[path = "../../piop/tests/common/plonkish.rs"]
mod plonkish;

use std::collections::BTreeSet;

use common::Run;
use common::golden::assert_committed;
use common::grid::Asm;
use common::lab::{Lab, in_parallel};
use deletion::custom::{Lowered, broken_parts, helpers};
use deletion::staged::Lone as Matrices;
use deletion::vanilla::Lone as Blocks;
use deletion::{E, F, S, Tally, forgeries, rows};
use p3_field::{PrimeCharacteristicRing, PrimeField32};
use plonkish::{Part, challenges, normal};
use trilemma_arith::Air;
use trilemma_arith::air::{Instance, PublicTerm, Trace};
use trilemma_arith::plonkish::{Assignment, Cell, Custom, Extent, Lookups, Lowering, Params, instance};
use trilemma_arith::r1cs::ByColumn;
use trilemma_frontends::riscv::isa::Op;
use trilemma_piop::check_plonkish::Values;

/// The statement that receives what rows send.
fn balancing(air: &Air<S>, custom: &Custom<S>, early: &ByColumn<F>) -> Vec<PublicTerm> {
    let interactions = || air.tables.iter().flat_map(|t| &t.shape().interactions);
    let terms = custom.unbalanced(early).into_iter().map(|(tuple, excess)| {
        let tuple: Vec<u32> = tuple.iter().map(PrimeField32::as_canonical_u32).collect();
        let bus = interactions().map(|i| i.bus).find(|b| b.id == tuple[0]).unwrap();
        let multiplicity = -i64::from(excess.as_canonical_u32());
        PublicTerm { bus, multiplicity, tuple: tuple[1..].to_vec() }
    });
    terms.collect()
}

/// A circuit's rows and a statement that balances them.
fn balanced(air: &Air<S>, trace: &Trace) -> Vec<PublicTerm> {
    let (_, custom) = Custom::lower(air, &Extent::of(air, trace, &[])).unwrap();
    let mut terms = balancing(air, &custom, &custom.assign(air, trace, &[]).early);
    // In the order of their rows.
    terms.sort_by_key(|t| t.bus.arity);
    terms
}

/// Teaches: a lowering to wide rows that drops a gate or a lookup for one kind of row, or a helper's gate,
/// or a copy of the instance, is noticed.
#[test]
fn every_part_of_wide_rows_is_needed() {
    let lab = Lab::<F>::new::<S>();
    let mut air = lab.run.machine.air::<S>();
    let mut trace = rows(&lab, &air, 40);
    leave_out(&mut air, &mut trace, "image");
    let trace = normal(&air, &trace);
    let terms = balanced(&air, &trace);
    let (lowered, custom) = Lowered::new(&air, &trace, &terms, Params::default());
    let circuit = &lowered.circuit;
    let report = custom.report(circuit);
    println!("{report}");
    let fresh = || {
        let assignment = custom.assign(&air, &trace, &terms);
        Values::new(circuit, assignment, instance::<S>(&terms), challenges(&air, 1))
    };
    let mut values = fresh();
    assert_eq!(values.violations(1), []);

    let mut tally = Tally::default();
    let jobs: Vec<_> = lowered.kinds.iter().filter(|kind| kind.is_table()).collect();
    let tables = air.tables.iter().zip(Lookups::of(&air).kept).filter(|(_, kept)| *kept);
    assert!(tables.map(|(table, _)| table.shape().name).eq(jobs.iter().map(|kind| kind.name.as_str())));
    let with_forgeries = |name: &str| -> Vec<ByColumn<F>> {
        let number = trace.instances.iter().position(|i| air.tables[i.table].shape().name == name).unwrap();
        let with = |row: Vec<F>| {
            let mut trace = trace.clone();
            let cells = trace.instances[number].cells.iter_mut().zip(&row);
            cells.for_each(|(cell, x)| *cell = x.as_canonical_u32());
            custom.assign(&air, &trace, &terms).early
        };
        forgeries(&lab, name).into_iter().map(with).collect()
    };
    let mut samples = Vec::new();
    for (kind, (found, forged)) in
        jobs.iter().zip(in_parallel(&jobs, |kind| lowered.search(kind, || with_forgeries(&kind.name))))
    {
        println!("{} {}: {:?}", kind.name, kind.height, found.counts());
        let share = report.shares.iter().find(|share| share.name == kind.name).unwrap();
        assert_eq!(found.all(|sort| sort == "lookups"), share.lookups, "{}", kind.name);
        tally.join(found);
        samples.extend(forged);
    }
    assert!(samples.len() > 20, "{} samples", samples.len());
    let said: BTreeSet<Part> = jobs.iter().flat_map(|kind| lowered.said(kind)).collect();
    let early = (0..circuit.gates.len()).filter(|&i| !circuit.graph.is_late(circuit.gates[i].expr)).map(Part::Gate);
    let all: BTreeSet<Part> = early.chain((0..circuit.lookups.len()).map(Part::Lookup)).collect();
    assert_eq!(said, all);
    let heard = helpers(&mut values, &lowered.kinds, &mut tally);
    let late = (0..circuit.gates.len() - 1).filter(|&i| circuit.graph.is_late(circuit.gates[i].expr));
    late.for_each(|i| tally.add("gates of helpers", heard.contains(&i), || circuit.gates[i].what.clone()));
    *values.late.cell_mut(circuit.late.len() - 1, 1) += E::ONE;
    let sum = Part::Gate(circuit.gates.len() - 1);
    tally.add("gates of helpers", broken_parts(&values).into_keys().eq([sum]), || "sum".to_string());
    *values.late.cell_mut(circuit.late.len() - 1, 1) -= E::ONE;
    // Every public value is copied to a cell of the row of its term, and no other cell is copied.
    let cells: BTreeSet<Cell> = circuit.copies.iter().map(|copy| copy.1).collect();
    assert_eq!([circuit.copies.len(), cells.len(), circuit.instance], [values.instance.len(); 3]);
    let statement = lowered.kinds.iter().find(|kind| kind.is_statement()).unwrap();
    let entries = terms.iter().enumerate().flat_map(|(term, t)| (0..t.tuple.len()).map(move |entry| (term, entry)));
    for (number, (term, entry)) in entries.enumerate() {
        values.instance[number] += F::ONE;
        let broken = values.broken_copies();
        let bound = broken.iter().map(|&copy| circuit.copies[copy].1.row).eq([statement.start + term]);
        tally.add("copies of the instance", bound, || format!("entry {entry} of term {term}"));
        values.instance[number] -= F::ONE;
    }
    assert_eq!(tally.open(), [""; 0]);
    assert_committed("needed/wide", [("parts", tally.to_string())]);
    // With the statement that balances the forged cells, the whole circuit refuses them for that part alone.
    for (part, early) in samples.iter().step_by(13) {
        assert_eq!(of_the_whole(&air, &trace, &terms, &lowered, early), [lowered.what(*part)]);
    }
}

/// Takes a table without constraints away.
fn leave_out(air: &mut Air<S>, trace: &mut Trace, name: &str) {
    let table = air.tables.iter().position(|t| t.shape().name == name).unwrap();
    assert!(air.tables[table].shape().constraints.is_empty(), "{name}");
    drop(air.tables.remove(table));
    trace.instances.retain(|i| i.table != table);
    trace.instances.iter_mut().filter(|i| i.table > table).for_each(|i| i.table -= 1);
}

/// What the whole circuit finds wrong with forged cells under a statement that balances them.
fn of_the_whole(
    air: &Air<S>,
    trace: &Trace,
    terms: &[PublicTerm],
    lowered: &Lowered,
    early: &ByColumn<F>,
) -> Vec<String> {
    let params = Params { width: Some(lowered.circuit.early.len()), ..Params::default() };
    let (_, custom) = Custom::lower_with(air, &Extent::of(air, trace, terms), params).unwrap();
    let mut terms = [terms, &balancing(air, &custom, early)].concat();
    terms.sort_by_key(|t| t.bus.arity);
    let (other, custom) = Lowered::new(air, trace, &terms, params);
    let Assignment { early: mut cells, late } = custom.assign(air, trace, &terms);
    let tables = lowered.kinds.iter().zip(&other.kinds).filter(|(kind, _)| kind.is_table());
    for (kind, same) in tables {
        assert_eq!((&kind.name, kind.start, kind.height, kind.rows), (&same.name, same.start, same.height, same.rows));
        for column in 0..early.width() {
            for row in kind.start..kind.start + kind.rows * kind.height {
                *cells.cell_mut(column, row) = early.column(column)[row];
            }
        }
    }
    let assignment = Assignment { early: cells, late };
    let values = Values::new(&other.circuit, assignment, instance::<S>(&terms), challenges(air, 1));
    broken_parts(&values).into_keys().map(|part| other.what(part)).collect()
}

/// A table alone, with those that it looks up in before it.
fn alone(run: &Run, table: usize, lookups: bool) -> Air<S> {
    let mut air = run.machine.air::<S>();
    let uses: Vec<_> = air.tables[table].shape().interactions.iter().map(|i| i.bus).collect();
    let (mut last, mut tables) = (None, Vec::new());
    for (number, kernel) in air.tables.into_iter().enumerate() {
        let shape = kernel.shape();
        let provides = shape.constraints.is_empty() && shape.fixed_height > 0;
        let used =
            lookups && shape.interactions.iter().all(|i| i.bus.lookup && i.bus.arity <= 4 && uses.contains(&i.bus));
        if number == table {
            last = Some(kernel);
        } else if provides && used {
            tables.push(kernel);
        }
    }
    tables.extend(last);
    air.tables = tables;
    air
}

/// Tables too long to be lowered again for every part. None has constraints.
const LONG: [&str; 4] = ["range", "bytes", "program", "image"];

/// The instances that are not too long: one of every other table, with rows.
fn jobs(air: &Air<S>, trace: &Trace) -> Vec<usize> {
    let shape = |i: usize| air.tables[trace.instances[i].table].shape();
    let all = 0..trace.instances.len();
    let (long, short): (Vec<usize>, Vec<usize>) = all.partition(|&i| LONG.contains(&shape(i).name));
    assert_eq!((long.len(), trace.instances.len()), (LONG.len(), air.tables.len()));
    assert!(long.iter().all(|&i| shape(i).constraints.is_empty()));
    assert!(trace.instances.iter().all(|i| !i.cells.is_empty()));
    short
}

/// Teaches: a system of matrices that loses a row is noticed.
#[test]
fn every_row_of_matrices_is_needed() {
    let lab = Lab::<F>::new::<S>();
    let air = lab.run.machine.air::<S>();
    let trace = rows(&lab, &air, 40);
    let jobs = jobs(&air, &trace);
    let found = in_parallel(&jobs, |&i| {
        let Instance { table, cells, .. } = &trace.instances[i];
        let lone = Matrices::new(alone(&lab.run, *table, false));
        lone.search(cells, || forgeries(&lab, air.tables[*table].shape().name))
    });
    let mut tally = Tally::default();
    found.into_iter().for_each(|found| tally.join(found));
    assert_eq!(tally.open(), [""; 0]);
    assert_committed("needed/matrices", [("parts", tally.to_string())]);
}

/// What is needed of a table's block of three-wire gates, found from the rows of an instance or forged ones.
fn parts_of_three_wires(run: &Run, instance: &Instance, forged: impl Fn() -> Vec<Vec<F>>) -> Tally {
    let alone = alone(run, instance.table, true);
    let last = alone.tables.len() - 1;
    let provided = (0..last).map(|t| {
        let shape = alone.tables[t].shape();
        let (height, width) = (shape.fixed_height, shape.columns.len());
        Instance { table: t, log_height: height.trailing_zeros() as usize, cells: vec![0; width * height] }
    });
    let mut instances: Vec<Instance> = provided.collect();
    instances.push(Instance { table: last, ..instance.clone() });
    Blocks::new(&alone, Trace { instances }).search(forged)
}

/// Teaches: the same of tables that are as long as the program, on one short enough. Its words are a power of two, so
/// that none of their rows is padding.
#[test]
fn every_part_of_tables_of_a_short_program_is_needed() {
    let mut asm = Asm::default();
    (0..7).for_each(|_| asm.op(Op::Addi, 0, 0, 0, 0));
    let run = Run::new(&asm.exit(0), &[]);
    let air = run.machine.air::<S>();
    let mut tally = Tally::default();
    for name in ["program", "image"] {
        let table = air.tables.iter().position(|t| t.shape().name == name).unwrap();
        let mut instance = run.trace.instances.iter().find(|i| i.table == table).unwrap().clone();
        instance.cells.resize(air.tables[table].shape().columns.len() << instance.log_height, 0);
        assert_eq!(instance.log_height, 4, "{name}");
        tally.join(Matrices::new(alone(&run, table, false)).search(&instance.cells, Vec::new));
        tally.join(parts_of_three_wires(&run, &instance, Vec::new));
    }
    let trace = normal(&air, &run.trace);
    let (lowered, _) = Lowered::new(&air, &trace, &balanced(&air, &trace), Params::default());
    tally.join(lowered.search(lowered.kinds.iter().find(|kind| kind.name == "image").unwrap(), Vec::new).0);
    assert_eq!(tally.open(), [""; 0]);
    assert_committed("needed/short", [("parts", tally.to_string())]);
}

/// Teaches: a lowering to gates of three wires that loses a gate, a lookup or a copy is noticed.
#[test]
fn every_part_of_three_wires_is_needed() {
    let lab = Lab::<F>::new::<S>();
    let air = lab.run.machine.air::<S>();
    let trace = rows(&lab, &air, 24);
    // Of `shift amounts`, nothing is in the circuit but tuples that others look up.
    let provides = |&i: &usize| {
        let shape = air.tables[trace.instances[i].table].shape();
        shape.constraints.is_empty() && shape.interactions.iter().all(|interaction| interaction.bus.lookup)
    };
    let (provided, jobs): (Vec<usize>, Vec<usize>) = jobs(&air, &trace).into_iter().partition(provides);
    assert_eq!(provided.len(), 1);
    let found = in_parallel(&jobs, |&i| {
        let name = air.tables[trace.instances[i].table].shape().name;
        parts_of_three_wires(&lab.run, &trace.instances[i], || forgeries(&lab, name))
    });
    let mut tally = Tally::default();
    found.into_iter().for_each(|found| tally.join(found));
    assert_eq!(tally.open(), [""; 0]);
    assert_committed("needed/vanilla", [("parts", tally.to_string())]);
}
