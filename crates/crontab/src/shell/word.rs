//! Words: quotes and expansions.

use alloc::vec::Vec;

/// A word after quote removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Without its quotes. Expansions are kept as written.
    pub text: Vec<u8>,
    /// Whether the shell uses the text as it is: no `$`, `` ` ``, pattern or `~` that it would expand.
    pub is_literal: bool,
    /// Whether any part of it is quoted: a quoted `if` is not a keyword.
    pub is_quoted: bool,
    /// Whether it is one pair of quotes with nothing before, behind or escaped inside: a byte of the text is then one behind the
    /// same byte of the line.
    pub is_plain: bool,
    /// Where it begins in the line.
    pub offset: usize,
}

/// A quote or an expansion has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclosed {
    /// Where it begins in the line.
    pub offset: usize,
}

impl Word {
    /// Whether it is `NAME=value`, which sets a variable if it comes before a command.
    pub(crate) fn is_assignment(&self) -> bool {
        let Some(equals) = self.text.iter().position(|byte| *byte == b'=') else {
            return false;
        };
        let name = &self.text[..equals];
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        name.first().is_some_and(|first| !first.is_ascii_digit()) && name.iter().all(is_name)
    }
}

/// Parses the word that begins at `start`. Returns it with the offset of its end.
pub(super) fn parse(line: &[u8], start: usize) -> Result<(Word, usize), Unclosed> {
    let mut word = Word {
        is_literal: line[start] != b'~',
        offset: start,
        ..Word::default()
    };
    let mut at = start;
    while let Some(byte) = line.get(at) {
        match byte {
            b'\'' => at = single_quotes(line, at, &mut word)?,
            b'"' => at = double_quotes(line, at, &mut word)?,
            b'\\' => {
                word.is_quoted = true;
                word.text.extend(line.get(at + 1));
                at += 2;
            }
            b'$' | b'`' => at = expansion(line, at, &mut word)?,
            b'|' | b'&' | b';' | b'<' | b'>' | b'(' | b')' => break,
            blank if blank.is_ascii_whitespace() => break,
            plain => {
                word.is_literal &= !matches!(plain, b'*' | b'?' | b'[');
                word.text.push(*plain);
                at += 1;
            }
        }
    }
    let end = at.min(line.len());
    word.is_plain = word.is_quoted && end == start + word.text.len() + 2 && line[start + 1..end - 1] == word.text;
    Ok((word, end))
}

// Each of these appends what it finds to the word, and returns the offset behind it.

fn single_quotes(line: &[u8], open: usize, word: &mut Word) -> Result<usize, Unclosed> {
    word.is_quoted = true;
    let inside = &line[open + 1..];
    let length = position(inside, b'\'').ok_or(Unclosed { offset: open })?;
    word.text.extend_from_slice(&inside[..length]);
    Ok(open + length + 2)
}

fn double_quotes(line: &[u8], open: usize, word: &mut Word) -> Result<usize, Unclosed> {
    word.is_quoted = true;
    let mut at = open + 1;
    loop {
        match line.get(at).ok_or(Unclosed { offset: open })? {
            b'"' => return Ok(at + 1),
            b'\\' if matches!(line.get(at + 1), Some(b'$' | b'`' | b'"' | b'\\')) => {
                word.text.push(line[at + 1]);
                at += 2;
            }
            b'$' | b'`' => at = expansion(line, at, word)?,
            plain => {
                word.text.push(*plain);
                at += 1;
            }
        }
    }
}

/// `$x`, `${…}`, `$(…)` or `` `…` ``.
fn expansion(line: &[u8], open: usize, word: &mut Word) -> Result<usize, Unclosed> {
    word.is_literal = false;
    let end = match &line[open..] {
        [b'`', inside @ ..] => open + position(inside, b'`').ok_or(Unclosed { offset: open })? + 2,
        [_, b'(', ..] => after_bracket(line, open, b'(', b')')?,
        [_, b'{', ..] => after_bracket(line, open, b'{', b'}')?,
        _ => open + 1,
    };
    word.text.extend_from_slice(&line[open..end]);
    Ok(end)
}

/// Finds the end of the bracket that follows the `$` at `open`.
fn after_bracket(line: &[u8], open: usize, left: u8, right: u8) -> Result<usize, Unclosed> {
    let (mut depth, mut at, mut ignored) = (0usize, open + 1, Word::default());
    while let Some(byte) = line.get(at) {
        match byte {
            b'\'' => at = single_quotes(line, at, &mut ignored)? - 1,
            b'"' => at = double_quotes(line, at, &mut ignored)? - 1,
            b'\\' => at += 1,
            _ if *byte == left => depth += 1,
            _ if *byte == right => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Ok(at);
        }
    }
    Err(Unclosed { offset: open })
}

fn position(text: &[u8], byte: u8) -> Option<usize> {
    text.iter().position(|other| *other == byte)
}
