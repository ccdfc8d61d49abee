//! Names to proof systems.

use trilemma_core::setting::{BabyBear4, Bls12, Bn254, Goldilocks2, KoalaBear4, KoalaBear5};
use trilemma_core::security::SECURITY_FLOOR;
use trilemma_core::{ConfigError, Options, Piop};
use trilemma_pcs::Available;
use trilemma_piop::uni_stark::UniStark;

use crate::univariate::Univariate;
use crate::{Pipeline, System};

/// A legal pipeline.
struct Entry {
    parts: [&'static str; 4],
    make: fn(&Pipeline, &Options) -> Result<Box<dyn System>, ConfigError>,
}

fn entries() -> Vec<Entry> {
    fn of<S: Available>(entries: &mut Vec<Entry>) {
        let piop = <UniStark as Piop<S>>::NAME;
        entries.extend(S::univariate().into_iter().map(|scheme| Entry {
            parts: ["air", piop, scheme.name, S::NAME],
            make: |pipeline, options| Ok(Box::new(Univariate::<S>::new(pipeline, options)?)),
        }));
    }
    let mut entries = Vec::new();
    of::<KoalaBear4>(&mut entries);
    of::<KoalaBear5>(&mut entries);
    of::<BabyBear4>(&mut entries);
    of::<Goldilocks2>(&mut entries);
    of::<Bls12>(&mut entries);
    of::<Bn254>(&mut entries);
    entries
}

/// Every pipeline that can run.
pub fn pipelines() -> Vec<Pipeline> {
    entries().iter().map(|e| Pipeline(e.parts.join("/"))).collect()
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
    for (i, key) in ["arithmetization", "piop", "commitment scheme", "setting"].into_iter().enumerate() {
        let part = parts.get(i).copied().unwrap_or("");
        let fits: Vec<&Entry> = legal.iter().filter(|e| e.parts[i] == part).copied().collect();
        if fits.is_empty() {
            let mut choices: Vec<&str> = legal.iter().map(|e| e.parts[i]).collect();
            choices.dedup();
            let known = entries.iter().any(|e| e.parts[i] == part);
            let what = if known { format!("`{part}` does not fit `{}`", parts[..i].join("/")) } else { format!("unknown {key} `{part}`") };
            return Err(ConfigError(format!(
                "pipeline `{pipeline}`: {what}; legal choices after `{}`: {}",
                parts[..i].join("/"),
                unique(choices).join(", ")
            )));
        }
        legal = fits;
    }
    match legal.as_slice() {
        [entry] if parts.len() == 4 => (entry.make)(pipeline, options),
        _ => Err(ConfigError(format!("pipeline `{pipeline}`: four parts are needed, arithmetization/piop/scheme/setting"))),
    }
}

fn unique(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names.dedup();
    names
}
