//! How often lookups name each row of each table.

use std::collections::HashMap;

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use trilemma_arith::plonkish::{Column, Lookup};
use trilemma_core::Setting;

use super::cells::Cells;
use super::layout::{Layout, here};
use super::program::{Code, Program, Register};

/// The multiplicities, part by part of the tables. A tuple that is in no row is not counted; of equal
/// rows, the first is.
pub fn multiplicities<S: Setting>(layout: &Layout<'_, S>, cells: &Cells<'_, S>) -> Vec<Vec<S::Base>> {
    let rows = layout.circuit.rows();
    let mut times = vec![vec![0u32; rows]; layout.parts.len()];
    let tables = layout.parts.last().map_or(0, |(table, _)| table + 1);
    for t in 0..tables {
        let mut places = Places::<S>::with_capacity(rows);
        for (part, (_, columns)) in layout.parts.iter().enumerate().filter(|(_, (table, _))| *table == t) {
            let columns: Vec<&[S::Base]> = columns.iter().map(|&i| cells.query(here(Column::Fixed(i)))).collect();
            for row in 0..rows {
                places.entry(columns.iter().map(|c| c[row]).collect()).or_insert((part as u32, row as u32));
            }
        }
        let lookups = layout.circuit.lookups.iter().zip(&layout.table_of);
        for (lookup, _) in lookups.filter(|(_, table)| **table == t) {
            let found = found(layout, cells, lookup, &places);
            found.into_iter().flatten().for_each(|(part, row)| times[part as usize][row as usize] += 1);
        }
    }
    times.into_iter().map(|times| times.into_iter().map(S::Base::from_u32).collect()).collect()
}

/// Part and row of every tuple of a table.
type Places<S> = HashMap<Vec<<S as Setting>::Base>, (u32, u32)>;

/// The place in the table of what each row looks up.
fn found<S: Setting>(
    layout: &Layout<'_, S>,
    cells: &Cells<'_, S>,
    lookup: &Lookup,
    places: &Places<S>,
) -> Vec<Option<(u32, u32)>> {
    let program = Program::<S::Ext>::early(&layout.circuit.graph, &lookup.inputs);
    let code: Code<S::Base, S::Base, S::Ext> = program.code(|x| x);
    let columns: Vec<&[S::Base]> = program.base.iter().map(|&query| cells.query(query)).collect();
    let registers: Vec<Register> = lookup.inputs.iter().map(|&id| program.register(id)).collect();
    let start = || (code.start.clone(), Vec::with_capacity(registers.len()));
    let at = |(row, tuple): &mut (_, Vec<S::Base>), i: usize| {
        code.load(row, &columns, i);
        code.run(row);
        tuple.clear();
        tuple.extend(registers.iter().map(|&register| row.base(register)));
        places.get(tuple.as_slice()).copied()
    };
    (0..layout.circuit.rows()).into_par_iter().with_min_len(1 << 10).map_init(start, at).collect()
}
