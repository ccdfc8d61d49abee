//! Verifiers that see one value other than the one sent, under the challenges of the honest proof: what is
//! left of them is their algebra. Every value must matter to it, or be an answer that nobody asked for: the
//! value on the next row of a column that is not read there, which comes along with its matrix.

use crate::common;
use std::sync::Mutex;

use common::frozen::Frozen;
use common::tiny::{AirPiop, Tiny, options};
use common::{accepts, in_parallel};
use trilemma_arith::air::Instance;
use trilemma_arith::r1cs::R1cs;
use trilemma_core::setting::{Bls12, KoalaBear4};
use trilemma_core::{OracleVerifier, Piop};
use trilemma_pcs::Available;
use trilemma_piop::ml_stark::MlStark;
use trilemma_piop::spartan::Spartan;
use trilemma_piop::uni_stark::UniStark;

/// Teaches: the verifier's equations involve every scalar sent and every answer.
#[test]
fn every_value_matters_by_itself() {
    fn run<S: Available, P: AirPiop<S>>() {
        let tiny = Tiny::<S, P>::new("ideal", &options("blake3"));
        let proof = tiny.prove(&tiny.trace);
        let verify = |at: Option<usize>| {
            let mut seen = Vec::new();
            let mut run = |inner: &mut dyn OracleVerifier<S, P::Query>| {
                let mut frozen = Frozen { inner, at, seen: Vec::new() };
                let verdict = P::default().verify(&tiny.air, &tiny.terms, &mut frozen);
                seen = frozen.seen;
                verdict
            };
            let verdict = tiny.runner.verify(tiny.binding(), &tiny.index, &proof, &mut run);
            (verdict.map(|_| ()), seen)
        };
        let (honest, seen) = verify(None);
        assert_eq!(honest, Ok(()));
        println!("{} {}: {} values", P::NAME, S::NAME, seen.len());
        assert!(seen.len() > 20);
        let all: Vec<usize> = (0..seen.len()).collect();
        let idle = Mutex::new(Vec::new());
        in_parallel(&all, |&at| {
            if accepts("a value changed", || verify(Some(at)).0).is_ok() {
                idle.lock().unwrap().push((at, seen[at]));
            }
        });
        let idle = idle.into_inner().unwrap();
        let r1cs = R1cs::of(&tiny.air);
        let unread = |instance: &Instance| {
            let (shape, block) = (tiny.air.tables[instance.table].shape(), &r1cs.blocks[instance.table]);
            let products = if P::NAME == <Spartan as Piop<S>>::NAME { block.products.len() } else { 0 };
            if shape.uses_next() { shape.columns.len() + products - shape.next_columns().len() } else { 0 }
        };
        let along: usize = tiny.trace.instances.iter().map(unread).sum();
        assert_eq!(idle.len(), along, "{}: these can be anything: {idle:?}", P::NAME);
        assert!(idle.iter().all(|(_, label)| *label == "answers"));
    }
    run::<KoalaBear4, UniStark>();
    run::<Bls12, UniStark>();
    run::<KoalaBear4, MlStark>();
    run::<Bls12, MlStark>();
    run::<KoalaBear4, Spartan>();
    run::<Bls12, Spartan>();
}
