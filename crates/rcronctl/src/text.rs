//! Text in the columns of a terminal. What a user, a file or the network chose must be escaped before: policy::display.

use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// How many columns the text takes.
pub(crate) fn columns(text: &str) -> usize {
    // Nearly all texts are of ASCII, where looking up each character takes ten times as long.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        text.len()
    } else {
        text.width()
    }
}

/// The text in at most `width` columns; if it is longer, it ends in `ellipsis`, which takes one column.
pub(crate) fn cut(text: &str, width: usize, ellipsis: char) -> Cow<'_, str> {
    if columns(text) <= width {
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
    let missing = width.saturating_sub(columns(&fitted));
    fitted.push_str(&" ".repeat(missing));
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

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
