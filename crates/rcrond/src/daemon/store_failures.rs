//! Why the store or its watch fails. An outage is logged once, with its first cause. A cause that appears later is logged when it
//! appears, because it may be the one that must be mended; each that lasts is repeated every five minutes.

use super::Daemon;
use crate::api::log::log_store_still_silent;
use inputs::clock;
use policy::moment::BootTime;
use std::time::Duration;
use store::Error;

/// Between two messages about the same cause.
const PAUSE: Duration = Duration::from_secs(300);
/// Several servers can fail in turn, each with its own cause.
const MAX_CAUSES: usize = 16;
/// A watch that fails once is started again a moment later.
const FEW_FAILURES: u64 = 1;

/// The causes of a fault that were logged, and when.
#[derive(Debug, Default)]
pub(super) struct LoggedCauses(Vec<(String, BootTime)>);

impl LoggedCauses {
    /// Whether to log this cause now.
    pub(super) fn admit(&mut self, cause: &str, now: BootTime) -> bool {
        let key = without_numbers(cause);
        if let Some((_, at)) = self.0.iter_mut().find(|(logged, _)| *logged == key) {
            let is_due = now.since(*at) >= PAUSE;
            if is_due {
                *at = now;
            }
            return is_due;
        }
        let has_room = self.0.len() < MAX_CAUSES;
        if has_room {
            self.0.push((key, now));
        }
        has_room
    }
}

/// Times and port numbers differ from one attempt to the next.
fn without_numbers(cause: &str) -> String {
    cause.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

/// Why the store does not report changes.
#[derive(Debug, Default)]
pub(super) struct WatchFailures {
    /// The error of the last attempt; `None` while the watch works.
    pub(super) last: Option<Error>,
    /// How many attempts have failed since the watch or the store did not work.
    count: u64,
    logged: LoggedCauses,
    is_logged: bool,
}

impl Daemon {
    /// A call to the store was not answered.
    pub(super) fn store_failed(&mut self, failure: Error) {
        self.store_failure = Some(failure);
    }

    /// To be called after the machine has learned of a failure: it decides when the store is silent.
    pub(super) fn log_store_failure(&mut self) {
        if self.machine.is_answered() || !self.is_outage_logged {
            return;
        }
        let Some(cause) = self.store_failure.as_ref().map(ToString::to_string) else {
            return;
        };
        if self.logged_store_causes.admit(&cause, clock::boot_time()) {
            log_store_still_silent(&cause);
        }
    }

    /// The outage was logged with this cause.
    pub(super) fn outage_logged(&mut self, cause: Option<&str>) {
        self.is_outage_logged = true;
        if let Some(cause) = cause {
            self.logged_store_causes.admit(cause, clock::boot_time());
        }
    }

    pub(super) fn outage_ended(&mut self) {
        self.is_outage_logged = false;
        self.store_failure = None;
        self.logged_store_causes = LoggedCauses::default();
    }

    pub(super) fn watch_works(&mut self) {
        if std::mem::take(&mut self.watch_failures).is_logged {
            log::info!("the store reports changes again");
        }
    }

    /// While the store does not answer at all, nothing else is said about its watch.
    pub(super) fn watch_failed(&mut self, failure: Error) {
        let failures = &mut self.watch_failures;
        failures.count = if self.machine.is_answered() {
            failures.count + 1
        } else {
            0
        };
        let cause = failure.to_string();
        failures.last = Some(failure);
        if failures.count > FEW_FAILURES && failures.logged.admit(&cause, clock::boot_time()) {
            failures.is_logged = true;
            log::warn!("the store does not report changes, so a handover takes longer: {cause}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> BootTime {
        BootTime(Duration::from_secs(seconds))
    }

    #[test]
    fn a_new_cause_is_logged_at_once_and_a_lasting_one_every_five_minutes() {
        let mut causes = LoggedCauses::default();
        assert!(causes.admit("connection refused", at(0)));
        assert!(causes.admit("no answer within 299 ms", at(1)));
        assert!(!causes.admit("no answer within 300 ms", at(2)));
        assert!(!causes.admit("connection refused", at(299)));
        assert!(causes.admit("connection refused", at(300)));
        assert!(causes.admit("the certificate has expired", at(300)));
    }

    #[test]
    fn causes_without_end_are_not_all_logged() {
        let mut causes = LoggedCauses::default();
        let admitted = (0..100).filter(|number| causes.admit(&"x".repeat(*number), at(0)));
        assert_eq!(admitted.count(), MAX_CAUSES);
    }
}
