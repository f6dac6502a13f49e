//! The command line of rcron: arguments into one request. The wrapper reads its own here, `rcronctl check` those in crontabs.

use crate::diagnostic::shown;
use lexopt::{Arg, Parser};
use policy::command::Job;
use policy::suggest;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// What the user asks for.
pub enum Request {
    /// `--help`.
    Help,
    /// `--version`.
    Version,
    /// Run a job, or say what would be done.
    Job(Invocation),
}

/// A job and the options before it.
pub struct Invocation {
    /// What is set before and about the job.
    pub options: Options,
    /// The job itself.
    pub job: Job,
}

/// The options.
#[derive(Default)]
pub struct Options {
    /// `--conf`.
    pub conf: Option<OsString>,
    /// `--option`, each `KEY=VALUE`.
    pub settings: Vec<OsString>,
    /// `--job`.
    pub job_name: Option<Vec<u8>>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// `--verbose`.
    pub verbose: bool,
}

/// Why a command line is refused, with the options read so far: they may say where to log it.
pub struct UsageError {
    /// What is wrong with it.
    pub message: String,
    /// What stands before the fault.
    pub options: Options,
}

/// As long as a file's name: it stands in every line of the log, and in the job's environment.
const LONGEST_JOB_NAME: usize = 255;

const LONG_OPTIONS: [&str; 7] = ["conf", "option", "job", "dry-run", "verbose", "help", "version"];

/// Reads the arguments.
///
/// # Errors
/// [`UsageError`]: an unknown option, a missing value, no command.
pub fn read(parser: Parser) -> Result<Request, UsageError> {
    let mut options = Options::default();
    match read_into(&mut options, parser) {
        Ok(Read::Words(words)) => match Job::read(words) {
            Ok(job) => Ok(Request::Job(Invocation { options, job })),
            Err(policy::command::NoCommand) => Err(UsageError {
                message: "no command given".into(),
                options,
            }),
        },
        Ok(Read::Asked(request)) => Ok(request),
        Err(message) => Err(UsageError { message, options }),
    }
}

enum Read {
    Words(Vec<Vec<u8>>),
    Asked(Request),
}

fn read_into(options: &mut Options, mut parser: Parser) -> Result<Read, String> {
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Arg::Short('c') | Arg::Long("conf") => options.conf = Some(value(&mut parser)?),
            Arg::Short('o') | Arg::Long("option") => options.settings.push(value(&mut parser)?),
            Arg::Short('j') | Arg::Long("job") => options.job_name = Some(job_name(value(&mut parser)?)?),
            Arg::Short('n') | Arg::Long("dry-run") => options.dry_run = true,
            Arg::Short('v') | Arg::Long("verbose") => options.verbose = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Read::Asked(Request::Help)),
            Arg::Short('V') | Arg::Long("version") => return Ok(Read::Asked(Request::Version)),
            Arg::Value(first) => return words(first, &mut parser).map(Read::Words),
            unknown => return Err(unknown_option(unknown)),
        }
    }
    Ok(Read::Words(Vec::new()))
}

/// All that follows the first argument that is no option belongs to the job.
fn words(first: OsString, parser: &mut Parser) -> Result<Vec<Vec<u8>>, String> {
    let rest = parser.raw_args().map_err(|error| error.to_string())?;
    Ok([first].into_iter().chain(rest).map(OsString::into_vec).collect())
}

fn value(parser: &mut Parser) -> Result<OsString, String> {
    parser.value().map_err(|error| error.to_string())
}

fn job_name(name: OsString) -> Result<Vec<u8>, String> {
    let refused = |character: char| character.is_whitespace() || character.is_control() || character == '=';
    if name.is_empty() || name.to_string_lossy().contains(refused) {
        return Err(format!(
            "`{}` is no job name: it must have no blanks, `=` or control characters",
            shown(&name)
        ));
    }
    if name.len() > LONGEST_JOB_NAME {
        return Err(format!("the job's name is longer than {LONGEST_JOB_NAME} bytes"));
    }
    Ok(name.into_vec())
}

fn unknown_option(argument: Arg) -> String {
    let meant = match argument {
        Arg::Long(name) => suggest::nearest(name.as_bytes(), LONG_OPTIONS),
        _ => None,
    };
    let refused = argument.unexpected().to_string();
    match meant {
        Some(meant) => format!("{refused}; did you mean '--{meant}'?"),
        None => refused,
    }
}
