//! rcron's run journal (rcron(8), "JOURNAL"): the format of its records, appending them, and, with the feature `read`, reading them
//! back: which runs there were, how they ended, which were interrupted.
//!
//! Readers must doubt what they read: each user may write anything into his own file.

pub mod append;
pub mod format;

#[cfg(feature = "read")]
mod fate;
#[cfg(feature = "read")]
pub mod files;
#[cfg(feature = "read")]
mod line;
#[cfg(feature = "read")]
mod read;
#[cfg(feature = "read")]
mod record;
#[cfg(feature = "read")]
pub mod run;
#[cfg(feature = "read")]
mod users;
#[cfg(feature = "read")]
mod walk;

#[cfg(feature = "read")]
pub use read::{Query, Runs, read};
