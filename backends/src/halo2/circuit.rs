//! A circuit as the library synthesizes it: its contents for keys, or an assignment for a proof.

use std::sync::{Arc, Mutex, PoisonError};

use halo2_axiom::circuit::{Cell, Layouter, Region, SimpleFloorPlanner, Value};
use halo2_axiom::halo2curves::ff::Field;
use halo2_axiom::plonk::{self, Advice, ConstraintSystem, Error};
use rayon::prelude::*;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::{Assignment, Circuit, Column};
use trilemma_arith::r1cs::ByColumn;

use super::configure::{Blueprint, Config};
use super::field::{element, scalar};
use super::rows::UNUSABLE;
use super::{F, S};

type Base = <S as trilemma_core::Setting>::Base;

/// What cells hold.
enum Contents<'a> {
    Nothing,
    /// Fixed values and copies.
    Circuit(&'a Circuit<S>),
    /// Advice, until it is taken.
    Advice(Mutex<Option<Assignment<S>>>, usize),
}

/// A circuit for the library.
pub struct Synthesis<'a> {
    blueprint: Arc<Blueprint>,
    contents: Contents<'a>,
}

impl<'a> Synthesis<'a> {
    /// For keys.
    pub fn of_circuit(blueprint: Arc<Blueprint>, circuit: &'a Circuit<S>) -> Self {
        Self { blueprint, contents: Contents::Circuit(circuit) }
    }

    /// For a proof; `arity` is the number of powers of `beta`.
    pub fn of_assignment(blueprint: Arc<Blueprint>, assignment: Assignment<S>, arity: usize) -> Self {
        Self { blueprint, contents: Contents::Advice(Mutex::new(Some(assignment)), arity) }
    }

    /// Rows that hold what the circuit's hold, if there are `rows` of those.
    fn shared_rows(&self, rows: usize) -> usize {
        rows.min((1 << self.blueprint.rows.log_height) - UNUSABLE)
    }

    fn keys(&self, circuit: &Circuit<S>, config: &Config, region: &mut Region<'_, F>) {
        let rows = &self.blueprint.rows;
        for (i, &column) in config.fixed.iter().enumerate() {
            let values = circuit.fixed.column(i);
            for (row, &value) in values[..self.shared_rows(values.len())].iter().enumerate() {
                if value != Base::default() {
                    region.assign_fixed(column, row, scalar(value));
                }
            }
            if rows.used == values.len() && self.blueprint.fixed_next.contains(&i) {
                region.assign_fixed(column, rows.used, scalar(values[0]));
            }
        }
        if let Some(column) = config.active {
            for row in 0..rows.used {
                region.assign_fixed(column, row, F::ONE);
            }
        }
        let cell = |column: Column, row: usize| Cell { row_offset: row, column: config.any(column) };
        for (a, b) in &circuit.copies {
            region.constrain_equal(cell(a.column, a.row), cell(b.column, b.row));
        }
        for &column in &rows.wrapped {
            region.constrain_equal(cell(column, 0), cell(column, rows.used));
        }
    }

    fn advice(&self, assignment: Assignment<S>, arity: usize, config: &Config, region: &mut Region<'_, F>) {
        let Assignment { early, late } = assignment;
        self.fill(&early, &config.early, Column::Early, region);
        let Some(challenges) = config.challenges else { return };
        region.next_phase();
        let [gamma, beta] = challenges.map(|challenge| {
            let mut value = F::ZERO;
            region.get_challenge(challenge).map(|known| value = known);
            element(value)
        });
        let late = late(&early, &Challenges::new(gamma, beta, arity));
        drop(early);
        self.fill(&late, &config.late, Column::Late, region);
    }

    fn fill(
        &self,
        values: &ByColumn<Base>,
        columns: &[plonk::Column<Advice>],
        name: impl Fn(usize) -> Column,
        region: &mut Region<'_, F>,
    ) {
        let rows = &self.blueprint.rows;
        for (i, &column) in columns.iter().enumerate() {
            let values = &values.column(i)[..self.shared_rows(values.height)];
            let scalars: Vec<F> = values.par_iter().with_min_len(1 << 10).map(|&value| scalar(value)).collect();
            for (row, &value) in scalars.iter().enumerate() {
                region.assign_advice(column, row, Value::known(value));
            }
            if rows.used == scalars.len() && rows.wrapped.contains(&name(i)) {
                region.assign_advice(column, rows.used, Value::known(scalars[0]));
            }
        }
    }
}

impl plonk::Circuit<F> for Synthesis<'_> {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Arc<Blueprint>;

    fn without_witnesses(&self) -> Self {
        Self { blueprint: self.blueprint.clone(), contents: Contents::Nothing }
    }

    fn params(&self) -> Arc<Blueprint> {
        self.blueprint.clone()
    }

    fn configure_with_params(meta: &mut ConstraintSystem<F>, blueprint: Arc<Blueprint>) -> Config {
        blueprint.configure(meta)
    }

    fn configure(meta: &mut ConstraintSystem<F>) -> Config {
        Blueprint::default().configure(meta)
    }

    /// One region; both phases are filled in one pass.
    fn synthesize(&self, config: Config, mut layouter: impl Layouter<F>) -> Result<(), Error> {
        let region = |mut region: Region<'_, F>| match &self.contents {
            Contents::Nothing => Ok(()),
            Contents::Circuit(circuit) => {
                self.keys(circuit, &config, &mut region);
                Ok(())
            }
            Contents::Advice(assignment, arity) => {
                let assignment = assignment.lock().unwrap_or_else(PoisonError::into_inner).take();
                let assignment = assignment.ok_or(Error::Synthesis)?;
                self.advice(assignment, *arity, &config, &mut region);
                Ok(())
            }
        };
        layouter.assign_region(|| "rows", region)
    }
}
