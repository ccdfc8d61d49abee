//! The prover of [`super::Basefold`].

use std::collections::BTreeMap;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, dot_product};
use p3_matrix::dense::RowMajorMatrix;
use trilemma_core::multilinear::{eq_table, fold};
use trilemma_core::{ConfigError, ProverTranscript, Setting, Smooth};

use super::folding::{Domain, fold_word, lift_word};
use super::{Group, Key, Plan, log_columns};
use crate::codes::oracle::{self, Committed, Tree};
use crate::codes::rounds::{self, Bound, first_slope};
use crate::codes::{add_scaled, combine_columns, combine_rows};
use crate::fri::tree::Merkle;
use crate::stacked::Opening;

type Openings<'a, S, T> = [Opening<'a, Committed<S, T>, <S as Setting>::Ext>];

/// The batched polynomials of a group once their columns are combined.
struct Batch<E> {
    /// Values of the longest ones' sum.
    table: Vec<E>,
    /// Values of shorter ones, longest last.
    shorter: Vec<Vec<E>>,
    /// The word of all.
    word: Vec<E>,
}

/// Proves the openings.
pub fn open<S: Smooth, T: Merkle<S>>(
    pk: &Key<S, T>,
    openings: &Openings<'_, S, T>,
    t: &mut ProverTranscript,
) -> Result<(), ConfigError> {
    let plan = pk.plan(openings.iter().map(|o| o.point.len()));
    T::assume(&pk.mmcs, t.ledger());
    let Some(opening) = openings.get(plan.longest) else { return Ok(()) };
    let (point, columns) = opening.point.split_at(plan.rows[plan.longest]);
    let alpha = match plan.batched() {
        true => t.challenge::<S>("basefold batch", Some(&plan.terms.batch))?,
        false => S::Ext::ONE,
    };

    // The last coordinates become challenges, which combine the columns.
    let mut claims: Vec<_> = plan
        .groups
        .iter()
        .map(|g| {
            let value = dot_product(alpha.powers(), g.members.iter().map(|&i| openings[i].value));
            (Bound { point: columns, value }, column_sums::<S, T>(&plan, g, openings, alpha))
        })
        .collect();
    let challenges = rounds::prove::<S>(&mut claims, "basefold columns", &plan.terms.columns, t)?;
    let weights = eq_table(&challenges, S::Ext::ONE);
    let mut batches: Vec<Batch<S::Ext>> =
        plan.groups.iter().map(|g| combine(pk, &plan, g, openings, alpha, &weights)).collect();

    // Folding binds the first coordinates.
    let mut later = batches.split_off(1).into_iter();
    let Some(mut batch) = batches.pop() else { return Ok(()) };
    let mut rest = point;
    let mut trees: Vec<Tree<S, T>> = Vec::new();
    for (word, &arity) in plan.arities.iter().enumerate() {
        let cells = <S::Ext as BasedVectorSpace<S::Base>>::flatten_to_base(batch.word.clone());
        let width = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION << arity;
        trees.push(oracle::commit::<S, T>(&pk.mmcs, RowMajorMatrix::new(cells, width), "basefold words", t));
        let mut inverses = Domain::<S::Base>::new(batch.word.len().trailing_zeros() as usize).even_inverses();
        for _ in 0..arity {
            t.send_ext::<S>("basefold slopes", &[first_slope(&batch.table, rest)]);
            let r = t.challenge::<S>("basefold fold", Some(&plan.terms.fold))?;
            fold(&mut batch.table, r);
            batch.word = fold_word(&batch.word, &mut inverses, r);
            if let Some(shorter) = batch.shorter.pop_if(|s| s.len() == batch.table.len()) {
                add_scaled(&mut batch.table, &shorter, S::Ext::ONE);
            }
            rest = &rest[1..];
        }
        for (_, joining) in plan.joining(word + 1).zip(&mut later) {
            let beta = t.challenge::<S>("basefold join", Some(&plan.terms.join))?;
            add_scaled(&mut batch.table, &joining.table, beta);
            add_scaled(&mut batch.word, &joining.word, beta);
        }
    }
    for shorter in &batch.shorter {
        batch.table.chunks_exact_mut(shorter.len()).for_each(|part| add_scaled(part, shorter, S::Ext::ONE));
    }
    t.send_ext::<S>("basefold last", &batch.table);

    t.guard("basefold queries", &plan.terms.query)?;
    answer(pk, &plan, openings, &trees, t);
    Ok(())
}

/// The value of every column of a group at the first coordinates of its points.
fn column_sums<S: Smooth, T: Merkle<S>>(
    plan: &Plan,
    group: &Group,
    openings: &Openings<'_, S, T>,
    alpha: S::Ext,
) -> Vec<S::Ext> {
    let mut sums = S::Ext::zero_vec(1 << log_columns::<S>());
    for (&member, power) in group.members.iter().zip(alpha.powers()) {
        let opening = &openings[member];
        let eq = eq_table(&opening.point[..plan.rows[member]], power);
        let values = combine_rows(&opening.of.values, log_columns::<S>(), &eq);
        add_scaled(&mut sums, &values, S::Ext::ONE);
    }
    sums
}

/// Combines the columns of a group, in its tables and in its words.
fn combine<S: Smooth, T: Merkle<S>>(
    pk: &Key<S, T>,
    plan: &Plan,
    group: &Group,
    openings: &Openings<'_, S, T>,
    alpha: S::Ext,
    weights: &[S::Ext],
) -> Batch<S::Ext> {
    let mut sums: BTreeMap<usize, (Vec<S::Ext>, Vec<S::Ext>)> = BTreeMap::new();
    for (&member, power) in group.members.iter().zip(alpha.powers()) {
        let opened = openings[member].of;
        let weights: Vec<S::Ext> = weights.iter().map(|&w| w * power).collect();
        let table = combine_columns(&opened.values, &weights);
        let word = combine_columns(oracle::cells::<S, T>(&pk.mmcs, &opened.tree), &weights);
        match sums.get_mut(&plan.rows[member]) {
            Some(sum) => {
                add_scaled(&mut sum.0, &table, S::Ext::ONE);
                add_scaled(&mut sum.1, &word, S::Ext::ONE);
            }
            None => drop(sums.insert(plan.rows[member], (table, word))),
        }
    }
    let (mut shorter, mut lifted) = (Vec::new(), Vec::new());
    let mut log = sums.keys().next().copied().unwrap_or(0);
    for (rows, (table, word)) in sums {
        while log < rows {
            log += 1;
            lifted = lift_word(&lifted, &Domain::<S::Base>::new(log + pk.code.log_blowup).points());
        }
        if lifted.is_empty() {
            lifted = word;
        } else {
            add_scaled(&mut lifted, &word, S::Ext::ONE);
        }
        shorter.push(table);
    }
    Batch { table: shorter.pop().unwrap_or_default(), shorter, word: lifted }
}

/// Reveals what the queries ask.
fn answer<S: Smooth, T: Merkle<S>>(
    pk: &Key<S, T>,
    plan: &Plan,
    openings: &Openings<'_, S, T>,
    trees: &[Tree<S, T>],
    t: &mut ProverTranscript,
) {
    let mut left = plan.rows[plan.longest];
    let mut positions = oracle::draw(&t.fork("basefold queries"), b"", 1 << (left + pk.code.log_blowup), pk.queries);
    for word in 0..=trees.len() {
        for group in plan.groups.iter().filter(|g| g.word == word) {
            for &member in &group.members {
                let rows = oracle::blocks(&positions, left - plan.rows[member]);
                oracle::reveal::<S, T>(&pk.mmcs, &openings[member].of.tree, &rows, |_, _| false, t);
            }
        }
        let (Some(&arity), Some(tree)) = (plan.arities.get(word), trees.get(word)) else { break };
        let leaves = oracle::blocks(&positions, arity);
        let degree = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
        let known =
            |leaf: usize, column: usize| positions.binary_search(&((leaf << arity) | (column / degree))).is_ok();
        oracle::reveal::<S, T>(&pk.mmcs, tree, &leaves, known, t);
        positions = leaves;
        left -= arity;
    }
}
