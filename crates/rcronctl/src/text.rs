//! Text in the columns of a terminal. What a user, a file or the network chose must be escaped before: policy::display.

use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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

/// The text in lines of at most `width` columns, broken at blanks; a word that is longer is broken anywhere. At least one line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<Cow<'_, str>> {
    if text.width() <= width {
        return vec![text.into()];
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            if !line.is_empty() {
                lines.push(String::new());
            }
            append_word(&mut lines, word, width);
        }
    }
    lines.into_iter().map(Cow::Owned).collect()
}

/// Appends the word to the last line, which is empty, and to as many new lines as it needs.
fn append_word(lines: &mut Vec<String>, word: &str, width: usize) {
    let mut used = 0;
    for character in word.chars() {
        let columns = character.width().unwrap_or_default();
        if used > 0 && used + columns > width {
            lines.push(String::new());
            used = 0;
        }
        lines.last_mut().expect("there is always a line").push(character);
        used += columns;
    }
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

    #[test]
    fn wrapped_text_keeps_every_word_and_the_width() {
        for (text, width, lines) in [
            ("", 8, vec![""]),
            ("short", 8, vec!["short"]),
            ("two short words", 9, vec!["two short", "words"]),
            (
                "2026-11-24 03:12:00 (2 h ago)",
                19,
                vec!["2026-11-24 03:12:00", "(2 h ago)"],
            ),
            ("a /very/long/path is", 8, vec!["a", "/very/lo", "ng/path", "is"]),
            ("数据库备份", 4, vec!["数据", "库备", "份"]),
            ("数", 0, vec!["数"]),
        ] {
            assert_eq!(wrap(text, width), lines, "{text} in {width}");
        }
    }
}
