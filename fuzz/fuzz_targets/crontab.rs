//! Any bytes are a crontab, of each kind and for each cron. Every place that is reported is in the text.
#![no_main]

use crontab::schedule::{Dialect, Minute, Schedule};
use crontab::{Crontab, Kind, Line, shell};
use libfuzzer_sys::fuzz_target;

/// Midnight of a Sunday that is the first of a month.
const MINUTE: Minute = Minute {
    minute: 0,
    hour: 0,
    day: 1,
    month: 2,
    weekday: 0,
};

fuzz_target!(|bytes: &[u8]| {
    for kind in [Kind::System, Kind::User(b"root"), Kind::User(b"alice")] {
        for dialect in [Dialect::Debian, Dialect::Cronie] {
            check(bytes, kind, dialect);
        }
    }
    let _ = shell::parse(bytes);
});

fn check(bytes: &[u8], kind: Kind, dialect: Dialect) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let crontab = Crontab::parse(bytes, kind, dialect);
    for mistake in &crontab.mistakes {
        assert_eq!(lines[mistake.line - 1], mistake.text);
        assert!((1..=mistake.text.len() + 1).contains(&mistake.column));
    }
    assert!(crontab.skipped.iter().all(|line| lines[line - 1].len() > crontab::LONGEST_LINE));
    for entry in &crontab.entries {
        let length = lines[entry.line - 1].len();
        assert!(entry.command.len() <= length && !entry.command.is_empty());
        assert!(entry.when.as_ref().is_none_or(|when| !when.is_never() || !Schedule::matches(when, MINUTE)));
        let line = Line::parse(entry);
        for offset in 0..entry.command.len() {
            assert!((1..=length).contains(&entry.column(offset)));
        }
        assert!(entry.user_column() >= 1 && entry.end_column() <= length + 1);
        assert!(line.text().len() <= length);
        assert!(!(line.is_wrapped() && line.could_be_wrapped()));
        let _ = (line.misplaced_user(kind), entry.path(), entry.other_shell(), entry.has_last_backslash());
    }
}
