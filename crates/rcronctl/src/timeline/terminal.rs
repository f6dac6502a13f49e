//! The picture in a terminal.

use super::axis;
use super::cells::{fit, printable, width};
use super::finding::Finding;
use super::picture::{Picture, Row, letter};
use super::plot::{Cell, Mark, Plot, Scale, plot};
use super::words;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::fmt::Write;

/// More findings than these are for the page and the JSON.
const MOST_FINDINGS: usize = 20;
const NARROWEST: usize = 20;
const BOLD_RED: &str = "1;31";
const DIM: &str = "2";
/// Blue, yellow, magenta, cyan, green, white: told apart by most eyes, and there are letters besides.
const SERVERS: [&str; 6] = ["34", "33", "35", "36", "32", "37"];

/// How to draw.
pub(super) struct Look {
    pub(super) columns: usize,
    pub(super) has_colour: bool,
    /// Whether the terminal shows more than ASCII.
    pub(super) is_utf8: bool,
    pub(super) zone: TimeZone,
}

/// The whole picture, with a newline at its end.
pub(super) fn draw(picture: &Picture, look: &Look) -> String {
    let names = name_cells(picture, look.columns);
    let scale = Scale {
        window: picture.window,
        cells: look.columns.saturating_sub(names + 3).max(NARROWEST),
    };
    let canvas = Canvas {
        picture,
        look,
        scale,
        names,
    };
    let mut text = canvas.title();
    if picture.rows.is_empty() {
        text.push_str("nothing ran\n");
        return text;
    }
    text.push_str(&canvas.axis());
    let marks = canvas.rows(&mut text);
    text.push_str(&canvas.legend(&marks));
    text.push_str(&canvas.findings());
    text
}

/// Not more than a third of the width.
fn name_cells(picture: &Picture, columns: usize) -> usize {
    let longest = picture.rows.iter().map(|row| width(&row.label())).max().unwrap_or(0);
    longest.min((columns / 3).max(8))
}

struct Canvas<'a> {
    picture: &'a Picture<'a>,
    look: &'a Look,
    scale: Scale,
    names: usize,
}

impl Canvas<'_> {
    fn title(&self) -> String {
        let window = self.picture.window;
        let [from, to] = [window.since, window.now].map(|time| time.to_zoned(self.look.zone.clone()));
        let until = if from.date() == to.date() {
            "%H:%M %Z"
        } else {
            "%Y-%m-%d %H:%M %Z"
        };
        let span = words::milliseconds(window.now.duration_since(window.since));
        let cell = span / i64::try_from(self.scale.cells).unwrap_or(1);
        format!(
            "{} to {} ({}; one column is {})\n",
            from.strftime("%Y-%m-%d %H:%M"),
            to.strftime(until),
            words::span(span),
            words::span(cell)
        )
    }

    fn axis(&self) -> String {
        let mut labels = vec![' '; self.scale.cells];
        for (time, label) in axis::ticks(self.picture.window, self.scale.cells, &self.look.zone) {
            let at = self.scale.cell(time);
            let free = labels.get_mut(at..=at + label.len());
            for (cell, character) in free.into_iter().flatten().zip(format!("|{label}").chars()) {
                *cell = character;
            }
        }
        let labels: String = labels.into_iter().collect();
        let line = format!("{}  {}", " ".repeat(self.names), labels.trim_end());
        format!("{}\n", self.paint(DIM, &line))
    }

    /// Draws all rows; returns the marks that need to be explained.
    fn rows(&self, text: &mut String) -> BTreeSet<Mark> {
        let mut seen = BTreeSet::new();
        let mut cluster = None;
        let many = self.picture.has_clusters();
        for (index, row) in self.picture.rows.iter().enumerate() {
            if many && cluster != Some(row.cluster) {
                cluster = Some(row.cluster);
                let _ = writeln!(text, "{}:", printable(row.cluster));
            }
            let own = self.picture.findings.iter().filter(|finding| finding.row == index);
            let plot = plot(row, own, &self.scale);
            seen.extend(plot.marks.iter().flatten());
            text.push_str(&self.row(row, &plot));
        }
        seen
    }

    fn row(&self, row: &Row, plot: &Plot) -> String {
        let edge = if self.look.is_utf8 { '│' } else { '|' };
        let cells: String = plot.cells.iter().map(|cell| self.cell(*cell)).collect();
        let line = format!(
            "{} {edge}{}{edge}\n",
            fit(&row.label(), self.names, self.look.is_utf8),
            cells
        );
        if !plot.has_marks() {
            return line;
        }
        let marks: String = plot.marks.iter().map(|mark| self.mark(*mark)).collect();
        format!("{line}{}  {}\n", " ".repeat(self.names), marks.trim_end())
    }

    fn cell(&self, cell: Cell) -> String {
        let goes_on = if self.look.is_utf8 { "━" } else { "=" };
        match cell {
            Cell::Empty => " ".to_owned(),
            Cell::Runs(server) => self.paint(colour(server), goes_on),
            Cell::Starts(server) => self.paint(colour(server), &letter(server).to_string()),
            Cell::Several => self.paint("1", "*"),
        }
    }

    fn mark(&self, mark: Option<Mark>) -> String {
        let Some(mark) = mark else {
            return " ".to_owned();
        };
        let colour = if matches!(mark, Mark::Running | Mark::Unknown) {
            "1"
        } else {
            BOLD_RED
        };
        self.paint(colour, &mark.character().to_string())
    }

    fn legend(&self, marks: &BTreeSet<Mark>) -> String {
        let servers = self.picture.servers.iter().enumerate().map(|(index, name)| {
            let letter = self.paint(colour(index), &letter(index).to_string());
            (2 + width(name), format!("{letter} {}", printable(name)))
        });
        let several =
            (self.picture.servers.len() > 1).then(|| (17, format!("{} several servers", self.paint("1", "*"))));
        let marks = Mark::ALL.into_iter().filter(|mark| marks.contains(mark));
        let marks = marks.map(|mark| {
            let text = mark.meaning();
            (2 + text.len(), format!("{} {text}", self.mark(Some(mark))))
        });
        format!("\n{}", fill(servers.chain(several).chain(marks), self.look.columns))
    }

    fn findings(&self) -> String {
        let found = &self.picture.findings;
        let mut text = String::new();
        if !found.is_empty() {
            text.push('\n');
        }
        for finding in found.iter().rev().take(MOST_FINDINGS).rev() {
            text.push_str(&self.finding(finding));
        }
        if found.len() > MOST_FINDINGS {
            let _ = writeln!(
                text,
                "and {} before these: see --json or --html",
                found.len() - MOST_FINDINGS
            );
        }
        if !self.picture.is_whole {
            text.push_str(
                "\nThis is one server's journal: what ran nowhere is only told with the others', see --journal.\n",
            );
        }
        text
    }

    fn finding(&self, finding: &Finding) -> String {
        let window = self.picture.window;
        let row = &self.picture.rows[finding.row];
        let name = if self.picture.has_clusters() {
            format!("{}: {}", row.cluster, row.label())
        } else {
            row.label().into_owned()
        };
        let sentence = words::sentence(finding, self.picture, &self.look.zone);
        let age = words::age(finding.to, window.now);
        let end = if age == "now" {
            String::new()
        } else {
            format!(" ({age})")
        };
        format!("{} {sentence}{end}\n", self.paint("1", &printable(&name)))
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.look.has_colour {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

fn colour(server: usize) -> &'static str {
    SERVERS[server % SERVERS.len()]
}

/// Items, each with its width, in as many lines as they need.
fn fill(items: impl Iterator<Item = (usize, String)>, columns: usize) -> String {
    let (mut text, mut used) = (String::new(), 0);
    for (cells, item) in items {
        if used > 0 && used + 3 + cells > columns {
            text.push('\n');
            used = 0;
        }
        let gap = if used > 0 { "   " } else { "" };
        text.push_str(gap);
        text.push_str(&item);
        used += gap.len() + cells;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::super::example::{failed, named, ok, running, seconds};
    use super::super::picture::{Window, lay_out};
    use super::*;
    use journal::run::Run;
    use unicode_width::UnicodeWidthStr;

    fn look(columns: usize) -> Look {
        Look {
            columns,
            has_colour: false,
            is_utf8: true,
            zone: TimeZone::UTC,
        }
    }

    fn draw_hour(runs: &[Run], look: &Look) -> String {
        let window = Window {
            since: seconds(0),
            now: seconds(3600),
        };
        draw(&lay_out(runs, window, 2), look)
    }

    fn minutes(node: &str, from: i64, to: i64) -> Vec<Run> {
        (from..to)
            .map(|at| named(ok(node, at * 300, 5), "数据库备份 and a long name"))
            .collect()
    }

    #[test]
    fn the_picture_is_as_documented() {
        let runs = [
            minutes("db1", 0, 6),
            minutes("db2", 8, 12),
            vec![
                failed("db1", 600, 900),
                running("db2", 2400),
                named(ok("db2", 0, 1), "once"),
                named(ok("db1", 0, 1), "once"),
            ],
        ]
        .concat();
        let expected = "\
2026-11-24 00:00 to 01:00 UTC (1 h; one column is 1 min 37 s)
                               |00:15   |00:30   |00:45
backup               │      A━━━━━━━━━        B━━━━━━━━━━━━│
                                     x                    >
once                 │*                                    │
                      2
数据库备份 and a lo… │A  A  A  A  A  A        B  B  B  B   │
                                        0000

A db1   B db2   * several servers   x failed   > running
2 ran twice   0 ran nowhere

once ran twice at 00:00:00, on db1 and db2 (1 h ago)
数据库备份 and a long name ran nowhere for 2 ticks from 00:30:00 to 00:35:00; it runs every 5 min (25 min ago)
";
        let drawn = draw_hour(&runs, &look(60));
        assert_eq!(drawn, expected);
    }

    #[test]
    fn every_row_is_as_wide_as_the_terminal() {
        let runs = [minutes("a", 0, 6), minutes("b", 6, 9), vec![running("a", 9)]].concat();
        for columns in [40, 80, 81, 200] {
            for line in draw_hour(&runs, &look(columns))
                .lines()
                .filter(|line| line.contains('│'))
            {
                assert_eq!(line.width(), columns, "{line}");
            }
        }
    }

    #[test]
    fn a_plain_terminal_gets_ascii_and_no_colour() {
        let mut look = look(80);
        look.is_utf8 = false;
        let drawn = draw_hour(
            &[
                running("a", 9),
                named(ok("b", 9, 1), "a name that is too long for its third of a line"),
            ],
            &look,
        );
        assert!(drawn.is_ascii(), "{drawn}");
        look.has_colour = true;
        assert!(draw_hour(&[running("a", 9)], &look).contains("\x1b[34mA\x1b[0m"));
    }

    #[test]
    fn a_name_commands_no_terminal() {
        let drawn = draw_hour(&[named(ok("a\x1b]0;x", 9, 1), "\x1b[2Jgone\n")], &look(80));
        assert!(!drawn.contains('\x1b'), "{drawn}");
    }

    #[test]
    fn where_nothing_ran_it_says_so() {
        assert!(draw_hour(&[], &look(80)).ends_with("nothing ran\n"));
    }
}
