//! What this server publishes of itself: its rcron lines, and the settings that must agree.

use super::crontab_thread::{Settings, StateFiles};
use crate::config::in_directories;
use crate::drift::{ClusterKeys, NodeJobs, ServerFacts, ServerLine, conf_keys, text_of_duration};
use jobs::unread::Unread;
use jobs::{JobLine, Jobs};
use lease::ClusterName;
use policy::config::Config;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// The record of this server.
pub(super) fn record(jobs: &Jobs, settings: &Settings, facts: ServerFacts) -> NodeJobs {
    let mut files = StateFiles::new(&settings.clusters);
    let mut lines: Vec<(ClusterName, &JobLine, &Config)> = Vec::new();
    let mut confs: BTreeMap<ClusterName, Arc<Config>> = BTreeMap::new();
    for found in in_directories(&settings.conf_directories) {
        if let Some(cluster) = files.cluster(&found.config.state_file) {
            confs.entry(cluster).or_insert(Arc::new(found.config));
        }
    }
    for line in jobs.lines().iter().filter(|line| !line.is_dry_run) {
        let Ok(config) = &line.config else { continue };
        let Some(cluster) = files.cluster(&config.state_file) else {
            continue;
        };
        // The rcron.conf may be anywhere.
        if line.options.is_empty() && line.uid == Some(0) {
            confs.entry(cluster.clone()).or_insert(Arc::clone(config));
        }
        lines.push((cluster, line, config));
    }
    let keys = |(cluster, _): &(ClusterName, _)| {
        let toml = settings.keys.get(cluster.as_str()).cloned().unwrap_or_default();
        let conf = confs.get(cluster).map(|config| conf_keys(config));
        (cluster.as_str().to_owned(), ClusterKeys { toml, conf })
    };
    let mut facts = ServerFacts {
        zone: jobs
            .system_zone()
            .rule()
            .map(|rule| String::from_utf8_lossy(rule).into_owned()),
        max_skew: Some(text_of_duration(settings.max_skew)),
        ..facts
    };
    facts.set_unread(jobs.unread().iter().map(user_of));
    let lines = lines.iter().map(|(cluster, line, config)| ServerLine {
        cluster: cluster.as_str(),
        user: &line.user,
        name: line.name.as_deref(),
        schedule: &line.schedule_text,
        zone: line.zone.as_deref(),
        once_per_tick: config.once_per_tick,
        hash: line.command_hash,
    });
    NodeJobs::new(facts, settings.clusters.iter().map(keys).collect(), lines)
}

/// Whose crontab was not read; `None` for a system crontab or a directory, which have jobs of all users.
fn user_of(unread: &Unread) -> Option<&[u8]> {
    match unread {
        Unread::File(file, _) | Unread::Lines(file, _) if !file.starts_with("/etc") => {
            file.file_name().map(OsStr::as_bytes)
        }
        _ => None,
    }
}
