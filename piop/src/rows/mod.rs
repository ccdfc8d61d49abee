//! The row sumcheck: one polynomial in the columns of every instance, summed over rows against `eq`.
//! What PIOPs over multilinear claims share; they differ in the polynomial.

mod next;
mod rounds;

use p3_field::{PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::kernel::{PackedBase, PackedExt};
use trilemma_arith::products::{Var, Weighted};
use trilemma_core::channel::{Oracle, OracleProver};
use trilemma_core::claim::ByColumn;
use trilemma_core::{MlEval, ProveError, Setting};

pub use next::{prove_next_rows, verify_next_rows};
pub use rounds::{Fraction, Multiplied, Side};

use crate::instances::{InstanceLayout, Instances};
use crate::packed::{broadcast, lanes};
use crate::sumcheck::{self, Rounds};

/// The prover's side of a channel with multilinear claims.
pub type Prover<'a, S> = dyn OracleProver<S, MlEval<<S as Setting>::Ext>> + 'a;

/// Runs the sumcheck with a side for every instance, of whose columns in `main` those in `next` are read
/// on the next row. Returns the point where it ends.
pub fn prove_rows<S: Setting>(
    ch: &mut Prover<'_, S>,
    rounds: Rounds,
    (instances, next): (&Instances, &[Vec<usize>]),
    main: Oracle,
    mut sides: Vec<Side<'_, S>>,
) -> Result<Vec<S::Ext>, ProveError> {
    let variables = instances.log_max;
    sumcheck::prove(
        ch,
        rounds,
        variables,
        &mut sides,
        |sides, round| {
            let mut values = S::Ext::zero_vec(rounds.degree);
            sides.iter_mut().for_each(|side| side.message(variables - round, &mut values));
            values
        },
        |sides, ch, round, rho| {
            for (k, (side, i)) in sides.iter_mut().zip(&instances.list).enumerate() {
                side.bind(|| BaseColumns::of(i, &next[k], main, k, ch), variables - round, rho);
            }
        },
    )
}

/// An instance's columns over the base field.
pub struct BaseColumns<'o, S: Setting> {
    /// Fixed columns.
    pub fixed: Option<ByColumn<'o, S::Base>>,
    /// Advice columns.
    pub main: ByColumn<'o, S::Base>,
    /// Columns read on the next row, rotated.
    pub next: Vec<(usize, Vec<S::Base>)>,
}

impl<'o, S: Setting> BaseColumns<'o, S> {
    /// The columns of instance `k`, of which `next` are read on the next row.
    pub fn of(instance: &InstanceLayout, next: &[usize], main: Oracle, k: usize, ch: &'o Prover<'_, S>) -> Self {
        let mut columns = Self {
            fixed: instance.fixed.map(|matrix| ch.view(Oracle(0), matrix, ())),
            main: ch.view(main, k, ()),
            next: Vec::new(),
        };
        let rotated = |&c: &usize| {
            let mut column = columns.column(Var::Main(c)).to_vec();
            column.rotate_left(1);
            (c, column)
        };
        columns.next = next.iter().map(rotated).collect();
        columns
    }

    /// A column's values.
    pub fn column(&self, var: Var) -> &[S::Base] {
        let of = |view: &'_ ByColumn<'o, S::Base>, c: usize| c * view.height..(c + 1) * view.height;
        match (var, &self.fixed) {
            (Var::Fixed(c), Some(fixed)) => &fixed.values[of(fixed, c)],
            (Var::Main(c), _) => &self.main.values[of(&self.main, c)],
            (Var::Next(c), _) => self.next.iter().find(|(next, _)| *next == c).map_or(&[], |(_, column)| column),
            _ => &[],
        }
    }

    /// A column's values, packed.
    pub fn packed(&self, var: Var) -> &[PackedBase<S>] {
        PackedBase::<S>::pack_slice(self.column(var))
    }

    /// The weighted sum of everything linear.
    pub fn linear(&self, weights: &Weighted<S::Ext>) -> Vec<PackedExt<S>> {
        let columns: Vec<(&[PackedBase<S>], PackedExt<S>)> =
            weights.columns.iter().map(|(&var, &w)| (self.packed(var), broadcast::<S>(w))).collect();
        let constant = broadcast::<S>(weights.constant);
        let at = |i: usize| columns.iter().fold(constant, |acc, (column, w)| acc + *w * column[i]);
        (0..self.main.height / lanes::<S>()).into_par_iter().with_min_len(1 << 8).map(at).collect()
    }

    /// The same for few rows.
    pub fn linear_scalars(&self, weights: &Weighted<S::Ext>) -> Vec<S::Ext> {
        let at = |i: usize| {
            let terms = weights.columns.iter().map(|(&var, &w)| w * self.column(var)[i]);
            weights.constant + terms.sum::<S::Ext>()
        };
        (0..self.main.height).map(at).collect()
    }
}
