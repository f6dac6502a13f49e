//! The records of the run journal: JSON lines, one for the start and one for the end of each run (rcron(8), "JOURNAL").
//!
//! Each record describes the run completely, so that a reader that has only one of them still knows the run. The first three fields
//! are a head of fixed width: a reader that looks for a few runs among a million parses only these.

mod head;

pub use head::Event;
#[cfg(feature = "read")]
pub(crate) use head::{Head, STARTED, microseconds, started};

use policy::display;
use policy::event::Ending;
use policy::exit::Outcome;
use policy::moment::{BootTime, WallTime};
use policy::run_id::RunId;
use policy::tick::Attempt;
use std::time::Duration;

/// In bytes: a longer command is cut.
pub const LONGEST_COMMAND: usize = 4096;
/// In bytes: a longer name is cut. A cluster's name can have 64 KiB.
const LONGEST_NAME: usize = 1024;

/// A run, as both of its records describe it.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Unique across servers.
    pub run: RunId,
    /// The host's name.
    pub node: &'a [u8],
    /// `cluster_name`.
    pub cluster: &'a [u8],
    /// `--job`.
    pub job: Option<&'a [u8]>,
    /// The job's words.
    pub command: &'a [u8],
    /// The effective user's name, if it is known.
    pub user: Option<&'a [u8]>,
    /// The effective user's id.
    pub uid: u32,
    /// rcron itself.
    pub wrapper: Process,
    /// The job's first process; `None` if the job could not be started.
    pub leader: Option<Process>,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot: Option<&'a [u8]>,
    /// The pid namespace of the pids: the inode of `/proc/self/ns/pid`.
    pub pid_namespace: Option<u64>,
    /// Whether `default_state` decided because the state could not be read.
    pub by_default: bool,
    /// The fencing token, if the state file has one.
    pub epoch: Option<u64>,
    /// With `once_per_tick`: which tick it starts.
    pub attempt: Option<Attempt>,
    /// When the job was started, by the wall clock.
    pub started: WallTime,
    /// The same by the boot clock.
    pub began: BootTime,
}

/// A process. Its start time distinguishes it from a later process with the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its pid.
    pub pid: u32,
    /// `starttime` of proc_pid_stat(5), in clock ticks since boot; `None` without `/proc`.
    pub born: Option<u64>,
}

impl Entry<'_> {
    /// The record of the start, with its newline.
    #[must_use]
    pub fn start(&self) -> Vec<u8> {
        let mut record = self.record(self.started, Event::Start, self.began);
        record.extend_from_slice(b"}\n");
        record
    }

    /// The record of the end, with its newline. `at`: the end by the wall clock.
    #[must_use]
    pub fn end(&self, ending: &Ending, at: WallTime) -> Vec<u8> {
        let mut record = self.record(at, Event::End, self.began.after(ending.lasted));
        plain(&mut record, "started", &format!("\"{}\"", self.started.rfc3339()));
        plain(&mut record, "duration", &seconds(ending.lasted, 3));
        match ending.outcome {
            Outcome::Exited(status) => plain(&mut record, "exit", &format!("{status}")),
            Outcome::Killed(_) => plain(&mut record, "signal", &format!("\"{}\"", ending.signal)),
        }
        if ending.demoted {
            plain(&mut record, "demoted", "true");
        }
        record.extend_from_slice(b"}\n");
        record
    }

    fn record(&self, time: WallTime, event: Event, clock: BootTime) -> Vec<u8> {
        let command = cut(self.command, LONGEST_COMMAND);
        let texts = [
            ("node", Some(cut(self.node, LONGEST_NAME))),
            ("cluster", Some(cut(self.cluster, LONGEST_NAME))),
            ("job", self.job.map(|job| cut(job, LONGEST_NAME))),
            ("command", Some(command)),
            ("user", self.user.map(|user| cut(user, LONGEST_NAME))),
        ];
        let escaped = texts
            .iter()
            .any(|(_, text)| text.is_some_and(|text| std::str::from_utf8(text).is_err()));
        let mut record = head::head(time, event, &self.run);
        for (name, text) in texts {
            if let Some(text) = text {
                string(&mut record, name, text, escaped);
            }
        }
        self.append_rest(&mut record, clock);
        for (name, is_so) in [("escaped", escaped), ("cut", command.len() < self.command.len())] {
            if is_so {
                plain(&mut record, name, "true");
            }
        }
        record
    }

    fn append_rest(&self, record: &mut Vec<u8>, clock: BootTime) {
        plain(record, "uid", &format!("{}", self.uid));
        append_process(record, ["pid", "born"], self.wrapper);
        if let Some(leader) = self.leader {
            append_process(record, ["job_pid", "job_born"], leader);
        }
        if let Some(boot) = self.boot {
            string(record, "boot", boot, false);
        }
        if let Some(namespace) = self.pid_namespace {
            plain(record, "pidns", &format!("{namespace}"));
        }
        plain(record, "clock", &seconds(clock.0, 6));
        plain(record, "state", "\"active\"");
        if self.by_default {
            plain(record, "by_default", "true");
        }
        if let Some(epoch) = self.epoch {
            plain(record, "epoch", &format!("{epoch}"));
        }
        if let Some(Attempt { tick, number }) = self.attempt {
            plain(record, "tick", &format!("\"{}\"", tick.rfc3339()));
            plain(record, "attempt", &format!("{number}"));
        }
    }
}

fn append_process(record: &mut Vec<u8>, names: [&str; 2], process: Process) {
    plain(record, names[0], &format!("{}", process.pid));
    if let Some(born) = process.born {
        plain(record, names[1], &format!("{born}"));
    }
}

/// Appends a field whose value needs no escaping.
pub(crate) fn plain(record: &mut Vec<u8>, name: &str, value: &str) {
    record.extend_from_slice(format!(",\"{name}\":{value}").as_bytes());
}

/// Appends a field that is a string. If `escaped`, a byte that is not UTF-8 is written as `\xHH` and a backslash of the text is
/// doubled: this can be reversed, and JSON has no other way to contain such a byte.
///
/// A character that is not printable is written as `\u00XX`, which every reader of JSON reverses: a journal is also read with
/// less(1) and grep(1), where a command must neither move the cursor nor hide a part of itself.
pub(crate) fn string(record: &mut Vec<u8>, name: &str, text: &[u8], escaped: bool) {
    record.extend_from_slice(format!(",\"{name}\":\"").as_bytes());
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' => record.extend_from_slice(b"\\\""),
                '\\' if escaped => record.extend_from_slice(b"\\\\\\\\"),
                '\\' => record.extend_from_slice(b"\\\\"),
                _ if display::is_printable(character) => {
                    record.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => record.extend_from_slice(display::json_escape(character).as_bytes()),
            }
        }
        for byte in chunk.invalid() {
            record.extend_from_slice(format!("\\\\x{byte:02x}").as_bytes());
        }
    }
    record.push(b'"');
}

/// The beginning of a text, cut between two characters if it is UTF-8.
fn cut(text: &[u8], longest: usize) -> &[u8] {
    if text.len() <= longest {
        return text;
    }
    let is_boundary = |end: &usize| text[*end] & 0xc0 != 0x80;
    let end = (longest - 3..=longest).rev().find(is_boundary).unwrap_or(longest);
    &text[..end]
}

/// Seconds with this number of decimals, not rounded.
pub(crate) fn seconds(duration: Duration, decimals: usize) -> String {
    let text = format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos());
    String::from(&text[..text.len() - (9 - decimals)])
}

#[cfg(test)]
mod tests;
