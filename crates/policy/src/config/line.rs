//! Parsing one line of the configuration file.

use super::problem::{Problem, Span};

/// A part of a line, and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a [u8],
    pub(super) span: Span,
}

/// `key = value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) key: Piece<'a>,
    pub(super) value: Piece<'a>,
}

impl<'a> Line<'a> {
    /// Parses a line of the file; `None` for a blank line or a comment.
    pub(super) fn parse(line: &'a [u8]) -> Result<Option<Self>, Problem> {
        if let Some(at) = line.iter().position(|byte| *byte == 0) {
            let span = Span { start: at, end: at + 1 };
            return Err(Problem::new(span, "a NUL byte: this is not a text file".into()));
        }
        let end = line.trim_ascii_end().len();
        let start = end - line[..end].trim_ascii_start().len();
        if start == end || matches!(line[start], b'#' | b';') {
            return Ok(None);
        }
        let key = piece(line, start, end_of_key(line, start, end));
        if key.text.first() == Some(&b'[') {
            return Err(Problem::new(key.span, "there are no sections".into())
                .with_help("write one file for each cluster, and name it with --conf".into()));
        }
        let value_start = end_of_separator(line, key.span.end, end);
        if let Some(colon) = colon_for_separator(line, &key, value_start) {
            return Err(Problem::new(
                Span {
                    start: colon,
                    end: colon + 1,
                },
                "`:` is not a separator".into(),
            )
            .with_help("write it as `key = value`".into()));
        }
        Ok(Some(Self {
            key,
            value: value(line, value_start, end)?,
        }))
    }

    /// Parses `KEY=VALUE` of the command line. The shell has removed quotes.
    pub(super) fn parse_option(option: &'a [u8]) -> Result<Self, Problem> {
        let whole = Span {
            start: 0,
            end: option.len(),
        };
        let Some(equals) = option.iter().position(|byte| *byte == b'=') else {
            return Err(Problem::new(whole, "no `=`".into()).with_help("write it as KEY=VALUE".into()));
        };
        let text = option[equals + 1..].trim_ascii();
        let start = option.len() - option[equals + 1..].trim_ascii_start().len();
        let key_end = option[..equals].trim_ascii_end().len();
        let key_start = key_end - option[..key_end].trim_ascii_start().len();
        Ok(Self {
            key: piece(option, key_start, key_end),
            value: piece(option, start, start + text.len()),
        })
    }
}

fn piece(line: &[u8], start: usize, end: usize) -> Piece<'_> {
    Piece {
        text: &line[start..end],
        span: Span { start, end },
    }
}

fn end_of_key(line: &[u8], start: usize, end: usize) -> usize {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'=';
    line[start..end]
        .iter()
        .position(is_end)
        .map_or(end, |length| start + length)
}

/// The place of a `:` that was written instead of `=`, in the key or before the value.
fn colon_for_separator(line: &[u8], key: &Piece, value_start: usize) -> Option<usize> {
    if let Some(at) = key.text.iter().position(|byte| *byte == b':') {
        return Some(key.span.start + at);
    }
    let has_equals = line[key.span.end..value_start].contains(&b'=');
    (!has_equals && line.get(value_start) == Some(&b':')).then_some(value_start)
}

fn end_of_separator(line: &[u8], start: usize, end: usize) -> usize {
    let is_value = |byte: &u8| !byte.is_ascii_whitespace() && *byte != b'=';
    line[start..end]
        .iter()
        .position(is_value)
        .map_or(end, |length| start + length)
}

fn value(line: &[u8], start: usize, end: usize) -> Result<Piece<'_>, Problem> {
    match line[start..end].first() {
        None => Err(Problem::new(Span { start, end: start + 1 }, "no value".into())
            .with_help("write it as `key = value`; an empty value as \"\"".into())),
        Some(quote @ (b'"' | b'\'')) => quoted(line, *quote, start, end),
        Some(_) => unquoted(line, start, end),
    }
}

fn quoted(line: &[u8], quote: u8, start: usize, end: usize) -> Result<Piece<'_>, Problem> {
    let inside = start + 1;
    let Some(length) = line[inside..end].iter().position(|byte| *byte == quote) else {
        let opening = Span { start, end: inside };
        return Err(Problem::new(opening, "the quote is not closed on this line".into())
            .with_help("end the value with the same quote".into()));
    };
    let after = inside + length + 1;
    let rest = line[after..end].trim_ascii_start();
    if rest.is_empty() {
        return Ok(piece(line, inside, inside + length));
    }
    Err(junk_after_value(
        rest,
        Span {
            start: end - rest.len(),
            end,
        },
    ))
}

fn unquoted(line: &[u8], start: usize, end: usize) -> Result<Piece<'_>, Problem> {
    let Some(length) = line[start..end].iter().position(u8::is_ascii_whitespace) else {
        return Ok(piece(line, start, end));
    };
    let rest = line[start + length..end].trim_ascii_start();
    Err(junk_after_value(
        rest,
        Span {
            start: end - rest.len(),
            end,
        },
    ))
}

fn junk_after_value(rest: &[u8], span: Span) -> Problem {
    let help = if matches!(rest[0], b'#' | b';') {
        "a comment needs a line of its own"
    } else {
        "put quotes around a value of several words: \"…\" or '…'"
    };
    Problem::new(span, "the value has more than one word".into()).with_help(help.into())
}
