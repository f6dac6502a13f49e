//! A command line as an argument: `sh -c '…'`, `flock FILE -c '…'`, `su USER -c '…'`.

use crate::call::{self, base_name};
use crate::shell::{self, SimpleCommand, Word, is_one_of};
use alloc::vec::Vec;

const SHELLS: &str = "sh bash dash ash ksh mksh zsh";
/// Programs that give the argument of `-c` to a shell.
const RUNNERS: &str = "flock su runuser script";

/// A command line with rcron in it.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Where the argument begins in the line.
    pub(crate) offset: usize,
    /// With offsets in the whole line. `None` if it cannot be parsed.
    pub(crate) commands: Option<Vec<SimpleCommand>>,
}

/// The script that a command gives to a shell, if it has rcron in it.
pub(crate) fn of(command: &[Word]) -> Option<Script> {
    let at = position(command)?;
    let word = command.get(at).filter(|word| call::is_mentioned(&word.text))?;
    let commands = shell::parse(&word.text).ok(); // what the outer shell expands is kept as written
    Some(Script {
        offset: word.offset,
        commands: commands.map(|commands| moved(commands, word)),
    })
}

/// Whether a program is a shell with the grammar that is known here.
pub(crate) fn is_shell(program: &[u8]) -> bool {
    is_one_of(SHELLS, base_name(program))
}

/// The index of the script.
fn position(command: &[Word]) -> Option<usize> {
    let name = base_name(&command.first()?.text);
    let is_shell = |word: &Word| is_shell(&word.text);
    let shell = match () {
        () if is_shell(&command[0]) => 0,
        () if call::is_prefix(name) => command.iter().position(is_shell).unwrap_or(0),
        () => return None,
    };
    let takes_script = |word: &Word| match word.text.strip_prefix(b"-") {
        Some(b"-command") => true,
        Some(letters) => !letters.starts_with(b"-") && letters.last() == Some(&b'c'),
        None => false,
    };
    if !is_shell(&command[shell]) && !is_one_of(RUNNERS, name) {
        return None;
    }
    let option = command[shell..].iter().position(takes_script)?;
    Some(shell + option + 1)
}

/// The offsets are exact if the word is quoted as a whole, without escapes. Otherwise all are that of the word.
fn moved(mut commands: Vec<SimpleCommand>, word: &Word) -> Vec<SimpleCommand> {
    let new = |offset: usize| {
        if word.is_plain {
            word.offset + 1 + offset
        } else {
            word.offset
        }
    };
    for simple in &mut commands {
        if let Some(operator) = &mut simple.before {
            operator.offset = new(operator.offset);
        }
        for word in &mut simple.words {
            word.offset = new(word.offset);
        }
        for redirection in &mut simple.redirections {
            redirection.operator.offset = new(redirection.operator.offset);
            redirection.target.offset = new(redirection.target.offset);
        }
    }
    commands
}
