//! The clocks. Each has a type of its own, so that their times cannot be mixed.

use policy::datagram::CivilTime;
use policy::moment::{BootTime, WallTime};
use policy::time_zone::{self, Zone};
use std::ffi::OsStr;
use std::sync::OnceLock;
use sys::zone::{self, Selected};
use sys::{clock, file};

const LOCAL_TIME: &str = "/etc/localtime";
/// In bytes; the longest file of zoneinfo has 3,500.
const LONGEST_ZONE: usize = 64 << 10;

/// `CLOCK_BOOTTIME`.
#[must_use]
pub fn boot_time() -> BootTime {
    BootTime(clock::since_boot())
}

/// The boot that times of [`boot_time`] are of: its id, and in a time namespace whose clock differs, `@` and the difference.
///
/// Without the difference, a lease would last longer in a namespace whose clock is behind.
#[must_use]
pub fn boot_id() -> Option<Vec<u8>> {
    // It stays the same while the process lives, so it is read once. A failure is not kept.
    static ID: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(id) = ID.get() {
        return Some(id.clone());
    }
    let mut id = clock::boot_id()?;
    if let Some(offset) = clock::boot_offset() {
        id.push(b'@');
        id.extend(offset);
    }
    Some(ID.get_or_init(|| id).clone())
}

/// `CLOCK_REALTIME`.
#[must_use]
pub fn wall_time() -> WallTime {
    WallTime(clock::since_epoch())
}

/// A moment in the local time zone: that of `TZ`, otherwise of /etc/localtime, otherwise UTC. tzset(3) describes `TZ`. A file that is
/// not one of the system's zones is not opened. The zone is looked up once: a later change is not noticed.
#[must_use]
pub fn civil_time(wall: WallTime) -> CivilTime {
    static ZONE: OnceLock<Zone> = OnceLock::new();
    let zone = ZONE.get_or_init(|| zone_of(zone::selected()));
    zone.civil_time(wall.0.as_secs())
}

/// The zone that the environment selects.
fn zone_of(selected: Selected) -> Zone {
    match selected {
        Selected::System => zone_of_file(OsStr::new(LOCAL_TIME)).unwrap_or(Zone::Utc),
        Selected::Named { file, rule } => zone_of_file(&file).unwrap_or(Zone::Rule(rule)),
        Selected::Foreign => Zone::Utc,
    }
}

/// `None` if it is not a file of zoneinfo.
fn zone_of_file(path: &OsStr) -> Option<Zone> {
    let contents = file::read_beginning(path, LONGEST_ZONE).ok()?;
    contents
        .bytes
        .starts_with(time_zone::MAGIC)
        .then_some(Zone::File(contents.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;
    use std::io::Write as _;
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    /// From 1970 to 2100 in steps of 80 days, and the hours around some changes.
    fn times() -> Vec<u64> {
        let coarse = (0..600).map(|step| 86_400 + step * 6_871_337);
        let changes = [
            1_774_746_000,
            1_792_890_000,
            1_772_953_200,
            1_775_318_400,
            3_425_763_600,
        ];
        let fine = changes
            .into_iter()
            .flat_map(|change| (0..40).map(move |step| change - 1 + step * 3_600));
        coarse.chain(fine).collect()
    }

    /// What date(1) says, a line for each time.
    fn expected(zone: &str, times: &[u64]) -> String {
        let mut date = Command::new("date")
            .env("TZ", zone)
            .args(["--file=-", "+%m-%d %H:%M:%S"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("date of the GNU coreutils");
        let mut lines = String::new();
        for time in times {
            let _ = writeln!(lines, "@{time}");
        }
        let mut input = date.stdin.take().expect("piped");
        let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
        let done = date.wait_with_output().expect("its end");
        writer.join().expect("no panic").expect("written");
        String::from_utf8(done.stdout).expect("text")
    }

    fn found(zone: &str, times: &[u64]) -> String {
        let zone = zone_of(zone::select(Some(zone.into()), None));
        let mut text = String::new();
        for time in times {
            let local = zone.civil_time(*time);
            let (month, day) = (local.month + 1, local.day);
            let (hour, minute, second) = (local.hour, local.minute, local.second);
            let _ = writeln!(text, "{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
        }
        text
    }

    #[test]
    fn local_time_is_that_of_the_c_library_for_every_rule() {
        let times = times();
        for zone in [
            "",
            "UTC0",
            "no such zone",
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "AEST-10AEDT,M10.1.0,M4.1.0/3",
            "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
            "IST-2IDT,M3.4.4/26,M10.5.0",
            "AAA3BBB,J60/1:30,J300",
            "AAA3BBB,59/1:30,299/0:0:1",
        ] {
            assert_eq!(found(zone, &times), expected(zone, &times), "{zone}");
        }
    }

    /// The zones that this machine has: of a small system, few.
    #[test]
    fn local_time_is_that_of_the_c_library_in_every_zone() {
        let times = times();
        let mut directories = vec![PathBuf::from("/usr/share/zoneinfo")];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                let (path, kind) = (entry.path(), entry.file_type().expect("a type"));
                // The zones in `right` count leap seconds, which the time of this kernel does not; those in `posix` are the same again.
                if kind.is_dir() && entry.file_name() != "right" && entry.file_name() != "posix" {
                    directories.push(path);
                } else if kind.is_file() && std::fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"TZif")) {
                    let zone = path.to_str().expect("a name");
                    assert_eq!(found(zone, &times), expected(zone, &times), "{zone}");
                }
            }
        }
        assert_eq!(found(LOCAL_TIME, &times), expected(LOCAL_TIME, &times));
    }
}
