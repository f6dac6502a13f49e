//! rcron's run journal (rcron(8), "JOURNAL"): the format of its records and the names of its files, appending records, and, with the
//! feature `read`, reading them back: which runs there were, how they ended, which were interrupted.
//!
//! Readers must not trust what they read: each user can write anything into his own file.

pub mod append;
pub mod format;
pub mod names;

#[cfg(feature = "read")]
mod read;
#[cfg(feature = "read")]
pub mod run;

#[cfg(feature = "read")]
pub use read::{
    Iter, LONGEST_LINE, MOST_RUNS, Query, Runs, Source, States, Unseen, is_record, marks, read, tail, users,
};
