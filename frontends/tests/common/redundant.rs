//! Constraints and lookups of the machine's tables, and which of them others make unnecessary.

use std::collections::BTreeMap;

use trilemma_arith::TableShape;

use super::search::Item;

/// A constraint or lookup that others make unnecessary: table, name, how many of that name come
/// before it in the table, reason.
pub type Redundant = (&'static str, &'static str, usize, &'static str);

const FLAG: &str = "its multiple of 8 or 16 is a difference of flags, and 8 or 16 less it is the width \
    of a range check, so it is an integer, and of those only 0 and 1 fit the flags";
const WRAP: &str = "the carry leaves only -1 and 2^16 besides legal values, and then the word lies outside RAM";
const TOP: &str = "the check of its sign bounds it too: below 2^8 when unsigned, 128 sign + 2^7 when signed";

pub const REDUNDANT: [Redundant; 16] = [
    ("shift", "arithmetic", 0, FLAG),
    ("shifti", "arithmetic", 0, FLAG),
    ("load", "signed", 0, FLAG),
    ("load word", "range(address hi, 16)", 0, WRAP),
    ("store word", "range(address hi, 16)", 0, WRAP),
    ("load", "range(address hi, 16)", 0, WRAP),
    ("store", "range(address hi, 16)", 0, WRAP),
    ("store", "signed", 0, "follows from `stores have no sign`"),
    ("mul", "range(a3, 8)", 0, TOP),
    ("mul", "range(b3, 8)", 0, TOP),
    ("div", "range(b3, 8)", 0, TOP),
    (
        "div",
        "b sign",
        1,
        "an unsigned divisor of at least 2^31 taken as b - 2^32 leaves, with q and r not negative, only q = 0 and r = a \
         below 2^32 - b, which is what b itself gives",
    ),
    ("div", "b is zero", 0, "anything but 0 makes b zero, and then |b| = |r| + 1 + d has no solution unless it is 1"),
    ("ecall", "debug", 0, "two calls at once ask for different descriptors, and `debug goes on` excludes padding"),
    ("ecall", "range(clock + 4 - (clock + 1) - 1, 16)", 0, "the constant 2"),
    ("store", "stores have no sign", 0, "follows from `signed` being a bit and the flags"),
];

/// Pairs of which one is enough, the first being listed above.
pub const ONE_OF: [[Redundant; 2]; 2] = [
    [("store", "signed", 0, ""), ("store", "stores have no sign", 0, "")],
    [
        ("div", "b sign", 1, ""),
        (
            "div",
            "sign of unsigned quotients",
            0,
            "an unsigned quotient taken as q - 2^32 leaves \
        a remainder of at least b, or b = 0, where only q's word is read",
        ),
    ],
];

/// What is redundant alone.
pub fn all() -> impl Iterator<Item = Redundant> {
    REDUNDANT.into_iter().chain([ONE_OF[1][1]])
}

/// Whether the constraint or lookup of a table with a name is redundant alone: the one that so many of that name come
/// before.
pub fn is_redundant(table: &str, name: &str, before: usize) -> bool {
    all().any(|entry| (entry.0, entry.1, entry.2) == (table, name, before))
}

/// Every constraint and lookup of a table, with its name and how many of that name come before.
pub fn items(shape: &TableShape) -> Vec<(Item, String, usize)> {
    let constraints = shape.constraints.iter().enumerate().map(|(i, c)| (Item::Constraint(i), c.what.to_string()));
    let lookups = shape.interactions.iter().enumerate().filter(|(_, x)| x.bus.lookup).map(|(i, x)| {
        let tuple: Vec<String> = x.tuple.iter().map(|&e| shape.formula(e)).collect();
        (Item::Interaction(i), format!("{}({})", x.bus.name, tuple.join(", ")))
    });
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut numbered = |name: &String| {
        let n = seen.entry(name.clone()).or_default();
        *n += 1;
        *n - 1
    };
    constraints.chain(lookups).map(|(item, name)| (item, name.clone(), numbered(&name))).collect()
}
