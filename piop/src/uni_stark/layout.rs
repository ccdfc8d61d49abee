//! Which instances a proof has and where their matrices lie. Both sides derive it from the relation
//! and the heights the prover sent.

use p3_field::{BasedVectorSpace, Field, TwoAdicField};
use trilemma_arith::air::Air;
use trilemma_core::channel::{Oracle, Question, Shape};
use trilemma_core::{ErrorTerm, Reject, Setting, Smooth, UniEval};

/// The tallest instance allowed.
pub const MAX_LOG_HEIGHT: usize = 26;
/// The shortest instance allowed.
pub const MIN_LOG_HEIGHT: usize = 2;

/// One instance of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceLayout {
    /// Index into the relation's tables.
    pub table: usize,
    /// log2 of its rows.
    pub log_height: usize,
    /// Advice columns.
    pub width: usize,
    /// Bus interactions a row.
    pub interactions: usize,
    /// Whether its constraints read the next row.
    pub uses_next: bool,
    /// Its matrix in the index's oracle, if it has fixed columns.
    pub fixed: Option<usize>,
    /// Number of its constraints, those of its buses not counted.
    pub constraints: usize,
}

impl InstanceLayout {
    /// Pairs of interactions: helper columns, the accumulator's own pair included.
    pub const fn pairs(&self) -> usize {
        self.interactions.div_ceil(2)
    }

    /// Powers of `alpha` that the instance uses.
    pub const fn alphas(&self) -> usize {
        self.constraints + self.pairs()
    }
}

/// Every instance of a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The instances, by table.
    pub instances: Vec<InstanceLayout>,
    /// log2 of the largest height.
    pub log_max: usize,
    /// log2 of the columns of the quotient.
    pub log_chunks: usize,
    /// Longest tuple of any bus.
    pub arity: usize,
    /// Whether there is an index oracle.
    pub indexed: bool,
}

impl Layout {
    /// The sizes message for instances of the given heights, `(table, log_height)` in order.
    pub fn encode<S: Setting>(air: &Air<S>, instances: &[(usize, usize)]) -> Vec<u8> {
        let mut sizes = Vec::new();
        for (table, kernel) in air.tables.iter().enumerate() {
            if kernel.shape().fixed.is_empty() {
                let mut heights: Vec<u8> = instances.iter().filter(|i| i.0 == table).map(|i| i.1 as u8).collect();
                heights.resize(air.max_instances, 0);
                sizes.extend(heights);
            }
        }
        sizes
    }

    /// How many sizes there are.
    pub fn sizes<S: Setting>(air: &Air<S>) -> usize {
        air.max_instances * air.tables.iter().filter(|t| t.shape().fixed.is_empty()).count()
    }

    /// The layout for a sizes message; refuses any that an honest prover would not send.
    pub fn decode<S: Setting>(air: &Air<S>, sizes: &[u8]) -> Result<Self, Reject> {
        let mut slots = sizes.chunks(air.max_instances);
        let (mut instances, mut fixed, mut degree) = (Vec::new(), 0, 2);
        for (table, kernel) in air.tables.iter().enumerate() {
            let shape = kernel.shape();
            let mut instance = InstanceLayout {
                table,
                log_height: 0,
                width: shape.columns.len(),
                interactions: shape.interactions.len(),
                uses_next: shape.uses_next(),
                fixed: None,
                constraints: shape.constraints.len(),
            };
            if !shape.fixed.is_empty() {
                instance.log_height = shape.fixed_height.trailing_zeros() as usize;
                instance.fixed = Some(fixed);
                fixed += 1;
                instances.push(instance);
            } else {
                let heights = slots.next().ok_or_else(|| Reject::new("too few sizes"))?;
                let used = heights.iter().take_while(|&&h| h != 0).count();
                let (used, unused) = heights.split_at(used);
                let legal = |&h: &u8| (MIN_LOG_HEIGHT..=MAX_LOG_HEIGHT).contains(&(h as usize));
                if unused.iter().any(|&h| h != 0) || !used.iter().all(legal) || !used.is_sorted_by(|a, b| a >= b) {
                    return Err(Reject::new("instance heights"));
                }
                for &h in used {
                    instance.log_height = h as usize;
                    instances.push(instance);
                }
            }
            degree = degree.max(shape.max_degree()).max(bus_degree(shape));
        }
        let log_max = instances.iter().map(|i| i.log_height).max().unwrap_or(0);
        let layout = Self {
            log_max,
            log_chunks: (degree - 1).next_power_of_two().trailing_zeros() as usize,
            arity: air.max_arity(),
            indexed: fixed > 0,
            instances,
        };
        if layout.fractions() >= 2f64.powi(S::Base::bits() as i32 - 1) {
            return Err(Reject::new("more fractions than the characteristic allows"));
        }
        let rows: usize = layout.instances.iter().map(|i| 1usize << i.log_height).sum();
        if rows > air.max_rows {
            return Err(Reject::new("more rows than the relation allows"));
        }
        Ok(layout)
    }

    /// Fractions of all instances.
    fn fractions(&self) -> f64 {
        self.instances.iter().map(|i| i.interactions as f64 * 2f64.powi(i.log_height as i32)).sum()
    }

    /// Error of `gamma` and `beta`.
    pub fn bus_term<S: Setting>(&self, public: usize) -> ErrorTerm {
        let degree = (self.fractions() + public as f64) * self.arity.max(1) as f64;
        ErrorTerm { reference: "[Hab22] Lemma 5", ..ErrorTerm::schwartz_zippel("bus argument", degree, S::ext_bits()) }
    }

    /// Error of `alpha`.
    pub fn batch_term<S: Setting>(&self) -> ErrorTerm {
        let constraints: usize = self.instances.iter().map(InstanceLayout::alphas).sum();
        ErrorTerm {
            reference: "[Hab22s] Section 4 (ALI)",
            ..ErrorTerm::schwartz_zippel("constraint batching", constraints as f64, S::ext_bits())
        }
    }

    /// Error of `zeta`.
    pub fn point_term<S: Setting>(&self) -> ErrorTerm {
        let degree = ((1 << self.log_chunks) + 1) as f64 * 2f64.powi(self.log_max as i32);
        ErrorTerm {
            reference: "[Hab22s] Section 4 (DEEP)",
            ..ErrorTerm::schwartz_zippel("out-of-domain point", degree, S::ext_bits())
        }
    }

    /// Shapes of the oracle `main`.
    pub fn main_shapes(&self) -> Vec<Shape> {
        self.instances.iter().map(|i| Shape { log_height: i.log_height, width: i.width }).collect()
    }

    /// Shapes of the oracle `buses`: for each instance with interactions, helper columns when there
    /// is more than one pair, then the accumulator.
    pub fn bus_shapes<S: Setting>(&self) -> Vec<Shape> {
        let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
        let mut shapes = Vec::new();
        for i in self.instances.iter().filter(|i| i.interactions > 0) {
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
        Shape { log_height: self.log_max, width: d << self.log_chunks }
    }

    /// Instances with interactions, which is the number of sums sent.
    pub fn sums(&self) -> usize {
        self.instances.iter().filter(|i| i.interactions > 0).count()
    }

    /// Everything asked at the end, instance by instance.
    pub fn questions<S: Smooth>(&self, oracles: &Oracles, zeta: S::Ext) -> Vec<Question<UniEval<S::Ext>>> {
        let mut questions = Vec::new();
        let mut bus = 0;
        for (k, i) in self.instances.iter().enumerate() {
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
