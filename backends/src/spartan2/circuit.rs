//! One execution's flat R1CS as a circuit of the library.

use std::sync::{Mutex, PoisonError};

use ::spartan2::traits::circuit::SpartanCircuit;
use bellpepper_core::num::AllocatedNum;
use bellpepper_core::{ConstraintSystem, Index, LinearCombination, SynthesisError, Variable};
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use trilemma_arith::PublicTerm;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::r1cs::{Assignment, Flat, Known, R1cs, Side};
use trilemma_piop::instances::Instances;

use super::engine::{Pasta, Scalar, WIDTH, element, scalar};
use super::{F, S};

/// Public inputs that bind what is outside the circuit.
pub const SEEDS: usize = 2;

/// An execution, or what is public of one.
pub struct Execution<'a> {
    pub r1cs: &'a R1cs,
    pub statement: Vec<PublicTerm>,
    pub instances: Instances,
    /// The wires known with the trace; fixed columns only in a verifier.
    pub assignment: Mutex<Assignment<S>>,
    /// What the transcript says of everything outside the circuit.
    pub seed: [u8; 32],
}

/// Sizes of a system, in the library's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub advice: usize,
    pub products: usize,
    pub late: usize,
    pub public: usize,
    pub constraints: usize,
}

impl Size {
    /// Rows of the commitments to advice, products and what is known late. The last is padded until all
    /// of them are a power of two and have room for the public inputs.
    pub fn rows(&self) -> [usize; 3] {
        let [advice, products, late] = [self.advice, self.products, self.late].map(|n| n.div_ceil(WIDTH));
        let inputs = (self.public + CHALLENGES + 1).div_ceil(WIDTH);
        let all = (advice + products + late).max(inputs).next_power_of_two();
        [advice, products, all - advice - products]
    }

    /// Rounds of the sumcheck over constraints and of that over wires.
    pub fn rounds(&self) -> [usize; 2] {
        let wires = WIDTH * self.rows().iter().sum::<usize>();
        [self.constraints.next_power_of_two(), 2 * wires].map(|n| n.ilog2() as usize)
    }

    /// log2 of the most wires or constraints, with padding.
    pub fn log_max(&self) -> usize {
        let [constraints, wires] = self.rounds();
        constraints.max(wires - 1)
    }
}

/// `gamma` and `beta`.
pub const CHALLENGES: usize = 2;

impl Execution<'_> {
    /// Calls `f` with the flat system; its values mean something once `challenges` are those drawn and
    /// the fractions are filled.
    fn flat<R>(&self, assignment: &Assignment<S>, [gamma, beta]: [F; 2], f: impl FnOnce(&Flat<'_, S>) -> R) -> R {
        let challenges = Challenges::new(gamma, beta, self.instances.arity);
        f(&Flat::new(self.r1cs, &self.statement, assignment, &challenges))
    }

    /// The sizes of its system.
    pub fn size(&self) -> Size {
        let mut size = Size { advice: 0, products: 0, late: 0, public: SEEDS, constraints: 0 };
        self.system(|flat| {
            flat.for_each_run(|known, n| match known {
                Known::Public => size.public += n as usize - 1 - CHALLENGES,
                Known::Advice => size.advice += n as usize,
                Known::Product => size.products += n as usize,
                Known::Late => size.late += n as usize,
            });
            size.constraints = flat.constraints() as usize;
        });
        size
    }

    /// Calls `f` with the system without its values.
    fn system<R>(&self, f: impl FnOnce(&Flat<'_, S>) -> R) -> R {
        let assignment = self.assignment.lock().unwrap_or_else(PoisonError::into_inner);
        self.flat(&assignment, [F::ZERO; 2], f)
    }

    /// The public inputs: the seed in halves, then the statement's tuples.
    pub fn public(&self) -> Vec<Scalar> {
        let half = |bytes: &[u8]| {
            let mut x = [0; 32];
            x[..16].copy_from_slice(bytes);
            F::from_bytes(x).unwrap_or_default()
        };
        let entries = self.statement.iter().flat_map(|t| &t.tuple).map(|&x| F::from_u32(x));
        self.seed.chunks_exact(32 / SEEDS).map(half).chain(entries).map(scalar).collect()
    }

    /// The values of advice or products, in the order of wires.
    fn early(&self, known: Known) -> Vec<Scalar> {
        let assignment = self.assignment.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = Vec::new();
        for v in &assignment.instances {
            let columns = if known == Known::Advice { &v.main } else { &v.aux };
            let (start, width) = (values.len(), columns.width());
            values.resize(start + width * v.height(), Scalar::default());
            let rows = values[start..].par_chunks_exact_mut(width.max(1)).with_min_len(1 << 8).enumerate();
            rows.for_each(|(row, cells)| {
                cells.iter_mut().enumerate().for_each(|(i, cell)| *cell = scalar(columns.column(i)[row]));
            });
        }
        values
    }

    /// The values of all other wires.
    fn late(&self, challenges: [F; 2]) -> Vec<Scalar> {
        let mut assignment = self.assignment.lock().unwrap_or_else(PoisonError::into_inner);
        let [gamma, beta] = challenges;
        assignment.fill_helpers(self.r1cs, &Challenges::new(gamma, beta, self.instances.arity));
        let values = self.flat(&assignment, challenges, |flat| flat.late_values());
        values.into_par_iter().map(scalar).collect()
    }

    /// The library's variable of every wire.
    fn variables(&self) -> Vec<Variable> {
        let size = self.size();
        let inputs = 1 + SEEDS..1 + size.public;
        let mut variables = vec![Variable::new_unchecked(Index::Input(0))];
        let input = |i| Variable::new_unchecked(Index::Input(i));
        variables.extend((1 + size.public..).take(CHALLENGES).map(input));
        variables.extend(inputs.map(input));
        let [mut advice, mut products, mut late] = [0, size.advice, size.advice + size.products];
        self.system(|flat| {
            flat.for_each_run(|known, n| {
                let next = match known {
                    Known::Public => return,
                    Known::Advice => &mut advice,
                    Known::Product => &mut products,
                    Known::Late => &mut late,
                };
                variables.extend((*next..).take(n as usize).map(|i| Variable::new_unchecked(Index::Aux(i))));
                *next += n as usize;
            });
        });
        variables
    }

    fn enforce(&self, cs: &mut impl ConstraintSystem<Scalar>) {
        let variables = self.variables();
        let side = |side: &Side<F>| {
            side.iter().fold(LinearCombination::zero(), |sum, &(wire, x)| {
                sum.add_unsimplified((small(x), variables[wire as usize]))
            })
        };
        let mut number = 0;
        self.system(|flat| {
            let done: Result<(), std::convert::Infallible> = flat.for_each(|[a, b, c]| {
                cs.enforce(|| number.to_string(), |_| side(a), |_| side(b), |_| side(c));
                number += 1;
                Ok(())
            });
            let Ok(()) = done;
        });
    }
}

/// A coefficient; most are units.
fn small(x: F) -> Scalar {
    if x == F::ONE {
        Scalar::one()
    } else if x == F::NEG_ONE {
        -Scalar::one()
    } else {
        scalar(x)
    }
}

/// An execution as a circuit: advice is `shared`, products are `precommitted`.
#[derive(Clone, Copy)]
pub struct Circuit<'a>(pub &'a Execution<'a>);

fn allocate<CS: ConstraintSystem<Scalar>>(
    cs: &mut CS,
    n: usize,
    values: impl FnOnce() -> Vec<Scalar>,
) -> Result<(), SynthesisError> {
    if cs.is_witness_generator() {
        cs.extend_aux(&values());
        return Ok(());
    }
    (0..n).try_for_each(|_| cs.alloc(|| "", || Err(SynthesisError::AssignmentMissing)).map(|_| ()))
}

impl SpartanCircuit<Pasta> for Circuit<'_> {
    fn public_values(&self) -> Result<Vec<Scalar>, SynthesisError> {
        Ok(self.0.public())
    }

    /// Returns no handles: constraints refer to variables by number.
    fn shared<CS: ConstraintSystem<Scalar>>(&self, cs: &mut CS) -> Result<Vec<AllocatedNum<Scalar>>, SynthesisError> {
        allocate(cs, self.0.size().advice, || self.0.early(Known::Advice))?;
        Ok(Vec::new())
    }

    fn precommitted<CS: ConstraintSystem<Scalar>>(
        &self,
        cs: &mut CS,
        _: &[AllocatedNum<Scalar>],
    ) -> Result<Vec<AllocatedNum<Scalar>>, SynthesisError> {
        allocate(cs, self.0.size().products, || self.0.early(Known::Product))?;
        Ok(Vec::new())
    }

    fn num_challenges(&self) -> usize {
        CHALLENGES
    }

    fn synthesize<CS: ConstraintSystem<Scalar>>(
        &self,
        cs: &mut CS,
        _: &[AllocatedNum<Scalar>],
        _: &[AllocatedNum<Scalar>],
        challenges: Option<&[Scalar]>,
    ) -> Result<(), SynthesisError> {
        let challenges = match challenges {
            Some(&[gamma, beta]) => [gamma, beta],
            Some(_) => return Err(SynthesisError::AssignmentMissing),
            None => [Scalar::default(); CHALLENGES],
        };
        for value in self.0.public().into_iter().chain(challenges) {
            cs.alloc_input(|| "", || Ok(value))?;
        }
        allocate(cs, self.0.size().late, || self.0.late(challenges.map(element)))?;
        if !cs.is_witness_generator() {
            self.0.enforce(cs);
        }
        Ok(())
    }
}
