//! `rcronctl timeline`: who ran what when, as a picture.

use crate::cli;
use crate::failure::Failure;
use journal::run::Run;
use std::process::ExitCode;

/// Draws the runs, or writes the page.
pub(crate) fn run(_options: &cli::Timeline, _runs: &[Run]) -> Result<ExitCode, Failure> {
    Err(Failure::new("timeline: not there yet"))
}
