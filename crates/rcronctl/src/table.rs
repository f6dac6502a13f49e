//! Tables for people: as wide as they must be, cut where the terminal ends.

use crate::screen::Screen;
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between two columns.
const GAP: usize = 2;
/// No column gets narrower than this for a terminal's sake.
const NARROWEST: usize = 8;

/// What a cell tells, for those who see colours. The words say it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
    Busy,
    Dim,
}

/// One cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        let text = text.into();
        Self {
            text: visible(&text).into_owned(),
            tone,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// The lines of a table. A column in which every cell is empty is left out; the widest ones are cut where it is too wide.
pub(crate) fn lines(heads: &[&str], rows: &[Vec<Cell>], screen: Screen) -> String {
    let used: Vec<usize> = (0..heads.len())
        .filter(|column| rows.iter().any(|row| !row[*column].text.is_empty()))
        .collect();
    let heading: Vec<Cell> = heads.iter().map(|head| Cell::new(*head, Tone::Dim)).collect();
    let all = || std::iter::once(&heading).chain(rows);
    let widest = |column: &usize| all().map(|row| row[*column].text.width()).max().unwrap_or_default();
    let widths = fitting(used.iter().map(widest).collect(), screen.columns);
    let mut text = String::new();
    for row in all() {
        let mut line = String::new();
        for (column, width) in used.iter().zip(&widths) {
            append(&mut line, &row[*column], *width, screen);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Takes from the widest until all fit, or nothing more can be taken.
fn fitting(mut widths: Vec<usize>, columns: Option<usize>) -> Vec<usize> {
    let gaps = GAP * widths.len().saturating_sub(1);
    while columns.is_some_and(|columns| widths.iter().sum::<usize>() + gaps > columns) {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
    }
    widths
}

fn append(line: &mut String, cell: &Cell, width: usize, screen: Screen) {
    let shown = cut(&cell.text, width);
    let padding = width.saturating_sub(shown.width()) + GAP;
    line.push_str(&paint(&shown, cell.tone, screen));
    line.push_str(&" ".repeat(padding));
}

/// A text in its colour, where there are colours. It must be visible already.
pub(crate) fn paint(text: &str, tone: Tone, screen: Screen) -> String {
    let code = match tone {
        _ if !screen.has_colour => return text.to_owned(),
        Tone::Plain => return text.to_owned(),
        Tone::Good => "32",
        Tone::Bad => "1;31",
        Tone::Busy => "36",
        Tone::Dim => "2",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return text.into();
    }
    let mut kept = String::new();
    let mut used = 1; // the ellipsis
    for character in text.chars() {
        used += character.width().unwrap_or_default();
        if used > width {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept.into()
}

/// A text of some user's must not move our cursor.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    policy::display::escaped(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(columns: usize) -> Screen {
        Screen {
            columns: Some(columns),
            has_colour: false,
        }
    }

    fn rows(cells: &[&[&str]]) -> Vec<Vec<Cell>> {
        cells
            .iter()
            .map(|row| row.iter().map(|text| Cell::from(*text)).collect())
            .collect()
    }

    #[test]
    fn columns_stand_under_each_other_and_empty_ones_go() {
        let table = rows(&[&["a", "", "long text"], &["über", "", "x"]]);
        assert_eq!(
            lines(&["ONE", "TWO", "THREE"], &table, screen(80)),
            "ONE   THREE\na     long text\nüber  x\n"
        );
    }

    #[test]
    fn the_widest_column_is_cut_where_the_terminal_ends() {
        let table = rows(&[&["short", "a very long command line"]]);
        assert_eq!(
            lines(&["ONE", "TWO"], &table, screen(20)),
            "ONE    TWO\nshort  a very long …\n"
        );
    }

    #[test]
    fn a_text_cannot_move_the_cursor() {
        let table = rows(&[&["a\u{1b}[2Jb\n\u{202e}c"]]);
        let shown = "ONE\na\\x1b[2Jb\\x0a\\xe2\\x80\\xaec\n";
        assert_eq!(lines(&["ONE"], &table, screen(80)), shown);
    }

    #[test]
    fn colours_do_not_count_as_width() {
        let table = [vec![Cell::new("ok", Tone::Good), Cell::from("x")]];
        let coloured = Screen {
            columns: None,
            has_colour: true,
        };
        assert!(lines(&["A", "B"], &table, coloured).ends_with("\u{1b}[32mok\u{1b}[0m  x\n"));
    }
}
