//! A FIFO that is read without waiting, and looked into before anything is taken out of it: fifo(7), tee(2).

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, tee};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::pipe2;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// The reading end of a FIFO.
#[derive(Debug)]
pub struct Fifo {
    file: File,
    identity: Identity,
    /// Both ends of a pipe that tee(2) copies into. Always empty between two calls.
    copy: (File, File),
}

/// Which FIFO it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `st_dev` of stat(2).
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
}

/// Why a FIFO is not opened.
#[derive(Debug)]
pub enum Unopened {
    /// There is nothing of that name.
    Missing,
    /// It is something else.
    NotAFifo,
    /// The system says no.
    System(io::Error),
}

/// What waits in a FIFO.
#[derive(Debug, PartialEq, Eq)]
pub enum Pending {
    /// These bytes, which stay there.
    Bytes(Vec<u8>),
    /// Nothing, but somebody has it open for writing.
    Nothing,
    /// Nothing, and nobody.
    NoWriter,
}

impl Fifo {
    /// Opens it without waiting for a writer.
    ///
    /// # Errors
    /// [`Unopened`].
    pub fn open(path: &Path) -> Result<Self, Unopened> {
        identity(path)?; // opening alone would rewind a tape
        let file = OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
            .open(path)?;
        let metadata = file.metadata()?;
        if !metadata.file_type().is_fifo() {
            return Err(Unopened::NotAFifo);
        }
        let copy = pipe()?;
        let identity = Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        Ok(Self { file, identity, copy })
    }

    /// Which one it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// How many bytes it holds at most. It belongs to the pipe behind the name, which lives for as long as somebody has it
    /// open.
    ///
    /// # Errors
    /// The system's.
    pub fn capacity(&self) -> io::Result<usize> {
        let size = fcntl(&self.file, FcntlArg::F_GETPIPE_SZ)?;
        Ok(usize::try_from(size).unwrap_or_default())
    }

    /// Sets the capacity, of the pipe that looks into it too.
    ///
    /// # Errors
    /// The system's: pipe(7), "/proc files".
    pub fn set_capacity(&self, size: i32) -> io::Result<()> {
        for end in [&self.copy.0, &self.file] {
            fcntl(end, FcntlArg::F_SETPIPE_SZ(size))?;
        }
        Ok(())
    }

    /// Whether somebody has it open for writing: poll(2).
    #[must_use]
    pub fn has_writer(&self) -> bool {
        let mut entries = [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut entries, PollTimeout::ZERO);
        let hung_up = entries[0]
            .revents()
            .is_some_and(|events| events.contains(PollFlags::POLLHUP));
        ready != Ok(1) || !hung_up
    }

    /// Looks at all that waits, and leaves it there.
    ///
    /// # Errors
    /// The system's.
    pub fn peek(&mut self) -> io::Result<Pending> {
        match tee(
            &self.file,
            &self.copy.1,
            usize::MAX >> 1,
            SpliceFFlags::SPLICE_F_NONBLOCK,
        ) {
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

    /// Takes out bytes that were looked at.
    ///
    /// # Errors
    /// The system's.
    pub fn consume(&mut self, count: usize) -> io::Result<()> {
        self.file.read_exact(&mut vec![0; count])
    }
}

impl AsFd for Fifo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Which FIFO a path leads to now.
///
/// # Errors
/// [`Unopened`].
pub fn identity(path: &Path) -> Result<Identity, Unopened> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.file_type().is_fifo() {
        return Err(Unopened::NotAFifo);
    }
    Ok(Identity {
        device: metadata.dev(),
        inode: metadata.ino(),
    })
}

/// Its two ends, reading and writing.
fn pipe() -> io::Result<(File, File)> {
    let (reading, writing) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    Ok((reading.into(), writing.into()))
}

impl From<io::Error> for Unopened {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::Missing
        } else {
            Self::System(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::io::Write;

    fn made() -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("fifo");
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("made");
        (directory, path)
    }

    /// As keepalived does: it never waits for a reader.
    fn writer(path: &Path) -> File {
        OpenOptions::new().read(true).write(true).open(path).expect("open")
    }

    #[test]
    fn what_was_looked_at_is_still_there_until_it_is_taken_out() {
        let (_directory, path) = made();
        let mut fifo = Fifo::open(&path).expect("open");
        assert_eq!(fifo.peek().expect("looked"), Pending::NoWriter);
        let mut writer = writer(&path);
        assert_eq!(fifo.peek().expect("looked"), Pending::Nothing);
        writer.write_all(b"one\ntwo\n").expect("written");
        for _ in 0..3 {
            assert_eq!(fifo.peek().expect("looked"), Pending::Bytes(b"one\ntwo\n".to_vec()));
        }
        fifo.consume(4).expect("taken");
        drop(writer);
        assert_eq!(fifo.peek().expect("looked"), Pending::Bytes(b"two\n".to_vec()));
        fifo.consume(4).expect("taken");
        assert_eq!(fifo.peek().expect("looked"), Pending::NoWriter);
    }

    #[test]
    fn the_last_words_of_one_who_is_gone_are_known_as_such() {
        let (_directory, path) = made();
        let fifo = Fifo::open(&path).expect("open");
        let mut writer = writer(&path);
        writer.write_all(b"one\n").expect("written");
        assert!(fifo.has_writer());
        drop(writer);
        assert!(!fifo.has_writer());
    }

    #[test]
    fn a_full_one_is_seen_whole() {
        let (_directory, path) = made();
        let mut writer = writer(&path);
        let mut fifo = Fifo::open(&path).expect("open");
        fifo.set_capacity(1 << 18).expect("set");
        assert_eq!(fifo.capacity().expect("known"), 1 << 18);
        writer.write_all(&[b'x'; 1 << 18]).expect("written");
        assert_eq!(fifo.peek().expect("looked"), Pending::Bytes(vec![b'x'; 1 << 18]));
    }

    #[test]
    fn its_capacity_is_forgotten_when_nobody_has_it_open() {
        let (_directory, path) = made();
        let kept = writer(&path);
        Fifo::open(&path).expect("open").set_capacity(1 << 18).expect("set");
        assert_eq!(Fifo::open(&path).expect("open").capacity().expect("known"), 1 << 18);
        drop(kept);
        assert_ne!(Fifo::open(&path).expect("open").capacity().expect("known"), 1 << 18);
    }

    #[test]
    fn what_is_no_fifo_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(matches!(Fifo::open(directory.path()), Err(Unopened::NotAFifo)));
        assert!(matches!(
            Fifo::open(&directory.path().join("none")),
            Err(Unopened::Missing)
        ));
    }
}
