//! The report for people: by subject, what is wrong first, then what was looked at, then what could not be.

use super::finding::{Finding, Group, Report, Severity};
use crate::screen::Screen;
use std::fmt::Write;

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";
/// Below the text that stands after the label.
const INDENT: &str = "            ";

pub(crate) fn text(report: &Report) -> String {
    let paint = Paint(Screen::of_stdout().has_colour);
    let mut text = String::new();
    for group in Group::ALL {
        section(&mut text, paint, group, report);
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

fn section(text: &mut String, paint: Paint, group: Group, report: &Report) {
    let _ = writeln!(text, "{}", paint.with(BOLD, group.name()));
    let mut findings: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| finding.kind.group() == group)
        .collect();
    findings.sort_by_key(|finding| (finding.severity, finding.place.clone()));
    for finding in findings {
        tell(text, paint, finding);
    }
    for (label, lines) in [("looked at", &report.seen), ("not seen", &report.unseen)] {
        for (_, line) in lines.iter().filter(|(of, _)| *of == group) {
            row(text, &paint.with(DIM, &format!("{label:10}")), line);
        }
    }
}

fn tell(text: &mut String, paint: Paint, finding: &Finding) {
    let (label, colour) = match finding.severity {
        Severity::Wrong => ("wrong", RED),
        Severity::Doubtful => ("hint", YELLOW),
    };
    let place = finding.place.to_string();
    // The wrapper's messages name their place themselves.
    let what = if finding.what.contains(&place) && finding.place.line.is_none() {
        finding.what.clone()
    } else {
        format!("{place}: {}", finding.what)
    };
    row(text, &paint.with(colour, &format!("{label:10}")), &what);
    for line in finding.why.iter().chain([&format!("-> {}", finding.remedy)]) {
        let _ = writeln!(text, "{INDENT}{line}");
    }
}

/// A text of several lines is indented as a whole.
fn row(text: &mut String, label: &str, content: &str) {
    let _ = writeln!(text, "  {label}{}", content.replace('\n', &format!("\n{INDENT}")));
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
