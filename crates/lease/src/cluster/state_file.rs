//! What is known of a cluster's state file.

use crate::message::StateFileContent;
use crate::timing::BOOT;
use core::time::Duration;
use policy::moment::BootTime;

/// The pause after a write that failed.
const RETRY: Duration = Duration::from_secs(1);

/// A state file. A write can take any time. One that fails leaves the old content or the new.
#[derive(Clone, Debug)]
pub(crate) struct StateFile {
    /// The content, while it is known for certain.
    content: Option<StateFileContent>,
    /// The content that is being written.
    writing: Option<StateFileContent>,
    /// The latest `until` of every active content that the file can have.
    active_until: BootTime,
    /// The latest `until` of every shared content that the file can have.
    shared_until: BootTime,
    /// Another node may be active until then, for all that this node knows.
    other_active_until: BootTime,
    /// When a write last succeeded; `None` if the last one failed.
    written_at: Option<BootTime>,
    /// No write before this.
    retry_at: BootTime,
}

impl StateFile {
    /// `until`: the end of what an earlier process may have left in the file.
    pub(super) fn new(until: Option<BootTime>) -> Self {
        let until = until.unwrap_or(BOOT);
        Self {
            content: None,
            writing: None,
            active_until: until,
            shared_until: until,
            other_active_until: BOOT,
            written_at: None,
            retry_at: BOOT,
        }
    }

    /// Returns what to write now so that the file has the content `desired` and, if asked, was written after `fresh_since`.
    pub(super) fn begin_write(
        &mut self,
        now: BootTime,
        desired: StateFileContent,
        fresh_since: Option<BootTime>,
    ) -> Option<StateFileContent> {
        let fresh = fresh_since.is_none_or(|since| self.is_written_since(since));
        if self.writing.is_some() || now < self.retry_at || (self.content == Some(desired) && fresh) {
            return None;
        }
        match desired {
            StateFileContent::Passive => {}
            StateFileContent::Active { until, .. } => self.active_until = self.active_until.max(until),
            StateFileContent::Shared { until, .. } => self.shared_until = self.shared_until.max(until),
        }
        self.writing = Some(desired);
        Some(desired)
    }

    /// The write has ended. `done`: the file has the new content.
    pub(crate) fn end_write(&mut self, now: BootTime, done: bool) {
        let Some(content) = self.writing.take() else { return };
        if !done {
            self.content = None;
            self.written_at = None;
            self.retry_at = now.after(RETRY);
            return;
        }
        self.content = Some(content);
        self.written_at = Some(now);
        let (active_until, shared_until) = (self.active_until.min(now), self.shared_until.min(now));
        (self.active_until, self.shared_until) = match content {
            StateFileContent::Passive => (active_until, shared_until),
            StateFileContent::Active { until, .. } => (until, shared_until),
            StateFileContent::Shared { until, .. } => (active_until, until),
        };
    }

    /// What the file says for certain. While it is renewed, that is the earlier end.
    pub(crate) fn known_content(&self) -> Option<StateFileContent> {
        match (self.content, self.writing) {
            (content, None) => content,
            (Some(content), Some(writing)) => content.weaker(writing),
            (None, Some(_)) => None,
        }
    }

    /// The latest moment at which this node may start what the store grants it, by any content that the file can have.
    pub(crate) const fn shared_until(&self) -> BootTime {
        self.shared_until
    }

    pub(super) fn assume_other_active_until(&mut self, end: BootTime) {
        self.other_active_until = self.other_active_until.max(end);
    }

    /// The latest moment at which this node can be active, by any content that the file can have; or another one, as far as
    /// this node must assume.
    pub(crate) fn active_until(&self) -> BootTime {
        self.active_until.max(self.other_active_until)
    }

    pub(super) fn is_written_since(&self, since: BootTime) -> bool {
        self.written_at.is_some_and(|at| at >= since)
    }

    /// When the next write can begin; `None` while one is under way.
    pub(crate) fn retry_at(&self) -> Option<BootTime> {
        self.is_idle().then_some(self.retry_at)
    }

    pub(crate) const fn is_idle(&self) -> bool {
        self.writing.is_none()
    }
}
