//! The system that is examined: this one, or the one below a directory (the root of a container, an image).

mod located;

use located::{End, Obstacle};
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use std::cell::Cell;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

pub use located::{Link, Located};

/// The kernel's own limit: path_resolution(7).
const MOST_LINKS: usize = 40;

/// A system: this one, or the one below a directory.
#[derive(Debug)]
pub struct Root {
    directory: PathBuf,
    /// The directory itself. Every path is looked up from here.
    base: Rc<File>,
    /// Stands for root: the owner of the directory, since an image may have been unpacked by another user.
    pub owner: u32,
    /// Stands for root's group.
    pub group: u32,
    /// How many components of paths were looked up so far. A caller that follows the paths of other users stops at a limit.
    pub lookups: Cell<usize>,
}

/// Whether a path may lead through a proc(5) file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Processes {
    /// Its links and files show what belongs to the process that opens them, whoever has written the path.
    Refused,
    Allowed,
}

impl Root {
    /// This system if there is no directory, otherwise the one whose `/` it is.
    ///
    /// # Errors
    /// The directory cannot be opened.
    pub fn new(directory: Option<&Path>) -> io::Result<Self> {
        let is_ours = directory.is_none();
        let directory = directory.unwrap_or(Path::new("/")).canonicalize()?;
        fs::read_dir(&directory)?;
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let base = File::options().read(true).custom_flags(flags.bits()).open(&directory)?;
        let metadata = base.metadata()?;
        let (owner, group) = if is_ours {
            (0, 0)
        } else {
            (metadata.uid(), metadata.gid())
        };
        Ok(Self {
            directory,
            base: Rc::new(base),
            owner,
            group,
            lookups: Cell::default(),
        })
    }

    /// Whether it is the system that this program runs on.
    pub fn is_ours(&self) -> bool {
        self.directory == Path::new("/")
    }

    /// The path in this system of a path in that system, for messages. Links are not followed.
    pub fn outside(&self, inside: &Path) -> PathBuf {
        self.directory.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// Follows symbolic links as that system would: an absolute link begins at its own `/`. Components that do not exist are
    /// kept as written. Each component is opened below the one before, and no link is followed by the kernel: a link that
    /// somebody puts there meanwhile cannot lead elsewhere.
    ///
    /// # Errors
    /// More than forty links, or a path that leads through proc(5). If the file does not exist or cannot be seen, the result says so.
    pub fn locate(&self, path: &Path) -> io::Result<Located> {
        self.follow(path, Processes::Refused)
    }

    /// As [`Self::locate`], for a file of proc(5) that the program itself needs.
    ///
    /// # Errors
    /// As there.
    pub fn locate_in_proc(&self, path: &Path) -> io::Result<Located> {
        self.follow(path, Processes::Allowed)
    }

    /// What a name in a directory is, without following a link.
    ///
    /// # Errors
    /// The system's.
    pub fn without_link(&self, directory: &Located, name: &OsStr) -> io::Result<Metadata> {
        self.lookups.set(self.lookups.get() + 1);
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        File::from(openat(directory.file()?, name, flags, Mode::empty())?).metadata()
    }

    fn follow(&self, path: &Path, processes: Processes) -> io::Result<Located> {
        let mut rest: VecDeque<OsString> = names(path).collect();
        let mut walk = Walk::new(Rc::clone(&self.base))?;
        let mut inside = PathBuf::from("/");
        let mut links = Vec::new();
        while let Some(name) = rest.pop_front() {
            self.lookups.set(self.lookups.get() + 1);
            if name == ".." {
                inside.pop();
                walk.leave();
                continue;
            }
            let Some(target) = walk.enter(&name, processes)? else {
                inside.push(name);
                continue;
            };
            if links.len() == MOST_LINKS {
                return Err(io::Error::other("too many levels of symbolic links"));
            }
            links.push(Link {
                path: self.outside(&inside.join(name)),
                target: target.clone(),
                holder: walk.here().file.metadata()?,
                is_last: rest.is_empty(),
            });
            if target.is_absolute() {
                inside = "/".into();
                walk.leave_all();
            }
            for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                rest.push_front(name);
            }
        }
        let outside = self.outside(&inside);
        Ok(Located::new(inside, outside, links, walk.end()))
    }
}

/// The directories from the root to where the walk has come.
struct Walk {
    opened: Vec<Step>,
    /// Why the walk cannot go on. What follows is known by name only.
    obstacle: Option<Obstacle>,
}

struct Step {
    file: Rc<File>,
    name: OsString,
    device: u64,
}

impl Walk {
    fn new(base: Rc<File>) -> io::Result<Self> {
        let step = Step {
            device: base.metadata()?.dev(),
            file: base,
            name: ".".into(),
        };
        Ok(Self {
            opened: vec![step],
            obstacle: None,
        })
    }

    /// The directory that the walk has come to. The first one is never left.
    fn here(&self) -> &Step {
        &self.opened[self.opened.len() - 1]
    }

    fn leave(&mut self) {
        if self.opened.len() > 1 {
            self.opened.pop();
        }
    }

    fn leave_all(&mut self) {
        self.opened.truncate(1);
    }

    /// Opens a component. If it is a symbolic link, returns its target and stays.
    fn enter(&mut self, name: &OsStr, processes: Processes) -> io::Result<Option<PathBuf>> {
        if self.obstacle.is_some() {
            return Ok(None);
        }
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = match openat(&self.here().file, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(errno) => {
                self.obstacle = Some(Obstacle(errno));
                return Ok(None);
            }
        };
        let metadata = file.metadata()?;
        if metadata.is_symlink() {
            return Ok(Some(readlinkat(&file, "")?.into()));
        }
        let device = metadata.dev();
        let is_mount = self.here().device != device;
        if is_mount && processes == Processes::Refused && fstatfs(&file)?.filesystem_type() == PROC_SUPER_MAGIC {
            return Err(io::Error::other("the path leads through proc(5)"));
        }
        self.opened.push(Step {
            file: Rc::new(file),
            name: name.to_owned(),
            device,
        });
        Ok(None)
    }

    fn end(mut self) -> Result<End, Obstacle> {
        if let Some(obstacle) = self.obstacle {
            return Err(obstacle);
        }
        let Step { file, name, .. } = self.opened.remove(self.opened.len() - 1);
        let directory = self.opened.pop().map(|step| step.file);
        Ok(End { directory, name, file })
    }
}

fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
