//! The clusters of this server: one configuration file for each.

use crate::diagnostic::{Diagnostic, shown};
use crate::settings::{self, DEFAULT_FILE, Settings};
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use sys::output::error_text;

/// Where each cluster has its configuration file.
pub const DIRECTORY: &str = "/etc/rcron";

/// A cluster's configuration file and what rcron reads from it.
pub struct Cluster {
    /// The file; it may be missing if it is the default one.
    pub file: PathBuf,
    /// The wrapper's own message where it rejects the file.
    pub settings: Result<Settings, Diagnostic>,
}

/// The directory of the configuration files cannot be listed.
#[derive(Debug)]
pub struct ListError {
    /// The directory.
    pub directory: PathBuf,
    /// The system's error.
    pub error: io::Error,
}

/// Why there is not exactly one cluster for a command that needs one.
pub enum SelectError {
    /// The configuration files cannot be listed.
    List(ListError),
    /// Several clusters are configured, and the command line names none of them.
    Several,
    /// The wrapper rejects the only configuration.
    Rejected(Diagnostic),
}

/// Every cluster of this server: the files in `named`; if it is empty, those in [`DIRECTORY`]; if there is none, the built-in defaults.
///
/// # Errors
/// [`ListError`].
pub fn all(named: &[PathBuf]) -> Result<Vec<Cluster>, ListError> {
    let files = if named.is_empty() {
        files_in(Path::new(DIRECTORY))?
    } else {
        named.to_vec()
    };
    if files.is_empty() {
        return Ok(vec![Cluster {
            file: DEFAULT_FILE.into(),
            settings: settings::read(None, &[]).map_err(|refused| refused.diagnostic),
        }]);
    }
    let read = |file: PathBuf| {
        let settings = settings::read(Some(file.as_os_str()), &[]).map_err(|refused| refused.diagnostic);
        Cluster { file, settings }
    };
    Ok(files.into_iter().map(read).collect())
}

/// The cluster that a command changes or decides about. Where there are several, the user must name one.
///
/// # Errors
/// [`SelectError`].
pub fn one(named: &[PathBuf]) -> Result<Settings, SelectError> {
    let mut clusters = all(named).map_err(SelectError::List)?;
    match clusters.pop().filter(|_| clusters.is_empty()) {
        Some(cluster) => cluster.settings.map_err(SelectError::Rejected),
        None => Err(SelectError::Several),
    }
}

/// The configuration files in a directory, the default one first. A missing directory has none.
///
/// As the shell expands `*.conf`: hidden files, such as an editor's lock, are left out. So are directories.
///
/// # Errors
/// [`ListError`].
pub fn files_in(directory: &Path) -> Result<Vec<PathBuf>, ListError> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let directory = directory.to_owned();
            return Err(ListError { directory, error });
        }
    };
    let is_configuration = |path: &PathBuf| is_name(path.file_name().unwrap_or_default()) && !path.is_dir();
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_configuration)
        .collect();
    let default = Path::new(DEFAULT_FILE).file_name();
    files.sort_by_cached_key(|file| (file.file_name() != default, file.clone()));
    Ok(files)
}

/// Whether a file of this name in [`DIRECTORY`] is a configuration.
#[must_use]
pub fn is_name(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.ends_with(b".conf") && !name.starts_with(b".")
}

impl fmt::Display for ListError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = shown(self.directory.as_os_str());
        write!(out, "cannot list {directory}: {}", error_text(&self.error))
    }
}

impl fmt::Display for SelectError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(error) => error.fmt(out),
            Self::Several => write!(
                out,
                "several clusters are configured in {DIRECTORY}: name one with --conf FILE"
            ),
            Self::Rejected(diagnostic) => out.write_str(&diagnostic.full),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn are_listed_with_the_default_one_first() {
        let directory = tempfile::tempdir().expect("a directory");
        for name in [
            "b.conf",
            "rcron.conf",
            "a.conf",
            ".hidden.conf",
            ".conf",
            "rcrond.toml",
            "a.conf~",
        ] {
            fs::write(directory.path().join(name), "").expect("written");
        }
        fs::create_dir(directory.path().join("d.conf")).expect("made");
        let files = files_in(directory.path()).expect("listed");
        let names: Vec<_> = files.iter().filter_map(|file| file.file_name()).collect();
        assert_eq!(names, ["rcron.conf", "a.conf", "b.conf"]);
    }

    #[test]
    fn there_are_none_where_there_is_no_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        let none = files_in(&directory.path().join("none")).expect("no error");
        assert!(none.is_empty());
        let file = directory.path().join("file");
        fs::write(&file, "").expect("written");
        let error = files_in(&file).expect_err("no directory");
        assert!(error.to_string().ends_with("/file: Not a directory"), "{error}");
    }

    #[test]
    fn one_of_several_must_be_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let [a, b] = ["a", "b"].map(|name| directory.path().join(name));
        fs::write(&a, "cluster_name = A\n").expect("written");
        fs::write(&b, "cluster = B\n").expect("written");
        let settings = one(std::slice::from_ref(&a))
            .map_err(|error| error.to_string())
            .expect("one");
        assert_eq!(settings.config.cluster_name, b"A");
        assert!(matches!(one(&[a, b.clone()]), Err(SelectError::Several)));
        assert!(matches!(one(&[b]), Err(SelectError::Rejected(_))));
    }
}
