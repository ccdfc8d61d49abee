//! Provers that lie once and go on as if nothing had happened: every message after the lie is computed,
//! and every challenge drawn, as the protocol says. What is left is soundness itself, not the transcript.

use crate::common;
use common::lies::{Liar, Lie, both, every_answer_is_bound};
use common::tiny::{AirPiop, PROTOCOL, Tiny, options};
use common::{accepts, in_parallel};
use p3_field::PrimeCharacteristicRing;
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::claim::Columns;
use trilemma_core::runner::Binding;
use trilemma_core::setting::{Bls12, KoalaBear4};
use trilemma_core::{Label, Opens, Options, OracleVerifier, UniEval};
use trilemma_pcs::Available;
use trilemma_pcs::fri::Fri;
use trilemma_pcs::fri::tree::Blake3Tree;
use trilemma_pcs::hyrax::Hyrax;
use trilemma_pcs::ideal::Ideal;
use trilemma_pcs::kzg::Kzg;
use trilemma_pcs::stacked::Stacked;
use trilemma_piop::ml_stark::MlStark;
use trilemma_piop::spartan::Spartan;
use trilemma_piop::uni_stark::UniStark;

/// Teaches: a proof is accepted exactly when the trace satisfies the relation; what `check` says is
/// what the proof system proves.
#[test]
fn proofs_of_bad_traces() {
    fn run<S: Available, P: AirPiop<S>>(scheme: &str) {
        let tiny = Tiny::<S, P>::new(scheme, &roomy());
        let mut traces = vec![tiny.trace.clone()];
        for (i, instance) in tiny.trace.instances.iter().enumerate() {
            let width = [3, 3, 1][instance.table];
            for cell in 0..width << instance.log_height {
                for change in [|x: u32| x + 1, |x: u32| x ^ 2, |x: u32| x + (1 << 20)] {
                    let mut trace = tiny.trace.clone();
                    let cells = &mut trace.instances[i].cells;
                    cells.resize(cells.len().max((cell / width + 1) * width), 0);
                    cells[cell] = change(cells[cell]);
                    traces.push(trace);
                }
            }
        }
        // More padding, rows in another order, a table left out.
        let mut padded = tiny.trace.clone();
        padded.instances[1].log_height = 4;
        let mut rotated = tiny.trace.clone();
        rotated.instances[0].cells.rotate_left(3);
        let mut without = tiny.trace.clone();
        without.instances.remove(1);
        traces.extend([padded, rotated, without]);
        let accepted = std::sync::atomic::AtomicUsize::new(0);
        in_parallel(&traces, |trace| {
            let proof = tiny.prove(trace);
            let verdict = accepts("a bad trace", || tiny.verify(&proof));
            assert_eq!(verdict.is_ok(), tiny.holds(trace), "{scheme}: {verdict:?} for {trace:?}");
            accepted.fetch_add(usize::from(verdict.is_ok()), std::sync::atomic::Ordering::Relaxed);
        });
        let accepted = accepted.into_inner();
        println!("{} {scheme} {}: {} traces, {accepted} satisfy the relation", P::NAME, S::NAME, traces.len());
        // The honest one, the padded and the rotated.
        assert!(accepted >= 3 && accepted < traces.len() / 4);
    }
    run::<KoalaBear4, UniStark>("ideal");
    run::<KoalaBear4, UniStark>("fri");
    run::<Bls12, UniStark>("kzg");
    run::<KoalaBear4, MlStark>("ideal");
    run::<KoalaBear4, MlStark>("whir");
    run::<KoalaBear4, Spartan>("ideal");
    run::<Bls12, Spartan>("hyrax");
}

/// Options under which a whole oracle fits a scheme that stacks columns.
fn roomy() -> Options {
    Options { max_log_height: Some(12), ..options("blake3") }
}

/// Teaches: every message is bound before the challenge that tests it: heights, columns, products,
/// helpers, fractions, sums, round polynomials and quotient.
#[test]
fn lies_in_every_message() {
    fn run<S: Available, P: AirPiop<S>>(scheme: &str, oracles: &[Label]) {
        let tiny = Tiny::<S, P>::new(scheme, &roomy());
        let prove = |lie: Lie| {
            let mut lies = Vec::new();
            let proof = tiny.prove_with(|inner| {
                let mut liar = Liar { inner, lie, lies: Vec::new(), scalars: 0 };
                let done = P::default().prove(&tiny.air, &tiny.terms, tiny.trace.clone(), &mut liar);
                lies = liar.lies;
                done
            });
            (proof, lies)
        };
        let (honest, lies) = prove(Lie::Nothing);
        assert_eq!(accepts("no lie", || tiny.verify(&honest)), Ok(()));
        let count = |kind: &dyn Fn(&Lie) -> bool| lies.iter().filter(|lie| kind(lie)).count();
        let mut counts = vec![count(&|l| matches!(l, Lie::Size(..))), count(&|l| matches!(l, Lie::Scalar(_)))];
        counts.extend(oracles.iter().map(|oracle| count(&|l| matches!(l, Lie::Cell(label, ..) if label == oracle))));
        println!("{} {scheme} {}: sizes, scalars, {oracles:?}: {counts:?}", P::NAME, S::NAME);
        assert!(counts.iter().all(|&n| n > 0) && counts.iter().sum::<usize>() == lies.len());
        in_parallel(&lies, |&lie| {
            let (proof, _) = prove(lie);
            // A lie about the padding of a column that nothing constrains there is none.
            let harmless = matches!(lie, Lie::Cell("main", m, [row, column]) if {
                let mut trace = tiny.trace.clone();
                let instance = &mut trace.instances[m];
                let width = tiny.air.tables[instance.table].shape().columns.len();
                column < width && {
                    let cell = row * width + column;
                    instance.cells.resize(instance.cells.len().max((row + 1) * width), 0);
                    instance.cells[cell] += 1;
                    tiny.holds(&trace)
                }
            });
            let verdict = accepts(&format!("{lie:?}"), || tiny.verify(&proof));
            assert_eq!(verdict.is_ok(), harmless, "{} {scheme}: {lie:?}: {verdict:?}", P::NAME);
        });
    }
    let uni = ["main", "buses", "quotient"];
    run::<KoalaBear4, UniStark>("ideal", &uni);
    run::<KoalaBear4, UniStark>("fri", &uni);
    run::<Bls12, UniStark>("kzg", &uni);
    run::<KoalaBear4, MlStark>("ideal", &["main"]);
    run::<KoalaBear4, MlStark>("whir", &["main"]);
    run::<KoalaBear4, Spartan>("ideal", &["main", "fractions"]);
    run::<Bls12, Spartan>("hyrax", &["main", "fractions"]);
}

/// Teaches: the PIOP tests the answers against each other.
#[test]
fn false_answers() {
    fn run<S: Available, P: AirPiop<S>, C: Opens<S, P::Query>>() {
        let [lying, honest] = both::<S, P::Query, C>().map(Tiny::<S, P>::with);
        let name = format!("{} {} {}", P::NAME, C::NAME, S::NAME);
        let answers = every_answer_is_bound(&name, || lying.prove(&lying.trace), |proof| honest.verify(proof));
        let columns = 3 + 3 + 1 + 1;
        assert!(answers >= columns, "{name}: {answers} are less than one for every column");
    }
    run::<KoalaBear4, UniStark, Ideal>();
    run::<KoalaBear4, UniStark, Fri<Blake3Tree>>();
    run::<Bls12, UniStark, Kzg>();
    run::<KoalaBear4, MlStark, Ideal>();
    run::<Bls12, MlStark, Stacked<Hyrax>>();
    run::<KoalaBear4, Spartan, Ideal>();
    run::<Bls12, Spartan, Stacked<Hyrax>>();
}

/// Teaches: the scheme binds every answer to its commitment, with no PIOP around it to notice
/// (ark-poly-commit's Hyrax does not).
#[test]
fn false_answers_to_the_scheme_alone() {
    fn run<S: Available, P: Opens<S, UniEval<S::Ext>>>() {
        let [lying, honest] = both::<S, UniEval<S::Ext>, P>();
        let shapes = [(3, 2), (2, 3), (3, 1)].map(|(log_height, width)| Shape { log_height, width });
        let matrices = shapes.map(|s| {
            let cells = (0..s.width << s.log_height).map(|i| S::Base::from_usize(i * i + s.width));
            Columns::new(cells.collect(), s.width)
        });
        let questions = |z: S::Ext| -> Vec<Question<UniEval<S::Ext>>> {
            let points = [(0, z), (1, z), (2, z), (0, z + S::Ext::ONE)];
            points.map(|(matrix, point)| Question { oracle: Oracle(0), matrix, query: UniEval(point) }).into()
        };
        let (index, prover_index) = honest.index(PROTOCOL, Vec::new()).unwrap();
        let binding = Binding { protocol: PROTOCOL, statement: b"answers" };
        let prove = || {
            let proven = lying.prove(binding, (&index, &prover_index), &mut |ch| {
                ch.send_oracle("oracle", matrices.to_vec())?;
                let z = ch.sample("z", None)?;
                ch.ask(questions(z)).map(|_| ())
            });
            proven.unwrap().proof
        };
        let verify = |proof: &[u8]| {
            let verified =
                honest.verify(binding, &index, proof, &mut |ch: &mut dyn OracleVerifier<S, UniEval<S::Ext>>| {
                    ch.recv_oracle("oracle", shapes.to_vec())?;
                    let z = ch.sample("z", None)?;
                    ch.ask(questions(z)).map(|_| ())
                });
            verified.map(|_| ())
        };
        let name = format!("{} {} alone", P::NAME, S::NAME);
        assert_eq!(every_answer_is_bound(&name, prove, verify), 2 + 3 + 1 + 2);
    }
    run::<KoalaBear4, Ideal>();
    run::<KoalaBear4, Fri<Blake3Tree>>();
    run::<Bls12, Kzg>();
}

/// Teaches: a proof says something about one statement under one protocol.
#[test]
fn other_statements_and_protocols() {
    let tiny = Tiny::<KoalaBear4, UniStark>::new("fri", &options("blake3"));
    let proof = tiny.prove(&tiny.trace);
    let binding = Binding { protocol: PROTOCOL, statement: b"seven results" };
    assert!(tiny.verify_other(&proof, &tiny.terms, binding).is_ok());
    assert!(tiny.verify_other(&proof, &tiny.terms, Binding { protocol: b"tiny2", ..binding }).is_err());
    assert!(tiny.verify_other(&proof, &tiny.terms, Binding { statement: b"seven result", ..binding }).is_err());
    for i in 0..tiny.terms.len() {
        let mut terms = tiny.terms.clone();
        terms[i].tuple[1] += 1;
        assert!(tiny.verify_other(&proof, &terms, binding).is_err());
        terms[i].tuple[1] -= 1;
        terms[i].multiplicity += 1;
        assert!(tiny.verify_other(&proof, &terms, binding).is_err());
        terms.remove(i);
        assert!(tiny.verify_other(&proof, &terms, binding).is_err());
    }
}
