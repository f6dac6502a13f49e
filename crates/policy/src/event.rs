//! The log line: the fields of 0.1.0 in their order, new ones only before `cmd=`, which stays last and unquoted.

use crate::claim::wait::{NotGranted, Reason};
use crate::decide::Skip;
use crate::display;
use crate::exit::Outcome;
use crate::run_id::RunId;
use crate::state::Word;
use crate::tick::{Attempt, TickTime};
use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

/// The longest value of a field before `cmd=`, in bytes: a name of 64 KB must not push the other fields out of the message.
const LONGEST_FIELD: usize = 1024;

/// The job that a line is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// `cluster_name`.
    pub cluster: &'a [u8],
    /// The job's name, if it was given one.
    pub job: Option<&'a [u8]>,
    /// The job's words.
    pub command: &'a [u8],
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The job was not started.
    Ignored(Skip),
    /// The job was not started, because rcrond granted no tick. The word is the state as it is now, the text the name of the
    /// signal that ended the wait.
    NotGranted(RunName<'a>, Word, &'a NotGranted, &'a str),
    /// The job is about to be started.
    Started(RunName<'a>),
    /// The job was not started after all, although `Started` was logged: the state expired meanwhile.
    NotStarted(RunName<'a>, Skip),
    /// The same with `once_per_tick`: the grant expired meanwhile. rcron goes on waiting.
    GivenBack(RunName<'a>),
    /// The job has ended.
    Ended(RunName<'a>, Ending<'a>),
}

/// A run, as its lines name it.
#[derive(Clone, Copy, Debug)]
pub struct RunName<'a> {
    /// Its id.
    pub id: &'a RunId,
    /// With `once_per_tick`: which tick it starts.
    pub attempt: Option<Attempt>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// Exit status or signal.
    pub outcome: Outcome,
    /// The signal's name, where one killed the job.
    pub signal: &'a str,
    /// From start to end.
    pub lasted: Duration,
    /// Whether rcron ended it because the state stopped being active.
    pub demoted: bool,
}

impl Event<'_> {
    /// Whether an administrator must do something: the line has the level of errors.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self, Self::NotGranted(_, _, not_granted, _) if matches!(not_granted.reason, Reason::NoGrant(_)))
    }
}

/// The line. `lost` is the number of earlier lines that could not be sent to the log.
///
/// The command is not escaped here, but with the whole message in [`crate::datagram`].
#[must_use]
pub fn line(subject: &Subject, event: &Event, lost: u32) -> Vec<u8> {
    let mut line = Vec::with_capacity(256);
    field(&mut line, "cluster", subject.cluster);
    match event {
        Event::Ignored(skip) => append_skip(&mut line, *skip),
        Event::NotGranted(run, state, why, signal) => {
            append(&mut line, *state, "ignore");
            append_not_granted(&mut line, why, signal);
            name_run(&mut line, subject, *run);
        }
        Event::NotStarted(run, skip) => {
            append_skip(&mut line, *skip);
            name_run(&mut line, subject, *run);
        }
        Event::GivenBack(run) => {
            append(&mut line, Word::Active, "ignore");
            field(&mut line, "reason", b"given-back");
            name_run(&mut line, subject, *run);
        }
        Event::Started(run) => {
            append(&mut line, Word::Active, "start");
            name_run(&mut line, subject, *run);
        }
        Event::Ended(run, ending) => {
            append(
                &mut line,
                Word::Active,
                if ending.outcome.is_ok() { "ok" } else { "fail" },
            );
            append_ending(&mut line, ending);
            name_run(&mut line, subject, *run);
        }
    }
    if lost > 0 {
        field(&mut line, "lost", format!("{lost}").as_bytes());
    }
    line.extend_from_slice(b" cmd=");
    line.extend_from_slice(subject.command);
    line
}

fn append(line: &mut Vec<u8>, state: Word, status: &str) {
    field(line, "state", state.as_str().as_bytes());
    field(line, "status", status.as_bytes());
}

fn append_skip(line: &mut Vec<u8>, skip: Skip) {
    append(line, Word::Passive, "ignore");
    if let Some(reason) = skip.reason() {
        field(line, "reason", reason.as_bytes());
    }
    if let Skip::Stale(stale) = skip {
        field(line, "why", stale.why().as_bytes());
    }
}

fn append_ending(line: &mut Vec<u8>, ending: &Ending) {
    let lasted = format!("{}.{:03}", ending.lasted.as_secs(), ending.lasted.subsec_millis());
    field(line, "dur", lasted.as_bytes());
    match ending.outcome {
        Outcome::Exited(status) => field(line, "exit", format!("{status}").as_bytes()),
        Outcome::Killed(_) => field(line, "signal", ending.signal.as_bytes()),
    }
    if ending.demoted {
        field(line, "reason", b"demoted");
    }
}

fn append_not_granted(line: &mut Vec<u8>, not_granted: &NotGranted, signal: &str) {
    field(line, "reason", not_granted.reason.as_str().as_bytes());
    match not_granted.reason {
        Reason::NoGrant(why) => field(line, "why", why.as_str().as_bytes()),
        Reason::Signal(_) => field(line, "signal", signal.as_bytes()),
        _ => {}
    }
    if let Some(by) = &not_granted.by {
        field(line, "by", by.as_bytes());
    }
    if let Some(tick) = not_granted.tick {
        name_tick(line, tick);
    }
    if let Some(ended) = not_granted.ended {
        field(line, "ended", ended.as_str().as_bytes());
    }
}

fn name_run(line: &mut Vec<u8>, subject: &Subject, run: RunName) {
    if let Some(job) = subject.job {
        field(line, "job", job);
    }
    field(line, "run", run.id.as_bytes());
    if let Some(Attempt { tick, number }) = run.attempt {
        name_tick(line, tick);
        field(line, "attempt", format!("{number}").as_bytes());
    }
}

fn name_tick(line: &mut Vec<u8>, tick: TickTime) {
    field(line, "tick", tick.rfc3339().as_bytes());
}

fn field(line: &mut Vec<u8>, name: &str, value: &[u8]) {
    if !line.is_empty() {
        line.push(b' ');
    }
    line.extend_from_slice(name.as_bytes());
    line.push(b'=');
    let limit = line.len() + LONGEST_FIELD;
    display::append(line, value, limit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::wait::Why;
    use crate::claim::{RunResult, WaitReason};
    use crate::decide::Stale;
    use crate::moment::WallTime;
    use alloc::string::String;

    fn told(event: &Event, job: Option<&[u8]>, lost: u32) -> String {
        let subject = Subject {
            cluster: b"web",
            job,
            command: b"backup --all",
        };
        String::from_utf8(line(&subject, event, lost)).expect("text")
    }

    #[test]
    fn a_job_that_is_not_run() {
        for (skip, expected) in [
            (
                Skip::Passive,
                "cluster=web state=passive status=ignore cmd=backup --all",
            ),
            (
                Skip::PassiveByDefault,
                "cluster=web state=passive status=ignore reason=default cmd=backup --all",
            ),
            (
                Skip::Stale(Stale::LeaseEnded),
                "cluster=web state=passive status=ignore reason=stale why=lease-ended cmd=backup --all",
            ),
            (
                Skip::Draining,
                "cluster=web state=passive status=ignore reason=draining cmd=backup --all",
            ),
            (
                Skip::NoLease,
                "cluster=web state=passive status=ignore reason=no-lease cmd=backup --all",
            ),
        ] {
            assert_eq!(told(&Event::Ignored(skip), Some(b"not shown"), 0), expected);
        }
    }

    #[test]
    fn a_job_that_starts_and_ends() {
        let id = RunId::new(WallTime(Duration::ZERO), [0; 10]);
        let run = RunName { id: &id, attempt: None };
        let id = "00000000-0000-7000-8000-000000000000";
        let start = format!("cluster=web state=active status=start run={id} cmd=backup --all");
        assert_eq!(told(&Event::Started(run), None, 0), start);
        let named = format!("cluster=web state=active status=start job=b run={id} lost=2 cmd=backup --all");
        assert_eq!(told(&Event::Started(run), Some(b"b"), 2), named);
        let skip = Skip::Stale(Stale::LeaseEnded);
        let not_started = format!(
            "cluster=web state=passive status=ignore reason=stale why=lease-ended job=b run={id} cmd=backup --all"
        );
        assert_eq!(told(&Event::NotStarted(run, skip), Some(b"b"), 0), not_started);
        for (outcome, demoted, fields) in [
            (Outcome::Exited(0), false, "status=ok dur=61.007 exit=0"),
            (Outcome::Exited(3), false, "status=fail dur=61.007 exit=3"),
            (
                Outcome::Killed(15),
                true,
                "status=fail dur=61.007 signal=SIGTERM reason=demoted",
            ),
            (Outcome::Exited(0), true, "status=ok dur=61.007 exit=0 reason=demoted"),
        ] {
            let ending = Ending {
                outcome,
                signal: "SIGTERM",
                lasted: Duration::from_millis(61_007),
                demoted,
            };
            let expected = format!("cluster=web state=active {fields} run={id} cmd=backup --all");
            assert_eq!(told(&Event::Ended(run, ending), None, 0), expected);
        }
    }

    #[test]
    fn a_job_whose_tick_is_not_granted() {
        let id = RunId::new(WallTime(Duration::ZERO), [0; 10]);
        let run = RunName { id: &id, attempt: None };
        let tick = Some(TickTime(951_782_400));
        for (state, reason, by, tick, ended, signal, fields) in [
            (
                Word::Passive,
                Reason::Elsewhere,
                Some("server1"),
                tick,
                None,
                "",
                "state=passive status=ignore reason=elsewhere by=server1 tick=2000-02-29T00:00:00Z",
            ),
            (
                Word::Passive,
                Reason::Elsewhere,
                Some("server1"),
                tick,
                Some(RunResult::Ok),
                "",
                "state=passive status=ignore reason=elsewhere by=server1 tick=2000-02-29T00:00:00Z ended=ok",
            ),
            (
                Word::Active,
                Reason::NoGrant(Why::Told(WaitReason::NoSession)),
                None,
                None,
                None,
                "",
                "state=active status=ignore reason=no-grant why=no-session",
            ),
            (
                Word::Passive,
                Reason::Signal(15),
                None,
                None,
                None,
                "SIGTERM",
                "state=passive status=ignore reason=signal signal=SIGTERM",
            ),
        ] {
            let not_granted = NotGranted {
                reason,
                by: by.map(String::from),
                tick,
                ended,
            };
            let expected =
                format!("cluster=web {fields} job=b run=00000000-0000-7000-8000-000000000000 cmd=backup --all");
            let event = Event::NotGranted(run, state, &not_granted, signal);
            assert_eq!(told(&event, Some(b"b"), 0), expected);
        }
    }

    #[test]
    fn an_attempt_is_named_after_its_run() {
        let id = RunId::new(WallTime(Duration::ZERO), [0; 10]);
        let run = RunName {
            id: &id,
            attempt: Some(Attempt {
                tick: TickTime(951_782_400),
                number: 2,
            }),
        };
        let rest =
            "job=b run=00000000-0000-7000-8000-000000000000 tick=2000-02-29T00:00:00Z attempt=2 cmd=backup --all";
        for (event, fields) in [
            (Event::Started(run), "status=start"),
            (Event::GivenBack(run), "status=ignore reason=given-back"),
        ] {
            let expected = format!("cluster=web state=active {fields} {rest}");
            assert_eq!(told(&event, Some(b"b"), 0), expected);
        }
    }

    #[test]
    fn a_huge_name_leaves_room_for_the_other_fields() {
        let subject = Subject {
            cluster: &[b'x'; 70_000],
            job: None,
            command: b"job",
        };
        let line = line(&subject, &Event::Ignored(Skip::Passive), 0);
        assert!(line.len() < 1200);
        assert!(line.ends_with(b" state=passive status=ignore cmd=job"));
    }
}
