//! Reading the files of journals line by line. Few files are open at a time: users can create more than a process may open.

use super::lines::read_line;
use super::source::{Name, Source};
use crate::names::{OLDEST, rotated};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::file::{self, Links, Unreadable};

/// In bytes, for reading a file.
const BUFFER: usize = 256 << 10;

/// A line of a journal.
pub(crate) struct Found<'a> {
    pub(crate) line: &'a [u8],
    /// The owner of its file, which cannot be forged; `None` in a copy, whose owner says nothing about the runs.
    pub(crate) owner: Option<u32>,
}

/// Remembers how far each file has been read.
#[derive(Default)]
pub(super) struct Files {
    positions: HashMap<Identity, u64>,
    /// Files that could not be read, and why.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
}

/// Device and inode, which stay when a file is renamed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Identity(u64, u64);

struct Opened {
    file: File,
    identity: Identity,
    path: PathBuf,
    owner: Option<u32>,
}

impl Files {
    /// Reads every line that has not been read before.
    pub(super) fn read_new_lines(&mut self, sources: &[Source], mut take: impl FnMut(&Found)) {
        for source in sources {
            match source.names() {
                Ok(names) => names.iter().for_each(|name| self.read_name(name, &mut take)),
                Err(error) => self.fail(source.path(), sys::output::error_text(&error)),
            }
        }
    }

    /// The current file is opened before the rotated ones: if it is rotated meanwhile, it is found twice rather than never.
    fn read_name(&mut self, name: &Name, take: &mut impl FnMut(&Found)) {
        let current = self.open(name, 0);
        let oldest = if name.in_directory { OLDEST } else { 0 };
        for age in (1..=oldest).rev() {
            if let Some(opened) = self.open(name, age) {
                self.read_file(opened, take);
            }
        }
        if let Some(opened) = current {
            self.read_file(opened, take);
        }
    }

    /// `None` if the file is missing, belongs to another user than the one in its name, or cannot be read.
    fn open(&mut self, name: &Name, age: u32) -> Option<Opened> {
        let path = rotated(&name.path, age);
        let links = if name.in_directory {
            Links::Refused
        } else {
            Links::Followed
        };
        match file::open_regular(&path, links) {
            // Another user took the name, and rcron does not write there.
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

    fn read_file(&mut self, mut opened: Opened, take: &mut impl FnMut(&Found)) {
        let from = self.positions.get(&opened.identity).copied().unwrap_or_default();
        let (to, result) = read_lines(&mut opened, from, take);
        self.positions.insert(opened.identity, to);
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

/// Reads each complete line from this position on. Returns the position after the last one.
fn read_lines(opened: &mut Opened, from: u64, take: &mut impl FnMut(&Found)) -> (u64, std::io::Result<()>) {
    let mut at = from;
    if let Err(error) = opened.file.seek(SeekFrom::Start(from)) {
        return (at, Err(error));
    }
    let mut source = BufReader::with_capacity(BUFFER, &opened.file);
    let mut line = Vec::new();
    loop {
        match read_line(&mut source, &mut line) {
            Ok(None) => return (at, Ok(())),
            Ok(Some(length)) => at += length,
            Err(error) => return (at, Err(error)),
        }
        take(&Found {
            line: &line,
            owner: opened.owner,
        });
        line.clear();
    }
}
