//! A command line as a POSIX shell takes it apart: POSIX.1-2024, "Shell Command Language", 2.2, 2.3 and 2.9. Only as far as
//! words and operators go; what a shell would expand is kept as it stands, and marked.

/// A word after quote removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: Vec<u8>,
    /// Whether the shell takes it literally: no `$`, `` ` ``, pattern or `~` that it would expand.
    pub(crate) is_literal: bool,
    /// Whether any of it is quoted: a quoted `if` is no keyword.
    pub(crate) is_quoted: bool,
    /// Where it begins.
    pub(crate) offset: usize,
}

/// Words up to an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Simple {
    pub(crate) words: Vec<Word>,
    /// The operator of each redirection, where it stands, and its target.
    pub(crate) redirections: Vec<(&'static str, usize, Word)>,
    /// What comes before it, and where: `&&`, `|`, `;`; nothing before the first.
    pub(crate) before: Option<(&'static str, usize)>,
}

/// A quote or an expansion that is not closed, and where it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open(pub(crate) usize);

/// Longest first.
const REDIRECTIONS: [&str; 11] = ["&>>", "<<<", "&>", ">>", ">&", ">|", "<<", "<&", "<>", ">", "<"];
const CONTROLS: [&str; 9] = ["&&", "||", ";;", "|&", "|", "&", ";", "(", ")"];

/// Takes a command line apart.
pub(crate) fn parse(line: &[u8]) -> Result<Vec<Simple>, Open> {
    let mut commands = vec![Simple::default()];
    let mut at = 0;
    let mut pending = None;
    while at < line.len() {
        let command = commands.last_mut().expect("never empty");
        let rest = &line[at..];
        if rest[0].is_ascii_whitespace() {
            at += 1;
        } else if rest[0] == b'#' {
            break;
        } else if let Some(operator) = starting(rest, &REDIRECTIONS) {
            pending = Some((operator, at));
            at += operator.len();
        } else if let Some(operator) = starting(rest, &CONTROLS) {
            let before = Some((operator, at));
            commands.push(Simple {
                before,
                ..Simple::default()
            });
            at += operator.len();
        } else {
            let (word, end) = word(line, at)?;
            let is_number = !word.is_quoted && word.text.iter().all(u8::is_ascii_digit);
            let is_descriptor = is_number && matches!(line.get(end), Some(b'<' | b'>'));
            match pending.take() {
                Some((operator, offset)) => command.redirections.push((operator, offset, word)),
                None if is_descriptor => {} // 2>file
                None => command.words.push(word),
            }
            at = end;
        }
    }
    Ok(commands)
}

fn starting(rest: &[u8], operators: &[&'static str]) -> Option<&'static str> {
    operators
        .iter()
        .find(|operator| rest.starts_with(operator.as_bytes()))
        .copied()
}

fn word(line: &[u8], start: usize) -> Result<(Word, usize), Open> {
    let mut word = Word {
        is_literal: line[start] != b'~',
        offset: start,
        ..Word::default()
    };
    let mut at = start;
    while let Some(byte) = line.get(at) {
        match byte {
            b'\'' => at = single(line, at, &mut word)?,
            b'"' => at = double(line, at, &mut word)?,
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
    Ok((word, at.min(line.len())))
}

fn single(line: &[u8], open: usize, word: &mut Word) -> Result<usize, Open> {
    let inside = &line[open + 1..];
    let length = inside.iter().position(|byte| *byte == b'\'').ok_or(Open(open))?;
    word.text.extend_from_slice(&inside[..length]);
    word.is_quoted = true;
    Ok(open + length + 2)
}

fn double(line: &[u8], open: usize, word: &mut Word) -> Result<usize, Open> {
    word.is_quoted = true;
    let mut at = open + 1;
    loop {
        match line.get(at).ok_or(Open(open))? {
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

/// `$x`, `${…}`, `$(…)`, `` `…` ``: copied as it stands.
fn expansion(line: &[u8], open: usize, word: &mut Word) -> Result<usize, Open> {
    word.is_literal = false;
    let end = match &line[open..] {
        [b'`', inside @ ..] => {
            let length = inside.iter().position(|byte| *byte == b'`').ok_or(Open(open))?;
            open + length + 2
        }
        [_, b'(', ..] => closing(line, open, b'(', b')')?,
        [_, b'{', ..] => closing(line, open, b'{', b'}')?,
        _ => open + 1,
    };
    word.text.extend_from_slice(&line[open..end]);
    Ok(end)
}

/// After the bracket that closes the one behind the `$` at `open`.
fn closing(line: &[u8], open: usize, left: u8, right: u8) -> Result<usize, Open> {
    let (mut depth, mut at, mut ignored) = (0usize, open + 1, Word::default());
    while let Some(byte) = line.get(at) {
        match byte {
            b'\'' => at = single(line, at, &mut ignored)? - 1,
            b'"' => at = double(line, at, &mut ignored)? - 1,
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
    Err(Open(open))
}

/// `NAME=value` before a command.
pub(crate) fn is_assignment(word: &Word) -> bool {
    let Some(equals) = word.text.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    let name = &word.text[..equals];
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    name.first().is_some_and(|first| !first.is_ascii_digit()) && name.iter().all(is_name)
}

impl Simple {
    /// The words without the assignments before them.
    pub(crate) fn command(&self) -> &[Word] {
        let assignments = self.words.iter().take_while(|word| is_assignment(word)).count();
        &self.words[assignments..]
    }

    /// The command's name, where the shell takes it literally.
    pub(crate) fn name(&self) -> Option<&[u8]> {
        self.command()
            .first()
            .filter(|word| word.is_literal)
            .map(|word| word.text.as_slice())
    }

    /// Whether a keyword or a bracket is here: more than a list of commands.
    pub(crate) fn is_compound(&self) -> bool {
        const KEYWORDS: [&[u8]; 18] = [
            b"if",
            b"then",
            b"else",
            b"elif",
            b"fi",
            b"for",
            b"while",
            b"until",
            b"do",
            b"done",
            b"case",
            b"esac",
            b"{",
            b"}",
            b"!",
            b"[[",
            b"function",
            b"select",
        ];
        let keyword = self.words.first().filter(|word| !word.is_quoted);
        matches!(self.before, Some(("(" | ")" | ";;", _)))
            || keyword.is_some_and(|word| KEYWORDS.contains(&word.text.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    /// Commands as `[operator] words {redirections}`.
    fn shown(line: &str) -> String {
        let commands = match parse(line.as_bytes()) {
            Ok(commands) => commands,
            Err(Open(at)) => return format!("open {at}"),
        };
        let mut text = String::new();
        for command in commands {
            if let Some((operator, _)) = command.before {
                write!(text, "[{operator}]").expect("a string");
            }
            for word in command.words {
                let mark = if word.is_literal { "" } else { "~" };
                write!(text, "({mark}{})", String::from_utf8_lossy(&word.text)).expect("a string");
            }
            for (operator, _, target) in command.redirections {
                write!(text, "{{{operator} {}}}", String::from_utf8_lossy(&target.text)).expect("a string");
            }
        }
        text
    }

    #[test]
    fn lines_are_taken_apart() {
        for (line, expected) in [
            ("rcron a b", "(rcron)(a)(b)"),
            ("rcron 'a && b'", "(rcron)(a && b)"),
            ("rcron \"a \\\" b\" c\\ d", "(rcron)(a \" b)(c d)"),
            ("a&&b||c;d|e&f", "(a)[&&](b)[||](c)[;](d)[|](e)[&](f)"),
            ("a >f 2>&1 </dev/null", "(a){> f}{>& 1}{< /dev/null}"),
            ("a 2>>f 3 >g &>h", "(a)(3){>> f}{> g}{&> h}"),
            ("a # b; c", "(a)"),
            ("a b#c", "(a)(b#c)"),
            ("a $(b ')' | c) d", "(a)(~$(b ')' | c))(d)"),
            ("a \"$(b \"c\")\" `d e` ${f}g", "(a)(~$(b \"c\"))(~`d e`)(~${f}g)"),
            ("a *.txt ~/x", "(a)(~*.txt)(~~/x)"),
            ("(a; b)", "[(](a)[;](b)[)]"),
            ("a 'b", "open 2"),
            ("a \"b", "open 2"),
            ("a $(b", "open 2"),
            ("a `b", "open 2"),
            ("", ""),
            ("a\\", "(a)"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    /// Every line of up to five of the characters that mean something.
    #[test]
    fn any_line_is_taken_apart_or_open() {
        let mut lines = vec![Vec::new()];
        for _ in 0..5 {
            let longer = |line: &Vec<u8>| {
                b"a $(){'\"`\\&>"
                    .iter()
                    .map(|byte| [line.as_slice(), &[*byte]].concat())
                    .collect()
            };
            lines = lines.iter().flat_map::<Vec<Vec<u8>>, _>(longer).collect();
            for line in &lines {
                match parse(line) {
                    Ok(commands) => assert!(!commands.is_empty()),
                    Err(Open(at)) => assert!(at < line.len(), "{line:?}"),
                }
            }
        }
    }

    #[test]
    fn a_command_stands_after_its_assignments() {
        let commands = parse(b"A=1 B='x y' job C=3").expect("closed");
        assert_eq!(commands[0].name(), Some(&b"job"[..]));
        assert_eq!(commands[0].command().len(), 2);
        assert!(parse(b"if true; then a; fi").expect("closed")[0].is_compound());
        assert!(!parse(b"'if' true").expect("closed")[0].is_compound());
    }
}
