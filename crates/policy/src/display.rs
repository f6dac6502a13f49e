//! What may be printed on one line of a terminal, a table or a log: the one rule for every text that comes from a user, a file or
//! the network. Such a text must not move the cursor, turn the direction of writing, or look like another text.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Whether a character is printed as it is: it is neither a control character (C0, DEL, C1) nor invisible.
#[must_use]
pub fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\u{9f}' => false,
        _ => !is_invisible(character),
    }
}

/// Unicode's `Default_Ignorable_Code_Point` (with the controls of writing direction, joiners and tags), and the separators of lines
/// and paragraphs and the marks of annotations beside it.
///
/// U+FE0E and U+FE0F are not among them: people type them, to choose the text or emoji form of a character.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Appends `bytes` to `line` as long as `line` stays within `limit` bytes; what does not fit is left out at a character's boundary.
/// Characters that are not printable, and bytes that are not UTF-8, are written as `\xHH`, one for each byte.
///
/// A backslash of the text itself is left alone: log parsers of rcron 0.1.0 read it raw.
///
/// Returns whether everything fitted.
pub fn append(line: &mut Vec<u8>, bytes: &[u8], limit: usize) -> bool {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut buffer = [0; 4];
            let encoded = character.encode_utf8(&mut buffer).as_bytes();
            let fitted = if is_printable(character) {
                append_whole(line, encoded, limit)
            } else {
                append_hexadecimal(line, encoded, limit)
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

/// A text of bytes or characters as it is printed: see [`append`].
#[must_use]
pub fn escaped(text: &(impl AsRef<[u8]> + ?Sized)) -> Cow<'_, str> {
    let bytes = text.as_ref();
    match core::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(is_printable) => Cow::Borrowed(text),
        _ => {
            let mut line = Vec::with_capacity(2 * bytes.len());
            append(&mut line, bytes, usize::MAX);
            Cow::Owned(String::from_utf8_lossy(&line).into_owned())
        }
    }
}

/// A character in a string of JSON, where a reader undoes it: `\u202e`, and a pair of surrogates beyond U+FFFF.
#[must_use]
pub fn json_escape(character: char) -> String {
    let mut units = [0; 2];
    let units = character.encode_utf16(&mut units).iter();
    units.map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat()
}

/// A JSON document in which characters of strings that are not printable are escaped. C0 characters, which every JSON writer escapes
/// within strings, are left alone: those that are left are line breaks between the elements.
#[must_use]
pub fn json_document(document: &str) -> String {
    let is_raw = |character: char| character >= '\u{7f}' && !is_printable(character);
    document
        .chars()
        .fold(String::with_capacity(document.len()), |mut text, character| {
            if is_raw(character) {
                text.push_str(&json_escape(character));
            } else {
                text.push(character);
            }
            text
        })
}

/// The beginning of a word, as a message quotes it: at most 60 bytes, with an ellipsis if the word is longer.
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
    fn what_is_not_printable_becomes_visible() {
        for (raw, shown) in [
            (&b"plain text \\ as is"[..], &b"plain text \\ as is"[..]),
            (b"a\nb\tc\r", b"a\\x0ab\\x09c\\x0d"),
            (b"\x1b[31m\x7f\0", b"\\x1b[31m\\x7f\\x00"),
            ("grün €".as_bytes(), "grün €".as_bytes()),
            ("\u{9b}31m".as_bytes(), b"\\xc2\\x9b31m"),
            ("a\u{202e}b\u{ad}".as_bytes(), b"a\\xe2\\x80\\xaeb\\xc2\\xad"),
            ("\u{e0041}".as_bytes(), b"\\xf3\\xa0\\x81\\x81"),
            (
                "\u{26a0}\u{fe0f} na\u{308}chtlich".as_bytes(),
                "\u{26a0}\u{fe0f} na\u{308}chtlich".as_bytes(),
            ),
            (b"latin-1 \xe9!", b"latin-1 \\xe9!"),
            (b"", b""),
        ] {
            assert_eq!(escaped(raw).as_bytes(), shown);
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
    fn json_escapes_are_of_utf_16() {
        for (character, escape) in [
            ('\n', "\\u000a"),
            ('\u{202e}', "\\u202e"),
            ('\u{e0041}', "\\udb40\\udc41"),
        ] {
            assert_eq!(json_escape(character), escape);
        }
        let document = "{\n  \"command\": \"a\\tb\u{202e}c\u{7f}é\"\n}\n";
        assert_eq!(
            json_document(document),
            "{\n  \"command\": \"a\\tb\\u202ec\\u007fé\"\n}\n"
        );
    }

    proptest! {
        #[test]
        fn every_text_is_escaped_to_printable_characters(text: String) {
            prop_assert!(escaped(&text).chars().all(is_printable));
        }

        #[test]
        fn never_leaves_a_control_character_or_exceeds_the_limit(bytes: Vec<u8>, limit in 0usize..200) {
            let mut line = Vec::new();
            append(&mut line, &bytes, limit);
            prop_assert!(line.len() <= limit);
            let text = core::str::from_utf8(&line).expect("always UTF-8");
            prop_assert!(text.chars().all(is_printable));
        }
    }
}
