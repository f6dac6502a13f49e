//! The runs that a command is about: from which journals, and which of them.

use crate::cli::{Common, Selection};
use crate::failure::Failure;
use crate::when;
use inputs::clusters;
use jiff::Zoned;
use journal::Source;
use journal::run::Run;
use journal::{Query, Runs};
use policy::config::{Config, DEFAULT_JOURNAL};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Reads what the options select. `query` has what they do not say.
pub(crate) fn select(selection: &Selection, common: &Common, mut query: Query) -> Result<Runs, Failure> {
    let since = selection.since.as_deref().map(|text| when::parse(text, &Zoned::now()));
    query.since = since.transpose()?.or(query.since);
    query.job.clone_from(&selection.job);
    query.cluster.clone_from(&selection.cluster);
    let sources = sources(selection, common)?;
    let runs = journal::read(&sources, &query);
    tell_unreadable(&runs);
    if runs.unreadable.len() >= sources.len() && runs.runs.is_empty() && !runs.unreadable.is_empty() {
        return Err(Failure::new("no journal could be read"));
    }
    Ok(runs)
}

/// The journals that `--journal` names, else those of the configurations.
pub(crate) fn sources(selection: &Selection, common: &Common) -> Result<Vec<Source>, Failure> {
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

/// The journal directories of this server's configurations, each once. Where the default one is missing, none is kept: that is no error,
/// for rcron either.
pub(crate) fn own_directories(common: &Common) -> Result<Vec<PathBuf>, Failure> {
    // A configuration that the wrapper refuses has no journal either; `check` tells of it.
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

/// Warns of it.
pub(crate) fn tell_unreadable(runs: &Runs) {
    for (path, reason) in &runs.unreadable {
        let text = format!("rcronctl: warning: cannot read {}: {reason}\n", path.display());
        sys::output::to_stderr(text.as_bytes());
    }
}

/// Whose run it is.
pub(crate) fn user(run: &Run) -> String {
    run.user.clone().unwrap_or_else(|| run.uid.to_string())
}

/// A column's text where it tells runs apart; nothing where all have the same.
pub(crate) fn distinct<'a>(runs: &'a [Run], text: impl Fn(&'a Run) -> String) -> Option<impl Fn(&'a Run) -> String> {
    let mut values = runs.iter().map(&text);
    let first = values.next()?;
    values.any(|value| value != first).then_some(text)
}
