//! The report for people: a section for each subject, what is wrong first, then what was looked at, then what was not.

use super::finding::{Finding, Severity};
use super::kind::Group;
use super::report::Report;
use crate::screen::Screen;
use std::fmt::Write;

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";
/// The width of a label and the blanks before it.
const INDENT: &str = "            ";

pub(crate) fn text(report: &Report) -> String {
    let paint = Paint(Screen::of_stdout().has_colour);
    let mut text = String::new();
    for group in Group::ALL {
        let _ = writeln!(text, "{}", paint.with(BOLD, group.name()));
        for finding in report.findings.iter().filter(|finding| finding.kind.group() == group) {
            describe(&mut text, paint, finding);
        }
        for (label, lines) in [("looked at", &report.seen), ("not seen", &report.unseen)] {
            for (_, line) in lines.iter().filter(|(of, _)| *of == group) {
                row(&mut text, paint, (label, DIM), line);
            }
        }
    }
    let _ = writeln!(text, "{}", paint.with(BOLD, &summary(report)));
    text
}

#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, colour: &str, text: &str) -> String {
        if self.0 {
            format!("{colour}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    }
}

fn describe(text: &mut String, paint: Paint, finding: &Finding) {
    let label = match finding.severity {
        Severity::Wrong => ("wrong", RED),
        Severity::Doubtful => ("hint", YELLOW),
    };
    let place = finding.place.to_string();
    // rcron's own messages about a configuration begin with the place.
    let what = if finding.place.position.is_none() && finding.what.contains(&place) {
        finding.what.clone()
    } else {
        format!("{place}: {}", finding.what)
    };
    row(text, paint, label, &what);
    for line in finding.why.iter().chain([&format!("-> {}", finding.remedy)]) {
        let _ = writeln!(text, "{INDENT}{line}");
    }
}

fn row(text: &mut String, paint: Paint, (label, colour): (&str, &str), content: &str) {
    let label = paint.with(colour, &format!("{label:10}"));
    let indented = content.replace('\n', &format!("\n{INDENT}"));
    let _ = writeln!(text, "  {label}{indented}");
}

fn summary(report: &Report) -> String {
    let wrong = match report.count(Severity::Wrong) {
        0 => "nothing is wrong".to_owned(),
        count => format!("{count} wrong"),
    };
    let hints = match report.count(Severity::Doubtful) {
        0 => String::new(),
        1 => ", 1 hint".to_owned(),
        count => format!(", {count} hints"),
    };
    let unseen = if report.unseen.is_empty() {
        ""
    } else {
        "; not everything could be looked at"
    };
    format!("{wrong}{hints}{unseen}")
}
