//! The clocks. Each has a type of its own, so that their times cannot be mixed.

use policy::datagram::CivilTime;
use policy::moment::{BootTime, WallTime};
use sys::clock;

pub use sys::clock::boot_id;

/// `CLOCK_BOOTTIME`.
#[must_use]
pub fn boot_time() -> BootTime {
    BootTime(clock::since_boot())
}

/// `CLOCK_REALTIME`.
#[must_use]
pub fn wall_time() -> WallTime {
    WallTime(clock::since_epoch())
}

/// A moment in the local time zone; in UTC if `TZ` names what is not a zone file of the system.
#[must_use]
pub fn civil_time(wall: WallTime) -> CivilTime {
    let Some(local) = clock::local_time(wall.0) else {
        return CivilTime::utc(wall);
    };
    CivilTime {
        month: usize::from(local.month),
        day: local.day,
        hour: local.hour,
        minute: local.minute,
        second: local.second,
    }
}
