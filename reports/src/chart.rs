//! Axes, markers and lines on a pixel canvas, as SVG text.

use plotters::coord::Shift;
use plotters::element::Drawable;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::format;
use crate::style::{GRID, INK, Marker, Style};

/// A scale with labelled ticks.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    log: bool,
    ticks: Vec<(f64, String)>,
}

/// Most ticks on one axis.
const MAX_TICKS: usize = 7;

impl Axis {
    /// From zero to one, without ticks.
    pub const fn unit() -> Self {
        Self { low: 0.0, high: 1.0, log: false, ticks: Vec::new() }
    }

    /// From zero to the greatest of `values`.
    pub fn from_zero(values: impl IntoIterator<Item = f64>) -> Self {
        Self { high: values.into_iter().fold(f64::MIN_POSITIVE, f64::max), ..Self::unit() }
    }

    /// A logarithmic scale around `values`, labelled at round decimal numbers.
    pub fn decimal(values: impl IntoIterator<Item = f64>, label: impl Fn(f64) -> String) -> Self {
        let (low, high) = padded(values);
        let decades = |mantissas: &'static [f64], step: usize| {
            let range = low.log10().floor() as i32..=high.log10().ceil() as i32;
            let exponents = range.filter(move |e| e.rem_euclid(step as i32) == 0);
            exponents.flat_map(|e| mantissas.iter().map(move |m| m * 10_f64.powi(e)))
        };
        let candidates: [Vec<f64>; 6] = [
            decades(&[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0], 1).collect(),
            decades(&[1.0, 1.5, 2.0, 3.0, 5.0, 7.0], 1).collect(),
            decades(&[1.0, 2.0, 5.0], 1).collect(),
            decades(&[1.0, 3.0], 1).collect(),
            decades(&[1.0], 1).collect(),
            decades(&[1.0], 2).collect(),
        ];
        Self::with(low, high, candidates, label)
    }

    /// A logarithmic scale from one to the greatest of `values`, labelled at powers of ten.
    pub fn ratios(values: impl IntoIterator<Item = f64>) -> Self {
        let high = values.into_iter().fold(2.0, f64::max);
        let powers = (0..=high.log10() as i32).map(|e| 10_f64.powi(e));
        let ticks = if high < 10.0 { vec![1.0, if high < 4.0 { 2.0 } else { 4.0 }] } else { powers.collect() };
        Self { low: 1.0, high, log: true, ticks: ticks.into_iter().map(|t| (t, times_label(t))).collect() }
    }

    /// A logarithmic scale around `values`, labelled at powers of two.
    pub fn binary(values: impl IntoIterator<Item = f64>, label: impl Fn(f64) -> String) -> Self {
        let (low, high) = padded(values);
        let candidates = [1, 2, 3, 4, 5, 10].map(|step| {
            let range = low.log2().floor() as i32..=high.log2().ceil() as i32;
            range.filter(|e| e.rem_euclid(step) == 0).map(|e| 2_f64.powi(e)).collect()
        });
        Self::with(low, high, candidates, label)
    }

    /// The densest of `candidates` that is not too dense.
    fn with(low: f64, high: f64, candidates: [Vec<f64>; 6], label: impl Fn(f64) -> String) -> Self {
        let inside = candidates.map(|ticks| ticks.into_iter().filter(|t| (low..=high).contains(t)).collect::<Vec<_>>());
        let chosen = inside.iter().find(|ticks| ticks.len() <= MAX_TICKS).or(inside.last());
        let ticks = chosen.into_iter().flatten().map(|&t| (t, label(t))).collect();
        Self { low, high, log: true, ticks }
    }

    /// Where `x` lies, 0 at the low end and 1 at the high one.
    fn fraction(&self, x: f64) -> f64 {
        if self.log {
            (x.max(self.low * 1e-3) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (x - self.low) / (self.high - self.low)
        }
    }
}

/// The range of positive `values` with some room on both sides.
fn padded(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for v in values.into_iter().filter(|v| *v > 0.0 && v.is_finite()) {
        (low, high) = (low.min(v), high.max(v));
    }
    if high == 0.0 {
        (low, high) = (1.0, 10.0);
    }
    let room = ((high / low).ln() * 0.07).max(0.12).exp();
    (low / room, high * room)
}

/// Label of a tick that counts cycles.
pub fn cycles_label(cycles: f64) -> String {
    format::power_of_two(cycles.log2().round() as i32)
}

/// Label of a tick in nanoseconds.
pub fn time_label(ns: f64) -> String {
    short(&format::time(ns))
}

/// Label of a tick in bytes.
pub fn bytes_label(n: f64) -> String {
    short(&format::bytes(n))
}

/// Label of a tick that is a ratio.
pub fn times_label(x: f64) -> String {
    format!("{}×", short(&format::plain(x)))
}

/// Without zeros after the point.
fn short(text: &str) -> String {
    let (number, unit) = text.split_once(' ').map_or((text, ""), |(n, u)| (n, u));
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    if unit.is_empty() { number.to_owned() } else { format!("{number} {unit}") }
}

/// A rectangle of the canvas with a scale on each side.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Left, top, right, bottom.
    pub edges: [f64; 4],
    /// Horizontal scale.
    pub x: &'a Axis,
    /// Vertical scale, growing upwards.
    pub y: &'a Axis,
}

impl Frame<'_> {
    /// The pixel of a point.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let [left, top, right, bottom] = self.edges;
        (left + (right - left) * self.x.fraction(x), bottom - (bottom - top) * self.y.fraction(y))
    }
}

/// A drawing.
pub struct Canvas<'s> {
    area: DrawingArea<SVGBackend<'s>, Shift>,
}

/// Draws into a string.
pub fn svg(width: u32, height: u32, draw: impl FnOnce(&Canvas<'_>)) -> String {
    let mut text = String::new();
    draw(&Canvas { area: SVGBackend::with_string(&mut text, (width, height)).into_drawing_area() });
    text
}

fn px(x: f64) -> i32 {
    x.round() as i32
}

impl Canvas<'_> {
    fn put<'b, E>(&'b self, element: &E)
    where
        for<'a> &'a E: plotters::element::PointCollection<'a, (i32, i32)>,
        E: for<'a> Drawable<SVGBackend<'a>>,
    {
        self.area.draw(element).expect("drawing into a string cannot fail");
    }

    /// Text whose anchor is at a pixel.
    pub fn text(&self, text: &str, at: (f64, f64), size: u32, anchor: (HPos, VPos), colour: RGBColor) {
        let style = TextStyle::from(("sans-serif", size).into_font()).color(&colour).pos(Pos::new(anchor.0, anchor.1));
        self.put(&Text::new(text.to_owned(), (px(at.0), px(at.1)), style));
    }

    /// A straight line.
    pub fn line(&self, from: (f64, f64), to: (f64, f64), colour: RGBColor, width: u32) {
        let ends = vec![(px(from.0), px(from.1)), (px(to.0), px(to.1))];
        self.put(&PathElement::new(ends, colour.stroke_width(width)));
    }

    /// A filled rectangle.
    pub fn bar(&self, from: (f64, f64), to: (f64, f64), colour: RGBColor) {
        self.put(&Rectangle::new([(px(from.0), px(from.1)), (px(to.0), px(to.1))], colour.filled()));
    }

    /// Lines through points in a style's colour and dashes.
    pub fn path(&self, points: &[(f64, f64)], style: Style) {
        if style.dashes.is_empty() {
            let points: Vec<(i32, i32)> = points.iter().map(|p| (px(p.0), px(p.1))).collect();
            self.put(&PathElement::new(points, style.colour.stroke_width(2)));
            return;
        }
        for (from, to) in dashes(points, style.dashes) {
            self.line(from, to, style.colour, 2);
        }
    }

    /// A style's marker at a pixel.
    pub fn marker(&self, at: (f64, f64), style: Style) {
        let (x, y) = (px(at.0), px(at.1));
        let fill = style.colour.filled();
        let polygon = |corners: &[(i32, i32)]| {
            let corners: Vec<(i32, i32)> = corners.iter().map(|c| (x + c.0, y + c.1)).collect();
            self.put(&Polygon::new(corners, fill));
        };
        let strokes = |ends: [(i32, i32); 2]| {
            for (dx, dy) in ends {
                self.put(&PathElement::new(vec![(x - dx, y - dy), (x + dx, y + dy)], style.colour.stroke_width(2)));
            }
        };
        match style.marker {
            Marker::Circle => self.put(&Circle::new((x, y), 4, fill)),
            Marker::Square => polygon(&[(-4, -4), (4, -4), (4, 4), (-4, 4)]),
            Marker::Triangle => polygon(&[(-5, 4), (5, 4), (0, -5)]),
            Marker::Diamond => polygon(&[(-5, 0), (0, -5), (5, 0), (0, 5)]),
            Marker::Tip => polygon(&[(-5, -4), (5, -4), (0, 5)]),
            Marker::Cross => strokes([(4, 4), (4, -4)]),
            Marker::Plus => strokes([(5, 0), (0, 5)]),
        }
    }

    /// Grid, edges and tick labels of a frame.
    pub fn frame(&self, frame: &Frame<'_>) {
        let [left, top, right, bottom] = frame.edges;
        for (x, label) in &frame.x.ticks {
            let at = frame.at(*x, frame.y.low).0;
            self.line((at, top), (at, bottom), GRID, 1);
            self.text(label, (at, bottom + 6.0), 12, (HPos::Center, VPos::Top), INK);
        }
        for (y, label) in &frame.y.ticks {
            let at = frame.at(frame.x.low, *y).1;
            self.line((left, at), (right, at), GRID, 1);
            self.text(label, (left - 6.0, at), 12, (HPos::Right, VPos::Center), INK);
        }
        self.line((left, top), (left, bottom), INK, 1);
        self.line((left, bottom), (right, bottom), INK, 1);
    }
}

/// A segment of a line.
type Segment = ((f64, f64), (f64, f64));

/// The strokes of a dashed line.
fn dashes(points: &[(f64, f64)], pattern: &[f64]) -> Vec<Segment> {
    let mut strokes = Vec::new();
    let (mut index, mut left) = (0, pattern[0]);
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |d: f64| (from.0 + (to.0 - from.0) * d / length, from.1 + (to.1 - from.1) * d / length);
        let mut walked = 0.0;
        while walked < length {
            let step = left.min(length - walked);
            if index % 2 == 0 {
                strokes.push((at(walked), at(walked + step)));
            }
            walked += step;
            left -= step;
            if left <= 0.0 {
                index = (index + 1) % (2 * pattern.len().div_ceil(2));
                left = pattern[index];
            }
        }
    }
    strokes
}

/// A point of a line chart with its spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// Horizontal value.
    pub x: f64,
    /// Vertical value.
    pub y: f64,
    /// Lower end of the spread.
    pub low: f64,
    /// Upper end of the spread.
    pub high: f64,
}

/// Points in one style.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Look.
    pub style: Style,
    /// Points.
    pub dots: Vec<Dot>,
    /// Whether a line joins them.
    pub joined: bool,
}

/// A chart of lines. The title stands above, the name of the horizontal axis below.
pub fn lines(size: (u32, u32), title: &str, x: (&Axis, &str), y: &Axis, lines: &[Line]) -> String {
    svg(size.0, size.1, |canvas| {
        let (width, height) = (f64::from(size.0), f64::from(size.1));
        let frame = Frame { edges: [68.0, 30.0, width - 14.0, height - 40.0], x: x.0, y };
        canvas.text(title, (4.0, 4.0), 14, (HPos::Left, VPos::Top), INK);
        canvas.frame(&frame);
        canvas.text(x.1, (width - 14.0, height - 2.0), 12, (HPos::Right, VPos::Bottom), INK);
        for line in lines {
            let pixels: Vec<(f64, f64)> = line.dots.iter().map(|d| frame.at(d.x, d.y)).collect();
            if line.joined && pixels.len() > 1 {
                canvas.path(&pixels, line.style);
            }
        }
        for (line, dot) in lines.iter().flat_map(|l| l.dots.iter().map(move |d| (l, d))) {
            let (from, to) = (frame.at(dot.x, dot.low), frame.at(dot.x, dot.high));
            if from.1 - to.1 > 10.0 {
                canvas.line(from, to, line.style.colour, 1);
            }
            canvas.marker(frame.at(dot.x, dot.y), line.style);
        }
    })
}

/// The sample of a style that a legend shows.
pub fn swatch(style: Style) -> String {
    svg(40, 14, |canvas| {
        canvas.path(&[(1.0, 7.0), (39.0, 7.0)], style);
        canvas.marker((20.0, 7.0), style);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_ticks_are_round_and_few() {
        let labels =
            |low, high| Axis::decimal([low, high], time_label).ticks.into_iter().map(|(_, l)| l).collect::<Vec<_>>();
        assert_eq!(labels(1e7, 4e9), ["10 ms", "30 ms", "100 ms", "300 ms", "1 s", "3 s"]);
        assert_eq!(labels(1e9, 2.2e9), ["1 s", "1.2 s", "1.5 s", "2 s"]);
        assert_eq!(labels(1e3, 1e12).len(), 5);
    }

    #[test]
    fn binary_ticks_are_powers_of_two() {
        let axis = Axis::binary([8192.0, 1_048_576.0], cycles_label);
        let labels: Vec<&str> = axis.ticks.iter().map(|(_, l)| l.as_str()).collect();
        assert_eq!(labels, ["2¹⁴", "2¹⁶", "2¹⁸", "2²⁰"]);
        assert!((axis.fraction(8192.0) - (1.0 - axis.fraction(1_048_576.0))).abs() < 1e-9);
    }

    #[test]
    fn dashes_leave_gaps() {
        let strokes = dashes(&[(0.0, 0.0), (10.0, 0.0)], &[3.0, 2.0]);
        assert_eq!(strokes, [((0.0, 0.0), (3.0, 0.0)), ((5.0, 0.0), (8.0, 0.0))]);
    }
}
