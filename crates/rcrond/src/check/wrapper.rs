//! Checks whether rcron reads the state files that rcrond writes: each cluster's rcron.conf(5).

use super::report::Report;
use crate::config::{self, ClusterSettings, Loaded, resolve_links};
use inputs::clusters::DIRECTORY;
use inputs::diagnostic::shown;
use inputs::settings::{self, Settings};
use lease::RunOn;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// All valid rcron.conf files: those that the configuration names, and those that may belong to a cluster without being named.
pub(super) fn find(configuration: &Path, loaded: &Loaded) -> Vec<Settings> {
    let mut found = config::in_directories(&config::conf_directories(configuration));
    for file in loaded.confs.iter().flatten() {
        if !found.iter().any(|settings| settings.file.as_os_str() == file) {
            found.extend(settings::read(Some(file.as_os_str()), &[]));
        }
    }
    found
}

/// Compares the cluster with its rcron.conf, if there is one.
pub(super) fn check(cluster: &ClusterSettings, all: &[Settings], report: &mut Report) {
    let file_written = resolve_links(&cluster.state_file);
    let mut is_known = false;
    for settings in all {
        let has_name = settings.config.cluster_name == cluster.name.as_str().as_bytes();
        let theirs = Path::new(OsStr::from_bytes(&settings.config.state_file));
        let has_file = resolve_links(theirs) == file_written;
        is_known |= has_name || has_file;
        let file = shown(&settings.file);
        match (has_name, has_file) {
            (false, false) => {}
            // A file that does not is refused with the configuration.
            (true, true) => {
                report.fine(&format!("{file} reads this state file and requires a lease"));
                if cluster.run_on == RunOn::Any && !settings.config.once_per_tick {
                    let what = format!("run_on is \"any\", and {file} does not set once_per_tick");
                    let remedy =
                        "jobs without it run on no server: set once_per_tick = yes there, or with -o in each line";
                    report.hint(&what, Some(remedy));
                }
            }
            (true, false) => {
                let what = format!("{file} has a different state file: {}", shown(theirs.as_os_str()));
                report.wrong(
                    &what,
                    "rcron reads that file, and rcrond does not write it: set state_file to the same path in both",
                );
            }
            (false, true) => {
                let what = format!(
                    "{file} uses this state file for another cluster, {}",
                    shown(OsStr::from_bytes(&settings.config.cluster_name))
                );
                report.wrong(
                    &what,
                    "set the same cluster_name in both: the log and `rcronctl drain` use it",
                );
            }
        }
    }
    if !is_known {
        let remedy = "write one, with its cluster_name, its state_file, and require_lease = yes; see rcron.conf(5)";
        report.hint(
            &format!("no rcron.conf in {DIRECTORY} belongs to this cluster"),
            Some(remedy),
        );
    }
}
