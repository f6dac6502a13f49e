//! What the connections, the tasks of the store and the thread that reads crontabs send to the loop.

use super::crontabs::Crontabs;
use super::peers::Peers;
use crate::drift::NodeJobs;
use claims::{Client, Reading};
use lease::{Call, ClusterName, Verdict};
use policy::claim::{Answer, Ended, Request};
use std::sync::Arc;
use store::Error;
use tokio::sync::mpsc::UnboundedSender;

/// Something that has happened, for the claims machine.
pub(crate) enum ClaimsEvent {
    /// A read has ended.
    Read(Call, Result<Reading, Error>),
    /// A change has ended; without an answer perhaps with the reason.
    Changed(Call, Verdict, Option<Error>),
    /// The store reports that a job may have been changed.
    RecordsChanged,
    /// Whether the store's watch works.
    Watching(bool),
    /// The crontabs were read, and have changed.
    CrontabsRead(Arc<Crontabs>),
    /// What this server publishes of itself has changed.
    RecordChanged(Arc<NodeJobs>),
    /// The sessions and jobs of all nodes were read.
    PeersRead(Arc<Peers>),
}

/// A message of a connection.
pub(crate) enum ClientEvent {
    /// The first line. The connection waits for answers.
    Asked(Box<Asked>),
    /// The grant was not used.
    NotStarted(Client),
    /// The run is over.
    Ended(Client, Ended),
    /// The connection is closed. The last message of each connection that has asked.
    HungUp(Client),
}

/// The first line of a connection.
pub(crate) struct Asked {
    pub(crate) client: Client,
    /// The name of the user who runs rcron, from the kernel and passwd(5).
    pub(crate) user: Arc<str>,
    /// The cluster that the state file belongs to.
    pub(crate) cluster: ClusterName,
    /// A claim, a question or a run that has a grant.
    pub(crate) request: Request,
    pub(crate) answers: Answers,
}

/// Where the answers for a connection go. It closes the connection after the last one, and when this is dropped. The answers are
/// boxed because a channel has room for 32 of them in advance.
pub(crate) type Answers = UnboundedSender<Box<Answer>>;
