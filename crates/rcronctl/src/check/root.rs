//! The system that is checked: this one, or the one below a directory (a container's root, an image).

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// path_resolution(7): the kernel gives up after as many links.
const MOST_LINKS: usize = 40;

/// Where `/` is.
#[derive(Debug)]
pub(crate) struct Root {
    directory: PathBuf,
    /// Who owns what root owns: the directory's owner where another system is looked at, which root may have unpacked or not.
    pub(crate) owner: u32,
    /// And root's group.
    pub(crate) group: u32,
}

/// Where a path leads to, with what is passed on the way.
#[derive(Debug)]
pub(crate) struct Located {
    /// As that system sees it, without links.
    pub(crate) inside: PathBuf,
    /// As it is opened here.
    pub(crate) outside: PathBuf,
    /// The symbolic links that were followed, as they are opened here.
    pub(crate) links: Vec<PathBuf>,
}

impl Root {
    /// This system, or the one whose `/` is this directory.
    pub(crate) fn new(directory: Option<&Path>) -> io::Result<Self> {
        let Some(directory) = directory else {
            return Ok(Self {
                directory: "/".into(),
                owner: 0,
                group: 0,
            });
        };
        let directory = directory.canonicalize()?;
        let metadata = fs::read_dir(&directory).and_then(|_| fs::metadata(&directory))?;
        Ok(Self {
            owner: metadata.uid(),
            group: metadata.gid(),
            directory,
        })
    }

    /// Whether it is the system that this program runs on.
    pub(crate) fn is_ours(&self) -> bool {
        self.directory == Path::new("/")
    }

    /// A path of that system, as it is opened here.
    pub(crate) fn outside(&self, inside: &Path) -> PathBuf {
        self.directory.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// Follows symbolic links as that system would: an absolute one begins at its own `/`. What does not exist is taken as it
    /// is written.
    pub(crate) fn locate(&self, path: &Path) -> io::Result<Located> {
        let mut rest: VecDeque<OsString> = names(path).collect();
        let mut inside = PathBuf::from("/");
        let mut links = Vec::new();
        while let Some(name) = rest.pop_front() {
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
    /// The directory that holds it.
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
