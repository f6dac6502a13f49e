//! One entry with its command line parsed, and whether the job is or should be wrapped with rcron.

use crate::call;
use crate::entry::Entry;
use crate::flow::{self, Judgement};
use crate::shell::{self, SimpleCommand, Unclosed};
use crate::table::Kind;
use alloc::string::String;
use alloc::vec::Vec;

/// An entry of a crontab and the commands in it.
#[derive(Clone, Debug)]
pub struct Line<'e, 't> {
    /// The entry itself.
    pub entry: &'e Entry<'t>,
    /// Never empty.
    pub commands: Result<Vec<SimpleCommand>, Unclosed>,
    /// What follows from them; nothing if they cannot be parsed.
    pub judgement: Judgement,
}

/// A user name where cron does not expect one, or none where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserField<'a> {
    /// `0 3 * * * rcron a` in a system crontab: cron takes this word as the user.
    Missing(&'a [u8]),
    /// `0 3 * * * root rcron a` in a user's own crontab: cron executes this word.
    Superfluous(&'a [u8]),
}

/// Jobs that belong to every server, or to rcron itself.
const JOBS_OF_EACH_SERVER: [&str; 5] = ["run-parts", "anacron", "logrotate", "/etc/init.d/", "rcron"];

impl<'e, 't> Line<'e, 't> {
    /// Parses the command of an entry.
    #[must_use]
    pub fn parse(entry: &'e Entry<'t>) -> Self {
        let commands = shell::parse(&entry.command);
        let judgement = commands.as_deref().map(flow::judge).unwrap_or_default();
        Self {
            entry,
            commands,
            judgement,
        }
    }

    /// Whether the line calls rcron. If its quotes are not closed, the first word decides.
    #[must_use]
    pub fn is_wrapped(&self) -> bool {
        match &self.commands {
            Ok(_) => !self.judgement.calls.is_empty() || self.has_rcron_as_user(),
            Err(Unclosed { .. }) => {
                let mut words = self.entry.command.split(u8::is_ascii_whitespace);
                words.next().is_some_and(call::is_rcron)
            }
        }
    }

    /// Finds the line of a system crontab in a user's own, or the reverse.
    #[must_use]
    pub fn misplaced_user(&self, kind: Kind) -> Option<UserField<'_>> {
        if self.has_rcron_as_user() {
            return Some(UserField::Missing(self.entry.user));
        }
        let Kind::User(user) = kind else { return None };
        let [first, second, ..] = self.commands.as_ref().ok()?.first()?.words.as_slice() else {
            return None;
        };
        let is_user = first.text == user || first.text == b"root";
        (is_user && call::is_rcron(&second.text)).then_some(UserField::Superfluous(&first.text))
    }

    fn has_rcron_as_user(&self) -> bool {
        call::is_rcron(self.entry.user)
    }

    /// Whether the job runs without rcron and is not known to belong to every server.
    #[must_use]
    pub fn could_be_wrapped(&self) -> bool {
        let command = String::from_utf8_lossy(&self.entry.command);
        let is_of_each_server = JOBS_OF_EACH_SERVER.iter().any(|known| command.contains(known));
        !self.is_wrapped() && !is_of_each_server && self.entry.schedule != b"@reboot"
    }

    /// The words of a single command without its redirections, or the whole line: the same text as
    /// `policy::command::Job::text` has for the job when it is wrapped.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        match self.commands.as_deref() {
            Ok([SimpleCommand { words, .. }]) => {
                let words: Vec<&[u8]> = words.iter().map(|word| word.text.as_slice()).collect();
                words.join(&b' ')
            }
            _ => self.entry.command.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Dialect;
    use crate::table::Crontab;

    #[test]
    fn user_names_are_found_where_cron_expects_none() {
        let mine = Kind::User(b"me");
        for (line, kind, expected) in [
            ("@daily rcron a", Kind::System, Some(UserField::Missing(b"rcron"))),
            (
                "@daily /usr/bin/rcron a",
                Kind::System,
                Some(UserField::Missing(b"/usr/bin/rcron")),
            ),
            ("@daily root rcron a", Kind::System, None),
            ("@daily root rcron a", mine, Some(UserField::Superfluous(b"root"))),
            ("@daily me rcron a", mine, Some(UserField::Superfluous(b"me"))),
            ("@daily nice rcron a", mine, None),
        ] {
            let crontab = Crontab::parse(line.as_bytes(), kind, Dialect::Debian);
            let parsed = Line::parse(&crontab.entries[0]);
            assert_eq!(parsed.misplaced_user(kind), expected, "{line}");
        }
    }

    #[test]
    fn jobs_that_could_be_wrapped() {
        for (line, could_be) in [
            ("@daily backup", true),
            ("@reboot backup", false),
            ("@daily cd / && run-parts /etc/cron.daily", false),
            ("@daily rcron backup", false),
            ("@daily rcronctl touch", false),
            ("@daily echo $(rcron backup)", false),
            ("@daily rcron 'backup", false),
            ("@daily backup 'x", true),
        ] {
            let crontab = Crontab::parse(line.as_bytes(), Kind::User(b"me"), Dialect::Debian);
            assert_eq!(Line::parse(&crontab.entries[0]).could_be_wrapped(), could_be, "{line}");
        }
    }

    #[test]
    fn text_is_comparable_with_a_wrapped_job() {
        for (line, text) in [
            ("@daily backup --all >/dev/null 2>&1", "backup --all"),
            ("@daily  a 'b c'", "a b c"),
            ("@daily a && b", "a && b"),
        ] {
            let crontab = Crontab::parse(line.as_bytes(), Kind::User(b"me"), Dialect::Debian);
            assert_eq!(Line::parse(&crontab.entries[0]).text(), text.as_bytes(), "{line}");
        }
    }
}
