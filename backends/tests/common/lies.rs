//! Provers that lie once and go on as if nothing had happened, about a message or about an answer.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::claim::{Claim, ClaimKind, Columns};
use trilemma_core::{
    ConfigError, ErrorTerm, Keyed, Label, Opens, Options, OracleProver, Properties, ProveError, ProverTranscript,
    Reject, Runner, Setting, VerifierTranscript,
};
use trilemma_pcs::{Available, Served};

use super::accepts;
use super::tiny::options;

/// A lie about one message.
#[derive(Debug, Clone, Copy)]
pub enum Lie {
    Nothing,
    /// A size, set.
    Size(usize, u8),
    /// A cell of a matrix of an oracle, by row and column, more by one.
    Cell(Label, usize, [usize; 2]),
    /// A scalar, counted over all messages, more by one.
    Scalar(usize),
}

/// A prover's channel on which one message is a lie; what was sent is noted.
pub struct Liar<'a, S: Setting, Q: ClaimKind<S>> {
    pub inner: &'a mut dyn OracleProver<S, Q>,
    pub lie: Lie,
    /// Every lie that could have been told.
    pub lies: Vec<Lie>,
    /// Scalars sent.
    pub scalars: usize,
}

impl<S: Setting, Q: ClaimKind<S>> OracleProver<S, Q> for Liar<'_, S, Q> {
    fn send_sizes(&mut self, label: Label, sizes: &[u8]) {
        let mut sizes = sizes.to_vec();
        for (i, size) in sizes.iter().enumerate() {
            self.lies.extend((0..=5).filter(|s| s != size).map(|s| Lie::Size(i, s)));
        }
        if let Lie::Size(at, to) = self.lie {
            sizes[at] = to;
        }
        self.inner.send_sizes(label, &sizes);
    }

    fn send(&mut self, label: Label, values: &[S::Ext]) {
        let mut values = values.to_vec();
        for value in &mut values {
            if matches!(self.lie, Lie::Scalar(at) if at == self.scalars) {
                *value += S::Ext::ONE;
            }
            self.lies.push(Lie::Scalar(self.scalars));
            self.scalars += 1;
        }
        self.inner.send(label, &values);
    }

    fn sample(&mut self, label: Label, term: Option<ErrorTerm>) -> Result<S::Ext, ProveError> {
        self.inner.sample(label, term)
    }

    fn send_oracle(&mut self, label: Label, mut matrices: Vec<Columns<S::Base>>) -> Result<Oracle, ProveError> {
        for (m, matrix) in matrices.iter_mut().enumerate() {
            let width = matrix.width;
            self.lies.extend((0..matrix.values.len()).map(|i| Lie::Cell(label, m, [i / width, i % width])));
            if let Lie::Cell(l, k, [row, column]) = self.lie
                && (l, k) == (label, m)
            {
                matrix.values[row * width + column] += S::Base::ONE;
            }
        }
        self.inner.send_oracle(label, matrices)
    }

    fn view(&self, oracle: Oracle, matrix: usize, on: Q::On) -> Q::View<'_> {
        self.inner.view(oracle, matrix, on)
    }

    fn ask(&mut self, questions: Vec<Question<Q>>) -> Result<Vec<Vec<S::Ext>>, ProveError> {
        self.inner.ask(questions)
    }
}

thread_local! {
    /// Which of the values answered is a lie, and how many were answered; both counted over all lists.
    static FALSE_ANSWER: Cell<Option<usize>> = const { Cell::new(None) };
    static ANSWERED: Cell<usize> = const { Cell::new(0) };
}

/// What a prover over [`Lying`] makes when answer `at` is false, and how many answers there were.
fn answering<R>(at: Option<usize>, prove: impl FnOnce() -> R) -> (R, usize) {
    FALSE_ANSWER.set(at);
    ANSWERED.set(0);
    let made = prove();
    FALSE_ANSWER.set(None);
    (made, ANSWERED.get())
}

/// Asserts that no answer of a prover over [`Lying`] can be false by itself; tells how many there are.
pub fn every_answer_is_bound(
    name: &str,
    prove: impl Fn() -> Vec<u8>,
    verify: impl Fn(&[u8]) -> Result<(), Reject>,
) -> usize {
    let (proof, answers) = answering(None, &prove);
    assert_eq!(accepts(name, || verify(&proof)), Ok(()), "{name}: no lie");
    for at in 0..answers {
        let (proof, _) = answering(Some(at), &prove);
        assert!(accepts(name, || verify(&proof)).is_err(), "{name}: answer {at} of {answers} can be false");
    }
    println!("{name}: {answers} answers");
    answers
}

/// A scheme whose prover answers falsely where [`every_answer_is_bound`] says.
pub struct Lying<P>(PhantomData<fn() -> P>);

impl<S: Setting, P: trilemma_core::Scheme<S>> trilemma_core::Scheme<S> for Lying<P> {
    const NAME: &'static str = P::NAME;
    const JOINT_LISTS: bool = P::JOINT_LISTS;
    type ProverKey = P::ProverKey;
    type VerifierKey = P::VerifierKey;
    type Commitment = P::Commitment;
    type Opener = P::Opener;

    fn setup(options: &Options, max: usize) -> Result<(P::ProverKey, P::VerifierKey), ConfigError> {
        P::setup(options, max)
    }

    fn properties(vk: &P::VerifierKey) -> Properties {
        P::properties(vk)
    }

    fn fits(vk: &P::VerifierKey, shapes: &[Shape]) -> Result<(), ConfigError> {
        P::fits(vk, shapes)
    }

    fn list_bits(vk: &P::VerifierKey) -> f64 {
        P::list_bits(vk)
    }

    fn commit(
        pk: &P::ProverKey,
        matrices: Vec<Columns<S::Base>>,
        label: Label,
        t: &mut ProverTranscript,
    ) -> Result<P::Opener, ProveError> {
        P::commit(pk, matrices, label, t)
    }

    fn receive(
        vk: &P::VerifierKey,
        shapes: &[Shape],
        label: Label,
        t: &mut VerifierTranscript<'_>,
    ) -> Result<P::Commitment, Reject> {
        P::receive(vk, shapes, label, t)
    }
}

impl<S: Setting, Q: ClaimKind<S>, P: Opens<S, Q>> Opens<S, Q> for Lying<P> {
    type Hints = P::Hints;

    fn view<'o>(pk: &P::ProverKey, opener: &'o P::Opener, matrix: usize, on: Q::On) -> Q::View<'o> {
        P::view(pk, opener, matrix, on)
    }

    fn answer(
        pk: &P::ProverKey,
        openers: &[&P::Opener],
        questions: &[Question<Q>],
        hints: &mut P::Hints,
    ) -> Vec<Vec<S::Ext>> {
        let mut answers = P::answer(pk, openers, questions, hints);
        let before = ANSWERED.get();
        if let Some(at) = FALSE_ANSWER.get().and_then(|at| at.checked_sub(before))
            && let Some(value) = answers.iter_mut().flatten().nth(at)
        {
            *value += S::Ext::ONE;
        }
        ANSWERED.set(before + answers.iter().map(Vec::len).sum::<usize>());
        answers
    }

    fn open(
        pk: &P::ProverKey,
        openers: &[&P::Opener],
        claims: &[Claim<Q, S::Ext>],
        hints: P::Hints,
        t: &mut ProverTranscript,
    ) -> Result<(), ProveError> {
        P::open(pk, openers, claims, hints, t)
    }

    fn verify(
        vk: &P::VerifierKey,
        oracles: &[(&P::Commitment, &[Shape])],
        claims: &[Claim<Q, S::Ext>],
        t: &mut VerifierTranscript<'_>,
    ) -> Result<(), Reject> {
        P::verify(vk, oracles, claims, t)
    }
}

/// A scheme that lies, and the same that does not.
pub fn both<S: Available, Q: Served<S>, C: Opens<S, Q>>() -> [Arc<Box<dyn Runner<S, Q>>>; 2] {
    let options = options("blake3");
    let max_log_height = C::MAX_LOG_HEIGHT.min(12);
    let lying = Keyed::<S, Q, Lying<C>>::new(&options, max_log_height).unwrap();
    let honest = Keyed::<S, Q, C>::new(&options, max_log_height).unwrap();
    [Arc::new(Box::new(lying)), Arc::new(Box::new(honest))]
}
