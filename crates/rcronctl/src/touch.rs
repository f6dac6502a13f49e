//! `rcronctl touch`: a fresh time for the state file, for `state_max_age`.

use crate::cli::{self, Common};
use crate::failure::Failure;
use crate::state_file::StateFile;
use inputs::clusters;
use std::process::ExitCode;
use std::time::SystemTime;
use sys::file::{self, Links};

/// Sets it. What the file says stays; a file that is not there is not made.
pub(crate) fn run(options: &cli::Touch, common: &Common) -> Result<ExitCode, Failure> {
    let config = clusters::one(&common.conf)?.config;
    let state = StateFile::find(&config, options.force)?;
    let path = state.path.display();
    let (file, _) = file::open_regular(&state.path, Links::Refused)
        .map_err(|error| Failure::new(format!("cannot touch {path}: {error}; `rcronctl set` writes one")))?;
    file.set_modified(SystemTime::now())
        .map_err(|error| Failure::of(format!("touch {path}"), &error))?;
    Ok(ExitCode::SUCCESS)
}
