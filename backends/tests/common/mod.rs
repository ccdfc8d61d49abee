//! What the tests of whole proofs share: guests, a tiny relation, and a verifier that must not panic.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod circuits;
pub mod forge;
pub mod frozen;
pub mod lies;
pub mod small;
#[path = "../../../piop/tests/common/tiny.rs"]
pub mod tiny;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use p3_field::Field;
use trilemma_backends::Public;
use trilemma_core::{Reject, Setting};
use trilemma_frontends::riscv::elf::Program;

/// A committed guest.
pub fn guest(name: &str) -> Program {
    let path = format!("{}/../frontends/guests/elf/{name}.elf", env!("CARGO_MANIFEST_DIR"));
    Program::from_elf(&std::fs::read(path).unwrap()).unwrap()
}

/// Outcomes other than this one.
pub fn other_outcomes(Public { exit_code, output }: &Public) -> Vec<Public> {
    let with = |exit_code, output: &[u8]| Public { exit_code, output: output.to_vec() };
    let mut others = vec![
        with(exit_code ^ 1, output),
        with(exit_code ^ (1 << 31), output),
        with(*exit_code, &[output.as_slice(), &[0]].concat()),
    ];
    if let Some((_, rest)) = output.split_first() {
        others.push(with(*exit_code, rest));
        others.push(with(*exit_code, &output.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>()));
    }
    others
}

/// Runs a verifier; `Ok` when it accepts, the rejection's text when it does not.
///
/// # Panics
/// The verifier panics.
pub fn accepts<T>(what: &str, verify: impl FnOnce() -> Result<T, Reject>) -> Result<(), String> {
    match catch_unwind(AssertUnwindSafe(verify)) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(reject)) => Err(reject.what),
        Err(_) => panic!("the verifier panics: {what}"),
    }
}

/// Runs `check` on every job with two threads; panics in them are passed on.
pub fn in_parallel<J: Sync>(jobs: &[J], check: impl Fn(&J) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(job);
                }
            });
        }
    });
}

/// Asserts that every change of a proof is refused, and tells how often each refusal was heard.
pub fn all_refused<C: Changed>(
    what: &str,
    proof: &[u8],
    changes: &[C],
    verify: impl Fn(&[u8]) -> Result<(), Reject> + Sync,
) {
    assert_eq!(accepts(what, || verify(proof)), Ok(()), "{what}: the proof itself");
    let accepted = Mutex::new(Vec::new());
    let heard = Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    let tried = AtomicUsize::new(0);
    in_parallel(changes, |change| {
        let changed = change.of(proof);
        if changed == proof {
            return;
        }
        tried.fetch_add(1, Ordering::Relaxed);
        let name = format!("{what}: {}", change.name());
        match accepts(&name, || verify(&changed)) {
            Ok(()) => accepted.lock().unwrap().push(change.name()),
            Err(reject) => {
                let kind: String = reject.chars().filter(|c| !c.is_ascii_digit()).take(60).collect();
                *heard.lock().unwrap().entry(kind).or_default() += 1;
            }
        }
    });
    let (heard, accepted) = (heard.into_inner().unwrap(), accepted.into_inner().unwrap());
    let (tried, len) = (tried.into_inner(), proof.len());
    println!("{what}: {tried} changes of {len} bytes refused: {heard:?}");
    assert!(accepted.is_empty(), "{what}: {} of {tried} changes accepted: {accepted:?}", accepted.len());
    assert!(2 * tried > changes.len(), "{what}: of {} changes {tried} change anything", changes.len());
}

/// A way to change a proof.
pub trait Changed: Sync {
    /// What it does, for messages.
    fn name(&self) -> String;
    /// The changed proof; equal to the proof when there is nothing to change.
    fn of(&self, proof: &[u8]) -> Vec<u8>;
}

/// Changes of bytes.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// A byte, by exclusive or.
    Flip(usize, u8),
    /// A byte, set.
    Set(usize, u8),
    /// The proof's first bytes only.
    Cut(usize),
    /// Bytes appended.
    Extend(usize),
    /// A byte left out.
    Drop(usize),
    /// A little-endian number, more by this one where that fits into as many bytes: with the modulus, the other
    /// encoding of a field element.
    Add(usize, &'static [u8]),
    /// Two words of four bytes that change places.
    Swap(usize, usize),
    /// Two blocks of 32 bytes that change places, by number: roots, or points of a curve.
    SwapBlocks(usize, usize),
}

/// The modulus of a setting's field, for [`Change::Add`].
pub fn modulus<S: Setting>() -> &'static [u8] {
    S::Base::order().to_bytes_le().leak()
}

/// The first bytes of a proof, then those of another.
#[derive(Debug, Clone, Copy)]
pub struct Splice<'a> {
    /// The other proof.
    pub tail: &'a [u8],
    /// Where it starts.
    pub at: usize,
}

impl Changed for Splice<'_> {
    fn name(&self) -> String {
        format!("spliced at {}", self.at)
    }

    fn of(&self, proof: &[u8]) -> Vec<u8> {
        [&proof[..self.at], &self.tail[self.at..]].concat()
    }
}

impl Changed for Change {
    fn name(&self) -> String {
        format!("{self:?}")
    }

    fn of(&self, proof: &[u8]) -> Vec<u8> {
        let mut out = proof.to_vec();
        match *self {
            Self::Flip(at, with) => out[at] ^= with,
            Self::Set(at, to) => out[at] = to,
            Self::Cut(n) => out.truncate(n),
            Self::Extend(n) => out.resize(proof.len() + n, 0),
            Self::Drop(at) => {
                out.remove(at);
            }
            Self::Add(at, by) => {
                if let Some(number) = out.get_mut(at..at + by.len()) {
                    let carry = number.iter_mut().zip(by).fold(0, |carry, (x, &y)| {
                        let sum = carry + u16::from(*x) + u16::from(y);
                        *x = sum as u8;
                        sum >> 8
                    });
                    if carry > 0 {
                        out.copy_from_slice(proof);
                    }
                }
            }
            Self::Swap(a, b) => {
                for i in 0..4 {
                    out.swap(a + i, b + i);
                }
            }
            Self::SwapBlocks(a, b) => {
                for i in 0..32 {
                    out.swap(32 * a + i, 32 * b + i);
                }
            }
        }
        out
    }
}
