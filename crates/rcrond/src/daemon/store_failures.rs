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

/// The store does not answer.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// The error of the last call that was not answered. Cleared when the store answers again.
    failure: Option<Error>,
    /// Whether the log says that the store does not answer.
    is_logged: bool,
    logged: LoggedCauses,
}

impl Outage {
    /// A call was not answered. The machine decides whether this is an outage.
    pub(super) fn failed(&mut self, failure: Error) {
        self.failure = Some(failure);
    }

    pub(super) fn cause(&self) -> Option<String> {
        self.failure.as_ref().map(ToString::to_string)
    }

    /// The outage was logged with this cause.
    pub(super) fn was_logged(&mut self, cause: Option<&str>) {
        self.is_logged = true;
        if let Some(cause) = cause {
            self.logged.admit(cause, clock::boot_time());
        }
    }

    /// The cause, if it must be logged now.
    fn new_cause(&mut self) -> Option<String> {
        let cause = self.cause().filter(|_| self.is_logged)?;
        self.logged.admit(&cause, clock::boot_time()).then_some(cause)
    }
}

/// Whether the store reports changes, and why not.
#[derive(Debug, Default)]
pub(super) struct WatchStatus {
    works: bool,
    /// The error of the last attempt, if it has failed.
    failure: Option<Error>,
    /// How many attempts have failed since the watch or the store did not work.
    failures: u64,
    logged: LoggedCauses,
    is_logged: bool,
}

impl WatchStatus {
    pub(super) const fn works(&self) -> bool {
        self.works
    }

    pub(super) fn cause(&self) -> Option<String> {
        self.failure.as_ref().map(ToString::to_string)
    }
}

impl Daemon {
    /// To be called after the machine has learned of a failure.
    pub(super) fn log_store_failure(&mut self) {
        if self.machine.is_answered() {
            return;
        }
        if let Some(cause) = self.outage.new_cause() {
            log_store_still_silent(&cause);
        }
    }

    pub(super) fn watch_works(&mut self) {
        let works = WatchStatus {
            works: true,
            ..WatchStatus::default()
        };
        if std::mem::replace(&mut self.watch, works).is_logged {
            log::info!("the store reports changes again");
        }
    }

    /// While the store does not answer at all, nothing else is said about its watch.
    pub(super) fn watch_failed(&mut self, failure: Error) {
        let watch = &mut self.watch;
        watch.works = false;
        watch.failures = if self.machine.is_answered() {
            watch.failures + 1
        } else {
            0
        };
        let cause = failure.to_string();
        watch.failure = Some(failure);
        if watch.failures > FEW_FAILURES && watch.logged.admit(&cause, clock::boot_time()) {
            watch.is_logged = true;
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
