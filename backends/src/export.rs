//! The R1CS of one execution as files of other tools.

use std::io::Write;

use p3_field::PrimeField;
use trilemma_arith::kernel::Challenges;
use trilemma_arith::r1cs::{Assignment, Flat, R1cs};
use trilemma_core::setting::{Bls12, Bn254, Pallas, Vesta};
use trilemma_core::{ConfigError, ProveError, ProverTranscript, Security, Setting};
use trilemma_frontends::riscv::machine::Machine;
use trilemma_frontends::riscv::{Program, execute};

use crate::{Failure, Public};

/// Settings whose challenges are base elements.
const SETTINGS: [&str; 4] = [Bls12::NAME, Bn254::NAME, Pallas::NAME, Vesta::NAME];

/// What was exported.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Outcome of the execution.
    pub public: Public,
    /// Instructions executed.
    pub cycles: u64,
    /// Variables, the constant included.
    pub wires: u64,
    /// Constraints.
    pub constraints: u64,
}

/// Executes `program` and writes the R1CS of the execution with its witness, in iden3's formats
/// `.r1cs` and `.wtns`. The challenges of its buses are a hash of the statement and of every wire that
/// comes before them.
///
/// # Errors
/// An unknown setting, a trapping guest, more wires than the formats can number, a failing writer.
pub fn export_r1cs(
    (program, input, max_cycles): (&Program, &[u8], u64),
    setting: &str,
    system: &mut dyn Write,
    witness: &mut dyn Write,
) -> Result<Exported, Failure> {
    let run = (program, input, max_cycles);
    match setting {
        Bls12::NAME => export::<_, Bls12>(run, system, witness),
        Bn254::NAME => export::<_, Bn254>(run, system, witness),
        Pallas::NAME => export::<_, Pallas>(run, system, witness),
        Vesta::NAME => export::<_, Vesta>(run, system, witness),
        _ => Err(ConfigError::choice("setting", setting, SETTINGS).into()),
    }
}

fn export<F: PrimeField, S: Setting<Base = F, Ext = F>>(
    (program, input, max_cycles): (&Program, &[u8], u64),
    mut system: &mut dyn Write,
    mut witness: &mut dyn Write,
) -> Result<Exported, Failure> {
    let machine = Machine::new(program);
    let mut recorder = machine.recorder(program);
    let outcome = execute(program, input, max_cycles, &mut recorder)?;
    let trace = machine.trace(recorder).map_err(ProveError::Unsatisfied)?;
    let public = Public { exit_code: outcome.exit_code, output: outcome.output };
    let statement = machine.statement(public.exit_code, &public.output);
    let air = machine.air::<S>();
    let r1cs = R1cs::of(&air);
    let mut assignment = Assignment::new(&r1cs, &air, &trace);

    let mut t = ProverTranscript::new(b"trilemma r1cs export", Security::default());
    for term in &statement {
        t.bind("statement", format!("{term:?}").as_bytes());
    }
    let mut bytes = Vec::new();
    for v in &assignment.instances {
        for values in [&v.main.values, &v.aux.values] {
            bytes.clear();
            values.iter().for_each(|&x| S::encode(x, &mut bytes));
            t.bind("wires", &bytes);
        }
    }
    let gamma = t.challenge::<S>("gamma", None)?;
    let beta = t.challenge::<S>("beta", None)?;
    let challenges = Challenges::new(gamma, beta, air.max_arity());
    assignment.fill_helpers(&r1cs, &challenges);

    let flat = Flat::<S>::new(&r1cs, &statement, &assignment, &challenges);
    let failed = |e: std::io::Error| ConfigError(format!("export: {e}"));
    flat.write_r1cs(&mut system).map_err(failed)?;
    flat.write_wtns(&mut witness).map_err(failed)?;
    Ok(Exported { public, cycles: outcome.cycles, wires: flat.wires(), constraints: flat.constraints() })
}
