//! What stdout can show.

use std::env;
use std::io::{IsTerminal, stdout};

/// The terminal, or what stands for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// How many columns a line may have; `None` for a pipe's reader, who wraps as he likes.
    pub(crate) columns: Option<usize>,
    pub(crate) has_colour: bool,
}

impl Screen {
    pub(crate) fn of_stdout() -> Self {
        let is_terminal = stdout().is_terminal();
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let said = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let own = terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
        Self {
            columns: said.or(own).filter(|columns| *columns > 0),
            has_colour: is_terminal && !is_dumb && !is_set("NO_COLOR"),
        }
    }
}

/// Whether a variable is set and not empty (no-color.org).
pub(crate) fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}
