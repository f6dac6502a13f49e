//! Reading runs: each start is combined with its end. Everything that is read was written by users who may be hostile:
//! docs/design/journal.md, "Bounds for readers".

mod entries;
mod export;
mod fate;
mod files;
mod limits;
mod lines;
mod loading;
pub mod marks;
mod needles;
mod processes;
mod record;
mod scan;
mod source;
pub mod tail;
mod unseen;
mod users;

pub use export::is_record;
pub use limits::{LONGEST_LINE, MOST_RUNS};
pub use loading::{Iter, Runs};
pub use source::Source;
pub use unseen::Unseen;
pub use users::read as users;

use fate::Here;
use jiff::Timestamp;
use scan::Scan;

/// Which runs to return.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Those that ran at this time or later.
    pub since: Option<Timestamp>,
    /// Those of this job: its name, or its whole command if it has no name.
    pub job: Option<String>,
    /// Those of this cluster.
    pub cluster: Option<String>,
    /// Those that failed or were interrupted.
    pub failed: bool,
    /// Those in these states.
    pub states: States,
    /// Only so many of the newest.
    pub limit: Option<usize>,
}

/// Which states of runs to return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum States {
    /// All.
    #[default]
    All,
    /// Those of runs without an end.
    Unfinished,
    /// Those of runs whose processes exist. This needs the least memory.
    Running,
}

/// Reads journals. The runs themselves are read again when they are asked for.
#[must_use]
pub fn read(sources: &[Source], query: &Query) -> Runs {
    // Before any file is opened: if users' files exhaust the descriptors, the boot is known nevertheless.
    let here = Here::now();
    Scan::new(sources, query, here).into_runs()
}

/// A run's id as a number, which takes half the memory. A text that is not a UUID gets its hash.
pub(crate) fn id(text: &[u8]) -> u128 {
    let digits = text.iter().filter(|byte| **byte != b'-');
    let number = digits.into_iter().try_fold(0, |id: u128, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(id << 4 | u128::from(value))
    });
    number.filter(|_| text.len() == 36).unwrap_or_else(|| {
        // FNV-1a (Fowler, Noll, Vo).
        text.iter()
            .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
                (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
            })
    })
}

#[cfg(test)]
mod tests;
