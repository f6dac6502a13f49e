//! Arguments that were written for a shell, while rcron gives them to the program as they are. 0.1.0 had a shell read all arguments
//! once more.

use super::job::Job;
use crate::check::finding::Finding;
use crate::check::kind::Kind;
use crate::check::report::Report;
use ::crontab::shell::Word;
use policy::display::{clipped, escaped};

pub(super) const QUOTE: &str = "if a shell is to read them, quote the whole line as one word: rcron 'a && b'";

/// Programs whose arguments have `*`, `$` or backquotes in a language of their own.
const LANGUAGES: &str = "awk gawk mawk sed perl python python3 ruby php lua expect tclsh jq grep egrep fgrep zgrep rg find locate \
                         mysql mariadb psql sqlite3 sh bash dash ash ksh mksh zsh fish ssh docker podman kubectl xargs parallel \
                         rsync tar zip unzip git curl wget";

/// Reports the first argument of a program that exists.
pub(super) fn check(job: &Job, program: &[u8], words: &[Word], report: &mut Report) {
    let name = escaped(program);
    if let Some(word) = operator(words) {
        let what = format!("{name} gets shell syntax as arguments, and no shell reads it");
        report.add(Finding::doubtful(
            Kind::ShellWords,
            &job.place(word.offset),
            what,
            QUOTE,
        ));
        return;
    }
    let base = program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    if LANGUAGES.split_ascii_whitespace().any(|known| known.as_bytes() == base) {
        return;
    }
    if let Some(word) = expansion(words) {
        let what = format!(
            "no shell expands `{}`: {name} gets it as it is written",
            clipped(&word.text)
        );
        let remedy = "if it is to be expanded, quote the whole line as one word: rcron 'rm /tmp/*.log'";
        let finding = Finding::doubtful(Kind::ShellWords, &job.place(word.offset), what, remedy);
        report.add(finding.because("rcron 0.1.0 passed all arguments to a shell"));
    }
}

/// An argument that is an operator of the shell, and not the value of an option (`--sep '|'`) or the end of `find -exec`.
pub(super) fn operator(words: &[Word]) -> Option<&Word> {
    let mut has_exec = false;
    let mut before: &[u8] = b"";
    words.iter().skip(1).find(|word| {
        let text = word.text.as_slice();
        let is_value = before.starts_with(b"-");
        let is_end_of_exec = has_exec && text == b";";
        has_exec |= matches!(text, b"-exec" | b"-execdir" | b"-ok" | b"-okdir");
        before = text;
        match text {
            b"&&" | b"||" => true,
            b"|" | b"|&" | b";" | b"&" => !is_value && !is_end_of_exec,
            _ => !is_value && is_redirection(text),
        }
    })
}

/// `>`, `>>file`, `2>&1`, `</dev/null`. Not `<tag>` or `>=5`.
fn is_redirection(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = &text[digits..];
    let rest = rest.strip_prefix(b"&").filter(|_| digits == 0).unwrap_or(rest);
    let ([b'>', b'>', target @ ..] | [b'>' | b'<', target @ ..]) = rest else {
        return false;
    };
    matches!(target.first(), None | Some(b'/' | b'&' | b'.' | b'~')) && !text.ends_with(b">/")
}

/// A quoted argument with a pattern in a path, a variable, or a command in backquotes.
fn expansion(words: &[Word]) -> Option<&Word> {
    let mut before: &[u8] = b"";
    words.iter().skip(1).find(|word| {
        let is_value = before.starts_with(b"-");
        before = word.text.as_slice();
        let is_kept = word.is_literal && word.is_quoted && !is_value && !word.text.starts_with(b"-");
        is_kept && (is_path_pattern(&word.text) || has_variable(&word.text) || has_backquotes(&word.text))
    })
}

fn is_path_pattern(text: &[u8]) -> bool {
    let is_path = text.starts_with(b"/") || text.starts_with(b"./") || text.starts_with(b"~/");
    let has_blank = text.iter().any(u8::is_ascii_whitespace);
    is_path && !has_blank && (text.starts_with(b"~/") || text.iter().any(|byte| b"*?[".contains(byte)))
}

/// `$HOME`, `${HOME}` or `$(date)`.
fn has_variable(text: &[u8]) -> bool {
    let starts = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'{' | b'(');
    text.windows(2).any(|pair| pair[0] == b'$' && starts(pair[1]))
}

fn has_backquotes(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'`');
    parts.nth(2).is_some()
}
