//! Refuses answers that Redis would not give to rcrond, before the library parses them. An answer is a sequence of elements: a type,
//! a line, and for some types as many bytes as the line says.

use super::error::Error;
use crate::dial::Inspector;

/// The longest line, in bytes.
const LONGEST_LINE: usize = 64 << 10;
/// The longest string, in bytes. The longest are the values of records and the answer to INFO.
const LONGEST_STRING: usize = 1 << 20;
/// How many elements an answer may have. The answer to a subscription has four for each key. The library needs up to sixty bytes for
/// an element of three.
const MOST_ELEMENTS: usize = 100_000;

/// What is known of the answer so far.
#[derive(Debug, Default)]
pub(super) struct Elements {
    part: Part,
    line: Vec<u8>,
    count: usize,
}

/// The part of an element that comes next.
#[derive(Debug, Default)]
enum Part {
    #[default]
    Line,
    /// So many bytes of a string, the line end after it included.
    String(usize),
}

impl Inspector for Elements {
    fn received(&mut self, mut bytes: &[u8]) -> Result<(), crate::Error> {
        while let Some((&byte, rest)) = bytes.split_first() {
            match &mut self.part {
                Part::String(left) => {
                    let (_, rest) = bytes.split_at(bytes.len().min(*left));
                    *left -= bytes.len() - rest.len();
                    if *left == 0 {
                        self.part = Part::Line;
                    }
                    bytes = rest;
                }
                Part::Line => {
                    self.line.push(byte);
                    bytes = rest;
                    self.part = self.after_byte()?;
                }
            }
        }
        Ok(())
    }

    fn requested(&mut self) {
        self.count = 0;
    }
}

impl Elements {
    /// The line has one byte more. Returns what comes next.
    fn after_byte(&mut self) -> Result<Part, crate::Error> {
        let begins_well = self.line.first().is_some_and(|kind| b"+-:$*%|~_,#!=(>".contains(kind));
        if !begins_well {
            return Err(Error::NotRedis.into());
        }
        if self.line.len() > LONGEST_LINE {
            return Err(too_long("a line", LONGEST_LINE));
        }
        if !self.line.ends_with(b"\r\n") {
            return Ok(Part::Line);
        }
        let line = std::mem::take(&mut self.line);
        self.count(1)?;
        match line[0] {
            b'$' | b'!' | b'=' => {
                // A negative length is that of "no string", which has no bytes.
                let Ok(length) = usize::try_from(length(&line)?) else {
                    return Ok(Part::Line);
                };
                if length > LONGEST_STRING {
                    return Err(too_long("a value", LONGEST_STRING));
                }
                Ok(Part::String(length + 2))
            }
            b'*' | b'%' | b'|' | b'~' | b'>' => {
                let length = usize::try_from(length(&line)?).unwrap_or_default();
                // The elements are counted when they come; here the length only has to be possible.
                if length > MOST_ELEMENTS {
                    return Err(too_many());
                }
                Ok(Part::Line)
            }
            _ => Ok(Part::Line),
        }
    }

    fn count(&mut self, elements: usize) -> Result<(), crate::Error> {
        self.count += elements;
        if self.count > MOST_ELEMENTS {
            return Err(too_many());
        }
        Ok(())
    }
}

/// The number in a line.
fn length(line: &[u8]) -> Result<i64, crate::Error> {
    let text = std::str::from_utf8(&line[1..]).ok();
    let length = text.and_then(|text| text.trim().parse().ok());
    Ok(length.ok_or(Error::NotRedis)?)
}

const fn too_long(what: &'static str, limit: usize) -> crate::Error {
    crate::Error::TooLong { what, limit }
}

fn too_many() -> crate::Error {
    Error::TooManyElements(MOST_ELEMENTS).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In one piece and byte by byte.
    fn inspected(answer: &[u8]) -> Result<(), crate::Error> {
        let whole = Elements::default().received(answer);
        let mut elements = Elements::default();
        let bytes = answer.iter().try_for_each(|byte| elements.received(&[*byte]));
        assert_eq!(whole, bytes);
        whole
    }

    fn refused(answer: &[u8], word: &str) {
        let error = inspected(answer).expect_err(word).to_string();
        assert!(error.contains(word), "{error}");
    }

    #[test]
    fn answers_of_redis_pass() {
        for answer in [
            &b"+OK\r\n:1\r\n"[..],
            b"$-1\r\n*-1\r\n_\r\n",
            b"*2\r\n$3\r\n\r\n*\r\n%1\r\n+a\r\n#t\r\n",
            b">3\r\n$9\r\nsubscribe\r\n$1\r\nk\r\n:1\r\n",
            b"-NOAUTH Authentication required.\r\n",
        ] {
            assert_eq!(inspected(answer), Ok(()));
        }
    }

    #[test]
    fn lengths_beyond_the_limits_are_refused_when_they_are_announced() {
        refused(b"$2147483647\r\n", "a value of more than 1048576 bytes");
        refused(b"=1048577\r\n", "a value of more than");
        refused(b"*100001\r\n", "more than 100000 elements");
        refused(b"%9223372036854775807\r\n", "more than 100000 elements");
        refused(
            &[b"+".as_slice(), &[b'x'; LONGEST_LINE]].concat(),
            "a line of more than 65536 bytes",
        );
        refused(&b"_\r\n".repeat(MOST_ELEMENTS + 1), "more than 100000 elements");
    }

    #[test]
    fn another_protocol_is_refused() {
        for other in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"\x15\x03\x03",
            b"$x\r\n",
            b"*\xff\r\n",
        ] {
            refused(other, "not an answer of Redis");
        }
    }

    #[test]
    fn a_request_begins_to_count_anew() {
        let mut elements = Elements::default();
        for _ in 0..3 {
            assert_eq!(elements.received(&b"_\r\n".repeat(MOST_ELEMENTS)), Ok(()));
            elements.requested();
        }
    }
}
