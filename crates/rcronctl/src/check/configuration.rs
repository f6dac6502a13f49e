//! Configuration files: rcron's own messages about them, who can write to them, and whether they agree with each other.

use super::access::Access;
use super::crontab::Usage;
use super::finding::{Finding, Place};
use super::kind::{Group, Kind};
use super::report::Report;
use super::root::Root;
use inputs::clusters::{self, DIRECTORY, ListError};
use inputs::settings::{self, DEFAULT_FILE};
use policy::config::Config;
use policy::display::escaped;
use std::fs;
use std::path::{Path, PathBuf};

/// A cluster with a valid configuration.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// As it is opened here.
    pub(crate) file: PathBuf,
    /// Whether the file exists. If not, `config` has the built-in defaults.
    pub(crate) found: bool,
    pub(crate) config: Config,
}

impl Cluster {
    pub(crate) fn place(&self) -> Place {
        Place::file(&self.file)
    }

    pub(crate) fn name(&self) -> String {
        escaped(&self.config.cluster_name).into_owned()
    }
}

/// Reads the named configurations, or if there are none, those in the directory and those that crontabs name.
pub(crate) fn check(root: &Root, named: &[PathBuf], usage: &Usage, report: &mut Report) -> Vec<Cluster> {
    let files = if named.is_empty() {
        known(root, usage, report)
    } else {
        named.to_vec()
    };
    let mut clusters: Vec<Cluster> = files.iter().filter_map(|file| read(root, file, report)).collect();
    if named.is_empty() {
        clusters.extend(defaults(root, &files, usage, report));
    }
    for (index, cluster) in clusters.iter().enumerate() {
        compare(cluster, &clusters[..index], report);
    }
    clusters
}

fn known(root: &Root, usage: &Usage, report: &mut Report) -> Vec<PathBuf> {
    let directory = root.outside(Path::new(DIRECTORY));
    let found = clusters::files_in(&directory).unwrap_or_else(|ListError { directory, error }| {
        report.cannot_read(Group::Configuration, &directory, &error);
        Vec::new()
    });
    let inside = |file: PathBuf| Path::new(DIRECTORY).join(file.file_name().unwrap_or_default());
    let mut files: Vec<PathBuf> = found.into_iter().map(inside).collect();
    files.extend(usage.configurations.iter().cloned());
    files.sort_by_key(|file| (file != Path::new(DEFAULT_FILE), file.clone()));
    files.dedup();
    files
}

fn read(root: &Root, file: &Path, report: &mut Report) -> Option<Cluster> {
    let outside = if root.is_ours() {
        std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
    } else {
        let located = root.locate(file).map(|located| located.outside);
        located.unwrap_or_else(|_| root.outside(file))
    };
    check_access(root, &outside, report);
    let place = Place::file(&outside);
    let settings = match settings::read(Some(outside.as_os_str()), &[]) {
        Ok(settings) => settings,
        Err(rejected) => {
            let what = rejected.diagnostic.full;
            let finding = Finding::wrong(Kind::ConfigRefused, &place, what, "correct the file");
            report.add(finding.because("no server with this file runs the jobs that use it"));
            return None;
        }
    };
    for warning in settings.warnings {
        let finding = Finding::doubtful(Kind::ConfigWarning, &place, warning.full, "correct the value");
        report.add(finding.because("rcron runs the jobs, but does not use this value"));
    }
    let cluster = Cluster {
        file: outside,
        found: true,
        config: settings.config,
    };
    report.saw(Group::Configuration, format!("{place}: cluster {}", cluster.name()));
    Some(cluster)
}

fn check_access(root: &Root, file: &Path, report: &mut Report) {
    const POWER: &str = "whoever can write to the configuration decides whether jobs run";
    let directory = file.parent().unwrap_or(Path::new("/"));
    for path in [file, directory] {
        let Ok(metadata) = fs::metadata(path) else { return };
        let (access, place) = (Access::from(&metadata), Place::file(path));
        if let Some((severity, who)) = access.writers(root) {
            let finding = Finding::new(
                severity,
                Kind::ConfigWritable,
                &place,
                who,
                format!("chmod go-w {place}"),
            );
            report.add(finding.because(POWER));
        }
        if !access.is_roots(root) && access.owner != sys::environment::effective_user() {
            report.add(access.foreign_owner(Kind::ConfigOwner, &place).because(POWER));
        }
    }
}

/// Without the default file, jobs without `--conf` use the built-in defaults.
fn defaults(root: &Root, files: &[PathBuf], usage: &Usage, report: &mut Report) -> Option<Cluster> {
    let exists = files.iter().any(|file| file == Path::new(DEFAULT_FILE));
    let is_used = files.is_empty() || usage.without_conf.is_some();
    if exists || !is_used {
        return None;
    }
    let cluster = Cluster {
        file: root.outside(Path::new(DEFAULT_FILE)),
        found: false,
        config: Config::default(),
    };
    let what = "the file does not exist: the built-in defaults apply";
    let remedy = "create it, with cluster_name and default_state = passive; see rcron.conf(5)";
    let mut finding = Finding::doubtful(Kind::ConfigMissing, &cluster.place(), what, remedy);
    if let Some(place) = &usage.without_conf {
        finding = finding.because(format!("the job at {place} uses them"));
    }
    report.add(finding);
    Some(cluster)
}

fn compare(cluster: &Cluster, earlier: &[Cluster], report: &mut Report) {
    for other in earlier {
        let same_file = other.config.state_file == cluster.config.state_file;
        let same_name = other.config.cluster_name == cluster.config.cluster_name;
        let (name, place) = (cluster.name(), other.place());
        if same_file && !same_name {
            let what = format!(
                "cluster {name} uses the state file of cluster {} ({place})",
                other.name()
            );
            let remedy = "set another state_file, unless the two clusters are to switch together";
            report.add(Finding::doubtful(Kind::SameStateFile, &cluster.place(), what, remedy));
        }
        if same_name && !same_file {
            let what = format!("cluster {name} has another state file in {place}");
            let finding = Finding::doubtful(Kind::SameCluster, &cluster.place(), what, "set another cluster_name");
            report.add(finding.because("the log does not tell two clusters of one name apart"));
        }
    }
}
