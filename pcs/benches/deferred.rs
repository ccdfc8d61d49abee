//! What deciding many inner-product proofs by one sum over the generators saves:
//! `cargo bench -p trilemma-pcs --bench deferred`.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use p3_field::PrimeCharacteristicRing;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::claim::{Claim, Columns, UniEval};
use trilemma_core::setting::Pallas;
use trilemma_core::{Opens, Options, ProverTranscript, Reject, Scheme, Security, Setting, VerifierTranscript};
use trilemma_pcs::ipa::{Ipa, VerifierKey, together};

type S = Pallas;
type F = <S as Setting>::Base;

const PROOFS: usize = 8;
const WIDTH: usize = 16;

/// A matrix opened at one point.
struct Proof {
    shape: Shape,
    claim: Claim<UniEval<F>, F>,
    bytes: Vec<u8>,
}

impl Proof {
    fn new(log_height: usize) -> Self {
        let mut rng = SmallRng::seed_from_u64(1);
        let (pk, _) = <Ipa as Scheme<S>>::setup(&Options::default(), log_height).expect("set-up");
        let cells = (0..WIDTH << log_height).map(|_| F::from_u16(rng.random())).collect();
        let matrix = Columns::<F>::new(cells, WIDTH);
        let mut t = ProverTranscript::new(b"bench", Security::default());
        let shape = Shape::of(&matrix);
        let opener = <Ipa as Scheme<S>>::commit(&pk, vec![matrix], "oracle", &mut t).expect("commits");
        let query = UniEval(rng.random::<F>());
        let question = Question { oracle: Oracle(0), matrix: 0, query };
        let values = <Ipa as Opens<S, _>>::answer(&pk, &[&opener], &[question], &mut ()).remove(0);
        t.send_ext::<S>("answers", &values);
        let claim = Claim { oracle: 0, matrix: 0, query, values };
        <Ipa as Opens<S, _>>::open(&pk, &[&opener], std::slice::from_ref(&claim), (), &mut t).expect("opens");
        Self { shape, claim, bytes: t.finish().0 }
    }

    fn verify(&self, vk: &VerifierKey<S>) -> Result<(), Reject> {
        let mut t = VerifierTranscript::new(b"bench", Security::default(), &self.bytes);
        let commitment = <Ipa as Scheme<S>>::receive(vk, &[self.shape], "oracle", &mut t)?;
        t.recv_ext::<S>("answers", WIDTH)?;
        let claims = std::slice::from_ref(&self.claim);
        <Ipa as Opens<S, _>>::verify(vk, &[(&commitment, &[self.shape])], claims, &mut t)
    }
}

fn deferred(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("{}/ipa, {PROOFS} proofs", S::NAME));
    group.sample_size(10);
    for log_height in [12, 14, 16] {
        let (_, vk) = <Ipa as Scheme<S>>::setup(&Options::default(), log_height).expect("set-up");
        let proof = Proof::new(log_height);
        let all = |key: &VerifierKey<S>| (0..PROOFS).try_for_each(|_| proof.verify(key));
        group.bench_function(BenchmarkId::new("apart", log_height), |b| b.iter(|| all(&vk).expect("verifies")));
        group.bench_function(BenchmarkId::new("together", log_height), |b| {
            b.iter(|| together(&vk, all).expect("verifies"));
        });
    }
}

criterion_group!(benches, deferred);
criterion_main!(benches);
