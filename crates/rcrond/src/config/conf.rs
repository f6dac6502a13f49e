//! A cluster's rcron.conf(5), read as rcron reads it.

use super::diagnostics::ValueError;
use super::file::named;
use super::value;
use inputs::clusters;
use inputs::settings::{self, Settings};
use lease::ClusterName;
use policy::config::Config;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// In bytes. The name must fit into a key of each store, and into a line of the log.
const MAX_NAME: usize = 255;

/// The settings that rcrond uses, too.
pub(super) struct Conf {
    pub(super) file: PathBuf,
    pub(super) name: ClusterName,
    pub(super) state_file: PathBuf,
    pub(super) journal: Option<PathBuf>,
}

/// Reads the file with this absolute path.
pub(super) fn read(text: &str) -> Result<Conf, ValueError> {
    let file = value::path(text)?;
    let settings = settings::read(Some(file.as_os_str()), &[])
        .map_err(|refused| ValueError::new(refused.diagnostic.summary, "correct that file: rcron rejects it, too"))?;
    from_config(file, settings.config)
}

/// rcron's defaults for state file and journal. They apply if neither rcrond.toml nor an rcron.conf sets them.
pub(super) fn defaults() -> (PathBuf, Option<PathBuf>) {
    let Config {
        state_file, journal, ..
    } = Config::default();
    (path(state_file), journal.map(path))
}

/// Beside a lease, no other word may count: an `active` that is written by hand would make a second server active.
pub(super) fn without_lease(file: &Path) -> ValueError {
    let shown = named(file);
    ValueError::new(
        format!("{shown} does not require a lease, so an `active` written by hand makes a second server active"),
        format!("set require_lease = yes in {shown}"),
    )
}

fn from_config(file: PathBuf, config: Config) -> Result<Conf, ValueError> {
    let shown = named(&file);
    if !config.require_lease {
        return Err(without_lease(&file));
    }
    let name = String::from_utf8(config.cluster_name)
        .map_err(|_| ValueError::bare(format!("the cluster_name in {shown} is not UTF-8")))?;
    let state_file = path(config.state_file);
    if state_file.is_relative() {
        let help = "begin it with `/`: a relative path depends on the directory of each job";
        return Err(ValueError::new(
            format!("the state_file in {shown} is not an absolute path"),
            help,
        ));
    }
    Ok(Conf {
        name: self::name(&name)?,
        state_file,
        journal: config.journal.map(path),
        file,
    })
}

/// All valid rcron.conf files of these directories. The others are reported by `rcronctl check`.
pub(crate) fn in_directories(directories: &[PathBuf]) -> Vec<Settings> {
    let files: BTreeSet<PathBuf> = directories
        .iter()
        .flat_map(|directory| clusters::files_in(directory).unwrap_or_default())
        .collect();
    files
        .into_iter()
        .filter_map(|file| settings::read(Some(file.as_os_str()), &[]).ok())
        .collect()
}

/// A cluster's name: any text without control characters that fits into a key.
pub(super) fn name(text: &str) -> Result<ClusterName, ValueError> {
    if text.is_empty() {
        return Err(ValueError::bare("the cluster's name is empty"));
    }
    if text.len() > MAX_NAME {
        return Err(ValueError::bare("the cluster's name is longer than 255 bytes"));
    }
    if text.contains(char::is_control) {
        return Err(ValueError::bare("the cluster's name contains a control character"));
    }
    Ok(ClusterName::new(text))
}

fn path(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}
