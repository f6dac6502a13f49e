//! The loop of the service: it waits for the FIFO, for signals and for the next renewal, and calls the follower.

use crate::follower::Follower;
use crate::targets::TargetSources;
use inputs::clock;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;
use sys::poll;
use sys::signal::{self, SIGHUP, SIGINT, SIGQUIT, SIGTERM, Signals};
use sys::watch::Watch;

/// How often keepalived's process and the FIFO's name are checked if nothing else happens.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

pub(crate) struct Service {
    /// Where the targets are read from at SIGHUP.
    sources: TargetSources,
    /// All signals: they are blocked, and read here instead.
    signals: Signals,
    /// Wakes the service when the name of the FIFO leads to another file. `None` if the kernel has no watch left: then the periodic
    /// check must be enough.
    watch: Option<Watch>,
}

impl Service {
    /// Blocks all signals.
    pub(crate) fn new(fifo: &Path, sources: TargetSources) -> io::Result<Self> {
        signal::take_over()?;
        Ok(Self {
            sources,
            signals: Signals::open()?,
            watch: Watch::new(fifo.as_os_str()).ok(),
        })
    }

    /// Returns when a signal asks the service to exit.
    pub(crate) fn run(&mut self, follower: &mut Follower) {
        while self.handle_signals(follower).is_continue() {
            self.wait(follower);
            follower.step();
        }
    }

    fn handle_signals(&mut self, follower: &mut Follower) -> ControlFlow<()> {
        while let Some(signal) = self.signals.receive() {
            match signal.number {
                SIGTERM | SIGINT | SIGQUIT => return ControlFlow::Break(()),
                SIGHUP => follower.reload(self.sources.read()),
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn wait(&mut self, follower: &Follower) {
        let mut descriptors = vec![self.signals.as_fd()];
        descriptors.extend(follower.descriptor());
        descriptors.extend(self.watch.as_ref().map(Watch::as_fd));
        let until_renewal = follower.next_renewal().since(clock::boot_time());
        poll::until_ready(&descriptors, Some(until_renewal.min(CHECK_INTERVAL)));
        if self.watch.as_mut().is_some_and(|watch| watch.changed().is_err()) {
            self.watch = None;
        }
    }
}
