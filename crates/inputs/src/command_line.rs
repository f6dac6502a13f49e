//! The command line of rcron. The wrapper parses its own here, and `rcronctl check` those in crontabs.

use crate::diagnostic::shown;
use lexopt::{Arg, Parser};
use policy::command::{Job, NoCommand};
use policy::suggest;
use policy::tick::TickTime;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What the command line requests.
pub enum Request {
    /// `--help`.
    Help,
    /// `--version`.
    Version,
    /// Run a job, or print what would be done.
    Job(Invocation),
}

/// A job and the options before it.
pub struct Invocation {
    /// rcron's own options.
    pub options: Options,
    /// The words after them.
    pub job: Job,
}

/// rcron's own options, as they were given.
#[derive(Default)]
pub struct Options {
    /// `--conf`.
    pub conf: Option<OsString>,
    /// `--option`, each `KEY=VALUE`.
    pub settings: Vec<OsString>,
    /// `--job`.
    pub job_name: Option<Vec<u8>>,
    /// `--tick`.
    pub tick: Option<TickTime>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// `--verbose`.
    pub verbose: bool,
}

/// Why a command line is rejected. The options before the mistake may set where to log that.
pub struct UsageError {
    /// What is wrong.
    pub mistake: Mistake,
    /// The options before it.
    pub options: Box<Options>,
}

/// What can be wrong with a command line.
#[derive(Debug)]
pub enum Mistake {
    /// An unknown option, with the known one that is perhaps meant.
    UnknownOption(lexopt::Error, Option<&'static str>),
    /// An option without its value, or with a value that it does not take.
    Value(lexopt::Error),
    /// A job's name with blanks, `=` or control characters, or an empty one.
    JobName(OsString),
    /// A job's name longer than 255 bytes.
    LongJobName,
    /// The value of `--tick` is not a time.
    Tick(OsString),
    /// There is no job after the options.
    NoCommand,
}

/// In bytes, as long as a file name may be: the name is in every log line, and in the job's environment.
const LONGEST_JOB_NAME: usize = 255;

const LONG_OPTIONS: [&str; 8] = ["conf", "option", "job", "tick", "dry-run", "verbose", "help", "version"];

/// Parses the arguments.
///
/// # Errors
/// [`UsageError`].
pub fn read(parser: Parser) -> Result<Request, UsageError> {
    let mut options = Options::default();
    match read_into(&mut options, parser) {
        Ok(Parsed::Job(job)) => Ok(Request::Job(Invocation { options, job })),
        Ok(Parsed::Other(request)) => Ok(request),
        Err(mistake) => Err(UsageError {
            mistake,
            options: Box::new(options),
        }),
    }
}

enum Parsed {
    Job(Job),
    Other(Request),
}

fn read_into(options: &mut Options, mut parser: Parser) -> Result<Parsed, Mistake> {
    while let Some(argument) = parser.next().map_err(Mistake::Value)? {
        match argument {
            Arg::Short('c') | Arg::Long("conf") => options.conf = Some(value(&mut parser)?),
            Arg::Short('o') | Arg::Long("option") => options.settings.push(value(&mut parser)?),
            Arg::Short('j') | Arg::Long("job") => options.job_name = Some(job_name(value(&mut parser)?)?),
            Arg::Long("tick") => options.tick = Some(tick(value(&mut parser)?)?),
            Arg::Short('n') | Arg::Long("dry-run") => options.dry_run = true,
            Arg::Short('v') | Arg::Long("verbose") => options.verbose = true,
            Arg::Short('h') | Arg::Long("help") => return alone(Request::Help, &mut parser),
            Arg::Short('V') | Arg::Long("version") => return alone(Request::Version, &mut parser),
            Arg::Value(first) => return job(first, &mut parser).map(Parsed::Job),
            unknown => return Err(unknown_option(unknown)),
        }
    }
    Err(Mistake::NoCommand)
}

/// A request that makes everything after it superfluous. If it has a value (`--version=1`), the parser says so at the next argument.
fn alone(request: Request, parser: &mut Parser) -> Result<Parsed, Mistake> {
    parser.next().map_err(Mistake::Value)?;
    Ok(Parsed::Other(request))
}

/// Everything from the first argument that is not an option belongs to the job.
fn job(first: OsString, parser: &mut Parser) -> Result<Job, Mistake> {
    let rest = parser.raw_args().map_err(Mistake::Value)?;
    let words = [first].into_iter().chain(rest).map(OsString::into_vec);
    Job::read(words.collect()).map_err(|NoCommand| Mistake::NoCommand)
}

fn value(parser: &mut Parser) -> Result<OsString, Mistake> {
    parser.value().map_err(Mistake::Value)
}

fn job_name(name: OsString) -> Result<Vec<u8>, Mistake> {
    let refused = |character: char| character.is_whitespace() || character.is_control() || character == '=';
    if name.is_empty() || name.to_string_lossy().contains(refused) {
        return Err(Mistake::JobName(name));
    }
    if name.len() > LONGEST_JOB_NAME {
        return Err(Mistake::LongJobName);
    }
    Ok(name.into_vec())
}

fn tick(text: OsString) -> Result<TickTime, Mistake> {
    TickTime::parse(text.as_bytes()).ok_or(Mistake::Tick(text))
}

fn unknown_option(argument: Arg) -> Mistake {
    let meant = match argument {
        Arg::Long(name) => suggest::nearest(name.as_bytes(), LONG_OPTIONS),
        _ => None,
    };
    Mistake::UnknownOption(argument.unexpected(), meant)
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOption(error, Some(meant)) => write!(out, "{error}; did you mean '--{meant}'?"),
            Self::UnknownOption(error, None) | Self::Value(error) => error.fmt(out),
            Self::JobName(name) => write!(
                out,
                "`{}` is not a job name: it must not contain blanks, `=` or control characters",
                shown(name)
            ),
            Self::LongJobName => write!(out, "the job's name is longer than {LONGEST_JOB_NAME} bytes"),
            Self::Tick(text) => write!(
                out,
                "`{}` is not a time: write a time of RFC 3339 such as 2026-12-01T03:00:00Z, or @SECONDS since 1970",
                shown(text)
            ),
            Self::NoCommand => out.write_str("no command given"),
        }
    }
}
