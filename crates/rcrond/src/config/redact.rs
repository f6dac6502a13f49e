//! Passwords are not shown, not even in the line that a message is about: it goes to a terminal, and to a log.

use policy::suggest;

/// Near to one of these is a password too: it may be misspelt, and that the message is about.
const NAMES: [&str; 2] = ["password", "passwd"];

/// The text with a mark for each byte of a password, so that all places stay what they are.
pub(super) fn redact_passwords(text: &[u8]) -> Vec<u8> {
    let mut shown = text.to_vec();
    let mut start = 0;
    while start < text.len() {
        let end = end_of_line(text, start);
        let mut next = end + 1;
        for secret in secrets(&text[start..end]) {
            let from = start + secret;
            let to = end_of_value(text, from, end);
            cover(&mut shown[from..to]);
            next = next.max(end_of_line(text, to) + 1);
        }
        cover_user_info(&mut shown[start..end]);
        start = next;
    }
    shown
}

fn cover(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| !byte.is_ascii_whitespace()) {
        *byte = b'*';
    }
}

/// Where in a line a password may begin: behind each word that is its key.
fn secrets(line: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let word = line[at..].iter().take_while(|byte| is_of_key(**byte)).count();
        let end = at + word;
        if word > 0 && is_secret(&line[at..end]) && is_key(line, at, end) {
            found.push(end);
        }
        at = end + usize::from(word == 0);
    }
    found
}

fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// `password_file` and `password_credential` only say where it is.
fn is_secret(word: &[u8]) -> bool {
    let word = word.to_ascii_lowercase();
    let only_names = word.ends_with(b"file") || word.ends_with(b"credential");
    !only_names && suggest::nearest(&word, NAMES).is_some()
}

/// Whether a value follows, however it was meant to be written.
fn is_key(line: &[u8], start: usize, end: usize) -> bool {
    if line[..start].trim_ascii().is_empty() {
        return true;
    }
    let rest = &line[end..];
    let rest = rest.strip_prefix(b"\"").or(rest.strip_prefix(b"'")).unwrap_or(rest);
    matches!(rest.trim_ascii_start().first(), Some(b'=' | b':' | b'"' | b'\''))
}

/// The end of the line, or of the text between three quotes.
fn end_of_value(text: &[u8], start: usize, end: usize) -> usize {
    [&b"\"\"\""[..], b"'''"]
        .into_iter()
        .filter_map(|quotes| {
            let opening = start + position(&text[start..end], quotes)? + quotes.len();
            Some(position(&text[opening..], quotes).map_or(text.len(), |length| opening + length))
        })
        .fold(end, usize::max)
}

/// `postgres://user:password@host`: no server's address here, but somebody may think so.
fn cover_user_info(line: &mut [u8]) {
    let Some(start) = position(line, b"://") else { return };
    if let Some(end) = line.iter().rposition(|byte| *byte == b'@').filter(|end| *end > start) {
        cover(&mut line[start + 3..end]);
    }
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn end_of_line(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let length = rest.iter().position(|byte| *byte == b'\n');
    length.map_or(text.len(), |length| start + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        String::from_utf8(redact_passwords(text.as_bytes())).expect("text")
    }

    #[test]
    fn a_password_is_covered_however_it_is_written() {
        for (text, covered) in [
            ("password = \"a b\" # c", "password * ** ** * *"),
            ("  pasword=\"abc\"\nuser = 1", "  pasword******\nuser = 1"),
            ("\"password\": 'abc'", "\"password** *****"),
            (
                "etcd = { user = \"u\", password = \"p\" }",
                "etcd = { user = \"u\", password * *** *",
            ),
            ("etcd.password = \"p\"", "etcd.password * ***"),
            ("password abc", "password ***"),
            ("password = \"\"\"a\nb\"\"\"\nc = 1", "password * ****\n*\"\"\"\nc = 1"),
            ("password = '''a\nb", "password * ****\n*"),
            (
                "servers = [\"postgres://u:p@h:1\"]",
                "servers = [\"postgres://***@h:1\"]",
            ),
        ] {
            assert_eq!(shown(text), covered, "{text}");
        }
    }

    #[test]
    fn what_is_no_password_stays() {
        for text in [
            "password_file = \"/etc/rcron/etcd.password\"",
            "password_credential = \"NAME\"",
            "user = \"rcron\" # a password",
            "",
            "\n\n",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_place_moves(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let shown = redact_passwords(&text);
            prop_assert_eq!(shown.len(), text.len());
            let breaks = |text: &[u8]| text.iter().map(|byte| *byte == b'\n').collect::<Vec<_>>();
            prop_assert_eq!(breaks(&shown), breaks(&text));
        }
    }
}
