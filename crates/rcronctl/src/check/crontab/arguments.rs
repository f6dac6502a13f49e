//! rcron's words in a crontab: its options, its configuration, the job.

use super::Usage;
use super::call::Call;
use super::entry::{place, unexpanded};
use super::files::Crontab;
use super::program::{self, Lookup, look_up};
use super::text::Entry;
use crate::check::finding::{Finding, Kind as Found, Place, Report};
use crate::check::root::Root;
use inputs::command_line::Invocation;
use inputs::diagnostic::shown;
use inputs::words::text_of;
use policy::command::Job;
use policy::config::Key;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Looks at the words; returns what would be run, where that can be told.
pub(crate) fn check(
    root: &Root,
    crontab: &Crontab,
    entry: &Entry,
    call: &Call,
    usage: &mut Usage,
    report: &mut Report,
) -> Option<Invocation> {
    let start = place(crontab, entry, call.words[0].offset);
    let invocation = match call.read() {
        Ok(invocation) => invocation?,
        Err(message) => {
            if call.words.iter().all(|word| word.is_literal) {
                let remedy = "rcron refuses this line with status 125; see rcron(8)";
                report.add(Finding::wrong(Found::Usage, start, message, remedy));
            }
            return None;
        }
    };
    if invocation.options.dry_run {
        let what = "--dry-run: the job never runs";
        report.add(Finding::doubtful(
            Found::DryRun,
            start.clone(),
            what,
            "take the option away when done",
        ));
    }
    configuration(root, &invocation, &start, usage, report);
    if call.is_plain(&invocation) {
        report_program(root, entry, call, &invocation.job, &start, report);
    }
    if let Some(offset) = option_after_job(call, &invocation.job) {
        let what = "options after the job belong to the job: rcron does not see them";
        let remedy = "write them before the job: rcron --conf FILE JOB";
        report.add(Finding::wrong(
            Found::OptionsAfterJob,
            place(crontab, entry, offset),
            what,
            remedy,
        ));
    }
    Some(invocation)
}

fn configuration(root: &Root, invocation: &Invocation, start: &Place, usage: &mut Usage, report: &mut Report) {
    let Some(conf) = &invocation.options.conf else {
        usage.without_conf.get_or_insert(start.clone());
        return;
    };
    let file = Path::new(conf);
    let is_variable = conf.as_bytes().contains(&b'$');
    if !file.is_absolute() || is_variable {
        return;
    }
    let is_there = root
        .locate(file)
        .is_ok_and(|located| located.outside.symlink_metadata().is_ok());
    if is_there {
        usage.configurations.push((file.to_owned(), start.clone()));
        return;
    }
    let what = format!("the configuration {} does not exist", shown(conf));
    let finding = Finding::wrong(
        Found::ConfMissing,
        start.clone(),
        what,
        "write it, or name the right file",
    );
    report.add(finding.because("rcron refuses the line: the job runs on no server that lacks the file"));
}

fn report_program(root: &Root, entry: &Entry, call: &Call, job: &Job, start: &Place, report: &mut Report) {
    let Some(name) = program::name(job) else { return };
    if call.is_behind && !name.contains(&b'/') {
        return;
    }
    let shown_name = text_of(&name);
    let what = match look_up(root, &name, entry.path()) {
        Lookup::Found if job.looks_like_shell() => {
            let what = format!("{shown_name} gets the shell's syntax as arguments: no shell reads these words");
            let remedy = "quote the whole line as one word if a shell is to read it: rcron 'a && b'";
            report.add(Finding::doubtful(Found::ShellWords, start.clone(), what, remedy));
            return;
        }
        Lookup::Found | Lookup::Unsure => return,
        Lookup::NotExecutable => format!("the job's program {shown_name} is no file that may be executed"),
        Lookup::Missing if name.contains(&b'/') => format!("the job's program {shown_name} does not exist"),
        Lookup::Missing => {
            let path = entry.path();
            format!(
                "the job's program {shown_name} is not in PATH={}{}",
                text_of(path),
                unexpanded(path)
            )
        }
    };
    if job.looks_like_shell() {
        let what = "rcron executes these words directly, but they are written for a shell";
        let remedy = "quote the whole line as one word: rcron 'a && b'";
        report.add(Finding::wrong(Found::ShellWords, start.clone(), what, remedy));
        return;
    }
    let remedy = "install it on every server of the cluster, or write its whole path";
    report.add(Finding::wrong(Found::JobNotFound, start.clone(), what, remedy));
}

/// `rcron job --conf F`, where F can only be rcron's: many programs have an option of this name.
fn option_after_job(call: &Call, job: &Job) -> Option<usize> {
    let arguments = job.argv().len().saturating_sub(1);
    let words = &call.words[call.words.len().saturating_sub(arguments)..];
    let found = words.iter().enumerate().find(|(index, word)| {
        let next = words.get(index + 1).map(|word| word.text.as_slice());
        match word.text.as_slice() {
            b"--conf" | b"-c" => next.is_some_and(is_rcrons_file),
            b"--option" | b"-o" => next.is_some_and(is_rcrons_key),
            text => {
                text.strip_prefix(b"--conf=").is_some_and(is_rcrons_file)
                    || text.strip_prefix(b"--option=").is_some_and(is_rcrons_key)
            }
        }
    });
    found.map(|(_, word)| word.offset)
}

fn is_rcrons_file(path: &[u8]) -> bool {
    Path::new(OsStr::from_bytes(path)).starts_with("/etc/rcron")
}

fn is_rcrons_key(setting: &[u8]) -> bool {
    let key = setting.split(|byte| *byte == b'=').next().unwrap_or_default();
    setting.contains(&b'=') && Key::ALL.iter().any(|(name, _)| name.as_bytes() == key)
}
