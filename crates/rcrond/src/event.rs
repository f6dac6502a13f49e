//! What the loop waits for. The tasks around it send it these events; it answers none of them.

use crate::api::PendingRequest;
use crate::claims::{ClaimsEvent, ClientEvent};
use crate::daemon::{ForeignWrite, Reload};
use crate::files::WriteError;
use crate::files::running_jobs::{JobsUnknown, RunningJobs};
use crate::new_config::{NewConfig, NewConfigError};
use control::Response;
use lease::{Call, ClusterName, Reading, Verdict};
use std::path::PathBuf;
use store::Error;
use tokio::sync::mpsc::{self, Sender, UnboundedReceiver, UnboundedSender};

/// Something that has happened.
pub(crate) enum Event {
    /// A read has ended.
    Read(Call, Result<Reading, Error>),
    /// A change has ended; without an answer perhaps with the reason.
    Changed(Call, Verdict, Option<Error>),
    /// The store reports that a watched record may have changed.
    RecordsChanged,
    /// The store's watch works; or the last attempt has failed.
    Watching(Result<(), Error>),
    /// What the administrator should know about the store's server.
    StoreWarnings(Vec<String>),
    /// A write of a cluster's state file has ended.
    StateFileWritten(ClusterName, Result<(), WriteError>),
    /// The state files of a directory were compared with what was written. These were written by another program.
    StateFilesChecked(PathBuf, Vec<ForeignWrite>),
    /// Another program had written a state file that was then written here.
    ForeignWriteReplaced(ForeignWrite),
    /// A state file that another program has written could not be written again.
    StateFileNotRestored(ClusterName, WriteError),
    /// A write of the persistent state has ended.
    PersistentStateWritten(Save, Result<(), WriteError>),
    /// The session could not be saved for the next process.
    SessionNotSaved(WriteError),
    /// The configuration was read again for a reload.
    ConfigRead(Reload, Result<Box<NewConfig>, NewConfigError>),
    /// The running jobs of a cluster that is being drained were counted.
    JobsCounted(ClusterName, Result<RunningJobs, JobsUnknown>),
    /// A client sends a request.
    Request(PendingRequest),
    /// For the claims machine.
    Claims(ClaimsEvent),
    /// An rcron claims a tick, or reports how its run has ended.
    Client(ClientEvent),
    /// The time has come for which the loop has waited.
    Tick,
    /// systemd's watchdog must be notified.
    Watchdog,
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP, or a client that waits for the answer.
    Reload(Option<Sender<Response>>),
    /// SIGUSR1: exit and leave the session to the next process.
    Exit,
}

/// A write of the persistent state.
pub(crate) struct Save {
    pub(crate) reason: SaveReason,
    /// The number of the last client of `drain` when it was written: what this client and those before have drained is in it.
    pub(crate) last_drain_client: u64,
}

/// Why the persistent state was written.
pub(crate) enum SaveReason {
    /// The machine needs these epochs on disk.
    Epochs(Vec<(ClusterName, u64)>),
    /// Clusters are drained. The client of this number waits for this.
    Drain(u64),
    /// Clusters are no longer drained. A client waits for the answer: these lines.
    Undrain(Vec<String>, Sender<Response>),
    /// The wait for running jobs is over.
    DrainFinished,
}

/// The tasks' end of the channel. Sending never waits.
#[derive(Clone, Debug)]
pub(crate) struct EventSender(UnboundedSender<Event>);

impl EventSender {
    pub(crate) fn channel() -> (Self, UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub(crate) fn send(&self, event: Event) {
        // An error means that the loop has ended.
        let _ = self.0.send(event);
    }
}
