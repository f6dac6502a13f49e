//! The command line: low-level arguments into one request.

use facts::complaint::shown;
use lexopt::{Arg, Parser};
use policy::command::Job;
use policy::suggest;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// What the user asks for.
pub(crate) enum Request {
    /// `--help`.
    Help,
    /// `--version`.
    Version,
    /// Run a job, or say what would be done.
    Job(Invocation),
}

/// A job and the options before it.
pub(crate) struct Invocation {
    /// What is set before and about the job.
    pub(crate) options: Options,
    /// The job itself.
    pub(crate) job: Job,
}

/// The options.
#[derive(Default)]
pub(crate) struct Options {
    /// `--conf`.
    pub(crate) conf: Option<OsString>,
    /// `--option`, each `KEY=VALUE`.
    pub(crate) settings: Vec<OsString>,
    /// `--job`.
    pub(crate) job_name: Option<Vec<u8>>,
    /// `--dry-run`.
    pub(crate) dry_run: bool,
    /// `--verbose`.
    pub(crate) verbose: bool,
}

/// Why a command line is refused, with the options read so far: they may say where to log it.
pub(crate) struct UsageError {
    pub(crate) message: String,
    pub(crate) options: Options,
}

pub(crate) const USAGE: &str = "\
usage: rcron [OPTIONS] COMMAND [ARG]...
       rcron [OPTIONS] 'SHELL COMMAND LINE'
";

pub(crate) const HELP: &str = "\
usage: rcron [OPTIONS] COMMAND [ARG]...
       rcron [OPTIONS] 'SHELL COMMAND LINE'

Run COMMAND if this server is the active one of its cluster, else return 0.

  -c, --conf FILE         configuration file (default /etc/rcron/rcron.conf)
  -o, --option KEY=VALUE  set a configuration key for this run; may be repeated
  -j, --job NAME          the job's name in log and environment
  -n, --dry-run           say what would be done and why; run nothing
  -v, --verbose           log lines also to stderr
  -h, --help              this text
  -V, --version           the version

In a crontab:
  0 3 * * *    rcron /usr/local/bin/backup --all
  */5 * * * *  rcron 'cd /srv/app && ./sync | logger'   # quote the whole line
  @hourly      rcron --conf /etc/rcron/billing.conf --job invoices bill

Exit status: the job's own; 0 if passive; 125 if rcron failed, 126 if the job
cannot be executed, 127 if it was not found. See rcron(8) and rcron.conf(5).
";

/// As long as a file's name: it stands in every line of the log, and in the job's environment.
const LONGEST_JOB_NAME: usize = 255;

const LONG_OPTIONS: [&str; 7] = ["conf", "option", "job", "dry-run", "verbose", "help", "version"];

/// Reads the process's arguments.
pub(crate) fn read(parser: Parser) -> Result<Request, UsageError> {
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
