//! What the loop knows about a cluster in addition to the machine.

use super::job_wait::JobWait;
use crate::config::ClusterSettings;
use crate::files::WriteError;
use crate::files::foreign_write::WrittenFile;
use crate::files::state_file::PreviousState;
use inputs::clock;
use lease::{NodeName, SessionId, StateFileContent};
use policy::moment::BootTime;
use policy::state::State;

pub(super) struct ClusterState {
    pub(super) settings: ClusterSettings,
    /// The `since=` of the state file: when the cluster has become active with its epoch, or passive.
    since: Vec<u8>,
    /// The content that the machine wants in the state file.
    desired: Option<StateFileContent>,
    /// The content that the file is known to have; `None` before the first write and after a failed one.
    written: Option<StateFileContent>,
    /// What the file contains after the last write that was started; to notice if another program writes it.
    file: Option<WrittenFile>,
    /// How many writes have been started and have not ended.
    writes_in_progress: usize,
    /// The error of the last write, if it has failed.
    write_error: Option<WriteError>,
    /// What the log says about the file.
    logged_word: FileWord,
    /// Since when the file starts no jobs: it is passive or draining.
    no_starts_since: Option<BootTime>,
    /// Present while running jobs are waited for.
    pub(super) job_wait: Option<JobWait>,
    /// The last foreign write that was logged, and when.
    pub(super) logged_foreign_write: Option<(String, BootTime)>,
}

impl ClusterState {
    pub(super) fn new(settings: ClusterSettings, previous: &PreviousState) -> Self {
        Self {
            settings,
            since: previous.since.clone().unwrap_or_else(now),
            desired: previous.content,
            written: None,
            file: None,
            writes_in_progress: 0,
            write_error: None,
            logged_word: FileWord::Passive,
            no_starts_since: None,
            job_wait: None,
            logged_foreign_write: None,
        }
    }

    /// The state to write now. Its `since` does not change when a lease is renewed.
    pub(super) fn begin_write(&mut self, content: StateFileContent, boot: &[u8], node: &NodeName) -> State {
        if self.desired.is_none_or(|desired| role(desired) != role(content)) {
            self.since = now();
        }
        self.desired = Some(content);
        let state = content.to_state(boot, node, &self.since);
        self.file = Some(WrittenFile::new(state.clone()));
        self.writes_in_progress += 1;
        state
    }

    /// A write has ended. If the file has become active, shared or passive by it, returns which.
    pub(super) fn end_write(&mut self, result: Result<(), WriteError>, now: BootTime) -> Option<FileWord> {
        self.writes_in_progress = self.writes_in_progress.saturating_sub(1);
        self.written = match &result {
            Ok(()) => self.desired,
            Err(WriteError::MadePassiveInPlace(_)) => Some(StateFileContent::Passive),
            Err(_) => None,
        };
        self.write_error = result.err();
        match self.written {
            Some(content) if !starts_jobs(content) => self.no_starts_since = self.no_starts_since.or(Some(now)),
            _ => self.no_starts_since = None,
        }
        // What a file contains that could not be written is not known.
        let word = word(self.written?);
        let has_changed = word != core::mem::replace(&mut self.logged_word, word);
        has_changed.then_some(word)
    }

    /// The file as it must be, if it is known to be so unless another program writes it.
    pub(super) fn settled_file(&self) -> Option<&WrittenFile> {
        let is_settled = self.writes_in_progress == 0 && self.written.is_some() && self.write_error.is_none();
        self.file.as_ref().filter(|_| is_settled)
    }

    /// Whether the file is known to be active. Its lease may have expired.
    pub(super) const fn is_active(&self) -> bool {
        matches!(self.written, Some(StateFileContent::Active { .. }))
    }

    /// Whether the file is known to be passive.
    pub(super) const fn is_passive(&self) -> bool {
        matches!(self.written, Some(StateFileContent::Passive))
    }

    /// Whether the last write of the file has succeeded, or none has ended yet.
    pub(super) const fn is_writable(&self) -> bool {
        self.write_error.is_none()
    }

    /// Whether the file has the desired content, or cannot be written.
    pub(super) const fn is_settled(&self) -> bool {
        self.written.is_some() || self.write_error.is_some()
    }

    /// The path and the error of the last write, if it has failed.
    pub(super) fn write_failure(&self) -> Option<String> {
        let error = self.write_error.as_ref()?;
        Some(format!("{}: {error}", self.settings.state_file.display()))
    }

    /// Ends the wait for running jobs if they have ended or its time is over.
    pub(super) fn end_job_wait(&mut self, now: BootTime) -> Option<JobWait> {
        let no_starts_since = self.no_starts_since;
        self.job_wait.take_if(|wait| wait.is_over(no_starts_since, now))
    }
}

/// What a state file says, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileWord {
    Active,
    Shared,
    Passive,
}

impl FileWord {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Shared => "shared",
            Self::Passive => "passive",
        }
    }
}

const fn word(content: StateFileContent) -> FileWord {
    match content {
        StateFileContent::Passive => FileWord::Passive,
        StateFileContent::Active { .. } => FileWord::Active,
        StateFileContent::Shared { .. } => FileWord::Shared,
    }
}

/// Whether rcron starts jobs with this file.
const fn starts_jobs(content: StateFileContent) -> bool {
    match content {
        StateFileContent::Passive => false,
        StateFileContent::Active { draining, .. } | StateFileContent::Shared { draining, .. } => !draining,
    }
}

/// What stays the same while a lease is renewed: the word, and the epoch or the session.
const fn role(content: StateFileContent) -> (Option<u64>, Option<SessionId>) {
    match content {
        StateFileContent::Passive => (None, None),
        StateFileContent::Active { epoch, .. } => (Some(epoch), None),
        StateFileContent::Shared { session, .. } => (None, Some(session)),
    }
}

fn now() -> Vec<u8> {
    clock::wall_time().rfc3339_seconds().into_bytes()
}
