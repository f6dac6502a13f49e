//! The report for programs: rcronctl-check(8), "JSON".

use super::finding::{Finding, Severity};
use super::kind::Group;
use super::report::Report;
use inputs::diagnostic::shown;
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    wrong: usize,
    hints: usize,
    findings: Vec<Item<'a>>,
    looked_at: Vec<Line<'a>>,
    not_seen: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    severity: &'static str,
    kind: &'static str,
    subject: &'static str,
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    what: &'a str,
    why: Option<&'a str>,
    remedy: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    subject: &'static str,
    what: &'a str,
}

pub(crate) fn text(report: &Report) -> String {
    let document = Document {
        wrong: report.count(Severity::Wrong),
        hints: report.count(Severity::Doubtful),
        findings: report.findings.iter().map(item).collect(),
        looked_at: lines(&report.seen),
        not_seen: lines(&report.unseen),
    };
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    policy::display::json_document(&text) + "\n"
}

fn item(finding: &Finding) -> Item<'_> {
    Item {
        severity: match finding.severity {
            Severity::Wrong => "wrong",
            Severity::Doubtful => "hint",
        },
        kind: finding.kind.name(),
        subject: finding.kind.group().name(),
        file: shown(finding.place.file.as_os_str()),
        line: finding.place.position.map(|(line, _)| line),
        column: finding.place.position.map(|(_, column)| column),
        what: &finding.what,
        why: finding.why.as_deref(),
        remedy: &finding.remedy,
    }
}

fn lines(list: &[(Group, String)]) -> Vec<Line<'_>> {
    list.iter()
        .map(|(group, what)| Line {
            subject: group.name(),
            what,
        })
        .collect()
}
