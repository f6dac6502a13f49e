//! Whether the time zone in the environment may be looked up.
//!
//! localtime(3) opens whatever file `TZ` names. A FIFO would hold the program for ever, and a user may set `TZ` for root's programs,
//! too: in a crontab, or through sudo. The rule is that of sudoers(5) for `TZ`, and in addition the file must be a regular one.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;

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

/// Whether the zone may be looked up: `TZ` and `TZDIR` lead to a small regular file in a system directory, or to none.
#[must_use]
pub fn is_safe() -> bool {
    match env::var_os("TZ") {
        Some(zone) if !zone.is_empty() => names_zone(&zone, env::var_os("TZDIR")),
        // Then it opens /etc/localtime, wherever `TZDIR` leads.
        _ => true,
    }
}

/// Removes a `TZ` or `TZDIR` that may not be looked up, so that the system's zone is used. For programs with a library that reads
/// these variables by itself, and that start no jobs; to be called before anything else, while the process has one thread.
pub fn forget_unsafe() {
    let is_foreign = |directory: OsString| !is_in_system_directory(&[directory.as_bytes(), b"/"].concat());
    if env::var_os("TZDIR").is_some_and(is_foreign) {
        // SAFETY: the process has one thread.
        unsafe { env::remove_var("TZDIR") };
    }
    if !is_safe() {
        // SAFETY: as above.
        unsafe { env::remove_var("TZ") };
    }
}

fn names_zone(zone: &OsStr, directory: Option<OsString>) -> bool {
    let path = file_of(zone, directory);
    let is_system = path == SYSTEM_ZONE.as_bytes() || is_in_system_directory(&path);
    // If there is no such file, `TZ` is a rule like `CET-1CEST`, or unknown and therefore UTC.
    is_system
        && fs::metadata(OsStr::from_bytes(&path))
            .map_or(true, |metadata| metadata.is_file() && metadata.len() <= LARGEST)
}

/// The file that localtime(3) would open: tzset(3).
fn file_of(zone: &OsStr, directory: Option<OsString>) -> Vec<u8> {
    let zone = zone.as_bytes();
    let name = zone.strip_prefix(b":").unwrap_or(zone);
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
        ] {
            assert_eq!(file_of(OsStr::new(zone), directory.map(Into::into)), file.as_bytes());
        }
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
            assert!(names_zone(OsStr::new(zone), None), "{zone}");
        }
        for zone in [
            "/tmp/fifo",
            ":/dev/zero",
            "../../../tmp/fifo",
            "/usr/share/zoneinfo/../../../tmp/fifo",
            "/usr/share/zoneinfo-of-mine/UTC",
            "/etc/shadow",
        ] {
            assert!(!names_zone(OsStr::new(zone), None), "{zone}");
        }
        for zone in ["UTC", "CET-1CEST"] {
            assert!(!names_zone(OsStr::new(zone), Some("/tmp".into())), "{zone}");
        }
    }
}
