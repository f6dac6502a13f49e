//! Times, runs and findings in words.

use super::finding::{Finding, Kind};
use super::model::TimelineModel;
use super::rows::Row;
use super::run_span::{RunSpan, Window};
use crate::when;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use journal::run::{Fate, Outcome, Run};
use std::time::Duration;

/// What a finding says about its job: `ran twice at …`.
pub(super) fn sentence(finding: &Finding, timeline: &TimelineModel, zone: &TimeZone) -> String {
    let row = &timeline.rows[finding.row];
    let window = timeline.window;
    let from = local(finding.from, window, zone);
    let to = if is_one_day(finding.from, finding.to, zone) {
        clock(finding.to, zone)
    } else {
        local(finding.to, window, zone)
    };
    let when = match finding.ticks {
        1 => format!("at {from}"),
        ticks => format!("for {ticks} ticks from {from} to {to}"),
    };
    match finding.kind {
        Kind::Twice => format!("ran twice {when}, on {}", servers(finding, timeline)),
        Kind::Nowhere => format!("ran nowhere {when}; it runs {}", every(row)),
        Kind::Missed => {
            let why = finding.why.as_ref().map(|why| format!(": {why}"));
            format!("was missed {when}{}", why.unwrap_or_default())
        }
        Kind::Quiet if finding.to == window.now => format!("has not run since {from}; it ran {} before", every(row)),
        Kind::Quiet => format!("did not run between {from} and {to}; otherwise it runs {}", every(row)),
    }
}

/// A local time, with the date if the window is longer than one day.
fn local(time: Timestamp, window: Window, zone: &TimeZone) -> String {
    if is_one_day(window.since, window.now, zone) {
        clock(time, zone)
    } else {
        when::local_in(time, zone, "%Y-%m-%d %H:%M:%S")
    }
}

fn clock(time: Timestamp, zone: &TimeZone) -> String {
    when::local_in(time, zone, "%H:%M:%S")
}

pub(super) fn is_one_day(from: Timestamp, to: Timestamp, zone: &TimeZone) -> bool {
    from.to_zoned(zone.clone()).date() == to.to_zoned(zone.clone()).date()
}

/// `every 5 min`: to the second, because no job starts more exactly.
fn every(row: &Row) -> String {
    let seconds = |period: i64| u64::try_from((period + 500) / 1000).unwrap_or_default();
    let period = row.period.map(|period| Duration::from_secs(seconds(period)));
    period.map_or_else(
        || "irregularly".to_owned(),
        |period| format!("every {}", when::duration(period)),
    )
}

/// How a run ended, and which attempt it was if there was an earlier one: `exit status 3, attempt 2`.
pub(super) fn ending(span: &RunSpan) -> String {
    let fate = fate(span.run);
    let number = span.attempt.map_or(1, |attempt| attempt.number);
    if number > 1 {
        format!("{fate}, attempt {number}")
    } else {
        fate
    }
}

/// How a run ended: `exit status 3`.
fn fate(run: &Run) -> String {
    match &run.fate {
        Fate::Ended(end) => {
            let how = match &end.outcome {
                Outcome::Exited(status) => format!("exit status {status}"),
                Outcome::Killed(signal) => format!("killed by {signal}"),
            };
            let why = if end.demoted {
                ", ended by rcron when the server was no longer active"
            } else {
                ""
            };
            format!("{how}{why}")
        }
        Fate::Running(_) => "running".to_owned(),
        Fate::Unwatched(_) => "running, but its rcron is gone".to_owned(),
        Fate::Interrupted => "interrupted: no end was recorded and the job is gone".to_owned(),
        Fate::Unknown => "unknown: no end was recorded".to_owned(),
    }
}

fn servers(finding: &Finding, timeline: &TimelineModel) -> String {
    let names: Vec<&str> = finding.servers.iter().map(|server| timeline.servers[*server]).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
