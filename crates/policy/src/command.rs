//! The job on the command line: what is executed, and how (rcron(8), "COMMAND").

use alloc::vec;
use alloc::vec::Vec;

/// The shell of command lines and of scripts without `#!`, as in system(3) and execvp(3).
pub const SHELL: &[u8] = b"/bin/sh";

/// The longest text of a job in its environment, in bytes: execve(2) rejects a string of 128 KiB.
pub const LONGEST_NAME: usize = 4096;

/// A job as it will be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The words as they were given.
    words: Vec<Vec<u8>>,
    /// How many of the first words are `NAME=VALUE`.
    assignments: usize,
    /// How the other words are executed.
    pub mode: Mode,
}

/// How a job is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The program itself, with exactly these arguments.
    Direct,
    /// One command line, executed by the shell.
    Shell,
}

/// There is no word to execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCommand;

impl Job {
    /// Reads the words after rcron's own options.
    ///
    /// Leading `NAME=VALUE` words set the environment, as with env(1). Several words after them are a program and its
    /// arguments; one word is a command line if it holds a blank or a character that a shell does not take literally.
    ///
    /// # Errors
    /// [`NoCommand`] if nothing is left to execute.
    pub fn read(words: Vec<Vec<u8>>) -> Result<Self, NoCommand> {
        let mut assignments = words.iter().take_while(|word| is_assignment(word)).count();
        if assignments == words.len() && words.last().is_some_and(|last| is_command_line(last)) {
            assignments -= 1; // 'A=1 job' is a command line for the shell
        }
        let mode = match &words[assignments..] {
            [] => return Err(NoCommand),
            [line] if is_command_line(line) => Mode::Shell,
            _ => Mode::Direct,
        };
        Ok(Self {
            words,
            assignments,
            mode,
        })
    }

    /// The leading `NAME=VALUE` words.
    pub fn assignments(&self) -> &[Vec<u8>] {
        &self.words[..self.assignments]
    }

    /// What is executed: the program's name and its arguments.
    pub fn argv(&self) -> Vec<&[u8]> {
        let words = &self.words[self.assignments..];
        match self.mode {
            Mode::Direct => words.iter().map(Vec::as_slice).collect(),
            // Without `--`, sh(1) would take a line that begins with `-` or `+` as options.
            Mode::Shell if matches!(words[0].first(), Some(b'-' | b'+')) => vec![SHELL, b"-c", b"--", &words[0]],
            Mode::Shell => vec![SHELL, b"-c", &words[0]],
        }
    }

    /// All words, separated by blanks, as 0.1.0 logged them; at most `limit` bytes.
    #[must_use]
    pub fn text(&self, limit: usize) -> Vec<u8> {
        joined(&self.words, limit)
    }

    /// Whether the words look as if they were meant for a shell (`cd /x '&&' job`), which 0.1.0 used.
    #[must_use]
    pub fn looks_like_shell(&self) -> bool {
        let words = &self.words[self.assignments..];
        let is_builtin = words.first().is_some_and(|word| SHELL_WORDS.contains(&word.as_slice()));
        self.mode == Mode::Direct && (is_builtin || words.iter().any(|word| is_operator(word)))
    }
}

/// Words separated by blanks, cut at `limit` bytes.
#[must_use]
pub fn joined(words: &[Vec<u8>], limit: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        let room = limit.saturating_sub(text.len());
        text.extend_from_slice(&word[..word.len().min(room)]);
        if word.len() >= room {
            break;
        }
    }
    text.truncate(limit);
    text
}

/// Words that only a shell knows; POSIX.1-2024, "Shell Command Language", 2.4 and 2.15, and bash's `source`.
const SHELL_WORDS: [&[u8]; 23] = [
    b".", b":", b"!", b"{", b"(", b"[[", b"alias", b"case", b"cd", b"eval", b"exec", b"export", b"for", b"if", b"set",
    b"source", b"trap", b"ulimit", b"umask", b"unset", b"until", b"wait", b"while",
];

/// `[A-Za-z_][A-Za-z0-9_]*=…`
fn is_assignment(word: &[u8]) -> bool {
    let mut parts = word.splitn(2, |byte| *byte == b'=');
    let name = parts.next().unwrap_or_default();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    parts.next().is_some() && name.first().is_some_and(|first| !first.is_ascii_digit()) && name.iter().all(is_name)
}

/// Whether the word contains a blank or a character that must be quoted for a shell: POSIX.1-2024, "Shell Command Language",
/// 2.2, except `=` and `%`.
fn is_command_line(word: &[u8]) -> bool {
    word.iter()
        .any(|byte| byte.is_ascii_whitespace() || b"|&;<>()$`\\\"'*?[#~".contains(byte))
}

/// `&&`, `;`, `2>&1`, `>file`, `a;` and similar words.
fn is_operator(word: &[u8]) -> bool {
    let bare = word.trim_ascii_start();
    let after_digits = &bare[bare.iter().take_while(|byte| byte.is_ascii_digit()).count()..];
    matches!(after_digits.first(), Some(b'|' | b'&' | b';' | b'<' | b'>')) || (word.len() > 1 && word.ends_with(b";"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn job(words: &[&str]) -> Job {
        Job::read(words.iter().map(|word| word.as_bytes().to_vec()).collect()).expect("a command")
    }

    #[test]
    fn several_words_are_executed_as_they_are() {
        for words in [
            &["a", "b c", "$x"][..],
            &["a", "&&", "b"],
            &["a", ""],
            &["a;b", "c"],
            &["", "x"],
        ] {
            assert_eq!(job(words).mode, Mode::Direct, "{words:?}");
            let argv: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            assert_eq!(job(words).argv(), argv);
        }
    }

    #[test]
    fn one_word_is_a_program_or_a_command_line() {
        for word in [
            "job",
            "/usr/bin/job",
            "./job-1.2_x",
            "/opt/a=b",
            "100%",
            "a,b:c@d+e",
            "grün",
            "{",
            "!",
        ] {
            assert_eq!(job(&[word]).mode, Mode::Direct, "{word}");
        }
        for line in [
            "a b", "a|b", "a&", "a;b", "a>b", "a<b", "(a)", "$a", "`a`", "a\\b", "\"a\"", "'a'", "*", "a?", "[a]",
            "#a", "~/a", "a\tb", "a\nb", "A=1 b",
        ] {
            assert_eq!(job(&[line]).argv(), [SHELL, b"-c", line.as_bytes()], "{line}");
        }
        assert_eq!(job(&["-x y"]).argv(), [SHELL, b"-c", b"--", b"-x y"]);
    }

    #[test]
    fn leading_assignments_are_for_the_environment() {
        for (words, assignments, argv) in [
            (&["A=1", "b"][..], 1, &["b"][..]),
            (&["A=1", "_b2=", "c", "D=4"], 2, &["c", "D=4"]),
            (&["A=1", "b c"], 1, &["/bin/sh", "-c", "b c"]),
            (&["A=1", "B=2 c"], 1, &["/bin/sh", "-c", "B=2 c"]),
            (&["A=1 b", "c"], 1, &["c"]),
            (&["2A=1", "b"], 0, &["2A=1", "b"]),
            (&["=1", "b"], 0, &["=1", "b"]),
            (&["A-B=1", "b"], 0, &["A-B=1", "b"]),
            (&["/A=1", "b"], 0, &["/A=1", "b"]),
        ] {
            let job = job(words);
            assert_eq!(job.assignments().len(), assignments, "{words:?}");
            assert_eq!(
                job.argv(),
                argv.iter().map(|word| word.as_bytes()).collect::<Vec<_>>(),
                "{words:?}"
            );
        }
        assert_eq!(Job::read(vec![]), Err(NoCommand));
        assert_eq!(Job::read(vec![b"A=1".to_vec()]), Err(NoCommand));
    }

    #[test]
    fn the_text_is_all_words() {
        assert_eq!(job(&["A=1", "b", "c d"]).text(100), b"A=1 b c d");
        for limit in 0..9 {
            assert_eq!(job(&["A=1", "b", "c d"]).text(limit), b"A=1 b c d"[..limit], "{limit}");
        }
    }

    #[test]
    fn shell_syntax_among_the_words_is_recognized() {
        for words in [
            &["cd", "/x", "&&", "job"][..],
            &["a", ";", "b"],
            &["a;", "b"],
            &["a", "|", "b"],
            &["a", ">", "f"],
            &["a", "2>&1"],
            &["a", ">f"],
            &["a", "2>", "f"],
            &["a", "&"],
            &["if", "true"],
            &[".", "env"],
            &["a", "&>f"],
        ] {
            assert!(job(words).looks_like_shell(), "{words:?}");
        }
        for words in [
            &["a", "b"][..],
            &["a", "1"],
            &["a", "-x"],
            &["a b; c"],
            &["ls", "a&b"],
            &["a", ""],
        ] {
            assert!(!job(words).looks_like_shell(), "{words:?}");
        }
    }

    proptest! {
        #[test]
        fn no_word_is_lost(words in proptest::collection::vec(proptest::collection::vec(1u8.., 0..8), 2..6)) {
            if let Ok(job) = Job::read(words.clone()) {
                prop_assert_eq!(job.text(usize::MAX), words.join(&b' '));
                if job.mode == Mode::Direct {
                    prop_assert_eq!(job.assignments().len() + job.argv().len(), words.len());
                }
            }
        }
    }
}
