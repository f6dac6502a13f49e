//! The command line.

use crate::Result;
use crate::log::DAEMON_OPTION;
use lexopt::{Arg, Parser, ValueExt};
use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
usage: rcron-bench --binary PATH [OPTIONS]

Measure the rcron at PATH and print tables in Markdown.

      --binary PATH  the rcron to measure: a static release build
      --rounds N     how often each start is timed (default 1000)
      --crowd N      how many are started at once (default 1000)
      --once         every case once, and a crowd of 20: to see that it works
  -h, --help         this text
";

const ROUNDS: usize = 1000;
const CROWD: usize = 1000;
const SMALL_CROWD: usize = 20;
/// Each takes a tenth of a second.
const MOST_DEMOTIONS: usize = 20;

/// What the user asks for.
pub(crate) enum Request {
    Help,
    /// To be the log daemon at this path.
    LogDaemon(OsString),
    Measure(Options),
}

/// What to measure, and how often.
pub(crate) struct Options {
    pub(crate) binary: PathBuf,
    pub(crate) rounds: usize,
    pub(crate) crowd: usize,
    pub(crate) demotions: usize,
}

pub(crate) fn read(mut parser: Parser) -> Result<Request> {
    let (mut binary, mut rounds, mut crowd) = (None, ROUNDS, CROWD);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("binary") => binary = Some(PathBuf::from(parser.value()?)),
            Arg::Long("rounds") => rounds = at_least_one(parser.value()?.parse()?)?,
            Arg::Long("crowd") => crowd = at_least_one(parser.value()?.parse()?)?,
            Arg::Long("once") => (rounds, crowd) = (1, SMALL_CROWD),
            Arg::Long(DAEMON_OPTION) => return Ok(Request::LogDaemon(parser.value()?)),
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
