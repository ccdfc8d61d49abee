//! The medians of a run as comma-separated values, one line a point.

use crate::model::{Metric, Model, Point};
use crate::schema::Phases;

/// The lines, with a header.
pub fn medians(model: &Model) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> = [
        "program",
        "size",
        "cycles",
        "series",
        "pipeline",
        "hash",
        "log_blowup",
        "target_bits",
        "regime",
        "bits",
        "setup",
        "post_quantum",
        "hiding",
        "ok",
        "planned",
    ]
    .map(str::to_owned)
    .to_vec();
    for name in ["core_ns", "peak_bytes", "prove_total_ns", "proof_bytes", "verify_ns"] {
        header.extend([name.to_owned(), format!("{name}_low"), format!("{name}_high")]);
    }
    header.extend(Phases::STACK.map(|p| format!("{p}_ns")));
    header.extend(["rows", "padded_rows", "committed_cells", "interactions"].map(str::to_owned));
    writer.write_record(&header)?;
    for point in &model.points {
        writer.write_record(line(model, point))?;
    }
    let bytes = writer.into_inner().map_err(|e| e.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn line(model: &Model, point: &Point) -> Vec<String> {
    let series = &model.series[point.series];
    let cell = &point.cell;
    let traits = series.traits.as_ref();
    let optional = |value: Option<String>| value.unwrap_or_default();
    let mut fields = vec![
        cell.program.clone(),
        cell.size.clone(),
        cell.planned_cycles.to_string(),
        series.name.clone(),
        cell.pipeline.clone(),
        cell.hash.clone(),
        cell.log_blowup.to_string(),
        cell.target_bits.to_string(),
        cell.regime.name().to_owned(),
        optional(point.first().and_then(|m| m.bits).map(|b| format!("{b:.2}"))),
        optional(traits.map(|t| t.setup.clone())),
        optional(traits.map(|t| t.post_quantum.to_string())),
        optional(traits.map(|t| t.hiding.to_string())),
        point.ok().to_string(),
        cell.repetitions.to_string(),
    ];
    for metric in [Metric::Core, Metric::Peak, Metric::Prove, Metric::Proof, Metric::Verify] {
        let ends = point.summary(metric).map(|s| [s.median, s.low, s.high].map(|x| format!("{x:.0}")));
        fields.extend(ends.unwrap_or_default());
    }
    fields.extend(point.stack().into_iter().map(|v| optional(v.map(|ns| format!("{ns:.0}")))));
    let counts =
        point.counts().map(|c| [c.rows, c.padded_rows, c.committed_cells, c.interactions].map(|n| n.to_string()));
    fields.extend(counts.unwrap_or_default());
    fields
}
