//! Where the matrices of a proof's instances lie, and what is asked of them.

use p3_field::{BasedVectorSpace, TwoAdicField};
use trilemma_arith::Air;
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::{ErrorTerm, Setting, Smooth, UniEval};

use crate::instances::{InstanceLayout, Instances};

/// Where the matrices of a proof lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The instances.
    pub instances: Instances,
    /// log2 of the columns of the quotient.
    pub log_chunks: usize,
}

impl Layout {
    /// The layout for these instances.
    pub fn new<S: Setting>(air: &Air<S>, instances: Instances) -> Self {
        let shapes = air.tables.iter().map(|t| t.shape());
        let degree = shapes.map(|shape| shape.max_degree().max(bus_degree(shape))).max().unwrap_or(0).max(2);
        let log_chunks = (degree - 1).next_power_of_two().trailing_zeros() as usize;
        Self { instances, log_chunks }
    }

    /// log2 of the largest height.
    pub fn log_max(&self) -> usize {
        self.instances.log_max
    }

    /// Error of `alpha`.
    pub fn batch_term<S: Setting>(&self) -> ErrorTerm {
        let constraints: usize = self.instances.list.iter().map(InstanceLayout::alphas).sum();
        ErrorTerm {
            reference: "[Hab22s] Theorem 8 (ALI)",
            ..ErrorTerm::schwartz_zippel("constraint batching", constraints as f64, S::ext_bits())
        }
    }

    /// Error of `zeta`.
    pub fn point_term<S: Setting>(&self) -> ErrorTerm {
        let degree = ((1 << self.log_chunks) + 1) as f64 * 2f64.powi(self.log_max() as i32);
        ErrorTerm {
            reference: "[Hab22s] Theorem 8 (DEEP)",
            ..ErrorTerm::schwartz_zippel("out-of-domain point", degree, S::ext_bits())
        }
    }

    /// Shapes of the oracle `main`.
    pub fn main_shapes(&self) -> Vec<Shape> {
        self.instances.list.iter().map(|i| Shape { log_height: i.log_height, width: i.width }).collect()
    }

    /// Shapes of the oracle `buses`: for each instance with interactions, helper columns when there
    /// is more than one pair, then the accumulator.
    pub fn bus_shapes<S: Setting>(&self) -> Vec<Shape> {
        let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
        let mut shapes = Vec::new();
        for i in self.instances.list.iter().filter(|i| i.interactions > 0) {
            if i.pairs() > 1 {
                shapes.push(Shape { log_height: i.log_height, width: d * (i.pairs() - 1) });
            }
            shapes.push(Shape { log_height: i.log_height, width: d });
        }
        shapes
    }

    /// Shape of the oracle `quotient`.
    pub fn quotient_shape<S: Setting>(&self) -> Shape {
        let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
        Shape { log_height: self.log_max(), width: d << self.log_chunks }
    }

    /// Instances with interactions, which is the number of sums sent.
    pub fn sums(&self) -> usize {
        self.instances.list.iter().filter(|i| i.interactions > 0).count()
    }

    /// Everything asked at the end, instance by instance.
    pub fn questions<S: Smooth>(&self, oracles: &Oracles, zeta: S::Ext) -> Vec<Question<UniEval<S::Ext>>> {
        let mut questions = Vec::new();
        let mut bus = 0;
        for (k, i) in self.instances.list.iter().enumerate() {
            let next = zeta * next_row::<S>(i.log_height);
            let mut ask = |oracle, matrix, point| {
                questions.push(Question { oracle, matrix, query: UniEval(point) });
            };
            if let Some(fixed) = i.fixed {
                ask(Oracle(0), fixed, zeta);
            }
            ask(oracles.main, k, zeta);
            if i.uses_next {
                ask(oracles.main, k, next);
            }
            if i.pairs() > 1 {
                ask(oracles.buses, bus, zeta);
                bus += 1;
            }
            if i.interactions > 0 {
                ask(oracles.buses, bus, zeta);
                ask(oracles.buses, bus, next);
                bus += 1;
            }
        }
        questions.push(Question { oracle: oracles.quotient, matrix: 0, query: UniEval(zeta) });
        questions
    }
}

/// Degree of a table's bus constraints.
fn bus_degree(shape: &trilemma_arith::TableShape) -> usize {
    let degrees: Vec<(usize, usize)> = shape
        .interactions
        .iter()
        .map(|i| (shape.degree(i.multiplicity), i.tuple.iter().map(|&e| shape.degree(e)).max().unwrap_or(0)))
        .collect();
    degrees
        .chunks(2)
        .map(|pair| match pair {
            [(m, d), (n, e)] => (1 + d + e).max(m + e).max(n + d),
            [(m, d)] => (1 + d).max(*m),
            _ => 0,
        })
        .max()
        .unwrap_or(0)
}

/// The oracles of a run.
#[derive(Debug, Clone, Copy)]
pub struct Oracles {
    /// Advice columns.
    pub main: Oracle,
    /// Helpers and accumulators.
    pub buses: Oracle,
    /// Quotient.
    pub quotient: Oracle,
}

/// The generator of the subgroup of order `2^log_height`.
pub fn next_row<S: Smooth>(log_height: usize) -> S::Base {
    S::Base::two_adic_generator(log_height)
}
