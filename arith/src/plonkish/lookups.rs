//! Which interactions of an AIR are lookups, and what they are looked up in.
//!
//! On a bus with `lookup` set, an interaction *provides* when its table has fixed columns, its
//! multiplicity is `-times` for an advice column that nothing else reads, and its tuple is made of
//! fixed columns and constants. The bus's lookup table has a row `(1, tuple)` for every row of every
//! provider, and a row of zeros. Every other interaction on such a bus *consumes*: with multiplicity
//! `m` and tuple `t` it looks up `(m, m t)`. A bus without providers is a bus like others.
//!
//! **Equivalence.** `times` is free, so the bus balances exactly when for every tuple that is *not*
//! provided the multiplicities of its consumers add to zero. Where all multiplicities are 0 or 1 and
//! consumers are fewer than the characteristic, such a sum is zero only when every term is: every `t`
//! with `m = 1` is provided. That is what the lookups say: `(1, t)` is in the table exactly when `t` is
//! provided, and `(0, 0)` always is. For any other `m`, `(m, m t)` is not in the table, as its first
//! column holds zeros and ones only, while the bus may balance: lookups are the stricter of the two.
//! Tables gate lookups by bits, so nothing honest is lost.
//!
//! A table whose interactions all provide, and which constrains nothing, has no rows in a circuit: its
//! columns count lookups, and whoever proves the lookups counts them anew.

use std::collections::BTreeMap;

use p3_field::{Field, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_core::{ConfigError, Setting};

use super::circuit::Extent;
use crate::air::Air;
use crate::expr::{Expr, Node, TableShape};
use crate::kernel::Cells;
use crate::r1cs::ByColumn;
use crate::table::Bus;

/// What an interaction is in a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A fraction of the bus argument.
    Fraction,
    /// Rows of a lookup table; nothing in the rows of its own table.
    Provider,
    /// A lookup, in this one of [`Lookups::tables`].
    Consumer(usize),
}

/// What is provided on one bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupTable {
    /// The bus.
    pub bus: Bus,
    /// Tables and interactions that provide.
    pub providers: Vec<(usize, usize)>,
    /// Rows, the row of zeros included. Rows may be equal.
    pub rows: usize,
}

/// The lookups of an AIR.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookups {
    /// Lookup tables, by number of the bus.
    pub tables: Vec<LookupTable>,
    /// Roles of interactions, by table of the AIR.
    pub roles: Vec<Vec<Role>>,
    /// Advice columns that only count lookups, by table of the AIR.
    pub counting: Vec<Vec<usize>>,
    /// Whether a table of the AIR has rows in a circuit.
    pub kept: Vec<bool>,
}

/// An instance that has rows in a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// The table.
    pub table: usize,
    /// Its rows: all of them if the table has fixed columns.
    pub rows: usize,
    /// Number of the instance in the extent, and in the trace.
    pub origin: usize,
}

impl Lookups {
    /// Finds them.
    pub fn of<S: Setting>(air: &Air<S>) -> Self {
        let mut providers: BTreeMap<u32, LookupTable> = BTreeMap::new();
        let mut counting = Vec::new();
        for (t, kernel) in air.tables.iter().enumerate() {
            let shape = kernel.shape();
            let mut columns = Vec::new();
            for (i, interaction) in shape.interactions.iter().enumerate() {
                let Some(column) = counter(shape, i) else { continue };
                columns.push(column);
                let bus = interaction.bus;
                let table = providers.entry(bus.id).or_insert(LookupTable { bus, providers: Vec::new(), rows: 1 });
                table.providers.push((t, i));
                table.rows += shape.fixed_height;
            }
            counting.push(columns);
        }
        let tables: Vec<LookupTable> = providers.into_values().collect();
        let role = |t: usize, i: usize, bus: Bus| match tables.iter().position(|table| table.bus == bus) {
            None => Role::Fraction,
            Some(n) if tables[n].providers.contains(&(t, i)) => Role::Provider,
            Some(n) => Role::Consumer(n),
        };
        let roles: Vec<Vec<Role>> = (air.tables.iter().enumerate())
            .map(|(t, kernel)| {
                let interactions = kernel.shape().interactions.iter().enumerate();
                interactions.map(|(i, interaction)| role(t, i, interaction.bus)).collect()
            })
            .collect();
        let provides_only = |(t, roles): (usize, &Vec<Role>)| {
            air.tables[t].shape().constraints.is_empty()
                && !roles.is_empty()
                && roles.iter().all(|r| *r == Role::Provider)
        };
        let kept = roles.iter().enumerate().map(|pair| !provides_only(pair)).collect();
        Self { tables, roles, counting, kept }
    }

    /// The instances that have rows in a circuit, with these rows, and the fractions of all of them and
    /// of the statement.
    ///
    /// # Errors
    /// No trace and statement of the relation have this extent.
    pub fn instances<S: Setting>(&self, air: &Air<S>, extent: &Extent) -> Result<(Vec<Rows>, usize), ConfigError> {
        let refuse = |what: String| Err(ConfigError(what));
        let (mut kept, mut fractions, mut total) = (Vec::new(), extent.statement.len(), 0usize);
        for (t, kernel) in air.tables.iter().enumerate() {
            let shape = kernel.shape();
            let here = extent.instances.iter().enumerate().filter(|(_, i)| i.0 == t);
            let here: Vec<(usize, usize)> = here.map(|(origin, i)| (origin, i.1)).collect();
            if shape.fixed_height > 0 && here.len() != 1 {
                return refuse(format!("table {} needs exactly one instance", shape.name));
            }
            if here.len() > air.max_instances {
                return refuse(format!("table {} has more than {} instances", shape.name, air.max_instances));
            }
            if shape.uses_next() && here.iter().any(|(_, rows)| !rows.is_power_of_two()) {
                return refuse(format!("rows of table {} are no power of two", shape.name));
            }
            for (origin, rows) in here {
                let rows = if shape.fixed_height > 0 { shape.fixed_height } else { rows };
                total = total.saturating_add(rows);
                let posted = self.roles[t].iter().filter(|r| **r == Role::Fraction).count();
                fractions = fractions.saturating_add(posted.saturating_mul(rows));
                if self.kept[t] {
                    kept.push(Rows { table: t, rows, origin });
                }
            }
        }
        if extent.instances.iter().any(|i| i.0 >= air.tables.len()) {
            return refuse("an instance of no table".to_string());
        }
        if total > air.max_rows {
            return refuse(format!("{total} rows are more than {}", air.max_rows));
        }
        if fractions as f64 >= 2f64.powi(S::Base::bits() as i32 - 1) {
            return refuse(format!("{fractions} fractions are not fewer than the characteristic"));
        }
        match extent.statement.iter().find(|(bus, _)| self.tables.iter().any(|t| t.bus == *bus)) {
            Some((bus, _)) => refuse(format!("the statement looks up on {}", bus.name)),
            None => Ok((kept, fractions)),
        }
    }

    /// The columns of a lookup table: whether a row provides, then its tuple; zeros in row 0 and below
    /// the last.
    pub fn contents<S: Setting>(&self, air: &Air<S>, table: usize, height: usize) -> ByColumn<S::Base> {
        let LookupTable { bus, providers, .. } = &self.tables[table];
        let mut rows = vec![vec![S::Base::ZERO; 1 + bus.arity]];
        for &(t, i) in providers {
            let kernel = air.tables[t].as_ref();
            let fixed = kernel.fixed();
            let main = S::Base::zero_vec(kernel.shape().columns.len());
            let provided = (0..kernel.shape().fixed_height).into_par_iter().map(|r| {
                let fixed: Vec<S::Base> = fixed.iter().map(|column| S::Base::from_u32(column[r])).collect();
                let mut values = kernel.row(Cells { fixed: &fixed, main: &main, next: &main });
                let (_, _, tuple) = values.interactions.swap_remove(i);
                std::iter::once(S::Base::ONE).chain(tuple).collect::<Vec<_>>()
            });
            rows.par_extend(provided);
        }
        let mut columns = ByColumn::zero(1 + bus.arity, height);
        for (r, row) in rows.iter().enumerate() {
            row.iter().enumerate().for_each(|(c, &x)| *columns.cell_mut(c, r) = x);
        }
        columns
    }
}

/// The column that counts lookups of an interaction, if it provides.
fn counter(shape: &TableShape, number: usize) -> Option<usize> {
    let interaction = &shape.interactions[number];
    let Node::Sub(zero, times) = shape.nodes[interaction.multiplicity.0 as usize] else { return None };
    let (Node::Int(0), Node::Main(column)) = (shape.nodes[zero.0 as usize], shape.nodes[times.0 as usize]) else {
        return None;
    };
    let others = shape.interactions.iter().enumerate().filter(|(i, _)| *i != number);
    let read = (shape.constraints.iter().map(|c| c.expr))
        .chain(others.flat_map(|(_, i)| i.tuple.iter().copied().chain([i.multiplicity])));
    let provides = interaction.bus.lookup
        && shape.fixed_height > 0
        && advice(shape, interaction.tuple.iter().copied()).is_empty()
        && !advice(shape, read).contains(&column);
    provides.then_some(column)
}

/// Advice columns that expressions read, on this row or the next.
fn advice(shape: &TableShape, roots: impl Iterator<Item = Expr>) -> Vec<usize> {
    let mut used = vec![false; shape.nodes.len()];
    roots.for_each(|e| used[e.0 as usize] = true);
    let mut columns = Vec::new();
    for (i, node) in shape.nodes.iter().enumerate().rev() {
        match *node {
            _ if !used[i] => {}
            Node::Main(column) | Node::Next(column) => columns.push(column),
            Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b) => {
                used[a.0 as usize] = true;
                used[b.0 as usize] = true;
            }
            Node::Int(_) | Node::Fixed(_) => {}
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use trilemma_core::setting::KoalaBear4;

    use super::*;
    use crate::kernel::Compiled;
    use crate::table::{Builder, Gadgets, RANGE, Table};

    const OTHER: Bus = Bus { id: 9, name: "other", arity: 1, lookup: true };

    /// Provides pairs; what else it does is up to `N`.
    struct Fixed<const N: usize>;

    impl<const N: usize> Table for Fixed<N> {
        type Row = ();

        fn name(&self) -> &'static str {
            "fixed"
        }

        fn fixed(&self) -> Vec<Vec<u32>> {
            vec![vec![7, 8]]
        }

        fn eval<B: Builder<()>>(&self, b: &mut B) {
            let f = b.fixed("f");
            let times = b.free("times", "counts lookups", |()| 0);
            let three = b.int(3);
            match N {
                0 => b.interact(RANGE, -times, &[three * f, three]),
                1 => b.interact(RANGE, times, &[f, three]),
                2 => b.interact(RANGE, -times, &[f, times]),
                3 => {
                    b.interact(RANGE, -times, &[f, three]);
                    b.boolean("times", times);
                }
                _ => {
                    b.interact(RANGE, -times, &[f, three]);
                    b.interact(OTHER, b.int(1), &[f]);
                }
            }
        }
    }

    fn of<const N: usize>() -> (Lookups, ByColumn<<KoalaBear4 as Setting>::Base>) {
        let air: Air<KoalaBear4> =
            Air { tables: vec![Box::new(Compiled::new(Fixed::<N>))], max_instances: 1, max_rows: 8 };
        let lookups = Lookups::of(&air);
        let contents = if lookups.tables.is_empty() { ByColumn::zero(0, 1) } else { lookups.contents(&air, 0, 4) };
        (lookups, contents)
    }

    /// Teaches: what is provided is known from the text alone, with a row of zeros before it.
    #[test]
    fn a_table_provides_what_its_fixed_columns_hold() {
        let (lookups, contents) = of::<0>();
        let columns = [[0, 1, 1, 0], [0, 21, 24, 0], [0, 3, 3, 0]];
        assert_eq!(
            contents.values,
            columns.concat().into_iter().map(PrimeCharacteristicRing::from_u32).collect::<Vec<_>>()
        );
        assert_eq!((&lookups.kept[..], &lookups.roles[0][..]), (&[false][..], &[Role::Provider][..]));
        assert_eq!((lookups.tables[0].rows, &lookups.counting[0][..]), (3, &[0][..]));
    }

    /// Teaches: a count that is sent, looked up or constrained is no count.
    #[test]
    fn columns_with_another_use_do_not_count() {
        for lookups in [of::<1>().0, of::<2>().0, of::<3>().0] {
            assert_eq!((lookups.tables.len(), lookups.kept[0], lookups.roles[0][0]), (0, true, Role::Fraction));
        }
    }

    /// Teaches: a table that also does something else keeps its rows.
    #[test]
    fn a_table_may_provide_and_send() {
        let (lookups, _) = of::<4>();
        assert!(lookups.kept[0]);
        assert_eq!(lookups.roles[0], [Role::Provider, Role::Fraction]);
    }
}
