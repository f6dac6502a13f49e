//! Tables for people: columns as wide as their texts, cut where the terminal ends.

use crate::screen::Screen;
use crate::text::cut;
use policy::display::escaped;
use unicode_width::UnicodeWidthStr;

/// Blanks between two columns.
const GAP: usize = 2;
/// A column is not cut below this width, even if the table does not fit then.
const NARROWEST: usize = 8;

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
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        let text = escaped(&text.into()).into_owned();
        Self { text, tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// The table with its heading. Columns without any text are left out.
pub(crate) fn format_table(heads: &[&str], rows: &[Vec<Cell>], screen: Screen) -> String {
    let used: Vec<usize> = (0..heads.len())
        .filter(|column| rows.iter().any(|row| !row[*column].text.is_empty()))
        .collect();
    let heading: Vec<Cell> = heads.iter().map(|head| Cell::new(*head, Tone::Dim)).collect();
    let all = || std::iter::once(&heading).chain(rows);
    let widest = |column: &usize| all().map(|row| row[*column].text.width()).max().unwrap_or_default();
    let widths = shrink(used.iter().map(widest).collect(), screen.columns);
    let mut text = String::new();
    for row in all() {
        let mut line = String::new();
        for (column, width) in used.iter().zip(&widths) {
            let cell = &row[*column];
            let shown = cut(&cell.text, *width, '…');
            line.push_str(&cell.tone.paint(&shown, screen));
            line.push_str(&" ".repeat(width.saturating_sub(shown.width()) + GAP));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
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
