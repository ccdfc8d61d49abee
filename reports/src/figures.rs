//! The figures of a report, each an SVG text.

use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use crate::chart::{Axis, Canvas, Dot, Frame, Line, bytes_label, cycles_label, lines, svg, time_label, times_label};
use crate::compare::{Cohort, Place, places};
use crate::format;
use crate::model::{Metric, Model};
use crate::style::{INK, PHASES, series};

const WIDTH: u32 = 1080;
const FACET: (u32, u32) = (350, 270);
const HALF: (u32, u32) = (530, 330);

/// The points of a series on a program, or on all.
fn dots(model: &Model, index: usize, program: Option<&str>, metric: Metric) -> Vec<Dot> {
    let mut dots: Vec<Dot> = model
        .points
        .iter()
        .filter(|p| p.series == index && program.is_none_or(|name| p.cell.program == name))
        .filter_map(|p| {
            let s = p.summary(metric)?;
            Some(Dot { x: p.cell.planned_cycles as f64, y: s.median, low: s.low, high: s.high })
        })
        .collect();
    dots.sort_by(|a, b| a.x.total_cmp(&b.x));
    dots
}

fn axes(model: &Model, metric: Metric) -> (Axis, Axis) {
    let all: Vec<Dot> = (0..model.series.len()).flat_map(|i| dots(model, i, None, metric)).collect();
    let x = Axis::binary(all.iter().map(|d| d.x), cycles_label);
    let ends = all.iter().flat_map(|d| [d.low, d.high]);
    let y = match metric {
        Metric::Proof | Metric::Peak => Axis::binary(ends, bytes_label),
        Metric::Prove | Metric::Core | Metric::Verify => Axis::decimal(ends, time_label),
    };
    (x, y)
}

/// F1: prover time against cycles, one facet a program, all on the same scales.
pub fn prover_time(model: &Model) -> Vec<String> {
    let (x, y) = axes(model, Metric::Prove);
    let facet = |program: &&str| {
        let all: Vec<Line> = (0..model.series.len())
            .map(|i| Line { style: series(i), dots: dots(model, i, Some(program), Metric::Prove), joined: true })
            .collect();
        lines(FACET, program, (&x, "cycles"), &y, &all)
    };
    model.programs().iter().map(facet).collect()
}

/// The program with the most sizes.
pub fn main_program(model: &Model) -> Option<&str> {
    let sizes = |program: &str| model.tasks.iter().filter(|t| t.program == program).count();
    model.programs().into_iter().rev().max_by_key(|p| sizes(p))
}

/// A metric against cycles over all programs; a line joins the sizes of one of them.
pub fn against_cycles(model: &Model, metric: Metric) -> String {
    let (x, y) = axes(model, metric);
    let main = main_program(model);
    let all: Vec<Line> = (0..model.series.len())
        .flat_map(|i| {
            let points = Line { style: series(i), dots: dots(model, i, None, metric), joined: false };
            let line = Line { style: series(i), dots: dots(model, i, main, metric), joined: true };
            [line, points]
        })
        .collect();
    lines(HALF, metric.name(), (&x, "cycles"), &y, &all)
}

/// F3: where the prover's time goes, each series of a cohort on one task. Bars are to scale unless the times
/// differ so much that the short ones could not be read; then each bar is a whole.
pub fn phase_stacks(model: &Model, cohort: &Cohort, task: usize) -> String {
    const ROW: f64 = 34.0;
    let bars: Vec<(usize, f64, Vec<f64>)> = cohort
        .series
        .iter()
        .filter_map(|&s| {
            let point = model.success(s, task)?;
            let total = point.median(Metric::Prove)?;
            let mut parts: Vec<f64> = point.stack().into_iter().map(|v| v.unwrap_or(0.0)).collect();
            parts.push((total - parts.iter().sum::<f64>()).max(0.0));
            Some((s, total, parts))
        })
        .collect();
    let (least, most) = bars.iter().fold((f64::INFINITY, 0.0_f64), |(l, m), b| (l.min(b.1), m.max(b.1)));
    let whole = most > 12.0 * least;
    let height = 8.0 + ROW * bars.len() as f64;
    svg(WIDTH, height as u32, |canvas| {
        let scale = if whole { Axis::unit() } else { Axis::from_zero([most]) };
        let frame = Frame { edges: [380.0, 0.0, 980.0, height], x: &scale, y: &Axis::unit() };
        for (row, (s, total, parts)) in bars.iter().enumerate() {
            let top = 4.0 + ROW * row as f64;
            let name = &model.series[*s].name;
            canvas.text(name, (370.0, top + ROW / 2.0 - 2.0), 13, (HPos::Right, VPos::Center), INK);
            let mut sum = 0.0;
            let share = |x: f64| frame.at(if whole { x / parts.iter().sum::<f64>() } else { x }, 0.0).0;
            for (part, colour) in parts.iter().zip(PHASES) {
                let (from, to) = (share(sum), share(sum + part));
                canvas.bar((from, top), (to, top + ROW - 6.0), colour);
                sum += part;
                stack_label(canvas, part / total, (from, to), top + ROW / 2.0 - 2.0, colour);
            }
            canvas.text(
                &format::time(*total),
                (share(sum) + 8.0, top + ROW / 2.0 - 2.0),
                13,
                (HPos::Left, VPos::Center),
                INK,
            );
        }
    })
}

/// The percentage in a part that is wide enough for it.
fn stack_label(canvas: &Canvas<'_>, fraction: f64, (from, to): (f64, f64), y: f64, background: RGBColor) {
    if to - from < 34.0 {
        return;
    }
    let RGBColor(r, g, b) = background;
    let luminance = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    let ink = if luminance < 120.0 { RGBColor(255, 255, 255) } else { RGBColor(0, 0, 0) };
    let text = format!("{:.0} %", 100.0 * fraction);
    canvas.text(&text, (f64::midpoint(from, to), y), 12, (HPos::Center, VPos::Center), ink);
}

/// The panels of [`trilemma`]: corner, metric.
const PANELS: [(&str, Metric); 5] = [
    ("Speed", Metric::Prove),
    ("Efficiency", Metric::Core),
    ("Efficiency", Metric::Peak),
    ("Succinctness", Metric::Proof),
    ("Succinctness", Metric::Verify),
];

/// F12: how many times the best of its cohort each series takes, per metric. Left is better.
pub fn trilemma(model: &Model, cohort: &Cohort) -> String {
    const ROW: f64 = 30.0;
    const LEFT: f64 = 320.0;
    const TOP: f64 = 52.0;
    let bottom = TOP + ROW * cohort.series.len() as f64;
    let panel = (f64::from(WIDTH) - LEFT) / PANELS.len() as f64;
    svg(WIDTH, (bottom + 26.0) as u32, |canvas| {
        for (row, &s) in cohort.series.iter().enumerate() {
            let y = TOP + ROW * (row as f64 + 0.5);
            canvas.text(&model.series[s].name, (LEFT - 12.0, y), 13, (HPos::Right, VPos::Center), INK);
        }
        for (i, (corner, metric)) in PANELS.iter().enumerate() {
            let ratios = cohort.times_the_best(model, *metric);
            let left = LEFT + panel * i as f64;
            if i == 0 || PANELS[i - 1].0 != *corner {
                canvas.text(corner, (left, 4.0), 15, (HPos::Left, VPos::Top), INK);
            }
            canvas.text(metric.name(), (left, 28.0), 12, (HPos::Left, VPos::Top), INK);
            let scale = Axis::ratios(ratios.iter().flatten().copied());
            let frame = Frame { edges: [left, TOP, left + panel - 58.0, bottom], x: &scale, y: &Axis::unit() };
            canvas.frame(&frame);
            for (row, (ratio, &s)) in ratios.iter().zip(&cohort.series).enumerate() {
                let y = TOP + ROW * (row as f64 + 0.5);
                let Some(ratio) = ratio else {
                    canvas.text("not measured", (left + 4.0, y), 12, (HPos::Left, VPos::Center), INK);
                    continue;
                };
                let end = (frame.at(*ratio, 0.0).0, y);
                canvas.line((left, y), end, series(s).colour, 2);
                canvas.marker(end, series(s));
                canvas.text(&times_label(*ratio), (end.0 + 8.0, y), 12, (HPos::Left, VPos::Center), INK);
            }
        }
    })
}

/// The corners of the trilemma, two by two.
const CORNERS: [(&str, Metric, Metric); 3] = [
    ("Speed against succinctness", Metric::Prove, Metric::Proof),
    ("Efficiency against succinctness", Metric::Peak, Metric::Proof),
    ("Speed against efficiency", Metric::Prove, Metric::Peak),
];

/// The number that stands for a series in [`frontiers`].
pub const fn number(series: usize) -> usize {
    series + 1
}

/// A scale for a metric's values.
fn scale(metric: Metric, values: impl Iterator<Item = f64>) -> Axis {
    match metric {
        Metric::Proof | Metric::Peak => Axis::binary(values, bytes_label),
        Metric::Prove | Metric::Core | Metric::Verify => Axis::decimal(values, time_label),
    }
}

/// F4: the series of a cohort on one task by two corners of the trilemma at a time, with the frontier of
/// those that nobody beats in both. Left and down is better; numbers are [`number`].
pub fn frontiers(model: &Model, cohort: &Cohort, task: usize) -> String {
    const HEIGHT: f64 = 400.0;
    let panel = f64::from(WIDTH) / CORNERS.len() as f64;
    svg(WIDTH, HEIGHT as u32, |canvas| {
        for (i, (title, x, y)) in CORNERS.into_iter().enumerate() {
            let left = panel * i as f64;
            let all = places(model, cohort, task, (x, y));
            let axes = [scale(x, all.iter().map(|p| p.x)), scale(y, all.iter().map(|p| p.y))];
            let edges = [left + 64.0, 46.0, left + panel - 16.0, HEIGHT - 48.0];
            let frame = Frame { edges, x: &axes[0], y: &axes[1] };
            canvas.text(title, (left + 4.0, 4.0), 14, (HPos::Left, VPos::Top), INK);
            canvas.text(y.name(), (left + 4.0, 26.0), 12, (HPos::Left, VPos::Top), INK);
            canvas.text(x.name(), (edges[2], HEIGHT - 4.0), 12, (HPos::Right, VPos::Bottom), INK);
            canvas.frame(&frame);
            frontier_line(canvas, &frame, &all);
            for place in &all {
                let at = frame.at(place.x, place.y);
                canvas.marker(at, series(place.series));
                let label = number(place.series).to_string();
                canvas.text(&label, (at.0 + 7.0, at.1 - 5.0), 11, (HPos::Left, VPos::Center), INK);
            }
        }
    })
}

/// The steps between the points that nobody beats.
fn frontier_line(canvas: &Canvas<'_>, frame: &Frame<'_>, all: &[Place]) {
    let mut best: Vec<(f64, f64)> = all.iter().filter(|p| p.frontier).map(|p| frame.at(p.x, p.y)).collect();
    best.sort_by(|a, b| a.0.total_cmp(&b.0));
    for pair in best.windows(2) {
        let corner = (pair[1].0, pair[0].1);
        canvas.line(pair[0], corner, INK, 1);
        canvas.line(corner, pair[1], INK, 1);
    }
}
