//! Local time: how far a time zone is from UTC, by its file (RFC 9636) or by a rule (tzset(3)).
//!
//! Not localtime_r(3): in a static program it takes 130 KB, a tenth of the wrapper, most of them to parse floating-point numbers.

mod rule;

use crate::datagram::CivilTime;
use crate::moment::date;
use alloc::vec::Vec;

/// A file of zoneinfo begins with it.
pub const MAGIC: &[u8] = b"TZif";
/// Of each of the two headers, in bytes.
const HEADER: usize = 44;

/// One of the two parts of a file: a header and the transitions.
struct Part<'a> {
    /// Seconds since 1970-01-01 UTC at which the local time changes.
    transitions: &'a [u8],
    /// In bytes, of each transition: 4 in the first part, 8 in the second.
    width: usize,
    /// For each transition, the index of the local time that begins.
    indices: &'a [u8],
    /// Six bytes for each local time, of which the first four are its offset.
    local_times: &'a [u8],
    /// What follows the part.
    rest: &'a [u8],
}

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    /// By the content of a file of zoneinfo.
    File(Vec<u8>),
    /// By a rule, as in `TZ`.
    Rule(Vec<u8>),
    /// UTC, also for where no zone is known.
    Utc,
}

impl Zone {
    /// How many seconds local time is ahead of UTC at `utc`, which is in seconds since 1970-01-01. Zero if the file or the rule
    /// is not one: so does the C library.
    #[must_use]
    pub fn offset(&self, utc: i64) -> i64 {
        let offset = match self {
            Self::File(content) => offset_by_file(content, utc),
            Self::Rule(rule) => rule::offset(rule, utc),
            Self::Utc => None,
        };
        offset.unwrap_or_default()
    }

    /// The rule for times after the last change that the zone's file lists, as in `TZ`: it is the same in each edition of the file.
    /// `None` if the file has none.
    #[must_use]
    pub fn rule(&self) -> Option<&[u8]> {
        match self {
            Self::File(content) => {
                let lines = content.strip_suffix(b"\n")?;
                let rule = lines.rsplit(|byte| *byte == b'\n').next()?;
                (content.starts_with(MAGIC) && !rule.is_empty() && rule.len() < lines.len()).then_some(rule)
            }
            Self::Rule(rule) => Some(rule),
            Self::Utc => Some(b"UTC0"),
        }
    }

    /// The local time at `utc`, which is in seconds since 1970-01-01.
    #[must_use]
    pub fn civil_time(&self, utc: u64) -> CivilTime {
        civil_time(utc, i64::try_from(utc).map_or(0, |utc| self.offset(utc)))
    }
}

/// The local time at `utc`, in seconds since 1970-01-01, by the content of a file of zoneinfo. `None` if it is not such a file.
#[must_use]
pub fn by_file(file: &[u8], utc: u64) -> Option<CivilTime> {
    let offset = offset_by_file(file, i64::try_from(utc).ok()?)?;
    Some(civil_time(utc, offset))
}

fn offset_by_file(file: &[u8], time: i64) -> Option<i64> {
    let first = Part::parse(file, 4)?;
    // From version 2 on, everything is repeated with wider numbers.
    let is_old = file.get(MAGIC.len()) == Some(&0);
    let part = if is_old { first } else { Part::parse(first.rest, 8)? };
    match part.latest(time) {
        Latest::Index(index) => part.offset(index),
        // After the last transition, a rule applies, if there is one.
        Latest::Last(index) => rule_of(part.rest)
            .and_then(|rule| rule::offset(rule, time))
            .or_else(|| part.offset(index)),
    }
}

/// The local time at `utc` by a rule: `CET-1CEST,M3.5.0,M10.5.0/3`. `None` if it is not a rule.
#[must_use]
pub fn by_rule(rule: &[u8], utc: u64) -> Option<CivilTime> {
    let offset = rule::offset(rule, i64::try_from(utc).ok()?)?;
    Some(civil_time(utc, offset))
}

/// The place of a time among the transitions, with the index of its local time.
enum Latest {
    Index(usize),
    Last(usize),
}

impl<'a> Part<'a> {
    fn parse(file: &'a [u8], width: usize) -> Option<Self> {
        let (header, body) = file.split_at_checked(HEADER)?;
        if !header.starts_with(MAGIC) {
            return None;
        }
        // isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt.
        let count = |place: usize| {
            let bytes = header.get(20 + 4 * place..24 + 4 * place)?;
            usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()
        };
        let (transitions, body) = body.split_at_checked(count(3)?.checked_mul(width)?)?;
        let (indices, body) = body.split_at_checked(count(3)?)?;
        let (local_times, body) = body.split_at_checked(count(4)?.checked_mul(6)?)?;
        let leaps = count(2)?.checked_mul(width + 4)?;
        let rest = [count(5)?, leaps, count(1)?, count(0)?];
        let skipped = rest.into_iter().try_fold(0, usize::checked_add)?;
        Some(Self {
            transitions,
            width,
            indices,
            local_times,
            rest: body.get(skipped..)?,
        })
    }

    fn latest(&self, time: i64) -> Latest {
        // How many transitions are past: a zone may have hundreds.
        let (mut past, mut end) = (0, self.indices.len());
        while past < end {
            let middle = usize::midpoint(past, end);
            let transition = self.transitions.get(self.width * middle..self.width * (middle + 1));
            if transition.is_some_and(|transition| number(transition) <= time) {
                past = middle + 1;
            } else {
                end = middle;
            }
        }
        // Before the first transition, the first local time applies.
        let index = past.checked_sub(1).and_then(|last| self.indices.get(last));
        let index = usize::from(index.copied().unwrap_or_default());
        if past == self.indices.len() {
            Latest::Last(index)
        } else {
            Latest::Index(index)
        }
    }

    fn offset(&self, index: usize) -> Option<i64> {
        self.local_times
            .chunks_exact(6)
            .nth(index)
            .map(|local_time| number(&local_time[..4]))
    }
}

/// A number of four or eight bytes, the most significant one first.
fn number(bytes: &[u8]) -> i64 {
    let sign = bytes.first().is_some_and(|first| *first >= 0x80);
    let start = if sign { -1 } else { 0 };
    bytes.iter().fold(start, |number, byte| number << 8 | i64::from(*byte))
}

/// The last line of a file, if it is not empty.
fn rule_of(end: &[u8]) -> Option<&[u8]> {
    let rule = end.strip_prefix(b"\n")?.split(|byte| *byte == b'\n').next()?;
    (!rule.is_empty()).then_some(rule)
}

fn civil_time(utc: u64, offset: i64) -> CivilTime {
    let local = utc.saturating_add_signed(offset);
    let (_, month, day) = date(local / 86_400);
    let small = |number: u64| u8::try_from(number).unwrap_or_default();
    CivilTime {
        month: usize::from(small(month - 1)),
        day: small(day),
        hour: small(local / 3600 % 24),
        minute: small(local / 60 % 60),
        second: small(local % 60),
    }
}

#[cfg(test)]
mod tests;
