//! What the loop remembers of a cluster beside the machine.

use crate::config::ClusterSettings;
use crate::disk::state_file::PreviousState;
use inputs::clock;
use lease::{NodeName, StateFileContent};
use policy::moment::BootTime;
use policy::state::State;
use std::time::Duration;

/// A run is recorded right after its start. What was started just before the file said "draining" is in the journal by then.
const QUIET: Duration = Duration::from_secs(2);

/// A cluster.
pub(crate) struct Cluster {
    pub(crate) settings: ClusterSettings,
    /// Since when the file says what it says, for people.
    since: Vec<u8>,
    /// What the file is to say, and is known to say.
    wanted: Option<StateFileContent>,
    pub(crate) says: Option<StateFileContent>,
    /// Why it could not be written, if that is so.
    pub(crate) obstacle: Option<String>,
    pub(crate) drain: Option<Drain>,
}

/// Running jobs are waited for.
pub(crate) struct Drain {
    /// How long at most.
    pub(crate) until: BootTime,
    /// Since when no job was started any more.
    pub(crate) quiet: Option<BootTime>,
    /// The journal is being read.
    pub(crate) looking: bool,
    /// How many run, or why that cannot be told.
    pub(crate) running: Result<usize, String>,
}

impl Cluster {
    pub(crate) fn new(settings: ClusterSettings, inherited: &PreviousState) -> Self {
        Self {
            settings,
            since: inherited.since.clone().unwrap_or_else(now),
            wanted: inherited.active.map(|(until, epoch)| StateFileContent::Active {
                until,
                epoch,
                draining: false,
            }),
            says: None,
            obstacle: None,
            drain: None,
        }
    }

    /// The state to write. Its `since` stays where a lease is only renewed.
    pub(crate) fn state(&mut self, content: StateFileContent, boot: &[u8], node: &NodeName) -> State {
        if self.wanted.is_none_or(|wanted| tenure(wanted) != tenure(content)) {
            self.since = now();
        }
        self.wanted = Some(content);
        content.to_state(boot, node, &self.since)
    }

    /// A write has ended. Returns whether the file has begun to be active, or has stopped, if so.
    pub(crate) fn written(&mut self, done: bool, at: BootTime) -> Option<bool> {
        if !done {
            self.says = None;
            return None;
        }
        self.obstacle = None;
        let before = self.says.map(is_active);
        self.says = self.wanted;
        if let (Some(drain), Some(StateFileContent::Active { draining: true, .. } | StateFileContent::Passive)) =
            (&mut self.drain, self.says)
        {
            drain.quiet = drain.quiet.or(Some(at));
        }
        let after = self.says.map(is_active)?;
        (before.unwrap_or(false) != after).then_some(after)
    }

    /// Whether its file says what is so, or cannot be made to.
    pub(crate) const fn is_settled(&self) -> bool {
        self.says.is_some() || self.obstacle.is_some()
    }

    /// Jobs are waited for from now on.
    pub(crate) fn begin_drain(&mut self, until: BootTime) {
        self.drain = Some(Drain {
            until,
            quiet: None,
            looking: false,
            running: Err("looking which jobs run".to_owned()),
        });
    }

    /// Whether the jobs have ended, or have been waited for long enough.
    pub(crate) fn is_drained(&self, now: BootTime) -> bool {
        self.drain
            .as_ref()
            .is_some_and(|drain| drain.until <= now || drain.is_quiet(now))
    }
}

impl Drain {
    fn is_quiet(&self, now: BootTime) -> bool {
        let long_enough = self.quiet.is_some_and(|since| since.after(QUIET) <= now);
        long_enough && self.running == Ok(0) && !self.looking
    }
}

/// Whether jobs may be started, or go on.
pub(crate) const fn is_active(content: StateFileContent) -> bool {
    matches!(content, StateFileContent::Active { .. })
}

const fn tenure(content: StateFileContent) -> Option<u64> {
    match content {
        StateFileContent::Passive => None,
        StateFileContent::Active { epoch, .. } => Some(epoch),
    }
}

fn now() -> Vec<u8> {
    clock::wall_time().rfc3339_seconds().into_bytes()
}
