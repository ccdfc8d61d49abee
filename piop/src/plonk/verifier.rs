//! The verifier of `plonk`, to be read beside the module's header.

use std::collections::HashMap;

use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField, batch_multiplicative_inverse};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::Circuit;
use trilemma_core::channel::{Oracle, OracleVerifier};
use trilemma_core::claim::rejoin;
use trilemma_core::{Label, Reject, Smooth, UniEval};

use super::layout::{Groups, Layout, Oracles, Permutation, Poly, places};
use super::lookup::{Fingerprints, Fraction, Numerator, sum};
use super::{lookup, permutation};

/// Decides whether the circuit has an assignment with this instance.
pub fn verify<S: Smooth>(
    mode: Permutation,
    circuit: &Circuit<S>,
    instance: &[S::Base],
    ch: &mut dyn OracleVerifier<S, UniEval<S::Ext>>,
) -> Result<(), Reject> {
    let layout = Layout::new(mode, circuit);
    layout.check(circuit)?;
    ch.require("the number of public values", instance.len() == circuit.instance)?;
    let index = (!layout.index.is_empty()).then_some(Oracle(0));

    // 1. Early columns, and how often every row of a table is looked up.
    let early = recv(ch, "early", &layout, &layout.early)?;

    // 2. and 3. The circuit's own challenges, and the columns that depend on them.
    let gamma = ch.sample("gamma", Some(Layout::circuit_term(circuit)))?;
    let beta = ch.sample("beta", None)?;
    let challenges = Challenges::new(gamma, beta, circuit.arity);
    let late = recv(ch, "late", &layout, &layout.late)?;

    // 4. and 5. Copies and lookups as products and sums of fingerprints.
    let delta = ch.sample("delta", Some(layout.argument_term::<S>()))?;
    let theta = ch.sample("theta", None)?;
    let fingerprints = Fingerprints::new(delta, theta, layout.arity);
    let arguments = recv(ch, "arguments", &layout, &layout.arguments)?;

    // 6. and 7. All constraints as one, and its quotient by the vanishing polynomial.
    let alpha = ch.sample("alpha", Some(layout.batch_term::<S>()))?;
    let quotient = recv(ch, "quotient", &layout, &layout.quotient)?;

    // 8. Everything at one point outside the domain, and at its successor.
    let zeta = ch.sample("zeta", Some(layout.point_term::<S>()))?;
    let top = zeta.exp_power_of_2(layout.log_rows);
    ch.require("zeta lies outside the domain", top != S::Ext::ONE)?;
    let oracles = Oracles(vec![index, early, late, arguments, quotient]);
    let answers = ch.ask(layout.questions::<S>(&oracles, zeta))?;
    let mut opened = opened::<S>(&layout, &oracles, &answers)?;
    for (next, point) in [(false, zeta), (true, zeta * S::Base::two_adic_generator(layout.log_rows))] {
        opened.0.insert((Poly::Instance, next), instance_at::<S>(instance, layout.log_rows, point));
    }

    let constraints = constraints(circuit, &layout, &challenges, &fingerprints, zeta, &opened);
    let folded: S::Ext = constraints.into_iter().zip(alpha.powers()).map(|(c, power)| c * power).sum();
    let parts = (0..layout.degree - 1).rev().map(|part| opened.here(Poly::Quotient(part)));
    let claimed = parts.fold(S::Ext::ZERO, |acc, q| acc * top + q);
    ch.require("the constraints hold at zeta", folded == claimed * (top - S::Ext::ONE))
}

/// The value at `zeta` of every constraint: gates, partial products, sums of fractions, and that the
/// product starts with 1.
fn constraints<S: Smooth>(
    circuit: &Circuit<S>,
    layout: &Layout,
    challenges: &Challenges<S::Ext>,
    fingerprints: &Fingerprints<S::Ext>,
    zeta: S::Ext,
    opened: &Opened<S::Ext>,
) -> Vec<S::Ext> {
    let mut nodes = Vec::new();
    circuit.graph.evaluate(challenges, |query| opened.at(query.column.into(), query.next), &mut nodes);
    let node = |id: &trilemma_arith::plonkish::Id| nodes[id.0 as usize];
    let mut constraints: Vec<S::Ext> = circuit.gates.iter().map(|gate| node(&gate.expr)).collect();

    let (mut identities, mut sigmas) = (Vec::new(), Vec::new());
    for (c, (&column, place)) in layout.permuted.iter().zip(places::<S::Base>(layout.permuted.len())).enumerate() {
        let value = opened.here(column.into());
        identities.push(fingerprints.cell::<S::Ext, S::Ext>(layout.copies, value, zeta * place));
        sigmas.push(fingerprints.cell::<S::Ext, S::Ext>(layout.copies, value, opened.here(Poly::Sigma(c))));
    }
    let products: Vec<S::Ext> = (0..layout.chunks.len()).map(|j| opened.here(Poly::Product(j))).collect();
    let first_next = opened.at(Poly::Product(0), true);
    constraints.extend(permutation::constraints(&layout.chunks, &products, first_next, &identities, &sigmas));

    let fraction = |&fraction: &Fraction| match fraction {
        Fraction::Lookup(i) => {
            let inputs = circuit.lookups[i].inputs.iter().map(node);
            (Numerator::Plus, fingerprints.tuple::<S::Ext, S::Ext>(layout.buses[i], inputs))
        }
        Fraction::Table(t) => {
            let row = layout.parts[t].columns.iter().map(|&column| opened.here(Poly::Fixed(column)));
            (
                Numerator::Minuses(opened.here(Poly::Multiplicity(t))),
                fingerprints.tuple::<S::Ext, S::Ext>(layout.parts[t].bus, row),
            )
        }
        Fraction::Identity(c) => (Numerator::Plus, identities[c]),
        Fraction::Sigma(c) => (Numerator::Minus, sigmas[c]),
    };
    let helpers: Vec<S::Ext> = (1..layout.groups.len()).map(|g| opened.here(Poly::Helper(g - 1))).collect();
    let step = opened.at(Poly::Accumulator, true) - opened.here(Poly::Accumulator);
    let sums = layout.groups.iter().map(|group| sum(group.iter().map(fraction)));
    constraints.extend(lookup::constraints(sums, &helpers, step));

    if let Some(&first) = products.first() {
        constraints.push(lagrange_at::<S>(layout.log_rows, S::Base::ONE, zeta) * (first - S::Ext::ONE));
    }
    constraints
}

fn recv<S: Smooth>(
    ch: &mut dyn OracleVerifier<S, UniEval<S::Ext>>,
    label: Label,
    layout: &Layout,
    groups: &Groups,
) -> Result<Option<Oracle>, Reject> {
    if groups.is_empty() { Ok(None) } else { ch.recv_oracle(label, layout.shapes::<S>(groups)).map(Some) }
}

/// Answers, by column.
fn opened<S: Smooth>(layout: &Layout, oracles: &Oracles, answers: &[Vec<S::Ext>]) -> Result<Opened<S::Ext>, Reject> {
    let mut opened = HashMap::new();
    let openings = layout.openings(oracles);
    if openings.len() != answers.len() {
        return Err(Reject::new("too few answers"));
    }
    for ((.., group, next), mut values) in openings.into_iter().zip(answers.iter().map(Vec::as_slice)) {
        for &poly in &group.polys {
            let (value, rest) =
                values.split_at_checked(poly.width::<S>()).ok_or_else(|| Reject::new("too few values"))?;
            let value = if poly.is_ext() { rejoin::<S::Base, S::Ext>(value) } else { value.to_vec() };
            opened.insert((poly, next), value.first().copied().unwrap_or_default());
            values = rest;
        }
    }
    Ok(Opened(opened))
}

/// Values of columns at `zeta` and at its successor.
struct Opened<E>(HashMap<(Poly, bool), E>);

impl<E: Field> Opened<E> {
    /// The value of a column that was asked for; no constraint reads any other.
    fn at(&self, poly: Poly, next: bool) -> E {
        self.0.get(&(poly, next)).copied().unwrap_or_default()
    }

    fn here(&self, poly: Poly) -> E {
        self.at(poly, false)
    }
}

/// The Lagrange polynomial of the domain's point `x`, at a point outside: `x (z^n - 1) / (n (z - x))`.
fn lagrange_at<S: Smooth>(log_rows: usize, x: S::Base, z: S::Ext) -> S::Ext {
    let scale = (z.exp_power_of_2(log_rows) - S::Ext::ONE) * S::Base::ONE.div_2exp_u64(log_rows as u64);
    (z - x).try_inverse().unwrap_or_default() * scale * x
}

/// The instance column at a point outside the domain.
fn instance_at<S: Smooth>(instance: &[S::Base], log_rows: usize, z: S::Ext) -> S::Ext {
    let points: Vec<S::Base> = S::Base::two_adic_generator(log_rows).powers().take(instance.len()).collect();
    let differences: Vec<S::Ext> = points.iter().map(|&x| z - x).collect();
    let inverses = batch_multiplicative_inverse(&differences);
    let sum: S::Ext =
        instance.iter().zip(&points).zip(inverses).map(|((&value, &x), inverse)| inverse * (value * x)).sum();
    sum * (z.exp_power_of_2(log_rows) - S::Ext::ONE) * S::Base::ONE.div_2exp_u64(log_rows as u64)
}
