//! The runs that a command shows: from which journals, and which of them.

use crate::cli::{Common, Selection};
use crate::failure::Failure;
use crate::output::warn;
use inputs::clusters;
use inputs::diagnostic::shown;
use journal::{Query, Runs, Source, Unseen};
use policy::config::{Config, DEFAULT_JOURNAL};
use policy::suggest;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// How many runs are looked at to find the names of jobs and clusters.
const MOST_NAMED: usize = 10_000;

/// The runs that the options select.
pub(crate) struct Selected {
    pub(crate) runs: Runs,
    /// Configurations that rcron rejects, so that their journals are not known.
    rejected: Vec<PathBuf>,
}

/// The journals of this server's configurations.
#[derive(Default)]
struct OwnJournals {
    directories: Vec<PathBuf>,
    rejected: Vec<PathBuf>,
}

impl Selected {
    /// Reads the runs that the options select. `query` has what they do not say.
    pub(crate) fn read(selection: &Selection, common: &Common, mut query: Query) -> Result<Self, Failure> {
        query.since = selection.since.or(query.since);
        query.job.clone_from(&selection.job);
        query.cluster.clone_from(&selection.cluster);
        let (sources, rejected) = sources(selection, common)?;
        let runs = journal::read(&sources, &query);
        let is_unreadable =
            |unseen: &&Unseen| matches!(unseen, Unseen::Unreadable(path, _) if is_source(&sources, path));
        let unreadable = runs.unseen();
        if runs.is_empty() && unreadable.iter().filter(is_unreadable).count() >= sources.len() {
            unreadable.iter().for_each(warn);
            return Err(Failure::new("no journal could be read"));
        }
        Ok(Self { runs, rejected })
    }

    /// What could not be seen, in words. To be asked after the runs were read.
    pub(crate) fn unseen(&self) -> Vec<String> {
        let rejected = self.rejected.iter().map(|file| {
            let file = shown(file.as_os_str());
            format!("{file} is rejected, so its journal is not known: see rcronctl check")
        });
        rejected
            .chain(self.runs.unseen().iter().map(ToString::to_string))
            .collect()
    }

    /// Whether a command that found nothing may say so.
    pub(crate) fn is_complete(&self) -> bool {
        self.rejected.is_empty() && self.runs.is_complete()
    }

    /// Warns of what could not be seen.
    pub(crate) fn warn(&self) {
        self.unseen().iter().for_each(warn);
    }
}

/// Warns if a job or a cluster that is selected does not occur in the journals: its name may be misspelt.
pub(crate) fn warn_of_unknown_names(selection: &Selection, common: &Common) -> Result<(), Failure> {
    if selection.job.is_none() && selection.cluster.is_none() {
        return Ok(());
    }
    let (sources, _) = sources(selection, common)?;
    let query = Query {
        limit: Some(MOST_NAMED),
        ..Query::default()
    };
    let (mut jobs, mut names) = (BTreeSet::new(), BTreeSet::new());
    for run in journal::read(&sources, &query).iter() {
        jobs.insert(run.name().to_owned());
        names.insert(run.cluster);
    }
    for cluster in clusters::all(&common.conf)? {
        let name = cluster.settings.ok().map(|settings| settings.config.cluster_name);
        names.extend(name.and_then(|name| String::from_utf8(name).ok()));
    }
    for (what, wanted, known) in [("job", &selection.job, jobs), ("cluster", &selection.cluster, names)] {
        let Some(wanted) = wanted.as_deref().filter(|wanted| !known.contains(*wanted)) else {
            continue;
        };
        let nearest = suggest::nearest(wanted.as_bytes(), known.iter().map(String::as_str));
        let meant = nearest.map(|name| format!("; did you mean {}?", shown(OsStr::new(name))));
        let wanted = shown(OsStr::new(wanted));
        warn(format_args!(
            "no run of the {what} {wanted} is known{}",
            meant.unwrap_or_default()
        ));
    }
    Ok(())
}

fn is_source(sources: &[Source], path: &std::path::Path) -> bool {
    sources.iter().any(|source| match source {
        Source::Own(own) | Source::Named(own) => own == path,
    })
}

/// The journals that `--journal` names, otherwise those of the configurations; and configurations that are rejected.
fn sources(selection: &Selection, common: &Common) -> Result<(Vec<Source>, Vec<PathBuf>), Failure> {
    if !selection.journal.is_empty() {
        let named = selection.journal.iter().cloned().map(Source::Named).collect();
        return Ok((named, Vec::new()));
    }
    let own = OwnJournals::find(common)?;
    if own.directories.is_empty() {
        return Err(Failure::new(
            "journaling is off: every configuration sets `journal = none`, or the default directory is missing",
        ));
    }
    Ok((own.directories.into_iter().map(Source::Own).collect(), own.rejected))
}

/// The journal directories of this server's configurations, each once.
pub(crate) fn own_directories(common: &Common) -> Result<Vec<PathBuf>, Failure> {
    Ok(OwnJournals::find(common)?.directories)
}

impl OwnJournals {
    /// If the default directory is missing, rcron keeps no journal, which is not an error.
    fn find(common: &Common) -> Result<Self, Failure> {
        let mut rejected = Vec::new();
        let mut configs: Vec<Config> = Vec::new();
        for cluster in clusters::all(&common.conf)? {
            match cluster.settings {
                Ok(settings) => configs.push(settings.config),
                Err(_) => rejected.push(cluster.file),
            }
        }
        let mut directories = directories(configs.iter());
        directories.retain(|directory| directory.as_os_str().as_bytes() != DEFAULT_JOURNAL || directory.exists());
        Ok(Self { directories, rejected })
    }
}

/// The journal directories of these configurations, each once.
pub(crate) fn directories<'a>(configs: impl Iterator<Item = &'a Config>) -> Vec<PathBuf> {
    let named = configs.filter_map(|config| config.journal.as_deref());
    let mut directories: Vec<PathBuf> = named
        .map(|directory| PathBuf::from(OsStr::from_bytes(directory)))
        .collect();
    directories.sort();
    directories.dedup();
    directories
}
