//! The buses of all instances as one sum of fractions, by a layered circuit \[PH23\]: nothing is
//! committed besides the columns.
//!
//! | symbol | meaning |
//! |---|---|
//! | `p_0(x) / q_0(x)` | the fractions: every interaction of every row, end to end ([`Stack`]); beyond the last, `0 / 1` |
//! | `p_i, q_i` | layer `i`, half as long: `p_{i+1}(y) = p_i(0,y) q_i(1,y) + p_i(1,y) q_i(0,y)`, `q_{i+1}(y) = q_i(0,y) q_i(1,y)` |
//! | `K` | layers: the root `p_K / q_K` is the sum of all fractions |
//!
//! **Protocol.** The prover sends the root; the sum and the statement's fractions add to zero. From
//! the root down, a claim about `p_{i+1}(r) + lambda q_{i+1}(r)` becomes, by a sumcheck over `y` ending
//! at `rho`, one about `p_i, q_i` at `(0, rho)` and `(1, rho)`; the four values are sent, and `mu` joins
//! them: the next point is `(mu, rho)`.
//!
//! **Soundness.** A round of a layer: degree 3; `lambda` and `mu`: degree 1. The coordinates of the last
//! point also serve as the random point of a zerocheck, one more each.

mod prover;
mod verifier;

pub use prover::{Fractions, prove};
pub use verifier::{Inputs, verify};

use trilemma_core::Setting;
use trilemma_core::multilinear::eq_index;

use crate::instances::Instances;
use crate::sumcheck::Rounds;

const ROUNDS: Rounds = Rounds { label: "layer", degree: 2, term: "bus layer sumcheck", error: 4 };

/// Where the fractions of an interaction lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The instance.
    pub instance: usize,
    /// Its first interaction.
    pub offset: usize,
    /// log2 of its rows.
    pub log_height: usize,
    /// Its interactions, each a run of `2^log_height` rows.
    pub interactions: usize,
}

/// Layers over so many fractions.
fn layers(len: usize) -> usize {
    len.next_power_of_two().trailing_zeros() as usize
}

/// All fractions end to end, tallest instances first, so that every run starts at a multiple of its
/// length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// The runs, tallest first.
    pub runs: Vec<Run>,
    /// How many fractions there are.
    pub len: usize,
    /// Layers.
    pub layers: usize,
}

impl Stack {
    /// The stack of a proof's instances.
    pub fn new(instances: &Instances) -> Self {
        let mut order: Vec<usize> = (0..instances.list.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(instances.list[i].log_height));
        let (mut runs, mut len) = (Vec::new(), 0);
        for i in order {
            let instance = &instances.list[i];
            if instance.interactions > 0 {
                let (log_height, interactions) = (instance.log_height, instance.interactions);
                runs.push(Run { instance: i, offset: len, log_height, interactions });
                len += interactions << log_height;
            }
        }
        Self { runs, len, layers: layers(len) }
    }

    /// A stack of columns of equal height, one after the other, as one run of instance 0.
    pub fn uniform(columns: usize, log_height: usize) -> Self {
        let len = columns << log_height;
        let run = Run { instance: 0, offset: 0, log_height, interactions: columns };
        Self { runs: if columns == 0 { Vec::new() } else { vec![run] }, len, layers: layers(len) }
    }

    /// `eq` between the place of each interaction of a run and the high coordinates of a point.
    pub fn weights<S: Setting>(&self, run: &Run, point: &[S::Ext]) -> Vec<S::Ext> {
        let prefix = &point[..self.layers - run.log_height];
        (0..run.interactions).map(|j| eq_index((run.offset >> run.log_height) + j, prefix)).collect()
    }
}
