//! The socket for claims: rcrond(8), "SOCKETS". Each user may claim ticks of their own jobs; the kernel says who they are.
//!
//! Each connection is a task. A waiting one costs a few kilobytes, and two thousand may wait. What the tasks send to the loop goes
//! through a bounded channel, and the loop takes from it after everything else, so that claims never delay a lease.

use super::clusters::StateFiles;
use super::connection;
use super::limits::{ConnectionLimits, MOST_CONNECTIONS};
use super::messages::ClientEvent;
use super::users::Users;
use claims::Client;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use sys::output::error_text;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// After an accept(2) that failed, most likely because no descriptor was free.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two messages about users with too many connections.
const LOG_PAUSE: Duration = Duration::from_secs(300);
/// Descriptors for everything but claims: stores, files, the other socket, metrics.
const OTHER_DESCRIPTORS: usize = 300;

/// What all connections share.
pub(super) struct Context {
    pub(super) events: Sender<ClientEvent>,
    pub(super) users: Users,
    pub(super) clusters: Arc<StateFiles>,
    pub(super) numbers: Arc<ClientNumbers>,
}

/// Numbers of connections, and of administrators' requests. None is used twice.
#[derive(Debug, Default)]
pub(crate) struct ClientNumbers(AtomicU64);

impl ClientNumbers {
    pub(crate) fn next(&self) -> Client {
        Client(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Permits as many descriptors as the connections need, if the system lets it. Returns how many connections there may be.
pub(crate) fn raise_descriptor_limit() -> usize {
    let wanted = MOST_CONNECTIONS + OTHER_DESCRIPTORS;
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return MOST_CONNECTIONS;
    };
    let raised = wanted.min(hard).max(soft);
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, raised, hard) {
        Ok(()) => raised,
        Err(_) => soft,
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let connections = limit.saturating_sub(OTHER_DESCRIPTORS).clamp(10, MOST_CONNECTIONS);
    if connections < MOST_CONNECTIONS {
        log::warn!(
            "only {connections} runs with once_per_tick can be served at once, because this process may have only {limit} open files: \
             set LimitNOFILE={wanted} in the unit"
        );
    }
    connections
}

/// Serves clients until it is dropped. That ends all connections. After `stop` there are no new ones.
pub(crate) async fn serve(
    listener: UnixListener,
    stop: Arc<Notify>,
    most: usize,
    events: Sender<ClientEvent>,
    clusters: Arc<StateFiles>,
    numbers: Arc<ClientNumbers>,
) {
    let context = Arc::new(Context {
        events,
        users: Users::new(),
        clusters,
        numbers,
    });
    let limits = Arc::new(ConnectionLimits::new(most));
    let own = nix::unistd::geteuid().as_raw();
    let mut connections = JoinSet::new();
    let mut is_logged = false;
    let mut logged_refusal = None;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.notified() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                is_logged = false;
                if let Err(uid) = start_connection(stream, own, &context, &limits, &mut connections) {
                    log_refusal(&mut logged_refusal, uid);
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut is_logged, true) {
                    log::warn!("cannot accept connections of rcron: {}", error_text(&error));
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Starts the connection's task.
///
/// # Errors
/// The user who has too many connections: this one is closed, and rcron tries again until its time is over.
fn start_connection(
    stream: UnixStream,
    own: u32,
    context: &Arc<Context>,
    limits: &Arc<ConnectionLimits>,
    connections: &mut JoinSet<()>,
) -> Result<(), u32> {
    let Ok(peer) = stream.peer_cred() else { return Ok(()) };
    let uid = peer.uid();
    let reservation = limits.reserve(uid, uid == 0 || uid == own, Instant::now());
    let reservation = reservation.ok_or(uid)?;
    let context = Arc::clone(context);
    connections.spawn(async move {
        if !reservation.delay.is_zero() {
            tokio::time::sleep(reservation.delay).await;
        }
        connection::serve(stream, uid, &context).await;
        drop(reservation);
    });
    Ok(())
}

fn log_refusal(logged: &mut Option<Instant>, uid: u32) {
    let now = Instant::now();
    if logged.is_none_or(|at| now.saturating_duration_since(at) >= LOG_PAUSE) {
        *logged = Some(now);
        log::warn!(
            "too many runs with once_per_tick wait at once, among them those of user {uid}: further ones must try again"
        );
    }
}
