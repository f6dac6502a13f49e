//! The parts of a line that are outside rcron's own command: the shell executes them on every server.

use crate::call::{Call, is_wrapped};
use crate::shell::{SimpleCommand, is_one_of};
use alloc::vec::Vec;

/// What a passive server does although rcron does not run the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The kind of the effect, with the operator that causes it.
    pub act: Act,
    /// The command that runs, or the file that is truncated.
    pub object: Vec<u8>,
    /// The offset of the operator in the command.
    pub offset: usize,
}

/// The kinds of [`Effect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// `rcron a && b` runs `b`.
    Runs(&'static str),
    /// `rcron a > file` truncates the file.
    Truncates,
    /// `rcron a | b` runs `b` with empty input.
    Pipes,
}

/// Commands of the shell that do no harm on a passive server.
const HARMLESS: &str = "true false : exit wait";

/// The first command and the first redirection that take effect on a passive server.
///
/// `rcron a || b` is not one: there, rcron exits with 0 and `b` does not run. Neither are `>>` and `<`: they change no file.
#[must_use]
pub fn effects(commands: &[SimpleCommand], call: &Call) -> Vec<Effect> {
    if commands.iter().any(SimpleCommand::is_compound) {
        return Vec::new(); // words alone do not show what runs
    }
    let truncation = truncation(&commands[call.index]);
    let follower = follower(&commands[call.index + 1..]);
    truncation.into_iter().chain(follower).collect()
}

fn truncation(simple: &SimpleCommand) -> Option<Effect> {
    let is_descriptor = |text: &[u8]| text.iter().all(u8::is_ascii_digit) || text == b"-";
    let redirection = simple.redirections.iter().find(|redirection| {
        let target = redirection.target.text.as_slice();
        let truncates = match redirection.operator.text {
            ">" | ">|" | "&>" => true,
            ">&" => !is_descriptor(target),
            _ => false,
        };
        truncates && !target.starts_with(b"/dev/") && !target.starts_with(b"/proc/")
    })?;
    Some(Effect {
        act: Act::Truncates,
        object: redirection.target.text.clone(),
        offset: redirection.operator.offset,
    })
}

fn follower(commands: &[SimpleCommand]) -> Option<Effect> {
    let mut is_skipped = false;
    for simple in commands {
        let operator = simple.before?;
        let is_piped = matches!(operator.text, "|" | "|&");
        is_skipped = operator.text == "||" || (is_piped && is_skipped);
        let Some(name) = simple.command().first() else { continue };
        if is_skipped || is_one_of(HARMLESS, &name.text) || is_wrapped(simple) {
            continue;
        }
        return Some(Effect {
            act: if is_piped { Act::Pipes } else { Act::Runs(operator.text) },
            object: name.text.clone(),
            offset: operator.offset,
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{call, shell};
    use alloc::format;
    use alloc::string::String;

    fn shown(line: &str) -> Vec<String> {
        let commands = shell::parse(line.as_bytes()).expect("closed");
        let found = effects(&commands, &call::find(&commands).expect("a call"));
        let shown = |effect: &Effect| {
            let operator = match effect.act {
                Act::Runs(operator) => operator,
                Act::Truncates => ">",
                Act::Pipes => "|",
            };
            format!(
                "{operator} {} at {}",
                String::from_utf8_lossy(&effect.object),
                effect.offset
            )
        };
        found.iter().map(shown).collect()
    }

    #[test]
    fn effects_on_a_passive_server_are_found() {
        for (line, expected) in [
            ("rcron a && b", &["&& b at 8"][..]),
            ("rcron a; b", &["; b at 7"]),
            ("rcron a & b", &["& b at 8"]),
            ("rcron cd /x && job", &["&& job at 12"]),
            ("rcron a > f", &["> f at 8"]),
            ("rcron a 2> f", &["> f at 9"]),
            ("rcron a &> f && b", &["> f at 8", "&& b at 13"]),
            ("rcron a | b", &["| b at 8"]),
            ("rcron a || b && c", &["&& c at 13"]),
            ("rcron a && rcron b; c", &["; c at 18"]),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn harmless_parts_are_not_reported() {
        for line in [
            "rcron a",
            "rcron 'a && b > c | d'",
            "rcron a >/dev/null 2>&1",
            "rcron a >> log 2>&1",
            "rcron a < f",
            "rcron a || alarm",
            "rcron a || alarm | mail",
            "rcron a && rcron b",
            "rcron a; exit 0",
            "rcron a &",
            "rcron a;",
            "cd /x && rcron a",
            "if rcron a; then b; fi",
            "(rcron a; b)",
        ] {
            assert_eq!(shown(line), [""; 0], "{line}");
        }
    }
}
