//! Text that is safe to print on one line of a log or a terminal.

use alloc::string::String;
use alloc::vec::Vec;

/// Appends `bytes` to `line` with control characters (C0, DEL, C1) and bytes that are not UTF-8 written as `\xHH`,
/// as long as `line` stays within `limit` bytes. What does not fit is left out at a character's boundary.
///
/// A backslash of the text itself is left alone: log parsers of rcron 0.1.0 read it raw.
///
/// Returns whether everything fitted.
pub fn append(line: &mut Vec<u8>, bytes: &[u8], limit: usize) -> bool {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut buffer = [0; 4];
            let encoded = character.encode_utf8(&mut buffer).as_bytes();
            let fitted = if character.is_control() {
                append_hexadecimal(line, encoded, limit)
            } else {
                append_whole(line, encoded, limit)
            };
            if !fitted {
                return false;
            }
        }
        if !append_hexadecimal(line, chunk.invalid(), limit) {
            return false;
        }
    }
    true
}

/// `bytes` escaped as by [`append`], without a limit.
#[must_use]
pub fn escaped(bytes: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(bytes.len());
    append(&mut line, bytes, usize::MAX);
    line
}

/// A word as it is quoted in a message: short, and without control characters.
#[must_use]
pub fn clipped(word: &[u8]) -> String {
    let mut line = Vec::new();
    let whole = append(&mut line, word, 60);
    let mut clipped = String::from_utf8_lossy(&line).into_owned();
    if !whole {
        clipped.push('…');
    }
    clipped
}

/// `bytes` as one word for a POSIX shell: as it is if it is plain, else in single quotes.
#[must_use]
pub fn shell_quoted(bytes: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:=,@%+".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return bytes.to_vec();
    }
    let mut quoted = Vec::with_capacity(bytes.len() + 2);
    quoted.push(b'\'');
    for byte in bytes {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

fn append_whole(line: &mut Vec<u8>, bytes: &[u8], limit: usize) -> bool {
    let fits = line.len() + bytes.len() <= limit;
    if fits {
        line.extend_from_slice(bytes);
    }
    fits
}

fn append_hexadecimal(line: &mut Vec<u8>, bytes: &[u8], limit: usize) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let fits = line.len() + 4 * bytes.len() <= limit;
    if fits {
        for byte in bytes {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            line.extend_from_slice(&[b'\\', b'x', DIGITS[high], DIGITS[low]]);
        }
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_and_stray_bytes_become_visible() {
        for (raw, shown) in [
            (&b"plain text \\ as is"[..], &b"plain text \\ as is"[..]),
            (b"a\nb\tc\r", b"a\\x0ab\\x09c\\x0d"),
            (b"\x1b[31m\x7f\0", b"\\x1b[31m\\x7f\\x00"),
            ("grün €".as_bytes(), "grün €".as_bytes()),
            ("\u{9b}31m".as_bytes(), b"\\xc2\\x9b31m"),
            (b"latin-1 \xe9!", b"latin-1 \\xe9!"),
            (b"", b""),
        ] {
            assert_eq!(escaped(raw), shown);
        }
    }

    #[test]
    fn cuts_between_characters() {
        for (limit, kept) in [(0, ""), (1, "a"), (3, "a"), (4, "a€"), (7, "a€"), (8, "a€\\x0a")] {
            let mut line = Vec::new();
            assert_eq!(append(&mut line, "a€\n".as_bytes(), limit), limit == 8);
            assert_eq!(line, kept.as_bytes(), "limit {limit}");
        }
    }

    #[test]
    fn quotes_for_a_shell() {
        for (raw, word) in [
            ("", "''"),
            ("/bin/true", "/bin/true"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("$x", "'$x'"),
        ] {
            assert_eq!(shell_quoted(raw.as_bytes()), word.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn never_leaves_a_control_character_or_exceeds_the_limit(bytes: Vec<u8>, limit in 0usize..200) {
            let mut line = Vec::new();
            append(&mut line, &bytes, limit);
            prop_assert!(line.len() <= limit);
            let text = core::str::from_utf8(&line).expect("always UTF-8");
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
