//! What stdout can show.

use std::env;
use std::io::{IsTerminal, stdout};

/// Of a pipe's reader, who wraps as he likes.
const ENDLESS: usize = 100_000;

/// The terminal, or what stands for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// How many columns a line may have.
    pub(crate) columns: usize,
    pub(crate) has_colour: bool,
}

impl Screen {
    pub(crate) fn of_stdout() -> Self {
        let is_terminal = stdout().is_terminal();
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let said = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let own = terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
        Self {
            columns: said.or(own).filter(|columns| *columns > 0).unwrap_or(ENDLESS),
            has_colour: is_terminal && !is_dumb && !is_set("NO_COLOR"),
        }
    }
}

/// no-color.org: set and not empty.
fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}
