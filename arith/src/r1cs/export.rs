//! The R1CS of a whole trace as one flat system, in the binary formats of iden3: `.r1cs` version 1
//! and `.wtns` version 2. For settings whose challenges are base elements.
//!
//! | wires | |
//! |---|---|
//! | 0 | 1 |
//! | public inputs | `gamma`, `beta`, then the entries of the statement's tuples |
//! | private | `beta^2`, `beta^3`, ..; for each term of the statement its entries by powers of `beta`, then its fraction |
//! | private | instance by instance, row by row: advice, products, fractions, entries of tuples by powers of `beta` |
//!
//! The system depends on the relation, the heights, and the buses and multiplicities of the statement;
//! not on challenges or tuples. Fixed columns are coefficients. An entry's constant part needs no wire
//! of its own, and interactions of one row that agree in an entry share the wire. Who checks a proof of
//! this system must check that the challenges were drawn after the wires that they are to be drawn
//! after.

use std::io::{self, Write};

use p3_field::{Field, PrimeField};
use rayon::prelude::*;
use trilemma_core::Setting;

use super::R1cs;
use super::block::Block;
use super::fill::{Assignment, Variables};
use super::linear::{Linear, Unit, Var};
use crate::air::PublicTerm;
use crate::kernel::Challenges;

/// Wire of `gamma`; that of `beta` follows, then public tuples.
const GAMMA: u64 = 1;
const BETA: u64 = 2;

/// A wire as one row sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    One,
    Gamma,
    /// `beta^(i+1)`.
    Power(usize),
    /// A wire of this row.
    Here(usize),
    /// A wire of the next row.
    Next(usize),
}

/// A wire, the fixed column that is a factor of its coefficient, and the other factor.
pub(super) type Term = (Wire, Option<usize>, i64);

/// A block without multiples of challenges.
pub(super) struct FlatBlock {
    /// Wires of a row.
    pub(super) width: usize,
    /// Entries of tuples, by power of `beta`.
    pub(super) entries: Vec<(usize, Linear)>,
    /// Sides of constraints.
    pub(super) rows: Vec<[Vec<Term>; 3]>,
}

impl FlatBlock {
    pub(super) fn of(block: &Block) -> Self {
        let first_entry = block.main.len() + block.products.len() + block.fractions.len();
        let mut flat = Self { width: first_entry, entries: Vec::new(), rows: Vec::new() };
        for row in block.rows() {
            let sides = [&row.a, &row.b, &row.c].map(|side| flat.flatten(block, side));
            flat.rows.push(sides);
        }
        for (i, entry) in flat.entries.iter().enumerate() {
            let here = |wire| vec![(wire, None, 1)];
            let values = entry.1.terms().map(|(_, var, x)| Self::term(block, var, x)).collect();
            flat.rows.push([values, here(Wire::Power(entry.0)), here(Wire::Here(first_entry + i))]);
        }
        flat.width += flat.entries.len();
        flat
    }

    fn term(block: &Block, var: Var, x: i64) -> Term {
        let (aux, helpers) = (block.main.len(), block.main.len() + block.products.len());
        match var {
            Var::One => (Wire::One, None, x),
            Var::Fixed(i) => (Wire::One, Some(i), x),
            Var::Main(i) => (Wire::Here(i), None, x),
            Var::Next(i) => (Wire::Next(i), None, x),
            Var::Aux(i) => (Wire::Here(aux + i), None, x),
            Var::Helper(j) => (Wire::Here(helpers + j), None, x),
        }
    }

    fn flatten(&mut self, block: &Block, side: &Linear) -> Vec<Term> {
        let mut out = Vec::new();
        let mut entries: Vec<(usize, Linear)> = Vec::new();
        for (unit, var, x) in side.terms() {
            let term = Self::term(block, var, x);
            match (unit, term) {
                (Unit::One, term) => out.push(term),
                (Unit::Gamma, (_, fixed, x)) => out.push((Wire::Gamma, fixed, x)),
                (Unit::Beta(i), (Wire::One, fixed, x)) => out.push((Wire::Power(i), fixed, x)),
                (Unit::Beta(i), _) => match entries.last_mut() {
                    Some((last, entry)) if *last == i => entry.add_term(Unit::One, var, x),
                    _ => entries.push((i, Linear::term(Unit::One, var, x))),
                },
            }
        }
        for (power, entry) in entries {
            let (x, entry) = entry.primitive();
            let known = self.entries.iter().position(|known| *known == (power, entry.clone()));
            let at = known.unwrap_or(self.entries.len());
            if known.is_none() {
                self.entries.push((power, entry));
            }
            out.push((Wire::Here(self.width + at), None, x));
        }
        out
    }
}

impl Block {
    /// Wires of a row of the flat system.
    pub fn flat_width(&self) -> usize {
        FlatBlock::of(self).width
    }
}

/// The flat system of a trace, with its witness.
pub struct Flat<'a, S: Setting> {
    assignment: &'a Assignment<S>,
    statement: &'a [PublicTerm],
    challenges: &'a Challenges<S::Ext>,
    r1cs: &'a R1cs,
    blocks: Vec<FlatBlock>,
    /// Wires of public tuples.
    public: u64,
    /// Powers of `beta` in use.
    powers: usize,
    /// First wire of every instance, then the number of wires.
    starts: Vec<u64>,
    constraints: u64,
}

/// Wires with coefficients.
pub type Side<F> = Vec<(u64, F)>;

/// When the value of a wire is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Always: the constant, challenges and public tuples.
    Public,
    /// With the trace: an advice column.
    Advice,
    /// With the trace: a product.
    Product,
    /// After the challenges.
    Late,
}

impl<'a, F: PrimeField, S: Setting<Base = F, Ext = F>> Flat<'a, S> {
    /// Lays out the wires of an assignment whose fractions are filled.
    pub fn new(
        r1cs: &'a R1cs,
        statement: &'a [PublicTerm],
        assignment: &'a Assignment<S>,
        challenges: &'a Challenges<F>,
    ) -> Self {
        let blocks: Vec<FlatBlock> = r1cs.blocks.iter().map(FlatBlock::of).collect();
        let public = statement.iter().map(|t| t.tuple.len() as u64).sum();
        let powers = challenges.beta.len();
        let mut next = BETA + 1 + public + powers.saturating_sub(1) as u64 + public + statement.len() as u64;
        let mut constraints = powers.saturating_sub(1) as u64 + public + statement.len() as u64 + 1;
        let mut starts = vec![next];
        for v in &assignment.instances {
            next += (blocks[v.table].width as u64) << v.log_height;
            constraints += (blocks[v.table].rows.len() as u64) << v.log_height;
            starts.push(next);
        }
        Self { assignment, statement, challenges, r1cs, blocks, public, powers, starts, constraints }
    }

    /// Number of wires, the constant included.
    pub fn wires(&self) -> u64 {
        self.starts[self.starts.len() - 1]
    }

    /// Number of public inputs.
    pub const fn public_inputs(&self) -> u64 {
        BETA + self.public
    }

    /// Number of constraints.
    pub const fn constraints(&self) -> u64 {
        self.constraints
    }

    /// The wire of `beta^(i+1)`.
    const fn power(&self, i: usize) -> u64 {
        if i == 0 { BETA } else { BETA + self.public + i as u64 }
    }

    /// The first wire of the statement's products and fractions.
    fn statement_wires(&self) -> u64 {
        self.starts[0] - self.public - self.statement.len() as u64
    }

    /// When the wires are known, in their order and by runs.
    pub fn for_each_run(&self, mut run: impl FnMut(Known, u64)) {
        run(Known::Public, 1 + self.public_inputs());
        run(Known::Late, self.starts[0] - 1 - self.public_inputs());
        for v in &self.assignment.instances {
            let (block, flat) = (&self.r1cs.blocks[v.table], &self.blocks[v.table]);
            let (advice, products) = (block.main.len(), block.products.len());
            for _ in 0..v.height() {
                run(Known::Advice, advice as u64);
                run(Known::Product, products as u64);
                run(Known::Late, (flat.width - advice - products) as u64);
            }
        }
    }

    /// Every constraint, in order.
    ///
    /// # Errors
    /// Those of `emit`.
    pub fn for_each<E>(&self, mut emit: impl FnMut([&Side<F>; 3]) -> Result<(), E>) -> Result<(), E> {
        let one = |wire: u64| vec![(wire, F::ONE)];
        let mut sum = Vec::new();
        for i in 1..self.powers {
            emit([&one(self.power(i - 1)), &one(BETA), &one(self.power(i))])?;
        }
        let (mut public, mut wire) = (BETA + 1, self.statement_wires());
        for term in self.statement {
            let mut fingerprint = vec![(0, -F::from_u32(term.bus.id)), (GAMMA, F::ONE)];
            for i in 0..term.tuple.len() {
                emit([&one(public), &one(self.power(i)), &one(wire)])?;
                fingerprint.push((wire, F::NEG_ONE));
                (public, wire) = (public + 1, wire + 1);
            }
            emit([&one(wire), &fingerprint, &vec![(0, F::from_i64(term.multiplicity))]])?;
            sum.extend(one(wire));
            wire += 1;
        }
        for (v, &start) in self.assignment.instances.iter().zip(&self.starts) {
            let (block, flat) = (&self.r1cs.blocks[v.table], &self.blocks[v.table]);
            let first = block.main.len() + block.products.len();
            let mut sides: [Side<F>; 3] = Default::default();
            for row in 0..v.height() {
                let here = start + (row * flat.width) as u64;
                let next = start + ((row + 1) % v.height() * flat.width) as u64;
                for terms in &flat.rows {
                    for (out, terms) in sides.iter_mut().zip(terms) {
                        self.side(v, row, [here, next], terms, out);
                    }
                    let [a, b, c] = &sides;
                    emit([a, b, c])?;
                }
                sum.extend((first..first + block.fractions.len()).map(|k| (here + k as u64, F::ONE)));
            }
        }
        emit([&sum, &one(0), &Vec::new()])
    }

    /// One side of one row's constraint, by wire, without zeros.
    fn side(&self, v: &Variables<S>, row: usize, [here, next]: [u64; 2], terms: &[Term], out: &mut Side<F>) {
        out.clear();
        for &(wire, fixed, x) in terms {
            let wire = match wire {
                Wire::One => 0,
                Wire::Gamma => GAMMA,
                Wire::Power(i) => self.power(i),
                Wire::Here(k) => here + k as u64,
                Wire::Next(k) => next + k as u64,
            };
            let fixed = fixed.map_or(F::ONE, |i| v.fixed.column(i)[row]);
            out.push((wire, fixed * F::from_i64(x)));
        }
        out.sort_unstable_by_key(|(wire, _)| *wire);
        out.dedup_by(|(wire, x), (last, sum)| {
            let same = wire == last;
            if same {
                *sum += *x;
            }
            same
        });
        out.retain(|(_, x)| !x.is_zero());
    }

    /// Writes the system.
    ///
    /// # Errors
    /// The system has more wires or constraints than the format can number, or writing fails.
    pub fn write_r1cs(&self, out: &mut impl Write) -> io::Result<()> {
        let mut constraints = 0u64;
        self.for_each(|sides| {
            let nonzeros: u64 = sides.iter().map(|side| side.len() as u64).sum();
            constraints += 12 + nonzeros * (4 + S::BYTES as u64);
            io::Result::Ok(())
        })?;
        let wires = small(self.wires())?;
        out.write_all(b"r1cs")?;
        words(out, &[1, 3])?;
        section(out, 1, 32 + S::BYTES as u64)?;
        prime::<S>(out)?;
        words(out, &[wires, 0, small(self.public_inputs())?, 0])?;
        out.write_all(&self.wires().to_le_bytes())?;
        words(out, &[small(self.constraints())?])?;

        section(out, 2, constraints)?;
        let mut bytes = Vec::new();
        self.for_each(|sides| {
            bytes.clear();
            for side in sides {
                bytes.extend_from_slice(&small(side.len() as u64)?.to_le_bytes());
                for &(wire, x) in side {
                    bytes.extend_from_slice(&small(wire)?.to_le_bytes());
                    S::encode(x, &mut bytes);
                }
            }
            out.write_all(&bytes)
        })?;

        section(out, 3, 8 * self.wires())?;
        (0..self.wires()).try_for_each(|label| out.write_all(&label.to_le_bytes()))
    }

    /// Writes the values of all wires.
    ///
    /// # Errors
    /// The system has more wires than the format can number, or writing fails.
    pub fn write_wtns(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(b"wtns")?;
        words(out, &[2, 2])?;
        section(out, 1, 8 + S::BYTES as u64)?;
        prime::<S>(out)?;
        words(out, &[small(self.wires())?])?;

        section(out, 2, self.wires() * S::BYTES as u64)?;
        let mut values = vec![F::ONE, self.challenges.gamma];
        values.push(self.challenges.beta.first().copied().unwrap_or_default());
        values.extend(self.statement.iter().flat_map(|t| &t.tuple).map(|&x| F::from_u32(x)));
        values.extend(self.late_statement());
        let mut bytes = Vec::new();
        let mut write = |values: &mut Vec<F>| {
            bytes.clear();
            values.drain(..).for_each(|x| S::encode(x, &mut bytes));
            out.write_all(&bytes)
        };
        write(&mut values)?;
        for v in &self.assignment.instances {
            for row in 0..v.height() {
                values.extend((0..v.main.width()).map(|i| v.main.column(i)[row]));
                values.extend((0..v.aux.width()).map(|i| v.aux.column(i)[row]));
                self.late_row(v, row, |value| values.push(value));
                write(&mut values)?;
            }
        }
        Ok(())
    }

    /// The values of all wires that are [`Known::Late`], in order.
    pub fn late_values(&self) -> Vec<F> {
        let mut values = self.late_statement();
        for v in &self.assignment.instances {
            let block = &self.r1cs.blocks[v.table];
            let width = self.blocks[v.table].width - block.main.len() - block.products.len();
            let start = values.len();
            values.resize(start + width * v.height(), F::ZERO);
            let rows = values[start..].par_chunks_exact_mut(width.max(1)).with_min_len(1 << 8).enumerate();
            rows.for_each(|(row, cells)| {
                let mut cells = cells.iter_mut();
                self.late_row(v, row, |value| cells.by_ref().take(1).for_each(|cell| *cell = value));
            });
        }
        values
    }

    /// Powers of `beta`; for each term of the statement its entries by them, then its fraction.
    fn late_statement(&self) -> Vec<F> {
        let mut values = self.challenges.beta.get(1..).unwrap_or_default().to_vec();
        for term in self.statement {
            let tuple: Vec<F> = term.tuple.iter().map(|&x| F::from_u32(x)).collect();
            let denominator: F = self.challenges.denominator(term.bus, &tuple);
            values.extend(tuple.iter().zip(&self.challenges.beta).map(|(&x, &power)| x * power));
            values.push(F::from_i64(term.multiplicity) * denominator.try_inverse().unwrap_or_default());
        }
        values
    }

    /// Fractions of a row, then entries of tuples by powers of `beta`.
    fn late_row(&self, v: &Variables<S>, row: usize, mut emit: impl FnMut(F)) {
        (0..v.helpers.width()).for_each(|j| emit(v.helpers.column(j)[row]));
        for (power, entry) in &self.blocks[v.table].entries {
            let entry: F = entry.terms().map(|(_, var, x)| v.at(var, row) * F::from_i64(x)).sum();
            emit(entry * self.challenges.beta[*power]);
        }
    }
}

/// The system and the witness of an assignment, as the contents of an `.r1cs` and a `.wtns` file.
///
/// # Errors
/// The system has more wires or constraints than the formats can number.
pub fn export<F: PrimeField, S: Setting<Base = F, Ext = F>>(
    r1cs: &R1cs,
    statement: &[PublicTerm],
    assignment: &Assignment<S>,
    challenges: &Challenges<F>,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let flat = Flat::new(r1cs, statement, assignment, challenges);
    let (mut system, mut witness) = (Vec::new(), Vec::new());
    flat.write_r1cs(&mut system)?;
    flat.write_wtns(&mut witness)?;
    Ok((system, witness))
}

fn small(n: u64) -> io::Result<u32> {
    u32::try_from(n).map_err(|_| io::Error::other("more wires or constraints than 32 bits can number"))
}

fn words(out: &mut impl Write, words: &[u32]) -> io::Result<()> {
    words.iter().try_for_each(|word| out.write_all(&word.to_le_bytes()))
}

fn section(out: &mut impl Write, kind: u32, bytes: u64) -> io::Result<()> {
    words(out, &[kind])?;
    out.write_all(&bytes.to_le_bytes())
}

/// The size of the field's elements, and its modulus.
fn prime<S: Setting>(out: &mut impl Write) -> io::Result<()> {
    let mut bytes = S::Base::order().to_bytes_le();
    bytes.resize(S::BYTES, 0);
    words(out, &[S::BYTES as u32])?;
    out.write_all(&bytes)
}
