//! The circuit of a relation says what the relation says: on honest witnesses, with every cell
//! changed, on random ones; and nothing in it can be left out.

use crate::plonkish;
use crate::relations::Relation;
use p3_field::{PrimeCharacteristicRing, PrimeField32};
use plonkish::{Forger, Part, agreed, challenges};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use trilemma_arith::Bus;
use trilemma_arith::air::PublicTerm;
use trilemma_arith::plonkish::{Assignment, Circuit, Custom, Extent, Gate, Lowering, Params, describe, instance};
use trilemma_arith::r1cs::ByColumn;
use trilemma_core::Setting;
use trilemma_core::setting::{Bls12, Goldilocks2, KoalaBear4};
use trilemma_pcs::Available;
use trilemma_piop::check_plonkish::{Values, Violation};

/// The default, gates of other degrees, lookup tables in parts, and rows as narrow as the relation allows.
fn params(name: &str) -> Vec<Params> {
    let default = Params::default();
    let mut params = vec![
        default,
        Params { degree: 4, ..default },
        Params { degree: 6, ..default },
        Params { split: false, ..default },
    ];
    if name == "wide" {
        params.extend([6, 7, 9].map(|width| Params { width: Some(width), ..default }));
        params.push(Params { width: Some(5), degree: 4, split: false });
    }
    params
}

fn agree<S: Available>(random: usize) {
    for relation in Relation::<S>::small() {
        let Relation { name, air, terms, trace } = &relation;
        for params in params(name) {
            assert!(agreed(name, air, terms, trace, params), "{name}, {params:?}");
            let mut accepted = 0;
            let tried =
                relation.mutants(random, |trace| accepted += usize::from(agreed(name, air, terms, trace, params)));
            println!("{} {name} {params:?}: {accepted} of {tried} accepted", S::NAME);
            assert!(accepted < tried / 2, "{name}: {accepted} of {tried} accepted");
        }
    }
}

/// Teaches: lowering neither drops nor adds a constraint.
#[test]
fn relations_and_their_circuits_agree() {
    agree::<KoalaBear4>(90);
    agree::<Goldilocks2>(12);
    agree::<Bls12>(12);
}

/// Teaches: the verifier's form is the prover's circuit, gates stay within their degree, and what
/// selectors tell apart they tell apart exactly.
#[test]
fn forms_are_circuits() {
    for Relation { name, air, terms, trace } in Relation::<KoalaBear4>::small() {
        let extent = Extent::of(&air, &trace, &terms);
        for params in params(name) {
            let form = Custom::form_with(&air, &extent, params).unwrap();
            let (circuit, custom) = Custom::lower_with(&air, &extent, params).unwrap();
            assert_eq!(describe(&form), describe(&circuit));
            assert!(circuit.gate_degree() <= params.degree, "{name}, {params:?}");
            let inputs = circuit.lookups.iter().flat_map(|l| &l.inputs);
            assert!(inputs.clone().all(|&id| circuit.graph.degree(id) <= 3 && !circuit.graph.is_late(id)));
            assert_eq!(circuit.fixed.width(), circuit.fixed_names.len());
            assert!(form.fixed.values.is_empty() && form.copies.is_empty());
            for copy in &circuit.copies {
                assert!([copy.0, copy.1].iter().all(|c| circuit.permuted.contains(&c.column)));
            }
            println!("{name} {params:?}\n{}", custom.report(&circuit));
        }
    }
}

/// Teaches: an extent that no trace has is refused, not lowered.
#[test]
fn impossible_extents_are_refused() {
    let [Relation { air, terms, trace, .. }, ..] = &Relation::<KoalaBear4>::small()[..] else { panic!() };
    let honest = Extent::of(air, trace, terms);
    let refused = |change: &dyn Fn(&mut Extent)| {
        let mut extent = honest.clone();
        change(&mut extent);
        Custom::form(air, &extent).err().map(|e| e.0)
    };
    assert_eq!(refused(&|_| {}), None);
    let heard = [
        refused(&|e| e.instances[0].1 = 3),
        refused(&|e| e.instances[0].1 = usize::MAX),
        refused(&|e| e.instances[1].1 = usize::MAX),
        refused(&|e| e.instances.truncate(2)),
        refused(&|e| e.instances.push((2, 8))),
        refused(&|e| e.instances.extend([(1, 1), (1, 1)])),
        refused(&|e| e.instances.push((3, 1))),
        refused(&|e| e.statement.push((Bus { id: 50, name: "small", arity: 1, lookup: true }, 1))),
    ];
    assert!(heard.iter().all(Option::is_some), "{heard:?}");
    assert!(Custom::form_with(air, &honest, Params { degree: 3, ..Params::default() }).is_err());
    assert!(Custom::form_with(air, &honest, Params { width: Some(1), ..Params::default() }).is_err());
}

type F = <KoalaBear4 as Setting>::Base;
type E = <KoalaBear4 as Setting>::Ext;

/// The circuit under which the buses of some early cells balance, and its statement.
fn balanced(
    relation: &Relation<KoalaBear4>,
    params: Params,
    early: &ByColumn<F>,
) -> (Circuit<KoalaBear4>, Custom<KoalaBear4>, Vec<PublicTerm>) {
    let Relation { air, terms, trace, .. } = relation;
    let buses: Vec<Bus> = air.tables.iter().flat_map(|t| &t.shape().interactions).map(|i| i.bus).collect();
    let (_, custom) = Custom::lower_with(air, &Extent::of(air, trace, terms), params).unwrap();
    let mut terms = terms.clone();
    for (tuple, excess) in custom.unbalanced(early) {
        let tuple: Vec<u32> = tuple.iter().map(PrimeField32::as_canonical_u32).collect();
        let bus = *buses.iter().find(|b| b.id == tuple[0]).unwrap();
        terms.push(PublicTerm { bus, multiplicity: -i64::from(excess.as_canonical_u32()), tuple: tuple[1..].to_vec() });
    }
    let (circuit, custom) = Custom::lower_with(air, &Extent::of(air, trace, &terms), params).unwrap();
    (circuit, custom, terms)
}

fn broken(values: &Values<'_, KoalaBear4>) -> Vec<Part> {
    let gates = values.broken_gates().into_iter().map(|b| Part::Gate(b.1));
    let lookups = values.broken_lookups().into_iter().map(|b| Part::Lookup(b.1));
    let copies = values.broken_copies().into_iter().map(Part::Copy);
    let mut parts: Vec<Part> = gates.chain(lookups).chain(copies).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// Parts that follow from others: relation and what they say.
fn redundant(name: &str, what: &str) -> bool {
    // A cycle of equal cells needs no seam; two constraints that say the same.
    matches!((name, what), ("tiny", "seam") | ("zoo", "zoo: u" | "zoo: u again"))
}

/// Teaches: a lowering that loses a gate, a copy or a lookup is noticed (Airbender). For every one
/// there is a statement with cells that only this one refuses.
#[test]
fn every_part_is_needed() {
    let mut rng = SmallRng::seed_from_u64(9);
    // In `wide` the gate of a bit follows from the lookups that it gates.
    for mut relation in Relation::<KoalaBear4>::small().into_iter().filter(|r| r.name != "wide") {
        let name = relation.name;
        // Terms that say nothing, so that others of the same buses do not change the layout.
        for interaction in relation.air.tables.iter().flat_map(|t| &t.shape().interactions) {
            let bus = interaction.bus;
            if !bus.lookup {
                relation.terms.push(PublicTerm { bus, multiplicity: 0, tuple: vec![0; bus.arity] });
            }
        }
        let Relation { air, terms, trace, .. } = &relation;
        let extent = Extent::of(air, trace, terms);
        let width = Custom::form(air, &extent).unwrap().early.len();
        let params = Params { width: Some(width), ..Params::default() };
        let (circuit, custom) = Custom::lower_with(air, &extent, params).unwrap();
        let forger = Forger::new(&circuit);
        let honest = custom.assign(air, trace, terms).early;
        let early: Vec<usize> = forger.early_gates().collect();
        let seams = (0..circuit.copies.len()).filter(|&i| forger_copy(&circuit, i));
        let parts = early.iter().map(|&i| Part::Gate(i)).chain(seams.map(Part::Copy));
        let parts = parts.chain((0..circuit.lookups.len()).map(Part::Lookup));
        for part in parts {
            let what = match part {
                Part::Gate(i) => circuit.gates[i].what.as_str(),
                Part::Lookup(i) => circuit.lookups[i].what.as_str(),
                Part::Copy(_) => "seam",
            };
            let forged = (0..if redundant(name, what) { 2_000 } else { 50_000 })
                .find_map(|_| forger.forge(&honest, part, &mut rng));
            if redundant(name, what) {
                assert!(forged.is_none(), "{name}: {what} is listed as redundant");
                continue;
            }
            let forged = forged.unwrap_or_else(|| panic!("{name}: nothing notices that {what} is missing"));
            let (circuit, custom, terms) = balanced(&relation, params, &forged);
            let Assignment { early, late } = custom.assign(air, trace, &terms);
            let mut cells = early.clone();
            let rows = forged.height.min(cells.height);
            let table_rows = custom.report(&circuit).used - terms.len();
            for column in 0..cells.width() {
                for row in 0..table_rows.min(rows) {
                    *cells.cell_mut(column, row) = forged.column(column)[row];
                }
            }
            let values = Values::new(
                &circuit,
                Assignment { early: cells, late },
                instance::<KoalaBear4>(&terms),
                challenges(air, 1),
            );
            let kind = |part: Part| match part {
                Part::Gate(i) => circuit.gates[i].what.clone(),
                Part::Lookup(i) => circuit.lookups[i].what.clone(),
                Part::Copy(_) => "seam".to_string(),
            };
            let heard: Vec<String> = broken(&values).into_iter().map(kind).collect();
            assert_eq!(heard, [what], "{name}: {:?}", values.violations(2));
        }
        late_parts(name, &relation, params, early.len());
    }
}

fn forger_copy(circuit: &Circuit<KoalaBear4>, i: usize) -> bool {
    circuit.copies[i].0.column != trilemma_arith::plonkish::Column::Instance
}

/// Gates of late columns, and copies of the instance.
fn late_parts(name: &str, relation: &Relation<KoalaBear4>, params: Params, early: usize) {
    let Relation { air, terms, trace, .. } = relation;
    let (circuit, custom) = Custom::lower_with(air, &Extent::of(air, trace, terms), params).unwrap();
    let fresh = || {
        let assignment = custom.assign(air, trace, terms);
        Values::new(&circuit, assignment, instance::<KoalaBear4>(terms), challenges(air, 1))
    };
    assert_eq!(broken(&fresh()), []);
    let sum = circuit.late.len() - 1;
    let rows = circuit.rows();
    for number in early..circuit.gates.len() {
        let Gate { what, .. } = &circuit.gates[number];
        let mut found = false;
        let pairs: Vec<(usize, usize, usize)> =
            (0..sum).flat_map(|h| (0..rows).flat_map(move |a| (a + 1..rows).map(move |b| (h, a, b)))).collect();
        if number + 1 == circuit.gates.len() {
            let mut values = fresh();
            *values.late.cell_mut(sum, 1) += E::TWO;
            found = broken(&values) == [Part::Gate(number)];
        }
        for (helper, a, b) in pairs {
            if found {
                break;
            }
            let mut values = fresh();
            let delta = E::TWO;
            *values.late.cell_mut(helper, a) += delta;
            *values.late.cell_mut(helper, b) -= delta;
            (a + 1..=b).for_each(|row| *values.late.cell_mut(sum, row) += delta);
            found = broken(&values) == [Part::Gate(number)];
        }
        assert!(found, "{name}: nothing notices that {what} is missing");
    }
    for (number, copy) in circuit.copies.iter().enumerate().filter(|(i, _)| !forger_copy(&circuit, *i)) {
        let mut values = fresh();
        values.instance[copy.0.row] += F::ONE;
        assert_eq!(broken(&values), [Part::Copy(number)], "{name}");
    }
}

/// Teaches: a prover is free in no late cell, but for the constant in the sum of helpers.
#[test]
fn late_cells_cannot_be_changed() {
    for Relation { name, air, terms, trace } in Relation::<KoalaBear4>::small() {
        let (circuit, custom) = Custom::lower(&air, &Extent::of(&air, &trace, &terms)).unwrap();
        let assignment = custom.assign(&air, &trace, &terms);
        let mut values = Values::new(&circuit, assignment, instance::<KoalaBear4>(&terms), challenges(&air, 1));
        for cell in 0..values.late.values.len() {
            values.late.values[cell] += F::ONE;
            assert!(!values.broken_gates().is_empty(), "{name}: cell {cell}");
            values.late.values[cell] -= F::ONE;
        }
        let from = (circuit.late.len() - 1) * circuit.rows();
        values.late.values[from..].iter_mut().for_each(|x| *x += F::ONE);
        assert_eq!(values.violations(1), []);
    }
}

/// Teaches: a report says which gate failed, on which row, and with what.
#[test]
fn violations_name_what_failed() {
    let [Relation { air, terms, trace, .. }, ..] = &Relation::<KoalaBear4>::small()[..] else { panic!() };
    let mut trace = trace.clone();
    trace.instances[1].cells[2] += 1;
    let violations = plonkish::violations_of(air, terms, &trace, Params::default());
    let [gate @ Violation::Gate { .. }, Violation::Gate { what, .. }] = &violations[..] else {
        panic!("{violations:?}")
    };
    assert_eq!(what, "the sum of all helpers");
    let text = gate.to_string();
    assert!(text.starts_with("row 5, gate ") && text.contains("cubes: y") && text.contains("x=2"), "{text}");
}
