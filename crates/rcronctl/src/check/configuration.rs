//! Configuration files: the wrapper's own messages, who may write them, and whether they agree with each other.

use super::access::Access;
use super::crontab::Usage;
use super::finding::{Finding, Group, Kind, Place, Report, Severity};
use super::root::Root;
use inputs::clusters::{self, DIRECTORY, ListError};
use inputs::diagnostic::shown;
use inputs::settings::{self, DEFAULT_FILE};
use inputs::words::text_of;
use policy::config::Config;
use std::fs;
use std::path::{Path, PathBuf};
use sys::output::error_text;

/// A configuration that may be used.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// As it is opened here.
    pub(crate) file: PathBuf,
    /// Whether it exists: else these are the built-in defaults.
    pub(crate) found: bool,
    pub(crate) config: Config,
}

impl Cluster {
    pub(crate) fn place(&self) -> Place {
        Place::file(&self.file)
    }

    pub(crate) fn name(&self) -> String {
        text_of(&self.config.cluster_name)
    }
}

/// Reads every configuration: those that are named, else those in the directory and those that crontabs name.
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
        let text = format!("{}: {}", shown(directory.as_os_str()), error_text(&error));
        report.missed(Group::Configuration, text);
        Vec::new()
    });
    let named = |file: PathBuf| Path::new(DIRECTORY).join(file.file_name().unwrap_or_default());
    let mut files: Vec<PathBuf> = found.into_iter().map(named).collect();
    files.extend(usage.configurations.iter().map(|(file, _)| file.clone()));
    files.sort_by_key(|file| (file != Path::new(DEFAULT_FILE), file.clone()));
    files.dedup();
    files
}

fn read(root: &Root, file: &Path, report: &mut Report) -> Option<Cluster> {
    let outside = if root.is_ours() {
        std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
    } else {
        root.locate(file)
            .map_or_else(|_| root.outside(file), |located| located.outside)
    };
    check_access(root, &outside, report);
    match settings::read(Some(outside.as_os_str()), &[]) {
        Ok(settings) => {
            let place = Place::file(&outside);
            for warning in &settings.warnings {
                let remedy = "rcron runs jobs all the same, but not as the line says: correct it";
                report.add(Finding::doubtful(
                    Kind::ConfigWarning,
                    place.clone(),
                    warning.full.clone(),
                    remedy,
                ));
            }
            let cluster = text_of(&settings.config.cluster_name);
            report.saw(Group::Configuration, format!("{place}: cluster {cluster}"));
            let config = settings.config;
            Some(Cluster {
                file: outside,
                found: true,
                config,
            })
        }
        Err(refused) => {
            let remedy = "correct it: until then rcron runs no job that uses it, on no server that has this file";
            let what = refused.diagnostic.full;
            report.add(Finding::wrong(Kind::ConfigRefused, Place::file(&outside), what, remedy));
            None
        }
    }
}

/// Who writes the configuration decides which jobs run, and where they are logged.
fn check_access(root: &Root, file: &Path, report: &mut Report) {
    let directory = file.parent().unwrap_or(Path::new("/"));
    for path in [file, directory] {
        let Ok(metadata) = fs::metadata(path) else { return };
        let (access, place) = (Access::from(&metadata), Place::file(path));
        let me = sys::environment::effective_user();
        if let Some((severity, who)) = access.writers(root) {
            let remedy = format!("chmod go-w {place}");
            report.add(Finding::new(severity, Kind::ConfigWritable, place.clone(), who, remedy).because(POWER));
        }
        if !access.is_roots(root) && access.owner != me {
            let what = format!("it belongs to user {}, not to root", access.owner);
            let remedy = format!("chown root {place}");
            report.add(Finding::doubtful(Kind::ConfigOwner, place, what, remedy).because(POWER));
        }
    }
}

const POWER: &str = "who may write the configuration decides whether jobs run";

/// The built-in defaults are in force for jobs without `--conf` where the default file is missing.
fn defaults(root: &Root, files: &[PathBuf], usage: &Usage, report: &mut Report) -> Option<Cluster> {
    let is_there = files.iter().any(|file| file == Path::new(DEFAULT_FILE));
    if is_there || !(files.is_empty() || usage.without_conf.is_some()) {
        return None;
    }
    let file = root.outside(Path::new(DEFAULT_FILE));
    let what = match &usage.without_conf {
        Some(place) => format!("no such file: the built-in defaults are in force, first for {place}"),
        None => "no such file: the built-in defaults are in force".to_owned(),
    };
    let remedy = "write it, with cluster_name and default_state = passive; see rcron.conf(5)";
    report.add(Finding::new(
        Severity::Doubtful,
        Kind::ConfigMissing,
        Place::file(&file),
        what,
        remedy,
    ));
    let config = Config::default();
    Some(Cluster {
        file,
        found: false,
        config,
    })
}

fn compare(cluster: &Cluster, earlier: &[Cluster], report: &mut Report) {
    for other in earlier {
        let same_file = other.config.state_file == cluster.config.state_file;
        let same_name = other.config.cluster_name == cluster.config.cluster_name;
        if same_file && !same_name {
            let what = format!(
                "cluster {} has the state file of cluster {} in {}",
                cluster.name(),
                other.name(),
                other.place()
            );
            let remedy = "give each cluster a state_file of its own, unless they are to switch together";
            report.add(Finding::doubtful(Kind::SameStateFile, cluster.place(), what, remedy));
        }
        if same_name && !same_file {
            let what = format!("cluster {} has another state file in {}", cluster.name(), other.place());
            let remedy = "give each cluster a cluster_name of its own: the log tells them apart by it";
            report.add(Finding::doubtful(Kind::SameCluster, cluster.place(), what, remedy));
        }
    }
}
