//! Text in the columns of a terminal.

use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// The text with every character escaped that would move the cursor, turn the writing around or show nothing: users choose the
/// names and commands that are printed.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text
        .chars()
        .any(|character| character.is_control() || is_invisible(character))
    {
        return text.into();
    }
    let text = String::from_utf8_lossy(&policy::escape::escaped(text.as_bytes())).into_owned();
    text.chars()
        .fold(String::new(), |mut shown, character| {
            if is_invisible(character) {
                shown.extend(character.escape_unicode());
            } else {
                shown.push(character);
            }
            shown
        })
        .into()
}

/// Characters that show nothing, but turn others around or hide where a word ends (Unicode Standard Annex 9).
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text in at most `width` columns; if it is longer, it ends in `ellipsis`, which takes one column.
pub(crate) fn cut(text: &str, width: usize, ellipsis: char) -> Cow<'_, str> {
    if text.width() <= width {
        return text.into();
    }
    // More characters than columns only if some are combined. Measuring is slow, and a command may have four thousand characters.
    let mut kept: String = text.chars().take(4 * width).collect();
    while kept.width() >= width && kept.pop().is_some() {}
    kept.push(ellipsis);
    kept.into()
}

/// The text in exactly `width` columns, filled with blanks if it is shorter.
pub(crate) fn fit(text: &str, width: usize, ellipsis: char) -> String {
    let mut fitted = cut(text, width, ellipsis).into_owned();
    let missing = width.saturating_sub(fitted.width());
    fitted.push_str(&" ".repeat(missing));
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_text_cannot_move_the_cursor_or_turn_the_writing_around() {
        assert_eq!(visible("a\u{1b}[2J\nb\u{202e}c"), "a\\x1b[2J\\x0ab\\u{202e}c");
        assert_eq!(visible("数据库"), "数据库");
    }

    #[test]
    fn fitted_text_has_the_width() {
        for text in [
            "",
            "backup",
            "a very long name",
            "数据库备份",
            "na\u{308}chtlich",
            "👩‍💻👩‍💻👩‍💻👩‍💻",
        ] {
            assert_eq!(fit(text, 8, '…').width(), 8, "{text}");
        }
    }

    #[test]
    fn cut_text_ends_in_an_ellipsis() {
        assert_eq!(cut("nightly-backup", 8, '…'), "nightly…");
        assert_eq!(fit("数据库备份", 8, '…'), "数据库… ");
        assert_eq!(cut("nightly", 7, '…'), "nightly");
        assert_eq!(cut("nightly", 0, '…'), "…");
    }
}
