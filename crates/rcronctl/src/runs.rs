//! The runs that a command shows: from which journals, and which of them.

use crate::cli::{Common, Selection};
use crate::failure::Failure;
use crate::output::warn;
use inputs::clusters;
use journal::{Query, Runs, Source};
use policy::config::{Config, DEFAULT_JOURNAL};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Reads the runs that the options select. `query` has what they do not say.
pub(crate) fn select_runs(selection: &Selection, common: &Common, mut query: Query) -> Result<Runs, Failure> {
    query.since = selection.since.or(query.since);
    query.job.clone_from(&selection.job);
    query.cluster.clone_from(&selection.cluster);
    let sources = sources(selection, common)?;
    let runs = read_journals(&sources, &query);
    if runs.unreadable.len() >= sources.len() && runs.runs.is_empty() && !runs.unreadable.is_empty() {
        return Err(Failure::new("no journal could be read"));
    }
    Ok(runs)
}

/// Reads the journals; warns of files that cannot be read.
pub(crate) fn read_journals(sources: &[Source], query: &Query) -> Runs {
    let runs = journal::read(sources, query);
    for (path, reason) in &runs.unreadable {
        warn(format_args!("cannot read {}: {reason}", path.display()));
    }
    runs
}

/// The journals that `--journal` names, otherwise those of the configurations.
fn sources(selection: &Selection, common: &Common) -> Result<Vec<Source>, Failure> {
    if !selection.journal.is_empty() {
        return Ok(selection.journal.iter().cloned().map(Source::Named).collect());
    }
    let directories = own_directories(common)?;
    if directories.is_empty() {
        return Err(Failure::new(
            "no journal is kept: the key `journal` is none in every configuration, or the default directory is missing",
        ));
    }
    Ok(directories.into_iter().map(Source::Own).collect())
}

/// The journal directories of this server's configurations, each once. If the default directory is missing, rcron keeps no
/// journal, which is not an error.
pub(crate) fn own_directories(common: &Common) -> Result<Vec<PathBuf>, Failure> {
    // A configuration that rcron rejects has no journal; `rcronctl check` reports it.
    let known = clusters::all(&common.conf)?
        .into_iter()
        .filter_map(|cluster| cluster.settings.ok());
    let configs: Vec<Config> = known.map(|settings| settings.config).collect();
    let mut directories = directories(configs.iter());
    directories.retain(|directory| directory.as_os_str().as_bytes() != DEFAULT_JOURNAL || directory.exists());
    Ok(directories)
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
