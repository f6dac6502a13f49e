//! How text is emphasised on a terminal. Every colour is readable on black and on white, as far as the terminal's palette allows.

use crate::screen::{Colours, Screen};

/// Parameters of SGR (ECMA-48) for a terminal with 256 colours, and for one with 8. The former have fixed values, of a brightness
/// between black and white. The latter depend on the terminal, which is then most likely a console with a black background.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    of_256: &'static str,
    of_8: &'static str,
}

pub(crate) const BOLD: Style = Style::same("1");
pub(crate) const DIM: Style = Style::same("2");
pub(crate) const GREEN: Style = Style::new("38;5;28", "32");
pub(crate) const BLUE: Style = Style::new("38;5;31", "36");
pub(crate) const ORANGE: Style = Style::new("38;5;130", "33");
pub(crate) const BOLD_RED: Style = Style::new("1;38;5;196", "1;31");
/// Blue, orange, green, magenta, violet and grey; with 8 colours: cyan, yellow, green, magenta, white and default.
pub(crate) const SERVERS: [Style; 6] = [
    BLUE,
    ORANGE,
    GREEN,
    Style::new("38;5;163", "35"),
    Style::new("38;5;63", "37"),
    Style::new("38;5;243", "39"),
];

impl Style {
    const fn new(of_256: &'static str, of_8: &'static str) -> Self {
        Self { of_256, of_8 }
    }

    const fn same(code: &'static str) -> Self {
        Self::new(code, code)
    }

    /// The text in this style, if the screen has colours. It must be escaped already.
    pub(crate) fn paint(self, text: &str, screen: Screen) -> String {
        let code = match screen.colours {
            Colours::None => return text.to_owned(),
            Colours::Eight => self.of_8,
            Colours::Many => self.of_256,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of a colour of the 256 with black and with white, as WCAG 2 defines it.
    fn contrasts(index: u32) -> [f64; 2] {
        let components = match index {
            16..=231 => [36, 6, 1].map(|place| [0, 95, 135, 175, 215, 255][((index - 16) / place % 6) as usize]),
            232..=255 => [8 + 10 * (index - 232); 3],
            _ => panic!("the terminal's user can change colour {index}"),
        };
        let linear = components.map(|component| match f64::from(component) / 255.0 {
            small if small <= 0.04045 => small / 12.92,
            large => ((large + 0.055) / 1.055).powf(2.4),
        });
        let brightness = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05;
        [brightness / 0.05, 1.05 / brightness]
    }

    #[test]
    fn every_colour_is_readable_on_black_and_on_white() {
        for style in SERVERS.into_iter().chain([BOLD_RED]) {
            let (_, index) = style.of_256.split_once("38;5;").expect("a colour of the 256");
            for contrast in contrasts(index.parse().expect("a number")) {
                assert!(contrast >= 3.9, "{style:?}: {contrast}");
            }
            assert!(!["34", "30"].contains(&style.of_8), "too dark on black: {style:?}");
        }
    }

    #[test]
    fn servers_differ() {
        for of in [|style: Style| style.of_256, |style: Style| style.of_8] {
            let mut codes = SERVERS.map(of).to_vec();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), SERVERS.len());
        }
    }
}
