//! Whether the time zone in the environment may be looked up.
//!
//! localtime(3) opens whatever file `TZ` names. A FIFO would hold the program for ever, and a user may set `TZ` for root's programs,
//! too: in a crontab, or through sudo. The rule is that of sudoers(5) for `TZ`, and in addition the file must be a regular one.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

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

/// Whether localtime(3) may be called: with this `TZ` and `TZDIR` it opens a small regular file in a system directory, or none.
pub(crate) fn is_safe() -> bool {
    match env::var_os("TZ") {
        Some(zone) if !zone.is_empty() => names_zone(&zone, env::var_os("TZDIR")),
        // Then it opens /etc/localtime, wherever `TZDIR` leads.
        _ => true,
    }
}

/// Removes a `TZ` or `TZDIR` that may not be looked up, so that the system's zone is used. For programs with a library that reads
/// these variables by itself, and that start no jobs; to be called before anything else, while the process has one thread.
pub fn forget_unsafe() {
    let is_foreign = |directory: OsString| !is_in_system_directory(Path::new(&directory));
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
    let is_system = path == Path::new(SYSTEM_ZONE) || is_in_system_directory(&path);
    // If there is no such file, `TZ` is a rule like `CET-1CEST`, or unknown and therefore UTC.
    is_system && fs::metadata(path).map_or(true, |metadata| metadata.is_file() && metadata.len() <= LARGEST)
}

/// The file that localtime(3) would open: tzset(3).
fn file_of(zone: &OsStr, directory: Option<OsString>) -> PathBuf {
    let name = zone.as_encoded_bytes();
    let name = name.strip_prefix(b":").unwrap_or(name);
    let directory = directory.filter(|directory| !directory.is_empty());
    let directory = directory.unwrap_or_else(|| DIRECTORIES[0].into());
    Path::new(&directory).join(OsStr::from_bytes(name))
}

fn is_in_system_directory(path: &Path) -> bool {
    let goes_up = path.components().any(|component| component == Component::ParentDir);
    !goes_up && DIRECTORIES.iter().any(|directory| path.starts_with(directory))
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
            assert_eq!(file_of(OsStr::new(zone), directory.map(Into::into)), Path::new(file));
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
