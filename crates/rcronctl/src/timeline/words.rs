//! Times, spans and findings in words.

use super::finding::{Finding, Kind};
use super::picture::{Picture, Row, Window};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use journal::run::{Fate, Outcome, Run};

/// A span, to the two largest units: `1 h 5 min`.
pub(super) fn span(milliseconds: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let seconds = (milliseconds + 500) / 1000;
    let first = UNITS.iter().position(|unit| seconds >= unit.0).unwrap_or(3);
    let (size, name) = UNITS[first];
    let whole = format!("{} {name}", seconds / size);
    match UNITS.get(first + 1) {
        Some((smaller, name)) if seconds % size / smaller > 0 => format!("{whole} {} {name}", seconds % size / smaller),
        _ => whole,
    }
}

/// How long ago it was.
pub(super) fn age(then: Timestamp, now: Timestamp) -> String {
    let passed = milliseconds(now.duration_since(then));
    if passed < 1000 {
        "now".to_owned()
    } else {
        format!("{} ago", span(passed))
    }
}

/// A time of day; with the date where the window is not all of one day.
pub(super) fn local(time: Timestamp, window: Window, zone: &TimeZone) -> String {
    let [first, last, local] = [window.since, window.now, time].map(|time| time.to_zoned(zone.clone()));
    let format = if first.date() == last.date() {
        "%H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M:%S"
    };
    local.strftime(format).to_string()
}

/// What a finding says about its job: `ran twice at …`.
pub(super) fn sentence(finding: &Finding, picture: &Picture, zone: &TimeZone) -> String {
    let row = &picture.rows[finding.row];
    let at = |time| local(time, picture.window, zone);
    let (from, to) = (at(finding.from), at_after(finding, picture.window, zone));
    let when = match finding.ticks {
        1 => format!("at {from}"),
        ticks => format!("for {ticks} ticks from {from} to {to}"),
    };
    match finding.kind {
        Kind::Twice => format!("ran twice {when}, on {}", servers(finding, picture)),
        Kind::Nowhere => format!("ran nowhere {when}; it runs {}", every(row)),
        Kind::Quiet if finding.to == picture.window.now => format!("has not run since {from}; before, {}", every(row)),
        Kind::Quiet => format!("did not run between {from} and {to}; otherwise {}", every(row)),
    }
}

/// The finding's end, with the date only if it is another than at the beginning.
fn at_after(finding: &Finding, window: Window, zone: &TimeZone) -> String {
    let [from, to] = [finding.from, finding.to].map(|time| time.to_zoned(zone.clone()));
    if from.date() == to.date() {
        to.strftime("%H:%M:%S").to_string()
    } else {
        local(finding.to, window, zone)
    }
}

/// `every 5 min`.
pub(super) fn every(row: &Row) -> String {
    row.period
        .map_or_else(|| "irregularly".to_owned(), |period| format!("every {}", span(period)))
}

/// How a run ended: `exit status 3 after 2 s`.
pub(super) fn fate(run: &Run) -> String {
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

fn servers(finding: &Finding, picture: &Picture) -> String {
    let names: Vec<String> = finding
        .servers
        .iter()
        .map(|server| super::cells::printable(picture.servers[*server]))
        .collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Whole milliseconds; ages beyond 292 million years are cut.
pub(super) fn milliseconds(span: SignedDuration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::example::seconds;
    use super::*;

    #[test]
    fn spans_have_their_two_largest_units() {
        for (milliseconds, text) in [
            (0, "0 s"),
            (59_600, "1 min"),
            (61_000, "1 min 1 s"),
            (3_600_000, "1 h"),
            (3_605_000, "1 h"),
            (5_400_000, "1 h 30 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(span(milliseconds), text);
        }
    }

    #[test]
    fn what_is_not_past_is_now() {
        assert_eq!(age(seconds(60), seconds(60)), "now");
        assert_eq!(age(seconds(90), seconds(60)), "now");
        assert_eq!(age(seconds(0), seconds(60)), "1 min ago");
    }
}
