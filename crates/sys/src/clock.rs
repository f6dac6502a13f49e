//! The clocks.

use crate::zone;
use std::mem::MaybeUninit;
use std::time::Duration;

/// A time in the local zone, without its year, as in a syslog line.
#[derive(Clone, Copy, Debug)]
pub struct LocalTime {
    /// 0 for January.
    pub month: u8,
    /// From 1.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
}

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
    let text = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim_ascii_end().to_vec())
}

/// The local time at this duration since 1970-01-01 UTC, according to `TZ` or `/etc/localtime`: localtime_r(3). `None` if `TZ` leads to
/// a file that is not one of the system's zones: it is not opened.
#[must_use]
pub fn local_time(since_epoch: Duration) -> Option<LocalTime> {
    if !zone::is_safe() {
        return None;
    }
    let seconds = libc::time_t::try_from(since_epoch.as_secs()).unwrap_or(libc::time_t::MAX);
    let mut broken_down = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values that live through the call.
    unsafe { libc::localtime_r(&raw const seconds, broken_down.as_mut_ptr()) };
    // SAFETY: zeroed before, filled in if the call succeeded; either way every field is an integer or a null pointer.
    let time = unsafe { broken_down.assume_init() };
    let small = |number: libc::c_int| u8::try_from(number).unwrap_or_default();
    Some(LocalTime {
        month: small(time.tm_mon),
        day: small(time.tm_mday),
        hour: small(time.tm_hour),
        minute: small(time.tm_min),
        second: small(time.tm_sec),
    })
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a value that lives through the call. It cannot fail for these clocks.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    // A wall clock before 1970 reads as 1970.
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
