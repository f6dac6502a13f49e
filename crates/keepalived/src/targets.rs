//! Which state file belongs to which instance.

use inputs::clusters::{self, ListError};
use inputs::diagnostic::{Diagnostic, shown};
use policy::config::Config;
use policy::display::escaped;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// An instance and the file that its state is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) instance: Vec<u8>,
    pub(crate) file: PathBuf,
}

/// Where the targets are named. Read again at each reload.
#[derive(Debug)]
pub(crate) struct TargetSources {
    /// From `--instance`. These override the configurations.
    pub(crate) given: Vec<Target>,
    /// From `--conf`. Empty means all of /etc/rcron/*.conf.
    pub(crate) conf: Vec<PathBuf>,
}

/// What the sources name.
pub(crate) struct Targets {
    pub(crate) usable: Vec<Target>,
    /// Configurations that rcron rejects. It runs none of their jobs, and they do not keep the other clusters from being served.
    pub(crate) rejected: Vec<Diagnostic>,
}

/// Why there are no targets.
#[derive(Debug)]
pub(crate) enum TargetError {
    List(ListError),
    /// Two instances have the same state file: each would overwrite the state of the other.
    SharedFile {
        file: PathBuf,
        instances: [Vec<u8>; 2],
    },
    /// Every configuration is rejected; the summaries say why.
    AllRejected(Vec<String>),
}

impl TargetSources {
    pub(crate) fn read(&self) -> Result<Targets, TargetError> {
        let mut usable = self.given.clone();
        let mut rejected = Vec::new();
        // Where the command line names every instance, the site may have no configuration at all.
        if self.given.is_empty() || !self.conf.is_empty() || Path::new(clusters::DIRECTORY).exists() {
            for cluster in clusters::all(&self.conf).map_err(TargetError::List)? {
                match cluster.settings {
                    Ok(settings) => usable.extend(self.configured(&settings.config)),
                    Err(diagnostic) => rejected.push(diagnostic),
                }
            }
        }
        usable.dedup();
        reject_shared_files(&usable)?;
        if usable.is_empty() {
            let summaries = rejected.into_iter().map(|diagnostic| diagnostic.summary);
            return Err(TargetError::AllRejected(summaries.collect()));
        }
        Ok(Targets { usable, rejected })
    }

    fn configured(&self, config: &Config) -> Option<Target> {
        let is_given = self.given.iter().any(|given| given.instance == config.cluster_name);
        (!is_given).then(|| Target {
            instance: config.cluster_name.clone(),
            file: PathBuf::from(OsStr::from_bytes(&config.state_file)),
        })
    }
}

fn reject_shared_files(targets: &[Target]) -> Result<(), TargetError> {
    for (place, target) in targets.iter().enumerate() {
        let shares = |other: &&Target| other.file == target.file && *other != target;
        if let Some(other) = targets[..place].iter().find(shares) {
            return Err(TargetError::SharedFile {
                file: target.file.clone(),
                instances: [other.instance.clone(), target.instance.clone()],
            });
        }
    }
    Ok(())
}

impl fmt::Display for TargetError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(error) => error.fmt(out),
            Self::SharedFile { file, instances } => {
                let [first, second] = instances.each_ref().map(|name| escaped(name));
                let file = shown(file.as_os_str());
                write!(
                    out,
                    "{file} is the state file of both {first} and {second}: give each cluster its own state_file"
                )
            }
            Self::AllRejected(summaries) => {
                write!(out, "there is no usable configuration: {}", summaries.join("; "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(directory: &Path, name: &str, text: &str) -> PathBuf {
        let file = directory.join(name);
        std::fs::write(&file, text).expect("written");
        file
    }

    fn target(instance: &str, file: &str) -> Target {
        Target {
            instance: instance.as_bytes().to_vec(),
            file: file.into(),
        }
    }

    #[test]
    fn instance_has_the_file_of_the_cluster_with_its_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let a = conf(directory.path(), "a.conf", "cluster_name = A\nstate_file = /run/a\n");
        let b = conf(directory.path(), "b.conf", "cluster_name = B\nstate_file = /run/b\n");
        let wrong = conf(directory.path(), "c.conf", "cluster = C\n");
        let given = vec![target("B", "/run/other"), target("D", "/run/d=d")];
        let expected = [given.clone(), vec![target("A", "/run/a")]].concat();
        let conf = vec![a, b, wrong];
        let targets = TargetSources { given, conf }.read().expect("targets");
        assert_eq!(targets.usable, expected);
        assert_eq!(targets.rejected.len(), 1);
    }

    #[test]
    fn two_instances_cannot_share_a_file() {
        let sources = TargetSources {
            given: vec![target("A", "/run/a"), target("B", "/run/a")],
            conf: Vec::new(),
        };
        let error = sources.read().map(|targets| targets.usable).expect_err("rejected");
        assert_eq!(
            error.to_string(),
            "/run/a is the state file of both A and B: give each cluster its own state_file"
        );
    }

    #[test]
    fn configurations_must_not_all_be_rejected() {
        let directory = tempfile::tempdir().expect("a directory");
        let sources = TargetSources {
            given: Vec::new(),
            conf: vec![conf(directory.path(), "c.conf", "cluster = C\n")],
        };
        assert!(matches!(sources.read(), Err(TargetError::AllRejected(summaries)) if summaries.len() == 1));
    }
}
