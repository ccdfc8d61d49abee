//! A table's expression graph as a p3 AIR, and the statement's tuples as one more table.

use std::borrow::Cow;
use std::sync::Arc;

use p3_air::{Air, AirBuilder, BaseAir, DebugConstraintBuilder, WindowAccess};
use p3_batch_stark::folder::{ProverConstraintFolderWithLookups, VerifierConstraintFolderWithLookups};
use p3_bus::BusSymbolicBuilder;
use p3_commit::Pcs;
use p3_field::{Algebra, PrimeCharacteristicRing};
use p3_lookup::{Count, InteractionBuilder, InteractionSymbolicBuilder};
use p3_matrix::dense::RowMajorMatrix;
use p3_multi_stark::folder::{InteractionMultilinearFolder, MultilinearFolder};
use p3_uni_stark::StarkGenericConfig;
use trilemma_arith::expr::{Expr, Node};
use trilemma_arith::{Bus, PublicTerm, TableShape};

use super::{Domain, E, F};

/// One step of an evaluation; operands are numbers of earlier steps.
#[derive(Debug, Clone, Copy)]
enum Step {
    Int(F),
    Fixed(usize),
    Main(usize),
    Next(usize),
    Periodic(usize),
    Add(usize, usize),
    Sub(usize, usize),
    Mul(usize, usize),
}

/// What a table puts on a bus, by numbers of steps.
#[derive(Debug)]
struct Sent {
    bus: String,
    multiplicity: usize,
    tuple: Vec<usize>,
}

/// A table without its fixed columns' contents.
#[derive(Debug)]
struct Text {
    width: usize,
    fixed_width: usize,
    uses_next: bool,
    periodic: Vec<Vec<F>>,
    /// Every step, those that constraints need first.
    steps: Vec<Step>,
    /// How many steps constraints need.
    constraint_steps: usize,
    constraints: Vec<usize>,
    interactions: Vec<Sent>,
}

/// A table as p3 sees it.
#[derive(Debug, Clone)]
pub struct TableAir {
    text: Arc<Text>,
    /// Contents of the fixed columns; the prover's only.
    fixed: Option<Arc<RowMajorMatrix<F>>>,
}

/// A bus by name and number: p3 tells buses apart by their text.
fn bus_name(bus: Bus) -> String {
    format!("{} {}", bus.id, bus.name)
}

impl TableAir {
    /// A table of the machine. One that is `gated` has one more fixed column, 1 on the rows of the
    /// table and 0 on those it is padded with, by which every multiplicity is multiplied.
    pub fn of_table(shape: &TableShape, gated: bool) -> Self {
        let count = shape.nodes.len();
        // 2: a constraint needs it; 1: only an interaction does; 0: nobody does.
        let mut needed = vec![0u8; count];
        let mut need = |Expr(e): Expr, by: u8| needed[e as usize] = needed[e as usize].max(by);
        shape.constraints.iter().for_each(|c| need(c.expr, 2));
        for i in &shape.interactions {
            i.tuple.iter().chain([&i.multiplicity]).for_each(|&e| need(e, 1));
        }
        for (i, node) in shape.nodes.iter().enumerate().rev() {
            if let Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b) = *node {
                for Expr(e) in [a, b] {
                    needed[e as usize] = needed[e as usize].max(needed[i]);
                }
            }
        }
        let mut number = vec![0; count];
        let mut steps = Vec::new();
        let mut constraint_steps = 0;
        for by in [2, 1] {
            for (i, node) in shape.nodes.iter().enumerate().filter(|(i, _)| needed[*i] == by) {
                let at = |Expr(e): Expr| number[e as usize];
                let step = match *node {
                    Node::Int(x) => Step::Int(F::from_i64(x)),
                    Node::Fixed(c) => Step::Fixed(c),
                    Node::Main(c) => Step::Main(c),
                    Node::Next(c) => Step::Next(c),
                    Node::Add(a, b) => Step::Add(at(a), at(b)),
                    Node::Sub(a, b) => Step::Sub(at(a), at(b)),
                    Node::Mul(a, b) => Step::Mul(at(a), at(b)),
                };
                number[i] = steps.len();
                steps.push(step);
            }
            if by == 2 {
                constraint_steps = steps.len();
            }
        }
        let at = |Expr(e): Expr| number[e as usize];
        let gate = steps.len();
        if gated {
            steps.push(Step::Fixed(shape.fixed.len()));
        }
        let interactions = shape.interactions.iter().map(|i| {
            let mut multiplicity = at(i.multiplicity);
            if gated {
                steps.push(Step::Mul(gate, multiplicity));
                multiplicity = steps.len() - 1;
            }
            Sent { bus: bus_name(i.bus), multiplicity, tuple: i.tuple.iter().map(|&e| at(e)).collect() }
        });
        let interactions = interactions.collect();
        let text = Text {
            width: shape.columns.len(),
            fixed_width: shape.fixed.len() + usize::from(gated),
            uses_next: shape.uses_next(),
            periodic: Vec::new(),
            constraint_steps,
            constraints: shape.constraints.iter().map(|c| at(c.expr)).collect(),
            interactions,
            steps,
        };
        Self { text: Arc::new(text), fixed: None }
    }

    /// The statement as a table: for every bus on which it puts tuples, a multiplicity and a tuple
    /// a row. Every column equals a periodic column of p3, which both sides know, so the verifier
    /// evaluates it itself.
    pub fn of_statement(terms: &[PublicTerm], min_log_height: usize) -> Self {
        let mut buses: Vec<(Bus, Vec<&PublicTerm>)> = Vec::new();
        for term in terms {
            match buses.iter_mut().find(|(bus, _)| *bus == term.bus) {
                Some((_, terms)) => terms.push(term),
                None => buses.push((term.bus, vec![term])),
            }
        }
        let rows = buses.iter().map(|(_, terms)| terms.len()).max().unwrap_or(0);
        let height = rows.next_power_of_two().max(1 << min_log_height);
        let (mut periodic, mut steps) = (Vec::new(), Vec::new());
        let (mut constraints, mut interactions) = (Vec::new(), Vec::new());
        for (bus, terms) in buses {
            // A column and the step that reads it.
            let mut column = |cell: &dyn Fn(&PublicTerm) -> F| {
                let mut cells: Vec<F> = terms.iter().map(|&t| cell(t)).collect();
                cells.resize(height, F::ZERO);
                let (c, at) = (periodic.len(), steps.len());
                periodic.push(cells);
                steps.extend([Step::Main(c), Step::Periodic(c), Step::Sub(at, at + 1)]);
                constraints.push(at + 2);
                at
            };
            let multiplicity = column(&|t| F::from_i64(t.multiplicity));
            let entry = |i: usize| move |t: &PublicTerm| t.tuple.get(i).map_or(F::ZERO, |&x| F::from_u32(x));
            let tuple = (0..bus.arity).map(|i| column(&entry(i))).collect();
            interactions.push(Sent { bus: bus_name(bus), multiplicity, tuple });
        }
        let text = Text {
            width: periodic.len(),
            fixed_width: 0,
            uses_next: false,
            constraint_steps: steps.len(),
            periodic,
            steps,
            constraints,
            interactions,
        };
        Self { text: Arc::new(text), fixed: None }
    }

    /// The table with its fixed columns.
    pub fn with_fixed(&self, fixed: Option<RowMajorMatrix<F>>) -> Self {
        Self { text: self.text.clone(), fixed: fixed.map(Arc::new) }
    }

    /// Rows of a statement.
    pub fn periodic_height(&self) -> usize {
        self.text.periodic.first().map_or(0, Vec::len)
    }

    /// The columns of a statement, which its own text determines.
    pub fn periodic_trace(&self) -> RowMajorMatrix<F> {
        let cells = (0..self.periodic_height()).flat_map(|r| self.text.periodic.iter().map(move |c| c[r]));
        RowMajorMatrix::new(cells.collect(), self.text.width)
    }

    /// Whether a constraint or interaction reads the next row.
    pub fn uses_next(&self) -> bool {
        self.text.uses_next
    }

    /// Number of constraints, those of buses not counted.
    pub fn constraints(&self) -> usize {
        self.text.constraints.len()
    }

    /// The largest degree of a constraint, multiplicity or entry of a tuple.
    pub fn degree(&self) -> usize {
        let mut degrees: Vec<usize> = Vec::with_capacity(self.text.steps.len());
        for step in &self.text.steps {
            degrees.push(match *step {
                Step::Int(_) => 0,
                Step::Fixed(_) | Step::Main(_) | Step::Next(_) | Step::Periodic(_) => 1,
                Step::Add(x, y) | Step::Sub(x, y) => degrees[x].max(degrees[y]),
                Step::Mul(x, y) => degrees[x] + degrees[y],
            });
        }
        let sent = self.text.interactions.iter().flat_map(|i| i.tuple.iter().chain([&i.multiplicity]));
        sent.chain(&self.text.constraints).map(|&e| degrees[e]).max().unwrap_or(0)
    }

    /// Number of interactions a row.
    pub fn interactions(&self) -> usize {
        self.text.interactions.len()
    }

    #[inline]
    fn walk<B: AirBuilder<F = F>>(&self, b: &B, steps: &[Step]) -> Vec<B::Expr> {
        let main = b.main();
        let (here, there) = (main.current_slice(), main.next_slice());
        // p3's symbolic builder has no window over no columns.
        let fixed = if self.text.fixed_width > 0 { b.preprocessed().current_slice() } else { &[] };
        let periodic = b.periodic_values();
        let mut values: Vec<B::Expr> = Vec::with_capacity(steps.len());
        for step in steps {
            let value = match *step {
                Step::Int(x) => x.into(),
                Step::Fixed(c) => fixed[c].into(),
                Step::Main(c) => here[c].into(),
                Step::Next(c) => there[c].into(),
                Step::Periodic(c) => periodic[c].into(),
                Step::Add(x, y) => values[x].clone() + values[y].clone(),
                Step::Sub(x, y) => values[x].clone() - values[y].clone(),
                Step::Mul(x, y) => values[x].clone() * values[y].clone(),
            };
            values.push(value);
        }
        values
    }

    /// The constraints only: p3 evaluates interactions from what [`Self::record`] left.
    #[inline]
    fn constrain<B: AirBuilder<F = F>>(&self, b: &mut B) {
        let values = self.walk(b, &self.text.steps[..self.text.constraint_steps]);
        for &c in &self.text.constraints {
            b.assert_zero(values[c].clone());
        }
    }

    /// Constraints and interactions. Every multiplicity is counted as 1 a row, those of looked up
    /// tables too, so p3's bound on multiplicities is on the number of fractions.
    fn record<B: InteractionBuilder<F = F>>(&self, b: &mut B) {
        let values = self.walk(b, &self.text.steps);
        for &c in &self.text.constraints {
            b.assert_zero(values[c].clone());
        }
        for i in &self.text.interactions {
            let tuple = i.tuple.iter().map(|&e| values[e].clone());
            b.push_interaction(&i.bus, tuple, Count::bounded(values[i.multiplicity].clone(), 1));
        }
    }
}

impl BaseAir<F> for TableAir {
    fn width(&self) -> usize {
        self.text.width
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        self.fixed.as_ref().map(|fixed| fixed.as_ref().clone())
    }

    fn preprocessed_width(&self) -> usize {
        self.text.fixed_width
    }

    fn num_periodic_columns(&self) -> usize {
        self.text.periodic.len()
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        Cow::Borrowed(&self.text.periodic)
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        if self.text.uses_next { (0..self.text.width).collect() } else { Vec::new() }
    }

    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        Vec::new()
    }

    fn num_constraints(&self) -> Option<usize> {
        Some(self.text.constraints.len())
    }
}

impl Air<InteractionSymbolicBuilder<F, E>> for TableAir {
    fn eval(&self, b: &mut InteractionSymbolicBuilder<F, E>) {
        self.record(b);
    }
}

impl<C> Air<ProverConstraintFolderWithLookups<'_, C>> for TableAir
where
    C: StarkGenericConfig<Pcs: Pcs<C::Challenge, C::Challenger, Domain = Domain>>,
{
    fn eval(&self, b: &mut ProverConstraintFolderWithLookups<'_, C>) {
        self.constrain(b);
    }
}

impl<C> Air<VerifierConstraintFolderWithLookups<'_, C>> for TableAir
where
    C: StarkGenericConfig<Pcs: Pcs<C::Challenge, C::Challenger, Domain = Domain>>,
{
    fn eval(&self, b: &mut VerifierConstraintFolderWithLookups<'_, C>) {
        self.constrain(b);
    }
}

impl<'a, V, X> Air<MultilinearFolder<'a, F, V, X>> for TableAir
where
    V: Algebra<F> + Copy + Send + Sync,
    X: Algebra<V> + Copy,
{
    fn eval(&self, b: &mut MultilinearFolder<'a, F, V, X>) {
        self.constrain(b);
    }
}

impl<'a, V, X> Air<InteractionMultilinearFolder<'a, F, V, X>> for TableAir
where
    V: Algebra<F> + Copy + Send + Sync,
    X: Algebra<V> + Copy,
{
    fn eval(&self, b: &mut InteractionMultilinearFolder<'a, F, V, X>) {
        self.record(b);
    }
}

/// p3's second kind of bus, of which the tables have none.
impl Air<BusSymbolicBuilder<F, E>> for TableAir {
    fn eval(&self, _: &mut BusSymbolicBuilder<F, E>) {}
}

impl Air<DebugConstraintBuilder<'_, F, E>> for TableAir {
    fn eval(&self, b: &mut DebugConstraintBuilder<'_, F, E>) {
        self.constrain(b);
    }
}
