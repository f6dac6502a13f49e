//! What a command prints: answers on stdout, warnings on stderr.

use crate::failure::Failure;
use policy::display::{is_printable, json_escape};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use sys::output::{to_stderr, to_stdout};

/// In bytes: how much is written at once.
const BUFFER: usize = 64 << 10;

/// Prints text to stdout. A reader that has closed the pipe, as in `rcronctl history | head`, has seen enough.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    print_pieces(std::iter::once(text.to_owned()))
}

/// Prints one text after the other, each as soon as it is made; ends early if the reader has closed the pipe.
pub(crate) fn print_pieces(mut pieces: impl Iterator<Item = String>) -> Result<(), Failure> {
    is_written(pieces.try_for_each(|piece| to_stdout(piece.as_bytes())))
}

/// Calls `write` with stdout, which is buffered until it is flushed.
pub(crate) fn print_bytes(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(BUFFER, Stdout);
    let written = write(&mut out).and_then(|()| out.flush());
    if written.is_err() {
        // The rest must not be written a second time, when the buffer is dropped.
        let _ = out.into_parts();
    }
    is_written(written)
}

/// Prints one JSON document to stdout while it is made.
pub(crate) fn print_json(document: &impl Serialize) -> Result<(), Failure> {
    print_bytes(|out| {
        let formatter = Printable(Indented::default());
        document.serialize(&mut Serializer::with_formatter(&mut *out, formatter))?;
        out.write_all(b"\n")
    })
}

/// One JSON document in one line.
pub(crate) fn json_line(document: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut text = Vec::new();
    document.serialize(&mut Serializer::with_formatter(&mut text, Printable(CompactFormatter)))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Prints a warning to stderr.
pub(crate) fn warn(text: impl Display) {
    to_stderr(format!("rcronctl: warning: {text}\n").as_bytes());
}

/// The failure of a write to stdout, unless the reader has closed the pipe.
pub(crate) fn is_written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::cannot("write to stdout", &error)),
    }
}

struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        to_stdout(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Escapes each character that a terminal must not get: JSON is also looked at with less(1).
struct Printable<F>(F);

impl<F: Formatter> Formatter for Printable<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly all texts are of this kind, and looking at bytes is quicker.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, character)) = rest.char_indices().find(|(_, character)| !is_printable(*character)) {
            out.write_all(&rest.as_bytes()[..at])?;
            out.write_all(json_escape(character).as_bytes())?;
            rest = &rest[at + character.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

/// What begins a line: [`Indented`] writes a part of it.
const BEGIN: &[u8] = b",\n                                                                ";

/// Indents as `serde_json::ser::PrettyFormatter` does, but writes the beginning of a line at once. `history -n 0` has ten million.
#[derive(Default)]
struct Indented {
    depth: usize,
    has_value: bool,
}

impl Indented {
    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        out.write_all(bracket)
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_value {
            self.begin_line(out, true)?;
        }
        out.write_all(bracket)
    }

    fn begin_line<W: ?Sized + Write>(&self, out: &mut W, is_first: bool) -> io::Result<()> {
        let comma = usize::from(is_first);
        let end = (2 + 2 * self.depth).min(BEGIN.len());
        out.write_all(&BEGIN[comma..end])
    }
}

impl Formatter for Indented {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.begin_line(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.begin_line(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_indented_as_is_usual() {
        let document = serde_json::json!({"runs": [{"a": 1, "b": [], "c": {}}, {"d": [[1, 2], "x"]}], "more": false, "unseen": []});
        let mut text = Vec::new();
        document
            .serialize(&mut Serializer::with_formatter(
                &mut text,
                Printable(Indented::default()),
            ))
            .expect("JSON");
        assert_eq!(
            String::from_utf8_lossy(&text),
            serde_json::to_string_pretty(&document).expect("JSON")
        );
    }

    #[test]
    fn json_has_no_character_that_moves_the_cursor_or_turns_the_text() {
        let raw = "a\u{9b}2J\u{202e}b\u{7f}\u{e0041}\n\"é";
        let text = json_line(&raw).expect("JSON");
        assert_eq!(text, r#""a\u009b2J\u202eb\u007f\udb40\udc41\n\"é""#);
        let read: String = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read, raw, "a reader gets the text as it was");
    }
}
