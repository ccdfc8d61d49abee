//! The binary files that other tools read, read by a reader written from the formats' descriptions:
//! `.r1cs` version 1 and `.wtns` version 2.

mod common;

use std::collections::BTreeMap;

use common::guest;
use common::small::{Small, challenges};
use p3_field::{PrimeCharacteristicRing, PrimeField};
use trilemma_arith::air::PublicTerm;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::r1cs::{Assignment, Flat, R1cs, export};
use trilemma_core::Setting;
use trilemma_core::setting::{Bls12, Bn254};
use trilemma_frontends::riscv::exec::execute;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_pcs::Available;

/// Reads little-endian numbers off a slice.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> &'a [u8] {
        let (head, tail) = self.0.split_at(n);
        self.0 = tail;
        head
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().unwrap())
    }
}

/// The sections of a file by kind.
fn sections<'a>(file: &'a [u8], magic: &[u8], version: u32) -> BTreeMap<u32, Bytes<'a>> {
    let mut file = Bytes(file);
    assert_eq!(file.take(4), magic);
    assert_eq!(file.u32(), version);
    let mut sections = BTreeMap::new();
    for _ in 0..file.u32() {
        let (kind, size) = (file.u32(), file.u64());
        assert!(sections.insert(kind, Bytes(file.take(size as usize))).is_none(), "a section twice");
    }
    assert!(file.0.is_empty(), "bytes after the last section");
    sections
}

/// Wires with coefficients.
type Side<F> = Vec<(usize, F)>;

/// A system as read.
struct System<F> {
    prime: Vec<u8>,
    wires: usize,
    public: usize,
    constraints: Vec<[Side<F>; 3]>,
}

fn read_r1cs<S: Setting>(file: &[u8]) -> System<S::Base> {
    let mut sections = sections(file, b"r1cs", 1);
    assert_eq!(sections.len(), 3);
    let header = sections.get_mut(&1).unwrap();
    let size = header.u32() as usize;
    let prime = header.take(size).to_vec();
    let [wires, outputs, public, private] = [(); 4].map(|()| header.u32() as usize);
    let (labels, constraints) = (header.u64(), header.u32());
    assert!(header.0.is_empty());
    assert_eq!((size % 8, outputs, private, labels), (0, 0, 0, wires as u64));

    let body = sections.get_mut(&2).unwrap();
    let mut side = || -> Side<S::Base> {
        let terms: Vec<_> =
            (0..body.u32()).map(|_| (body.u32() as usize, S::decode(body.take(size)).expect("canonical"))).collect();
        assert!(terms.is_sorted_by(|a, b| a.0 < b.0), "ascending wires");
        assert!(terms.iter().all(|(wire, x)| *wire < wires && *x != S::Base::ZERO));
        terms
    };
    let constraints = (0..constraints).map(|_| [side(), side(), side()]).collect();
    assert!(body.0.is_empty());

    let map = sections.get_mut(&3).unwrap();
    assert!((0..wires as u64).all(|label| map.u64() == label));
    assert!(map.0.is_empty());
    System { prime, wires, public, constraints }
}

fn read_wtns<S: Setting>(file: &[u8]) -> (Vec<u8>, Vec<S::Base>) {
    let mut sections = sections(file, b"wtns", 2);
    assert_eq!(sections.len(), 2);
    let header = sections.get_mut(&1).unwrap();
    let size = header.u32() as usize;
    let (prime, n) = (header.take(size).to_vec(), header.u32());
    assert!(header.0.is_empty());
    let body = sections.get_mut(&2).unwrap();
    let values = (0..n).map(|_| S::decode(body.take(size)).expect("canonical")).collect();
    assert!(body.0.is_empty());
    (prime, values)
}

/// The first constraint that values do not satisfy.
fn broken<F: PrimeField>(system: &System<F>, values: &[F]) -> Option<usize> {
    let value = |side: &Side<F>| -> F { side.iter().map(|&(wire, x)| values[wire] * x).sum() };
    system.constraints.iter().position(|[a, b, c]| value(a) * value(b) != value(c))
}

/// The little-endian modulus of BN254's scalar field as the description of the format gives it.
const BN254: [u32; 8] =
    [0x010000f0, 0x93f5e143, 0x9170b979, 0x48e83328, 0x5d588181, 0xb64550b8, 0x29a031e1, 0x724e6430];

fn small<F: PrimeField, S: Setting<Base = F, Ext = F> + Available>() {
    for relation in Small::<S>::all() {
        let assignment = relation.assignment(&relation.trace);
        let written = |terms: &[PublicTerm], assignment: &Assignment<S>, challenges: &Challenges<F>| {
            export::<F, S>(&relation.r1cs, terms, assignment, challenges).unwrap()
        };
        let (r1cs, wtns) = written(&relation.terms, &assignment, &relation.challenges);
        let (system, (prime, values)) = (read_r1cs::<S>(&r1cs), read_wtns::<S>(&wtns));
        assert_eq!(system.prime, prime);
        assert_eq!(system.wires, values.len());
        assert_eq!(broken(&system, &values), None, "{}", relation.name);

        let mut public = vec![relation.challenges.gamma, relation.challenges.beta[0]];
        public.extend(relation.terms.iter().flat_map(|t| &t.tuple).map(|&x| F::from_u32(x)));
        assert_eq!((values[0], &values[1..=system.public]), (F::ONE, &public[..]));

        // Every wire is bound.
        for wire in 0..values.len() {
            let mut changed = values.clone();
            changed[wire] += F::ONE;
            assert!(broken(&system, &changed).is_some(), "{}: wire {wire}", relation.name);
        }

        // The system depends neither on challenges nor on witnesses, and decides as `check` does.
        for i in 0..relation.trace.instances.len() {
            for cell in 0..relation.trace.instances[i].cells.len() {
                let mut trace = relation.trace.clone();
                trace.instances[i].cells[cell] ^= 1;
                let (r1cs_again, wtns) = written(&relation.terms, &relation.assignment(&trace), &relation.challenges);
                assert!(r1cs_again == r1cs);
                let accepted = broken(&system, &read_wtns::<S>(&wtns).1).is_none();
                assert_eq!(accepted, relation.agreed(&trace), "{}: cell {cell} of {i}", relation.name);
            }
        }
        let other = challenges::<S>(&relation.air, 2);
        let mut assignment = assignment;
        assignment.fill_helpers(&relation.r1cs, &other);
        let (r1cs_again, wtns) = written(&relation.terms, &assignment, &other);
        assert!(r1cs_again == r1cs);
        assert_eq!(broken(&system, &read_wtns::<S>(&wtns).1), None);
        let mut terms = relation.terms.clone();
        terms[0].tuple[0] += 1;
        let (r1cs_again, wtns) = written(&terms, &assignment, &other);
        assert!(r1cs_again == r1cs);
        assert!(broken(&system, &read_wtns::<S>(&wtns).1).is_some());
    }
}

/// Teaches: what is written is the relation, and every wire is bound by it.
#[test]
fn files_of_small_relations() {
    small::<_, Bn254>();
    small::<_, Bls12>();
}

/// Teaches: a whole execution fits the formats. `TRILEMMA_EXPORT` names a folder to keep the files in.
#[test]
fn files_of_an_execution() {
    let program = guest("exit7");
    let machine = Machine::new(&program);
    let mut recorder = machine.recorder(&program);
    let outcome = execute(&program, &[], 1 << 22, &mut recorder).unwrap();
    let terms = machine.statement(outcome.exit_code, &outcome.output);
    let (air, trace) = (machine.air::<Bn254>(), machine.trace(recorder).unwrap());
    let (r1cs, challenges) = (R1cs::of(&air), challenges::<Bn254>(&air, 1));
    let mut assignment = Assignment::new(&r1cs, &air, &trace);
    assignment.fill_helpers(&r1cs, &challenges);
    let flat = Flat::<Bn254>::new(&r1cs, &terms, &assignment, &challenges);
    let (mut system, mut witness) = (Vec::new(), Vec::new());
    flat.write_r1cs(&mut system).unwrap();
    flat.write_wtns(&mut witness).unwrap();
    println!(
        "{} wires, {} constraints, {} and {} bytes",
        flat.wires(),
        flat.constraints(),
        system.len(),
        witness.len()
    );
    if let Some(folder) = std::env::var_os("TRILEMMA_EXPORT") {
        std::fs::write(std::path::Path::new(&folder).join("exit7.r1cs"), &system).unwrap();
        std::fs::write(std::path::Path::new(&folder).join("exit7.wtns"), &witness).unwrap();
    }
    let (system, (_, values)) = (read_r1cs::<Bn254>(&system), read_wtns::<Bn254>(&witness));
    assert_eq!(system.prime, BN254.map(u32::to_be_bytes).concat());
    assert_eq!(broken(&system, &values), None);
}
