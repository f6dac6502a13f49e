//! Configuration files: rcron's own messages about them, who can write to them, and whether they agree with each other.

use super::access::Access;
use super::crontab::Usage;
use super::finding::{Finding, Place};
use super::kind::{Group, Kind};
use super::report::Report;
use inputs::clusters::{self, DIRECTORY};
use inputs::settings::{self, DEFAULT_FILE};
use jobs::rights::Rights;
use jobs::root::Root;
use jobs::users::Users;
use policy::config::{Config, LARGEST_FILE};
use policy::display::escaped;
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::file::Unreadable;

/// How many names in the directory are looked at.
const MOST_FILES: usize = 10_000;

/// A cluster with a valid configuration.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Its path in this system.
    pub(crate) file: PathBuf,
    /// Its path in the examined system.
    pub(crate) inside: PathBuf,
    /// Those with which the paths in it are examined: of the user who has written it or whose job names it.
    pub(crate) rights: Rights,
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

/// A file that may be a configuration, and the rights to read it with.
struct Source {
    file: PathBuf,
    rights: Rights,
}

/// Reads the named configurations, or if there are none, those in the directory and those that crontabs name.
pub(crate) fn check(root: &Root, named: &[PathBuf], usage: &Usage, users: &Users, report: &mut Report) -> Vec<Cluster> {
    let own = |file: PathBuf| Source {
        file,
        rights: Rights::Own,
    };
    let sources: Vec<Source> = if named.is_empty() {
        known(root, usage, report)
    } else {
        named.iter().cloned().map(own).collect()
    };
    let mut clusters: Vec<Cluster> = sources
        .iter()
        .filter_map(|source| read(root, source, users, report))
        .collect();
    if named.is_empty() {
        clusters.extend(defaults(root, &sources, usage, report));
    }
    for (index, cluster) in clusters.iter().enumerate() {
        compare(cluster, &clusters[..index], report);
    }
    clusters
}

/// Those in the directory are root's, also if a user's job names them.
fn known(root: &Root, usage: &Usage, report: &mut Report) -> Vec<Source> {
    let directory = Path::new(DIRECTORY);
    let names = root.locate(directory).and_then(|located| located.names(MOST_FILES));
    let names = names.unwrap_or_else(|error| {
        if error.kind() != ErrorKind::NotFound {
            report.cannot_read(Group::Configuration, &root.outside(directory), &error);
        }
        Vec::new()
    });
    let mut files: BTreeMap<PathBuf, Rights> = usage.configurations.clone();
    for name in names {
        let file = directory.join(&name.name);
        let is_directory = || {
            let metadata = root.locate(&file).and_then(|located| located.metadata());
            metadata.is_ok_and(|metadata| metadata.is_dir())
        };
        if clusters::is_name(&name.name) && !name.is_directory && !is_directory() {
            files.insert(file, Rights::Own);
        }
    }
    let mut sources: Vec<Source> = files
        .into_iter()
        .map(|(file, rights)| Source { file, rights })
        .collect();
    sources.sort_by_key(|source| source.file != Path::new(DEFAULT_FILE));
    sources
}

fn read(root: &Root, source: &Source, users: &Users, report: &mut Report) -> Option<Cluster> {
    let file = std::path::absolute(&source.file).unwrap_or_else(|_| source.file.clone());
    let file = if root.is_ours() { &file } else { &source.file };
    let examined = source.rights.with(|| {
        let located = root.locate(file);
        let outside = match &located {
            // This system's own files are named as the user named them.
            Ok(located) if !root.is_ours() => located.outside.clone(),
            _ => root.outside(file),
        };
        check_access(root, file, report);
        let contents = located.map_err(Unreadable::from).and_then(|located| {
            let owner = located.metadata()?;
            Ok((located.read(LARGEST_FILE + 1)?, owner))
        });
        (outside, contents)
    });
    let (outside, contents) = match examined {
        Ok(examined) => examined,
        Err(error) => {
            report.cannot_read(Group::Configuration, &root.outside(file), &error);
            return None;
        }
    };
    let (contents, owner) = match contents {
        Ok((contents, owner)) => (Ok(contents), Some(owner)),
        Err(error) => (Err(error), None),
    };
    let place = Place::file(&outside);
    let settings = match settings::interpret(outside.as_os_str(), contents) {
        Ok(settings) => settings,
        Err(rejected) => {
            let finding = Finding::wrong(Kind::ConfigRefused, &place, rejected.full, "correct the file");
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
        inside: file.clone(),
        found: true,
        rights: rights(root, source, owner.as_ref(), users),
        config: settings.config,
    };
    report.saw(Group::Configuration, format!("{place}: cluster {}", cluster.name()));
    Some(cluster)
}

/// What a file of an ordinary user names is examined with this user's rights, even if root's job uses the file.
fn rights(root: &Root, source: &Source, file: Option<&Metadata>, users: &Users) -> Rights {
    match file {
        Some(file) if source.rights == Rights::Own && !Access::from(file).is_roots(root) => {
            users.owner(file.uid(), file.gid())
        }
        _ => source.rights.clone(),
    }
}

fn check_access(root: &Root, file: &Path, report: &mut Report) {
    const POWER: &str = "whoever can write to the configuration decides whether jobs run";
    let directory = file.parent().unwrap_or(Path::new("/"));
    for path in [file, directory] {
        let Ok(located) = root.locate(path) else { return };
        let Ok(metadata) = located.metadata() else { return };
        let place = Place::file(if root.is_ours() { path } else { &located.outside });
        let access = Access::from(&metadata);
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
fn defaults(root: &Root, sources: &[Source], usage: &Usage, report: &mut Report) -> Option<Cluster> {
    let exists = sources.iter().any(|source| source.file == Path::new(DEFAULT_FILE));
    let is_used = sources.is_empty() || usage.without_conf.is_some();
    if exists || !is_used {
        return None;
    }
    let cluster = Cluster {
        file: root.outside(Path::new(DEFAULT_FILE)),
        inside: DEFAULT_FILE.into(),
        found: false,
        rights: Rights::Own,
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
            let remedy = "set another state_file, unless the two clusters should switch together";
            report.add(Finding::doubtful(Kind::SameStateFile, &cluster.place(), what, remedy));
        }
        if same_name && !same_file {
            let what = format!("cluster {name} has another state file in {place}");
            let finding = Finding::doubtful(Kind::SameCluster, &cluster.place(), what, "set another cluster_name");
            report.add(finding.because("in the log, the two cannot be distinguished"));
        }
    }
}
