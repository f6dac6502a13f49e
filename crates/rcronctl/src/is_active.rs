//! `rcronctl is-active`: for scripts, and systemd's ExecCondition.

use crate::cli::{self, Common};
use crate::failure::Failure;
use crate::json;
use inputs::clusters;
use inputs::{observe, words};
use policy::decide::Decision;
use serde::Serialize;
use std::process::ExitCode;

/// Not active. (0 is active, 2 that it could not be found out.)
const PASSIVE: u8 = 1;

#[derive(Serialize)]
struct Document {
    cluster: String,
    active: bool,
    reason: String,
}

/// Exit status 0 if rcron would run a job now, else 1.
pub(crate) fn run(options: &cli::IsActive, common: &Common) -> Result<ExitCode, Failure> {
    let settings = clusters::one(&common.conf)?;
    let observation = observe::observe(&settings.config);
    let active = matches!(observation.decision, Decision::Run(_));
    let reason = words::why(&observation, &settings.config);
    let cluster = words::text_of(&settings.config.cluster_name);
    if options.quiet {
        // The exit status says it.
    } else if common.json {
        json::print(&Document {
            cluster,
            active,
            reason,
        })?;
    } else {
        let state = if active { "active" } else { "passive" };
        json::say(&format!("{cluster}: {state} ({reason})\n"))?;
    }
    Ok(if active {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(PASSIVE)
    })
}
