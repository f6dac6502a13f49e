//! Files that a command writes because the user has asked for them.

use crate::failure::Failure;
use inputs::diagnostic::shown;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;
use sys::replace::{self, Refused};

/// How old a file is that an earlier run has left because it was killed. A run that writes for longer may lose its file, and then says so.
const LEFT: Duration = Duration::from_secs(60);

/// Replaces a file as a whole. Its directory must exist. A symbolic link is kept, and the file that it leads to is replaced. `otherwise`
/// says what to do if the path does not lead to a regular file.
pub(crate) fn write_file(file: &Path, content: &str, mode: u32, otherwise: &str) -> Result<(), Failure> {
    let name = shown(file.as_os_str());
    let cannot = |why: &dyn Display| Failure::new(format!("cannot write {name}: {why}"));
    let target = replace::target(file).map_err(|refused| match refused {
        Refused::NotRegular(_) => cannot(&format_args!("{refused}; {otherwise}")),
        Refused::ForeignLink(_) => cannot(&format_args!(
            "{refused}; name the file itself, or one in a directory that only you can write to"
        )),
        Refused::System(_) => cannot(&refused),
    })?;
    if !target.parent().is_some_and(Path::is_dir) {
        return Err(cannot(&"its directory does not exist; create it first"));
    }
    // A leftover disturbs nobody, and the file can perhaps be written.
    let _ = replace::remove_leftovers(&target, LEFT);
    replace::replace(&target, content.as_bytes(), mode)
        .map_err(|error| Failure::cannot(format_args!("write {name}"), &error))
}
