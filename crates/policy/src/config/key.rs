//! The keys, and what each one takes.

use super::OnDemotion;
use super::line::Piece;
use super::problem::Problem;
use crate::display::clipped;
use crate::duration;
use crate::priority::{Facility, Level};
use crate::state::Word;
use crate::suggest;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// A key of the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `cluster_name`.
    ClusterName,
    /// `state_file`.
    StateFile,
    /// `default_state`.
    DefaultState,
    /// `syslog_facility`.
    SyslogFacility,
    /// `syslog_level`.
    SyslogLevel,
    /// `syslog_socket`.
    SyslogSocket,
    /// `nice_level`.
    NiceLevel,
    /// `state_max_age`.
    StateMaxAge,
    /// `require_lease`.
    RequireLease,
    /// `on_demotion`.
    OnDemotion,
    /// `kill_after`.
    KillAfter,
    /// `journal`.
    Journal,
}

/// A key with a value of its own kind.
#[expect(missing_docs, reason = "each is the value of the key of the same name")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    ClusterName(Vec<u8>),
    StateFile(Vec<u8>),
    DefaultState(Word),
    SyslogFacility(Facility),
    SyslogLevel(Level),
    SyslogSocket(Vec<u8>),
    NiceLevel(i8),
    StateMaxAge(Option<Duration>),
    RequireLease(bool),
    OnDemotion(OnDemotion),
    KillAfter(Duration),
    Journal(Option<Vec<u8>>),
}

/// Half of what execve(2) takes as one string.
const LONGEST_NAME: usize = 64 * 1024;
/// `sun_path` of unix(7) without its NUL.
const LONGEST_SOCKET: usize = 107;

/// What is wrong with a value, before its place is known.
struct ValueError {
    message: String,
    help: Option<String>,
}

impl Key {
    /// Every key, in the order of rcron.conf(5).
    pub const ALL: [(&'static str, Self); 12] = [
        ("cluster_name", Self::ClusterName),
        ("state_file", Self::StateFile),
        ("default_state", Self::DefaultState),
        ("syslog_facility", Self::SyslogFacility),
        ("syslog_level", Self::SyslogLevel),
        ("syslog_socket", Self::SyslogSocket),
        ("nice_level", Self::NiceLevel),
        ("state_max_age", Self::StateMaxAge),
        ("require_lease", Self::RequireLease),
        ("on_demotion", Self::OnDemotion),
        ("kill_after", Self::KillAfter),
        ("journal", Self::Journal),
    ];

    pub(super) fn parse(name: Piece) -> Result<Self, Problem> {
        let known = Self::ALL.iter().find(|(known, _)| known.as_bytes() == name.text);
        known.map(|(_, key)| *key).ok_or_else(|| {
            let message = match name.text {
                b"" => String::from("no key before the `=`"),
                unknown => format!("unknown key `{}`", clipped(unknown)),
            };
            let meant = did_you_mean(name.text, Self::ALL.iter().map(|(known, _)| *known));
            Problem::new(name.span, message).with_help(meant.unwrap_or_else(|| "rcron.conf(5) lists the keys".into()))
        })
    }

    /// Reads the value, with a warning where it is taken otherwise than it stands.
    pub(super) fn value(self, piece: Piece) -> Result<(Value, Option<Problem>), Problem> {
        let value = match self {
            Self::NiceLevel => return nice_level(piece),
            Self::ClusterName => cluster_name(piece.text),
            Self::StateFile => path(piece.text).map(Value::StateFile),
            Self::SyslogSocket => socket(piece.text),
            Self::DefaultState => default_state(piece.text),
            Self::SyslogFacility => facility(piece.text),
            Self::SyslogLevel => level(piece.text),
            Self::StateMaxAge => max_age(piece.text),
            Self::RequireLease => one_of(
                piece.text,
                [("yes", Value::RequireLease(true)), ("no", Value::RequireLease(false))],
            ),
            Self::OnDemotion => one_of(
                piece.text,
                [
                    ("continue", Value::OnDemotion(OnDemotion::Continue)),
                    ("terminate", Value::OnDemotion(OnDemotion::Terminate)),
                ],
            ),
            Self::KillAfter => span(piece.text).map(Value::KillAfter),
            Self::Journal => journal(piece.text),
        };
        value.map(|value| (value, None)).map_err(|refusal| refusal.at(piece))
    }
}

impl ValueError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: Some(help.into()),
        }
    }

    fn at(self, piece: Piece) -> Problem {
        let problem = Problem::new(piece.span, self.message);
        match self.help {
            Some(help) => problem.with_help(help),
            None => problem,
        }
    }
}

fn cluster_name(text: &[u8]) -> Result<Value, ValueError> {
    if text.len() > LONGEST_NAME {
        return Err(ValueError::new(
            "the name is longer than 64 KiB",
            "it goes into the job's environment: make it short",
        ));
    }
    Ok(Value::ClusterName(text.to_vec()))
}

fn socket(text: &[u8]) -> Result<Value, ValueError> {
    let path = path(text)?;
    if path.len() > LONGEST_SOCKET {
        return Err(ValueError::new(
            "the path is longer than 107 bytes",
            "unix(7) allows no longer one for a socket",
        ));
    }
    Ok(Value::SyslogSocket(path))
}

fn path(text: &[u8]) -> Result<Vec<u8>, ValueError> {
    if text.is_empty() {
        return Err(ValueError::new("an empty path", "give the file's path"));
    }
    Ok(text.to_vec())
}

fn journal(text: &[u8]) -> Result<Value, ValueError> {
    match text {
        b"none" => Ok(Value::Journal(None)),
        [b'/', ..] => Ok(Value::Journal(Some(text.to_vec()))),
        _ => Err(ValueError::new(
            format!("`{}` is no absolute path", clipped(text)),
            "give a directory's path, or `none`",
        )),
    }
}

fn default_state(text: &[u8]) -> Result<Value, ValueError> {
    Word::parse(text)
        .map(Value::DefaultState)
        // No guess here: `inactive` is near to the wrong one.
        .ok_or_else(|| unknown("state", text, "write `active` or `passive`"))
}

fn facility(text: &[u8]) -> Result<Value, ValueError> {
    Facility::parse(text).map(Value::SyslogFacility).ok_or_else(|| {
        if Level::parse(text).is_some() {
            return ValueError::new(
                format!("`{}` is a level, no facility", clipped(text)),
                "did you mean `syslog_level`?",
            );
        }
        unknown_priority("facility", text, Facility::names())
    })
}

fn level(text: &[u8]) -> Result<Value, ValueError> {
    Level::parse(text).map(Value::SyslogLevel).ok_or_else(|| {
        if Facility::parse(text).is_some() {
            return ValueError::new(
                format!("`{}` is a facility, no level", clipped(text)),
                "did you mean `syslog_facility`?",
            );
        }
        unknown_priority("level", text, Level::names())
    })
}

fn max_age(text: &[u8]) -> Result<Value, ValueError> {
    if text == b"none" {
        return Ok(Value::StateMaxAge(None));
    }
    let age = span(text)?;
    if age.is_zero() {
        return Err(ValueError::new(
            "with an age of 0 every state is stale",
            "give a span such as 2m, or `none`",
        ));
    }
    Ok(Value::StateMaxAge(Some(age)))
}

fn span(text: &[u8]) -> Result<Duration, ValueError> {
    duration::parse(text).map_err(|bad| {
        let (message, help) = bad.explain(text);
        ValueError::new(message, help)
    })
}

/// Out of range is no reason to refuse the file, as in 0.1.0: 0 is taken and the job runs.
fn nice_level(piece: Piece) -> Result<(Value, Option<Problem>), Problem> {
    let digits = piece
        .text
        .strip_prefix(b"-")
        .or(piece.text.strip_prefix(b"+"))
        .unwrap_or(piece.text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        let message = format!("`{}` is no niceness", clipped(piece.text));
        return Err(Problem::new(piece.span, message).with_help("write a whole number from -20 to 19".into()));
    }
    let number = core::str::from_utf8(piece.text)
        .ok()
        .and_then(|text| text.parse::<i8>().ok());
    match number.filter(|level| (-20..=19).contains(level)) {
        Some(level) => Ok((Value::NiceLevel(level), None)),
        None => {
            let message = format!("nice_level {} is out of range, 0 is taken", clipped(piece.text));
            let warning = Problem::new(piece.span, message).with_help("write a number from -20 to 19".into());
            Ok((Value::NiceLevel(0), Some(warning)))
        }
    }
}

fn one_of(text: &[u8], choices: [(&'static str, Value); 2]) -> Result<Value, ValueError> {
    let names = [choices[0].0, choices[1].0];
    let found = choices.into_iter().find(|(name, _)| name.as_bytes() == text);
    found.map(|(_, value)| value).ok_or_else(|| {
        let help = did_you_mean(text, names).unwrap_or_else(|| format!("write `{}` or `{}`", names[0], names[1]));
        unknown("value", text, help)
    })
}

/// The prefix, which all names share, makes none of them nearer.
fn unknown_priority(kind: &str, text: &[u8], names: impl Iterator<Item = &'static str>) -> ValueError {
    let bare = if text.to_ascii_uppercase().starts_with(b"LOG_") {
        &text[4..]
    } else {
        text
    };
    let meant = suggest::nearest(bare, names.map(|name| &name[4..]));
    let help = meant.map(|name| format!("did you mean `LOG_{name}`?"));
    unknown(kind, text, help.unwrap_or_else(|| "syslog(3) lists them".into()))
}

fn unknown(kind: &str, text: &[u8], help: impl Into<String>) -> ValueError {
    ValueError::new(format!("unknown {kind} `{}`", clipped(text)), help)
}

fn did_you_mean(text: &[u8], names: impl IntoIterator<Item = &'static str>) -> Option<String> {
    suggest::nearest(text, names).map(|name| format!("did you mean `{name}`?"))
}
