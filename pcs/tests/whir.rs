//! Figures of `whir` at sizes of real traces; on demand, in a release build.

use std::time::Instant;

use p3_field::PrimeCharacteristicRing;
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::claim::Columns;
use trilemma_core::runner::Binding;
use trilemma_core::setting::{KoalaBear4, KoalaBear5};
use trilemma_core::{MlEval, Options, OracleProver, OracleVerifier, Regime, Security, Setting};
use trilemma_pcs::Available;

type Query<S> = MlEval<<S as Setting>::Ext>;

/// Matrices that fill nine tenths of `2^log_cells`, as tables of an execution do.
fn shapes(log_cells: usize) -> Vec<Shape> {
    let tallest = log_cells - 6;
    let tall = [(0, 36), (1, 20), (2, 24), (3, 16), (4, 30), (6, 12), (9, 40)];
    let low = (4..tallest.saturating_sub(10)).map(|log_height| Shape { log_height, width: 20 });
    tall.map(|(below, width)| Shape { log_height: tallest - below, width }).into_iter().chain(low).collect()
}

fn random<S: Setting>(rng: &mut SmallRng, shape: &Shape) -> Columns<S::Base>
where
    StandardUniform: Distribution<S::Base>,
{
    Columns::new((0..shape.width << shape.log_height).map(|_| rng.random()).collect(), shape.width)
}

fn questions<S: Setting>(z: S::Ext, index: &[Shape], main: &[Shape]) -> Vec<Question<Query<S>>> {
    let point = |n: usize| MlEval((0..n as u64).map(|i| z * S::Ext::from_u64(3 * i + 1) + z.square()).collect());
    let of = |oracle, shapes: &[Shape]| -> Vec<_> {
        let ask =
            |(matrix, s): (usize, &Shape)| Question { oracle: Oracle(oracle), matrix, query: point(s.log_height) };
        shapes.iter().enumerate().map(ask).collect()
    };
    [of(0, index), of(1, main)].concat()
}

fn measure<S: Available>(regime: Regime, log_cells: usize)
where
    StandardUniform: Distribution<S::Base>,
{
    let options = Options { security: Security { bits: 100, regime }, ..Options::default() };
    let schemes = S::multilinear();
    let Some(entry) = schemes.iter().find(|e| e.name == "whir") else { return };
    let runner = match (entry.setup)(&options, log_cells) {
        Ok(runner) => runner,
        Err(e) => return println!("{} {} 2^{log_cells}: {e}", S::NAME, regime.name()),
    };
    let rng = &mut SmallRng::seed_from_u64(7);
    let fixed = vec![Shape { log_height: 14, width: 15 }];
    let main = shapes(log_cells);
    let (commitment, index) = runner.index(b"", fixed.iter().map(|s| random::<S>(rng, s)).collect()).unwrap();
    let matrices: Vec<_> = main.iter().map(|s| random::<S>(rng, s)).collect();
    let binding = Binding { protocol: b"", statement: b"" };

    let mut sent = Some(matrices);
    let proven = runner
        .prove(binding, (&commitment, &index), &mut |ch: &mut dyn OracleProver<S, Query<S>>| {
            ch.send_oracle("oracle", sent.take().unwrap())?;
            let z = ch.sample("z", None)?;
            ch.ask(questions::<S>(z, &fixed, &main)).map(|_| ())
        })
        .unwrap();
    let start = Instant::now();
    let (ledger, bytes) = runner
        .verify(binding, &commitment, &proven.proof, &mut |ch: &mut dyn OracleVerifier<S, Query<S>>| {
            ch.recv_oracle("oracle", main.clone())?;
            let z = ch.sample("z", None)?;
            ch.ask(questions::<S>(z, &fixed, &main)).map(|_| ())
        })
        .unwrap();
    println!(
        "{} {} 2^{log_cells}: commit {:.2?} open {:.2?} verify {:.1?} whir {} of {} bytes, {:.1} bits",
        S::NAME,
        regime.name(),
        proven.cost.commit,
        proven.cost.open,
        start.elapsed(),
        bytes["whir"],
        proven.proof.len(),
        ledger.bits()
    );
    assert!(ledger.bits() >= 100.0);
}

#[test]
#[ignore = "a measurement for release builds"]
fn figures() {
    for log_cells in [22, 24, 26] {
        measure::<KoalaBear4>(Regime::Udr, log_cells);
        measure::<KoalaBear4>(Regime::Jbr, log_cells);
        measure::<KoalaBear5>(Regime::Jbr, log_cells);
    }
}
