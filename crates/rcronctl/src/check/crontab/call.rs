//! Where a crontab's line calls rcron, and with what.

use super::shell::{Simple, Word};
use inputs::command_line::{self, Invocation, Request};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// Programs that run the rest of their arguments. A job behind them is wrapped too.
const PREFIXES: [&[u8]; 23] = [
    b"env",
    b"nice",
    b"ionice",
    b"chrt",
    b"taskset",
    b"timeout",
    b"flock",
    b"chronic",
    b"cronic",
    b"sudo",
    b"runuser",
    b"setpriv",
    b"systemd-cat",
    b"systemd-run",
    b"systemd-inhibit",
    b"time",
    b"exec",
    b"command",
    b"nohup",
    b"setsid",
    b"stdbuf",
    b"unshare",
    b"su",
];

/// rcron in a command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// Which of the line's commands it is.
    pub(crate) index: usize,
    /// `rcron` and all that follows it.
    pub(crate) words: &'a [Word],
    /// Whether something else stands before it, which may change where programs are looked for.
    pub(crate) is_behind: bool,
}

/// The first call of rcron in a line.
pub(crate) fn find(commands: &[Simple]) -> Option<Call<'_>> {
    commands.iter().enumerate().find_map(|(index, simple)| {
        let words = simple.command();
        let is_prefixed = simple.name().is_some_and(|name| PREFIXES.contains(&base_name(name)));
        let at = if simple.is_compound() || is_prefixed {
            words.iter().position(is_rcron)?
        } else {
            words.first().is_some_and(is_rcron).then_some(0)?
        };
        Some(Call {
            index,
            words: &words[at..],
            is_behind: index > 0 || at > 0 || words.len() < simple.words.len(),
        })
    })
}

/// Whether a command calls rcron.
pub(crate) fn is_wrapped(simple: &Simple) -> bool {
    find(std::slice::from_ref(simple)).is_some()
}

pub(crate) fn is_rcron(word: &Word) -> bool {
    base_name(&word.text) == b"rcron"
}

pub(crate) fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

impl Call<'_> {
    /// What rcron itself makes of its words; `None` where it only prints something.
    pub(crate) fn read(&self) -> Result<Option<Invocation>, String> {
        let arguments = self.words.iter().map(|word| OsString::from_vec(word.text.clone()));
        match command_line::read(lexopt::Parser::from_iter(arguments)) {
            Ok(Request::Job(invocation)) => Ok(Some(invocation)),
            Ok(Request::Help | Request::Version) => Ok(None),
            Err(error) => Err(error.mistake.to_string()),
        }
    }

    /// Whether a shell changes nothing about the words that belong to rcron and the job's name.
    pub(crate) fn is_plain(&self, invocation: &Invocation) -> bool {
        let until_job = self.words.len() - invocation.job.argv().len().min(self.words.len()) + 1;
        self.words.iter().take(until_job).all(|word| word.is_literal)
    }
}

#[cfg(test)]
mod tests {
    use super::super::shell::parse;
    use super::*;

    #[test]
    fn calls_are_found_where_a_command_stands() {
        for (line, found) in [
            ("rcron a", Some((0, false))),
            ("/usr/local/bin/rcron a", Some((0, false))),
            ("A=1 rcron a", Some((0, true))),
            ("cd /x && rcron a", Some((1, true))),
            ("nice -n 5 rcron a", Some((0, true))),
            ("if true; then rcron a; fi", Some((1, true))),
            ("echo rcron", None),
            ("rcronctl touch", None),
            ("ls /etc/rcron", None),
            ("sh -c 'rcron a'", None),
        ] {
            let commands = parse(line.as_bytes()).expect("closed");
            let call = find(&commands);
            assert_eq!(call.map(|call| (call.index, call.is_behind)), found, "{line}");
        }
    }
}
