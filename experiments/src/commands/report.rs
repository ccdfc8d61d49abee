//! `report`: writes the page of a run and its CSV.

use std::path::{Path, PathBuf};

use serde_json::json;
use trilemma_reports::{Model, Run, page, table_csv};

use super::Reply;
use crate::cli::Report;
use crate::fault::Fault;
use crate::files;

pub(super) fn run(args: &Report) -> Result<Reply, Fault> {
    let written = write(&args.run, args.output.as_deref())?;
    let mut text = format!("report: {}\nmedians: {}", written.page.display(), written.csv.display());
    for error in &written.errors {
        text.push_str(&format!("\ncontradiction: {error}"));
    }
    let json = json!({ "report": written.page, "medians": written.csv, "errors": written.errors });
    Ok(Reply { text, json })
}

/// What was written.
pub(super) struct Written {
    /// The page.
    pub(super) page: PathBuf,
    /// The medians.
    pub(super) csv: PathBuf,
    /// What makes the run unfit to be believed.
    pub(super) errors: Vec<String>,
}

/// Writes the report of the run in `dir`.
pub(super) fn write(dir: &Path, output: Option<&Path>) -> Result<Written, Fault> {
    let model = Model::new(Run::read(dir)?);
    let page = output.map_or_else(|| dir.join("report.html"), Path::to_owned);
    let csv = page.with_extension("csv");
    files::write(&page, page::page(&model).as_bytes())?;
    let medians = table_csv::medians(&model).map_err(|error| Fault::Failed(error.to_string()))?;
    files::write(&csv, medians.as_bytes())?;
    Ok(Written { page, csv, errors: model.errors })
}
