//! Which instances of its tables a proof of an AIR has. Both sides derive it from the relation and the
//! heights the prover sent; every PIOP for AIRs starts here.

use p3_field::{Field, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::air::{Air, Instance, Trace};
use trilemma_core::claim::Columns;
use trilemma_core::{ConfigError, ErrorTerm, Reject, Setting, Shape};

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
pub struct Instances {
    /// The instances, by table.
    pub list: Vec<InstanceLayout>,
    /// log2 of the largest height.
    pub log_max: usize,
    /// Longest tuple of any bus.
    pub arity: usize,
}

impl Instances {
    /// The instances of a trace, and the sizes message that tells them.
    ///
    /// # Errors
    /// The trace has instances that a verifier refuses.
    pub fn of<S: Setting>(air: &Air<S>, trace: &Trace) -> Result<(Vec<u8>, Self), ConfigError> {
        let heights: Vec<_> = trace.instances.iter().map(|i| (i.table, i.log_height)).collect();
        let sizes = Self::encode(air, &heights);
        let instances = Self::decode(air, &sizes).map_err(|r| ConfigError(r.what))?;
        Ok((sizes, instances))
    }

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

    /// The instances of a sizes message; refuses any that an honest prover would not send.
    pub fn decode<S: Setting>(air: &Air<S>, sizes: &[u8]) -> Result<Self, Reject> {
        let mut slots = sizes.chunks(air.max_instances);
        let (mut list, mut fixed) = (Vec::new(), 0);
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
                list.push(instance);
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
                    list.push(instance);
                }
            }
        }
        let log_max = list.iter().map(|i: &InstanceLayout| i.log_height).max().unwrap_or(0);
        let instances = Self { log_max, arity: air.max_arity(), list };
        if instances.fractions() >= 2f64.powi(S::Base::bits() as i32 - 1) {
            return Err(Reject::new("more fractions than the characteristic allows"));
        }
        let rows: usize = instances.list.iter().map(|i| 1usize << i.log_height).sum();
        if rows > air.max_rows {
            return Err(Reject::new("more rows than the relation allows"));
        }
        Ok(instances)
    }

    /// Fractions of all instances.
    pub fn fractions(&self) -> f64 {
        self.list.iter().map(|i| i.interactions as f64 * 2f64.powi(i.log_height as i32)).sum()
    }

    /// Error of `gamma` and `beta`: that the sum of fractions vanishes by chance, or one of their
    /// denominators does.
    pub fn bus_term<S: Setting>(&self, public: usize) -> ErrorTerm {
        let degree = 2.0 * (self.fractions() + public as f64) * self.arity.max(1) as f64;
        ErrorTerm {
            reference: "[Hab22] Lemma 5; Schwartz-Zippel",
            ..ErrorTerm::schwartz_zippel("bus argument", degree, S::ext_bits())
        }
    }
}

/// The cells of every instance as field elements.
pub fn columns<S: Setting>(trace: Trace, instances: &Instances) -> Vec<Columns<S::Base>> {
    let instances = trace.instances.into_par_iter().zip(&instances.list);
    instances.map(|(instance, layout)| instance_columns::<S>(instance, layout.width)).collect()
}

/// An instance's cells as field elements, padded with zeros. Elements as large as an integer take its
/// place: fresh memory costs more than converting.
pub fn instance_columns<S: Setting>(instance: Instance, width: usize) -> Columns<S::Base> {
    let mut cells = instance.cells;
    cells.resize(width << instance.log_height, 0);
    Columns::new(cells.into_iter().map(S::Base::from_u32).collect(), width)
}

/// The fixed columns of every table that has some.
pub fn index<S: Setting>(air: &Air<S>) -> Vec<Columns<S::Base>> {
    air.tables.iter().filter_map(|t| fixed_columns::<S>(&t.fixed())).collect()
}

/// Shapes of [`index`].
pub fn index_shapes<S: Setting>(air: &Air<S>) -> Vec<Shape> {
    let shapes = air.tables.iter().map(|t| t.shape()).filter(|s| !s.fixed.is_empty());
    shapes.map(|s| Shape { log_height: s.fixed_height.trailing_zeros() as usize, width: s.fixed.len() }).collect()
}

/// Fixed columns as field elements, if there are any.
pub fn fixed_columns<S: Setting>(columns: &[Vec<u32>]) -> Option<Columns<S::Base>> {
    let height = columns.first()?.len();
    let cells = (0..height).flat_map(|r| columns.iter().map(move |c| S::Base::from_u32(c[r])));
    Some(Columns::new(cells.collect(), columns.len()))
}
