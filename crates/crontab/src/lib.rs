//! Crontabs: their entries, what cron rejects in them, when each entry runs, its command line, and the call of rcron in it.
//!
//! Everything here is a function of its arguments: no file, no clock, no system call (`no_std` enforces it). Any user may have
//! written the text, so its size is the only thing that a caller has to limit: parsing takes memory in proportion to the text.
//! Lines that are too long to be parsed are not dropped but returned, so that a caller can say what it has not seen.
//!
//! The arguments of rcron itself are parsed elsewhere (`inputs::command_line`), by the code that rcron uses.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod call;
mod entry;
pub mod flow;
mod line;
mod mistake;
pub mod outside;
pub mod schedule;
mod script;
pub mod shell;
mod table;
pub mod tick;
mod variables;

pub use entry::Entry;
pub use line::{Line, UserField};
pub use mistake::{Mistake, Reason};
pub use table::{Crontab, Kind, LONGEST_LINE};
