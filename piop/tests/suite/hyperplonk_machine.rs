//! `hyperplonk` proves the circuits of relations and of the RISC-V machine, over the ideal scheme.

use crate::relations::Relation;
use crate::{common, small};

use common::Keyed;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use small::{Small, challenges};
use trilemma_arith::Air;
use trilemma_arith::plonkish::{Custom, Extent, Lowering, Params, instance};
use trilemma_core::setting::{Bn254, KoalaBear4};
use trilemma_pcs::Available;

/// Lookup tables in parts, so that small executions have small circuits.
const SPLIT: Params = Params { width: None, degree: 5, split: true };

fn keyed<S: Available>(air: &Air<S>, extent: &Extent, params: Params) -> (Keyed<S>, Custom<S>) {
    let (circuit, custom) = Custom::lower_with(air, extent, params).unwrap();
    let form = Custom::form_with(air, extent, params).unwrap();
    (Keyed::new(circuit, form, "ideal"), custom)
}

/// Assignments of small relations, honest and with a cell changed.
#[test]
fn small_relations() {
    fn run<S: Available>(changes: usize) {
        let mut rng = SmallRng::seed_from_u64(17);
        for Small { name, air, terms, trace, .. } in Small::<S>::all() {
            let (keyed, custom) = keyed(&air, &Extent::of(&air, &trace, &terms), Params::default());
            let instance = instance::<S>(&terms);
            assert_eq!(keyed.verdict(&instance, custom.assign(&air, &trace, &terms)), Ok(()), "{name}");
            let mut refused = 0;
            for _ in 0..changes {
                let mut assignment = custom.assign(&air, &trace, &terms);
                let cell = rng.random_range(0..assignment.early.values.len());
                use p3_field::PrimeCharacteristicRing;
                assignment.early.values[cell] += S::Base::ONE;
                let values = trilemma_piop::check_plonkish::Values::new(
                    &keyed.circuit,
                    assignment,
                    instance.clone(),
                    challenges(&air, 17),
                );
                let holds = values.violations(1).is_empty();
                let mut assignment = custom.assign(&air, &trace, &terms);
                assignment.early.values[cell] += S::Base::ONE;
                let verdict = keyed.verdict(&instance, assignment);
                assert_eq!(verdict.is_ok(), holds, "{name}, cell {cell}: {verdict:?}");
                refused += usize::from(!holds);
            }
            println!("{name} {}: {refused} of {changes} refused", S::NAME);
            assert!(4 * refused > changes, "cells that nothing reads are three of four");
        }
    }
    run::<KoalaBear4>(60);
    run::<Bn254>(20);
}

/// Teaches: a whole execution of the machine is proven, and verified from the form.
#[test]
fn executions() {
    let run = Relation::<KoalaBear4>::execution("exit7", &[]);
    let (keyed, custom) = keyed(&run.air, &run.extent(), SPLIT);
    let instance = instance::<KoalaBear4>(&run.terms);
    let proven = keyed.prove(&instance, custom.assign(&run.air, &run.trace, &run.terms));
    assert_eq!(keyed.verify(&instance, &proven.proof), Ok(()));
    let bad = [&instance[1..], &instance[..1]].concat();
    assert!(keyed.verify(&bad, &proven.proof).is_err());
}
