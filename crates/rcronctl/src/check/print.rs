//! The report for people: a section for each subject, what is wrong first, then what was looked at, then what was not.

use super::finding::{Finding, Severity};
use super::kind::Group;
use super::report::Report;
use crate::screen::Screen;
use crate::style::{self, Style};
use std::fmt::Write;

/// The width of a label and the blanks before it.
const INDENT: usize = 12;
/// Before a remedy.
const ARROW: &str = "-> ";

pub(crate) fn text(report: &Report) -> String {
    let screen = Screen::of_stdout();
    let mut text = String::new();
    for group in Group::ALL {
        // Only rcrond knows other servers.
        if group == Group::Servers && report.is_without(group) {
            continue;
        }
        let _ = writeln!(text, "{}", style::BOLD.paint(group.name(), screen));
        for finding in report.findings.iter().filter(|finding| finding.kind.group() == group) {
            describe(&mut text, screen, finding);
        }
        for (label, lines) in [("looked at", &report.seen), ("not seen", &report.unseen)] {
            for (_, line) in lines.iter().filter(|(of, _)| *of == group) {
                row(&mut text, screen, (label, style::DIM), line);
            }
        }
    }
    let summary = screen.fold(&summary(report), 0);
    let _ = writeln!(text, "{}", style::BOLD.paint(&summary, screen));
    text
}

fn describe(text: &mut String, screen: Screen, finding: &Finding) {
    let label = match finding.severity {
        Severity::Wrong => ("wrong", style::BOLD_RED),
        Severity::Doubtful => ("hint", style::ORANGE),
    };
    let place = finding.place.to_string();
    // rcron's own messages about a configuration begin with the place.
    let what = if finding.place.position.is_none() && finding.what.contains(&place) {
        finding.what.clone()
    } else {
        format!("{place}: {}", finding.what)
    };
    row(text, screen, label, &what);
    if let Some(why) = &finding.why {
        let _ = writeln!(text, "{:INDENT$}{}", "", screen.fold(why, INDENT));
    }
    let remedy = screen.fold(&finding.remedy, INDENT + ARROW.len());
    let _ = writeln!(text, "{:INDENT$}{ARROW}{remedy}", "");
}

fn row(text: &mut String, screen: Screen, (label, style): (&str, Style), content: &str) {
    let label = style.paint(&format!("{label:10}"), screen);
    let _ = writeln!(text, "  {label}{}", screen.fold(content, INDENT));
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
