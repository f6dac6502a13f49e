//! Reading the lines of a file with bounded memory.

use super::limits::LONGEST_LINE;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// In bytes, for reading a file: several times the longest line.
const BUFFER: usize = 256 << 10;

/// A buffer for the lines of one file after another.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
}

/// Which part of a file to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) from: u64,
    pub(super) to: u64,
    /// Whether `from` can be in the middle of a line, which is then skipped.
    pub(super) is_torn: bool,
}

/// How far a file was read.
#[derive(Debug, Default)]
pub(super) struct ReadTo {
    /// The position after the last complete line.
    pub(super) position: u64,
    /// Lines that were skipped because they are longer than a record can be.
    pub(super) long_lines: u64,
    pub(super) error: Option<io::Error>,
}

impl Lines {
    /// Calls `take` with the position of each complete line, and the line without its newline. A last line without a newline may be
    /// incomplete: it counts as not read.
    pub(super) fn read(&mut self, file: &File, part: Part, mut take: impl FnMut(u64, &[u8])) -> ReadTo {
        self.buffer.resize(BUFFER, 0);
        let mut read = ReadTo {
            position: part.from,
            ..ReadTo::default()
        };
        // How much of the buffer is in use: it begins at `read.position` in the file.
        let mut filled = 0;
        let mut is_skipping = part.is_torn;
        loop {
            let at = read.position + filled as u64;
            let room = usize::try_from(part.to.saturating_sub(at))
                .unwrap_or(usize::MAX)
                .min(BUFFER - filled);
            let new = match file.read_at(&mut self.buffer[filled..filled + room], at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    read.error = Some(error);
                    return read;
                }
                Ok(0) => return read,
                Ok(new) => new,
            };
            let mut begin = 0;
            let mut searched = filled;
            filled += new;
            while let Some(length) = memchr::memchr(b'\n', &self.buffer[searched..filled]) {
                let end = searched + length;
                if is_skipping {
                    is_skipping = false;
                } else if end - begin <= LONGEST_LINE {
                    take(read.position + begin as u64, &self.buffer[begin..end]);
                } else {
                    read.long_lines += 1;
                }
                begin = end + 1;
                searched = begin;
            }
            if filled - begin > LONGEST_LINE || is_skipping {
                read.long_lines += u64::from(!is_skipping);
                is_skipping = true;
                begin = filled;
            }
            self.buffer.copy_within(begin..filled, 0);
            filled -= begin;
            read.position += begin as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(text: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text).expect("written");
        file
    }

    fn lines(text: &[u8], part: Part) -> (Vec<(u64, String)>, ReadTo) {
        let mut found = Vec::new();
        let read = Lines::default().read(&file(text), part, |at, line| {
            found.push((at, String::from_utf8(line.to_vec()).expect("text")));
        });
        (found, read)
    }

    fn all(text: &[u8]) -> Part {
        Part {
            from: 0,
            to: text.len() as u64,
            is_torn: false,
        }
    }

    #[test]
    fn lines_come_whole_and_the_last_one_waits_for_its_end() {
        let text = b"one\n\nlonger\ntor";
        let (found, read) = lines(text, all(text));
        let expected = [(0, "one"), (4, ""), (5, "longer")];
        assert_eq!(found, expected.map(|(at, line)| (at, line.to_owned())));
        assert_eq!((read.position, read.long_lines), (12, 0));
    }

    #[test]
    fn lines_across_the_ends_of_the_buffer_come_whole() {
        let line = [vec![b'x'; 1000], b"\n".to_vec()].concat();
        let text = line.repeat(3 * BUFFER / line.len());
        let (found, read) = lines(&text, all(&text));
        assert!(
            found
                .iter()
                .enumerate()
                .all(|(index, (at, line))| *at == 1001 * index as u64 && line.len() == 1000)
        );
        assert_eq!((found.len(), read.position), (text.len() / 1001, text.len() as u64));
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_counted() {
        for length in [LONGEST_LINE + 1, BUFFER, 3 * BUFFER] {
            let text = [b"one\n", vec![b'x'; length].as_slice(), b"\nnext\n"].concat();
            let (found, read) = lines(&text, all(&text));
            let next = (4 + length + 1) as u64;
            assert_eq!(found, [(0, "one".to_owned()), (next, "next".to_owned())]);
            assert_eq!((read.position, read.long_lines), (text.len() as u64, 1));
        }
        let text = [vec![b'x'; LONGEST_LINE], b"\n".to_vec()].concat();
        assert_eq!(lines(&text, all(&text)).0.len(), 1);
    }

    #[test]
    fn a_part_begins_with_a_whole_line_and_ends_where_it_should() {
        let text = b"one\ntwo\nthree\nfour\n";
        let part = Part {
            from: 2,
            to: 14,
            is_torn: true,
        };
        let (found, read) = lines(text, part);
        assert_eq!(found, [(4, "two".to_owned()), (8, "three".to_owned())]);
        assert_eq!(read.position, 14);
    }
}
