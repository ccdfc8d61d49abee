//! RISC-V, 32 bits, with multiplication and division (RV32IM).
//!
//! A program is an ELF file ([`elf`]); executing it ([`exec`]) reports every retired instruction ([`isa`]) to an
//! observer, from which a proof system's tables are built.
//!
//! The environment is a subset of Linux's. `a7` selects the call: 93 `exit(a0)`; 64 `write(fd, ptr, len)` with fd 3 the
//! public output and fd 1 and 2 debug text; 63 `read(0, ptr, len)` of the private input. Anything else traps.

pub mod elf;
pub mod exec;
pub mod isa;
pub mod machine;
pub mod memory;
pub mod observe;

pub use elf::{ElfError, Program};
pub use exec::{ExecError, Outcome, execute};
