//! `matrix`: the legal pipelines.

use serde_json::{Value, json};
use trilemma_backends::{pipelines, system};
use trilemma_core::Options;
use trilemma_reports::tables::hides;

use super::{Reply, smallest};
use crate::config::hashes;
use crate::fault::Fault;
use crate::worker::traits;

pub(super) fn run() -> Result<Reply, Fault> {
    let mut text = String::new();
    let mut list: Vec<Value> = Vec::new();
    let pipelines = pipelines();
    let width = pipelines.iter().map(|p| p.0.len()).max().unwrap_or(0).max("pipeline".len());
    text.push_str(&format!(
        "{:width$}  {:12}  {:12}  {:15}  verifier\n",
        "pipeline", "set-up", "post-quantum", "hides"
    ));
    for pipeline in &pipelines {
        // A pipeline that cannot meet the default target is legal all the same.
        match system(pipeline, &smallest(&Options::default())) {
            Ok(system) => {
                let traits = traits(&system.properties());
                let yes = |b: bool| if b { "yes" } else { "no" };
                let (setup, verifier) = (&traits.setup, &traits.verifier);
                let (quantum, hidden) = (yes(traits.post_quantum), hides(traits.hiding));
                text.push_str(&format!("{:width$}  {setup:12}  {quantum:12}  {hidden:15}  {verifier}\n", pipeline.0));
                list.push(json!({ "pipeline": pipeline, "properties": traits }));
            }
            Err(error) => {
                text.push_str(&format!("{:width$}  {error}\n", pipeline.0));
                list.push(json!({ "pipeline": pipeline, "error": error.to_string() }));
            }
        }
    }
    text.push_str(&format!("\nhashes of Merkle trees: {}\nregimes: udr, jbr\n", hashes().join(", ")));
    Ok(Reply { text, json: json!({ "pipelines": list, "hashes": hashes(), "regimes": ["udr", "jbr"] }) })
}
