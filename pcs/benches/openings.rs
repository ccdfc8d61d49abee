//! What committing, opening and verifying cost, for every scheme that the registry has for a setting:
//! `cargo bench -p trilemma-pcs`, or `... -- koalabear4/whir` for some. Proof bytes go to standard error.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use p3_field::PrimeCharacteristicRing;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::claim::Columns;
use trilemma_core::runner::{Binding, Proven};
use trilemma_core::setting::{BabyBear4, Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5, Pallas};
use trilemma_core::{Largest, MlEval, Options, OracleProver, OracleVerifier, ProveError, Reject, Runner, UniEval};
use trilemma_pcs::{Available, Served};

/// log2 of the columns of the matrix that is committed to.
const LOG_WIDTH: usize = 4;

/// A matrix of 16-bit cells under one scheme.
struct Subject<S: Available, Q: Served<S>> {
    runner: Box<dyn Runner<S, Q>>,
    matrix: Columns<S::Base>,
    query: fn(usize, S::Ext) -> Q,
}

impl<S: Available, Q: Served<S>> Subject<S, Q> {
    fn shape(&self) -> Shape {
        Shape::of(&self.matrix)
    }

    fn questions(&self, z: S::Ext) -> Vec<Question<Q>> {
        let query = (self.query)(self.shape().log_height, z);
        vec![Question { oracle: Oracle(0), matrix: 0, query }]
    }

    fn prove(&self) -> Result<Proven, ProveError> {
        let (none, index) = self.runner.index(b"", Vec::new())?;
        let mut matrix = Some(self.matrix.clone());
        self.runner.prove(BINDING, (&none, &index), &mut |ch: &mut dyn OracleProver<S, Q>| {
            ch.send_oracle("oracle", matrix.take().into_iter().collect())?;
            let z = ch.sample("z", None)?;
            ch.ask(self.questions(z)).map(|_| ())
        })
    }

    fn verify(&self, proof: &[u8]) -> Result<(), Reject> {
        let (none, _) = self.runner.index(b"", Vec::new()).map_err(|_| Reject::new("no index"))?;
        let verified = self.runner.verify(BINDING, &none, proof, &mut |ch: &mut dyn OracleVerifier<S, Q>| {
            ch.recv_oracle("oracle", vec![self.shape()])?;
            let z = ch.sample("z", None)?;
            ch.ask(self.questions(z)).map(|_| ())
        });
        verified.map(|_| ())
    }
}

const BINDING: Binding<'static> = Binding { protocol: b"bench", statement: b"" };

/// Every scheme of a setting for one kind of claim, on `2^log_cells` cells.
fn schemes<S: Available, Q: Served<S>>(c: &mut Criterion, log_cells: usize, query: fn(usize, S::Ext) -> Q) {
    let mut rng = SmallRng::seed_from_u64(1);
    let cells = (0..1 << log_cells).map(|_| S::Base::from_u16(rng.random())).collect();
    let matrix = Columns::<S::Base>::new(cells, 1 << LOG_WIDTH);
    for entry in Q::schemes().iter().filter(|entry| entry.name != "ideal") {
        let mut group = c.benchmark_group(format!("{}/{}/2^{log_cells}", S::NAME, entry.name));
        group.sample_size(10);
        let Ok(runner) = (entry.setup)(&Options::default(), log_cells) else {
            eprintln!("{}/{}: not at these options", S::NAME, entry.name);
            continue;
        };
        let subject = Subject { runner, matrix: matrix.clone(), query };
        let mut phase = |name: &str, part: fn(&Proven) -> Duration| {
            group.bench_function(name, |b| {
                subject.runner.prepare(Largest { log_height: log_cells - LOG_WIDTH, log_cells });
                b.iter_custom(|n| (0..n).map(|_| part(&subject.prove().expect("proves"))).sum());
            });
        };
        phase("commit", |proven| proven.cost.commit);
        phase("open", |proven| proven.cost.open);
        group.bench_function("verify", |b| {
            let proof = subject.prove().expect("proves").proof;
            eprintln!("{}/{}: {} bytes", S::NAME, entry.name, proof.len());
            b.iter(|| subject.verify(&proof).expect("verifies"));
        });
    }
}

fn setting<S: Available>(c: &mut Criterion, log_cells: usize)
where
    UniEval<S::Ext>: Served<S>,
    MlEval<S::Ext>: Served<S>,
{
    schemes::<S, UniEval<S::Ext>>(c, log_cells, |_, z| UniEval(z));
    schemes::<S, MlEval<S::Ext>>(c, log_cells, |n, z| {
        MlEval((0..n as u64).map(|i| z * S::Ext::from_u64(3 * i + 1) + z.square()).collect())
    });
}

fn openings(c: &mut Criterion) {
    setting::<KoalaBear4>(c, 22);
    setting::<KoalaBear5>(c, 20);
    setting::<BabyBear4>(c, 20);
    setting::<Goldilocks2>(c, 20);
    setting::<Bn254>(c, 16);
    setting::<Bls12>(c, 16);
    setting::<Pallas>(c, 16);
}

criterion_group!(benches, openings);
criterion_main!(benches);
