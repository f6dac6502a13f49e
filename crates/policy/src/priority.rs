//! Facilities and levels of `syslog(3)`, and the priority that heads a message (RFC 3164, section 4.1.1).

/// The part of the system that a message comes from, 0 to 23.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(u8);

/// The severity of a message, 0 (emergency) to 7 (debug).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u8);

impl Facility {
    /// `LOG_CRON`.
    pub const CRON: Self = Self(9);

    /// Reads a name of `syslog(3)`, in any case, with or without `LOG_`.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        find(&FACILITIES, name).map(Self)
    }

    /// Every name that [`Facility::parse`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FACILITIES.iter().map(|(name, _)| *name)
    }
}

impl Level {
    /// `LOG_ERR`.
    pub const ERROR: Self = Self(3);
    /// `LOG_WARNING`.
    pub const WARNING: Self = Self(4);
    /// `LOG_INFO`.
    pub const INFO: Self = Self(6);

    /// Reads a name of `syslog(3)`, in any case, with or without `LOG_`.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        find(&LEVELS, name).map(Self)
    }

    /// Every name that [`Level::parse`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        LEVELS.iter().map(|(name, _)| *name)
    }
}

/// The number between `<` and `>` at the head of a syslog message.
#[must_use]
pub fn priority(facility: Facility, level: Level) -> u8 {
    facility.0 << 3 | level.0
}

fn find(table: &[(&str, u8)], name: &[u8]) -> Option<u8> {
    let bare = match name.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case(b"LOG_") => &name[4..],
        _ => name,
    };
    table
        .iter()
        .find(|(known, _)| known.as_bytes()[4..].eq_ignore_ascii_case(bare))
        .map(|(_, number)| *number)
}

/// syslog(3), "Values for facility"; `LOG_SECURITY` is the old name of `LOG_AUTH`.
const FACILITIES: [(&str, u8); 21] = [
    ("LOG_KERN", 0),
    ("LOG_USER", 1),
    ("LOG_MAIL", 2),
    ("LOG_DAEMON", 3),
    ("LOG_AUTH", 4),
    ("LOG_SECURITY", 4),
    ("LOG_SYSLOG", 5),
    ("LOG_LPR", 6),
    ("LOG_NEWS", 7),
    ("LOG_UUCP", 8),
    ("LOG_CRON", 9),
    ("LOG_AUTHPRIV", 10),
    ("LOG_FTP", 11),
    ("LOG_LOCAL0", 16),
    ("LOG_LOCAL1", 17),
    ("LOG_LOCAL2", 18),
    ("LOG_LOCAL3", 19),
    ("LOG_LOCAL4", 20),
    ("LOG_LOCAL5", 21),
    ("LOG_LOCAL6", 22),
    ("LOG_LOCAL7", 23),
];

/// syslog(3), "Values for level", with the short forms of syslog.conf(5).
const LEVELS: [(&str, u8); 11] = [
    ("LOG_EMERG", 0),
    ("LOG_ALERT", 1),
    ("LOG_CRIT", 2),
    ("LOG_ERR", 3),
    ("LOG_ERROR", 3),
    ("LOG_WARNING", 4),
    ("LOG_WARN", 4),
    ("LOG_NOTICE", 5),
    ("LOG_INFO", 6),
    ("LOG_DEBUG", 7),
    ("LOG_PANIC", 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_priority_of_rcron_0_1_0() {
        assert_eq!(priority(Facility::CRON, Level::INFO), 78);
    }

    #[test]
    fn names_are_known_in_any_case_with_and_without_prefix() {
        for name in ["LOG_AUTHPRIV", "log_authpriv", "AuthPriv", "Log_AuthPriv"] {
            assert_eq!(Facility::parse(name.as_bytes()), Some(Facility(10)), "{name}");
        }
        for name in ["LOG_WARNING", "warning", "WARN"] {
            assert_eq!(Level::parse(name.as_bytes()), Some(Level::WARNING), "{name}");
        }
    }

    #[test]
    fn every_name_of_the_tables_is_read_back() {
        for (name, number) in FACILITIES {
            assert_eq!(Facility::parse(name.as_bytes()), Some(Facility(number)));
        }
        for (name, number) in LEVELS {
            assert_eq!(Level::parse(name.as_bytes()), Some(Level(number)));
        }
    }

    #[test]
    fn other_words_are_unknown() {
        for name in ["", "LOG_", "LOG_FOO", "LOG_INFO", "LOG_LOG_CRON", "LOCAL8", "CRON "] {
            assert_eq!(Facility::parse(name.as_bytes()), None, "{name:?}");
        }
        assert_eq!(Level::parse(b"LOG_CRON"), None);
    }
}
