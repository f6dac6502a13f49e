//! Crontabs: jobs under rcron that cannot work as intended, and jobs that somebody forgot to wrap with rcron.

mod accepted;
mod arguments;
mod entry;
mod files;
mod lookup;
mod names;
mod outside;
mod program;
mod unwrapped;

use super::finding::Place;
use super::kind::Group;
use super::report::Report;
use super::root::Root;
use ::crontab::{Crontab, Line};
use entry::Job;
use files::CrontabFile;
use names::JobNames;
use std::collections::BTreeSet;
use std::path::PathBuf;
use unwrapped::Unwrapped;

/// How many components of paths are looked up for one crontab. Any user can write one with a long `PATH` and deep paths; those of
/// 10000 jobs, the most that Debian's cron accepts, need a tenth of this.
const MOST_LOOKUPS: usize = 1_000_000;
/// How many configurations that crontabs name are examined.
const MOST_CONFIGURATIONS: usize = 100;

/// What the other checks need to know about the crontabs.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// The files that `--conf` names, as paths of the examined system.
    pub(crate) configurations: BTreeSet<PathBuf>,
    /// The first job under rcron without `--conf`.
    pub(crate) without_conf: Option<Place>,
    /// Whether users other than root have jobs under rcron.
    pub(crate) has_ordinary_users: bool,
}

/// What is collected from all crontabs.
#[derive(Debug, Default)]
struct Survey {
    usage: Usage,
    names: JobNames,
    unwrapped: Unwrapped,
    more_configurations: bool,
}

impl Survey {
    fn add_configuration(&mut self, file: PathBuf) {
        let configurations = &mut self.usage.configurations;
        if configurations.len() < MOST_CONFIGURATIONS {
            configurations.insert(file);
        } else {
            self.more_configurations |= !configurations.contains(&file);
        }
    }
}

/// Examines every crontab.
pub(crate) fn check(root: &Root, report: &mut Report) -> Usage {
    let mut survey = Survey::default();
    let mut is_any = false;
    for source in files::list(root, report) {
        if let Some(file) = files::read(source, report) {
            is_any = true;
            check_file(root, &file, MOST_LOOKUPS, &mut survey, report);
        }
    }
    if !is_any {
        report.saw(Group::Crontabs, "no crontab");
    }
    survey.unwrapped.check(report);
    if survey.more_configurations {
        let text =
            format!("crontabs name more than {MOST_CONFIGURATIONS} configurations: the others were not examined");
        report.missed(Group::Configuration, text);
    }
    survey.usage
}

fn check_file(root: &Root, file: &CrontabFile, most_lookups: usize, survey: &mut Survey, report: &mut Report) {
    let crontab = Crontab::parse(&file.text, file.kind());
    let count = crontab.entries.len();
    let is_wrapped = |entry| Line::parse(entry).is_wrapped();
    let wrapped = crontab.entries.iter().filter(|entry| is_wrapped(entry)).count();
    if wrapped > 0 {
        accepted::check(root, file, report);
    }
    let is_mostly_wrapped = wrapped > count - wrapped;
    let last_lookup = root.lookups.get() + most_lookups;
    for entry in &crontab.entries {
        if root.lookups.get() > last_lookup {
            let (place, line) = (&file.place, entry.line);
            let text = format!("{place}: line {line} and all later lines, after {most_lookups} lookups of files");
            report.missed(Group::Crontabs, text);
            break;
        }
        let line = Line::parse(entry);
        let job = Job { root, file, line };
        job.check(survey, report);
        if job.line.could_be_wrapped() {
            survey
                .unwrapped
                .add_candidate(job.place(0), job.line.text(), is_mostly_wrapped);
        }
    }
    report_skipped(file, &crontab.skipped, report);
    let jobs = if count == 1 { "job" } else { "jobs" };
    let text = format!("{}: {count} {jobs}, {wrapped} wrapped", file.place);
    report.saw(Group::Crontabs, text);
}

fn report_skipped(file: &CrontabFile, skipped: &[usize], report: &mut Report) {
    let (place, longest) = (&file.place, ::crontab::LONGEST_LINE);
    let text = match skipped {
        [] => return,
        [line] => format!("{place}: line {line}, which is longer than {longest} bytes"),
        [first, ..] => {
            let count = skipped.len();
            format!("{place}: {count} lines that are longer than {longest} bytes, from line {first} on")
        }
    };
    report.missed(Group::Crontabs, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn jobs_that_need_too_many_lookups_are_listed_as_not_seen() {
        let tree = tempfile::tempdir().expect("a directory");
        fs::create_dir(tree.path().join("etc")).expect("made");
        fs::write(tree.path().join("etc/crontab"), "\n@daily root rcron x\n".repeat(2)).expect("written");
        let root = Root::new(Some(tree.path())).expect("a root");
        let (mut survey, mut report) = (Survey::default(), Report::default());
        let source = files::list(&root, &mut report).remove(0);
        let file = files::read(source, &mut report).expect("a crontab");
        check_file(&root, &file, 3, &mut survey, &mut report);
        let expected = format!("{}: line 4 and all later lines, after 3 lookups of files", file.place);
        assert_eq!(report.unseen, [(Group::Crontabs, expected)]);
    }
}
