//! The call of rcron in a command line.

use crate::shell::{Word, is_one_of};
use alloc::vec::Vec;

/// Programs that execute the rest of their arguments: a job behind them and rcron is wrapped.
const PREFIXES: &str = "env nice ionice chrt taskset timeout flock chronic cronic sudo runuser setpriv su systemd-cat \
                        systemd-run systemd-inhibit time exec command nohup setsid stdbuf unshare";

/// A call of rcron.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `rcron` itself and its arguments.
    pub words: Vec<Word>,
    /// Whether anything comes before it that may change the directory or the search path: a command, a prefix, a variable.
    pub is_behind: bool,
}

/// Where rcron stands in a command: at its beginning, or after programs that execute the rest of their arguments.
pub(crate) fn position(command: &[Word]) -> Option<usize> {
    let first = command.first()?;
    if is_rcron(&first.text) {
        return Some(0);
    }
    let is_prefixed = first.is_literal && is_prefix(base_name(&first.text));
    command
        .iter()
        .position(|word| is_rcron(&word.text))
        .filter(|_| is_prefixed)
}

pub(crate) fn is_prefix(name: &[u8]) -> bool {
    is_one_of(PREFIXES, name)
}

/// Whether a word is `rcron`, with or without its path.
#[must_use]
pub fn is_rcron(word: &[u8]) -> bool {
    base_name(word) == b"rcron"
}

/// Whether any word of a line that may not be a command line is `rcron`.
#[must_use]
pub fn is_mentioned(line: &[u8]) -> bool {
    let ends_word = |byte: &u8| byte.is_ascii_whitespace() || b"'\"`;|&()$".contains(byte);
    line.split(ends_word).any(is_rcron)
}

/// The part of a path after its last slash.
pub(crate) fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::{flow, shell};

    #[test]
    fn calls_are_found_where_a_command_stands() {
        for (line, found) in [
            ("rcron a", &[false][..]),
            ("/usr/local/bin/rcron a", &[false]),
            ("A=1 rcron a", &[true]),
            ("cd /x && rcron a", &[true]),
            ("nice -n 5 rcron a", &[true]),
            ("rcron a; rcron b", &[false, true]),
            ("rcron a || rcron b", &[false, true]),
            ("if true; then rcron a; fi", &[true]),
            ("if rcron a; then rcron b; else A=1 rcron c; fi", &[true, true, true]),
            ("{ rcron a; } && ! rcron b", &[true, true]),
            ("for x in rcron y; do rcron a; done", &[true]),
            ("sh -c 'rcron a'", &[true]),
            ("nice bash -ec 'cd /x; rcron a'", &[true]),
            ("flock -n /lock -c 'rcron a'", &[true]),
            ("su - bob -c \"rcron a\"", &[true]),
            ("rcron sh -c 'rcron a'", &[false]),
            ("echo rcron", &[]),
            ("rcronctl touch", &[]),
            ("ls /etc/rcron", &[]),
            ("sh -c 'echo rcron'", &[]),
            ("grep -c rcron /var/log/syslog", &[]),
            ("'if' rcron a", &[]),
        ] {
            let commands = shell::parse(line.as_bytes()).expect("closed");
            let calls = flow::judge(&commands).calls;
            let found_calls: alloc::vec::Vec<bool> = calls.iter().map(|call| call.is_behind).collect();
            assert_eq!(found_calls, found, "{line}");
        }
    }
}
