//! What stdout can show.

use std::env;
use std::io::{IsTerminal, stdout};

/// The terminal, or a pipe or file in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// How many columns a line may have; `None` if the output is not shown on a terminal, where it is not cut.
    pub(crate) columns: Option<usize>,
    pub(crate) has_colour: bool,
    /// Whether characters other than ASCII are shown.
    pub(crate) is_utf8: bool,
}

impl Screen {
    pub(crate) fn of_stdout() -> Self {
        let is_terminal = stdout().is_terminal();
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let requested = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let own = terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
        Self {
            columns: requested.or(own).filter(|columns| *columns > 0),
            has_colour: is_terminal && !is_dumb && !is_set("NO_COLOR"),
            is_utf8: is_utf8(),
        }
    }

    /// The text in a colour, if there are colours. `code` is a parameter of SGR (ECMA-48), such as `1;31`.
    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.has_colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The first of these variables that is set decides: locale(7).
fn is_utf8() -> bool {
    let deciding = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(|name| is_set(name));
    let charset = deciding.and_then(env::var_os).unwrap_or_default();
    let charset = charset.to_string_lossy().to_ascii_lowercase().replace('-', "");
    charset.contains("utf8")
}

/// Whether a variable is set and not empty (no-color.org).
fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}
