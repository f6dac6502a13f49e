//! Lines of a file, as long as they may be, without ever holding more than one of them.

use std::io::{self, BufRead};

/// The largest record is a tenth of it. Who puts a gigabyte without a newline into a journal shall not fill our memory.
const LONGEST: usize = 256 << 10;

/// Reads on to the next newline, which is not in `line` then. Returns the length of what was read; `None` at the end of the file.
///
/// A line without a newline at the end of the file is left for later: it may be just being written. Then `line` keeps its
/// beginning. Of a line that is too long only the beginning is kept, which is no record.
pub(crate) fn read(source: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<u64>> {
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
    fn lines_come_whole_and_the_last_one_waits_for_its_end() {
        let mut source = BufReader::with_capacity(4, Cursor::new("one\n\nlonger\ntor"));
        let mut lines = Vec::new();
        let mut line = Vec::new();
        while read(&mut source, &mut line).expect("readable").is_some() {
            lines.push(String::from_utf8(std::mem::take(&mut line)).expect("text"));
        }
        assert_eq!(lines, ["one", "", "longer"]);
        assert_eq!(line, b"tor");
    }

    #[test]
    fn an_endless_line_is_cut() {
        let mut source = BufReader::new(Cursor::new([vec![b'x'; 3 * LONGEST], b"\nnext\n".to_vec()].concat()));
        let mut line = Vec::new();
        assert!(read(&mut source, &mut line).expect("readable").is_some());
        assert_eq!(line.len(), LONGEST);
        line.clear();
        assert!(read(&mut source, &mut line).expect("readable").is_some());
        assert_eq!(line, b"next");
    }
}
