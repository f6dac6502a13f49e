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
      --rcronctl PATH  measure this rcronctl too, on a journal of a million records
      --rcrond PATH    measure this rcrond too, with an etcd of its own (Debian's package: etcd-server)
      --rounds N       how often each start is timed (default 1000)
      --crowd N        how many are started at once (default 1000)
      --once           every case once, and a crowd of 20: to see that it works
  -h, --help           this text
";

const ROUNDS: usize = 1000;
const CROWD: usize = 1000;
const RUNS: u64 = 500_010;
const FEW_RUNS: u64 = 300;
const SMALL_CROWD: usize = 20;
const SPAN: Duration = Duration::from_secs(60);
const SHORT_SPAN: Duration = Duration::from_secs(4);
/// Each takes a tenth of a second.
const MOST_DEMOTIONS: usize = 20;

/// What the user asks for.
pub(crate) enum Request {
    Help,
    /// To be the log daemon at this path.
    LogDaemon(OsString),
    /// To print the peak memory of this command.
    Peak(Vec<OsString>),
    Measure(Options),
}

/// What to measure, and how often.
pub(crate) struct Options {
    pub(crate) binary: PathBuf,
    pub(crate) rcronctl: Option<PathBuf>,
    pub(crate) rcrond: Option<PathBuf>,
    /// How long rcrond is watched.
    pub(crate) span: Duration,
    /// Of which the journal tells.
    pub(crate) runs: u64,
    pub(crate) rounds: usize,
    pub(crate) crowd: usize,
    pub(crate) demotions: usize,
}

pub(crate) fn read(mut parser: Parser) -> Result<Request> {
    let (mut binary, mut rcronctl, mut rcrond) = (None, None, None);
    let mut span = SPAN;
    let (mut rounds, mut crowd, mut runs) = (ROUNDS, CROWD, RUNS);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("binary") => binary = Some(PathBuf::from(parser.value()?)),
            Arg::Long("rcronctl") => rcronctl = Some(PathBuf::from(parser.value()?)),
            Arg::Long("rcrond") => rcrond = Some(PathBuf::from(parser.value()?)),
            Arg::Long("rounds") => rounds = at_least_one(parser.value()?.parse()?)?,
            Arg::Long("crowd") => crowd = at_least_one(parser.value()?.parse()?)?,
            Arg::Long("once") => {
                (rounds, crowd, runs) = (1, SMALL_CROWD, FEW_RUNS);
                span = SHORT_SPAN;
            }
            Arg::Long(DAEMON_OPTION) => return Ok(Request::LogDaemon(parser.value()?)),
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
        span,
        runs,
        rounds,
        crowd,
        demotions: rounds.min(MOST_DEMOTIONS),
    }))
}

fn at_least_one(number: usize) -> Result<usize> {
    if number == 0 {
        return Err("the number must be 1 or more".into());
    }
    Ok(number)
}
