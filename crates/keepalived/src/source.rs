//! The FIFO together with the keepalived that writes to it: what waits, and whether keepalived is still the same process.

use crate::fifo::{self, FifoError, Identity, Pending};
use crate::fifo_writer::{self, ProcessState};
use crate::marked_fifo::MarkedFifo;
use policy::moment::BootTime;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;
use sys::process_tree::Process;

/// How long a reload may take: keepalived closes its FIFO and opens it again, 1 to 25 ms later with 2.2.7, and later than that with a
/// large configuration.
const RELOAD: Duration = Duration::from_secs(2);
/// Reading all of /proc each second would be expensive.
const SCAN_INTERVAL: Duration = Duration::from_secs(5);

/// What the source has to report.
#[derive(Debug)]
pub(crate) enum SourceEvent {
    /// These bytes, which stay in the FIFO until they are consumed.
    Waiting(Vec<u8>),
    /// So many bytes that keepalived may have had no space for further events.
    Overflow(usize),
    /// keepalived runs, or is being reloaded.
    Idle,
    /// keepalived has ended.
    WriterGone,
    /// keepalived has ended, and another process has the FIFO open now.
    WriterReplaced,
}

pub(crate) struct Source {
    path: PathBuf,
    /// `None` while it cannot be opened or read, and after its writer has closed it.
    fifo: Option<MarkedFifo>,
    /// Why there is no FIFO.
    error: Option<FifoError>,
    /// keepalived, once it was found in /proc.
    writer: Option<Writer>,
    /// Since when a process has had the FIFO open. A reload does not interrupt it.
    open_since: Option<BootTime>,
    /// When /proc was last searched for the writer.
    scanned: Option<BootTime>,
}

struct Writer {
    process: Process,
    /// The process was seen to have the FIFO open that is open here now.
    is_verified: bool,
    /// Since when no process has had the FIFO open, although this one lives.
    closed: Option<BootTime>,
}

impl Source {
    pub(crate) fn new(path: &Path) -> Self {
        let mut source = Self {
            path: path.to_owned(),
            fifo: None,
            error: None,
            writer: None,
            open_since: None,
            scanned: None,
        };
        source.open();
        source
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Why the FIFO cannot be read.
    pub(crate) fn error(&self) -> Option<FifoError> {
        self.error
    }

    /// keepalived and the FIFO that it has open, as far as both are known.
    pub(crate) fn writer(&self) -> Option<(Process, Identity)> {
        let writer = self.writer.as_ref().filter(|writer| writer.is_verified)?;
        Some((writer.process, self.fifo.as_ref()?.identity()))
    }

    pub(crate) fn process(&self) -> Option<Process> {
        Some(self.writer.as_ref()?.process)
    }

    /// Since when keepalived has had the FIFO open; `None` if it does not.
    pub(crate) fn open_since(&self) -> Option<BootTime> {
        self.open_since
    }

    /// Whether keepalived was stopped by a signal.
    pub(crate) fn is_stopped(&self) -> bool {
        self.process()
            .is_some_and(|process| fifo_writer::process_state(process) == ProcessState::Stopped)
    }

    /// Accepts the writer that an earlier reader has saved if no event can have been lost since then. Returns whether it does.
    pub(crate) fn resume(&mut self, (process, identity): (Process, Identity)) -> bool {
        let continues = self.fifo.as_ref().is_some_and(|fifo| fifo.continues(identity));
        let resumes = continues && fifo_writer::has_open(process, identity);
        if resumes {
            self.writer = Some(Writer::verified(process));
        }
        resumes
    }

    /// To be polled.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.fifo.as_ref().map(AsFd::as_fd)
    }

    /// Consumes bytes that have been processed.
    pub(crate) fn consume(&mut self, count: usize) -> io::Result<()> {
        self.fifo.as_mut().map_or(Ok(()), |fifo| fifo.consume(count))
    }

    pub(crate) fn next_event(&mut self, now: BootTime) -> SourceEvent {
        // Twice, because a FIFO whose writer has closed it is opened again: poll(2) would report its end again and again.
        for _ in 0..2 {
            if self.fifo.is_none() {
                self.open();
            }
            let Some(fifo) = &mut self.fifo else { break };
            match fifo.peek() {
                // Events of a process that has ended, or of an unknown one, do not count: everything is passive once keepalived has
                // ended. One that is being reloaded lives without the FIFO for a moment, and its events count.
                Ok(Pending::Bytes(_)) if !fifo.has_writer() && !self.writer.as_ref().is_some_and(Writer::lives) => {}
                Ok(Pending::Bytes(bytes)) => {
                    let waiting = if fifo.may_have_overflowed(bytes.len()) {
                        SourceEvent::Overflow(bytes.len())
                    } else {
                        SourceEvent::Waiting(bytes)
                    };
                    return self.check_writer(now).unwrap_or(waiting);
                }
                // Some process may keep an old FIFO open whose name leads to a new one.
                Ok(Pending::Nothing) if fifo::identify(&self.path).is_ok_and(|named| named != fifo.identity()) => {}
                Ok(Pending::Nothing) => return self.check_writer(now).unwrap_or(SourceEvent::Idle),
                Ok(Pending::NoWriter) => {}
                Err(error) => self.error = Some(error),
            }
            self.fifo = None;
        }
        self.wait_for_reload(now)
    }

    fn open(&mut self) {
        if let Some(writer) = &mut self.writer {
            writer.is_verified = false;
        }
        let opened = MarkedFifo::open(&self.path);
        self.error = opened.as_ref().err().copied();
        self.fifo = opened.ok();
    }

    /// Some process has the FIFO open. Returns an event if it is not the one that had it open before.
    fn check_writer(&mut self, now: BootTime) -> Option<SourceEvent> {
        let identity = self.fifo.as_ref()?.identity();
        self.open_since.get_or_insert(now);
        let Some(writer) = &mut self.writer else {
            if self.scanned.is_none_or(|last| now.since(last) > SCAN_INTERVAL) {
                self.scanned = Some(now);
                self.writer = fifo_writer::find_writer(identity).map(Writer::verified);
            }
            return None;
        };
        writer.closed = None;
        // Its descriptors are read only once for each FIFO.
        writer.is_verified = if writer.is_verified {
            writer.lives()
        } else {
            fifo_writer::has_open(writer.process, identity)
        };
        if writer.is_verified {
            return None;
        }
        self.drop_writer();
        Some(SourceEvent::WriterReplaced)
    }

    /// No process has the FIFO open. A keepalived that lives has some time to open it again.
    fn wait_for_reload(&mut self, now: BootTime) -> SourceEvent {
        if let Some(writer) = self.writer.as_mut().filter(|writer| writer.lives()) {
            let closed = *writer.closed.get_or_insert(now);
            if now.since(closed) < RELOAD {
                return SourceEvent::Idle;
            }
        }
        self.drop_writer();
        SourceEvent::WriterGone
    }

    fn drop_writer(&mut self) {
        self.writer = None;
        self.open_since = None;
        self.scanned = None;
    }
}

impl Writer {
    fn verified(process: Process) -> Self {
        Self {
            process,
            is_verified: true,
            closed: None,
        }
    }

    fn lives(&self) -> bool {
        !fifo_writer::has_ended(self.process)
    }
}
