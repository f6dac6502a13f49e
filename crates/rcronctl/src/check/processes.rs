//! The processes of the examined system: proc(5).

use super::access::Access;
use jobs::root::Root;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// How many names in /proc are looked at: the most processes that a system can have.
const MOST: usize = 1 << 22;
/// A name that the kernel gives has at most 15 bytes and a newline.
const LONGEST_NAME: usize = 64;

/// The programs that root runs, by the names of their processes.
#[derive(Debug, Default)]
pub(crate) struct Processes(BTreeSet<Vec<u8>>);

impl Processes {
    /// `None` if no process runs there, as in an image.
    ///
    /// # Errors
    /// The processes of other users cannot be seen.
    pub(crate) fn read(root: &Root) -> io::Result<Option<Self>> {
        let directory = Path::new("/proc");
        if !root.is_ours() && name(root, &directory.join("1")).is_none() {
            return Ok(None);
        }
        let names = root.locate_in_proc(directory)?.names(MOST)?;
        let of_first = namespace(root, &directory.join("1"));
        let mut found = BTreeSet::new();
        for entry in names {
            let process = directory.join(&entry.name);
            if !entry.name.as_encoded_bytes().iter().all(u8::is_ascii_digit) || !is_roots(root, &process) {
                continue;
            }
            // A container's cron is in the host's table, too, but it does not run the host's jobs.
            let of_this = namespace(root, &process);
            let is_elsewhere = of_first.is_some() && of_this.is_some() && of_first != of_this;
            if let Some(name) = name(root, &process).filter(|_| !is_elsewhere) {
                found.insert(name);
            }
        }
        if found.is_empty() {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied)); // hidepid: proc(5)
        }
        Ok(Some(Self(found)))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name.as_bytes())
    }
}

/// Every user can give a process any name.
fn is_roots(root: &Root, process: &Path) -> bool {
    let metadata = root.locate_in_proc(process).and_then(|located| located.metadata());
    metadata.is_ok_and(|metadata| Access::from(&metadata).is_roots(root))
}

fn name(root: &Root, process: &Path) -> Option<Vec<u8>> {
    let located = root.locate_in_proc(&process.join("comm")).ok()?;
    let contents = located.read(LONGEST_NAME).ok()?;
    Some(contents.bytes.trim_ascii_end().to_owned())
}

/// The pid namespace, which only root can see for other users' processes.
fn namespace(root: &Root, process: &Path) -> Option<PathBuf> {
    let mut located = root.locate_in_proc(&process.join("ns/pid")).ok()?;
    located.links.pop().map(|link| link.target)
}
