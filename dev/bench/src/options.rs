//! The command line.

use crate::Result;
use crate::log::DAEMON_OPTION;
use lexopt::{Arg, Parser, ValueExt};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
usage: rcron-bench --binary PATH [OPTIONS]

Measure the rcron at PATH and print tables in Markdown.

      --binary PATH    the rcron to measure: a static release build
      --rcronctl PATH  also measure this rcronctl, on a journal of a million records
      --rcrond PATH    also measure this rcrond, with an etcd of its own (Debian's package: etcd-server)
      --rounds N       how often each start is timed (default 1000)
      --workload N     how many runs are started at once (default 1000)
      --only-claims    measure only what needs both rcron and rcrond
      --only-jobs      measure only the metrics of jobs, which needs root, --rcronctl and --rcrond
      --once           run every case once, and 20 runs at once, to test the benchmark itself
  -h, --help           print this help
";

const ROUNDS: usize = 1000;
const WORKLOAD: usize = 1000;
const RUNS: u64 = 500_010;
const FEW_RUNS: u64 = 300;
const SMALL_WORKLOAD: usize = 20;
const DURATION: Duration = Duration::from_secs(60);
const SHORT_DURATION: Duration = Duration::from_secs(4);
/// Each one takes a tenth of a second.
const MOST_DEMOTIONS: usize = 20;

/// What the command line requests.
pub(crate) enum Request {
    Help,
    /// To be the log daemon at this path.
    LogDaemon(OsString),
    /// To print the number of a job and the time: to be the job whose start is timed.
    Stamp(String),
    /// To print the peak memory of this command.
    Peak(Vec<OsString>),
    Measure(Options),
}

/// What to measure, and how often.
pub(crate) struct Options {
    pub(crate) binary: PathBuf,
    pub(crate) rcronctl: Option<PathBuf>,
    pub(crate) rcrond: Option<PathBuf>,
    /// How long rcrond is measured.
    pub(crate) duration: Duration,
    /// The number of runs in the journal of `history`.
    pub(crate) runs: u64,
    pub(crate) rounds: usize,
    pub(crate) workload: usize,
    pub(crate) only_claims: bool,
    pub(crate) only_jobs: bool,
    /// Whether every case is run only once.
    pub(crate) is_once: bool,
    pub(crate) demotions: usize,
}

pub(crate) fn read(mut parser: Parser) -> Result<Request> {
    let (mut binary, mut rcronctl, mut rcrond) = (None, None, None);
    let mut duration = DURATION;
    let (mut is_once, mut only_claims, mut only_jobs) = (false, false, false);
    let (mut rounds, mut workload, mut runs) = (ROUNDS, WORKLOAD, RUNS);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("binary") => binary = Some(PathBuf::from(parser.value()?)),
            Arg::Long("rcronctl") => rcronctl = Some(PathBuf::from(parser.value()?)),
            Arg::Long("rcrond") => rcrond = Some(PathBuf::from(parser.value()?)),
            Arg::Long("rounds") => rounds = at_least_one(parser.value()?.parse()?)?,
            Arg::Long("workload") => workload = at_least_one(parser.value()?.parse()?)?,
            Arg::Long("only-claims") => only_claims = true,
            Arg::Long("only-jobs") => only_jobs = true,
            Arg::Long("once") => {
                (rounds, workload, runs) = (1, SMALL_WORKLOAD, FEW_RUNS);
                duration = SHORT_DURATION;
                is_once = true;
            }
            Arg::Long(DAEMON_OPTION) => return Ok(Request::LogDaemon(parser.value()?)),
            Arg::Long("stamp") => return Ok(Request::Stamp(parser.value()?.string()?)),
            Arg::Long("peak-of") => return Ok(Request::Peak(parser.raw_args()?.collect())),
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help),
            unknown => return Err(unknown.unexpected().into()),
        }
    }
    let binary = binary.ok_or("--binary is missing; see --help")?;
    let binary = binary
        .canonicalize()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    Ok(Request::Measure(Options {
        binary,
        rcronctl,
        rcrond,
        duration,
        runs,
        rounds,
        workload,
        only_claims,
        only_jobs,
        is_once,
        demotions: rounds.min(MOST_DEMOTIONS),
    }))
}

fn at_least_one(number: usize) -> Result<usize> {
    if number == 0 {
        return Err("the number must be 1 or more".into());
    }
    Ok(number)
}
