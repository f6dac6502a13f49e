//! The time zone that the environment selects, and whether it may be looked up.
//!
//! localtime(3) opens whatever file `TZ` names. A FIFO would hold the program for ever, and a user may set `TZ` for root's programs,
//! too: in a crontab, or through sudo. The rule is that of sudoers(5) for `TZ`, and in addition the file must be a regular one.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Where systems keep zone files. Only root can write there.
const DIRECTORIES: [&str; 4] = [
    "/usr/share/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/usr/lib/zoneinfo",
    "/etc/zoneinfo",
];
/// The system's own zone, which is often named in `TZ` to spare libc from looking at it again and again.
const SYSTEM_ZONE: &str = "/etc/localtime";
/// In bytes. The largest zone file of tzdata has 4 KiB.
const LARGEST: u64 = 1 << 20;

/// What `TZ` and `TZDIR` select: tzset(3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected {
    /// The system's own zone, /etc/localtime: `TZ` is not set.
    System,
    /// `file` has the zone, if there is such a file. Otherwise `rule` is a rule like `CET-1CEST`, or unknown and therefore UTC.
    Named {
        /// In a system directory; if it exists, it is a small regular file.
        file: OsString,
        /// `TZ`, without its colon.
        rule: Vec<u8>,
    },
    /// A file that may not be opened.
    Foreign,
}

/// The zone that the environment selects.
#[must_use]
pub fn selected() -> Selected {
    select(env::var_os("TZ"), env::var_os("TZDIR"))
}

/// Removes a `TZ` or `TZDIR` that may not be looked up, so that the system's zone is used. For programs with a library that reads
/// these variables by itself, and that start no jobs; to be called before anything else, while the process has one thread.
pub fn forget_unsafe() {
    let is_foreign = |directory: OsString| !is_in_system_directory(&[directory.as_bytes(), b"/"].concat());
    if env::var_os("TZDIR").is_some_and(is_foreign) {
        // SAFETY: the process has one thread.
        unsafe { env::remove_var("TZDIR") };
    }
    if selected() == Selected::Foreign {
        // SAFETY: as above.
        unsafe { env::remove_var("TZ") };
    }
}

/// What these values of `TZ` and `TZDIR` select.
#[must_use]
pub fn select(zone: Option<OsString>, directory: Option<OsString>) -> Selected {
    let Some(zone) = zone else {
        return Selected::System;
    };
    let zone = zone.as_bytes();
    let rule = zone.strip_prefix(b":").unwrap_or(zone);
    let file = file_of(rule, directory);
    let is_system = file == SYSTEM_ZONE.as_bytes() || is_in_system_directory(&file);
    let file = OsString::from_vec(file);
    let may_be_opened = || fs::metadata(&file).map_or(true, |metadata| metadata.is_file() && metadata.len() <= LARGEST);
    // An empty `TZ` is UTC: its path leads to a directory.
    if rule.is_empty() || is_system && may_be_opened() {
        Selected::Named {
            file,
            rule: rule.to_vec(),
        }
    } else {
        Selected::Foreign
    }
}

/// The file that localtime(3) would open: tzset(3).
fn file_of(name: &[u8], directory: Option<OsString>) -> Vec<u8> {
    if name.starts_with(b"/") {
        return name.to_vec();
    }
    let directory = directory.filter(|directory| !directory.is_empty());
    let directory = directory
        .as_ref()
        .map_or(DIRECTORIES[0].as_bytes(), |directory| directory.as_bytes());
    [directory, b"/", name].concat()
}

fn is_in_system_directory(path: &[u8]) -> bool {
    let goes_up = path.split(|byte| *byte == b'/').any(|component| component == b"..");
    let begins_with = |directory: &&str| {
        path.strip_prefix(directory.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"/"))
    };
    !goes_up && DIRECTORIES.iter().any(begins_with)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_tz_is_that_of_tzset() {
        for (zone, directory, file) in [
            ("Europe/Berlin", None, "/usr/share/zoneinfo/Europe/Berlin"),
            (":Europe/Berlin", Some("/etc/zoneinfo"), "/etc/zoneinfo/Europe/Berlin"),
            (":/etc/localtime", Some("/nowhere"), "/etc/localtime"),
            ("UTC", Some(""), "/usr/share/zoneinfo/UTC"),
            ("::UTC", None, "/usr/share/zoneinfo/:UTC"),
            ("", Some("/tmp"), "/tmp/"),
        ] {
            let selected = select(Some(zone.into()), directory.map(Into::into));
            let rule = zone.strip_prefix(':').unwrap_or(zone).into();
            assert_eq!(
                selected,
                Selected::Named {
                    file: file.into(),
                    rule
                },
                "{zone}"
            );
        }
        assert_eq!(select(None, Some("/tmp".into())), Selected::System);
    }

    #[test]
    fn a_zone_is_a_small_regular_file_in_a_system_directory_or_a_rule() {
        for zone in [
            "Europe/Berlin",
            ":UTC",
            "UTC",
            ":/usr/share/zoneinfo/UTC",
            ":/etc/localtime",
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "no such zone",
        ] {
            assert_ne!(select(Some(zone.into()), None), Selected::Foreign, "{zone}");
        }
        for zone in [
            "/tmp/fifo",
            ":/dev/zero",
            "../../../tmp/fifo",
            "/usr/share/zoneinfo/../../../tmp/fifo",
            "/usr/share/zoneinfo-of-mine/UTC",
            "/etc/shadow",
        ] {
            assert_eq!(select(Some(zone.into()), None), Selected::Foreign, "{zone}");
        }
        for zone in ["UTC", "CET-1CEST"] {
            assert_eq!(
                select(Some(zone.into()), Some("/tmp".into())),
                Selected::Foreign,
                "{zone}"
            );
        }
    }
}
