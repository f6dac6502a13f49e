//! The arguments of rcron in a crontab: its options, its configuration, the job.

use super::Survey;
use super::entry::Job;
use super::program;
use crate::check::finding::{Finding, Place};
use crate::check::kind::Kind;
use crate::check::report::Report;
use crate::check::rights::Rights;
use ::crontab::call::Call;
use ::crontab::shell::Word;
use inputs::command_line::{self, Invocation, Request};
use inputs::diagnostic::shown;
use inputs::settings::DEFAULT_FILE;
use policy::config::Key;
use policy::display::escaped;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use sys::file::Unreadable;

pub(super) fn check(job: &Job, call: &Call, survey: &mut Survey, report: &mut Report) {
    let start = job.place(call.words[0].offset);
    let arguments = call.words.iter().map(|word| OsString::from_vec(word.text.clone()));
    let invocation = match command_line::read(lexopt::Parser::from_iter(arguments)) {
        Ok(Request::Job(invocation)) => invocation,
        Ok(Request::Help | Request::Version) => return,
        Err(error) => {
            if call.words.iter().all(|word| word.is_literal) {
                let mistake = error.mistake.to_string();
                let what = escaped(&mistake);
                let finding = Finding::wrong(Kind::Usage, &start, what, "correct the line; see rcron(8)");
                report.add(finding.because("rcron exits with 125, and the job does not run"));
            }
            return;
        }
    };
    if invocation.options.dry_run {
        let what = "with --dry-run the job never runs";
        let remedy = "remove the option when the test is over";
        report.add(Finding::doubtful(Kind::DryRun, &start, what, remedy));
    }
    check_configuration(job, &invocation, &start, survey, report);
    let arguments = call.words.len().min(invocation.job.argv().len().saturating_sub(1));
    let (until_job, of_job) = call.words.split_at(call.words.len() - arguments);
    if until_job.iter().all(|word| word.is_literal) {
        program::check_job(job, call, &invocation.job, report);
    }
    if let Some(word) = misplaced_option(of_job) {
        let what = "this option is after the job, so it is an argument of the job";
        let remedy = "write it before the job: rcron --conf FILE JOB";
        let place = job.place(word.offset);
        report.add(Finding::wrong(Kind::OptionsAfterJob, &place, what, remedy));
    }
    let text = invocation.job.text(usize::MAX);
    if let Some(name) = invocation.options.job_name {
        survey.names.add(&start, name, &text, report);
    }
    survey.unwrapped.add_wrapped(start, text);
}

fn check_configuration(job: &Job, invocation: &Invocation, start: &Place, survey: &mut Survey, report: &mut Report) {
    let conf = invocation.options.conf.as_deref();
    if conf.is_none() {
        survey.usage.without_conf.get_or_insert(start.clone());
    }
    let Some(rights) = &job.rights else { return };
    let name = conf.unwrap_or(OsStr::new(DEFAULT_FILE));
    let file = Path::new(name);
    let is_variable = name.as_bytes().contains(&b'$');
    if !file.is_absolute() || is_variable {
        return;
    }
    match (open(job, rights, file), conf) {
        (Ok(()), Some(_)) => survey.add_configuration(file.to_owned(), rights),
        // The built-in defaults apply to jobs that do not name a file.
        (Ok(()) | Err(Unreadable::Missing), None) => {}
        (Err(Unreadable::Missing), Some(_)) => {
            let what = format!("the configuration {} does not exist", shown(name));
            let finding = Finding::wrong(Kind::ConfMissing, start, what, "create the file, or correct its name");
            report
                .add(finding.because("rcron exits with 125, and the job does not run on any server without the file"));
        }
        (Err(error), _) => {
            let (user, name) = (escaped(job.line.entry.user), shown(name));
            let what = format!("user {user} cannot read the configuration {name}: {error}");
            let remedy =
                format!("let {user} read it, as in chmod a+r FILE and chmod a+x DIRECTORY, or correct its name");
            let finding = Finding::wrong(Kind::ConfUnreadable, start, what, remedy);
            report.add(finding.because("rcron exits with 125, and the job does not run"));
        }
    }
}

/// Whether the user of the job can read a file. A process that cannot take the user's rights goes by the mode.
fn open(job: &Job, rights: &Rights, file: &Path) -> Result<(), Unreadable> {
    let located = job.root.locate(file)?;
    match rights {
        Rights::Of(user) if rights.are_out_of_reach() => {
            let metadata = located.metadata()?;
            sys::file::regular(&metadata)?;
            if user.may_read(&metadata) {
                Ok(())
            } else {
                Err(std::io::Error::from(std::io::ErrorKind::PermissionDenied).into())
            }
        }
        _ => located.open().map(drop),
    }
}

/// Finds `rcron job --conf FILE` where FILE can only be rcron's. Many programs have an option of this name.
fn misplaced_option(arguments: &[Word]) -> Option<&Word> {
    let mut following = arguments.iter().skip(1).map(|word| word.text.as_slice());
    arguments.iter().find(|word| {
        let next = following.next().unwrap_or_default();
        match word.text.as_slice() {
            b"--conf" | b"-c" => is_rcrons_file(next),
            b"--option" | b"-o" => is_rcrons_setting(next),
            text => {
                text.strip_prefix(b"--conf=").is_some_and(is_rcrons_file)
                    || text.strip_prefix(b"--option=").is_some_and(is_rcrons_setting)
            }
        }
    })
}

fn is_rcrons_file(path: &[u8]) -> bool {
    Path::new(OsStr::from_bytes(path)).starts_with("/etc/rcron")
}

fn is_rcrons_setting(setting: &[u8]) -> bool {
    let key = setting.split(|byte| *byte == b'=').next().unwrap_or_default();
    setting.contains(&b'=') && Key::ALL.iter().any(|(name, _)| name.as_bytes() == key)
}
