//! The R1CS of a whole execution as plain data: three sparse matrices with coefficients in the base field
//! over wires of which some are values of the challenge field. For PIOPs of flat systems over any setting.
//!
//! | wires, in this order | value | known |
//! |---|---|---|
//! | public: 1, the entries of the statement's tuples | base | always |
//! | public: `gamma`, `beta` | challenge | once drawn |
//! | early: instance by instance, row by row, advice and products | base | with the trace |
//! | late: `beta^2`, `beta^3`, ..; for each term of the statement its entries by powers of `beta`, then its fraction; instance by instance, row by row, fractions and entries by powers of `beta` | challenge | after the challenges |
//!
//! The constraints are those of [`super::Flat`]: powers of `beta`; the statement; the rows of every instance; the sum of all
//! fractions. They depend on the relation and on the [`Extent`](crate::plonkish::Extent) of an execution, not
//! on challenges or tuples. Fixed columns are coefficients.
//!
//! A *form* has sizes but no matrices. A verifier makes it in time of the relation's text, see
//! [`Flattening`].

mod flatten;

use std::collections::HashMap;

use p3_field::{ExtensionField, Field};
use trilemma_core::Setting;

use crate::kernel::Challenges;

pub use flatten::Flattening;

/// Public wires that are challenges.
const CHALLENGES: usize = 2;

/// Three matrices of the same shape, by rows, on the union of their supports. Rows may name a wire twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrices<F> {
    starts: Vec<u32>,
    wires: Vec<u32>,
    /// Of every entry, which of `values` it is.
    kinds: Vec<u32>,
    /// Distinct coefficients in `A`, `B` and `C`.
    values: Vec<[F; 3]>,
}

impl<F> Default for Matrices<F> {
    fn default() -> Self {
        Self { starts: vec![0], wires: Vec::new(), kinds: Vec::new(), values: Vec::new() }
    }
}

impl<F: Field> Matrices<F> {
    /// The matrices with these rows of wires and coefficients in `A`, `B` and `C`.
    pub fn from_rows(rows: impl IntoIterator<Item = Vec<(usize, [F; 3])>>) -> Self {
        let mut writer = Writer::default();
        for row in rows {
            row.into_iter().for_each(|(wire, values)| writer.push(wire, values));
            writer.end_row();
        }
        writer.matrices
    }

    /// Number of rows.
    pub const fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of entries.
    pub const fn nonzeros(&self) -> usize {
        self.wires.len()
    }

    /// The entries of a row: wires with coefficients in `A`, `B` and `C`.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (usize, &[F; 3])> {
        let range = self.starts[row] as usize..self.starts[row + 1] as usize;
        let kinds = &self.kinds[range.clone()];
        self.wires[range].iter().zip(kinds).map(|(&wire, &kind)| (wire as usize, &self.values[kind as usize]))
    }

    /// The products of a row of each matrix with a vector.
    pub fn times<E: ExtensionField<F>>(&self, row: usize, vector: impl Fn(usize) -> E) -> [E; 3] {
        let mut sums = [E::ZERO; 3];
        for (wire, values) in self.row(row) {
            let x = vector(wire);
            for (sum, &value) in sums.iter_mut().zip(values) {
                if value == F::ONE {
                    *sum += x;
                } else if value == F::NEG_ONE {
                    *sum -= x;
                } else if !value.is_zero() {
                    *sum += x * value;
                }
            }
        }
        sums
    }
}

/// Writes matrices row by row.
struct Writer<F> {
    matrices: Matrices<F>,
    kinds: HashMap<[F; 3], u32>,
}

impl<F> Default for Writer<F> {
    fn default() -> Self {
        Self { matrices: Matrices::default(), kinds: HashMap::new() }
    }
}

impl<F: Field> Writer<F> {
    /// The number of a kind of entry.
    fn kind(&mut self, values: [F; 3]) -> u32 {
        let known = &mut self.matrices.values;
        *self.kinds.entry(values).or_insert_with(|| {
            known.push(values);
            known.len() as u32 - 1
        })
    }

    fn push(&mut self, wire: usize, values: [F; 3]) {
        let kind = self.kind(values);
        self.push_kind(wire, kind);
    }

    fn push_kind(&mut self, wire: usize, kind: u32) {
        self.matrices.wires.push(wire as u32);
        self.matrices.kinds.push(kind);
    }

    fn end_row(&mut self) {
        self.matrices.starts.push(self.matrices.wires.len() as u32);
    }
}

/// A system in two stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged<S: Setting> {
    /// Entries of the statement's tuples, which are the public inputs besides 1 and the challenges.
    pub entries: usize,
    /// Private wires known with the trace.
    pub early: usize,
    /// Private wires known after the challenges.
    pub late: usize,
    /// Constraints.
    pub constraints: usize,
    /// Entries on the union of the matrices' supports.
    pub nonzeros: usize,
    /// Entries of the longest tuple on any bus: so many powers of `beta` are [`Challenges`].
    pub arity: usize,
    /// Fractions that the system adds up, for the error of `gamma` and `beta`.
    pub fractions: usize,
    /// The matrices; without rows in a form.
    pub matrices: Matrices<S::Base>,
}

impl<S: Setting> Staged<S> {
    /// Wires before `gamma`: 1 and the entries.
    pub const fn constants(&self) -> usize {
        1 + self.entries
    }

    /// Public wires.
    pub const fn public(&self) -> usize {
        self.constants() + CHALLENGES
    }

    /// All wires.
    pub const fn wires(&self) -> usize {
        self.public() + self.early + self.late
    }

    /// The values of the public wires.
    pub fn public_values(&self, entries: &[S::Base], challenges: [S::Ext; 2]) -> Vec<S::Ext> {
        use p3_field::PrimeCharacteristicRing;
        let mut values = vec![S::Ext::ONE];
        values.extend(entries.iter().map(|&x| S::Ext::from(x)));
        values.extend(challenges);
        values
    }

    /// Rows that wires do not satisfy.
    pub fn broken(&self, values: &[S::Ext]) -> Vec<usize> {
        let holds = |row: &usize| {
            let [a, b, c] = self.matrices.times(*row, |wire| values[wire]);
            a * b == c
        };
        (0..self.matrices.rows()).filter(|row| !holds(row)).collect()
    }
}

/// What fills late wires, once the challenges are drawn.
pub type LateWires<S> = Box<dyn FnOnce(&Challenges<<S as Setting>::Ext>) -> Vec<<S as Setting>::Ext> + Send>;

/// Values of the private wires.
pub struct Witness<S: Setting> {
    /// Early wires.
    pub early: Vec<S::Base>,
    /// Late wires.
    pub late: LateWires<S>,
}
