//! The system that is examined: this one, or the one below a directory (the root of a container, an image).

use std::cell::Cell;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The kernel's own limit: path_resolution(7).
const MOST_LINKS: usize = 40;

#[derive(Debug)]
pub(crate) struct Root {
    directory: PathBuf,
    /// Stands for root: the owner of the directory, since an image may have been unpacked by another user.
    pub(crate) owner: u32,
    /// Stands for root's group.
    pub(crate) group: u32,
    /// How many components of paths were looked up so far. A caller that follows the paths of other users stops at a limit.
    pub(crate) lookups: Cell<usize>,
}

/// The file that a path leads to.
#[derive(Debug)]
pub(crate) struct Located {
    /// Its path in that system, without links.
    pub(crate) inside: PathBuf,
    /// Its path in this system.
    pub(crate) outside: PathBuf,
    /// The symbolic links that were followed, as paths in this system.
    pub(crate) links: Vec<PathBuf>,
}

impl Root {
    /// This system if there is no directory, otherwise the one whose `/` it is.
    pub(crate) fn new(directory: Option<&Path>) -> io::Result<Self> {
        let Some(directory) = directory else {
            return Ok(Self {
                directory: "/".into(),
                owner: 0,
                group: 0,
                lookups: Cell::default(),
            });
        };
        let directory = directory.canonicalize()?;
        let metadata = fs::read_dir(&directory).and_then(|_| fs::metadata(&directory))?;
        Ok(Self {
            owner: metadata.uid(),
            group: metadata.gid(),
            directory,
            lookups: Cell::default(),
        })
    }

    /// Whether it is the system that this program runs on.
    pub(crate) fn is_ours(&self) -> bool {
        self.directory == Path::new("/")
    }

    /// The path in this system of a path in that system. Links are not followed.
    pub(crate) fn outside(&self, inside: &Path) -> PathBuf {
        self.directory.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// Follows symbolic links as that system would: an absolute link begins at its own `/`. Components that do not exist are
    /// kept as written.
    pub(crate) fn locate(&self, path: &Path) -> io::Result<Located> {
        let mut rest: VecDeque<OsString> = names(path).collect();
        let mut inside = PathBuf::from("/");
        let mut links = Vec::new();
        while let Some(name) = rest.pop_front() {
            self.lookups.set(self.lookups.get() + 1);
            if name == ".." {
                inside.pop();
                continue;
            }
            let next = inside.join(name);
            let outside = self.outside(&next);
            match fs::read_link(&outside) {
                Err(_) => inside = next,
                Ok(_) if links.len() == MOST_LINKS => {
                    return Err(io::Error::other("too many levels of symbolic links"));
                }
                Ok(target) => {
                    links.push(outside);
                    if target.is_absolute() {
                        inside = "/".into();
                    }
                    for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                        rest.push_front(name);
                    }
                }
            }
        }
        let outside = self.outside(&inside);
        Ok(Located { inside, outside, links })
    }
}

impl Located {
    /// The directory that holds it, as a path in this system.
    pub(crate) fn directory(&self) -> &Path {
        self.outside.parent().unwrap_or(&self.outside)
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
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_within_the_root() {
        let tree = tempfile::tempdir().expect("a directory");
        let at = |name: &str| tree.path().join(name);
        fs::create_dir_all(at("run/rcron")).expect("made");
        fs::create_dir_all(at("var")).expect("made");
        symlink("/run", at("var/run")).expect("linked");
        symlink("../../../etc/x", at("run/rcron/up")).expect("linked");
        symlink("loop", at("loop")).expect("linked");
        let root = Root::new(Some(tree.path())).expect("a root");
        for (path, inside) in [
            ("/var/run/rcron/state", "/run/rcron/state"),
            ("/run/rcron/up", "/etc/x"),
            ("/../var/./run", "/run"),
            ("/", "/"),
        ] {
            let located = root.locate(Path::new(path)).expect("resolved");
            assert_eq!(located.inside, Path::new(inside), "{path}");
        }
        assert!(root.locate(Path::new("/loop")).is_err());
    }
}
