//! Tests of PIOPs, in one binary: what they are tested over is compiled once.

#[path = "../common/circuits.rs"]
mod circuits;
#[path = "../common/hyperplonk.rs"]
mod common;
#[path = "../common/forge_vanilla.rs"]
mod forge_vanilla;
#[path = "../../../frontends/tests/common/golden.rs"]
mod golden;
#[path = "../common/plonkish.rs"]
mod plonkish;
#[path = "../common/relations.rs"]
mod relations;
#[path = "../../../backends/tests/common/small.rs"]
#[allow(dead_code, reason = "another test binary uses the rest")]
mod small;
#[path = "../common/tiny.rs"]
#[allow(dead_code, reason = "other test binaries use the rest")]
mod tiny;
#[path = "../common/toy.rs"]
mod toy;
#[path = "../common/wide.rs"]
mod wide;

mod hyperplonk;
mod hyperplonk_machine;
mod marlin;
mod marlin_machine;
mod over_ideal;
mod plonk;
mod plonk_lowered;
mod plonkish_machine;
mod plonkish_small;
mod plonkish_vanilla;
