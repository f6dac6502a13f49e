//! Whether cron accepts the file, and each of its lines. Only crontabs that have to do with rcron are examined.

use super::files::{CrontabFile, is_drop_in};
use crate::check::cron::Cron;
use crate::check::finding::{Finding, Place};
use crate::check::kind::Kind;
use crate::check::report::Report;
use crate::check::rights::Rights;
use crate::check::root::Root;
use crate::check::users::{User, Users};
use ::crontab::schedule::{Dialect, Field};
use ::crontab::{Crontab, Entry, Mistake, Reason, call};
use policy::display::{clipped, escaped};
use std::os::unix::fs::MetadataExt;

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
        match self.file.user() {
            None => self.reject_system(),
            Some(user) => self.reject_users(user),
        }
    }

    fn reject_system(&self) -> Option<(String, String)> {
        let (access, place) = (self.file.access, &self.file.place);
        let is_roots = |owner: u32| owner == 0 || owner == self.root.owner;
        if let Some(owner) = self.file.link_owner.filter(|owner| !is_roots(*owner)) {
            let what = format!("the symbolic link belongs to user {owner}, not to root");
            return Some((what, format!("chown -h root {place}")));
        }
        if access.mode & 0o022 != 0 {
            let what = format!("other users can write to it (mode {:04o})", access.mode);
            return Some((what, format!("chmod go-w {place}")));
        }
        if !access.is_roots(self.root) {
            let what = format!("it belongs to user {}, not to root", access.owner);
            return Some((what, format!("chown root {place}")));
        }
        match self.dialect {
            Dialect::Debian => self.reject_links().or_else(|| self.reject_name()),
            Dialect::Cronie => self.reject_mode(0o644),
        }
    }

    fn reject_users(&self, user: &[u8]) -> Option<(String, String)> {
        let (access, place) = (self.file.access, &self.file.place);
        let uid = match self.users.find(user) {
            User::None => {
                let what = format!("there is no user {}", escaped(user));
                return Some((
                    what,
                    "remove it, or give it the name of the user who should run the jobs".to_owned(),
                ));
            }
            User::Unknown => None,
            User::Known(Rights::Own) => Some(self.root.owner),
            User::Known(Rights::Of(identity)) => Some(identity.uid),
        };
        if uid.is_some_and(|uid| access.owner != uid && !access.is_roots(self.root)) {
            let what = format!("it belongs to user {}", access.owner);
            return Some((what, format!("chown {} {place}", escaped(user))));
        }
        let of_mode = match self.dialect {
            Dialect::Debian if access.mode != 0o600 => {
                let what = format!("its mode is {:04o}, not 0600", access.mode);
                Some((what, format!("chmod 600 {place}")))
            }
            Dialect::Debian => None,
            Dialect::Cronie => self.reject_mode(0o600),
        };
        of_mode.or_else(|| self.reject_links())
    }

    /// cronie's rule for every crontab.
    fn reject_mode(&self, right: u32) -> Option<(String, String)> {
        let (mode, place) = (self.file.access.mode, &self.file.place);
        (mode & 0o7533 != 0o400).then(|| {
            let what = format!("its mode is {mode:04o}, not {right:04o}");
            (what, format!("chmod {right:o} {place}"))
        })
    }

    fn reject_links(&self) -> Option<(String, String)> {
        let links = self.file.metadata.nlink();
        (links != 1).then(|| {
            let what = format!("it has {links} hard links");
            let remedy = format!("remove the others (find them with find -samefile {})", self.file.place);
            (what, remedy)
        })
    }

    /// cron(8) of Debian: "must conform to the same naming convention as used by run-parts(8)".
    fn reject_name(&self) -> Option<(String, String)> {
        let name = self.file.place.file.file_name().unwrap_or_default().as_encoded_bytes();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let is_examined = is_drop_in(self.root, &self.file.place.file) && !self.cron.has_lsb_names;
        (is_examined && !name.iter().copied().all(is_allowed)).then(|| {
            let better = name
                .iter()
                .map(|byte| if is_allowed(*byte) { char::from(*byte) } else { '-' });
            let what = "in this directory, names consist of letters, digits, `_` and `-`";
            (
                what.to_owned(),
                format!("rename it, for example to {}", better.collect::<String>()),
            )
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
