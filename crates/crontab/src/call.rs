//! The call of rcron in a command line.

use crate::shell::{SimpleCommand, Word, is_one_of};
use core::slice;

/// Programs that execute the rest of their arguments: a job behind them and rcron is wrapped.
const PREFIXES: &str = "env nice ionice chrt taskset timeout flock chronic cronic sudo runuser setpriv su systemd-cat \
                        systemd-run systemd-inhibit time exec command nohup setsid stdbuf unshare";

/// A call of rcron.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The index of its command in the line.
    pub index: usize,
    /// `rcron` itself and its arguments.
    pub words: &'a [Word],
    /// Whether anything comes before it that may change the directory or the search path: a command, a prefix, a variable.
    pub is_behind: bool,
}

/// Finds the first call in a line.
#[must_use]
pub fn find(commands: &[SimpleCommand]) -> Option<Call<'_>> {
    commands.iter().enumerate().find_map(|(index, simple)| {
        let words = simple.command();
        let is_prefixed = simple.name().is_some_and(|name| is_one_of(PREFIXES, base_name(name)));
        let is_call = |word: &Word| is_rcron(&word.text);
        let at = if simple.is_compound() || is_prefixed {
            words.iter().position(is_call)?
        } else {
            words.first().is_some_and(is_call).then_some(0)?
        };
        Some(Call {
            index,
            words: &words[at..],
            is_behind: index > 0 || at > 0 || words.len() < simple.words.len(),
        })
    })
}

/// Whether a command calls rcron.
#[must_use]
pub fn is_wrapped(simple: &SimpleCommand) -> bool {
    find(slice::from_ref(simple)).is_some()
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
    use super::*;
    use crate::shell::parse;

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
