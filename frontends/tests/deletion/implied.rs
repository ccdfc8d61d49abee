//! A proof by cases that a relation of a system follows from the others.
//!
//! It assumes that the others hold and that one does not, and looks for a contradiction. What follows for an unknown
//! is put in everywhere; sums of unknowns with bounds are compared with the characteristic; where nothing more
//! follows, every factor of a product is a case, or every value that a relation leaves for its only unknown. It gives
//! up easily: `true` is a proof, `false` says nothing.

use std::collections::{BTreeMap, BTreeSet};

use p3_field::PrimeField64;

use super::Shown;
use super::local::{Body, Poly, System, Tables};
use crate::common::search::signed;

/// Most cases of a proof.
const CASES: usize = 20_000;
/// Most values of an unknown that are cases.
const SPLIT: usize = 32;

/// What a relation says once some unknowns are known.
enum Left<'t, F> {
    Holds,
    Fails,
    /// These unknowns have one of these values each.
    Open(Vec<(usize, Values<'t, F>)>),
}

/// Values, as roots or as those with which `slope x + constant` is in a list.
enum Values<'t, F> {
    Roots(Vec<F>),
    Entries { list: &'t [F], slope: F, constant: F },
}

impl<F: PrimeField64> Values<'_, F> {
    const fn len(&self) -> usize {
        match self {
            Self::Roots(roots) => roots.len(),
            Self::Entries { list, .. } => list.len(),
        }
    }

    fn iter(&self) -> Box<dyn Iterator<Item = F> + '_> {
        match self {
            Self::Roots(roots) => Box::new(roots.iter().copied()),
            Self::Entries { list, slope, constant } => {
                let inverse = slope.inverse();
                Box::new(list.iter().map(move |&entry| (entry - *constant) * inverse))
            }
        }
    }

    /// The least and the greatest, as integers near zero.
    fn bounds(&self) -> (i128, i128) {
        let integers = || self.iter().map(|x| i128::from(signed(x)));
        (integers().min().unwrap_or(0), integers().max().unwrap_or(0))
    }
}

/// Relations that hold and one that does not, in the unknowns that are left.
#[derive(Clone)]
struct Case<F> {
    others: Vec<Body<F>>,
    target: Body<F>,
}

impl<F: PrimeField64> Case<F> {
    /// With a polynomial for an unknown.
    fn with(&self, var: usize, value: &Poly<F>) -> Self {
        let others = self.others.iter().map(|body| body.with(var, value)).collect();
        Self { others, target: self.target.with(var, value) }
    }

    /// An unknown in terms of the only other one of an equation, if there is such an equation.
    fn substitution(&self) -> Option<(usize, Poly<F>)> {
        self.others.iter().find_map(|body| match body {
            Body::Zero(poly) if poly.linear().is_some_and(|(slopes, _)| slopes.len() == 2) => {
                let var = poly.vars().pop_last()?;
                Some((var, poly.defines(var)?))
            }
            _ => None,
        })
    }
}

impl<F: PrimeField64> System<'_, F> {
    /// What is shown of a relation, values that break it alone being known or not.
    ///
    /// # Panics
    /// They are, and it is proven that there are none.
    pub fn shown(&self, target: usize, needed: bool) -> Shown {
        let implied = self.is_implied(target);
        assert!(!(needed && implied), "relation {target} is broken alone, and proven not to be");
        if implied { Shown::Implied } else { needed.into() }
    }

    /// Whether it is proven that whatever satisfies the other relations satisfies this one.
    fn is_implied(&self, target: usize) -> bool {
        let others = self.relations.iter().enumerate().filter(|(i, _)| *i != target).map(|(_, body)| body.clone());
        let case = Case { others: others.collect(), target: self.relations[target].clone() };
        Proof { tables: self.tables, cases: CASES }.contradicts(case)
    }
}

struct Proof<'t, F> {
    tables: &'t Tables<F>,
    cases: usize,
}

impl<F: PrimeField64> Proof<'_, F> {
    /// Whether it is shown that the other relations do not all hold unless the target does.
    fn contradicts(&mut self, case: Case<F>) -> bool {
        if self.cases == 0 {
            return false;
        }
        self.cases -= 1;
        self.settle(case).is_none_or(|(case, split)| self.divide(&case, split))
    }

    /// What is left when all that follows is put in, with the shortest list of values of an unknown; nothing if that
    /// is a contradiction.
    fn settle(&self, mut case: Case<F>) -> Option<(Case<F>, Option<(usize, Vec<F>)>)> {
        let tables = self.tables;
        loop {
            if matches!(left(tables, &case.target), Left::Holds) || case.others.contains(&case.target) {
                return None;
            }
            // By unknown, what relations of it alone leave.
            let mut alone: BTreeMap<usize, Vec<Values<'_, F>>> = BTreeMap::new();
            let mut kept = Vec::new();
            for body in case.others {
                match left(tables, &body) {
                    Left::Fails => return None,
                    Left::Holds => continue,
                    Left::Open(list) if list.iter().any(|(_, values)| values.len() == 0) => return None,
                    Left::Open(list) => list.into_iter().for_each(|(var, v)| alone.entry(var).or_default().push(v)),
                }
                kept.push(body);
            }
            case.others = kept;
            if let Some((&var, values)) =
                alone.iter().find_map(|(var, all)| Some((var, all.iter().find(|v| v.len() == 1)?)))
            {
                let x = values.iter().next().unwrap();
                case = case.with(var, &Poly::constant(x));
                continue;
            }
            alone.values_mut().for_each(|all| all.sort_by_key(Values::len));
            let aim = case.target.vars();
            if let (Some(&var), 1) = (aim.first(), aim.len())
                && let Some(least) = alone.get(&var).map(|all| &all[0])
            {
                let holds =
                    |body: &Body<F>, x: F| matches!(left(tables, &body.with(var, &Poly::constant(x))), Left::Holds);
                let others: Vec<&Body<F>> =
                    case.others.iter().filter(|body| body.vars().into_iter().eq([var])).collect();
                if least.iter().all(|x| holds(&case.target, x) || !others.iter().all(|body| holds(body, x))) {
                    return None;
                }
            }
            let bounds = alone.iter().map(|(&var, all)| (var, all[0].bounds())).collect();
            let forced = case.others.iter().find_map(|body| extremes(body, &bounds));
            if let Some(extremes) = forced {
                let extremes = extremes?;
                case = extremes.into_iter().fold(case, |case, (var, x)| case.with(var, &Poly::constant(x)));
                continue;
            }
            if let Some((var, value)) = case.substitution() {
                case = case.with(var, &value);
                continue;
            }
            let least = alone.into_iter().map(|(var, mut all)| (var, all.swap_remove(0)));
            let split = least.min_by_key(|(_, values)| values.len()).filter(|(_, values)| values.len() <= SPLIT);
            let split = split.map(|(var, values)| (var, values.iter().collect()));
            return Some((case, split));
        }
    }

    /// Whether every factor of a product, or else every value of an unknown, leads to a contradiction.
    fn divide(&mut self, case: &Case<F>, split: Option<(usize, Vec<F>)>) -> bool {
        let factors = case.others.iter().enumerate().filter_map(|(i, body)| match body {
            Body::Zero(poly) if poly.vars().len() > 1 => Some((i, poly.factor()?)),
            _ => None,
        });
        // Those of the target's unknowns first.
        let aim = case.target.vars();
        if let Some((i, (var, root, rest))) = factors.min_by_key(|(_, (var, ..))| !aim.contains(var)) {
            let mut other = case.clone();
            other.others[i] = Body::Zero(rest);
            return self.contradicts(case.with(var, &Poly::constant(root))) && self.contradicts(other);
        }
        split.is_some_and(|(var, values)| {
            values.into_iter().all(|x| self.contradicts(case.with(var, &Poly::constant(x))))
        })
    }
}

/// Of a sum of unknowns within bounds that is zero only if all of them are at their bounds, where they are; `None`
/// inside if it never is.
#[expect(clippy::option_option, reason = "nothing follows, or nothing satisfies it")]
fn extremes<F: PrimeField64>(
    body: &Body<F>,
    bounds: &BTreeMap<usize, (i128, i128)>,
) -> Option<Option<Vec<(usize, F)>>> {
    let Body::Zero(poly) = body else { return None };
    let (slopes, constant) = poly.linear()?;
    let constant = i128::from(signed(constant));
    let ends: Vec<[(i128, i128); 2]> = slopes
        .iter()
        .map(|(var, slope)| {
            let &(least, most) = bounds.get(var)?;
            let mut ends = [least, most].map(|x| (x * i128::from(signed(*slope)), x));
            ends.sort_unstable();
            Some(ends)
        })
        .collect::<Option<_>>()?;
    let sum = |end: usize| constant + ends.iter().map(|ends| ends[end].0).sum::<i128>();
    let (low, high, p) = (sum(0), sum(1), i128::from(F::ORDER_U64));
    let zeros = high.div_euclid(p) - (low - 1).div_euclid(p);
    let at = |end: usize| slopes.iter().zip(&ends).map(|((var, _), ends)| (*var, F::from_i128(ends[end].1))).collect();
    match zeros {
        0 => Some(None),
        1 if low.rem_euclid(p) == 0 => Some(Some(at(0))),
        1 if high.rem_euclid(p) == 0 => Some(Some(at(1))),
        _ => None,
    }
}

/// What a relation says.
fn left<'t, F: PrimeField64>(tables: &'t Tables<F>, body: &Body<F>) -> Left<'t, F> {
    let vars = body.vars();
    match body {
        Body::Zero(poly) if poly.is_zero() => Left::Holds,
        Body::In(inputs, table) if vars.is_empty() && tables.holds(*table, &constants(inputs)) => Left::Holds,
        _ if vars.is_empty() => Left::Fails,
        Body::In(inputs, table) if !tables.matches(*table, &known(inputs)) => Left::Fails,
        Body::Zero(poly) => {
            let var = vars.first().filter(|_| vars.len() == 1);
            let roots = var.and_then(|&var| Some((var, Values::Roots(poly.roots()?))));
            Left::Open(roots.into_iter().collect())
        }
        Body::In(inputs, table) => {
            let others = constants(inputs);
            let known = known(inputs);
            let entries = inputs.iter().enumerate().filter_map(|(position, input)| {
                let var = input.vars().into_iter().next()?;
                let (slope, constant) = input.line()?;
                let rest = inputs.iter().enumerate().all(|(i, other)| i == position || other.known().is_some());
                let list = if rest { tables.entries(*table, position, &others) } else { None };
                let values = match list.or_else(|| tables.all(*table, position)) {
                    Some(list) => Values::Entries { list, slope, constant },
                    None => {
                        let inverse = slope.inverse();
                        let entries =
                            tables.matching(*table, &known)?.map(|tuple| (tuple[position] - constant) * inverse);
                        Values::Roots(entries.collect::<BTreeSet<F>>().into_iter().collect())
                    }
                };
                Some((var, values))
            });
            Left::Open(entries.collect())
        }
    }
}

/// The values of polynomials without unknowns.
fn known<F: PrimeField64>(inputs: &[Poly<F>]) -> Vec<Option<F>> {
    inputs.iter().map(Poly::known).collect()
}

/// The values of polynomials without unknowns; 0 for the others.
fn constants<F: PrimeField64>(inputs: &[Poly<F>]) -> Vec<F> {
    inputs.iter().map(|poly| poly.known().unwrap_or(F::ZERO)).collect()
}
