//! The socket for rcronctl: rcrond(8), "SOCKET". Any user may look, root and the daemon's own user may drain.
//!
//! Each connection is a task that asks the daemon's loop through a channel, so that a client holds up nobody but itself. Everything a
//! client can draw out ends at a time limit, and there are only so many seats, some of them for those who may drain.

mod conversation;
mod seats;
#[cfg(test)]
mod tests;

use control::client::{Connection, NoAnswer};
use control::{Request, Response};
use seats::Seats;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// How long a daemon that has this socket may take to accept a connection.
const PROBE: Duration = Duration::from_secs(2);
/// After an accept(2) that failed, most likely for want of descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// A question for the daemon's loop.
pub(crate) struct Ask {
    /// What is asked. Whoever asks may: that was seen to.
    pub(crate) request: Request,
    /// Where the answers go, the last of them a [`Response::is_last`]. Closed when the client has gone or its time is over; what was begun goes
    /// on all the same.
    pub(crate) replies: mpsc::Sender<Response>,
}

/// Who may drain.
#[derive(Clone, Copy, Debug)]
struct Owner(u32);

impl Owner {
    const fn may_drain(self, uid: u32) -> bool {
        uid == 0 || uid == self.0
    }
}

/// What all conversations share.
struct Desk {
    asks: mpsc::Sender<Ask>,
    owner: Owner,
    turns: Turns,
}

/// Held while the question of a user who may only look is with the loop: it gets one of each kind at a time. What the loop knows itself need not
/// wait for what the store is asked.
#[derive(Default)]
struct Turns {
    own: Mutex<()>,
    nodes: Mutex<()>,
}

/// Listens, for everybody. A socket whose daemon has died is replaced; call it from within a runtime.
///
/// # Errors
/// The system's; [`ErrorKind::AddrInUse`] if another daemon has the socket or the path is another kind of file.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    if let Ok(metadata) = fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(in_use(path, "is there, and is no socket"));
        }
        match Connection::open(path, PROBE) {
            Err(NoAnswer::NotListening) => fs::remove_file(path)?,
            Err(NoAnswer::NoSocket) => {}
            Err(NoAnswer::System(error)) => return Err(error),
            Ok(_) | Err(_) => return Err(in_use(path, "has a daemon that listens already")),
        }
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    Ok(listener)
}

fn in_use(path: &Path, what: &str) -> io::Error {
    io::Error::new(ErrorKind::AddrInUse, format!("{} {what}", path.display()))
}

/// Serves until it is dropped, which ends all conversations.
pub(crate) async fn serve(listener: UnixListener, asks: mpsc::Sender<Ask>) {
    let desk = Arc::new(Desk {
        asks,
        owner: Owner(nix::unistd::geteuid().as_raw()),
        turns: Turns::default(),
    });
    let seats = Arc::new(Seats::default());
    let mut conversations = JoinSet::new();
    let mut is_told = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                is_told = false;
                welcome(stream, &desk, &seats, &mut conversations);
            }
            Err(error) => {
                if !std::mem::replace(&mut is_told, true) {
                    log::warn!("rcronctl cannot connect: {error}");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        while conversations.try_join_next().is_some() {}
    }
}

/// Gives a client a seat, or says that there is none.
fn welcome(stream: UnixStream, desk: &Arc<Desk>, seats: &Arc<Seats>, conversations: &mut JoinSet<()>) {
    let Ok(peer) = stream.peer_cred() else { return };
    let uid = peer.uid();
    match seats.take(uid, desk.owner.may_drain(uid)) {
        Some(seat) => {
            let desk = Arc::clone(desk);
            conversations.spawn(async move {
                conversation::hold(stream, uid, &desk).await;
                drop(seat);
            });
        }
        // A new connection has room for a line.
        None => drop(stream.try_write(&conversation::line(&Response::Error {
            message: "rcrond is busy with other questions: ask again".to_owned(),
        }))),
    }
}
