//! Every instruction at the edges of its operands, with every coincidence of registers: what the
//! executor does is what the tables say.

mod common;

use common::grid::{self, Asm, SECTIONS};
use common::model::Model;
use common::{Run, seeds};
use trilemma_core::setting::{BabyBear4, Bn254, Goldilocks2, KoalaBear4};

/// Teaches: constraints are complete. RISC Zero once had no proof for some registers and operands.
#[test]
fn every_instruction_satisfies_its_table() {
    for (name, section) in SECTIONS {
        let mut a = Asm::default();
        section(&mut a);
        let run = Run::new(&a.exit(7), grid::INPUT);
        run.assert_sound::<KoalaBear4>(name);
    }
}

/// Teaches: no table depends on the field.
#[test]
fn one_trace_satisfies_every_field() {
    let run = Run::new(&grid::all(), grid::INPUT);
    run.assert_sound::<KoalaBear4>("koalabear");
    run.assert_sound::<BabyBear4>("babybear");
    run.assert_sound::<Goldilocks2>("goldilocks");
    run.assert_sound::<Bn254>("bn254");
}

/// Teaches: the grid reaches every interaction of every table, so none can be dropped unnoticed.
#[test]
fn the_grid_reaches_every_interaction() {
    let run = Run::new(&grid::all(), grid::INPUT);
    let models = Model::all::<KoalaBear4>(&run.machine);
    for (model, rows) in models.iter().zip(seeds::rows(&models, &run.trace)) {
        println!("{}: {} rows", model.shape.name, rows.len());
        let mut values = Vec::new();
        let mut used = vec![false; model.shape.interactions.len()];
        for seed in rows {
            model.eval(&seed.row, &seed.fixed, &mut values);
            let posted = model.posted(&values).expect("honest multiplicities");
            used.iter_mut().zip(posted).for_each(|(used, posted)| *used |= posted.is_some());
        }
        for (i, used) in used.into_iter().enumerate() {
            let bus = model.shape.interactions[i].bus.name;
            assert!(used, "{}: interaction {i} with {bus} is never used", model.shape.name);
        }
    }
}
