//! The timeline as data, for `--json` and for the page's script: rcronctl-timeline(8), "JSON".

use super::bars::{Bar, Bars, MOST_OF_FINDING};
use super::finding::Finding;
use super::model::{TimelineModel, letter};
use super::rows::Row;
use super::run_span::RunSpan;
use super::words;
use crate::run_json::Ending;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct TimelineJson<'a> {
    since: Time,
    until: Time,
    servers: Vec<ServerJson<'a>>,
    rows: Vec<RowJson<'a>>,
    findings: Vec<FindingJson<'a>>,
    missed_ticks_are_looked_for: bool,
    /// How many runs there are, if some are drawn as one bar: only on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<usize>,
}

#[derive(Serialize)]
struct ServerJson<'a> {
    name: &'a str,
    letter: char,
}

#[derive(Serialize)]
struct RowJson<'a> {
    cluster: &'a str,
    name: &'a str,
    user: &'a str,
    label: &'a str,
    /// Seconds.
    period: Option<f64>,
    runs: Vec<SpanJson<'a>>,
}

#[derive(Serialize)]
struct SpanJson<'a> {
    run: &'a str,
    server: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<&'a str>,
    command: &'a str,
    user: Option<&'a str>,
    uid: u32,
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    started: Time,
    ended: Option<Time>,
    /// Seconds, to the end of the run or until now.
    duration: Option<f64>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    demoted: bool,
    #[serde(skip_serializing_if = "is_false")]
    escaped: bool,
    #[serde(skip_serializing_if = "is_false")]
    cut: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tick: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    how: String,
    /// How many runs are drawn as one bar: only on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<usize>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    finding: &'static str,
    row: usize,
    cluster: &'a str,
    name: &'a str,
    from: Time,
    to: Time,
    ticks: usize,
    servers: Vec<&'a str>,
    runs: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// In UTC, with microseconds, as in the journal.
struct Time(Timestamp);

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
        serializer.serialize_str(&PRINTER.timestamp_to_string(&self.0))
    }
}

/// All runs, or, on the page, a bar for several.
pub(super) fn document<'a>(timeline: &'a TimelineModel<'a>, bars: &Bars) -> TimelineJson<'a> {
    let server = |(index, name): (usize, &&'a str)| ServerJson {
        name,
        letter: letter(index),
    };
    TimelineJson {
        since: Time(timeline.window.since),
        until: Time(timeline.window.now),
        servers: timeline.servers.iter().enumerate().map(server).collect(),
        rows: timeline
            .rows
            .iter()
            .zip(&bars.rows)
            .map(|(row, bars)| row_json(row, bars))
            .collect(),
        findings: timeline
            .findings
            .iter()
            .map(|finding| finding_json(finding, timeline, bars.are_joined()))
            .collect(),
        missed_ticks_are_looked_for: timeline.journals.are_all(),
        joined: bars.are_joined().then_some(bars.runs),
    }
}

fn row_json<'a>(row: &'a Row<'a>, bars: &[Bar]) -> RowJson<'a> {
    RowJson {
        cluster: row.cluster,
        name: row.name,
        user: &row.user,
        label: &row.label,
        period: row.period.map(seconds),
        runs: bars.iter().map(|bar| bar_json(row, *bar)).collect(),
    }
}

fn bar_json<'a>(row: &'a Row<'a>, bar: Bar) -> SpanJson<'a> {
    let span = span_json(&row.spans[bar.first]);
    if bar.runs == 1 {
        return span;
    }
    SpanJson {
        ended: row.spans[bar.last].end.map(Time),
        // That of one run would mislead.
        duration: None,
        how: format!("{} runs: {}", bar.runs, span.how),
        runs: Some(bar.runs),
        ..span
    }
}

fn span_json<'a>(span: &RunSpan<'a>) -> SpanJson<'a> {
    let run = span.run;
    let ending = Ending::of_run(run);
    SpanJson {
        run: &run.id,
        server: run.server(),
        job: run.job.as_deref(),
        command: &run.command,
        user: run.user.as_deref(),
        uid: run.uid,
        pid: run.pid,
        epoch: run.epoch,
        started: Time(run.started),
        // As drawn: never before the start.
        ended: ending.at.and(span.end).map(Time),
        duration: ending.lasted.map(|lasted| (lasted.as_secs_f64() * 1e6).round() / 1e6),
        status: run.fate.word(),
        exit: ending.exit,
        signal: ending.signal,
        demoted: ending.demoted,
        escaped: run.escaped,
        cut: run.cut,
        tick: span.attempt.map(|attempt| Time(attempt.tick)),
        attempt: span.attempt.map(|attempt| attempt.number),
        how: words::ending(span),
        runs: None,
    }
}

fn finding_json<'a>(finding: &'a Finding, timeline: &'a TimelineModel<'a>, are_joined: bool) -> FindingJson<'a> {
    let most = if are_joined { MOST_OF_FINDING } else { usize::MAX };
    let row = &timeline.rows[finding.row];
    let id = |span: &usize| row.spans[*span].run.id.as_str();
    FindingJson {
        finding: finding.kind.word(),
        row: finding.row,
        cluster: row.cluster,
        name: row.name,
        from: Time(finding.from),
        to: Time(finding.to),
        ticks: finding.ticks,
        servers: finding.servers.iter().map(|server| timeline.servers[*server]).collect(),
        runs: finding.spans.iter().take(most).map(id).collect(),
        reason: finding.why.as_deref(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a period has far fewer than 2^52 milliseconds"
)]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1e3
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::super::example::{interrupted, ok, seconds};
    use super::super::model::{Journals, build_timeline};
    use super::super::run_span::Window;
    use super::*;
    use journal::run::{Fate, Outcome};

    #[test]
    fn fields_are_as_documented() {
        let mut demoted = ok("b", 0, 3);
        if let Fate::Ended(end) = &mut demoted.fate {
            end.outcome = Outcome::Killed("SIGTERM".to_owned());
            end.demoted = true;
        }
        let runs = [demoted, interrupted("a", 0)];
        let window = Window {
            since: seconds(-60),
            now: seconds(60),
        };
        let timeline = build_timeline(&runs, window, Journals::Named(2));
        let text = serde_json::to_string_pretty(&document(&timeline, &Bars::single(&timeline))).expect("JSON");
        assert_eq!(text, include_str!("example.json").trim_end());
    }
}
