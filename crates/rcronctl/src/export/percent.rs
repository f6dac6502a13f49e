//! Texts as words that no shell changes: ssh(1) joins its arguments with blanks, and the user's shell on the server splits them.

use std::fmt::Write;

/// The text with `%HH` in the place of each byte that some shell may treat specially.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// The reverse; `None` if a `%` does not begin a byte, or if the text is not UTF-8.
pub(crate) fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        (rest, ()) = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16);
                (tail, bytes.push(u8::try_from(digit(high)? << 4 | digit(low)?).ok()?))
            }
            (b'%', _) => return None,
            _ => (tail, bytes.push(*first)),
        };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_and_no_shell_sees_them() {
        for text in [
            "",
            "backup",
            "sh -c 'a \\' \"$(id)\"; !x #~*?\n%41",
            "数据库\u{1b}[2J",
            "-n",
        ] {
            let encoded = encode(text);
            let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'%');
            assert!(encoded.bytes().all(is_safe), "{encoded}");
            assert_eq!(decode(&encoded).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_not_encoded_is_refused() {
        for encoded in ["%", "%4", "%4g", "a%", "%ff", "%+1"] {
            assert_eq!(decode(encoded), None, "{encoded}");
        }
    }
}
