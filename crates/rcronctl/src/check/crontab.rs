//! Crontabs: jobs under rcron that cannot work as intended, and jobs that somebody forgot to wrap with rcron.

mod accepted;
mod arguments;
mod entry;
mod files;
mod job;
mod lookup;
mod names;
mod outside;
mod program;
mod shell_words;
mod unwrapped;

use super::finding::Place;
use super::kind::Group;
use super::once_per_tick::Lines;
use super::report::Report;
use ::crontab::schedule::Dialect;
use ::crontab::{Crontab, Entry, Line, call};
use accepted::Examined;
use files::CrontabFile;
use job::Job;
use jobs::cron::Cron;
use jobs::rights::Rights;
use jobs::root::Root;
use jobs::users::{User, Users};
use names::JobNames;
use policy::display::escaped;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use unwrapped::Unwrapped;

/// How many components of paths are looked up for one crontab. Any user can write one with a long `PATH` and deep paths; those of
/// 10000 jobs, the most that Debian's cron accepts, need a tenth of this.
const MOST_LOOKUPS: usize = 1_000_000;
/// How many configurations that crontabs name are examined.
const MOST_CONFIGURATIONS: usize = 100;

/// What the other checks need to know about the crontabs.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// The files that `--conf` names, as paths of the examined system, each with the rights of a user who can read it.
    pub(crate) configurations: BTreeMap<PathBuf, Rights>,
    /// The first job under rcron without `--conf`.
    pub(crate) without_conf: Option<Place>,
    /// Whether users other than root have jobs under rcron.
    pub(crate) has_ordinary_users: bool,
    /// Whether there is a job under rcron.
    pub(crate) has_jobs: bool,
    /// The jobs under rcron, for `once_per_tick`.
    pub(crate) lines: Lines,
}

/// What is collected from all crontabs.
#[derive(Debug, Default)]
struct Survey {
    usage: Usage,
    names: JobNames,
    unwrapped: Unwrapped,
    more_configurations: bool,
    /// Who can read the default configuration.
    default_readers: BTreeSet<Rights>,
    /// The files whose lines end with CR LF.
    carriage_returns: BTreeSet<Rc<Path>>,
    /// The users whose rights are not known, each once for each file.
    strangers: BTreeSet<(Rc<Path>, Vec<u8>)>,
}

impl Survey {
    /// Without the rights of a user, nothing that his jobs name is looked up.
    fn add_stranger(&mut self, file: &CrontabFile, user: &[u8], report: &mut Report) {
        let path = Rc::clone(&file.place.file);
        if self.strangers.insert((path, user.to_owned())) {
            let (place, user) = (&file.place, escaped(user));
            let text = format!("{place}: the files that jobs of {user} name, since this user is not in /etc/passwd");
            report.missed(Group::Crontabs, text);
        }
    }

    /// root's rights are kept if a job of root's names the file, too: the file is then examined as a whole.
    fn add_configuration(&mut self, file: PathBuf, rights: &Rights) {
        let configurations = &mut self.usage.configurations;
        if configurations.contains_key(&file) || configurations.len() < MOST_CONFIGURATIONS {
            let known = configurations.entry(file).or_insert_with(|| rights.clone());
            if *rights == Rights::Own {
                *known = Rights::Own;
            }
        } else {
            self.more_configurations = true;
        }
    }
}

/// The users of the system.
pub(crate) fn users(root: &Root, report: &mut Report) -> Users {
    let mut unread = Vec::new();
    let users = Users::read(root, &mut unread);
    files::add_unread(unread, report);
    users
}

/// Examines every crontab.
pub(crate) fn check(root: &Root, users: &Users, cron: &Cron, report: &mut Report) -> Usage {
    let mut survey = Survey::default();
    let mut is_any = false;
    for source in files::list(root, report) {
        if let Some(file) = files::read(root, cron, source, report) {
            is_any = true;
            let system = System { root, users, cron };
            check_file(&system, &file, MOST_LOOKUPS, &mut survey, report);
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

/// What the crontabs are read by and looked up in.
struct System<'a> {
    root: &'a Root,
    users: &'a Users,
    cron: &'a Cron,
}

fn check_file(system: &System, file: &CrontabFile, most_lookups: usize, survey: &mut Survey, report: &mut Report) {
    let System { root, users, cron } = *system;
    let dialect = cron.dialect.unwrap_or(Dialect::Debian); // their jobs are written alike
    let crontab = Crontab::parse(&file.text, file.kind(), dialect);
    let count = crontab.entries.len();
    let is_wrapped = |entry| Line::parse(entry).is_wrapped();
    let wrapped = crontab.entries.iter().filter(|entry| is_wrapped(entry)).count();
    if wrapped > 0 || is_meant_for_rcron(&crontab, users) {
        match cron.dialect {
            Some(dialect) => {
                let examined = Examined {
                    root,
                    users,
                    cron,
                    dialect,
                    file,
                };
                examined.check(&crontab, report);
            }
            None => {
                let program = cron.program.unwrap_or_default();
                let text = format!(
                    "{}: not judged, because the rules of {program} are not known",
                    file.place
                );
                report.missed(Group::Crontabs, text);
            }
        }
    }
    survey.usage.has_jobs |= wrapped > 0;
    let is_mostly_wrapped = wrapped > count - wrapped;
    let last_lookup = root.lookups.get() + most_lookups;
    for entry in &crontab.entries {
        if root.lookups.get() > last_lookup {
            let (place, line) = (&file.place, entry.line);
            let text = format!(
                "{place}: line {line} and all later lines: the limit of {most_lookups} file look-ups was reached"
            );
            report.missed(Group::Crontabs, text);
            break;
        }
        let line = Line::parse(entry);
        let rights = match users.find(entry.user) {
            User::Known(rights) => Some(rights),
            User::None | User::Unknown => None,
        };
        let job = Job {
            root,
            file,
            line,
            rights,
        };
        check_job(&job, survey, report);
        if entry.when.is_some() && job.line.could_be_wrapped() {
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

/// What the job names is looked up with its user's rights.
fn check_job(job: &Job, survey: &mut Survey, report: &mut Report) {
    let rights = job.rights.as_ref().unwrap_or(&Rights::Own);
    if let Err(error) = rights.with(|| entry::check(job, survey, report)) {
        let user = escaped(job.line.entry.user);
        let text = format!(
            "{}: the files that this job names could not be checked with the rights of {user}: {error}",
            job.place(0)
        );
        report.missed(Group::Crontabs, text);
    }
}

/// Whether a line that cron rejects was meant to run rcron.
fn is_meant_for_rcron(crontab: &Crontab, users: &Users) -> bool {
    let is_bad = |entry: &&Entry| users.find(entry.user) == User::None;
    let of_strangers = crontab
        .entries
        .iter()
        .filter(is_bad)
        .map(|entry| entry.command.as_slice());
    let mut bad = crontab.mistakes.iter().map(|mistake| mistake.text).chain(of_strangers);
    bad.any(call::is_mentioned)
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
        fs::write(tree.path().join("etc/passwd"), "root:x:0:0:::\n").expect("written");
        let root = Root::new(Some(tree.path())).expect("a root");
        let (mut survey, mut report) = (Survey::default(), Report::default());
        let users = users(&root, &mut report);
        let source = files::list(&root, &mut report).remove(0);
        let cron = Cron::find(&root);
        let file = files::read(&root, &cron, source, &mut report).expect("a crontab");
        let system = System {
            root: &root,
            users: &users,
            cron: &cron,
        };
        check_file(&system, &file, 3, &mut survey, &mut report);
        let expected = format!(
            "{}: line 4 and all later lines: the limit of 3 file look-ups was reached",
            file.place
        );
        assert_eq!(report.unseen, [(Group::Crontabs, expected)]);
    }
}
