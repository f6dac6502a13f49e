//! The picture as data: for `--json`, and for the page's script. rcronctl-timeline(8) documents it.

use super::finding::Finding;
use super::picture::{Bar, Picture, Row, letter};
use super::span::known_end;
use super::words;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use journal::run::{Fate, Outcome};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    since: Time,
    until: Time,
    servers: Vec<Server<'a>>,
    rows: Vec<Job<'a>>,
    findings: Vec<Found<'a>>,
    /// Whether journals of more than one server were read, without which no tick is called missing.
    missed_ticks_are_looked_for: bool,
}

#[derive(Serialize)]
struct Server<'a> {
    name: &'a str,
    letter: char,
}

#[derive(Serialize)]
struct Job<'a> {
    cluster: &'a str,
    name: &'a str,
    user: &'a str,
    label: String,
    /// Seconds.
    period: Option<f64>,
    runs: Vec<Drawn<'a>>,
}

#[derive(Serialize)]
struct Drawn<'a> {
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
    /// Seconds: of a run that goes on, until now.
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
    how: String,
}

#[derive(Serialize)]
struct Found<'a> {
    finding: &'static str,
    row: usize,
    cluster: &'a str,
    name: &'a str,
    from: Time,
    to: Time,
    ticks: usize,
    servers: Vec<&'a str>,
    runs: Vec<&'a str>,
}

/// UTC, to the microsecond, as in the journal.
struct Time(Timestamp);

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
        serializer.serialize_str(&PRINTER.timestamp_to_string(&self.0))
    }
}

/// The whole of it.
pub(super) fn document<'a>(picture: &'a Picture<'a>) -> Document<'a> {
    let servers = picture.servers.iter().enumerate();
    Document {
        since: Time(picture.window.since),
        until: Time(picture.window.now),
        servers: servers
            .map(|(index, name)| Server {
                name,
                letter: letter(index),
            })
            .collect(),
        rows: picture.rows.iter().map(|row| job(row, picture)).collect(),
        findings: picture.findings.iter().map(|finding| found(finding, picture)).collect(),
        missed_ticks_are_looked_for: picture.is_whole,
    }
}

fn job<'a>(row: &'a Row<'a>, picture: &Picture) -> Job<'a> {
    Job {
        cluster: row.cluster,
        name: row.name,
        user: &row.user,
        label: row.label().into_owned(),
        period: row.period.map(seconds),
        runs: row.bars.iter().map(|bar| drawn(bar, picture)).collect(),
    }
}

fn drawn<'a>(bar: &Bar<'a>, picture: &Picture) -> Drawn<'a> {
    let run = bar.run;
    let (exit, signal, demoted) = match &run.fate {
        Fate::Ended(end) => match &end.outcome {
            Outcome::Exited(status) => (Some(*status), None, end.demoted),
            Outcome::Killed(signal) => (None, Some(signal.as_str()), end.demoted),
        },
        _ => (None, None, false),
    };
    let lasted = match &run.fate {
        Fate::Ended(end) => Some(end.lasted),
        Fate::Running(since) | Fate::Unwatched(since) => Some(*since),
        Fate::Interrupted | Fate::Unknown => None,
    };
    let ended = match run.fate {
        Fate::Ended(_) => known_end(run, picture.window.now).map(Time),
        _ => None,
    };
    Drawn {
        run: &run.id,
        server: &run.node,
        job: run.job.as_deref(),
        command: &run.command,
        user: run.user.as_deref(),
        uid: run.uid,
        pid: run.pid,
        epoch: run.epoch,
        started: Time(run.started),
        ended,
        duration: lasted.map(|lasted| (lasted.as_secs_f64() * 1e6).round() / 1e6),
        status: run.fate.word(),
        exit,
        signal,
        demoted,
        escaped: run.escaped,
        cut: run.cut,
        how: words::fate(run),
    }
}

fn found<'a>(finding: &Finding, picture: &'a Picture<'a>) -> Found<'a> {
    let row = &picture.rows[finding.row];
    Found {
        finding: finding.kind.word(),
        row: finding.row,
        cluster: row.cluster,
        name: row.name,
        from: Time(finding.from),
        to: Time(finding.to),
        ticks: finding.ticks,
        servers: finding.servers.iter().map(|server| picture.servers[*server]).collect(),
        runs: finding.bars.iter().map(|bar| row.bars[*bar].run.id.as_str()).collect(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a period has far fewer than 2^52 milliseconds"
)]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1e3
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::super::example::{interrupted, ok, seconds};
    use super::super::picture::{Window, lay_out};
    use super::*;

    #[test]
    fn the_fields_are_as_documented() {
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
        let picture = lay_out(&runs, window, 2);
        let text = serde_json::to_string_pretty(&document(&picture)).expect("JSON");
        assert_eq!(text, include_str!("example.json").trim_end());
    }
}
