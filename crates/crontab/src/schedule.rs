//! When a job runs: five fields, or a nickname such as `@daily`.

mod field;

use core::fmt;
pub use field::Field;

/// The program that reads the crontab. Each has its own grammar: crontab(5) of Debian's cron and of cronie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Debian's cron (Vixie cron 3.0 with Debian's changes). One mistake makes it ignore the whole file.
    Debian,
    /// cronie, of Fedora, RHEL, SUSE and Arch. It ignores only the line with the mistake.
    Cronie,
}

/// When a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Once, when cron starts after a boot.
    Reboot,
    /// At each minute that matches.
    Times(Times),
}

/// The minutes at which a job runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// 0 to 59.
    pub minutes: Set,
    /// 0 to 23.
    pub hours: Set,
    /// Days of the month, 1 to 31.
    pub days: Set,
    /// 1 to 12.
    pub months: Set,
    /// 0 (Sunday) to 6.
    pub weekdays: Set,
    /// The fields that begin with `*`.
    pub stars: Stars,
    /// Whether cron itself chooses among these times when it reads the crontab: cronie's `~`.
    pub is_random: bool,
}

/// Which fields begin with `*`, also as in `*/5`.
///
/// A time matches if day of month *or* weekday matches, unless one of the two fields begins with `*`: then both must match. After a
/// change of the clock, cron treats jobs with a star for minute or hour as "every so often", the others as "at this time".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each field, as cron keeps them")]
pub struct Stars {
    /// The minute's.
    pub minute: bool,
    /// The hour's.
    pub hour: bool,
    /// The day of month's.
    pub day: bool,
    /// The weekday's.
    pub weekday: bool,
}

/// Numbers from 0 to 63.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Set(u64);

/// A minute in cron's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minute {
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 23.
    pub hour: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
    /// 1 to 12.
    pub month: u8,
    /// 0 (Sunday) to 6.
    pub weekday: u8,
}

/// Where a schedule is not one: the offset in its text, and the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadField {
    pub(crate) field: Field,
    pub(crate) offset: usize,
}

impl Schedule {
    /// The schedule that a nickname stands for, without its `@`. cron compares in lower case only.
    pub(crate) fn of_nickname(name: &[u8]) -> Option<Self> {
        let (hours, days, months, weekdays) = (Field::Hour.all(), Field::Day.all(), Field::Month.all(), Set(0x7f));
        let (zero, first) = (Set::of(0), Set::of(1));
        let stars = |hour, day, weekday| Stars {
            minute: false,
            hour,
            day,
            weekday,
        };
        let (hours, days, months, weekdays, stars) = match name {
            b"reboot" => return Some(Self::Reboot),
            b"yearly" | b"annually" => (zero, first, first, weekdays, stars(false, false, true)),
            b"monthly" => (zero, first, months, weekdays, stars(false, false, true)),
            b"weekly" => (zero, days, months, zero, stars(false, true, false)),
            b"daily" | b"midnight" => (zero, days, months, weekdays, stars(false, true, true)),
            b"hourly" => (hours, days, months, weekdays, stars(true, true, true)),
            _ => return None,
        };
        Some(Self::Times(Times {
            minutes: zero,
            hours,
            days,
            months,
            weekdays,
            stars,
            is_random: false,
        }))
    }

    /// Whether the job runs at this minute.
    #[must_use]
    pub fn matches(&self, at: Minute) -> bool {
        match self {
            Self::Reboot => false,
            Self::Times(times) => times.match_minute(at),
        }
    }

    /// Whether no minute of any year matches: `0 0 31 2 *`, or a range that ends before it begins.
    #[must_use]
    pub fn is_never(&self) -> bool {
        match self {
            Self::Reboot => false,
            Self::Times(times) => times.is_never(),
        }
    }
}

impl Times {
    /// Parses the five fields, which `fields` gives in their order, each with its offset.
    pub(crate) fn parse(fields: [(&[u8], usize); 5], dialect: Dialect) -> Result<Self, BadField> {
        let mut times = Self::default();
        for (field, (text, start)) in Field::ALL.into_iter().zip(fields) {
            let parsed = field.parse(text, dialect).map_err(|offset| BadField {
                field,
                offset: start + offset,
            })?;
            let has_star = text.starts_with(b"*");
            times.is_random |= parsed.is_random;
            match field {
                Field::Minute => (times.minutes, times.stars.minute) = (parsed.set, has_star),
                Field::Hour => (times.hours, times.stars.hour) = (parsed.set, has_star),
                Field::Day => (times.days, times.stars.day) = (parsed.set, has_star),
                Field::Month => times.months = parsed.set,
                // 7 is Sunday, too.
                Field::Weekday => {
                    let Set(bits) = parsed.set;
                    times.weekdays = Set((bits | bits >> 7) & 0x7f);
                    times.stars.weekday = has_star;
                }
            }
        }
        Ok(times)
    }

    /// Whether both the day of month and the weekday must match, not just one of them.
    fn needs_both_days(&self) -> bool {
        self.stars.day || self.stars.weekday
    }

    fn match_minute(&self, at: Minute) -> bool {
        self.minutes.contains(at.minute) && self.hours.contains(at.hour) && self.match_day(at)
    }

    /// Whether the job runs on the day of this minute.
    pub(crate) fn match_day(&self, at: Minute) -> bool {
        let (day, weekday) = (self.days.contains(at.day), self.weekdays.contains(at.weekday));
        let is_day = if self.needs_both_days() {
            day && weekday
        } else {
            day || weekday
        };
        is_day && self.months.contains(at.month)
    }

    fn is_never(&self) -> bool {
        const LENGTHS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut months = LENGTHS
            .into_iter()
            .zip(1..)
            .filter(|(_, month)| self.months.contains(*month));
        let has_day = months.any(|(length, _)| (1..=length).any(|day| self.days.contains(day)));
        let has_weekday = !self.weekdays.is_empty();
        let has_either = if self.needs_both_days() {
            has_day && has_weekday
        } else {
            has_day || has_weekday
        };
        self.minutes.is_empty() || self.hours.is_empty() || self.months.is_empty() || !has_either
    }
}

impl Set {
    /// The set of one number.
    #[must_use]
    pub const fn of(number: u8) -> Self {
        Self(1 << number)
    }

    /// Whether it has the number.
    #[must_use]
    pub const fn contains(self, number: u8) -> bool {
        number < 64 && self.0 & (1 << number) != 0
    }

    /// Whether it has no number.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The least number from `least` on.
    pub(crate) fn first_from(self, least: u8) -> Option<u8> {
        let rest = self.0.checked_shr(least.into()).unwrap_or_default();
        let skipped = u8::try_from(rest.trailing_zeros()).ok()?;
        (rest != 0).then(|| least + skipped)
    }

    /// The greatest number up to `most`.
    pub(crate) fn last_to(self, most: u8) -> Option<u8> {
        let rest = self.0 & (u64::MAX >> (63 - most.min(63)));
        let found = u8::try_from(rest.checked_ilog2()?).ok()?;
        Some(found)
    }

    fn add(&mut self, number: u8) {
        self.0 |= 1 << number;
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set()
            .entries((0..64).filter(|number| self.contains(*number)))
            .finish()
    }
}

#[cfg(test)]
mod tests;
