//! What `hyperkzg`, `pst`, `gemini` and rows promise beyond the suite: values that a prover stands by, special
//! points and polynomials, reference strings, ledgers, size.

use p3_field::PrimeCharacteristicRing;
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::multilinear::evaluate;
use trilemma_core::security::Standing;
use trilemma_core::setting::{Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5};
use trilemma_core::{
    Ledger, Options, ProverTranscript, Regime, Reject, Scheme, Security, Setting, Setup, VerifierTranscript,
};
use trilemma_pcs::fri::Fri;
use trilemma_pcs::fri::tree::AnyTree;
use trilemma_pcs::gemini::Gemini;
use trilemma_pcs::hyperkzg::HyperKzg;
use trilemma_pcs::kzg::Kzg;
use trilemma_pcs::pst::Pst;
use trilemma_pcs::rows::Rows;
use trilemma_pcs::srs::{self, PairingSetting};
use trilemma_pcs::stacked::{Multilinear, Opening, Stacked};

const SEED: u64 = 0xF01D;

/// The options of quick runs.
fn quick() -> Options {
    Options { security: Security { bits: 30, regime: Regime::Udr }, ..Options::default() }
}

/// A prover that opens polynomials at suffixes of a point to values off by these errors, and means it.
fn run<S: Setting, P: Multilinear<S>>(
    options: &Options,
    polynomials: &[Vec<S::Base>],
    point: &[S::Ext],
    errors: &[S::Ext],
) -> Result<(usize, Ledger), Reject> {
    let (pk, vk) = P::setup(options, point.len()).expect("set-up");
    let suffix = |f: &Vec<S::Base>| &point[point.len() - f.len().trailing_zeros() as usize..];
    let values: Vec<S::Ext> =
        polynomials.iter().zip(errors).map(|(f, &error)| evaluate(f, suffix(f)) + error).collect();

    let mut t = ProverTranscript::new(b"folding", options.security);
    let openers: Vec<P::Opener> =
        polynomials.iter().map(|f| P::commit(&pk, f.clone(), "oracle", &mut t).expect("commits")).collect();
    polynomials.iter().zip(&openers).for_each(|(f, opener)| assert_eq!(f, P::values(opener)));
    t.send_ext::<S>("values", &values);
    let point_of = |i: usize| suffix(&polynomials[i]).to_vec();
    let openings: Vec<_> =
        openers.iter().enumerate().map(|(i, of)| Opening { of, point: point_of(i), value: values[i] }).collect();
    P::open(&pk, &openings, &mut t).expect("opens");
    let (proof, ledger, _) = t.finish();

    let mut t = VerifierTranscript::new(b"folding", options.security, &proof);
    let commitments = polynomials
        .iter()
        .map(|f| P::receive(&vk, f.len().trailing_zeros() as usize, "oracle", &mut t))
        .collect::<Result<Vec<_>, _>>()?;
    let values = t.recv_ext::<S>("values", polynomials.len())?;
    let openings: Vec<_> =
        commitments.iter().enumerate().map(|(i, of)| Opening { of, point: point_of(i), value: values[i] }).collect();
    P::verify(&vk, &openings, &mut t)?;
    assert_eq!(t.finish()?.0, ledger);
    Ok((proof.len(), ledger))
}

/// True values pass and others do not, for every polynomial and point.
fn binds<S: Setting, P: Multilinear<S>>(options: &Options)
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    println!("{} over {}, seed {SEED:#x}", P::NAME, S::NAME);
    let mut rng = SmallRng::seed_from_u64(SEED);
    let min = P::MIN_VARIABLES;
    for lengths in [vec![min], vec![1], vec![2], vec![3, 3], vec![2, 8, min, 8, 6, 2]] {
        let n = lengths.iter().copied().max().unwrap_or(0);
        let random: Vec<Vec<S::Base>> = lengths.iter().map(|m| (0..1 << m).map(|_| rng.random()).collect()).collect();
        let like = |x: S::Base| -> Vec<Vec<S::Base>> { lengths.iter().map(|m| vec![x; 1 << m]).collect() };
        let bits = |x: usize| -> Vec<S::Ext> { (0..n).map(|i| S::Ext::from_usize(x >> (i % 3) & 1)).collect() };
        let at: Vec<S::Ext> = (0..n).map(|_| rng.random()).collect();
        let points = [at, bits(0), bits(7), bits(5), bits(2)];
        let zero = vec![S::Ext::ZERO; lengths.len()];
        for (polynomials, points) in
            [(random, &points[..]), (like(S::Base::ZERO), &points[..1]), (like(S::Base::NEG_ONE), &points[..1])]
        {
            for point in points {
                assert_eq!(run::<S, P>(options, &polynomials, point, &zero).map(|_| ()), Ok(()), "{lengths:?}");
                for i in 0..lengths.len() {
                    let mut errors = zero.clone();
                    errors[i] = if i % 2 == 0 { S::Ext::ONE } else { S::Ext::NEG_ONE };
                    assert!(run::<S, P>(options, &polynomials, point, &errors).is_err(), "{lengths:?}, {i}");
                    // As far off in the other direction, so that a plain sum would not show it.
                    if i + 1 < lengths.len() {
                        errors[i + 1] = -errors[i];
                        assert!(run::<S, P>(options, &polynomials, point, &errors).is_err(), "{lengths:?}, {i}");
                    }
                }
            }
        }
    }
}

#[test]
fn hyperkzg_binds_to_values() {
    binds::<Bls12, HyperKzg>(&quick());
    binds::<Bn254, HyperKzg>(&quick());
}

#[test]
fn rows_bind_to_values() {
    binds::<Bls12, Rows<HyperKzg>>(&quick());
    binds::<Bn254, Rows<HyperKzg>>(&quick());
}

/// A commitment of rows is one for each, and its string is as long as a row.
#[test]
fn rows_are_shorter() {
    let whole = one::<Bn254, HyperKzg>(&quick(), 8);
    let rows = one::<Bn254, Rows<HyperKzg>>(&quick(), 8);
    // Three more commitments; two folds of a point and two values fewer.
    assert_eq!(rows.0 + 2 * 3 * 32, whole.0 + 3 * 32);
    assert_eq!(<Rows<HyperKzg> as Multilinear<Bn254>>::MAX_VARIABLES, 26);
    let q = |ledger: &Ledger, q: &str| ledger.terms.iter().any(|term| term.name.contains(q));
    assert!(q(&whole.1, "q = 2^8,") && q(&rows.1, "q = 2^6,"), "{:?}", rows.1);
}

#[test]
fn pst_binds_to_values() {
    binds::<Bls12, Pst>(&quick());
    binds::<Bn254, Pst>(&quick());
}

#[test]
fn gemini_binds_to_values() {
    binds::<Bn254, Gemini<Kzg>>(&quick());
    binds::<KoalaBear4, Gemini<Fri<AnyTree>>>(&quick());
    binds::<Goldilocks2, Gemini<Fri<AnyTree>>>(&Options { hash: "poseidon2".into(), ..quick() });
    let jbr = Options { security: Security { bits: 30, regime: Regime::Jbr }, ..quick() };
    binds::<KoalaBear5, Gemini<Fri<AnyTree>>>(&jbr);
}

#[test]
fn names_say_what_is_below() {
    assert_eq!(<Stacked<Gemini<Kzg>> as Scheme<Bn254>>::NAME, "gemini(kzg)");
    assert_eq!(<Stacked<Gemini<Fri<AnyTree>>> as Scheme<KoalaBear4>>::NAME, "gemini(fri)");
}

/// A proof of one random polynomial at the default target, as length and ledger.
fn one<S: Setting, P: Multilinear<S>>(options: &Options, n: usize) -> (usize, Ledger)
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    let mut rng = SmallRng::seed_from_u64(SEED);
    let f = (0..1 << n).map(|_| rng.random()).collect();
    let point: Vec<S::Ext> = (0..n).map(|_| rng.random()).collect();
    run::<S, P>(options, &[f], &point, &[S::Ext::ZERO]).expect("accepted")
}

#[test]
fn ledgers_reach_the_target() {
    let names = |ledger: &Ledger| ledger.terms.iter().map(|t| t.name.clone()).collect::<Vec<_>>().join("; ");
    let (_, ledger) = one::<Bn254, HyperKzg>(&Options::default(), 4);
    assert!(names(&ledger).contains("hyperkzg folding"));
    assert!(ledger.weakest(Standing::Proven).is_some_and(|t| t.bits > 240.0), "{ledger:?}");
    let (_, ledger) = one::<Bls12, Pst>(&Options::default(), 4);
    assert!(names(&ledger).contains("q = 4, bls12-381"), "{}", names(&ledger));
    let (_, ledger) = one::<Bn254, Gemini<Kzg>>(&Options::default(), 7);
    assert!(names(&ledger).contains("gemini folding") && names(&ledger).contains("kzg point"));
    for (n, regime) in [(7, Regime::Udr), (7, Regime::Jbr)] {
        let options = Options { security: Security { bits: 100, regime }, ..Options::default() };
        let (_, ledger) = one::<KoalaBear5, Gemini<Fri<AnyTree>>>(&options, n);
        let all = names(&ledger);
        assert!(["gemini batching", "gemini folding", "FRI queries"].iter().all(|name| all.contains(name)), "{all}");
        assert!(ledger.weakest(Standing::Proven).is_some_and(|t| t.total() >= 100.0), "{ledger:?}");
        assert!(ledger.terms.iter().all(|t| t.name != "gemini folding" || t.bits < 154.0));
    }
}

fn uses_files<S: PairingSetting>()
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    let path = |n: u32| {
        let name = format!("trilemma-ml-{}-{}-{n}.srs", S::NAME, std::process::id());
        std::env::temp_dir().join(name)
    };
    let (lagrange, powers, longer) = (path(0), path(1), path(2));
    srs::multilinear::save_insecure(S::NAME, 3, 1, &lagrange).expect("writes");
    srs::save_insecure(S::NAME, 3, 1, &powers).expect("writes");
    srs::multilinear::save_insecure(S::NAME, 5, 1, &longer).expect("writes");
    let with = |path: &std::path::Path| Options { srs: Some(path.into()), ..quick() };
    one::<S, Pst>(&with(&lagrange), 3);
    one::<S, HyperKzg>(&with(&powers), 3);
    let (_, ledger) = one::<S, Pst>(&with(&longer), 3);
    assert!(ledger.terms.iter().any(|t| t.name.contains("q = 5")));
    assert!(<Pst as Multilinear<S>>::setup(&with(&lagrange), 4).is_err(), "too short");
    assert!(<Pst as Multilinear<S>>::setup(&with(&powers), 3).is_err(), "of the other kind");
    assert!(<HyperKzg as Multilinear<S>>::setup(&with(&lagrange), 3).is_err(), "of the other kind");
    let (_, vk) = <Pst as Multilinear<S>>::setup(&with(&lagrange), 2).expect("set-up");
    assert!(matches!(<Pst as Multilinear<S>>::properties(&vk).setup, Setup::Insecure(_)));
    [lagrange, powers, longer].iter().for_each(|path| std::fs::remove_file(path).expect("removes"));
    assert!(srs::multilinear::save_insecure("p256", 1, 0, &std::env::temp_dir().join("never")).is_err());
}

#[test]
fn files_serve_as_reference_strings() {
    uses_files::<Bls12>();
    uses_files::<Bn254>();
}

/// Several openings share one proof.
#[test]
fn shorter_polynomials_cost_little() {
    let mut rng = SmallRng::seed_from_u64(SEED);
    let mut lengths = vec![8];
    let point: Vec<_> = (0..8).map(|_| rng.random()).collect();
    let mut size = |lengths: &[usize],
                    scheme: fn(&Options, &[Vec<_>], &[_], &[_]) -> Result<(usize, Ledger), Reject>| {
        let polynomials: Vec<Vec<_>> = lengths.iter().map(|m| (0..1 << m).map(|_| rng.random()).collect()).collect();
        let errors = vec![<Bn254 as Setting>::Ext::ZERO; lengths.len()];
        scheme(&quick(), &polynomials, &point, &errors).expect("accepted").0
    };
    let one = [size(&lengths, run::<Bn254, HyperKzg>), size(&lengths, run::<Bn254, Pst>)];
    lengths.extend([8, 6, 6]);
    let more = [size(&lengths, run::<Bn254, HyperKzg>), size(&lengths, run::<Bn254, Pst>)];
    // Three commitments and values; PST adds one point for the one shorter length.
    assert_eq!(more[0] - one[0], 3 * 64);
    assert_eq!(more[1] - one[1], 3 * 64 + 32);
}
