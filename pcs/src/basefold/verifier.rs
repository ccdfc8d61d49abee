//! The verifier of [`super::Basefold`].

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, dot_product};
use p3_matrix::Dimensions;
use trilemma_core::multilinear::{eq_table, evaluate};
use trilemma_core::{Reject, Setting, Smooth, VerifierTranscript};

use super::folding::{Domain, encode_at, fold_leaf, lift_factor};
use super::{Key, Plan, log_columns};
use crate::codes::oracle::{self, Root};
use crate::codes::rounds::{self, Bound};
use crate::fri::tree::Merkle;
use crate::stacked::Opening;

type Openings<'a, S, T> = [Opening<'a, Root<S, T>, <S as Setting>::Ext>];

/// The challenges of an opening, and what they lead to.
struct Interaction<S: Smooth, T: Merkle<S>> {
    /// Powers of the batching challenge count members of a group.
    alpha: S::Ext,
    /// Weights of the columns.
    weights: Vec<S::Ext>,
    /// Roots of all words but the last.
    roots: Vec<Root<S, T>>,
    /// Challenges by which each word is folded.
    folds: Vec<Vec<S::Ext>>,
    /// What each group counts when it joins.
    joins: Vec<S::Ext>,
    /// The last word's polynomial.
    last: Vec<S::Ext>,
}

/// Checks that the openings are true.
pub fn verify<S: Smooth, T: Merkle<S>>(
    vk: &Key<S, T>,
    openings: &Openings<'_, S, T>,
    t: &mut VerifierTranscript<'_>,
) -> Result<(), Reject> {
    let plan = vk.plan(openings.iter().map(|o| o.point.len()));
    T::assume(&vk.mmcs, t.ledger());
    let interaction = interact(vk, &plan, openings, t)?;
    t.guard("basefold queries", &plan.terms.query)?;
    query(vk, &plan, openings, &interaction, t)
}

/// Receives messages and follows the claimed value to the last polynomial.
fn interact<S: Smooth, T: Merkle<S>>(
    vk: &Key<S, T>,
    plan: &Plan,
    openings: &Openings<'_, S, T>,
    t: &mut VerifierTranscript<'_>,
) -> Result<Interaction<S, T>, Reject> {
    let opening = openings.get(plan.longest).ok_or_else(|| Reject::new("nothing to open"))?;
    let (point, columns) = opening.point.split_at(plan.rows[plan.longest]);
    let alpha = match plan.batched() {
        true => t.challenge::<S>("basefold batch", Some(&plan.terms.batch))?,
        false => S::Ext::ONE,
    };
    let mut claims: Vec<Bound<'_, S::Ext>> = plan
        .groups
        .iter()
        .map(|g| Bound {
            point: columns,
            value: dot_product(alpha.powers(), g.members.iter().map(|&i| openings[i].value)),
        })
        .collect();
    let challenges = rounds::verify::<S>(&mut claims, "basefold columns", &plan.terms.columns, t)?;

    let mut value = claims[0].value;
    let mut rest = point;
    let (mut roots, mut folds, mut joins) = (Vec::new(), Vec::new(), vec![S::Ext::ONE]);
    for (word, &arity) in plan.arities.iter().enumerate() {
        roots.push(oracle::receive::<S, T>(&vk.mmcs, "basefold words", t)?);
        let mut fold = Vec::with_capacity(arity);
        for _ in 0..arity {
            let slope = t.recv_ext::<S>("basefold slopes", 1)?[0];
            let r = t.challenge::<S>("basefold fold", Some(&plan.terms.fold))?;
            value += (r - rest[0]) * slope;
            rest = &rest[1..];
            fold.push(r);
        }
        folds.push(fold);
        for group in plan.joining(word + 1) {
            let beta = t.challenge::<S>("basefold join", Some(&plan.terms.join))?;
            value += beta * claims[group].value;
            joins.push(beta);
        }
    }
    let last = t.recv_ext::<S>("basefold last", 1 << rest.len())?;
    if evaluate(&last, rest) != value {
        return Err(Reject::new("the last polynomial has another value"));
    }
    Ok(Interaction { alpha, weights: eq_table(&challenges, S::Ext::ONE), roots, folds, joins, last })
}

/// Follows the words from the commitments to the last polynomial at random positions.
fn query<S: Smooth, T: Merkle<S>>(
    vk: &Key<S, T>,
    plan: &Plan,
    openings: &Openings<'_, S, T>,
    seen: &Interaction<S, T>,
    t: &mut VerifierTranscript<'_>,
) -> Result<(), Reject> {
    let mut left = plan.rows[plan.longest];
    let mut domain = Domain::<S::Base>::new(left + vk.code.log_blowup);
    let mut positions = oracle::draw(&t.fork("basefold queries"), b"", 1 << (left + vk.code.log_blowup), vk.queries);
    let mut values = vec![S::Ext::ZERO; positions.len()];
    for word in 0..=plan.arities.len() {
        // 1. What the commitments contribute to this word.
        for (group, &join) in plan.groups.iter().zip(&seen.joins).filter(|(g, _)| g.word == word) {
            for (&member, power) in group.members.iter().zip(seen.alpha.powers()) {
                let lift = left - plan.rows[member];
                let rows = oracle::blocks(&positions, lift);
                let height = 1 << (plan.rows[member] + vk.code.log_blowup);
                let dimensions = Dimensions { width: 1 << log_columns::<S>(), height };
                let cells = oracle::read::<S, T>(&vk.mmcs, openings[member].of, dimensions, &rows, |_, _| None, t)?;
                let symbols: Vec<S::Ext> = cells
                    .into_iter()
                    .map(|row| {
                        join * power * dot_product::<S::Ext, _, _>(seen.weights.iter().copied(), row.into_iter())
                    })
                    .collect();
                for (value, &position) in values.iter_mut().zip(&positions) {
                    let row = rows.binary_search(&(position >> lift)).map_err(|_| Reject::new("a row is missing"))?;
                    *value += symbols[row] * lift_factor(domain.at(position), lift);
                }
            }
        }
        // 2. The leaves in which its values stand fold to values of the next word.
        let (Some(&arity), Some(root)) = (plan.arities.get(word), seen.roots.get(word)) else { break };
        let leaves = oracle::blocks(&positions, arity);
        let degree = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
        let known = |leaf: usize, column: usize| {
            let at = positions.binary_search(&((leaf << arity) | (column / degree))).ok()?;
            BasedVectorSpace::<S::Base>::as_basis_coefficients_slice(&values[at]).get(column % degree).copied()
        };
        let height = 1 << (left + vk.code.log_blowup - arity);
        let dimensions = Dimensions { width: degree << arity, height };
        let cells = oracle::read::<S, T>(&vk.mmcs, root, dimensions, &leaves, known, t)?;
        values = leaves
            .iter()
            .zip(cells)
            .map(|(&leaf, cells)| {
                let symbols = S::Ext::reconstitute_from_base(cells);
                fold_leaf(symbols, &domain, leaf, &seen.folds[word])
            })
            .collect();
        positions = leaves;
        left -= arity;
        domain = Domain::new(left + vk.code.log_blowup);
    }
    // 3. The last word is the last polynomial's.
    let encodes = |(&position, &value): (&usize, &S::Ext)| encode_at(&seen.last, domain.at(position)) == value;
    if !positions.iter().zip(&values).all(encodes) {
        return Err(Reject::new("a word does not fold to the last polynomial"));
    }
    Ok(())
}
