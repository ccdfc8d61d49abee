//! A table over a setting, as a PIOP sees it: object-safe, one virtual call per group of rows.
//!
//! One interpreter, [`Eval`], serves the prover (packed base elements, packed challenges) and the
//! verifier (challenges throughout); [`RowValues`] keeps everything for error reports.

use p3_field::{Algebra, ExtensionField, Field, PrimeCharacteristicRing};
use trilemma_core::Setting;

use crate::air::PublicTerm;
use crate::expr::TableShape;
use crate::table::{Builder, Bus, Table};

/// Packed base elements of a setting.
pub type PackedBase<S> = <<S as Setting>::Base as Field>::Packing;
/// Packed challenges of a setting.
pub type PackedExt<S> = <<S as Setting>::Ext as ExtensionField<<S as Setting>::Base>>::ExtensionPacking;

/// The cells one evaluation reads.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a, V> {
    /// Fixed columns.
    pub fixed: &'a [V],
    /// Advice columns.
    pub main: &'a [V],
    /// Advice columns on the next row; empty when the table does not read them.
    pub next: &'a [V],
}

/// Challenges of a multi-table argument.
#[derive(Debug, Clone)]
pub struct Challenges<E> {
    /// Point at which fingerprints are taken apart.
    pub gamma: E,
    /// Powers of the fingerprint's base, from the first.
    pub beta: Vec<E>,
}

impl<E: Field> Challenges<E> {
    /// Powers of `beta` for tuples of up to `arity` entries.
    pub fn new(gamma: E, beta: E, arity: usize) -> Self {
        Self { gamma, beta: beta.powers().skip(1).take(arity).collect() }
    }

    /// `gamma - (bus + sum beta^(i+1) tuple_i)`, the denominator of an interaction.
    pub fn denominator<V, X>(&self, bus: Bus, tuple: &[V]) -> X
    where
        V: Copy,
        X: Algebra<V> + Algebra<E>,
    {
        let start = X::from(self.gamma - E::from_u32(bus.id));
        tuple.iter().zip(&self.beta).fold(start, |acc, (&v, &b)| acc - X::from(b) * v)
    }

    /// What the statement's own tuples add to the sum of all fractions; `None` at a pole.
    pub fn public_sum(&self, terms: &[PublicTerm]) -> Option<E> {
        let mut sum = E::ZERO;
        for term in terms {
            let tuple: Vec<E> = term.tuple.iter().map(|&x| E::from_u32(x)).collect();
            let d: E = self.denominator(term.bus, &tuple);
            sum += E::from_i64(term.multiplicity) * d.try_inverse()?;
        }
        Some(sum)
    }
}

/// Constraints folded with powers of a challenge, and fractions for a bus argument.
pub struct Eval<'a, E, V, X> {
    cells: Cells<'a, V>,
    main: usize,
    fixed: usize,
    gate: V,
    challenges: &'a Challenges<E>,
    alpha: std::slice::Iter<'a, E>,
    folded: X,
    fractions: &'a mut Vec<(V, X)>,
}

impl<R, E, V, X> Builder<R> for Eval<'_, E, V, X>
where
    E: Field,
    V: PrimeCharacteristicRing + Copy,
    X: Algebra<V> + Algebra<E> + Copy,
{
    type V = V;

    #[inline(always)]
    fn int(&self, x: i64) -> V {
        V::from_i64(x)
    }

    #[inline(always)]
    fn fixed(&mut self, _: &'static str) -> V {
        self.fixed += 1;
        self.cells.fixed[self.fixed - 1]
    }

    #[inline(always)]
    fn free(&mut self, _: &'static str, _: &'static str, _: impl Fn(&R) -> u32) -> V {
        self.main += 1;
        self.cells.main[self.main - 1]
    }

    #[inline(always)]
    fn pair(&mut self, _: &'static str, _: &'static str, _: impl Fn(&R) -> u32) -> (V, V) {
        self.main += 1;
        (self.cells.main[self.main - 1], self.cells.next[self.main - 1])
    }

    #[inline(always)]
    fn zero(&mut self, _: &'static str, e: V) {
        if let Some(&alpha) = self.alpha.next() {
            self.folded += X::from(alpha) * e;
        }
    }

    #[inline(always)]
    fn interact(&mut self, bus: Bus, multiplicity: V, tuple: &[V]) {
        self.fractions.push((multiplicity, self.challenges.denominator(bus, tuple)));
    }

    #[inline(always)]
    fn gate(&self) -> V {
        self.gate
    }

    #[inline(always)]
    fn set_gate(&mut self, gate: V) {
        self.gate = gate;
    }
}

/// One row's constraints and interactions, unfolded.
#[derive(Debug, Clone)]
pub struct RowValues<F> {
    /// Value of every constraint.
    pub constraints: Vec<F>,
    /// Bus, multiplicity and tuple of every interaction.
    pub interactions: Vec<(Bus, F, Vec<F>)>,
}

struct Row<'a, F> {
    cells: Cells<'a, F>,
    main: usize,
    fixed: usize,
    gate: F,
    values: RowValues<F>,
}

impl<R, F: Field> Builder<R> for Row<'_, F> {
    type V = F;

    fn int(&self, x: i64) -> F {
        F::from_i64(x)
    }

    fn fixed(&mut self, _: &'static str) -> F {
        self.fixed += 1;
        self.cells.fixed[self.fixed - 1]
    }

    fn free(&mut self, _: &'static str, _: &'static str, _: impl Fn(&R) -> u32) -> F {
        self.main += 1;
        self.cells.main[self.main - 1]
    }

    fn pair(&mut self, _: &'static str, _: &'static str, _: impl Fn(&R) -> u32) -> (F, F) {
        self.main += 1;
        (self.cells.main[self.main - 1], self.cells.next[self.main - 1])
    }

    fn zero(&mut self, _: &'static str, e: F) {
        self.values.constraints.push(e);
    }

    fn interact(&mut self, bus: Bus, multiplicity: F, tuple: &[F]) {
        self.values.interactions.push((bus, multiplicity, tuple.to_vec()));
    }

    fn gate(&self) -> F {
        self.gate
    }

    fn set_gate(&mut self, gate: F) {
        self.gate = gate;
    }
}

/// A table over a setting.
pub trait Kernel<S: Setting>: Send + Sync {
    /// What is derived from the table's text.
    fn shape(&self) -> &TableShape;

    /// Fixed columns.
    fn fixed(&self) -> Vec<Vec<u32>>;

    /// Evaluates a group of rows: returns the constraints folded with `alpha` (whose length bounds
    /// how many are folded) and appends multiplicity and denominator of every interaction.
    fn packed(
        &self,
        cells: Cells<'_, PackedBase<S>>,
        challenges: &Challenges<S::Ext>,
        alpha: &[S::Ext],
        fractions: &mut Vec<(PackedBase<S>, PackedExt<S>)>,
    ) -> PackedExt<S>;

    /// As [`Kernel::packed`], at one point of the challenge field.
    fn point(
        &self,
        cells: Cells<'_, S::Ext>,
        challenges: &Challenges<S::Ext>,
        alpha: &[S::Ext],
        fractions: &mut Vec<(S::Ext, S::Ext)>,
    ) -> S::Ext;

    /// Every constraint and interaction of one row.
    fn row(&self, cells: Cells<'_, S::Base>) -> RowValues<S::Base>;
}

/// A table with its shape.
pub struct Compiled<T> {
    table: T,
    shape: TableShape,
}

impl<T: Table> Compiled<T> {
    /// Derives the shape.
    pub fn new(table: T) -> Self {
        let shape = TableShape::of(&table);
        Self { table, shape }
    }
}

impl<S: Setting, T: Table> Kernel<S> for Compiled<T> {
    fn shape(&self) -> &TableShape {
        &self.shape
    }

    fn fixed(&self) -> Vec<Vec<u32>> {
        self.table.fixed()
    }

    fn packed(
        &self,
        cells: Cells<'_, PackedBase<S>>,
        challenges: &Challenges<S::Ext>,
        alpha: &[S::Ext],
        fractions: &mut Vec<(PackedBase<S>, PackedExt<S>)>,
    ) -> PackedExt<S> {
        evaluate(&self.table, cells, challenges, alpha, fractions)
    }

    fn point(
        &self,
        cells: Cells<'_, S::Ext>,
        challenges: &Challenges<S::Ext>,
        alpha: &[S::Ext],
        fractions: &mut Vec<(S::Ext, S::Ext)>,
    ) -> S::Ext {
        evaluate(&self.table, cells, challenges, alpha, fractions)
    }

    fn row(&self, cells: Cells<'_, S::Base>) -> RowValues<S::Base> {
        let values = RowValues { constraints: Vec::new(), interactions: Vec::new() };
        let mut b = Row { cells, main: 0, fixed: 0, gate: S::Base::ONE, values };
        self.table.eval(&mut b);
        b.values
    }
}

fn evaluate<T, E, V, X>(
    table: &T,
    cells: Cells<'_, V>,
    challenges: &Challenges<E>,
    alpha: &[E],
    fractions: &mut Vec<(V, X)>,
) -> X
where
    T: Table,
    E: Field,
    V: PrimeCharacteristicRing + Copy,
    X: Algebra<V> + Algebra<E> + Copy,
{
    let mut b =
        Eval { cells, main: 0, fixed: 0, gate: V::ONE, challenges, alpha: alpha.iter(), folded: X::ZERO, fractions };
    table.eval(&mut b);
    b.folded
}
