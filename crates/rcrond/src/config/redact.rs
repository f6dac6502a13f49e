//! Replaces passwords in the lines that diagnostics quote, because diagnostics go to terminals and logs.

use policy::suggest;

/// A key that is similar to one of these counts as a password, too: the diagnostic may be about its spelling.
const PASSWORD_KEYS: [&str; 2] = ["password", "passwd"];

/// The text with `*` for each byte of a password. Its length and its lines do not change.
pub(super) fn redact_passwords(text: &[u8]) -> Vec<u8> {
    let mut shown = text.to_vec();
    let mut start = 0;
    while start < text.len() {
        let end = end_of_line(text, start);
        let mut next = end + 1;
        for value in password_values(&text[start..end]) {
            let from = start + value;
            let to = end_of_value(text, from, end);
            redact(&mut shown[from..to]);
            next = next.max(end_of_line(text, to) + 1);
        }
        redact_user_info(&mut shown[start..end]);
        start = next;
    }
    shown
}

fn redact(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| !byte.is_ascii_whitespace()) {
        *byte = b'*';
    }
}

/// Where in a line the values of passwords may begin: after each word that is the key of one.
fn password_values(line: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let word = line[at..].iter().take_while(|byte| is_key_byte(**byte)).count();
        let end = at + word;
        if word > 0 && is_password_key(&line[at..end]) && has_value(line, at, end) {
            found.push(end);
        }
        at = end + usize::from(word == 0);
    }
    found
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// `password_file` and `password_credential` only name a file.
fn is_password_key(word: &[u8]) -> bool {
    let word = word.to_ascii_lowercase();
    let only_names = word.ends_with(b"file") || word.ends_with(b"credential");
    !only_names && suggest::nearest(&word, PASSWORD_KEYS).is_some()
}

/// Whether the word is a key: it begins the line, or something that looks like an assignment follows.
fn has_value(line: &[u8], start: usize, end: usize) -> bool {
    if line[..start].trim_ascii().is_empty() {
        return true;
    }
    let rest = &line[end..];
    let rest = rest.strip_prefix(b"\"").or(rest.strip_prefix(b"'")).unwrap_or(rest);
    matches!(rest.trim_ascii_start().first(), Some(b'=' | b':' | b'"' | b'\''))
}

/// The end of the line, or of a string in triple quotes.
fn end_of_value(text: &[u8], start: usize, end: usize) -> usize {
    [&b"\"\"\""[..], b"'''"]
        .into_iter()
        .filter_map(|quotes| {
            let opening = start + position(&text[start..end], quotes)? + quotes.len();
            Some(position(&text[opening..], quotes).map_or(text.len(), |length| opening + length))
        })
        .fold(end, usize::max)
}

/// `postgres://user:password@host` is not a valid server, but it may be in the file by mistake.
fn redact_user_info(line: &mut [u8]) {
    let Some(start) = position(line, b"://") else { return };
    if let Some(end) = line.iter().rposition(|byte| *byte == b'@').filter(|end| *end > start) {
        redact(&mut line[start + 3..end]);
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
    fn a_password_is_redacted_however_it_is_written() {
        for (text, redacted) in [
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
            assert_eq!(shown(text), redacted, "{text}");
        }
    }

    #[test]
    fn other_values_stay() {
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
        fn no_byte_moves(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let shown = redact_passwords(&text);
            prop_assert_eq!(shown.len(), text.len());
            let breaks = |text: &[u8]| text.iter().map(|byte| *byte == b'\n').collect::<Vec<_>>();
            prop_assert_eq!(breaks(&shown), breaks(&text));
        }
    }
}
