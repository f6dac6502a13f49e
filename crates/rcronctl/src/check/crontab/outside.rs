//! What stands in rcron's line but outside of its word: the shell does that on every server.

use super::call::{Call, is_wrapped};
use super::shell::Simple;

/// What a passive server does all the same, and the offset of its operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    /// `rcron a && b`: runs `b`.
    Runs {
        operator: &'static str,
        command: Vec<u8>,
        at: usize,
    },
    /// `rcron a > file`: empties it.
    Truncates { file: Vec<u8>, at: usize },
    /// `rcron a | b`: runs `b` with nothing to read.
    Pipes { command: Vec<u8>, at: usize },
}

/// The shell's own words that do no harm on another server.
const HARMLESS: [&[u8]; 5] = [b"true", b"false", b":", b"exit", b"wait"];

/// The first command and the first redirection that reach further than rcron. `rcron a || b` is left alone: on a passive server
/// rcron ends with 0 and `b` is not run. So are `>>` and `<`, which change nothing there.
pub(crate) fn outside(commands: &[Simple], call: &Call) -> Vec<Outside> {
    if commands.iter().any(Simple::is_compound) {
        return Vec::new(); // what is run then, no reading of words can tell
    }
    let followers = follower(commands, call.index);
    truncation(&commands[call.index]).into_iter().chain(followers).collect()
}

fn truncation(simple: &Simple) -> Option<Outside> {
    let is_device = |file: &[u8]| file.starts_with(b"/dev/") || file.starts_with(b"/proc/");
    let is_number = |text: &[u8]| text.iter().all(u8::is_ascii_digit) || text == b"-";
    simple.redirections.iter().find_map(|(operator, at, target)| {
        let truncates = match *operator {
            ">" | ">|" | "&>" => true,
            ">&" => !is_number(&target.text),
            _ => false,
        };
        let file = target.text.clone();
        (truncates && !is_device(&file)).then_some(Outside::Truncates { file, at: *at })
    })
}

fn follower(commands: &[Simple], call: usize) -> Option<Outside> {
    let mut is_skipped = false;
    for simple in &commands[call + 1..] {
        let (operator, at) = simple.before?;
        let is_piped = matches!(operator, "|" | "|&");
        is_skipped = operator == "||" || (is_piped && is_skipped);
        let name = simple.command().first().map(|word| word.text.clone());
        let is_harmless = |name: &Vec<u8>| HARMLESS.contains(&name.as_slice()) || is_wrapped(simple);
        let Some(command) = name.filter(|name| !is_skipped && !is_harmless(name)) else {
            continue;
        };
        return Some(if is_piped {
            Outside::Pipes { command, at }
        } else {
            Outside::Runs { operator, command, at }
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::{call, shell};
    use super::*;

    fn shown(line: &str) -> Vec<String> {
        let commands = shell::parse(line.as_bytes()).expect("closed");
        let found = outside(&commands, &call::find(&commands).expect("a call"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let shown = |outside: &Outside| match outside {
            Outside::Runs { operator, command, at } => format!("{operator} {} at {at}", text(command)),
            Outside::Truncates { file, at } => format!("> {} at {at}", text(file)),
            Outside::Pipes { command, at } => format!("| {} at {at}", text(command)),
        };
        found.iter().map(shown).collect()
    }

    #[test]
    fn what_a_passive_server_does_all_the_same() {
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
    fn what_does_no_harm_is_left_alone() {
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
