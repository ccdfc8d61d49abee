//! Wide rows with custom gates: the tables of an AIR stacked in one circuit.
//!
//! **Rows.** The rows in use of all tables follow each other without gaps, so that padding to a power
//! of two is paid once. A row of a table takes one physical row or, where its columns or fractions do
//! not fit, two: gates stand on the first and read the second as `next`. A term of the statement is a
//! row whose cells are copies of the instance. A table that reads its own next row is followed by one
//! row more, whose cells are copies of its first row, so its rows are a cycle.
//!
//! **Selectors.** Every kind of physical row `k` (a table's first rows, its second rows, statement terms
//! of one length) has its own codeword `C_k` of one or two of the `c` binary fixed columns `x_i`. Its
//! selector is `x_i x_j` for two and `x_i (2 - sum x)` for one, which is 1 on rows with that codeword and
//! 0 on rows with any other, or none. So `c` columns tell `c (c + 1) / 2` kinds apart, with degree 2.
//! Columns of the same name share a column of the circuit where they can; what then coincides is one
//! expression, with the sum of its kinds' selectors.
//!
//! | symbol | meaning |
//! |---|---|
//! | `s_k` | selector of kind `k`, of degree 2 |
//! | `m/d` | multiplicity and denominator `gamma - bus - sum beta^(i+1) t_i` of a fraction |
//! | `h_j` | helper: late column `j`, the sum of one or two fractions `N/D` of a row |
//! | `S` | late column: the sum of all helpers of the rows before |
//!
//! **Gates.** `s_k e = 0` for a constraint `e` of degree 3; `h_j (sum s_k D_k + 1 - sum s_k) - sum s_k N_k
//! = 0` over the kinds `k` that use `h_j`, which is `h_j D_k = N_k` on their rows and `h_j = 0` on all
//! others; the same for a helper `h_j'` on second rows, seen from first rows, where the gate above has
//! `1 - sum s_k = 0` and says nothing; `S' - S = sum h_j` everywhere, cyclically, so that all
//! fractions of all rows add to zero. A lookup's input is `sum s_k (m, m t)`.
//!
//! **Equivalence.** Kinds are told by fixed columns, so on every row exactly the constraints of its table
//! hold, and helpers are its fractions, unless a denominator vanishes: with `N` fractions this happens
//! with probability at most `N / |F|` over `gamma` and `beta`. Lookups are inclusions; see
//! [`super::lookups`]. The bit that tells a table's real rows from padding is the constant 1, as the
//! circuit has no padding of tables: it says what the AIR says of witnesses whose rows are all real.
//! Products that lower a degree are functions of other cells, by a gate. Cells without a name on their
//! row are read by no gate with a selector that is not 0 there; `S` is determined up to a constant.
//!
//! **Cost.** Width and number of helpers minimise `rows * (W + E (H + 1) + E/2 lookups)`, where `E` is the
//! degree of the challenge field. A lookup table needs a row for each of its own; cut into parts, it needs
//! columns instead.

mod fill;
mod gates;
mod plan;
mod text;

use std::sync::Arc;

use trilemma_core::{ConfigError, Setting};

use super::circuit::{Assignment, Circuit, Extent, Lowering};
use super::report::{Report, Share};
use crate::air::{Air, PublicTerm, Trace};
use crate::r1cs::ByColumn;
use fill::Filler;
use gates::Builder;
use plan::Plan;
use text::Degrees;

/// What a layout may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    /// Early columns; the cheapest number if not given.
    pub width: Option<usize>,
    /// Bound of the degree of gates, at least 4.
    pub degree: usize,
    /// Whether lookup tables longer than the rows in use may be cut into parts; if not, rows are at least
    /// as many as those of the longest table.
    pub split: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self { width: None, degree: 5, split: true }
    }
}

impl Params {
    /// Degrees of the parts of gates: a helper's gate has a selector, the helper and two denominators.
    fn degrees(self) -> Result<Degrees, ConfigError> {
        if self.degree < 4 {
            return Err(ConfigError(format!("gates of degree {}: fractions need 4", self.degree)));
        }
        let selector = (self.degree - 3).min(2);
        Ok(Degrees { selector, body: self.degree - selector, input: 3 - selector })
    }
}

/// A circuit of wide rows, ready to be assigned.
pub struct Custom<S: Setting> {
    filler: Arc<Filler<S>>,
}

impl<S: Setting> Custom<S> {
    /// The circuit without its contents, of these parameters.
    ///
    /// # Errors
    /// The relation or its extent does not fit.
    pub fn form_with(air: &Air<S>, extent: &Extent, params: Params) -> Result<Circuit<S>, ConfigError> {
        let plan = Plan::new(air, extent, params)?;
        Ok(Builder::new(&plan).finish(Self::NAME, air.max_arity()).0)
    }

    /// The whole circuit, of these parameters.
    ///
    /// # Errors
    /// As [`Self::form_with`].
    pub fn lower_with(air: &Air<S>, extent: &Extent, params: Params) -> Result<(Circuit<S>, Self), ConfigError> {
        let plan = Plan::new(air, extent, params)?;
        let (mut circuit, pairs) = Builder::new(&plan).finish(Self::NAME, air.max_arity());
        let fixed = fill::contents(air, &plan, extent, &mut circuit);
        Ok((circuit, Self { filler: Arc::new(Filler { plan, pairs, fixed }) }))
    }

    /// What does not balance when the sum of helpers is not zero: number of the bus and tuple, and how
    /// often it was sent too often.
    pub fn unbalanced(&self, early: &ByColumn<S::Base>) -> Vec<(Vec<S::Base>, S::Base)> {
        self.filler.unbalanced(early)
    }

    /// What the circuit's rows are used for.
    pub fn report(&self, circuit: &Circuit<S>) -> Report {
        let plan = &self.filler.plan;
        let rows = |b: usize| plan.runs.iter().filter(|run| run.block == b).map(|run| run.rows).sum();
        let share = |(b, block): (usize, &plan::Block)| Share {
            name: block.text.name.clone(),
            columns: block.text.variables.len(),
            height: block.height,
            rows: rows(b),
            fractions: block.text.fractions.len(),
            lookups: block.text.consumers.len(),
        };
        Report::of(circuit, plan.used(), plan.blocks.iter().enumerate().map(share).collect())
    }
}

impl<S: Setting> Lowering<S> for Custom<S> {
    const NAME: &'static str = "plonkish";

    fn form(air: &Air<S>, extent: &Extent) -> Result<Circuit<S>, ConfigError> {
        Self::form_with(air, extent, Params::default())
    }

    fn lower(air: &Air<S>, extent: &Extent) -> Result<(Circuit<S>, Self), ConfigError> {
        Self::lower_with(air, extent, Params::default())
    }

    fn assign(&self, air: &Air<S>, trace: &Trace, statement: &[PublicTerm]) -> Assignment<S> {
        self.filler.assign(trace, statement, air)
    }
}

/// [`Custom`] with lookup tables in one piece, for systems that know no parts: a circuit has at least as
/// many rows as the longest table.
pub struct Whole<S: Setting>(Custom<S>);

impl<S: Setting> Whole<S> {
    fn params() -> Params {
        Params { split: false, ..Params::default() }
    }
}

impl<S: Setting> Lowering<S> for Whole<S> {
    const NAME: &'static str = "plonkish-whole";

    fn form(air: &Air<S>, extent: &Extent) -> Result<Circuit<S>, ConfigError> {
        Custom::form_with(air, extent, Self::params())
    }

    fn lower(air: &Air<S>, extent: &Extent) -> Result<(Circuit<S>, Self), ConfigError> {
        let (circuit, custom) = Custom::lower_with(air, extent, Self::params())?;
        Ok((circuit, Self(custom)))
    }

    fn assign(&self, air: &Air<S>, trace: &Trace, statement: &[PublicTerm]) -> Assignment<S> {
        self.0.assign(air, trace, statement)
    }
}
