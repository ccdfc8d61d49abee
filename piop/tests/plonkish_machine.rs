//! The circuit of the RISC-V machine: it accepts executions and refuses changed ones, its layout is as
//! committed, and no gate or lookup of it can be left out.

#[path = "../../frontends/tests/common/golden.rs"]
mod golden;
#[path = "common/plonkish.rs"]
mod plonkish;

use golden::assert_committed;
use plonkish::{Forger, Part, agreed, normal, violations_of};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_arith::Air;
use trilemma_arith::air::{Instance, PublicTerm, Trace};
use trilemma_arith::plonkish::{Custom, Extent, Params, Report, describe};
use trilemma_core::Setting;
use trilemma_core::setting::{Bn254, KoalaBear4};
use trilemma_frontends::riscv::elf::Program;
use trilemma_frontends::riscv::exec::execute;
use trilemma_frontends::riscv::machine::Machine;

/// Lookup tables in parts, so that small executions have small circuits.
const SPLIT: Params = Params { width: None, degree: 5, split: true };

/// An execution over a setting.
struct Run<S: Setting> {
    air: Air<S>,
    terms: Vec<PublicTerm>,
    trace: Trace,
    cycles: u64,
}

impl<S: Setting> Run<S> {
    fn new(name: &str, input: &[u8]) -> Self {
        let path = format!("{}/../frontends/guests/elf/{name}.elf", env!("CARGO_MANIFEST_DIR"));
        let program = Program::from_elf(&std::fs::read(path).unwrap()).unwrap();
        let machine = Machine::new(&program);
        let mut recorder = machine.recorder(&program);
        let outcome = execute(&program, input, 1 << 22, &mut recorder).unwrap();
        let terms = machine.statement(outcome.exit_code, &outcome.output);
        Self { air: machine.air(), terms, trace: machine.trace(recorder).unwrap(), cycles: outcome.cycles }
    }

    fn extent(&self) -> Extent {
        Extent::of(&self.air, &self.trace, &self.terms)
    }

    fn report(&self, params: Params) -> Report {
        let (circuit, custom) = Custom::lower_with(&self.air, &self.extent(), params).unwrap();
        let form = Custom::form_with(&self.air, &self.extent(), params).unwrap();
        assert_eq!(describe(&form), describe(&circuit));
        assert!(circuit.gate_degree() <= params.degree);
        custom.report(&circuit)
    }
}

/// Teaches: what the tables accept of an execution, their circuit accepts, over small and large fields.
#[test]
fn executions_satisfy_the_circuit() {
    fn run<S: Setting>(params: Params) {
        for (name, input) in [("exit7", &[][..]), ("isa_edge", &[][..]), ("sort", &[20, 0, 0, 0][..])] {
            let run = Run::<S>::new(name, input);
            let violations = violations_of(&run.air, &run.terms, &run.trace, params);
            assert!(violations.is_empty(), "{name}: {}", violations[0]);
        }
    }
    run::<KoalaBear4>(SPLIT);
    run::<KoalaBear4>(Params { degree: 4, ..SPLIT });
    run::<Bn254>(SPLIT);
}

/// Teaches: no change of an execution passes one of the two only.
#[test]
fn changed_executions() {
    let run = Run::<KoalaBear4>::new("exit7", &[]);
    let mut rng = SmallRng::seed_from_u64(11);
    let mut rejected = 0;
    let honest = normal(&run.air, &run.trace);
    for i in 0..honest.instances.len() {
        let mut trace = honest.clone();
        let cells = &mut trace.instances[i].cells;
        if cells.is_empty() {
            continue;
        }
        let cell = rng.random_range(0..cells.len());
        cells[cell] += 1;
        rejected += usize::from(!agreed("exit7", &run.air, &run.terms, &trace, SPLIT));
    }
    println!("{rejected} of {} rejected", honest.instances.len());
    assert!(2 * rejected > honest.instances.len());
}

/// Teaches: what a layout costs is reviewed as text.
#[test]
fn layouts_are_as_committed() {
    let run = Run::<KoalaBear4>::new("isa_edge", &[]);
    let default = run.report(Params::default());
    let split = run.report(SPLIT);
    assert_committed("layouts", [("plonkish", default.to_string()), ("plonkish split", split.to_string())]);
}

/// Layouts at about `2^15` cycles: `cargo test -p trilemma-piop --test plonkish_machine -- --ignored
/// --nocapture`.
#[test]
#[ignore = "prints figures"]
fn figures() {
    for (name, sizes) in [("sha256", [288u32, 2752]), ("fibonacci", [6000, 48_000])] {
        for size in sizes {
            let run = Run::<KoalaBear4>::new(name, &size.to_le_bytes());
            for params in [Params::default(), SPLIT] {
                let report = run.report(params);
                let start = std::time::Instant::now();
                let _ = Custom::form_with(&run.air, &run.extent(), params).unwrap();
                let per_cycle = |cells: usize| ((cells << report.log_rows) as f64) / run.cycles as f64;
                let [fixed, early, late, _] = report.columns;
                println!("{name} {size}: {} cycles, form in {:?}\n{report}", run.cycles, start.elapsed());
                println!(
                    "a cycle: {:.1} fixed, {:.1} early, {:.1} of late columns of degree 4, {:.1} lookups",
                    per_cycle(fixed),
                    per_cycle(early),
                    per_cycle(4 * late),
                    per_cycle(report.slots())
                );
            }
        }
    }
}

/// Parts that follow from others, as the constraints do that they are made of.
const REDUNDANT: [&str; 2] = [
    // From `stores have no sign`.
    "store: signed",
    // `debug goes on` and what `direct` excludes leave output and input at once, of different descriptors.
    "ecall: debug",
];

/// Teaches: a lowering that loses a gate or lookup of the machine is noticed: a row of every table, with
/// whatever statement balances the buses, for every part has cells that only this part refuses.
#[test]
fn every_gate_and_lookup_is_needed() {
    let run = Run::<KoalaBear4>::new("isa_edge", &[]);
    let mut rng = SmallRng::seed_from_u64(13);
    let shapes: Vec<(usize, usize)> =
        run.air.tables.iter().map(|t| (t.shape().columns.len(), t.shape().fixed_height)).collect();
    let few = |instance: &Instance, rng: &mut SmallRng| {
        let (width, fixed) = shapes[instance.table];
        if fixed > 0 || instance.cells.is_empty() {
            return instance.clone();
        }
        let rows = instance.cells.len() / width;
        let cells = (0..4.min(rows)).flat_map(|_| {
            let row = rng.random_range(0..rows);
            instance.cells[row * width..][..width].to_vec()
        });
        Instance { table: instance.table, log_height: 2, cells: cells.collect() }
    };
    let trace = Trace { instances: run.trace.instances.iter().map(|i| few(i, &mut rng)).collect() };
    let extent = Extent::of(&run.air, &trace, &run.terms);
    use trilemma_arith::plonkish::Lowering;
    let (circuit, custom) = Custom::lower_with(&run.air, &extent, SPLIT).unwrap();
    let honest = custom.assign(&run.air, &trace, &run.terms).early;
    let forger = Forger::new(&circuit);
    assert_eq!(forger.broken(&honest, 0..circuit.rows()), std::collections::BTreeSet::new());
    let parts = forger.early_gates().map(Part::Gate).chain((0..circuit.lookups.len()).map(Part::Lookup));
    let mut wrong = Vec::new();
    for part in parts {
        let what = match part {
            Part::Gate(i) => &circuit.gates[i].what,
            Part::Lookup(i) => &circuit.lookups[i].what,
            Part::Copy(_) => continue,
        };
        let found = (0..20_000).any(|_| forger.forge(&honest, part, &mut rng).is_some());
        if found == REDUNDANT.contains(&what.as_str()) {
            wrong.push(format!("{what}: found {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
