//! The job whose start is timed: this program, which only writes the time.

use crate::Result;
use nix::time::{ClockId, clock_gettime};
use std::io::Write;
use std::time::Duration;

/// Writes one line, which a pipe does not tear: the number of the job, and the time in nanoseconds.
pub(crate) fn print_stamp(number: &str) -> Result<()> {
    let line = format!("{number} {}\n", now()?.as_nanos());
    Ok(std::io::stdout().write_all(line.as_bytes())?)
}

/// A clock that all processes share.
pub(super) fn now() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_MONOTONIC)?.into())
}

/// The number and the time of a line.
pub(super) fn parse(line: &str) -> Result<(usize, Duration)> {
    let (number, time) = line.split_once(' ').ok_or("not a time")?;
    Ok((number.parse()?, Duration::from_nanos(time.parse()?)))
}
