//! What is said about the servers whose journals were read.

use super::ssh::Fetched;
use crate::export::Header;
use crate::when;
use policy::display::escaped;
use serde::Serialize;
use std::time::Duration;

/// Clocks that differ less are not worth a warning: the connection takes a part of it.
const LARGEST_DIFFERENCE: Duration = Duration::from_secs(5);
/// How much of what a server says is shown.
const MOST_NOTES: usize = 25;
const LONGEST_NOTE: usize = 500;
/// How many servers that are gone are named.
const MOST_GONE: usize = 5;
const WHY_NOT_ASKED: &str = "rcrond there has not renewed its session";

/// How much of a server's journal was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Everything,
    /// The newest runs; and why not all.
    Part(String),
    Nothing(String),
    /// It was not asked, because it is gone.
    NotAsked,
}

/// A server whose journal was to be read.
pub(crate) struct HostReport {
    name: String,
    outcome: Outcome,
    /// `None` for this server, and if none came.
    header: Option<(Header, i64)>,
    invalid: u64,
}

/// The same in `--json`.
#[derive(Serialize)]
pub(crate) struct HostJson<'a> {
    host: &'a str,
    node: Option<&'a str>,
    version: Option<&'a str>,
    boot: Option<&'a str>,
    /// `all`, `part` or `none`.
    read: &'static str,
    reason: Option<&'a str>,
    /// Whether only the runs of the user are known as whom ssh logs in.
    only_own: bool,
    /// Seconds by which its clock is ahead of this server's; negative if it is behind.
    clock_ahead: Option<f64>,
}

impl HostReport {
    /// This server, whose journal is read directly.
    pub(super) fn of_this(name: String) -> Self {
        Self {
            name,
            outcome: Outcome::Everything,
            header: None,
            invalid: 0,
        }
    }

    pub(super) fn not_read(name: String, reason: String) -> Self {
        Self {
            outcome: Outcome::Nothing(reason),
            ..Self::of_this(name)
        }
    }

    pub(super) fn not_asked(name: String) -> Self {
        Self {
            outcome: Outcome::NotAsked,
            ..Self::of_this(name)
        }
    }

    pub(super) fn of_fetched(name: String, fetched: Fetched) -> Self {
        Self {
            name,
            outcome: fetched.outcome,
            header: fetched.header,
            invalid: fetched.invalid,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn has_nothing(&self) -> bool {
        matches!(self.outcome, Outcome::Nothing(_) | Outcome::NotAsked)
    }

    pub(super) fn has_everything(&self) -> bool {
        self.outcome == Outcome::Everything && self.invalid == 0
    }

    /// Whether the server has left older runs out because of a limit.
    pub(super) fn has_more(&self) -> bool {
        self.header.as_ref().is_some_and(|(header, _)| header.more)
    }

    /// Whether there are only runs of the user as whom ssh logs in.
    pub(super) fn is_only_own(&self) -> bool {
        self.header.as_ref().is_some_and(|(header, _)| header.only_own)
    }

    /// Which servers were not asked, in words.
    pub(super) fn gone(reports: &[Self]) -> Option<String> {
        let gone: Vec<_> = reports
            .iter()
            .filter(|report| report.outcome == Outcome::NotAsked)
            .map(|report| escaped(&report.name))
            .collect();
        let named = gone.get(..MOST_GONE).unwrap_or(&gone).join(", ");
        let more = match gone.len().saturating_sub(MOST_GONE) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let line = format!("not asked, because {WHY_NOT_ASKED}: {named}{more}; --host NAME asks any");
        (!gone.is_empty()).then_some(line)
    }

    /// What could not be read there, in words. Servers that were not asked have one line together.
    pub(super) fn unseen(&self) -> Vec<String> {
        let name = escaped(&self.name);
        let mut lines = match &self.outcome {
            Outcome::Everything | Outcome::NotAsked => Vec::new(),
            Outcome::Part(reason) => vec![format!("{name}: not read completely: {}", shown(reason))],
            Outcome::Nothing(reason) => vec![format!("{name}: not read: {}", shown(reason))],
        };
        if self.invalid > 0 {
            let lines_were = match self.invalid {
                1 => "1 line that is not a record was".to_owned(),
                count => format!("{count} lines that are not records were"),
            };
            lines.push(format!("{name}: {lines_were} skipped"));
        }
        let notes = self.header.iter().flat_map(|(header, _)| &header.unseen);
        lines.extend(notes.take(MOST_NOTES).map(|note| format!("{name}: {}", shown(note))));
        lines
    }

    /// What makes its times misleading, in words.
    pub(super) fn clock_warning(&self) -> Option<String> {
        let ahead = self.header.as_ref()?.1;
        let difference = Duration::from_millis(ahead.unsigned_abs());
        let direction = if ahead < 0 { "behind" } else { "ahead of" };
        (difference > LARGEST_DIFFERENCE).then(|| {
            format!(
                "{}: its clock is {} {direction} this server's, so its times and the order of runs are misleading",
                escaped(&self.name),
                when::duration(difference)
            )
        })
    }

    pub(crate) fn json(&self) -> HostJson<'_> {
        let (read, reason) = match &self.outcome {
            Outcome::Everything => ("all", None),
            Outcome::Part(reason) => ("part", Some(reason.as_str())),
            Outcome::Nothing(reason) => ("none", Some(reason.as_str())),
            Outcome::NotAsked => ("none", Some(WHY_NOT_ASKED)),
        };
        let header = self.header.as_ref().map(|(header, _)| header);
        HostJson {
            host: &self.name,
            node: header.map(|header| header.node.as_str()),
            version: header.map(|header| header.version.as_str()),
            boot: header.and_then(|header| header.boot.as_deref()),
            read,
            reason,
            only_own: self.is_only_own(),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a difference of clocks has far fewer than 2^52 ms"
            )]
            clock_ahead: self.header.as_ref().map(|(_, ahead)| *ahead as f64 / 1e3),
        }
    }
}

/// What a server says, on one line that is not too long.
fn shown(text: &str) -> String {
    let end = (0..=LONGEST_NOTE.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    let kept = &text[..end.unwrap_or_default()];
    let ellipsis = if kept.len() < text.len() { "…" } else { "" };
    format!("{}{ellipsis}", escaped(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(ahead: i64, unseen: &[&str]) -> HostReport {
        let header = Header {
            rcron_export: 1,
            version: "9".to_owned(),
            node: "db1".to_owned(),
            boot: None,
            time: jiff::Timestamp::UNIX_EPOCH,
            only_own: false,
            more: false,
            unseen: unseen.iter().map(ToString::to_string).collect(),
        };
        HostReport {
            header: Some((header, ahead)),
            ..HostReport::of_this("db1".to_owned())
        }
    }

    #[test]
    fn clocks_that_differ_are_reported() {
        for (ahead, expected) in [
            (0, None),
            (5000, None),
            (-5000, None),
            (12_000, Some("db1: its clock is 12 s ahead of this server's")),
            (-180_000, Some("db1: its clock is 3 min behind this server's")),
            (i64::MIN, Some("db1: its clock is ")),
        ] {
            let warning = report(ahead, &[]).clock_warning();
            assert_eq!(warning.is_some(), expected.is_some(), "{ahead}: {warning:?}");
            assert!(warning.is_none_or(|text| text.starts_with(expected.unwrap_or_default())));
        }
    }

    #[test]
    fn servers_that_are_gone_have_one_line() {
        let gone = |count: usize| {
            let names = (1..=count).map(|number| HostReport::not_asked(format!("s{number}\n")));
            let reports: Vec<HostReport> = names.chain([report(0, &[])]).collect();
            assert!(reports.iter().all(|report| report.unseen().is_empty()));
            assert_eq!(reports.iter().filter(|report| report.has_nothing()).count(), count);
            HostReport::gone(&reports)
        };
        let line = |names: &str| {
            let begin = "not asked, because rcrond there has not renewed its session";
            Some(format!("{begin}: {names}; --host NAME asks any"))
        };
        assert_eq!(gone(0), None);
        assert_eq!(gone(1), line("s1\\x0a"));
        assert_eq!(gone(5), line("s1\\x0a, s2\\x0a, s3\\x0a, s4\\x0a, s5\\x0a"));
        assert_eq!(
            gone(100),
            line("s1\\x0a, s2\\x0a, s3\\x0a, s4\\x0a, s5\\x0a and 95 more")
        );
    }

    #[test]
    fn what_a_server_says_is_short_and_has_no_escape_codes() {
        let long = "é".repeat(1000);
        let report = report(0, &["a\u{1b}[2J\nb", &long]);
        let unseen = report.unseen();
        assert_eq!(unseen[0], "db1: a\\x1b[2J\\x0ab");
        assert_eq!(unseen[1].chars().count(), "db1: …".chars().count() + LONGEST_NOTE / 2);
        let many = vec!["x"; 1000];
        assert_eq!(super::tests::report(0, &many).unseen().len(), MOST_NOTES);
    }
}
