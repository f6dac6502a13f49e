//! `rcronctl status`: the state of each cluster, its nodes if rcrond runs it, and what is running now.

mod cluster;
mod json;
mod nodes;
mod rcrond;

use crate::cli::{self, Common};
use crate::failure::{FAILED, Failure};
use crate::output::{print_json, print_text};
use crate::run_table::format_runs;
use crate::runs;
use crate::screen::Screen;
use cluster::{ClusterState, Rejected};
use inputs::clusters::{self, Cluster};
use inputs::observe;
use journal::run::{Fate, Run};
use journal::{Query, Source};
use rcrond::Rcrond;
use std::process::ExitCode;

/// The exit status is 2 if a configuration is rejected.
pub(crate) fn print_status(options: &cli::Status, common: &Common) -> Result<ExitCode, Failure> {
    let (clusters, rejected) = read_clusters(common)?;
    let running = running(&clusters);
    let socket = &options.socket.socket;
    if common.json {
        let rcrond = Rcrond::ask(socket, &clusters);
        print_json(&json::StatusJson::new(&clusters, &rejected, &running, socket, &rcrond))?;
    } else {
        // Before rcrond is asked, which may take seconds.
        let screen = Screen::of_stdout();
        print_text(&cluster::format_clusters(&clusters, &running, screen))?;
        let rcrond = Rcrond::ask(socket, &clusters);
        print_text(&nodes::format_nodes(&rcrond, &clusters, screen))?;
        if !running.is_empty() {
            print_text(&format!("\n{}", format_runs(&running)))?;
        }
        for (_, diagnostic) in &rejected {
            sys::output::to_stderr(format!("rcronctl: {}\n", diagnostic.full).as_bytes());
        }
    }
    Ok(ExitCode::from(if rejected.is_empty() { 0 } else { FAILED }))
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

fn running(clusters: &[ClusterState]) -> Vec<Run> {
    let directories = runs::directories(clusters.iter().map(ClusterState::config));
    let sources: Vec<Source> = directories
        .into_iter()
        .filter(|directory| directory.exists())
        .map(Source::Own)
        .collect();
    let query = Query {
        unfinished: true,
        ..Query::default()
    };
    let mut runs = runs::read_journals(&sources, &query).runs;
    runs.retain(|run| matches!(run.fate, Fate::Running(_) | Fate::Unwatched(_)));
    runs
}
