//! A verifier that sees one value other than the one sent, under the challenges of the honest proof.

use p3_field::PrimeCharacteristicRing;
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::{ClaimKind, ErrorTerm, Label, OracleVerifier, Reject, Setting};

/// A verifier's channel that shows value number `at` as one more than it is, and counts.
pub struct Frozen<'a, S: Setting, Q: ClaimKind<S>> {
    pub inner: &'a mut dyn OracleVerifier<S, Q>,
    pub at: Option<usize>,
    /// The labels of all values.
    pub seen: Vec<Label>,
}

impl<S: Setting, Q: ClaimKind<S>> Frozen<'_, S, Q> {
    fn show(&mut self, label: Label, values: &mut [S::Ext]) {
        for value in values {
            if self.at == Some(self.seen.len()) {
                *value += S::Ext::ONE;
            }
            self.seen.push(label);
        }
    }
}

impl<S: Setting, Q: ClaimKind<S>> OracleVerifier<S, Q> for Frozen<'_, S, Q> {
    fn recv_sizes(&mut self, label: Label, n: usize, max: u8) -> Result<Vec<u8>, Reject> {
        self.inner.recv_sizes(label, n, max)
    }

    fn recv(&mut self, label: Label, n: usize) -> Result<Vec<S::Ext>, Reject> {
        let mut values = self.inner.recv(label, n)?;
        self.show(label, &mut values);
        Ok(values)
    }

    fn sample(&mut self, label: Label, term: Option<ErrorTerm>) -> Result<S::Ext, Reject> {
        self.inner.sample(label, term)
    }

    fn recv_oracle(&mut self, label: Label, shapes: Vec<Shape>) -> Result<Oracle, Reject> {
        self.inner.recv_oracle(label, shapes)
    }

    fn ask(&mut self, questions: Vec<Question<Q>>) -> Result<Vec<Vec<S::Ext>>, Reject> {
        let mut answers = self.inner.ask(questions)?;
        answers.iter_mut().for_each(|values| self.show("answers", values));
        Ok(answers)
    }
}
