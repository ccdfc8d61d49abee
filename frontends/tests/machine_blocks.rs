//! The R1CS blocks of the tables as text, committed: every row as a formula, sizes of each table, and
//! sizes of all. A change of a table or of the lowering shows in the diff of `blocks/`.
//!
//! `UPDATE_SHAPES=1 cargo test -p trilemma-frontends --test machine_blocks` writes them anew.

mod common;

use common::Run;
use common::golden::assert_committed;
use common::grid::{self, Asm};
use trilemma_arith::r1cs::R1cs;
use trilemma_core::setting::KoalaBear4;

/// Teaches: what the lowering makes of a table is reviewed as text, not only as code.
#[test]
fn blocks_are_as_committed() {
    let mut a = Asm::default();
    grid::calls(&mut a);
    let r1cs = R1cs::of(&Run::new(&a.exit(0), grid::INPUT).machine.air::<KoalaBear4>());
    println!("{r1cs}");
    let blocks = r1cs.blocks.iter().map(|block| (block.name, block.to_string()));
    assert_committed("blocks", blocks.chain([("all", r1cs.to_string())]));
}
