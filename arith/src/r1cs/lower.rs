//! From a table's expressions to the constraints of one row.
//!
//! Every expression is a linear part and a sum of products of two linear combinations. A constraint
//! with one product is a row as it stands; of several, all but one become variables. A product that
//! is a factor, an entry of a tuple or a multiplicity becomes a variable too, unless a constraint
//! already says what it is: from `x * y = L` on, `x * y` is `L` everywhere. Products of one sum that
//! share a factor are one product.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::block::{Block, Row};
use super::linear::{Linear, Unit, Var, plus, times};
use crate::expr::{Expr, Node, TableShape};

/// Two primitive combinations, the lesser first.
type Product = (Linear, Linear);

/// A linear part and multiples of products.
#[derive(Clone, Default)]
struct Quadratic {
    linear: Linear,
    products: BTreeMap<Product, i64>,
}

impl Quadratic {
    fn linear(linear: Linear) -> Self {
        Self { linear, ..Self::default() }
    }

    fn add(&mut self, other: &Self, factor: i64) {
        self.linear.add(&other.linear, factor);
        for (product, &x) in &other.products {
            let sum = plus(self.products.remove(product).unwrap_or(0), times(x, factor));
            if sum != 0 {
                self.products.insert(product.clone(), sum);
            }
        }
    }

    fn scaled(&self, factor: i64) -> Self {
        let mut out = Self::default();
        out.add(self, factor);
        out
    }

    fn as_int(&self) -> Option<i64> {
        self.linear.as_int().filter(|_| self.products.is_empty())
    }

    /// The product of two combinations.
    fn product(a: &Linear, b: &Linear) -> Self {
        match (a.as_int(), b.as_int()) {
            (Some(x), _) => Self::linear(b.scaled(x)),
            (_, Some(x)) => Self::linear(a.scaled(x)),
            _ => {
                let (x, product) = primitive(a, b);
                Self { linear: Linear::default(), products: BTreeMap::from([(product, x)]) }
            }
        }
    }
}

fn primitive(a: &Linear, b: &Linear) -> (i64, Product) {
    let ((x, a), (y, b)) = (a.primitive(), b.primitive());
    (times(x, y), if a <= b { (a, b) } else { (b, a) })
}

/// A sum of products with as few products as taking out common factors gives, the most common first.
fn group(mut products: BTreeMap<Product, i64>) -> Quadratic {
    let mut out = Quadratic::default();
    loop {
        let mut uses: BTreeMap<&Linear, usize> = BTreeMap::new();
        for (a, b) in products.keys() {
            *uses.entry(a).or_default() += 1;
            *uses.entry(b).or_default() += usize::from(a != b);
        }
        let most = uses.into_iter().max_by_key(|&(factor, n)| (n, Reverse(factor)));
        let Some((factor, _)) = most.filter(|&(_, n)| n > 1) else { break };
        let factor = factor.clone();
        let mut cofactor = Linear::default();
        products.retain(|(a, b), &mut x| {
            let other = if *a == factor { Some(b) } else { Some(a).filter(|_| *b == factor) };
            other.into_iter().for_each(|other| cofactor.add(other, x));
            other.is_none()
        });
        out.add(&Quadratic::product(&factor, &cofactor), 1);
    }
    out.add(&Quadratic { linear: Linear::default(), products }, 1);
    out
}

struct Lowering<'a> {
    shape: &'a TableShape,
    /// Products that rows give a value.
    known: BTreeMap<Product, Linear>,
    quadratics: HashMap<Expr, Quadratic>,
    linears: HashMap<Expr, Linear>,
    products: Vec<Row>,
}

impl Lowering<'_> {
    /// An expression, in which products may be left.
    fn quadratic(&mut self, e: Expr) -> Quadratic {
        if let Some(known) = self.quadratics.get(&e) {
            return known.clone();
        }
        let out = match self.shape.nodes[e.0 as usize] {
            Node::Int(x) => Quadratic::linear(Linear::int(x)),
            Node::Fixed(i) => Quadratic::linear(Linear::var(Var::Fixed(i))),
            Node::Main(i) => Quadratic::linear(Linear::var(Var::Main(i))),
            Node::Next(i) => Quadratic::linear(Linear::var(Var::Next(i))),
            Node::Add(a, b) => self.sum(a, b, 1),
            Node::Sub(a, b) => self.sum(a, b, -1),
            Node::Mul(a, b) => {
                let (p, q) = (self.quadratic(a), self.quadratic(b));
                match (p.as_int(), q.as_int()) {
                    (Some(x), _) => q.scaled(x),
                    (_, Some(x)) => p.scaled(x),
                    _ => Quadratic::product(&self.linear(a), &self.linear(b)),
                }
            }
        };
        self.quadratics.insert(e, out.clone());
        out
    }

    fn sum(&mut self, a: Expr, b: Expr, factor: i64) -> Quadratic {
        let mut sum = self.quadratic(a);
        sum.add(&self.quadratic(b), factor);
        sum
    }

    /// An expression in which every product is a variable.
    fn linear(&mut self, e: Expr) -> Linear {
        if let Some(known) = self.linears.get(&e) {
            return known.clone();
        }
        let quadratic = self.quadratic(e);
        let Quadratic { mut linear, products } = self.simplify(quadratic);
        for (product, x) in products {
            linear.add(&self.variable(product), x);
        }
        self.linears.insert(e, linear.clone());
        linear
    }

    /// Replaces products by their values where rows give one, and takes out common factors.
    fn simplify(&self, mut quadratic: Quadratic) -> Quadratic {
        loop {
            let mut grouped = group(self.replace(&mut quadratic));
            grouped.add(&quadratic, 1);
            quadratic = grouped;
            if !quadratic.products.keys().any(|product| self.known.contains_key(product)) {
                return quadratic;
            }
        }
    }

    /// Moves known products to the linear part; takes out and returns the others.
    fn replace(&self, quadratic: &mut Quadratic) -> BTreeMap<Product, i64> {
        let mut products = std::mem::take(&mut quadratic.products);
        products.retain(|product, x| match self.known.get(product) {
            Some(value) => {
                quadratic.linear.add(value, *x);
                false
            }
            None => true,
        });
        products
    }

    /// The variable of a product, a new one.
    fn variable(&mut self, product: Product) -> Linear {
        let variable = Linear::var(Var::Aux(self.products.len()));
        self.known.insert(product.clone(), variable.clone());
        let (a, b) = product;
        self.products.push(Row { what: "product", a, b, c: variable.clone() });
        variable
    }

    /// The row that says `x * product + linear = 0`.
    fn row(&mut self, what: &'static str, product: Product, x: i64, linear: &Linear) -> Row {
        if x.abs() == 1 {
            self.known.insert(product.clone(), linear.scaled(-x));
        }
        Row { what, a: product.0.scaled(x.abs()), b: product.1, c: linear.scaled(-x.signum()) }
    }

    /// The row of a constraint, if there is anything left to say: all products but one become
    /// variables, and that one is a product that few others want.
    fn constraint(&mut self, what: &'static str, quadratic: Quadratic, uses: &HashMap<Product, usize>) -> Option<Row> {
        let Quadratic { mut linear, mut products } = self.simplify(quadratic);
        let wanted = |p: &Product| uses.get(p).copied().unwrap_or(0);
        let kept = products.keys().rev().min_by_key(|p| wanted(p)).cloned();
        let kept = kept.and_then(|p| products.remove_entry(&p));
        for (product, x) in products {
            linear.add(&self.variable(product), x);
        }
        match kept {
            Some((product, x)) => Some(self.row(what, product, x, &linear)),
            None if linear.is_zero() => None,
            None => Some(Row { what, a: linear, b: Linear::int(1), c: Linear::default() }),
        }
    }
}

impl Block {
    /// The block of a table.
    pub fn of(shape: &TableShape) -> Self {
        let mut lowering = Lowering {
            shape,
            known: BTreeMap::new(),
            quadratics: HashMap::new(),
            linears: HashMap::new(),
            products: Vec::new(),
        };
        let mut rows: Vec<Option<Row>> = vec![None; shape.constraints.len()];

        // What constraints say of products, before anything asks for them.
        let mut rest = Vec::new();
        for (i, c) in shape.constraints.iter().enumerate() {
            let simple = (shape.degree(c.expr) <= 2).then(|| {
                let quadratic = lowering.quadratic(c.expr);
                lowering.simplify(quadratic)
            });
            match simple.as_ref().map(|q| (q, q.products.iter().next(), q.products.len())) {
                Some((q, Some((product, &x)), 1)) if x.abs() == 1 => {
                    rows[i] = Some(lowering.row(c.what, product.clone(), x, &q.linear));
                }
                _ => rest.push(i),
            }
        }

        // Factors, tuples and multiplicities.
        let quadratics: Vec<Quadratic> = rest.iter().map(|&i| lowering.quadratic(shape.constraints[i].expr)).collect();
        let mut fractions = Vec::new();
        for (j, interaction) in shape.interactions.iter().enumerate() {
            let mut fingerprint = Linear::term(Unit::Gamma, Var::One, 1);
            fingerprint.add_term(Unit::One, Var::One, -i64::from(interaction.bus.id));
            for (i, &entry) in interaction.tuple.iter().enumerate() {
                fingerprint.add_in(Unit::Beta(i), &lowering.linear(entry), -1);
            }
            let multiplicity = lowering.linear(interaction.multiplicity);
            let helper = Linear::var(Var::Helper(j));
            fractions.push(Row { what: interaction.bus.name, a: helper, b: fingerprint, c: multiplicity });
        }

        // Constraints of several products.
        let mut uses: HashMap<Product, usize> = HashMap::new();
        for product in quadratics.iter().flat_map(|q| q.products.keys()) {
            *uses.entry(product.clone()).or_default() += 1;
        }
        for (i, quadratic) in rest.into_iter().zip(quadratics) {
            rows[i] = lowering.constraint(shape.constraints[i].what, quadratic, &uses);
        }

        let mut block = Self {
            name: shape.name,
            fixed: shape.fixed.clone(),
            fixed_height: shape.fixed_height,
            main: shape.columns.iter().map(|c| c.name).collect(),
            next: Vec::new(),
            products: lowering.products,
            constraints: rows.into_iter().flatten().collect(),
            fractions,
        };
        let variables = block.rows().flat_map(|row| [&row.a, &row.b, &row.c]).flat_map(Linear::terms);
        let next: BTreeSet<usize> =
            variables.filter_map(|(_, var, _)| if let Var::Next(i) = var { Some(i) } else { None }).collect();
        block.next = next.into_iter().collect();
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Builder, Bus, Table};

    const BUS: Bus = Bus { id: 9, name: "bus", arity: 1, lookup: false };

    struct Case<const N: usize>;

    impl<const N: usize> Table for Case<N> {
        type Row = ();

        fn name(&self) -> &'static str {
            "case"
        }

        fn eval<B: Builder<()>>(&self, b: &mut B) {
            let [x, y, z, w] = ["x", "y", "z", "w"].map(|name| b.free(name, "", |()| 0));
            let three = b.int(3);
            match N {
                0 => b.zero("linear", three * (x + three * y) - z * three),
                1 => b.zero("a product", three * x * (y + z) - w + three),
                2 => b.zero("a multiple of a sum", three * (x * y + z) - x * three * y - w),
                3 => b.zero("two products", x * y + z * w),
                4 => b.zero("a common factor", x * y + z * x + w * x - w),
                5 => b.zero("nested", (x * y + z) * (x * y + w) - x * y),
                6 => {
                    b.zero("posted", x * y * z - w);
                    b.interact(BUS, x * y, &[x * y + z * three]);
                }
                7 => {
                    b.zero("later", x * y * z);
                    b.zero("given", x * y - w);
                    b.zero("again", w * three - three * y * x);
                }
                8 => b.zero("factors that add to 1", x * y + x * (three - y) + z * w),
                _ => b.zero("nothing", (x - y) * z + z * (y - x)),
            }
        }
    }

    fn rows<const N: usize>() -> Vec<String> {
        let block = Block::of(&TableShape::of(&Case::<N>));
        block.rows().map(|row| block.formula(row)).collect()
    }

    #[test]
    fn constraints_cost_what_they_must() {
        assert_eq!(rows::<0>(), ["3*x + 9*y - 3*z = 0"]);
        assert_eq!(rows::<1>(), ["3*x * (y + z) = w - 3"]);
        assert_eq!(rows::<2>(), ["3*z - w = 0"]);
        assert_eq!(rows::<3>(), ["x * y = p0", "z * w = -p0"]);
        assert_eq!(rows::<4>(), ["x * (y + z + w) = w"]);
        assert_eq!(rows::<5>(), ["x * y = p0", "(z + p0) * (w + p0) = p0"]);
        assert_eq!(rows::<6>(), ["x * y = p0", "z * p0 = w", "h0 * (gamma - 9 - 3*beta*z - beta*p0) = p0"]);
        assert_eq!(rows::<7>(), ["z * w = 0", "x * y = w"]);
        assert_eq!(rows::<8>(), ["z * w = -3*x"]);
        assert!(rows::<9>().is_empty());
    }
}
