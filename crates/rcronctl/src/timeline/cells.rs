//! Text in the cells of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Without what a terminal obeys: a command may hold anything.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if is_plain(character) { character } else { '\u{fffd}' })
        .collect()
}

/// Exactly so many cells: filled up with blanks, or cut with an ellipsis.
pub(super) fn fit(text: &str, cells: usize, is_utf8: bool) -> String {
    let mut text = if is_utf8 { printable(text) } else { ascii(text) };
    if text.width() > cells {
        cut(&mut text, cells.saturating_sub(1));
        text.push(if is_utf8 { '…' } else { '~' });
    }
    let missing = cells.saturating_sub(text.width());
    text.push_str(&" ".repeat(missing));
    text
}

/// For a terminal that shows nothing else.
fn ascii(text: &str) -> String {
    text.chars()
        .map(|character| if matches!(character, ' '..='~') { character } else { '?' })
        .collect()
}

pub(super) fn width(text: &str) -> usize {
    printable(text).width()
}

fn cut(text: &mut String, cells: usize) {
    while text.width() > cells {
        text.pop();
    }
}

/// Neither a control character nor one that turns the direction of writing.
fn is_plain(character: char) -> bool {
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(character, '\u{2028}' | '\u{2029}');
    !turns && !breaks && UnicodeWidthChar::width(character).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_takes_its_cells() {
        for text in [
            "",
            "backup",
            "a very long name",
            "数据库备份",
            "na\u{308}chtlich",
            "a\u{1b}[2Jb",
            "x\u{202e}y",
            "👩‍💻👩‍💻👩‍💻👩‍💻",
        ] {
            assert_eq!(UnicodeWidthStr::width(fit(text, 8, true).as_str()), 8, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(fit("nightly-backup", 8, true), "nightly…");
        assert_eq!(fit("数据库备份", 8, true), "数据库… ");
        assert_eq!(fit("数据库备份", 4, false), "???~");
    }

    #[test]
    fn a_terminal_is_told_nothing() {
        assert_eq!(printable("a\u{1b}[2J\nb\u{202e}c"), "a\u{fffd}[2J\u{fffd}b\u{fffd}c");
    }
}
