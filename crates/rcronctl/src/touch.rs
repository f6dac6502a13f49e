//! `rcronctl touch`: sets the modification time of the state file to now, for `state_max_age`.

use crate::cli::{self, Common};
use crate::failure::Failure;
use crate::state_file::StateFile;
use inputs::clusters;
use std::process::ExitCode;
use std::time::SystemTime;
use sys::file::{self, Links};

/// The file's content stays; a missing file is not created.
pub(crate) fn touch_state_file(options: &cli::Touch, common: &Common) -> Result<ExitCode, Failure> {
    let config = clusters::one(&common.conf)?.config;
    let state = StateFile::find(&config, options.socket.path(), options.force)?;
    let path = state.path.display();
    let (file, _) = file::open_regular(&state.path, Links::Refused)
        .map_err(|error| Failure::new(format!("cannot touch {path}: {error}; create it with `rcronctl set`")))?;
    file.set_modified(SystemTime::now())
        .map_err(|error| Failure::cannot(format!("touch {path}"), &error))?;
    Ok(ExitCode::SUCCESS)
}
