//! Noticing that a path leads to another file, or that the file's content changed: inotify(7).
//!
//! The path is resolved as the kernel resolves it, and each directory on the way is watched: the one with the file, those with a
//! symbolic link, and the parents, which can be moved. The file itself is not watched: after rename(2) it would be the wrong one.

use crate::{check, own};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// path_resolution(7): the kernel gives up after this many links.
const MOST_LINKS: usize = 40;
/// In bytes. One struct inotify_event with the longest name takes 16 + 256.
const BUFFER_SIZE: usize = 4096;

/// A watched path.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    inotify: File,
    steps: Vec<Step>,
    /// The names that matter, by watch descriptor.
    names: BTreeMap<i32, Vec<OsString>>,
}

/// One name on the way to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    directory: PathBuf,
    name: OsString,
    /// Whether a change of the name changes the target: it is a link, the file itself, or missing.
    decides: bool,
}

impl Watch {
    /// Watches a path, which need not exist.
    ///
    /// # Errors
    /// The system's: the user has no instance or watch left, or may not read a directory.
    pub fn new(path: &OsStr) -> io::Result<Self> {
        // SAFETY: no memory is involved.
        let inotify = own(unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) })?;
        let mut watch = Self {
            path: PathBuf::from(path),
            inotify: inotify.into(),
            steps: Vec::new(),
            names: BTreeMap::new(),
        };
        watch.arm()?;
        Ok(watch)
    }

    /// Reads the pending events. Returns whether the file should be read again.
    ///
    /// # Errors
    /// As [`Watch::new`]. The watch is then no longer reliable.
    pub fn changed(&mut self) -> io::Result<bool> {
        let mut changed = false;
        let mut buffer = [0; BUFFER_SIZE];
        // Reads until no event is left (EAGAIN).
        while let Ok(length @ 1..) = self.inotify.read(&mut buffer) {
            changed |= self.matters(&buffer[..length]);
        }
        if changed {
            self.arm()?;
        }
        Ok(changed)
    }

    /// Watches the directories that are on the way now, and no others. Repeated until the way did not change meanwhile.
    fn arm(&mut self) -> io::Result<()> {
        for _ in 0..8 {
            let steps = steps(&self.path);
            let mut names: BTreeMap<i32, Vec<OsString>> = BTreeMap::new();
            for step in &steps {
                match self.add(step) {
                    Ok(descriptor) => names.entry(descriptor).or_default().push(step.name.clone()),
                    // It was removed meanwhile.
                    Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => {}
                    Err(error) => return Err(error),
                }
            }
            for old in self.names.keys().filter(|old| !names.contains_key(old)) {
                // SAFETY: no memory is involved. It fails if the kernel removed the watch together with its directory.
                unsafe { libc::inotify_rm_watch(self.inotify.as_raw_fd(), *old) };
            }
            self.names = names;
            self.steps = steps;
            if self.steps == self::steps(&self.path) {
                return Ok(());
            }
        }
        Err(io::Error::other("the path changes all the time"))
    }

    fn add(&self, step: &Step) -> io::Result<i32> {
        let directory = CString::new(step.directory.as_os_str().as_bytes())?;
        let moved_itself = libc::IN_DELETE_SELF | libc::IN_MOVE_SELF | libc::IN_ONLYDIR | libc::IN_MASK_ADD;
        let entries = libc::IN_CREATE | libc::IN_DELETE | libc::IN_MOVED_FROM | libc::IN_MOVED_TO;
        let contents = libc::IN_MODIFY | libc::IN_CLOSE_WRITE | libc::IN_ATTRIB;
        let mask = if step.decides {
            moved_itself | entries | contents
        } else {
            moved_itself
        };
        // SAFETY: the string ends with NUL.
        check(unsafe { libc::inotify_add_watch(self.inotify.as_raw_fd(), directory.as_ptr(), mask) })
    }

    /// Whether one of the events concerns the way: a name on it, a directory on it, or an overflow.
    fn matters(&self, mut events: &[u8]) -> bool {
        const HEAD: usize = size_of::<libc::inotify_event>();
        while let (Some(head), Some(rest)) = (events.get(..HEAD), events.get(HEAD..)) {
            // SAFETY: the kernel writes whole events; the structure is integers, and is read without regard to alignment.
            let event: libc::inotify_event = unsafe { head.as_ptr().cast::<libc::inotify_event>().read_unaligned() };
            let length = usize::try_from(event.len).unwrap_or_default().min(rest.len());
            let name = rest[..length].split(|byte| *byte == 0).next().unwrap_or_default();
            if self.concerns(event.wd, event.mask, OsStr::from_bytes(name)) {
                return true;
            }
            events = &rest[length..];
        }
        false
    }

    fn concerns(&self, descriptor: i32, mask: u32, name: &OsStr) -> bool {
        if mask & libc::IN_Q_OVERFLOW != 0 {
            return true;
        }
        // An event of a removed watch does not matter.
        self.names
            .get(&descriptor)
            .is_some_and(|names| name.is_empty() || names.iter().any(|known| known == name))
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// The names on the way to a path, as far as they exist: path_resolution(7).
fn steps(path: &Path) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut links = 0;
    let mut directory = PathBuf::from(".");
    let mut ahead: VecDeque<OsString> = components(path);
    while let Some(name) = ahead.pop_front() {
        if name == "/" {
            directory = PathBuf::from("/");
            continue;
        }
        let there = directory.join(&name);
        let link = fs::read_link(&there).ok();
        let exists = link.is_none() && there.symlink_metadata().is_ok();
        let decides = ahead.is_empty() || !exists;
        steps.push(Step {
            directory: directory.clone(),
            name,
            decides,
        });
        match link {
            Some(_) if links == MOST_LINKS => return steps,
            Some(target) => {
                links += 1;
                let mut target = components(&target);
                target.append(&mut ahead);
                ahead = target;
            }
            None if exists => directory = there,
            None => return steps,
        }
    }
    steps
}

fn components(path: &Path) -> VecDeque<OsString> {
    let meaningful = path.components().filter(|component| *component != Component::CurDir);
    meaningful.map(|component| component.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests;
