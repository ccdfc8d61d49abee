//! Names to proof systems.

use trilemma_arith::plonkish::{Custom, Vanilla, Whole};
use trilemma_core::security::SECURITY_FLOOR;
use trilemma_core::setting::{BabyBear4, Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5, Pallas, Vesta};
use trilemma_core::{ConfigError, Options};
use trilemma_pcs::srs::PairingSetting;
use trilemma_pcs::{Available, Served};
use trilemma_piop::hyperplonk::HyperPlonk;
use trilemma_piop::marlin::Marlin;
use trilemma_piop::ml_stark::MlStark;
use trilemma_piop::plonk::{Plonk, PlonkLogUp};
use trilemma_piop::spartan::Spartan;
use trilemma_piop::uni_stark::UniStark;

use crate::circuit::CircuitSystem;
use crate::circuit::combination::{self as circuits, CircuitPiop, Family, FlatR1cs, Plonkish};
use crate::combination::{AirPiop, Combination};
use crate::groth16::{self, Groth};
use crate::{Pipeline, System, halo2, p3_batch, p3_multi, spartan2};

/// A legal pipeline: four parts for a combination, three for a whole system.
struct Entry {
    parts: Vec<&'static str>,
    make: Make,
}

/// Makes a system.
type Make = fn(&Pipeline, &Options) -> Result<Box<dyn System>, ConfigError>;

/// Unit tests know no pipelines: all of them at once are most of what this crate takes to compile.
#[cfg(test)]
const fn entries() -> Vec<Entry> {
    Vec::new()
}

#[cfg(not(test))]
fn entries() -> Vec<Entry> {
    fn with<S: Available, P: AirPiop<S>>(entries: &mut Vec<Entry>) {
        entries.extend(P::Query::schemes().into_iter().map(|scheme| Entry {
            parts: vec![P::ARITHMETIZATION, P::NAME, scheme.name, S::NAME],
            make: |pipeline, options| Ok(Box::new(Combination::<S, P>::new(pipeline, options)?)),
        }));
    }
    fn circuits<S: Available, F: Family<S>, P: CircuitPiop<S, F>>(entries: &mut Vec<Entry>) {
        entries.extend(P::Query::schemes().into_iter().map(|scheme| Entry {
            parts: vec![F::NAME, P::NAME, scheme.name, S::NAME],
            make: |pipeline, options| {
                let engine = circuits::Combination::<S, F, P>::new(pipeline, options)?;
                Ok(Box::new(CircuitSystem::new(engine)))
            },
        }));
    }
    fn of<S: Available>(entries: &mut Vec<Entry>) {
        with::<S, UniStark>(entries);
        with::<S, MlStark>(entries);
        with::<S, Spartan>(entries);
        circuits::<S, FlatR1cs, Marlin>(entries);
        circuits::<S, Plonkish<Custom<S>>, Plonk>(entries);
        circuits::<S, Plonkish<Custom<S>>, PlonkLogUp>(entries);
        circuits::<S, Plonkish<Custom<S>>, HyperPlonk>(entries);
        circuits::<S, Plonkish<Whole<S>>, Plonk>(entries);
        circuits::<S, Plonkish<Vanilla>, Plonk>(entries);
        circuits::<S, Plonkish<Vanilla>, PlonkLogUp>(entries);
        circuits::<S, Plonkish<Vanilla>, HyperPlonk>(entries);
    }
    fn groth<S: PairingSetting>(entries: &mut Vec<Entry>) {
        let [system, variant] = groth16::NAME;
        entries.push(Entry {
            parts: vec![system, variant, S::NAME],
            make: |pipeline, options| Ok(Box::new(CircuitSystem::new(Groth::<S>::new(pipeline, options)?))),
        });
    }
    let mut entries = Vec::new();
    of::<KoalaBear4>(&mut entries);
    of::<KoalaBear5>(&mut entries);
    of::<BabyBear4>(&mut entries);
    of::<Goldilocks2>(&mut entries);
    of::<Bls12>(&mut entries);
    of::<Bn254>(&mut entries);
    of::<Pallas>(&mut entries);
    of::<Vesta>(&mut entries);
    entries.push(Entry { parts: p3_batch::NAME.to_vec(), make: p3_batch::system });
    entries.push(Entry { parts: p3_multi::NAME.to_vec(), make: p3_multi::system });
    entries.push(Entry { parts: spartan2::NAME.to_vec(), make: spartan2::system });
    groth::<Bn254>(&mut entries);
    groth::<Bls12>(&mut entries);
    entries.extend(halo2::names().map(|name| Entry { parts: name.to_vec(), make: halo2::system }));
    entries
}

/// Every pipeline that can run.
pub fn pipelines() -> Vec<Pipeline> {
    entries().iter().map(|e| Pipeline(e.parts.join("/"))).collect()
}

/// What part `i` of a name of `parts` parts is.
fn key(i: usize, parts: usize) -> &'static str {
    match parts - i {
        1 => "setting",
        2 => "commitment scheme",
        _ if i == 0 => "arithmetization or system",
        _ => "piop",
    }
}

/// Resolves a pipeline's names.
///
/// # Errors
/// Names the part that does not fit and the choices that would; refuses targets below the floor.
pub fn system(pipeline: &Pipeline, options: &Options) -> Result<Box<dyn System>, ConfigError> {
    if options.security.bits < SECURITY_FLOOR {
        return Err(ConfigError(format!(
            "security: {} bits are below the floor of {SECURITY_FLOOR}",
            options.security.bits
        )));
    }
    let entries = entries();
    let parts: Vec<&str> = pipeline.0.split('/').collect();
    let mut legal: Vec<&Entry> = entries.iter().collect();
    // The first part decides how many there are.
    let mut i = 0;
    while legal.iter().any(|e| e.parts.len() > i) {
        let part = parts.get(i).copied().unwrap_or("");
        let fits: Vec<&Entry> = legal.iter().filter(|e| e.parts[i] == part).copied().collect();
        if fits.is_empty() {
            let choices: Vec<&str> = legal.iter().map(|e| e.parts[i]).collect();
            let key = key(i, legal[0].parts.len());
            let known = entries.iter().any(|e| e.parts.get(i) == Some(&part));
            let what = if known {
                format!("`{part}` does not fit `{}`", parts[..i].join("/"))
            } else {
                format!("unknown {key} `{part}`")
            };
            return Err(ConfigError(format!(
                "pipeline `{pipeline}`: {what}; legal choices after `{}`: {}",
                parts[..i].join("/"),
                unique(choices).join(", ")
            )));
        }
        legal = fits;
        i += 1;
    }
    match legal.as_slice() {
        [entry] if parts.len() == i => (entry.make)(pipeline, options),
        _ => {
            let keys: Vec<&str> = (0..i).map(|k| key(k, i)).collect();
            Err(ConfigError(format!("pipeline `{pipeline}`: {i} parts are needed, {}", keys.join("/"))))
        }
    }
}

fn unique(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names.dedup();
    names
}
