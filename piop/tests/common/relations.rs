//! Relations with a statement and a trace: small ones, and executions of the machine.

use trilemma_arith::Air;
use trilemma_arith::air::{PublicTerm, Trace};
use trilemma_arith::plonkish::Extent;
use trilemma_core::Setting;
use trilemma_frontends::riscv::Program;
use trilemma_frontends::riscv::exec::execute;
use trilemma_frontends::riscv::machine::Machine;
use trilemma_pcs::Available;

use crate::plonkish::normal;
use crate::small::Small;
use crate::wide;

/// A relation, its statement and a trace of it.
pub struct Relation<S: Setting> {
    pub name: &'static str,
    pub air: Air<S>,
    pub terms: Vec<PublicTerm>,
    pub trace: Trace,
}

impl<S: Setting> Relation<S> {
    /// Those small enough to try every cell, in normal form.
    pub fn small() -> Vec<Self>
    where
        S: Available,
    {
        let small = Small::<S>::all().map(|s| Self { name: s.name, air: s.air, terms: s.terms, trace: s.trace });
        let (air, terms, trace) = wide::wide();
        let mut relations = Vec::from(small);
        relations.push(Self { name: "wide", air, terms, trace });
        for relation in &mut relations {
            relation.trace = normal(&relation.air, &relation.trace);
        }
        relations
    }

    /// An execution of a committed guest.
    pub fn execution(name: &'static str, input: &[u8]) -> Self {
        let path = format!("{}/../frontends/guests/elf/{name}.elf", env!("CARGO_MANIFEST_DIR"));
        let program = Program::from_elf(&std::fs::read(path).unwrap()).unwrap();
        let machine = Machine::new(&program);
        let mut recorder = machine.recorder(&program);
        let outcome = execute(&program, input, 1 << 22, &mut recorder).unwrap();
        let terms = machine.statement(outcome.exit_code, &outcome.output);
        Self { name, air: machine.air(), terms, trace: machine.trace(recorder).unwrap() }
    }

    pub fn extent(&self) -> Extent {
        Extent::of(&self.air, &self.trace, &self.terms)
    }

    /// Hands on the trace with every cell changed, `random` mixes of its rows, and as many random traces.
    pub fn mutants(&self, random: usize, attempt: impl FnMut(&Trace)) -> usize {
        let widths: Vec<usize> = self.air.tables.iter().map(|t| t.shape().columns.len()).collect();
        crate::small::mutants(&self.trace, &widths, random, attempt)
    }
}
