//! What the jobs have written about themselves, in a file that no network fault reaches.

use inputs::clock::{boot_time, wall_time};
use policy::moment::BootTime;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writes one line when it starts, then each tenth of a second, and one when it ends or is terminated. Each line is one write: what,
/// job, tick, attempt, fence, node, and the time since boot.
pub(super) const JOB: &str = r#"
book=$1 node=$2 job=$3 left=$4
line() {
    read -r now rest </proc/uptime
    printf '%s %s %s %s %s %s %s\n' "$1" "$job" "$RCRON_TICK" "$RCRON_ATTEMPT" "$RCRON_FENCE" "$node" "$now" >>"$book"
}
trap 'line end; exit 143' TERM
line start
while [ "$left" -gt 0 ]; do
    sleep 0.1
    left=$((left - 1))
    line alive
done
line end
"#;

/// What a line says about its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Start,
    Alive,
    End,
}

/// A line of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) what: What,
    pub(super) job: String,
    /// In seconds since 1970.
    pub(super) tick: u64,
    pub(super) attempt: u32,
    pub(super) fence: u64,
    pub(super) node: String,
    pub(super) at: BootTime,
}

/// The file.
pub(super) struct Book(pub(super) PathBuf);

impl Book {
    pub(super) fn lines(&self) -> Vec<Line> {
        read(&self.0)
    }

    /// The first start of a tick.
    pub(super) fn start(&self, job: &str, tick: u64) -> Option<Line> {
        self.starts(job).into_iter().find(|line| line.tick == tick)
    }

    /// All starts of a job.
    pub(super) fn starts(&self, job: &str) -> Vec<Line> {
        let mut lines = self.lines();
        lines.retain(|line| line.what == What::Start && line.job == job);
        lines
    }
}

fn read(file: &Path) -> Vec<Line> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(parse).collect()
}

fn parse(line: &str) -> Line {
    let words: Vec<_> = line.split(' ').collect();
    let &[what, job, tick, attempt, fence, node, at] = words.as_slice() else {
        panic!("a torn line in the book: {line:?}")
    };
    let time: jiff::Timestamp = tick.parse().expect("RCRON_TICK");
    Line {
        what: match what {
            "start" => What::Start,
            "alive" => What::Alive,
            "end" => What::End,
            _ => panic!("{line:?}"),
        },
        job: job.to_owned(),
        tick: u64::try_from(time.as_second()).expect("after 1970"),
        attempt: attempt.parse().expect("RCRON_ATTEMPT"),
        fence: fence.parse().expect("RCRON_FENCE"),
        node: node.to_owned(),
        at: BootTime(Duration::from_secs_f64(at.parse().expect("a time"))),
    }
}

/// What must never be: a tick that was started twice, or with another fence; with `rerun`, attempts out of order, or two alive at
/// once; a fence that two attempts of a job have.
pub(super) fn faults(lines: &[Line], is_rerun: impl Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ticks: BTreeMap<(&str, u64), Vec<&Line>> = BTreeMap::new();
    let mut fences: BTreeMap<(&str, u64), &Line> = BTreeMap::new();
    for line in lines {
        ticks.entry((&line.job, line.tick)).or_default().push(line);
        if line.fence != line.tick + u64::from(line.attempt) - 1 {
            faults.push(format!("a wrong fence: {line:?}"));
        }
        if line.what == What::Start {
            if let Some(other) = fences.insert((&line.job, line.fence), line) {
                faults.push(format!("the same fence twice: {other:?} {line:?}"));
            }
        }
    }
    for ((job, tick), lines) in ticks {
        let starts: Vec<_> = lines.iter().filter(|line| line.what == What::Start).collect();
        if starts.len() > 1 && !is_rerun(job) {
            faults.push(format!("{job} {tick} was started {} times: {starts:?}", starts.len()));
        }
        // The file has its lines in the order of the writes.
        for pair in lines.windows(2) {
            if pair[1].attempt < pair[0].attempt || pair[1].at < pair[0].at {
                faults.push(format!(
                    "{job} {tick}: two attempts at once: {:?} {:?}",
                    pair[0], pair[1]
                ));
            }
        }
    }
    faults
}

/// How the ticks of a job fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) once: usize,
    pub(super) missed: usize,
    pub(super) rerun: usize,
    /// How late each was started, in milliseconds; less than 0 where cron's clock is ahead.
    pub(super) late_ms: Vec<i64>,
}

/// Counts the ticks from `first` to before `end`, of which there is one each `period` seconds.
pub(super) fn tally(lines: &[Line], job: &str, period: u64, first: u64, end: u64) -> Tally {
    let to_wall = wall_time().0.saturating_sub(boot_time().0);
    let mut tally = Tally::default();
    let mut tick = first.next_multiple_of(period);
    while tick < end {
        let mut starts = lines
            .iter()
            .filter(|line| line.what == What::Start && line.job == job && line.tick == tick);
        match starts.next() {
            None => tally.missed += 1,
            Some(start) => {
                let at = i64::try_from((start.at.0 + to_wall).as_millis()).expect("small");
                tally.late_ms.push(at - i64::try_from(tick * 1000).expect("small"));
                if starts.next().is_some() {
                    tally.rerun += 1;
                } else {
                    tally.once += 1;
                }
            }
        }
        tick += period;
    }
    tally.late_ms.sort_unstable();
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        let line = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            let [what, tick, attempt, node, at] = words[..] else {
                panic!("{line}")
            };
            let time = jiff::Timestamp::from_second(tick.parse().expect("a number")).expect("a time");
            let tick: u64 = tick.parse().expect("a number");
            let fence = tick + attempt.parse::<u64>().expect("a number") - 1;
            parse(&format!("{what} job {time} {attempt} {fence} {node} {at}"))
        };
        text.split(", ").map(line).collect()
    }

    fn found(text: &str, is_rerun: bool) -> usize {
        faults(&lines(text), |_| is_rerun).len()
    }

    #[test]
    fn violations_are_found() {
        let one = "start 60 1 a 1.00, alive 60 1 a 1.10";
        assert_eq!(found(&format!("{one}, start 63 1 b 1.20"), false), 0);
        assert!(found(&format!("{one}, start 60 1 b 2.00"), false) > 0);
        assert!(found(&format!("{one}, start 60 2 b 2.00"), false) > 0);
        assert_eq!(found(&format!("{one}, start 60 2 b 2.00"), true), 0);
        // The first attempt still lives.
        assert!(found(&format!("{one}, start 60 2 b 2.00, alive 60 1 a 2.10"), true) > 0);
        assert!(found("start 60 2 b 2.00, start 60 1 a 2.10", true) > 0);
        // An attempt with a tick's fence.
        assert!(found("start 60 2 b 2.00, start 61 1 a 2.10", true) > 0);
    }

    #[test]
    fn ticks_are_counted() {
        let tally = tally(
            &lines("start 60 1 a 1.00, start 66 1 a 1.10, start 66 2 a 2.10"),
            "job",
            3,
            58,
            67,
        );
        assert_eq!(
            (tally.once, tally.missed, tally.rerun, tally.late_ms.len()),
            (1, 1, 1, 2)
        );
    }
}
