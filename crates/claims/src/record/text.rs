//! The records' text: a version, then fields in a fixed order with one blank between them; an entry of a job is a line of its own.
//!
//! A reader ignores fields that it does not know at the end of a line, as with the lease's records (docs/design/lease.md,
//! "Records"). What it does not know at another place makes the record unreadable, and its jobs are not started.

use super::{EndedTick, Entry, EntryState, FloorRecord, JobList, JobRecord, LastTick, MOST_ENTRIES, Outcome};
use crate::message::{Gap, MissReason};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;
use core::time::Duration;
use lease::{Incarnation, LeaseDuration, NodeName, SessionId};
use policy::claim::{ClaimId, decode, encode};
use policy::moment::WallTime;
use policy::tick::TickTime;

const FLOOR: &str = "floor1";
const JOB: &str = "job1";
const ENTRY: &str = "entry";
const ENDED: &str = "tick1";
const LIST: &str = "jobs1";

/// The versions of the records' formats.
pub const FORMATS: [&str; 4] = [FLOOR, JOB, LIST, ENDED];

/// The bytes in the store are not a record that this version of rcron can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl FloorRecord {
    /// The record's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let incarnation = self.incarnation.as_ref().map_or("-".to_string(), hexadecimal);
        format!("{FLOOR} floor={} incarnation={incarnation}", self.floor.0)
    }

    /// Reads what [`Self::to_text`] writes.
    ///
    /// # Errors
    /// [`Unreadable`] for all other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let read = |bytes| {
            let mut words = Words::begin(text(bytes)?, FLOOR)?;
            Some(Self {
                floor: TickTime(words.number("floor")?),
                incarnation: words.optional("incarnation", parse_hexadecimal)?,
            })
        };
        read(bytes).ok_or(Unreadable)
    }
}

impl JobRecord {
    /// The record's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{JOB} closed={} written={} ", self.closed.0, self.written);
        match &self.last {
            None => text.push_str("last=-"),
            Some(last) => {
                let node = last.node.as_ref().map_or("-", NodeName::as_str);
                let (word, code) = outcome_words(last.outcome);
                let _ = write!(text, "last={} by={node} result={word} code={code}", last.tick.0);
            }
        }
        for entry in &self.entries {
            text.push('\n');
            text.push_str(&entry.to_text());
        }
        text
    }

    /// Reads what [`Self::to_text`] writes.
    ///
    /// # Errors
    /// [`Unreadable`] for all other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let read = |bytes| {
            let mut lines = text(bytes)?.split('\n');
            let mut words = Words::begin(lines.next()?, JOB)?;
            let (closed, written) = (TickTime(words.number("closed")?), words.number("written")?);
            let last = match words.optional("last", parse_number)? {
                None => None,
                Some(tick) => Some(LastTick {
                    tick: TickTime(tick),
                    node: words.optional("by", NodeName::new)?,
                    outcome: words.outcome()?,
                }),
            };
            let entries: Vec<Entry> = lines.map(Entry::parse).collect::<Option<_>>()?;
            (entries.len() <= MOST_ENTRIES).then_some(Self {
                closed,
                written,
                last,
                entries,
            })
        };
        read(bytes).ok_or(Unreadable)
    }
}

impl Entry {
    fn to_text(&self) -> String {
        let state = match self.state {
            EntryState::Running => "running",
            EntryState::NeverStarted => "never-started",
            EntryState::CutOff => "cut-off",
        };
        format!(
            "{ENTRY} tick={} attempt={} state={state} node={} session={} lease={} grace={} run={} reruns={} claimed={}",
            self.tick.0,
            self.attempt,
            self.node.as_str(),
            self.session,
            self.lease.milliseconds(),
            self.grace.as_millis(),
            self.run.as_str(),
            self.reruns,
            self.claimed.0.as_millis(),
        )
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = Words::begin(line, ENTRY)?;
        Some(Self {
            tick: TickTime(words.number("tick")?),
            attempt: words.small("attempt").filter(|attempt| *attempt > 0)?,
            state: words.field("state", |word| {
                Some(match word {
                    "running" => EntryState::Running,
                    "never-started" => EntryState::NeverStarted,
                    "cut-off" => EntryState::CutOff,
                    _ => return None,
                })
            })?,
            node: words.field("node", NodeName::new)?,
            session: words.field("session", SessionId::parse)?,
            lease: words.field("lease", |text| {
                LeaseDuration::new(Duration::from_millis(parse_number(text)?))
            })?,
            grace: Duration::from_millis(words.number("grace")?),
            run: words.field("run", |text| ClaimId::new(text.as_bytes()))?,
            reruns: words.small("reruns")?,
            claimed: WallTime(Duration::from_millis(words.number("claimed")?)),
        })
    }
}

impl EndedTick {
    /// The record's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (word, code) = outcome_words(self.outcome);
        let run = self.run.as_ref().map_or("-", ClaimId::as_str);
        let lasted = self
            .lasted
            .map_or("-".to_string(), |lasted| lasted.as_millis().to_string());
        format!(
            "{ENDED} first={} last={} count={} attempt={} node={} run={run} at={} lasted={lasted} result={word} code={code}",
            self.gap.first.0,
            self.gap.last.0,
            self.gap.count,
            self.attempt,
            self.node.as_str(),
            self.at.0.as_millis(),
        )
    }

    /// Reads what [`Self::to_text`] writes.
    ///
    /// # Errors
    /// [`Unreadable`] for all other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let read = |bytes| {
            let mut words = Words::begin(text(bytes)?, ENDED)?;
            Some(Self {
                gap: Gap {
                    first: TickTime(words.number("first")?),
                    last: TickTime(words.number("last")?),
                    count: words.small("count")?,
                },
                attempt: words.small("attempt")?,
                node: words.field("node", NodeName::new)?,
                run: words.optional("run", |text| ClaimId::new(text.as_bytes()))?,
                at: WallTime(Duration::from_millis(words.number("at")?)),
                lasted: words.optional("lasted", |text| Some(Duration::from_millis(parse_number(text)?)))?,
                outcome: words.outcome()?,
            })
        };
        read(bytes).ok_or(Unreadable)
    }
}

impl JobList {
    /// The record's text: one line for each job, user and name.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines = self
            .jobs
            .iter()
            .map(|(user, job)| format!("\n{} {}", encode(user.as_bytes()), encode(job.as_bytes())));
        core::iter::once(LIST.to_string()).chain(lines).collect()
    }

    /// Reads what [`Self::to_text`] writes.
    ///
    /// # Errors
    /// [`Unreadable`] for all other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let name = |word: &str| String::from_utf8(decode(word)?).ok();
        let read = |bytes| {
            let mut lines = text(bytes)?.split('\n');
            if lines.next()? != LIST {
                return None;
            }
            let jobs = lines.map(|line| {
                let (user, job) = line.split_once(' ')?;
                Some((name(user)?, name(job)?))
            });
            let jobs: Vec<_> = jobs.collect::<Option<_>>()?;
            jobs.is_sorted_by(|one, next| one < next).then_some(Self { jobs })
        };
        read(bytes).ok_or(Unreadable)
    }
}

/// What is left to read of a line.
struct Words<'a>(core::str::Split<'a, char>);

impl<'a> Words<'a> {
    fn begin(line: &'a str, version: &str) -> Option<Self> {
        let mut words = line.split(' ');
        (words.next()? == version).then_some(Self(words))
    }

    fn field<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        parse(self.0.next()?.strip_prefix(name)?.strip_prefix('=')?)
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is for text that cannot be read, the inner one for `-`"
    )]
    fn optional<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
        self.field(
            name,
            |text| if text == "-" { Some(None) } else { parse(text).map(Some) },
        )
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        self.field(name, parse_number)
    }

    fn small(&mut self, name: &str) -> Option<u32> {
        self.number(name).and_then(|number| u32::try_from(number).ok())
    }

    fn outcome(&mut self) -> Option<Outcome> {
        let word = self.field("result", |word| Some(word.to_string()))?;
        let code = self.field("code", |code| Some(code.to_string()))?;
        parse_outcome(&word, &code)
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(bytes).ok()
}

fn outcome_words(outcome: Outcome) -> (&'static str, String) {
    let none = "-".to_string();
    match outcome {
        Outcome::Exited(status) => ("exit", status.to_string()),
        Outcome::Killed(signal) => ("signal", signal.to_string()),
        Outcome::Interrupted => ("interrupted", none),
        Outcome::Lost => ("lost", none),
        Outcome::Skipped => ("skipped", none),
        Outcome::Missed(reason) => ("missed", reason.as_str().to_string()),
    }
}

fn parse_outcome(word: &str, code: &str) -> Option<Outcome> {
    Some(match (word, code) {
        ("exit", code) => Outcome::Exited(u8::try_from(parse_number(code)?).ok()?),
        ("signal", code) => Outcome::Killed(i32::try_from(parse_number(code)?).ok()?),
        ("interrupted", "-") => Outcome::Interrupted,
        ("lost", "-") => Outcome::Lost,
        ("skipped", "-") => Outcome::Skipped,
        ("missed", reason) => Outcome::Missed(MissReason::parse(reason)?),
        _ => return None,
    })
}

/// Digits only: no sign and no leading zero, so that each number has one text.
fn parse_number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn hexadecimal(incarnation: &Incarnation) -> String {
    let digits = incarnation.0.iter().map(|byte| format!("{byte:02x}"));
    core::iter::once("x".to_string()).chain(digits).collect()
}

fn parse_hexadecimal(text: &str) -> Option<Incarnation> {
    let digits = text.strip_prefix('x')?;
    let plain = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if !plain || digits.len() % 2 != 0 {
        return None;
    }
    let bytes = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok());
    Some(Incarnation(bytes.collect::<Option<Vec<u8>>>()?.into()))
}
