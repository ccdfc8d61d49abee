//! Cheating provers, each of which a different check refuses.

use std::sync::Arc;

use p3_field::{Field, PrimeCharacteristicRing};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::r1cs::staged::{Matrices, Staged};
use trilemma_core::channel::OracleProver;
use trilemma_core::runner::{Binding, IndexCommitment, ProverIndex, Runner};
use trilemma_core::setting::{Bls12, KoalaBear4};
use trilemma_core::{Oracle, Piop, ProveError, UniEval};
use trilemma_pcs::Available;

use super::Marlin;
use super::layout::{Layout, bus_term, lagrange, vanishing};
use super::prover::Run;
use super::steps::{self, Dft, accumulate, extension_column, segments};

const BINDING: Binding<'static> = Binding { protocol: b"cheats", statement: b"" };

/// `x^2 = y`, `x y = z` for a public `z`, and after the challenges `gamma x = u`, `(beta + u) u = v`.
fn cubes<S: Available>(swapped: bool) -> Staged<S> {
    let [one, z, gamma, beta, x, y, u, v] = [0, 1, 2, 3, 4, 5, 6, 7];
    let row = |a: &[usize], b: &[usize], c: &[usize]| {
        let mut row = Vec::new();
        for (matrix, wires) in [a, b, c].into_iter().enumerate() {
            for &wire in wires {
                let mut values = [S::Base::ZERO; 3];
                values[if swapped { 2 - matrix } else { matrix }] = S::Base::ONE;
                row.push((wire, values));
            }
        }
        row
    };
    let rows = [
        row(&[x], &[x], &[y]),
        row(&[x], &[y], &[z]),
        row(&[gamma], &[x], &[u]),
        row(&[beta, u], &[u], &[v]),
        row(&[y], &[one], &[y]),
    ];
    let matrices = Matrices::from_rows(rows);
    let (constraints, nonzeros) = (matrices.rows(), matrices.nonzeros());
    Staged { entries: 1, early: 2, late: 2, constraints, nonzeros, arity: 1, fractions: 0, matrices }
}

struct Game<S: Available> {
    system: Staged<S>,
    layout: Layout,
    runner: Box<dyn Runner<S, UniEval<S::Ext>>>,
    index: IndexCommitment,
    prover_index: ProverIndex,
}

/// What a cheating prover does where the honest one has no choice.
#[derive(Clone, Copy, Default)]
struct Cheat {
    /// Early wires.
    x: u32,
    y: u32,
    /// Claims products that the rows agree with.
    products: bool,
    /// Claims a value of `r` that the wires agree with.
    matrices: bool,
    /// Claims sums of groups that agree with that.
    groups: bool,
    /// Adds up wires of the early cosets only.
    skips: bool,
    /// Adds up `A` and `C` in each other's place.
    swaps: bool,
    /// Reckons with another early wire than was committed.
    repair: bool,
}

impl<S: Available> Game<S> {
    fn new() -> Self {
        let system = cubes::<S>(false);
        let entry = S::univariate().into_iter().find(|e| e.name == "ideal").unwrap();
        let runner = (entry.setup)(&Default::default(), 6).unwrap();
        let (index, prover_index) = runner.index(BINDING.protocol, Marlin.index(&system)).unwrap();
        Self { layout: Layout::new(&system), system, runner, index, prover_index }
    }

    /// Plays a cheat for the statement `z = 27`; what the verifier says.
    fn play(&self, cheat: Cheat) -> Result<(), String> {
        let entries = vec![S::Base::from_u32(27)];
        let mut prover = |ch: &mut dyn OracleProver<S, UniEval<S::Ext>>| self.prove(&entries, cheat, ch);
        let proof = self.runner.prove(BINDING, (&self.index, &self.prover_index), &mut prover).unwrap().proof;
        let mut verifier =
            |ch: &mut dyn trilemma_core::OracleVerifier<S, UniEval<S::Ext>>| Marlin.verify(&self.system, &entries, ch);
        self.runner.verify(BINDING, &self.index, &proof, &mut verifier).map(|_| ()).map_err(|reject| reject.what)
    }

    fn prove(
        &self,
        entries: &[S::Base],
        cheat: Cheat,
        ch: &mut dyn OracleProver<S, UniEval<S::Ext>>,
    ) -> Result<(), ProveError> {
        let (layout, system, dft) = (&self.layout, &self.system, Dft::<S>::default());
        let early = [1, 27, cheat.x, cheat.y].map(S::Base::from_u32);
        let oracle = ch.send_oracle("early", segments(early.into_iter(), layout))?;
        let gamma = ch.sample("gamma", Some(bus_term(system)))?;
        let beta = ch.sample("beta", None)?;
        let challenges = Challenges::new(gamma, beta, 1);
        let x = S::Ext::from(early[2]);
        let u = challenges.gamma * x;
        let late = [u, (challenges.beta[0] + u) * u];
        let public = system.public_values(entries, [gamma, beta]);
        let mut wires = [public.clone(), vec![x, early[3].into()], late.to_vec()].concat();
        if cheat.repair {
            wires[5] = x * x;
        }
        if cheat.skips {
            wires[2..4].fill(S::Ext::ZERO);
            wires[6..].fill(S::Ext::ZERO);
        }
        let products = steps::products(system, layout, &wires);
        let quotient = steps::row_quotient(&dft, layout, &products, &public);
        let mut matrices = segments([gamma, beta].into_iter().chain(late), layout);
        matrices.push(extension_column::<S>(quotient.clone()));
        let oracles = [oracle, ch.send_oracle("late", matrices)?];

        let alpha = ch.sample("alpha", Some(layout.row_term::<S>()))?;
        ch.ask(layout.row_questions(oracles[1], alpha))?;
        let at_alpha = lagrange::<S>(layout.log_rows, alpha, 1 << layout.log_rows);
        let mut claims = products.map(|column| steps::dot(&column, &at_alpha));
        if cheat.products {
            let p = steps::dot(&public, &at_alpha[..public.len()]);
            let quotient = steps::dot(&quotient, &at_alpha);
            claims[2] = claims[0] * claims[1] + p - vanishing::<S>(layout.log_rows, alpha) * quotient;
        }
        ch.send("products", &claims);
        let eta = ch.sample("eta", Some(Layout::matrix_term::<S>()))?;
        let swapped = cubes::<S>(true);
        let relation = if cheat.swaps { &swapped } else { system };
        let run = Run { relation, layout, dft: &dft, alpha, at_alpha, eta: [S::Ext::ONE, eta, eta.square()] };
        let sum = steps::dot(&claims, &run.eta);
        if !cheat.matrices {
            let xi = run.wires(oracles, &wires, sum, ch)?;
            return run.entries(xi, ch);
        }
        let (xi, value) = self.claim_matrices(&run, oracles, &wires, sum, ch)?;
        let terms = steps::entry_terms(&run, xi);
        let mut sums = steps::group_sums(layout, &terms);
        if cheat.groups {
            let sum: S::Ext = sums.iter().copied().sum();
            sums[0] += value - sum;
        }
        ch.send("sums", &sums);
        run.groups(xi, terms, &sums, ch)
    }

    /// As [`Run::wires`], but with the claim about `r` solved from the identity.
    fn claim_matrices(
        &self,
        run: &Run<'_, S>,
        [early, late]: [Oracle; 2],
        wires: &[S::Ext],
        sum: S::Ext,
        ch: &mut dyn OracleProver<S, UniEval<S::Ext>>,
    ) -> Result<(S::Ext, S::Ext), ProveError> {
        let log = self.layout.log_wires();
        let (matrices, z) = (steps::matrix_column(run), steps::by_position(&self.layout, wires));
        let accumulator = accumulate::<S>(matrices.iter().zip(&z).map(|(&r, &z)| r * z), log, sum);
        let quotient = steps::wire_quotient(run.dft, log, [&matrices, &z, &accumulator], sum);
        let sent = [accumulator, quotient.clone()].map(extension_column::<S>);
        let oracle = ch.send_oracle("wires", sent.into())?;
        let xi = ch.sample("xi", Some(self.layout.wire_term::<S>()))?;
        let answers = ch.ask(self.layout.wire_questions::<S>([early, late, oracle], xi))?;
        let at_xi = lagrange::<S>(log, xi, z.len());
        let [.., here, next, _] = answers.as_slice() else { panic!("three answers") };
        let [here, next] = [here, next].map(|answer| trilemma_core::claim::rejoin::<S::Base, _>(answer)[0]);
        let change = next - here + sum * S::Base::ONE.div_2exp_u64(log as u64);
        let quotient = vanishing::<S>(log, xi) * steps::dot(&quotient, &at_xi);
        let value = (change - quotient) * steps::dot(&z, &at_xi).inverse();
        ch.send("matrices", &[value]);
        Ok((xi, value))
    }
}

fn all<S: Available>() {
    let game = Arc::new(Game::<S>::new());
    let honest = Cheat { x: 3, y: 9, ..Cheat::default() };
    let (rows, wires) = ("the rows hold at alpha", "the products add up at xi");
    let (groups, entries) = ("the groups add up", "the entries add up at zeta");
    let refused = |cheat: Cheat, what: &str| assert_eq!(game.play(cheat), Err(what.to_string()), "{}", S::NAME);
    assert_eq!(game.play(honest), Ok(()));
    for (x, y) in [(2, 4), (3, 8), (4, 16), (0, 0), (27, 1)] {
        let wrong = Cheat { x, y, ..honest };
        refused(wrong, rows);
        refused(Cheat { products: true, ..wrong }, wires);
        refused(Cheat { products: true, matrices: true, ..wrong }, groups);
        refused(Cheat { products: true, matrices: true, groups: true, ..wrong }, entries);
    }
    refused(Cheat { y: 8, repair: true, ..honest }, wires);
    refused(Cheat { y: 8, repair: true, matrices: true, ..honest }, wires);
    refused(Cheat { skips: true, products: true, ..honest }, wires);
    refused(Cheat { swaps: true, ..honest }, wires);
    refused(Cheat { swaps: true, matrices: true, ..honest }, groups);
    refused(Cheat { swaps: true, matrices: true, groups: true, ..honest }, entries);
}

#[test]
fn every_check_refuses_its_cheat() {
    all::<KoalaBear4>();
    all::<Bls12>();
}

/// Teaches: early wires lie in early segments, late ones in late segments, no two in one place.
#[test]
fn wires_keep_their_stage() {
    for (entries, early, late) in
        [(0, 1, 0), (1, 2, 2), (3, 40, 9), (5, 7, 60), (0, 64, 64), (100, 3, 200), (2, 257, 120)]
    {
        let matrices = Matrices::default();
        let system = Staged::<KoalaBear4> {
            entries,
            early,
            late,
            constraints: 9,
            nonzeros: 30,
            arity: 1,
            fractions: 0,
            matrices,
        };
        let layout = Layout::new(&system);
        let segments = layout.early_segments + layout.late_segments;
        assert!(segments <= 1 << layout.log_segments);
        let mut taken = vec![false; 1 << layout.log_wires()];
        for wire in 0..system.wires() {
            let at = layout.position(wire);
            assert!(!std::mem::replace(&mut taken[at], true));
            let segment = at & ((1 << layout.log_segments) - 1);
            let is_late = wire >= system.public() + early || (system.constants()..system.public()).contains(&wire);
            assert!(segment < segments && (segment >= layout.early_segments) == is_late, "{layout:?}: wire {wire}");
        }
    }
}
