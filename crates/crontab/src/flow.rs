//! The order in which a shell executes the commands of a line, on a server where rcron does not run its job: POSIX.1-2024, "Shell
//! Command Language", 2.9 and 2.10. Lists, pipelines, groups, `if` and loops are followed; `case` and functions are not.

use crate::call::{self, Call};
use crate::outside::{Act, Effect, is_harmless, truncations};
use crate::script;
use crate::shell::{Redirection, SimpleCommand, Word, is_one_of};
use alloc::vec::Vec;

/// How deep compound commands may be nested.
const DEEPEST: usize = 50;

/// What is known about a line.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// The calls of rcron, in their order.
    pub calls: Vec<Call>,
    /// What a passive server does although rcron does not run the job: the first command that it runs, and every file that it
    /// truncates.
    pub effects: Vec<Effect>,
    /// Where the line has rcron in a construct that is not followed. The rest of the line is not judged then.
    pub unjudged: Option<Unjudged>,
}

/// A construct that is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// Where it begins.
    pub offset: usize,
    /// What it is.
    pub construct: Construct,
}

/// The kinds of constructs that are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Construct {
    /// `$(…)` or backquotes with rcron in them.
    Expansion,
    /// `case`, a function, or what is not shell grammar.
    Compound,
    /// The argument of `sh -c`, with a quote that is not closed.
    Script,
}

/// The status of a command on a passive server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Success,
    Failure,
    Unknown,
}

enum Token<'c> {
    /// A control operator, or a keyword.
    Mark(&'static str, usize),
    /// A command without the keywords before it.
    Command(&'c SimpleCommand, &'c [Word]),
    /// After the end of a compound command.
    Redirections(&'c [Redirection]),
}

const OPENERS: [&str; 11] = [
    "if", "then", "elif", "else", "while", "until", "do", "{", "!", "for", "select",
];
const CLOSERS: [&str; 3] = ["fi", "done", "}"];

/// Judges the commands of a line.
#[must_use]
pub fn judge(commands: &[SimpleCommand]) -> Judgement {
    let mut walk = Walk {
        tokens: tokens(commands),
        ..Walk::default()
    };
    let walked = walk.list().and_then(|_| walk.expect_end());
    let mut judgement = walk.judgement;
    let is_concerned = !judgement.calls.is_empty() || commands.iter().any(mentions_rcron);
    if let Err(unjudged) = walked {
        judgement.unjudged = Some(unjudged).filter(|unjudged| is_concerned || unjudged.construct == Construct::Script);
    }
    let hidden = || {
        commands
            .iter()
            .flat_map(|simple| &simple.words)
            .find(|word| is_hidden(word))
    };
    if judgement.unjudged.is_none() {
        judgement.unjudged = hidden().map(|word| Unjudged {
            offset: word.offset,
            construct: Construct::Expansion,
        });
    }
    judgement
}

fn mentions_rcron(simple: &SimpleCommand) -> bool {
    simple.words.iter().any(|word| call::is_rcron(&word.text))
}

/// Whether the shell runs rcron to expand the word.
fn is_hidden(word: &Word) -> bool {
    let has_command = word.text.windows(2).any(|pair| pair == b"$(") || word.text.contains(&b'`');
    !word.is_literal && has_command && call::is_mentioned(&word.text)
}

fn tokens(commands: &[SimpleCommand]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for simple in commands {
        let mut words = simple.words.as_slice();
        tokens.extend(
            simple
                .before
                .map(|operator| Token::Mark(operator.text, operator.offset)),
        );
        let mut is_closed = simple.before.is_some_and(|operator| operator.text == ")");
        while let Some((first, rest)) = words.split_first().filter(|(first, _)| !first.is_quoted) {
            let known = |list: &[&'static str]| list.iter().find(|known| known.as_bytes() == first.text).copied();
            let Some(keyword) = known(&OPENERS).or_else(|| known(&CLOSERS)) else {
                break;
            };
            tokens.push(Token::Mark(keyword, first.offset));
            is_closed = known(&CLOSERS).is_some();
            words = rest;
            if matches!(keyword, "for" | "select") {
                words = &[]; // NAME in WORD…
                break;
            }
        }
        if !words.is_empty() {
            tokens.push(Token::Command(simple, words));
        } else if is_closed && !simple.redirections.is_empty() {
            tokens.push(Token::Redirections(&simple.redirections));
        } else if !simple.redirections.is_empty() {
            tokens.push(Token::Command(simple, words));
        }
    }
    tokens
}

#[derive(Default)]
struct Walk<'c> {
    tokens: Vec<Token<'c>>,
    at: usize,
    depth: usize,
    /// How many of the branches around are certainly not executed on a passive server.
    skipped: usize,
    /// The operator or keyword before the command, with its offset.
    before: Option<(&'static str, usize)>,
    /// Whether rcron was called on the way to this command.
    has_called: bool,
    has_follower: bool,
    judgement: Judgement,
}

type Walked = Result<Status, Unjudged>;

impl Walk<'_> {
    fn mark(&self) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some(Token::Mark(text, _)) => Some(text),
            _ => None,
        }
    }

    /// Takes the next mark if it is one of these.
    fn take(&mut self, marks: &[&str]) -> Option<&'static str> {
        let Some(Token::Mark(text, offset)) = self.tokens.get(self.at) else {
            return None;
        };
        if !marks.contains(text) {
            return None;
        }
        self.before = Some((*text, *offset));
        self.at += 1;
        Some(*text)
    }

    fn expect(&mut self, mark: &str) -> Result<(), Unjudged> {
        self.take(&[mark]).map(drop).ok_or_else(|| self.unjudged())
    }

    fn expect_end(&self) -> Result<(), Unjudged> {
        if self.at == self.tokens.len() {
            Ok(())
        } else {
            Err(self.unjudged())
        }
    }

    fn unjudged(&self) -> Unjudged {
        let offset = match self.tokens.get(self.at) {
            Some(Token::Mark(_, offset)) => *offset,
            Some(Token::Command(_, words)) => words.first().map_or(0, |word| word.offset),
            Some(Token::Redirections(redirections)) => redirections.first().map_or(0, |first| first.operator.offset),
            None => self.before.map_or(0, |(_, offset)| offset),
        };
        Unjudged {
            offset,
            construct: Construct::Compound,
        }
    }

    /// Commands with `;` or `&` between them, up to a mark that ends the list.
    fn list(&mut self) -> Walked {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.unjudged());
        }
        let mut status = Status::Success;
        loop {
            let is_command = matches!(self.tokens.get(self.at), Some(Token::Command(..)));
            let is_opened = matches!(
                self.mark(),
                Some("if" | "while" | "until" | "{" | "!" | "for" | "select" | "(")
            );
            if !is_command && !is_opened {
                break;
            }
            status = self.and_or()?;
            match self.take(&[";", "&"]) {
                Some("&") => status = Status::Success,
                Some(_) => {}
                None => break,
            }
        }
        self.depth -= 1;
        Ok(status)
    }

    fn and_or(&mut self) -> Walked {
        let mut status = self.pipeline()?;
        while let Some(operator) = self.take(&["&&", "||"]) {
            let skips = if operator == "&&" {
                Status::Failure
            } else {
                Status::Success
            };
            let is_skipped = status == skips;
            let next = self.branch(is_skipped, Self::pipeline)?;
            if !is_skipped {
                status = next;
            }
        }
        Ok(status)
    }

    /// Walks through a part that is perhaps not executed.
    fn branch(&mut self, is_skipped: bool, part: impl FnOnce(&mut Self) -> Walked) -> Walked {
        self.skipped += usize::from(is_skipped);
        let status = part(self);
        self.skipped -= usize::from(is_skipped);
        status
    }

    fn pipeline(&mut self) -> Walked {
        let mut is_inverted = false;
        while self.take(&["!"]).is_some() {
            is_inverted = !is_inverted;
        }
        let mut status = self.element()?;
        while self.take(&["|", "|&"]).is_some() {
            status = self.element()?;
        }
        Ok(match status {
            Status::Success if is_inverted => Status::Failure,
            Status::Failure if is_inverted => Status::Success,
            status => status,
        })
    }

    fn element(&mut self) -> Walked {
        if let Some(Token::Command(simple, words)) = self.tokens.get(self.at) {
            let (simple, words) = (*simple, *words);
            self.at += 1;
            return self.command(simple, words);
        }
        let calls = self.judgement.calls.len();
        let status = match self.take(&["if", "while", "until", "for", "select", "{", "("]) {
            Some("if") => self.condition()?,
            Some("while") => self.repetition(Status::Failure)?,
            Some("until") => self.repetition(Status::Success)?,
            Some("for" | "select") => self.iteration()?,
            Some("{") => self.group("}")?,
            Some("(") => self.group(")")?,
            _ => return Err(self.unjudged()),
        };
        if let Some(Token::Redirections(redirections)) = self.tokens.get(self.at) {
            self.at += 1;
            if self.judgement.calls.len() > calls && self.skipped == 0 {
                self.judgement.effects.extend(truncations(redirections));
            }
        }
        Ok(status)
    }

    fn group(&mut self, end: &str) -> Walked {
        let status = self.list()?;
        self.expect(end)?;
        Ok(status)
    }

    /// After `if` or `elif`.
    fn condition(&mut self) -> Walked {
        let condition = self.list()?;
        self.expect("then")?;
        let before = self.has_called;
        let then = self.branch(condition == Status::Failure, Self::list)?;
        let has_called = core::mem::replace(&mut self.has_called, before);
        let is_skipped = condition == Status::Success;
        let otherwise = match self.take(&["elif", "else"]) {
            Some("elif") => self.branch(is_skipped, Self::condition)?,
            Some(_) => {
                let status = self.branch(is_skipped, Self::list)?;
                self.expect("fi")?;
                status
            }
            None => {
                self.expect("fi")?;
                Status::Success
            }
        };
        self.has_called |= has_called;
        Ok(match condition {
            Status::Success => then,
            Status::Failure => otherwise,
            Status::Unknown => Status::Unknown,
        })
    }

    fn repetition(&mut self, end: Status) -> Walked {
        let condition = self.list()?;
        self.expect("do")?;
        self.branch(condition == end, Self::list)?;
        self.expect("done")?;
        Ok(Status::Unknown)
    }

    fn iteration(&mut self) -> Walked {
        self.take(&[";"]);
        self.expect("do")?;
        self.list()?;
        self.expect("done")?;
        Ok(Status::Unknown)
    }

    fn command(&mut self, simple: &SimpleCommand, words: &[Word]) -> Walked {
        let is_executed = self.skipped == 0;
        let assignments = words.iter().take_while(|word| word.is_assignment()).count();
        let command = &words[assignments..];
        if let Some(at) = call::position(command) {
            self.judgement.calls.push(Call {
                words: command[at..].to_vec(),
                is_behind: self.before.is_some() || at + assignments > 0,
            });
            if is_executed {
                self.has_called = true;
                self.judgement.effects.extend(truncations(&simple.redirections));
            }
            return Ok(Status::Success);
        }
        if let Some(script) = script::of(command) {
            return self.script(simple, &script);
        }
        let Some(name) = command.first() else {
            return Ok(Status::Unknown);
        };
        if is_executed && self.has_called && !self.has_follower && !is_harmless(&name.text) {
            self.has_follower = true;
            let (operator, offset) = self.before.unwrap_or(("", name.offset));
            self.judgement.effects.push(Effect {
                act: match operator {
                    "|" | "|&" => Act::Pipes,
                    _ => Act::Runs(operator),
                },
                object: name.text.clone(),
                offset,
            });
        }
        Ok(match () {
            () if is_one_of("true : exit", &name.text) => Status::Success,
            () if name.text == b"false" => Status::Failure,
            () => Status::Unknown,
        })
    }

    /// `sh -c '…'`: a line within the line.
    fn script(&mut self, simple: &SimpleCommand, script: &script::Script) -> Walked {
        let unjudged = Unjudged {
            offset: script.offset,
            construct: Construct::Script,
        };
        let commands = script.commands.as_ref().ok_or(unjudged)?;
        let mut inner = Walk {
            tokens: tokens(commands),
            depth: self.depth,
            skipped: self.skipped,
            before: Some(("-c", script.offset)),
            has_called: self.has_called,
            has_follower: self.has_follower,
            judgement: core::mem::take(&mut self.judgement),
            ..Walk::default()
        };
        let calls = inner.judgement.calls.len();
        let status = inner.list().and_then(|status| inner.expect_end().map(|()| status));
        (self.has_called, self.has_follower) = (inner.has_called, inner.has_follower);
        self.judgement = inner.judgement;
        if self.judgement.calls.len() > calls && self.skipped == 0 {
            self.judgement.effects.extend(truncations(&simple.redirections));
        }
        status
    }
}

#[cfg(test)]
mod tests;
