//! The daemon's interfaces to administrators and other programs.

pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod socket;
pub(crate) mod systemd;

use control::{Request, Response};
use tokio::sync::mpsc;

/// A request that the daemon's loop must answer.
pub(crate) struct PendingRequest {
    /// The request. Its sender is permitted to send it.
    pub(crate) request: Request,
    /// The sender sees only this user's jobs and ticks. `None`: all.
    pub(crate) only_user: Option<String>,
    /// Who has sent it, for the log and for `rcronctl status`; empty for a request that changes nothing.
    pub(crate) asked_by: String,
    /// For the answers. The last one must be a [`Response::is_last`]. The channel is closed when the client has gone or its
    /// time limit has passed; the loop completes what it has begun anyway.
    pub(crate) replies: mpsc::Sender<Response>,
}
