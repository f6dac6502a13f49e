//! A command line as a POSIX shell parses it: POSIX.1-2024, "Shell Command Language", 2.2, 2.3 and 2.9.
//!
//! Only words and operators are recognised. Text that the shell would expand is kept as written, and marked.

mod word;

use alloc::vec::Vec;
pub use word::{Unclosed, Word};

/// The words between two control operators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimpleCommand {
    /// Assignments, the name of the command, its arguments.
    pub words: Vec<Word>,
    /// In their order.
    pub redirections: Vec<Redirection>,
    /// The control operator before it; `None` for the first command of a line.
    pub before: Option<Operator>,
}

/// `>file`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    /// Without the number of a descriptor.
    pub operator: Operator,
    /// A file, a descriptor or `-`.
    pub target: Word,
}

/// An operator of the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// As written.
    pub text: &'static str,
    /// Where it begins in the line.
    pub offset: usize,
}

// Longer operators come first.
const REDIRECTIONS: [&str; 11] = ["&>>", "<<<", "&>", ">>", ">&", ">|", "<<", "<&", "<>", ">", "<"];
const CONTROLS: [&str; 9] = ["&&", "||", ";;", "|&", "|", "&", ";", "(", ")"];

const KEYWORDS: &str = "if then else elif fi for while until do done case esac { } ! [[ function select";

/// Commands that a shell executes itself: POSIX.1-2024, "Shell Command Language", 2.15, the utilities that shells build in, and
/// bash's own.
const BUILTINS: &str = ". : [ alias bg break builtin cd command continue declare dirs echo eval exec exit export false fc fg \
                        getopts hash jobs kill let local popd printf pushd pwd read readonly return set shift shopt source \
                        test time times trap true type typeset ulimit umask unalias unset wait";

/// Parses a command line. The result has at least one command, which may have no words.
///
/// # Errors
/// [`Unclosed`], if the shell would need another line.
pub fn parse(line: &[u8]) -> Result<Vec<SimpleCommand>, Unclosed> {
    let mut done = Vec::new();
    let mut command = SimpleCommand::default();
    let mut pending = None;
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        if rest[0].is_ascii_whitespace() {
            at += 1;
        } else if rest[0] == b'#' {
            break;
        } else if let Some(operator) = operator(rest, &REDIRECTIONS, at) {
            pending = Some(operator);
            at += operator.text.len();
        } else if let Some(operator) = operator(rest, &CONTROLS, at) {
            done.push(command);
            command = SimpleCommand {
                before: Some(operator),
                ..SimpleCommand::default()
            };
            at += operator.text.len();
        } else {
            let (target, end) = word::parse(line, at)?;
            let is_number = !target.is_quoted && target.text.iter().all(u8::is_ascii_digit);
            let is_descriptor = is_number && matches!(line.get(end), Some(b'<' | b'>'));
            match pending.take() {
                Some(operator) => command.redirections.push(Redirection { operator, target }),
                None if is_descriptor => {} // 2>file
                None => command.words.push(target),
            }
            at = end;
        }
    }
    done.push(command);
    Ok(done)
}

fn operator(rest: &[u8], operators: &[&'static str], offset: usize) -> Option<Operator> {
    let is_here = |text: &&&str| rest.starts_with(text.as_bytes());
    let text = *operators.iter().find(is_here)?;
    Some(Operator { text, offset })
}

/// Whether a word is in a list of words with blanks between them.
pub(crate) fn is_one_of(list: &str, word: &[u8]) -> bool {
    list.split(' ').any(|known| known.as_bytes() == word)
}

impl SimpleCommand {
    /// The words without the assignments before them.
    #[must_use]
    pub fn command(&self) -> &[Word] {
        let assignments = self.words.iter().take_while(|word| word.is_assignment()).count();
        &self.words[assignments..]
    }

    /// The command's name, if the shell does not expand it.
    #[must_use]
    pub fn name(&self) -> Option<&[u8]> {
        let name = self.command().first().filter(|word| word.is_literal)?;
        Some(&name.text)
    }

    /// The program that a shell certainly searches and executes for this command: `None` for a builtin, a part of a compound
    /// command, or a command with assignments, since one of them may be `PATH`.
    #[must_use]
    pub fn program(&self) -> Option<&[u8]> {
        let has_assignment = self.command().len() < self.words.len();
        let name = self.name().filter(|name| !is_one_of(BUILTINS, name))?;
        (!self.is_compound() && !has_assignment).then_some(name)
    }

    /// Whether it has a keyword or a bracket, so that the line is more than a list of commands.
    #[must_use]
    pub fn is_compound(&self) -> bool {
        let is_bracketed = self
            .before
            .is_some_and(|before| is_one_of("( ) ;;", before.text.as_bytes()));
        let first = self.words.first().filter(|word| !word.is_quoted);
        is_bracketed || first.is_some_and(|word| is_one_of(KEYWORDS, &word.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec;
    use core::fmt::Write;

    /// Commands as `[operator](word){redirection}`, with `~` before what the shell expands.
    fn shown(line: &str) -> String {
        let commands = match parse(line.as_bytes()) {
            Ok(commands) => commands,
            Err(Unclosed { offset }) => return format!("unclosed {offset}"),
        };
        let mut text = String::new();
        for command in commands {
            if let Some(operator) = command.before {
                write!(text, "[{}]", operator.text).expect("a string");
            }
            for word in command.words {
                let mark = if word.is_literal { "" } else { "~" };
                write!(text, "({mark}{})", String::from_utf8_lossy(&word.text)).expect("a string");
            }
            for Redirection { operator, target } in command.redirections {
                let target = String::from_utf8_lossy(&target.text);
                write!(text, "{{{} {target}}}", operator.text).expect("a string");
            }
        }
        text
    }

    #[test]
    fn lines_are_split_into_words_and_operators() {
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
            ("a 'b", "unclosed 2"),
            ("a \"b", "unclosed 2"),
            ("a $(b", "unclosed 2"),
            ("a `b", "unclosed 2"),
            ("", ""),
            ("a\\", "(a)"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    /// Every line of up to five of the characters that have a meaning.
    #[test]
    fn any_line_is_parsed_or_unclosed() {
        let mut lines = vec![Vec::new()];
        for _ in 0..5 {
            let longer = |line: &Vec<u8>| {
                let characters = b"a $(){'\"`\\&>".iter();
                characters.map(|byte| [line.as_slice(), &[*byte]].concat()).collect()
            };
            lines = lines.iter().flat_map::<Vec<Vec<u8>>, _>(longer).collect();
            for line in &lines {
                match parse(line) {
                    Ok(commands) => assert!(!commands.is_empty()),
                    Err(Unclosed { offset }) => assert!(offset < line.len(), "{line:?}"),
                }
            }
        }
    }

    #[test]
    fn commands_come_after_their_assignments() {
        let commands = parse(b"A=1 B='x y' job C=3").expect("closed");
        assert_eq!(commands[0].name(), Some(&b"job"[..]));
        assert_eq!(commands[0].command().len(), 2);
        assert!(parse(b"if true; then a; fi").expect("closed")[0].is_compound());
        assert!(!parse(b"'if' true").expect("closed")[0].is_compound());
    }
}
