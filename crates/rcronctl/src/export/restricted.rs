//! `rcronctl export --restricted`: the command of a key that may do nothing else. sshd(8) runs it whatever the client asks for, and
//! passes the client's words in a variable, which the client chooses freely.

use crate::cli::{Cli, Command, Common, Export, Selection};
use crate::failure::Failure;
use clap::Parser;
use std::env;

const VARIABLE: &str = "SSH_ORIGINAL_COMMAND";
/// In bytes: more than rcronctl sends for the longest name of a job and of a cluster.
const LONGEST: usize = 32 << 10;

/// The options that the client asks for.
pub(super) fn options() -> Result<Export, Failure> {
    let asked = env::var_os(VARIABLE).ok_or_else(|| {
        Failure::new(format!(
            "{VARIABLE} is not set: --restricted is for command= in authorized_keys"
        ))
    })?;
    let refuse = || {
        Failure::new(
            "this key may only be used for `rcronctl export` with options that select runs, as rcronctl --host sends them",
        )
    };
    asked.to_str().and_then(parse).ok_or_else(refuse)
}

/// `None` unless the words are `rcronctl export` and options of the list below, in the form in which rcronctl sends them.
fn parse(asked: &str) -> Option<Export> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" %.:_=-".contains(&byte);
    let words: Vec<&str> = asked.split(' ').collect();
    if asked.len() > LONGEST || !asked.bytes().all(is_plain) || !words.starts_with(&["rcronctl", "export"]) {
        return None;
    }
    let Cli {
        command: Command::Export(options),
        common,
    } = Cli::try_parse_from(words).ok()?
    else {
        return None;
    };
    selects_only(&options, &common).then_some(options)
}

/// Names every option, so that a new one is decided about here.
fn selects_only(options: &Export, common: &Common) -> bool {
    let Common { conf, json } = common;
    let Export {
        selection,
        failed: _,
        unfinished: _,
        limit: _,
        percent: _,
        restricted,
        no_json: _,
    } = options;
    let Selection {
        job: _,
        cluster: _,
        since: _,
        journal,
    } = selection;
    conf.is_empty() && journal.is_empty() && !json && !restricted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_select_runs_are_accepted() {
        let options = parse(
            "rcronctl export --percent --job=%2Fbin%2Ftrue%20x --since=2026-11-24T03:00:00.5Z --limit=7 --failed --unfinished",
        )
        .expect("accepted");
        assert_eq!(options.selection.job.as_deref(), Some("%2Fbin%2Ftrue%20x"));
        assert!(options.percent && options.failed && options.unfinished && options.limit == Some(7));
        assert!(parse("rcronctl export").is_some());
    }

    #[test]
    fn everything_else_is_refused() {
        for asked in [
            "",
            "rcronctl",
            "rcronctl status",
            "rcronctl  export",
            "rcronctl history",
            "rcronctl export history",
            "sh -c id",
            "rcronctl export; id",
            "rcronctl export --journal=/etc/shadow",
            "rcronctl export --journal x",
            "rcronctl export --conf=x",
            "rcronctl --conf=x export",
            "rcronctl export -c x",
            "rcronctl export --json",
            "rcronctl export --restricted",
            "rcronctl export --nothing",
            "rcronctl export --help",
            "rcronctl export --job=a\nb",
            "/usr/bin/rcronctl export",
        ] {
            assert!(parse(asked).is_none(), "{asked}");
        }
        assert!(parse(&format!("rcronctl export --job={}", "a".repeat(LONGEST))).is_none());
    }
}
