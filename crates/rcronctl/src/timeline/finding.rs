//! What a reader should look at: a tick that ran twice, or nowhere, or a job that fell silent.

use super::beat;
use super::gaps::{Gap, Ticks, Verdict};
use super::picture::{Row, Window};
use super::span::possible_end;
use super::twice::{self, Twin};
use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// More than one server ran a tick, or the job ran on both at a time.
    Twice,
    /// No server ran a tick.
    Nowhere,
    /// A steady job was not started for long; whether it should have been cannot be told.
    Quiet,
}

/// One finding, for one tick or several in a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    /// Index of the job's row.
    pub(super) row: usize,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// How many ticks; 0 for [`Kind::Quiet`].
    pub(super) ticks: usize,
    /// The servers that ran them, by index.
    pub(super) servers: Vec<usize>,
    /// The runs, as indices of the row's bars.
    pub(super) bars: Vec<usize>,
}

impl Kind {
    /// The word for it in JSON and on the page.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Twice => "twice",
            Self::Nowhere => "nowhere",
            Self::Quiet => "quiet",
        }
    }
}

/// All findings, in order of their time.
pub(super) fn all(rows: &[Row], window: Window, is_whole: bool) -> Vec<Finding> {
    let of_row = |(index, row): (usize, &Row)| {
        let twins = twice::find(&row.bars, row.period, window.now);
        let mut findings = doubled(index, row, &twins);
        if is_whole {
            findings.extend(absent(index, row, window));
        }
        findings
    };
    let mut findings: Vec<Finding> = rows.iter().enumerate().flat_map(of_row).collect();
    findings.sort_by_key(|finding| (finding.from, finding.row));
    findings
}

/// Twins that follow one another on the same servers are one finding.
fn doubled(index: usize, row: &Row, twins: &[Twin]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for twin in twins {
        let next = of_twin(index, row, twin);
        match findings.last_mut() {
            Some(last) if is_continued(last, &next) => extend(last, &next),
            _ => findings.push(next),
        }
    }
    findings
}

fn of_twin(index: usize, row: &Row, twin: &Twin) -> Finding {
    let mut bars = twin.earlier.clone();
    bars.push(twin.later);
    bars.sort_unstable();
    let mut servers: Vec<usize> = bars.iter().map(|bar| row.bars[*bar].server).collect();
    servers.sort_unstable();
    servers.dedup();
    let started = |bar: Option<&usize>| bar.map(|bar| row.bars[*bar].run.started);
    let later = row.bars[twin.later].run.started;
    Finding {
        kind: Kind::Twice,
        row: index,
        from: started(bars.first()).unwrap_or(later),
        to: later,
        ticks: 1,
        servers,
        bars,
    }
}

/// No run lies between the two that is not of either.
fn is_continued(last: &Finding, next: &Finding) -> bool {
    let highest = last.bars.last().copied().unwrap_or(0);
    let next_free = next.bars.iter().find(|bar| !last.bars.contains(bar));
    next_free == Some(&(highest + 1)) && (last.servers == next.servers || shares_a_run(last, next))
}

/// A third server's run of the same tick.
fn shares_a_run(last: &Finding, next: &Finding) -> bool {
    next.bars.iter().any(|bar| last.bars.contains(bar))
}

fn extend(last: &mut Finding, next: &Finding) {
    // A third server adds to the tick and makes no new one.
    last.ticks += usize::from(last.servers == next.servers);
    last.to = next.to;
    for (into, from) in [(&mut last.bars, &next.bars), (&mut last.servers, &next.servers)] {
        into.extend(from);
        into.sort_unstable();
        into.dedup();
    }
}

fn absent(index: usize, row: &Row, window: Window) -> Vec<Finding> {
    let Some(period) = row.period else {
        return Vec::new();
    };
    let starts: Vec<beat::Start> = row.bars.iter().map(|bar| (bar.start(), bar.server)).collect();
    let at = beat::ticks(&starts);
    let busy_until = busy_until(row, &at, window.now);
    let ticks = Ticks {
        at: &at,
        period,
        busy_until: &busy_until,
        now: window.now.as_millisecond(),
    };
    ticks.gaps().iter().filter_map(|gap| of_gap(index, gap)).collect()
}

fn of_gap(row: usize, gap: &Gap) -> Option<Finding> {
    let (kind, ticks) = match gap.verdict {
        Verdict::Missed(ticks) => (Kind::Nowhere, ticks),
        Verdict::Quiet => (Kind::Quiet, 0),
    };
    Some(Finding {
        kind,
        row,
        from: Timestamp::from_millisecond(gap.from).ok()?,
        to: Timestamp::from_millisecond(gap.to).ok()?,
        ticks,
        servers: Vec::new(),
        bars: Vec::new(),
    })
}

/// For each tick, until when a run that started by then may have gone on.
fn busy_until(row: &Row, ticks: &[i64], now: Timestamp) -> Vec<i64> {
    let lasted = |bar: &super::picture::Bar| Some(super::span::known_end(bar.run, now)?.as_millisecond() - bar.start());
    let longest = row.bars.iter().filter_map(lasted).max();
    let mut bars = row.bars.iter().peekable();
    let mut until = i64::MIN;
    let busy = |tick: &i64| {
        while let Some(bar) = bars.next_if(|bar| bar.start() <= tick + beat::SAME_TICK) {
            until = until.max(possible_end(bar.run, now, longest));
        }
        until
    };
    ticks.iter().map(busy).collect()
}

#[cfg(test)]
mod tests {
    use super::super::example::{interrupted, ok, run, seconds};
    use super::super::picture::lay_out;
    use super::*;
    use journal::run::{Fate, Run};

    fn found(runs: &[Run], until: i64, journals: usize) -> Vec<(Kind, i64, i64, usize)> {
        let window = Window {
            since: seconds(0),
            now: seconds(until),
        };
        let second = |time: Timestamp| time.as_second() - seconds(0).as_second();
        let picture = lay_out(runs, window, journals);
        let found = picture.findings.iter();
        found
            .map(|finding| (finding.kind, second(finding.from), second(finding.to), finding.ticks))
            .collect()
    }

    fn minutes(node: &str, from: i64, to: i64) -> Vec<Run> {
        (from..to).map(|minute| ok(node, minute * 60, 5)).collect()
    }

    #[test]
    fn a_failover_in_time_finds_nothing() {
        let runs = [minutes("a", 0, 10), minutes("b", 10, 20)].concat();
        assert_eq!(found(&runs, 1200, 2), []);
    }

    #[test]
    fn a_crash_that_cost_two_ticks_finds_them() {
        for fate in [Fate::Interrupted, Fate::Unknown] {
            let cut = vec![run("a", 600, fate)];
            let runs = [minutes("a", 0, 10), cut, minutes("b", 13, 20)].concat();
            assert_eq!(found(&runs, 1200, 2), [(Kind::Nowhere, 660, 720, 2)]);
        }
    }

    #[test]
    fn two_active_servers_are_one_finding_while_it_lasts() {
        let runs = [minutes("a", 0, 12), minutes("b", 8, 20)].concat();
        assert_eq!(found(&runs, 1200, 2), [(Kind::Twice, 480, 660, 4)]);
    }

    #[test]
    fn three_servers_that_ran_one_tick_are_one_finding_of_one_tick() {
        let runs = [ok("a", 0, 5), ok("b", 0, 5), ok("c", 1, 5)];
        assert_eq!(found(&runs, 60, 3), [(Kind::Twice, 0, 1, 1)]);
    }

    #[test]
    fn one_long_run_beside_another_servers_ticks_counts_those() {
        let runs = [vec![ok("a", 0, 600)], minutes("b", 3, 6)].concat();
        assert_eq!(found(&runs, 600, 2), [(Kind::Twice, 0, 300, 3)]);
    }

    #[test]
    fn one_journal_alone_proves_no_missing_tick() {
        let runs = [minutes("a", 0, 10), minutes("a", 13, 20)].concat();
        assert_eq!(found(&runs, 6000, 1), []);
        assert_eq!(found(&runs, 1200, 2), [(Kind::Nowhere, 600, 720, 3)]);
    }

    #[test]
    fn a_job_that_fell_silent_is_told() {
        let runs = [minutes("a", 0, 10), minutes("b", 10, 20)].concat();
        assert_eq!(found(&runs, 3000, 2), [(Kind::Quiet, 1140, 3000, 0)]);
    }

    #[test]
    fn a_run_that_a_crash_cut_off_holds_nothing_up() {
        let runs = [minutes("a", 0, 10), vec![interrupted("a", 600)], minutes("a", 12, 20)].concat();
        assert_eq!(found(&runs, 1200, 2), [(Kind::Nowhere, 660, 660, 1)]);
    }
}
