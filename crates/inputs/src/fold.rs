//! Sentences in the lines of a terminal, for the reports of `rcronctl check` and `rcrond --check`.

/// In bytes. An ordinary user's crontab can have thousands of quotation marks in a line.
const LONGEST_QUOTATION: usize = 1000;

/// The text, which begins at column `indent` of a line, with its further lines indented as far. If there is a `width`, lines are broken
/// at blanks so that they fit. What readers copy stays whole: a word that is longer, such as a path, and what is quoted, if a line has
/// room for it. A line that begins with a blank stays whole, too: it is an excerpt of a file, or marks a place in one. `columns`
/// measures a text.
#[must_use]
pub fn fold(text: &str, indent: usize, width: Option<usize>, columns: impl Fn(&str) -> usize) -> String {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(indent));
    let mut lines = Vec::new();
    for line in text.split('\n') {
        if line.starts_with(' ') || columns(line) <= room {
            lines.push(line.to_owned());
        } else {
            lines.extend(broken(line, room, &columns));
        }
    }
    lines.join(&format!("\n{:indent$}", ""))
}

fn broken(line: &str, room: usize, columns: &impl Fn(&str) -> usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut used, mut rest) = (0, Some(line));
    while let Some(text) = rest {
        let quoted = quoted(text).filter(|end| columns(&text[..*end]) <= room);
        let end = quoted.or_else(|| text.find(' ')).unwrap_or(text.len());
        let word = &text[..end];
        rest = text.get(end + 1..);
        let needed = columns(word);
        match lines.last_mut() {
            Some(last) if used + 1 + needed <= room => {
                last.push(' ');
                last.push_str(word);
                used += 1 + needed;
            }
            _ => {
                lines.push(word.to_owned());
                used = needed;
            }
        }
    }
    lines
}

/// Where the word ends in which the quotation ends that the text begins with. An apostrophe is not at the beginning of a word.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.bytes().next().filter(|first| matches!(first, b'`' | b'\''))?;
    let mut following = text.bytes().skip(1).take(LONGEST_QUOTATION);
    let close = 1 + following.position(|byte| byte == quote)?;
    Some(text[close..].find(' ').map_or(text.len(), |blank| close + blank))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str, indent: usize, width: Option<usize>) -> String {
        fold(text, indent, width, |text| text.chars().count())
    }

    #[test]
    fn lines_are_broken_at_blanks_and_indented() {
        let text = "the file cannot be read";
        for (width, expected) in [
            (27, "the file cannot be read"),
            (26, "the file cannot be\n    read"),
            (12, "the file\n    cannot\n    be read"),
            (0, "the\n    file\n    cannot\n    be\n    read"),
        ] {
            assert_eq!(folded(text, 4, Some(width)), expected, "{width}");
        }
    }

    #[test]
    fn words_and_excerpts_stay_whole() {
        assert_eq!(
            folded("see /etc/rcron/rcron.conf now", 2, Some(10)),
            "see\n  /etc/rcron/rcron.conf\n  now"
        );
        assert_eq!(
            folded(
                "a:1:1: unknown key\n  1 | nice_lvel = 3\n    | ^~~~~~~~~ did you mean",
                2,
                Some(12)
            ),
            "a:1:1:\n  unknown\n  key\n    1 | nice_lvel = 3\n      | ^~~~~~~~~ did you mean"
        );
    }

    #[test]
    fn quotations_stay_whole_if_there_is_room() {
        for (text, width, expected) in [
            ("let it run `set x on`, now", 16, "let it run\n`set x on`, now"),
            ("let it run `set x on`", 9, "let it\nrun `set\nx on`"),
            ("write 'd /run' >/etc/x", 14, "write 'd /run'\n>/etc/x"),
            ("write 'd /run' >/etc/x", 12, "write\n'd /run'\n>/etc/x"),
            ("rcron's log isn't `open", 11, "rcron's log\nisn't `open"),
        ] {
            assert_eq!(folded(text, 0, Some(width)), expected, "{text}");
        }
    }

    #[test]
    fn without_a_width_nothing_is_broken() {
        let text = "word ".repeat(100);
        assert_eq!(folded(&text, 12, None), text);
        assert_eq!(folded("one\ntwo", 2, None), "one\n  two");
    }
}
