//! A short text as a QR code, for a phone's camera: in the terminal, and as an image that can be printed.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code, as ISO/IEC 18004 asks for.
const QUIET: usize = 4;
/// Black on white by number, whatever colours the terminal's theme calls black and white.
const BLACK_ON_WHITE: &str = "\u{1b}[38;5;16;48;5;231m";
const RESET: &str = "\u{1b}[0m";

/// The modules of a code with its quiet zone.
pub(crate) struct Qr {
    width: usize,
    dark: Vec<bool>,
}

impl Qr {
    /// The code of a text; a code that lost about a seventh of itself is still read. `None` where it is too long for any.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
        let inner = code.width();
        let width = inner + 2 * QUIET;
        let colors = code.to_colors();
        let is_dark = |place: usize| {
            let (x, y) = ((place % width).checked_sub(QUIET)?, (place / width).checked_sub(QUIET)?);
            (x < inner).then(|| colors.get(y * inner + x).map(|color| *color == Color::Dark))?
        };
        Some(Self { width, dark: (0..width * width).map(|place| is_dark(place).unwrap_or(false)).collect() })
    }

    /// Columns that it takes in a terminal.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Two rows of modules a line. In colour it is black on white; without, what is light is drawn, as on a dark screen.
    pub(crate) fn lines(&self, colours: bool) -> Vec<String> {
        let rows: Vec<&[bool]> = self.dark.chunks(self.width).collect();
        let light = vec![false; self.width];
        let pairs = rows.chunks(2).map(|pair| (pair[0], pair.get(1).copied().unwrap_or(&light)));
        let line = |(upper, lower): (&[bool], &[bool])| {
            let drawn: String =
                upper.iter().zip(lower).map(|(up, low)| half(*up == colours, *low == colours)).collect();
            if colours { format!("{BLACK_ON_WHITE}{drawn}{RESET}") } else { drawn }
        };
        pairs.map(line).collect()
    }

    /// An image of black squares on white; `text` stands in it for whoever cannot scan it.
    pub(crate) fn svg(&self, text: &str) -> String {
        let width = self.width;
        let mut squares = String::new();
        for (row, modules) in self.dark.chunks(width).enumerate() {
            let mut column = 0;
            for run in modules.chunk_by(|one, next| one == next) {
                if run.first() == Some(&true) {
                    squares.push_str(&format!("M{column} {row}h{}v1h-{}z", run.len(), run.len()));
                }
                column += run.len();
            }
        }
        let size = width * 8;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\" viewBox=\"0 0 {width} {width}\" \
             shape-rendering=\"crispEdges\">\n<desc>{text}</desc>\n<path fill=\"#fff\" d=\"M0 0h{width}v{width}H0z\"/>\n\
             <path fill=\"#000\" d=\"{squares}\"/>\n</svg>\n"
        )
    }
}

fn half(upper: bool, lower: bool) -> char {
    match (upper, lower) {
        (true, true) => '\u{2588}',
        (true, false) => '\u{2580}',
        (false, true) => '\u{2584}',
        (false, false) => ' ',
    }
}
