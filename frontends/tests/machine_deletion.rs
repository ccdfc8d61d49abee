//! Nothing in a table is there for show: every constraint and every lookup, dropped alone, lets some
//! forged row through, and every other interaction, dropped alone, unbalances an honest execution.
//!
//! What is redundant is listed with the reason; dropping all of it at once changes nothing.

mod common;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use common::lab::{Lab, in_parallel};
use common::redundant::{self, ONE_OF, REDUNDANT, Redundant, items};
use common::search::Item;

use trilemma_core::Setting;
use trilemma_core::setting::KoalaBear4;

type F = <KoalaBear4 as Setting>::Base;

/// Rows evaluated before a search gives up.
const BUDGET: usize = 3_000_000;

fn find(lab: &Lab<F>, (table, name, before, _): Redundant) -> (usize, Item) {
    let t = lab.models.iter().position(|m| m.shape.name == table).unwrap();
    let item = items(&lab.models[t].shape).into_iter().find(|(_, n, b)| (n.as_str(), *b) == (name, before));
    (t, item.unwrap_or_else(|| panic!("{table} has no {name}")).0)
}

/// Teaches: lowering that drops a constraint, or a table that loses one, is noticed (Airbender).
#[test]
fn every_constraint_and_lookup_is_needed() {
    let lab = Lab::new::<KoalaBear4>();
    let redundant: Vec<(usize, Item)> = redundant::all().map(|entry| find(&lab, entry)).collect();
    let jobs: Vec<(usize, Item, String)> = lab
        .tables()
        .into_iter()
        .flat_map(|t| items(&lab.models[t].shape).into_iter().map(move |(i, n, _)| (t, i, n)))
        .collect();
    let found = in_parallel(&jobs, |(t, item, _)| {
        let budget = if redundant.contains(&(*t, *item)) { BUDGET / 10 } else { BUDGET };
        lab.search(*t, &[*item], budget)
    });
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for ((t, item, name), (witness, [tried, ..])) in jobs.iter().zip(&found) {
        let table = lab.models[*t].shape.name;
        let listed = redundant.contains(&(*t, *item));
        let count = counts.entry(table).or_default();
        count[usize::from(matches!(item, Item::Interaction(_)))] += usize::from(!listed);
        count[2] += usize::from(listed);
        match witness {
            Some(w) if listed => wrong.push(format!("{table}: {name} is listed as redundant: {}", lab.show(*t, w))),
            None if !listed => wrong.push(format!("{table}: nothing notices that {name} is missing")),
            Some(w) => println!("{table}: without {name}, after {tried} rows: {}", w.why),
            None => {}
        }
    }
    for (table, [constraints, lookups, redundant]) in &counts {
        println!("{table}: {constraints} constraints and {lookups} lookups needed, {redundant} redundant");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Teaches: what is redundant alone may be needed together with something else.
#[test]
fn what_is_redundant_is_redundant_together() {
    let lab = Lab::new::<KoalaBear4>();
    let second = ONE_OF.map(|[_, second]| find(&lab, second));
    let mut by_table: BTreeMap<usize, Vec<Item>> = BTreeMap::new();
    for (t, item) in REDUNDANT.iter().map(|&entry| find(&lab, entry)).filter(|found| !second.contains(found)) {
        by_table.entry(t).or_default().push(item);
    }
    let jobs: Vec<_> = by_table.into_iter().collect();
    for ((t, items), (witness, _)) in
        jobs.iter().zip(in_parallel(&jobs, |(t, items)| lab.search(*t, items, BUDGET / 4)))
    {
        let shown = witness.map(|w| lab.show(*t, &w));
        assert_eq!(shown, None, "{} without {items:?}", lab.models[*t].shape.name);
    }
    for pair in ONE_OF {
        let [(t, a), (_, b)] = pair.map(|entry| find(&lab, entry));
        let (witness, _) = lab.search(t, &[a, b], BUDGET);
        assert!(witness.is_some(), "{} needs neither {} nor {}", pair[0].0, pair[0].1, pair[1].1);
    }
}

fn fingerprint(bus: u32, tuple: &[u64]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (bus, tuple).hash(&mut hasher);
    hasher.finish()
}

/// Teaches: no interaction can be dropped or posted twice without an honest execution noticing.
#[test]
fn every_interaction_balances_an_honest_execution() {
    let lab = Lab::new::<KoalaBear4>();
    let statement = lab.run.machine.statement(lab.run.outcome.exit_code, &lab.run.outcome.output);
    let mut total = 0u64;
    for term in statement {
        let tuple: Vec<u64> = term.tuple.iter().map(|&x| u64::from(x)).collect();
        total = total.wrapping_add((term.multiplicity as u64).wrapping_mul(fingerprint(term.bus.id, &tuple)));
    }
    let mut values = Vec::new();
    for (model, rows) in lab.models.iter().zip(&lab.rows) {
        for (i, interaction) in model.shape.interactions.iter().enumerate() {
            let mut sum = 0u64;
            for seed in rows {
                model.eval(&seed.row, &seed.fixed, &mut values);
                let m = common::search::signed(values[interaction.multiplicity.0 as usize]);
                let tuple = model.tuple(i, &values);
                sum = sum.wrapping_add((m as u64).wrapping_mul(fingerprint(interaction.bus.id, &tuple)));
            }
            assert_ne!(sum, 0, "{}: interaction {i} is not missed", model.shape.name);
            total = total.wrapping_add(sum);
        }
    }
    assert_eq!(total, 0, "the buses of the honest execution");
}
