//! The terminal that the picture is for.

use super::terminal::Look;
use jiff::tz::TimeZone;
use std::env;
use std::io::{IsTerminal, stdout};

/// Of a pipe, and of a terminal that does not say.
const COLUMNS: usize = 80;

/// What stdout can show.
pub(super) fn look() -> Look {
    Look {
        columns: columns(),
        has_colour: stdout().is_terminal()
            && !is_set("NO_COLOR")
            && env::var_os("TERM").is_none_or(|term| term != "dumb"),
        is_utf8: is_utf8(),
        zone: TimeZone::system(),
    }
}

fn columns() -> usize {
    let said = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let own = || terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
    said.or_else(own)
        .filter(|columns| *columns > 0)
        .unwrap_or(COLUMNS)
        .clamp(40, 1000)
}

/// no-color.org: set and not empty.
fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// The first of these that is set decides: locale(7).
fn is_utf8() -> bool {
    let deciding = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(|name| is_set(name));
    let charset = deciding.and_then(env::var_os).unwrap_or_default();
    let charset = charset.to_string_lossy().to_ascii_lowercase().replace('-', "");
    charset.contains("utf8")
}
