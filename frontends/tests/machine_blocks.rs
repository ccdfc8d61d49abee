//! The R1CS blocks of the tables as text, committed: every row as a formula, sizes of each table, and
//! sizes of all. A change of a table or of the lowering shows in the diff of `blocks/`.
//!
//! `UPDATE_SHAPES=1 cargo test -p trilemma-frontends --test machine_blocks` writes them anew.

mod common;

use std::path::{Path, PathBuf};

use common::Run;
use common::grid::{self, Asm};
use trilemma_arith::r1cs::R1cs;
use trilemma_core::setting::KoalaBear4;

fn golden(name: &str) -> PathBuf {
    let file = format!("{}.txt", name.replace(' ', "-"));
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/blocks").join(file)
}

/// Teaches: what the lowering makes of a table is reviewed as text, not only as code.
#[test]
fn blocks_are_as_committed() {
    let mut a = Asm::default();
    grid::calls(&mut a);
    let r1cs = R1cs::of(&Run::new(&a.exit(0), grid::INPUT).machine.air::<KoalaBear4>());
    println!("{r1cs}");
    let blocks = r1cs.blocks.iter().map(|block| (block.name, block.to_string()));
    let update = std::env::var_os("UPDATE_SHAPES").is_some();
    let mut names = Vec::new();
    for (name, text) in blocks.chain([("all", r1cs.to_string())]) {
        let path = golden(name);
        names.push(path.clone());
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            continue;
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let changed = text.lines().zip(committed.lines()).find(|(new, old)| new != old);
        assert!(
            text == committed,
            "{} differs; first change {changed:?}; if it is meant, run with UPDATE_SHAPES=1",
            path.display()
        );
    }
    let files = std::fs::read_dir(golden("x").parent().unwrap()).unwrap();
    let stray: Vec<PathBuf> = files.map(|f| f.unwrap().path()).filter(|p| !names.contains(p)).collect();
    assert!(stray.is_empty(), "no table has these: {stray:?}");
}
