//! The arguments of rcron in a crontab: its options, its configuration, the job.

use super::Survey;
use super::job::Job;
use super::program;
use crate::check::finding::{Finding, Place};
use crate::check::kind::Kind;
use crate::check::once_per_tick::NamedLine;
use crate::check::report::Report;
use ::crontab::call::Call;
use ::crontab::shell::Word;
use inputs::command_line::{self, Invocation, Mistake, Request};
use inputs::diagnostic::shown;
use inputs::settings::DEFAULT_FILE;
use jobs::rights::Rights;
use policy::command::Mode;
use policy::config::{Config, Key, LARGEST_FILE};
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
                let place = mistaken(&call.words, &error.mistake).map_or(start, |word| job.place(word.offset));
                let mistake = error.mistake.to_string();
                let what = escaped(&mistake);
                let finding = Finding::wrong(Kind::Usage, &place, what, "correct the line; see rcron(8)");
                report.add(finding.because("rcron exits with 125, and the job does not run"));
            }
            return;
        }
    };
    let count = match invocation.job.mode {
        Mode::Direct => invocation.job.argv().len(),
        Mode::Shell => 1,
    };
    let (options, of_job) = call.words.split_at(call.words.len().saturating_sub(count));
    if invocation.options.dry_run {
        let what = "with --dry-run the job never runs";
        let remedy = "remove the option when the test is over";
        let word = option(options, Some(b'n'), "dry-run").unwrap_or(&call.words[0]);
        report.add(Finding::doubtful(Kind::DryRun, &job.place(word.offset), what, remedy));
    }
    let conf = value(options, b'c', "conf").unwrap_or(&call.words[0]);
    check_configuration(job, &invocation, &job.place(conf.offset), survey, report);
    if options.iter().all(|word| word.is_literal) {
        program::check_job(job, call, &invocation.job, of_job, report);
    }
    if let Some(word) = misplaced_option(job, of_job.get(1..).unwrap_or_default()) {
        let what = "this option is after the job, so it is an argument of the job";
        let remedy = "write it before the job: rcron --conf FILE JOB";
        let place = job.place(word.offset);
        report.add(Finding::wrong(Kind::OptionsAfterJob, &place, what, remedy));
    }
    if !invocation.options.dry_run {
        survey.usage.lines.add(NamedLine {
            place: start.clone(),
            user: job.line.entry.user.to_owned(),
            name: invocation.options.job_name.clone(),
            conf: invocation
                .options
                .conf
                .as_deref()
                .map_or_else(|| DEFAULT_FILE.into(), Into::into),
            settings: invocation
                .options
                .settings
                .iter()
                .map(|setting| setting.as_bytes().to_owned())
                .collect(),
            tick: invocation.options.tick,
            is_at_boot: job.line.entry.schedule == b"@reboot",
        });
    }
    let text = invocation.job.text(usize::MAX);
    if let Some(name) = invocation.options.job_name {
        let word = value(options, b'j', "job").unwrap_or(&call.words[0]);
        survey.names.add(&job.place(word.offset), name, &text, report);
    }
    survey.unwrapped.add_wrapped(start, text);
}

/// The word that the message is about.
fn mistaken<'w>(words: &'w [Word], mistake: &Mistake) -> Option<&'w Word> {
    let name = match mistake {
        Mistake::UnknownOption(error, _) | Mistake::Value(error) => match error {
            lexopt::Error::UnexpectedOption(name) | lexopt::Error::UnexpectedValue { option: name, .. } => name,
            lexopt::Error::MissingValue { option } => option.as_ref()?,
            _ => return None,
        },
        Mistake::JobName(name) => {
            return words
                .iter()
                .find(|word| word.text.ends_with(name.as_bytes()) && !name.is_empty());
        }
        Mistake::Tick(text) => {
            return words
                .iter()
                .find(|word| word.text.ends_with(text.as_bytes()) && !text.is_empty());
        }
        Mistake::LongJobName | Mistake::NoCommand => return None,
    };
    match name.strip_prefix("--") {
        Some(long) => option(&words[1..], None, long),
        None => option(&words[1..], name.as_bytes().get(1).copied(), ""),
    }
}

/// The word with an option: `-n`, among other letters too, or `--dry-run`.
fn option<'w>(words: &'w [Word], short: Option<u8>, long: &str) -> Option<&'w Word> {
    words.iter().find(|word| match word.text.strip_prefix(b"--") {
        Some(name) => !long.is_empty() && name.split(|byte| *byte == b'=').next() == Some(long.as_bytes()),
        None => word.text.starts_with(b"-") && short.is_some_and(|short| word.text[1..].contains(&short)),
    })
}

/// The word with the value of an option: the next one after `-c` or `--conf`, or the same in `--conf=FILE`.
fn value<'w>(words: &'w [Word], short: u8, long: &str) -> Option<&'w Word> {
    let at = words.iter().rposition(|word| {
        let name = word.text.strip_prefix(b"--").unwrap_or_default();
        let is_long = name.split(|byte| *byte == b'=').next() == Some(long.as_bytes());
        is_long || word.text.starts_with(&[b'-', short])
    })?;
    let is_alone = words[at].text == [b'-', short] || words[at].text == [b"--", long.as_bytes()].concat();
    words.get(at + usize::from(is_alone))
}

fn check_configuration(job: &Job, invocation: &Invocation, start: &Place, survey: &mut Survey, report: &mut Report) {
    let conf = invocation.options.conf.as_deref();
    if conf.is_none() {
        survey.usage.without_conf.get_or_insert(start.clone());
    }
    let Some(rights) = &job.rights else { return };
    if conf.is_none() && survey.default_readers.contains(rights) {
        return;
    }
    let name = conf.unwrap_or(OsStr::new(DEFAULT_FILE));
    let file = Path::new(name);
    let is_variable = name.as_bytes().contains(&b'$');
    if !file.is_absolute() || is_variable {
        return;
    }
    match (open(job, rights, file), conf) {
        (Ok(()), Some(_)) => survey.add_configuration(file.to_owned(), rights),
        // The built-in defaults apply to jobs that do not name a file.
        (Ok(()) | Err(Unreadable::Missing), None) => {
            survey.default_readers.insert(rights.clone());
        }
        (Err(Unreadable::Missing), Some(_)) => {
            let what = format!("the configuration {} does not exist", shown(name));
            let finding = Finding::wrong(Kind::ConfMissing, start, what, "create the file, or correct its name");
            report
                .add(finding.because("rcron exits with 125, and the job does not run on any server without the file"));
        }
        (Err(error), _) => {
            let (user, name) = (escaped(job.line.entry.user), shown(name));
            let what = format!("user {user} cannot read the configuration {name}: {error}");
            let remedy = format!(
                "make it readable for {user} (chmod a+r FILE, chmod a+x on its directories), or correct its name"
            );
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
                Err(std::io::Error::from(nix::errno::Errno::EACCES).into())
            }
        }
        _ => located.open().map(drop),
    }
}

/// Finds `rcron job --conf FILE` where FILE can only be rcron's. Many programs have an option of this name.
fn misplaced_option<'w>(job: &Job, arguments: &'w [Word]) -> Option<&'w Word> {
    let mut following = arguments.iter().skip(1).map(|word| word.text.as_slice());
    arguments.iter().find(|word| {
        let next = following.next().unwrap_or_default();
        match word.text.as_slice() {
            b"--conf" | b"-c" => is_rcrons_file(job, next),
            b"--option" | b"-o" => is_rcrons_setting(next),
            text => {
                text.strip_prefix(b"--conf=")
                    .is_some_and(|file| is_rcrons_file(job, file))
                    || text.strip_prefix(b"--option=").is_some_and(is_rcrons_setting)
            }
        }
    })
}

/// Whether it is in rcron's directory, or a file with which rcron would run and which is not empty.
fn is_rcrons_file(job: &Job, path: &[u8]) -> bool {
    let path = Path::new(OsStr::from_bytes(path));
    if path.starts_with("/etc/rcron") || job.rights.is_none() || !path.is_absolute() {
        return path.starts_with("/etc/rcron");
    }
    let contents = job
        .root
        .locate(path)
        .ok()
        .and_then(|located| located.read(LARGEST_FILE).ok());
    contents.is_some_and(|contents| {
        let mut config = Config::default();
        config.read(&contents.bytes).is_ok() && config != Config::default()
    })
}

fn is_rcrons_setting(setting: &[u8]) -> bool {
    let key = setting.split(|byte| *byte == b'=').next().unwrap_or_default();
    setting.contains(&b'=') && Key::ALL.iter().any(|(name, _)| name.as_bytes() == key)
}
