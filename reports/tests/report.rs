//! Reads the rows of a made-up run and checks what the report says of them.

use std::fs;
use std::path::Path;

use trilemma_reports::compare::{cohorts, pairings};
use trilemma_reports::model::Metric;
use trilemma_reports::schema::Status;
use trilemma_reports::{Model, Run, page, table_csv};

fn fixture() -> Run {
    Run::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture")).expect("the fixture is a run")
}

/// Set `REPORT_OUT` to look at the page.
#[test]
fn the_page_shows_every_part() {
    let model = Model::new(fixture());
    let html = page::page(&model);
    if let Some(path) = std::env::var_os("REPORT_OUT") {
        fs::write(path, &html).expect("REPORT_OUT can be written");
    }
    for part in
        ["summary", "properties", "time", "phases", "succinctness", "trilemma", "results", "details", "environment"]
    {
        assert!(html.contains(&format!("<section id=\"{part}\">")), "{part}");
    }
    for text in [
        "100 bits, udr",
        "FRI query phase",
        "timeout_wall",
        "no proof within 20 s",
        "insecure set-up",
        "Geometric mean",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains("contradicts itself"));
    assert!(!html.contains("<script") && !html.contains("<link") && !html.contains("src="));
    assert!(!html.contains("NaN") && !html.contains("inf "));
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
}

#[test]
fn groups_follow_the_rows() {
    let model = Model::new(fixture());
    assert_eq!(model.errors, Vec::<String>::new());
    assert_eq!(model.programs(), ["fibonacci", "sha256", "json"]);
    assert_eq!(model.tasks.len(), 9);
    let names: Vec<&str> = model.series.iter().map(|s| s.name.as_str()).collect();
    let expected = [
        "air/uni-stark/fri/koalabear4 · blake3",
        "air/uni-stark/fri/koalabear4 · keccak",
        "p3-batch-stark/fri/koalabear4",
        "air/uni-stark/kzg/bls12-381",
    ];
    assert_eq!(names, expected);
    assert_eq!(model.series[3].caveats(), ["pre-quantum", "insecure set-up"]);
    assert_eq!(model.failures.len(), 1);
    assert_eq!(model.failures[0].status, Status::TimeoutWall);
    assert_eq!(model.largest(3).map(|p| p.cell.size.as_str()), Some("2^13"));
}

#[test]
fn only_common_tasks_are_compared() {
    let model = Model::new(fixture());
    let groups = cohorts(&model, model.classes()[0]);
    let shapes: Vec<(usize, usize)> = groups.iter().map(|c| (c.series.len(), c.tasks.len())).collect();
    assert_eq!(shapes, [(4, 3), (3, 6)], "all four over 2^13, the other three over what remains");
    for group in &groups {
        let times = group.times_the_best(&model, Metric::Prove);
        assert!(times.iter().all(|t| t.is_some_and(|t| t >= 1.0)) && times.contains(&Some(1.0)));
    }
    let pairs = pairings(&model, "air/uni-stark", "p3-batch-stark");
    assert_eq!(pairs.len(), 1, "only one hash has a partner");
    assert_eq!(pairs[0].tasks.len(), 9);
    assert!(pairs[0].means[0].is_some_and(|r| (0.5..0.9).contains(&r)));
}

#[test]
fn quantities_that_cannot_vary_are_checked() {
    let mut run = fixture();
    let cell = run.samples[0].cell.cell.clone();
    let row = run.samples.iter_mut().rev().find(|s| s.cell.cell == cell).expect("a second row of the cell");
    row.measurement.counts.as_mut().expect("it succeeded").committed_cells += 1;
    row.measurement.bits = Some(99.0);
    let errors = Model::new(run).errors;
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("committed cells cannot vary"), "{errors:?}");
    assert!(errors[1].contains("99.0 bits computed, 100 asked for"), "{errors:?}");
}

#[test]
fn an_empty_run_still_has_a_report() {
    let mut run = fixture();
    run.samples.clear();
    let html = page::page(&Model::new(run));
    assert!(html.contains("nothing was proved") && html.contains("Planned and not"));
    assert!(!html.contains("NaN"));
}

#[test]
fn medians_have_one_line_a_point() {
    let csv = table_csv::medians(&Model::new(fixture())).expect("writing to memory");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let records: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().expect("every line has all columns");
    assert_eq!(records.len(), 30);
    assert_eq!(&records[0][0], "fibonacci");
}

#[test]
fn a_torn_row_is_left_out_and_a_broken_one_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture");
    for name in ["experiment.toml", "plan.jsonl", "env.json", "samples.jsonl"] {
        fs::copy(source.join(name), dir.path().join(name)).expect("a copy");
    }
    let samples = dir.path().join("samples.jsonl");
    let text = fs::read_to_string(&samples).expect("rows");
    fs::write(&samples, &text[..text.len() - 10]).expect("rows");
    let run = Run::read(dir.path()).expect("a torn last row is no error");
    assert!(run.torn);
    assert_eq!(run.samples.len(), fixture().samples.len() - 1);
    fs::write(&samples, "{\"schema\": 1}\n").expect("rows");
    let error = Run::read(dir.path()).expect_err("a row without fields").to_string();
    assert!(error.contains("samples.jsonl: line 1: missing field"), "{error}");
}
