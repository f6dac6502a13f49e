//! `rcronctl keepalived`: the service that turns keepalived's notify_fifo into state files.

use crate::cli;
use crate::failure::Failure;
use std::path::PathBuf;
use std::process::ExitCode;

/// Follows keepalived until the service is stopped.
pub(crate) fn run(_options: &cli::Keepalived, _conf: &[PathBuf]) -> Result<ExitCode, Failure> {
    Err(Failure::new("keepalived: not there yet"))
}
