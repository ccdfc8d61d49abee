//! Front ends: from a program and its input to an execution, and from there to a relation over integers.
//!
//! A front end knows the arithmetization's language and no proof system.

pub mod riscv;
