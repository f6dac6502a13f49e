//! A lease on this boot, as a daemon would write it.

use std::fs;

/// `boot=`
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .expect("/proc")
        .trim_end()
        .to_owned()
}

/// `until=` for this many seconds from now.
pub(crate) fn until(seconds: f64) -> String {
    let uptime = fs::read_to_string("/proc/uptime").expect("/proc");
    let now: f64 = uptime
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("seconds");
    format!("until={:.3}", now + seconds)
}
