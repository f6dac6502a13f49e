//! The parts of a line that are outside rcron's own command: the shell executes them on every server.

use crate::shell::{Redirection, is_one_of};
use alloc::vec::Vec;

/// What a passive server does although rcron does not run the job.
///
/// `rcron a || b` is not one: there, rcron exits with 0 and `b` does not run.
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
    /// `rcron a && b` runs `b`. With the operator or the keyword before it.
    Runs(&'static str),
    /// `rcron a > file` truncates the file.
    Truncates,
    /// `rcron a | b` runs `b` with empty input.
    Pipes,
}

/// Commands of the shell that do no harm on a passive server.
const HARMLESS: &str = "true false : exit wait [ [[ test";

/// `[` and `test` only look.
pub(crate) fn is_harmless(name: &[u8]) -> bool {
    is_one_of(HARMLESS, name)
}

/// The redirections that truncate a file on a passive server. `>>` and `<` are none: they change no file.
pub(crate) fn truncations(redirections: &[Redirection]) -> impl Iterator<Item = Effect> {
    let is_descriptor = |text: &[u8]| text.iter().all(u8::is_ascii_digit) || text == b"-";
    redirections.iter().filter_map(move |redirection| {
        let target = redirection.target.text.as_slice();
        let truncates = match redirection.operator.text {
            ">" | ">|" | "&>" => true,
            ">&" => !is_descriptor(target),
            _ => false,
        };
        let is_device = target.starts_with(b"/dev/") || target.starts_with(b"/proc/");
        (truncates && !is_device).then(|| Effect {
            act: Act::Truncates,
            object: target.to_vec(),
            offset: redirection.operator.offset,
        })
    })
}
