//! rcron's run journals, read: which runs there were, how they ended, which were cut off (rcron(8), "JOURNAL").
//!
//! The wrapper writes them; `policy::journal` has the format.

pub mod run;
