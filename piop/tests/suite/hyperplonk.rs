//! `hyperplonk` proves exactly the circuits that hold, over the ideal scheme, and catches lies in every
//! message.

use crate::{circuits, common};
use circuits::{Kept, Toy, part, toy};
use common::{Channel, Keyed, Query, form};
use p3_field::PrimeCharacteristicRing;
use p3_koala_bear::KoalaBear;
use trilemma_arith::plonkish::Column;
use trilemma_arith::r1cs::ByColumn;
use trilemma_core::channel::{Oracle, OracleProver, Question};
use trilemma_core::setting::{Bn254, Goldilocks2, KoalaBear4, KoalaBear5};
use trilemma_core::{ClaimKind, Columns, ErrorTerm, Label, ProveError, Reject, Setting};
use trilemma_pcs::Available;

fn keyed<S: Available>(toy: &Toy<S>) -> Keyed<S> {
    Keyed::new(toy.circuit(), form(&toy.circuit), "ideal")
}

fn mutations<S: Available>(toy: Toy<S>, every: usize) {
    let log_rows = toy.circuit.log_rows;
    let keyed = keyed(&toy);
    let Toy { early, instance, .. } = &toy;
    assert_eq!(keyed.verdict(instance, toy.assignment(early)), Ok(()));
    let (mut accepted, mut refused) = (0, 0);
    let mut judge = |early: &ByColumn<S::Base>, instance: &[S::Base], what: &str| {
        let verdict = keyed.verdict(instance, toy.assignment(early));
        assert_eq!(verdict.is_ok(), toy.holds(early, instance), "{what}: {verdict:?}");
        *(if verdict.is_ok() { &mut accepted } else { &mut refused }) += 1;
    };
    for at in (0..early.values.len()).step_by(every) {
        for change in [1, 3, 1 << 20] {
            let mut early = early.clone();
            early.values[at] += S::Base::from_u32(change);
            judge(&early, instance, &format!("cell {at} + {change}"));
        }
    }
    for at in 0..instance.len() {
        let mut instance = instance.clone();
        instance[at] += S::Base::ONE;
        judge(early, &instance, &format!("public value {at}"));
    }
    println!("{} 2^{log_rows}: {accepted} accepted, {refused} refused", S::NAME);
    assert!((accepted > 0 || every > 1) && refused > 1);
}

#[test]
fn proves_what_holds() {
    mutations::<KoalaBear4>(toy(3), 1);
    mutations::<Bn254>(toy(3), 1);
    mutations::<KoalaBear5>(toy(3), 3);
    mutations::<Goldilocks2>(toy(4), 3);
    mutations::<KoalaBear4>(toy(6), 7);
    mutations::<Bn254>(toy(6), 23);
}

/// Each kind of constraint alone catches what breaks it.
#[test]
fn proves_parts() {
    let nothing = Kept { gates: false, lookups: false, copies: false, late: false };
    for kept in [
        Kept { gates: true, ..nothing },
        Kept { lookups: true, ..nothing },
        Kept { copies: true, ..nothing },
        Kept { copies: true, late: true, ..nothing },
        Kept { gates: true, late: true, ..nothing },
        Kept { gates: true, copies: true, ..nothing },
    ] {
        println!("{kept:?}");
        mutations::<KoalaBear4>(part(3, kept), 1);
        mutations::<Bn254>(part(4, kept), 3);
        mutations::<KoalaBear4>(part(6, kept), 17);
    }
}

/// A lie in a message.
#[derive(Clone, Copy, Debug)]
enum Lie {
    /// One scalar of the whole proof is one more.
    Scalar(usize),
    /// A scalar of a message of this label is 7 more.
    More(Label, usize),
    /// A scalar of a message of this label is zero.
    Zero(Label, usize),
    /// A cell of an oracle, by row and column, is one more.
    Cell(Label, [usize; 2]),
}

struct Liar<'a, 'c, S: Setting> {
    inner: &'a mut Channel<'c, S>,
    lies: &'a [Lie],
    scalars: usize,
}

impl<S: Setting> OracleProver<S, Query<S>> for Liar<'_, '_, S> {
    fn send_sizes(&mut self, label: Label, sizes: &[u8]) {
        self.inner.send_sizes(label, sizes);
    }

    fn send(&mut self, label: Label, values: &[S::Ext]) {
        let mut values = values.to_vec();
        for &lie in self.lies {
            match lie {
                Lie::Scalar(at) if (self.scalars..self.scalars + values.len()).contains(&at) => {
                    values[at - self.scalars] += S::Ext::ONE;
                }
                Lie::More(of, i) if of == label => values[i] += S::Ext::from_u32(7),
                Lie::Zero(of, i) if of == label => values[i] = S::Ext::ZERO,
                _ => {}
            }
        }
        self.scalars += values.len();
        self.inner.send(label, &values);
    }

    fn sample(&mut self, label: Label, term: Option<ErrorTerm>) -> Result<S::Ext, ProveError> {
        self.inner.sample(label, term)
    }

    fn send_oracle(&mut self, label: Label, mut matrices: Vec<Columns<S::Base>>) -> Result<Oracle, ProveError> {
        for &lie in self.lies {
            if let Lie::Cell(of, [row, column]) = lie
                && of == label
            {
                let width = matrices[0].width;
                matrices[0].values[row * width + column] += S::Base::ONE;
            }
        }
        self.inner.send_oracle(label, matrices)
    }

    fn view(&self, oracle: Oracle, matrix: usize, on: ()) -> <Query<S> as ClaimKind<S>>::View<'_> {
        self.inner.view(oracle, matrix, on)
    }

    fn ask(&mut self, questions: Vec<Question<Query<S>>>) -> Result<Vec<Vec<S::Ext>>, ProveError> {
        self.inner.ask(questions)
    }
}

fn lie<S: Available>(toy: &Toy<S>, keyed: &Keyed<S>, lies: &[Lie]) -> (Result<(), Reject>, usize) {
    let scalars = std::cell::Cell::new(0);
    let Toy { early, instance, .. } = toy;
    let proven = keyed.prove_with(instance, toy.assignment(early), |inner, prove| {
        let mut liar = Liar { inner, lies, scalars: 0 };
        let done = prove(&mut liar);
        scalars.set(liar.scalars);
        done
    });
    (keyed.verify(instance, &proven.proof), scalars.get())
}

fn lies<S: Available>() {
    let toy = toy::<S>(3);
    let keyed = keyed(&toy);
    let lie = |lies: &[Lie]| lie(&toy, &keyed, lies);
    let (honest, scalars) = lie(&[]);
    assert_eq!(honest, Ok(()));
    for at in 0..scalars {
        assert!(lie(&[Lie::Scalar(at)]).0.is_err(), "scalar {at}");
    }
    let refused = |lies: &[Lie], by: &str| assert_eq!(lie(lies).0, Err(Reject::new(by)), "{lies:?}");
    // Multiplicities follow the six early columns; late columns are all constrained.
    let extension = <S::Ext as p3_field::BasedVectorSpace<S::Base>>::DIMENSION;
    for row in 0..8 {
        for column in 6..9 {
            let times = Lie::Cell("early", [row, column]);
            refused(&[times], "the buses balance");
            refused(&[times, Lie::Zero("bus root", 0)], "a layer of the buses");
        }
        for column in 0..3 * extension {
            assert!(lie(&[Lie::Cell("late", [row, column])]).0.is_err(), "late {row}, {column}");
        }
    }
    // The next sum and the next other are in one gate only, which cancels lies that are equal.
    refused(&[Lie::More("next rows", 0)], "the rows are as claimed");
    refused(&[Lie::More("next rows", 0), Lie::More("next rows", 1)], "next rows are as claimed");
    println!("{}: {scalars} scalars", S::NAME);
}

#[test]
fn lies_are_caught() {
    lies::<KoalaBear4>();
    lies::<Bn254>();
}

/// The number of public values is the circuit's, and a circuit too large for its field is none.
#[test]
fn shapes_are_checked() {
    let toy = toy::<KoalaBear4>(3);
    let mut keyed = keyed(&toy);
    let instance = &toy.instance;
    let proof = keyed.prove(instance, toy.assignment(&toy.early)).proof;
    let longer = [instance.as_slice(), &[KoalaBear::ZERO]].concat();
    assert_eq!(keyed.verify(&longer, &proof), Err(Reject::new("the number of public values")));
    assert_eq!(keyed.verify(&instance[..1], &proof), Err(Reject::new("the number of public values")));
    keyed.form.log_rows = 26;
    keyed.form.permuted = vec![Column::Early(0); 8];
    let refused = keyed.verify(instance, &proof).unwrap_err();
    assert!(refused.what.contains("more fractions than the characteristic allows"), "{refused}");
}
