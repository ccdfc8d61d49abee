//! Sizes of domains, where wires lie, and what is asked: what both sides derive from a system's form.

use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, TwoAdicField, batch_multiplicative_inverse};
use trilemma_arith::r1cs::staged::Staged;
use trilemma_core::{ConfigError, ErrorTerm, Oracle, Question, Setting, Shape, Smooth, UniEval};

/// The smallest domain of any kind.
const MIN_LOG_HEIGHT: usize = 2;
/// log2 of the most segments.
const MAX_LOG_SEGMENTS: usize = 3;
/// Columns of the index.
pub(super) const INDEX_WIDTH: usize = 6;

/// Sizes of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Public wires before the challenges.
    constants: usize,
    /// Public wires, which are the first rows.
    public: usize,
    /// Early wires, the constants among them.
    early: usize,
    /// log2 of the rows with padding.
    pub log_rows: usize,
    /// log2 of the entries with padding.
    pub log_entries: usize,
    /// log2 of the wires of a segment.
    pub log_segment: usize,
    /// log2 of the segments there is room for.
    pub log_segments: usize,
    /// Segments of early wires.
    pub early_segments: usize,
    /// Segments of late wires.
    pub late_segments: usize,
}

fn log_height(n: usize) -> usize {
    (n.next_power_of_two().trailing_zeros() as usize).max(MIN_LOG_HEIGHT)
}

/// Base columns of a challenge.
fn dimension<S: Setting>() -> usize {
    <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION
}

impl Layout {
    /// The sizes of a system. Of all cuts into segments, the one that has the smallest domain of wires, then
    /// commits to the fewest cells, then has the fewest segments.
    pub fn new<S: Setting>(relation: &Staged<S>) -> Self {
        let (constants, public) = (relation.constants(), relation.public());
        let early = constants + relation.early;
        let late = public - constants + relation.late;
        let cut = |log_segments: usize| {
            let segments = |log_segment: usize| [early, late].map(|n| n.div_ceil(1 << log_segment));
            let fits = |log: &usize| segments(*log).iter().sum::<usize>() <= 1 << log_segments;
            let log_segment = (MIN_LOG_HEIGHT..usize::BITS as usize).find(fits).unwrap_or(usize::BITS as usize - 1);
            let [e, l] = segments(log_segment);
            ((log_segment + log_segments, (e + dimension::<S>() * l) << log_segment, log_segments), [log_segment, e, l])
        };
        let cuts = (1..=MAX_LOG_SEGMENTS).map(cut).min();
        let ((_, _, log_segments), [log_segment, early_segments, late_segments]) = cuts.unwrap_or_default();
        Self {
            constants,
            public,
            early,
            log_rows: log_height(public + relation.constraints),
            log_entries: log_height(public + relation.nonzeros),
            log_segment,
            log_segments,
            early_segments,
            late_segments,
        }
    }

    /// # Errors
    /// The field has no subgroups of these sizes.
    pub fn check<S: Smooth>(&self) -> Result<(), ConfigError> {
        let largest = self.log_rows.max(self.log_entries).max(self.log_wires());
        if largest > S::Base::TWO_ADICITY {
            let text = format!("marlin: a domain of 2^{largest} is larger than the subgroups of `{}`", S::NAME);
            return Err(ConfigError(text));
        }
        Ok(())
    }

    /// log2 of the domain of wires.
    pub const fn log_wires(&self) -> usize {
        self.log_segment + self.log_segments
    }

    /// Public wires, which the first rows are about.
    pub(super) const fn public(&self) -> usize {
        self.public
    }

    /// Where a wire lies on `H`, as an exponent of its generator.
    pub(super) const fn position(&self, wire: usize) -> usize {
        let early = wire < self.constants || (wire >= self.public && wire - self.public + self.constants < self.early);
        let (first, i) = match wire {
            _ if wire < self.constants => (0, wire),
            _ if early => (0, wire - self.public + self.constants),
            _ if wire < self.public => (self.early_segments, wire - self.constants),
            _ => (self.early_segments, wire - self.early),
        };
        let (segment, offset) = (first + (i >> self.log_segment), i & ((1 << self.log_segment) - 1));
        (offset << self.log_segments) + segment
    }

    /// Shape of the index.
    pub(super) const fn index_shape(&self) -> Shape {
        Shape { log_height: self.log_entries, width: INDEX_WIDTH }
    }

    /// Shapes of the oracle `early`.
    pub(super) fn early_shapes(&self) -> Vec<Shape> {
        vec![Shape { log_height: self.log_segment, width: 1 }; self.early_segments]
    }

    /// Shapes of the oracle `late`: the segments, then the quotient of rows.
    pub(super) fn late_shapes<S: Setting>(&self) -> Vec<Shape> {
        let width = dimension::<S>();
        let mut shapes = vec![Shape { log_height: self.log_segment, width }; self.late_segments];
        shapes.push(Shape { log_height: self.log_rows, width });
        shapes
    }

    /// Shapes of an oracle of an accumulator and a quotient.
    pub(super) fn sum_shapes<S: Setting>(log_height: usize) -> Vec<Shape> {
        vec![Shape { log_height, width: dimension::<S>() }; 2]
    }

    /// Error of `alpha`.
    pub(super) fn row_term<S: Setting>(&self) -> ErrorTerm {
        point_term::<S>("row check", self.log_rows)
    }

    /// Error of `eta`.
    pub(super) fn matrix_term<S: Setting>() -> ErrorTerm {
        let term = ErrorTerm::schwartz_zippel("batching of matrices", 2.0, S::ext_bits());
        ErrorTerm { reference: "[CHMMVW20] Section 5.3", ..term }
    }

    /// Error of `xi`.
    pub(super) fn wire_term<S: Setting>(&self) -> ErrorTerm {
        point_term::<S>("sum over wires", self.log_wires())
    }

    /// Error of `zeta`.
    pub(super) fn entry_term<S: Setting>(&self) -> ErrorTerm {
        point_term::<S>("sum over entries", self.log_entries)
    }

    /// Asked at `alpha`: the quotient of rows.
    pub(super) fn row_questions<E: Copy>(&self, late: Oracle, alpha: E) -> Vec<Question<UniEval<E>>> {
        vec![Question { oracle: late, matrix: self.late_segments, query: UniEval(alpha) }]
    }

    /// Asked at `xi`: every segment on its coset, then the accumulator, the accumulator one step on, the quotient.
    pub(super) fn wire_questions<S: Smooth>(
        &self,
        [early, late, wires]: [Oracle; 3],
        xi: S::Ext,
    ) -> Vec<Question<UniEval<S::Ext>>> {
        let g = S::Base::two_adic_generator(self.log_wires());
        let segments = (0..self.early_segments).map(|k| (early, k)).chain((0..self.late_segments).map(|k| (late, k)));
        let points = g.inverse().powers().map(|x| UniEval(xi * x));
        let segments = segments.zip(points).map(|((oracle, matrix), query)| Question { oracle, matrix, query });
        segments.chain(sum_questions(wires, xi, g)).collect()
    }

    /// Asked at `zeta`: the index, then as for wires.
    pub(super) fn entry_questions<S: Smooth>(&self, entries: Oracle, zeta: S::Ext) -> Vec<Question<UniEval<S::Ext>>> {
        let g = S::Base::two_adic_generator(self.log_entries);
        let index = Question { oracle: Oracle(0), matrix: 0, query: UniEval(zeta) };
        std::iter::once(index).chain(sum_questions(entries, zeta, g)).collect()
    }

    /// `l_j(X^n)` at a point outside `H`, for the segments in use.
    pub(super) fn segment_weights<S: Smooth>(&self, xi: S::Ext) -> Vec<S::Ext> {
        lagrange::<S>(self.log_segments, xi.exp_power_of_2(self.log_segment), self.early_segments + self.late_segments)
    }
}

/// Error of a point at which an identity of twice the degree of a domain is checked.
fn point_term<S: Setting>(name: &'static str, log_height: usize) -> ErrorTerm {
    let term = ErrorTerm::schwartz_zippel(name, 2f64.powi(log_height as i32 + 1), S::ext_bits());
    ErrorTerm { reference: "[CHMMVW20] Section 5.3", ..term }
}

fn sum_questions<F: Copy, E: Copy + std::ops::Mul<F, Output = E>>(
    oracle: Oracle,
    point: E,
    g: F,
) -> [Question<UniEval<E>>; 3] {
    let ask = |matrix, point| Question { oracle, matrix, query: UniEval(point) };
    [ask(0, point), ask(0, point * g), ask(1, point)]
}

/// Error of `gamma` and `beta`: that the sum of fractions vanishes by chance, or one of their denominators does.
pub(super) fn bus_term<S: Setting>(relation: &Staged<S>) -> ErrorTerm {
    let degree = 2.0 * relation.fractions as f64 * relation.arity.max(1) as f64;
    let term = ErrorTerm::schwartz_zippel("bus argument", degree, S::ext_bits());
    ErrorTerm { reference: "[Hab22] Lemma 5; Schwartz-Zippel", ..term }
}

/// The first `n` Lagrange polynomials of the subgroup of order `2^log_height`, at a point outside of it.
pub(super) fn lagrange<S: Smooth>(log_height: usize, point: S::Ext, n: usize) -> Vec<S::Ext> {
    let g = S::Base::two_adic_generator(log_height);
    let scale = vanishing::<S>(log_height, point) * S::Base::ONE.div_2exp_u64(log_height as u64);
    let differences: Vec<S::Ext> = g.powers().take(n).map(|x| point - x).collect();
    let inverses = batch_multiplicative_inverse(&differences);
    inverses.into_iter().zip(g.powers()).map(|(inverse, x)| scale * inverse * x).collect()
}

/// `X^n - 1`, which vanishes on the subgroup of order `n = 2^log_height`.
pub(super) fn vanishing<S: Setting>(log_height: usize, point: S::Ext) -> S::Ext {
    point.exp_power_of_2(log_height) - S::Ext::ONE
}
