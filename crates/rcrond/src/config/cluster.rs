//! `[[cluster]]`: by itself, or by its rcron.conf(5).

use super::ClusterSettings;
use super::conf::{self, Conf};
use super::diagnostics::{Diagnostics, ValueError};
use super::file::named;
use super::keys;
use super::table::Table;
use super::{spans, value};
use lease::ClusterName;
use policy::display::clipped;
use std::ops::Range;
use std::path::{Path, PathBuf};
use sys::replace;
use toml::Spanned;
use toml::de::DeValue;

const DEFAULT_PRIORITY: u32 = 100;
const HIGHEST_PRIORITY: u32 = 1_000_000;

/// A cluster, and where in the file it has what no other may have.
pub(super) struct Cluster {
    pub(super) settings: ClusterSettings,
    pub(super) conf: Option<PathBuf>,
    name_place: Range<usize>,
    file_place: Range<usize>,
}

/// Every cluster of the file; there must be one.
pub(super) fn read_all(diagnostics: &mut Diagnostics, top: &Table) -> Option<Vec<Cluster>> {
    let none = || ValueError::new("there is no cluster", "add [[cluster]] with its `name`, or `conf`");
    let Some(value) = top.value("cluster") else {
        diagnostics.refuse(top.place.clone(), none());
        return None;
    };
    let DeValue::Array(items) = value.get_ref() else {
        let place = top.place_of("cluster").unwrap_or_default();
        let help = "write its name in two brackets, for there may be several: [[cluster]]";
        diagnostics.refuse(place, ValueError::new("`cluster` is a list of tables", help));
        return None;
    };
    if items.is_empty() {
        diagnostics.refuse(value.span(), none());
        return None;
    }
    let mut clusters = Vec::new();
    for item in items {
        let DeValue::Table(entries) = item.get_ref() else {
            diagnostics.refuse(item.span(), ValueError::bare("a cluster is a table"));
            continue;
        };
        let table = Table::open(diagnostics, &keys::CLUSTER, item.span(), entries);
        clusters.extend(read(diagnostics, &table));
    }
    compare(diagnostics, &clusters);
    Some(clusters)
}

fn read(diagnostics: &mut Diagnostics, table: &Table) -> Option<Cluster> {
    let has_conf = table.has("conf");
    if !has_conf && !table.has("name") {
        let help = "add `name`, or `conf` with the path of its rcron.conf";
        diagnostics.refuse(table.place.clone(), ValueError::new("a cluster without a name", help));
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
    let timing = spans::read(diagnostics, table);
    // A default only where nothing is said: what is said and refused must not become it.
    let (state_file, journal) = conf::built_in();
    let unless_said = |key| !has_conf && !table.has(key);
    let default_file = unless_said("state_file").then_some(state_file);
    let default_journal = unless_said("journal").then_some(journal);
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
    Some(Cluster {
        settings: ClusterSettings {
            name: inner(given.name).or(of_name)?,
            state_file: inner(given.state_file).or(of_file).or(default_file)?,
            journal: inner(given.journal).or(of_journal).or(default_journal)?,
            priority: priority.or((!table.has("priority")).then_some(DEFAULT_PRIORITY))?,
            timing: timing?,
        },
        conf: file,
        name_place: place("name"),
        file_place: place("state_file"),
    })
}

fn inner<T>(value: Option<Spanned<T>>) -> Option<T> {
    value.map(Spanned::into_inner)
}

/// A directory from the root, or `none`.
fn journal(text: &str) -> Result<Option<PathBuf>, ValueError> {
    if text == "none" {
        return Ok(None);
    }
    value::path(text).map(Some).map_err(|_| {
        ValueError::new(
            format!("`{}` is no absolute path", clipped(text.as_bytes())),
            "give a directory's path, or `none`",
        )
    })
}

/// What the table itself says of what an rcron.conf has, too.
struct Given {
    name: Option<Spanned<ClusterName>>,
    state_file: Option<Spanned<PathBuf>>,
    journal: Option<Spanned<Option<PathBuf>>>,
}

impl Given {
    /// rcron would read one file while rcrond writes another.
    fn must_agree(&self, diagnostics: &mut Diagnostics, conf: &Conf) {
        let mut differs = |place: Range<usize>, key: &str, theirs: &str| {
            let found = format!("{} has another {key}: {theirs}", named(&conf.file));
            diagnostics.refuse(
                place,
                ValueError::new(found, "leave it out here, or correct one of the two"),
            );
        };
        if let Some(name) = self.name.as_ref().filter(|name| *name.get_ref() != conf.name) {
            differs(name.span(), "cluster_name", &clipped(conf.name.as_str().as_bytes()));
        }
        if let Some(file) = self.state_file.as_ref() {
            if location(file.get_ref()) != location(&conf.state_file) {
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

/// Two of one name would be one cluster; of one file, each would write over what the other has written.
fn compare(diagnostics: &mut Diagnostics, clusters: &[Cluster]) {
    let places: Vec<PathBuf> = clusters
        .iter()
        .map(|cluster| location(&cluster.settings.state_file))
        .collect();
    for (index, cluster) in clusters.iter().enumerate() {
        let name = &cluster.settings.name;
        if clusters[..index].iter().any(|other| other.settings.name == *name) {
            let found = format!("cluster `{}` is there twice", clipped(name.as_str().as_bytes()));
            diagnostics.refuse(
                cluster.name_place.clone(),
                ValueError::new(found, "give each a name of its own"),
            );
        }
        if let Some(other) = places[..index].iter().position(|place| *place == places[index]) {
            let other = clipped(clusters[other].settings.name.as_str().as_bytes());
            let found = format!(
                "{} is cluster `{other}`'s state file",
                named(&cluster.settings.state_file)
            );
            diagnostics.refuse(
                cluster.file_place.clone(),
                ValueError::new(found, "give each a `state_file` of its own"),
            );
        }
    }
}

/// The file behind the links, as far as they can be followed.
pub(crate) fn location(path: &Path) -> PathBuf {
    replace::target(path).unwrap_or_else(|_| path.to_owned())
}
