//! Processes that wait until they are let go.

use crate::Result;
use crate::wait::{until, within};
use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, pipe2};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long SIGTERM may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A pipe that nobody writes to: who reads from it waits until this is dropped, also by the death of this program. So
/// nothing is ever left behind.
pub(crate) struct Gate {
    reader: OwnedFd,
    /// Only to be dropped.
    _writer: OwnedFd,
}

impl Gate {
    pub(crate) fn new() -> Result<Self> {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
        Ok(Self {
            reader,
            _writer: writer,
        })
    }

    /// The end to wait at.
    pub(crate) fn reader(&self) -> Result<Stdio> {
        Ok(self.reader.try_clone()?.into())
    }
}

/// A running process, ended when it is dropped. Nothing but this child of ours, not yet reaped, is ever sent a signal; a
/// job under it gets it from rcron, or ends with its [`Gate`].
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        Ok(Self(child))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        until("a process's end", || Ok(self.0.try_wait()?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        if let Ok(pid) = i32::try_from(self.pid()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        if !matches!(within(PATIENCE, || Ok(self.0.try_wait()?)), Ok(Some(_))) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
