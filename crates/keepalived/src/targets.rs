//! Which state file is which instance's.

use crate::failure::Failure;
use inputs::clusters;
use inputs::diagnostic::shown;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// An instance and a file that says what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) instance: Vec<u8>,
    pub(crate) file: PathBuf,
}

/// Where the state files are told: the command line and the configurations.
#[derive(Debug)]
pub(crate) struct Plan {
    given: Vec<Target>,
    conf: Vec<PathBuf>,
}

impl Plan {
    /// From `--instance NAME=STATE_FILE` and `--conf FILE`.
    pub(crate) fn new(given: &[String], conf: &[PathBuf]) -> Result<Self, Failure> {
        let given = given.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
        Ok(Self {
            given,
            conf: conf.to_vec(),
        })
    }

    /// Reads the configurations. With the targets come those that cannot be read: a cluster whose configuration is wrong
    /// runs nothing anyway, and must not keep the others from being told.
    pub(crate) fn targets(&self) -> Result<(Vec<Target>, Vec<String>), Failure> {
        let mut targets = self.given.clone();
        let mut wrong = Vec::new();
        // Where every instance is named on the command line, the site may have no configuration at all.
        if self.given.is_empty() || !self.conf.is_empty() || Path::new(clusters::DIRECTORY).exists() {
            for cluster in clusters::all(&self.conf).map_err(|error| Failure::new(error.to_string()))? {
                match cluster.settings {
                    Ok(settings) => targets.extend(self.of(&settings.config)),
                    Err(diagnostic) => wrong.push(diagnostic.summary),
                }
            }
        }
        targets.dedup();
        check(&targets)?;
        if targets.is_empty() {
            return Err(Failure::new(format!(
                "no configuration to be used: {}",
                wrong.join("; ")
            )));
        }
        Ok((targets, wrong))
    }

    /// The command line is over the configuration.
    fn of(&self, config: &policy::config::Config) -> Option<Target> {
        let is_given = self.given.iter().any(|given| given.instance == config.cluster_name);
        (!is_given).then(|| Target {
            instance: config.cluster_name.clone(),
            file: PathBuf::from(OsStr::from_bytes(&config.state_file)),
        })
    }
}

fn parse(text: &str) -> Result<Target, Failure> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && file.starts_with('/') => Ok(Target {
            instance: name.as_bytes().to_vec(),
            file: file.into(),
        }),
        _ => Err(Failure::new(format!(
            "--instance {text}: give it as NAME=STATE_FILE, with the file's whole path"
        ))),
    }
}

/// Two instances in one file would be two writers of one truth.
fn check(targets: &[Target]) -> Result<(), Failure> {
    for (place, target) in targets.iter().enumerate() {
        let rival = targets[..place]
            .iter()
            .find(|other| other.file == target.file && **other != *target);
        if let Some(rival) = rival {
            return Err(Failure::new(format!(
                "{} is the state file of both {} and {}: give each cluster its own",
                shown(target.file.as_os_str()),
                shown(OsStr::from_bytes(&rival.instance)),
                shown(OsStr::from_bytes(&target.instance))
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(directory: &Path, name: &str, text: &str) -> PathBuf {
        let file = directory.join(name);
        std::fs::write(&file, text).expect("written");
        file
    }

    fn shown(targets: &[Target]) -> Vec<String> {
        let text = |target: &Target| {
            format!(
                "{}={}",
                String::from_utf8_lossy(&target.instance),
                target.file.display()
            )
        };
        targets.iter().map(text).collect()
    }

    #[test]
    fn an_instance_has_the_file_of_the_cluster_of_its_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let a = conf(directory.path(), "a.conf", "cluster_name = A\nstate_file = /run/a\n");
        let b = conf(directory.path(), "b.conf", "cluster_name = B\nstate_file = /run/b\n");
        let wrong = conf(directory.path(), "c.conf", "cluster = C\n");
        let plan = Plan::new(&["B=/run/other".into(), "D=/run/d=d".into()], &[a, b, wrong]).expect("a plan");
        let (targets, complaints) = plan.targets().expect("targets");
        assert_eq!(shown(&targets), ["B=/run/other", "D=/run/d=d", "A=/run/a"]);
        assert_eq!(complaints.len(), 1);
    }

    #[test]
    fn one_file_is_not_two_instances() {
        let plan = Plan::new(&["A=/run/a".into(), "B=/run/a".into()], &[]).expect("a plan");
        assert!(plan.targets().is_err());
    }

    #[test]
    fn an_instance_needs_a_name_and_a_whole_path() {
        for text in ["A", "=/run/a", "A=", "A=run/a"] {
            assert!(Plan::new(&[text.into()], &[]).is_err(), "{text}");
        }
    }
}
