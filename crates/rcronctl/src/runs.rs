//! The runs that a command shows: from which journals, and which of them.

use crate::cli::{self, Common, Selection};
use crate::failure::Failure;
use crate::hosts::Hosts;
use crate::output::warn;
use inputs::clusters;
use inputs::diagnostic::{Diagnostic, shown};
use journal::{Query, Runs, Source, Unseen};
use policy::config::{Config, DEFAULT_JOURNAL};
use policy::display::escaped;
use policy::suggest;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// How many runs are looked at to find the names of jobs and clusters.
const MOST_NAMED: usize = 10_000;

/// The runs that the options select.
pub(crate) struct Selected {
    pub(crate) runs: Runs,
    /// Why rcron rejects configurations, so that their journals are not known.
    rejected: Vec<Diagnostic>,
    /// The servers, if the options name some.
    pub(crate) hosts: Option<Hosts>,
}

/// The journals of this server's configurations.
#[derive(Default)]
struct OwnJournals {
    directories: Vec<PathBuf>,
    rejected: Vec<Diagnostic>,
}

impl Selected {
    /// Reads the runs that the options select. `query` has what they do not say.
    pub(crate) fn read(
        selection: &Selection,
        hosts: Option<&cli::Hosts>,
        common: &Common,
        mut query: Query,
    ) -> Result<Self, Failure> {
        query.since = selection.since.or(query.since);
        query.job.clone_from(&selection.job);
        query.cluster.clone_from(&selection.cluster);
        match hosts.filter(|hosts| hosts.are_named()) {
            Some(hosts) => Self::read_hosts(Hosts::ask(hosts, &query)?, selection, common, &query),
            None => Self::read_here(selection, common, &query),
        }
    }

    /// The journals of the servers that the options name.
    fn read_hosts(mut hosts: Hosts, selection: &Selection, common: &Common, query: &Query) -> Result<Self, Failure> {
        let mut sources: Vec<Source> = hosts.sources().collect();
        let mut rejected = Vec::new();
        if hosts.own().is_some() {
            match own_sources(selection, common) {
                Ok((own, found)) => {
                    sources.extend(own);
                    rejected = found;
                }
                Err(failure) => hosts.own_is_not_read(&failure),
            }
        }
        if hosts.have_nothing() {
            hosts.unseen().iter().for_each(warn);
            return Err(Failure::new("no journal could be read"));
        }
        let mut runs = journal::read(&sources, query);
        if let Some(own) = hosts.own() {
            runs.name_own_host(own);
        }
        runs.more |= hosts.have_more();
        Ok(Self {
            runs,
            rejected,
            hosts: Some(hosts),
        })
    }

    fn read_here(selection: &Selection, common: &Common, query: &Query) -> Result<Self, Failure> {
        let (sources, rejected) = own_sources(selection, common)?;
        let runs = journal::read(&sources, query);
        let is_unreadable =
            |unseen: &&Unseen| matches!(unseen, Unseen::Unreadable(path, _) if is_source(&sources, path));
        let unreadable = runs.unseen();
        if runs.is_empty() && unreadable.iter().filter(is_unreadable).count() >= sources.len() {
            unreadable.iter().for_each(warn);
            return Err(Failure::new("no journal could be read"));
        }
        Ok(Self {
            runs,
            rejected,
            hosts: None,
        })
    }

    /// Whether the runs are of several servers that the options name.
    pub(crate) fn has_several_hosts(&self) -> bool {
        self.hosts.as_ref().is_some_and(Hosts::are_several)
    }

    /// What could not be seen, in words. To be asked after the runs were read.
    pub(crate) fn unseen(&self) -> Vec<String> {
        let rejected = self.rejected.iter();
        rejected
            .map(|diagnostic| format!("{}; its journal is not known", diagnostic.summary))
            .chain(self.hosts.iter().flat_map(Hosts::unseen))
            .chain(self.runs.unseen().iter().map(ToString::to_string))
            .collect()
    }

    /// Whether a command that found nothing may say so.
    pub(crate) fn is_complete(&self) -> bool {
        self.rejected.is_empty() && self.runs.is_complete() && self.hosts.as_ref().is_none_or(Hosts::are_complete)
    }

    /// Warns of what could not be seen, and of clocks that differ.
    pub(crate) fn warn(&self) {
        self.unseen().iter().for_each(warn);
        self.hosts.iter().flat_map(Hosts::clock_warnings).for_each(warn);
    }

    /// Whose runs these are, in brackets, if not those of all users.
    pub(crate) fn own_note(&self) -> String {
        let own = if self.runs.is_only_own {
            "(these are your own runs; only root sees those of other users)\n"
        } else {
            ""
        };
        own.to_owned() + &self.hosts_note()
    }

    /// The same of the other servers.
    pub(crate) fn hosts_note(&self) -> String {
        let mut note = String::new();
        for host in self.hosts.iter().flat_map(Hosts::only_own) {
            let host = escaped(host);
            let _ = writeln!(
                note,
                "(of {host}, these are the runs of one user; only root sees those of all)"
            );
        }
        note
    }
}

/// Warns if a job or a cluster that is selected does not occur in the journals: its name may be misspelt.
pub(crate) fn warn_of_unknown_names(selection: &Selection, hosts: &cli::Hosts, common: &Common) -> Result<(), Failure> {
    // The names of other servers are not known here.
    if selection.job.is_none() && selection.cluster.is_none() || hosts.are_named() {
        return Ok(());
    }
    let (sources, _) = own_sources(selection, common)?;
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
    sources.iter().any(|source| source.path() == path)
}

/// The journals that `--journal` names, otherwise those of the configurations; and why configurations are rejected.
fn own_sources(selection: &Selection, common: &Common) -> Result<(Vec<Source>, Vec<Diagnostic>), Failure> {
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
    /// If the default directory is missing, rcron keeps no journal, which is not an error. It is one if only a configuration that is
    /// rejected could have named a journal.
    fn find(common: &Common) -> Result<Self, Failure> {
        let mut rejected = Vec::new();
        let mut configs: Vec<Config> = Vec::new();
        for cluster in clusters::all(&common.conf)? {
            match cluster.settings {
                Ok(settings) => configs.push(settings.config),
                Err(diagnostic) => rejected.push(diagnostic),
            }
        }
        let mut directories = directories(configs.iter());
        directories.retain(|directory| directory.as_os_str().as_bytes() != DEFAULT_JOURNAL || directory.exists());
        match rejected.first() {
            Some(diagnostic) if directories.is_empty() => Err(no_journal_is_known(diagnostic)),
            _ => Ok(Self { directories, rejected }),
        }
    }
}

/// Every configuration that could have named a journal is rejected; this is why.
pub(crate) fn no_journal_is_known(diagnostic: &Diagnostic) -> Failure {
    Failure::new(format!("no journal is known: {}", diagnostic.summary))
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
