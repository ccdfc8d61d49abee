//! What only the inner-product argument promises: decisions put off and taken together, heights that
//! are bound, its points, its size, its ledger.

use crate::common;
use common::{lies, random};
use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::claim::{Claim, ClaimKind, Columns, UniEval};
use trilemma_core::multilinear::evaluate;
use trilemma_core::security::Standing;
use trilemma_core::setting::{Bls12, Bn254, Pallas, Vesta};
use trilemma_core::transcript::ByteCount;
use trilemma_core::{
    Ledger, Opens, Options, ProverTranscript, Reject, Scheme, Security, Setting, Setup, Smooth, VerifierTranscript,
};
use trilemma_pcs::group::{GroupSetting, point_bytes};
use trilemma_pcs::ipa::{Accumulator, Ipa, VerifierKey, check, decide, decide_all, together};
use trilemma_pcs::stacked::{Multilinear, Opening};

const SEED: u64 = 0x1BA;
const MAX_LOG_HEIGHT: usize = 8;

fn rng() -> SmallRng {
    println!("seed {SEED:#x}");
    SmallRng::seed_from_u64(SEED)
}

fn keys<S: Smooth + GroupSetting>(max: usize) -> (<Ipa as Scheme<S>>::ProverKey, VerifierKey<S>) {
    <Ipa as Scheme<S>>::setup(&Options::default(), max).expect("set-up")
}

/// One oracle with claims about its matrices, and a proof of them.
struct Proof<S: Setting> {
    shapes: Vec<Shape>,
    claims: Vec<Claim<UniEval<S::Ext>, S::Ext>>,
    bytes: Vec<u8>,
    ledger: Ledger,
    count: ByteCount,
}

impl<S: Smooth + GroupSetting> Proof<S>
where
    StandardUniform: Distribution<S::Base>,
{
    /// Opens matrices at points.
    fn new(matrices: Vec<Columns<S::Base>>, asked: &[(usize, S::Ext)]) -> Self {
        let (pk, _) = keys::<S>(20);
        let shapes = matrices.iter().map(Shape::of).collect();
        let mut t = ProverTranscript::new(b"ipa", Security::default());
        let opener = <Ipa as Scheme<S>>::commit(&pk, matrices.clone(), "oracle", &mut t).expect("commits");
        let questions: Vec<_> =
            asked.iter().map(|&(matrix, z)| Question { oracle: Oracle(0), matrix, query: UniEval(z) }).collect();
        let answers = <Ipa as Opens<S, _>>::answer(&pk, &[&opener], &questions, &mut ());
        let mut claims = Vec::new();
        for (Question { matrix, query, .. }, values) in questions.into_iter().zip(answers) {
            assert_eq!(values, ClaimKind::<S>::evaluate(&query, &matrices[matrix]));
            t.send_ext::<S>("answers", &values);
            claims.push(Claim { oracle: 0, matrix, query, values });
        }
        <Ipa as Opens<S, _>>::open(&pk, &[&opener], &claims, (), &mut t).expect("opens");
        let (bytes, ledger, count) = t.finish();
        Self { shapes, claims, bytes, ledger, count }
    }

    /// Two columns opened at a random point and the next.
    fn random(rng: &mut SmallRng, log_height: usize) -> Self {
        let z = rng.random::<S::Base>();
        let next = z * S::Base::two_adic_generator(log_height);
        Self::new(vec![random::<S>(rng, log_height, 2)], &[(0, z), (0, next)])
    }

    fn read<T>(
        &self,
        vk: &VerifierKey<S>,
        verify: impl FnOnce(
            &[(&<Ipa as Scheme<S>>::Commitment, &[Shape])],
            &mut VerifierTranscript<'_>,
        ) -> Result<T, Reject>,
    ) -> Result<T, Reject> {
        let mut t = VerifierTranscript::new(b"ipa", Security::default(), &self.bytes);
        let commitment = <Ipa as Scheme<S>>::receive(vk, &self.shapes, "oracle", &mut t)?;
        for claim in &self.claims {
            t.recv_ext::<S>("answers", claim.values.len())?;
        }
        let result = verify(&[(&commitment, &self.shapes)], &mut t)?;
        let (ledger, count) = t.finish()?;
        assert_eq!((&ledger, &count), (&self.ledger, &self.count));
        Ok(result)
    }

    fn verify(&self, vk: &VerifierKey<S>) -> Result<(), Reject> {
        self.read(vk, |oracles, t| <Ipa as Opens<S, _>>::verify(vk, oracles, &self.claims, t))
    }

    fn accumulator(&self, vk: &VerifierKey<S>) -> Accumulator<S> {
        let checked = self.read(vk, |oracles, t| check(vk, oracles, &self.claims, t));
        checked.expect("is checked").expect("has claims")
    }

    /// Adds one to the last scalar, which only deciding notices.
    fn spoil(&mut self) {
        let at = self.bytes.len() - S::BYTES;
        let mut scalar = Vec::new();
        S::encode(S::decode(&self.bytes[at..]).expect("a scalar") + S::Base::ONE, &mut scalar);
        self.bytes[at..].copy_from_slice(&scalar);
    }
}

const UNDECIDED: &str = "the generators of an inner product";

#[test]
fn false_values_that_the_prover_stands_by_are_rejected() {
    lies::<Pallas, Ipa>();
    lies::<Vesta, Ipa>();
    lies::<Bn254, Ipa>();
    lies::<Bls12, Ipa>();
}

/// Points of the subgroup itself, zero, and several heights at one and at several points.
#[test]
fn opens_anywhere() {
    type S = Pallas;
    let mut rng = rng();
    let (_, vk) = keys::<S>(MAX_LOG_HEIGHT);
    for log_height in 0..=4 {
        let matrix = random::<S>(&mut rng, log_height, 2);
        let g = <S as Setting>::Base::two_adic_generator(log_height);
        for i in [0, 1, (1 << log_height) - 1] {
            let proof = Proof::<S>::new(vec![matrix.clone()], &[(0, g.exp_u64(i))]);
            let row = i as usize % (1 << log_height);
            assert_eq!(proof.claims[0].values, matrix.values[2 * row..2 * row + 2]);
            assert_eq!(proof.verify(&vk), Ok(()));
        }
    }
    let zero = <S as Setting>::Base::ZERO;
    let z: [<S as Setting>::Base; 2] = rng.random();
    let matrices: Vec<_> =
        [(5, 1), (0, 3), (2, 2), (MAX_LOG_HEIGHT, 1)].map(|(n, w)| random::<S>(&mut rng, n, w)).into();
    let asked: Vec<_> = (0..4).flat_map(|matrix| [z[0], zero, z[1]].map(|z| (matrix, z))).collect();
    let mut proof = Proof::<S>::new(matrices, &asked);
    assert_eq!(proof.verify(&vk), Ok(()));
    // Another height under the same commitments: another functional.
    let honest = proof.shapes.clone();
    for i in 0..honest.len() {
        for log_height in 0..=MAX_LOG_HEIGHT {
            proof.shapes[i].log_height = log_height;
            assert_eq!(proof.verify(&vk).is_ok(), proof.shapes == honest);
        }
        proof.shapes.clone_from(&honest);
    }
    assert!(proof.verify(&keys::<S>(MAX_LOG_HEIGHT - 1).1).is_err());
}

/// Only the final sum notices what is wrong with an accumulator, alone or in company.
#[test]
fn accumulators_are_decided_together() {
    type S = Pallas;
    let mut rng = rng();
    let (_, vk) = keys::<S>(MAX_LOG_HEIGHT);
    let honest: Vec<Accumulator<S>> = [3, 6, 6, 0, 5].map(|n| Proof::<S>::random(&mut rng, n).accumulator(&vk)).into();
    assert_eq!(decide_all(&vk, &honest), Ok(()));
    assert_eq!(decide_all::<S>(&vk, &[]), Ok(()));
    assert!(honest.iter().all(|accumulator| decide(&vk, accumulator).is_ok()));

    let one = <S as Setting>::Base::ONE;
    let shift = honest[0].point;
    type Forge<'a> = Box<dyn Fn(&mut Vec<Accumulator<S>>) + 'a>;
    let forgeries: [(&str, Forge<'_>); 8] = [
        ("a scalar", Box::new(|a| a[1].scalar += one)),
        ("a challenge", Box::new(|a| a[4].challenges[0] += one)),
        ("challenges in another order", Box::new(|a| a[0].challenges.reverse())),
        ("a challenge fewer", Box::new(|a| a[2].challenges.truncate(5))),
        ("a point", Box::new(|a| a[3].point = -a[3].point)),
        (
            "points swapped",
            Box::new(|a| {
                let point = a[1].point;
                a[1].point = std::mem::replace(&mut a[2].point, point);
            }),
        ),
        (
            "points that cancel in a plain sum",
            Box::new(|a| {
                a[1].point = (a[1].point + shift).into();
                a[2].point = (a[2].point - shift).into();
            }),
        ),
        (
            "scalars that cancel in a plain sum",
            Box::new(|a| {
                a[2].challenges = a[1].challenges.clone();
                a[2].point = a[1].point;
                a[2].scalar = a[1].scalar + one;
                a[1].scalar -= one;
            }),
        ),
    ];
    for (what, forge) in forgeries {
        let mut forged = honest.clone();
        forge(&mut forged);
        assert_eq!(decide_all(&vk, &forged), Err(Reject::new(UNDECIDED)), "{what}");
        assert!(forged.iter().any(|accumulator| decide(&vk, accumulator).is_err()), "{what}");
    }
    let mut long = honest;
    long[0].challenges = vec![one; 64];
    assert!(decide_all(&vk, &long).is_err());
}

/// Many proofs under one key; one that is wrong spoils them all, and each still fails for itself.
#[test]
fn proofs_are_verified_together() {
    type S = Vesta;
    let mut rng = rng();
    let (_, vk) = keys::<S>(MAX_LOG_HEIGHT);
    let mut proofs: Vec<Proof<S>> = [4, 2, 7].map(|n| Proof::random(&mut rng, n)).into();
    let all = |proofs: &[Proof<S>]| together(&vk, |key| proofs.iter().try_for_each(|proof| proof.verify(key)));
    assert_eq!(all(&proofs), Ok(()));
    for i in 0..3 {
        let honest = proofs[i].bytes.clone();
        proofs[i].spoil();
        // What can be checked at once is fine; what was put off is not forgotten.
        proofs[i].accumulator(&vk);
        assert_eq!(proofs[i].verify(&vk), Err(Reject::new(UNDECIDED)));
        assert_eq!(all(&proofs), Err(Reject::new(UNDECIDED)));
        proofs[i].bytes = honest;
    }
    proofs[1].claims[0].values[0] += <S as Setting>::Base::ONE;
    assert_eq!(all(&proofs), Err(Reject::new("the ipa sumcheck")));
}

fn rejects_bad_points<S: Smooth + GroupSetting>()
where
    StandardUniform: Distribution<S::Base>,
{
    let mut proof = Proof::<S>::random(&mut rng(), 3);
    let (_, vk) = keys::<S>(3);
    let size = point_bytes::<S>();
    let honest = proof.bytes.clone();
    assert_eq!(proof.verify(&vk), Ok(()));
    let halves = honest.len() - S::BYTES - 6 * size;
    let commitments = [0, size];
    for at in commitments.into_iter().chain((0..6).map(|i| halves + i * size)) {
        // No field has all bits set; and half of all small abscissas are off the curve.
        let mut refused = 0;
        for fill in [0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9] {
            proof.bytes[at..at + size].fill(0);
            match fill {
                0xff => proof.bytes[at..at + size].fill(0xff),
                x => [proof.bytes[at], proof.bytes[at + size - 1]] = [x, 0],
            }
            let reason = proof.verify(&vk).expect_err("another point").what;
            refused += usize::from(reason.contains("not a point") || reason.contains("canonical"));
        }
        assert!(refused > 1, "{refused} refused at {at}");
        proof.bytes.clone_from(&honest);
    }
}

#[test]
fn bad_points_are_rejected() {
    rejects_bad_points::<Pallas>();
    rejects_bad_points::<Vesta>();
    rejects_bad_points::<Bn254>();
}

/// A proof of one opening or of several, over the multilinear seam, where the transcript has absorbed
/// no value: nothing but the scheme can bind it.
fn multilinear<S: Smooth + GroupSetting>(
    points: &[Vec<S::Ext>],
    shift: impl Fn(&mut Vec<S::Ext>, &mut Vec<Vec<S::Ext>>),
) -> Result<ByteCount, Reject>
where
    StandardUniform: Distribution<S::Base>,
{
    let mut rng = rng();
    let (pk, vk) = <Ipa as Multilinear<S>>::setup(&Options::default(), MAX_LOG_HEIGHT).expect("set-up");
    let mut t = ProverTranscript::new(b"ipa", Security::default());
    let (mut openers, mut values, mut points) = (Vec::new(), Vec::new(), points.to_vec());
    for point in &points {
        let f: Vec<S::Base> = (0..1 << point.len()).map(|_| rng.random()).collect();
        values.push(evaluate(&f, point));
        openers.push(<Ipa as Multilinear<S>>::commit(&pk, f, "polynomial", &mut t).expect("commits"));
    }
    let opening = |((of, point), &value): ((_, &Vec<S::Ext>), _)| Opening { of, point: point.clone(), value };
    let openings: Vec<_> = openers.iter().zip(&points).zip(&values).map(opening).collect();
    <Ipa as Multilinear<S>>::open(&pk, &openings, &mut t).expect("opens");
    let (proof, ledger, count) = t.finish();

    let mut t = VerifierTranscript::new(b"ipa", Security::default(), &proof);
    let receive = |point: &Vec<S::Ext>| <Ipa as Multilinear<S>>::receive(&vk, point.len(), "polynomial", &mut t);
    let commitments: Vec<_> = points.iter().map(receive).collect::<Result<_, _>>()?;
    shift(&mut values, &mut points);
    let opening = |((of, point), &value): ((_, &Vec<S::Ext>), _)| Opening { of, point: point.clone(), value };
    let openings: Vec<_> = commitments.iter().zip(&points).zip(&values).map(opening).collect();
    <Ipa as Multilinear<S>>::verify(&vk, &openings, &mut t)?;
    assert_eq!(t.finish()?, (ledger, count.clone()));
    Ok(count)
}

fn binds_multilinear_values<S: Smooth + GroupSetting>()
where
    StandardUniform: Distribution<S::Base>,
{
    let longest: Vec<S::Ext> = (0..8).map(|i| S::Ext::from_u64(3 + i * i)).collect();
    let suffix = |n: usize| longest[8 - n..].to_vec();
    for n in 0..=8 {
        let bytes = multilinear::<S>(&[suffix(n)], |_, _| ()).expect("verifies");
        assert_eq!(bytes["polynomial"], point_bytes::<S>() << (n / 4));
        assert!(!bytes.contains_key("ipa sumcheck"));
        let result = multilinear::<S>(&[suffix(n)], |values, _| values[0] += S::Ext::ONE);
        assert_eq!(result, Err(Reject::new(UNDECIDED)));
    }
    let lengths = [3, 8, 7, 8, 0].map(suffix);
    assert!(multilinear::<S>(&lengths, |_, _| ()).is_ok());
    for i in 0..lengths.len() {
        assert!(multilinear::<S>(&lengths, |values, _| values[i] += S::Ext::ONE).is_err());
        assert!(multilinear::<S>(&lengths, |values, _| values.swap(i, (i + 1) % 5)).is_err());
        let another =
            |_: &mut Vec<_>, points: &mut Vec<Vec<S::Ext>>| points[i].iter_mut().for_each(|x| *x += S::Ext::ONE);
        assert!(lengths[i].is_empty() || multilinear::<S>(&lengths, another).is_err());
        let longer = |_: &mut Vec<_>, points: &mut Vec<Vec<S::Ext>>| points[i].push(S::Ext::ONE);
        assert_eq!(multilinear::<S>(&lengths, longer), Err(Reject::new("a point that fits no polynomial")));
    }
}

#[test]
fn multilinear_values_are_bound() {
    binds_multilinear_values::<Pallas>();
    binds_multilinear_values::<Bls12>();
}

fn size_and_ledger<S: Smooth + GroupSetting>(bits: f64)
where
    StandardUniform: Distribution<S::Base>,
{
    let proof = Proof::<S>::random(&mut rng(), 7);
    let (point, scalar) = (point_bytes::<S>(), S::BYTES);
    let expected = [
        ("oracle", 2 * point),
        ("answers", 4 * scalar),
        ("ipa sumcheck", 7 * 2 * scalar),
        ("ipa values", 2 * scalar),
        ("ipa halves", 7 * 2 * point),
        ("ipa scalar", scalar),
    ];
    assert_eq!(proof.count, ByteCount::from(expected));
    let assumed = proof.ledger.weakest(Standing::Assumed).expect("an assumption");
    assert!((assumed.total() - bits).abs() < 0.1, "{assumed:?}");
    assert!(proof.ledger.weakest(Standing::Proven).expect("terms").total() > 245.0);
    let (_, vk) = keys::<S>(7);
    let properties = <Ipa as Scheme<S>>::properties(&vk);
    assert_eq!((properties.setup, properties.verifier), (Setup::Transparent, "n"));
    assert!(!properties.post_quantum && !properties.hiding);
    assert!(<Ipa as Scheme<S>>::setup(&Options::default(), 40).is_err());
}

#[test]
fn sizes_and_ledgers() {
    size_and_ledger::<Pallas>(126.0);
    size_and_ledger::<Vesta>(126.0);
    size_and_ledger::<Bn254>(100.0);
    size_and_ledger::<Bls12>(126.0);
}
