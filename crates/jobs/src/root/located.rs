//! The file that a path leads to. It was opened without any right to its content, and is read through its directory.

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use sys::file::{self, Contents, Unreadable};

/// Where a path leads.
#[derive(Debug)]
pub struct Located {
    /// Its path in that system, without links.
    pub inside: PathBuf,
    /// Its path in this system, for messages.
    pub outside: PathBuf,
    /// The symbolic links that were followed.
    pub links: Vec<Link>,
    end: Result<End, Obstacle>,
}

/// A symbolic link on the way.
#[derive(Debug)]
pub struct Link {
    /// Its path in this system.
    pub path: PathBuf,
    /// Where it leads, as it is written.
    pub target: PathBuf,
    /// The directory that holds it.
    pub holder: Metadata,
    /// It is the last name of the path: it leads to the file itself, not to a directory on the way.
    pub(super) is_last: bool,
}

#[derive(Debug)]
pub(super) struct End {
    /// `None` for the root itself.
    pub(super) directory: Option<Rc<File>>,
    pub(super) name: OsString,
    /// Opened with `O_PATH`.
    pub(super) file: Rc<File>,
}

/// Why the file cannot be seen: it does not exist, or a directory is closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Obstacle(pub(super) Errno);

impl Located {
    pub(super) fn new(inside: PathBuf, outside: PathBuf, links: Vec<Link>, end: Result<End, Obstacle>) -> Self {
        Self {
            inside,
            outside,
            links,
            end,
        }
    }

    /// The directory that holds it, as a path in this system.
    pub fn directory(&self) -> &Path {
        self.outside.parent().unwrap_or(&self.outside)
    }

    /// Of the file itself.
    ///
    /// # Errors
    /// It does not exist or cannot be seen.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file()?.metadata()
    }

    /// The file itself, opened without any right to its content.
    ///
    /// # Errors
    /// It does not exist or cannot be seen.
    pub fn file(&self) -> io::Result<&File> {
        Ok(&self.end()?.file)
    }

    /// Whether there is such a file that can be seen.
    pub fn exists(&self) -> bool {
        self.end.is_ok()
    }

    fn end(&self) -> io::Result<&End> {
        self.end.as_ref().map_err(|Obstacle(errno)| io::Error::from(*errno))
    }

    /// Opens it for reading if it is a regular file. Nothing else is opened, since opening alone may wait for a writer or rewind a tape.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn open(&self) -> Result<File, Unreadable> {
        let end = match self.end() {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.links.iter().any(|link| link.is_last) => {
                return Err(io::Error::other("it is a link to a file that does not exist").into());
            }
            end => end?,
        };
        let expected = end.file.metadata()?;
        file::regular(&expected)?;
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let directory = end.directory.as_ref().unwrap_or(&end.file);
        let opened = openat(directory, end.name.as_os_str(), flags, Mode::empty()).map_err(io::Error::from)?;
        let opened = File::from(opened);
        let found = opened.metadata()?;
        if (found.dev(), found.ino()) != (expected.dev(), expected.ino()) {
            return Err(io::Error::other("it was replaced while it was examined").into());
        }
        Ok(opened)
    }

    /// Reads up to `limit` bytes of a regular file.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(&self, limit: usize) -> Result<Contents, Unreadable> {
        file::contents(self.open()?, limit)
    }

    /// The names in a directory, at most `limit` and one more, in the order of the directory.
    ///
    /// # Errors
    /// The system's.
    pub fn names(&self, limit: usize) -> io::Result<Vec<Name>> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let opened = openat(self.file()?, ".", flags, Mode::empty())?;
        let mut names = Vec::new();
        for entry in Dir::from_fd(opened)?.iter() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            names.push(Name {
                name: OsStr::from_bytes(name).to_owned(),
                is_directory: entry.file_type() == Some(Type::Directory),
            });
            if names.len() > limit {
                break;
            }
        }
        Ok(names)
    }
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Without the directory.
    pub name: OsString,
    /// Whether it is certainly a directory. A link to one is not.
    pub is_directory: bool,
}
