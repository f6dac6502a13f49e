//! The FIFO with a mark, which shows a later reader that no byte was lost since this one.

use crate::fifo::{Fifo, FifoError, Identity, Pending};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// The mark is this capacity of the pipe behind the FIFO. The kernel discards it with the pipe, that is, when no process has the FIFO
/// open any more, and with it the bytes that waited there. It is also space for four times as many events as the usual 64 KiB.
const MARK: i32 = 1 << 18;

#[derive(Debug)]
pub(crate) struct MarkedFifo {
    fifo: Fifo,
    /// The pipe had the mark when it was opened.
    was_marked: bool,
    /// This process has set the mark, or has tried to.
    is_marked: bool,
    /// If this many bytes wait, keepalived may have had no space for a further line.
    ///
    /// keepalived's lines are shorter than half a page. A line shares a page with the line before it if it fits, so a pipe that has no
    /// space for it is at least half full.
    suspicious_size: usize,
}

impl MarkedFifo {
    pub(crate) fn open(path: &Path) -> Result<Self, FifoError> {
        let fifo = Fifo::open(path)?;
        let capacity = fifo.capacity().unwrap_or_default();
        Ok(Self {
            fifo,
            was_marked: i32::try_from(capacity) == Ok(MARK),
            is_marked: false,
            suspicious_size: capacity / 2,
        })
    }

    /// Whether it is the FIFO that an earlier reader has left, and nothing was lost since then.
    pub(crate) fn continues(&self, left: Identity) -> bool {
        self.was_marked && self.fifo.identity == left
    }

    pub(crate) fn identity(&self) -> Identity {
        self.fifo.identity
    }

    pub(crate) fn has_writer(&self) -> bool {
        self.fifo.has_writer()
    }

    /// Whether events may have been lost when this many bytes wait.
    pub(crate) fn may_have_overflowed(&self, waiting: usize) -> bool {
        waiting >= self.suspicious_size
    }

    pub(crate) fn peek(&mut self) -> Result<Pending, FifoError> {
        let pending = self.fifo.peek();
        if pending == Ok(Pending::Nothing) {
            self.mark();
        }
        pending
    }

    pub(crate) fn consume(&mut self, count: usize) -> io::Result<()> {
        let consumed = self.fifo.consume(count);
        self.mark();
        consumed
    }

    /// Only after the bytes that waited at the start have been processed: the former capacity shows whether there was space for all
    /// events.
    fn mark(&mut self) {
        if !self.is_marked {
            // If the kernel rejects it, the next process cannot resume, and keepalived has less space.
            let _ = self.fifo.set_capacity(MARK);
            self.suspicious_size = self.fifo.capacity().unwrap_or_default() / 2;
            self.is_marked = true;
        }
    }
}

impl AsFd for MarkedFifo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fifo.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::fs::{File, OpenOptions};
    use std::io::Write;

    fn created() -> (tempfile::TempDir, std::path::PathBuf, File) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("fifo");
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("created");
        let writer = OpenOptions::new().read(true).write(true).open(&path).expect("open");
        (directory, path, writer)
    }

    #[test]
    fn next_reader_finds_the_mark_only_once_everything_was_processed() {
        let (_directory, path, mut writer) = created();
        let was_marked = || MarkedFifo::open(&path).expect("open").was_marked;
        writer.write_all(b"one\n").expect("written");
        let mut fifo = MarkedFifo::open(&path).expect("open");
        assert!(!fifo.was_marked);
        assert_eq!(fifo.peek(), Ok(Pending::Bytes(b"one\n".to_vec())));
        assert!(!was_marked());
        fifo.consume(4).expect("consumed");
        assert!(was_marked());
    }

    #[test]
    fn pipe_that_is_half_full_may_have_overflowed() {
        let (_directory, path, _writer) = created();
        let mut fifo = MarkedFifo::open(&path).expect("open");
        assert!(!fifo.may_have_overflowed((1 << 15) - 1));
        assert!(fifo.may_have_overflowed(1 << 15));
        assert_eq!(fifo.peek(), Ok(Pending::Nothing));
        assert!(!fifo.may_have_overflowed((1 << 17) - 1));
        assert!(fifo.may_have_overflowed(1 << 17));
    }
}
