//! Running processes, and a gate that their jobs wait at.

use crate::Result;
use crate::wait::{until, within};
use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, pipe2};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long a process may take to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(5);

/// A pipe without data: a process that reads from it waits until the gate is dropped. This program's death does that, too, so that no
/// process is left behind.
pub(crate) struct Gate {
    reader: OwnedFd,
    /// Dropped to open the gate.
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

    /// The end to read from.
    pub(crate) fn reader(&self) -> Result<Stdio> {
        Ok(self.reader.try_clone()?.into())
    }
}

/// A child, which is ended when it is dropped. Only this child, which has not been reaped, is signalled; its job gets the signal from
/// rcron, or ends with its [`Gate`].
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
