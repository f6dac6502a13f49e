//! Through the files of a journal, line by line, with few of them open at a time: in a directory where everybody may make files there
//! may be more than a process may have open.

use crate::append::{OLDEST, rotated};
use crate::files::{Name, Source};
use crate::line;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::file::{self, Links, Unreadable};

const BUFFER: usize = 256 << 10;

/// A line, and whose it is.
pub(crate) struct Found<'a> {
    pub(crate) line: &'a [u8],
    /// Whose file it is in, where that tells anything: nobody can forge that.
    pub(crate) owner: Option<u32>,
}

/// How far each file was read.
#[derive(Default)]
pub(crate) struct Walk {
    read: HashMap<Identity, u64>,
    /// What could not be read, and why.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Identity(u64, u64);

/// An open file.
struct Opened {
    file: File,
    identity: Identity,
    path: PathBuf,
    owner: Option<u32>,
}

impl Walk {
    /// Reads on where the last walk has ended: everything at first, then what is new.
    pub(crate) fn go(&mut self, sources: &[Source], mut tell: impl FnMut(&Found)) {
        for source in sources {
            match source.names() {
                Ok(names) => names.iter().for_each(|name| self.name(name, &mut tell)),
                Err(error) => self.fail(source.path(), sys::output::error_text(&error)),
            }
        }
    }

    /// The file that grows is opened before those it becomes: if it is renamed meanwhile, it is met twice rather than not at all.
    fn name(&mut self, name: &Name, tell: &mut impl FnMut(&Found)) {
        let growing = self.open(name, 0);
        let oldest = if name.in_directory { OLDEST } else { 0 };
        for age in (1..=oldest).rev() {
            if let Some(opened) = self.open(name, age) {
                self.read(opened, tell);
            }
        }
        if let Some(opened) = growing {
            self.read(opened, tell);
        }
    }

    /// `None` if it is not there, is nobody's journal, or cannot be read, which is remembered.
    fn open(&mut self, name: &Name, age: u32) -> Option<Opened> {
        let path = rotated(&name.path, age);
        let links = if name.in_directory {
            Links::Refused
        } else {
            Links::Followed
        };
        match file::open_regular(&path, links) {
            // Somebody else has taken the name; rcron does not write there.
            Ok((_, metadata)) if name.user.is_some_and(|user| user != metadata.uid()) => None,
            Ok((file, metadata)) => Some(Opened {
                file,
                identity: Identity(metadata.dev(), metadata.ino()),
                path,
                owner: name.user,
            }),
            Err(Unreadable::Missing) if name.in_directory => None,
            Err(error) => {
                self.fail(&path, error.to_string());
                None
            }
        }
    }

    fn read(&mut self, mut opened: Opened, tell: &mut impl FnMut(&Found)) {
        let from = self.read.get(&opened.identity).copied().unwrap_or_default();
        let (to, result) = lines(&mut opened, from, tell);
        self.read.insert(opened.identity, to);
        if let Err(error) = result {
            self.fail(&opened.path, sys::output::error_text(&error));
        }
    }

    fn fail(&mut self, path: &Path, reason: String) {
        if !self.unreadable.iter().any(|(known, _)| known == path) {
            self.unreadable.push((path.to_owned(), reason));
        }
    }
}

/// Tells each whole line from there on; returns where the next one begins.
fn lines(opened: &mut Opened, from: u64, tell: &mut impl FnMut(&Found)) -> (u64, std::io::Result<()>) {
    let mut at = from;
    if let Err(error) = opened.file.seek(SeekFrom::Start(from)) {
        return (at, Err(error));
    }
    let mut source = BufReader::with_capacity(BUFFER, &opened.file);
    let mut line = Vec::new();
    loop {
        match line::read(&mut source, &mut line) {
            Ok(None) => return (at, Ok(())),
            Ok(Some(length)) => at += length,
            Err(error) => return (at, Err(error)),
        }
        tell(&Found {
            line: &line,
            owner: opened.owner,
        });
        line.clear();
    }
}
