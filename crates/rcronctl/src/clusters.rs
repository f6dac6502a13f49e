//! The configurations that a command is about.

use crate::failure::Failure;
use inputs::diagnostic::{Diagnostic, shown};
use inputs::settings::{self, DEFAULT_FILE, Settings};
use std::path::{Path, PathBuf};

/// Where each cluster has its configuration.
pub(crate) const DIRECTORY: &str = "/etc/rcron";

/// A configuration file, or why it cannot be used: the wrapper's own message.
pub(crate) struct Cluster {
    pub(crate) file: PathBuf,
    pub(crate) settings: Result<Settings, Diagnostic>,
}

/// A configuration that rcron refuses.
pub(crate) type Refused = (PathBuf, Diagnostic);

/// Every cluster of this server: the files that `--conf` names, else all of `/etc/rcron/*.conf`, else the built-in defaults,
/// as rcron itself would take them.
pub(crate) fn all(named: &[PathBuf]) -> Result<Vec<Cluster>, Failure> {
    let files = if named.is_empty() {
        in_directory()?
    } else {
        named.to_vec()
    };
    if files.is_empty() {
        return Ok(vec![Cluster::default_one()]);
    }
    Ok(files.into_iter().map(Cluster::read).collect())
}

/// The one cluster that a command is about which changes or decides something. Where there are several, the user must say.
pub(crate) fn one(named: &[PathBuf]) -> Result<Settings, Failure> {
    let mut clusters = all(named)?;
    let Some(cluster) = clusters.pop().filter(|_| clusters.is_empty()) else {
        return Err(Failure::new(format!(
            "several clusters are configured in {DIRECTORY}: say which one with --conf FILE"
        )));
    };
    cluster.settings.map_err(|diagnostic| Failure::new(diagnostic.full))
}

impl Cluster {
    fn read(file: PathBuf) -> Self {
        let settings = settings::read(Some(file.as_os_str()), &[]).map_err(|refused| refused.diagnostic);
        Self { file, settings }
    }

    fn default_one() -> Self {
        let settings = settings::read(None, &[]).map_err(|refused| refused.diagnostic);
        Self {
            file: DEFAULT_FILE.into(),
            settings,
        }
    }
}

fn in_directory() -> Result<Vec<PathBuf>, Failure> {
    let entries = match std::fs::read_dir(DIRECTORY) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::of(format!("list {}", shown(DIRECTORY.as_ref())), &error)),
    };
    // As the shell has `*.conf`: an editor's lock is none, and a directory can be none.
    let is_configuration = |path: &PathBuf| {
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        path.extension().is_some_and(|extension| extension == "conf") && !is_hidden && !path.is_dir()
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_configuration)
        .collect();
    // The default one first, as people think of it.
    files.sort_by_key(|file| (file != Path::new(DEFAULT_FILE), file.clone()));
    Ok(files)
}
