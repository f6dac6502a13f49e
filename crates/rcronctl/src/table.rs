//! Tables for people: columns as wide as their texts, cut where the terminal ends.

use crate::screen::Screen;
use crate::text::{columns, cut};
use policy::display::escaped;
use std::borrow::Cow;

/// Blanks between two columns.
const GAP: usize = 2;
/// A column is not cut below this width, even if the table does not fit then.
const NARROWEST: usize = 8;
/// A column is not wider than this where lines are not cut, unless it is the last one: one long text would lengthen every line.
const WIDEST: usize = 200;
/// In bytes: what a cell has of a longer text.
const LONGEST_TEXT: usize = 4096;

/// Whether a text is good or bad news, for a reader who sees colours. The words alone must say it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
    Busy,
    Dim,
}

impl Tone {
    /// The text in this tone's colour. It must be escaped already.
    pub(crate) fn paint(self, text: &str, screen: Screen) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Busy => "36",
            Self::Dim => "2",
        };
        screen.paint(code, text)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
    /// In columns.
    width: usize,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        let mut text = text.into();
        if text.len() > LONGEST_TEXT {
            let end = (0..=LONGEST_TEXT).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0));
            text.push('…');
        }
        if let Cow::Owned(escaped) = escaped(&text) {
            text = escaped;
        }
        let width = columns(&text);
        Self { text, tone, width }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// A table whose rows come in blocks, because there may be too many for the memory.
pub(crate) struct Table {
    screen: Screen,
    /// The columns that are shown, and how wide they are.
    columns: Vec<(usize, usize)>,
    heading: Vec<Cell>,
}

impl Table {
    /// Chooses the columns by the first block: those without any text are left out, and so are those of `optional` if all rows
    /// have the same text in them, and no other block follows.
    pub(crate) fn new(heads: &[&str], first: &[Vec<Cell>], optional: &[usize], is_last: bool, screen: Screen) -> Self {
        let is_shown = |column: &usize| {
            let text = |row: &Vec<Cell>| row[*column].text.clone();
            let differs = || first.windows(2).any(|pair| text(&pair[0]) != text(&pair[1]));
            match optional.contains(column) {
                true if is_last => differs(),
                true => true,
                false => first.iter().any(|row| !row[*column].text.is_empty()),
            }
        };
        let columns = (0..heads.len()).filter(is_shown).map(|column| (column, 0));
        Self {
            screen,
            columns: columns.collect(),
            heading: heads.iter().map(|head| Cell::new(*head, Tone::Dim)).collect(),
        }
    }

    /// The heading and the first rows.
    pub(crate) fn begin(&mut self, rows: &[Vec<Cell>]) -> String {
        let heading = std::mem::take(&mut self.heading);
        self.widen([&heading].into_iter().chain(rows));
        self.format([&heading].into_iter().chain(rows))
    }

    /// More rows.
    pub(crate) fn go_on(&mut self, rows: &[Vec<Cell>]) -> String {
        self.widen(rows.iter());
        self.format(rows.iter())
    }

    fn widen<'a>(&mut self, rows: impl Iterator<Item = &'a Vec<Cell>>) {
        for row in rows {
            for (column, width) in &mut self.columns {
                *width = row[*column].width.max(*width);
            }
        }
        let last = self.columns.len().saturating_sub(1);
        let widths = self.columns.iter().enumerate();
        let bounded = widths.map(|(index, (_, width))| match self.screen.columns {
            None if index < last => (*width).min(WIDEST),
            _ => *width,
        });
        let widths = shrink(bounded.collect(), self.screen.columns);
        for ((_, width), new) in self.columns.iter_mut().zip(widths) {
            *width = new;
        }
    }

    fn format<'a>(&self, rows: impl Iterator<Item = &'a Vec<Cell>>) -> String {
        let mut text = String::new();
        for row in rows {
            for (column, width) in &self.columns {
                let cell = &row[*column];
                let (shown, used) = if cell.width <= *width {
                    (Cow::Borrowed(cell.text.as_str()), cell.width)
                } else {
                    let shown = cut(&cell.text, *width, '…');
                    let used = columns(&shown);
                    (shown, used)
                };
                if cell.tone == Tone::Plain || !self.screen.has_colour {
                    text.push_str(&shown);
                } else {
                    text.push_str(&cell.tone.paint(&shown, self.screen));
                }
                if Some(column) != self.columns.last().map(|(last, _)| last) {
                    text.extend(std::iter::repeat_n(' ', width.saturating_sub(used) + GAP));
                }
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }
}

/// The table with its heading. Columns without any text are left out.
pub(crate) fn format_table(heads: &[&str], rows: &[Vec<Cell>], screen: Screen) -> String {
    Table::new(heads, rows, &[], true, screen).begin(rows)
}

/// Takes columns from the widest ones until the line fits.
fn shrink(mut widths: Vec<usize>, columns: Option<usize>) -> Vec<usize> {
    let gaps = GAP * widths.len().saturating_sub(1);
    while columns.is_some_and(|columns| widths.iter().sum::<usize>() + gaps > columns) {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    fn screen(columns: usize) -> Screen {
        Screen {
            columns: Some(columns),
            has_colour: false,
            is_utf8: true,
        }
    }

    fn rows(cells: &[&[&str]]) -> Vec<Vec<Cell>> {
        cells
            .iter()
            .map(|row| row.iter().map(|text| Cell::from(*text)).collect())
            .collect()
    }

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let table = rows(&[&["a", "", "long text"], &["über", "", "x"]]);
        assert_eq!(
            format_table(&["ONE", "TWO", "THREE"], &table, screen(80)),
            "ONE   THREE\na     long text\nüber  x\n"
        );
    }

    #[test]
    fn columns_are_cut_where_the_terminal_ends() {
        let table = rows(&[&["short", "a very long command line"]]);
        assert_eq!(
            format_table(&["ONE", "TWO"], &table, screen(20)),
            "ONE    TWO\nshort  a very long …\n"
        );
    }

    #[test]
    fn one_long_text_does_not_lengthen_every_line() {
        let long = "x".repeat(10_000);
        let pipe = Screen {
            columns: None,
            ..screen(80)
        };
        let table = format_table(&["ONE", "TWO"], &rows(&[&[&long, "y"], &["x", &long]]), pipe);
        let lengths: Vec<usize> = table.lines().map(UnicodeWidthStr::width).collect();
        assert_eq!(
            lengths,
            [WIDEST + GAP + 3, WIDEST + GAP + 1, WIDEST + GAP + LONGEST_TEXT + 1]
        );
    }

    #[test]
    fn later_blocks_stay_aligned_with_the_first_one() {
        let (first, second) = (rows(&[&["a", "x"]]), rows(&[&["b", "y"], &["wide", "z"]]));
        let mut table = Table::new(&["ONE", "TWO"], &first, &[], false, screen(80));
        assert_eq!(table.begin(&first), "ONE  TWO\na    x\n");
        assert_eq!(table.go_on(&second), "b     y\nwide  z\n");
    }

    #[test]
    fn optional_columns_are_shown_where_rows_differ_or_may_differ_later() {
        let same = rows(&[&["a", "x"], &["a", "y"]]);
        let heads = |is_last| {
            let table = Table::new(&["ONE", "TWO"], &same, &[0], is_last, screen(80)).begin(&same);
            table.lines().next().map(str::to_owned)
        };
        assert_eq!(heads(true).as_deref(), Some("TWO"));
        assert_eq!(heads(false).as_deref(), Some("ONE  TWO"));
    }

    #[test]
    fn cells_cannot_move_the_cursor() {
        let table = rows(&[&["a\u{1b}[2Jb\n\u{202e}c"]]);
        let shown = "ONE\na\\x1b[2Jb\\x0a\\xe2\\x80\\xaec\n";
        assert_eq!(format_table(&["ONE"], &table, screen(80)), shown);
    }

    #[test]
    fn colours_do_not_count_as_width() {
        let table = [vec![Cell::new("ok", Tone::Good), Cell::from("x")]];
        let coloured = Screen {
            columns: None,
            has_colour: true,
            is_utf8: true,
        };
        assert!(format_table(&["A", "B"], &table, coloured).ends_with("\u{1b}[32mok\u{1b}[0m  x\n"));
    }
}
