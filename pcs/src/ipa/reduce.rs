//! From claims about many functionals of different lengths to the value of one vector's multilinear
//! polynomial at one point.
//!
//! Vectors have `2^m` entries, of which a functional on `2^n` reads the first, so as polynomials in `m`
//! variables `w_g(x) = eq(0, first m - n variables) w_g(last n)`. What a prover put on the other entries
//! is part of `A_g` and of `u_g = A_g(rho)`, and meets zeros in the sum; honest vectors have zeros there.

use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use trilemma_core::multilinear::{eq, eq_table, evaluate, fold};
use trilemma_core::{ErrorTerm, ProveError, ProverTranscript, Reject, Smooth, VerifierTranscript};

use super::argument::Sum;
use crate::group::GroupSetting;
use crate::srs::lagrange_at;
use crate::stacked::products;

/// A linear functional of vectors.
pub enum Functional<S: GroupSetting> {
    /// The polynomial with these values on the subgroup of order `2^log_height`, at a point.
    Lagrange {
        /// log2 of the entries.
        log_height: usize,
        /// The point.
        point: S::Ext,
    },
    /// The multilinear polynomial with these values on the hypercube, at a point.
    Eq(Vec<S::Ext>),
}

impl<S: GroupSetting> PartialEq for Functional<S> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Lagrange { log_height: n, point: z }, Self::Lagrange { log_height, point }) => {
                (n, z) == (log_height, point)
            }
            (Self::Eq(point), Self::Eq(other)) => point == other,
            _ => false,
        }
    }
}

impl<S: Smooth + GroupSetting> Functional<S> {
    /// log2 of the entries.
    fn variables(&self) -> usize {
        match self {
            Self::Lagrange { log_height, .. } => *log_height,
            Self::Eq(point) => point.len(),
        }
    }

    /// `w(x)` for every entry `x`.
    fn table(&self) -> Vec<S::Ext> {
        match self {
            Self::Lagrange { log_height, point } if point.exp_power_of_2(*log_height).is_one() => {
                let points = S::Base::two_adic_generator(*log_height).powers().take(1 << log_height);
                points.map(|x| if x == *point { S::Ext::ONE } else { S::Ext::ZERO }).collect()
            }
            Self::Lagrange { log_height, point } => lagrange_at::<S>(*log_height, *point),
            Self::Eq(point) => eq_table(point, S::Ext::ONE),
        }
    }

    /// `w(rho)`, of all variables.
    fn at(&self, rho: &[S::Ext]) -> S::Ext {
        let (before, own) = rho.split_at(rho.len() - self.variables());
        let value = match self {
            Self::Lagrange { .. } => evaluate::<S::Ext, S::Ext>(&self.table(), own),
            Self::Eq(point) => eq(point, own),
        };
        value * before.iter().map(|&r| S::Ext::ONE - r).product::<S::Ext>()
    }
}

/// A functional with the value that it is said to have of something.
pub struct Statement<S: GroupSetting, T> {
    /// The functional.
    pub functional: Functional<S>,
    /// The value.
    pub value: S::Ext,
    /// The vector (prover) or the commitment to it (verifier).
    pub of: T,
}

/// What is said about one functional, of a sum of parts.
pub type Group<S, T> = Statement<S, Vec<T>>;

impl<S: GroupSetting, T> Statement<S, T> {
    /// The same of something else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Statement<S, U> {
        Statement { functional: self.functional, value: self.value, of: f(self.of) }
    }
}

/// Adds up what is said about one functional, in order of first mention.
pub fn group<S: GroupSetting, T>(said: impl Iterator<Item = (Functional<S>, S::Ext, T)>) -> Vec<Group<S, T>> {
    let mut groups: Vec<Group<S, T>> = Vec::new();
    for (functional, value, part) in said {
        match groups.iter_mut().find(|group| group.functional == functional) {
            Some(group) => {
                group.value += value;
                group.of.push(part);
            }
            None => groups.push(Statement { functional, value, of: vec![part] }),
        }
    }
    groups
}

/// What the sumcheck leaves: the value of one multilinear polynomial at one point.
pub struct Opened<S: GroupSetting, T> {
    /// The point.
    pub point: Vec<S::Ext>,
    /// The value.
    pub value: S::Ext,
    /// The vector (prover) or the commitment to it (verifier).
    pub of: T,
}

impl<S: GroupSetting, T> Opened<S, T> {
    /// A statement that is such already.
    fn from_one(statements: Vec<Statement<S, T>>) -> Result<Self, Vec<Statement<S, T>>> {
        match <[_; 1]>::try_from(statements) {
            Ok([Statement { functional: Functional::Eq(point), value, of }]) => Ok(Self { point, value, of }),
            Ok([other]) => Err(vec![other]),
            Err(many) => Err(many),
        }
    }
}

fn round_term<S: GroupSetting>() -> ErrorTerm {
    let term = ErrorTerm::schwartz_zippel("ipa sumcheck", 2.0, S::ext_bits());
    ErrorTerm { reference: "[LFKN92] Section 3", ..term }
}

fn eta_term<S: GroupSetting>(functionals: usize) -> ErrorTerm {
    ErrorTerm::schwartz_zippel("ipa values", functionals as f64, S::ext_bits())
}

fn most_variables<S: Smooth + GroupSetting, T>(statements: &[Statement<S, T>]) -> usize {
    statements.iter().map(|statement| statement.functional.variables()).max().unwrap_or(0)
}

/// Decides what is left of the statements.
pub fn verify<S: Smooth + GroupSetting>(
    statements: Vec<Statement<S, Sum<S>>>,
    t: &mut VerifierTranscript<'_>,
) -> Result<Opened<S, Sum<S>>, Reject> {
    let statements = match Opened::from_one(statements) {
        Ok(opened) => return Ok(opened),
        Err(statements) => statements,
    };
    // 2. Round polynomials `c0 + c1 X + c2 X^2`, of which `c1` follows from the sum.
    let mut sum: S::Ext = statements.iter().map(|statement| statement.value).sum();
    let mut rho = Vec::new();
    for _ in 0..most_variables(&statements) {
        let sent = t.recv_ext::<S>("ipa sumcheck", 2)?;
        let (c0, c2) = (sent[0], sent[1]);
        let r = t.challenge::<S>("ipa rho", Some(&round_term::<S>()))?;
        sum = c0 + r * (sum - c0.double() - c2 + r * c2);
        rho.push(r);
    }
    // 3.
    let values = t.recv_ext::<S>("ipa values", statements.len())?;
    let expected: S::Ext = statements.iter().zip(&values).map(|(s, &value)| value * s.functional.at(&rho)).sum();
    if expected != sum {
        return Err(Reject::new("the ipa sumcheck"));
    }
    let eta = t.challenge::<S>("ipa eta", Some(&eta_term::<S>(values.len())))?;
    let (mut of, mut value) = (Sum::default(), S::Ext::ZERO);
    for ((statement, u), power) in statements.into_iter().zip(values).zip(eta.powers()) {
        of.add(statement.of, power);
        value += power * u;
    }
    Ok(Opened { point: rho, value, of })
}

/// Convinces [`verify`].
pub fn prove<S: Smooth + GroupSetting>(
    statements: Vec<Statement<S, Vec<S::Ext>>>,
    t: &mut ProverTranscript,
) -> Result<Opened<S, Vec<S::Ext>>, ProveError> {
    let statements = match Opened::from_one(statements) {
        Ok(opened) => return Ok(opened),
        Err(statements) => statements,
    };
    let variables = most_variables(&statements);
    let mut sides: Vec<Side<S>> = statements.iter().map(Side::new).collect();
    let mut rho = Vec::with_capacity(variables);
    for left in (1..=variables).rev() {
        let messages = sides.iter().map(|side| side.message(left));
        let (c0, c2) = messages.fold((S::Ext::ZERO, S::Ext::ZERO), |a, b| (a.0 + b.0, a.1 + b.1));
        t.send_ext::<S>("ipa sumcheck", &[c0, c2]);
        let r = t.challenge::<S>("ipa rho", Some(&round_term::<S>()))?;
        sides.iter_mut().for_each(|side| side.bind(left, r));
        rho.push(r);
    }
    let values: Vec<S::Ext> = sides.iter().map(|side| side.at_zero * side.vector[0]).collect();
    t.send_ext::<S>("ipa values", &values);
    let eta = t.challenge::<S>("ipa eta", Some(&eta_term::<S>(values.len())))?;
    let mut of = S::Ext::zero_vec(1 << variables);
    for (statement, power) in statements.iter().zip(eta.powers()) {
        of.iter_mut().zip(&statement.of).for_each(|(sum, &entry)| *sum += power * entry);
    }
    let value = values.iter().zip(eta.powers()).map(|(&u, power)| u * power).sum();
    Ok(Opened { point: rho, value, of })
}

/// The prover's part for one functional.
struct Side<S: GroupSetting> {
    variables: usize,
    value: S::Ext,
    /// `eq(0, .)` of the variables bound before its own.
    at_zero: S::Ext,
    /// What is left of `A_g` and of `w_g`, without that factor.
    vector: Vec<S::Ext>,
    weights: Vec<S::Ext>,
}

impl<S: Smooth + GroupSetting> Side<S> {
    fn new(statement: &Statement<S, Vec<S::Ext>>) -> Self {
        Self {
            variables: statement.functional.variables(),
            value: statement.value,
            at_zero: S::Ext::ONE,
            vector: statement.of.clone(),
            weights: statement.functional.table(),
        }
    }

    /// Coefficients of `X^0` and `X^2` of the round in which `left` variables are unbound.
    fn message(&self, left: usize) -> (S::Ext, S::Ext) {
        // Vector and weights both have the factor `1 - X` while the variable is none of their own.
        let foreign = left > self.variables;
        let (c0, c2) = if foreign { (self.value, self.value) } else { products(&self.vector, &self.weights) };
        let scale = self.at_zero.square();
        (scale * c0, scale * c2)
    }

    fn bind(&mut self, left: usize, r: S::Ext) {
        if left > self.variables {
            self.at_zero *= S::Ext::ONE - r;
        } else {
            fold(&mut self.vector, r);
            fold(&mut self.weights, r);
        }
    }
}
