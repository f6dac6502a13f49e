//! Replacing a small file as a whole, so that neither a reader nor a crash gets half of it.

use std::ffi::{CString, OsStr, OsString};
use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// path_resolution(7): the kernel gives up after this many links.
const MOST_LINKS: usize = 40;

/// For opening what should be a regular file: a symbolic link is not followed, a FIFO is not waited for.
const NO_SURPRISES: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// Why a file is not replaced.
#[derive(Debug)]
pub enum Refused {
    /// The path leads through this symbolic link, which another user created or could have created.
    ForeignLink(PathBuf),
    /// The path leads to this kind of file. If `/dev/null` were replaced, every program would find a regular file instead.
    NotRegular(&'static str),
    /// The system's error.
    System(io::Error),
}

/// The regular file that `path` leads to, which need not exist. Symbolic links are followed, and stay, also those of parent
/// directories.
///
/// # Errors
/// [`Refused`].
pub fn target(path: &Path) -> Result<PathBuf, Refused> {
    if path.file_name().is_none() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR).into());
    }
    let path = without_links(&std::path::absolute(path)?)?;
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.is_file() => Err(Refused::NotRegular(crate::file::kind(found.file_type()))),
        _ => Ok(path),
    }
}

/// The path behind all links, each of which only root or we can have made. What does not exist has no links.
fn without_links(path: &Path) -> Result<PathBuf, Refused> {
    let mut resolved = PathBuf::from("/");
    let mut rest: Vec<OsString> = reversed(path);
    let mut links = 0;
    while let Some(name) = rest.pop() {
        match name.as_encoded_bytes() {
            b"/" => resolved = PathBuf::from("/"),
            b"." => {}
            b".." => {
                resolved.pop();
            }
            _ => {
                let next = resolved.join(&name);
                let Ok(link) = fs::read_link(&next) else {
                    resolved = next;
                    continue;
                };
                links += 1;
                if links > MOST_LINKS {
                    return Err(io::Error::from_raw_os_error(libc::ELOOP).into());
                }
                if !is_trusted(&resolved, &next)? {
                    return Err(Refused::ForeignLink(next));
                }
                rest.extend(reversed(&link));
            }
        }
    }
    Ok(resolved)
}

/// The names in a path, the last one first. The root directory is `/`.
fn reversed(path: &Path) -> Vec<OsString> {
    let names = path.components().rev();
    names.map(|name| name.as_os_str().to_owned()).collect()
}

fn is_trusted(holder: &Path, link: &Path) -> io::Result<bool> {
    let ours = |uid: u32| uid == 0 || uid == crate::environment::effective_user();
    let holder = fs::metadata(holder)?;
    Ok(holder.mode() & 0o022 == 0 && ours(holder.uid()) && ours(fs::symlink_metadata(link)?.uid()))
}

/// Replaces `file` by one with this content and mode. It must not be a link: see [`target`]. A missing directory is created.
///
/// The new file is written beside the old one, synced and renamed. If that fails, the old file is unchanged.
///
/// # Errors
/// The system's: a full disk, no permission.
pub fn replace(file: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    put(file, content, mode, None)
}

/// As [`replace`], but the file keeps its owner, if we may change that: a script of this user that also writes the file is not
/// locked out. Not for content that this user must not read.
///
/// # Errors
/// As [`replace`].
pub fn replace_keeping_owner(file: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    put(file, content, mode, fs::symlink_metadata(file).ok().as_ref())
}

fn put(file: &Path, content: &[u8], mode: u32, owner: Option<&Metadata>) -> io::Result<()> {
    make(file.parent().unwrap_or(Path::new("/")))?;
    let directory = Directory::of(file)?;
    let file = directory.path(file);
    let beside = beside(&file);
    let written = write(&beside, content, mode, owner).and_then(|()| fs::rename(&beside, &file));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
        return written;
    }
    // Syncs the rename. Not every file system can, and a file in /run does not need it.
    let _ = File::open(directory.path(Path::new("."))).and_then(|directory| directory.sync_all());
    Ok(())
}

/// The directory of a file, which stays the same while we use it: a user who may rename one of its parents could put a link in its
/// place after the path was checked.
struct Directory {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Directory {
    /// Opens the directory of a file. Links are followed as by [`target`].
    fn of(file: &Path) -> io::Result<Self> {
        let absolute = std::path::absolute(file)?;
        let parent = absolute.parent().unwrap_or(Path::new("/"));
        let parent = without_links(parent).map_err(|refused| match refused {
            Refused::System(error) => error,
            refused => io::Error::new(io::ErrorKind::PermissionDenied, refused.to_string()),
        })?;
        Self::open(parent)
    }

    /// Opens a directory behind a path without links.
    fn open(path: PathBuf) -> io::Result<Self> {
        let mut descriptor = open_directory(libc::AT_FDCWD, OsStr::new("/"))?;
        for name in path.components().skip(1) {
            descriptor = open_directory(descriptor.as_raw_fd(), name.as_os_str())?;
        }
        Ok(Self { descriptor, path })
    }

    /// A path that leads to the file of this name in this directory.
    fn path(&self, file: &Path) -> PathBuf {
        let open = PathBuf::from(format!("/proc/self/fd/{}", self.descriptor.as_raw_fd()));
        // A change root may have no /proc.
        let directory = if open.exists() { &open } else { &self.path };
        directory.join(file.file_name().unwrap_or(OsStr::new(".")))
    }
}

fn open_directory(parent: RawFd, name: &OsStr) -> io::Result<OwnedFd> {
    let name = CString::new(name.as_bytes())?;
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    // SAFETY: the pointer is to a string that ends with NUL and lives through the call.
    crate::own(unsafe { libc::openat(parent, name.as_ptr(), flags) })
}

/// Removes what earlier calls of [`replace`] for this file have left beside it, because this user's program was killed. A new file that
/// was written to in the last `age` may still be in use, and stays.
///
/// # Errors
/// The system's: the directory cannot be listed.
pub fn remove_leftovers(file: &Path, age: Duration) -> io::Result<()> {
    let directory = Directory::of(file)?;
    for entry in fs::read_dir(directory.path(Path::new(".")))? {
        let entry = entry?;
        // Of a link, this is the link itself. If another user exchanges the file meanwhile, only that name is removed.
        let is_left = |found: &Metadata| {
            let age_now = found.modified().ok().and_then(|modified| modified.elapsed().ok());
            found.is_file()
                && found.uid() == crate::environment::effective_user()
                && age_now.is_some_and(|now| now >= age)
        };
        if is_beside(&entry.file_name(), file) && entry.metadata().is_ok_and(|found| is_left(&found)) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Overwrites the beginning of an existing file in one write(2): a full disk has no room for a new file.
///
/// # Errors
/// The system's.
pub fn overwrite(file: &Path, beginning: &[u8]) -> io::Result<()> {
    let directory = Directory::of(file)?;
    let file = directory.path(file);
    let file = OpenOptions::new().write(true).custom_flags(NO_SURPRISES).open(file)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    file.write_all_at(beginning, 0)?;
    file.sync_all()
}

/// Creates a directory with mode 755, whatever the umask: jobs of other users read the files in it.
fn make(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    directory.parent().map_or(Ok(()), make)?;
    match DirBuilder::new().mode(0o755).create(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => fs::set_permissions(directory, Permissions::from_mode(0o755)),
    }
}

/// A unique name in the same directory. The pid is not unique: a writer in another container may have the same one.
fn beside(file: &Path) -> PathBuf {
    let mut name = beginning(file);
    for byte in crate::random::ten_bytes() {
        name.push(format!("{byte:02x}"));
    }
    file.with_file_name(name)
}

/// Whether [`beside`] gives such a name.
fn is_beside(name: &OsStr, file: &Path) -> bool {
    let digits = name.as_bytes().strip_prefix(beginning(file).as_bytes());
    digits
        .is_some_and(|digits| digits.len() == 20 && digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

fn beginning(file: &Path) -> OsString {
    let mut name = OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(".new.");
    name
}

fn write(beside: &Path, content: &[u8], mode: u32, owner: Option<&Metadata>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(beside)?;
    file.write_all(content)?;
    if let Some(owner) = owner {
        let _ = fchown(&file, Some(owner.uid()), Some(owner.gid()));
    }
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignLink(link) => write!(
                out,
                "{} is a symbolic link that another user could have created",
                link.display()
            ),
            Self::NotRegular(kind) => write!(out, "it is {kind}, not a regular file"),
            Self::System(error) => out.write_str(&crate::output::error_text(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_is_followed_and_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let real = directory.path().join("real/deep/state");
        let link = directory.path().join("link");
        symlink("real/deep/state", &link).expect("linked");
        let found = target(&link).expect("a path");
        replace(&found, b"active\n", 0o644).expect("written");
        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).expect("there"), b"active\n");
        assert_eq!(fs::metadata(&real).expect("there").mode() & 0o7777, 0o644);
        assert_eq!(fs::read_dir(real.parent().expect("one")).expect("there").count(), 1);
    }

    #[test]
    fn a_link_that_anybody_could_have_made_is_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).expect("chmod");
        let link = directory.path().join("link");
        symlink("/etc/passwd", &link).expect("linked");
        assert!(matches!(target(&link), Err(Refused::ForeignLink(_))));
    }

    #[test]
    fn a_parent_that_anybody_could_have_linked_is_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let [shared, real] = ["shared", "real"].map(|name| directory.path().join(name));
        fs::create_dir(&real).expect("made");
        fs::create_dir(&shared).expect("made");
        symlink("../real", shared.join("link")).expect("linked");
        let path = shared.join("link/deep/state");
        let found = target(&path).expect("a link of our own in a directory of our own");
        assert_eq!(found, real.canonicalize().expect("there").join("deep/state"));
        fs::set_permissions(&shared, Permissions::from_mode(0o1777)).expect("chmod");
        assert!(matches!(target(&path), Err(Refused::ForeignLink(link)) if link.ends_with("shared/link")));
    }

    #[test]
    fn a_parent_that_becomes_a_link_is_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let [real, link] = ["real", "link"].map(|name| directory.path().join(name));
        fs::create_dir(&real).expect("made");
        symlink("real", &link).expect("linked");
        let opened = |path: &Path| Directory::open(path.canonicalize().expect("there").join("deep"));
        fs::create_dir(real.join("deep")).expect("made");
        assert!(opened(&real).is_ok());
        assert!(
            Directory::open(link.join("deep")).is_err(),
            "the path was checked before"
        );
        fs::set_permissions(directory.path(), Permissions::from_mode(0o1777)).expect("chmod");
        fs::write(real.join("state"), "active").expect("written");
        for written in [
            replace(&link.join("state"), b"passive", 0o644),
            overwrite(&link.join("state"), b"passive"),
        ] {
            assert!(written.is_err());
        }
        assert_eq!(fs::read(real.join("state")).expect("there"), b"active");
    }

    #[test]
    fn a_parent_that_the_administrator_has_linked_is_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let [real, link] = ["real", "link"].map(|name| directory.path().join(name));
        fs::create_dir(&real).expect("made");
        symlink("real", &link).expect("linked");
        replace(&link.join("state"), b"passive", 0o644).expect("written");
        assert_eq!(fs::read(real.join("state")).expect("there"), b"passive");
    }

    #[test]
    fn a_file_that_cannot_be_replaced_stays_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let occupied = directory.path().join("state");
        fs::create_dir(&occupied).expect("made");
        assert!(replace(&occupied, b"active\n", 0o644).is_err());
        assert_eq!(fs::read_dir(directory.path()).expect("there").count(), 1);
    }

    #[test]
    fn only_leftovers_of_the_same_file_are_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let file = path("a.prom");
        let left = beside(&file);
        let digits = "0123456789abcdef0123";
        let others = [
            format!(".b.prom.new.{digits}"),
            format!(".a.prom.new.{digits}0"),
            format!(".a.prom.new.{}", &digits[1..]),
            format!(".a.prom.new.{}", digits.to_uppercase()),
            format!("a.prom.new.{digits}"),
            ".a.prom.new.".to_owned(),
            "a.prom".to_owned(),
        ];
        for path in others.iter().map(|name| path(name)).chain([left.clone()]) {
            fs::write(path, "x").expect("written");
        }
        let link = path(&format!(".a.prom.new.{digits}"));
        symlink("a.prom", &link).expect("linked");
        let inner = beside(&file);
        fs::create_dir(&inner).expect("made");
        remove_leftovers(&file, Duration::from_secs(3600)).expect("listed");
        assert!(left.exists(), "it may be in use");
        remove_leftovers(&file, Duration::ZERO).expect("listed");
        assert!(!left.exists());
        assert!(others.iter().all(|name| path(name).is_file()));
        assert!(link.is_symlink() && inner.is_dir());
        assert!(remove_leftovers(&path("missing/a.prom"), Duration::ZERO).is_err());
    }

    #[test]
    fn links_in_a_circle_end() {
        let directory = tempfile::tempdir().expect("a directory");
        symlink("b", directory.path().join("a")).expect("linked");
        symlink("a", directory.path().join("b")).expect("linked");
        assert!(matches!(target(&directory.path().join("a")), Err(Refused::System(_))));
    }
}
