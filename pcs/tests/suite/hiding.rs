//! What hiding promises: commitments and openings that show nothing but the claimed values, from
//! entropy unless a test gives a seed.

use crate::common;
use common::{At, Case, Lab, ask, random, zero};
use p3_field::PrimeCharacteristicRing;
use rand::SeedableRng;
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::claim::{Claim, Columns, UniEval};
use trilemma_core::setting::{Bls12, Bn254};
use trilemma_core::{Opens, Options, ProverTranscript, Scheme, SchemeEntry, Security, Setting, VerifierTranscript};
use trilemma_pcs::Available;
use trilemma_pcs::group::{GroupSetting, point_bytes};
use trilemma_pcs::ideal::Ideal;
use trilemma_pcs::kzg::Kzg;
use trilemma_pcs::srs::{PairingSetting, Srs};

type Hiding = Kzg<true>;

fn rng() -> SmallRng {
    SmallRng::seed_from_u64(0xB11D)
}

/// Commits to columns and opens them at two points.
fn open<S: PairingSetting>(matrix: &Columns<S::Base>, mut t: ProverTranscript) -> Vec<u8> {
    let (pk, vk) = <Hiding as Scheme<S>>::setup(&Options::default(), 3).expect("set-up");
    let opener = <Hiding as Scheme<S>>::commit(&pk, vec![matrix.clone()], "oracle", &mut t).expect("commits");
    let questions: Vec<_> =
        [5, 6].map(|z| Question { oracle: Oracle(0), matrix: 0, query: UniEval(S::Ext::from_u64(z)) }).into();
    let answers = <Hiding as Opens<S, _>>::answer(&pk, &[&opener], &questions, &mut ());
    let claim = |(q, values): (Question<_>, _)| Claim { oracle: 0, matrix: 0, query: q.query, values };
    let claims: Vec<_> = questions.into_iter().zip(answers).map(claim).collect();
    <Hiding as Opens<S, _>>::open(&pk, &[&opener], &claims, (), &mut t).expect("opens");
    let (proof, ledger, count) = t.finish();

    let mut t = VerifierTranscript::new(b"hiding", Security::default(), &proof);
    let shapes = [Shape::of(matrix)];
    let commitment = <Hiding as Scheme<S>>::receive(&vk, &shapes, "oracle", &mut t).expect("received");
    Hiding::verify(&vk, &[(&commitment, &shapes)], &claims, &mut t).expect("verifies");
    assert_eq!(t.finish().expect("ends"), (ledger, count));
    proof
}

fn differs<S: PairingSetting>()
where
    StandardUniform: Distribution<S::Base>,
{
    let transcript = || ProverTranscript::new(b"hiding", Security::default());
    let seeded = |seed: u8| transcript().blinded_from(&[seed; 32]);
    let size = point_bytes::<S>();
    for column in [random::<S>(&mut rng(), 3, 1), zero::<S>(3, 1)] {
        // Each of commitment, quotient, witness and blinding is another point.
        let (a, b) = (open::<S>(&column, transcript()), open::<S>(&column, transcript()));
        assert_eq!(a.len(), 4 * size);
        assert!(a.chunks(size).zip(b.chunks(size)).all(|(a, b)| a != b));
        assert!(a.chunks(size).all(|point| point.iter().any(|&byte| byte != 0)));
        assert_eq!(open::<S>(&column, seeded(1)), open::<S>(&column, seeded(1)));
        assert_ne!(open::<S>(&column, seeded(1)), open::<S>(&column, seeded(2)));
        assert_eq!(open::<S>(&column, transcript().unblinded()), open::<S>(&column, transcript().unblinded()));
    }
    // Equal columns of one oracle do not look equal.
    let twins = Columns::new([7u64; 16].map(S::Base::from_u64).to_vec(), 2);
    let proof = open::<S>(&twins, transcript());
    assert_ne!(proof[..size], proof[size..2 * size]);
}

#[test]
fn equal_columns_look_different() {
    differs::<Bls12>();
    differs::<Bn254>();
}

/// A column is hidden by adding a multiple of a base that no polynomial has.
#[test]
fn commitments_differ_by_the_blinding() {
    type S = Bn254;
    let seed = [9; 32];
    let column = random::<S>(&mut rng(), 3, 1);
    let (pk, _) = <Hiding as Scheme<S>>::setup(&Options::default(), 3).expect("set-up");
    let commit = |mut t: ProverTranscript| {
        <Hiding as Scheme<S>>::commit(&pk, vec![column.clone()], "oracle", &mut t).expect("commits");
        let (bytes, ..) = t.finish();
        let mut t = VerifierTranscript::new(b"hiding", Security::default(), &bytes);
        trilemma_pcs::group::recv_point::<S>("oracle", &mut t).expect("a point")
    };
    let transcript = || ProverTranscript::new(b"hiding", Security::default());
    let r = transcript().blinded_from(&seed).blind::<S>();
    let xi = Srs::<S>::insecure(3, 0).expect("made").hiding().expect("is there").0;
    let blinded = commit(transcript().blinded_from(&seed));
    assert_eq!(blinded, commit(transcript().unblinded()) + xi * S::scalar(r));
}

#[test]
fn only_what_hides_says_so() {
    fn check<S: PairingSetting + Available>() {
        let (_, vk) = <Hiding as Scheme<S>>::setup(&Options::default(), 3).expect("set-up");
        assert!(<Hiding as Scheme<S>>::properties(&vk).hiding);
        for entry in S::univariate() {
            let runner = (entry.setup)(&Options::default(), 3).expect("set-up");
            assert_eq!(runner.properties().hiding, entry.name == "kzg-zk", "{}", entry.name);
        }
        let (_, vk) = <Kzg as Scheme<S>>::setup(&Options::default(), 3).expect("set-up");
        assert!(!<Kzg as Scheme<S>>::properties(&vk).hiding);
        assert!(!<Ideal as Scheme<S>>::properties(&()).hiding);
    }
    check::<Bls12>();
    check::<Bn254>();
}

/// Neither kind of proof passes for the other, and a string without the points does not serve.
#[test]
fn kinds_are_not_mixed_up() {
    type S = Bn254;
    let mut rng = rng();
    let case = Case::<S> {
        index: vec![random::<S>(&mut rng, 2, 1)],
        oracles: vec![vec![random::<S>(&mut rng, 3, 2)]],
        asks: vec![vec![ask(0, 0, At::Z), ask(1, 0, At::Z), ask(1, 0, At::Next)]],
    };
    let lab = |entry| Lab::<S, UniEval<<S as Setting>::Ext>>::new(&entry, Options::default(), 3);
    let (hiding, plain) = (lab(SchemeEntry::of::<Hiding>()), lab(SchemeEntry::of::<Kzg>()));
    hiding.round_trip("hiding", &case);
    plain.rejects("a blinded proof", &hiding.prove(&case), &case.beliefs());
    hiding.rejects("a plain proof", &plain.prove(&case), &case.beliefs());

    let srs = Srs::<S>::insecure(3, 0).expect("made").encode();
    let points = 64 + 128;
    let mut old = srs[..srs.len() - points].to_vec();
    old[..8].copy_from_slice(b"TRILSRS1");
    let path = std::env::temp_dir().join(format!("trilemma-hiding-{}.srs", std::process::id()));
    let options = Options { srs: Some(path.clone()), ..Options::default() };
    std::fs::write(&path, &old).expect("writes");
    assert!(<Kzg as Scheme<S>>::setup(&options, 3).is_ok());
    let refused = <Hiding as Scheme<S>>::setup(&options, 3).err().expect("refused");
    assert!(refused.0.contains("no points for hiding"), "{refused:?}");
    std::fs::write(&path, &srs).expect("writes");
    assert!(<Hiding as Scheme<S>>::setup(&options, 3).is_ok());
    std::fs::remove_file(&path).expect("removes");
}
