//! The socket for rcronctl: rcrond(8), "SOCKET". Each user may ask for the status, and for ticks and jobs of their own; root and the
//! daemon's own user may ask for everybody's, and drain.
//!
//! Each connection is a task that sends its request to the daemon's loop through a channel, so that a slow client delays nobody
//! else. Each task ends at a time limit. The number of connections is limited, and some are reserved for users who may drain.

mod connection;
mod limits;
mod peer;
#[cfg(test)]
mod tests;

use super::PendingRequest;
use crate::claims::Users;
use control::Response;
use control::client::{Connection, NoAnswer};
use limits::ConnectionLimits;
use peer::Peer;
use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use sys::output::error_text;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// How long another daemon on this socket may take to accept a connection.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// After an accept(2) that failed, most likely because no descriptor was free.
const PAUSE: Duration = Duration::from_millis(200);

/// Why rcrond cannot listen on its socket.
#[derive(Debug)]
pub(crate) enum ListenError {
    /// The path is another kind of file.
    NotASocket,
    /// Another process listens on it.
    InUse,
    /// A system call failed.
    System(io::Error),
}

impl fmt::Display for ListenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASocket => out.write_str("the file exists and is not a socket"),
            Self::InUse => out.write_str("another process listens already"),
            Self::System(error) => out.write_str(&error_text(error)),
        }
    }
}

impl From<io::Error> for ListenError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// The user ID of the daemon.
#[derive(Clone, Copy, Debug)]
struct Owner(u32);

impl Owner {
    const fn may_drain(self, uid: u32) -> bool {
        uid == 0 || uid == self.0
    }
}

/// What all connections share.
struct Context {
    requests: mpsc::Sender<PendingRequest>,
    owner: Owner,
    query_locks: QueryLocks,
    users: Users,
}

/// A connection of a user who may not drain holds one of the locks while the loop works on its request. So the loop has at most
/// one such request of each kind at a time. There are two, because a request that the daemon answers alone need not wait for
/// the store.
#[derive(Default)]
struct QueryLocks {
    daemon: Mutex<()>,
    store: Mutex<()>,
}

/// Listens for all users. The socket of a daemon that has died is replaced. Must be called within a runtime.
///
/// # Errors
/// [`ListenError`].
pub(crate) fn listen(path: &Path) -> Result<UnixListener, ListenError> {
    if let Ok(metadata) = fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(ListenError::NotASocket);
        }
        match Connection::open(path, PROBE_LIMIT) {
            Err(NoAnswer::NotListening) => fs::remove_file(path)?,
            Err(NoAnswer::NoSocket) => {}
            Err(NoAnswer::System(error)) => return Err(error.into()),
            Ok(_) | Err(_) => return Err(ListenError::InUse),
        }
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    Ok(listener)
}

/// Serves clients until it is dropped. That ends all connections.
pub(crate) async fn serve(listener: UnixListener, requests: mpsc::Sender<PendingRequest>) {
    let context = Arc::new(Context {
        requests,
        owner: Owner(nix::unistd::geteuid().as_raw()),
        query_locks: QueryLocks::default(),
        users: Users::new(),
    });
    let limits = Arc::new(ConnectionLimits::default());
    let mut connections = JoinSet::new();
    let mut is_logged = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                is_logged = false;
                start_connection(stream, &context, &limits, &mut connections);
            }
            Err(error) => {
                if !std::mem::replace(&mut is_logged, true) {
                    log::warn!("cannot accept connections of rcronctl: {}", error_text(&error));
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Starts the connection's task, or answers that there are too many connections.
fn start_connection(
    stream: UnixStream,
    context: &Arc<Context>,
    limits: &Arc<ConnectionLimits>,
    connections: &mut JoinSet<()>,
) {
    let Ok(credentials) = stream.peer_cred() else { return };
    let peer = Peer {
        uid: credentials.uid(),
        pid: credentials.pid(),
    };
    let uid = peer.uid;
    match limits.reserve(uid, context.owner.may_drain(uid)) {
        Some(reservation) => {
            let context = Arc::clone(context);
            connections.spawn(async move {
                connection::serve(stream, peer, &context).await;
                drop(reservation);
            });
        }
        // The buffer of a new connection has room for a line, so this does not wait.
        None => drop(stream.try_write(&connection::to_line(&Response::Error {
            message: "rcrond is busy with other requests: try again".to_owned(),
        }))),
    }
}
