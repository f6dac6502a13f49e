//! The terminal that the picture is for.

use super::terminal::Look;
use crate::screen::{Screen, is_set};
use jiff::tz::TimeZone;
use std::env;

/// Of a pipe, and of a terminal that does not say.
const COLUMNS: usize = 80;

/// What stdout can show.
pub(super) fn look() -> Look {
    let screen = Screen::of_stdout();
    Look {
        columns: screen.columns.unwrap_or(COLUMNS).clamp(40, 1000),
        has_colour: screen.has_colour,
        is_utf8: is_utf8(),
        zone: TimeZone::system(),
    }
}

/// The first of these that is set decides: locale(7).
fn is_utf8() -> bool {
    let deciding = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(|name| is_set(name));
    let charset = deciding.and_then(env::var_os).unwrap_or_default();
    let charset = charset.to_string_lossy().to_ascii_lowercase().replace('-', "");
    charset.contains("utf8")
}
