//! Tables for people: columns as wide as their texts. On a narrow terminal, the less important columns give way.

mod layout;

use crate::screen::Screen;
use crate::style;
use crate::text::{cut, wrap};
pub(crate) use layout::Column;
use layout::{GAP, Layout, lay_out};
use policy::display::escaped;
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// Blanks before a line below a row.
const INDENT: usize = 2;

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
        let style = match self {
            Self::Plain => return text.to_owned(),
            Self::Good => style::GREEN,
            Self::Bad => style::BOLD_RED,
            Self::Busy => style::BLUE,
            Self::Dim => style::DIM,
        };
        style.paint(text, screen)
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
pub(crate) fn format_table(columns: &[Column], rows: &[Vec<Cell>], screen: Screen) -> String {
    let heading: Vec<Cell> = columns.iter().map(|column| Cell::new(column.head, Tone::Dim)).collect();
    let widest = |index: usize| match rows.iter().map(|row| row[index].text.width()).max() {
        None | Some(0) => 0,
        Some(widest) => widest.max(heading[index].text.width()),
    };
    let widest: Vec<usize> = (0..columns.len()).map(widest).collect();
    let layout = lay_out(columns, &widest, screen.columns);
    let table = Table {
        columns,
        layout,
        heading: &heading,
        screen,
    };
    let mut text = table.format_row(&heading);
    for row in rows {
        text.push_str(&table.format_row(row));
        text.push_str(&table.format_below(row));
    }
    text
}

struct Table<'a> {
    columns: &'a [Column],
    layout: Layout,
    heading: &'a [Cell],
    screen: Screen,
}

impl Table<'_> {
    /// The cells beside each other, in as many lines as the one that wraps most.
    fn format_row(&self, row: &[Cell]) -> String {
        let beside = &self.layout.beside;
        let cells: Vec<Vec<Cow<str>>> = beside
            .iter()
            .map(|(index, width)| {
                let text = &row[*index].text;
                if self.columns[*index].wraps() {
                    wrap(text, *width)
                } else {
                    vec![cut(text, *width, '…')]
                }
            })
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or_default();
        let mut text = String::new();
        for at in 0..height {
            let mut line = String::new();
            for ((index, width), lines) in beside.iter().zip(&cells) {
                let shown = lines.get(at).map_or("", |line| line);
                line.push_str(&row[*index].tone.paint(shown, self.screen));
                line.push_str(&" ".repeat(width.saturating_sub(shown.width()) + GAP));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The cells that have no room in the row, each with its column's heading.
    fn format_below(&self, row: &[Cell]) -> String {
        let below = &self.layout.below;
        let widest_head = below.iter().map(|index| self.heading[*index].text.width()).max();
        let indent = INDENT + widest_head.unwrap_or_default() + GAP;
        let width = self.screen.columns.unwrap_or(usize::MAX).saturating_sub(indent);
        let mut text = String::new();
        for index in below.iter().filter(|index| !row[**index].text.is_empty()) {
            let head = &self.heading[*index];
            let blanks = " ".repeat(indent - INDENT - head.text.width());
            let mut start = format!("{:INDENT$}{}{blanks}", "", head.tone.paint(&head.text, self.screen));
            for line in wrap(&row[*index].text, width) {
                text.push_str(&start);
                text.push_str(&row[*index].tone.paint(&line, self.screen));
                text.push('\n');
                start = " ".repeat(indent);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Colours;

    fn screen(columns: usize) -> Screen {
        Screen {
            columns: Some(columns),
            colours: Colours::None,
            is_utf8: true,
        }
    }

    fn columns(heads: &[&'static str]) -> Vec<Column> {
        heads.iter().map(|head| Column::whole(head)).collect()
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
            format_table(&columns(&["ONE", "TWO", "THREE"]), &table, screen(80)),
            "ONE   THREE\na     long text\nüber  x\n"
        );
    }

    #[test]
    fn columns_are_cut_where_the_terminal_ends() {
        let table = rows(&[&["short", "a very long command line"]]);
        assert_eq!(
            format_table(&columns(&["ONE", "TWO"]), &table, screen(20)),
            "ONE    TWO\nshort  a very long …\n"
        );
    }

    #[test]
    fn cells_cannot_move_the_cursor() {
        let table = rows(&[&["a\u{1b}[2Jb\n\u{202e}c"]]);
        let shown = "ONE\na\\x1b[2Jb\\x0a\\xe2\\x80\\xaec\n";
        assert_eq!(format_table(&columns(&["ONE"]), &table, screen(80)), shown);
    }

    #[test]
    fn colours_do_not_count_as_width() {
        let table = [vec![Cell::new("ok", Tone::Good), Cell::from("x")]];
        let coloured = Screen {
            columns: None,
            colours: Colours::Eight,
            is_utf8: true,
        };
        assert!(format_table(&columns(&["A", "B"]), &table, coloured).ends_with("\u{1b}[32mok\u{1b}[0m  x\n"));
    }
    #[test]
    fn texts_that_give_way_stand_in_further_lines() {
        let columns = [
            Column::whole("NAME"),
            Column::below("WHY", 0),
            Column::below("WRITTEN BY", 0),
            Column::wrap("SINCE", 1, 10),
        ];
        let table = rows(&[
            &[
                "web",
                "the state file says so",
                "keepalived@db1",
                "2026-11-24 (6 d ago)",
            ],
            &["shop", "its first word is wrong", "", "-"],
        ]);
        let expected = "\
NAME  SINCE
web   2026-11-24
      (6 d ago)
  WHY         the state
              file says
              so
  WRITTEN BY  keepalived@
              db1
shop  -
  WHY         its first
              word is
              wrong
";
        assert_eq!(format_table(&columns, &table, screen(25)), expected);
        let colours = Screen {
            colours: Colours::Eight,
            ..screen(25)
        };
        let coloured = format_table(&columns, &table, colours);
        assert!(
            coloured.contains("  \u{1b}[2mWHY\u{1b}[0m         the state\n"),
            "{coloured:?}"
        );
    }
}
