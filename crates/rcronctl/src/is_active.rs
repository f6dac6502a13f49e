//! `rcronctl is-active`: for scripts, and for systemd's ExecCondition.

use crate::cli::{self, Common};
use crate::failure::{FAILED, Failure};
use crate::output::{is_written, print_json, print_text};
use inputs::{clusters, observe, words};
use policy::decide::Decision;
use policy::display::escaped;
use serde::Serialize;
use std::process::ExitCode;

/// The exit status if this server is not active. 0 means active.
const PASSIVE: u8 = 1;
/// The exit status if this could not be determined. systemd.service(5): an `ExecCondition=` that exits with 1 to 254 skips the unit as if
/// all was well, so that an invalid configuration would skip the job on every server. 255 is a failure.
const UNDETERMINED: u8 = 255;

#[derive(Serialize)]
struct IsActiveJson {
    cluster: String,
    active: bool,
    reason: String,
}

/// The exit status says whether this server is active: whether rcron would run a job now that needs no grant.
pub(crate) fn print_is_active(options: &cli::IsActive, common: &Common) -> ExitCode {
    try_print(options, common).unwrap_or_else(|failure| failure.report_as(UNDETERMINED))
}

/// Prints what clap has instead of a command: the help, the version, or a usage error. A failure of `is-active` must not look like "not
/// active" here either.
pub(crate) fn print_instead(error: &clap::Error) -> ExitCode {
    let is_undetermined = std::env::args_os().any(|word| word == "is-active");
    let failed = if is_undetermined { UNDETERMINED } else { FAILED };
    let printed = error.print();
    if error.use_stderr() {
        return ExitCode::from(failed);
    }
    match is_written(printed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report_as(failed),
    }
}

fn try_print(options: &cli::IsActive, common: &Common) -> Result<ExitCode, Failure> {
    let settings = clusters::one(&common.conf)?;
    let observation = observe::observe(&settings.config);
    // A shared server does not run a job because it is the active one: other servers may run it as well, and the store grants it to one.
    let active = matches!(observation.decision, Decision::Run(_)) && !observation.is_shared(&settings.config);
    let reason = words::why(&observation, &settings.config);
    let cluster = escaped(&settings.config.cluster_name).into_owned();
    if options.quiet {
        // Only the exit status is wanted.
    } else if common.json {
        print_json(&IsActiveJson {
            cluster,
            active,
            reason,
        })?;
    } else {
        let state = if active { "active" } else { "passive" };
        print_text(&format!("{cluster}: {state} ({reason})\n"))?;
    }
    Ok(ExitCode::from(if active { 0 } else { PASSIVE }))
}
