//! The keys, and the values that each one takes.

use super::line::Piece;
use super::problem::Problem;
use super::{Config, OnDemotion, Overlap};
use crate::claim::MOST_RERUNS;
use crate::display::clipped;
use crate::priority::{Facility, Level};
use crate::state::Word;
use crate::suggest;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
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
    /// `once_per_tick`.
    OncePerTick,
    /// `start_within`.
    StartWithin,
    /// `rerun`.
    Rerun,
    /// `overlap`.
    Overlap,
    /// `claim_socket`.
    ClaimSocket,
}

/// In bytes: half of what execve(2) takes as one string.
const LONGEST_NAME: usize = 64 * 1024;
/// In bytes: `sun_path` of unix(7) without its NUL.
const LONGEST_SOCKET: usize = 107;

const YES_OR_NO: [(&str, bool); 2] = [("yes", true), ("no", false)];

/// A tick whose start is due within less cannot be claimed in time, and one that may start later is another day's.
const START_WITHIN: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);

/// What is wrong with a value; its place in the line is added later.
struct ValueError {
    message: String,
    help: Option<String>,
}

impl Key {
    /// Every key, in the order of rcron.conf(5).
    pub const ALL: [(&'static str, Self); 17] = [
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
        ("once_per_tick", Self::OncePerTick),
        ("start_within", Self::StartWithin),
        ("rerun", Self::Rerun),
        ("overlap", Self::Overlap),
        ("claim_socket", Self::ClaimSocket),
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

    /// Takes the value over into `config`. Returns a warning if another value is taken than the one given.
    pub(super) fn set(self, piece: Piece, config: &mut Config) -> Result<Option<Problem>, Problem> {
        let text = piece.text;
        let set = match self {
            Self::NiceLevel => return set_nice_level(piece, config),
            Self::ClusterName => cluster_name(text).map(|name| config.cluster_name = name),
            Self::StateFile => path(text).map(|path| config.state_file = path),
            Self::DefaultState => default_state(text).map(|word| config.default_state = word),
            Self::SyslogFacility => facility(text).map(|facility| config.syslog_facility = facility),
            Self::SyslogLevel => level(text).map(|level| config.syslog_level = level),
            Self::SyslogSocket => socket(text).map(|path| config.syslog_socket = path),
            Self::StateMaxAge => max_age(text).map(|age| config.state_max_age = age),
            Self::RequireLease => one_of(text, YES_OR_NO).map(|required| config.require_lease = required),
            Self::OnDemotion => {
                let choices = [("continue", OnDemotion::Continue), ("terminate", OnDemotion::Terminate)];
                one_of(text, choices).map(|action| config.on_demotion = action)
            }
            Self::KillAfter => duration(text).map(|duration| config.kill_after = duration),
            Self::Journal => journal(text).map(|directory| config.journal = directory),
            Self::OncePerTick => one_of(text, YES_OR_NO).map(|wanted| config.once_per_tick = wanted),
            Self::StartWithin => start_within(text).map(|within| config.start_within = within),
            Self::Rerun => rerun(text).map(|count| config.rerun = count),
            Self::Overlap => {
                let choices = [("allow", Overlap::Allow), ("skip", Overlap::Skip)];
                one_of(text, choices).map(|overlap| config.overlap = overlap)
            }
            Self::ClaimSocket => socket(text).map(|path| config.claim_socket = path),
        };
        set.map(|()| None).map_err(|error| error.at(piece))
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

fn cluster_name(text: &[u8]) -> Result<Vec<u8>, ValueError> {
    if text.len() > LONGEST_NAME {
        return Err(ValueError::new(
            "the name is longer than 64 KiB",
            "it goes into the job's environment: make it short",
        ));
    }
    Ok(text.to_vec())
}

fn socket(text: &[u8]) -> Result<Vec<u8>, ValueError> {
    let path = path(text)?;
    if path.len() > LONGEST_SOCKET {
        return Err(ValueError::new(
            "the path is longer than 107 bytes",
            "a socket's path cannot be longer: unix(7)",
        ));
    }
    Ok(path)
}

fn path(text: &[u8]) -> Result<Vec<u8>, ValueError> {
    if text.is_empty() {
        return Err(ValueError::new("the path is empty", "give the file's path"));
    }
    Ok(text.to_vec())
}

fn journal(text: &[u8]) -> Result<Option<Vec<u8>>, ValueError> {
    match text {
        b"none" => Ok(None),
        [b'/', ..] => Ok(Some(text.to_vec())),
        _ => Err(ValueError::new(
            format!("`{}` is not an absolute path", clipped(text)),
            "give a directory's path, or `none`",
        )),
    }
}

fn default_state(text: &[u8]) -> Result<Word, ValueError> {
    // No "did you mean" here: `inactive` resembles the wrong word.
    Word::parse(text).ok_or_else(|| unknown("state", text, "write `active` or `passive`"))
}

fn facility(text: &[u8]) -> Result<Facility, ValueError> {
    Facility::parse(text).ok_or_else(|| {
        if Level::parse(text).is_some() {
            return ValueError::new(
                format!("`{}` is a level, not a facility", clipped(text)),
                "did you mean `syslog_level`?",
            );
        }
        unknown_priority("facility", text, Facility::names())
    })
}

fn level(text: &[u8]) -> Result<Level, ValueError> {
    Level::parse(text).ok_or_else(|| {
        if Facility::parse(text).is_some() {
            return ValueError::new(
                format!("`{}` is a facility, not a level", clipped(text)),
                "did you mean `syslog_facility`?",
            );
        }
        unknown_priority("level", text, Level::names())
    })
}

fn max_age(text: &[u8]) -> Result<Option<Duration>, ValueError> {
    if text == b"none" {
        return Ok(None);
    }
    let age = duration(text)?;
    if age.is_zero() {
        return Err(ValueError::new(
            "with an age of 0 every state is stale",
            "give a duration such as 2m, or `none`",
        ));
    }
    Ok(Some(age))
}

fn start_within(text: &[u8]) -> Result<Option<Duration>, ValueError> {
    if text == b"auto" {
        return Ok(None);
    }
    let within = duration(text)?;
    if !START_WITHIN.contains(&within) {
        return Err(ValueError::new(
            format!("`{}` is not between 1s and 1d", clipped(text)),
            "give a duration such as 90s, or `auto`",
        ));
    }
    Ok(Some(within))
}

fn rerun(text: &[u8]) -> Result<u32, ValueError> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let count = core::str::from_utf8(text).ok().filter(|_| is_number);
    let count = count.and_then(|text| text.parse().ok());
    count.filter(|count| *count <= MOST_RERUNS).ok_or_else(|| {
        ValueError::new(
            format!("`{}` is not a number of reruns", clipped(text)),
            format!("write a whole number from 0 to {MOST_RERUNS}"),
        )
    })
}

fn duration(text: &[u8]) -> Result<Duration, ValueError> {
    crate::duration::parse(text).map_err(|bad| {
        let (message, help) = bad.explain(text);
        ValueError::new(message, help)
    })
}

/// A number out of range does not reject the file: as in 0.1.0, 0 is used and the job runs.
fn set_nice_level(piece: Piece, config: &mut Config) -> Result<Option<Problem>, Problem> {
    let digits = piece
        .text
        .strip_prefix(b"-")
        .or(piece.text.strip_prefix(b"+"))
        .unwrap_or(piece.text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        let message = format!("`{}` is not a niceness", clipped(piece.text));
        return Err(Problem::new(piece.span, message).with_help("write a whole number from -20 to 19".into()));
    }
    let number = core::str::from_utf8(piece.text)
        .ok()
        .and_then(|text| text.parse::<i8>().ok());
    let valid = number.filter(|level| (-20..=19).contains(level));
    config.nice_level = valid.unwrap_or(0);
    Ok(valid.is_none().then(|| {
        let message = format!("nice_level {} is out of range: 0 is used", clipped(piece.text));
        Problem::new(piece.span, message).with_help("write a number from -20 to 19".into())
    }))
}

fn one_of<T>(text: &[u8], choices: [(&'static str, T); 2]) -> Result<T, ValueError> {
    let names = [choices[0].0, choices[1].0];
    let found = choices.into_iter().find(|(name, _)| name.as_bytes() == text);
    found.map(|(_, value)| value).ok_or_else(|| {
        let help = did_you_mean(text, names).unwrap_or_else(|| format!("write `{}` or `{}`", names[0], names[1]));
        unknown("value", text, help)
    })
}

/// The suggestion ignores the prefix `LOG_`, which all names share.
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
