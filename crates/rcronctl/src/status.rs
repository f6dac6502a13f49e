//! `rcronctl status`: the state of each cluster, its nodes if rcrond runs it, and what is running now.

mod cluster;
mod jobs;
mod json;
mod nodes;
mod rcrond;

use crate::cli::{self, Common};
use crate::failure::{FAILED, Failure};
use crate::output::print_text;
use crate::run_table::{RunColumns, print_runs};
use crate::screen::Screen;
use cluster::{ClusterState, Rejected};
use inputs::clusters::{self, Cluster};
use inputs::observe;
use jobs::RunningJobs;
use rcrond::Rcrond;
use std::process::ExitCode;

/// The exit status is 2 if a configuration is rejected, or if no job seems to run, but not every journal could be read.
pub(crate) fn print_status(options: &cli::Status, common: &Common) -> Result<ExitCode, Failure> {
    let (clusters, rejected) = read_clusters(common)?;
    let mut jobs = RunningJobs::find(&clusters);
    if common.json {
        let rcrond = Rcrond::ask(&options.socket, &clusters);
        json::print_status(&clusters, &rejected, &mut jobs, options.socket.path(), &rcrond)?;
    } else {
        // Before rcrond is asked, which may take seconds.
        let screen = Screen::of_stdout();
        print_text(&cluster::format_clusters(&clusters, &jobs, screen))?;
        let rcrond = Rcrond::ask(&options.socket, &clusters);
        print_text(&nodes::format_nodes(&rcrond, &clusters, screen))?;
        if !jobs.runs.is_empty() {
            print_text("\n")?;
            print_runs(&mut jobs.runs, RunColumns::default())?;
        }
        if jobs.runs.is_only_own {
            print_text("(these are your own running jobs; only root sees those of other users)\n")?;
        }
        for (_, diagnostic) in &rejected {
            sys::output::to_stderr(format!("rcronctl: {}\n", diagnostic.full).as_bytes());
        }
    }
    jobs.warn();
    let is_certain = rejected.is_empty() && (jobs.runs.is_complete() || !jobs.runs.is_empty());
    Ok(ExitCode::from(if is_certain { 0 } else { FAILED }))
}

/// The clusters as rcron sees them, and the configurations that it rejects.
fn read_clusters(common: &Common) -> Result<(Vec<ClusterState>, Vec<Rejected>), Failure> {
    let mut rejected = Vec::new();
    let mut clusters = Vec::new();
    for Cluster { file, settings } in clusters::all(&common.conf)? {
        match settings {
            Ok(settings) => clusters.push(ClusterState {
                observation: observe::observe(&settings.config),
                settings,
            }),
            Err(diagnostic) => rejected.push((file, diagnostic)),
        }
    }
    Ok((clusters, rejected))
}
