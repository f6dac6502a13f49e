//! What stdout can show.

use crate::text;
use inputs::fold::fold;
use std::env;
use std::io::{IsTerminal, stdout};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colours {
    None,
    Eight,
    /// 256.
    Many,
}

/// The terminal, or a pipe or file in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// How many columns a line may have; `None` if the output is not shown on a terminal, where it is not cut.
    pub(crate) columns: Option<usize>,
    pub(crate) colours: Colours,
    /// Whether characters other than ASCII are shown.
    pub(crate) is_utf8: bool,
}

impl Screen {
    pub(crate) fn of_stdout() -> Self {
        let requested = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let own = terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
        let term = env::var("TERM").unwrap_or_default();
        Self {
            columns: requested.or(own).filter(|columns| *columns > 0),
            colours: if stdout().is_terminal() && !is_set("NO_COLOR") {
                colours_of(&term, is_set("COLORTERM"))
            } else {
                Colours::None
            },
            is_utf8: is_utf8(),
        }
    }

    /// The text, which begins at column `indent`, in as many lines as the terminal needs; see [`inputs::fold`].
    pub(crate) fn fold(self, text: &str, indent: usize) -> String {
        fold(text, indent, self.columns, text::columns)
    }
}

/// Terminals that are called `xterm`, `screen` or `tmux` have had 256 colours for twenty years, whatever terminfo(5) says.
fn colours_of(term: &str, is_colorterm_set: bool) -> Colours {
    let has_many = ["xterm", "screen", "tmux"].iter().any(|name| term.starts_with(name));
    if term == "dumb" {
        Colours::None
    } else if is_colorterm_set || has_many || term.contains("256color") {
        Colours::Many
    } else {
        Colours::Eight
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_type_decides_how_many_colours_there_are() {
        for (term, is_colorterm_set, expected) in [
            ("xterm", false, Colours::Many),
            ("screen.linux", false, Colours::Many),
            ("rxvt-unicode-256color", false, Colours::Many),
            ("foot", true, Colours::Many),
            ("linux", false, Colours::Eight),
            ("", false, Colours::Eight),
            ("dumb", true, Colours::None),
        ] {
            assert_eq!(colours_of(term, is_colorterm_set), expected, "{term}");
        }
    }
}
