//! Toy circuits with everything a circuit may have: what satisfies them is proven, and nothing else is.

use halo2_axiom::plonk::ConstraintSystem;
use p3_field::{Field, PrimeCharacteristicRing};
use trilemma_arith::plonkish::{Assignment, Cell, Circuit, Column, Extent, Gate, Graph, Id, Lookup, Lowering, Whole};
use trilemma_arith::r1cs::{ByColumn, Unit};
use trilemma_core::{Options, ProverTranscript, Reject, Security, Setting, VerifierTranscript};
use trilemma_frontends::riscv::machine::Machine;
use trilemma_frontends::riscv::{Program, execute};

use super::S;
use super::configure::Blueprint;
use super::key::{ProverKey, Scheme, VerifierKey, keys};
use super::rows::{Rows, UNUSABLE};
use super::scheme::Opening;

type Base = <S as Setting>::Base;

const A: Column = Column::Early(0);
const B: Column = Column::Early(1);
const SUM: Column = Column::Early(2);
const S_COLUMN: usize = 2;

/// `a` and `b` are permutations of each other on the first `used` rows, `a` is in a table and summed up, and
/// the first of each is public.
///
/// The fractions' gates and the sum's hold on every row, whatever is fixed there.
struct Toy {
    circuit: Circuit<S>,
    used: usize,
}

impl Toy {
    fn new(log_rows: usize, used: usize) -> Self {
        let rows = 1 << log_rows;
        let mut g = Graph::default();
        let [on, add, first, limit] = [0, 1, 2, 3].map(|i| g.cell(Column::Fixed(i)));
        let [a, b, sum] = [A, B, SUM].map(|column| g.cell(column));
        let [h, k, s] = [0, 1, 2].map(|i| g.cell(Column::Late(i)));
        let [sum_next, s_next] = [SUM, Column::Late(S_COLUMN)].map(|column| g.next(column));
        let (gamma, beta, beta2) = (g.challenge(Unit::Gamma), g.challenge(Unit::Beta(0)), g.challenge(Unit::Beta(1)));
        let fraction = |g: &mut Graph, h: Id, x: Id| {
            // gamma - beta x - beta^2 x^2.
            let linear = g.mul(beta, x);
            let square = g.mul(x, x);
            let square = g.mul(beta2, square);
            let below = g.sub(gamma, linear);
            let below = g.sub(below, square);
            let product = g.mul(h, below);
            g.sub(product, on)
        };
        let (left, right) = (fraction(&mut g, h, a), fraction(&mut g, k, b));
        let difference = g.sub(h, k);
        let step = g.sub(s_next, s);
        let close = g.sub(step, difference);
        let total = g.add(sum, a);
        let total = g.sub(sum_next, total);
        let total = g.mul(add, total);
        let start = g.mul(first, sum);
        let looked_up = g.mul(on, a);
        let gate = |what: &str, expr: Id| Gate { what: what.into(), expr };
        let gates = vec![
            gate("left", left),
            gate("right", right),
            gate("closed", close),
            gate("sum", total),
            gate("start", start),
        ];
        let lookups = vec![
            Lookup { what: "range".into(), inputs: vec![looked_up], table: vec![3] },
            Lookup { what: "pair".into(), inputs: vec![looked_up, looked_up], table: vec![3, 3] },
        ];
        assert_eq!(g.degree(limit), 1);
        let mut fixed = ByColumn::zero(4, rows);
        for row in 0..used {
            *fixed.cell_mut(0, row) = Base::ONE;
            *fixed.cell_mut(1, row) = Base::from_bool(row + 1 < used);
        }
        *fixed.cell_mut(2, 0) = Base::ONE;
        (0..8).for_each(|x| *fixed.cell_mut(3, x) = Base::from_u32(x as u32));
        let cell = |column, row| Cell { column, row };
        let circuit = Circuit {
            name: "toy",
            log_rows,
            fixed_names: ["on", "add", "first", "limit"].map(String::from).to_vec(),
            early: ["a", "b", "sum"].map(String::from).to_vec(),
            late: ["h", "k", "s"].map(String::from).to_vec(),
            instance: 2,
            graph: g,
            gates,
            lookups,
            permuted: vec![A, B, Column::Instance],
            arity: 2,
            fractions: 2 * used,
            fixed,
            copies: vec![
                (cell(A, 0), cell(Column::Instance, 0)),
                (cell(B, 0), cell(Column::Instance, 1)),
                (cell(A, 0), cell(B, used - 1)),
            ],
        };
        Self { circuit, used }
    }

    fn early(&self) -> ByColumn<Base> {
        let rows = self.circuit.rows();
        let mut early = ByColumn::zero(3, rows);
        let value = |row: usize| Base::from_usize(row * row % 7 + 1);
        let mut sum = Base::ZERO;
        for row in 0..self.used {
            *early.cell_mut(0, row) = value(row);
            *early.cell_mut(1, row) = value(self.used - 1 - row);
            *early.cell_mut(2, row) = sum;
            sum += value(row);
        }
        early
    }

    fn instance(&self) -> Vec<Base> {
        let early = self.early();
        vec![early.column(0)[0], early.column(1)[0]]
    }

    /// Late columns as an honest prover makes them, then changed.
    fn assignment(
        &self,
        early: ByColumn<Base>,
        change: impl FnOnce(&mut ByColumn<Base>) + Send + 'static,
    ) -> Assignment<S> {
        let used = self.used;
        let late = move |early: &ByColumn<Base>, c: &trilemma_arith::kernel::Challenges<Base>| {
            let rows = early.height;
            let mut late = ByColumn::zero(3, rows);
            let mut s = Base::from_u32(5);
            for row in 0..rows {
                *late.cell_mut(2, row) = s;
                if row < used {
                    let below = |x: Base| c.gamma - c.beta[0] * x - c.beta[1] * x * x;
                    let [h, k] = [0, 1].map(|i| below(early.column(i)[row]).inverse());
                    *late.cell_mut(0, row) = h;
                    *late.cell_mut(1, row) = k;
                    s += h - k;
                }
            }
            change(&mut late);
            late
        };
        Assignment { early, late: Box::new(late) }
    }
}

fn scheme(opening: Opening) -> Scheme {
    Scheme::new(opening, &Options::default(), 12).unwrap()
}

fn prove((key, verifier): &(ProverKey, VerifierKey), assignment: Assignment<S>, instance: &[Base]) -> Option<Vec<u8>> {
    let mut t = ProverTranscript::new(b"toy", Security::default());
    t.bind("statement", b"toy");
    key.prove(verifier, assignment, instance, &mut t).ok()?;
    Some(t.finish().0)
}

fn verify(key: &VerifierKey, instance: &[Base], proof: &[u8]) -> Result<f64, Reject> {
    verify_as(key, b"toy", instance, proof)
}

fn verify_as(key: &VerifierKey, statement: &[u8], instance: &[Base], proof: &[u8]) -> Result<f64, Reject> {
    let mut t = VerifierTranscript::new(b"toy", Security::default(), proof);
    t.bind("statement", statement);
    key.verify(instance, &mut t)?;
    Ok(t.finish()?.0.bits())
}

/// All rows in use, almost all, and so few that the table is what is tallest.
fn toys() -> Vec<(Toy, usize, usize)> {
    vec![
        (Toy::new(5, 32), 6, 32),
        (Toy::new(5, 31 - UNUSABLE), 5, 31 - UNUSABLE),
        (Toy::new(5, 32 - UNUSABLE), 6, 32 - UNUSABLE),
        (Toy::new(5, 3), 4, 8),
    ]
}

#[test]
fn rows_are_kept_and_cycles_closed() {
    for (toy, log_height, used) in toys() {
        let rows = Rows::of(&toy.circuit).unwrap();
        assert_eq!((rows.log_height, rows.used), (log_height, used));
        assert_eq!(rows.wrapped, [Column::Late(S_COLUMN)]);
    }
    // A sum that is not of late cells alone: rows cannot be left out.
    let mut toy = Toy::new(5, 9);
    let [s, s_next, a] = {
        let g = &mut toy.circuit.graph;
        [g.cell(Column::Late(2)), g.next(Column::Late(2)), g.cell(A)]
    };
    let g = &mut toy.circuit.graph;
    let step = g.sub(s_next, s);
    let step = g.sub(step, a);
    let next = g.next(B);
    toy.circuit.gates.push(Gate { what: "free".into(), expr: g.mul(step, next) });
    let rows = Rows::of(&toy.circuit).unwrap();
    assert_eq!((rows.log_height, rows.used), (6, 32));
    assert_eq!(rows.wrapped, [B, Column::Late(2)]);
}

fn proves(opening: Opening) {
    for (toy, ..) in toys() {
        let scheme = scheme(opening);
        let key = keys(&scheme, &toy.circuit).unwrap();
        let instance = toy.instance();
        let proof = prove(&key, toy.assignment(toy.early(), |_| ()), &instance).unwrap();
        assert!(verify(&key.1, &instance, &proof).unwrap() >= 100.0);
        println!("{opening:?}: {} bytes", proof.len());

        // A saved key is the key.
        let form = Circuit { fixed: ByColumn::zero(0, 1), copies: Vec::new(), ..Toy::new(5, toy.used).circuit };
        let saved = key.1.save();
        let loaded = VerifierKey::load(&scheme, &form, &saved).unwrap();
        verify(&loaded, &instance, &proof).unwrap();
        for bad in [&saved[1..], &saved[..saved.len() - 1], &[saved.as_slice(), &[0]].concat(), &[]] {
            assert!(VerifierKey::load(&scheme, &form, bad).is_err());
        }

        // Another statement, public value or number of them.
        assert!(verify_as(&key.1, b"other", &instance, &proof).is_err());
        for other in [vec![instance[0], instance[0] + Base::ONE], vec![instance[0]], vec![]] {
            assert!(verify(&key.1, &other, &proof).is_err());
        }
    }
}

#[test]
fn shplonk_proves() {
    proves(Opening::Shplonk);
}

#[test]
fn gwc_proves() {
    proves(Opening::Gwc);
}

#[test]
fn ipa_proves() {
    proves(Opening::Ipa);
}

/// Teaches: every kind of constraint is there. A cheating prover runs the library's on what is false.
#[test]
fn false_assignments_do_not_verify() {
    for (toy, ..) in toys() {
        let key = keys(&scheme(Opening::Shplonk), &toy.circuit).unwrap();
        let instance = toy.instance();
        let refused = |what: &str, assignment, instance: &[Base]| {
            let proof = prove(&key, assignment, instance);
            assert!(proof.is_none_or(|proof| verify(&key.1, instance, &proof).is_err()), "{what}");
        };
        let changed = |column: usize, row: usize, by: u32| {
            let mut early = toy.early();
            *early.cell_mut(column, row) += Base::from_u32(by);
            early
        };
        let last = toy.used - 1;
        // The bus alone sees another entry of `b`; only the copy that closes the sum refuses it.
        refused("closing", toy.assignment(changed(1, 1, 1), |_| ()), &instance);
        refused("copy to an instance", toy.assignment(changed(1, 0, 1), |_| ()), &instance);
        refused("sum", toy.assignment(changed(2, last, 1), |_| ()), &instance);
        refused("start", toy.assignment(changed(2, 0, 1), |_| ()), &instance);
        let mut outside = toy.early();
        for (column, row) in [(0, last - 1), (1, 1)] {
            *outside.cell_mut(column, row) = Base::from_u32(9);
        }
        let sums = outside.column(0)[..toy.used].to_vec();
        let mut sum = Base::ZERO;
        for (row, x) in sums.into_iter().enumerate() {
            *outside.cell_mut(2, row) = sum;
            sum += x;
        }
        refused("lookup", toy.assignment(outside, |_| ()), &instance);
        for (column, row) in [(0, 0), (0, last), (1, last), (2, 0), (2, last)] {
            let change = move |late: &mut ByColumn<Base>| *late.cell_mut(column, row) += Base::ONE;
            refused("late cell", toy.assignment(toy.early(), change), &instance);
        }
        // All that is public is bound to cells.
        let lie = [instance[0] + Base::ONE, instance[1]];
        refused("public value", toy.assignment(toy.early(), |_| ()), &lie);
    }
}

/// Teaches: no bit of a proof is free, and no bytes make the verifier panic.
#[test]
fn changed_proofs_are_refused() {
    for opening in [Opening::Shplonk, Opening::Gwc, Opening::Ipa] {
        let toy = Toy::new(5, 20);
        let key = keys(&scheme(opening), &toy.circuit).unwrap();
        let instance = toy.instance();
        let proof = prove(&key, toy.assignment(toy.early(), |_| ()), &instance).unwrap();
        // Of an element or point: some bytes, and bits of the last, where the flags of points are.
        for at in (0..proof.len()).filter(|at| at % 32 == 31 || at % 7 == 0) {
            let bits = if at % 32 == 31 { vec![1, 64, 128] } else { vec![1 << (at % 8)] };
            for bit in bits {
                let mut changed = proof.clone();
                changed[at] ^= bit;
                assert!(verify(&key.1, &instance, &changed).is_err(), "{opening:?}, byte {at}, bit {bit}");
            }
        }
        for cut in [0, 1, 31, 32, proof.len() / 2, proof.len() - 1] {
            assert!(verify(&key.1, &instance, &proof[..cut]).is_err());
        }
        assert!(verify(&key.1, &instance, &[proof.as_slice(), &[0]].concat()).is_err());
        assert!(verify(&key.1, &instance, &vec![0; proof.len()]).is_err());
    }
}

/// Teaches: the machine's circuit keeps its rows in use, and closes no cycle but the sum's.
#[test]
fn the_machine_fits() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../frontends/guests/elf/exit7.elf");
    let program = Program::from_elf(&std::fs::read(path).unwrap()).unwrap();
    let machine = Machine::new(&program);
    let mut recorder = machine.recorder(&program);
    let outcome = execute(&program, &[], 1 << 16, &mut recorder).unwrap();
    let terms = machine.statement(outcome.exit_code, &outcome.output);
    let (air, trace) = (machine.air::<S>(), machine.trace(recorder).unwrap());
    let extent = Extent::of(&air, &trace, &terms);
    let (circuit, _) = Whole::lower(&air, &extent).unwrap();
    let rows = Rows::of(&circuit).unwrap();
    println!("2^{} rows of 2^{}, {} kept", rows.log_height, circuit.log_rows, rows.used);
    assert_eq!(rows.wrapped, [Column::Late(circuit.late.len() - 1)]);
    let blueprint = Blueprint::new(&circuit, rows).unwrap();
    let mut cs = ConstraintSystem::default();
    blueprint.configure(&mut cs);
    println!("{:?} columns, {} nodes", blueprint.columns, blueprint.nodes());
    println!("{} gates, {} lookups, {} permuted", cs.gates().len(), cs.lookups().len(), circuit.permuted.len());
    assert_eq!((blueprint.degree, cs.degree()), (6, 6));
    assert_eq!(cs.blinding_factors() + 1, UNUSABLE);
}
