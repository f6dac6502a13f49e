//! Whether crontabs have changed since they were read, by what stat(2) says of them.

use crate::files;
use crate::hash::Fnv;
use crate::root::Root;
use crate::zones;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The other files and directories that decide which jobs there are, and when they run.
const OTHERS: [&str; 9] = [
    "/etc/cron.d",
    "/var/spool/cron",
    "/var/spool/cron/crontabs",
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/localtime",
    "/usr/sbin/cron",
    "/usr/sbin/crond",
];

/// Of all crontabs, and of the files that decide how they are read. A change within one tick of the file system's clock that keeps
/// the size of a file is not noticed.
pub(crate) fn of_crontabs(root: &Root) -> u64 {
    let mut hash = Fnv::new();
    for file in OTHERS.iter().chain(&zones::ENVIRONMENTS) {
        hash.add(&of_file(root, Path::new(file)).to_ne_bytes());
    }
    for source in files::list(root, &mut Vec::new()) {
        hash.add(source.file().as_os_str().as_encoded_bytes());
        hash.add(&of_file(root, source.file()).to_ne_bytes());
    }
    hash.value()
}

/// Of one file, or of there being none.
pub(crate) fn of_file(root: &Root, file: &Path) -> u64 {
    let mut hash = Fnv::new();
    let metadata = root.locate(file).and_then(|located| located.metadata());
    if let Ok(metadata) = metadata {
        for number in [metadata.dev(), metadata.ino(), metadata.size(), metadata.nlink()] {
            hash.add(&number.to_ne_bytes());
        }
        for number in [metadata.mode(), metadata.uid(), metadata.gid()] {
            hash.add(&number.to_ne_bytes());
        }
        let times = [
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
        ];
        for number in times {
            hash.add(&number.to_ne_bytes());
        }
    }
    hash.value()
}
