//! How series are told apart: Okabe-Ito colours, each with its own marker and dashes.

use plotters::style::RGBColor;

/// Shape of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// Filled circle.
    Circle,
    /// Filled square.
    Square,
    /// Filled triangle on its base.
    Triangle,
    /// Filled square on its corner.
    Diamond,
    /// Filled triangle on its tip.
    Tip,
    /// Diagonal cross.
    Cross,
    /// Upright cross.
    Plus,
}

/// Look of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Colour.
    pub colour: RGBColor,
    /// Points.
    pub marker: Marker,
    /// Lengths of strokes and gaps in pixels, in turn; empty for a solid line.
    pub dashes: &'static [f64],
}

const BLUE: RGBColor = RGBColor(0, 114, 178);
const VERMILION: RGBColor = RGBColor(213, 94, 0);
const GREEN: RGBColor = RGBColor(0, 158, 115);
const PURPLE: RGBColor = RGBColor(204, 121, 167);
const ORANGE: RGBColor = RGBColor(230, 159, 0);
const SKY: RGBColor = RGBColor(86, 180, 233);
const BLACK: RGBColor = RGBColor(0, 0, 0);

const COLOURS: [RGBColor; 7] = [BLUE, SKY, VERMILION, GREEN, PURPLE, ORANGE, BLACK];
const MARKERS: [Marker; 7] =
    [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::Tip, Marker::Cross, Marker::Plus];
const DASHES: [&[f64]; 7] =
    [&[], &[7.0, 3.0], &[2.0, 3.0], &[9.0, 3.0, 2.0, 3.0], &[4.0, 2.0], &[12.0, 4.0], &[1.5, 2.0]];

/// Look of the series with this index; the first 49 are all different.
pub const fn series(index: usize) -> Style {
    let shifted = (index + index / COLOURS.len()) % MARKERS.len();
    Style { colour: COLOURS[index % COLOURS.len()], marker: MARKERS[shifted], dashes: DASHES[shifted] }
}

/// Colours of the phases that stacks show, and of time in none of them.
pub const PHASES: [RGBColor; 6] = [BLACK, ORANGE, BLUE, GREEN, PURPLE, RGBColor(200, 200, 200)];

/// Ink of axes and labels.
pub const INK: RGBColor = RGBColor(51, 51, 51);
/// Ink of grids.
pub const GRID: RGBColor = RGBColor(225, 225, 225);
