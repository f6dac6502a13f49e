//! A FIFO that is read without waiting, and whose bytes can be read before they are consumed: fifo(7), tee(2).

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, tee};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::pipe2;
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use sys::output::error_text;

/// The reading end.
#[derive(Debug)]
pub(crate) struct Fifo {
    pub(crate) identity: Identity,
    file: File,
    /// Both ends of the pipe into which tee(2) copies. It is empty between two calls.
    copy: (File, File),
}

/// What tells a FIFO from another one of the same name: stat(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// Why a FIFO cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FifoError {
    Missing,
    NotAFifo,
    System(Errno),
}

/// What waits in a FIFO.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    /// These bytes, which are still in the FIFO.
    Bytes(Vec<u8>),
    /// Nothing, but a process has the FIFO open for writing.
    Nothing,
    /// Nothing, and no process has it open for writing.
    NoWriter,
}

impl Fifo {
    /// Opens it without waiting for a writer.
    pub(crate) fn open(path: &Path) -> Result<Self, FifoError> {
        identify(path)?; // open(2) alone has an effect on some devices: it rewinds a tape
        let file = OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
            .open(path)?;
        let identity = Identity::of_fifo(&file.metadata()?)?;
        let (reading, writing) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        let copy = (reading.into(), writing.into());
        Ok(Self { identity, file, copy })
    }

    /// How many bytes it holds at most. This is a property of the pipe behind the name, which exists as long as some process has the
    /// FIFO open.
    pub(crate) fn capacity(&self) -> Result<usize, Errno> {
        let size = fcntl(&self.file, FcntlArg::F_GETPIPE_SZ)?;
        Ok(usize::try_from(size).unwrap_or_default())
    }

    /// Sets the capacity, also of the pipe for copies. The limits are in pipe(7), "/proc files".
    pub(crate) fn set_capacity(&self, size: i32) -> Result<(), Errno> {
        for end in [&self.copy.0, &self.file] {
            fcntl(end, FcntlArg::F_SETPIPE_SZ(size))?;
        }
        Ok(())
    }

    /// Whether a process has it open for writing: poll(2).
    pub(crate) fn has_writer(&self) -> bool {
        let mut entries = [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut entries, PollTimeout::ZERO);
        let hung_up = entries[0]
            .revents()
            .is_some_and(|events| events.contains(PollFlags::POLLHUP));
        ready != Ok(1) || !hung_up
    }

    /// Reads everything that waits, without consuming it.
    pub(crate) fn peek(&mut self) -> Result<Pending, FifoError> {
        let no_limit = usize::MAX >> 1;
        match tee(&self.file, &self.copy.1, no_limit, SpliceFFlags::SPLICE_F_NONBLOCK) {
            Ok(0) => Ok(Pending::NoWriter),
            Ok(count) => {
                let mut bytes = vec![0; count];
                self.copy.0.read_exact(&mut bytes)?;
                Ok(Pending::Bytes(bytes))
            }
            Err(Errno::EAGAIN) => Ok(Pending::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Consumes bytes that were peeked.
    pub(crate) fn consume(&mut self, count: usize) -> io::Result<()> {
        self.file.read_exact(&mut vec![0; count])
    }
}

impl AsFd for Fifo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The FIFO that has this name now.
pub(crate) fn identify(path: &Path) -> Result<Identity, FifoError> {
    Identity::of_fifo(&path.metadata()?)
}

impl Identity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }

    fn of_fifo(metadata: &Metadata) -> Result<Self, FifoError> {
        let is_fifo = metadata.file_type().is_fifo();
        is_fifo.then(|| Self::of(metadata)).ok_or(FifoError::NotAFifo)
    }
}

impl From<Errno> for FifoError {
    fn from(error: Errno) -> Self {
        match error {
            Errno::ENOENT => Self::Missing,
            error => Self::System(error),
        }
    }
}

impl From<io::Error> for FifoError {
    fn from(error: io::Error) -> Self {
        Errno::from_raw(error.raw_os_error().unwrap_or_default()).into()
    }
}

impl fmt::Display for FifoError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => out.write_str("it does not exist; waiting for keepalived to create it"),
            Self::NotAFifo => out.write_str("it is not a FIFO"),
            Self::System(error) => write!(out, "cannot read it: {}", error_text(&io::Error::from(*error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alone::alone;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::io::Write;

    fn made() -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("fifo");
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("made");
        (directory, path)
    }

    /// As keepalived opens it: without waiting for a reader.
    fn writer(path: &Path) -> File {
        OpenOptions::new().read(true).write(true).open(path).expect("open")
    }

    #[test]
    fn peeked_bytes_stay_until_they_are_consumed() {
        let _alone = alone();
        let (_directory, path) = made();
        let mut fifo = Fifo::open(&path).expect("open");
        assert_eq!(fifo.peek().expect("peeked"), Pending::NoWriter);
        let mut writer = writer(&path);
        assert_eq!(fifo.peek().expect("peeked"), Pending::Nothing);
        writer.write_all(b"one\ntwo\n").expect("written");
        for _ in 0..3 {
            assert_eq!(fifo.peek().expect("peeked"), Pending::Bytes(b"one\ntwo\n".to_vec()));
        }
        fifo.consume(4).expect("consumed");
        drop(writer);
        assert_eq!(fifo.peek().expect("peeked"), Pending::Bytes(b"two\n".to_vec()));
        fifo.consume(4).expect("consumed");
        assert_eq!(fifo.peek().expect("peeked"), Pending::NoWriter);
    }

    #[test]
    fn bytes_of_a_writer_that_has_ended_are_recognized() {
        let _alone = alone();
        let (_directory, path) = made();
        let fifo = Fifo::open(&path).expect("open");
        let mut writer = writer(&path);
        writer.write_all(b"one\n").expect("written");
        assert!(fifo.has_writer());
        drop(writer);
        assert!(!fifo.has_writer());
    }

    #[test]
    fn full_one_is_peeked_whole() {
        let (_directory, path) = made();
        let mut writer = writer(&path);
        let mut fifo = Fifo::open(&path).expect("open");
        fifo.set_capacity(1 << 18).expect("set");
        assert_eq!(fifo.capacity().expect("known"), 1 << 18);
        writer.write_all(&[b'x'; 1 << 18]).expect("written");
        assert_eq!(fifo.peek().expect("peeked"), Pending::Bytes(vec![b'x'; 1 << 18]));
    }

    #[test]
    fn capacity_is_lost_when_no_process_has_it_open() {
        let _alone = alone();
        let (_directory, path) = made();
        let kept = writer(&path);
        Fifo::open(&path).expect("open").set_capacity(1 << 18).expect("set");
        assert_eq!(Fifo::open(&path).expect("open").capacity().expect("known"), 1 << 18);
        drop(kept);
        assert_ne!(Fifo::open(&path).expect("open").capacity().expect("known"), 1 << 18);
    }

    #[test]
    fn other_files_are_rejected() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(matches!(Fifo::open(directory.path()), Err(FifoError::NotAFifo)));
        assert!(matches!(
            Fifo::open(&directory.path().join("none")),
            Err(FifoError::Missing)
        ));
    }
}
