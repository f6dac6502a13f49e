//! The files of journals: reading all their lines, and reading single lines again. Few files are open at a time: users can create
//! more than a process may open.

use super::limits::{LONGEST_LINE, MOST_BYTES, MOST_DESCRIPTORS};
use super::lines::{Lines, Part};
use super::source::{FileName, Source};
use super::unseen::{Notes, Unseen};
use crate::names::OLDEST;
use std::collections::{HashMap, VecDeque};
use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use sys::file::{self, Links, Unreadable};

/// In bytes: a line is read together with those before it, which are usually wanted next.
const WINDOW_BEFORE: u64 = 128 << 10;
/// In bytes: most lines end within this, otherwise more is read.
const WINDOW_AFTER: usize = 4 << 10;
const MOST_WINDOWS: usize = 12;

/// Where a line is: the index of its file, and the position of its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: u32,
    pub(super) at: u64,
}

/// All files that have been read.
pub(super) struct Files {
    sources: Vec<Source>,
    table: Vec<ReadFile>,
    /// Indices by device and inode.
    known: HashMap<(u64, u64), u32>,
    /// Indices of the files that are open, the one that was opened last at the end.
    open: VecDeque<u32>,
    windows: VecDeque<Window>,
    lines: Lines,
}

struct ReadFile {
    name: FileName,
    /// Device and inode, which stay when a file is renamed.
    identity: (u64, u64),
    group: u32,
    read_to: u64,
    file: Option<File>,
}

/// A part of a file.
struct Window {
    file: u32,
    from: u64,
    bytes: Vec<u8>,
}

impl Files {
    pub(super) fn new(sources: &[Source]) -> Self {
        Self {
            sources: sources.to_vec(),
            table: Vec::new(),
            known: HashMap::new(),
            open: VecDeque::new(),
            windows: VecDeque::new(),
            lines: Lines::default(),
        }
    }

    /// Calls `take` with every complete line of a file that has not been read before; with `again`, with all of them.
    pub(super) fn read(
        &mut self,
        name: FileName,
        group: u32,
        again: bool,
        notes: &mut Notes,
        mut take: impl FnMut(Place, &[u8]),
    ) {
        let path = name.path(&self.sources);
        let (file, metadata) = match open(&path, name, &self.sources) {
            Ok(opened) => opened,
            Err(NotOpened::Missing) => return,
            Err(NotOpened::Unusable(why)) => return notes.add(Unseen::Unusable(path, name.user, why)),
            Err(NotOpened::Unreadable(error)) => return notes.fail(&name.shown(&self.sources), error.to_string()),
        };
        let path = name.shown(&self.sources);
        let identity = (metadata.dev(), metadata.ino());
        let index = self.index(identity, name, group);
        let length = metadata.len();
        let known = self.table[index as usize].read_to;
        let mut part = Part {
            from: if again { 0 } else { known },
            to: length,
            is_torn: false,
        };
        // A file that the user named may be many files in one.
        if name.user.is_some() && length - length.min(part.from) > MOST_BYTES {
            part.from = length - MOST_BYTES;
            part.is_torn = true;
            notes.add(Unseen::TooLarge(path.clone()));
        }
        let read = self
            .lines
            .read(&file, part, |at, line| take(Place { file: index, at }, line));
        if read.long_lines > 0 {
            notes.add(Unseen::LongLines(path.clone()));
        }
        if let Some(error) = read.error {
            notes.fail(&path, sys::output::error_text(&error));
        }
        self.table[index as usize].read_to = read.position.max(known);
        self.keep_open(index, file);
    }

    /// The line at this place, as it was read before; `None` if the file is gone.
    pub(super) fn line(&mut self, place: Place) -> Option<&[u8]> {
        let covers = |window: &Window| {
            let end = window.from + window.bytes.len() as u64;
            window.file == place.file && window.from <= place.at && place.at < end && window.line(place.at).is_some()
        };
        let index = match self.windows.iter().position(covers) {
            Some(index) => index,
            None => {
                let window = self.window(place)?;
                self.windows.push_back(window);
                self.windows.len() - 1
            }
        };
        self.windows[index].line(place.at)
    }

    pub(super) fn group(&self, file: u32) -> u32 {
        self.table[file as usize].group
    }

    pub(super) fn name(&self, file: u32) -> FileName {
        self.table[file as usize].name
    }

    /// The name of the server that exported the file.
    pub(super) fn host(&self, file: u32) -> Option<&str> {
        self.host_of_source(self.name(file).source)
    }

    pub(super) fn host_of_source(&self, source: u16) -> Option<&str> {
        self.sources[usize::from(source)].host()
    }

    pub(super) fn is_own(&self, file: u32) -> bool {
        self.sources[usize::from(self.name(file).source)].is_own()
    }

    fn index(&mut self, identity: (u64, u64), name: FileName, group: u32) -> u32 {
        *self.known.entry(identity).or_insert_with(|| {
            self.table.push(ReadFile {
                name,
                identity,
                group,
                read_to: 0,
                file: None,
            });
            u32::try_from(self.table.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn keep_open(&mut self, index: u32, file: File) {
        self.open.retain(|open| *open != index);
        if self.open.len() == MOST_DESCRIPTORS {
            if let Some(oldest) = self.open.pop_front() {
                self.table[oldest as usize].file = None;
            }
        }
        self.open.push_back(index);
        self.table[index as usize].file = Some(file);
    }

    fn window(&mut self, place: Place) -> Option<Window> {
        if self.table[place.file as usize].file.is_none() {
            let file = self.reopen(place.file)?;
            self.keep_open(place.file, file);
        }
        let file = self.table[place.file as usize].file.as_ref()?;
        let from = place.at.saturating_sub(WINDOW_BEFORE);
        let before = usize::try_from(place.at - from).ok()?;
        // The buffer of the oldest window is used again.
        let is_full = self.windows.len() == MOST_WINDOWS;
        let oldest = if is_full { self.windows.pop_front() } else { None };
        let mut window = Window {
            file: place.file,
            from,
            bytes: oldest.map(|window| window.bytes).unwrap_or_default(),
        };
        for after in [WINDOW_AFTER, LONGEST_LINE + 1] {
            window.read(file, before + after);
            if window.line(place.at).is_some() {
                return Some(window);
            }
        }
        None
    }

    /// Opens a file again, which may have been rotated since.
    fn reopen(&self, index: u32) -> Option<File> {
        let known = &self.table[index as usize];
        let oldest = if known.name.user.is_some() { OLDEST } else { 0 };
        (u32::from(known.name.age)..=oldest).find_map(|age| {
            let name = FileName {
                age: u8::try_from(age).ok()?,
                ..known.name
            };
            let (file, metadata) = open(&name.path(&self.sources), name, &self.sources).ok()?;
            ((metadata.dev(), metadata.ino()) == known.identity).then_some(file)
        })
    }
}

impl Window {
    fn read(&mut self, file: &File, length: usize) {
        self.bytes.resize(length, 0);
        let mut filled = 0;
        while let Ok(new @ 1..) = file.read_at(&mut self.bytes[filled..], self.from + filled as u64) {
            filled += new;
        }
        self.bytes.truncate(filled);
    }

    /// The line that begins at this position, if the window has it to its end.
    fn line(&self, at: u64) -> Option<&[u8]> {
        let rest = self.bytes.get(usize::try_from(at - self.from).ok()?..)?;
        Some(&rest[..memchr::memchr(b'\n', rest)?])
    }
}

/// Why a file is not read.
pub(super) enum NotOpened {
    /// It is not there, or it belongs to another user than the one in its name: rcron does not write there.
    Missing,
    /// Its owner made it so.
    Unusable(String),
    Unreadable(Unreadable),
}

/// Opens a file of a journal. In this server's own directory, it must belong to the user in its name and have one link: any user can
/// create a link to a file of another user where the kernel allows that.
pub(super) fn open(path: &Path, name: FileName, sources: &[Source]) -> Result<(File, Metadata), NotOpened> {
    let Some(user) = name.user else {
        return file::open_regular(path, Links::Followed).map_err(NotOpened::Unreadable);
    };
    let (file, metadata) = file::open_regular(path, Links::Refused).map_err(|error| match error {
        Unreadable::Missing => NotOpened::Missing,
        Unreadable::NotRegular(_) => NotOpened::Unusable(error.to_string()),
        Unreadable::System(_) => NotOpened::Unreadable(error),
    })?;
    match (sources[usize::from(name.source)].is_own(), metadata.nlink()) {
        (true, _) if metadata.uid() != user => Err(NotOpened::Missing),
        (true, links @ 2..) => Err(NotOpened::Unusable(format!("it has {links} hard links"))),
        _ => Ok((file, metadata)),
    }
}
