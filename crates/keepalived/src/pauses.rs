//! Pauses of keepalived or of this service, after which keepalived's last event may be out of date.

use policy::moment::{BootTime, WallTime};
use std::time::Duration;

/// If this service has not run for longer than this, the whole machine may have been suspended, and another server may be the master:
/// VRRP needs three of its intervals, of a second by default, to notice. A shorter limit would be reached on a busy machine.
const LONGEST_GAP: Duration = Duration::from_secs(3);
/// How long keepalived's state is ignored after a pause, so that keepalived can hear first that another server is the master.
const SETTLE: Duration = Duration::from_millis(1500);

/// Checked about once a second.
pub(crate) struct Pauses {
    /// The time of the last check. keepalived was not paused then, or there is a hold.
    checked: BootTime,
    hold: Option<Hold>,
}

/// While there is a hold, every instance is passive.
struct Hold {
    /// For the attribute `since` of the instances that were active.
    since: String,
    /// Each check that still finds a pause extends it.
    until: BootTime,
}

/// What a check has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HoldChange {
    BeginsForKeepalived,
    BeginsForService,
    Ends,
}

impl Pauses {
    pub(crate) fn new(now: BootTime) -> Self {
        Self {
            checked: now,
            hold: None,
        }
    }

    /// The leases of the files that are written now count from here, however long a stalled disk delays the writing.
    pub(crate) fn checked(&self) -> BootTime {
        self.checked
    }

    /// Since when every instance is passive; `None` if keepalived's events count.
    pub(crate) fn hold_since(&self) -> Option<&str> {
        self.hold.as_ref().map(|hold| hold.since.as_str())
    }

    /// Every instance has just become passive: there is no event left that could be out of date.
    pub(crate) fn clear(&mut self) {
        self.hold = None;
    }

    pub(crate) fn check(&mut self, now: BootTime, utc: WallTime, keepalived_is_stopped: bool) -> Option<HoldChange> {
        let was_paused = now.since(self.checked) > LONGEST_GAP;
        self.checked = now;
        if keepalived_is_stopped || was_paused {
            let until = now.after(SETTLE);
            if let Some(hold) = &mut self.hold {
                hold.until = until;
                return None;
            }
            let since = utc.rfc3339_seconds();
            self.hold = Some(Hold { since, until });
            return Some(if keepalived_is_stopped {
                HoldChange::BeginsForKeepalived
            } else {
                HoldChange::BeginsForService
            });
        }
        self.hold.take_if(|hold| hold.until <= now).map(|_| HoldChange::Ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks at milliseconds of `CLOCK_BOOTTIME`, with keepalived stopped or not.
    fn check(pauses: &mut Pauses, now: u64, is_stopped: bool) -> Option<HoldChange> {
        let now = Duration::from_millis(now);
        pauses.check(BootTime(now), WallTime(now), is_stopped)
    }

    fn new() -> Pauses {
        Pauses::new(BootTime(Duration::ZERO))
    }

    #[test]
    fn of_keepalived_hold_until_it_had_time_to_hear_the_others() {
        let mut pauses = new();
        assert_eq!(check(&mut pauses, 1000, false), None);
        assert_eq!(check(&mut pauses, 2000, true), Some(HoldChange::BeginsForKeepalived));
        assert_eq!(check(&mut pauses, 3000, true), None);
        assert_eq!(check(&mut pauses, 4499, false), None);
        assert_eq!(pauses.hold_since(), Some("1970-01-01T00:00:02Z"));
        assert_eq!(check(&mut pauses, 4500, false), Some(HoldChange::Ends));
        assert_eq!(pauses.hold_since(), None);
    }

    #[test]
    fn of_the_service_hold_from_three_seconds_on() {
        let mut pauses = new();
        assert_eq!(check(&mut pauses, 3000, false), None);
        assert_eq!(check(&mut pauses, 6001, false), Some(HoldChange::BeginsForService));
        assert_eq!(check(&mut pauses, 7500, false), None);
        assert_eq!(check(&mut pauses, 7501, false), Some(HoldChange::Ends));
    }

    #[test]
    fn end_with_keepalived() {
        let mut pauses = new();
        check(&mut pauses, 1000, true);
        pauses.clear();
        assert_eq!(pauses.hold_since(), None);
        assert_eq!(check(&mut pauses, 2000, false), None);
    }
}
