//! A lease on this boot, as a daemon would write it.

use std::fs;
use std::path::Path;

/// `boot=`
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .expect("/proc")
        .trim_end()
        .to_owned()
}

/// `until=` for this many seconds from now.
pub(crate) fn until(seconds: f64) -> String {
    format!("until={:.3}", now() + seconds)
}

/// An active state with a lease that outlasts every test.
pub(crate) fn active(epoch: u64) -> String {
    format!("active {} boot={} epoch={epoch}\n", until(550.0), boot_id())
}

/// Whether the lease in this state file has ended.
pub(crate) fn has_ended(state: &Path) -> bool {
    let text = fs::read_to_string(state).expect("a state file");
    let until = text.split(' ').find_map(|word| word.strip_prefix("until="));
    now() >= until.and_then(|end| end.parse().ok()).expect("a lease")
}

/// `CLOCK_BOOTTIME` in seconds, up to a hundredth of a second late.
pub(crate) fn now() -> f64 {
    let uptime = fs::read_to_string("/proc/uptime").expect("/proc");
    let first = uptime.split(' ').next();
    first.and_then(|number| number.parse().ok()).expect("seconds")
}
