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
