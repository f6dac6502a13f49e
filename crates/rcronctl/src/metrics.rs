//! `rcronctl metrics`: the metrics of each job, for node_exporter's textfile collector.

use crate::cli::{self, Common};
use crate::failure::Failure;
use crate::output::{print_text, warn};
use crate::output_file::write_file;
use crate::runs;
use inputs::clusters;
use jiff::Timestamp;
use job_metrics::{Collector, CrontabJobs, MOST_SHOWN, Scope, Table};
use jobs::root::Root;
use jobs::{Jobs, Limits};
use policy::config::Config;
use std::path::PathBuf;
use std::process::ExitCode;
use sys::environment;

/// node_exporter runs as another user.
const MODE: u32 = 0o644;
/// The exit status if the metrics are not complete.
const INCOMPLETE: u8 = 1;

/// What the configurations say.
struct Clusters {
    names: Vec<String>,
    journals: Vec<PathBuf>,
    are_complete: bool,
}

/// Prints the metrics, or writes them to a file.
pub(crate) fn export_metrics(options: &cli::Metrics, common: &Common) -> Result<ExitCode, Failure> {
    let Clusters {
        names,
        journals,
        are_complete,
    } = Clusters::read(common)?;
    let scope = if environment::effective_user() == 0 {
        Scope::All
    } else {
        Scope::Own
    };
    let (crontabs, are_crontabs_complete) = read_crontabs(&names, scope)?;
    let mut collector = Collector::new(&names, journals, scope);
    let table = collector.update(&crontabs, Timestamp::now().as_microsecond());
    let is_complete = are_complete && are_crontabs_complete && table.unreadable == 0;
    match &options.output {
        Some(file) => write_file(
            file,
            &table.text(),
            MODE,
            "name another one, or leave out --output for stdout",
        )?,
        None => print_text(&table.text())?,
    }
    // A timer runs this each minute: it repeats only what is wrong on the server, not what users do.
    if options.output.is_none() || !is_complete {
        collector.unseen().iter().for_each(warn);
    }
    if options.output.is_none() {
        warn_of_omitted(&table);
    }
    Ok(ExitCode::from(if is_complete { 0 } else { INCOMPLETE }))
}

impl Clusters {
    /// Warns of each configuration that is rejected.
    fn read(common: &Common) -> Result<Self, Failure> {
        let (mut configs, mut rejected) = (Vec::<Config>::new(), Vec::new());
        for cluster in clusters::all(&common.conf)? {
            match cluster.settings {
                Ok(settings) => configs.push(settings.config),
                Err(diagnostic) => rejected.push(diagnostic),
            }
        }
        let journals = runs::directories(configs.iter());
        if journals.is_empty() {
            return Err(match rejected.first() {
                Some(diagnostic) => runs::no_journal_is_known(diagnostic),
                None => Failure::new(
                    "no journal is known, and the metrics come from it: set `journal` in the configuration",
                ),
            });
        }
        for diagnostic in &rejected {
            warn(format_args!("{}; its jobs are not known", diagnostic.summary));
        }
        let names = configs.into_iter().map(|config| String::from_utf8(config.cluster_name));
        Ok(Self {
            names: names.filter_map(Result::ok).collect(),
            journals,
            are_complete: rejected.is_empty(),
        })
    }
}

/// The jobs of the crontabs, and whether all crontabs that this user must see could be read.
fn read_crontabs(clusters: &[String], scope: Scope) -> Result<(CrontabJobs, bool), Failure> {
    let root = Root::new(None).map_err(|error| Failure::cannot("read the crontabs", &error))?;
    let jobs = Jobs::read(&root, &Limits::default());
    // Only root can read the crontabs of users.
    let is_complete = jobs.unread().is_empty() || scope == Scope::Own;
    if !is_complete {
        warn("not all crontabs can be read, so periods of jobs are missing: see rcronctl check");
    }
    Ok((CrontabJobs::new(&jobs, clusters), is_complete))
}

fn warn_of_omitted(table: &Table) {
    if table.omitted > 0 {
        warn(format_args!(
            "{} jobs have no metrics, because there are more than {MOST_SHOWN}",
            table.omitted
        ));
    }
}
