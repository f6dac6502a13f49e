//! Writing runs for another server: one record for each run, in the journal's own format (docs/design/hosts.md).
//!
//! The records are made anew, not copied: only the owner of a file is sure, and not what the owner wrote about himself.

use super::entries::State;
use super::loading::Runs;
use super::record::Record;
use crate::format::{plain, seconds, string};
use crate::run::{Fate, Outcome, Run};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Deserialize;
use std::borrow::Cow;
use std::io;

/// The fields that no other reader needs.
#[derive(Default, Deserialize)]
struct Rest<'a> {
    #[serde(default)]
    by_default: bool,
    #[serde(borrow)]
    tick: Option<Cow<'a, str>>,
    attempt: Option<u64>,
}

impl Runs {
    /// Passes the record of each run to `write`, with its newline. A run without an end has the record of its start, with what became
    /// of it. `is_seen`: whether a run is marked as seen.
    ///
    /// # Errors
    /// The first error of `write`.
    pub fn export(
        &mut self,
        is_seen: impl Fn(&Run) -> bool,
        mut write: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut runs = self.iter();
        let mut out = Vec::new();
        while let Some((entry, run)) = runs.next_entry() {
            let seen = is_seen(&run);
            let Some((record, line)) = runs.record(entry) else {
                continue;
            };
            out.clear();
            append_record(&mut out, &record, line, &run, entry.state());
            if seen {
                plain(&mut out, "seen", "true");
            }
            out.extend_from_slice(b"}\n");
            write(&out)?;
        }
        Ok(())
    }
}

/// Whether a line looks like a record.
#[must_use]
pub fn is_record(line: &[u8]) -> bool {
    line.starts_with(b"{\"time\":\"") && line.ends_with(b"}")
}

fn append_record(out: &mut Vec<u8>, record: &Record, line: &[u8], run: &Run, state: State) {
    let word = if state == State::Ended { "end" } else { "start" };
    out.extend_from_slice(format!("{{\"time\":\"{}\",\"event\":\"{word}\"", time(record.time)).as_bytes());
    let texts = [
        ("run", Some(run.id.as_str())),
        ("node", Some(&run.node)),
        ("cluster", Some(&run.cluster)),
        ("job", run.job.as_deref()),
        ("command", Some(&run.command)),
        ("user", run.user.as_deref()),
    ];
    for (name, text) in texts {
        append_text(out, name, text);
    }
    append_number(out, "uid", Some(run.uid));
    append_number(out, "pid", Some(record.pid));
    append_number(out, "born", record.born);
    append_number(out, "job_pid", record.job_pid);
    append_number(out, "job_born", record.job_born);
    append_text(out, "boot", record.boot.as_deref());
    append_number(out, "pidns", record.pidns);
    plain(out, "clock", &format!("{:.6}", record.clock));
    plain(out, "state", "\"active\"");
    append_rest(out, run, line);
    append_fate(out, run, state);
}

fn append_rest(out: &mut Vec<u8>, run: &Run, line: &[u8]) {
    // Without these fields, the record is still one.
    let rest: Rest = serde_json::from_slice(line).unwrap_or_default();
    append_flag(out, "by_default", rest.by_default);
    append_number(out, "epoch", run.epoch);
    append_text(out, "tick", rest.tick.as_deref());
    append_number(out, "attempt", rest.attempt);
    append_flag(out, "escaped", run.escaped);
    append_flag(out, "cut", run.cut);
}

fn append_fate(out: &mut Vec<u8>, run: &Run, state: State) {
    let lasted = match &run.fate {
        Fate::Ended(end) => {
            append_text(out, "started", Some(&time(run.started)));
            plain(out, "duration", &seconds(end.lasted, 3));
            match &end.outcome {
                Outcome::Exited(status) => append_number(out, "exit", Some(*status)),
                Outcome::Killed(signal) => append_text(out, "signal", Some(signal)),
            }
            return append_flag(out, "demoted", end.demoted);
        }
        Fate::Running(lasted) | Fate::Unwatched(lasted) => Some(*lasted),
        Fate::Interrupted | Fate::Unknown => None,
    };
    append_text(out, "fate", Some(state.word()));
    if let Some(lasted) = lasted {
        plain(out, "lasted", &seconds(lasted, 3));
    }
}

fn append_text(out: &mut Vec<u8>, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        // A text that is escaped already stays as it is.
        string(out, name, text.as_bytes(), false);
    }
}

fn append_number(out: &mut Vec<u8>, name: &str, number: Option<impl ToString>) {
    if let Some(number) = number {
        plain(out, name, &number.to_string());
    }
}

fn append_flag(out: &mut Vec<u8>, name: &str, is_so: bool) {
    if is_so {
        plain(out, name, "true");
    }
}

/// As rcron writes it.
fn time(time: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    PRINTER.timestamp_to_string(&time)
}

#[cfg(test)]
mod tests;
