//! One field of a schedule: numbers, ranges, steps and names.

use super::{Dialect, Set};

/// The fields in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Of the month, 1 to 31.
    Day,
    /// 1 to 12, or `jan` to `dec`.
    Month,
    /// 0 to 7, where both 0 and 7 are Sunday, or `sun` to `sat`.
    Weekday,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) set: Set,
    pub(super) is_random: bool,
}

/// The offset of the part of a field that is wrong.
type Wrong = usize;

impl Field {
    pub(crate) const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::Day, Self::Month, Self::Weekday];

    /// As crontab(5) calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of month",
            Self::Month => "month",
            Self::Weekday => "day of week",
        }
    }

    /// The values that it may have, in words.
    #[must_use]
    pub const fn values(self) -> &'static str {
        match self {
            Self::Minute => "0 to 59",
            Self::Hour => "0 to 23",
            Self::Day => "1 to 31",
            Self::Month => "1 to 12, or jan to dec",
            Self::Weekday => "0 to 7, or sun to sat",
        }
    }

    const fn limits(self) -> (i64, i64) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            Self::Weekday => (0, 7),
        }
    }

    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Minute | Self::Hour | Self::Day => &[],
            Self::Month => &MONTHS,
            Self::Weekday => &WEEKDAYS,
        }
    }

    pub(super) fn all(self) -> Set {
        let (low, high) = self.limits();
        let mut set = Set::default();
        let added = self.add(&mut set, low, high, 1);
        debug_assert!(added.is_some());
        set
    }

    /// Parses a field, which has no blanks.
    pub(super) fn parse(self, text: &[u8], dialect: Dialect) -> Result<Parsed, Wrong> {
        let mut parsed = Parsed::default();
        let mut at = 0;
        loop {
            let end = match dialect {
                Dialect::Debian => self.debian_element(text, at, &mut parsed),
                Dialect::Cronie => self.cronie_element(text, at, &mut parsed),
            };
            at = end.ok_or(at)?;
            match (text.get(at), dialect) {
                (Some(b','), _) => at += 1,
                // Debian's cron skips what follows a value, up to the next blank.
                (None, _) | (_, Dialect::Debian) => return Ok(parsed),
                (Some(_), Dialect::Cronie) => return Err(at),
            }
        }
    }

    /// `*`, `N` or `N-N`, and a step after all but `N`. Returns its end.
    fn debian_element(self, text: &[u8], at: usize, parsed: &mut Parsed) -> Option<usize> {
        let (mut low, mut high) = self.limits();
        let mut end = at + 1;
        if text.get(at) != Some(&b'*') {
            (low, end) = self.number(text, at)?;
            if text.get(end) != Some(&b'-') {
                self.add(&mut parsed.set, low, low, 1)?;
                return (text.get(end) != Some(&b'/')).then_some(end);
            }
            (high, end) = self.number(text, end + 1)?;
        }
        let (step, end) = step(text, end)?;
        self.add(&mut parsed.set, low, high, step)?;
        Some(end)
    }

    /// As Debian's, and `N~N`, `~N`, `N~`, `~`: a number that cronie chooses.
    fn cronie_element(self, text: &[u8], at: usize, parsed: &mut Parsed) -> Option<usize> {
        let (least, most) = self.limits();
        let (low, end) = match text.get(at) {
            Some(b'*') => {
                let (step, end) = step(text, at + 1)?;
                self.add(&mut parsed.set, least, most, step)?;
                return Some(end);
            }
            Some(b'~') => (least, at),
            _ => self.number(text, at)?,
        };
        match text.get(end) {
            Some(b'~') => {
                let (high, end) = match text.get(end + 1) {
                    None | Some(b',') => (most, end + 1),
                    Some(_) => self.number(text, end + 1)?,
                };
                parsed.is_random = true;
                self.add(&mut parsed.set, low, high, 1)?;
                (low <= high).then_some(end)
            }
            Some(b'-') => {
                let (mut high, end) = self.number(text, end + 1)?;
                if high == 0 && low > 0 && text.get(end) != Some(&b'/') {
                    high = 7; // `fri-sun`
                }
                let (step, end) = step(text, end)?;
                self.add(&mut parsed.set, low, high, step)?;
                Some(end)
            }
            _ => {
                self.add(&mut parsed.set, low, low, 1)?;
                Some(end)
            }
        }
    }

    /// A name or a number, and its end.
    fn number(self, text: &[u8], at: usize) -> Option<(i64, usize)> {
        let (word, end) = word(text, at);
        let is_meant = |name: &&str| name.as_bytes().eq_ignore_ascii_case(word);
        let numbered = self.names().iter().zip(self.limits().0..);
        let named = numbered
            .filter(|(name, _)| is_meant(name))
            .map(|(_, number)| number)
            .next();
        Some((named.or_else(|| decimal(word))?, end))
    }

    /// Adds the numbers of a range. A range that ends before it begins has none. `None` if one of them is not allowed.
    fn add(self, set: &mut Set, low: i64, high: i64, step: i64) -> Option<()> {
        let (least, most) = self.limits();
        let mut number = low;
        while number <= high {
            if !(least..=most).contains(&number) {
                return None;
            }
            set.add(u8::try_from(number).ok()?);
            number += step;
        }
        Some(())
    }
}

/// The step after a range, 1 if there is none, and its end.
fn step(text: &[u8], at: usize) -> Option<(i64, usize)> {
    if text.get(at) != Some(&b'/') {
        return Some((1, at));
    }
    let (word, end) = word(text, at + 1);
    let step = decimal(word).filter(|step| *step != 0)?;
    Some((step, end))
}

fn word(text: &[u8], at: usize) -> (&[u8], usize) {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    (&rest[..length], at + length)
}

/// Digits only, as atoi(3) reads them: a number beyond 64 bits is the largest, of which an int is the lower half.
fn decimal(word: &[u8]) -> Option<i64> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |number: i64, digit: &u8| number.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    let number = word.iter().fold(0, add);
    #[expect(clippy::cast_possible_truncation, reason = "as in cron")]
    let number = number as i32;
    Some(i64::from(number))
}
