//! Where the columns of an oracle lie in its stack.

use trilemma_core::Reject;
use trilemma_core::channel::Shape;

/// One matrix of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Index of its first cell, a multiple of its height.
    pub offset: usize,
    /// log2 of its rows.
    pub log_height: usize,
    /// Its columns, which follow each other.
    pub width: usize,
}

/// A stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The matrices, in the oracle's order.
    pub blocks: Vec<Block>,
    /// Variables of the stack.
    pub variables: usize,
}

impl Layout {
    /// Lays matrices out, tallest first; `None` when their cells cannot be counted.
    pub fn new(shapes: &[Shape], min_variables: usize) -> Option<Self> {
        let mut order: Vec<usize> = (0..shapes.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(shapes[i].log_height));
        let mut blocks = vec![Block { offset: 0, log_height: 0, width: 0 }; shapes.len()];
        let mut end = 0usize;
        for i in order {
            let Shape { log_height, width } = shapes[i];
            blocks[i] = Block { offset: end, log_height, width };
            let height = 1usize.checked_shl(u32::try_from(log_height).ok()?)?;
            end = end.checked_add(width.checked_mul(height)?)?;
        }
        let variables = end.checked_next_power_of_two()?.trailing_zeros() as usize;
        Some(Self { blocks, variables: variables.max(min_variables) })
    }

    /// As [`Self::new`], for a verifier.
    pub fn of(shapes: &[Shape], min_variables: usize, max_variables: usize) -> Result<Self, Reject> {
        Self::new(shapes, min_variables)
            .filter(|layout| layout.variables <= max_variables)
            .ok_or_else(|| Reject::new("an oracle longer than the keys are for"))
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.blocks.iter().all(|b| b.width == 0)
    }
}
