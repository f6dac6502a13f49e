//! What is known of a cluster's state file.

use super::message::StateFileContent;
use core::time::Duration;
use policy::moment::BootTime;

/// After a failure, the next attempt.
const RETRY: Duration = Duration::from_secs(1);

/// A state file. Writes take any time, may fail, and leave then the old content or the new.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// What it says for certain.
    says: Option<StateFileContent>,
    /// What is being written.
    writing: Option<StateFileContent>,
    /// From here on nothing that it may say is active.
    horizon: BootTime,
    /// Nor before this is it known that no other node is.
    doubt: BootTime,
    /// When a write last succeeded.
    proved: Option<BootTime>,
    /// No attempt before this.
    retry: BootTime,
}

impl File {
    pub(super) const fn new(active_until: Option<BootTime>) -> Self {
        let horizon = match active_until {
            Some(until) => until,
            None => BootTime(Duration::ZERO),
        };
        Self {
            says: None,
            writing: None,
            horizon,
            doubt: BootTime(Duration::ZERO),
            proved: None,
            retry: BootTime(Duration::ZERO),
        }
    }

    /// What to write now, if it is to say `desired` and has been written since `proof`.
    pub(super) fn write(
        &mut self,
        now: BootTime,
        desired: StateFileContent,
        proof: Option<BootTime>,
    ) -> Option<StateFileContent> {
        let proved = proof.is_none_or(|since| self.proved.is_some_and(|at| at >= since));
        if self.writing.is_some() || now < self.retry || (self.says == Some(desired) && proved) {
            return None;
        }
        if let StateFileContent::Active { until, .. } = desired {
            self.horizon = self.horizon.max(until);
        }
        self.writing = Some(desired);
        Some(desired)
    }

    /// The write has ended.
    pub(super) fn written(&mut self, now: BootTime, done: bool) {
        let Some(content) = self.writing.take() else { return };
        if !done {
            self.says = None;
            self.proved = None;
            self.retry = now.after(RETRY);
            return;
        }
        self.says = Some(content);
        self.proved = Some(now);
        self.horizon = match content {
            StateFileContent::Passive => self.horizon.min(now),
            StateFileContent::Active { until, .. } => until,
        };
    }

    /// Somebody's may be active until then, for all that is known.
    pub(super) fn doubt_until(&mut self, end: BootTime) {
        self.doubt = self.doubt.max(end);
    }

    /// The last moment at which it may have been active, or may be.
    pub(super) fn horizon(&self) -> BootTime {
        self.horizon.max(self.doubt)
    }

    /// Whether it has been written since.
    pub(super) fn proved_since(&self, since: BootTime) -> bool {
        self.proved.is_some_and(|at| at >= since)
    }

    pub(super) const fn retry(&self) -> BootTime {
        self.retry
    }

    pub(super) const fn idle(&self) -> bool {
        self.writing.is_none()
    }
}
