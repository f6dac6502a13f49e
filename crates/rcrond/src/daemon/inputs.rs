//! Where the loop's events come from.

use crate::api::PendingRequest;
use crate::claims::ClientEvent;
use crate::event::Event;
use inputs::clock;
use nix::sys::signal::SigSet;
use policy::moment::BootTime;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::time::Interval;

/// Timers stand still while the machine is suspended, and leases do not. After a suspension the loop is late by at most this.
const MAX_SLEEP: Duration = Duration::from_secs(1);

pub(super) struct Inputs {
    /// From the tasks.
    pub(super) events: UnboundedReceiver<Event>,
    /// From clients. This channel is bounded: further requests wait in their connections.
    pub(super) requests: Receiver<PendingRequest>,
    /// From rcrons. This channel is bounded, too, and comes last: claims must not delay a lease.
    pub(super) claims: Receiver<ClientEvent>,
    /// Only if systemd's watchdog is enabled.
    pub(super) watchdog: Option<Interval>,
    pub(super) signals: Signals,
}

/// The signals that have a meaning for rcrond.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    reload: Signal,
    exit: Signal,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        let signals = Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
            exit: signal(SignalKind::user_defined1())?,
        };
        permit_reloads(true);
        Ok(signals)
    }
}

/// Blocks SIGHUP, which would kill the process until it is caught. Returns whether that was done.
pub(crate) fn hold_reloads() -> bool {
    hangup().thread_block().is_ok()
}

/// Permits SIGHUP again, in this thread.
pub(crate) fn permit_reloads(is_blocked: bool) {
    if is_blocked {
        // This cannot fail: the set is valid.
        let _ = hangup().thread_unblock();
    }
}

fn hangup() -> SigSet {
    SigSet::from(nix::sys::signal::Signal::SIGHUP)
}

impl Inputs {
    /// Waits for the next event. At this moment at the latest, it is [`Event::Tick`].
    pub(super) async fn next_event(&mut self, latest: BootTime) -> Event {
        let signals = &mut self.signals;
        let watchdog = &mut self.watchdog;
        let watchdog = async {
            match watchdog {
                Some(interval) => interval.tick().await,
                None => std::future::pending().await,
            }
        };
        let sleep = latest.since(clock::boot_time()).min(MAX_SLEEP);
        tokio::select! {
            biased;
            _ = signals.terminate.recv() => Event::Stop,
            _ = signals.interrupt.recv() => Event::Stop,
            _ = signals.exit.recv() => Event::Exit,
            Some(event) = self.events.recv() => event,
            () = tokio::time::sleep(sleep) => Event::Tick,
            _ = watchdog => Event::Watchdog,
            _ = signals.reload.recv() => Event::Reload(None),
            Some(pending) = self.requests.recv() => Event::Request(pending),
            Some(event) = self.claims.recv() => Event::Client(event),
        }
    }
}
