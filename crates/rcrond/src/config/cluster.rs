//! `[[cluster]]`: a cluster that is configured here, or by its rcron.conf(5).

use super::conf::{self, Conf};
use super::diagnostics::{Diagnostics, ValueError};
use super::file::named;
use super::keys;
use super::table::Table;
use super::{ClusterSettings, Surroundings};
use super::{durations, value};
use lease::{ClusterName, RunOn};
use policy::display::clipped;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use sys::replace;
use toml::Spanned;
use toml::de::DeValue;

const DEFAULT_PRIORITY: u32 = 100;
const HIGHEST_PRIORITY: u32 = 1_000_000;

/// A cluster, and the places of what must be unique, for diagnostics.
pub(super) struct ClusterTable {
    pub(super) settings: ClusterSettings,
    /// The rcron.conf that it names.
    pub(super) conf: Option<PathBuf>,
    name_place: Range<usize>,
    file_place: Range<usize>,
}

/// All clusters of the file. There must be at least one.
pub(super) fn read_all(
    diagnostics: &mut Diagnostics,
    top: &Table,
    surroundings: &Surroundings,
) -> Option<Vec<ClusterTable>> {
    let none = || ValueError::new("no cluster is configured", "add [[cluster]] with its `name`, or `conf`");
    let Some(value) = top.value("cluster") else {
        diagnostics.refuse(top.place.clone(), none());
        return None;
    };
    let DeValue::Array(items) = value.get_ref() else {
        let place = top.place_of("cluster").unwrap_or_default();
        let help = "write [[cluster]], with two brackets";
        diagnostics.refuse(place, ValueError::new("`cluster` must be a list of tables", help));
        return None;
    };
    if items.is_empty() {
        diagnostics.refuse(value.span(), none());
        return None;
    }
    let mut clusters = Vec::new();
    for item in items {
        let DeValue::Table(entries) = item.get_ref() else {
            diagnostics.refuse(item.span(), ValueError::bare("a cluster must be a table"));
            continue;
        };
        let table = Table::open(diagnostics, &keys::CLUSTER, item.span(), entries);
        clusters.extend(read(diagnostics, &table));
    }
    must_be_unique(diagnostics, &clusters);
    must_require_lease(diagnostics, &clusters, &surroundings.conf_directories);
    Some(clusters)
}

/// Searches the rcron.conf of each cluster that does not name one: the file with the cluster's state file.
fn must_require_lease(diagnostics: &mut Diagnostics, clusters: &[ClusterTable], directories: &[PathBuf]) {
    if clusters.iter().all(|cluster| cluster.conf.is_some()) {
        return;
    }
    for settings in conf::in_directories(directories) {
        if settings.config.require_lease {
            continue;
        }
        let theirs = resolve_links(Path::new(OsStr::from_bytes(&settings.config.state_file)));
        let is_read_by = |cluster: &&ClusterTable| resolve_links(&cluster.settings.state_file) == theirs;
        for cluster in clusters.iter().filter(is_read_by) {
            let refusal = conf::without_lease(Path::new(&settings.file));
            diagnostics.refuse(cluster.file_place.clone(), refusal);
        }
    }
}

fn read(diagnostics: &mut Diagnostics, table: &Table) -> Option<ClusterTable> {
    let has_conf = table.has("conf");
    if !has_conf && !table.has("name") {
        let help = "add `name`, or `conf` with the path of its rcron.conf";
        diagnostics.refuse(table.place.clone(), ValueError::new("the cluster has no name", help));
    }
    let conf = table.text(diagnostics, "conf", conf::read).map(Spanned::into_inner);
    let given = Given {
        name: table.text(diagnostics, "name", conf::name),
        state_file: table.text(diagnostics, "state_file", value::path),
        journal: table.text(diagnostics, "journal", journal),
    };
    if let Some(conf) = &conf {
        given.must_agree(diagnostics, conf);
    }
    let priority = table.number(diagnostics, "priority", HIGHEST_PRIORITY);
    let run_on = table.text(diagnostics, "run_on", run_on).map(Spanned::into_inner);
    let timing = durations::read(diagnostics, table);
    // A value that is given and rejected must not be replaced by the default.
    let (state_file, journal) = conf::defaults();
    let is_default = |key| !has_conf && !table.has(key);
    let default_file = is_default("state_file").then_some(state_file);
    let default_journal = is_default("journal").then_some(journal);
    let (file, of_name, of_file, of_journal) = conf.map_or((None, None, None, None), |conf| {
        (
            Some(conf.file),
            Some(conf.name),
            Some(conf.state_file),
            Some(conf.journal),
        )
    });
    let place = |key| {
        table
            .place_of(key)
            .or(table.place_of("conf"))
            .unwrap_or(table.place.clone())
    };
    Some(ClusterTable {
        settings: ClusterSettings {
            name: inner(given.name).or(of_name)?,
            state_file: inner(given.state_file).or(of_file).or(default_file)?,
            journal: inner(given.journal).or(of_journal).or(default_journal)?,
            priority: priority.or((!table.has("priority")).then_some(DEFAULT_PRIORITY))?,
            timing: timing?,
            run_on: run_on.or((!table.has("run_on")).then_some(RunOn::Active))?,
        },
        conf: file,
        name_place: place("name"),
        file_place: place("state_file"),
    })
}

fn inner<T>(value: Option<Spanned<T>>) -> Option<T> {
    value.map(Spanned::into_inner)
}

/// An absolute path, or `none`.
fn journal(text: &str) -> Result<Option<PathBuf>, ValueError> {
    if text == "none" {
        return Ok(None);
    }
    value::path(text).map(Some).map_err(|_| {
        ValueError::new(
            format!("`{}` is not an absolute path", clipped(text.as_bytes())),
            "write the path of a directory, or `none`",
        )
    })
}

/// `active` or `any`.
fn run_on(text: &str) -> Result<RunOn, ValueError> {
    match text {
        "active" => Ok(RunOn::Active),
        "any" => Ok(RunOn::Any),
        other => Err(ValueError::new(
            format!("`{}` is not a value of `run_on`", clipped(other.as_bytes())),
            "write \"active\", or \"any\" to share the jobs that have once_per_tick",
        )),
    }
}

/// The keys of the table that an rcron.conf has, too.
struct Given {
    name: Option<Spanned<ClusterName>>,
    state_file: Option<Spanned<PathBuf>>,
    journal: Option<Spanned<Option<PathBuf>>>,
}

impl Given {
    /// Otherwise rcron would read one state file while rcrond writes another.
    fn must_agree(&self, diagnostics: &mut Diagnostics, conf: &Conf) {
        let mut differs = |place: Range<usize>, key: &str, theirs: &str| {
            let found = format!("{} has a different {key}: {theirs}", named(&conf.file));
            diagnostics.refuse(place, ValueError::new(found, "omit it here, or correct one of the two"));
        };
        if let Some(name) = self.name.as_ref().filter(|name| *name.get_ref() != conf.name) {
            differs(name.span(), "cluster_name", &clipped(conf.name.as_str().as_bytes()));
        }
        if let Some(file) = self.state_file.as_ref() {
            if resolve_links(file.get_ref()) != resolve_links(&conf.state_file) {
                differs(file.span(), "state_file", &named(&conf.state_file));
            }
        }
        if let Some(journal) = self
            .journal
            .as_ref()
            .filter(|journal| *journal.get_ref() != conf.journal)
        {
            let theirs = conf.journal.as_deref().map_or("none".into(), named);
            differs(journal.span(), "journal", &theirs);
        }
    }
}

/// Two clusters with one name would be the same cluster in the store. With one state file, each would overwrite the other's
/// state.
fn must_be_unique(diagnostics: &mut Diagnostics, clusters: &[ClusterTable]) {
    let places: Vec<PathBuf> = clusters
        .iter()
        .map(|cluster| resolve_links(&cluster.settings.state_file))
        .collect();
    for (index, cluster) in clusters.iter().enumerate() {
        let name = &cluster.settings.name;
        if clusters[..index].iter().any(|other| other.settings.name == *name) {
            let found = format!("cluster `{}` is listed twice", clipped(name.as_str().as_bytes()));
            diagnostics.refuse(
                cluster.name_place.clone(),
                ValueError::new(found, "give each a name of its own"),
            );
        }
        if let Some(other) = places[..index].iter().position(|place| *place == places[index]) {
            let other = clipped(clusters[other].settings.name.as_str().as_bytes());
            let found = format!(
                "{} is the state file of cluster `{other}` already",
                named(&cluster.settings.state_file)
            );
            diagnostics.refuse(
                cluster.file_place.clone(),
                ValueError::new(found, "each cluster needs its own `state_file`"),
            );
        }
    }
}

/// The file that symbolic links lead to; the path itself if they cannot be followed.
pub(crate) fn resolve_links(path: &Path) -> PathBuf {
    replace::target(path).unwrap_or_else(|_| path.to_owned())
}
