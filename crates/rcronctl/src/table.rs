//! Tables for people: columns as wide as their texts. On a narrow terminal, the less important columns give way.

mod layout;

use crate::screen::{Colours, Screen};
use crate::style;
use crate::text::{self, cut, wrap};
pub(crate) use layout::Column;
use layout::{GAP, Layout};
use policy::display::escaped;
use std::borrow::Cow;

/// Blanks before a line below a row.
const INDENT: usize = 2;
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
    pub(crate) fn paint(self, text: &str, screen: Screen) -> Cow<'_, str> {
        let style = match self {
            _ if screen.colours == Colours::None => return text.into(),
            Self::Plain => return text.into(),
            Self::Good => style::GREEN,
            Self::Bad => style::BOLD_RED,
            Self::Busy => style::BLUE,
            Self::Dim => style::DIM,
        };
        style.paint(text, screen).into()
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        let mut text = text.into();
        if text.len() > LONGEST_TEXT {
            let end = (0..=LONGEST_TEXT).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0));
            text.push('…');
        }
        let changed = match escaped(&text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(changed) => Some(changed),
        };
        Self {
            text: changed.unwrap_or(text),
            tone,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// A table whose rows come in blocks, because there may be too many for the memory.
pub(crate) struct Table<'a> {
    columns: &'a [Column],
    layout: Layout,
    heading: Vec<Cell>,
    screen: Screen,
}

impl<'a> Table<'a> {
    /// Chooses the columns by the first block: those without any text are left out, and so are those of `optional` if all rows
    /// have the same text in them, and no other block follows.
    pub(crate) fn new(
        columns: &'a [Column],
        first: &[Vec<Cell>],
        optional: &[usize],
        is_last: bool,
        screen: Screen,
    ) -> Self {
        let heading: Vec<Cell> = columns.iter().map(|column| Cell::new(column.head, Tone::Dim)).collect();
        let is_shown = |column: usize| {
            let differs = || {
                first
                    .windows(2)
                    .any(|pair| pair[0][column].text != pair[1][column].text)
            };
            match optional.contains(&column) {
                true if is_last => differs(),
                true => true,
                false => first.iter().any(|row| !row[column].text.is_empty()),
            }
        };
        let widest = widest(first).zip(&heading).enumerate();
        let widest: Vec<usize> = widest
            .map(|(column, (width, head))| {
                if is_shown(column) {
                    width.max(text::columns(&head.text))
                } else {
                    0
                }
            })
            .collect();
        Self {
            columns,
            layout: Layout::new(columns, &widest, screen.columns),
            heading,
            screen,
        }
    }

    /// The heading and the first rows.
    pub(crate) fn begin(&self, rows: &[Vec<Cell>]) -> String {
        let mut text = String::new();
        self.append_row(&self.heading, &mut text);
        self.append_rows(rows, &mut text);
        text
    }

    /// More rows.
    pub(crate) fn go_on(&mut self, rows: &[Vec<Cell>]) -> String {
        let widest: Vec<usize> = widest(rows).collect();
        self.layout.widen(self.columns, &widest, self.screen.columns);
        let mut text = String::new();
        self.append_rows(rows, &mut text);
        text
    }

    fn append_rows(&self, rows: &[Vec<Cell>], text: &mut String) {
        for row in rows {
            self.append_row(row, text);
            self.append_below(row, text);
        }
    }

    /// The cells beside each other, in as many lines as the one that wraps most.
    fn append_row(&self, row: &[Cell], text: &mut String) {
        let beside = &self.layout.beside;
        let wrapped = beside.iter().filter(|(index, _)| self.columns[*index].wraps());
        let wrapped: Vec<(usize, Vec<Cow<str>>)> = wrapped
            .map(|(index, width)| (*index, wrap(&row[*index].text, *width)))
            .collect();
        let height = wrapped.iter().map(|(_, lines)| lines.len()).max().unwrap_or(1);
        for at in 0..height {
            for (place, (index, width)) in beside.iter().enumerate() {
                let cell = &row[*index];
                let lines = wrapped.iter().find(|(of, _)| of == index).map(|(_, lines)| lines);
                let shown = match lines {
                    Some(lines) => lines.get(at).map_or("", Cow::as_ref).into(),
                    None if at == 0 => cut(&cell.text, *width, '…'),
                    None => "".into(),
                };
                text.push_str(&cell.tone.paint(&shown, self.screen));
                if place + 1 < beside.len() {
                    text.extend(std::iter::repeat_n(
                        ' ',
                        width.saturating_sub(text::columns(&shown)) + GAP,
                    ));
                }
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
    }

    /// The cells that have no room in the row, each with its column's heading.
    fn append_below(&self, row: &[Cell], text: &mut String) {
        let below = &self.layout.below;
        let widest_head = below
            .iter()
            .map(|index| text::columns(&self.heading[*index].text))
            .max();
        let indent = INDENT + widest_head.unwrap_or_default() + GAP;
        let width = self.screen.columns.unwrap_or(usize::MAX).saturating_sub(indent);
        for index in below.iter().filter(|index| !row[**index].text.is_empty()) {
            let head = &self.heading[*index];
            let blanks = " ".repeat(indent - INDENT - text::columns(&head.text));
            let mut start = format!("{:INDENT$}{}{blanks}", "", head.tone.paint(&head.text, self.screen));
            for line in wrap(&row[*index].text, width) {
                text.push_str(&start);
                text.push_str(&row[*index].tone.paint(&line, self.screen));
                text.push('\n');
                start = " ".repeat(indent);
            }
        }
    }
}

/// The width of the widest text of each column.
fn widest(rows: &[Vec<Cell>]) -> impl Iterator<Item = usize> {
    let columns = 0..rows.first().map_or(0, Vec::len);
    columns.map(|column| {
        rows.iter()
            .map(|row| text::columns(&row[column].text))
            .max()
            .unwrap_or_default()
    })
}

/// The table with its heading. Columns without any text are left out.
pub(crate) fn format_table(columns: &[Column], rows: &[Vec<Cell>], screen: Screen) -> String {
    Table::new(columns, rows, &[], true, screen).begin(rows)
}

#[cfg(test)]
mod tests {
    use super::layout::WIDEST;
    use super::*;
    use crate::screen::Colours;
    use unicode_width::UnicodeWidthStr;

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
    fn one_long_text_does_not_lengthen_every_line() {
        let long = "x".repeat(10_000);
        let pipe = Screen {
            columns: None,
            ..screen(80)
        };
        let table = format_table(&columns(&["ONE", "TWO"]), &rows(&[&[&long, "y"], &["x", &long]]), pipe);
        let lengths: Vec<usize> = table.lines().map(UnicodeWidthStr::width).collect();
        assert_eq!(
            lengths,
            [WIDEST + GAP + 3, WIDEST + GAP + 1, WIDEST + GAP + LONGEST_TEXT + 1]
        );
    }

    #[test]
    fn later_blocks_stay_aligned_with_the_first_one() {
        let (first, second) = (rows(&[&["a", "x"]]), rows(&[&["b", "y"], &["wide", "z"]]));
        let columns = columns(&["ONE", "TWO"]);
        let mut table = Table::new(&columns, &first, &[], false, screen(80));
        assert_eq!(table.begin(&first), "ONE  TWO\na    x\n");
        assert_eq!(table.go_on(&second), "b     y\nwide  z\n");
    }

    #[test]
    fn optional_columns_are_shown_where_rows_differ_or_may_differ_later() {
        let same = rows(&[&["a", "x"], &["a", "y"]]);
        let heads = |is_last| {
            let columns = columns(&["ONE", "TWO"]);
            let table = Table::new(&columns, &same, &[0], is_last, screen(80)).begin(&same);
            table.lines().next().map(str::to_owned)
        };
        assert_eq!(heads(true).as_deref(), Some("TWO"));
        assert_eq!(heads(false).as_deref(), Some("ONE  TWO"));
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
