//! The tables of a report, each a fragment of HTML.

use maud::{Markup, html};
use trilemma_core::security::Standing;

use crate::chart::swatch;
use crate::compare::{Cohort, Growth, PAIRED, Pairing, growth};
use crate::figures;
use crate::format;
use crate::model::{Metric, Model, Point, Series, weakest};
use crate::schema::Measurement;
use crate::stats::{Spread, Summary};
use crate::style;

/// Shown where there is no value.
const NONE: &str = "—";

fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| NONE.to_owned())
}

fn series_name(model: &Model, index: usize) -> Markup {
    html! { span.swatch { (maud::PreEscaped(swatch(style::series(index)))) } " " (model.series[index].name) }
}

fn cycles_per_second(point: &Point) -> Option<f64> {
    Some(point.cell.planned_cycles as f64 / (point.median(Metric::Prove)? / 1e9))
}

fn metric(point: &Point, metric: Metric) -> Option<String> {
    let median = point.median(metric)?;
    Some(match metric {
        Metric::Proof | Metric::Peak => format::bytes(median),
        Metric::Prove | Metric::Core | Metric::Verify => format::time(median),
    })
}

fn spread_of(summary: &Summary) -> String {
    let dash = "\u{2009}–\u{2009}";
    if summary.n == 1 {
        String::new()
    } else {
        format!("{}{dash}{}", format::time(summary.low), format::time(summary.high))
    }
}

/// The swatches of all series with their caveats.
pub fn legend(model: &Model) -> Markup {
    html! {
        ul.legend {
            @for (i, series) in model.series.iter().enumerate() {
                li { span.swatch { (maud::PreEscaped(swatch(style::series(i)))) } " " (series.legend()) }
            }
        }
    }
}

/// Each pipeline at the largest size it proved.
pub fn headline(model: &Model) -> Markup {
    html! {
        table {
            thead { tr {
                th { "Pipeline" } th { "Largest proof" } th.n { "Cycles" } th.n { "Bits" }
                th.n { "Core-seconds" } th.n { "Peak memory" } th.n { "Prover time" } th.n { "Cycles per second" }
                th.n { "Proof" } th.n { "Verifier" }
            } }
            tbody {
                @for i in 0..model.series.len() {
                    tr {
                        td.name { (series_name(model, i)) }
                        @if let Some(point) = model.largest(i) {
                            td { (point.cell.program) ", " (point.cell.size) }
                            td.n { (format::grouped(point.cell.planned_cycles)) }
                            td.n { (or_none(point.first().and_then(|m| m.bits).map(|b| format!("{b:.1}")))) }
                            td.n { (or_none(metric(point, Metric::Core))) }
                            td.n { (or_none(metric(point, Metric::Peak))) }
                            td.n { (or_none(metric(point, Metric::Prove))) }
                            td.n { (or_none(cycles_per_second(point).map(format::rate))) }
                            td.n { (or_none(metric(point, Metric::Proof))) }
                            td.n { (or_none(metric(point, Metric::Verify))) }
                        } @else {
                            td colspan="9" { "nothing was proved" }
                        }
                    }
                }
            }
        }
    }
}

/// What a proof hides. No PIOP masks what it sends, so that no proof is zero knowledge.
pub const fn hides(openings: bool) -> &'static str {
    if openings { "all but answers" } else { "nothing" }
}

fn setup(series: &Series) -> String {
    let Some(traits) = &series.traits else {
        return NONE.to_owned();
    };
    match &traits.setup_detail {
        Some(detail) => format!("{}: {detail}", traits.setup),
        None => traits.setup.clone(),
    }
}

/// T1: what each pipeline offers and assumes.
pub fn properties(model: &Model) -> Markup {
    html! {
        table {
            thead { tr {
                th { "Pipeline" } th { "Class" } th.n { "Composed bits" } th { "Weakest proven term" }
                th { "Hides" } th { "Set-up" } th { "Post-quantum" } th { "Assumptions" } th { "Verifier" }
            } }
            tbody {
                @for (i, series) in model.series.iter().enumerate() {
                    @let row = model.largest(i).and_then(Point::first);
                    tr {
                        td.name { (series_name(model, i)) }
                        td.name { (series.class) }
                        td.n { (or_none(row.and_then(|m| m.bits).map(|b| format!("{b:.1}")))) }
                        td { (or_none(row.and_then(|m| weakest(m, Standing::Proven)))) }
                        td { (series.traits.as_ref().map_or(NONE, |t| hides(t.hiding))) }
                        td { (setup(series)) }
                        td { (series.traits.as_ref().map_or(NONE, |t| yes_no(t.post_quantum))) }
                        td { (row.map_or_else(|| NONE.to_owned(), assumptions)) }
                        td { (series.traits.as_ref().map_or(NONE, |t| t.verifier.as_str())) }
                    }
                }
            }
        }
    }
}

fn assumptions(row: &Measurement) -> String {
    let assumed = row.ledger.terms.iter().filter(|t| t.standing == Standing::Assumed);
    let texts: Vec<String> = assumed.map(|t| format!("{} ({:.0} bits)", t.name, t.total())).collect();
    if texts.is_empty() { "none stated".to_owned() } else { texts.join("; ") }
}

/// T2: every point, by task, in the order of the methodology. The best of a class is bold where it has rivals.
pub fn results(model: &Model) -> Markup {
    html! {
        table.results {
            thead { tr {
                th { "Program and pipeline" } th.n { "Correct" } th.n { "Bits" } th { "Hides" } th { "Set-up" }
                th.n { "Core-seconds" } th.n { "Peak" } th.n { "Prover time" } th.n { "spread" } th.n { "Cycles/s" }
                th.n { "Proof" } th.n { "Verifier" } th.n { "Cells per cycle" } th.n { "Interactions per cycle" }
            } }
            @for (t, task) in model.tasks.iter().enumerate() {
                tbody {
                    tr.group { th colspan="14" {
                        (task.program) ", " (task.size) " · " (format::grouped(task.cycles)) " cycles"
                    } }
                    @for point in model.points.iter().filter(|p| p.task == t) { (result(model, point)) }
                }
            }
        }
    }
}

fn result(model: &Model, point: &Point) -> Markup {
    let series = &model.series[point.series];
    let traits = series.traits.as_ref();
    let prove = point.summary(Metric::Prove);
    let per_cycle = |n: u64| format!("{:.1}", n as f64 / point.cell.planned_cycles.max(1) as f64);
    let counts = point.counts();
    html! {
        tr {
            td.indent { (series_name(model, point.series)) }
            td.n { (point.ok()) "/" (point.cell.repetitions) }
            td.n { (or_none(point.first().and_then(|m| m.bits).map(|b| format!("{b:.1}")))) }
            td { (traits.map_or(NONE, |t| hides(t.hiding))) }
            td { (traits.map_or(NONE, |t| t.setup.as_str())) }
            (ranked(model, point, Metric::Core))
            (ranked(model, point, Metric::Peak))
            (ranked(model, point, Metric::Prove))
            td.n.spread { (or_none(prove.as_ref().map(spread_of))) }
            td.n { (or_none(cycles_per_second(point).map(format::count))) }
            (ranked(model, point, Metric::Proof))
            (ranked(model, point, Metric::Verify))
            td.n { (or_none(counts.map(|c| per_cycle(c.committed_cells)))) }
            td.n { (or_none(counts.map(|c| per_cycle(c.interactions)))) }
        }
    }
}

/// A metric, bold if no rival of the same class on the same task is better.
fn ranked(model: &Model, point: &Point, kind: Metric) -> Markup {
    let class = model.series[point.series].class;
    let rivals: Vec<f64> = model
        .points
        .iter()
        .filter(|p| p.task == point.task && p.series != point.series && model.series[p.series].class == class)
        .filter_map(|p| p.median(kind))
        .collect();
    let best = point.median(kind).is_some_and(|own| !rivals.is_empty() && rivals.iter().all(|r| own <= *r));
    let text = or_none(metric(point, kind));
    html! { td.n { @if best { strong { (text) } } @else { (text) } } }
}

/// What a verdict rests on, if it is less than an interval.
const fn how(spread: Spread) -> &'static str {
    match spread {
        Spread::One => " (one run each)",
        Spread::Range => " (by range)",
        Spread::Interval => "",
    }
}

/// Ratios of a pairing, task by task.
pub fn pairing(model: &Model, pairing: &Pairing) -> Markup {
    html! {
        table {
            caption { (model.series[pairing.first].name) " over " (model.series[pairing.second].name) "; below 1 the first costs less" }
            thead { tr {
                th { "Program" } th.n { "Cycles" }
                @for m in PAIRED { th.n { (m.name()) } }
                th.n { "spread of the time's ratio" } th { "The first is" }
            } }
            tbody {
                @for (t, ratios) in &pairing.tasks {
                    @let task = &model.tasks[*t];
                    tr {
                        td { (task.program) ", " (task.size) }
                        td.n { (format::grouped(task.cycles)) }
                        @for ratio in ratios { td.n { (or_none(ratio.map(|r| format!("{:.3}", r.ratio)))) } }
                        @if let Some(time) = ratios[0] {
                            td.n.spread {
                                @if time.spread == Spread::One { "–" }
                                @else { (format!("{:.3}\u{2009}–\u{2009}{:.3}", time.low, time.high)) }
                            }
                            td { (time.verdict.name()) (how(time.spread)) }
                        } @else { td {} td {} }
                    }
                }
            }
            tfoot { tr {
                th { "Geometric mean" } th.n { (pairing.tasks.len()) " common" }
                @for mean in pairing.means { th.n { (or_none(mean.map(|m| format!("{m:.3}")))) } }
                th {} th {}
            } }
        }
    }
}

/// Which series stand where on the frontiers of a cohort.
pub fn numbers(model: &Model, cohort: &Cohort) -> Markup {
    html! {
        ul.legend {
            @for &i in &cohort.series {
                li {
                    (figures::number(i)) " " span.swatch { (maud::PreEscaped(swatch(style::series(i)))) } " "
                    (model.series[i].legend())
                }
            }
        }
    }
}

/// T5: exponents of growth with the cycles, over the sizes of one program.
pub fn growths(model: &Model, program: &str) -> Markup {
    const METRICS: [Metric; 4] = [Metric::Prove, Metric::Peak, Metric::Proof, Metric::Verify];
    let rows: Vec<(usize, [Option<Growth>; 4])> = (0..model.series.len())
        .map(|i| (i, METRICS.map(|metric| growth(model, i, program, metric))))
        .filter(|(_, growths)| growths.iter().any(Option::is_some))
        .collect();
    html! {
        @if !rows.is_empty() {
            table {
                caption { "Growth with the cycles of " (program) ": the exponent of the fitted power of the cycles; the verifier's law is stated beside it" }
                thead { tr {
                    th { "Pipeline" } th { "Sizes" }
                    @for m in METRICS { th.n { (m.name()) } }
                    th { "Verifier, by construction" }
                } }
                tbody {
                    @for (i, growths) in &rows {
                        tr {
                            td.name { (series_name(model, *i)) }
                            td { (or_none(growths.iter().flatten().next().map(|g| {
                                let (first, last) = g.cycles;
                                format!("{} from {} to {} cycles", g.sizes, format::grouped(first), format::grouped(last))
                            }))) }
                            @for growth in growths { td.n { (or_none(growth.map(|g| format!("{:.2}", g.exponent)))) } }
                            td { (model.series[*i].traits.as_ref().map_or(NONE, |t| t.verifier.as_str())) }
                        }
                    }
                }
            }
        }
    }
}

/// T4: the error terms of a row.
pub fn ledger(row: &Measurement) -> Markup {
    let merged = merge_terms(row);
    let weakest = row.ledger.bits();
    html! {
        table.narrow {
            thead { tr { th { "Term" } th.n { "times" } th.n { "Bits" } th.n { "Grinding" } th.n { "Total" } th { "Standing" } th { "Reference" } } }
            tbody {
                @for (term, times) in &merged {
                    tr.weakest[term.total() == weakest] {
                        td { (term.name) }
                        td.n { (times) }
                        td.n { (format!("{:.1}", term.bits)) }
                        td.n { @if term.grinding > 0 { (term.grinding) } }
                        td.n { (format!("{:.1}", term.total())) }
                        td { (if term.standing == Standing::Proven { "proven" } else { "assumed" }) }
                        td { (term.reference) }
                    }
                }
            }
        }
    }
}

/// Equal lines of a ledger, counted.
fn merge_terms(row: &Measurement) -> Vec<(&trilemma_core::security::Term, usize)> {
    let mut merged: Vec<(&trilemma_core::security::Term, usize)> = Vec::new();
    for term in &row.ledger.terms {
        match merged.iter_mut().find(|(t, _)| *t == term) {
            Some((_, times)) => *times += 1,
            None => merged.push((term, 1)),
        }
    }
    merged
}

/// What each table of a proof costs.
pub fn table_sizes(point: &Point) -> Markup {
    let Some(counts) = point.counts() else {
        return html! {};
    };
    let mut tables: Vec<_> = counts.tables.iter().collect();
    let cells = |t: &crate::schema::TableSize| t.padded_rows * (t.width + t.helper_width);
    tables.sort_by_key(|t| std::cmp::Reverse(cells(t)));
    let total: u64 = tables.iter().map(|t| cells(t)).sum();
    html! {
        table.narrow {
            thead { tr {
                th { "Table" } th.n { "Rows" } th.n { "Padded" } th.n { "Columns" } th.n { "Helper columns" }
                th.n { "Interactions a row" } th.n { "Cells" } th.n { "Share" }
            } }
            tbody {
                @for table in &tables {
                    tr {
                        td { (table.name) }
                        td.n { (format::grouped(table.rows)) }
                        td.n { (format::grouped(table.padded_rows)) }
                        td.n { (table.width) }
                        td.n { (table.helper_width) }
                        td.n { (table.interactions) }
                        td.n { (format::count(cells(table) as f64)) }
                        td.n { (format!("{:.1} %", 100.0 * cells(table) as f64 / total.max(1) as f64)) }
                    }
                }
            }
            tfoot { tr {
                th { "Sum of the tables" }
                th.n { (format::grouped(counts.rows)) } th.n { (format::grouped(counts.padded_rows)) } th {} th {} th {}
                th.n { (format::count(total as f64)) } th.n { (format::count(counts.committed_cells as f64)) " committed" }
            } }
        }
    }
}

/// Where the bytes of a proof go.
pub fn bytes_by_label(point: &Point) -> Markup {
    let Some(counts) = point.counts() else {
        return html! {};
    };
    let mut labels: Vec<_> = counts.proof_bytes_by_label.iter().collect();
    labels.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    html! {
        table.narrow {
            thead { tr { th { "Message" } th.n { "Bytes" } th.n { "Share" } } }
            tbody {
                @for (label, n) in labels {
                    tr {
                        td { (label) } td.n { (format::grouped(*n)) }
                        td.n { (format!("{:.1} %", 100.0 * *n as f64 / counts.proof_bytes.max(1) as f64)) }
                    }
                }
            }
        }
    }
}

/// T7: failures, and what was planned and not run.
pub fn failures(model: &Model) -> Markup {
    let missing: Vec<&Point> = model.points.iter().filter(|p| p.samples.len() < p.cell.repetitions as usize).collect();
    let done = model.run.samples.len();
    html! {
        @if model.failures.is_empty() {
            p { "All " (done) " measurements succeeded: proven, verified, and every forgery refused." }
        } @else {
            table {
                thead { tr { th { "Pipeline" } th { "Program" } th.n { "Cycles" } th { "Status" } th.n { "Times" } th { "Reason" } } }
                tbody {
                    @for failure in &model.failures {
                        @let point = &model.points[failure.point];
                        tr {
                            td.name { (series_name(model, point.series)) }
                            td { (point.cell.program) ", " (point.cell.size) }
                            td.n { (format::grouped(point.cell.planned_cycles)) }
                            td { code { (failure.status.name()) } }
                            td.n { (failure.times) "/" (point.cell.repetitions) }
                            td { (failure.reason) }
                        }
                    }
                }
            }
        }
        @if !missing.is_empty() {
            p { "Planned and not (fully) run: " (missing.len()) " of " (model.points.len()) " cells." }
        }
    }
}

/// T6: where it ran.
pub fn environment(model: &Model) -> Markup {
    let env = &model.run.environment;
    let rows: [(&str, String); 12] = [
        ("Processor", format!("{}{}", env.cpu, if env.virtualised { " (virtual machine)" } else { "" })),
        ("Cores", env.cores.to_string()),
        ("Memory", format::bytes(env.memory_bytes as f64)),
        ("Kernel", env.kernel.clone()),
        ("Vector extensions", env.simd.join(" ")),
        ("Compiled for", env.simd_compiled.join(" ")),
        ("Compiler", env.rustc.clone()),
        ("Flags", env.rust_flags.clone()),
        ("Profile", env.profile.clone()),
        ("Source", format!("trilemma {}, commit {}", env.version, env.git_commit.as_deref().unwrap_or("unknown"))),
        ("Worker binary", env.binary.clone()),
        ("Machine key", env.machine.clone()),
    ];
    html! {
        dl {
            @for (name, value) in rows { dt { (name) } dd { (value) } }
            @for sensor in &env.sensors {
                dt { "Sensor: " (sensor.name) }
                dd { @if !sensor.works { "unavailable: " } (sensor.detail) }
            }
        }
    }
}
