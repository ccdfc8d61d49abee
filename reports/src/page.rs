//! The report as one self-contained HTML page: no script, no font, no link to another file.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use plotters::style::RGBColor;

use crate::compare::{Cohort, cohorts, named_pairing, pairings};
use crate::figures;
use crate::format;
use crate::model::{Metric, Model, Point};
use crate::schema::Phases;
use crate::stats::MIN_FOR_INTERVAL;
use crate::style::PHASES;
use crate::tables;

const CSS: &str = include_str!("page.css");

/// The pipelines whose ratio is a table of its own.
const PAIRED_FAMILIES: (&str, &str) = ("air/uni-stark", "p3-batch-stark");

/// The sections, by anchor and title.
const SECTIONS: [(&str, &str); 9] = [
    ("summary", "Summary"),
    ("properties", "Security, trust and assumptions"),
    ("time", "Prover time"),
    ("phases", "Where the prover's time goes"),
    ("succinctness", "Proof size and verifier time"),
    ("trilemma", "Speed, efficiency, succinctness"),
    ("results", "All results"),
    ("details", "Error terms, tables, bytes"),
    ("environment", "Environment and method"),
];

fn section(index: usize, body: &Markup) -> Markup {
    let (anchor, title) = SECTIONS[index];
    html! { section id=(anchor) { h2 { (title) } (body) } }
}

fn scroll(body: &Markup) -> Markup {
    html! { div.scroll { (body) } }
}

fn figure(label: &str, svg: String, caption: &str) -> Markup {
    html! {
        figure role="img" aria-label=(label) {
            (PreEscaped(svg))
            @if !caption.is_empty() { figcaption { (caption) } }
        }
    }
}

/// The page.
pub fn page(model: &Model) -> String {
    let bodies = [
        summary(model),
        scroll(&tables::properties(model)),
        prover_time(model),
        phases(model),
        succinctness(model),
        trilemma(model),
        results(model),
        details(model),
        environment(model),
    ];
    let experiment = &model.run.experiment;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (experiment.name) " · trilemma" }
                style { (PreEscaped(CSS)) }
            }
            body {
                header {
                    h1 { (experiment.name) }
                    p.lead { (experiment.description) }
                    p.soft { (provenance(model)) }
                    nav { @for (anchor, title) in SECTIONS { a href={ "#" (anchor) } { (title) } } }
                    (errors(model))
                }
                main { @for (i, body) in bodies.iter().enumerate() { (section(i, body)) } }
            }
        }
    }
    .into_string()
}

fn provenance(model: &Model) -> String {
    let env = &model.run.environment;
    let started = model.run.samples.iter().map(|s| s.started.as_str()).min().unwrap_or("nothing measured yet");
    format!(
        "Run {} · {} · {} cores, {} · {} · trilemma {}",
        model.run.id,
        started,
        env.cores,
        format::bytes(env.memory_bytes as f64),
        env.cpu,
        env.version
    )
}

fn errors(model: &Model) -> Markup {
    html! {
        @if !model.errors.is_empty() {
            div.errors {
                strong { "This run contradicts itself; do not rely on it." }
                ul { @for error in &model.errors { li { (error) } } }
            }
        }
        @if model.run.torn { p.soft { "The last row was cut off and is left out." } }
    }
}

fn summary(model: &Model) -> Markup {
    let run = &model.run;
    let repetitions = run.experiment.repetitions;
    let spread = match repetitions as usize {
        1 => "Single measurements have no spread.",
        2..MIN_FOR_INTERVAL => "Spreads are ranges: fewer than five repetitions allow no interval.",
        _ => "Spreads are bootstrap intervals of 95 % of the median.",
    };
    let threads = run.plan.iter().map(|c| c.threads).max().unwrap_or(0);
    html! {
        p {
            (many(model.programs().len(), "program")) " at " (many(model.tasks.len(), "size")) " through "
            (many(model.series.len(), "pipeline")) ", each measured up to " (many(repetitions as usize, "time"))
            ", every measurement in a process of its own on " (many(threads, "thread")) "; "
            (many(run.samples.len(), "row")) ". " (spread)
            " Prover time goes from the input to the proof's bytes, execution and trace included; keys are made before."
        }
        (scroll(&tables::headline(model)))
        h3 { "Failures and coverage" }
        (scroll(&tables::failures(model)))
    }
}

/// So many of a thing.
fn many(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

fn prover_time(model: &Model) -> Markup {
    html! {
        (tables::legend(model))
        div.facets {
            @for (program, svg) in model.programs().iter().zip(figures::prover_time(model)) {
                (figure(&format!("prover time against cycles, {program}"), svg, ""))
            }
        }
        p.soft { "Median prover time against cycles, both scales logarithmic and the same in every panel. Vertical bars show spreads wider than a marker." }
    }
}

/// The cohorts of every class.
fn all_cohorts(model: &Model) -> Vec<Cohort> {
    model.classes().into_iter().flat_map(|class| cohorts(model, class)).collect()
}

fn task_name(model: &Model, task: usize) -> String {
    let task = &model.tasks[task];
    format!("{}, {} ({} cycles)", task.program, task.size, format::grouped(task.cycles))
}

fn key(colour: RGBColor) -> Markup {
    let RGBColor(r, g, b) = colour;
    html! { span.key style=(format!("background:rgb({r},{g},{b})")) {} }
}

fn phases(model: &Model) -> Markup {
    let names = Phases::STACK.into_iter().chain(["other"]);
    html! {
        ul.legend { @for (name, colour) in names.zip(PHASES) { li { (key(colour)) (name) } } }
        @for cohort in all_cohorts(model) {
            @if let Some(task) = cohort.largest(model) {
                h3 { "Largest common size: " (task_name(model, task)) }
                (figure("phases of the prover", figures::phase_stacks(model, &cohort, task),
                    "Median of each phase; the figure at the end is the median prover time. Bars are to scale, or shares of a whole where times differ too much."))
            }
        }
    }
}

fn succinctness(model: &Model) -> Markup {
    let main = figures::main_program(model).unwrap_or("");
    html! {
        (tables::legend(model))
        div.halves {
            (figure("proof size against cycles", figures::against_cycles(model, Metric::Proof), ""))
            (figure("verifier time against cycles", figures::against_cycles(model, Metric::Verify), ""))
        }
        p.soft { "All programs; lines join the sizes of " (main) ". The verifier runs in a loop inside a process that has its key." }
        (scroll(&tables::growths(model, main)))
    }
}

fn names(model: &Model, series: &[usize]) -> String {
    series.iter().map(|&s| model.series[s].legend()).collect::<Vec<_>>().join("; ")
}

fn trilemma(model: &Model) -> Markup {
    html! {
        p {
            "How many times the best pipeline of its group each one takes: geometric means over the programs and sizes that all of the group proved. "
            "1× is the best; scales are logarithmic and start there, so shorter is better. Only pipelines under one target and regime are ranked together."
        }
        @for cohort in all_cohorts(model) {
            h3 { "Class " (cohort.class) ", " (many(cohort.tasks.len(), "common size"))
                @if cohort.tasks.len() == 1 { ", " } @else { " up to " }
                (cohort.largest(model).map(|t| task_name(model, t)).unwrap_or_default()) }
            (figure("times the best, by metric", figures::trilemma(model, &cohort), ""))
            @if let Some(task) = cohort.largest(model) {
                (tables::numbers(model, &cohort))
                (figure("frontiers, two corners at a time", figures::frontiers(model, &cohort, task),
                    &format!("{}. Left and down is better; the line joins the pipelines that no other of the class beats in both.", task_name(model, task))))
            }
            @let caveats: Vec<usize> = cohort.series.iter().copied().filter(|&s| !model.series[s].caveats().is_empty()).collect();
            @if !caveats.is_empty() { p.soft { "Mind: " (names(model, &caveats)) "." } }
            @if !cohort.left_out.is_empty() { p.soft { "Not in this group: " (names(model, &cohort.left_out)) "." } }
        }
    }
}

fn results(model: &Model) -> Markup {
    let (first, second) = PAIRED_FAMILIES;
    let pairs = pairings(model, first, second);
    html! {
        p.soft { "Medians; the best of a security class at one size is bold. “Correct” counts measurements that were proven, verified and refused every forgery." }
        (scroll(&tables::results(model)))
        @if !pairs.is_empty() {
            h3 { "Own STARK against the reference over the same tables" }
            p.soft { "Ratios of medians, paired by program and size; differences below 2 % count as equivalent. A verdict by range says that the ranges are apart, one of one run each that the two differ by more than 1.5, as single runs of one cell have been seen to differ by up to 1.4: neither that a test was passed." }
            @for pair in &pairs { (scroll(&tables::pairing(model, pair))) }
        }
        (comparisons(model))
    }
}

/// The comparisons that the experiment asks for.
fn comparisons(model: &Model) -> Markup {
    html! {
        @for comparison in &model.run.experiment.comparisons {
            h3 { (comparison.first) " against " (comparison.second) }
            p { (comparison.why) }
            @match named_pairing(model, &comparison.first, &comparison.second) {
                Some(pair) => (scroll(&tables::pairing(model, &pair))),
                None => p.soft { "Nothing was proved by both in one security class." },
            }
        }
    }
}

fn details(model: &Model) -> Markup {
    let largest: Vec<&Point> = (0..model.series.len()).filter_map(|i| model.largest(i)).collect();
    html! {
        p.soft { "At the largest size that each pipeline proved. Bits are −log₂ of a cheating prover's chance in one round; grinding adds work to it. The weakest term, in bold, is the proof's security." }
        @for point in &largest {
            h3 { (model.series[point.series].name) " at " (task_name(model, point.task)) }
            div.pair {
                @if let Some(row) = point.first() { (scroll(&tables::ledger(row))) }
                (scroll(&tables::bytes_by_label(point)))
            }
        }
        @if let Some(point) = largest.iter().filter(|p| p.counts().is_some_and(|c| !c.tables.is_empty())).max_by_key(|p| p.weight()) {
            h3 { "Tables of the largest proof: " (model.series[point.series].name) " at " (task_name(model, point.task)) }
            (scroll(&tables::table_sizes(point)))
        }
    }
}

fn environment(model: &Model) -> Markup {
    let experiment = &model.run.experiment;
    html! {
        (tables::environment(model))
        h3 { "Method" }
        ul {
            li { "Order: " (experiment.repetitions) " blocks, each one pass over all cells in an order drawn from seed " (experiment.seed) "." }
            li { "Core-seconds are the worker's processor time while proving, all threads, user and system. Peak memory is the worker's own high-water mark when the proof was there, keys included." }
            li { "Proof size is the number of bytes the verifier reads. Every row also flips one bit of the proof and changes one public value; accepting either makes the row a failure." }
            li { "Cycles, rows, cells, interactions and proof bytes cannot vary; if they do between repetitions, the report opens with an error." }
        }
    }
}
