//! What a server sends, line by line, within limits. The server may be compromised: docs/design/hosts.md.

use super::ssh::temporary_directory;
use crate::export::{FORMAT, Header};
use inputs::diagnostic::shown;
use jiff::Timestamp;
use journal::{LONGEST_LINE, is_record};
use policy::display::escaped;
use std::fmt;
use std::io::{self, Write};

/// In bytes: how much of a line that is not a header is shown.
const LONGEST_SHOWN: usize = 100;

/// How much of one server's export is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) bytes: u64,
    pub(super) runs: usize,
}

/// Why no more is read.
#[derive(Debug)]
pub(super) enum Stop {
    /// The first line is not a header; this is its beginning.
    NotAnExport(String),
    /// The export has a format of a later version.
    LaterFormat(u32),
    /// It has more runs or bytes than are kept.
    TooMuch(Limits),
    /// The temporary file cannot be written.
    Storage(io::Error),
}

/// Passes the records on to `records`, and drops everything else.
pub(super) struct Intake<W> {
    records: W,
    limits: Limits,
    /// The header, and how far the server's clock is ahead of this one's, in milliseconds.
    pub(super) header: Option<(Header, i64)>,
    line: Vec<u8>,
    is_too_long: bool,
    received: u64,
    pub(super) runs: usize,
    /// Lines that are not records.
    pub(super) invalid: u64,
}

impl<W: Write> Intake<W> {
    pub(super) fn new(records: W, limits: Limits) -> Self {
        Self {
            records,
            limits,
            header: None,
            line: Vec::new(),
            is_too_long: false,
            received: 0,
            runs: 0,
            invalid: 0,
        }
    }

    /// Takes the bytes that have arrived at this time.
    pub(super) fn take(&mut self, bytes: &[u8], now: Timestamp) -> Result<(), Stop> {
        self.received += bytes.len() as u64;
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n");
            self.append(text.unwrap_or(part));
            if text.is_some() {
                self.end_line(now)?;
            } else if self.header.is_none() && self.is_too_long {
                return Err(self.not_an_export());
            }
        }
        if self.received > self.limits.bytes {
            return Err(Stop::TooMuch(self.limits));
        }
        Ok(())
    }

    /// Everything has been taken. A line without its end is not a record.
    pub(super) fn finish(mut self) -> io::Result<Self> {
        self.records.flush()?;
        self.invalid += u64::from(self.header.is_some() && !self.line.is_empty());
        Ok(self)
    }

    fn append(&mut self, text: &[u8]) {
        let room = LONGEST_LINE - self.line.len();
        self.is_too_long |= text.len() > room;
        self.line.extend_from_slice(&text[..text.len().min(room)]);
    }

    fn end_line(&mut self, now: Timestamp) -> Result<(), Stop> {
        if self.header.is_none() {
            self.header = Some(self.parse_header(now)?);
        } else if self.is_too_long || !is_record(&self.line) {
            self.invalid += 1;
        } else if self.runs == self.limits.runs {
            return Err(Stop::TooMuch(self.limits));
        } else {
            self.runs += 1;
            self.line.push(b'\n');
            self.records.write_all(&self.line).map_err(Stop::Storage)?;
        }
        self.line.clear();
        self.is_too_long = false;
        Ok(())
    }

    fn parse_header(&self, now: Timestamp) -> Result<(Header, i64), Stop> {
        #[derive(serde::Deserialize)]
        struct Format {
            rcron_export: u32,
        }
        let Format { rcron_export } = serde_json::from_slice(&self.line).map_err(|_| self.not_an_export())?;
        if rcron_export != FORMAT {
            return Err(Stop::LaterFormat(rcron_export));
        }
        let header: Header = serde_json::from_slice(&self.line).map_err(|_| self.not_an_export())?;
        let ahead = header.time.as_millisecond() - now.as_millisecond();
        Ok((header, ahead))
    }

    fn not_an_export(&self) -> Stop {
        let shown = &self.line[..self.line.len().min(LONGEST_SHOWN)];
        Stop::NotAnExport(escaped(shown.trim_ascii_end()).into_owned())
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnExport(line) => write!(
                out,
                "its answer is not an export of rcronctl; it begins with '{line}'. The shell's start-up files there, such as \
                 ~/.bashrc, must not print anything"
            ),
            Self::LaterFormat(format) => write!(
                out,
                "its export has format {format}, of a later version: upgrade rcronctl on this server"
            ),
            Self::TooMuch(Limits { bytes, runs }) => write!(
                out,
                "it sends more than {runs} runs or {} MiB: the oldest are not shown; select fewer, with --since, --job or -n",
                bytes >> 20
            ),
            Self::Storage(error) => write!(
                out,
                "cannot write a temporary file in {}: {}; set TMPDIR to another directory",
                shown(temporary_directory().as_os_str()),
                sys::output::error_text(error)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        bytes: 1 << 20,
        runs: 3,
    };
    const HEADER: &str =
        "{\"rcron_export\":1,\"version\":\"9\",\"node\":\"db1\",\"time\":\"2026-11-24T03:00:07Z\",\"later\":{}}\n";

    fn record(number: usize) -> String {
        format!("{{\"time\":\"{number}\"}}\n")
    }

    fn now() -> Timestamp {
        "2026-11-24T03:00:00Z".parse().expect("a time")
    }

    /// The records that are kept, the lines that are not, and how it ends. The bytes arrive in pieces of every length.
    fn take(text: &str) -> (String, u64, Result<(), String>) {
        let results = [1, 7, 100, usize::MAX].map(|length| {
            let mut intake = Intake::new(Vec::new(), LIMITS);
            let mut pieces = text.as_bytes().chunks(length.min(text.len().max(1)));
            let result = pieces.try_for_each(|piece| intake.take(piece, now()));
            let intake = intake.finish().expect("written");
            let kept = String::from_utf8(intake.records).expect("text");
            (kept, intake.invalid, result.map_err(|stop| stop.to_string()))
        });
        assert!(results.iter().all(|result| result == &results[0]), "{results:?}");
        results.into_iter().next().expect("four")
    }

    #[test]
    fn records_are_kept_and_other_lines_counted() {
        let long = format!("{{\"time\":\"{}\"}}\n", "x".repeat(LONGEST_LINE));
        let junk = ["\n", "\u{1b}[2J\n", "{\"time\":\"torn", "\n", &long].concat();
        let text = [HEADER, &record(1), &junk, &record(2), "{\"time\":\"cut"].concat();
        assert_eq!(take(&text), (record(1) + &record(2), 5, Ok(())));
    }

    #[test]
    fn clock_of_the_server_is_compared() {
        let mut intake = Intake::new(Vec::new(), LIMITS);
        intake.take(HEADER.as_bytes(), now()).expect("a header");
        assert_eq!(
            intake.header.map(|(header, ahead)| (header.node, ahead)),
            Some(("db1".to_owned(), 7000))
        );
    }

    #[test]
    fn anything_else_than_a_header_ends_it() {
        let endless = "y".repeat(LONGEST_LINE + 1);
        for (text, begins) in [
            ("Welcome\u{1b}[2J to db1\r\nx", "Welcome\\x1b[2J to db1"),
            ("{\"time\":\"2026\"}\n", "{\"time\""),
            ("{\"rcron_export\":1}\n", "{\"rcron_export\":1}"),
            ("\n", ""),
            (&endless, "yyyy"),
        ] {
            let mut intake = Intake::new(Vec::new(), LIMITS);
            let stop = intake.take(text.as_bytes(), now()).expect_err("refused").to_string();
            assert!(
                stop.contains(&format!("begins with '{begins}")) && stop.len() < 300,
                "{stop}"
            );
        }
        let later = "{\"rcron_export\":2,\"time\":7}\n";
        assert!(take(later).2.expect_err("refused").contains("format 2"));
    }

    #[test]
    fn too_many_runs_and_bytes_end_it() {
        let text = HEADER.to_owned() + &(0..4).map(record).collect::<String>();
        let (kept, _, result) = take(&text);
        assert_eq!(kept.lines().count(), LIMITS.runs);
        assert!(result.expect_err("too many").contains("more than 3 runs or 1 MiB"));
        let text = HEADER.to_owned() + &"\n".repeat(1 << 20);
        let mut intake = Intake::new(Vec::new(), LIMITS);
        assert!(matches!(intake.take(text.as_bytes(), now()), Err(Stop::TooMuch(_))));
    }

    #[test]
    fn full_disk_ends_it() {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux");
        let mut intake = Intake::new(full, LIMITS);
        let stop = intake.take((HEADER.to_owned() + &record(1)).as_bytes(), now());
        assert!(stop.expect_err("full").to_string().contains("No space left on device"));
    }
}
