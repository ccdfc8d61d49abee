//! A protocol with nothing to prove: oracles are sent, questions asked, answers proven.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::claim::{Claim, ClaimKind, Columns, MlEval, UniEval};
use trilemma_core::runner::{Binding, IndexCommitment, Proven, ProverIndex, Runner, SchemeEntry};
use trilemma_core::setting::ext_bytes;
use trilemma_core::transcript::ByteCount;
use trilemma_core::{
    ErrorTerm, Ledger, Opens, Options, OracleProver, OracleVerifier, ProveError, ProverTranscript, Reject, Security,
    Setting, Smooth, VerifierTranscript,
};
use trilemma_pcs::{Available, Served};

/// Where a question is asked.
#[derive(Debug, Clone, Copy)]
pub enum At {
    /// At the challenge.
    Z,
    /// At the challenge times the generator of the matrix's subgroup.
    Next,
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    pub oracle: usize,
    pub matrix: usize,
    pub at: At,
}

/// A question about matrix `matrix` of oracle `oracle`, the index counting as an oracle if present.
pub fn ask(oracle: usize, matrix: usize, at: At) -> Ask {
    Ask { oracle, matrix, at }
}

/// What the prover commits to and is asked.
pub struct Case<S: Setting> {
    pub index: Vec<Columns<S::Base>>,
    pub oracles: Vec<Vec<Columns<S::Base>>>,
    pub asks: Vec<Vec<Ask>>,
}

/// What the verifier believes of a case.
pub struct Beliefs {
    pub index: Vec<Shape>,
    pub shapes: Vec<Vec<Shape>>,
    pub asks: Vec<Vec<Ask>>,
    /// Ask at other points.
    pub shift: bool,
}

impl<S: Setting> Case<S> {
    pub fn beliefs(&self) -> Beliefs {
        let shapes = |matrices: &Vec<Columns<S::Base>>| matrices.iter().map(Shape::of).collect();
        Beliefs {
            index: shapes(&self.index),
            shapes: self.oracles.iter().map(shapes).collect(),
            asks: self.asks.clone(),
            shift: false,
        }
    }

    fn oracle(&self, i: usize) -> &[Columns<S::Base>] {
        let fixed = (!self.index.is_empty()).then_some(&self.index);
        let oracles: Vec<&Vec<Columns<S::Base>>> = fixed.into_iter().chain(&self.oracles).collect();
        oracles[i]
    }
}

/// A random matrix.
pub fn random<S: Setting>(rng: &mut SmallRng, log_height: usize, width: usize) -> Columns<S::Base>
where
    StandardUniform: Distribution<S::Base>,
{
    Columns::new((0..width << log_height).map(|_| rng.random()).collect(), width)
}

/// A matrix of zeros.
pub fn zero<S: Setting>(log_height: usize, width: usize) -> Columns<S::Base> {
    Columns::new(S::Base::zero_vec(width << log_height), width)
}

/// Bytes before the scalar that precedes the oracles.
pub const HEADER: usize = 2;
const SIZES: [u8; HEADER] = [3, 1];

/// Bytes of that scalar.
pub fn extra<S: Setting>() -> usize {
    ext_bytes::<S>()
}

fn term<S: Setting>() -> Option<ErrorTerm> {
    Some(ErrorTerm::schwartz_zippel("test", 4.0, S::ext_bits()))
}

/// A kind of claim under test.
pub trait Kind<S: Available>: Served<S> {
    /// log2 of the longest polynomial that keys are made for: a column, or all cells of an oracle.
    const KEYS: usize;
    /// The query at a challenge for a matrix of this height.
    fn at(z: S::Ext, at: At, log_height: usize) -> Self;
}

impl<S: Available> Kind<S> for UniEval<S::Ext> {
    const KEYS: usize = 6;

    fn at(z: S::Ext, at: At, log_height: usize) -> Self {
        Self(match at {
            At::Z => z,
            At::Next => z * S::Base::two_adic_generator(log_height.min(S::Base::TWO_ADICITY)),
        })
    }
}

impl<S: Available> Kind<S> for MlEval<S::Ext> {
    const KEYS: usize = 12;

    fn at(z: S::Ext, at: At, log_height: usize) -> Self {
        let first = match at {
            At::Z => z,
            At::Next => z.square(),
        };
        let coordinate = |i: u64| first * S::Ext::from_u64(i + 1) + S::Ext::from_u64(i * i);
        Self((0..log_height as u64).map(coordinate).collect())
    }
}

fn questions<S: Available, Q: Kind<S>>(
    asks: &[Ask],
    z: S::Ext,
    shape: impl Fn(&Ask) -> Option<Shape>,
) -> Vec<Question<Q>> {
    asks.iter()
        .map(|ask| {
            let query = Q::at(z, ask.at, shape(ask).map_or(0, |shape| shape.log_height));
            Question { oracle: Oracle(ask.oracle), matrix: ask.matrix, query }
        })
        .collect()
}

fn prover<S: Available, Q: Kind<S>>(case: &Case<S>, ch: &mut dyn OracleProver<S, Q>) -> Result<(), ProveError> {
    ch.send_sizes("sizes", &SIZES);
    ch.send("scalar", &[S::Ext::from_u64(77)]);
    for matrices in &case.oracles {
        ch.send_oracle("oracle", matrices.clone())?;
    }
    let z = ch.sample("z", term::<S>())?;
    for asks in &case.asks {
        let shape = |ask: &Ask| Some(Shape::of(&case.oracle(ask.oracle)[ask.matrix]));
        let asked = questions::<S, Q>(asks, z, shape);
        let answers = ch.ask(asked.clone())?;
        for (question, values) in asked.iter().zip(answers) {
            let columns = &case.oracle(question.oracle.0)[question.matrix];
            assert_eq!(values, ClaimKind::<S>::evaluate(&question.query, columns));
        }
    }
    Ok(())
}

fn verifier<S: Available, Q: Kind<S>>(
    beliefs: &Beliefs,
    ch: &mut dyn OracleVerifier<S, Q>,
    answers: &mut Vec<Vec<S::Ext>>,
) -> Result<(), Reject> {
    let sizes = ch.recv_sizes("sizes", HEADER, 5)?;
    let scalar = ch.recv("scalar", 1)?;
    for shapes in &beliefs.shapes {
        ch.recv_oracle("oracle", shapes.clone())?;
    }
    ch.require("sizes", sizes.first() == Some(&SIZES[0]))?;
    ch.require("scalar", scalar == [S::Ext::from_u64(77)])?;
    let mut z = ch.sample("z", term::<S>())?;
    if beliefs.shift {
        z += S::Ext::ONE;
    }
    let fixed = (!beliefs.index.is_empty()).then_some(&beliefs.index);
    let oracles: Vec<&Vec<Shape>> = fixed.into_iter().chain(&beliefs.shapes).collect();
    for asks in &beliefs.asks {
        let shape = |ask: &Ask| oracles.get(ask.oracle)?.get(ask.matrix).copied();
        answers.extend(ch.ask(questions::<S, Q>(asks, z, shape))?);
    }
    Ok(())
}

/// A proof with the index it is about.
pub struct Honest {
    pub proven: Proven,
    pub index: (IndexCommitment, ProverIndex),
}

/// A scheme under test.
pub struct Lab<S: Available, Q: Kind<S>> {
    pub name: &'static str,
    runner: Box<dyn Runner<S, Q>>,
    protocol: Vec<u8>,
}

type Accepted<E> = (Ledger, ByteCount, Vec<Vec<E>>);

fn quietly<T>(what: &str, name: &str, f: impl FnOnce() -> T) -> T {
    let hook = "the panic's message is above";
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| panic!("{name} panicked: {what} ({hook})"))
}

fn expect<T, E: Debug>(what: &str, name: &str, result: Result<T, E>) -> T {
    result.unwrap_or_else(|e| panic!("{name}, {what}: {e:?}"))
}

impl<S: Available, Q: Kind<S>> Lab<S, Q> {
    pub fn new(entry: &SchemeEntry<S, Q>, options: Options, max_log_height: usize) -> Self {
        let runner = expect("set-up", entry.name, (entry.setup)(&options, max_log_height));
        let protocol = format!("{} {options:?}", entry.name).into_bytes();
        Self { name: entry.name, runner, protocol }
    }

    fn binding(&self) -> Binding<'_> {
        Binding { protocol: &self.protocol, statement: b"statement" }
    }

    pub fn try_prove(&self, case: &Case<S>) -> Result<Honest, ProveError> {
        quietly("proving", self.name, || {
            let index = self.runner.index(&self.protocol, case.index.clone())?;
            let run = &mut |ch: &mut dyn OracleProver<S, Q>| prover(case, ch);
            let proven = self.runner.prove(self.binding(), (&index.0, &index.1), run)?;
            Ok(Honest { proven, index })
        })
    }

    pub fn prove(&self, case: &Case<S>) -> Honest {
        expect("proving", self.name, self.try_prove(case))
    }

    fn verify_as(
        &self,
        what: &str,
        binding: Binding<'_>,
        honest: &Honest,
        beliefs: &Beliefs,
    ) -> Result<Accepted<S::Ext>, Reject> {
        quietly(what, self.name, || {
            let mut answers = Vec::new();
            let run = &mut |ch: &mut dyn OracleVerifier<S, Q>| verifier(beliefs, ch, &mut answers);
            let proof = &honest.proven.proof;
            let (ledger, count) = self.runner.verify(binding, &honest.index.0, proof, run)?;
            Ok((ledger, count, answers))
        })
    }

    /// The proof is accepted, with the right answers and the prover's figures.
    pub fn accepts(&self, what: &str, honest: &Honest, case: &Case<S>) {
        let result = self.verify_as(what, self.binding(), honest, &case.beliefs());
        let (ledger, bytes, answers) = expect(what, self.name, result);
        assert_eq!(answers.len(), case.asks.iter().map(Vec::len).sum::<usize>());
        let proven = &honest.proven;
        assert_eq!(bytes, proven.bytes, "{}, {what}: bytes", self.name);
        assert_eq!(bytes.values().sum::<usize>(), proven.proof.len(), "{}, {what}", self.name);
        assert_eq!(ledger, proven.ledger, "{}, {what}: ledger", self.name);
    }

    /// Proves and verifies; a second proof is the same, unless it is blinded, and the index always is.
    pub fn round_trip(&self, what: &str, case: &Case<S>) {
        let honest = self.prove(case);
        self.accepts(what, &honest, case);
        let again = self.prove(case);
        if self.runner.properties().hiding {
            self.accepts(what, &again, case);
        } else {
            assert_eq!(again.proven.proof, honest.proven.proof, "{}, {what}: not a function", self.name);
        }
        assert_eq!(again.index.0, honest.index.0);
    }

    /// The proof is rejected, without a panic.
    pub fn rejects(&self, what: &str, honest: &Honest, beliefs: &Beliefs) {
        let result = self.verify_as(what, self.binding(), honest, beliefs);
        assert!(result.is_err(), "{} accepts: {what}", self.name);
    }

    /// Why the proof is rejected; empty if it is not.
    pub fn reason(&self, honest: &Honest, beliefs: &Beliefs) -> String {
        let result = self.verify_as("reason", self.binding(), honest, beliefs);
        result.err().map(|reject| reject.what).unwrap_or_default()
    }

    /// A proof of another protocol or statement is rejected.
    pub fn rejects_other_bindings(&self, honest: &Honest, beliefs: &Beliefs) {
        let (protocol, statement) = (self.protocol.as_slice(), b"statement".as_slice());
        let other = [protocol, &[0]].concat();
        for binding in [
            Binding { protocol: &other, statement },
            Binding { protocol: b"", statement },
            Binding { protocol, statement: b"another" },
        ] {
            let result = self.verify_as("another binding", binding, honest, beliefs);
            assert!(result.is_err(), "{} accepts another binding", self.name);
        }
    }
}

/// The claims of a prover that adds `error` to the value of one column, and means it.
fn lie<S: Smooth, P: Opens<S, UniEval<S::Ext>>>(
    error: S::Ext,
    change: impl Fn(&mut Vec<Claim<UniEval<S::Ext>, S::Ext>>),
) -> Result<(), Reject>
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    let mut rng = SmallRng::seed_from_u64(0x11E);
    let matrices = vec![random::<S>(&mut rng, 4, 3), random::<S>(&mut rng, 2, 2)];
    let shapes: Vec<Shape> = matrices.iter().map(Shape::of).collect();
    let points: [S::Ext; 2] = rng.random();
    let (pk, vk) = P::setup(&Options::default(), 4).expect("set-up");
    let mut t = ProverTranscript::new(b"lie", Security::default());
    let opener = P::commit(&pk, matrices, "oracle", &mut t).expect("commits");
    let questions: Vec<_> = [(0, 0), (0, 1), (1, 0)]
        .map(|(matrix, p)| Question { oracle: Oracle(0), matrix, query: UniEval(points[p]) })
        .into();
    let mut hints = P::Hints::default();
    let answers = P::answer(&pk, &[&opener], &questions, &mut hints);
    let claim =
        |(q, values): (Question<_>, Vec<_>)| Claim { oracle: q.oracle.0, matrix: q.matrix, query: q.query, values };
    let mut claims: Vec<_> = questions.into_iter().zip(answers).map(claim).collect();
    claims[1].values[2] += error;
    change(&mut claims);
    claims.iter().for_each(|claim| t.send_ext::<S>("answers", &claim.values));
    let _ = P::open(&pk, &[&opener], &claims, hints, &mut t);
    let (proof, ..) = t.finish();

    let mut t = VerifierTranscript::new(b"lie", Security::default(), &proof);
    let commitment = P::receive(&vk, &shapes, "oracle", &mut t)?;
    for claim in &claims {
        t.recv_ext::<S>("answers", claim.values.len())?;
    }
    P::verify(&vk, &[(&commitment, &shapes)], &claims, &mut t)?;
    t.finish().map(|_| ())
}

/// Every lie is noticed, whatever the prover does to stand by it.
pub fn lies<S: Smooth, P: Opens<S, UniEval<S::Ext>>>()
where
    StandardUniform: Distribution<S::Base> + Distribution<S::Ext>,
{
    let keep = |_: &mut Vec<_>| ();
    assert_eq!(lie::<S, P>(S::Ext::ZERO, keep), Ok(()));
    assert!(lie::<S, P>(S::Ext::ONE, keep).is_err());
    assert!(lie::<S, P>(S::Ext::NEG_ONE, keep).is_err());
    // The same question, answered truly and falsely, in either order.
    for at in [0, 1] {
        let twice = |claims: &mut Vec<Claim<UniEval<S::Ext>, S::Ext>>| {
            let mut again = claims[0].clone();
            again.values[0] += S::Ext::ONE;
            claims.insert(at, again);
        };
        assert!(lie::<S, P>(S::Ext::ZERO, twice).is_err());
    }
    let errors = |claims: &mut Vec<Claim<UniEval<S::Ext>, S::Ext>>| {
        // Errors that cancel in a plain sum over columns or points.
        claims[0].values[0] += S::Ext::ONE;
        claims[0].values[1] -= S::Ext::ONE;
        claims[1].values[0] -= S::Ext::ONE;
    };
    assert!(lie::<S, P>(S::Ext::ONE, errors).is_err());
}
