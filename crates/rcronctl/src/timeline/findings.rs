//! Which ticks ran twice or nowhere, and which jobs fell silent.

use super::duplicates::{Duplicate, find_duplicates};
use super::finding::{Finding, Kind};
use super::gaps::{Gap, Ticks};
use super::period::{self, SAME_TICK};
use super::rows::Row;
use super::run_span::{RunSpan, Window};
use jiff::Timestamp;

/// All findings in order of time. Missing ticks are looked for only with the journals of several servers.
pub(super) fn find_all(rows: &[Row], window: Window, has_all_journals: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        findings.extend(ran_twice(index, row));
        if has_all_journals {
            findings.extend(not_run(index, row, window.now));
        }
    }
    findings.sort_by_key(|finding| (finding.from, finding.row));
    findings
}

/// Duplicates that follow one another on the same servers are one finding.
fn ran_twice(index: usize, row: &Row) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for duplicate in find_duplicates(&row.spans, row.period) {
        let next = of_duplicate(index, row, duplicate);
        match findings.last_mut() {
            Some(last) if is_continued(last, &next) => extend(last, &next),
            _ => findings.push(next),
        }
    }
    findings
}

fn of_duplicate(index: usize, row: &Row, duplicate: Duplicate) -> Finding {
    let mut spans = duplicate.earlier;
    spans.push(duplicate.later);
    sort_once(&mut spans);
    let mut servers = spans.iter().map(|span| row.spans[*span].server).collect();
    sort_once(&mut servers);
    Finding {
        kind: Kind::Twice,
        row: index,
        from: row.spans[spans[0]].run.started,
        to: row.spans[duplicate.later].run.started,
        ticks: 1,
        servers,
        spans,
        why: None,
    }
}

/// Whether no other run lies between the two.
fn is_continued(last: &Finding, next: &Finding) -> bool {
    let highest = last.spans.last().copied().unwrap_or(0);
    let first_new = next.spans.iter().find(|span| !last.spans.contains(span));
    // A third server may have run the same tick.
    let shares_a_run = next.spans.iter().any(|span| last.spans.contains(span));
    first_new == Some(&(highest + 1)) && (last.servers == next.servers || shares_a_run)
}

fn extend(last: &mut Finding, next: &Finding) {
    // A run on a third server is part of the same tick.
    last.ticks += usize::from(last.servers == next.servers);
    last.to = next.to;
    for (into, from) in [(&mut last.spans, &next.spans), (&mut last.servers, &next.servers)] {
        into.extend(from);
        sort_once(into);
    }
}

fn sort_once(indices: &mut Vec<usize>) {
    indices.sort_unstable();
    indices.dedup();
}

/// Missing ticks and silences.
fn not_run(index: usize, row: &Row, now: Timestamp) -> Vec<Finding> {
    let Some(period) = row.period else {
        return Vec::new();
    };
    let at = period::ticks(&row.starts());
    let ticks = Ticks {
        busy_until: &busy_until(&row.spans, &at, now),
        at: &at,
        period,
        now: now.as_millisecond(),
    };
    ticks.gaps().iter().filter_map(|gap| of_gap(index, gap)).collect()
}

fn of_gap(row: usize, gap: &Gap) -> Option<Finding> {
    Some(Finding {
        kind: if gap.missed > 0 { Kind::Nowhere } else { Kind::Quiet },
        row,
        from: Timestamp::from_millisecond(gap.from).ok()?,
        to: Timestamp::from_millisecond(gap.to).ok()?,
        ticks: gap.missed,
        servers: Vec::new(),
        spans: Vec::new(),
        why: None,
    })
}

/// For each tick: until when a run that had started by then may have been in progress.
fn busy_until(spans: &[RunSpan], ticks: &[i64], now: Timestamp) -> Vec<i64> {
    let longest = spans.iter().filter_map(RunSpan::length).max();
    let mut spans = spans.iter().peekable();
    let mut until = i64::MIN;
    let busy = |tick: &i64| {
        while let Some(span) = spans.next_if(|span| span.start() <= tick + SAME_TICK) {
            until = until.max(span.possible_end(now, longest));
        }
        until
    };
    ticks.iter().map(busy).collect()
}

#[cfg(test)]
mod tests {
    use super::super::example::{interrupted, ok, run, seconds};
    use super::super::model::{Journals, build_timeline};
    use super::*;
    use journal::run::{Fate, Run};

    fn found(runs: &[Run], until: i64, journals: usize) -> Vec<(Kind, i64, i64, usize)> {
        let window = Window {
            since: seconds(0),
            now: seconds(until),
        };
        let second = |time: Timestamp| time.as_second() - seconds(0).as_second();
        let timeline = build_timeline(runs, window, Journals::Named(journals));
        let found = timeline.findings.iter();
        found
            .map(|finding| (finding.kind, second(finding.from), second(finding.to), finding.ticks))
            .collect()
    }

    fn minutes(node: &str, from: i64, to: i64) -> Vec<Run> {
        (from..to).map(|minute| ok(node, minute * 60, 5)).collect()
    }

    #[test]
    fn failover_in_time_is_no_finding() {
        let runs = [minutes("a", 0, 10), minutes("b", 10, 20)].concat();
        assert_eq!(found(&runs, 1200, 2), []);
    }

    #[test]
    fn ticks_lost_in_a_crash_ran_nowhere() {
        for fate in [Fate::Interrupted, Fate::Unknown] {
            let cut = vec![run("a", 600, fate)];
            let runs = [minutes("a", 0, 10), cut, minutes("b", 13, 20)].concat();
            assert_eq!(found(&runs, 1200, 2), [(Kind::Nowhere, 660, 720, 2)]);
        }
    }

    #[test]
    fn two_active_servers_are_one_finding() {
        let runs = [minutes("a", 0, 12), minutes("b", 8, 20)].concat();
        assert_eq!(found(&runs, 1200, 2), [(Kind::Twice, 480, 660, 4)]);
    }

    #[test]
    fn three_servers_in_one_tick_are_one_finding_of_one_tick() {
        let runs = [ok("a", 0, 5), ok("b", 0, 5), ok("c", 1, 5)];
        assert_eq!(found(&runs, 60, 3), [(Kind::Twice, 0, 1, 1)]);
    }

    #[test]
    fn long_run_beside_ticks_of_another_server_counts_the_ticks() {
        let runs = [vec![ok("a", 0, 600)], minutes("b", 3, 6)].concat();
        assert_eq!(found(&runs, 600, 2), [(Kind::Twice, 0, 300, 3)]);
    }

    #[test]
    fn one_journal_alone_shows_no_missing_ticks() {
        let runs = [minutes("a", 0, 10), minutes("a", 13, 20)].concat();
        assert_eq!(found(&runs, 6000, 1), []);
        assert_eq!(found(&runs, 1200, 2), [(Kind::Nowhere, 600, 720, 3)]);
    }

    #[test]
    fn silent_job_is_a_finding() {
        let runs = [minutes("a", 0, 10), minutes("b", 10, 20)].concat();
        assert_eq!(found(&runs, 3000, 2), [(Kind::Quiet, 1140, 3000, 0)]);
    }

    #[test]
    fn interrupted_run_does_not_hold_ticks_up() {
        let runs = [minutes("a", 0, 10), vec![interrupted("a", 600)], minutes("a", 12, 20)].concat();
        assert_eq!(found(&runs, 1200, 2), [(Kind::Nowhere, 660, 660, 1)]);
    }
}
