//! The mounts of a system: proc_pid_mountinfo(5). statfs(2) would not show that a single file is a mount point.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) point: PathBuf,
    pub(crate) file_system: String,
    pub(crate) read_only: bool,
}

/// In the kernel's order: a later mount covers an earlier one of the same point.
#[derive(Debug, Default)]
pub(crate) struct Mounts(Vec<Mount>);

impl Mounts {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(text.split(|byte| *byte == b'\n').filter_map(mount).collect())
    }

    /// The mount that holds a path. The path must have no symbolic links.
    pub(crate) fn of(&self, path: &Path) -> Option<&Mount> {
        let holding = self.0.iter().filter(|mount| path.starts_with(&mount.point));
        holding.max_by_key(|mount| mount.point.components().count())
    }

    /// Whether something is mounted on the path itself.
    pub(crate) fn is_point(&self, path: &Path) -> bool {
        self.0.iter().any(|mount| mount.point == path)
    }
}

impl Mount {
    /// Whether a reboot empties it.
    pub(crate) fn is_volatile(&self) -> bool {
        matches!(self.file_system.as_str(), "tmpfs" | "ramfs")
    }
}

/// `36 35 98:0 /root /point options tags… - type source super-options`
fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = decoded(fields.nth(4)?);
    let options = fields.next()?;
    let mut after_tags = fields.skip_while(|field| *field != b"-").skip(1);
    let file_system = String::from_utf8_lossy(after_tags.next()?).into_owned();
    let super_options = after_tags.nth(1).unwrap_or_default();
    let is_ro = |options: &[u8]| options.split(|byte| *byte == b',').any(|option| option == b"ro");
    Some(Mount {
        point,
        file_system,
        read_only: is_ro(options) || is_ro(super_options),
    })
}

/// The kernel writes a blank, tab, newline or backslash as `\ooo`.
fn decoded(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let octal = (*first == b'\\').then(|| tail.get(..3)).flatten().and_then(octal);
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &tail[3..] } else { tail };
    }
    OsString::from_vec(bytes).into()
}

fn octal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
24 22 0:21 / /run rw,nosuid shared:5 master:1 - tmpfs tmpfs rw,size=1000k
30 24 254:0 /srv/a\\040b /run/a\\040b ro - ext4 /dev/vda rw
31 22 0:30 / /var ro,relatime - xfs /dev/vdb rw
broken
";

    #[test]
    fn nearest_mount_holds_a_path() {
        let mounts = Mounts::parse(TEXT);
        for (path, file_system, read_only) in [
            ("/", "ext4", false),
            ("/run/rcron/state", "tmpfs", false),
            ("/running", "ext4", false),
            ("/run/a b", "ext4", true),
            ("/var/lib", "xfs", true),
        ] {
            let mount = mounts.of(Path::new(path)).expect("one");
            assert_eq!(
                (mount.file_system.as_str(), mount.read_only),
                (file_system, read_only),
                "{path}"
            );
        }
        assert!(mounts.is_point(Path::new("/run/a b")));
        assert!(!mounts.is_point(Path::new("/run/rcron")));
        assert_eq!(Mounts::default().of(Path::new("/")), None);
    }
}
