//! `plonkish-vanilla`: every row of every table in use becomes a block of gates over three wires, tied
//! together by copy constraints.
//!
//! | column | what |
//! |---|---|
//! | `a`, `b`, `c` | early wires |
//! | `A`, `B`, `C` | late wires |
//! | `l`, `r`, `m`, `o`, `k` | selectors of the gate `l a + r b + m a b + o c + k = 0` (\[GWC19\]) |
//! | `fold` | where not 0, that `C = beta (A + fold - 1) + B` |
//! | `bus` | where not 0, that `(C - A) (gamma - bus - beta a - beta^2 b - beta^3 B) = c` |
//! | `tag`, `second`, `wires` | where `tag` is not 0, that `(c, second + wires b, wires a)` is in that table |
//! | `table`, `t0`, `t1`, `t2` | the rows `(tag, tag x, y, z)` of all tables |
//!
//! **Gates.** A block starts from the rank-one constraints of [`Block`](crate::r1cs::Block), makes their
//! linear combinations by chains of gates, and shares what occurs twice. Every value is one class of
//! equal cells, and has a cell on an early wire: it is chosen before the challenges, in the base field.
//! Constants and public values are classes of the whole circuit; a table that reads the next row does it
//! by copies.
//!
//! **Buses** \[Hab22\]. A tuple of an interaction is on the wires of one row, all entries but the first
//! two folded by Horner's rule in late wires before; zeros at the tuple's end cost nothing. With `A` and
//! `C` the sum of fractions before and after (in each other's place where tuples are received, which
//! subtracts the fraction), the row says that its fraction has the denominator of
//! [`Challenges::denominator`](crate::kernel::Challenges::denominator). The sum starts and ends as a copy of the constant 0.
//!
//! **Lookups.** See [`native`]. Lookups with longer tuples are buses, with their providers' rows in the
//! circuit: that is how the program enters a circuit of three wires.
//!
//! **Rows in use** are real: the column [`TableShape::real`](crate::TableShape::real) is the constant 1 in
//! their blocks, and rows that are not real have none.
//!
//! **Equivalence.** Where no denominator vanishes, all cells are functions of the trace's, so a trace
//! satisfies the circuit exactly when, with rows in use real and lookups counted anew, it satisfies the
//! AIR and looks up with multiplicities 0 or 1. Where one does, its fraction is free, which happens with
//! the probability that the fractions and the arity of the circuit tell.

mod assign;
mod gates;
mod layout;
mod native;
mod plan;
mod text;

use std::sync::Arc;

use trilemma_core::{ConfigError, Setting};

use self::layout::{GATE_COLUMNS, Layout, selectors};
use self::native::Native;
pub use self::text::BlockSize;
use super::circuit::{Assignment, Circuit, Extent, Gate, Lookup, Lowering};
use super::graph::{Column, Graph, Id};
use crate::air::{Air, PublicTerm, Trace};
use crate::r1cs::{ByColumn, Unit};

/// The lowering to gates of three wires.
pub struct Vanilla {
    layout: Arc<Layout>,
}

const EARLY: [&str; 3] = ["a", "b", "c"];
const LATE: [&str; 3] = ["A", "B", "C"];
const LOOKED: [&str; 3] = ["tag", "second", "wires"];
const TABLE: [&str; 4] = ["table", "t0", "t1", "t2"];

fn gates(g: &mut Graph) -> Vec<Gate> {
    let [l, r, m, o, k, fold, bus] = std::array::from_fn(|i| g.cell(Column::Fixed(i)));
    let [a, b, c] = std::array::from_fn(|i| g.cell(Column::Early(i)));
    let [x, y, z] = std::array::from_fn(|i| g.cell(Column::Late(i)));
    let gamma = g.challenge(Unit::Gamma);
    let [beta, beta2, beta3] = std::array::from_fn(|i| g.challenge(Unit::Beta(i)));
    let ab = g.mul(a, b);
    let terms = [g.mul(l, a), g.mul(r, b), g.mul(m, ab), g.mul(o, c), k];
    let arithmetic = g.sum(terms);

    let one = g.int(1);
    let constant = g.sub(fold, one);
    let first = g.add(x, constant);
    let scaled = g.mul(beta, first);
    let step = g.add(scaled, y);
    let step = g.sub(step, z);
    let folded = g.mul(fold, step);

    let tuple = [bus, g.mul(beta, a), g.mul(beta2, b), g.mul(beta3, y)];
    let tuple = g.sum(tuple);
    let denominator = g.sub(gamma, tuple);
    let difference = g.sub(z, x);
    let fraction = g.mul(difference, denominator);
    let fraction = g.sub(fraction, c);
    let fraction = g.mul(bus, fraction);
    let gate = |what: &str, expr: Id| Gate { what: what.to_string(), expr };
    vec![gate("arithmetic", arithmetic), gate("fold", folded), gate("fraction", fraction)]
}

fn lookup(g: &mut Graph, width: usize) -> Lookup {
    let first = GATE_COLUMNS.len();
    let [tag, second, wires] = std::array::from_fn(|i| g.cell(Column::Fixed(first + i)));
    let [a, b, c] = std::array::from_fn(|i| g.cell(Column::Early(i)));
    let second_wire = g.mul(wires, b);
    let entries = [tag, g.mul(tag, c), g.add(second, second_wire), g.mul(wires, a)];
    let inputs = entries[..1 + width].to_vec();
    let table = first + selectors(width);
    Lookup { what: "lookups".to_string(), inputs, table: (table..table + 1 + width).collect() }
}

fn circuit<S: Setting>(air: &Air<S>, native: &Native, layout: &Layout) -> Circuit<S> {
    let width = native.width();
    let mut graph = Graph::default();
    let gates = gates(&mut graph);
    let lookups = (width > 0).then(|| lookup(&mut graph, width));
    let table = if width == 0 { 0 } else { 1 + width };
    let names = GATE_COLUMNS.iter().chain(&LOOKED[..selectors(width)]).chain(&TABLE[..table]);
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect();
    Circuit {
        name: Vanilla::NAME_,
        log_rows: layout.log_rows,
        fixed_names: names.map(|name| (*name).to_string()).collect(),
        early: owned(&EARLY),
        late: owned(&LATE),
        instance: layout.instance,
        graph,
        gates,
        lookups: lookups.into_iter().collect(),
        permuted: (0..6).map(layout::column).chain([Column::Instance]).collect(),
        arity: air.max_arity().max(3),
        fractions: layout.fractions,
        fixed: ByColumn { values: Vec::new(), height: 1 << layout.log_rows },
        copies: Vec::new(),
    }
}

impl Vanilla {
    const NAME_: &'static str = "plonkish-vanilla";
}

impl<S: Setting> Lowering<S> for Vanilla {
    const NAME: &'static str = Self::NAME_;

    fn form(air: &Air<S>, extent: &Extent) -> Result<Circuit<S>, ConfigError> {
        let native = Native::of(air);
        let layout = Layout::of(air, &native, extent)?;
        Ok(circuit(air, &native, &layout))
    }

    fn lower(air: &Air<S>, extent: &Extent) -> Result<(Circuit<S>, Self), ConfigError> {
        let native = Native::of(air);
        let layout = Layout::of(air, &native, extent)?;
        let mut circuit = circuit(air, &native, &layout);
        let height = circuit.rows();
        let fixed = layout.fixed(air, native.width());
        let table = if native.width() == 0 {
            ByColumn { values: Vec::new(), height }
        } else {
            native.contents(air, height, layout.plans.iter().flat_map(plan::Plan::zeros).collect())?
        };
        circuit.fixed = layout::joined::<S>(fixed, table);
        circuit.copies = layout.copies();
        Ok((circuit, Self { layout: Arc::new(layout) }))
    }

    fn assign(&self, air: &Air<S>, trace: &Trace, statement: &[PublicTerm]) -> Assignment<S> {
        assign::assignment(self.layout.clone(), air, trace, statement)
    }
}
