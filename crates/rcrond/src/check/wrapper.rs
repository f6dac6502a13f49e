//! Whether rcron reads what rcrond writes: each cluster's rcron.conf(5).

use super::report::Report;
use crate::config::{ClusterSettings, Loaded, resolve_links};
use inputs::clusters::{self, DIRECTORY};
use inputs::diagnostic::shown;
use inputs::settings::{self, Settings};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Every rcron.conf that can be read: those that the configuration names, those beside it, and those in `/etc/rcron`. One that
/// is refused is told of by `rcronctl check`.
pub(super) fn find(configuration: &Path, loaded: &Loaded) -> Vec<Settings> {
    let beside = configuration.parent().unwrap_or(Path::new(DIRECTORY));
    let mut files: BTreeSet<PathBuf> = loaded.confs.iter().flatten().cloned().collect();
    files.extend(
        [beside, Path::new(DIRECTORY)]
            .into_iter()
            .flat_map(|directory| clusters::files_in(directory).unwrap_or_default()),
    );
    files
        .into_iter()
        .filter_map(|file| settings::read(Some(file.as_os_str()), &[]).ok())
        .collect()
}

/// What the cluster's rcron.conf says, if there is one.
pub(super) fn check(cluster: &ClusterSettings, all: &[Settings], report: &mut Report) {
    let place = resolve_links(&cluster.state_file);
    let mut is_known = false;
    for settings in all {
        let has_name = settings.config.cluster_name == cluster.name.as_str().as_bytes();
        let theirs = Path::new(OsStr::from_bytes(&settings.config.state_file));
        let has_file = resolve_links(theirs) == place;
        is_known |= has_name || has_file;
        let file = shown(&settings.file);
        match (has_name, has_file) {
            (false, false) => {}
            (true, true) => lease(&file, settings, report),
            (true, false) => {
                let what = format!("{file} has another state file: {}", shown(theirs.as_os_str()));
                report.wrong(
                    &what,
                    "rcron reads that one, and rcrond does not write it: give both the same state_file",
                );
            }
            (false, true) => {
                let what = format!(
                    "{file} has this state file for cluster {}",
                    shown(OsStr::from_bytes(&settings.config.cluster_name))
                );
                report.wrong(
                    &what,
                    "give both the same cluster_name: log and `rcronctl drain` go by it",
                );
            }
        }
    }
    if !is_known {
        let remedy = "write one, with its cluster_name, its state_file, and require_lease = yes; see rcron.conf(5)";
        report.hint(
            &format!("no rcron.conf in {DIRECTORY} is of this cluster"),
            Some(remedy),
        );
    }
}

fn lease(file: &str, settings: &Settings, report: &mut Report) {
    if settings.config.require_lease {
        report.fine(&format!("{file} reads this state file and requires a lease"));
        return;
    }
    let what = format!(
        "{file} does not require a lease: a state file that is missing means default_state = {}, and an `active` by hand counts",
        settings.config.default_state.as_str()
    );
    report.wrong(&what, "set require_lease = yes");
}
