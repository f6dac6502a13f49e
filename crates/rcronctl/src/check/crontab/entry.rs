//! One line of a crontab.

use super::Usage;
use super::arguments;
use super::call::{self, Call};
use super::files::Crontab;
use super::names::Wrapped;
use super::outside::{Outside, outside};
use super::program::{Lookup, look_up};
use super::shell::{self, Open, Simple};
use super::text::{Entry, Kind};
use crate::check::finding::{Finding, Kind as Found, Place, Report};
use crate::check::root::Root;
use inputs::words::text_of;

/// An entry with its command line taken apart.
#[derive(Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) commands: Result<Vec<Simple>, Open>,
}

impl<'a> Parsed<'a> {
    pub(crate) fn new(entry: &'a Entry) -> Self {
        Self {
            entry,
            commands: shell::parse(&entry.command),
        }
    }

    pub(crate) fn is_wrapped(&self) -> bool {
        match &self.commands {
            Ok(commands) => call::find(commands).is_some() || is_named_as_user(self.entry),
            Err(_) => self.starts_with_rcron(),
        }
    }

    fn starts_with_rcron(&self) -> bool {
        let first = self
            .entry
            .command
            .split(u8::is_ascii_whitespace)
            .next()
            .unwrap_or_default();
        call::base_name(first) == b"rcron"
    }
}

/// A place in an entry's line.
pub(crate) fn place(crontab: &Crontab, entry: &Entry, offset: usize) -> Place {
    Place::line(&crontab.file, entry.line, entry.column(offset))
}

/// Looks at one entry.
pub(crate) fn check(root: &Root, crontab: &Crontab, parsed: &Parsed, usage: &mut Usage, report: &mut Report) {
    let entry = parsed.entry;
    if let Some(finding) = user_field(crontab, parsed) {
        report.add(finding);
        return;
    }
    if !parsed.is_wrapped() || !entry.has_posix_shell() {
        return;
    }
    usage.has_ordinary_users |= entry.user != "root";
    let commands = match &parsed.commands {
        Ok(commands) => commands,
        Err(Open(offset)) => {
            report.add(open_quote(crontab, entry, *offset));
            return;
        }
    };
    if let Some(column) = entry.percent {
        report.add(percent(crontab, entry, column));
    }
    let Some(call) = call::find(commands) else { return };
    check_rcron(root, crontab, entry, &call, report);
    for outside in outside(commands, &call) {
        report.add(reaches_out(crontab, entry, &outside));
    }
    if let Some(job) = arguments::check(root, crontab, entry, &call, usage, report) {
        usage
            .wrapped
            .push(Wrapped::new(place(crontab, entry, call.words[0].offset), &job));
    }
}

/// `/etc/cron.d` names the user, a user's own crontab does not; each is easily written as the other.
fn user_field(crontab: &Crontab, parsed: &Parsed) -> Option<Finding> {
    let entry = parsed.entry;
    let place = place(crontab, entry, 0);
    if is_named_as_user(entry) {
        let what = format!("cron takes `{}` for the user's name", entry.user);
        let remedy = "a system crontab names the user before the command: … root rcron …";
        return Some(Finding::wrong(Found::CrontabUser, place, what, remedy));
    }
    let [first, second, ..] = parsed.commands.as_ref().ok()?.first()?.words.as_slice() else {
        return None;
    };
    let is_user = matches!(&crontab.kind, Kind::Of(user) if first.text == user.as_bytes() || first.text == b"root");
    (is_user && call::is_rcron(second)).then(|| {
        let what = format!("cron executes `{}` as a command", text_of(&first.text));
        let remedy = "leave the user's name out: a user's own crontab has none";
        Finding::wrong(Found::CrontabUser, place, what, remedy)
    })
}

fn is_named_as_user(entry: &Entry) -> bool {
    call::base_name(entry.user.as_bytes()) == b"rcron"
}

fn open_quote(crontab: &Crontab, entry: &Entry, offset: usize) -> Finding {
    let place = place(crontab, entry, offset);
    match entry.percent {
        None => {
            let remedy = "close it in the same line";
            Finding::wrong(Found::OpenQuote, place, "a quote or bracket that is not closed", remedy)
        }
        Some(column) => {
            let place = Place::line(&crontab.file, entry.line, column);
            let what = "the command ends at this `%`, within quotes or brackets";
            let remedy = "write `\\%`: in a crontab a bare `%` is a newline, and what follows the first is input";
            Finding::wrong(Found::Percent, place, what, remedy)
        }
    }
}

fn percent(crontab: &Crontab, entry: &Entry, column: usize) -> Finding {
    let place = Place::line(&crontab.file, entry.line, column);
    let what = "the command ends at this `%`; what follows is its input";
    Finding::doubtful(Found::Percent, place, what, "write `\\%` if a percent sign is meant")
}

fn check_rcron(root: &Root, crontab: &Crontab, entry: &Entry, call: &Call, report: &mut Report) {
    let name = &call.words[0];
    let is_certain = name.is_literal && (!call.is_behind || name.text.contains(&b'/'));
    if !is_certain
        || !matches!(
            look_up(root, &name.text, entry.path()),
            Lookup::Missing | Lookup::NotExecutable
        )
    {
        return;
    }
    let what = if name.text.contains(&b'/') {
        format!("{} is missing or may not be executed", text_of(&name.text))
    } else {
        format!(
            "cron does not find rcron in PATH={}{}",
            text_of(entry.path()),
            unexpanded(entry.path())
        )
    };
    let remedy = "write the whole path of rcron, or set PATH above the job";
    report.add(Finding::wrong(
        Found::RcronNotFound,
        place(crontab, entry, name.offset),
        what,
        remedy,
    ));
}

/// The reason for many a surprise.
pub(crate) fn unexpanded(path: &[u8]) -> &'static str {
    if path.contains(&b'$') {
        " (cron does not expand `$`)"
    } else {
        ""
    }
}

fn reaches_out(crontab: &Crontab, entry: &Entry, outside: &Outside) -> Finding {
    match outside {
        Outside::Runs { operator, command, at } => {
            let what = format!(
                "`{operator}` is outside of rcron: passive servers run {} too",
                text_of(command)
            );
            let remedy = format!("quote the whole line: rcron '… {operator} {} …'", text_of(command));
            Finding::wrong(Found::OutsideRuns, place(crontab, entry, *at), what, remedy)
        }
        Outside::Truncates { file, at } => {
            let what = format!("`>` is outside of rcron: passive servers empty {} too", text_of(file));
            let remedy = format!(
                "quote the whole line, rcron '… > {0}', or append: >> {0}",
                text_of(file)
            );
            Finding::wrong(Found::OutsideTruncates, place(crontab, entry, *at), what, remedy)
        }
        Outside::Pipes { command, at } => {
            let what = format!(
                "`|` is outside of rcron: passive servers run {} with nothing to read",
                text_of(command)
            );
            let remedy = format!(
                "quote the whole line unless that is meant: rcron '… | {} …'",
                text_of(command)
            );
            let finding = Finding::doubtful(Found::OutsidePipe, place(crontab, entry, *at), what, remedy);
            finding.because("and the line ends with the status of the pipe's end, not the job's")
        }
    }
}
