//! The FIFO and the keepalived behind it: who writes, whether it is the same as before, and what waits.

use crate::fifo::{self, Fifo, Identity, Pending, Unopened};
use crate::fifo_writer::{self, Condition};
use inputs::clock;
use policy::moment::BootTime;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;
use sys::process_tree::Process;

/// The capacity that a reader gives the pipe behind the FIFO. The kernel forgets it with the pipe, that is, when nobody has
/// the FIFO open any more, and what waited in it is lost. So a later reader that finds it knows that nothing was lost.
/// It is also room for four times as many changes as the usual 64 KiB.
const MARK: i32 = 1 << 18;
/// keepalived closes its FIFO when it reloads, and opens it again: 1 to 25 ms later with 2.2.7, longer with a large
/// configuration.
const RELOAD: Duration = Duration::from_secs(2);
/// Looking through all of /proc is not for every second.
const SCAN: Duration = Duration::from_secs(5);

/// What there is.
#[derive(Debug)]
pub(crate) enum Seen {
    /// This waits, and stays there until it is taken.
    Waiting {
        bytes: Vec<u8>,
        /// The pipe was so full that keepalived may have been unable to write more.
        may_be_incomplete: bool,
    },
    /// keepalived is there, or comes back from a reload.
    Nothing,
    /// It is gone.
    Nobody,
    /// It is gone, and another one is there.
    Another,
}

/// See the module.
pub(crate) struct Source {
    path: PathBuf,
    fifo: Option<Fifo>,
    /// From so many waiting bytes on, a line may have found no room.
    limit: usize,
    /// Whether an earlier reader had marked the pipe.
    was_marked: bool,
    is_marked: bool,
    writer: Option<Process>,
    /// Whether the writer was seen to hold the FIFO that is open now.
    is_verified: bool,
    scanned: Option<BootTime>,
    /// Since when a living keepalived has not had it open.
    closed: Option<BootTime>,
    /// What is wrong with the FIFO.
    trouble: Option<String>,
}

impl Source {
    pub(crate) fn new(path: &Path) -> Self {
        let mut source = Self {
            path: path.to_owned(),
            fifo: None,
            limit: usize::MAX,
            was_marked: false,
            is_marked: false,
            writer: None,
            is_verified: false,
            scanned: None,
            closed: None,
            trouble: None,
        };
        source.open();
        source
    }

    /// What keeps the FIFO from being read.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// keepalived and its FIFO, as far as both are known.
    pub(crate) fn writer(&self) -> Option<(Process, Identity)> {
        let fifo = self.fifo.as_ref().filter(|_| self.is_verified)?;
        Some((self.writer?, fifo.identity()))
    }

    /// keepalived.
    pub(crate) fn process(&self) -> Option<Process> {
        self.writer
    }

    /// Whether keepalived is stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.writer
            .is_some_and(|writer| fifo_writer::condition(writer) == Condition::Stopped)
    }

    /// Whether nothing can have been lost since an earlier reader wrote down this writer.
    pub(crate) fn continues(&mut self, (process, identity): (Process, Identity)) -> bool {
        let is_same = self.fifo.as_ref().is_some_and(|fifo| fifo.identity() == identity);
        if is_same && self.was_marked && fifo_writer::holds(process, identity) {
            self.writer = Some(process);
            self.is_verified = true;
        }
        self.is_verified
    }

    /// What is to be polled.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.fifo.as_ref().map(AsFd::as_fd)
    }

    /// Takes out what was dealt with.
    pub(crate) fn consume(&mut self, count: usize) -> std::io::Result<()> {
        let consumed = self.fifo.as_mut().map_or(Ok(()), |fifo| fifo.consume(count));
        self.mark();
        consumed
    }

    /// Looks at what there is now.
    pub(crate) fn look(&mut self) -> Seen {
        // Twice, since a FIFO that was left by its writer is opened anew: poll(2) would report that again and again.
        for _ in 0..2 {
            if self.fifo.is_none() {
                self.open();
            }
            let Some(fifo) = &mut self.fifo else { break };
            match fifo.peek() {
                // The last words of one who is dead, or that nobody has said: keepalived was killed, or went in good order, and
                // either way everything is passive. (One that reloads lives on without the FIFO for a moment, and is believed.)
                Ok(Pending::Bytes(_)) if !fifo.has_writer() && !self.writer.is_some_and(is_there) => {}
                Ok(Pending::Bytes(bytes)) => {
                    return self.meet().unwrap_or(Seen::Waiting {
                        may_be_incomplete: bytes.len() >= self.limit,
                        bytes,
                    });
                }
                // Somebody may keep an old FIFO open whose name leads to a new one.
                Ok(Pending::Nothing) if fifo::identity(&self.path).is_ok_and(|now| now != fifo.identity()) => {}
                Ok(Pending::Nothing) => {
                    self.mark();
                    return self.meet().unwrap_or(Seen::Nothing);
                }
                Ok(Pending::NoWriter) => {}
                Err(error) => self.trouble = Some(format!("cannot read it: {}", sys::output::error_text(&error))),
            }
            self.fifo = None;
        }
        self.nobody()
    }

    fn open(&mut self) {
        self.is_verified = false;
        match Fifo::open(&self.path) {
            Ok(fifo) => {
                let capacity = capacity(Some(&fifo));
                self.was_marked = i32::try_from(capacity) == Ok(MARK);
                // keepalived's lines are shorter than half a page. A line shares a page with the last one if it fits, so a
                // pipe that has no room for it is at least half full.
                self.limit = capacity / 2;
                self.is_marked = false;
                self.fifo = Some(fifo);
                self.trouble = None;
            }
            Err(Unopened::Missing) => {
                self.trouble = Some("it does not exist; waiting for keepalived to make it".into());
            }
            Err(Unopened::NotAFifo) => self.trouble = Some("it is no FIFO".into()),
            Err(Unopened::System(error)) => {
                self.trouble = Some(format!("cannot open it: {}", sys::output::error_text(&error)));
            }
        }
    }

    /// Marks the pipe, once what waited in it is dealt with: until then its size tells whether there was room for all.
    fn mark(&mut self) {
        let Some(fifo) = self.fifo.as_ref().filter(|_| !self.is_marked) else {
            return;
        };
        // Where it is refused, the next reader begins passive, and keepalived has less room.
        let _ = fifo.set_capacity(MARK);
        self.limit = capacity(Some(fifo)) / 2;
        self.is_marked = true;
    }

    /// Somebody has it open. `Some` if that is not who had it before.
    fn meet(&mut self) -> Option<Seen> {
        let identity = self.fifo.as_ref()?.identity();
        self.closed = None;
        if let Some(known) = self.writer {
            self.is_verified = if self.is_verified {
                fifo_writer::condition(known) != Condition::Gone
            } else {
                fifo_writer::holds(known, identity)
            };
            if self.is_verified {
                return None;
            }
            self.writer = None;
            self.scanned = None;
            return Some(Seen::Another);
        }
        let now = clock::boot_time();
        if self.scanned.is_none_or(|last| now.since(last) > SCAN) {
            self.scanned = Some(now);
            self.writer = fifo_writer::writer(identity);
            self.is_verified = self.writer.is_some();
        }
        None
    }

    /// Nobody has it open.
    fn nobody(&mut self) -> Seen {
        if self
            .writer
            .is_some_and(|writer| fifo_writer::condition(writer) != Condition::Gone)
        {
            let now = clock::boot_time();
            let closed = *self.closed.get_or_insert(now);
            if now.since(closed) < RELOAD {
                return Seen::Nothing;
            }
        }
        self.writer = None;
        self.closed = None;
        self.scanned = None;
        Seen::Nobody
    }
}

fn is_there(writer: Process) -> bool {
    fifo_writer::condition(writer) != Condition::Gone
}

fn capacity(fifo: Option<&Fifo>) -> usize {
    fifo.and_then(|fifo| fifo.capacity().ok()).unwrap_or_default()
}
