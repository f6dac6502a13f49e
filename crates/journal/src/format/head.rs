//! The head of a record: its first three fields, which have a fixed order and width.

use policy::moment::WallTime;
use policy::run_id::RunId;

/// `2026-11-24T03:00:00.123456Z`
#[cfg(feature = "read")]
const TIME_WIDTH: usize = 27;
/// A UUID.
#[cfg(feature = "read")]
const RUN_WIDTH: usize = 36;

/// Which record of a run it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "read", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Event {
    /// The start of the run.
    Start,
    /// The end of the run.
    End,
}

const WORDS: [(Event, &str); 2] = [(Event::Start, "start"), (Event::End, "end")];

/// The beginning of a record, up to and with the run's id.
pub(super) fn head(time: WallTime, event: Event, run: &RunId) -> Vec<u8> {
    let word = WORDS[event as usize].1;
    let mut record = Vec::with_capacity(512);
    record.extend_from_slice(format!("{{\"time\":\"{}\",\"event\":\"{word}\",\"run\":\"", time.rfc3339()).as_bytes());
    record.extend_from_slice(run.as_bytes());
    record.push(b'"');
    record
}

/// What a reader needs to know of a record before it parses it.
#[cfg(feature = "read")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    /// RFC 3339 in UTC with microseconds: sorts as text.
    pub(crate) time: &'a [u8],
    pub(crate) event: Event,
    pub(crate) run: &'a [u8],
}

#[cfg(feature = "read")]
impl<'a> Head<'a> {
    /// `None` for a line that does not begin as rcron begins a record: it is torn, blank, or another program's.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"{\"time\":\"")?;
        let (time, rest) = rest.split_at_checked(TIME_WIDTH)?;
        let rest = rest.strip_prefix(b"\",\"event\":\"")?;
        let word = |(event, word): &(Event, &str)| Some((*event, rest.strip_prefix(word.as_bytes())?));
        let (event, rest) = WORDS.iter().find_map(word)?;
        let run = rest.strip_prefix(b"\",\"run\":\"")?.split_at_checked(RUN_WIDTH)?.0;
        // A torn record that is followed by another one on the same line does not end so.
        line.ends_with(b"}").then_some(Self { time, event, run })
    }
}

/// The start of the run in the record of an end, where no text can be mistaken for it: within a text, each quote is escaped.
#[cfg(feature = "read")]
pub(crate) fn started(line: &[u8], needle: &memchr::memmem::Finder) -> Option<i64> {
    microseconds(line.get(needle.find(line)? + STARTED.len()..)?.get(..TIME_WIDTH)?)
}

/// What comes before the start in the record of an end.
#[cfg(feature = "read")]
pub(crate) const STARTED: &[u8] = b",\"started\":\"";

/// Microseconds since 1970 of a time as rcron writes it. `None` for any other text. A time that does not exist, such as February 31,
/// is not noticed.
#[cfg(feature = "read")]
pub(crate) fn microseconds(time: &[u8]) -> Option<i64> {
    let text: &[u8; TIME_WIDTH] = time.try_into().ok()?;
    let separators = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
        (26, b'Z'),
    ];
    if separators.iter().any(|(at, byte)| text[*at] != *byte) {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().try_fold(0, |number: i64, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_time = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if !is_time {
        return None;
    }
    // Days since 0000-03-01: February is then the last month of a year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day - 1;
    let seconds = (days - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds * 1_000_000 + number(20, 26)?)
}

#[cfg(all(test, feature = "read"))]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for seconds in [
            0,
            951_782_399,
            951_868_800,
            1_709_164_800,
            1_795_000_000,
            4_102_444_800,
            253_402_300_799,
        ] {
            let time = WallTime(std::time::Duration::new(seconds, 123_456_000)).rfc3339();
            let expected = i64::try_from(seconds).expect("small") * 1_000_000 + 123_456;
            assert_eq!(microseconds(time.as_bytes()), Some(expected), "{time}");
        }
        for text in [
            "",
            "2026-11-24 03:00:00.123456Z",
            "2026-11-24T03:00:00.12345xZ",
            "2026-00-24T03:00:00.123456Z",
        ] {
            assert_eq!(microseconds(text.as_bytes()), None, "{text}");
        }
    }
}
