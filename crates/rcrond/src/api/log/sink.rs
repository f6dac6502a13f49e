//! Where the lines are written.

use super::queue::Line;
use jiff::tz::TimeZone;
use log::{Level, Record};
use std::io::{self, Write};
use systemd_journal_logger::{JournalLog, connected_to_journal};

/// journald or stderr.
pub(super) enum Sink {
    Journal(JournalLog),
    /// In a terminal, in a container, or under another supervisor than systemd.
    Stderr,
}

impl Sink {
    /// journald, if stderr is connected to it and its socket can be opened.
    pub(super) fn for_stderr() -> Self {
        let journal = connected_to_journal().then(JournalLog::empty).and_then(Result::ok);
        journal.map_or(Self::Stderr, |journal| {
            Self::Journal(journal.with_syslog_identifier("rcrond".to_owned()))
        })
    }

    /// Errors are ignored, because there is no other place to report them.
    pub(super) fn write(&mut self, line: &Line) {
        match self {
            Self::Journal(journal) => {
                let fields: Vec<(&str, &str)> = line.fields.iter().map(|(key, value)| (&**key, &**value)).collect();
                let _ = journal.journal_send(
                    &Record::builder()
                        .args(format_args!("{}", line.text))
                        .level(line.level)
                        .target(&line.target)
                        .key_values(&fields)
                        .build(),
                );
            }
            Self::Stderr => {
                let _ = io::stderr().lock().write_all(&to_text(line));
            }
        }
    }
}

/// Local time, level and message. Further lines of a message are indented, so that no message can contain a line that looks
/// like another one.
fn to_text(line: &Line) -> Vec<u8> {
    let time = line
        .time
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z");
    let level = match line.level {
        Level::Error => "error: ",
        Level::Warn => "warning: ",
        Level::Info => "",
        Level::Debug => "debug: ",
        Level::Trace => "trace: ",
    };
    let source = line.target.split("::").next().unwrap_or_default();
    let target = if source.starts_with("rcron") {
        String::new()
    } else {
        format!("{}: ", line.target)
    };
    let mut bytes = format!("{time} rcrond: {level}{target}").into_bytes();
    let lines: Vec<_> = line.text.lines().map(policy::display::escaped).collect();
    bytes.extend(lines.join("\n    ").into_bytes());
    bytes.push(b'\n');
    bytes
}
