//! `plonk` proves exactly what a circuit says, over the ideal scheme and over real ones.

use crate::toy;
use p3_field::PrimeCharacteristicRing;
use toy::{EARLY, HONEST, INSTANCE, ROWS};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Assignment, Circuit};
use trilemma_core::runner::{Binding, IndexCommitment, Proven, ProverIndex, Runner};
use trilemma_core::setting::{Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5, Pallas};
use trilemma_core::{
    ClaimKind, Columns, ErrorTerm, Label, Options, Oracle, OracleProver, OracleVerifier, Piop, ProveError, Question,
    Reject, Security, Setting, UniEval,
};
use trilemma_pcs::{Available, Served};
use trilemma_piop::plonk::{Group, Layout, Plonk, Poly};

type Query<S> = UniEval<<S as Setting>::Ext>;
type Early = [[u32; ROWS]; EARLY];

const BINDING: Binding<'static> = Binding { protocol: b"toy", statement: b"two numbers" };

/// The toy circuit with keys of a scheme.
struct Toy<S: Available, const LOGUP: bool> {
    circuit: Circuit<S>,
    form: Circuit<S>,
    runner: Box<dyn Runner<S, Query<S>>>,
    index: IndexCommitment,
    prover_index: ProverIndex,
}

impl<S: Available, const LOGUP: bool> Toy<S, LOGUP> {
    fn new(scheme: &str) -> Self {
        let security = Security { bits: 24, ..Security::default() };
        let options = Options { security, max_log_height: Some(6), ..Options::default() };
        let entry = Query::<S>::schemes().into_iter().find(|e| e.name == scheme).unwrap();
        let runner = (entry.setup)(&options, 6).unwrap();
        let (circuit, form) = (toy::circuit(false), toy::circuit(true));
        let fixed = Plonk::<LOGUP>.index(&circuit);
        let (index, prover_index) = runner.index(BINDING.protocol, fixed).unwrap();
        assert_eq!(index.shapes, Plonk::<LOGUP>.index_shapes(&form));
        Self { circuit, form, runner, index, prover_index }
    }

    fn prove_with(
        &self,
        mut prover: impl FnMut(&mut dyn OracleProver<S, Query<S>>) -> Result<(), ProveError>,
    ) -> Proven {
        self.runner.prove(BINDING, (&self.index, &self.prover_index), &mut prover).unwrap()
    }

    fn prove(&self, assignment: impl Fn() -> Assignment<S>, instance: &[u32]) -> Proven {
        self.prove_with(|ch| Plonk::<LOGUP>.prove(&self.circuit, &field::<S>(instance), assignment(), ch))
    }

    fn verify(&self, proof: &[u8], instance: &[u32]) -> Result<(), Reject> {
        let instance = field::<S>(instance);
        let mut run = |ch: &mut dyn OracleVerifier<S, Query<S>>| Plonk::<LOGUP>.verify(&self.form, &instance, ch);
        self.runner.verify(BINDING, &self.index, proof, &mut run).map(|_| ())
    }

    /// The verdict on what an honest prover makes of an assignment.
    fn verdict(&self, early: &Early, instance: &[u32]) -> Result<(), Reject> {
        self.verify(&self.prove(|| toy::assignment(early), instance).proof, instance)
    }
}

fn field<S: Setting>(values: &[u32]) -> Vec<S::Base> {
    values.iter().map(|&x| S::Base::from_u32(x)).collect()
}

/// The honest assignment with one cell, or two, changed.
fn mutations() -> Vec<Early> {
    let mut all = vec![HONEST];
    for (column, row) in (0..EARLY).flat_map(|c| (0..ROWS).map(move |r| (c, r))) {
        for change in [|x: u32| x + 1, |x: u32| x ^ 2, |x: u32| x + 8, |_| 0] {
            let mut early = HONEST;
            early[column][row] = change(early[column][row]);
            all.push(early);
            let mut pair = early;
            pair[1][7] = pair[0][7];
            all.push(pair);
        }
    }
    all
}

fn accepts_what_holds<S: Available, const LOGUP: bool>() {
    let toy = Toy::<S, LOGUP>::new("ideal");
    let (mut accepted, mut refused) = (0, 0);
    for early in mutations() {
        let verdict = toy.verdict(&early, &INSTANCE);
        assert_eq!(verdict.is_ok(), toy::holds::<S>(&early, &INSTANCE), "{verdict:?} for {early:?}");
        *(if verdict.is_ok() { &mut accepted } else { &mut refused }) += 1;
    }
    println!("{} {}: {accepted} accepted, {refused} refused", <Plonk<LOGUP> as Piop<S>>::NAME, S::NAME);
    assert!(accepted > 6 && refused > 60);
}

#[test]
fn proves_what_holds() {
    accepts_what_holds::<KoalaBear4, false>();
    accepts_what_holds::<KoalaBear4, true>();
    accepts_what_holds::<Bn254, false>();
    accepts_what_holds::<Bn254, true>();
    accepts_what_holds::<Goldilocks2, false>();
    accepts_what_holds::<KoalaBear5, true>();
}

fn over<S: Available, const LOGUP: bool>(scheme: &str) {
    let toy = Toy::<S, LOGUP>::new(scheme);
    let proven = toy.prove(|| toy::assignment(&HONEST), &INSTANCE);
    let name = <Plonk<LOGUP> as Piop<S>>::NAME;
    println!("{name} {} {scheme}: {} bytes: {:?}", S::NAME, proven.proof.len(), proven.bytes);
    assert_eq!(toy.verify(&proven.proof, &INSTANCE), Ok(()));
    let mut broken = HONEST;
    broken[2][5] = 25;
    assert!(toy.verdict(&broken, &INSTANCE).is_err());
}

#[test]
fn works_over_real_schemes() {
    over::<KoalaBear4, false>("fri");
    over::<KoalaBear4, true>("fri");
    over::<Bn254, false>("kzg");
    over::<Bn254, true>("kzg");
    over::<Bls12, false>("kzg-zk");
    over::<Pallas, false>("ipa");
}

/// Over KZG a proof is a point a column, a value an answer, and two points.
#[test]
fn proofs_are_as_long_as_the_header_says() {
    let toy = Toy::<Bn254, false>::new("kzg");
    let layout = Layout::new(Plonk::<false>::PERMUTATION, &toy.form);
    let columns = |groups: &[Group]| groups.iter().map(|g| g.polys.len()).sum::<usize>();
    let sent = [&layout.early, &layout.late, &layout.arguments, &layout.quotient];
    let next = sent.into_iter().chain([&layout.index]).flatten().filter(|g| g.next).map(|g| g.polys.len());
    let committed: usize = sent.into_iter().map(|groups| columns(groups)).sum();
    let elements = 2 * committed + columns(&layout.index) + next.sum::<usize>() + 2;
    // e = 3, l = 2, t = 4, f = 7, w = 5, x = 4.
    let arguments = layout.chunks.len() + layout.groups.len();
    assert_eq!(elements, 2 * 3 + 2 * 2 + 2 * 4 + 2 * (arguments + layout.degree - 1) + 7 + 5 + 4 + 2);
    assert_eq!(toy.prove(|| toy::assignment(&HONEST), &INSTANCE).proof.len(), 32 * elements);
}

fn other_public_values<S: Available, const LOGUP: bool>() {
    let toy = Toy::<S, LOGUP>::new("ideal");
    let proof = toy.prove(|| toy::assignment(&HONEST), &INSTANCE).proof;
    assert_eq!(toy.verify(&proof, &INSTANCE), Ok(()));
    for other in [&[6, 17][..], &[7, 16], &[16, 6], &[0, 0], &[6], &[6, 16, 0], &[]] {
        assert!(toy.verify(&proof, other).is_err(), "{other:?}");
    }
    for other in [[6, 17], [7, 16]] {
        assert!(toy.verdict(&HONEST, &other).is_err(), "{other:?}");
    }
}

#[test]
fn public_values_are_bound() {
    other_public_values::<KoalaBear4, false>();
    other_public_values::<Bn254, true>();
}

/// Late columns made for a challenge of the prover's own, of two columns that are no permutation of each
/// other except by that challenge's sum.
fn late_before_its_challenge<S: Available>() {
    let toy = Toy::<S, false>::new("ideal");
    let early = || {
        let guess = Challenges::<S::Ext> { gamma: S::Ext::from_u32(1 << 20), beta: vec![S::Ext::ONE] };
        Assignment::<S> {
            early: toy::columns::<S>(&HONEST),
            late: Box::new(move |early, _| toy::late::<S>(early, &guess)),
        }
    };
    assert!(toy.verify(&toy.prove(early, &INSTANCE).proof, &INSTANCE).is_err());
}

#[test]
fn late_columns_follow_their_challenges() {
    late_before_its_challenge::<KoalaBear4>();
    late_before_its_challenge::<Bn254>();
}

type Forgery<'a, S> = &'a dyn Fn(Label, &mut Vec<Columns<<S as Setting>::Base>>);

/// A prover's channel that sends other oracles than it is given; over a scheme that keeps extensions, the
/// prover then goes on with what was sent.
struct Forger<'a, S: Setting> {
    inner: &'a mut dyn OracleProver<S, Query<S>>,
    forge: Forgery<'a, S>,
}

impl<S: Available> OracleProver<S, Query<S>> for Forger<'_, S> {
    fn send_sizes(&mut self, label: Label, sizes: &[u8]) {
        self.inner.send_sizes(label, sizes);
    }

    fn send(&mut self, label: Label, values: &[S::Ext]) {
        self.inner.send(label, values);
    }

    fn sample(&mut self, label: Label, term: Option<ErrorTerm>) -> Result<S::Ext, ProveError> {
        self.inner.sample(label, term)
    }

    fn send_oracle(&mut self, label: Label, mut matrices: Vec<Columns<S::Base>>) -> Result<Oracle, ProveError> {
        (self.forge)(label, &mut matrices);
        self.inner.send_oracle(label, matrices)
    }

    fn view(&self, oracle: Oracle, matrix: usize, on: usize) -> <Query<S> as ClaimKind<S>>::View<'_> {
        self.inner.view(oracle, matrix, on)
    }

    fn ask(&mut self, questions: Vec<Question<Query<S>>>) -> Result<Vec<Vec<S::Ext>>, ProveError> {
        self.inner.ask(questions)
    }
}

/// Every cell of every oracle, changed on its way; but for cells that nothing constrains.
fn forged_oracles<S: Available, const LOGUP: bool>() {
    let toy = Toy::<S, LOGUP>::new("ideal");
    let layout = Layout::new(Plonk::<LOGUP>::PERMUTATION, &toy.form);
    let oracles = [
        ("early", &layout.early),
        ("late", &layout.late),
        ("arguments", &layout.arguments),
        ("quotient", &layout.quotient),
    ];
    let mut forged = 0;
    for (label, groups) in oracles {
        for (group, row) in groups.iter().flat_map(|g| (0..ROWS).map(move |r| (g, r))) {
            for &poly in group.polys.iter().filter(|p| **p != Poly::Early(2) || ![3, 6, 7].contains(&row)) {
                let (matrix, offset) = place::<S>(groups, poly);
                let forge = |l: Label, matrices: &mut Vec<Columns<S::Base>>| {
                    if l == label {
                        let width = matrices[matrix].width;
                        matrices[matrix].values[row * width + offset] += S::Base::ONE;
                    }
                };
                let proven = toy.prove_with(|inner| {
                    let mut ch = Forger { inner, forge: &forge };
                    let instance = field::<S>(&INSTANCE);
                    Plonk::<LOGUP>.prove(&toy.circuit, &instance, toy::assignment(&HONEST), &mut ch)
                });
                assert!(toy.verify(&proven.proof, &INSTANCE).is_err(), "row {row} of {poly:?}");
                forged += 1;
            }
        }
    }
    println!("{forged} forgeries refused");
}

#[test]
fn oracles_are_bound() {
    forged_oracles::<KoalaBear4, false>();
    forged_oracles::<KoalaBear4, true>();
    forged_oracles::<Bn254, false>();
}

/// Where a column lies in an oracle: matrix and first base column.
fn place<S: Setting>(groups: &[Group], poly: Poly) -> (usize, usize) {
    let matrix = groups.iter().position(|g| g.polys.contains(&poly)).unwrap();
    let before = groups[matrix].polys.iter().take_while(|p| **p != poly);
    (matrix, before.map(|p| p.width::<S>()).sum())
}

/// Partial products of zero satisfy every step of the permutation, whatever the copies.
#[test]
fn the_product_starts_with_one() {
    let toy = Toy::<KoalaBear4, false>::new("ideal");
    let layout = Layout::new(Plonk::<false>::PERMUTATION, &toy.form);
    let mut broken = HONEST;
    broken[2][5] = 16;
    let instance = [6, 25];
    assert!(!toy::holds::<KoalaBear4>(&broken, &instance));
    let forge = |label: Label, matrices: &mut Vec<Columns<_>>| {
        if label == "arguments" {
            for j in 0..layout.chunks.len() {
                let (matrix, offset) = place::<KoalaBear4>(&layout.arguments, Poly::Product(j));
                let width = matrices[matrix].width;
                for row in matrices[matrix].values.chunks_exact_mut(width) {
                    row[offset..offset + Poly::Product(j).width::<KoalaBear4>()].fill(Default::default());
                }
            }
        }
    };
    let proven = toy.prove_with(|inner| {
        let mut ch = Forger { inner, forge: &forge };
        Plonk::<false>.prove(&toy.circuit, &field::<KoalaBear4>(&instance), toy::assignment(&broken), &mut ch)
    });
    assert!(toy.verify(&proven.proof, &instance).is_err());
}

/// Multiplicities moved to where they would make up for a tuple that is in no table.
#[test]
fn absent_tuples_have_no_multiplicity() {
    let toy = Toy::<KoalaBear4, false>::new("ideal");
    let layout = Layout::new(Plonk::<false>::PERMUTATION, &toy.form);
    // 7 is not small; b is changed with a so that everything else holds.
    let mut broken = HONEST;
    broken[0][7] = 7;
    broken[1][7] = 7;
    broken[0][6] = 4;
    broken[1][4] = 0;
    broken[0][3] = 0;
    broken[1][3] = 6;
    for row in 0..ROWS {
        let forge = |label: Label, matrices: &mut Vec<Columns<_>>| {
            if label == "early" {
                let (matrix, offset) = place::<KoalaBear4>(&layout.early, Poly::Multiplicity(1));
                let width = matrices[matrix].width;
                matrices[matrix].values[row * width + offset] += <KoalaBear4 as Setting>::Base::ONE;
            }
        };
        let proven = toy.prove_with(|inner| {
            let mut ch = Forger { inner, forge: &forge };
            Plonk::<false>.prove(&toy.circuit, &field::<KoalaBear4>(&INSTANCE), toy::assignment(&broken), &mut ch)
        });
        assert!(toy.verify(&proven.proof, &INSTANCE).is_err(), "row {row}");
    }
}

#[test]
fn every_byte_counts() {
    let toy = Toy::<Bn254, false>::new("ideal");
    let proof = toy.prove(|| toy::assignment(&HONEST), &INSTANCE).proof;
    for at in 0..proof.len() {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        assert!(toy.verify(&changed, &INSTANCE).is_err(), "byte {at} of {}", proof.len());
    }
    for length in (0..proof.len()).step_by(7) {
        assert!(toy.verify(&proof[..length], &INSTANCE).is_err(), "{length} of {} bytes", proof.len());
    }
}
