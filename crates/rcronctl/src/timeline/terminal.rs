//! The timeline in a terminal.

mod legend;
mod pen;

use super::axis::Scale;
use super::finding::Finding;
use super::model::{Journals, TimelineModel};
use super::plot::{Mark, Plot};
use super::rows::Row;
use super::words;
use crate::screen::Screen;
use crate::when;
use jiff::tz::TimeZone;
use legend::format_legend;
use pen::Pen;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// The width if the output is not shown on a terminal.
const DEFAULT_COLUMNS: usize = 80;
const NARROWEST: usize = 40;
const WIDEST: usize = 1000;
/// More findings than these are for the page and the JSON.
const MOST_FINDINGS: usize = 20;

const ONE_JOURNAL: &str = "This is the journal of one server. Ticks that ran nowhere are found only with the journals of the other \
                           servers: see --hosts and --journal.";
const SOME_UNREAD: &str =
    "Not all journals could be read. Ticks that ran nowhere are found only with the journals of all servers.";

/// The whole text, which ends in a newline.
pub(super) fn draw(timeline: &TimelineModel, screen: Screen, zone: &TimeZone) -> String {
    let columns = screen.columns.unwrap_or(DEFAULT_COLUMNS).clamp(NARROWEST, WIDEST);
    let pen = Pen(screen);
    let widths = timeline.rows.iter().map(|row| pen.name(&row.label).width());
    let names = widths.max().unwrap_or(0).min(columns / 3);
    let scale = Scale {
        window: timeline.window,
        columns: columns - names - 3,
    };
    let mut text = pen.sentence(&title(&scale, zone));
    if timeline.rows.is_empty() {
        text.push_str("nothing ran\n");
        return text;
    }
    let labels = format!("{:names$}  {}", "", scale.label_line(zone));
    let _ = writeln!(text, "{}", pen.dim(&labels));
    let marks = draw_rows(timeline, &scale, names, pen, &mut text);
    let _ = write!(text, "\n{}", format_legend(timeline, &marks, columns, pen));
    text.push_str(&format_findings(timeline, zone, pen));
    text
}

fn title(scale: &Scale, zone: &TimeZone) -> String {
    let window = scale.window;
    let [from, to] = [window.since, window.now].map(|time| time.to_zoned(zone.clone()));
    let until = if words::is_one_day(window.since, window.now, zone) {
        "%H:%M %Z"
    } else {
        "%Y-%m-%d %H:%M %Z"
    };
    let length = Duration::try_from(window.now.duration_since(window.since)).unwrap_or_default();
    let column = length / u32::try_from(scale.columns).unwrap_or(1);
    format!(
        "{} to {} ({}, {} per column)",
        from.strftime("%Y-%m-%d %H:%M"),
        to.strftime(until),
        when::duration(length),
        when::duration(column)
    )
}

/// Appends all rows; returns the marks that the legend must explain.
fn draw_rows(timeline: &TimelineModel, scale: &Scale, names: usize, pen: Pen, text: &mut String) -> BTreeSet<Mark> {
    let mut seen = BTreeSet::new();
    let mut cluster = None;
    for (index, row) in timeline.rows.iter().enumerate() {
        if timeline.has_clusters() && cluster != Some(row.cluster) {
            cluster = Some(row.cluster);
            let _ = writeln!(text, "{}:", pen.name(row.cluster));
        }
        let own = timeline.findings.iter().filter(|finding| finding.row == index);
        let plot = Plot::new(row, own, scale);
        seen.extend(plot.marks.iter().flatten());
        text.push_str(&draw_row(row, &plot, names, pen));
    }
    seen
}

fn draw_row(row: &Row, plot: &Plot, names: usize, pen: Pen) -> String {
    let cells: String = plot.cells.iter().map(|cell| pen.cell(*cell)).collect();
    let edge = pen.edge();
    let mut text = format!("{} {edge}{cells}{edge}\n", pen.fitted_name(&row.label, names));
    if plot.marks.iter().any(Option::is_some) {
        let mark = |mark: &Option<Mark>| mark.map_or(" ".to_owned(), |mark| pen.mark(mark));
        let marks: String = plot.marks.iter().map(mark).collect();
        let _ = writeln!(text, "{:names$}  {}", "", marks.trim_end());
    }
    text
}

fn format_findings(timeline: &TimelineModel, zone: &TimeZone, pen: Pen) -> String {
    let omitted = timeline.findings.len().saturating_sub(MOST_FINDINGS);
    let shown = &timeline.findings[omitted..];
    let mut text = if shown.is_empty() { "" } else { "\n" }.to_owned();
    for finding in shown {
        text.push_str(&format_finding(finding, timeline, zone, pen));
    }
    if omitted > 0 {
        let more = format!("{omitted} earlier ones are not shown: see --json or --html");
        text.push_str(&pen.sentence(&more));
    }
    if !timeline.journals.are_all() {
        text.push('\n');
        text.push_str(&pen.sentence(if timeline.journals == Journals::SomeUnread {
            SOME_UNREAD
        } else {
            ONE_JOURNAL
        }));
    }
    text
}

fn format_finding(finding: &Finding, timeline: &TimelineModel, zone: &TimeZone, pen: Pen) -> String {
    let row = &timeline.rows[finding.row];
    let name = if timeline.has_clusters() {
        format!("{}: {}", row.cluster, row.label)
    } else {
        row.label.to_string()
    };
    let sentence = words::sentence(finding, timeline, zone);
    let end = match when::age(finding.to, timeline.window.now) {
        age if age == "now" => String::new(),
        age => format!(" ({age})"),
    };
    pen.finding(&name, &format!("{sentence}{end}"))
}

#[cfg(test)]
mod tests {
    use super::super::example::{failed, named, ok, running, seconds};
    use super::super::model::build_timeline;
    use super::super::run_span::Window;
    use super::*;
    use crate::screen::Colours;
    use journal::run::Run;

    fn screen(columns: usize) -> Screen {
        Screen {
            columns: Some(columns),
            colours: Colours::None,
            is_utf8: true,
        }
    }

    fn draw_hour(runs: &[Run], screen: Screen) -> String {
        let window = Window {
            since: seconds(0),
            now: seconds(3600),
        };
        draw(
            &build_timeline(runs, window, Journals::Named(2)),
            screen,
            &TimeZone::UTC,
        )
    }

    fn minutes(node: &str, from: i64, to: i64) -> Vec<Run> {
        (from..to)
            .map(|at| named(ok(node, at * 300, 5), "数据库备份 and a long name"))
            .collect()
    }

    #[test]
    fn timeline_is_as_documented() {
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
2026-11-24 00:00 to 01:00 UTC (1 h, 1 min 37 s per column)
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
数据库备份 and a long name ran nowhere for 2 ticks from
00:30:00 to 00:35:00; it runs every 5 min (25 min ago)
";
        let drawn = draw_hour(&runs, screen(60));
        assert_eq!(drawn, expected);
    }

    #[test]
    fn every_row_is_as_wide_as_the_terminal() {
        let runs = [minutes("a", 0, 6), minutes("b", 6, 9), vec![running("a", 9)]].concat();
        for columns in [40, 80, 81, 200] {
            for line in draw_hour(&runs, screen(columns))
                .lines()
                .filter(|line| line.contains('│'))
            {
                assert_eq!(line.width(), columns, "{line}");
            }
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let servers = [
            "a",
            "db2.of.a.long.domain.example.org",
            "db3.example.org",
            "d",
            "e",
            "f",
        ];
        let names = ["once", "/usr/local/sbin/a-long-command --with many --options"];
        let mut runs = Vec::new();
        for (server, at) in servers.iter().zip(0..) {
            runs.extend(names.map(|name| named(ok(server, at, 1), name)));
            runs.extend([failed(server, 600, 90), running(server, 2400)]);
        }
        for columns in [40, 60, 80, 200] {
            for runs in [&runs[..], &runs[..1]] {
                let drawn = draw_hour(runs, screen(columns));
                for line in drawn.lines() {
                    assert!(line.width() <= columns, "{columns}: {line}\n{drawn}");
                }
            }
        }
    }

    #[test]
    fn pipe_gets_a_finding_in_one_line() {
        let pipe = Screen {
            columns: None,
            ..screen(80)
        };
        let name = "/usr/local/sbin/a-long-command ".repeat(5);
        let runs = ["a", "b"].map(|server| named(ok(server, 0, 1), &name));
        let drawn = draw_hour(&runs, pipe);
        let finding = format!("\n{name} ran twice at 00:00:00, on a and b (1 h ago)\n");
        assert!(drawn.contains(&finding), "{drawn}");
    }

    #[test]
    fn name_of_a_finding_is_bold() {
        let mut coloured = screen(40);
        coloured.colours = Colours::Many;
        let drawn = draw_hour(&[ok("a", 0, 1), ok("b", 0, 1)], coloured);
        assert!(
            drawn.contains("\x1b[1mbackup\x1b[0m ran twice at 00:00:00, on a and b\n(1 h ago)\n"),
            "{drawn:?}"
        );
    }

    #[test]
    fn plain_terminal_gets_ascii_and_no_colour() {
        let mut plain = screen(80);
        plain.is_utf8 = false;
        let drawn = draw_hour(
            &[
                running("a", 9),
                named(ok("b", 9, 1), "a name that is too long for its third of a line"),
            ],
            plain,
        );
        assert!(drawn.is_ascii(), "{drawn}");
        assert!(!drawn.contains('\x1b'), "{drawn:?}");
        plain.colours = Colours::Many;
        assert!(draw_hour(&[running("a", 9)], plain).contains("\x1b[38;5;31mA\x1b[0m"));
    }

    #[test]
    fn name_cannot_move_the_cursor() {
        let drawn = draw_hour(&[named(ok("a\x1b]0;x", 9, 1), "\x1b[2Jgone\n")], screen(80));
        assert!(!drawn.contains('\x1b'), "{drawn}");
    }

    #[test]
    fn long_name_ends_in_a_tilde_on_a_plain_terminal() {
        let mut plain = screen(80);
        plain.is_utf8 = false;
        assert_eq!(Pen(plain).fitted_name("数据库备份", 4), "???~");
    }

    #[test]
    fn empty_timeline_says_so() {
        assert!(draw_hour(&[], screen(80)).ends_with("nothing ran\n"));
    }
}
