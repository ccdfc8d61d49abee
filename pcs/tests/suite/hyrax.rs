//! What only Hyrax promises: values that are bound, openings of many polynomials, its size, its ledger.

use p3_field::{Field, PrimeCharacteristicRing};
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::multilinear::evaluate;
use trilemma_core::security::Standing;
use trilemma_core::setting::{Bls12, Bn254, Pallas, Vesta};
use trilemma_core::transcript::ByteCount;
use trilemma_core::{Ledger, Options, ProverTranscript, Reject, Security, Setting, Setup, VerifierTranscript};
use trilemma_pcs::group::{GroupSetting, point_bytes};
use trilemma_pcs::hyrax::Hyrax;
use trilemma_pcs::stacked::{Multilinear, Opening};

const SEED: u64 = 0x4172;
const MAX_VARIABLES: usize = 8;

fn rng() -> SmallRng {
    println!("seed {SEED:#x}");
    SmallRng::seed_from_u64(SEED)
}

/// Polynomials with a point each, and a proof of their values.
struct Lab<S: GroupSetting> {
    points: Vec<Vec<S::Ext>>,
    values: Vec<S::Ext>,
    proof: Vec<u8>,
    ledger: Ledger,
    bytes: ByteCount,
}

impl<S: GroupSetting> Lab<S>
where
    StandardUniform: Distribution<S::Base>,
{
    /// Opens random polynomials at these points.
    fn new(rng: &mut SmallRng, points: Vec<Vec<S::Ext>>) -> Self {
        let polynomials = points.iter().map(|p| (0..1 << p.len()).map(|_| rng.random()).collect()).collect();
        Self::of(polynomials, points)
    }

    fn of(polynomials: Vec<Vec<S::Base>>, points: Vec<Vec<S::Ext>>) -> Self {
        let (pk, _) = <Hyrax as Multilinear<S>>::setup(&Options::default(), MAX_VARIABLES).expect("set-up");
        let values: Vec<S::Ext> = polynomials.iter().zip(&points).map(|(f, point)| evaluate(f, point)).collect();
        let mut t = ProverTranscript::new(b"hyrax", Security::default());
        let openers: Vec<_> = polynomials
            .into_iter()
            .map(|f| <Hyrax as Multilinear<S>>::commit(&pk, f, "polynomial", &mut t).expect("commits"))
            .collect();
        let openings: Vec<_> = openers
            .iter()
            .zip(points.iter().zip(&values))
            .map(|(of, (point, &value))| Opening { of, point: point.clone(), value })
            .collect();
        <Hyrax as Multilinear<S>>::open(&pk, &openings, &mut t).expect("opens");
        let (proof, ledger, bytes) = t.finish();
        Self { points, values, proof, ledger, bytes }
    }

    fn verify(&self) -> Result<(), Reject> {
        let (_, vk) = <Hyrax as Multilinear<S>>::setup(&Options::default(), MAX_VARIABLES).expect("set-up");
        let mut t = VerifierTranscript::new(b"hyrax", Security::default(), &self.proof);
        let commitments = self
            .points
            .iter()
            .map(|point| <Hyrax as Multilinear<S>>::receive(&vk, point.len(), "polynomial", &mut t))
            .collect::<Result<Vec<_>, _>>()?;
        let openings: Vec<_> = commitments
            .iter()
            .zip(self.points.iter().zip(&self.values))
            .map(|(of, (point, &value))| Opening { of, point: point.clone(), value })
            .collect();
        Hyrax::verify(&vk, &openings, &mut t)?;
        let (ledger, bytes) = t.finish()?;
        assert_eq!((&ledger, &bytes), (&self.ledger, &self.bytes));
        Ok(())
    }

    fn rejects(&self, what: &str) {
        assert_eq!(self.verify(), Err(Reject::new(what)));
    }
}

fn random_point<S: GroupSetting>(rng: &mut SmallRng, n: usize) -> Vec<S::Ext>
where
    StandardUniform: Distribution<S::Base>,
{
    (0..n).map(|_| rng.random::<S::Base>()).collect()
}

/// The transcript has absorbed no value here, so nothing but the scheme can bind it.
fn binds_the_value<S: GroupSetting>()
where
    StandardUniform: Distribution<S::Base>,
{
    let mut rng = rng();
    for n in 0..=MAX_VARIABLES {
        let point = random_point::<S>(&mut rng, n);
        let mut lab = Lab::<S>::new(&mut rng, vec![point]);
        assert_eq!(lab.verify(), Ok(()));
        for error in [S::Ext::ONE, S::Ext::NEG_ONE, rng.random::<S::Base>()] {
            lab.values[0] += error;
            lab.rejects("the value of a hyrax row");
            lab.values[0] -= error;
        }

        // A row that has the false value is not what was committed.
        lab.values[0] += S::Ext::ONE;
        let weight: S::Ext = lab.points[0][n / 2..].iter().map(|&r| S::Ext::ONE - r).product();
        let at = lab.bytes["polynomial"];
        let first = S::decode(&lab.proof[at..at + S::BYTES]).expect("an element") + weight.inverse();
        let mut bytes = Vec::new();
        S::encode(first, &mut bytes);
        lab.proof[at..at + S::BYTES].copy_from_slice(&bytes);
        lab.rejects("the commitment of a hyrax row");
    }
}

#[test]
fn a_value_is_bound() {
    binds_the_value::<Bls12>();
    binds_the_value::<Bn254>();
    binds_the_value::<Pallas>();
    binds_the_value::<Vesta>();
}

fn opens_many<S: GroupSetting>()
where
    StandardUniform: Distribution<S::Base>,
{
    let mut rng = rng();
    let longest = random_point::<S>(&mut rng, 8);
    let suffix = |n: usize| longest[8 - n..].to_vec();
    // Widths 4, 16, 16, 4, 16, 1.
    let mut lab = Lab::<S>::new(&mut rng, [4, 8, 7, 3, 8, 0].map(suffix).into());
    assert_eq!(lab.verify(), Ok(()));
    assert_eq!(lab.bytes["hyrax row"], (4 + 16 + 1) * S::BYTES);
    let (bits, degree) = (S::ext_bits(), 3.0f64);
    let batch = lab.ledger.terms.iter().find(|term| term.name == "hyrax batch").expect("a term");
    assert_eq!(batch.bits, bits - degree.log2());
    for i in 0..6 {
        lab.values[i] += S::Ext::ONE;
        lab.rejects("the value of a hyrax row");
        lab.values[i] -= S::Ext::ONE;
        lab.points[i] = random_point::<S>(&mut rng, lab.points[i].len());
        assert!(lab.points[i].is_empty() || lab.verify().is_err());
        lab.points[i] = suffix(lab.points[i].len());
    }
    // Errors that cancel in a plain sum, and values of each other.
    for (i, j) in [(1, 2), (1, 4), (0, 3)] {
        lab.values[i] += S::Ext::ONE;
        lab.values[j] -= S::Ext::ONE;
        lab.rejects("the value of a hyrax row");
        lab.values[i] -= S::Ext::ONE;
        lab.values[j] += S::Ext::ONE;
    }
    lab.values.swap(1, 4);
    lab.rejects("the value of a hyrax row");
    lab.values.swap(1, 4);
    // Points that share no suffix are opened apart.
    let points = [8, 8, 5].map(|n| random_point::<S>(&mut rng, n));
    let mut lab = Lab::<S>::new(&mut rng, points.into());
    assert_eq!(lab.verify(), Ok(()));
    assert_eq!(lab.bytes["hyrax row"], (16 + 16 + 8) * S::BYTES);
    lab.values.swap(0, 1);
    lab.rejects("the value of a hyrax row");
}

#[test]
fn many_openings_are_one() {
    opens_many::<Bls12>();
    opens_many::<Bn254>();
    opens_many::<Pallas>();
    opens_many::<Vesta>();
}

#[test]
fn corners_are_cells() {
    let mut rng = rng();
    let n = 5;
    for x in [0usize, 1, 9, 22, 31] {
        let f: Vec<_> = (0..1 << n).map(|_| rng.random()).collect();
        let corner = (0..n).map(|i| <Pallas as Setting>::Ext::from_usize(x >> (n - 1 - i) & 1)).collect();
        let expected = f[x];
        let mut lab = Lab::<Pallas>::of(vec![f], vec![corner]);
        assert_eq!((lab.values[0], lab.verify()), (expected, Ok(())));
        lab.values[0] += <Pallas as Setting>::Ext::ONE;
        lab.rejects("the value of a hyrax row");
    }
}

/// An opening that fits no polynomial, and a polynomial longer than the keys.
#[test]
fn misfits_are_refused() {
    type P = <Bn254 as Setting>::Ext;
    let (pk, vk) = <Hyrax as Multilinear<Bn254>>::setup(&Options::default(), 4).expect("set-up");
    let mut t = ProverTranscript::new(b"misfits", Security::default());
    for values in [vec![P::ONE; 3], Vec::new(), vec![P::ONE; 32]] {
        assert!(<Hyrax as Multilinear<Bn254>>::commit(&pk, values, "polynomial", &mut t).is_err());
    }
    <Hyrax as Multilinear<Bn254>>::commit(&pk, vec![P::ONE; 8], "polynomial", &mut t).expect("commits");
    let (proof, ..) = t.finish();
    let mut t = VerifierTranscript::new(b"misfits", Security::default(), &proof);
    for variables in [5, 64, usize::MAX] {
        assert!(<Hyrax as Multilinear<Bn254>>::receive(&vk, variables, "polynomial", &mut t).is_err());
    }
    let of = <Hyrax as Multilinear<Bn254>>::receive(&vk, 3, "polynomial", &mut t).expect("received");
    for n in [0, 2, 4, 64] {
        let opening = Opening { of: &of, point: vec![P::ONE; n], value: P::ONE };
        assert_eq!(Hyrax::verify(&vk, &[opening], &mut t), Err(Reject::new("a point that fits no polynomial")));
    }
    assert!(<Hyrax as Multilinear<Bn254>>::setup(&Options::default(), 64).is_err());
}

fn size_and_ledger<S: GroupSetting>(bits: f64)
where
    StandardUniform: Distribution<S::Base>,
{
    let mut rng = rng();
    let point = random_point::<S>(&mut rng, 7);
    let lab = Lab::<S>::new(&mut rng, vec![point.clone(), point]);
    assert_eq!(lab.bytes["polynomial"], 2 * 8 * point_bytes::<S>());
    assert_eq!(lab.bytes["hyrax row"], 16 * S::BYTES);
    assert_eq!(lab.bytes.values().sum::<usize>(), lab.proof.len());
    let assumed = lab.ledger.weakest(Standing::Assumed).expect("an assumption");
    assert!((assumed.total() - bits).abs() < 0.1, "{assumed:?}");
    let (_, vk) = <Hyrax as Multilinear<S>>::setup(&Options::default(), MAX_VARIABLES).expect("set-up");
    let properties = <Hyrax as Multilinear<S>>::properties(&vk);
    assert_eq!(properties.setup, Setup::Transparent);
    assert!(!properties.post_quantum && !properties.hiding);
}

#[test]
fn sizes_and_ledgers() {
    size_and_ledger::<Bls12>(126.0);
    size_and_ledger::<Bn254>(100.0);
    size_and_ledger::<Pallas>(126.0);
    size_and_ledger::<Vesta>(126.0);
}
