//! Reading lines of any length with bounded memory.

use std::io::{self, BufRead};

/// In bytes, ten times the longest record: a user's gigabyte without a newline must not fill our memory.
const LONGEST: usize = 256 << 10;

/// Appends the next line, without its newline, to `line`. Returns how many bytes were read; `None` at the end of the file.
///
/// A last line without a newline may be incomplete: it counts as not read, but is in `line`. Of a line that is too long only the
/// beginning is kept, which is not a valid record.
pub(super) fn read_line(source: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<u64>> {
    let mut length = 0;
    loop {
        let buffer = match source.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            filled => filled?,
        };
        if buffer.is_empty() {
            return Ok(None);
        }
        let end = memchr::memchr(b'\n', buffer);
        let part = &buffer[..end.unwrap_or(buffer.len())];
        line.extend_from_slice(&part[..part.len().min(LONGEST - line.len().min(LONGEST))]);
        let used = part.len() + usize::from(end.is_some());
        source.consume(used);
        length += used as u64;
        if end.is_some() {
            return Ok(Some(length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Cursor};

    #[test]
    fn lines_are_complete_and_the_last_one_waits_for_its_newline() {
        let mut source = BufReader::with_capacity(4, Cursor::new("one\n\nlonger\ntor"));
        let mut lines = Vec::new();
        let mut line = Vec::new();
        while read_line(&mut source, &mut line).expect("readable").is_some() {
            lines.push(String::from_utf8(std::mem::take(&mut line)).expect("text"));
        }
        assert_eq!(lines, ["one", "", "longer"]);
        assert_eq!(line, b"tor");
    }

    #[test]
    fn an_endless_line_is_cut() {
        let mut source = BufReader::new(Cursor::new([vec![b'x'; 3 * LONGEST], b"\nnext\n".to_vec()].concat()));
        let mut line = Vec::new();
        assert!(read_line(&mut source, &mut line).expect("readable").is_some());
        assert_eq!(line.len(), LONGEST);
        line.clear();
        assert!(read_line(&mut source, &mut line).expect("readable").is_some());
        assert_eq!(line, b"next");
    }
}
