//! rcron's run journals, read: which runs there were, how they ended, which were cut off (rcron(8), "JOURNAL").
//!
//! The wrapper writes them; `policy::journal` has the format. What stands in them is for its reader to doubt: each user may
//! write anything into his own.

mod fate;
pub mod files;
mod line;
mod read;
mod record;
pub mod run;
mod users;
mod walk;

pub use read::{Query, Runs, read};
