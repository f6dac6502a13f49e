//! The clocks.

use crate::file;
use std::time::Duration;

/// Time since boot, suspension included: `CLOCK_BOOTTIME` of clock_gettime(2).
#[must_use]
pub fn since_boot() -> Duration {
    read(libc::CLOCK_BOOTTIME)
}

/// Time since 1970-01-01 UTC: `CLOCK_REALTIME` of clock_gettime(2).
#[must_use]
pub fn since_epoch() -> Duration {
    read(libc::CLOCK_REALTIME)
}

/// The id of this boot, from `/proc/sys/kernel/random/boot_id` (random(4)) without its newline; `None` without `/proc`.
#[must_use]
pub fn boot_id() -> Option<Vec<u8>> {
    let mut buffer = [0; 64];
    let text = file::read_proc("/proc/sys/kernel/random/boot_id", &mut buffer)?;
    Some(text.trim_ascii_end().to_vec())
}

/// By how much `CLOCK_BOOTTIME` of this time namespace is ahead of the machine's, as in `/proc/PID/timens_offsets`
/// (time_namespaces(7)): `SECONDS:NANOSECONDS`. `None` if it is not, and without time namespaces.
#[must_use]
pub fn boot_offset() -> Option<Vec<u8>> {
    let mut buffer = [0; 256];
    let text = file::read_proc("/proc/self/timens_offsets", &mut buffer)?;
    let line = text
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"boottime"))?;
    let mut numbers = line.split(|byte| *byte == b' ').filter(|number| !number.is_empty());
    let (seconds, nanoseconds) = (numbers.next()?, numbers.next()?);
    (seconds != b"0" || nanoseconds != b"0").then(|| [seconds, b":", nanoseconds].concat())
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a value that lives through the call. It cannot fail for these clocks.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    // A wall clock before 1970 reads as 1970.
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
