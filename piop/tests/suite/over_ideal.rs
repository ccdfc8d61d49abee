//! Every PIOP for AIRs proves exactly what `check` accepts, over the ideal scheme.

use crate::tiny;
use tiny::{AirPiop, Tiny, options};
use trilemma_arith::Trace;
use trilemma_core::setting::{Bls12, Goldilocks2, KoalaBear4, KoalaBear5};
use trilemma_pcs::Available;
use trilemma_piop::ml_stark::MlStark;
use trilemma_piop::spartan::Spartan;
use trilemma_piop::uni_stark::UniStark;

/// Every cell changed in three ways, other heights, other orders.
fn traces(honest: &Trace) -> Vec<Trace> {
    let mut traces = vec![honest.clone()];
    for (i, instance) in honest.instances.iter().enumerate() {
        for cell in 0..instance.cells.len() {
            for change in [|x: u32| x + 1, |x: u32| x ^ 2, |x: u32| x + (1 << 20)] {
                let mut trace = honest.clone();
                trace.instances[i].cells[cell] = change(instance.cells[cell]);
                traces.push(trace);
            }
        }
    }
    for log_height in 3..8 {
        let mut padded = honest.clone();
        padded.instances[1].log_height = log_height;
        traces.push(padded);
    }
    let mut rotated = honest.clone();
    rotated.instances[0].cells.rotate_left(3);
    let mut without = honest.clone();
    without.instances.remove(1);
    let mut twice = honest.clone();
    twice.instances.insert(1, honest.instances[0].clone());
    traces.extend([rotated, without, twice]);
    traces
}

fn run<S: Available, P: AirPiop<S>>() {
    let tiny = Tiny::<S, P>::new("ideal", &options(""));
    let (mut accepted, mut refused) = (0, 0);
    for trace in traces(&tiny.trace) {
        let verdict = tiny.verify(&tiny.prove(&trace));
        assert_eq!(verdict.is_ok(), tiny.holds(&trace), "{verdict:?} for {trace:?}");
        *(if verdict.is_ok() { &mut accepted } else { &mut refused }) += 1;
    }
    println!("{} {}: {accepted} accepted, {refused} refused", P::NAME, S::NAME);
    assert!(accepted > 6 && refused > 60);
}

#[test]
fn proves_what_holds() {
    run::<KoalaBear4, UniStark>();
    run::<KoalaBear4, MlStark>();
    run::<KoalaBear5, MlStark>();
    run::<Goldilocks2, MlStark>();
    run::<Bls12, MlStark>();
    run::<KoalaBear4, Spartan>();
    run::<KoalaBear5, Spartan>();
    run::<Goldilocks2, Spartan>();
    run::<Bls12, Spartan>();
}
