//! Changed proofs and lying provers are refused; in one binary: what they are tested over is compiled once.

#[path = "../common/mod.rs"]
mod common;

mod bytes;
mod circuits;
mod frozen;
mod live;
mod proofs;
