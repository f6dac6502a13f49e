//! Whether cron accepts the file, and each of its lines. Only crontabs that have to do with rcron are examined.

use super::files::CrontabFile;
use crate::check::finding::{Finding, Place};
use crate::check::kind::Kind;
use crate::check::report::Report;
use ::crontab::schedule::{Dialect, Field};
use ::crontab::{Crontab, Entry, Mistake, Reason, call};
use jobs::cron::Cron;
use jobs::rejection::{Rejection, is_allowed_in_name};
use jobs::root::Root;
use jobs::users::{User, Users};
use policy::display::{clipped, escaped};

const WHOLE_FILE: &str = "none of the jobs in this file runs on this server";
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

pub(super) struct Examined<'a> {
    pub(super) root: &'a Root,
    pub(super) users: &'a Users,
    pub(super) cron: &'a Cron,
    pub(super) dialect: Dialect,
    pub(super) file: &'a CrontabFile,
}

impl Examined<'_> {
    pub(super) fn check(&self, crontab: &Crontab, report: &mut Report) {
        if let Some((what, remedy)) = self.rejection() {
            let what = format!("cron ignores this crontab: {what}");
            let finding = Finding::wrong(Kind::CrontabIgnored, &self.file.place, what, remedy);
            report.add(finding.because(WHOLE_FILE));
        }
        for mistake in &crontab.mistakes {
            if self.is_harmful(mistake.text) {
                report.add(self.bad_line(mistake));
            }
        }
        for entry in crontab.entries.iter().filter(|entry| entry.when.is_some()) {
            self.check_user(entry, report);
        }
        if let Some(line) = crontab.unfinished {
            let last = self.file.text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            if self.is_harmful(last) {
                report.add(self.unfinished_line(line, last));
            }
        }
    }

    /// For Debian's cron, one bad line is the end of all jobs in the file.
    fn is_harmful(&self, line: &[u8]) -> bool {
        self.dialect == Dialect::Debian || call::is_mentioned(line)
    }

    /// How a line that cron rejects is reported.
    fn rejected(&self, place: &Place, what: &str, remedy: String) -> Finding {
        match self.dialect {
            Dialect::Debian => {
                let what = format!("cron ignores this crontab: {what}");
                Finding::wrong(Kind::CrontabIgnored, place, what, remedy).because(WHOLE_FILE)
            }
            Dialect::Cronie => {
                let what = format!("cron ignores this line: {what}");
                let finding = Finding::wrong(Kind::CrontabLineIgnored, place, what, remedy);
                finding.because("the job does not run on this server")
            }
        }
    }

    fn bad_line(&self, mistake: &Mistake) -> Finding {
        let place = self.file.place.at(mistake.line, mistake.column);
        let word = mistake.reason.word();
        let what = match word {
            [] => mistake.reason.to_string(),
            word => format!("{} `{}`", mistake.reason, clipped(word)),
        };
        let has_mark = mistake.line == 1 && mistake.text.starts_with(BYTE_ORDER_MARK);
        let remedy = match mistake.reason {
            _ if has_mark => "remove the byte order mark (U+FEFF) at the beginning of the file".to_owned(),
            _ if mistake.follows_backslash => {
                "write the job in one line: a backslash at the end of a line does not continue it".to_owned()
            }
            Reason::BadField(..) if word == b"\r" => "end the lines with LF, not with CR LF".to_owned(),
            Reason::BadField(field, _) => allowed(field),
            Reason::BadNickname(_) => {
                let names = "@reboot, @yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly";
                format!("cron knows {names}")
            }
            Reason::NoCommand => "complete the line, or comment it out".to_owned(),
            Reason::SixthField(_) => {
                "write exactly five fields: minute, hour, day of month, month and day of week".to_owned()
            }
            Reason::TooLong { .. } => {
                let longest = self.dialect.longest_command();
                format!("write the command into a script: cron accepts {longest} bytes, with rcron and its options")
            }
            Reason::Nul => "remove it".to_owned(),
        };
        self.rejected(&place, &what, remedy)
    }

    /// A user in a system crontab whom the system does not know. `rcron` in this place is reported with its own kind.
    fn check_user(&self, entry: &Entry, report: &mut Report) {
        let is_system = self.file.kind() == ::crontab::Kind::System;
        if !is_system || call::is_rcron(entry.user) || self.users.find(entry.user) != User::None {
            return;
        }
        if self.dialect == Dialect::Cronie && !call::is_mentioned(&entry.command) {
            return;
        }
        let what = format!("there is no user `{}`", clipped(entry.user));
        let is_number = |byte: &u8| byte.is_ascii_digit() || b"*/,-".contains(byte);
        let remedy = if entry.user.iter().all(is_number) {
            "a schedule has five fields; write the user after them, as in: … root rcron …"
        } else {
            "write the user before the command, as in: … root rcron …"
        };
        let place = self.file.place.at(entry.line, entry.user_column());
        report.add(self.rejected(&place, &what, remedy.to_owned()));
    }

    fn unfinished_line(&self, line: usize, text: &[u8]) -> Finding {
        let column = String::from_utf8_lossy(text).chars().count() + 1;
        let place = self.file.place.at(line, column);
        let (what, remedy) = ("the last line has no newline", "end the last line with a newline");
        let finding = Finding::wrong(Kind::CrontabNoNewline, &place, what, remedy);
        finding.because(match self.dialect {
            Dialect::Debian => "cron ignores the whole file",
            Dialect::Cronie => "cron ignores this line",
        })
    }

    /// Why cron does not read the file, and the remedy.
    fn rejection(&self) -> Option<(String, String)> {
        let place = &self.file.place;
        let rejection = Rejection::find(self.root, self.users, self.cron, self.dialect, self.file)?;
        let user = escaped(self.file.user().unwrap_or(b"root"));
        Some(match rejection {
            Rejection::LinkOwner(owner) => (
                format!("the symbolic link belongs to user {owner}, not to root"),
                format!("chown -h root {place}"),
            ),
            Rejection::Writable(mode) => (
                format!("other users can write to it (mode {mode:04o})"),
                format!("chmod go-w {place}"),
            ),
            Rejection::NotRoots(owner) => (
                format!("it belongs to user {owner}, not to root"),
                format!("chown root {place}"),
            ),
            Rejection::Foreign(owner) => (format!("it belongs to user {owner}"), format!("chown {user} {place}")),
            Rejection::NoUser => (
                format!("there is no user {user}"),
                "remove it, or give it the name of the user who should run the jobs".to_owned(),
            ),
            Rejection::Mode { is, right } => (
                format!("its mode is {is:04o}, not {right:04o}"),
                format!("chmod {right:o} {place}"),
            ),
            Rejection::HardLinks(links) => (
                format!("it has {links} hard links"),
                format!("remove the others (find them with find -samefile {place})"),
            ),
            Rejection::Name => {
                let name = place.file.file_name().unwrap_or_default().as_encoded_bytes();
                let allowed = |byte: &u8| {
                    if is_allowed_in_name(*byte) {
                        char::from(*byte)
                    } else {
                        '-'
                    }
                };
                (
                    "in this directory, names consist of letters, digits, `_` and `-`".to_owned(),
                    format!(
                        "rename it, for example to {}",
                        name.iter().map(allowed).collect::<String>()
                    ),
                )
            }
        })
    }
}

fn allowed(field: Field) -> String {
    format!(
        "write a {} as cron expects it: {}, `*`, ranges, lists, and steps after `*` or a range",
        field.name(),
        field.values()
    )
}
