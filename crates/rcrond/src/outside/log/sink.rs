//! Where lines end.

use super::queue::Line;
use jiff::tz::TimeZone;
use log::{Level, Record};
use std::io::{self, Write};
use systemd_journal_logger::{JournalLog, connected_to_journal};

/// journald, or the lines' own place.
pub(super) enum Sink {
    /// With fields.
    Journal(JournalLog),
    /// Text. `rcrond` in a terminal, in a container, under another supervisor.
    Stderr,
}

impl Sink {
    /// As systemd says: journald, if stderr is connected to it and it can be asked.
    pub(super) fn of_stderr() -> Self {
        let journal = connected_to_journal().then(JournalLog::empty).and_then(Result::ok);
        journal.map_or(Self::Stderr, |journal| {
            Self::Journal(journal.with_syslog_identifier("rcrond".to_owned()))
        })
    }

    /// A log that cannot be written has nowhere to say so.
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
                let _ = io::stderr().lock().write_all(&text(line));
            }
        }
    }
}

/// Local time, level, message. What looks like a second line can only be ours: it is indented.
fn text(line: &Line) -> Vec<u8> {
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
