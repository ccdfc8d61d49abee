//! Tests of schemes, in one binary: what they are tested over is compiled once.

#[path = "../common/mod.rs"]
mod common;

mod codes;
mod conformance;
mod folding;
mod hiding;
mod hyrax;
mod ipa;
mod kzg;
